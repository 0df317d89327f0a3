"""Calls of integrations as the engine sees them: waiting is data, outcomes are events (R3, R10, R11, R14, R17)."""

import json
from typing import Any

import pytest

from shared.dialog.effects import StartCall
from shared.dialog.events import SentRequest
from shared.dialog.texts import NO_RESULT
from shared.dialog.trace import without_values
from shared.integration.request import render_request
from tests.unit.dialog.bots import (
    Part,
    api,
    bot,
    call,
    dialog,
    fallback,
    go,
    holds,
    id_of,
    integration,
    question,
    says,
    starter,
    text,
    tiled,
)
from tests.unit.dialog.talk import Talk

STORES = {"list": [{"name": "North", "city": "Oslo"}, {"name": "South", "city": "Rome"}]}


def calling(*after: Part, rules: tuple[Part, ...] = (), interaction: Any = None, **store: Any) -> Talk:
    """Give a conversation that waits for the integration `Store`; `after` follows the call."""
    first = dialog("D", starter("hi"), text("wait"), call("c", "Store", *rules, **(interaction or {})), *after)
    talk = Talk(bot(first, integrations=(integration("Store", **store),)))
    assert talk.say("hi") == ["wait"]
    return talk


def test_a_call_ends_the_turn_and_the_conversation_waits_as_data() -> None:
    talk = calling(text("then"), url="https://x.example/{$userMessage}/{$botContext.none}")
    assert talk.call == StartCall(id_of("integration:Store"), {"$userMessage": "hi", "$botContext.none": None})
    position = talk.turn.session.position
    assert (position.call, position.call_id, position.question) == (id_of("c"), "0-c1.1", None)
    assert talk.warnings == ["unset-variable"]


def test_the_values_of_a_call_keep_their_type() -> None:
    pre = "botContext.setBotVariable('o', {a: [1]}); botContext.setBotVariable('__standardHeaders__', 'off')"
    talk = calling(interaction={"pre": pre}, method="POST", postBody='{"o": {$botContext.o}}')
    assert talk.call is not None
    assert talk.call.values == {"$botContext.o": {"a": [1]}, "$botContext.__standardHeaders__": "off"}


@pytest.mark.parametrize("scope", ["false, false", "true, false", "true, true"])
def test_the_switch_for_default_headers_works_in_every_scope(scope: str) -> None:
    pre = f"botContext.setBotVariable('__standardHeaders__', 'off', {scope})"
    first = dialog("D", starter("hi"), question("q", "", pre=pre), call("c", "Store"))
    talk = Talk(bot(first, integrations=(integration("Store", method="POST"),)))
    talk.say("hi")
    talk.say("on")
    assert talk.call is not None
    kept = talk.call.values.get("$botContext.__standardHeaders__")
    assert kept == (None if scope == "false, false" else "off")
    sent = render_request(talk.bot.integrations[talk.call.integration_id], talk.call.values)
    assert sent.headers.get("Accept") == ("application/json;charset=UTF-8" if kept is None else None)


def test_the_flow_goes_on_after_the_outcome() -> None:
    tell = "botContext.sendMessage(botContext.isApiExecutionSuccessful() + ' ' + botContext.getApiStatusCode() + ' ' + typeof botContext.getApiStatusCode())"
    talk = calling(text("then"), interaction={"post": tell})
    assert talk.answer(200, {"a": 1}) == ["true 200 string", "then"]
    assert talk.turn.session.position.call is None
    (line,) = talk.lines("outcome")
    assert line.facts["status"] == 200


@pytest.mark.parametrize(
    ("status", "succeeded"), [(200, True), (201, True), (204, False), (302, False), (404, False), (500, False)]
)
def test_success_is_200_or_201(status: int, succeeded: bool) -> None:
    rules = (go("good", when=api("SUCCESS")), go("bad", when=api("FAILURE")))
    talk = calling(text("good", then="none"), text("bad", then="none"), rules=rules)
    assert talk.answer(status, {}) == ["good" if succeeded else "bad"]


def test_a_failure_that_no_rule_handles_is_said_and_the_default_next_action_taken() -> None:
    talk = calling(text("then"))
    assert talk.answer(404, "nothing") == [NO_RESULT, "then"]
    assert talk.warnings == ["call-failed"]


