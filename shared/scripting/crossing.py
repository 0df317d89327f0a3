"""The two JSON texts of a script: the state that goes in, and the answer that comes out and is not trusted."""

import re
from typing import Any

import msgspec

from shared.dialog.events import Entity
from shared.dialog.scripts import ScriptEffect, ScriptState, SetContext, SetVariable, Warn
from shared.scripting.limits import Limits
from shared.scripting.world import Failure

# Longer whole numbers may not fit into 64 bits, and then no session could hold them.
_LONG_NUMBER = re.compile(r"\d{19}")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_INNERMOST = re.compile(r"[\[{][^\[\]{}]*[\]}]")
# Ways in which an answer cannot be read: too deep, not JSON, not an effect.
_UNREADABLE = (msgspec.DecodeError, RecursionError, UnicodeError)


class _Request(msgspec.Struct):
    """What prelude.js calls S: `ScriptState` with objects and context data as texts, and what is left to use."""

    code: str
    now: int
    seed: int
    values: dict[str, Any]
    objects: dict[str, str]
    scopes: dict[str, str]
    context: str
    left: int
    replies: int
    most: int
    outcome: int
    web_view: dict[str, str]
    environment: dict[str, str]
    text: str
    payload: str | None
    quick_reply_payload: str | None
    button_payload: str | None
    metadata: list[dict[str, Any]]
    starter_intent: str | None
    entities: list[Entity]
    disambiguated_intent_name: str | None
    disambiguated_intent_id: str | None
    bot_id: str
    conversation_id: str
    user_id: str
    channel: str
    account_id: str
    engagement: dict[str, str]
    customer_info: dict[str, Any] | None
    personal_info: dict[str, Any] | None
    api_success: bool
    api_status: str | None
    zones: dict[str, int | None]
    java: bool


class Surroundings(msgspec.Struct, frozen=True):
    """What a script is given beside its state.

    `now` and `seed` replace the state's; `context` maps `scope|namespace` to (whole, data); `left` is what effects
    (bytes) and replies may still use; `zones` are how far time zones are ahead of UTC, in ms, None: there is no such
    zone; `java`: strings have Java's methods.
    """

    now: int
    seed: int
    context: dict[str, tuple[bool, dict[str, Any]]]
    left: tuple[int, int]
    zones: dict[str, int | None] = {}
    java: bool = False


class Answer(msgspec.Struct, frozen=True):
    """What prelude.js gives back.

    `syntax`: the script could not be parsed; `halted`: it was ended on purpose; `rest`: which parts
    of rest.js were parsed, as a sum (0: none).
    """

    effects: list[msgspec.Raw]
    error: Failure | None
    syntax: bool
    globals: Failure | None
    missed: list[str]
    halted: bool
    clock: int
    left: int
    replies: int
    rest: int


_COPIED = tuple(
    set(_Request.__struct_fields__) & set(ScriptState.__struct_fields__) - {"now", "seed", "context", "scopes"}
)
_effect: msgspec.json.Decoder[ScriptEffect] = msgspec.json.Decoder(ScriptEffect)
_answer = msgspec.json.Decoder(Answer)


def request(code: str, state: ScriptState, given: Surroundings, limits: Limits) -> str:
    """Make the text that goes in. Objects cross as texts: the script parses those it asks for."""
    values: dict[str, Any] = {}
    objects: dict[str, str] = {}
    for name, value in state.variables.items():
        if isinstance(value, dict | list):
            objects[name] = msgspec.json.encode(value).decode()
        else:
            values[name] = value
    copied = {name: getattr(state, name) for name in _COPIED}
    whole = _Request(
        code=code,
        now=given.now,
        seed=given.seed,
        values=values,
        objects=objects,
        scopes=state.scopes,
        context=msgspec.json.encode(given.context).decode(),
        left=given.left[0],
        replies=given.left[1],
        most=limits.variable,
        outcome=limits.outcome,
        zones=given.zones,
        java=given.java,
        **copied,
    )
    return msgspec.json.encode(whole).decode()


def read_answer(text: str) -> Answer | None:
    """Decode what came out, without its effects; None when it is no answer."""
    try:
        return _answer.decode(text)
    except _UNREADABLE:
        return None


def read_effects(answer: Answer, limits: Limits) -> list[ScriptEffect]:
    """Decode the effects; one that is nested too deeply or is no effect becomes a warning."""
    effects: list[ScriptEffect] = []
    for raw in answer.effects:
        try:
            text = bytes(raw).decode()
            if _deeper_than(limits.depth, text):
                effects.append(Warn("refused", f"a value is nested deeper than {limits.depth} levels"))
                continue
            effect = _effect.decode(raw)
            if isinstance(effect, SetVariable | SetContext) and _LONG_NUMBER.search(text):
                effect = msgspec.structs.replace(effect, value=_storable(effect.value))
            effects.append(effect)
        except _UNREADABLE:
            effects.append(Warn("refused", "an effect of the script cannot be read"))
    return effects


def _storable(value: Any) -> Any:
    """Make whole numbers beyond 64 bits the fractional numbers that they are in JavaScript."""
    if isinstance(value, dict):
        return {name: _storable(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_storable(entry) for entry in value]
    return float(value) if isinstance(value, int) and not -(2**63) <= value < 2**63 else value


def _deeper_than(depth: int, text: str) -> bool:
    """Tell whether JSON text is nested deeper; the cheap count decides nearly always."""
    if text.count("[") + text.count("{") <= depth:
        return False
    text = _STRING.sub("", text)
    for _ in range(depth + 1):
        text, found = _INNERMOST.subn("", text)
        if not found:
            return False
    return True
