"""A lean HTTP and WebSocket client: it shares the machine with what it measures, so it parses only what it must."""

import asyncio
import base64
import os
from collections.abc import Callable
from typing import Any, Protocol

_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10


class Broken(Exception):  # noqa: N818 - what became of a connection, in words
    """A connection ended or brought what it must not."""


class Listener(Protocol):
    """Who owns a connection: is told when it ends before its time."""

    def lost(self, reason: str) -> None:
        """Take note that the connection is no more."""


class Line(asyncio.Protocol):
    """One keep-alive HTTP connection: `answered` gets status and body of each answer, in the order of the requests."""

    def __init__(self, answered: Callable[[int, bytes], None], owner: Listener) -> None:
        self._answered = answered
        self._owner = owner
        self._rest = b""
        self._transport: asyncio.Transport
        self._closing = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what is written to."""
        self._transport = transport  # type: ignore[assignment] # TCP gives a full one

    def ask(self, request: bytes) -> None:
        """Send a whole request."""
        self._transport.write(request)

    def close(self) -> None:
        """End the connection."""
        self._closing = True
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Hand over the answers that are whole: several, when requests were sent without waiting."""
        data = self._rest + data if self._rest else data
        while (head := data.find(b"\r\n\r\n") + 4) > 3:
            at = data.find(b"Content-Length: ") + 16
            end = head + int(data[at : data.index(b"\r", at)])
            if len(data) < end:
                break
            answer, data = data[:end], data[end:]
            self._answered(int(answer[9:12]), answer[head:])
        self._rest = data

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the owner, unless we closed it."""
        if not self._closing:
            self._owner.lost(f"an HTTP connection ended: {exc}")


class Stream(asyncio.Protocol):
    """One WebSocket: `heard` gets every text frame. It is open once `opened` is done."""

    def __init__(self, heard: Callable[[bytes], None], owner: Listener) -> None:
        self._heard = heard
        self._owner = owner
        self._rest = b""
        self._transport: asyncio.Transport
        self._closing = False
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what is written to."""
        self._transport = transport  # type: ignore[assignment] # TCP gives a full one

    def open(self, host: str, path: str, token: str) -> None:
        """Send the handshake, the token as the second subprotocol."""
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: Upgrade", "Upgrade: websocket"]
        lines += ["Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}"]
        lines += [f"Sec-WebSocket-Protocol: botlane.v1, {token}", "", ""]
        self._transport.write("\r\n".join(lines).encode())

    def close(self) -> None:
        """End the connection."""
        self._closing = True
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Hand over the frames that are whole."""
        data = self._rest + data if self._rest else data
        if not self.opened.done():
            head = data.find(b"\r\n\r\n") + 4
            if head < 4:
                self._rest = data
                return
            if data[9:12] != b"101":
                self._owner.lost(f"the handshake was refused: {data[:200]!r}")
                return
            self.opened.set_result(None)
            data = data[head:]
        self._rest = self._take(data)

    def _take(self, data: bytes) -> bytes:
        """Hand over whole frames (a server does not mask) and return what is left."""
        at, size = 0, len(data)
        while size - at >= 2:
            length, start = data[at + 1] & 127, at + 2
            if length >= 126:
                wide = 2 if length == 126 else 8
                start += wide
                if start > size:
                    break
                length = int.from_bytes(data[at + 2 : start], "big")
            if start + length > size:
                break
            self._frame(data[at] & 15, data[start : start + length])
            at = start + length
        return data[at:] if at < size else b""

    def _frame(self, kind: int, payload: bytes) -> None:
        if kind == _TEXT:
            self._heard(payload)
        elif kind == _PING:
            mask = b"\0\0\0\0"  # a mask of zeros leaves the payload as it is
            self._transport.write(bytes((0x80 | _PONG, 0x80 | len(payload))) + mask + payload)
        elif kind == _CLOSE and not self._closing:
            self._owner.lost(f"the stream was closed: {payload!r}")

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the owner, unless we closed it."""
        if not self._closing:
            self._owner.lost(f"a stream ended: {exc}")


def request(host: str, path: str, body: bytes, token: str = "") -> bytes:
    """Return a POST of JSON."""
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\n{authorization}Content-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def connect(host: str, made: Callable[[], Any]) -> Any:
    """Connect a Line or a Stream to `address:port` and return it."""
    address, _, port = host.rpartition(":")
    _, protocol = await asyncio.get_running_loop().create_connection(made, address, int(port))
    return protocol
