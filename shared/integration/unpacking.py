"""Bodies that arrive packed (`Content-Encoding`): unpacked piece by piece, to their end, never beyond a limit. Pure.

aiohttp would unpack by itself, but takes half a gzip for a whole one.
"""

import zlib

_GZIP = 16 + zlib.MAX_WBITS
_PIECE = 64 * 1024
# A gzip may consist of several. Each one costs a copy of what follows it, and may hold nothing.
_MOST_MEMBERS = 1000


class Damaged(Exception):  # noqa: N818 - a verdict about the answer, not a fault of ours
    """The body cannot be unpacked. The message says why, without values."""


class Unpacker:
    """Unpacks one body. Raises Damaged, also for an encoding that nobody asked for."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding.strip().lower()
        if self._encoding not in {"", "identity", "gzip", "x-gzip", "deflate"}:
            raise Damaged("the body is packed in a way that was not asked for")
        self._inner = zlib.decompressobj(zlib.MAX_WBITS if self._encoding == "deflate" else _GZIP)
        self._begun = False
        self._members = 1

    def feed(self, chunk: bytes, most: int) -> bytes:
        """Return what a piece unpacks to, cut off one byte after `most`."""
        if self._encoding in {"", "identity"}:
            return chunk
        found = bytearray()
        try:
            while chunk and len(found) <= most:
                found += self._inflated(chunk, min(_PIECE, most + 1 - len(found)))
                chunk = self._inner.unconsumed_tail or self._next_member()
        except zlib.error:
            raise Damaged("the body is damaged") from None
        return bytes(found)

    def end(self) -> None:
        """Tell that the body has ended; raises Damaged if it should not have."""
        if self._begun and not self._inner.eof:
            raise Damaged("the body ended early")

    def _inflated(self, chunk: bytes, most: int) -> bytes:
        if not self._begun and self._encoding == "deflate" and chunk[0] & 0x0F != 8:
            self._inner = zlib.decompressobj(-zlib.MAX_WBITS)  # some servers leave out the frame
        self._begun = True
        return self._inner.decompress(chunk, most)

    def _next_member(self) -> bytes:
        """Return what follows the end of a gzip: another one, or padding that says nothing."""
        rest = self._inner.unused_data if self._inner.eof else b""
        if not rest.strip(b"\0"):
            return b""
        self._members += 1
        if self._members > _MOST_MEMBERS:
            raise Damaged("the body has too many parts")
        self._inner = zlib.decompressobj(_GZIP)
        return rest
