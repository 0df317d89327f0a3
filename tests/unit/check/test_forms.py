"""`botlane check` on forms: in safe mode a script has to make their tokens."""

import pytest

from tests.unit.check.findings import report
from tests.unit.dialog.bots import dialog, text

READS = "botContext.getWebViewVariable('size')"
MAKES = "botContext.getWebViewToken({variables: ['size']})"
SAFE = '[web_view]\nmode = "safe"\n'


@pytest.mark.parametrize(
    ("script", "manifest", "wrong"),
    [(READS, SAFE, True), (f"{READS}; {MAKES}", SAFE, False), (READS, "", False), ("", SAFE, False)],
)
def test_a_bot_in_safe_mode_whose_scripts_make_no_token_is_an_error(script: str, manifest: str, wrong: bool) -> None:
    found = report(dialog("D", text("a", pre=script)), manifest=manifest).findings
    assert ("forms-without-token" in {one.code for one in found}) == wrong
    assert "unknown-function" not in {one.code for one in found}


@pytest.mark.parametrize(
    ("makes", "manifest", "wrong"),
    [
        ("botContext.getWebViewToken({variables: ['day']})", SAFE, True),
        ("botContext.getWebViewToken()", SAFE, True),
        ("botContext.getWebViewToken({variables: ['day']})", "", False),
        (MAKES, SAFE, False),
        ("var names = ['size']; botContext.getWebViewToken({variables: names})", SAFE, False),
    ],
)
def test_a_variable_that_no_token_is_for_is_named(makes: str, manifest: str, wrong: bool) -> None:
    made = dialog("D", text("a", pre=makes), text("b", pre=f"var x = 1;\n{READS}"))
    found = [one for one in report(made, manifest=manifest).findings if one.code == "form-variable-without-token"]
    assert [(one.note, one.line) for one in found] == [
        ("no script that makes a token names 'size': no form can set it", 2)
    ] * wrong


def test_names_that_global_functions_give_to_tokens_count() -> None:
    made = dialog("D", text("a", pre="open()"), text("b", pre=READS))
    made_by = (
        "function names() { return ['size']; } function open() { botContext.getWebViewToken({variables: names()}); }"
    )
    codes = {one.code for one in report(made, manifest=SAFE, functions=made_by).findings}
    assert not codes & {"form-variable-without-token", "forms-without-token"}
