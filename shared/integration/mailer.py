"""The one client for mail: one attempt in, one answer out. Errors of aiosmtplib end here.

A mail is sent once: from the moment its text goes out, what happens to the connection leaves open whether the server
has taken it, and the policy repeats it only if the integration says so. Until then nothing has been done.
"""

import asyncio
import base64
import ipaddress
import ssl
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP as MAIL_POLICY
from email.utils import formatdate, make_msgid
from typing import Final
from urllib.parse import SplitResult, urlsplit

import aiosmtplib
import msgspec

from shared.bot.integration import Policy
from shared.integration.attachment import NOTHING, Attachment
from shared.integration.client import Answer
from shared.integration.mail import addresses_in
from shared.integration.policy import Ending
from shared.integration.request import Request
from shared.integration.ways import Ways

PORTS: Final = {"smtp": 587, "smtp+plain": 25, "smtps": 465}
_OUR_NAME: Final = "[127.0.0.1]"  # looking up a better one could take long
_GOODBYE_SECONDS: Final = 1.0
_HEADERS: Final = ("From", "To", "Reply-To", "Subject")
# What the server was asked for last, as errors name it.
_GREETING, _LOGIN, _SENDER, _RECIPIENTS, _TEXT = "connection", "login", "sender", "recipients", "text"


class _Stage(msgspec.Struct):
    """How far an attempt has come."""

    at: str = _GREETING

    @property
    def may_be_taken(self) -> bool:
        """Whether the server may have taken the mail although it did not say so."""
        return self.at == _TEXT


class Mailer:
    """Sends mails. One serves a whole program; `tls` replaces the system's trusted authorities."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls

    async def attempt(
        self,
        request: Request,
        policy: Policy,
        *,
        limit: float,
        ways: Ways = Ways(),  # noqa: ARG002, B008 - the mail server is the manifest's word, as the ways are
        attachment: Attachment = NOTHING,
    ) -> Answer:
        """Make one attempt of at most `limit` seconds; what is attached is user and password, as for basic."""
        stage = _Stage()
        try:
            async with asyncio.timeout(max(limit, 0)):
                refused, count = await self._send(request, policy, attachment, stage)
        except aiosmtplib.SMTPResponseException as error:
            return Answer(_refusal(error.code, stage), sent=int(stage.may_be_taken))
        except (TimeoutError, aiosmtplib.SMTPException, OSError) as error:
            return Answer(_breakdown(error, stage), sent=int(stage.may_be_taken))
        told = msgspec.json.encode({"recipients": count, "refused": refused}).decode()
        return Answer(Ending(status=200), {"Content-Type": "application/json"}, told, sent=1)

    async def _send(self, request: Request, policy: Policy, attachment: Attachment, stage: _Stage) -> tuple[int, int]:
        """Send a mail; return how many recipients the server refused, and how many there are."""
        server = urlsplit(request.url)
        client = self._client(server, policy)
        try:
            await client.connect()
            client.timeout = None  # the attempt's own limit holds from here on
            if (login := _login(attachment)) is not None:
                stage.at = _LOGIN
                await client.login(*login)
            stage.at = _SENDER
            await client.mail(addresses_in(request.headers["From"])[0])
            stage.at = _RECIPIENTS
            recipients = addresses_in(request.headers["To"])
            refused = await _name(client, recipients)
            stage.at = _TEXT
            await client.data(message_of(request).as_bytes())
            with suppress(TimeoutError, aiosmtplib.SMTPException, OSError):  # it has the mail
                async with asyncio.timeout(_GOODBYE_SECONDS):
                    await client.quit()
        finally:
            client.close()
        return refused, len(recipients)

    def _client(self, server: SplitResult, policy: Policy) -> aiosmtplib.SMTP:
        host = server.hostname or ""
        starts = {"smtps": False, "smtp+plain": False, "smtp": None if _is_this_machine(host) else True}
        return aiosmtplib.SMTP(
            hostname=host,
            port=server.port or PORTS[server.scheme],
            timeout=policy.connect_timeout,
            use_tls=server.scheme == "smtps",
            start_tls=starts[server.scheme],
            tls_context=self._tls,
            local_hostname=_OUR_NAME,
        )


def message_of(request: Request) -> EmailMessage:
    """Return a rendered mail as it is sent; all attempts have one id, so that who gets it twice can tell."""
    message = EmailMessage(policy=MAIL_POLICY)
    for name in _HEADERS:
        if (value := request.header(name)) is not None:
            message[name] = value
    domain = addresses_in(request.headers["From"])[0].rpartition("@")[2]
    key = request.header("Idempotency-Key")
    message["Message-ID"] = f"<{key}@{domain}>" if key else make_msgid(domain=domain)
    message["Date"] = formatdate()
    message["Auto-Submitted"] = "auto-generated"
    subtype = "html" if "html" in (request.header("Content-Type") or "") else "plain"
    text = (request.body or b"").decode()
    message.set_content(text, subtype=subtype, charset="utf-8", cte="quoted-printable")
    return message


async def _name(client: aiosmtplib.SMTP, recipients: list[str]) -> int:
    """Name the recipients; return how many were refused, unless all of them were."""
    refused: list[aiosmtplib.SMTPRecipientRefused] = []
    for recipient in recipients:
        try:
            await client.rcpt(recipient)
        except aiosmtplib.SMTPRecipientRefused as error:
            refused.append(error)
    if len(refused) == len(recipients):
        raise refused[0]
    return len(refused)


def _login(attachment: Attachment) -> tuple[str, str] | None:
    """Return user and password of a credential of type `basic`."""
    scheme, _, encoded = attachment.headers.get("Authorization", "").partition(" ")
    if scheme != "Basic":
        return None
    user, _, password = base64.b64decode(encoded).decode().partition(":")
    return user, password


def _refusal(code: int, stage: _Stage) -> Ending:
    """Return the ending of an attempt that the server refused: for now (4xx), or for good. It has no mail then."""
    if 400 <= code < 500:
        return Ending(failure="unreachable", detail=f"the mail server does not take the {stage.at} now ({code})")
    if not 500 <= code < 600:
        failure = "lost" if stage.may_be_taken else "unreachable"
        return Ending(failure=failure, detail=f"the mail server answered nonsense to the {stage.at}")
    return Ending(failure="refused", detail=f"the mail server refused the {stage.at} ({code})")


def _breakdown(error: Exception, stage: _Stage) -> Ending:
    """Return the ending of an attempt that broke down."""
    late = isinstance(error, TimeoutError | aiosmtplib.SMTPTimeoutError)
    if stage.may_be_taken:
        failure, what = ("timeout", "did not answer in time") if late else ("lost", "went away")
        return Ending(failure=failure, detail=f"the mail server {what} after it was sent the text")
    if isinstance(error, aiosmtplib.SMTPNotSupported):
        return Ending(failure="refused", detail="the mail server has no such login")
    if type(error) is aiosmtplib.SMTPException:
        return Ending(failure="refused", detail="the mail server offers no TLS: smtp+plain:// goes without")
    if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError):
        return Ending(failure="unreachable", detail="no trusted TLS connection could be made to the mail server")
    what = "did not answer in time" if late else "was not reached, or went away"
    return Ending(failure="unreachable", detail=f"the mail server {what}, before it was sent anything")


def _is_this_machine(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"
