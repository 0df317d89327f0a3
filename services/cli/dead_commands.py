"""`botlane dead`: events that could not be handled, looked at, put back into their conversation, or dropped."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from services.cli.failure import FINDINGS, CommandFailed
from services.cli.plain import plain
from services.cli.server_option import server, server_address, with_server
from services.settings import Settings, read_settings
from shared.privacy.conversation_key import is_sealed
from shared.queue.dead import DeadLetter, DeadLetters, is_letter_id
from shared.store.keys import is_conversation_id

_NO_ID = "{given!r} is no dead letter's id. Give one as `botlane dead list` shows it, such as 0/1795331696000-0."
_SEALED = "(sealed: it holds what its bot names as sensitive)"
_NOT_THERE = "There is no dead letter {id}: it was retried, dropped, or has expired."
_REFUSED = {
    "missing": "it is not there any more: somebody else retried or dropped it",
    "gone": "its conversation has expired; drop it",
    "closed": "its conversation is closed and takes no events; drop it",
    "full": "too many events wait in its conversation; try again later",
    "outcome": "it is what became of a call, and nobody awaits that call any more; drop it",
}


@click.group(short_help="Look at events that could not be handled.")
def dead() -> None:
    """Look at events that could not be handled, retry them or drop them.

    An event is given up when the engine fails on it three times (reason `engine`), when its worker was lost ten times
    in a row (`lost-leases`), or when the conversation was closed before its turn came (`closed`).
    """


@dead.command("list")
@click.option("--bot", default="", metavar="ID", help="Only events for this bot.")
@click.option("--conversation", default="", metavar="ID", help="Only events of this conversation.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Most letters to list.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@with_server
def list_letters(*, bot: str, conversation: str, limit: int, as_json: bool, redis: str, data: Path | None) -> None:
    """List dead letters, newest first: never what is in them."""
    if conversation and not is_conversation_id(conversation):
        raise CommandFailed(f"--conversation {conversation!r} is no conversation's id: `botlane dead list` shows them.")
    found = asyncio.run(_newest(redis, data, limit, {"bot_id": bot, "conversation_id": conversation}))
    if as_json:
        click.echo(_json([_about(letter) for letter in found]))
        return
    for letter in found:
        words = (letter.id, _time(letter.at), letter.reason, letter.kind, letter.conversation_id, letter.bot_id)
        click.echo(plain("  ".join(words)))
    if not found:
        click.echo("No dead letters.", err=True)


@dead.command()
@click.argument("letter", metavar="ID")
@click.option("--values", is_flag=True, help="Show the event too: what the consumer wrote, variables, answers.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
@with_server
def show(*, letter: str, values: bool, as_json: bool, redis: str, data: Path | None) -> None:
    """Say why the event ID was given up."""
    found = asyncio.run(_found(redis, data, _checked(letter)))
    if as_json:
        click.echo(_json(_about(found) | ({"body": _body(found)} if values else {})))
        return
    rows = {
        "id": found.id,
        "given up": _time(found.at),
        "reason": found.reason,
        "note": found.note,
        "event": f"{found.kind}, {len(found.body):,} bytes",
        "conversation": found.conversation_id,
        "bot": found.bot_id,
    }
    for name, value in rows.items():
        if value:
            click.echo(plain(f"{name:13} {value}"))
    if values:
        click.echo(plain(str(_SEALED if is_sealed(found.body) else found.body.decode(errors="replace"))))


@dead.command(short_help="Put events back into their conversations.")
@click.argument("letters", nargs=-1, required=True, metavar="ID...")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@with_server
def retry(*, letters: tuple[str, ...], as_json: bool, redis: str, data: Path | None) -> int:
    """Put events back at the end of their conversations' inboxes, and remove the letters.

    Each is a new event there, after everything that was said meanwhile. Exit code 1: one of them could not be retried.
    """
    ended = asyncio.run(_retry(redis, data, [_checked(letter) for letter in letters]))
    if as_json:
        click.echo(_json(ended))
    for one in [] if as_json else ended:
        if one["outcome"] == "retried":
            click.echo(f"{one['id']}  is event {one['sequence']} of conversation {one['conversation']}")
        else:
            click.echo(f"{one['id']}  cannot be retried: {_REFUSED[one['outcome']]}.", err=True)
    return FINDINGS if any(one["outcome"] != "retried" for one in ended) else 0


@dead.command()
@click.argument("letters", nargs=-1, metavar="ID...")
@click.option("--all", "everything", is_flag=True, help="Drop all of them.")
@with_server
def drop(*, letters: tuple[str, ...], everything: bool, redis: str, data: Path | None) -> int:
    """Remove dead letters for good. Exit code 1: one of them was not there."""
    if everything == bool(letters):
        raise CommandFailed("Give the ids of the letters to drop, or --all.")
    wanted = [_checked(letter) for letter in letters]
    count, missing = asyncio.run(_drop(redis, data, wanted, everything=everything))
    click.echo(f"{count} dropped.")
    for letter in missing:
        click.echo(_NOT_THERE.format(id=letter), err=True)
    return FINDINGS if missing else 0


@asynccontextmanager
async def _letters(redis: str, data: Path | None) -> AsyncIterator[DeadLetters]:
    settings: Settings = read_settings()
    async with server(server_address(redis, data, settings)) as client:
        yield DeadLetters(
            client,
            shards=settings.shards,
            conversation_ttl=settings.conversation_ttl,
            inbox_limit=settings.inbox_limit,
        )


async def _newest(redis: str, data: Path | None, limit: int, wanted: dict[str, str]) -> list[DeadLetter]:
    async with _letters(redis, data) as letters:
        return await letters.newest(limit, **wanted)


async def _found(redis: str, data: Path | None, letter: str) -> DeadLetter:
    async with _letters(redis, data) as letters:
        found = await letters.find(letter)
    if found is None:
        raise CommandFailed(_NOT_THERE.format(id=letter), FINDINGS)
    return found


async def _retry(redis: str, data: Path | None, wanted: list[str]) -> list[dict[str, Any]]:
    ended: list[dict[str, Any]] = []
    async with _letters(redis, data) as letters:
        for letter in wanted:
            found = await letters.find(letter)
            if found is None:
                ended.append({"id": letter, "outcome": "missing"})
                continue
            retried = await letters.retry(found)
            ended.append({"id": letter, "outcome": retried.outcome, "conversation": found.conversation_id})
            if retried.sequence:
                ended[-1]["sequence"] = retried.sequence
    return ended


async def _drop(redis: str, data: Path | None, wanted: list[str], *, everything: bool) -> tuple[int, list[str]]:
    async with _letters(redis, data) as letters:
        if everything:
            return await letters.drop_all(), []
        dropped = await letters.drop(wanted)
    return len(dropped), [letter for letter in wanted if letter not in dropped]


def _checked(letter: str) -> str:
    if not is_letter_id(letter):
        raise CommandFailed(_NO_ID.format(given=letter))
    return letter


def _about(letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "at": _time(letter.at),
        "reason": letter.reason,
        "note": letter.note,
        "kind": letter.kind,
        "bytes": len(letter.body),
        "conversation": letter.conversation_id,
        "bot": letter.bot_id,
    }


def _body(letter: DeadLetter) -> Any:
    if is_sealed(letter.body):
        return _SEALED
    try:
        return msgspec.json.decode(letter.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return letter.body.decode(errors="replace")


def _json(content: object) -> str:
    return msgspec.json.format(msgspec.json.encode(content)).decode()


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
