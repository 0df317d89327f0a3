"""What the proxies of bots ask for, read when a call leaves through one."""

import base64

from shared.bot.egress import Proxy
from shared.bot.model import Bot
from shared.credentials.secrets import SecretMissing, SecretReader
from shared.integration.ways import ProxyUnusable, Via, Ways


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
        return Via(proxy.url, f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}")

    return Ways(bot.egress, opened)
