"""Kinds of interactions that few exports have: pickers, uploads, searches, surveys (CB: reference/dialogs.md 5.2, 5.3)."""

from typing import Any

import pytest

from shared.dialog.effects import ContextWrite, Transfer
from shared.dialog.texts import NOT_UNDERSTOOD
from tests.unit.dialog.bots import (
    Part,
    bot,
    call,
    choices,
    chooses,
    dialog,
    go,
    integration,
    interaction,
    knows,
    no_match,
    question,
    says,
    starter,
    text,
)
from tests.unit.dialog.talk import Talk


def shown(*interactions: Part, **more: Any) -> Talk:
    """Give a conversation that has just come to these interactions."""
    talk = Talk(bot(dialog("D", starter("hi"), *interactions), **more))
    talk.say("hi")
    return talk


def titles(talk: Talk) -> list[str]:
    (card,) = talk.contents()
    return [one.get("title") or one["text"] for one in card["elements"]]


def said_by(talk: Talk) -> list[str]:
    (card,) = talk.contents()
    return [one["click"]["actions"][0]["text"] for one in card["elements"] if one["type"] == "button"]


PIZZAS = {
    "sections": [
        {"title": "Classic", "items": [{"title": "Margherita", "subtitle": "8 €"}, {"title": "Marinara"}]},
        {"title": "New", "items": ["Zucchini"]},
    ]
}


def test_a_list_picker_shows_its_sections_and_a_button_for_each_item() -> None:
    talk = shown(interaction("LIST_PICKER", "l", {"text": "Which?", "listPicker": PIZZAS}))
    assert titles(talk) == ["Which?", "Classic", "Margherita: 8 €", "Marinara", "New", "Zucchini"]
    assert talk.question == "l"


def test_picking_says_what_the_picker_would_have_said() -> None:
    rules = (go("yes", when=says("User Selected: Marinara")), go("none"))
    talk = shown(interaction("LIST_PICKER", "l", {"listPickerWidget": PIZZAS}, rules), text("yes"))
    assert said_by(talk)[1] == "User Selected: Marinara"
    assert talk.say(said_by(talk)[1]) == ["yes"]


def test_a_time_picker_names_its_event_and_its_times() -> None:
    times = {
        "eventTitle": "Visit",
        "timeslots": [{"startTime": "2030-01-02T10:00+0000"}, {"start": "2030-01-02T11:00+0000"}],
    }
    talk = shown(interaction("TIME_PICKER", "t", {"text": "When?", "timePicker": times}))
    assert titles(talk) == ["When?", "2030-01-02T10:00+0000", "2030-01-02T11:00+0000"]
    assert said_by(talk)[0] == "For Visit User Selected: 2030-01-02T10:00+0000"


@pytest.mark.parametrize("widget", [None, 7, "x", {"sections": 3}, {"sections": [None, {"items": [{}]}]}])
def test_a_picker_that_cannot_be_read_shows_its_text_and_waits(widget: object) -> None:
    talk = shown(interaction("LIST_PICKER", "l", {"text": "Which?", "listPicker": widget}), text("then"))
    assert talk.texts == ["Which?"]
    assert talk.warnings == ["invalid-content"]
    assert talk.say("anything") == ["then"]


def test_an_item_of_a_picker_that_names_an_array_field_is_repeated_for_each_element() -> None:
    picker = interaction("LIST_PICKER", "l", {"listPicker": {"items": [{"title": "{Store.name}"}]}})
    store = integration("Store", fields={"name": "api_Store.list[i].name"})
    talk = shown(call("c", "Store"), picker, integrations=(store,))
    talk.answer(200, {"list": [{"name": "North"}, {"name": "South"}]})
    assert titles(talk) == ["North", "South"]


def test_a_rich_link_is_a_picture_and_a_button_that_opens_its_address() -> None:
    tile = {"url": "https://example.com/{$userMessage}", "title": "Shop", "image": "https://example.com/a.png"}
    talk = shown(interaction("APPLE_RICHLINK", "r", tile), text("then"))
    assert talk.texts == ["<rich>", "then"]
    image, button = talk.contents()[0]["elements"]
    assert (image["type"], image["url"]) == ("image", "https://example.com/a.png")
    assert button["title"] == "Shop"
    assert button["click"]["actions"][0]["uri"] == "https://example.com/hi"
    assert shown(interaction("APPLE_RICHLINK", "r", {"title": "no address"}), text("then")).texts == ["then"]


UPLOAD = {"text": "Send a photo", "fileUpload": {"failureMessage": "It did not work."}}


