"""What is found in cards and names, and what the compiler found."""

import pytest

from services.check.json_text import is_json
from shared.bot.templates import compile_template
from tests.unit.check.findings import found
from tests.unit.dialog.bots import Part, dialog, integration, starter, text, tiled


def card(source: str) -> Part:
    shown = tiled("UNIVERSAL", "card", {"universalWidget": {"leMessageJson": source}})
    return dialog("Shop", starter("hi"), shown)


def test_a_card_that_is_no_json_is_an_error() -> None:
    assert found(card('{"type": "vertical", "elements": [}')) == [("bad-card", "Shop / card")]


@pytest.mark.parametrize(
    "source",
    [
        '{"type": "vertical", "text": "{$userMessage}"}',
        '{"type": "vertical", "elements": {$userMessage}}',
        '{"type": "vertical", "elements": [{"type": "text"} {$userMessage}]}',
        '{"type": "vertical" {$userMessage}}',
        '{"text": "a \\" {$userMessage}"}',
        " {$userMessage} ",
    ],
)
def test_a_text_that_variables_may_make_json_is_json(source: str) -> None:
    assert is_json(compile_template(source))


@pytest.mark.parametrize("source", ["", "{", '{"a": "{$userMessage}}', '{"a" "{$userMessage}"}'])
def test_a_text_that_no_variable_makes_json_is_none(source: str) -> None:
    assert not is_json(compile_template(source))


def test_two_dialogs_or_integrations_of_one_name_are_named() -> None:
    first, second = (integration("Store", id=name) for name in ("1", "2"))
    twin = dialog("Shop", starter("b", name="other"))
    twin["group"]["id"] = "twin"
    for message in twin["messages"]:
        message["group"] = "twin"
    assert found(dialog("Shop", starter("a")), twin, integrations=(first, second)) == [
        ("duplicate-name", "Shop"),
        ("duplicate-name", "Integrations / Store"),
    ]


def test_two_interactions_of_one_name_are_named() -> None:
    twin = dict(text("same"), id="twin")
    shop = dialog("Shop", starter("a"), text("same"), twin)
    assert found(shop) == [("duplicate-name", "Shop / same")]
