"""Tokens: what they open, until when, and what is not one."""

import base64

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.tokens import TokenExpired, Tokens, TokenWrong

OLD, NEW = "an-older-secret-0001", "a-newer-secret-0002"
NOW = 1_800_000_000


def test_a_token_says_what_it_opens_and_until_when() -> None:
    tokens = Tokens((NEW,))
    token = tokens.sign("conversation", "0-ab", NOW + 10)
    assert tokens.verify("conversation", token, NOW) == ("0-ab", NOW + 10)


def test_a_token_fits_a_websocket_subprotocol() -> None:
    token = Tokens((NEW,)).sign("conversation", "0-" + "f" * 32, NOW)
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


def test_a_token_ends() -> None:
    tokens = Tokens((NEW,))
    with pytest.raises(TokenExpired):
        tokens.verify("conversation", tokens.sign("conversation", "0-ab", NOW), NOW)


def test_a_token_for_one_purpose_serves_no_other() -> None:
    tokens = Tokens((NEW,))
    with pytest.raises(TokenWrong):
        tokens.verify("console", tokens.sign("conversation", "0-ab", NOW + 10), NOW)


def test_a_token_that_was_good_before_ends_and_serves_no_other_purpose_either() -> None:
    tokens = Tokens((NEW,))
    token = tokens.sign("conversation", "0-ab", NOW + 10)
    assert tokens.verify("conversation", token, NOW) == tokens.verify("conversation", token, NOW + 9)
    with pytest.raises(TokenExpired):
        tokens.verify("conversation", token, NOW + 10)
    with pytest.raises(TokenWrong):
        tokens.verify("console", token, NOW)


def test_the_first_secret_signs_and_all_verify() -> None:
    old, both, new = Tokens((OLD,)), Tokens((NEW, OLD)), Tokens((NEW,))
    assert both.verify("c", old.sign("c", "x", NOW + 1), NOW)
    assert new.verify("c", both.sign("c", "x", NOW + 1), NOW)
    with pytest.raises(TokenWrong):
        new.verify("c", old.sign("c", "x", NOW + 1), NOW)


def test_somebody_elses_claims_are_refused() -> None:
    tokens = Tokens((NEW,))
    _, _, signature = tokens.sign("c", "x", NOW + 1).partition(".")
    forged = base64.urlsafe_b64encode(msgspec.msgpack.encode(["c", "y", NOW + 1])).rstrip(b"=").decode()
    with pytest.raises(TokenWrong):
        tokens.verify("c", f"{forged}.{signature}", NOW)


@given(st.text())
def test_no_text_is_a_token_by_accident(text: str) -> None:
    with pytest.raises(TokenWrong):
        Tokens((NEW,)).verify("c", text, NOW)


def test_a_stamp_depends_on_content_and_secret() -> None:
    one, other = Tokens((NEW,)), Tokens((OLD,))
    assert one.stamp(b"a") == one.stamp(b"a")
    assert len({one.stamp(b"a"), one.stamp(b"b"), other.stamp(b"a")}) == 3
