"""What an answer says: its text, and how long it asks to wait. Pure.

What bots see of it is made by `shared.dialog.results`, in the turn that receives the outcome.
"""

import codecs
import math
import re
from datetime import UTC
from email.utils import parsedate_to_datetime

_CHARSET = re.compile(r""";\s*charset\s*=\s*["']?([^\s"';]+)""", re.IGNORECASE)
# UTF-32 first: its mark begins like that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_XML_DECLARATION = re.compile(rb"""\s*<\?xml\s[^>]*?\bencoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]*)""")
# UTF-7 is read by no browser, and can hold halves of characters, which no text here may.
_NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "unicode-escape", "undefined", "utf-7"})
_PLAIN_SECONDS = re.compile(r"\d{1,9}(?:\.\d+)?")


def decode_body(body: bytes, content_type: str) -> str:
    """Return the text of a body: by its byte order mark, charset, XML declaration, or as UTF-8. It never fails."""
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return body.decode(encoding, errors="replace")
    found = _CHARSET.search(content_type)
    charset = found[1] if found else _declared(body)
    try:
        if _is_text_encoding(charset):
            return body.decode(charset, errors="replace")
    except (LookupError, UnicodeError, ValueError):
        pass
    return body.decode(errors="replace")


def _declared(body: bytes) -> str:
    """Return the charset that an XML declaration names; one that can be read byte by byte is none of the wide ones."""
    found = _XML_DECLARATION.match(body[:200])
    charset = found[1].decode().lower() if found else ""
    return "utf-8" if not charset or charset.startswith(("utf-16", "utf-32", "ucs", "iso-10646")) else charset


def retry_after(value: str | None, date: str | None) -> float | None:
    """Return the seconds a `Retry-After` header asks for; a point in time is measured by the answer's own `Date`.

    None when there is no such header, or one that says nothing: seconds that cannot be known are not waited for.
    """
    if value is None:
        return None
    text = value.strip()
    if _PLAIN_SECONDS.fullmatch(text):
        return float(text)
    try:
        then, now = parsedate_to_datetime(text), parsedate_to_datetime(date or "")
    except (TypeError, ValueError, OverflowError):
        return None
    then, now = (moment if moment.tzinfo else moment.replace(tzinfo=UTC) for moment in (then, now))
    return max(0.0, math.ceil((then - now).total_seconds()))


def _is_text_encoding(charset: str) -> bool:
    """Tell a charset from Python's other codecs (`rot13`, `unicode_escape`, …), which no answer may name."""
    found = codecs.lookup(charset)
    return found.name not in _NO_CHARSETS and getattr(found, "_is_text_encoding", False) is True
