"""A forward proxy on loopback: absolute addresses and CONNECT, with or without a password; it looks names up itself."""

import asyncio
import base64
import contextlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Proxy:
    """`asked` are the first lines it was sent; `hosts` say where a name really is; `refuses` is its answer to all, which `tells` what it was sent."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []
        self.heads: list[str] = []
        self.hosts: dict[str, tuple[str, int]] = {}
        self.password = ""
        self.refuses = ""
        self.tells = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._serve(reader, writer)
        writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line = head.partition("\r\n")[0]
        self.asked.append(line)
        self.heads.append(head)
        method, target, _ = line.split(" ")
        wanted = base64.b64encode(self.password.encode()).decode()
        if self.password and f"Proxy-Authorization: Basic {wanted}" not in head:
            writer.write(b"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n")
            return
        if self.refuses:
            told = head if self.tells else ""
            writer.write(f"HTTP/1.1 {self.refuses}\r\nContent-Length: {len(told)}\r\n\r\n{told}".encode())
            return
        authority = target if method == "CONNECT" else target.split("/")[2]
        name, _, port = authority.partition(":")
        onward, back = await asyncio.open_connection(*self.hosts.get(name, (name, int(port or 80))))
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        else:
            rest = target.split(authority, 1)[1]
            onwards = head.replace(f" {target} ", f" {rest} ", 1)
            back.write(re.sub(r"(?m)^Proxy-Authorization: .*\r\n", "", onwards).encode("latin-1"))
        await asyncio.gather(_pipe(reader, back), _pipe(onward, writer))


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def proxying() -> AsyncIterator[Proxy]:
    proxy = Proxy()
    listening = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    async with listening:
        yield proxy
