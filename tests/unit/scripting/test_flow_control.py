"""What a script wants of the flow (CB: reference/scripting.md 1.8, 1.10, 1.13, 1.14)."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.dialog.scripts import AllowLongText, Delay, Log, Say, Trigger, Warn

Scene = Callable[..., Any]


def test_set_trigger_next_message_names_the_interaction_that_comes_next(scene: Scene) -> None:
    assert scene().run("botContext.setTriggerNextMessage('x')").effects == [Trigger("x")]


@pytest.mark.parametrize("nothing", ["null", "undefined", ""])
def test_set_trigger_next_message_of_nothing_is_passed_on_as_nothing(scene: Scene, nothing: str) -> None:
    assert scene().run(f"botContext.setTriggerNextMessage({nothing})").effects == [Trigger(None)]


@pytest.mark.parametrize(
    ("given", "ms"), [("1500", 1500), ("'1500'", 1500), ("1499.6", 1500), ("-1", 0), ("'soon'", 0), ("1e12", 1_000_000)]
)
def test_set_message_delay_takes_milliseconds(scene: Scene, given: str, ms: int) -> None:
    assert scene().run(f"botContext.setMessageDelay({given})").effects == [Delay(ms)]


@pytest.mark.parametrize(("given", "on"), [("true", True), ("false", False), ("'false'", False), ("'true'", True)])
def test_set_allow_max_text_response_switches_splitting(scene: Scene, given: str, on: bool) -> None:
    assert scene().run(f"botContext.setAllowMaxTextResponse({given})").effects == [AllowLongText(on=on)]


OPTIONS = "['A) Springfield\\n', 'B. New Town', '[C] Old - Town', '10: Ten', 'Plain', 'E)Yes']"


@pytest.mark.parametrize(
    ("answer", "chosen"),
    [
        ("a", "A) Springfield\n"),
        ("A)", "A) Springfield\n"),
        ("a.", "A) Springfield\n"),
        ("(a)", "A) Springfield\n"),
        (" springfield ", "A) Springfield\n"),
        ("A)Springfield", "A) Springfield\n"),
        ("B", "B. New Town"),
        ("b. new  town", "B. New Town"),
        ("c", "[C] Old - Town"),
        ("old - town", "[C] Old - Town"),
        ("10", "10: Ten"),
        ("plain", "Plain"),
        ("yes", "E)Yes"),
        ("e) yes", "E)Yes"),
        ("d", None),
        ("", None),
        ("new", None),
        ("b) springfield", None),
    ],
)
def test_evaluate_options_finds_the_option_by_letter_or_label(scene: Scene, answer: str, chosen: str | None) -> None:
    source = (
        f"botContext.setBotVariable('r', botContext.evaluateOptions(botContext.getCurrentUserMessage(), {OPTIONS}))"
    )
    (effect,) = scene().run(source, text=answer).effects
    assert effect.value == chosen


def test_the_option_that_is_found_can_be_looked_up_in_the_list(scene: Scene) -> None:
    assert scene().logs(f"{OPTIONS}.indexOf(botContext.evaluateOptions('e', {OPTIONS}))") == "5"


def test_is_api_execution_successful_is_a_boolean(scene: Scene) -> None:
    assert scene(api_success=True).logs("botContext.isApiExecutionSuccessful() === true") == "true"
    assert scene().logs("botContext.isApiExecutionSuccessful() === false") == "true"


def test_get_api_status_code_is_a_text(scene: Scene) -> None:
    assert scene(api_status="200").logs("botContext.getApiStatusCode() === '200'") == "true"
    assert scene().logs("botContext.getApiStatusCode() === null") == "true"


def test_get_file_caption_and_type_say_that_there_is_no_file(scene: Scene) -> None:
    assert scene().logs("botContext.getFileCaption() + botContext.getFileType()") == "__EMPTYTEXT__null"


@pytest.mark.parametrize("arguments", ["", "'c', 'u', 'g'", "null, null, ''"])
def test_ask_maven_answers_that_no_rule_matched(scene: Scene, arguments: str) -> None:
    turn = scene()
    answer = f"JSON.parse(botContext.askMaven({arguments}))"
    assert turn.logs(f"{answer}.noMatchReason") == "NO_MATCHED_RULES"
    assert turn.logs(f"{answer}.rule === null && {answer}.nextActionId === null") == "true"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("transferToBotDialog", "'bot', 'dialog', null"),
        ("setBotTransferIntentbyDomain", "'intent', 'domain'"),
        ("setBotTransferIntentId", "'1'"),
        ("setBotTransferIntentID", "'1'"),
        ("setBotTransferUserMessage", "'hello'"),
    ],
)
def test_a_transfer_to_another_bot_is_a_warning_and_the_script_goes_on(scene: Scene, name: str, arguments: str) -> None:
    outcome = scene().run(f"var r = botContext.{name}({arguments}); botContext.sendMessage(String(r))")
    assert outcome.effects == [Warn("unsupported-function", name), Say("undefined")]


@pytest.mark.parametrize(
    "call", ["botContext.doMagic(1)", "botContext['do' + 'Magic']()", "var b = botContext; b.doMagic()"]
)
def test_an_unknown_function_is_a_warning_and_gives_nothing(scene: Scene, call: str) -> None:
    outcome = scene().run(f"{call}; {call}; botContext.sendMessage('on')")
    assert outcome.error is None
    assert outcome.effects == [Warn("unknown-function", "doMagic"), Say("on")]


@pytest.mark.parametrize("name", ["getChatBotName", "getSlot", "sendQuickReply", "breakExecution", "getLPUserId"])
def test_functions_that_never_existed_are_unknown(scene: Scene, name: str) -> None:
    assert scene().run(f"botContext.{name}('a')").effects == [Warn("unknown-function", name)]


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


def test_functions_need_their_prefix(scene: Scene) -> None:
    assert scene().run("sendMessage('a')").error == "ReferenceError: sendMessage is not defined"


def test_functions_work_when_they_are_taken_off_the_object(scene: Scene) -> None:
    assert scene().run("var log = botContext.printDebugMessage; log('a')").effects == [Log("a")]
