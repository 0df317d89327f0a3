"""What a credential of the manifest puts on a call, read and renewed when it is needed."""

import asyncio
import base64
from collections.abc import Mapping
from typing import Any

import msgspec

from services.integration_worker.fetching import Fetching
from services.integration_worker.tokens import Tokens
from shared.bot.integration import Integration
from shared.bot.manifest_credentials import (
    AccessToken,
    ApiKey,
    Basic,
    Consumer,
    Credential,
    MutualTls,
    OAuth,
    Secret,
    secrets_of,
)
from shared.bot.model import Bot
from shared.bot.values import text_of
from shared.credentials.issued import NotIssued
from shared.credentials.naming import token_name
from shared.credentials.secrets import SecretMissing, SecretReader
from shared.credentials.token_store import Kept
from shared.integration.attachment import NOTHING, Attachment
from shared.integration.client import Answer
from shared.integration.policy import Ending

_SLOW = "its secrets could not be read in time"


class NoProof(Exception):  # noqa: N818 - a state of the world
    """The credential cannot be attached; `answer` says so in place of the API's."""

    def __init__(self, name: str, why: str, failure: str = "credential") -> None:
        super().__init__(f"credential {name}: {why}")
        self.answer = Answer(Ending(failure=failure, detail=str(self)))


class Proof(msgspec.Struct, frozen=True):
    """What goes with one attempt, and what it was made of, so that it can be renewed."""

    attachment: Attachment = NOTHING
    name: str = ""
    credential: Credential | None = None
    token: Kept | None = None
    renewed: bool = False


class Credentials:
    """Makes proofs. One serves a whole worker."""

    def __init__(self, reader: SecretReader, fetching: Fetching, tokens: Tokens | None) -> None:
        self.reader = reader
        self._fetching = fetching
        self._tokens = tokens

    async def proof(self, bot: Bot, integration: Integration, values: Mapping[str, Any], ends_at: float) -> Proof:
        """Return what goes with an attempt of this integration that ends at a time of the loop; raises NoProof."""
        name = integration.credential
        if not name:
            return Proof()
        credential = bot.credentials[name]
        if isinstance(credential, OAuth):
            return await self._with_token(bot, name, credential, ends_at)
        attachment = await self._read(name, credential, integration, values, ends_at)
        return Proof(await self._certified(bot, name, credential, attachment, ends_at), name, credential)

    async def close(self) -> None:
        """Fetch no tokens any more."""
        if self._tokens is not None:
            await self._tokens.close()

    async def renewed(self, bot: Bot, proof: Proof, ends_at: float) -> Proof | None:
        """Return a proof to try again with after a 401; None when there would be no other one. Raises NoProof."""
        credential = proof.credential
        if isinstance(credential, OAuth):
            return await self._renewed_token(bot, proof, credential, ends_at)
        if credential is None or isinstance(credential, Consumer):
            return None
        printed = [secret for _, secret in secrets_of(credential) if secret.command]
        forgotten = [self.reader.forget(secret) for secret in printed]
        if not any(forgotten):
            return None
        attachment = await self._read(proof.name, credential, None, {}, ends_at)
        attachment = msgspec.structs.replace(attachment, tls=proof.attachment.tls)
        return None if attachment == proof.attachment else Proof(attachment, proof.name, credential, renewed=True)

    async def _with_token(
        self, bot: Bot, name: str, credential: OAuth, ends_at: float, refused: Kept | None = None
    ) -> Proof:
        if self._tokens is None:
            raise NoProof(name, "tokens cannot be kept: the integration worker has no BOTLANE_SECRET to seal them with")
        fetch = self._fetching.of(bot, name, credential)
        try:
            token = await self._tokens.token(token_name(bot.id, name, credential), fetch, ends_at, refused)
        except NotIssued as error:
            # What passes is repeated by the policy like a host that cannot be reached: nothing was sent to the API.
            raise NoProof(name, str(error), "unreachable" if error.passing else "credential") from None
        attachment = _in_header("Authorization", "Bearer", token.access_token)
        attachment = await self._certified(bot, name, credential, attachment, ends_at)
        return Proof(attachment, name, credential, token, renewed=refused is not None)

    async def _certified(
        self, bot: Bot, name: str, credential: Credential, attachment: Attachment, ends_at: float
    ) -> Attachment:
        """Add the client certificate that is shown together with a credential, if there is one."""
        try:
            async with asyncio.timeout_at(ends_at):
                return await self._fetching.certificates.attached(bot.credentials, credential, attachment)
        except TimeoutError:
            raise NoProof(name, _SLOW, "unreachable") from None
        except SecretMissing as error:
            raise NoProof(name, f"mutual_tls: {error}") from None

    async def _renewed_token(self, bot: Bot, proof: Proof, credential: OAuth, ends_at: float) -> Proof | None:
        if self._tokens is None or proof.token is None or not await self._tokens.may_renew(proof.token):
            return None
        for _, secret in secrets_of(credential):
            self.reader.forget(secret)
        return await self._with_token(bot, proof.name, credential, ends_at, proof.token)

    async def _read(
        self,
        name: str,
        credential: Credential,
        integration: Integration | None,
        values: Mapping[str, Any],
        ends_at: float,
    ) -> Attachment:
        try:
            async with asyncio.timeout_at(ends_at):
                return await self._attachment(credential, integration, values)
        except TimeoutError:
            raise NoProof(name, _SLOW, "unreachable") from None
        except SecretMissing as error:
            raise NoProof(name, str(error)) from None

    async def _attachment(
        self, credential: Credential, integration: Integration | None, values: Mapping[str, Any]
    ) -> Attachment:
        match credential:
            case Basic():
                return await self._basic(credential)
            case AccessToken():
                token = await self._secret("token", credential.token)
                return _in_header(credential.header, credential.scheme, token)
            case ApiKey():
                key = await self._secret("key", credential.key)
                if credential.query:
                    return Attachment(query={credential.query: key}, hidden=(key,))
                return _in_header(credential.header, "", key)
            case Consumer():
                hole = integration.consumer_token if integration is not None else None
                token = text_of(values.get(hole.expression)).strip() if hole is not None else ""
                if not token or any(ord(one) < 32 or ord(one) == 127 for one in token):
                    raise SecretMissing(
                        f"the variable {credential.variable} holds no token: the consumer has to sign in"
                    )
                return _in_header(credential.header, credential.scheme, token)
            case MutualTls():
                return Attachment(tls=await self._fetching.certificates.context(credential))
            case _:
                raise TypeError("tokens are not read but fetched")

    async def _basic(self, credential: Basic) -> Attachment:
        user = await self._secret("username", credential.username)
        password = await self._secret("password", credential.password)
        if ":" in user:
            raise SecretMissing("username has a colon, which basic authentication cannot carry")
        encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
        return Attachment({"Authorization": f"Basic {encoded}"}, hidden=(encoded, password))

    async def _secret(self, key: str, secret: str | Secret) -> str:
        try:
            return await self.reader.text(secret)
        except SecretMissing as error:
            raise SecretMissing(f"{key}: {error}") from None


def _in_header(header: str, scheme: str, token: str) -> Attachment:
    value = f"{scheme} {token}" if scheme else token
    return Attachment({header: value}, hidden=(token,))
