"""Whatever goes wrong, on whatever path: one shape, the right status, what to mend, and never what was sent."""

import gzip
import io
import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import ClientSession, TCPConnector
from aiohttp.compression_utils import ZLibDecompressor
from arq.connections import ArqRedis

from services.gateway.bodies import decode
from services.gateway.errors import Refused
from services.gateway.wire import MessageRequest
from tests.services.gateway.loopback import Gateway, StartConversation, StartGateway, error_of

CREATE = "/v1/bots/shop/conversations"


@pytest.mark.parametrize(
    "path", ["/nothing", "/v1", "/v1/conversations", "/v2/bots", "/thirdparty-services-0.2/webview"]
)
async def test_an_unknown_address_is_an_error_like_all_others(gateway: Gateway, path: str) -> None:
    async with gateway.client.get(path) as answer:
        error = await error_of(answer, 404)
    assert error["code"] == "not_found"


async def test_a_wrong_method_names_the_right_ones(gateway: Gateway) -> None:
    async with gateway.client.put(CREATE, json={}) as answer:
        error = await error_of(answer, 405)
        assert answer.headers["Allow"] == "POST"
    assert "POST" in error["message"]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{'text': 'a'}",
        b'{"text": NaN}',
        b"\xff\xfe",
        b'{"text": "\xff"}',
        b"[" * 100_000,
        b'{"text":"a"} x',
        b"",
    ],
)
async def test_what_is_not_json_is_said_to_be_so(
    gateway: Gateway, conversation: StartConversation, body: bytes
) -> None:
    made = await conversation()
    headers = made.headers | {"Content-Type": "application/json"}
    async with gateway.client.post(f"{made.path}/messages", data=body, headers=headers) as answer:
        error = await error_of(answer, 413 if len(body) > 65536 else 400)
    assert error["code"] in {"invalid_json", "too_large"}


@pytest.mark.parametrize("body", ["[]", '"text"', "5", "null"])
async def test_json_that_is_no_object_is_said_to_be_none(gateway: Gateway, body: str) -> None:
    headers = {"Content-Type": "application/json"}
    async with gateway.client.post(CREATE, data=body, headers=headers) as answer:
        error = await error_of(answer, 400)
    assert error["message"].startswith("The body must be an object")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", None]
)
async def test_a_body_that_is_not_json_by_its_type_is_refused(gateway: Gateway, kind: str | None) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    skip = ["Content-Type"] if kind is None else []
    async with gateway.client.post(CREATE, data=b"{}", headers=headers, skip_auto_headers=skip) as answer:
        error = await error_of(answer, 415)
    assert "JSON" in error["message"]


async def test_a_body_over_64_kib_is_refused(gateway: Gateway, conversation: StartConversation) -> None:
    made = await conversation()
    body = {"text": "a", "payload": "x" * 65536}
    async with gateway.client.post(f"{made.path}/messages", json=body, headers=made.headers) as answer:
        error = await error_of(answer, 413)
    assert "64 KiB" in error["message"]


async def test_a_body_that_does_not_say_its_length_is_measured(
    gateway: Gateway, conversation: StartConversation
) -> None:
    made = await conversation()

    async def chunks() -> Any:
        for _ in range(100):
            yield b" " * 1024

    headers = made.headers | {"Content-Type": "application/json"}
    async with gateway.client.post(f"{made.path}/messages", data=chunks(), headers=headers) as answer:
        await error_of(answer, 413)


async def test_a_small_body_that_unpacks_to_a_large_one_is_measured_unpacked(
    gateway: Gateway, conversation: StartConversation
) -> None:
    made = await conversation()
    headers = made.headers | {"Content-Type": "application/json", "Content-Encoding": "deflate"}
    packed = zlib.compress(b'{"text": "%s"}' % (b"a" * 1_000_000))
    async with gateway.client.post(f"{made.path}/messages", data=packed, headers=headers) as answer:
        await error_of(answer, 413)


