"""Steps as they are written: one key that says what happens or what has to be so."""

import re
from collections.abc import Callable
from typing import Any

from services.tester.marked import Marked
from services.tester.suite import (
    AdvanceStep,
    BotStep,
    ClosedStep,
    NothingStep,
    Said,
    Step,
    TransferStep,
    UserStep,
    VariablesStep,
    WebViewStep,
)
from shared.bot.durations import parse_duration
from shared.bot.values import text_of

# What people know from Rasa, in the words of this format.
_ELSEWHERE = {
    "utter": "Write `bot: {interaction: NAME}`",
    "slot_was_set": "Write `variables: {NAME: value}`",
    "slot_was_not_set": "Write `variables: {NAME: null}`",
    "intent": "Write what the consumer says: `user: text`",
    "payload": "Write `user: {text: what is shown, payload: what is sent}`",
    "closed_conversation": "Write `closed: true`",
    "escalation": "Write `transfer: true`",
}


def read_step(marked: Marked) -> Step:
    """Read one step. Raises SuiteError."""
    found = marked.keys("a step", list(_READERS), _ELSEWHERE)
    if len(found) != 1:
        marked.fail(f"a step has one key, this one has {len(found)}", "Begin each step with a `- ` of its own")
    name, value = next(iter(found.items()))
    return _READERS[name](marked, value)


def _user(step: Marked, value: Marked) -> Step:
    said = [_said(one) for one in value.items("user")] if value.is_list else [_said(value)]
    if not said:
        value.fail("the consumer says nothing", "Write what is said: `user: text`")
    return UserStep(step.place, tuple(said))


def _said(value: Marked) -> Said:
    if not value.is_mapping:
        return Said(value.text("user"))
    keys = value.keys("user", ("text", "payload", "metadata", "tap", "starter", "intents"))
    if len(keys.keys() & {"text", "tap", "starter"}) != 1:
        remedy = "Write `user: {text: …}`, `user: {tap: title or number}` or `user: {starter: NAME}`"
        value.fail("a message has either a text, a tap or a starter", remedy)
    metadata = [one.plain() for one in keys["metadata"].items("metadata")] if "metadata" in keys else []
    if not all(isinstance(one, dict) for one in metadata):
        keys["metadata"].fail("metadata is a list of mappings", "Write `metadata: [{type: …}]`")
    return Said(
        text=keys["text"].text("text") if "text" in keys else "",
        payload=keys["payload"].text("payload") if "payload" in keys else None,
        metadata=tuple(metadata),
        tap=_tap(keys["tap"]) if "tap" in keys else None,
        starter=keys["starter"].text("starter") if "starter" in keys else None,
        intents=_intents(keys["intents"]) if "intents" in keys else {},
    )


def _intents(value: Marked) -> dict[str, float]:
    scores: Any = value.plain()
    if not isinstance(scores, dict) or not all(
        isinstance(one, int | float) and 0 <= one <= 1 for one in scores.values()
    ):
        value.fail("intents are names with scores from 0 to 1", "Write `intents: {order: 0.95}`")
    return {name: float(score) for name, score in scores.items()}


def _tap(value: Marked) -> str | int:
    number = value.plain()
    if isinstance(number, int) and not isinstance(number, bool):
        if number < 1:
            value.fail(f"there is no control number {number}", "Count them from 1")
        return number
    return value.text("tap")


def _web_view(step: Marked, value: Marked) -> Step:
    keys = value.keys("web_view", ("variables", "message", "refused"))
    posted = keys["variables"].plain() if "variables" in keys else {}
    if not isinstance(posted, dict):
        keys["variables"].fail("variables have to be a mapping", "Write `variables: {name: value}`")
    message = keys["message"].text("message") if "message" in keys else None
    refused = "refused" in keys and keys["refused"].flag("refused")
    return WebViewStep(step.place, {name: text_of(one) for name, one in posted.items()}, message, refused)


def _advance(step: Marked, value: Marked) -> Step:
    return AdvanceStep(step.place, duration(value, "advance"))


def duration(value: Marked, what: str) -> int:
    """Read a duration in milliseconds."""
    try:
        return parse_duration(value.text(what))
    except ValueError as error:
        value.fail(str(error), f"Give {what} a number with a unit")


def _bot(step: Marked, value: Marked) -> Step:
    if not value.is_mapping:
        if value.is_empty:
            value.fail("the step says nothing about the bot", "Write what it says, or `nothing: true`")
        return BotStep(step.place, text=value.text("bot"))
    if [name for name, _, _ in value.entries("bot")] == ["nothing"]:
        return _nothing(step, value.keys("bot", ("nothing",))["nothing"])
    keys = value.keys("bot", ("text", "contains", "matches", "rich", "quick_replies", "interaction", "nothing"))
    if "nothing" in keys:
        keys["nothing"].fail("nothing cannot be said in some way", "Write `- nothing: true` as a step of its own")
    if not keys:
        value.fail("the step says nothing about the bot", "Write what it says, or `nothing: true`")
    texts = {name: keys[name].text(name) for name in ("text", "contains", "matches", "interaction") if name in keys}
    if "matches" in keys:
        _check_expression(keys["matches"], texts["matches"])
    rich = keys["rich"].plain() if "rich" in keys else None
    if rich is not None and not isinstance(rich, dict):
        keys["rich"].fail("rich is a mapping from paths to values", "Write `rich: {elements[0].title: value}`")
    titles = None
    if "quick_replies" in keys:
        titles = tuple(one.text("a quick reply") for one in keys["quick_replies"].items("quick_replies"))
    return BotStep(step.place, rich=rich, quick_replies=titles, **texts)


def _check_expression(value: Marked, source: str) -> None:
    try:
        re.compile(source)
    except re.error as error:
        value.fail(f"this is no regular expression: {error}", "Escape its signs with a backslash, or use `contains`")


def _nothing(step: Marked, value: Marked) -> Step:
    if not value.flag("nothing"):
        value.fail("`nothing: false` says nothing", "Leave the step out, or write `nothing: true`")
    return NothingStep(step.place)


def _transfer(step: Marked, value: Marked) -> Step:
    if not value.is_mapping:
        if not value.flag("transfer"):
            value.fail("`transfer: false` cannot be checked", "Leave the step out: what is not named must not happen")
        return TransferStep(step.place)
    keys = value.keys("transfer", ("text", "skill"))
    return TransferStep(step.place, **{name: one.text(name) for name, one in keys.items()})


def _closed(step: Marked, value: Marked) -> Step:
    if not value.is_mapping:
        if not value.flag("closed"):
            value.fail("`closed: false` cannot be checked", "Leave the step out: what is not named must not happen")
        return ClosedStep(step.place)
    keys = value.keys("closed", ("survey",))
    return ClosedStep(step.place, keys["survey"].flag("survey") if "survey" in keys else None)


def _variables(step: Marked, value: Marked) -> Step:
    values: Any = value.plain()
    if not isinstance(values, dict) or not values:
        value.fail("variables have to be a mapping", "Write `variables: {name: value}`")
    return VariablesStep(step.place, values)


_READERS: dict[str, Callable[[Marked, Marked], Step]] = {
    "user": _user,
    "bot": _bot,
    "nothing": _nothing,
    "variables": _variables,
    "web_view": _web_view,
    "advance": _advance,
    "transfer": _transfer,
    "closed": _closed,
}
