"""Bodies that arrive packed."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.integration.unpacking import Damaged, Unpacker


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "GZIP ": gzip.compress,
    "deflate": zlib.compress,
    "": bytes,
    "identity": bytes,
}


def unpacked(encoding: str, packed: bytes, size: int = 7, most: int = 10_000) -> bytes:
    unpacker = Unpacker(encoding)
    found = b""
    for at in range(0, len(packed), size):
        found += unpacker.feed(packed[at : at + size], most - len(found))
    unpacker.end()
    return found


@given(st.binary(max_size=2000), st.sampled_from(sorted(PACKED)), st.integers(1, 500))
def test_a_body_comes_out_as_it_was_packed(body: bytes, encoding: str, size: int) -> None:
    assert unpacked(encoding, PACKED[encoding](body), size) == body


@pytest.mark.parametrize("size", [1, 1000])
def test_deflate_may_come_without_its_frame(size: int) -> None:
    assert unpacked("deflate", raw_deflate(b"body" * 100), size) == b"body" * 100


@pytest.mark.parametrize("size", [1, 1000])
def test_a_gzip_may_have_several_members_and_padding(size: int) -> None:
    assert unpacked("gzip", gzip.compress(b"one ") + gzip.compress(b"two") + b"\0\0", size) == b"one two"


def test_no_body_at_all_is_an_empty_one() -> None:
    assert unpacked("gzip", b"") == b""


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_body_that_ends_early_is_damaged(encoding: str) -> None:
    packed = PACKED[encoding](b"body" * 1000)
    for length in range(1, len(packed)):
        with pytest.raises(Damaged):
            unpacked(encoding, packed[:length])


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [("gzip", b"no gzip"), ("deflate", b"no"), ("gzip", gzip.compress(b"a", mtime=0) + b"x"), ("br", b"x")],
)
def test_what_cannot_be_unpacked_is_damaged(encoding: str, packed: bytes) -> None:
    with pytest.raises(Damaged):
        unpacked(encoding, packed)


def test_a_gzip_of_very_many_members_is_damaged() -> None:
    assert unpacked("gzip", gzip.compress(b"a") * 1000, 100_000) == b"a" * 1000
    with pytest.raises(Damaged, match="too many parts"):
        unpacked("gzip", gzip.compress(b"") * 1001, 100_000)


def test_a_bomb_is_not_unpacked_beyond_the_limit() -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    unpacker = Unpacker("gzip")
    tracemalloc.start()
    found = unpacker.feed(bomb, 1000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found) == 1001
    assert peak < 1_000_000