def test_a_file_upload_says_its_text_and_then_that_it_failed_and_waits() -> None:
    talk = shown(interaction("FILE_UPLOAD", "u", UPLOAD), text("then"))
    assert talk.texts == ["Send a photo", "It did not work."]
    assert talk.question == "u"
    assert talk.warnings == ["unsupported-interaction"]
    assert talk.say("well") == ["then"]


def test_a_file_upload_without_a_failure_message_says_the_usual_one() -> None:
    talk = shown(interaction("FILE_UPLOAD", "u", {"text": "Send a photo"}))
    assert talk.texts[1] == "Failed to process the file. Please try again."


@pytest.mark.parametrize("condition", [says("file_upload_failed:*"), no_match()])
def test_a_rule_of_a_file_upload_hears_that_it_failed(condition: Part) -> None:
    rule = go("sorry", when=condition)
    talk = shown(interaction("FILE_UPLOAD", "u", UPLOAD, (rule,)), text("then"), text("sorry", "{$userMessage}"))
    assert talk.texts == ["Send a photo", "It did not work.", "file_upload_failed:It did not work."]


def test_the_default_rule_of_a_file_upload_waits_for_the_consumer() -> None:
    talk = shown(
        interaction("FILE_UPLOAD", "u", UPLOAD, (go("sorry", when=no_match()), go("next"))), text("then"), text("sorry")
    )
    assert talk.texts == ["Send a photo", "It did not work."]


def test_a_starter_hears_that_an_upload_failed() -> None:
    failed = dialog("Failed", starter("file_upload_failed:*"), text("try later", then="none"))
    talk = Talk(bot(dialog("D", starter("hi"), interaction("FILE_UPLOAD", "u", UPLOAD)), failed))
    assert talk.say("hi") == ["Send a photo", "It did not work.", "try later"]


def test_uploads_that_lead_to_each_other_end() -> None:
    rule = go("u", when=says("file_upload_failed:*"))
    talk = shown(interaction("FILE_UPLOAD", "u", UPLOAD, (rule,)))
    assert "chain-limit" in talk.warnings
    assert len(talk.texts) < 50
    upload = interaction("FILE_UPLOAD", "u", UPLOAD, (go("next", when=says("yes")),))
    talk = Talk(bot(dialog("D", starter("hi", "file_upload_failed:*"), upload)))
    talk.say("hi")
    assert "chain-limit" in talk.warnings


def test_a_private_message_is_in_the_trace_only() -> None:
    talk = shown(interaction("PRIVATE_MESSAGE", "p", {"text": "for {$userMessage} agents"}), text("then"))
    assert talk.texts == ["then"]
    assert talk.lines("private-message")[0].values == {"text": "for hi agents"}


def faq(*rules: Part, content: str = "Nothing found", **more: Any) -> Part:
    return interaction(
        "KB_FAQ", "faq", {"text": content, "faqTileWidget": {"responseDataVariable": "faq"}}, rules, **more
    )


def test_a_knowledge_search_finds_nothing_says_so_and_takes_that_way() -> None:
    rules = (go("found", when=knows("MATCH_FOUND")), go("missed", when=knows("MATCH_NOT_FOUND")), go("next"))
    talk = shown(faq(*rules), text("then", then="none"), text("found", then="none"), text("missed"))
    assert talk.texts == ["Nothing found", "missed"]
    assert shown(faq(go("next"), content="BLANK_MESSAGE"), text("then")).texts == ["then"]


def test_scripts_see_that_a_knowledge_search_found_nothing() -> None:
    tell = "botContext.sendMessage(botContext.getBotVariable('api_faq').jsonData)"
    talk = shown(faq(go("next"), post=tell), text("then", "[{$.api_faq.results[0].title}]"))
    assert talk.texts == ['{"api_faq":{"results":[]}}', "Nothing found", "[]"]


def test_dynamic_routing_hands_over_to_its_fallback_skill() -> None:
    tile = {"text": "One moment", "escalation": {"agentSkillId": "77"}}
    talk = shown(interaction("ORCHESTRATOR", "o", tile), text("never"))
    assert [effect for effect in talk.turn.effects if isinstance(effect, Transfer)] == [Transfer("One moment", "77")]


