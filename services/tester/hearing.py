"""Compares what the bot says with what a step expects. Pure: it only asks the talk for what comes next."""

import re
from typing import Any

from services.tester.calls import Unexpected, pretty
from services.tester.suite import BotStep, ClosedStep, TransferStep, VariablesStep
from services.tester.talk import Heard, Talk, controls
from shared.bot.model import Bot, Interaction
from shared.bot.values import text_of
from shared.dialog.results import MISSING, evaluate_path
from shared.dialog.texts import is_silent

_RICH = frozenset({"IMAGE", "BUTTON", "STRUCTURED"})
_EITHER = frozenset({"UNIVERSAL", "MULTIPLE_CHOICE_QUESTION"})
_BREAKS = re.compile(r"tag::breakWithDelay=\d{1,6}")
_BLANK = re.compile(r"\s+")


def check_bot(step: BotStep, talk: Talk, bot: Bot) -> None:
    """Take the next thing the bot says, or with `interaction` all of one interaction. Raises Unexpected."""
    wanted = _wanted(step)
    if step.interaction is not None:
        heard = _check_interaction(step, talk, bot)
    else:
        one = talk.hear()
        if one is None:
            raise Unexpected("the bot says nothing more", step.place, wanted)
        heard = [one]
    said = "\n".join(one.says() for one in heard)
    for holds, problem in _conditions(step, heard):
        if not holds:
            raise Unexpected(problem, step.place, wanted, said)


def _conditions(step: BotStep, heard: list[Heard]) -> list[tuple[bool, str]]:
    texts = [one.text for one in heard if one.text is not None]
    found: list[tuple[bool, str]] = []
    if step.interaction is None and heard[0].kind in {"transfer", "closed"}:
        found.append((False, f"the conversation is {heard[0].kind} here: expect it with `{heard[0].kind}: true`"))
    if step.text is not None:
        found.append((step.text.strip() in [text.strip() for text in texts], "the bot says something else"))
    if step.contains is not None:
        shown = [*texts, *(one.says() for one in heard)]
        found.append((any(step.contains in text for text in shown), "what the bot says does not contain this"))
    if step.matches is not None:
        expression = re.compile(step.matches)
        found.append((any(expression.search(text) for text in texts), "what the bot says does not match this"))
    for path, value in (step.rich or {}).items():
        found.append((any(_has(one, path, value) for one in heard), f"{path} is not this in what the bot shows"))
    if step.quick_replies is not None:
        titles = tuple(title for one in heard for title, _ in controls(one.quick_replies))
        found.append((titles == step.quick_replies, "the bot offers other quick replies"))
    return found


def _has(heard: Heard, path: str, value: Any) -> bool:
    if heard.content is None:
        return False
    found = evaluate_path(path.removeprefix("$").lstrip("."), heard.content)
    return found is not MISSING and (found == value or text_of(found) == text_of(value))


def _check_interaction(step: BotStep, talk: Talk, bot: Bot) -> list[Heard]:
    """Take everything an interaction says in a row, and see that its own content is among it."""
    name = step.interaction or ""
    if name not in bot.names:
        raise Unexpected(f"the bot has no interaction {name!r}: see the names in its export", step.place)
    interaction = bot.interactions[bot.names[name]]
    first = talk.hear()
    if first is None:
        raise Unexpected("the bot says nothing more", step.place, _wanted(step))
    if first.origin is None:  # where it comes from is not told: only its own content counts
        heard = [first]
        while not shows(interaction, heard) and (after := talk.peek()) is not None and after.origin is None:
            heard += [one for one in [talk.hear()] if one is not None]
    elif first.origin != name:
        raise Unexpected(
            f"this comes from {first.origin or 'the bot itself'!r}", step.place, _wanted(step), first.says()
        )
    else:
        heard = [first]
        while (after := talk.peek()) is not None and after.origin == name:
            heard += [one for one in [talk.hear()] if one is not None]
    if not shows(interaction, heard):
        said = "\n".join(one.says() for one in heard)
        wanted = f"{_wanted(step)}\n{interaction.text.source}".strip()
        raise Unexpected(f"{name!r} does not say its own text", step.place, wanted, said)
    return heard


def shows(interaction: Interaction, heard: list[Heard]) -> bool:
    """Tell whether an interaction's own content is among what was heard; placeholders may stand for anything."""
    has_rich = any(one.content is not None for one in heard)
    if interaction.kind in _RICH:
        return has_rich
    if interaction.kind in _EITHER and has_rich:
        return True
    if is_silent(interaction.text.source):
        return True
    parts = [re.escape(_bare(part)) if isinstance(part, str) else ".*" for part in interaction.text.parts]
    return re.search("".join(parts), _bare("".join(one.text or "" for one in heard)), re.DOTALL) is not None


def _bare(text: str) -> str:
    """Leave out what splitting a text into messages changes."""
    return _BLANK.sub("", _BREAKS.sub("", text))


def check_transfer(step: TransferStep, talk: Talk) -> None:
    """See that the conversation goes to people next. Raises Unexpected."""
    heard = _next(talk, "transfer", step)
    if step.text is not None and (heard.text or "") != step.text:
        raise Unexpected("the transfer has another text", step.place, step.text, heard.text or "")
    if step.skill is not None and heard.detail is not None and heard.detail != step.skill:
        raise Unexpected("the transfer goes to another skill", step.place, step.skill, str(heard.detail))


def check_closed(step: ClosedStep, talk: Talk) -> None:
    """See that the conversation ends next. Raises Unexpected."""
    heard = _next(talk, "closed", step)
    if step.survey is not None and heard.detail is not None and heard.detail != step.survey:
        raise Unexpected(
            "the conversation ends otherwise", step.place, f"survey: {step.survey}", f"survey: {heard.detail}"
        )


def _next(talk: Talk, kind: str, step: TransferStep | ClosedStep) -> Heard:
    heard = talk.hear()
    if heard is None or heard.kind != kind:
        said = heard.says() if heard else ""
        raise Unexpected(f"the conversation is not {kind} here", step.place, f"<{kind}>", said)
    return heard


def check_silence(talk: Talk, place: Any) -> None:
    """See that the bot has nothing more to say. Raises Unexpected."""
    rest = []
    while (heard := talk.hear()) is not None:
        rest.append(heard.says())
    if rest:
        raise Unexpected("the bot says more than the test expects", place, "(nothing)", "\n".join(rest))


def check_variables(step: VariablesStep, talk: Talk) -> None:
    """Compare variables; texts and numbers are compared as texts. Raises Unexpected with all that differ."""
    wanted, found = [], []
    for name, value in step.values.items():
        actual = talk.variable(name)
        if actual == value or (_is_text(actual) and _is_text(value) and text_of(actual) == text_of(value)):
            continue
        wanted.append(f"{name} = {_shown(value)}")
        found.append(f"{name} = {_shown(actual)}")
    if wanted:
        raise Unexpected("variables have other values", step.place, "\n".join(wanted), "\n".join(found))


def _is_text(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _shown(value: Any) -> str:
    return "(unset)" if value is None else pretty(value)


def _wanted(step: BotStep) -> str:
    """Describe a step for a person."""
    lines = [] if step.text is None else [step.text]
    lines += [f"{name}: {value}" for name in ("contains", "matches", "interaction") if (value := getattr(step, name))]
    lines += [f"{path}: {pretty(value)}" for path, value in (step.rich or {}).items()]
    if step.quick_replies is not None:
        lines.append("[" + "] [".join(step.quick_replies) + "]")
    return "\n".join(lines)
