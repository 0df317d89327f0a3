"""Consumers who sign in elsewhere: a form posts their token, and templates know the page to sign in at."""

from shared.bot.model import Bot
from tests.unit.dialog.bots import bot, call, dialog, integration, starter, text
from tests.unit.dialog.talk import Talk

PAGE = "https://login.example.com/authorize?client_id=bot"
CONSUMER = f'[integrations.It]\ncredential = "them"\n[credentials.them]\ntype = "consumer"\nsign_in_url = "{PAGE}"\n'


def signing_in(manifest: str = "", **parts: object) -> Bot:
    told = text("told", "{$botContext.external_auth_url}|{$botContext.cidp_accessToken}")
    return bot(
        dialog("D", starter("hi"), told, call("c", "It")),
        manifest=manifest,
        integrations=(integration("It", **parts),),  # type: ignore[arg-type]
    )


def test_a_token_that_a_form_posted_is_read_like_a_variable() -> None:
    talk = Talk(signing_in(headers=[{"key": "Authorization", "value": "Bearer {$botContext.cidp_accessToken}"}]))
    talk.post({"cidp_accessToken": "theirs"})
    assert talk.say("hi") == ["|theirs"]
    assert talk.call is not None
    assert talk.call.values == {"$botContext.cidp_accessToken": "theirs"}


def test_a_variable_of_the_bot_comes_before_what_a_form_posted() -> None:
    own = text("own", pre="botContext.setBotVariable('cidp_accessToken', 'own', true, false)")
    told = text("told", "{$botContext.cidp_accessToken}")
    talk = Talk(bot(dialog("D", starter("hi"), own, told)))
    talk.post({"cidp_accessToken": "theirs"})
    assert talk.say("hi") == ["own", "own"]


def test_other_variables_of_forms_are_read_by_their_function_alone() -> None:
    talk = Talk(bot(dialog("D", starter("hi"), text("told", "<{$botContext.size}>"))))
    talk.post({"size": "M"})
    assert talk.say("hi") == ["<>"]


def test_a_credential_says_where_to_sign_in_and_carries_the_token_to_the_call() -> None:
    talk = Talk(signing_in(CONSUMER))
    talk.post({"cidp_accessToken": "theirs"})
    assert talk.say("hi") == [f"{PAGE}|theirs"]
    assert talk.call is not None
    assert talk.call.values == {"$botContext.cidp_accessToken": "theirs"}


def test_a_credential_may_name_another_variable() -> None:
    talk = Talk(signing_in(CONSUMER + 'variable = "theirToken"\n'))
    talk.post({"theirToken": "theirs"})
    talk.say("hi")
    assert talk.call is not None
    assert talk.call.values == {"$botContext.theirToken": "theirs"}
