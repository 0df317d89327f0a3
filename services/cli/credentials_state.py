"""What can be said of a credential without reading a secret: who uses it, what is here, what is kept for it."""

import msgspec
from arq.connections import ArqRedis

from services.settings import Settings, foreign_environment
from shared.bot.manifest_credentials import AuthorizationCode, Credential, OAuth, kind_of, secrets_of
from shared.bot.model import Bot
from shared.credentials.naming import token_name
from shared.credentials.secrets import is_there, reference
from shared.credentials.token_store import PURPOSE, RedisTokens
from shared.privacy.sealing import Sealer


class Listed(msgspec.Struct, frozen=True):
    """One row of `botlane credentials list`."""

    bot: str
    name: str
    kind: str
    used_by: str
    state: str
    usable: bool


async def listed(bot: Bot, redis: ArqRedis, settings: Settings) -> list[Listed]:
    """Return a row for each credential of a bot."""
    rows = []
    for name, credential in bot.credentials.items():
        users = [one.name for one in bot.integrations.values() if one.credential == name]
        users += [other for other, one in bot.credentials.items() if getattr(one, "mutual_tls", "") == name]
        problem, good = await _state(bot, name, credential, redis, settings)
        state = problem or good
        used_by = f"used by {', '.join(users)}" if users else "used by nobody"
        rows.append(Listed(bot.id, name, kind_of(credential), used_by, state, not problem))
    return rows


async def _state(bot: Bot, name: str, credential: Credential, redis: ArqRedis, settings: Settings) -> tuple[str, str]:
    """Return what keeps a credential from being used, empty if nothing is known, and what there is to say else."""
    tokens = ""
    if isinstance(credential, OAuth):
        store = RedisTokens(redis, Sealer(settings.secrets or ("-",), PURPOSE))
        left, granted = await store.ends(token_name(bot.id, name, credential))
        tokens = f", a token for {left // 60_000} min more" if left else ", no token yet"
        if isinstance(credential, AuthorizationCode) and not granted:
            if not left:
                return f"not usable: nobody has consented (botlane credentials authorize {name})", ""
            tokens += ", then somebody has to consent again"
    here = foreign_environment()
    missing = [f"{reference(secret)} ({key})" for key, secret in secrets_of(credential) if not is_there(secret, here)]
    if missing:
        return f"not usable from here: without {', '.join(missing)}{tokens}", ""
    return "", f"usable{tokens}"
