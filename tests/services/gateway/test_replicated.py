"""With `replicated`, nothing is acknowledged or shown that no replica has: here there is none."""

import asyncio

import pytest

from shared.store.replicas import NotReplicated, Replicas
from tests.services.gateway.loopback import Conversation, Gateway, StartConversation, StartGateway, error_of


@pytest.fixture
async def careful(start_gateway: StartGateway) -> Gateway:
    gateway = await start_gateway(durability="replicated")
    assert gateway.mailbox._replicas
    gateway.mailbox._replicas._wait_ms = 20
    return gateway


@pytest.fixture
async def made(conversation: StartConversation) -> Conversation:
    made = await conversation()
    await made.say("before")
    return made


async def test_nothing_is_acknowledged_or_read(careful: Gateway, made: Conversation) -> None:
    requests = [
        ("POST", "/v1/bots/shop/conversations", {}),
        ("POST", f"{made.path}/messages", {"id": "m", "text": "hi"}),
        ("POST", f"{made.path}/messages", {"id": "m", "text": "hi"}),
        ("GET", f"{made.path}/messages", None),
    ]
    for method, path, body in requests:
        headers = {} if "bots" in path else made.headers
        async with careful.client.request(method, path, json=body, headers=headers) as answer:
            assert (await error_of(answer, 503))["code"] == "unavailable"
            assert int(answer.headers["Retry-After"]) > 0


async def test_a_stream_keeps_back_what_it_is_told(
    careful: Gateway, made: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = asyncio.Event()
    confirm = Replicas.confirm

    async def watched(replicas: Replicas, shard: int) -> None:
        try:
            await confirm(replicas, shard)
        except NotReplicated:
            refused.set()
            raise

    monkeypatch.setattr(Replicas, "confirm", watched)
    path = f"{made.path}/stream?after=1"
    async with careful.client.ws_connect(path, protocols=("botlane.v1", made.token)) as socket:
        await careful.waited_at()
        await made.say("meanwhile")
        heard = asyncio.create_task(socket.receive_json())
        await refused.wait()
        assert not heard.done()
        monkeypatch.setattr(careful.mailbox, "_replicas", None)
        assert (await heard)["message"]["text"] == "meanwhile"
