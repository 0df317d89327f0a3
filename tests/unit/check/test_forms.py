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
