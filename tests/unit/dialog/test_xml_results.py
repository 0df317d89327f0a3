"""XML answers, as scripts, templates and tiles see them."""

import json
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.dialog.events import CallOutcome
from shared.dialog.results import parse_outcome
from shared.dialog.xml_results import XmlRefused, is_xml, xml_json
from tests.unit.dialog.bots import bot, call, dialog, integration, starter, text, tiled
from tests.unit.dialog.talk import Talk

XML = {"Content-Type": "application/xml; charset=utf-8"}


def read(document: str, *listed: tuple[str, ...]) -> Any:
    return json.loads(xml_json(document, listed))


@pytest.mark.parametrize(
    ("document", "value"),
    [
        ("<a/>", {"a": None}),
        ("<a>  b\n</a>", {"a": "b"}),
        ("<a>1.10</a>", {"a": "1.10"}),
        ("<a><b/></a>", {"a": {"b": None}}),
        ("<a><b>1</b><c>2</c><b>3</b></a>", {"a": {"b": ["1", "3"], "c": "2"}}),
        ("<a><b/><b/><b>x</b></a>", {"a": {"b": [None, None, "x"]}}),
        ('<a id="7">x</a>', {"a": {"@id": "7", "#text": "x"}}),
        ('<a id="7"/>', {"a": {"@id": "7"}}),
        ("<a>x<b>y</b>z</a>", {"a": {"b": "y", "#text": "xz"}}),
        ("<a>&lt;&amp;&#228;</a>", {"a": "<&ä"}),
        ("<a><![CDATA[<b>&</b>]]></a>", {"a": "<b>&</b>"}),
        ("<a><!-- no --><?php no?>b</a>", {"a": "b"}),
        (
            '<s:r xmlns:s="urn:s" xmlns="urn:d"><s:id>1</s:id><id>2</id></s:r>',
            {"s:r": {"@xmlns:s": "urn:s", "@xmlns": "urn:d", "s:id": "1", "id": "2"}},
        ),
        ('\ufeff\n<?xml version="1.0" encoding="ISO-8859-1"?><a>ä€</a>', {"a": "ä€"}),
        ('<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><a>b</a>', {"a": "b"}),
    ],
)
def test_a_document_is_read_as_json(document: str, value: Any) -> None:
    assert read(document) == value


@pytest.mark.parametrize(
    ("document", "value"),
    [
        ("<a><b>1</b></a>", {"a": {"b": ["1"]}}),
        ("<a><b>1</b><b>2</b></a>", {"a": {"b": ["1", "2"]}}),
        ("<a/>", {"a": None}),
        ("<a><c><b>1</b></c></a>", {"a": {"c": {"b": "1"}}}),
    ],
)
def test_an_element_that_is_read_as_a_list_is_one_also_alone(document: str, value: Any) -> None:
    assert read(document, ("a", "b")) == value


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (f'<!DOCTYPE a [<!ENTITY l0 "lol">{LAUGHS}]><a>&l9;</a>', "declarations of its own"),
        (f'<!DOCTYPE a [<!ENTITY x "{"x" * 10_000}">]><a>{"&x;" * 10_000}</a>', "declarations of its own"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "declarations of its own"),
        ('<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:1/x">%x;]><a/>', "declarations of its own"),
        (f'<!DOCTYPE a [<!ATTLIST b c CDATA "{"x" * 10_000}">]><a>{"<b/>" * 10_000}</a>', "declarations of its own"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a>&x;</a>', "an entity that is not known"),
        ("<a>&x;</a>", "not well-formed"),
        ("<a>", "not well-formed"),
        ("<a/><b/>", "not well-formed"),
        ("<a b='1' b='2'/>", "not well-formed"),
        ("{}", "not well-formed"),
        ("", "not well-formed"),
        ("<a>\ud800</a>", "half characters"),
        ("<a>" * 100_000 + "</a>" * 100_000, "nested deeper than 64 levels"),
    ],
)
def test_what_cannot_be_read_is_refused(document: str, why: str) -> None:
    with pytest.raises(XmlRefused, match=why):
        xml_json(document)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=50))
def test_any_text_comes_out_as_it_was_written(value: str) -> None:
    assert read(f"<a><b>{escape(value)}</b></a>") == {"a": {"b": value.strip() or None}}


@pytest.mark.parametrize(
    ("body", "content_type", "meant"),
    [
        ("<a/>", "text/xml", True),
        ("<a/>", "application/soap+xml; charset=utf-8", True),
        ('<?xml version="1.0"?><a/>', "", True),
        ('\ufeff <?xml version="1.0"?><a/>', "text/plain", True),
        ('<?xml version="1.0"?><html/>', "text/html", False),
        ("<html/>", "application/xhtml+xml", False),
        ("<a/>", "text/plain", False),
        ('{"a":1}', "application/json", False),
    ],
)
def test_what_is_meant_to_be_xml(body: str, content_type: str, meant: bool) -> None:
    assert is_xml(body, content_type) == meant


def shops(*names: str) -> str:
    rows = "".join(f'<shop id="{at}"><name>{name}</name></shop>' for at, name in enumerate(names))
    return f'<?xml version="1.0"?><shops>{rows}</shops>'


def calling(*after: Any, **store: Any) -> Talk:
    talk = Talk(
        bot(dialog("D", starter("hi"), call("c", "Store"), *after), integrations=(integration("Store", **store),))
    )
    talk.say("hi")
    return talk


FIELDS = {"name": "api_Store.shops.shop[i].name", "id": "api_Store.shops.shop[i].@id"}


@pytest.mark.parametrize("names", [(), ("Oslo",), ("Oslo", "Rome")])
def test_tiles_and_counts_come_from_elements_however_many_there_are(names: tuple[str, ...]) -> None:
    card = tiled("STRUCTURED", "s", {"title": "{Store.id} {Store.name}"})
    talk = calling(text("t", "{$botContext.Store.name.count}"), card, fields=FIELDS)
    assert talk.answer(200, shops(*names), headers=XML)[0] == str(len(names))
    contents = talk.contents()
    cards = contents[0].get("elements", []) if len(names) > 1 else contents
    assert [one["elements"][0]["text"] for one in cards] == [f"{at} {name}" for at, name in enumerate(names)]


def test_scripts_and_templates_read_elements_and_attributes() -> None:
    script = "var o = JSON.parse(botContext.getBotVariable('api_Store').jsonData).api_Store; botContext.sendMessage(o.r['@v'] + o.r['s:id'])"
    talk = calling(text("t", "{$.api_Store.r.s:id} {$.api_Store.r.@v}"), script=script)
    document = '<r v="2" xmlns:s="urn:s"><s:id>00123456789012345678901</s:id></r>'
    assert talk.answer(200, document, headers=XML) == ["200123456789012345678901", "00123456789012345678901 2"]


def test_an_entity_bomb_is_text_and_traced() -> None:
    bomb = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "x">]><a>&x;</a>'
    talk = calling(text("t", "{$.api_Store}"))
    assert talk.answer(200, bomb, headers=XML) == [bomb]
    assert talk.warnings == ["invalid-content"]
    assert parse_outcome(next(iter(talk.bot.integrations.values())), CallOutcome("", 200, XML, bomb)).problem
