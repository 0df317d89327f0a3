"""Reading what callers send: bodies of limited size, decoded into Structs, with errors that name the field."""

import asyncio
import http
import re
from typing import Any, TypeVar

import msgspec
from aiohttp import hdrs, web

from services.gateway.errors import Refused
from shared.bot.storable import storable
from shared.integration.unpacking import Damaged, Unpacker

T = TypeVar("T")

BODY_SECONDS = 20.0
"""How long a whole body may take to arrive: who sends it byte by byte holds a connection, not a turn."""

_PLACE = re.compile(r" - at `(?:key in )?\$?\.?(?P<path>[^`]*)`$")
_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]+)`")
_TYPES = re.compile(r"Expected `(?P<wanted>[^`]+)`, got `(?P<got>[^`]+)`$")
_LENGTH = re.compile(r"Expected `str` of length (?P<bound><=|>=) (?P<length>\d+)$")
_WORDS = {
    "str": "text",
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
}


_UNTYPED = frozenset({"text/plain", "application/x-www-form-urlencoded", "application/octet-stream", "text/json"})
"""Types under which libraries send JSON when nobody tells them what it is: fetch, jQuery and curl, none, old ones."""
_BOM = b"\xef\xbb\xbf"


async def read_body(request: web.Request, limit: int) -> bytes:
    """Return the body. Raises Refused when it is too long (`limit` bytes), too slow, broken or not JSON by its type."""
    if request.body_exists and request.content_type != "application/json":
        raise _not_json()
    return await _read(request, limit)


async def read_form_body(request: web.Request, limit: int) -> bytes:
    """Return the body of a Web View call: also one that is JSON by its first character and not by its type."""
    kind = request.content_type
    typed = kind == "application/json" or kind.endswith("+json")
    if request.body_exists and not typed and kind not in _UNTYPED:
        raise _not_json()
    try:
        body = (await _read(request, limit)).removeprefix(_BOM)
    except Refused as refused:
        raise _raised_by(refused, "BOTLANE_WEB_VIEW_BODY") from refused
    if not typed and body.lstrip()[:1] not in (b"{", b""):
        raise _not_json()
    return body


async def _read(request: web.Request, limit: int) -> bytes:
    encoding = request.charset
    if encoding is not None and encoding.lower() not in {"utf-8", "utf8"}:
        raise Refused("unsupported_media_type", "The body must be JSON in UTF-8.")
    if request.content_length is not None and request.content_length > limit:
        raise _too_large(limit)
    unpacker = _unpacker(request)
    body = bytearray()
    try:
        if request.content.is_eof() and request.content.exception() is None:  # it came with the headers
            _add(body, await request.content.read(), unpacker, limit)
        else:
            async with asyncio.timeout(BODY_SECONDS):
                async for chunk in request.content.iter_any():
                    _add(body, chunk, unpacker, limit)
        unpacker.end()
    except TimeoutError:
        raise Refused("invalid_request", f"The body did not arrive within {BODY_SECONDS:g} s: send it again.") from None
    except (web.RequestPayloadError, ConnectionError, Damaged) as error:
        raise Refused("invalid_request", "The body cannot be read: it ended early or is badly encoded.") from error
    return bytes(body)


def _unpacker(request: web.Request) -> Unpacker:
    """Return what unpacks a body as far as it is read: a packed one that is dropped costs what it has on the wire."""
    try:
        return Unpacker(request.headers.get(hdrs.CONTENT_ENCODING, ""))
    except Damaged:
        message = "The body is packed in a way that is not read here: send it as it is, or with gzip or deflate."
        raise Refused("invalid_request", message) from None


def _add(body: bytearray, chunk: bytes, unpacker: Unpacker, limit: int) -> None:
    body += unpacker.feed(chunk, limit - len(body))
    if len(body) > limit:
        raise _too_large(limit)


def decode(body: bytes, shape: type[T]) -> T:
    """Return the body as a Struct. Raises Refused with the field and a sentence, never with a value."""
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        raise _explained(str(error)) from None
    except msgspec.DecodeError as error:
        if not body.strip():
            raise Refused("invalid_json", "The body is empty: send a JSON object.") from None
        raise Refused("invalid_json", f"The body is not valid JSON: {_reason(str(error))}.") from None
    except UnicodeDecodeError:
        raise Refused("invalid_json", "The body is not valid JSON: it is not UTF-8 text.") from None
    except RecursionError:
        raise Refused("invalid_json", "The body is nested too deeply.") from None


def carried(value: Any, field: str) -> Any:
    """Return a free JSON value as the rest of the system can carry it. Raises Refused when it is nested too deeply."""
    try:
        return storable(value)
    except ValueError as error:
        raise Refused("invalid_field", f"`{field}` cannot be used: {error}.", field=field) from None


def json_response(body: Any, status: int = http.HTTPStatus.OK) -> web.Response:
    """Return a Struct as a response that nobody keeps."""
    headers = {"Cache-Control": "no-store"}
    return web.Response(body=msgspec.json.encode(body), status=status, content_type="application/json", headers=headers)


def _not_json() -> Refused:
    message = "The body must be JSON: send the header Content-Type: application/json."
    return Refused("unsupported_media_type", message)


def _too_large(limit: int) -> Refused:
    return Refused("too_large", f"The body is larger than {limit // 1024} KiB: send less.")


def _raised_by(refused: Refused, setting: str) -> Refused:
    if refused.code != "too_large":
        return refused
    return Refused(refused.code, f"{refused.message.removesuffix('.')}, or raise {setting}.")


def _reason(message: str) -> str:
    if message == "Input data was truncated":
        return "it ends too early, or has half of a character pair (`\\ud800`)"  # msgspec says the same of both
    return message.removeprefix("JSON is malformed: ").removeprefix("Input data was ").rstrip(".")


def _explained(message: str) -> Refused:
    """Translate msgspec's sentence (`Expected `str`, got `int` - at `$.text``) for somebody who wrote JSON by hand."""
    place = _PLACE.search(message)
    path = place["path"] if place else ""
    problem = message[: place.start()] if place else message
    if missing := _MISSING.fullmatch(problem):
        field = f"{path}.{missing['name']}" if path else missing["name"]
        return Refused("invalid_field", f"`{field}` is missing.", field=field)
    if types := _TYPES.fullmatch(problem):
        wanted = " or ".join(_WORDS.get(word, word) for word in types["wanted"].split(" | "))
        sentence = f"must be {wanted}, not {_WORDS.get(types['got'], types['got'])}"
    elif length := _LENGTH.fullmatch(problem):
        word = "at most" if length["bound"] == "<=" else "at least"
        sentence = f"must have {word} {length['length']} characters"
    else:
        sentence = "cannot be used"
    if not path:
        return Refused("invalid_field", f"The body {sentence}.")
    return Refused("invalid_field", f"`{path}` {sentence}.", field=path)
