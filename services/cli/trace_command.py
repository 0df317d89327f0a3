"""`botlane trace`: what the turns of one conversation did."""

import asyncio
from pathlib import Path

import click
import msgspec

from services.cli.failure import FINDINGS, CommandFailed
from services.cli.narrator import mailbox_of, sentences
from services.cli.server_option import server, server_address, with_server
from services.settings import Settings, read_settings
from shared.dialog.trace import TurnTrace
from shared.store.keys import is_conversation_id

_NO_ID = (
    "{given!r} is no conversation's id. Give the whole id, such as 0-0123456789abcdef0123456789abcdef: `botlane run` "
    "tells it when it first meets a conversation, and who opened the conversation got it as conversationId."
)


@click.command()
@click.argument("conversation")
@click.option("--after", default=0, metavar="TURN", help="Only turns after this one.")
@with_server
def trace(conversation: str, after: int, redis: str, data: Path | None) -> None:
    """Show what the turns of CONVERSATION did."""
    if not is_conversation_id(conversation):
        raise CommandFailed(_NO_ID.format(given=conversation))
    settings = read_settings()
    lines = asyncio.run(_trace(server_address(redis, data, settings), settings, conversation, after))
    if lines is None:
        raise CommandFailed(f"There is no conversation {conversation}, or it has expired.", FINDINGS)
    for line in lines:
        for sentence in sentences(conversation, msgspec.json.decode(line, type=TurnTrace)):
            click.echo(sentence)


async def _trace(url: str, settings: Settings, conversation: str, after: int) -> list[bytes] | None:
    async with server(url) as redis:
        return await mailbox_of(redis, settings).trace(conversation, after)
