"""What placeholders stand for (CB: reference/scripting.md 4; R11, R12)."""

from typing import Any

import msgspec

from shared.bot.model import Interaction
from shared.bot.storable import read_exactly
from shared.bot.templates import Placeholder, Template, quoted_after
from shared.bot.values import text_of
from shared.dialog.results import MISSING, evaluate_path
from shared.dialog.signing_in import of_consumer
from shared.dialog.work import Work


class Resolver:
    """Resolves the placeholders of one interaction; `index` picks the element of array fields in repeated tiles."""

    def __init__(self, work: Work, interaction: Interaction, index: int | None = None) -> None:
        self._work = work
        self._interaction = interaction
        self._index = index

    def at(self, index: int) -> "Resolver":
        """Return a resolver for the index-th copy of a repeated tile."""
        return Resolver(self._work, self._interaction, index)

    def text(self, template: Template) -> str:
        """Render a template as text; an unset variable is empty and traced (R12)."""
        return template.render(lambda hole: text_of(self._value(hole)))

    def json(self, template: Template) -> str:
        """Render a template that is JSON text: inside quotes values are escaped, outside they stand as they are."""
        rendered: list[str] = []
        quoted = False
        for part in template.parts:
            if isinstance(part, str):
                rendered.append(part)
                quoted = quoted_after(part, quoted=quoted)
                continue
            text = text_of(self._value(part))
            rendered.append(msgspec.json.encode(text).decode()[1:-1] if quoted else text)
        return "".join(rendered)

    def value(self, hole: Placeholder) -> Any:
        """Return the JSON value of a placeholder for a call record; unset ones are None."""
        found, value = self._find(hole)
        if not found:
            self._unset(hole)
        return value

    def length(self, template: Template) -> int | None:
        """Return how many elements the array fields of a template have, None when it has none (R10)."""
        sizes = [
            len(value)
            for hole in template.placeholders
            if hole.kind in {"field", "path"}
            for value in [self._find(hole)[1]]
            if isinstance(value, list)
        ]
        return max(sizes) if sizes else None

    def _value(self, hole: Placeholder) -> Any:
        found, value = self._find(hole)
        if not found:
            if hole.kind == "field" and not self._names_integration(hole):
                return "{" + hole.expression + "}"
            self._unset(hole)
            return ""
        if isinstance(value, list) and hole.kind in {"field", "path"} and "[i]" not in hole.name:
            at = self._index or 0
            return value[at] if at < len(value) else ""
        if isinstance(value, list) and "[i]" in hole.name:
            at = self._index or 0
            return value[at] if at < len(value) else ""
        return value

    def _unset(self, hole: Placeholder) -> None:
        self._work.warn("unset-variable", self._interaction, f"{{{hole.expression}}} has no value")

    def _names_integration(self, hole: Placeholder) -> bool:
        return hole.name.partition(".")[0] in self._work.bot.integration_names

    def _find(self, hole: Placeholder) -> tuple[bool, Any]:
        work = self._work
        match hole.kind:
            case "variable" | "field":
                found, value = work.find_variable(hole.name)
                if not found:
                    value = of_consumer(work.bot, work.web_view, hole.name)
                return value is not None or found, value
            case "environment":
                return hole.name in work.bot.environment, work.bot.environment.get(hole.name)
            case "path":
                return self._path(hole.name)
            case _:
                return self._system(hole.name)

    def _path(self, path: str) -> tuple[bool, Any]:
        """Look into `api_X` itself: `{$.api_X.a.b}`."""
        name = path.partition(".")[0].partition("[")[0]
        _, held = self._work.variables.get(name)
        json_data = held.get("jsonData") if isinstance(held, dict) else None
        if not isinstance(json_data, str):
            return False, None
        try:
            root = read_exactly(json_data)
        except ValueError:
            return False, None
        value = evaluate_path(path, root)
        return (False, None) if value is MISSING else (True, value)

    def _system(self, name: str) -> tuple[bool, Any]:
        position, conversation = self._work.position, self._work.conversation
        personal = conversation.personal_info or {}
        known: dict[str, Any] = {
            "usermessage": position.text,
            "query": position.text,
            "quickreplypayload": position.payload if position.payload_kind == "quick_reply" else None,
            "conversationid": conversation.id,
            "chatbotid": conversation.bot_id,
            "chatbotuserid": conversation.user_id,
            "chatbotuserplatformid": conversation.user_id,
            "firstname": personal.get("firstname"),
        }
        value = known.get(name.lower())
        return value is not None, value
