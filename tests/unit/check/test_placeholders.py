"""What is found in templates."""

import pytest

from tests.unit.check.findings import found, found_of, report
from tests.unit.dialog.bots import Part, call, dialog, go, integration, question, says, sets, starter, text, tiled


def saying(content: str, *more: Part) -> Part:
    return dialog("Shop", starter("hi"), text("hello", content), *more)


STORE = integration("Store", fields={"city": "api_Store.city"}, responseDataVariable="Found")


@pytest.mark.parametrize(
    "content",
    [
        "{$botContext.size}",
        "{$botContext.chosen}",
        "{$botContext.api_FoundStatus}",
        "{$botContext.slot.SIZE}",
        "{$.api_Found.city}",
        "{Store.city}",
        "{Found.city.count}",
        "{$userMessage}",
        '{"json": {"a": 1}}',
    ],
)
def test_what_scripts_rules_and_calls_set_may_be_read(content: str) -> None:
    shop = dialog(
        "Shop",
        starter("hi", pre="botContext.setBotVariable('size', 1, true)"),
        question("ask", "", go("next", sets("chosen", "x"), when=says("*"))),
        question("fill", "", go("next", sets("SIZE", "@SIZE"), when=says("*"))),
        call("find", "Store"),
        text("hello", content),
    )
    assert found(shop, integrations=(STORE,), manifest='[entities.SIZE]\nvalues = ["small"]') == []


def test_a_variable_that_nothing_sets_is_named() -> None:
    assert found_of("unset-variable", saying("{$botContext.size} {$botContext.size}")) == ["Shop / hello"]
    assert found_of("unset-variable", saying("{$.api_Nothing.a}")) == ["Shop / hello"]


def test_it_is_only_an_info_where_scripts_put_names_together() -> None:
    code = "for (var i = 0; i < 3; i++) botContext.setBotVariable('size' + i, i);"
    (finding,) = report(saying("{$botContext.size1}", text("code", pre=code))).findings
    assert (finding.code, finding.level) == ("unset-variable", "info")


def test_an_environment_variable_that_the_manifest_does_not_give_is_an_error() -> None:
    called = integration("Store", url="{$env.given}/{$env.missing}")
    shop = saying("{$env.missing}", call("find", "Store"))
    assert found_of(
        "missing-environment-variable",
        shop,
        integrations=(called,),
        manifest='[environment]\ngiven = "https://api.example.com"',
    ) == ["Shop / hello", "Integrations / Store"]


def test_an_unknown_field_of_an_integration_is_an_error_that_names_the_known_ones() -> None:
    (finding,) = report(saying("{Store.town}", call("find", "Store")), integrations=(STORE,)).findings
    assert (finding.code, finding.level, finding.place) == ("unknown-field", "error", "Shop / hello")
    assert "it has city" in finding.note


def test_an_unknown_integration_is_a_warning() -> None:
    assert found(saying("{Shop.city}")) == [("unknown-integration", "Shop / hello")]


def test_buttons_rules_and_choices_are_read_as_well() -> None:
    button = {"name": "{$botContext.a}", "type": "postback", "callback": "x"}
    shop = dialog(
        "Shop",
        starter("hi"),
        tiled("BUTTON", "buttons", {"text": "x", "buttons": [button]}, rules=(go("next", when=says("x")),)),
        question("ask", "", go("next", sets("c", "{$botContext.b}"))),
    )
    assert found_of("unset-variable", shop) == ["Shop / ask", "Shop / buttons"]
