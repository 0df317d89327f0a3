"""Exchanging the code of a consent for tokens (the job `consent`), where the client's secret is."""

from services.integration_worker.bots import BotUnusable
from services.integration_worker.fetching import Fetching
from services.integration_worker.records import BotVersions
from services.integration_worker.tokens import Tokens
from shared.bot.manifest_credentials import AuthorizationCode
from shared.credentials.consents import Consent, Consents
from shared.credentials.issued import NotIssued
from shared.credentials.naming import token_name

ENDS = "it was given for {minutes:.0f} minutes only, without a refresh token: then somebody has to consent again"


class Consenting:
    """Ends consents. One serves a whole worker."""

    def __init__(self, consents: Consents, bots: BotVersions, fetching: Fetching, tokens: Tokens) -> None:
        self._consents = consents
        self._bots = bots
        self._fetching = fetching
        self._tokens = tokens

    async def exchange(self, name: str) -> None:
        """Exchange the code of a consent, keep the tokens, and say what became of it. Raises RedisUnreachable."""
        consent = await self._consents.take(name)
        if consent is None:
            return
        try:
            why = await self._exchanged(consent)
        except (NotIssued, BotUnusable) as error:
            await self._consents.end(name, consent.ended("failed", str(error)))
            return
        await self._consents.end(name, consent.ended("done", why))

    async def _exchanged(self, consent: Consent) -> str:
        bot = await self._bots.get(consent.version)
        credential = bot.credentials.get(consent.credential)
        if not isinstance(credential, AuthorizationCode):
            raise NotIssued("the bot has no such credential any more")
        issued = await self._fetching.exchange(bot, credential, consent)
        await self._tokens.put(token_name(bot.id, consent.credential, credential), issued)
        return "" if issued.refresh_token else ENDS.format(minutes=issued.life / 60)
