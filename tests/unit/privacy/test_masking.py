"""Masking of traces: sensitive by name, and the same values wherever a bot has copied them."""

from typing import Any

import msgspec
import pytest

from shared.dialog.effects import Reply
from shared.dialog.events import ConsumerMessage, WebViewCall
from shared.dialog.session import Frame, Position, Session
from shared.dialog.trace import TraceLine
from shared.privacy.masking import MASK, masked, sensitive_values
from shared.privacy.naming import Sensitive

CARD = "4111 1111/1111"
SENSITIVE = Sensitive(("card*", "email"))


def line(**values: Any) -> TraceLine:
    return TraceLine("log", values=values)


def shown(given: TraceLine, *values: Any) -> dict[str, Any]:
    [one] = masked([given], SENSITIVE, values)
    return one.values


def test_a_value_is_masked_by_its_name() -> None:
    assert shown(line(cardNumber=CARD, size="L")) == {"cardNumber": MASK, "size": "L"}
    assert shown(line(deep={"list": [{"email": {"of": "x"}}]})) == {"deep": {"list": [{"email": MASK}]}}


def test_a_variable_that_is_set_is_masked_and_so_is_its_value_elsewhere() -> None:
    lines = [line(text=f"it is {CARD}"), TraceLine("variable", note="card (session)", values={"value": CARD})]
    assert [one.values for one in masked(lines, SENSITIVE, [])] == [{"text": f"it is {MASK}"}, {"value": MASK}]


@pytest.mark.parametrize(
    "text",
    [
        f"your card {CARD}, again {CARD}",
        msgspec.json.encode({"number": CARD}).decode(),
        msgspec.json.encode({"jsonData": msgspec.json.encode({"n": CARD}).decode()}).decode(),
        "https://api.example.com/cards/4111%201111%2F1111",
        "https://api.example.com/cards?n=4111+1111%2F1111",
    ],
)
def test_a_value_is_masked_inside_texts(text: str) -> None:
    told = str(shown(line(text=text), CARD))
    assert "4111" not in told
    assert MASK in told


def test_quotes_and_lines_do_not_hide_a_value() -> None:
    value = 'a "quoted"\nvalue'
    told = shown(line(body=msgspec.json.encode({"v": value}).decode()), value)
    assert told == {"body": f'{{"v":"{MASK}"}}'}


def test_the_parts_of_an_object_are_masked_too() -> None:
    api = {"jsonData": '{"api_card":{"number":"4111-2222","name":"Ada Lovelace","valid":true}}'}
    told = shown(line(text="Ada Lovelace has 4111-2222, it is true"), api)
    assert told == {"text": f"{MASK} has {MASK}, it is true"}


def test_a_short_value_is_masked_where_it_stands_alone() -> None:
    assert shown(line(a="123", b="12345", c=123, d=[" 123 "]), "123") == {
        "a": MASK,
        "b": "12345",
        "c": MASK,
        "d": [MASK],
    }


def test_words_that_say_nothing_stay() -> None:
    assert shown(line(a="true", b="", c=True, d=None), True, "true", "", None) == {
        "a": "true",
        "b": "",
        "c": True,
        "d": None,
    }


def test_when_there_are_too_many_values_all_are_masked() -> None:
    many = [{"number": f"card {number}"} for number in range(2000)]
    assert shown(line(text="something else", list=[1]), many) == {"text": MASK, "list": MASK}


def test_a_message_to_the_consumer_is_masked_in_its_trace() -> None:
    told = shown(line(message=Reply(text=f"You gave {CARD}")), CARD)
    assert told == {"message": {"type": "reply", "text": f"You gave {MASK}"}}


def test_values_are_found_in_every_scope_and_in_the_event() -> None:
    before = Session(
        version="v",
        position=Position(stack=[Frame("d", variables={"cardDialog": "in a dialog"})]),
        request={"cardRequest": "in a request"},
        session={"cardSession": {"n": 1}, "other": "x"},
        forever={"email": "forever"},
        web_view={"cardForm": "from a form"},
        results={"card.number": "from an API"},
    )
    event = WebViewCall({"card": "posted", "size": "L"})
    found = sensitive_values(SENSITIVE, event, [None, before], [{"email": "known"}])
    assert found == [
        "posted",
        "in a request",
        {"n": 1},
        "forever",
        "from a form",
        "from an API",
        "in a dialog",
        "known",
    ]
    assert sensitive_values(SENSITIVE, ConsumerMessage("card"), [], []) == []
