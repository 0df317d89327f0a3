"""`botlane forget`: remove all there is of a conversation or of a user, and say what that was."""

import asyncio
from pathlib import Path

import click
import msgspec

from services.cli.failure import FINDINGS, CommandFailed
from services.cli.forgetting import Forgetting, Removed
from services.cli.plain import plain
from services.cli.server_option import server, server_address, with_server
from services.settings import read_settings
from shared.store.keys import is_conversation_id
from shared.store.rewriting import rewrite_file

_NO_ID = "{given!r} is no conversation's id. Give the whole id, such as 0-0123456789abcdef0123456789abcdef."
_WORDS = {
    "outbox": "messages",
    "inbox": "events that waited",
    "session": "session",
    "context": "context data",
    "context-user": "context data of the user",
    "user": 'variables kept "forever"',
    "trace": "traces",
    "call": "a call in flight",
    "result": "the outcome of a call",
    "receipt": "receipts of forms",
    "used": "used tokens of forms",
}
"""What people are told of; of all keys `--json` tells."""
_json = click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
_rewrite = click.option(
    "--rewrite", is_flag=True, help="Have the server rewrite its append-only file, too, and wait for that."
)
_FILE = {
    "rewritten": "The server has rewritten its append-only file.",
    "none": "The server keeps no append-only file.",
    "refused": "The append-only file is not rewritten: the server refuses BGREWRITEAOF, or could not do it.",
    "waited": "The append-only file is being rewritten still.",
}


@click.group()
def forget() -> None:
    """Remove all there is of a conversation or of a user.

    At once, whatever happens in it now: a turn or call in progress can write nothing back, and the consumer is told
    that the conversation is gone. Exit code 1: there was nothing. docs/privacy.md says what is not reached.
    """


@forget.command(short_help="Remove one conversation.")
@click.argument("conversation_id", metavar="ID")
@_json
@_rewrite
@with_server
def conversation(conversation_id: str, *, as_json: bool, rewrite: bool, redis: str, data: Path | None) -> int:
    """Remove the conversation ID: its messages, session, traces, forms, calls and dead letters."""
    if not is_conversation_id(conversation_id):
        raise CommandFailed(_NO_ID.format(given=conversation_id))
    removed = asyncio.run(_forgotten(redis, data, rewrite=rewrite, conversation_id=conversation_id))
    return _tell(removed, f"conversation {conversation_id}", as_json=as_json)


@forget.command(short_help="Remove a user, with all conversations.")
@click.argument("user_id", metavar="ID")
@_json
@_rewrite
@with_server
def user(user_id: str, *, as_json: bool, rewrite: bool, redis: str, data: Path | None) -> int:
    """Remove the user ID: all conversations, variables kept "forever", and data of the context service."""
    removed = asyncio.run(_forgotten(redis, data, rewrite=rewrite, user_id=user_id))
    return _tell(removed, f"user {user_id}", as_json=as_json)


async def _forgotten(
    redis: str, data: Path | None, *, rewrite: bool, conversation_id: str = "", user_id: str = ""
) -> Removed:
    settings = read_settings()
    async with server(server_address(redis, data, settings)) as client:
        forgetting = Forgetting(client, settings)
        removed = await (forgetting.conversation(conversation_id) if conversation_id else forgetting.user(user_id))
        removed.file = await rewrite_file(client) if rewrite else ""
        return removed


def _tell(removed: Removed, whom: str, *, as_json: bool) -> int:
    """Print what was removed, and return the exit code."""
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(removed)).decode())
    elif removed.anything:
        click.echo(plain(f"Of {whom} was removed:"))
        for line in _lines(removed):
            click.echo(plain(f"  {line}"))
    else:
        click.echo(plain(f"There is nothing of {whom}."), err=True)
    if removed.file and not as_json:
        click.echo(_FILE[removed.file], err=removed.file in {"refused", "waited"})
    return 0 if removed.anything else FINDINGS


def _counted(word: str, count: int) -> str:
    return f"{word} ({count})" if count > 1 else word


def _lines(removed: Removed) -> list[str]:
    lines = [f"conversation {one}" for one in removed.conversations]
    if removed.keys:
        words = [_counted(word, removed.keys[kind]) for kind, word in _WORDS.items() if kind in removed.keys]
        others = sum(count for kind, count in removed.keys.items() if kind not in _WORDS)
        lines.append(", ".join([*words, f"other keys ({others})"] if others else words))
    if removed.dead_letters:
        lines.append(f"dead letters: {removed.dead_letters}")
    if removed.marked_seconds:
        minutes = removed.marked_seconds // 60
        lines.append(f"a turn was about to write: marks without values, which refuse it, stay for {minutes} minutes")
    if removed.user_id:
        lines.append(f"(whose it was: user {removed.user_id}; `botlane forget user` removes what is kept elsewhere)")
    return lines
