"""Sealing: what one secret sealed for one purpose, only that opens."""

import pytest

from shared.privacy.sealing import CannotOpen, Sealer

OLD, NEW = "the-old-secret-of-this-installation", "the-new-secret-of-this-installation"
CONTENT = b"4111 1111 1111 1111"


def test_what_was_sealed_opens_again() -> None:
    sealer = Sealer((OLD,), "tokens")
    assert sealer.open(sealer.seal(CONTENT)) == CONTENT
    assert sealer.open(sealer.seal(b"")) == b""


def test_nothing_of_the_content_is_in_what_was_sealed() -> None:
    assert CONTENT not in Sealer((OLD,), "tokens").seal(CONTENT)


def test_the_same_content_is_never_sealed_alike_twice() -> None:
    sealer = Sealer((OLD,), "tokens")
    assert sealer.seal(CONTENT) != sealer.seal(CONTENT)


def test_the_first_secret_seals_and_every_secret_opens() -> None:
    before, after = Sealer((OLD,), "tokens"), Sealer((NEW, OLD), "tokens")
    assert after.open(before.seal(CONTENT)) == CONTENT
    assert Sealer((NEW,), "tokens").open(after.seal(CONTENT)) == CONTENT


def test_a_secret_named_twice_is_one() -> None:
    sealer = Sealer((OLD, OLD), "tokens")
    assert sealer.open(sealer.seal(CONTENT)) == CONTENT


def test_without_the_secret_it_says_what_is_missing() -> None:
    sealed = Sealer((OLD,), "tokens").seal(CONTENT)
    with pytest.raises(CannotOpen, match="BOTLANE_SECRET must list the secret"):
        Sealer((NEW,), "tokens").open(sealed)


def test_another_purpose_does_not_open_it() -> None:
    sealed = Sealer((OLD,), "tokens").seal(CONTENT)
    with pytest.raises(CannotOpen, match="none of the secrets"):
        Sealer((OLD,), "conversations").open(sealed)


def test_another_place_does_not_open_it() -> None:
    sealer = Sealer((OLD,), "tokens")
    assert sealer.open(sealer.seal(CONTENT, b"here"), b"here") == CONTENT
    with pytest.raises(CannotOpen, match="not for this place"):
        sealer.open(sealer.seal(CONTENT, b"here"), b"there")


def test_one_changed_bit_anywhere_is_noticed() -> None:
    sealer = Sealer((OLD,), "tokens")
    sealed = sealer.seal(CONTENT)
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(CannotOpen):
            sealer.open(bytes(changed))


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"plain text that was stored before"])
def test_what_was_never_sealed_is_refused(sealed: bytes) -> None:
    with pytest.raises(CannotOpen, match="not sealed"):
        Sealer((OLD,), "tokens").open(sealed)


def test_it_shows_neither_secret_nor_key() -> None:
    assert repr(Sealer((OLD, NEW), "tokens")) == "Sealer(purpose='tokens')"


def test_it_needs_a_secret_and_a_purpose() -> None:
    with pytest.raises(ValueError, match="at least one secret"):
        Sealer((), "tokens")
    with pytest.raises(ValueError, match="a purpose"):
        Sealer((OLD,), "")
