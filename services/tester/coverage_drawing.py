"""Draws a dialog as SVG: its interactions below each other, its rules inside them, arrows to where they lead. Pure."""

from html import escape

from services.tester.batch import Reached
from services.tester.coverage import Coverage, decides
from shared.bot.model import Dialog, Interaction
from shared.bot.model_rules import Rule

_WIDTH = 340
_LEFT = 14
_HEAD = 46
_ROW = 22
_GAP = 26
_LANE = 9
_LANES = 9
_LETTERS = 36
_LETTERS_BESIDE = 24


class Drawing:
    """One dialog. `anchor` names the page's element of another dialog."""

    def __init__(self, found: Coverage, dialog: Dialog, anchors: dict[str, str]) -> None:
        self._found = found
        self._dialog = dialog
        self._anchors = anchors
        self._shown = [found.bot.interactions[key] for key in dialog.interactions]
        self._tops: dict[str, int] = {}
        self._height = 8
        for interaction in self._shown:
            self._tops[interaction.id] = self._height
            self._height += self._tall(interaction) + _GAP
        self._lane = 0
        self._most = 0

    def svg(self) -> str:
        """Return the drawing."""
        parts = [part for interaction in self._shown for part in self._node(interaction)]
        width = _LEFT + _WIDTH + _LANE * (self._most + 1)
        label = escape(f"The dialog {self._dialog.name}")
        return (
            f'<svg role="img" aria-label="{label}" viewBox="0 0 {width} {self._height}" width="{width}" '
            f'height="{self._height}">{"".join(parts)}</svg>'
        )

    def _rules(self, interaction: Interaction) -> tuple[Rule, ...]:
        return interaction.rules if decides(interaction) else ()

    def _tall(self, interaction: Interaction) -> int:
        return _HEAD + _ROW * len(self._rules(interaction)) + (8 if self._rules(interaction) else 0)

    def _state(self, one: Reached) -> str:
        return "reached" if one in self._found.reached else "missed"

    def _node(self, interaction: Interaction) -> list[str]:
        top, tall = self._tops[interaction.id], self._tall(interaction)
        state = self._state(Reached("interaction", interaction.name)) if interaction.enabled else "off"
        mark = {"reached": "✓", "missed": "✗", "off": "off"}[state]
        parts = [
            f'<g class="{state}"><rect x="{_LEFT}" y="{top}" width="{_WIDTH}" height="{tall}" rx="7"/>',
            _text(_LEFT + 12, top + 20, interaction.name, "name"),
            _text(_LEFT + 12, top + 37, interaction.kind.replace("_", " ").lower(), "kind"),
            _text(_LEFT + _WIDTH - 12, top + 20, mark, "mark"),
            "</g>",
        ]
        parts += self._next(interaction, top + tall)
        for at, rule in enumerate(self._rules(interaction)):
            parts += self._rule(interaction, rule, top + _HEAD + 12 + at * _ROW)
        if not self._rules(interaction):
            for rule in interaction.rules[:1]:
                parts += self._lead(rule, "plain", top + 24)
        return parts

    def _next(self, interaction: Interaction, bottom: int) -> list[str]:
        """Draw the arrow to the next interaction, if the flow goes on there by itself."""
        goes_on = not interaction.rules or any(rule.target.kind == "next" for rule in interaction.rules)
        if interaction.next_id is None or interaction.next_id not in self._tops or not goes_on:
            return []
        x = _LEFT + 30
        return [f'<path class="way" d="M{x} {bottom}V{self._tops[interaction.next_id] - 2}" marker-end="url(#tip)"/>']

    def _rule(self, interaction: Interaction, rule: Rule, y: int) -> list[str]:
        state = self._state(Reached("rule", interaction.name, rule.name)) if interaction.enabled else "off"
        mark = {"reached": "✓", "missed": "✗", "off": "off"}[state]
        label = f"{mark} {rule.name or 'rule'}"
        lead = self._lead(rule, state, y)
        room = _LETTERS_BESIDE if lead and "<text" in lead[0] else _LETTERS
        return [f'<g class="{state}">{_text(_LEFT + 22, y, label, "rule", room)}</g>', *lead]

    def _lead(self, rule: Rule, state: str, y: int) -> list[str]:
        """Draw where a rule leads, when that is not simply the next interaction."""
        target, right = rule.target, _LEFT + _WIDTH
        if target.kind in {"close_dialog", "close_conversation", "none"}:
            word = {"none": "ends"}.get(target.kind, "closes")
            return [_text(right - 30, y, f"{word} ■", f"goal {state}")]
        goal = target.id
        if target.kind == "dialog":
            goal = self._found.bot.dialogs[target.id].first or ""
        if target.kind == "next" or goal not in self._found.bot.interactions:
            return []
        if goal in self._tops:
            return [self._arc(goal, state, y)]
        there = self._found.bot.interactions[goal]
        anchor = self._anchors.get(there.dialog_id, "")
        return [f'<a href="#{anchor}">{_text(right - 30, y, f"→ {there.name}", f"goal {state}", _LETTERS_BESIDE)}</a>']

    def _arc(self, goal: str, state: str, y: int) -> str:
        self._lane = self._lane % _LANES + 1
        self._most = max(self._most, self._lane)
        right = _LEFT + _WIDTH
        x, there = right + self._lane * _LANE, self._tops[goal] + 12 + self._lane
        path = f"M{right} {y - 4}H{x}V{there}H{right + 3}"
        return f'<path class="way {state}" d="{path}" marker-end="url(#tip)"/>'


def _text(x: int, y: int, text: str, kind: str, room: int = _LETTERS) -> str:
    """Return a text; one that is too long is cut and shown in full as a hint."""
    shown = text if len(text) <= room else text[: room - 1] + "…"
    return f'<text x="{x}" y="{y}" class="{kind}">{escape(shown)}<title>{escape(text)}</title></text>'
