"""E-mail integrations: mails that arrive, once, and mail servers that misbehave."""

import base64
import json
import ssl
from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.bot.integration import Policy
from shared.integration.attachment import Attachment
from shared.integration.client import Answer
from shared.integration.mailer import Mailer
from shared.integration.request import Request
from tests.services.integration_worker.calling import Waiting, words
from tests.services.integration_worker.mail_server import DROP, HANG, MailServer, contexts, mailing

PARTS = {
    "chatBotId": "b",
    "from": "old@example.com",
    "to": "{$botContext.email}",
    "replyTo": "Shop <shop@example.com>; help@example.com",
    "subject": "Order {$botContext.order}",
    "body": "Hello,\nthank you.\n.\n{$botContext.order} ü",
    "htmlEmail": False,
}


def mailing_responder(**parts: Any) -> dict[str, Any]:
    return {"id": "Mail", "name": "Mail", "integrationType": "EMAIL", "postBody": json.dumps({**PARTS, **parts})}


@pytest.fixture
async def mails() -> AsyncIterator[MailServer]:
    async with mailing() as server:
        yield server


async def publish(waiting: Waiting, server: MailServer, manifest: str = "", tables: str = "", **parts: Any) -> None:
    mail = f'[email]\nsmtp = "{server.url}"\nsender = "Bot <bot@example.com>"\n{tables}'
    await waiting.publish(mailing_responder(**parts), manifest=f"{manifest}{mail}")


async def test_a_mail_arrives_as_the_export_says(waiting: Waiting, mails: MailServer) -> None:
    await publish(waiting, mails)
    outcome = await waiting.made("Mail", email="jane@example.org", order='42 "ä"')
    assert (outcome.status, json.loads(outcome.body), words(outcome)) == (200, {"recipients": 1, "refused": 0}, ["200"])
    assert (outcome.method, outcome.address) == ("POST", mails.url)
    [taken] = mails.taken
    assert (taken.sender, taken.recipients) == ("bot@example.com", ["jane@example.org"])
    message = taken.message
    assert message["From"] == "Bot <bot@example.com>"
    assert message["To"] == "jane@example.org"
    assert message["Reply-To"] == "Shop <shop@example.com>, help@example.com"
    assert message["Subject"] == 'Order 42 "ä"'
    assert message.get_content_type() == "text/plain"
    assert message.get_content().replace("\r\n", "\n") == 'Hello,\nthank you.\n.\n42 "ä" ü\n'
    assert message["Message-ID"].endswith("@example.com>")
    assert message["Auto-Submitted"] == "auto-generated"


async def test_a_mail_may_be_html_and_go_to_many(waiting: Waiting, mails: MailServer) -> None:
    await publish(
        waiting, mails, htmlEmail="true", to="a@example.org, {$botContext.email}", body="<b>{$botContext.order}</b>"
    )
    await waiting.made("Mail", email="b@example.org", order="<i>1</i>")
    [taken] = mails.taken
    assert (taken.recipients, taken.message.get_content_type()) == (["a@example.org", "b@example.org"], "text/html")
    assert taken.message.get_content().strip() == "<b><i>1</i></b>"


TABLE: list[tuple[str, dict[str, list[str]], list[str], int | str, int]] = [
    # what the server says                                  attempts                        end            texts
    ("nothing is taken before it says so", {"HELO": [DROP, "220 ready"]}, ["unreachable", "200"], 200, 1),
    ("busy", {"HELO": ["421 busy", "220 ready"]}, ["unreachable", "200"], 200, 1),
    ("busy at the sender", {"MAIL": ["451 later", "250 ok"]}, ["unreachable", "200"], 200, 1),
    ("drops the sender", {"MAIL": [DROP, "250 ok"]}, ["unreachable", "200"], 200, 1),
    ("greylists the recipient", {"RCPT": ["450 later", "250 ok"]}, ["unreachable", "200"], 200, 1),
    ("refuses the recipient", {"RCPT": ["550 nobody"]}, ["refused"], "refused", 0),
    ("refuses the sender", {"MAIL": ["553 not you"]}, ["refused"], "refused", 0),
    ("does not take the text now", {".": ["452 full", "250 taken"]}, ["unreachable", "200"], 200, 2),
    ("refuses the text", {".": ["554 spam"]}, ["refused"], "refused", 1),
    ("drops after the text", {".": [DROP, "250 taken"]}, ["lost"], "lost", 1),
    ("hangs after the text", {".": [HANG, "250 taken"]}, ["timeout"], "timeout", 1),
    ("hangs before the text", {"RCPT": [HANG, "250 ok"]}, ["unreachable", "200"], 200, 1),
    ("hangs at the greeting", {"HELO": [HANG, "220 ready"]}, ["unreachable", "200"], 200, 1),
    ("is never there", {"HELO": [DROP]}, ["unreachable"] * 4, "unreachable", 0),
    ("drops the goodbye", {"QUIT": [DROP]}, ["200"], 200, 1),
    ("talks nonsense", {"HELO": ["HTTP/1.1 400 Bad Request"]}, ["unreachable"] * 4, "unreachable", 0),
]


