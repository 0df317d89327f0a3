"""Bots are compiled in threads: msgspec must know every type before, since learning one in two threads at once crashes.

A type is learnt where it is first decoded, and another thread that decodes it meanwhile reads what is not there yet.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LEARNT = """
import sys
from pathlib import Path
from {module} import {name} as made
from shared.bot.source import read_bot

blob, learnt = read_bot(Path(sys.argv[1])).blob, []


def note(frame, event, _):
    # msgspec asks for annotations when it learns a type; `msgspec.structs.fields` does too, and keeps nothing of it
    if event == "call" and frame.f_code.co_name == "get_class_annotations" and frame.f_back.f_code.co_name != "fields":
        learnt.append(frame.f_back.f_code.co_qualname)


sys.setprofile(note)
made(blob)
sys.setprofile(None)
print(*learnt)
"""
EXAMPLE = ROOT / "examples/order-status/order-status.json"


@pytest.mark.parametrize(
    ("module", "name"),
    [("services.dialog_worker.versions", "read_facts"), ("services.integration_worker.bots", "compiled")],
)
def test_a_worker_knows_every_type_before_a_thread_compiles_a_bot(module: str, name: str) -> None:
    command = [sys.executable, "-c", LEARNT.format(module=module, name=name), str(EXAMPLE)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "\n"