async def test_nothing_is_unpacked_that_nobody_wants(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """A megabyte that unpacks to a gigabyte would hold up the gateway for seconds while it is dropped."""
    unpacked: list[bytes] = []

    def unpack(_: object, data: bytes, **__: object) -> bytes:
        unpacked.append(data)
        return b""

    monkeypatch.setattr(ZLibDecompressor, "decompress_sync", unpack)
    for path in ("/nowhere", "/thirdparty-services-0.1/webview"):
        packed = gzip.compress(b" " * 3_000_000)
        async with gateway.client.post(path, data=packed, headers={"Content-Encoding": "gzip"}) as answer:
            assert answer.status in {401, 404}
    assert unpacked == []


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_a_packed_body_is_unpacked(
    gateway: Gateway, conversation: StartConversation, encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    made = await conversation()
    headers = made.headers | {"Content-Type": "application/json", "Content-Encoding": encoding}
    async with gateway.client.post(f"{made.path}/messages", data=pack(b'{"text": "hi"}'), headers=headers) as answer:
        assert answer.status == 202
    async with gateway.client.post(f"{made.path}/messages", data=pack(b"{}")[:-2], headers=headers) as answer:
        assert "ended early" in (await error_of(answer, 400))["message"]


async def test_a_body_that_is_packed_otherwise_is_refused(gateway: Gateway, conversation: StartConversation) -> None:
    made = await conversation()
    headers = made.headers | {"Content-Type": "application/json", "Content-Encoding": "br"}
    async with gateway.client.post(f"{made.path}/messages", data=b"{}", headers=headers) as answer:
        assert "gzip or deflate" in (await error_of(answer, 400))["message"]


async def test_a_body_that_cannot_be_unpacked_is_the_callers_mistake(
    gateway: Gateway, conversation: StartConversation, caplog: pytest.LogCaptureFixture
) -> None:
    made = await conversation()
    headers = made.headers | {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    async with gateway.client.post(f"{made.path}/messages", data=b"not gzip", headers=headers) as answer:
        await error_of(answer, 400)
    await gateway.stop()
    assert caplog.records == []


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Content-Encoding": "gzip"}, b"not gzip"),
        ({"Content-Encoding": "deflate"}, b"not deflated" * 1000),
        ({"Content-Encoding": "br"}, b"not brotli"),
        ({}, b" " * 2_000_000),
    ],
    ids=["gzip", "deflate", "br", "too large"],
)
async def test_a_connection_that_ends_with_an_answer_is_said_to_end(
    gateway: Gateway, conversation: StartConversation, headers: dict[str, str], body: bytes
) -> None:
    made = await conversation()
    headers = made.headers | {"Content-Type": "application/json"} | headers
    async with ClientSession(gateway.url, connector=TCPConnector(limit=1)) as client:
        for _ in range(5):
            async with client.post(f"{made.path}/messages", data=io.BytesIO(body), headers=headers) as answer:
                assert answer.status == (413 if len(body) > 65536 else 400)
            async with client.post(f"{made.path}/messages", json={"text": "hi"}, headers=made.headers) as answer:
                assert answer.status == 202


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "`text` is missing."),
        ({"text": 5}, "`text` must be text, not a number."),
        ({"text": [5]}, "`text` must be text, not a list."),
        ({"text": "a", "id": {}}, "`id` must be text or null, not an object."),
        ({"text": "a", "id": ""}, "`id` must have at least 1 characters."),
        ({"text": "a", "metadata": [1]}, "`metadata[0]` must be an object, not a number."),
    ],
)
def test_errors_of_fields_are_sentences(body: dict[str, Any], message: str) -> None:
    with pytest.raises(Refused) as caught:
        decode(json.dumps(body).encode(), MessageRequest)
    assert caught.value.message == message


SECRET = "4111-1111-1111-1111"


@pytest.mark.parametrize(
    "body",
    [
        {"text": {SECRET: SECRET}},
        {"text": [SECRET]},
        {"text": "a", "id": SECRET * 20},
        {"text": "a", "metadata": [SECRET]},
        {"text": SECRET * 600},
    ],
)
async def test_no_error_and_no_log_line_repeats_what_was_sent(
    gateway: Gateway, conversation: StartConversation, body: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    made = await conversation()
    async with gateway.client.post(f"{made.path}/messages", json=body, headers=made.headers) as answer:
        assert SECRET not in await answer.text()
    async with gateway.client.post(f"{made.path}/{SECRET}?x={SECRET}", headers={"Authorization": SECRET}) as answer:
        assert SECRET not in await answer.text()
    logged = capsys.readouterr()
    for private in (SECRET, made.id, made.token, made.user_id):
        assert private not in logged.out + logged.err


async def test_every_answer_forbids_guessing_types_and_passing_on_addresses(gateway: Gateway) -> None:
    for path in ("/nothing", "/readyz", "/openapi.json"):
        async with gateway.client.get(path) as answer:
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "no-referrer"


async def test_what_nobody_foresaw_is_a_500_in_the_same_shape(
    gateway: Gateway, conversation: StartConversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await conversation()

    async def fail(*_: object) -> None:
        raise LookupError(SECRET)

    monkeypatch.setattr(gateway.mailbox, "read", fail)
    async with gateway.client.get(f"{made.path}/messages", headers=made.headers) as answer:
        error = await error_of(answer, 500)
    assert error["code"] == "internal"


async def test_pages_of_the_configured_origins_may_call(start_gateway: StartGateway) -> None:
    gateway = await start_gateway(cors_origins=("https://shop.example",))
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    ours, others = {"Origin": "https://shop.example"}, {"Origin": "https://evil.example"}
    async with gateway.client.options(CREATE, headers=ours | asks) as answer:
        assert answer.status == 204
        assert answer.headers["Access-Control-Allow-Origin"] == "https://shop.example"
        assert answer.headers["Access-Control-Allow-Methods"] == "GET, POST"
    async with gateway.client.post(CREATE, json={}, headers=ours) as answer:
        assert answer.headers["Access-Control-Allow-Origin"] == "https://shop.example"
        assert answer.headers["Vary"] == "Origin"
    async with gateway.client.get("/v1/nothing", headers=ours) as answer:
        await error_of(answer, 404)
        assert answer.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    async with gateway.client.options(CREATE, headers=others | asks) as answer:
        error = await error_of(answer, 403)
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert "BOTLANE_CORS_ORIGINS" in error["message"]


async def test_without_configured_origins_no_other_site_may_call(gateway: Gateway) -> None:
    async with gateway.client.post(CREATE, json={}, headers={"Origin": "https://evil.example"}) as answer:
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_readyz_is_bare(gateway: Gateway, redis: ArqRedis) -> None:
    async with gateway.client.get("/readyz") as answer:
        assert answer.status == 200
        assert await answer.read() == b""


def test_half_of_a_character_pair_is_not_called_an_early_end_alone() -> None:
    with pytest.raises(Refused, match="character pair"):
        decode(rb'{"text": "\ud800"}', MessageRequest)
