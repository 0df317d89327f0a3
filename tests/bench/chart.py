"""The chart of docs/performance.md: one pair of bars for each figure that has a baseline, as SVG without scripts."""

from collections.abc import Sequence
from html import escape

from tests.bench.figures import Figure
from tests.bench.table import number

WIDTH, LEFT, BAR, GAP, HEAD = 760, 20, 14, 60, 46
_LONGEST = 480
_STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .head { font-weight: 600; }
  .unit, .key { fill: #59636e; }
  .ours { fill: #0969da; }
  .baseline { fill: #afb8c1; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .unit, .key { fill: #9198a1; }
    .ours { fill: #4493f8; }
    .baseline { fill: #59636e; }
  }
"""


def chart(figures: Sequence[Figure]) -> str:
    """Return the SVG. The bars of a pair have one scale: the longer one fills the room."""
    compared = [figure for figure in figures if figure.baseline is not None]
    height = HEAD + GAP * len(compared)
    title = "Botlane and its baselines, measured beside each other"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{title}">',
        f"<title>{title}</title>",
        f"<style>{_STYLE}</style>",
        *_key(),
        *(part for row, figure in enumerate(compared) for part in _pair(figure, HEAD + GAP * row)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _key() -> list[str]:
    parts = []
    for at, kind, word in ((LEFT, "ours", "Botlane"), (LEFT + 90, "baseline", "baseline")):
        parts.append(f'<rect class="{kind}" x="{at}" y="12" width="12" height="12" rx="2"/>')
        parts.append(f'<text class="key" x="{at + 18}" y="22">{word}</text>')
    return parts


def _pair(figure: Figure, top: int) -> list[str]:
    baseline = figure.baseline or figure.value
    better = "more" if figure.unit.endswith("/s") else "less"
    longest = max(figure.value.median, baseline.median) or 1.0
    parts = [
        (
            f'<text x="{LEFT}" y="{top + 11}"><tspan class="head">{escape(figure.what)}</tspan>'
            f' <tspan class="unit">{escape(figure.unit)}, {better} is better</tspan></text>'
        )
    ]
    for line, (kind, spread) in enumerate((("ours", figure.value), ("baseline", baseline))):
        y = top + 17 + line * (BAR + 2)
        width = max(1.0, _LONGEST * spread.median / longest)
        parts.append(f'<rect class="{kind}" x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR}" rx="2"/>')
        parts.append(f'<text class="unit" x="{LEFT + width + 6:.1f}" y="{y + 11}">{number(spread.median)}</text>')
    return parts
