"""Consumers who say anything: a seeded conversation with a bot, of what it offers and of what nobody expects.

Every turn is held to the invariants of the engine. `Talk` runs a turn twice and compares; here most turns run once.
"""

import contextlib
import json
import random
import time
from typing import Any

import msgspec

from services.dialog_worker.outbox_entry import outbox_entry
from services.dialog_worker.session_fields import read_session, session_fields
from services.dialog_worker.turn import EFFECTS_LIMIT, REPLIES_LIMIT, SESSION_LIMIT
from shared.bot.model import Bot
from shared.bot.storable import storable
from shared.dialog.effects import ContextWrite, StartCall
from shared.dialog.engine import Turn
from shared.dialog.events import Entity, Event, Intent, Understood
from shared.dialog.frames import FRAME_LIMIT
from shared.integration.filling import InvalidRequest
from shared.integration.request import render_request
from shared.scripting.limits import Limits
from tests.proofs.bounds import EachTurn, no_longer_than
from tests.proofs.nasty import TEMPLATES, TEXTS, WORDS
from tests.proofs.odd_values import VALUES
from tests.proofs.vocabulary import answers_to, vocabulary
from tests.unit.dialog.talk import Talk

# What a turn may cost in CPU before it counts as one that never ends.
ENDLESS_SECONDS = 20.0

_LIMITS = Limits()
_FAILURES = (
    "timeout",
    "unreachable",
    "interrupted",
    "late",
    "lost",
    "refused",
    "invalid",
    "too_large",
    "breaker_open",
    "limited",
)
_BODIES: tuple[str, ...] = (
    "",
    "null",
    "[]",
    "{}",
    "[1,2,3]",
    '"text"',
    "true",
    "1e999",
    "9" * 400,
    '{"a":1',
    '{"a":"\\ud800"}',
    '{"a":"\\u0000\u2028"}',
    "\ufeff{}",
    "<html><body>502</body></html>",
    "[" * 60 + "]" * 60,
    "[" * 900 + "]" * 900,
    "[" * 100_000,
    '{"__proto__":{"a":1},"constructor":2,"":3}',
    "x" * 900_000,
    "[" + ",".join(["0"] * 200_000) + "]",
)


