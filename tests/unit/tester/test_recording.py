"""A recorded conversation, played again, says the same."""

from pathlib import Path

from services.tester.batch import load, play_one
from services.tester.marked import parse_marked
from services.tester.reading import read_suite
from services.tester.recording import recorded
from services.tester.stub_reading import read_stubs
from services.tester.suite import Said, Setting, Stub
from services.tester.talk import EngineTalk
from shared.dialog.trace import TraceLine, TurnTrace
from shared.privacy.masking import MASK
from tests.unit.tester.writing import FORMS, ORDERS

STUBS = """
Orders:
- {failure: timeout}
- json: {number: "1001", state: packed, items: [{code: L-20, name: Lamp}]}
"""


class Recorded:
    """A talk whose turns are kept as a trace keeps them."""

    def __init__(self, bot: Path, stubs: dict[str, Stub]) -> None:
        self.turns: list[TurnTrace] = []
        self.bot = bot
        self.talk = EngineTalk(load(bot, None), Setting(stubs=stubs), self.keep)

    def keep(self, lines: list[TraceLine]) -> None:
        kinds = {"a web view call": "web_view", "a message from the consumer": "message"}
        event = next((kinds[line.note] for line in lines if line.code == "event"), "outcome")
        self.turns.append(TurnTrace(len(self.turns) + 1, self.talk.memory.now, event, "v", lines=lines))

    def write(self, folder: Path) -> Path:
        path = folder / "new.test.yaml"
        path.write_text(recorded(load(self.bot, None), self.bot, "new", self.turns))
        return path


def test_a_recorded_conversation_passes_and_names_interactions_instead_of_words(tmp_path: Path) -> None:
    record = Recorded(ORDERS, read_stubs(parse_marked(STUBS, "stubs")))
    for text in ("order", "1001", "again", "return L-20", "that is all"):
        record.talk.say((Said(text),))
    path = record.write(tmp_path)
    text = path.read_text()
    assert "- bot: {interaction: desk_away_question}" in text
    assert "- failure: timeout" in text
    assert "path: /orders/1001" in text
    assert "- closed: {survey: false}" in text
    assert "What is your order number" not in text
    assert play_one(read_suite(path, {})[0]).played.failure is None


def test_forms_and_the_end_of_a_session_are_recorded(tmp_path: Path) -> None:
    record = Recorded(FORMS, {})
    record.talk.say((Said("book a bike"),))
    record.talk.post({"riderName": "Ada"}, "here are my booking details")
    record.talk.advance(7_200_000)
    record.talk.say((Said("hi"),))
    path = record.write(tmp_path)
    assert "advance: " in path.read_text()
    assert "message: here are my booking details" in path.read_text()
    assert play_one(read_suite(path, {})[0]).played.failure is None


def test_what_was_masked_whole_is_recorded_as_masked() -> None:
    lines = [TraceLine("event", note="a message from the consumer", values={"text": MASK, "payload": None})]
    lines.append(TraceLine("reply", "Hello", "text", values={"message": MASK}))
    written = recorded(load(FORMS, None), FORMS, "masked", [TurnTrace(1, 1, "message", "v", lines=lines)])
    assert f"- user: {MASK}\n  - bot: {MASK}" in written.replace("    ", "  ")
