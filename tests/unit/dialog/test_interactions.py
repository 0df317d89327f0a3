"""What each kind of interaction shows (CB: reference/dialogs.md 5.2, 6; R12, R16)."""

import json
from typing import Any

import pytest

from tests.unit.dialog.bots import Part, bot, dialog, go, interaction, question, says, starter, text, tiled
from tests.unit.dialog.talk import Talk


def shown(*interactions: Part, **more: Any) -> Talk:
    """Give a conversation that has just come to these interactions."""
    talk = Talk(bot(dialog("D", starter("hi", pre=more.pop("pre", "")), *interactions), **more))
    talk.say("hi")
    return talk


def button(name: str, kind: str = "postback", **more: Any) -> Part:
    return {"name": name, "type": kind, **more}


def said_by(element: dict[str, Any]) -> str:
    text_said: str = element["click"]["actions"][0]["text"]
    return text_said


def test_an_image_is_rich_content() -> None:
    talk = shown(interaction("IMAGE", "i", {"url": "https://example.com/{$userMessage}.png"}))
    assert [(one["type"], one["url"]) for one in talk.contents()] == [("image", "https://example.com/hi.png")]


def test_an_image_without_an_address_is_not_sent() -> None:
    assert shown(interaction("IMAGE", "i", {"url": "{$botContext.none}"}), text("then")).texts == ["then"]


def test_quick_replies_hang_on_the_text_and_say_their_payload() -> None:
    replies = [{"type": "text", "title": "Quiz me!", "payload": "Quiz"}, {"type": "text", "title": "Stop"}]
    talk = shown(interaction("QUICK_REPLY", "q", {"text": "What now?"}, quickReplies=replies))
    assert talk.texts == ["What now?"]
    assert talk.offers() == [("Quiz me!", "Quiz"), ("Stop", "Stop")]
    assert talk.question == "q"


@pytest.mark.parametrize(("wanted", "given"), [(3, 3), ("2", 2), (13, 8), (0, 1), ("all", 8)])
def test_quick_replies_stand_in_rows_of_one_to_eight(wanted: object, given: int) -> None:
    tile = {"text": "What now?", "quickReplyWidget": {"choicesPerRow": wanted}}
    talk = shown(interaction("QUICK_REPLY", "q", tile, quickReplies=[{"title": "A"}]))
    assert talk.replies[0].quick_replies is not None
    assert talk.replies[0].quick_replies["itemsPerRow"] == given


def test_a_location_quick_reply_without_a_title_can_be_tapped() -> None:
    talk = shown(interaction("QUICK_REPLY", "q", {"text": "Where?"}, quickReplies=[{"type": "location"}]))
    assert talk.offers() == [("Share location", "Share location")]


def test_buttons_say_their_callback_or_open_their_address() -> None:
    buttons = [
        button("Yes", callback="yes_1"),
        button("Site", "web_url", callback="https://example.com", target="slideout"),
        button("No"),
    ]
    talk = shown(interaction("BUTTON", "b", {"text": "Sure?", "buttons": buttons}))
    (card,) = talk.contents()
    assert [element["type"] for element in card["elements"]] == ["text", "button", "button", "button"]
    assert said_by(card["elements"][1]) == "yes_1"
    link = card["elements"][2]["click"]["actions"][0]
    assert (link["type"], link["uri"], link["target"]) == ("link", "https://example.com", "slideout")
    assert said_by(card["elements"][3]) == "No"
    assert talk.question == "b"


def test_the_payload_of_a_tapped_button_or_quick_reply_is_at_hand_for_scripts() -> None:
    tell = "botContext.sendMessage(botContext.getButtonPayload() + ' ' + botContext.getQuickReplyPayload())"
    buttons = interaction("BUTTON", "b", {"text": "Sure?", "buttons": [button("Yes", callback="yes_1")]}, response=tell)
    quick = [{"type": "text", "title": "Quiz me!", "payload": "Quiz"}]
    talk = shown(
        buttons,
        interaction("QUICK_REPLY", "q", {"text": "What?"}, quickReplies=quick, response=tell),
        text("end", "{$quickReplyPayload}"),
    )
    assert talk.say("Yes", payload="yes_1") == ["yes_1 null", "What?"]
    assert talk.say("quiz") == ["null Quiz", "Quiz"]


