"""`botlane verify`: breaks an installation under load and says whether it kept its promises."""

import asyncio
import contextlib
import math
import random
import secrets
import time
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

import click
import msgspec
import yarl

from services.cli.failure import FINDINGS, NO_REDIS, CommandFailed
from services.cli.verify_installation import OwnInstallation, own_installation
from services.cli.written_files import refuse_unwritable, writing
from services.verifier.api import Api
from services.verifier.bot import BOT_ID, export, manifest
from services.verifier.chaos import Strike, strike_at_random
from services.verifier.gateways import Gateways, NoBot, Unreachable
from services.verifier.load import Load, Plan, ended
from services.verifier.report import Report, as_json, lines, report_of

_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)
_API_PORT = 9099
_TELL_SECONDS = 5.0
_SETTLE_SECONDS = 1.0
_SETTLE_AFTER_STRIKES = 6.0
"""A worker that was stopped is awake again by then, and has tried to write."""
_NOT_PUBLISHED = (
    "The bot of the load is not published there: write it with `botlane verify --write-bot FOLDER`, publish it with "
    "`botlane deploy FOLDER/botlane-verify.json`, and try again."
)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the options ask for."""

    plan: Plan
    kill: bool
    kinds: tuple[str, ...]
    urls: tuple[str, ...]
    api_port: int
    keep: Path | None


@click.command(short_help="Check under load that nothing is lost.")
@click.option("--conversations", type=click.IntRange(1, 10_000), default=20, show_default=True, help="At a time.")
@click.option("--events", type=click.IntRange(1, 400), default=50, show_default=True, help="In each conversation.")
@click.option("--seconds", type=click.FloatRange(0, 604_800), default=0.0, help="Begin new conversations for so long.")
@click.option("--kill", is_flag=True, help="Kill and stop programs at random meanwhile (not with --url).")
@click.option("--strike", "kinds", multiple=True, type=click.Choice(OwnInstallation.kinds), help="Break this only.")
@click.option("--url", "urls", multiple=True, help="A gateway of a running installation; several may be given.")
@click.option("--seed", type=int, help="Repeat the choices of an earlier run.")
@click.option("--json", "json_file", type=_FILE, help="Write verdict, figures and violations here.")
@click.option("--keep", type=_FOLDER, help="Keep data and logs of the own installation here.")
@click.option(
    "--api-port",
    type=click.IntRange(1, 65535),
    default=_API_PORT,
    show_default=True,
    help="Where the API of the load answers, with --url.",
)
@click.option("--write-bot", type=_FOLDER, help="Write the bot of the load here, and do nothing else.")
def verify(  # noqa: PLR0913 - one argument an option
    *,
    conversations: int,
    events: int,
    seconds: float,
    kill: bool,
    kinds: tuple[str, ...],
    urls: tuple[str, ...],
    seed: int | None,
    json_file: Path | None,
    keep: Path | None,
    api_port: int,
    write_bot: Path | None,
) -> int:
    """Check that nothing is lost, doubled or overtaken, whatever dies.

    Consumers talk to a bot that counts, over HTTP, WebSocket and Web View, and send things twice; what they saw is
    held against what must follow from it. Without --url an installation of its own is started in a temporary folder.
    Exit codes: 0 kept, 1 violated, 2 wrong use, 3 the installation cannot be reached. docs/verify.md says more.
    """
    if write_bot is not None:
        click.echo(_write_bot(write_bot, api_port))
        return 0
    plan = Plan(
        conversations=conversations,
        events=events,
        seconds=seconds,
        seed=secrets.randbelow(1_000_000) if seed is None else seed,
    )
    wanted = Wanted(plan=plan, kill=kill, kinds=kinds, urls=urls, api_port=api_port, keep=keep)
    _refuse_wrong_use(wanted)
    refuse_unwritable("--json", json_file)
    report = asyncio.run(_verify(wanted))
    for line in lines(report):
        click.echo(line)
    if json_file is not None:
        json_file.write_bytes(as_json(report))
    return FINDINGS if report.violations else 0


def _refuse_wrong_use(wanted: Wanted) -> None:
    if math.isnan(wanted.plan.seconds):
        raise CommandFailed("--seconds nan cannot be used: give it a number of seconds.")
    if wanted.kinds and not wanted.kill:
        raise CommandFailed("--strike says what to break: give --kill as well.")
    if wanted.urls and (wanted.kill or wanted.keep):
        raise CommandFailed("--kill and --keep need the installation that verify starts for itself: leave out --url.")
    for url in wanted.urls:
        if not _is_http(url):
            raise CommandFailed(f"--url {url!r} cannot be used: give it an http or https address.")


def _is_http(url: str) -> bool:
    try:
        found = yarl.URL(url)
    except ValueError:
        return False
    return found.scheme in {"http", "https"} and bool(found.host)


async def _verify(wanted: Wanted) -> Report:
    api = Api(random.Random(wanted.plan.seed))  # noqa: S311 - to be repeated by its seed
    try:
        await api.start(wanted.api_port if wanted.urls else 0)
    except OSError as error:
        message = f"Port {wanted.api_port} cannot be used ({error.strerror}): give another with --api-port."
        raise CommandFailed(message) from error
    try:
        async with _installation(wanted, api.url) as (urls, own):
            return await _run(wanted, urls, own, api)
    except Unreachable as error:
        raise CommandFailed(str(error), NO_REDIS) from error
    except NoBot as error:
        raise CommandFailed(_NOT_PUBLISHED) from error
    finally:
        await api.close()


@contextlib.asynccontextmanager
async def _installation(wanted: Wanted, api_url: str) -> AsyncIterator[tuple[list[str], OwnInstallation | None]]:
    if wanted.urls:
        yield list(wanted.urls), None
        return
    async with own_installation(api_url, wanted.keep) as own:
        own.kinds = wanted.kinds or own.kinds
        yield own.urls, own


async def _run(wanted: Wanted, urls: list[str], own: OwnInstallation | None, api: Api) -> Report:
    struck: list[Strike] = []
    async with Gateways(urls) as gateways:
        load = Load(wanted.plan, gateways, api)

        async def load_and_settle() -> None:
            strikes = [strike_at_random(own, wanted.plan.seed, struck)] if own is not None and wanted.kill else []
            await _while(load.run(), _tell(load, struck), *strikes)
            await load.settle(_SETTLE_AFTER_STRIKES if struck else _SETTLE_SECONDS)

        await _while(load_and_settle(), *([own.watch()] if own is not None else []))
        return report_of(wanted.plan, load, gateways, struck)


async def _while(main: Coroutine[Any, Any, None], *beside: Coroutine[Any, Any, None]) -> None:
    """Run something while other things go on; when one of those fails, everything ends with it."""
    tasks = [asyncio.create_task(one) for one in (main, *beside)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            await ended(task)


async def _tell(load: Load, struck: list[Strike]) -> None:
    """Say now and then how far the load is."""
    begun = time.monotonic()
    while True:
        await asyncio.sleep(_TELL_SECONDS)
        told = f"{time.monotonic() - begun:4.0f} s  {load.events:,} events, {load.answers:,} answers"
        told += f", {len(struck)} strikes" if struck else ""
        click.echo(f"{told}, {len(load.violations)} violations", err=True)


def _write_bot(folder: Path, api_port: int) -> str:
    """Write the load's bot and its manifest."""
    file = folder / f"{BOT_ID}.json"
    with writing("--write-bot", folder):
        folder.mkdir(parents=True, exist_ok=True)
        file.write_bytes(export())
        file.with_name(f"{BOT_ID}.botlane.toml").write_text(manifest(f"http://127.0.0.1:{api_port}"), encoding="utf-8")
    return f"{file} and its manifest are written: publish them with botlane deploy."
