"""The checker on histories that were doctored: each broken promise is found, and a history in good order has none."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from services.verifier.answers import CALL_FAILED
from services.verifier.checker import check
from services.verifier.history import Attempt, Heard, Kind, Listening, Outcome, Sent, Talk, message_id

ID = "0-talk"
Doctor = Callable[[Talk], object]


def sent(number: int, kind: Kind, *attempts: tuple[float, Outcome, int]) -> Sent:
    """Something sent at these seconds, each attempt taking a tenth of one."""
    return Sent(number, kind, [Attempt(at, at + 0.1, outcome, place, 202) for at, outcome, place in attempts])


def said(sequence: int, text: str) -> Heard:
    number = int(text.partition(" ")[2])
    return Heard(sequence, "consumer", text, 0.0, "" if text.startswith("form") else message_id(ID, number))


def answer(sequence: int, text: str) -> Heard:
    return Heard(sequence, "bot", text)


def good() -> Talk:
    """Two plain messages, a form, variables alone, a question and its answer, a call; one was sent twice."""
    stored = [
        said(1, "say 1"),
        answer(2, "1 say 1 []"),
        said(3, "form 2"),
        answer(4, "2 form 2 [2]"),
        said(6, "choose 4"),
        said(7, "say 5"),
        answer(8, "3 choose 4? [3]"),
        answer(9, "4 say 5! [3]"),
        said(10, "ask 6"),
        said(11, "say 7"),
        answer(12, "5 ask 6 = yes-6 [3]"),
        answer(13, "6 say 7 [3]"),
    ]
    return Talk(
        ID,
        sent=[
            sent(1, "say", (1.0, "accepted", 1)),
            sent(2, "form", (2.0, "accepted", 3)),
            sent(3, "set", (3.0, "accepted", 5)),
            sent(4, "choose", (4.0, "accepted", 6), (4.0, "duplicate", 6)),
            sent(5, "say", (5.0, "unknown", 0), (6.0, "duplicate", 7)),
            sent(6, "ask", (7.0, "refused", 0), (8.0, "accepted", 10)),
            sent(7, "say", (9.0, "accepted", 11)),
        ],
        listened=[Listening(0, stored[:7]), Listening(8, stored[7:])],
        stored=list(stored),
    )


def replace(talk: Talk, sequence: int, /, **changes: Any) -> None:
    """Change a message wherever it was seen."""
    for seen in _seen(talk):
        seen[:] = [msgspec.structs.replace(one, **changes) if one.sequence == sequence else one for one in seen]


def remove(talk: Talk, *sequences: int) -> None:
    """Let messages be seen nowhere."""
    for seen in _seen(talk):
        seen[:] = [one for one in seen if one.sequence not in sequences]


def add(talk: Talk, message: Heard) -> None:
    """Let a message be seen at its place by everybody."""
    for seen in (talk.listened[-1].heard, talk.stored):
        seen.append(message)
        seen.sort(key=lambda one: one.sequence)


def swap(talk: Talk, one: int, other: int) -> None:
    """Let two messages change places, with their texts."""
    texts = {message.sequence: message.text for message in talk.stored}
    replace(talk, one, text=texts[other])
    replace(talk, other, text=texts[one])


def resend(talk: Talk, number: int, *attempts: tuple[float, Outcome, int]) -> None:
    """Let something have been sent otherwise."""
    talk.sent[number - 1] = sent(number, talk.sent[number - 1].kind, *attempts)


def _seen(talk: Talk) -> Iterator[list[Heard]]:
    yield talk.stored
    for listening in talk.listened:
        yield listening.heard


def test_a_history_in_good_order_breaks_no_promise() -> None:
    assert check(good()) == []


def a_form_taken_again(talk: Talk, at: float) -> None:
    """Post the form again, and let it be taken and answered again."""
    resend(talk, 2, (2.0, "accepted", 3), (at, "accepted", 14))
    add(talk, said(14, "form 2"))
    add(talk, answer(15, "7 form 2 [2]"))


BROKEN: dict[str, tuple[str, Doctor]] = {
    "an accepted message is not there": ("lost", lambda talk: remove(talk, 11, 13)),
    "an accepted message is never answered": ("lost", lambda talk: remove(talk, 13)),
    "an answer is given twice": ("answered twice", lambda talk: add(talk, answer(14, "7 say 7 [3]"))),
    "an event is applied twice and counted": ("wrong count", lambda talk: replace(talk, 13, text="7 say 7 [3]")),
    "an event is not counted": ("wrong count", lambda talk: replace(talk, 13, text="5 say 7 [3]")),
    "two answers change places": ("overtaken", lambda talk: swap(talk, 8, 9)),
    "a later message has an earlier place": ("overtaken", lambda talk: resend(talk, 1, (9.5, "accepted", 1))),
    "an answer comes before what it answers": ("too early", lambda talk: replace(talk, 2, sequence=0)),
    "a message that nobody sent": ("never sent", lambda talk: add(talk, said(14, "say 99"))),
    "a message under the id of another": ("never sent", lambda talk: replace(talk, 1, client_id=message_id(ID, 2))),
    "an answer to nothing": ("answer to nothing", lambda talk: add(talk, answer(14, "7 say 99 [3]"))),
    "a text that the bot does not say": ("unexpected", lambda talk: add(talk, answer(14, "given up"))),
    "a message taken twice": ("doubled", lambda talk: add(talk, said(14, "say 7"))),
    "a form taken twice at once": (
        "doubled",
        lambda talk: a_form_taken_again(talk, 2.1),
    ),
    "a refused message is there": ("refused", lambda talk: resend(talk, 7, (9.0, "refused", 0))),
    "a duplicate gets another place": (
        "told differently",
        lambda talk: resend(talk, 4, (4.0, "accepted", 6), (4.0, "duplicate", 99)),
    ),
    "a duplicate is accepted": (
        "told differently",
        lambda talk: resend(talk, 4, (4.0, "accepted", 6), (4.0, "accepted", 6)),
    ),
    "a first message is called a duplicate": ("told differently", lambda talk: resend(talk, 1, (1.0, "duplicate", 1))),
    "a connection hears something twice": ("heard twice", lambda talk: talk.listened[1].heard.append(talk.stored[-1])),
    "a connection hears what was heard before its cursor": (
        "heard twice",
        lambda talk: talk.listened[1].heard.insert(0, talk.stored[6]),
    ),
    "a connection leaves something out": ("not heard", lambda talk: talk.listened[1].heard.pop(1)),
    "a connection hears in another order": ("heard twice", lambda talk: talk.listened[0].heard.reverse()),
    "a connection hears another text": (
        "changed",
        lambda talk: talk.listened[0].heard.__setitem__(1, answer(2, "1 say 1 [9]")),
    ),
    "what was heard cannot be read again": ("vanished", lambda talk: talk.stored.pop()),
    "what is read again does not rise": ("not rising", lambda talk: talk.stored.reverse()),
    "a gap in what was not trimmed": ("gap", lambda talk: setattr(talk.listened[1], "gap", True)),
    "a question that does not wait": ("wrong answer", lambda talk: replace(talk, 9, text="4 say 5 [3]")),
    "the outcome of another call": ("wrong answer", lambda talk: replace(talk, 12, text="5 ask 6 = yes-5 [3]")),
    "a failure that is told without a failed call": ("doubled", lambda talk: add(talk, answer(14, CALL_FAILED))),
    "a form's variable that comes too late": ("wrong variable", lambda talk: replace(talk, 8, text="3 choose 4? [2]")),
    "a form's variable that comes too early": ("wrong variable", lambda talk: replace(talk, 4, text="2 form 2 [3]")),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_promise_is_found(broken: str) -> None:
    kind, doctor = BROKEN[broken]
    talk = good()
    doctor(talk)
    found = check(talk)
    assert kind in {one.kind for one in found}, found
    assert {one.conversation for one in found} == {ID}


def unknown_and_not_taken(talk: Talk) -> None:
    remove(talk, 11, 13)
    resend(talk, 7, (9.0, "unknown", 0))


def a_failed_call(talk: Talk) -> None:
    remove(talk, 12, 13)
    for message in (answer(12, CALL_FAILED), answer(14, "5 ask 6 = failed [3]"), answer(15, "6 say 7 [3]")):
        add(talk, message)


def variables_never_arrived(talk: Talk) -> None:
    resend(talk, 3, (3.0, "unknown", 0))
    for one in list(talk.stored):
        replace(talk, one.sequence, text=one.text.replace("[3]", "[2]"))


def trimmed(talk: Talk) -> None:
    talk.trimmed = True
    talk.listened[1].gap = True
    del talk.stored[:3]


ALLOWED: dict[str, Doctor] = {
    "a send that was cut off and never arrived": unknown_and_not_taken,
    "a send that was cut off and arrived": lambda talk: resend(talk, 7, (9.0, "unknown", 0)),
    "a form that was cut off and arrived": lambda talk: resend(talk, 2, (2.0, "unknown", 0)),
    "variables that were cut off and arrived": lambda talk: resend(talk, 3, (3.0, "unknown", 0)),
    "variables that were cut off and never arrived": variables_never_arrived,
    "a call that failed and said so": a_failed_call,
    "a form posted again when its receipt was forgotten": lambda talk: a_form_taken_again(talk, 12.0),
    "a gap where messages were trimmed": trimmed,
}


@pytest.mark.parametrize("allowed", ALLOWED)
def test_what_the_contract_allows_is_no_violation(allowed: str) -> None:
    talk = good()
    ALLOWED[allowed](talk)
    assert check(talk) == []


def test_variables_that_were_cut_off_are_not_applied_twice() -> None:
    talk = good()
    resend(talk, 3, (3.0, "unknown", 0))
    replace(talk, 9, text="4 say 5! [2]")
    assert "doubled" in {one.kind for one in check(talk)}
