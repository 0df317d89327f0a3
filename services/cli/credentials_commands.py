"""`botlane credentials`: which credentials the published bots have and whether they are usable, and consents."""

import asyncio
import contextlib
import sys
from pathlib import Path

import click
import msgspec
from arq.connections import ArqRedis

from services.cli.credentials_state import Listed, listed
from services.cli.data_folder import READY
from services.cli.failure import FINDINGS, CommandFailed
from services.cli.listening import address
from services.cli.plain import plain
from services.cli.server_option import server, server_address, with_server
from services.settings import Settings, foreign_environment, own_files, read_settings
from shared.bot.bot import compile_bot
from shared.bot.manifest_credentials import AuthorizationCode
from shared.bot.model import Bot
from shared.bot.source import open_blob
from shared.credentials.consents import CALLBACK, LIFE_SECONDS, PURPOSE, Consent, Consents, consent_id
from shared.credentials.secrets import SecretMissing, SecretReader
from shared.privacy.sealing import Sealer
from shared.store.bots import Bots

POLL_SECONDS, IN_HAND_SECONDS = 0.3, 30.0


@click.group(short_help="See credentials, and consent where it is needed.")
def credentials() -> None:
    """See the credentials of the published bots, and consent to those that need it.

    No secret and no token is ever shown.
    """


@credentials.command("list", short_help="Say who uses which, and whether they are usable.")
@click.option("--bot", default="", metavar="ID", help="Only those of this bot.")
@with_server
def list_credentials(bot: str, redis: str, data: Path | None) -> int:
    """List credentials: who uses them, and whether they are usable as far as this machine can tell.

    Secrets are looked for here, though they are needed where the integration workers run; commands are not run. The
    exit code is 1 when one is not usable.
    """
    settings = _settings(data)
    rows = asyncio.run(_listed(server_address(redis, data, settings), settings, bot))
    for row in rows:
        click.echo(plain(f"{row.bot}  {row.name}  {row.kind}  {row.used_by}  {row.state}"))
    if not rows:
        click.echo("No published bot has a credential.", err=True)
    return 0 if all(row.usable for row in rows) else FINDINGS


@credentials.command(short_help="Let somebody consent to one.")
@click.argument("name")
@click.option("--bot", default="", metavar="ID", help="The bot, if several have a credential of this name.")
@click.option(
    "--callback",
    default="",
    metavar="URL",
    help="The gateway's public address [default: where it listens], such as https://bots.example.com.",
)
@click.option("--no-open", is_flag=True, help="Only print the address of the consent page.")
@with_server
def authorize(*, name: str, bot: str, callback: str, no_open: bool, redis: str, data: Path | None) -> None:
    """Let somebody consent to credential NAME of a published bot (oauth2_authorization_code)."""
    settings = _settings(data)
    if not settings.secrets:
        raise CommandFailed("BOTLANE_SECRET is not set: give the gateway's, or --data with a botlane run's folder.")
    redirect = (callback or _gateway(settings, data)).rstrip("/") + CALLBACK
    url = server_address(redis, data, settings)
    ended = asyncio.run(_authorized(url, settings, name, bot, redirect, opened=not no_open and sys.stdout.isatty()))
    if ended is None:
        raise CommandFailed(f"Nobody has consented within {LIFE_SECONDS // 60} minutes: start again.", FINDINGS)
    if ended.stage == "failed":
        raise CommandFailed(f"Not authorized: {plain(ended.why)}.", FINDINGS)
    click.echo(f"Authorized: calls can use {plain(name)} now.{f' Note: {plain(ended.why)}.' if ended.why else ''}")


def _settings(data: Path | None) -> Settings:
    """Return the settings; with a data folder those of its `botlane run`, which runs the commands of manifests."""
    settings = read_settings()
    if data is None:
        return settings
    kept = data / "secret"
    settings = msgspec.structs.replace(settings, secret_commands=True, closed_files=(*settings.closed_files, str(kept)))
    if not settings.secrets:
        with contextlib.suppress(OSError):
            return msgspec.structs.replace(settings, secrets=(kept.read_text().strip(),))
    return settings


def _gateway(settings: Settings, data: Path | None) -> str:
    """Return where the gateway listens: as a running `botlane run` says, or as the settings do."""
    if data is not None:
        with contextlib.suppress(OSError, msgspec.DecodeError, KeyError):
            return str(msgspec.json.decode((data / READY).read_bytes())["url"])
    return address(settings)


async def _listed(url: str, settings: Settings, bot_id: str) -> list[Listed]:
    async with server(url) as redis:
        return [row for bot in await _bots(redis, settings, bot_id) for row in await listed(bot, redis, settings)]


async def _bots(redis: ArqRedis, settings: Settings, bot_id: str) -> list[Bot]:
    """Return the published bots, or the one of this id."""
    store = Bots(redis, settings.conversation_ttl)
    found = []
    for current in await store.published():
        blob = await store.blob(current.version) if bot_id in {"", current.id} else None
        if blob is not None:
            found.append(compile_bot(open_blob(blob)))
    if bot_id and not found:
        raise CommandFailed(f"No bot {bot_id!r} is published: botlane bots lists those that are.")
    return found


async def _authorized(
    url: str, settings: Settings, name: str, bot_id: str, redirect: str, *, opened: bool
) -> Consent | None:
    """Show the consent page and wait for what becomes of it."""
    from shared.credentials import oauth  # noqa: PLC0415 - Authlib takes a quarter of a second to import

    async with server(url) as redis:
        bot, credential = _meant(await _bots(redis, settings, bot_id), name)
        closed = (*own_files(), *settings.closed_files)
        reader = SecretReader(foreign_environment(), commands=settings.secret_commands, closed=closed)
        try:
            client_id = await reader.text(credential.client_id)
        except SecretMissing as error:
            raise CommandFailed(f"client_id: {error}".replace("where the integration worker runs", "here")) from None
        consents = Consents(redis, Sealer(settings.secrets, PURPOSE))
        state, verifier = oauth.random_text(), oauth.random_text()
        await consents.begin(state, Consent(bot.id, bot.version, name, redirect, verifier))
        page = oauth.consent_page(credential, client_id, state, verifier, redirect)
        click.echo(f"Open this page and consent:\n\n  {page}\n")
        click.echo(f"The provider has to know this redirect address:\n\n  {redirect}\n")
        if opened:
            click.launch(page)
        return await _ended(consents, consent_id(state))


async def _ended(consents: Consents, name: str) -> Consent | None:
    """Wait until a consent is done or has failed; while a program has it in hand it is not to be read."""
    missing = 0
    while missing * POLL_SECONDS < IN_HAND_SECONDS:
        await asyncio.sleep(POLL_SECONDS)
        consent = await consents.read(name)
        missing = 0 if consent is not None else missing + 1
        if consent is not None and consent.stage in {"done", "failed"}:
            return consent
    return None


def _meant(bots: list[Bot], name: str) -> tuple[Bot, AuthorizationCode]:
    having = [bot for bot in bots if name in bot.credentials]
    if not having:
        known = sorted({one for bot in bots for one in bot.credentials})
        raise CommandFailed(f"No published bot has a credential {name!r}: there are {', '.join(known) or 'none'}.")
    if len(having) > 1:
        ids = ", ".join(bot.id for bot in having)
        raise CommandFailed(f"Several bots have a credential {name!r}: choose one with --bot ({ids}).")
    credential = having[0].credentials[name]
    if not isinstance(credential, AuthorizationCode):
        raise CommandFailed(f"{name!r} needs no consent: that is for oauth2_authorization_code.")
    return having[0], credential
