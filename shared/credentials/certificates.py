"""Client certificates for mutual TLS: PEM or PKCS#12 in, a TLS context out. No key is ever written to a disk.

OpenSSL reads keys from files only: it is given one in memory that has no name.
"""

import asyncio
import base64
import binascii
import contextlib
import hashlib
import os
import secrets
import ssl
from collections import OrderedDict
from collections.abc import Iterator, Mapping

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from shared.bot.manifest_credentials import Credential, MutualTls, Secret, certificate_of
from shared.credentials.secrets import SecretMissing, SecretReader
from shared.integration.attachment import Attachment

MOST_CONTEXTS = 64
_DER = b"\x30"


class Certificates:
    """Makes TLS contexts, one for the same content: a file that has changed makes another."""

    def __init__(self, reader: SecretReader) -> None:
        self._reader = reader
        self._contexts: OrderedDict[bytes, ssl.SSLContext] = OrderedDict()

    async def context(self, credential: MutualTls) -> ssl.SSLContext:
        """Return the context that shows the certificate. Raises SecretMissing, which names what cannot be used."""
        contents = {key: await self._content(credential, key) for key in credential.__struct_fields__}
        name = hashlib.sha256(repr(sorted(contents.items())).encode()).digest()
        context = self._contexts.get(name)
        if context is None:
            context = self._contexts[name] = await asyncio.to_thread(_context, contents)
        self._contexts.move_to_end(name)
        while len(self._contexts) > MOST_CONTEXTS:
            self._contexts.popitem(last=False)
        return context

    async def attached(
        self, credentials: Mapping[str, Credential], credential: Credential, attachment: Attachment
    ) -> Attachment:
        """Return what is attached, with the certificate that a credential names. Raises SecretMissing."""
        certificate = certificate_of(credentials, credential)
        if certificate is None:
            return attachment
        return msgspec.structs.replace(attachment, tls=await self.context(certificate))

    async def _content(self, credential: MutualTls, key: str) -> bytes | None:
        secret: Secret | None = getattr(credential, key)
        if secret is None:
            return None
        try:
            if key == "passphrase":
                return (await self._reader.text(secret)).encode()
            return await self._reader.content(secret)
        except SecretMissing as error:
            raise SecretMissing(f"{key}: {error}") from None


def _context(contents: dict[str, bytes | None]) -> ssl.SSLContext:
    context = _trusting(contents["authorities"])
    phrase = contents["passphrase"]
    if contents["pkcs12"] is not None:
        chain, phrase = _opened(contents["pkcs12"], phrase)
    else:
        chain = (contents["certificate"] or b"") + b"\n" + (contents["private_key"] or b"")
    with _in_memory(chain) as path:
        try:
            # Without a passphrase OpenSSL would ask for one at the terminal.
            context.load_cert_chain(path, password=phrase or b"")
        except (ssl.SSLError, ValueError) as error:
            raise SecretMissing(_problem(error)) from None
    return context


def _trusting(authorities: bytes | None) -> ssl.SSLContext:
    """Return a context that trusts these certificates only, or those of the system."""
    if authorities is None:
        return ssl.create_default_context()
    try:
        context = ssl.create_default_context(cadata=authorities.decode("ascii"))
    except (ssl.SSLError, UnicodeDecodeError):
        raise SecretMissing("authorities holds no certificates in PEM") from None
    # Strict by default since Python 3.13; few private authorities write all that RFC 5280 asks for.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _opened(content: bytes, phrase: bytes | None) -> tuple[bytes, bytes]:
    """Return certificate, chain and key of a PKCS#12 file as PEM, the key under a passphrase of our own."""
    if not content.startswith(_DER):
        with contextlib.suppress(binascii.Error):
            content = base64.b64decode(b"".join(content.split()), validate=True)
    try:
        opened = load_pkcs12(content, phrase)
    except (ValueError, UnsupportedAlgorithm):
        raise SecretMissing("pkcs12 is no PKCS#12 file, or passphrase does not open it") from None
    if opened.key is None or opened.cert is None:
        raise SecretMissing("pkcs12 holds no certificate with its key")
    own = secrets.token_hex(16).encode()
    key = opened.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(own))
    chain = [opened.cert.certificate, *(one.certificate for one in opened.additional_certs)]
    return b"".join(one.public_bytes(Encoding.PEM) for one in chain) + key, own


@contextlib.contextmanager
def _in_memory(content: bytes) -> Iterator[str]:
    """Give a file that is nowhere but in memory and has gone with the block."""
    descriptor = os.memfd_create("certificate", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, content)
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _problem(error: Exception) -> str:
    """Say what is wrong in our own words: OpenSSL's may hold anything."""
    reason = getattr(error, "reason", None)
    if reason == "KEY_VALUES_MISMATCH":
        return "private_key does not belong to certificate"
    return "certificate and private_key are no PEM, or passphrase does not open the key"
