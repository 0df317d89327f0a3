"""Findings as people read them."""

from services.cli.findings_text import as_text
from tests.unit.check.findings import report
from tests.unit.dialog.bots import dialog, go, question, starter, text

SHOP = (
    dialog("Shop / Toys", starter("hi", pre="\nbotContext.fly()"), text("hello", "{$botContext.x}")),
    dialog("Shop", starter("a"), question("ask", "", go("nowhere"))),
)


def test_the_text_form_groups_by_dialog_in_the_order_of_the_bot() -> None:
    odd = '[environment]\nx = { domain = "odd", account = "1" }'
    lines = as_text(report(*SHOP, manifest=odd), "bot.json").splitlines()
    assert lines[0] == "bot.json: Test bot, 2 errors, 2 warnings, 1 info"
    assert [line for line in lines if line and not line.startswith(" ")][1:] == [
        "Shop / Toys",
        "Shop",
        "Export and manifest",
    ]
    assert "  error    unknown-function  starter hi / Pre-Process Code 2:12" in lines
    assert "  warning  unset-variable  hello" in lines


def test_every_finding_says_what_to_mend() -> None:
    lines = as_text(report(*SHOP), "bot.json").splitlines()
    sentence = lines[lines.index("  error    dangling-target  ask") + 1]
    assert sentence.endswith("Choose another next action.")


def test_a_terminal_gets_wrapped_lines() -> None:
    assert all(len(line) <= 80 for line in as_text(report(*SHOP), "bot.json", width=80).splitlines()[1:])


def test_control_characters_of_names_do_not_reach_the_terminal() -> None:
    shown = as_text(report(dialog("Sh\x1b[31mop", starter("a"), text("x\ny", "{$botContext.x}"))), "bot.json")
    assert "\x1b" not in shown
    assert "x\\ny" in shown


def test_a_bot_without_findings_says_so() -> None:
    assert as_text(report(dialog("Shop", starter("a"))), "bot.json") == "bot.json: Test bot, no findings"
