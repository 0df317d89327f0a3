"""How findings are told."""

import json

from services.check.report import as_json
from tests.unit.check.findings import report
from tests.unit.dialog.bots import dialog, go, question, starter, text

SHOP = (
    dialog("Shop / Toys", starter("hi", pre="\nbotContext.fly()"), text("hello", "{$botContext.x}")),
    dialog("Shop", starter("a"), question("ask", "", go("nowhere"))),
)


def test_the_json_form_is_one_line_with_all_of_it() -> None:
    made = report(*SHOP)
    line = as_json(made)
    assert "\n" not in line
    content = json.loads(line)
    assert content["bot"] == "bot-1"
    assert content["version"] == made.version
    assert (content["errors"], content["warnings"]) == (2, 1)
    assert content["findings"][0] == {
        "code": "unset-variable",
        "place": "Shop / Toys / hello",
        "note": "nothing in the bot sets what {$botContext.x} reads",
        "level": "warning",
        "line": 0,
        "column": 0,
        "remedy": "Correct the name, or set the variable before it is read.",
    }
