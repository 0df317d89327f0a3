"""Do once what a turn does, so that nothing is imported or opened when that is no longer allowed."""

import encodings.idna  # noqa: F401 - looked up by name when text is encoded for an address
import time
import unicodedata

from services.turn_process import wire
from services.turn_process.turns import Turns, where
from shared.bot.source import BotSource
from shared.dialog.events import ConsumerMessage
from shared.dialog.frames import Advance, Load
from shared.dialog.session import Conversation
from shared.scripting.limits import Limits
from shared.scripting.zones import load_zones

_BOT = BotSource(
    b'{"bot":{"id":"b","name":"b"},"groups":[{"id":"g","name":"g","dialogType":"FALLBACK_DIALOG"}],"conversationMessage":[],'
    b'"globalFunctions":{"methods":"function __initConversation(){'
    b"botContext.getHoursType(['A~0:00~1:00'],'Europe/Paris');botContext.sendMessages([1])}"
    b'"}}',
    'keep_types = false\n[intents.hello]\nphrases = ["hello there"]\n'
    '[entities.X]\nvalues = ["x~1"]\npatterns = ["x(y)"]\n',
)


def warm_up(limits: Limits) -> bytes:
    """Compile and run a bot of three lines; return the frame with its answer."""
    time.strftime("%Y", time.localtime())
    unicodedata.normalize("NFC", "\u00e9")
    "\u00e9".encode("idna")
    load_zones()
    turns = Turns(limits)
    turns.load(Load(_BOT.version, _BOT.blob))
    event = ConsumerMessage("hello, helo x xy", at=1, sequence=1, new_session=True)
    frame = turns.answer(Advance(_BOT.version, Conversation("0-0", "b", "u"), None, event, 1), announce=_nobody)
    wire.encode(turns.load(Load("", b"")))
    where(ValueError())
    return frame


def _nobody(_script: str) -> None:
    """Announce to nobody: the other side expects `Ready` first."""
