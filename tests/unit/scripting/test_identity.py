"""Who talks with whom, and what is known about the consumer (CB: reference/scripting.md 1.5)."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.dialog.scripts import SetVariable

Scene = Callable[..., Any]


def test_get_chat_bot_id_gives_the_bots_id(scene: Scene) -> None:
    assert scene(bot_id="bot-1").logs("botContext.getChatBotId()") == "bot-1"


def test_get_conversation_id_gives_the_conversations_id(scene: Scene) -> None:
    assert scene(conversation_id="0-c").logs("botContext.getConversationId()") == "0-c"


def test_get_lp_account_id_gives_the_account(scene: Scene) -> None:
    assert scene(account_id="acc").logs("botContext.getLPAccountId()") == "acc"


def test_get_user_platform_id_gives_the_user_id_that_web_views_post(scene: Scene) -> None:
    assert scene(user_id="user-1").logs("botContext.getUserPlatformId()") == "user-1"


@pytest.mark.parametrize(
    ("prop", "state"),
    [
        ("chatBotId", {"bot_id": "v"}),
        ("conversationId", {"conversation_id": "v"}),
        ("userPlatformId", {"user_id": "v"}),
        ("userChannel", {"channel": "v"}),
        ("currentUserMessage", {"text": "v"}),
        ("LPAccountId", {"account_id": "v"}),
        ("apiStatusCode", {"api_status": "v"}),
    ],
)
def test_getters_can_be_read_as_bean_properties(scene: Scene, prop: str, state: dict[str, str]) -> None:
    assert scene(**state).logs(f"botContext.{prop}") == "v"


def test_getters_that_answer_yes_or_no_can_be_read_as_bean_properties(scene: Scene) -> None:
    assert scene(api_success=True).logs("botContext.apiExecutionSuccessful + ',' + botContext.contextApiEnabled") == (
        "true,true"
    )


def test_getters_that_need_an_argument_are_no_bean_properties(scene: Scene) -> None:
    outcome = scene().run("botContext.contextDataForUser; botContext.botVariable; botContext.webViewVariable")
    assert (outcome.effects, outcome.error) == ([], None)


def test_get_user_channel_gives_the_conversations_channel(scene: Scene) -> None:
    assert scene(channel="lp_whatsapp").logs("botContext.getUserChannel()") == "lp_whatsapp"


@pytest.mark.parametrize(("channel", "old"), [("lp_web", "lp_web"), ("lp_sms", "lp_sms"), ("twilio_sms", "sms")])
def test_the_deprecated_get_channel_gives_its_own_names(scene: Scene, channel: str, old: str) -> None:
    assert scene(channel=channel).logs("botContext.getChannel()") == old


@pytest.mark.parametrize(
    ("channel", "kind"),
    [("lp_web", "HTMLCLIENT"), ("lp_fb", "FACEBOOK"), ("twilio_sms", "SMS"), ("lp_abc", "ABC"), ("lp_inapp", "INAPP")],
)
def test_the_removed_get_user_platform_type_still_names_the_platform(scene: Scene, channel: str, kind: str) -> None:
    assert scene(channel=channel).logs("botContext.getUserPlatformType()") == kind


def test_get_lp_engagement_attribute_gives_a_text_by_key(scene: Scene) -> None:
    assert scene(engagement={"campaignId": "7"}).logs("botContext.getLPEngagementAttribute('campaignId')") == "7"


def test_get_lp_engagement_attribute_of_an_unknown_key_gives_null(scene: Scene) -> None:
    assert scene().logs("botContext.getLPEngagementAttribute('os') === null") == "true"


@pytest.mark.parametrize("known", ["rtSessionId", "rtSesssionId"])
@pytest.mark.parametrize("asked", ["rtSessionId", "rtSesssionId"])
def test_the_session_attribute_goes_by_both_of_its_spellings(scene: Scene, known: str, asked: str) -> None:
    assert scene(engagement={known: "s"}).logs(f"botContext.getLPEngagementAttribute('{asked}')") == "s"


def test_get_lp_user_personal_info_gives_the_inner_object(scene: Scene) -> None:
    turn = scene(personal_info={"firstname": "Ann", "contacts": [{"email": "a@b"}]})
    assert turn.logs("botContext.getLPUserPersonalInfo().contacts[0].email") == "a@b"


@pytest.mark.parametrize(
    "personal", [None, {}, {"gender": "F"}, {"firstname": "", "lastname": "", "company": "", "age": {"age": 3}}]
)
def test_get_lp_user_personal_info_without_any_name_gives_null(scene: Scene, personal: Any) -> None:
    assert scene(personal_info=personal).logs("botContext.getLPUserPersonalInfo() === null") == "true"


@pytest.mark.parametrize("name", ["firstname", "lastname", "company"])
def test_one_name_is_enough_for_get_lp_user_personal_info(scene: Scene, name: str) -> None:
    assert scene(personal_info={name: "x"}).logs(f"botContext.getLPUserPersonalInfo().{name}") == "x"


def test_get_lp_customer_info_gives_the_inner_object(scene: Scene) -> None:
    assert scene(customer_info={"ctype": "vip"}).logs("botContext.getLPCustomerInfo().ctype") == "vip"


def test_get_lp_customer_info_without_authentication_gives_null(scene: Scene) -> None:
    assert scene().logs("botContext.getLPCustomerInfo() === null") == "true"


@pytest.mark.parametrize(("of", "kept"), [("Email", "__email"), ("UserName", "__userName")])
def test_removed_setters_of_name_and_address_keep_them_for_the_consumer(scene: Scene, of: str, kept: str) -> None:
    assert scene().run(f"botContext.set{of}('a')").effects == [SetVariable(kept, "a", "forever")]
    assert scene().logs(f"botContext.get{of}()", variables={kept: "a"}) == "a"
    assert scene().logs(f"botContext.get{of}() === null") == "true"


def test_the_removed_get_user_location_gives_a_place_without_values(scene: Scene) -> None:
    turn = scene()
    for name in ["getState", "getLatitude", "getLongitude", "getZipCode", "getCity"]:
        assert turn.logs(f"botContext.getUserLocation().{name}() === null") == "true"
