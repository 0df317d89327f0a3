"""Makes docs/compatibility.md from docs/compatibility-*.toml: `make docs/compatibility.md` prints it into place.

A file has a `title` and rows: `feature`, `source` (a section of the reference), `status`, `note` (needed unless the
status is `same`) and `test`, as `path::name of the function`.
"""

import re
import tomllib
from collections import Counter
from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[2]
_RULING = re.compile(r" \(R[0-9]+(?:, R[0-9]+)*\)")
"""Names of decisions, which say nothing to who reads the page."""
STATUSES = ("same", "better", "different", "not supported")
_HEAD = """# What behaves as in Conversation Builder, and what does not

`same`: as Conversation Builder does it, or as its documents say. `better`: more than it does, and no script notices.
`different`: a bot can tell; the note says how. `not supported`: the note says what happens instead. Each row names
the test that shows it. Made from the `compatibility-*.toml` files beside this page by `make docs/compatibility.md`.
"""


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One feature."""

    feature: str
    source: str
    status: str
    test: str = ""
    note: str = ""


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of rows."""

    title: str
    row: list[Row]


def parts() -> dict[str, Part]:
    """Read the files, by name."""
    files = sorted((ROOT / "docs").glob("compatibility-*.toml"))
    return {file.name: msgspec.convert(tomllib.loads(file.read_text()), Part) for file in files}


def is_there(test: str) -> bool:
    """Tell whether a test named as `path::function` exists."""
    path, _, name = test.partition("::")
    file = ROOT / path
    return (
        file.is_file()
        and re.search(rf"^(?:async )?def {re.escape(name)}\(", file.read_text(), re.MULTILINE) is not None
    )


def document() -> str:
    """Return the page."""
    counted = Counter(row.status for part in parts().values() for row in part.row)
    sections = [_HEAD, "\n" + ", ".join(f"{counted[status]} {status}" for status in STATUSES) + ".\n"]
    for part in parts().values():
        lines = ["| feature | status | note | shown by |", "|---|---|---|---|"]
        for row in part.row:
            test = row.test.rpartition("::")[2].removeprefix("test_").replace("_", " ")
            cells = (_RULING.sub("", row.feature), row.status, _RULING.sub("", row.note), test)
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        sections.append(f"\n## {part.title}\n\n" + "\n".join(lines) + "\n")
    return "".join(sections)


if __name__ == "__main__":
    print(document(), end="")  # noqa: T201 - the Makefile writes it to the page
