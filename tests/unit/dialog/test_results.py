"""What a call's outcome becomes for scripts and templates."""

import json
from typing import Any

import pytest

from shared.bot.integration import CustomField, Integration
from shared.bot.templates import compile_template
from shared.dialog.events import CallOutcome
from shared.dialog.results import MISSING, api_object, body_json, custom_fields, evaluate_path, parse_outcome
from shared.integration.request import render_request
from tests.unit.dialog import bots
from tests.unit.dialog.talk import Talk

STORES = {
    "api_Stores": {
        "stores": [{"city": "Oslo", "open": {"from": 8}}, {"open": {"from": 0}}, {"city": ""}],
        "total": 3,
        "none": None,
        "tags": ["a", "b"],
        "odd key": {"a.b": 1},
    }
}


def integration(*fields: tuple[str, str], name: str = "Stores", variable: str = "Stores") -> Integration:
    return Integration(
        id="i1",
        name=name,
        kind="API",
        variable=variable,
        method="GET",
        url=compile_template("https://api.example.com"),
        fields=tuple(CustomField(key, path) for key, path in fields),
    )


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("api_Stores.total", 3),
        ("{$.api_Stores.total}", 3),
        ("$.api_Stores.total", 3),
        ("api_Stores.none", None),
        ("api_Stores.stores[0].city", "Oslo"),
        ("api_Stores.stores[2].city", ""),
        ("api_Stores.stores[3].city", MISSING),
        ("api_Stores.stores[i].city", ["Oslo", None, ""]),
        ("api_Stores.stores[i].open.from", [8, 0, None]),
        ("api_Stores.tags[i]", ["a", "b"]),
        ("api_Stores.total[i].x", MISSING),
        ("api_Stores.odd key['a.b']", 1),
        ("api_Stores.total.deeper", MISSING),
        ("api_Other.total", MISSING),
        ("api_Stores[", MISSING),
        ("", MISSING),
        ("{}", MISSING),
    ],
)
def test_a_path_finds_its_value(path: str, value: Any) -> None:
    assert evaluate_path(path, STORES) == value


def test_a_list_in_lists_keeps_its_shape() -> None:
    root = {"api_X": {"a": [{"b": [{"c": 1}, {"c": 2}]}, {"b": []}, {}]}}
    assert evaluate_path("api_X.a[i].b[i].c", root) == [[1, 2], [], None]


def test_an_array_at_the_top_can_be_indexed_but_not_iterated() -> None:
    root = {"api_X": [{"y": 1}, {"y": 2}]}
    assert evaluate_path("api_X[0].y", root) == 1
    assert evaluate_path("api_X[i].y", root) is MISSING


def test_custom_fields_have_the_names_of_integration_and_variable_and_a_count() -> None:
    stores = integration(("city", "{$.api_Stores.stores[i].city}"), name="StoreLocator", variable="Stores")
    assert custom_fields(stores, json.dumps(STORES)) == {
        "StoreLocator.city": ["Oslo", None, ""],
        "StoreLocator.city.count": 3,
        "Stores.city": ["Oslo", None, ""],
        "Stores.city.count": 3,
    }


def test_a_field_that_is_not_there_is_none_with_count_0() -> None:
    fields = integration(("x", "{$.api_Stores.nothing}"), ("n", "{$.api_Stores.total}"))
    assert custom_fields(fields, json.dumps(STORES)) == {
        "Stores.x": None,
        "Stores.x.count": 0,
        "Stores.n": 3,
        "Stores.n.count": 1,
    }


@pytest.mark.parametrize("text", ["", "not json", "[" * 100_000, "null", '"text"'])
def test_a_spoilt_json_data_gives_empty_fields(text: str) -> None:
    assert custom_fields(integration(("x", "{$.api_Stores.x}")), text) == {
        "Stores.x": None,
        "Stores.x.count": 0,
    }


@pytest.mark.parametrize(
    ("body", "content_type", "value"),
    [
        ('{"a": [1, 2.50]}', "application/json;charset=UTF-8", {"a": [1, 2.5]}),
        ("[]", "text/html", []),
        ("\ufeff {} \r\n", "application/json", {}),
        ("7", "application/problem+json", 7),
        ("7", "", 7),
        ("1e5", "text/plain", "1e5"),
        ("<a>b</a>", "application/xml", "<a>b</a>"),
        ("{oops", "application/json", "{oops"),
        ("[" * 100_000, "application/json", "[" * 100_000),
        ("NaN", "application/json", "NaN"),
        ("", "application/json", ""),
        ("\udc80 \u2028", "text/plain", "? \u2028"),
    ],
)
def test_a_body_is_json_or_text(body: str, content_type: str, value: Any) -> None:
    assert json.loads(body_json(body, content_type)) == value


def test_a_json_body_stays_as_it_was_written() -> None:
    assert api_object("X", body_json('{"id": 12345678901234567890123, "v": 1.0}')) == {
        "jsonData": '{"api_X":{"id": 12345678901234567890123, "v": 1.0}}'
    }


def test_an_outcome_becomes_the_api_object_and_its_status() -> None:
    outcome = CallOutcome(call_id="c.1", status=404, headers={"Content-Type": "text/plain"}, body="gone")
    parsed = parse_outcome(integration(), outcome)
    assert (json.loads(parsed.api["jsonData"]), parsed.status) == ({"api_Stores": "gone"}, 404)


def test_a_call_without_answer_has_a_null_body_and_status_0() -> None:
    parsed = parse_outcome(integration(), CallOutcome(call_id="c.1", failure="timeout"))
    assert (json.loads(parsed.api["jsonData"]), parsed.status) == ({"api_Stores": None}, 0)


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("7", "7"),
        ("9007199254740991", "9007199254740991"),
        ("9007199254740993", "9007199254740993"),  # JavaScript would say 9007199254740992
        ("-9223372036854775809", "-9223372036854775809"),
        ("12345678901234567890123456789", "12345678901234567890123456789"),
        ("1.10", "1.1"),
        ("1e3", "1000"),
    ],
)
def test_no_digit_of_a_whole_number_is_lost_in_fields_and_templates(number: str, shown: str) -> None:
    store = bots.integration("Store", fields={"id": "api_Store.a.id", "ids": "api_Store.ids[i]"}, method="POST")
    say = bots.text("t", "{Store.id} {$.api_Store.a.id} {Store.ids}")
    tell = "botContext.sendMessage(String(botContext.getBotVariable('Store.id')))"
    again = bots.call("d", "Next", pre=tell)
    body = '{"id": {Store.id}, "text": "{$.api_Store.a.id}"}'
    following = bots.integration("Next", method="POST", postBody=body)
    talk = Talk(
        bots.bot(
            bots.dialog("D", bots.starter("hi"), bots.call("c", "Store"), say, again), integrations=(store, following)
        )
    )
    talk.say("hi")
    assert talk.answer(200, f'{{"a":{{"id":{number}}},"ids":[{number},1]}}') == [f"{shown} {shown} {shown}", shown]
    assert talk.call is not None
    sent = render_request(talk.bot.integrations[talk.call.integration_id], talk.call.values).body
    assert sent == f'{{"id": {shown}, "text": "{shown}"}}'.encode()