def test_a_multiple_choice_question_is_buttons_or_quick_replies() -> None:
    choices = {"multipleChoices": ["One", "{$userMessage}"], "displayChoice": "BUTTON"}
    (card,) = shown(
        interaction("MULTIPLE_CHOICE_QUESTION", "m", {"text": "Pick", "multipleChoice": choices})
    ).contents()
    assert [said_by(element) for element in card["elements"][1:]] == ["One", "hi"]
    choices["displayChoice"] = "QUICK_REPLY"
    talk = shown(interaction("MULTIPLE_CHOICE_QUESTION", "m", {"text": "Pick", "multipleChoice": choices}))
    assert talk.texts == ["Pick"]
    assert talk.offers() == [("One", "One"), ("hi", "hi")]


def test_one_tile_is_a_card_and_several_are_a_carousel() -> None:
    tile = {
        "title": "A",
        "subTitle": "about a",
        "image": "https://example.com/a.png",
        "buttons": [button("Take", callback="take a")],
    }
    talk = shown(tiled("STRUCTURED", "s", tile))
    (card,) = talk.contents()
    assert [element["type"] for element in card["elements"]] == ["image", "text", "text", "button"]
    assert [element.get("tag") for element in card["elements"][1:3]] == ["title", "subtitle"]
    assert talk.question == "s"
    (carousel,) = shown(tiled("STRUCTURED", "s", tile, tile)).contents()
    assert (carousel["type"], len(carousel["elements"])) == ("carousel", 2)


def universal(source: str, **more: Any) -> Part:
    return interaction("UNIVERSAL", "u", {"universalWidget": {"leMessageJson": source}}, **more)


def test_a_universal_tile_is_its_json_with_the_variables_filled_in() -> None:
    card = {"type": "vertical", "elements": [{"type": "text", "text": "Hi {$botContext.name}"}]}
    talk = shown(universal(json.dumps(card), pre="botContext.setBotVariable('name', 'A \"quoted\"\\nname\\\\')"))
    assert talk.contents()[0]["elements"][0]["text"] == 'Hi A "quoted"\nname\\'
    assert talk.question == "u"


def test_a_universal_tile_may_be_one_variable() -> None:
    script = "botContext.setBotVariable('card', JSON.stringify({type: 'text', text: 'made by \"code\"'}))"
    assert shown(universal("{$botContext.card}", pre=script)).contents() == [{"type": "text", "text": 'made by "code"'}]


def test_a_universal_tile_that_is_no_json_or_no_card_is_traced_and_not_shown() -> None:
    for source, warnings in (
        ("{nonsense", ["invalid-content"]),
        ('{"type": "spaceship"}', ["invalid-content"]),
        ('{"type": ["vertical"]}', ["invalid-content"]),
        ("[1]", ["invalid-content"]),
    ):
        talk = shown(universal(source), text("end"))
        assert talk.texts == []
        assert talk.warnings == warnings
        assert talk.question == "u"


def test_a_universal_tile_of_quick_replies_is_a_text_with_quick_replies() -> None:
    click = {"actions": [{"type": "publishText", "text": "yes"}]}
    replies = {"type": "quickReplies", "replies": [{"type": "button", "title": "Yes", "click": click}]}
    talk = shown(universal(json.dumps({"message": "Sure?", "quickReplies": replies})))
    assert talk.texts == ["Sure?"]
    assert talk.offers() == [("Yes", "yes")]


def test_braces_of_json_that_are_no_placeholders_stay() -> None:
    card = '{"type":"text","text":"{a} {Nobody.field} {$botContext.x}"}'
    assert (
        shown(universal(card), pre="botContext.setBotVariable('x', 1)").contents()[0]["text"] == "{a} {Nobody.field} 1"
    )


def test_an_unset_variable_is_empty_and_traced_and_a_text_that_renders_empty_is_not_sent() -> None:
    talk = shown(text("a", "Hello {$botContext.nobody}!"), text("b", " {$botContext.nobody} "), text("end"))
    assert talk.texts == ["Hello !", "end"]
    assert talk.warnings == ["unset-variable", "unset-variable"]


def test_system_placeholders_speak_of_the_conversation() -> None:
    placeholders = "{$conversationId} {$chatBotId} {$chatBotUserId} {$userMessage} {$query} {$env.shop} {$BotContext.x}"
    talk = shown(
        text("t", placeholders), manifest="[environment]\nshop = 7\n", pre="botContext.setBotVariable('x', 'X')"
    )
    assert talk.texts == ["0-c1 bot-1 consumer-1 hi hi 7 X"]


def test_an_unsupported_interaction_runs_its_code_and_next_action_and_is_found_at_loading() -> None:
    talk = shown(interaction("SECURE_FORM", "l", {"text": "never"}, pre="botContext.sendMessage('code')"), text("then"))
    assert talk.texts == ["code", "then"]
    assert [finding.code for finding in talk.bot.findings] == ["unsupported-interaction"]


