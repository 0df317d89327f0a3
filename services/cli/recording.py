"""`botlane test --record`: a test file from a conversation of an installation."""

import asyncio
import os.path
from collections.abc import Sequence
from pathlib import Path

from services.cli.failure import FINDINGS, CommandFailed
from services.cli.written_files import refuse_unwritable
from services.tester.calls import Unexpected
from services.tester.recording import recorded
from services.tester.remote import Remote, Unreachable, open_session
from shared.bot.bot import compile_bot
from shared.bot.source import read_bot
from shared.dialog.trace import TurnTrace


def record(paths: Sequence[Path], target: Path, url: str, conversation: str | None, console_token: str) -> str:
    """Write the file and return what to say of it. Raises BotError, CommandFailed."""
    if conversation is None:
        raise CommandFailed("--record needs --conversation: the chat page and the log of `botlane run` name it.")
    if len(paths) != 1:
        raise CommandFailed("--record goes with one PATH: the export of the bot that was talked to.")
    if target.exists():
        raise CommandFailed(f"{target} is there already: give --record another name.")
    refuse_unwritable("--record", target)
    source = read_bot(paths[0])
    bot = compile_bot(source)
    try:
        turns = asyncio.run(_turns(url, conversation, console_token))
    except Unreachable as error:
        raise CommandFailed(str(error)) from error
    except Unexpected as error:
        raise CommandFailed(f"{conversation} cannot be recorded: {error}", FINDINGS) from error
    if not turns:
        raise CommandFailed(f"{conversation} has no turns that are still kept.", FINDINGS)
    name = f"conversation {conversation}"
    beside = Path(os.path.relpath(paths[0], target.parent))
    target.write_text(recorded(bot, beside, name, turns), encoding="utf-8")
    told = f"{target} holds {len(turns)} turns. Look it over: it has what the consumer and the services said."
    if any(turn.version != source.version for turn in turns):
        told += f"\nThe conversation was not with this version of {paths[0]}: play the test before you keep it."
    return told


async def _turns(url: str, conversation: str, console_token: str) -> list[TurnTrace]:
    async with open_session() as session:
        remote = Remote(session, url, "", console_token)
        return await remote.trace(conversation, 0)