def test_dynamic_routing_without_a_fallback_skill_goes_on_and_leaves_what_it_asked_in_the_context() -> None:
    talk = shown(interaction("ORCHESTRATOR", "o", {}), text("then"))
    assert talk.texts == ["then"]
    written = {one.name: one.value for one in talk.turn.effects if isinstance(one, ContextWrite)}
    assert written == {"channel": '"lp_web"', "userMessage": '"hi"', "intent": "null"}
    assert talk.lines("routing")[0].note == "no matched rules: its fallback is taken"


@pytest.mark.parametrize("kind", ["SURVEY", "FCR_SURVEY_QUESTION", "CSAT", "NPS", "CUSTOM_SURVEY"])
def test_the_questions_of_a_survey_are_questions_with_what_they_carry(kind: str) -> None:
    choice = {"multipleChoices": ["Yes", "No"], "displayChoice": "BUTTON"}
    rules = (go("next", when=chooses("Yes")),)
    talk = shown(interaction(kind, "s", {"text": "Solved?", "multipleChoice": choice}, rules), text("thanks"))
    assert titles(talk) == ["Solved?", "Yes", "No"]
    assert talk.say("yes") == ["thanks"]


def test_a_question_of_a_survey_may_offer_quick_replies_or_buttons_or_nothing() -> None:
    talk = shown(interaction("NPS", "s", {"text": "0 to 10?"}, quickReplies=[{"title": "0"}, {"title": "10"}]))
    assert talk.offers() == [("0", "0"), ("10", "10")]
    talk = shown(interaction("CSAT", "s", {"text": "Fine?", "buttons": [{"name": "Yes", "type": "postback"}]}))
    assert titles(talk) == ["Fine?", "Yes"]
    talk = shown(interaction("CUSTOM_SURVEY", "s", {"text": "Why?"}), text("thanks"))
    assert (talk.texts, talk.question) == (["Why?"], "s")


@pytest.mark.parametrize(
    ("style", "lines"), [("NUMBERS", "1. Red\n2. Blue"), ("LETTERS", "A. Red\nB. Blue"), ("", "Red\nBlue")]
)
def test_choices_are_a_list_on_channels_that_have_only_text(style: str, lines: str) -> None:
    made = bot(
        dialog(
            "D",
            starter("hi"),
            choices("m", "Which?", "Red", "Blue", style=style, rules=(go("next", when=chooses("Blue")),)),
            text("blue"),
        )
    )
    talk = Talk(made, channel="lp_sms")
    assert talk.say("hi") == [f"Which?\n{lines}"]
    assert talk.say("2" if style == "NUMBERS" else "b" if style else "Blue") == ["blue"]


def test_a_universal_tile_that_wants_no_answer_is_a_statement() -> None:
    card = {"universalWidget": {"leMessageJson": '{"type": "text", "text": "x"}'}}
    talk = shown(interaction("UNIVERSAL", "u", card, userInputRequired=False), text("then"))
    assert talk.texts == ["<rich>", "then"]
    assert shown(interaction("UNIVERSAL", "u", card, userInputRequired=True), text("then")).texts == ["<rich>"]


def test_an_unknown_kind_is_traced_when_it_is_reached() -> None:
    talk = shown(interaction("MOON_PHASE", "m", {"text": "never"}), text("then"))
    assert talk.texts == ["then"]
    assert talk.warnings == ["unsupported-interaction"]


@pytest.mark.parametrize("kind", ["EMAIL", "FAAS", "KB", "FILE", "LP_AGENT_ESCALATION"])
def test_an_integration_that_cannot_be_called_fails_like_any_other_and_post_process_sees_it(kind: str) -> None:
    tell = "botContext.sendMessage(botContext.isApiExecutionSuccessful() + ' ' + botContext.getApiStatusCode())"
    faas = integration("Mail", integrationType=kind)
    rules = (go("failed", when={"matchType": "API_RESULT", "apiResultsMatch": {"status": "FAILURE"}}), go("next"))
    talk = shown(call("c", "Mail", *rules, post=tell), text("then"), text("failed"), integrations=(faas,))
    assert talk.texts == ["false 0", "failed"]
    assert talk.warnings == ["unsupported-integration"]


def test_an_integration_that_is_missing_from_the_export_fails_the_same_way() -> None:
    tell = "botContext.sendMessage('post')"
    talk = shown(call("c", "None", post=tell), question("q"))
    assert talk.texts == ["post", "Sorry, I could not find anything for that.", "q"]


def test_a_rule_by_knowledge_never_matches_at_a_question() -> None:
    talk = shown(question("q", "", go("next", when=knows("MATCH_NOT_FOUND"))), text("then"))
    assert talk.say("x") == [NOT_UNDERSTOOD, "q"]