def test_a_failure_without_any_rule_for_it_ends_the_flow() -> None:
    talk = calling(text("then"), rules=(go("next", when=api("SUCCESS")),))
    assert talk.fail() == [NO_RESULT]
    assert talk.turn.session.position.stack == []


@pytest.mark.parametrize("failure", ["timeout", "unreachable", "interrupted", "late", "lost"])
def test_a_call_without_an_answer_is_a_failure_with_status_0(failure: str) -> None:
    tell = "botContext.sendMessage(botContext.isApiExecutionSuccessful() + ' ' + botContext.getBotVariable('api_StoreStatus'))"
    talk = calling(text("then"), interaction={"post": tell}, script="botContext.sendMessage('transform')")
    assert talk.fail(failure) == ["false 0", NO_RESULT, "then"]
    assert talk.lines("outcome")[0].note == failure


def test_a_failure_rule_keeps_the_default_text_away() -> None:
    talk = calling(text("then"), text("sorry"), rules=(go("sorry", when=api("FAILURE")), go("next")))
    assert talk.fail() == ["sorry"]


@pytest.mark.parametrize(("stores", "shown"), [([], []), (STORES["list"], ["found 2"])])
def test_a_rule_on_a_custom_field_may_decide_after_a_call(stores: list[Any], shown: list[str]) -> None:
    rules = (go("none", holds("Store.name.count", "LESS_THAN", "1"), when=api("SUCCESS")), go("next"))
    found = text("t", "found {$botContext.Store.name.count}")
    talk = calling(found, rules=rules, fields={"name": "api_Store.list[i].name"})
    assert talk.answer(200, {"list": stores}) == shown


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<!DOCTYPE html><p>Down</p>",
        '{"list":',
        "null",
        "7",
        '"text"',
        "[]",
        "{}",
        '{"list":7}',
        '{"list":{"name":"A"}}',
        "[[[]]]",
    ],
)
def test_an_answer_of_another_shape_is_a_success_with_empty_fields_that_a_rule_can_handle(body: str) -> None:
    rules = (go("empty", holds("Store.name.count", "LESS_THAN", "1"), when=api("SUCCESS")), go("next"))
    card = tiled("STRUCTURED", "s", {"title": "{Store.name}"})
    talk = calling(text("found"), text("empty", "nothing"), rules=rules, fields={"name": "api_Store.list[i].name"})
    assert talk.answer(200, body) == ["nothing"]
    talk = calling(card, text("t", "{Store.name}!"), fields={"name": "api_Store.list[i].name"})
    assert (talk.answer(200, body), talk.contents()) == ([], [])


def test_a_variable_of_json_text_lands_in_a_body_as_json_and_in_a_string_as_text() -> None:
    pre = """botContext.setBotVariable('o', JSON.stringify({a: 'x"\\n\u00e4', n: [1, true, null]}))"""
    body = '{"o": {$botContext.o}, "t": "{$botContext.o}", "l": [{$botContext.o}]}'
    talk = calling(interaction={"pre": pre}, method="POST", postBody=body)
    assert talk.call is not None
    sent = render_request(talk.bot.integrations[talk.call.integration_id], talk.call.values).body
    assert sent is not None
    value = {"a": 'x"\nä', "n": [1, True, None]}
    got = json.loads(sent)
    assert (got["o"], got["l"], json.loads(got["t"])) == (value, [value], value)


def test_scripts_read_the_body_and_templates_its_paths_and_fields() -> None:
    script = "var o = botContext.getBotVariable('api_Store'); botContext.sendMessage(JSON.parse(o.jsonData).api_Store.list[1].name)"
    then = text(
        "t", "{Store.first} {Store.first.count} {$.api_Store.list[0].city} {$botContext.api_StoreStatus} {Store.none}!"
    )
    talk = calling(then, script=script, fields={"first": "api_Store.list[0].name", "none": "api_Store.nothing"})
    assert talk.answer(200, STORES) == ["South", "North 1 Oslo 200 !"]
    assert talk.warnings == ["unset-variable"]


