"""Asking a token end-point, with our own guarded client: the same checks and limits of hosts as for the bot's calls."""

import asyncio

import msgspec

from services.integration_worker.protecting import UNSAID, Protector
from services.integration_worker.tokens import FETCH_SECONDS, Fetch
from services.integration_worker.visiting import Visits
from services.integration_worker.ways import ways_of
from shared.bot.manifest_credentials import AuthorizationCode, ClientCredentials, JwtBearer, OAuth, Secret, secrets_of
from shared.bot.model import Bot
from shared.credentials.certificates import Certificates
from shared.credentials.consents import Consent
from shared.credentials.issued import Issued, NotIssued
from shared.credentials.secrets import SecretMissing, SecretReader
from shared.integration.attachment import NOTHING
from shared.integration.client import Answer, OutboundClient
from shared.integration.request import Request
from shared.protection.guards import host_guard

_TEXTS = ("client_id", "issuer")


class Fetching:
    """Asks for tokens. One serves a whole worker."""

    def __init__(self, client: OutboundClient, reader: SecretReader, protector: Protector | None = None) -> None:
        self._client = client
        self._protector = protector
        self._reader = reader
        self.certificates = Certificates(reader)

    def of(self, bot: Bot, name: str, credential: OAuth) -> Fetch:
        """Return what asks for the token of a credential of this bot."""

        async def fetch(grant: str) -> Issued:
            request = await self._request(name, credential, grant)
            return await self.ask(bot, credential, request)

        return fetch

    async def ask(self, bot: Bot, credential: OAuth, request: Request) -> Issued:
        """Send a token request; raises NotIssued. That the manifest names the end-point is its permission."""
        # Authlib takes a quarter of a second to import, which only who uses it has to spend.
        from shared.credentials import oauth  # noqa: PLC0415 - see above

        ways = ways_of(bot, self._reader)
        named = msgspec.structs.replace(ways, egress=msgspec.structs.replace(ways.egress, allow=None))
        try:
            attachment = await self.certificates.attached(bot.credentials, credential, NOTHING)
        except SecretMissing as error:
            raise NotIssued(f"mutual_tls: {error}") from None
        loop = asyncio.get_running_loop()
        policy, ends_at, guard = oauth.TOKEN_POLICY, loop.time() + FETCH_SECONDS, host_guard(bot, request.url)

        async def make(_: Visits | None = None) -> Answer:
            limit = ends_at - loop.time()
            return await self._client.attempt(request, policy, limit=limit, ways=named, attachment=attachment)

        if self._protector is None or guard is None:
            return oauth.issued(await make())
        answer, _ = await self._protector.attempt((guard,), policy, ends_at, make, UNSAID)
        return oauth.issued(answer)

    async def exchange(self, bot: Bot, credential: AuthorizationCode, consent: Consent) -> Issued:
        """Trade the code of a consent for tokens; raises NotIssued."""
        from shared.credentials import oauth  # noqa: PLC0415 - as in `ask`

        texts = await self.texts(credential)
        request = oauth.exchange(credential, texts, consent.code, consent.verifier, consent.redirect_uri)
        return await self.ask(bot, credential, request)

    async def texts(self, credential: OAuth) -> dict[str, str]:
        """Return what the credential says and its secrets, by key; raises NotIssued."""
        texts = {key: getattr(credential, key) for key in _TEXTS if isinstance(getattr(credential, key, None), str)}
        texts |= {f"parameters.{key}": one for key, one in credential.parameters.items() if isinstance(one, str)}
        for key, secret in secrets_of(credential):
            try:
                texts[key] = await self._text(key, secret)
            except SecretMissing as error:
                raise NotIssued(f"{key}: {error}") from None
        return texts

    async def _text(self, key: str, secret: Secret) -> str:
        if key != "private_key":
            return await self._reader.text(secret)
        return (await self._reader.content(secret)).decode(errors="replace").strip()

    async def _request(self, name: str, credential: OAuth, grant: str) -> Request:
        from shared.credentials import oauth  # noqa: PLC0415 - as in `ask`

        texts = await self.texts(credential)
        match credential:
            case ClientCredentials():
                return oauth.client_credentials(credential, texts)
            case JwtBearer():
                return oauth.jwt_bearer(credential, texts)
            case AuthorizationCode():
                if not grant:
                    raise NotIssued(f"nobody has consented yet, or not for long: botlane credentials authorize {name}")
                return oauth.refresh(credential, texts, grant)