def test_a_disabled_interaction_is_skipped_even_as_a_target() -> None:
    off = text("off", status="INACTIVE", pre="botContext.sendMessage('no')")
    assert shown(text("a"), off, text("b")).texts == ["a", "b"]
    assert shown(text("a", then="off"), text("x"), off, text("b")).texts == ["a", "b"]


def test_an_interaction_delay_waits_before_the_first_message_and_has_a_limit() -> None:
    talk = shown(text("a", delay="300", pre="botContext.sendMessage('said')"), text("b", delay=99_999), text("c"))
    assert [reply.delay_ms for reply in talk.replies] == [300, 0, 10_000, 0]


def test_a_delay_by_script_counts_for_all_messages_and_replaces_the_interactions_own() -> None:
    script = "botContext.setMessageDelay(500); botContext.sendMessages(['a', 'b']); botContext.setMessageDelay(200)"
    talk = shown(text("own", delay="3000", pre=script), text("next"))
    assert [(reply.text, reply.delay_ms) for reply in talk.replies] == [
        ("a", 200),
        ("b", 200),
        ("own", 200),
        ("next", 0),
    ]


def test_quick_replies_by_code_hang_on_the_own_message() -> None:
    talk = shown(question("q", "Sure?", pre="botContext.addQuickReplies(['Yes~y', 'No', ' ~x'])"))
    assert talk.texts == ["Sure?"]
    assert talk.offers() == [("Yes", "y"), ("No", "No")]


def test_quick_replies_by_code_join_those_of_the_interaction() -> None:
    own = interaction(
        "QUICK_REPLY",
        "q",
        {"text": "Sure?"},
        quickReplies=[{"title": "Own"}],
        pre="botContext.addQuickReplies(['Code'])",
    )
    assert shown(own).offers() == [("Own", "Own"), ("Code", "Code")]


def test_quick_replies_by_code_hang_on_the_last_message_of_the_code_if_the_interaction_shows_none() -> None:
    blank = text(
        "t", "BLANK_MESSAGE", pre="botContext.sendMessages(['a', 'b'])", post="botContext.addQuickReplies(['Yes'])"
    )
    talk = shown(blank)
    assert [(reply.text, reply.quick_replies is not None) for reply in talk.replies] == [("a", False), ("b", True)]
    talk = shown(text("t", "BLANK_MESSAGE", pre="botContext.addQuickReplies(['Yes'])"))
    assert talk.texts == []
    assert talk.warnings == ["refused"]


def test_a_message_with_quick_replies_by_code_has_at_most_ten() -> None:
    script = (
        "var r = []; for (var i = 0; i < 12; i++) r.push('T' + i); botContext.sendMessageWithQuickReplies('Pick', r)"
    )
    talk = shown(text("own", "BLANK_MESSAGE", pre=script))
    assert talk.texts == ["Pick"]
    assert len(talk.offers()) == 10


def test_metadata_of_a_button_goes_with_its_click() -> None:
    (card,) = shown(
        interaction("BUTTON", "b", {"buttons": [button("A", metadata=[{"type": "ExternalId", "id": "7"}])]})
    ).contents()
    assert card["elements"][0]["click"]["metadata"] == [{"type": "ExternalId", "id": "7"}]


def test_metadata_of_a_message_is_at_hand_for_scripts() -> None:
    script = (
        "botContext.sendMessage(String(botContext.getMetadata('ExternalId')[0].id) + botContext.getMetadata('Other'))"
    )
    talk = shown(question("q", "", go("next", when=says("*")), response=script), text("end"))
    assert talk.say("x", metadata=[{"type": "ExternalId", "id": "7"}]) == ["7null", "end"]


@pytest.mark.parametrize("flag", [True, False])
def test_whether_an_interaction_waits_depends_on_its_kind_and_not_on_the_flag(flag: bool) -> None:
    said = text("t", userInputRequired=flag)
    talk = shown(said, question("q", userInputRequired=flag), text("then"))
    assert talk.texts == ["t", "q"]
    assert talk.question == "q"


def test_titles_and_said_texts_of_controls_are_as_long_as_channels_take_them() -> None:
    long = [{"name": "n" * 200, "type": "postback", "callback": "c" * 300, "buttons": []}]
    (card,) = shown(interaction("BUTTON", "b", {"text": "Sure?", "buttons": long})).contents()
    made = card["elements"][1]
    assert (len(made["title"]), len(made["tooltip"])) == (128, 200)
    assert len(made["click"]["actions"][0]["text"]) == 256
