"""What a mail says, whatever its values are."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.bot.integration import Integration
from shared.bot.templates import compile_template
from shared.integration.filling import InvalidRequest, whole_characters
from shared.integration.mailer import message_of
from shared.integration.request import render_request
from shared.integration.shown import show_request


def mail(sender: str = "Bot <bot@example.com>", **parts: Any) -> Integration:
    said = {"to": "jane@example.org", "subject": "s", "body": "b", **parts}
    return Integration(
        id="m",
        name="Mail",
        kind="EMAIL",
        variable="Mail",
        method="POST",
        url=compile_template("smtp://mail.example.com"),
        body=compile_template(json.dumps(said)),
        sender=sender,
    )


HEADERS = {"From", "To", "Subject", "Message-ID", "Date", "Auto-Submitted"}
HEADERS |= {"Content-Type", "MIME-Version", "Content-Transfer-Encoding"}
EVERYWHERE = mail(
    sender="",
    **{"from": "Bot <b{$botContext.v}@example.com>", "replyTo": "x{$botContext.v}@example.com"},
    to="{$botContext.v}, second@example.org",
    subject="S {$botContext.v}",
    body="B {$botContext.v}",
)


@given(
    st.text() | st.from_regex(r"[a-z]{1,5}[\r\n,;<>\x0b\x0c\x1c\x85\u2028: @]{1,3}[a-zA-Z]{1,5}: [a-z]@[a-z]\.example")
)
@example("a@b.example\nBcc: c@d.example")
@example("a@b.example, c@d.example")
@example("a@b.example\u2028Bcc: c@d.example")
@example("a@b.example\x0bBcc: c@d.example")
def test_no_value_adds_a_header_or_a_recipient(value: str) -> None:
    for made in (EVERYWHERE, mail(subject="S {$botContext.v}"), mail(to="{$botContext.v}")):
        try:
            request = render_request(made, {"$botContext.v": value})
        except InvalidRequest:
            continue
        message = message_of(request)
        assert {name for name in message if name != "Reply-To"} == HEADERS
        assert len(list(message)) <= len(HEADERS) + 1
        assert len(message["To"].addresses) <= 2
        assert len(message["From"].addresses) == 1
        assert b"\r\nbcc:" not in message.as_bytes().partition(b"\r\n\r\n")[0].lower()


@given(st.text(max_size=200))
def test_any_text_arrives_as_it_is(value: str) -> None:
    request = render_request(mail(body="<{$botContext.v}>"), {"$botContext.v": value})
    assert request.body is not None
    sent, got = request.body.decode(), message_of(request).get_content()
    assert sent == f"<{whole_characters(value)}>".replace("\0", "")
    assert got.splitlines() == sent.splitlines()


def test_the_manifests_sender_wins_over_the_exports() -> None:
    request = render_request(mail(**{"from": "old@example.com"}), {})
    assert request.headers["From"] == "Bot <bot@example.com>"
    assert render_request(mail(sender="", **{"from": "old@example.com"}), {}).headers["From"] == "old@example.com"


@pytest.mark.parametrize(
    ("parts", "values", "to"),
    [
        ({"to": " a@b.example ; c@d.example,"}, {}, "a@b.example, c@d.example"),
        ({"to": "{$env.team}"}, {"$env.team": "a@b.example, c@d.example"}, "a@b.example, c@d.example"),
        ({"to": "Jane <{$botContext.v}>"}, {"$botContext.v": " a@b.example "}, "Jane <a@b.example>"),
    ],
)
def test_recipients_are_addresses(parts: dict[str, str], values: dict[str, str], to: str) -> None:
    assert render_request(mail(**parts), values).headers["To"] == to


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (mail(to=""), "no recipient"),
        (mail(to="jane"), "no address"),
        (mail(to="a@b.example, jane"), "not all addresses"),
        (mail(sender=""), r"no sender: give \[email\] sender"),
        (mail(subject="x" * 999), "longer than 998"),
        (mail(subject="a\x07b"), "control character"),
        (mail(body="x" * (1024 * 1024 + 1)), "larger than 1048576 bytes"),
        (mail(to=7), "not JSON text"),
        (Integration("m", "Mail", "EMAIL", "Mail", "POST", compile_template("smtp://a")), "not JSON text"),
    ],
)
def test_a_mail_that_cannot_be_sent_says_why(made: Integration, why: str) -> None:
    with pytest.raises(InvalidRequest, match=why):
        render_request(made, {})


def test_a_mail_is_shown_without_its_secrets() -> None:
    made = mail(body="Your code is {$botContext.apiToken}.")
    values = {"$botContext.apiToken": "canary"}
    sent = show_request(made, values, render_request(made, values)).sent()
    assert (sent.address, sent.headers["To"]) == ("smtp://mail.example.com", "jane@example.org")
    assert "canary" not in str(sent)
    assert sent.body == "Your code is •••."
