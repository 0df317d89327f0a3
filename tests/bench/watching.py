"""What the server is asked, seen with MONITOR: every command a program sends, by the script or the key it names."""

import asyncio
import contextlib
import hashlib
import re
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from shared.queue import scripts

_LINE = re.compile(rb"\+[0-9.]+ \[\d+ (?P<who>[^\]]*)\] (?P<words>.*)")
_WORD = re.compile(rb'"((?:[^"\\]|\\.)*)"')
_FOLDER = Path(scripts.__file__).parent


class Asked(msgspec.Struct, frozen=True):
    """One command: its name or its script's, and the first key of a shard."""

    name: str
    key: str


class Watch:
    """Counts commands."""

    def __init__(self) -> None:
        self.asked: Counter[Asked] = Counter()
        self._names = script_names()

    def take(self, line: bytes) -> None:
        """Count a line of MONITOR, unless a script asked."""
        found = _LINE.match(line)
        if found is None or found["who"].startswith(b"lua"):
            return
        words = [word.decode(errors="replace") for word in _WORD.findall(found["words"])[:4]]
        name = words[0].upper()
        key = next((word for word in words[1:] if "{s" in word), "")
        if name == "EVALSHA":
            name = self._names.get(words[1], "another script")
        self.asked[Asked(name, key)] += 1


def script_names() -> dict[str, str]:
    """Return the name of every script by its hash."""
    files = [path for path in _FOLDER.glob("*.lua") if not path.name.startswith("_")]
    texts = {path.stem: (scripts.source(path.stem), path.read_text(encoding="utf-8")) for path in files}
    return {hashlib.sha1(text.encode()).hexdigest(): name for name, both in texts.items() for text in both}


@contextlib.asynccontextmanager
async def watched(redis_url: str) -> AsyncIterator[Watch]:
    """Watch a server on a unix socket while the block runs."""
    reader, writer = await asyncio.open_unix_connection(redis_url.removeprefix("unix://"), limit=1 << 24)
    writer.write(b"MONITOR\r\n")
    await reader.readline()
    watch = Watch()

    async def listen() -> None:
        while line := await reader.readline():
            watch.take(line)

    listening = asyncio.create_task(listen())
    try:
        yield watch
        await asyncio.sleep(0.1)
    finally:
        listening.cancel()
        writer.close()
