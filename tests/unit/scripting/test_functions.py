"""The functions of `botContext`, one by one (CB: reference/scripting.md 1)."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.dialog.scripts import (
    AddQuickReplies,
    AllowLongText,
    CustomEvent,
    Delay,
    Log,
    Say,
    SayPrivately,
    SetVariable,
    Trigger,
    Warn,
)

Scene = Callable[..., Any]

STATE: dict[str, Any] = {
    "text": "hello there",
    "quick_reply_payload": "qr",
    "button_payload": "bp",
    "bot_id": "bot-1",
    "conversation_id": "0-c",
    "user_id": "user-1",
    "channel": "lp_web",
    "account_id": "acc",
    "starter_intent": "order",
    "environment": {"url": "u"},
    "web_view": {"name": "Ann"},
    "engagement": {"campaignId": "7", "rtSesssionId": "s"},
    "customer_info": {"ctype": "vip"},
    "personal_info": {"firstname": "Ann"},
    "api_success": True,
    "api_status": "200",
    "metadata": [{"type": "ExternalId", "id": "x"}, {"type": "Other"}, {"type": "ExternalId", "id": "y"}],
}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("getCurrentUserMessage()", "hello there"),
        ("getQuickReplyPayload()", "qr"),
        ("getButtonPayload()", "bp"),
        ("getChatBotId()", "bot-1"),
        ("chatBotId", "bot-1"),
        ("getConversationId()", "0-c"),
        ("getLPAccountId()", "acc"),
        ("getUserPlatformId()", "user-1"),
        ("getUserChannel()", "lp_web"),
        ("getChannel()", "lp_web"),
        ("getUserPlatformType()", "HTMLCLIENT"),
        ("getDialogStarterIntent()", "order"),
        ("getEnvVariable('url')", "u"),
        ("getEnvVariable('nothing')", "null"),
        ("getEnvVariable('constructor')", "null"),
        ("getWebViewVariable('name')", "Ann"),
        ("getWebViewVariable('nothing')", "null"),
        ("getWebViewVariables().name", "Ann"),
        ("getLPEngagementAttribute('campaignId')", "7"),
        ("getLPEngagementAttribute('rtSessionId')", "s"),
        ("getLPEngagementAttribute('rtSesssionId')", "s"),
        ("getLPEngagementAttribute('nothing')", "null"),
        ("getLPCustomerInfo().ctype", "vip"),
        ("getLPUserPersonalInfo().firstname", "Ann"),
        ("isApiExecutionSuccessful() === true", "true"),
        ("getApiStatusCode() === '200'", "true"),
        ("getMetadata('ExternalId').length", "2"),
        ("getMetadata('ExternalId')[1].id", "y"),
        ("getMetadata('ExternalId').id", "x"),
        ("getMetadata('nothing')", "null"),
        ("getNamedEntities('x')", "null"),
        ("getDisambiguatedIntentName()", "null"),
        ("getUserLocation().getCityName()", "null"),
        ("getSentiment()", "Neutral"),
        ("getNlpResponse().tokens.length", "2"),
        ("getFileCaption()", "__EMPTYTEXT__"),
        ("isContextApiEnabled()", "true"),
    ],
)
def test_what_a_script_can_ask(scene: Scene, expression: str, value: str) -> None:
    assert scene().logs(f"botContext.{expression}", **STATE) == value


@pytest.mark.parametrize(
    "name",
    ["getQuickReplyPayload", "getButtonPayload", "getLPCustomerInfo", "getLPUserPersonalInfo", "getApiStatusCode"],
)
def test_what_is_not_known_is_null(scene: Scene, name: str) -> None:
    assert scene().logs(f"botContext.{name}() === null") == "true"


@pytest.mark.parametrize(
    ("call", "effects"),
    [
        ("sendMessage('a')", [Say("a")]),
        ("sendMessage(1)", [Say("1")]),
        ("sendMessages(['a', 'b'])", [Say("a"), Say("b")]),
        ("sendMessages('a')", [Say("a")]),
        ("sendMessages(null)", []),
        ("sendMessageWithQuickReplies('a', ['Yes~y', 'No'])", [Say("a", ["Yes~y", "No"])]),
        ("sendMessageWithQuickReplies('a')", [Say("a")]),
        ("sendPrivateMessage('a')", [SayPrivately("a")]),
        ("addQuickReplies(['Yes~y'])", [AddQuickReplies(["Yes~y"])]),
        ("addQuickReples('No')", [AddQuickReplies(["No"])]),
        ("setTriggerNextMessage('x')", [Trigger("x")]),
        ("setTriggerNextMessage(null)", [Trigger(None)]),
        ("setTriggerNextMessage(undefined)", [Trigger(None)]),
        ("setMessageDelay(1500)", [Delay(1500)]),
        ("setMessageDelay('1500')", [Delay(1500)]),
        ("setMessageDelay(-1)", [Delay(0)]),
        ("setMessageDelay('soon')", [Delay(0)]),
        ("setAllowMaxTextResponse(true)", [AllowLongText(on=True)]),
        ("setAllowMaxTextResponse('false')", [AllowLongText(on=False)]),
        ("printDebugMessage([1, 2])", [Log("1,2")]),
        ("printDebugMessage({a: 1})", [Log('{"a":1}')]),
        ("printDebugMessage()", [Log("undefined")]),
        ("logCustomEvent('m', 'n')", [CustomEvent("m", "n", "")]),
        ("logCustomEvent(null, 'n', 5)", [CustomEvent("", "n", "5")]),
        ("logEscalationEvent('m', 'LivePerson')", []),
        ("setEmail('a@b')", [SetVariable("__email", "a@b", "forever")]),
    ],
)
def test_what_a_script_can_want(scene: Scene, call: str, effects: list[Any]) -> None:
    outcome = scene().run(f"var nothing = botContext.{call}; if (nothing !== undefined) throw nothing")
    assert outcome.error is None
    assert outcome.effects == effects


@pytest.mark.parametrize(
    ("answer", "chosen"),
    [
        ("a", "A) Springfield\n"),
        ("A)", "A) Springfield\n"),
        (" springfield ", "A) Springfield\n"),
        ("B", "B. New Town"),
        ("b. new town", "B. New Town"),
        ("plain", "Plain"),
        ("c", None),
        ("", None),
        ("new", None),
    ],
)
def test_options_are_chosen_by_letter_or_label(scene: Scene, answer: str, chosen: str | None) -> None:
    source = "var r = botContext.evaluateOptions(botContext.getCurrentUserMessage(), ['A) Springfield\\n', 'B. New Town', 'Plain']);"
    (effect,) = scene().run(source + "botContext.setBotVariable('r', r)", text=answer).effects
    assert effect.value == chosen


@pytest.mark.parametrize(
    "call", ["botContext.doMagic(1)", "botContext['do' + 'Magic']()", "var b = botContext; b.doMagic()"]
)
def test_an_unknown_function_is_a_warning_and_gives_nothing(scene: Scene, call: str) -> None:
    outcome = scene().run(f"{call}; {call}; botContext.sendMessage('on')")
    assert outcome.error is None
    assert outcome.effects == [Warn("unknown-function", "doMagic"), Say("on")]


def test_asking_whether_a_function_exists_is_no_call_of_it(scene: Scene) -> None:
    outcome = scene().run(
        "typeof botContext.doMagic; 'doMagic' in botContext; JSON.stringify(botContext); '' + botContext"
    )
    assert (outcome.effects, outcome.error) == ([], None)


def test_many_unknown_functions_make_few_warnings(scene: Scene) -> None:
    assert len(scene().run("for (var i = 0; i < 999; i++) botContext['f' + i]()").effects) == 20


def test_an_unknown_name_made_of_what_somebody_said_is_not_repeated(scene: Scene) -> None:
    outcome = scene().run("botContext['my number is 12']()")
    assert outcome.effects == [Warn("unknown-function", "(its name is no word)")]


def test_names_are_case_sensitive(scene: Scene) -> None:
    assert scene().run("botContext.SendMessage('a')").effects == [Warn("unknown-function", "SendMessage")]
