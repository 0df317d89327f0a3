"""Tokens for forms: made by the worker, for the conversation whose script asks, whatever the turn process says."""

from typing import Any

import msgspec
import pytest

from services.dialog_worker.form_tokens import FormTokenMaker
from shared.dialog.frames import Advance, Answer
from shared.dialog.scripts import MINTED
from shared.dialog.session import Conversation, Session
from shared.privacy.form_token import FormTokens, whose
from tests.services.dialog_worker.conftest import Talks

SECRETS = ("a-secret-for-tests-only",)
CONVERSATION = Conversation("0-" + "a" * 32, "bot", "user")
NOW = 1_800_000_000_000


def key(names: Any = ("size",), seconds: Any = 0, once: Any = False, *rest: Any) -> str:
    return MINTED + msgspec.json.encode([names, seconds, once, *rest]).decode()


def test_a_token_says_for_whom_for_what_and_until_when() -> None:
    made = FormTokenMaker(SECRETS).made(key(["size", "day"], 90, True, 7, 1), CONVERSATION, NOW)
    token = FormTokens(SECRETS).open(made["token"])
    assert (token.conversation_id, token.whose) == (CONVERSATION.id, whose("bot", "user"))
    assert (token.names, token.till, token.once) == (("size", "day"), NOW + 90_000, True)


@pytest.mark.parametrize(("seconds", "lives"), [(0, 3600), (-5, 3600), (0.5, 0.5), (86_400, 86_400), (1e9, 86_400)])
def test_a_token_lives_an_hour_unless_asked_otherwise_and_never_more_than_a_day(seconds: float, lives: float) -> None:
    made = FormTokenMaker(SECRETS).made(key(seconds=seconds), CONVERSATION, NOW)
    assert FormTokens(SECRETS).open(made["token"]).till - NOW == lives * 1000


@pytest.mark.parametrize(
    "asked",
    [MINTED, MINTED + "{", key("size"), key(seconds="1"), key(once=1), key([""]), key(["x" * 201]), key(["a"] * 201)],
)
def test_what_cannot_be_read_makes_no_token(asked: str) -> None:
    assert FormTokenMaker(SECRETS).made(asked, CONVERSATION, NOW) == {}


def test_a_token_that_no_header_could_hold_is_not_made_and_a_usual_one_is_short() -> None:
    maker = FormTokenMaker(SECRETS)
    assert maker.made(key(["x" * 199 + f"{number}" for number in range(10)]), CONVERSATION, NOW)["token"]
    assert maker.made(key([f"{number}" + "x" * 190 for number in range(40)]), CONVERSATION, NOW) == {}
    assert len(maker.made(key(["size", "day", "riderName"]), CONVERSATION, NOW)["token"]) < 300  # links may have 1,024


def test_no_other_bot_and_consumer_have_together_the_same_name() -> None:
    assert whose("bot", "user") != whose("botu", "ser")


def test_without_a_secret_there_are_no_tokens() -> None:
    assert FormTokenMaker(()).made(key(), CONVERSATION, NOW) == {}


def test_two_tokens_for_the_same_are_different_ones() -> None:
    maker = FormTokenMaker(SECRETS)
    first, second = (FormTokens(SECRETS).open(maker.made(key(), CONVERSATION, NOW)["token"]) for _ in range(2))
    assert first.id != second.id


async def test_a_turn_that_asks_for_a_token_is_run_again_with_it(talk_with: Talks) -> None:
    def engine(request: Advance) -> Answer:
        if key() not in request.context:
            return Answer(need=[key(), "user|prefs"])
        return Answer(Session(request.version))

    talk = await talk_with(engine)
    object.__setattr__(talk.parts, "form_tokens", FormTokenMaker(SECRETS))
    await talk.say("hi")
    await talk.work()
    _, second = talk.engine.asked
    token = FormTokens(SECRETS).open(second.context[key()]["token"])
    assert token.conversation_id == talk.id
    assert second.context["user|prefs"] == {}
    assert token.till >= second.event.at + 3_600_000
