"""Writes a test file from a conversation that took place: from the trace of its turns, values included. Pure.

What the bot said is written as `{interaction: NAME}` where that says the same; what integrations answered becomes
their stubs. The file holds what consumer and services said: look it over before it is kept.
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import yaml

from services.tester.hearing import shows
from services.tester.suite import FAILURES
from services.tester.talk import Heard
from shared.bot.model import Bot
from shared.dialog.effects import Reply
from shared.dialog.trace import TraceLine, TurnTrace
from shared.privacy.masking import MASK


def recorded(bot: Bot, path: Path, name: str, turns: list[TurnTrace]) -> str:
    """Return the test file of a conversation; `path` is how the file names the bot."""
    recorder = _Recorder(bot)
    for turn in turns:
        recorder.take(turn)
    case: dict[str, Any] = {"test_case": name}
    if recorder.stubs:
        case["stubs"] = recorder.stubs
    case["steps"] = recorder.steps
    content = {"bot": str(path), "tests": [case]}
    return yaml.dump(content, Dumper=_Writer, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None)


class _Step(dict[str, Any]):
    """A step stands on a line of its own, whatever is in it."""


class _Writer(yaml.SafeDumper):
    """Writes steps as people do."""


_Writer.add_representer(
    _Step, lambda writer, step: writer.represent_mapping("tag:yaml.org,2002:map", step.items(), flow_style=False)
)


class _Recorder:
    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._last_at = 0
        self._said: list[Heard] = []
        self.steps: list[_Step] = []
        self.stubs: dict[str, list[dict[str, Any]]] = {}

    def take(self, turn: TurnTrace) -> None:
        """Add what happened in a turn."""
        if self.steps and any(line.code == "session" for line in turn.lines):
            self.steps.append(_Step(advance=f"{max((turn.at - self._last_at) // 1000, 1)}s"))
        self._last_at = turn.at
        event: dict[str, Any] = {}
        for line in turn.lines:
            match line.code:
                case "event":
                    event = self._event(line, event)
                case "reply":
                    self._said.append(_heard(line))
                case "outcome":
                    self._outcome(line)
                case "transfer" | "close":
                    self._flush()
                    kept = {"survey": line.note == "with a survey"}
                    self.steps.append(_Step(transfer=True) if line.code == "transfer" else _Step(closed=kept))
                case _:
                    pass
        self._flush()

    def _event(self, line: TraceLine, event: dict[str, Any]) -> dict[str, Any]:
        if "message" in line.values and event:
            event["message"] = line.values["message"]
            return event
        if line.note == "a web view call":
            event = {"variables": line.values}
            self.steps.append(_Step(web_view=event))
            return event
        text, payload = line.values.get("text", ""), line.values.get("payload")
        self.steps.append(_Step(user=text if payload is None else {"text": text, "payload": payload}))
        return {}

    def _outcome(self, line: TraceLine) -> None:
        interaction = self._bot.interactions.get(self._bot.names.get(line.interaction, ""))
        integration = self._bot.integrations.get((interaction and interaction.integration_id) or "")
        if integration is None:
            return
        failure = line.note.partition(":")[0]
        answer: dict[str, Any] = (
            {"failure": failure} if failure in FAILURES else {"status": line.facts.get("status", 200)}
        )
        if "failure" not in answer:
            answer |= _body(str(line.values.get("body", "")))
        path = urlsplit(str(line.values.get("address", ""))).path
        if path and line.facts.get("method"):
            answer["request"] = {"method": line.facts["method"], "path": path}
        self.stubs.setdefault(integration.name, []).append(answer)

    def _flush(self) -> None:
        """Write what was said, one step for all that one interaction says in a row."""
        while self._said:
            origin = self._said[0].origin
            row = [self._said.pop(0)]
            while self._said and self._said[0].origin == origin:
                row.append(self._said.pop(0))
            interaction = self._bot.interactions.get(self._bot.names.get(origin or "", ""))
            if interaction is not None and shows(interaction, row):
                self.steps.append(_Step(bot={"interaction": origin}))
            else:
                self.steps += [_Step(bot=_literally(heard)) for heard in row]


def _heard(line: TraceLine) -> Heard:
    try:
        reply = msgspec.convert(line.values.get("message") or {}, Reply)
    except msgspec.ValidationError:  # masked whole
        reply = Reply(text=MASK)
    kind = "rich" if line.note == "rich" else "text"
    return Heard(kind, reply.text, reply.content, reply.quick_replies, line.interaction)


def _literally(heard: Heard) -> Any:
    if heard.content is None:
        return heard.text
    return {"rich": {"type": heard.content.get("type")}}


def _body(body: str) -> dict[str, Any]:
    try:
        return {"json": msgspec.json.decode(body)}
    except msgspec.DecodeError:
        return {"body": body} if body else {}
