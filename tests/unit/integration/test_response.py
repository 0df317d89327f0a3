"""What an answer says."""

import pytest

from shared.integration.response import decode_body, retry_after


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ("ä€".encode(), "application/json", "ä€"),
        ("ä".encode("latin-1"), "text/plain; charset=ISO-8859-1", "ä"),
        ("ä€".encode("cp1252"), 'text/plain;Charset="windows-1252"', "ä€"),
        ("ä".encode("utf-16"), "application/json", "ä"),
        (b"\xef\xbb\xbf{}", "application/json; charset=latin-1", "{}"),
        (b"\xff\xfe\x00\x00a\x00\x00\x00", "", "a"),
        (b"a\xffb", "application/json", "a\ufffdb"),
        (b"a\xffb", "text/plain; charset=utf-8", "a\ufffdb"),
        ("ä".encode(), "text/plain; charset=no-such", "ä"),
        ("ä".encode(), "text/plain; charset=rot13", "ä"),
        (b"\\u0041", "text/plain; charset=unicode_escape", "\\u0041"),
        (b"YQ==", "text/plain; charset=base64", "YQ=="),
        (b"+2AA-", "text/plain; charset=UTF7", "+2AA-"),
        (b"", "", ""),
        (
            "<?xml version='1.0' encoding='ISO-8859-1'?><a>ä</a>".encode("latin-1"),
            "text/xml",
            "<?xml version='1.0' encoding='ISO-8859-1'?><a>ä</a>",
        ),
        (
            '<?xml version="1.0" encoding="latin-1"?><a>ä</a>'.encode(),
            "text/xml; charset=utf-8",
            '<?xml version="1.0" encoding="latin-1"?><a>ä</a>',
        ),
        (
            '<?xml version="1.0"?><a encoding="utf-16">ä</a>'.encode(),
            "text/xml",
            '<?xml version="1.0"?><a encoding="utf-16">ä</a>',
        ),
        (
            b'<?xml version="1.0" encoding="utf-16"?><a>b</a>',
            "text/xml",
            '<?xml version="1.0" encoding="utf-16"?><a>b</a>',
        ),
    ],
)
def test_a_body_is_decoded_whatever_it_claims(body: bytes, content_type: str, text: str) -> None:
    assert decode_body(body, content_type) == text


@pytest.mark.parametrize(
    ("value", "date", "seconds"),
    [
        (None, None, None),
        ("3", None, 3.0),
        (" 0 ", None, 0.0),
        ("1.5", None, 1.5),
        ("Wed, 21 Oct 2026 07:28:10 GMT", "Wed, 21 Oct 2026 07:28:00 GMT", 10.0),
        ("Wed, 21 Oct 2026 07:27:00 GMT", "Wed, 21 Oct 2026 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 2026 07:28:10 GMT", None, None),
        ("soon", "Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("-1", None, None),
        ("Wed, 21 Oct 99999999999 07:28:10 GMT", "Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("9" * 400, None, None),
    ],
)
def test_retry_after_is_seconds_or_a_point_in_time(value: str | None, date: str | None, seconds: float | None) -> None:
    assert retry_after(value, date) == seconds
