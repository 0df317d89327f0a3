"""The bot of the load says what the checker expects of it."""

from services.verifier.answers import CALL_FAILED, answered_number, check_answers
from services.verifier.bot import export, manifest
from services.verifier.history import Attempt, Heard, Sent
from tests.unit.dialog.bots import compiled
from tests.unit.dialog.talk import Talk

TALK = ("say 1", "form 2", "choose 3", "say 4", "ask 5", "order 6", "choose 7", "ask 8", "say 9")
SET = 10


def transcript() -> tuple[list[Heard], list[Heard]]:
    """Return what was said to the bot, and what it answered: the call of `ask 5` is answered, that of `order 6` fails."""
    talk = Talk(compiled(export(), manifest("http://127.0.0.1:9")))
    echoes, answers = [], []
    sequence = 0
    for text in TALK:
        sequence += 10
        echoes.append(Heard(sequence, "consumer", text))
        said = talk.post({"v": "2"}, text) if text.startswith("form") else talk.say(text)
        if talk.call is not None:
            assert said == []
            said = talk.answer(body={"text": "yes-5"}) if text == "ask 5" else talk.fail()
        for at, reply in enumerate(said, 1):
            answers.append(Heard(sequence + at, "bot", reply))
        if text == "choose 7":
            talk.post({"v": str(SET)})
    return echoes, answers


def test_the_checker_foretells_every_answer() -> None:
    echoes, answers = transcript()
    assert [answer.text for answer in answers] == [
        "1 say 1 []",
        "2 form 2 [2]",
        "3 choose 3? [2]",
        "4 say 4! [2]",
        "5 ask 5 = yes-5 [2]",
        CALL_FAILED,
        "6 order 6 = failed [2]",
        "7 choose 7? [2]",
        "8 ask 8! [10]",
        "9 say 9 [10]",
    ]
    form = Sent(2, "form", [Attempt(0.0, 0.0, "accepted", 20)])
    variables = Sent(SET, "set", [Attempt(0.0, 0.0, "accepted", 75)])
    assert list(check_answers([form, variables], echoes, answers)) == []


def test_an_answer_tells_what_it_answers() -> None:
    _, answers = transcript()
    assert [answered_number(answer) for answer in answers] == [1, 2, 3, 4, 5, 0, 6, 7, 8, 9]
    assert answered_number(Heard(1, "consumer", "1 say 1 []")) == 0
