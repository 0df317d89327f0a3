"""The table of codes: what the code uses and what the page says."""

import re
from pathlib import Path

import pytest

from services.check.codes import CODES, document, levelled
from shared.bot.errors import Finding

ROOT = Path(__file__).parents[3]
SOURCES = [*(ROOT / "shared/bot").rglob("*.py"), *(ROOT / "services/check").rglob("*.py")]
USED = {
    code
    for source in SOURCES
    for code in re.findall(r"(?:\bfind|\bfound|\bFinding)\(\s*\"([a-z-]+)\"", source.read_text())
}


def test_every_code_that_is_found_stands_in_the_table_and_the_reverse() -> None:
    assert set(CODES) == USED, "services/check/codes.py gives each code of a finding its level and its meaning"


def test_the_page_says_what_the_table_says() -> None:
    assert (ROOT / "docs/check.md").read_text() == document(), "write it anew: make docs/check.md"


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_is_explained_in_sentences(code: str) -> None:
    entry = CODES[code]
    assert entry.level in {"error", "warning", "info"}
    assert entry.meaning.endswith(".")
    assert entry.remedy.endswith(".")


def test_a_code_of_the_compiler_that_is_not_in_the_table_keeps_its_level() -> None:
    finding = Finding("new-code", "Shop", "something", "info")
    assert levelled(finding) == finding


def test_every_code_is_shown_by_a_test() -> None:
    tests = "".join(path.read_text() for path in sorted(Path(__file__).parent.glob("test_*.py")))
    assert [code for code in CODES if f'"{code}"' not in tests] == []
