"""Holds the bot's answers against those that follow from what was accepted, in the order in which it was accepted."""

import re
from collections.abc import Iterable, Iterator

import msgspec

from services.verifier.history import Heard, Sent

CALL_FAILED = "Sorry, I could not find anything for that."
_ANSWER = re.compile(r"([0-9]+) ([a-z]+ ([0-9]+))([?!]?)(?: = (\S+))? \[([0-9]*)\]")
_CALLS = ("ask", "order")


class Answer(msgspec.Struct, frozen=True):
    """What the bot said, read: the count, what was said to it, how it took that, and the form's variable."""

    sequence: int
    count: int
    said: str
    mark: str
    outcome: str
    form: str


def read_answer(message: Heard) -> Answer | None:
    """Read an answer, None when it is none."""
    found = _ANSWER.fullmatch(message.text)
    if found is None or message.sender != "bot":
        return None
    count, said, _, mark, outcome, form = found.groups()
    return Answer(message.sequence, int(count), said, mark, outcome or "", form)


def answered_number(message: Heard) -> int:
    """Return the number of what a message answers, 0 when it answers nothing."""
    found = _ANSWER.fullmatch(message.text) if message.sender == "bot" else None
    return int(found[3]) if found else 0


def check_answers(sent: list[Sent], echoes: list[Heard], messages: list[Heard]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the answers (`messages`) to the events that `echoes` show."""
    answers: list[Answer] = []
    failures = 0
    for message in messages:
        answer = read_answer(message)
        if answer is not None:
            answers.append(answer)
        elif message.text == CALL_FAILED:
            failures += 1
        else:
            yield "unexpected", f"{message.sequence} {message.text!r} is nothing that the bot says in good order"
    failed = sum(answer.outcome == "failed" for answer in answers)
    if failures != failed:
        yield "doubled", f"{failures} failures of calls were told, and {failed} calls failed"
    yield from _check_once(echoes, answers)
    yield from _check_order(echoes, answers)
    yield from _check_takes(echoes, answers)
    yield from _check_forms(sent, echoes, answers)


def _check_once(echoes: list[Heard], answers: list[Answer]) -> Iterator[tuple[str, str]]:
    """Hold the number of answers against that of events: one each, and after it."""
    places = _grouped((echo.text, echo.sequence) for echo in echoes)
    given = _grouped((answer.said, answer.sequence) for answer in answers)
    for text, sequences in places.items():
        there = given.get(text, [])
        if len(there) < len(sequences):
            yield "lost", f"{text!r} was accepted at {sequences} and answered {len(there)} times"
        if len(there) > len(sequences):
            yield "answered twice", f"{text!r} was accepted at {sequences} and answered at {there}"
        if there and there[0] < sequences[0]:
            yield "too early", f"{text!r} was accepted at {sequences[0]} and answered before, at {there[0]}"
    for text in given.keys() - places.keys():
        yield "answer to nothing", f"{text!r} is answered, and is not in the conversation"


def _grouped(pairs: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for text, sequence in pairs:
        found.setdefault(text, []).append(sequence)
    return found


def _check_order(echoes: list[Heard], answers: list[Answer]) -> Iterator[tuple[str, str]]:
    """Hold the order of answers against that of events, and their counts against their order."""
    expected = [echo.text for echo in echoes]
    found = [answer.said for answer in answers]
    if sorted(expected) == sorted(found) and expected != found:
        at = next(i for i, pair in enumerate(zip(expected, found, strict=True)) if pair[0] != pair[1])
        yield "overtaken", f"{expected[at]!r} was accepted before {found[at]!r} and answered after it"
    for number, answer in enumerate(answers, 1):
        if answer.count != number:
            yield "wrong count", f"answer {number} counts {answer.count}, at {answer.said!r}"
            return


def _check_takes(echoes: list[Heard], answers: list[Answer]) -> Iterator[tuple[str, str]]:
    """Hold answers against what was said: a question waits for the next message, a call tells what it asked."""
    given = {answer.said: answer for answer in answers}
    waiting = False
    for echo in echoes:
        kind, _, number = echo.text.partition(" ")
        mark = "!" if waiting else "?" if kind == "choose" else ""
        waiting = mark == "?"
        answer = given.get(echo.text)
        if answer is None:
            continue
        if answer.mark != mark:
            yield "wrong answer", f"{echo.text!r} was taken as {answer.mark or 'plain'}, not as {mark or 'plain'}"
        outcomes = (f"yes-{number}", "failed") if kind in _CALLS and not mark else ("",)
        if answer.outcome not in outcomes:
            yield "wrong answer", f"{echo.text!r} was told {answer.outcome!r}, not {' or '.join(outcomes)!r}"


def _check_forms(sent: list[Sent], echoes: list[Heard], answers: list[Answer]) -> Iterator[tuple[str, str]]:
    """Hold the form's variable in every answer against the last one accepted before its event."""
    number_of = {one.text: str(one.number) for one in sent if one.kind == "form"}
    known = [(echo.sequence, number_of[echo.text]) for echo in echoes if echo.text in number_of]
    posts = [one for one in sent if one.kind == "set"]
    known += [(place.sequence, str(one.number)) for one in posts for place in one.attempts if place.taken]
    maybe = {str(one.number) for one in posts if any(place.outcome == "unknown" for place in one.attempts)}
    known.sort()
    place_of = {echo.text: echo.sequence for echo in echoes}
    left: set[str] = set()
    current = ""
    for answer in answers:
        place = place_of.get(answer.said)
        if place is None:
            continue
        value = next((value for at, value in reversed(known) if at <= place), "")
        if answer.form not in {value, *maybe}:
            yield "wrong variable", f"{answer.said!r} saw the form's {answer.form!r}, not {value!r}"
        if answer.form != current:
            if answer.form in left and answer.form in maybe:
                yield "doubled", f"the form's {answer.form!r} was applied again before {answer.said!r}"
            left.add(current)
            current = answer.form
