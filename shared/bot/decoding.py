"""From the bytes of an export to its parts: whatever the bytes are, what is wrong has a place in the file."""

import json
import re
from typing import Any

import msgspec

from shared.bot.errors import BotError, place_and_problem
from shared.bot.export import Export

_DECODER = msgspec.json.Decoder(Export)
_REMEDY = "Give a bot exported from Conversation Builder (Export Bot, JSON)"
_BYTE = re.compile(r"\(byte (\d+)\)")
_BRACKET = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)
_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_ID_WORDS = "1 to 128 letters without accents, digits, and the characters _ . : -"
# No export is nested like this; decoders give up at a depth that depends on who calls them.
_DEEP = 100


def decode_export(content: bytes, file: str) -> Export:
    """Decode an export. Raises BotError naming file, place and remedy."""
    if not content.strip():
        raise BotError(file, "", "the file is empty", _REMEDY)
    try:
        export = _DECODER.decode(content)
    except msgspec.ValidationError as error:
        raise BotError(file, *place_and_problem(error), _REMEDY) from error
    except UnicodeDecodeError as error:
        place = _place(content, _first_broken(content))
        raise BotError(file, place, "not JSON: it is not UTF-8 text", _REMEDY) from error
    except msgspec.DecodeError as error:
        found = _BYTE.search(str(error))
        at = int(found[1]) if found else len(content)
        raise BotError(file, _place(content, at), f"not JSON: {error}", _REMEDY) from error
    except RecursionError as error:
        raise BotError(file, _place(content, _first_deep(content)), "nested too deeply", _REMEDY) from error
    _check_id(export.bot.id, file)
    return export


def _check_id(bot_id: str, file: str) -> None:
    """Refuse an id that addresses, keys and log lines could not carry as it is."""
    if not bot_id.strip():
        raise BotError(file, "bot.id", "the bot's id is empty", "Give it one, or export the bot again")
    if not _ID.fullmatch(bot_id):
        problem = f"{msgspec.json.encode(bot_id[:40]).decode()} cannot be the id of a bot"
        raise BotError(file, "bot.id", problem, f"Use {_ID_WORDS}")


def decode_freely(content: bytes) -> Any:
    """Decode what `decode_export` could decode without regard to what nobody reads: numbers are left as text."""
    try:
        return json.loads(content.decode(errors="replace"), parse_int=str, parse_float=str, strict=False)
    except (ValueError, RecursionError):
        return None


def _first_broken(content: bytes) -> int:
    try:
        content.decode()
    except UnicodeDecodeError as error:
        return error.start
    return len(content)


def _first_deep(content: bytes) -> int:
    depth = 0
    for found in _BRACKET.finditer(content):
        depth += {b"[": 1, b"{": 1, b"]": -1, b"}": -1}.get(found[0], 0)
        if depth > _DEEP:
            return found.start()
    return len(content)


def _place(content: bytes, at: int) -> str:
    """Turn the place of a byte into a line and a column, both from 1; columns are counted in bytes."""
    lines = content[:at].split(b"\n")
    return f"line {len(lines)}, column {len(lines[-1]) + 1}"
