"""Which dialogs and interactions nothing leads to."""

import pytest

from tests.unit.check.findings import found, report
from tests.unit.dialog.bots import dialog, fallback, go, question, says, starter, text


def test_starters_rules_jumps_and_the_fallback_reach_everything() -> None:
    assert (
        found(
            dialog("A", starter("a"), question("ask", "", go("far", when=says("x")), go("dialog:B", when=says("y")))),
            dialog("B", starter(name="door"), text("near")),
            dialog("C", text("skipped", status="INACTIVE"), text("far")),
            fallback(starter(name="sorry starter"), text("sorry")),
        )
        == []
    )


def test_a_dialog_without_a_way_in_is_one_finding() -> None:
    lost = dialog("Lost", starter(name="no pattern"), text("one"), text("two"))
    assert found(dialog("A", starter("a"), text("b")), lost) == [("unreachable-dialog", "Lost")]


def test_a_disabled_dialog_is_left_alone() -> None:
    assert found(dialog("A", starter("a")), dialog("Off", text("one"), status="DISABLED")) == []


def test_a_rule_into_a_disabled_dialog_is_named() -> None:
    off = dialog("Off", starter("off"), text("inside"), status="DISABLED")
    shop = dialog("A", starter("a"), text("b", then="inside"), text("c", then="dialog:Off"), text("d"))
    assert found(shop, off) == [("disabled-target", "A / b"), ("disabled-target", "A / c")]


def test_an_interaction_that_everything_jumps_past_is_named() -> None:
    shop = dialog("Shop", starter("a"), text("first", then="last"), text("lost"), text("last"))
    assert found(shop) == [("unreachable-interaction", "Shop / lost")]


def test_a_question_that_may_be_left_by_its_next_action_reaches_it() -> None:
    assert found(dialog("Shop", starter("a"), question("ask", "", go("next", when=says("x"))), text("last"))) == []


def test_an_unused_starter_with_code_is_named() -> None:
    other = dialog("Other", starter(name="door", pre="botContext.sendMessage('x')"), text("inside"))
    assert found(dialog("A", starter("a"), text("b", then="inside")), other) == [
        ("unreachable-interaction", "Other / door")
    ]


@pytest.mark.parametrize("where", ["pre", "post", "functions"])
def test_what_scripts_name_is_reached(where: str) -> None:
    code = "botContext.setTriggerNextMessage('hidden')"
    panels = {where: code} if where != "functions" else {}
    bot = (dialog("A", starter("a"), text("b", **panels)), dialog("B", text("hidden")))
    assert found(*bot, functions=code if where == "functions" else None) == []


def test_names_anywhere_in_scripts_count_where_a_script_puts_names_together() -> None:
    bot = (dialog("A", starter("a"), text("b", pre="go('hidden')")), dialog("B", text("hidden")))
    assert found(*bot, functions="function go(x) { botContext.setTriggerNextMessage(x); }") == []


def test_what_a_script_may_choose_at_run_time_is_only_an_info() -> None:
    code = "botContext.setTriggerNextMessage(botContext.getCurrentUserMessage())"
    (finding,) = report(dialog("A", starter("a"), text("b", pre=code)), dialog("B", text("hidden"))).findings
    assert (finding.code, finding.level) == ("unreachable-dialog", "info")
