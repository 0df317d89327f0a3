"""An endpoint that understands texts, in the shape of Rasa's `POST /model/parse`, instead of phrases in the manifest.

It is asked once per message, within its time limit, at addresses the bot may reach. Whatever goes wrong, nothing is
understood, and the message goes on its way.
"""

from typing import Any

import msgspec

from shared.bot.egress import Egress
from shared.bot.integration import Policy
from shared.bot.understanding import Understanding
from shared.bot.values import text_of
from shared.dialog.events import Entity, Intent, Understood
from shared.integration.client import Answer, OutboundClient
from shared.integration.request import Request
from shared.integration.ways import Ways

MOST_INTENTS, MOST_ENTITIES = 10, 50
_LARGEST_ANSWER = 64 * 1024
_HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}


class _Intent(msgspec.Struct, frozen=True):
    name: str | None = None
    confidence: float = 0.0


class _Entity(msgspec.Struct, frozen=True):
    entity: str
    value: Any = None
    start: int | None = None
    end: int | None = None


class _Parsed(msgspec.Struct, frozen=True):
    intent: _Intent | None = None
    intent_ranking: list[_Intent] = []
    entities: list[_Entity] = []


class Endpoint:
    """Asks the endpoints of bots; one serves a whole program."""

    def __init__(self, client: OutboundClient | None = None) -> None:
        self._client = client or OutboundClient()

    async def understand(self, text: str, understanding: Understanding, private: tuple[str, ...] = ()) -> Understood:
        """Ask what a text means; `private` are the inner ranges the bot may reach. Never raises for what it hears."""
        request = Request("POST", understanding.url, _HEADERS, msgspec.json.encode({"text": text}))
        policy = Policy(connect_timeout=understanding.timeout, redirects=0, response_limit=_LARGEST_ANSWER)
        answer = await self._client.attempt(request, policy, limit=understanding.timeout, ways=Ways(Egress(private)))
        return read_answer(answer, text)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()


def read_answer(answer: Answer, text: str) -> Understood:
    """Return what an answer says of a text; its `failure` says why it says nothing."""
    if answer.ending.failure is not None:
        return Understood(failure=f"the endpoint could not be asked: {answer.ending.detail}")
    if answer.ending.status != 200:
        return Understood(failure=f"the endpoint answered {answer.ending.status}")
    try:
        parsed = msgspec.json.decode(answer.body, type=_Parsed)
    except (msgspec.DecodeError, RecursionError):
        return Understood(failure="the endpoint's answer is not in the shape of Rasa's /model/parse")
    found = [_entity(one, text) for one in parsed.entities[:MOST_ENTITIES] if one.value is not None]
    return Understood(_intents(parsed), found)


def _intents(parsed: _Parsed) -> list[Intent]:
    """Return the ranking, or the one intent where there is none; best first, each once."""
    best: dict[str, float] = {}
    for one in [*([parsed.intent] if parsed.intent else []), *parsed.intent_ranking]:
        if one.name:
            best[one.name] = max(best.get(one.name, 0.0), min(max(one.confidence, 0.0), 1.0))
    names = sorted(best, key=lambda name: -best[name])[:MOST_INTENTS]
    return [Intent(name, best[name]) for name in names]


def _entity(found: _Entity, text: str) -> Entity:
    """Return an entity; the words that stand for it are cut out of the text where the answer says where they are."""
    value = text_of(found.value)
    whole = found.start is not None and found.end is not None and 0 <= found.start < found.end <= len(text)
    return Entity(found.entity, text[found.start : found.end] if whole else value, value)
