"""The page of `--coverage`: one static document, without scripts and without anything from elsewhere. Pure."""

from html import escape

from services.tester.batch import Reached
from services.tester.coverage import Coverage
from services.tester.coverage_drawing import Drawing

_STYLE = """
:root{color-scheme:light dark;--ink:#1d2530;--soft:#5b6675;--page:#f6f7f9;--card:#fff;--line:#8a94a3;
--yes:#dff3e4;--yes-line:#2b7a3f;--no:#fdecea;--no-line:#b3261e}
@media(prefers-color-scheme:dark){:root{--ink:#e8ecf2;--soft:#a5b0bf;--page:#14181e;--card:#1d232b;--line:#7c8796;
--yes:#183a23;--yes-line:#6fcf8a;--no:#44211f;--no-line:#ff9a8f}}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:1500px;margin:0 auto;padding:24px}
h1{font-size:1.5rem;margin:0 0 4px}h2{font-size:1.2rem;margin:36px 0 8px}h3{font-size:1rem;margin:0 0 8px}
p,td,th{color:var(--soft)}a{color:inherit}
table{border-collapse:collapse;margin:12px 0}td,th{text-align:left;padding:4px 18px 4px 0}td b{color:var(--ink)}
.dialogs{columns:28rem;column-gap:16px}
section{background:var(--card);border-radius:10px;padding:14px;overflow-x:auto;box-sizing:border-box;width:100%;
display:inline-block;margin-bottom:16px;break-inside:avoid}
svg text{fill:var(--ink);font-size:13px}svg .kind{fill:var(--soft);font-size:11px}svg .name{font-weight:600}
svg .mark,svg .goal{text-anchor:end}svg .goal{font-size:11px;fill:var(--soft)}
svg rect{fill:var(--card);stroke:var(--line)}
.reached rect{fill:var(--yes);stroke:var(--yes-line)}.reached .mark,.reached .rule{fill:var(--yes-line)}
.missed rect{fill:var(--no);stroke:var(--no-line);stroke-dasharray:5 4}.missed .mark,.missed .rule{fill:var(--no-line)}
.off rect{fill:none;stroke-dasharray:2 4}.off text{opacity:.6}
.way{fill:none;stroke:var(--line);stroke-width:1.4}.way.missed{stroke-dasharray:4 4}#tip path{fill:var(--line)}
ul{columns:24rem 3;padding-left:1.2rem;color:var(--soft)}
"""
_TIP = (
    '<svg width="0" height="0" aria-hidden="true" style="position:absolute"><defs><marker id="tip" viewBox="0 0 8 8" '
    'refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs></svg>'
)


def page(found: list[Coverage]) -> str:
    """Return the document for some bots."""
    bots = "".join(_bot(one, number) for number, one in enumerate(found))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>What the tests reach</title><style>{_STYLE}</style></head><body>{_TIP}<main>"
        "<h1>What the tests reach</h1><p>✓ and green: reached by at least one test. ✗ and dashed red: never. "
        f"Disabled interactions are pale.</p>{bots}</main></body></html>\n"
    )


def _bot(found: Coverage, number: int) -> str:
    anchors = {key: f"bot{number}-dialog{at}" for at, key in enumerate(found.bot.dialogs)}
    sections = "".join(
        f'<section id="{anchors[dialog.id]}"><h3>{escape(dialog.name)}{"" if dialog.enabled else " (disabled)"}</h3>'
        f"{Drawing(found, dialog, anchors).svg()}</section>"
        for dialog in found.bot.dialogs.values()
        if dialog.interactions
    )
    return f'<h2>{escape(found.bot.name)}</h2>{_table(found)}<div class="dialogs">{sections}</div>{_scripts(found)}'


def _table(found: Coverage) -> str:
    rows = ""
    for kind in ("interaction", "rule", "script"):
        reached, total = found.counts(kind)
        share = f"{100 * reached // total} %" if total else "none"
        rows += f"<tr><td>{kind}s</td><td><b>{reached}</b> of {total}</td><td>{share}</td></tr>"
    return f"<table><tbody>{rows}</tbody></table>"


def _scripts(found: Coverage) -> str:
    scripts = [one for one in found.all if one.kind == "script"]
    if not scripts:
        return ""
    items = "".join(f"<li>{_mark(one, found)} {escape(one.interaction)}: {escape(one.name)}</li>" for one in scripts)
    return f"<h3>Scripts</h3><ul>{items}</ul>"


def _mark(one: Reached, found: Coverage) -> str:
    return "✓" if one in found.reached else "✗"
