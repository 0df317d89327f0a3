"""The key of a conversation: what it seals, nothing else opens, and without it nothing can be read again."""

import pytest

from shared.privacy.conversation_key import ConversationKeys, is_sealed
from shared.privacy.sealing import CannotOpen

ID, OTHER = "0-" + "1" * 32, "0-" + "2" * 32
KEYS = ConversationKeys(("a-secret-of-this-installation",))


def test_what_was_sealed_opens_again_in_its_place() -> None:
    stored = KEYS.fresh(ID)
    sealed = KEYS.open(ID, stored).seal(b"4111", "session")
    assert is_sealed(sealed)
    assert b"4111" not in sealed
    assert KEYS.open(ID, stored).open(sealed, "session") == b"4111"
    with pytest.raises(CannotOpen, match="another place"):
        KEYS.open(ID, stored).open(sealed, "web_view")


@pytest.mark.parametrize("content", [b"", b"{}", b"\x80", b"\xa1x", '{"größe":1}'.encode()])
def test_what_was_not_sealed_is_returned_as_it_is(content: bytes) -> None:
    assert not is_sealed(content)
    assert KEYS.open(ID, KEYS.fresh(ID)).open(content, "session") == content


def test_every_conversation_has_a_key_of_its_own() -> None:
    sealed = KEYS.open(ID, KEYS.fresh(ID)).seal(b"4111", "session")
    with pytest.raises(CannotOpen):
        KEYS.open(ID, KEYS.fresh(ID)).open(sealed, "session")


def test_a_key_opens_for_its_conversation_only() -> None:
    with pytest.raises(CannotOpen):
        KEYS.open(OTHER, KEYS.fresh(ID))


def test_a_program_without_the_secret_says_what_it_lacks() -> None:
    with pytest.raises(CannotOpen, match="BOTLANE_SECRET"):
        ConversationKeys(()).fresh(ID)
    with pytest.raises(CannotOpen, match="BOTLANE_SECRET"):
        ConversationKeys(()).open(ID, KEYS.fresh(ID))
    with pytest.raises(CannotOpen, match="BOTLANE_SECRET must list"):
        ConversationKeys(("another-secret-altogether",)).open(ID, KEYS.fresh(ID))
