"""What was reached of a bot, as text and as a drawing."""

import re
from pathlib import Path

import msgspec

from services.tester.batch import Reached, load
from services.tester.coverage import coverage, lines
from services.tester.coverage_page import page
from tests.unit.tester.writing import ORDERS, outcome


def test_a_bot_that_was_not_tested_has_nothing_reached() -> None:
    found = coverage(load(ORDERS, None), [])
    assert found.missed == list(found.all)
    assert found.counts("interaction") == (0, 14)


def test_a_turn_reaches_its_interactions_rules_and_scripts(tmp_path: Path) -> None:
    reached = outcome(tmp_path, "- user: order\n- user: '12'").reached
    assert Reached("interaction", "ask_number") in reached
    assert Reached("rule", "ask_number", "no number") in reached
    assert Reached("script", "ask_number", "Process User Response") in reached
    said = lines(coverage(load(ORDERS, None), reached))
    assert "  never: rule ask_number / a number" in said
    assert "  never: rule ask_number / no number" not in said


def test_the_page_is_static_and_shows_names_as_text() -> None:
    bot = load(ORDERS, None)
    named = msgspec.structs.replace(bot, name="<script>alert(1)</script> & co")
    text = page([coverage(named, [Reached("interaction", "ask_number")])])
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; co" in text
    assert re.findall(r"<script|javascript:|src=|@import|url\(h", text) == []
    assert "default-src 'none'" in text
    assert text.count('<g class="reached"><rect') == 1
    assert text.count('<g class="missed"><rect') == 13