@pytest.mark.parametrize(("name", "says", "attempts", "end", "texts"), TABLE, ids=[row[0] for row in TABLE])
async def test_a_mail_is_repeated_only_while_its_text_has_not_gone_out(
    waiting: Waiting,
    mails: MailServer,
    name: str,
    says: dict[str, list[str]],
    attempts: list[str],
    end: int | str,
    texts: int,
) -> None:
    mails.says = {command: list(answers) for command, answers in says.items()}
    hangs = any(HANG in answers for answers in says.values())
    await publish(waiting, mails, manifest="attempt_timeout = 1.2\n" if hangs else "")
    outcome = await waiting.made("Mail", email="jane@example.org", order=1)
    assert words(outcome) == attempts
    assert (outcome.failure or outcome.status) == end
    assert (mails.texts, sum(attempt.sent for attempt in outcome.attempts)) == (texts, texts)
    assert len(mails.taken) == (end == 200)
    assert "jane" not in outcome.failure_detail


async def test_a_mail_that_may_be_repeated_has_one_id(waiting: Waiting, mails: MailServer) -> None:
    mails.says = {".": [DROP, "250 taken"]}
    await publish(waiting, mails, manifest="repeat_unsafe = true\n")
    assert words(await waiting.made("Mail", email="jane@example.org", order=1)) == ["lost", "200"]
    assert mails.ids[0] == mails.ids[1]
    await waiting.made("Mail", email="jane@example.org", order=1)
    assert mails.ids[2] != mails.ids[0]


async def test_a_recipient_that_is_refused_among_others_is_counted(waiting: Waiting, mails: MailServer) -> None:
    mails.says = {"RCPT": ["550 nobody", "250 ok"]}
    await publish(waiting, mails, to="a@example.org, b@example.org")
    outcome = await waiting.made("Mail", order=1)
    assert json.loads(outcome.body) == {"recipients": 2, "refused": 1}
    assert len(mails.taken) == 1


async def test_it_logs_in_with_a_credential(waiting: Waiting, mails: MailServer) -> None:
    waiting.environment["MAIL_PASSWORD"] = "hush:hush"
    tables = 'credential = "mail"\n[credentials.mail]\ntype = "basic"\nusername = "bot"\npassword = { env = "MAIL_PASSWORD" }\n'
    await publish(waiting, mails, tables=tables)
    assert (await waiting.made("Mail", email="jane@example.org", order=1)).status == 200
    assert base64.b64decode(mails.taken[0].user.rpartition(" ")[2]) == b"\0bot\0hush:hush"
    mails.says = {"AUTH": ["535 no"]}
    outcome = await waiting.made("Mail", email="jane@example.org", order=1)
    assert (words(outcome), outcome.failure_detail) == (["refused"], "the mail server refused the login (535)")


@pytest.mark.parametrize(
    ("parts", "email", "why"),
    [
        ({}, "jane@example.org, evil@example.org", "more than an address"),
        ({}, "jane@example.org\r\nBcc: evil@example.org", "line break"),
        ({}, "jane", "no address"),
        ({}, "", "no recipient"),
        ({"to": "a@example.org, {$botContext.email}"}, "<x@y>", "more than an address"),
        ({"subject": "Hi {$botContext.email}"}, "a@example.org\nBcc: evil@example.org", "line break"),
        ({"to": ", ".join(f"a{n}@example.org" for n in range(21))}, "", "more than 20"),
    ],
)
async def test_a_value_cannot_add_a_recipient_or_a_header(
    waiting: Waiting, mails: MailServer, parts: dict[str, Any], email: str, why: str
) -> None:
    await publish(waiting, mails, **parts)
    outcome = await waiting.made("Mail", email=email, order=1)
    assert (outcome.failure, mails.connections) == ("invalid", 0)
    assert why in outcome.failure_detail
    assert "evil" not in outcome.failure_detail


# -- TLS ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    return contexts(tmp_path_factory.mktemp("tls"))


def rendered(url: str) -> Request:
    headers = {"From": "bot@example.com", "To": "jane@example.org", "Subject": "s", "Content-Type": "text/plain"}
    return Request("POST", url, headers, b"text")


async def send(url: str, trusted: ssl.SSLContext | None = None) -> Answer:
    return await Mailer(trusted).attempt(rendered(url), Policy(), limit=5, attachment=Attachment())


async def test_what_is_offered_is_used(tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    async with mailing(tls[0]) as server:
        assert (await send(server.url, tls[1])).ending.status == 200
        assert (await send(server.url.replace("smtp:", "smtp+plain:"), tls[1])).ending.status == 200
    assert [taken.tls for taken in server.taken] == [True, False]


async def test_tls_from_the_start(tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    async with mailing(tls[0], at_once=True) as server:
        assert (await send(server.url.replace("smtp:", "smtps:"), tls[1])).ending.status == 200
    assert server.taken[0].tls


@pytest.mark.parametrize("at_once", [False, True])
async def test_a_server_nobody_trusts_gets_nothing(tls: tuple[ssl.SSLContext, ssl.SSLContext], at_once: bool) -> None:
    async with mailing(tls[0], at_once=at_once) as server:
        answer = await send(server.url.replace("smtp:", "smtps:") if at_once else server.url)
    assert (answer.ending.failure, server.texts) == ("unreachable", 0)
    assert "TLS" in answer.ending.detail


async def test_elsewhere_a_server_has_to_offer_tls(mails: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.integration.mailer._is_this_machine", lambda _: False)
    answer = await send(mails.url)
    assert (answer.ending.failure, mails.texts) == ("refused", 0)
    assert "smtp+plain" in answer.ending.detail
