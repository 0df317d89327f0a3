"""Variables that are looked up (`[environment] x = { domain = … }`), for one call: asked for now, without Redis."""

import asyncio
from collections.abc import Mapping

import msgspec

from services.dialog_worker.domains import LookedUp
from services.settings import Settings
from shared.bot.domains import Domain
from shared.bot.integration import Integration
from shared.bot.model import Bot
from shared.store.domains import KnownHost


def with_domains(bot: Bot, integration: Integration, given: Mapping[str, object], settings: Settings) -> Bot:
    """Return the bot with the hosts that the call could read, as far as they are found and not given."""
    named = {hole.name for hole in integration.placeholders if hole.kind == "environment"}
    scripts = f"{integration.transform}\n{bot.global_functions}"
    wanted = {
        name: domain
        for name, domain in bot.domains.items()
        if (name in named or name in scripts) and not {f"env.{name}", f"$env.{name}"} & given.keys()
    }
    if not wanted:
        return bot
    found = asyncio.run(_look_up(wanted, settings))
    return msgspec.structs.replace(bot, environment=bot.environment | found)


async def _look_up(wanted: Mapping[str, Domain], settings: Settings) -> dict[str, str]:
    hosts = LookedUp(_NothingKnown(), settings.domain_api, settings.account_id, settings.rewrite_urls)
    try:
        return await hosts.variables(wanted)
    finally:
        await hosts.close()


class _NothingKnown:
    """Where hosts are kept otherwise."""

    async def look(self, account: str, service: str) -> KnownHost:
        """Let it be looked up."""
        del account, service
        return KnownHost(None, 0, ours=True)

    async def keep(self, account: str, service: str, host: str) -> None:
        """Keep nothing."""
