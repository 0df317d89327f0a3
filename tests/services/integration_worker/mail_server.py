"""A mail server on loopback that does as it is told: it takes mails, refuses them, or misbehaves at any command."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HANG, DROP = "hang", "drop"


class Taken(NamedTuple):
    """One mail that was taken: its envelope, what it says, and whether it came over TLS, as whom."""

    sender: str
    recipients: list[str]
    message: EmailMessage
    tls: bool
    user: str


class MailServer:
    """`says` maps a command (`HELO` for the greeting, `.` for the end of the text) to what is answered, one a time."""

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        self.taken: list[Taken] = []
        self.connections = 0
        self.texts = 0
        self.ids: list[str] = []
        self.says: dict[str, list[str]] = {}
        self.port = 0
        self.said = ""
        self._tls = tls

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
                await self._talk(reader, writer)
        finally:
            writer.close()
            with suppress(ConnectionError, ssl.SSLError, TimeoutError):
                async with asyncio.timeout(0.1):
                    await writer.wait_closed()
            writer.transport.abort()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sender, recipients, user = "", list[str](), ""
        tls = writer.get_extra_info("ssl_object") is not None
        if not await self._answer(writer, "HELO", "220 ready"):
            return
        while line := (await reader.readline()).decode().strip():
            command, _, rest = line.partition(" ")
            match command.upper():
                case "EHLO":
                    offers = ["250-here", "250-AUTH PLAIN LOGIN"]
                    offers += ["250-STARTTLS"] if self._tls and not tls else []
                    good = await self._answer(writer, "EHLO", "\r\n".join([*offers, "250 8BITMIME"]))
                case "STARTTLS":
                    good = await self._answer(writer, "STARTTLS", "220 go on")
                    await writer.start_tls(cast("ssl.SSLContext", self._tls))
                    tls = True
                case "AUTH":
                    user = rest
                    good = await self._answer(writer, "AUTH", "235 welcome")
                case "MAIL":
                    sender, recipients = rest.partition("<")[2].partition(">")[0], []
                    good = await self._answer(writer, "MAIL", "250 ok")
                case "RCPT":
                    good = await self._answer(writer, "RCPT", "250 ok")
                    recipients.append(rest.partition("<")[2].partition(">")[0])
                case "DATA":
                    good = await self._answer(writer, "DATA", "354 go on")
                    text = await reader.readuntil(b"\r\n.\r\n")
                    self.texts += 1
                    self.ids.append(str(message_from_bytes(text, policy=default)["Message-ID"]))
                    good = good and await self._answer(writer, ".", "250 taken")
                    if good and self.said.startswith("2"):
                        text = text[:-3].replace(b"\r\n..", b"\r\n.")
                        mail = message_from_bytes(text, policy=default)
                        self.taken.append(Taken(sender, recipients, mail, tls, user))
                case "QUIT":
                    await self._answer(writer, "QUIT", "221 bye")
                    return
                case _:
                    good = await self._answer(writer, "RSET", "250 ok")
            if not good:
                return

    async def _answer(self, writer: asyncio.StreamWriter, command: str, usual: str) -> bool:
        """Answer; tell whether the conversation goes on."""
        told = self.says.get(command, [])
        answer = self.said = told.pop(0) if len(told) > 1 else told[0] if told else usual
        if answer == HANG:
            await asyncio.sleep(3600)
        if answer == DROP:
            writer.transport.abort()
            return False
        writer.write(f"{answer}\r\n".encode())
        await writer.drain()
        return answer[0] in "23" or command in {"AUTH", "MAIL", "RCPT", "."}


@asynccontextmanager
async def mailing(tls: ssl.SSLContext | None = None, *, at_once: bool = False) -> AsyncIterator[MailServer]:
    """Run a mail server; with `tls` it offers STARTTLS, or (`at_once`) speaks TLS from the start."""
    server = MailServer(tls)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(server.serve(reader, writer))
        tasks.add(task)
        await asyncio.wait({task})

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls if at_once else None)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def contexts(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return what a server of 127.0.0.1 needs for TLS, and what a client needs that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "mail.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    return server, ssl.create_default_context(cafile=str(pem))