def test_a_transform_script_may_replace_the_result_before_the_fields_are_read() -> None:
    script = """
        var o = botContext.getBotVariable('api_Store');
        o.jsonData = JSON.stringify({api_Store: {list: JSON.parse(o.jsonData).api_Store}});
        botContext.setBotVariable('api_Store', o, true, false);
    """
    card = tiled("STRUCTURED", "s", {"title": "{Store.name}", "subTitle": "{Store.city}"})
    talk = calling(card, script=script, fields={"name": "api_Store.list[i].name", "city": "api_Store.list[i].city"})
    talk.answer(200, STORES["list"])
    (carousel,) = talk.contents()
    assert [[one["text"] for one in tile["elements"]] for tile in carousel["elements"]] == [
        ["North", "Oslo"],
        ["South", "Rome"],
    ]


def test_a_tile_with_array_fields_is_repeated_at_most_ten_times_aligned_by_index() -> None:
    items = [{"name": f"n{n}", **({"city": f"c{n}"} if n % 2 else {})} for n in range(12)]
    card = tiled(
        "STRUCTURED",
        "s",
        {
            "title": "{Store.name}",
            "subTitle": "{Store.city}",
            "buttons": [{"name": "Take {Store.name}", "type": "postback"}],
        },
    )
    talk = calling(card, fields={"name": "api_Store.list[i].name", "city": "api_Store.list[i].city"})
    talk.answer(200, {"list": items})
    tiles = talk.contents()[0]["elements"]
    assert len(tiles) == 10
    assert [one.get("text", one.get("title")) for one in tiles[0]["elements"]] == ["n0", "Take n0"]
    assert [one.get("text", one.get("title")) for one in tiles[3]["elements"]] == ["n3", "c3", "Take n3"]


def test_one_element_is_one_card_and_none_is_no_card() -> None:
    card = tiled("STRUCTURED", "s", {"title": "{Store.name}"})
    talk = calling(card, fields={"name": "api_Store.list[i].name"})
    talk.answer(200, {"list": [{"name": "A"}]})
    assert talk.contents()[0]["elements"][0]["text"] == "A"
    talk = calling(card, fields={"name": "api_Store.list[i].name"})
    talk.answer(200, {"list": []})
    assert talk.contents() == []
    assert talk.question == "s"


def test_custom_fields_outlive_the_message_and_an_array_field_prints_its_first_element_in_text() -> None:
    talk = calling(question("more?"), text("t", "{Store.name}"), fields={"name": "api_Store.list[i].name"})
    talk.answer(200, STORES)
    assert talk.say("yes") == ["North"]


def test_a_result_is_gone_after_the_message_unless_the_script_keeps_it() -> None:
    tell = "botContext.sendMessage(String(botContext.getBotVariable('api_Store')))"
    talk = calling(question("q"), text("t", "BLANK_MESSAGE", pre=tell))
    talk.answer(200, STORES)
    assert talk.say("x") == ["null"]


def test_an_integration_is_found_by_its_name_and_by_its_response_variable() -> None:
    talk = calling(text("t", "{Store.a} {Shop.a}"), responseDataVariable="Shop", fields={"a": "api_Shop.a"})
    assert talk.answer(200, {"a": "x"}) == ["x x"]


def test_an_integration_without_an_id_is_found_by_its_name() -> None:
    made = call("c", "Store")
    del made["content"]["responderId"]
    talk = Talk(bot(dialog("D", starter("hi"), made), integrations=(integration("Store"),)))
    talk.say("hi")
    assert talk.call is not None


def test_a_call_of_a_missing_integration_fails_at_once() -> None:
    talk = Talk(bot(dialog("D", starter("hi"), call("c", "Nobody"), text("then"))))
    assert talk.say("hi") == [NO_RESULT, "then"]
    assert talk.call is None
    assert talk.warnings == ["unsupported-integration", "call-failed"]
    assert [finding.code for finding in talk.bot.findings] == ["dangling-integration"]


def test_an_integration_of_another_type_fails_at_once() -> None:
    other = integration("Mail", integrationType="EMAIL")
    talk = Talk(bot(dialog("D", starter("hi"), call("c", "Mail"), text("then")), integrations=(other,)))
    assert talk.say("hi") == [NO_RESULT, "then"]


def test_a_trigger_of_the_transform_or_post_process_beats_the_rules() -> None:
    go_on = "botContext.setTriggerNextMessage('there')"
    for where in ({"script": go_on}, {"interaction": {"post": go_on}}):
        talk = calling(text("then", then="none"), text("there"), rules=(go("next"),), **where)
        assert talk.answer(200, {}) == ["there"]


