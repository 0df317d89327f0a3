"""Which variables are sensitive: shell patterns, in the case they are written in."""

import pytest

from shared.bot.errors import BotError
from shared.bot.manifest import decode_manifest
from shared.privacy.naming import Sensitive


@pytest.mark.parametrize("name", ["card", "cardNumber", "card.number", "card\nnumber", "email", "pin1", "a[b"])
def test_a_name_that_fits_a_pattern_is_sensitive(name: str) -> None:
    assert Sensitive(("card*", "email", "pin[0-9]", "a[[]b")).matches(name)


@pytest.mark.parametrize("name", ["Card", "EMAIL", "emails", "my card", "pinx", "", "e", "ab"])
def test_another_name_is_not(name: str) -> None:
    assert not Sensitive(("card*", "email", "pin[0-9]", "a[[]b")).matches(name)


def test_without_patterns_nothing_is() -> None:
    assert not Sensitive()
    assert not Sensitive().matches("card")


def test_the_manifest_names_them() -> None:
    assert decode_manifest('[privacy]\nsensitive = ["card*", "email"]', "m").privacy.sensitive == ("card*", "email")


@pytest.mark.parametrize("pattern", ["", " ", " card"])
def test_a_pattern_that_can_fit_no_name_is_refused(pattern: str) -> None:
    with pytest.raises(BotError, match=r"privacy\.sensitive: .* is no name of a variable"):
        decode_manifest(f'[privacy]\nsensitive = ["{pattern}"]', "m")
