"""`botlane trace`: what the turns of one conversation did."""

import asyncio
from pathlib import Path

import click
import msgspec

from services.cli.failure import FINDINGS, CommandFailed
from services.cli.narrator import details, mailbox_of, sentences
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
@click.option("--values", is_flag=True, help="Show every line of each turn, with the values it was stored with.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a turn: every line, every value.")
@with_server
def trace(*, conversation: str, after: int, values: bool, as_json: bool, redis: str, data: Path | None) -> None:
    """Show what the turns of CONVERSATION did.

    One line a turn, and one for each of its warnings. Values are stored where the console is on, as under `botlane
    run`, and say what consumers, forms and APIs said.
    """
    if not is_conversation_id(conversation):
        raise CommandFailed(_NO_ID.format(given=conversation))
    settings = read_settings()
    lines = asyncio.run(_trace(server_address(redis, data, settings), settings, conversation, after))
    if lines is None:
        raise CommandFailed(f"There is no conversation {conversation}, or it has expired.", FINDINGS)
    for line in lines:
        if as_json:
            click.echo(line)
            continue
        turn = msgspec.json.decode(line, type=TurnTrace)
        for sentence in [*sentences(conversation, turn)[: 1 if values else None], *(details(turn) if values else [])]:
            click.echo(sentence)


async def _trace(url: str, settings: Settings, conversation: str, after: int) -> list[bytes] | None:
    async with server(url) as redis:
        return await mailbox_of(redis, settings).trace(conversation, after)
