"""Tells whether a history could have happened in a system that keeps its promises. Pure: it knows only the contract.

accepted once     a message id has one place, told alike every time; nothing that was refused is there
accepted in order what was answered before something else was sent comes before it
applied once      every accepted event has its answers, once, with the count of all accepted before it
applied in order  answers come in the order of their events
heard once        a connection hears what comes after its cursor, rising, each message once, none left out
nothing else      no message that nobody sent, no answer to nothing
"""

from collections.abc import Iterator

from services.verifier.answers import check_answers
from services.verifier.history import Heard, Sent, Talk, Violation, message_id

RECEIPT_SECONDS = 2.0
"""How long the Web View address knows a repeat."""
Found = Iterator[tuple[str, str]]


def check(talk: Talk) -> list[Violation]:
    """Return every broken promise of one conversation."""
    messages, troubles = _messages(talk)
    echoes = [message for message in messages if message.sender == "consumer"]
    answers = [message for message in messages if message.sender != "consumer"]
    found = [
        *troubles,
        *_check_echoes(talk, echoes),
        *_check_attempts(talk),
        *_check_order(talk),
        *check_answers(talk.sent, echoes, answers),
    ]
    return [Violation(talk.id, kind, what) for kind, what in found]


def _messages(talk: Talk) -> tuple[list[Heard], list[tuple[str, str]]]:
    """Return all messages by sequence, and what is wrong with how they were heard and can be read again."""
    told: dict[int, Heard] = {}
    stored: dict[int, Heard] = {}
    found = [*_listen(talk, told), *_read(talk, stored)]
    oldest = min(stored, default=0)
    for sequence, message in told.items():
        again = stored.get(sequence)
        if again is not None and (again.sender, again.text) != (message.sender, message.text):
            found.append(("changed", f"{_named(message)} is {again.text!r} when read again"))
        if again is None and not (talk.trimmed and sequence < oldest):
            found.append(("vanished", f"{_named(message)} was heard and is not there when read again"))
    found += [("not heard", f"{_named(stored[at])} was never sent") for at in sorted(stored.keys() - told.keys())]
    return [message for _, message in sorted((told | stored).items())], found


def _listen(talk: Talk, told: dict[int, Heard]) -> Found:
    """Gather what every connection heard in `told`."""
    for listening in talk.listened:
        last = listening.after
        if listening.gap and not talk.trimmed:
            yield "gap", f"a gap after the cursor {last} was announced, although nothing was trimmed"
        for message in listening.heard:
            if message.sequence <= last:
                yield "heard twice", f"{_named(message)} was sent again after {last}"
            elif message.sequence in told:
                yield "heard twice", f"{_named(message)} was sent again on another connection"
            last = max(last, message.sequence)
            told.setdefault(message.sequence, message)


def _read(talk: Talk, stored: dict[int, Heard]) -> Found:
    """Gather what can be read again in `stored`."""
    last = 0
    for message in talk.stored:
        if message.sequence <= last:
            yield "not rising", f"{_named(message)} comes after {last} when read again"
        last = max(last, message.sequence)
        stored[message.sequence] = message


def _check_echoes(talk: Talk, echoes: list[Heard]) -> Found:
    """Hold what the conversation shows of its consumer against what was sent."""
    sent = {one.text: one for one in talk.sent if one.kind != "set"}
    shown: dict[str, list[int]] = {}
    for echo in echoes:
        one = sent.get(echo.text)
        if one is None or (one.kind != "form" and echo.client_id != message_id(talk.id, one.number)):
            yield "never sent", f"{_named(echo)} is in the conversation, and nobody sent it"
            continue
        shown.setdefault(echo.text, []).append(echo.sequence)
    for text, one in sent.items():
        places = shown.get(text, [])
        taken = {attempt.sequence for attempt in one.attempts if attempt.taken}
        for sequence in sorted(taken - set(places)):
            yield "lost", f"{text!r} was accepted at {sequence} and is not there"
        open_ends = sum(attempt.outcome == "unknown" for attempt in one.attempts)
        most = len(taken) + open_ends if one.kind == "form" else 1
        if len(places) > most and (taken or open_ends):
            yield "doubled", f"{text!r} was accepted {len(places)} times, at {places}"
        if places and not taken and not open_ends:
            yield "refused", f"{text!r} was refused and is there all the same, at {places}"


def _check_attempts(talk: Talk) -> Found:
    """Hold the answers to one id against each other: one place; the first is no duplicate, every other is."""
    for one in talk.sent:
        taken = [attempt for attempt in one.attempts if attempt.taken]
        places = {attempt.sequence for attempt in taken}
        if one.kind in ("form", "set"):
            if len(places) > 1 and _spanned(one) < RECEIPT_SECONDS:
                yield "doubled", f"{one.text!r} was posted twice within two seconds and taken at {sorted(places)}"
            continue
        if len(places) > 1:
            yield "told differently", f"{one.text!r} has the places {sorted(places)}"
        first = sum(attempt.outcome == "accepted" for attempt in taken)
        if first > 1:
            yield "told differently", f"{one.text!r} was accepted {first} times instead of being told a duplicate"
        if taken and not first and all(attempt.outcome != "unknown" for attempt in one.attempts):
            yield "told differently", f"{one.text!r} was called a duplicate and never accepted"


def _spanned(one: Sent) -> float:
    return max(attempt.ended for attempt in one.attempts) - min(attempt.begun for attempt in one.attempts)


def _check_order(talk: Talk) -> Found:
    """Hold places against acknowledgements: what was told before something else was sent comes before it."""
    placed = [
        (attempt.sequence, min(attempt.begun for attempt in one.attempts), attempt.ended, one.text)
        for one in talk.sent
        for attempt in one.attempts
        if attempt.taken
    ]
    latest, latest_text = 0.0, ""
    for _, begun, ended, text in sorted(placed):
        if ended < latest:
            yield "overtaken", f"{text!r} was acknowledged before {latest_text!r} was sent, and comes after it"
        if begun > latest:
            latest, latest_text = begun, text


def _named(message: Heard) -> str:
    return f"{message.sequence} {message.text!r}"