def test_the_parts_of_an_integration_come_in_the_order_of_the_documents() -> None:
    def says_of(panel: str) -> str:
        return f"botContext.sendMessage('{panel} ' + botContext.getBotVariable('Store.name'))"

    panels = {"pre": says_of("pre"), "post": says_of("post")}
    rules = (go("ruled", when=api("SUCCESS")), go("none"))
    talk = Talk(
        bot(
            dialog("D", starter("hi"), call("c", "Store", *rules, **panels), text("ruled")),
            integrations=(integration("Store", script=says_of("transform"), fields={"name": "api_Store.name"}),),
        )
    )
    assert talk.say("hi") == ["pre null"]
    assert talk.answer(200, {"name": "North"}) == ["transform null", "post North", "ruled"]


def test_an_outcome_that_nobody_waits_for_is_dropped_and_traced() -> None:
    talk = calling(question("q"), text("end"))
    assert talk.answer(200, {}, call_id="0-c1.99") == []
    assert talk.warnings == ["stale-outcome"]
    assert talk.answer(200, {}, call_id="0-c1.1") == ["q"]
    assert talk.answer(200, {}, call_id="0-c1.1") == []
    assert talk.question == "q"


def test_an_outcome_belongs_to_the_message_that_led_to_the_call() -> None:
    talk = calling(
        text("t", "{$userMessage} {$botContext.x}"), interaction={"pre": "botContext.setBotVariable('x', 1)"}
    )
    assert talk.answer(200, {}) == ["hi 1"]


def test_messages_of_the_pre_process_are_sent_before_the_call() -> None:
    talk = Talk(
        bot(
            dialog("D", starter("hi"), call("c", "Store", pre="botContext.sendMessage('looking')")),
            integrations=(integration("Store"),),
        )
    )
    assert talk.say("hi") == ["looking"]
    assert isinstance(talk.turn.effects[-1], StartCall)


def test_a_call_after_a_call_counts_towards_the_chain() -> None:
    talk = calling(text("then", then="c"))
    for _ in range(4):
        assert talk.answer(200, {}) == ["then"]
        assert talk.call is not None
    assert talk.answer(200, {}) == []
    assert talk.warnings == ["chain-limit"]


def test_a_fallback_dialog_may_call_and_return_to_the_question() -> None:
    asked = dialog("D", starter("hi"), question("q", "", go("next", when=says("yes"))), text("end"))
    talk = Talk(bot(asked, fallback(call("c", "Store"), text("found")), integrations=(integration("Store"),)))
    talk.say("hi")
    assert talk.say("what?") == []
    assert talk.answer(200, {}) == ["found", "q"]
    assert talk.say("yes") == ["end"]


def test_the_trace_shows_the_exchange_only_if_the_outcome_carries_it_and_no_secrets() -> None:
    headers = {"X-Auth-Token": "s", "X-A": "b"}
    talk = calling(text("then"))
    talk.answer(200, {}, headers=headers)
    assert talk.lines("outcome")[0].values.keys() == {"address", "attempts", "body"}
    sent = SentRequest("GET", "https://x.example/?q=1", {"Accept": "a"})
    talk = calling(text("then"))
    talk.answer(200, {}, headers=headers, request=sent)
    values = talk.lines("outcome")[0].values
    assert (values["request"], values["headers"]) == (sent, {"X-Auth-Token": "•••", "X-A": "b"})


def test_the_trace_shows_the_custom_data_fields_as_values() -> None:
    talk = calling(text("then"), fields={"name": "api_Store.list[i].name"})
    talk.answer(200, STORES)
    (line,) = talk.lines("fields")
    assert line.values == {"Store.name": ["North", "South"], "Store.name.count": 2}
    assert without_values([line])[0].values == {}
    talk = calling(text("then"))
    talk.answer(200, STORES)
    assert talk.lines("fields") == []
    talk = calling(text("then"), fields={"name": "api_Store.name"})
    talk.answer(200, {"name": "n" * 70_000})
    assert [(line.note, line.values) for line in talk.lines("fields")] == [("too much to show", {})]
