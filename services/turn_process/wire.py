"""Frames on the socket of a turn process: four bytes of length (little-endian), then one message in msgpack."""

import os

import msgspec

from shared.dialog.frames import FRAME_LIMIT, FromChild, ToChild

_SOCKET = 0
_decoder: msgspec.msgpack.Decoder[ToChild] = msgspec.msgpack.Decoder(ToChild)
_encoder = msgspec.msgpack.Encoder()


class FrameTooLarge(Exception):  # noqa: N818 - what a bot did, not a mistake of the caller
    """A message is larger than a frame may be."""


def receive() -> ToChild | None:
    """Wait for the next message; None when the other side has closed."""
    head = _read(4)
    if head is None:
        return None
    frame = _read(int.from_bytes(head, "little"))
    return None if frame is None else _decoder.decode(frame)


def encode(message: FromChild) -> bytes:
    """Make a frame. Raises FrameTooLarge."""
    content = _encoder.encode(message)
    if len(content) > FRAME_LIMIT:
        raise FrameTooLarge(f"the answer has {len(content)} bytes; a frame holds {FRAME_LIMIT}")
    return len(content).to_bytes(4, "little") + content


def send(frame: bytes) -> None:
    """Write a frame to the socket."""
    rest = memoryview(frame)
    while rest:
        rest = rest[os.write(_SOCKET, rest) :]


def _read(size: int) -> bytes | None:
    """Read exactly so many bytes; None at the end of the stream."""
    pieces: list[bytes] = []
    while size:
        piece = os.read(_SOCKET, min(size, 1 << 20))
        if not piece:
            return None
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
