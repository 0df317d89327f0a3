"""A turn process: `python -I -m services.turn_process <parent's process id> <limits as JSON>`.

Started by the dialog worker with a socket as standard input, and the memory of its note as standard output. It imports
and warms up, locks itself down, and then answers frames until the socket closes.
"""

import mmap
import sys
import time
import traceback
from collections.abc import Callable

import msgspec

from services.turn_process import wire
from services.turn_process.lockdown import lock_down
from services.turn_process.turns import Turns
from services.turn_process.warm_up import warm_up
from shared.dialog.frames import Advance, Load, Note, Ready
from shared.scripting.limits import Limits


def main(arguments: list[str]) -> int:
    """Run until the dialog worker closes the socket; the exit code is 0 then."""
    parent, limits = int(arguments[0]), msgspec.json.decode(arguments[1], type=Limits)
    warm_up(limits)
    turns = Turns(limits)
    turns.rest()
    announce = _announcing(Note(memoryview(mmap.mmap(sys.stdout.fileno(), Note.SIZE))))
    wire.send(wire.encode(Ready(lock_down(parent))))
    while (message := wire.receive()) is not None:
        match message:
            case Load():
                wire.send(wire.encode(turns.load(message)))
            case Advance():
                wire.send(turns.answer(message, announce))
                turns.rest()
    return 0


def _announcing(note: Note) -> Callable[[str], None]:
    """Tell the dialog worker which script runs now, so that it can end it; empty: none does."""

    def announce(script: str) -> None:
        note.write(script, time.monotonic())

    return announce


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Exception:  # noqa: BLE001 - after the lock-down nobody can read this; before it, it says what is missing
        traceback.print_exc()
        sys.exit(1)
