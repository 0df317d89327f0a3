"""What the proxies of bots ask for, read when a call leaves through one."""

import base64

import msgspec

from services.integration_worker.visiting import Visits
from shared.bot.egress import Proxy
from shared.bot.model import Bot
from shared.credentials.secrets import SecretMissing, SecretReader
from shared.integration.ways import ProxyUnusable, Via, Ways
from shared.protection.guards import host_guard


def moving(ways: Ways, bot: Bot, visits: Visits, ends_at: float) -> Ways:
    """Return ways that tell an attempt's visits where redirects lead; the attempt ends at a time of the loop."""

    async def moves(url: str) -> None:
        await visits.move(host_guard(bot, url), ends_at)

    return msgspec.structs.replace(ways, moves=moves)


def ways_of(bot: Bot, reader: SecretReader) -> Ways:
    """Return how the calls of a bot may leave."""

    async def opened(proxy: Proxy) -> Via:
        if proxy.password is None:
            return Via(proxy.url)
        try:
            user, password = await reader.text(proxy.username), await reader.text(proxy.password)
        except SecretMissing as error:
            raise ProxyUnusable(f"proxy: {error}") from None
        if ":" in user:
            raise ProxyUnusable("proxy: the user has a colon, which basic authentication cannot carry")
        encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
        return Via(proxy.url, f"Basic {encoded}", (encoded, password))

    return Ways(bot.egress, opened)
