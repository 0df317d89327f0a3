"""What no source may contain, whatever it does."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for folder in ("services", "shared") for path in (ROOT / folder).rglob("*.*"))
WALKS = re.compile(
    r"""['"](?:KEYS|SCAN|RANDOMKEY|FLUSHALL|FLUSHDB)['"]|scan_iter|\.(?:scan|randomkey|flushall|flushdb)\("""
)
"""Commands that walk through, or wipe, all keys; those of one key (HSCAN) and Lua's own KEYS are others."""


@pytest.mark.parametrize("suffix", [".py", ".lua"])
def test_nothing_walks_through_all_keys_of_a_server(suffix: str) -> None:
    read = {path: path.read_text(encoding="utf-8") for path in SOURCES if path.suffix == suffix}
    assert read
    assert not [str(path.relative_to(ROOT)) for path, text in read.items() if WALKS.search(text)]


@pytest.mark.parametrize("line", ["redis.call('KEYS', '*')", 'redis.call("SCAN", 0)', "async for k in r.scan_iter():"])
def test_such_a_line_would_be_found(line: str) -> None:
    assert WALKS.search(line)