class RandomConsumer(Talk):
    """One conversation of a seed: `twice` is the share of turns that are run twice and compared.

    A turn may take `within` seconds of CPU, its scripts not counted: those have their own `limits`.

    `slowest` is the CPU time of its slowest run without scripts, in seconds.
    """

    def __init__(self, bot: Bot, seed: int, twice: float = 0.1, limits: Limits = _LIMITS, within: float = 1.0) -> None:
        self._within = within
        self._each = EachTurn(bot, limits)
        self.chance = random.Random(seed)
        super().__init__(bot, self._each, **_about(bot, self.chance))
        self.slowest = 0.0
        self._twice = twice
        self._ran: tuple[Event, Turn] | None = None
        self._said = vocabulary(bot)
        self._random_again = random.Random(seed)

    def act(self) -> None:
        """Let one thing happen; replies are checked. Raises AssertionError when an invariant does not hold."""
        with no_longer_than(ENDLESS_SECONDS):
            self._happens()
        self._holds_together()

    def _happens(self) -> None:
        chance = self.chance
        if self.conversation.status == "closed" or chance.random() < 0.01:
            self.expire()
            self._know(status="open")
        if chance.random() < 0.03:
            self.expire()
        if self.session is not None and self.session.position.call and chance.random() < 0.97:
            self._answers()
        elif chance.random() < 0.12:
            self._posts()
        else:
            self._says()

    def _says(self) -> None:
        chance = self.chance
        text = self._text()
        more: dict[str, Any] = {"understood": self._understood()}
        if chance.random() < 0.3:
            more["payload"] = self._text() * chance.choice([1, 1, 1, 7])
        if chance.random() < 0.1:
            more["metadata"] = storable([{"type": self._text(), "a": chance.choice(VALUES)}])  # as the gateway does
        if chance.random() < 0.05:
            more["sequence"] = chance.choice([0, self.conversation.asked - 1, self.sequence])
        if chance.random() < 0.03:
            more["busy"] = True
        self.say(text, **more)

    def _posts(self) -> None:
        chance = self.chance
        variables = {self._text()[:50]: self._text() for _ in range(chance.randrange(4))}
        message = self._text()[:8000] if chance.random() < 0.6 else None
        self.post(variables, message, late=chance.random() < 0.1, understood=self._understood())

    def _answers(self) -> None:
        chance = self.chance
        if chance.random() < 0.35:
            self.fail(chance.choice(_FAILURES))
            return
        more: dict[str, Any] = {}
        if chance.random() < 0.05:
            more["call_id"] = "0-other.1"
        kinds = ["application/json", "text/html; charset=x", "", "application/problem+json;", "\u0130"]
        if chance.random() < 0.4:
            more["headers"] = {"content-type": chance.choice(kinds)}
        status = chance.choice([200, 200, 200, 201, 204, 301, 404, 418, 500, 599])
        body = self._body() if chance.random() < 0.6 else chance.choice(_BODIES)
        self.answer(status, body, **more)

    def _body(self) -> str:
        """Make a body with what the integrations' fields and scripts may look for, of types they do not expect."""
        names = ["stores", "id", "name", "results", "choices", "text", "data", "city", "1", "a"]
        paths = [field.path for one in self.bot.integrations.values() for field in one.fields]
        names += [step for path in paths for step in path.strip("{}$.").replace("[i]", "").split(".")[1:]]

        def value(depth: int) -> Any:
            match self.chance.randrange(7 if depth < 4 else 4):
                case 0 | 1:
                    return self._text()
                case 2 | 3:
                    return self.chance.choice(VALUES)
                case 4:
                    return [value(depth + 1) for _ in range(self.chance.randrange(4))]
                case _:
                    return {self.chance.choice(names): value(depth + 1) for _ in range(self.chance.randrange(5))}

        return json.dumps(value(0))

    def _text(self) -> str:
        chance = self.chance
        match chance.randrange(10):
            case 0 | 1 | 2 | 3:
                return self._offered()
            case 4 | 5:
                return " ".join(chance.choices(WORDS, k=chance.randint(1, 6)))
            case 6 | 7:
                return chance.choice(self._said)
            case 8:
                return chance.choice(TEXTS)[:8000]
            case _:
                points = (chance.choice([chance.randrange(0xD800), chance.randrange(128)]) for _ in range(20))
                return chance.choice(["".join(map(chr, points)), chance.choice(TEMPLATES)[:8000]])

    def _offered(self) -> str:
        """Give something that the last turn offered, an answer to the question that waits, or what starts a dialog."""
        waiting = self.bot.interactions.get((self.session and self.session.position.question) or "")
        offers = [said for _, said in self.offers()] + (answers_to(waiting) if waiting else [])
        return self.chance.choice(offers or self._said)

    def _understood(self) -> Understood:
        chance = self.chance
        if chance.random() < 0.7:
            return Understood()
        names = [one.intent_id or "" for one in self.bot.interactions.values() if one.intent_id] + ["other"]
        intents = [Intent(name, chance.random()) for name in chance.choices(names, k=chance.randint(0, 4))]
        intents.sort(key=lambda intent: -intent.score)
        entities = [
            Entity(chance.choice(WORDS), self._text()[:99], self._text()[:99]) for _ in range(chance.randrange(3))
        ]
        return Understood(intents, entities)

    # -- what is held to ------------------------------------------------------------------------------------------

    def _advance(self, event: Event) -> Turn:
        """Run a turn; `Talk` asks twice for each, and most of the time is given the same again."""
        again = self._ran is not None and self._ran[0] is event
        if self._ran is not None and again and (self._each.stopped or self._random_again.random() >= self._twice):
            return self._ran[1]
        self._each.stopped, self._each.seconds = False, 0.0
        started = time.process_time()
        turn = super()._advance(event)
        self.slowest = max(self.slowest, time.process_time() - started - self._each.seconds)
        if any(line.code == "regex-stopped" for line in turn.trace):
            self._each.stopped = True
        if self._ran is not None and again and self._each.stopped:
            return self._ran[1]  # what a limit of time stops is not stopped at the same place again
        self._ran = (event, turn)
        return turn

    def _holds_together(self) -> None:
        session, position = self.turn.session, self.turn.session.position
        assert self.slowest < self._within, f"a turn took {self.slowest:.2f} s of CPU without its scripts"
        dialogs = [frame.dialog_id for frame in position.stack]
        assert len(dialogs) == len(set(dialogs)), "a dialog is on the stack twice"
        assert set(dialogs) <= set(self.bot.dialogs), "a dialog on the stack does not exist"
        assert position.question is None or position.call is None, "a question and a call wait"
        calls = [effect for effect in self.turn.effects if isinstance(effect, StartCall)]
        assert len(calls) <= 1, "several calls were started"
        assert not calls or position.call is not None, "a call was started that nobody waits for"
        waiting = position.question or position.call
        if waiting is not None:
            assert position.stack, "something waits outside of all dialogs"
            assert self.bot.interactions[waiting].dialog_id == position.stack[-1].dialog_id
        fields = session_fields(session)
        assert read_session(fields) == session, "the session does not come back as it was"
        assert sum(map(len, fields.values())) <= SESSION_LIMIT, "the session is too large"
        entries = [entry for entry in map(outbox_entry, self.turn.effects) if entry is not None]
        assert len(self.replies) <= REPLIES_LIMIT, "too many replies"
        writes = [msgspec.json.encode(one) for one in self.turn.effects if isinstance(one, ContextWrite)]
        assert sum(map(len, [*entries, *writes])) <= EFFECTS_LIMIT, "the effects are too large"
        assert len(msgspec.msgpack.encode((session, self.turn.effects))) < FRAME_LIMIT
        assert msgspec.json.encode(self.turn.trace)
        for call in calls:
            assert len(msgspec.msgpack.encode(call.values)) <= EFFECTS_LIMIT
            with contextlib.suppress(InvalidRequest):
                render_request(self.bot.integrations[call.integration_id], call.values)


def _about(bot: Bot, chance: random.Random) -> dict[str, Any]:
    """Describe a consumer as channels do: nothing, or what scripts look for, of types they may not expect."""
    if chance.random() < 0.4:
        return {}
    odd = storable(chance.choice(VALUES))
    kind = chance.choice([*bot.names, chance.choice(TEXTS), odd])
    return {
        "channel": chance.choice(["lp_web", "lp_sms", "instagram", "\u0130"]),
        "engagement": {"campaignId": "7", "a": chance.choice(TEXTS)},
        "customer_info": chance.choice([None, {}, {"ctype": kind, "customerId": odd}]),
        "personal_info": chance.choice([None, {}, {"firstname": odd, "name": chance.choice(TEXTS)}]),
        "account_id": chance.choice(["", "1234"]),
    }
