"""Redis goes and comes back: 503 meanwhile, and everything goes on by itself."""

import asyncio
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest
from arq.connections import ArqRedis

from shared.bot.source import BotSource
from shared.store.bots import Bots
from shared.store.connection import connect
from tests.server import SERVER
from tests.services.gateway.loopback import EXPORT, Conversation, Gateway, StartConversation, StartGateway, error_of

PATH = "/thirdparty-services-0.1/webview"


class MortalServer:
    """A server that keeps its data when it is killed."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "s"
        options = {
            "--port": "0",
            "--unixsocket": self.socket,
            "--dir": folder,
            "--appendonly": "yes",
            "--appendfsync": "always",
        }
        self._command = [SERVER, *(str(part) for pair in options.items() for part in pair)]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while not self.socket.exists():
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self.socket.unlink(missing_ok=True)


@pytest.fixture
def server() -> Iterator[MortalServer]:
    with tempfile.TemporaryDirectory(prefix="bl-", dir="/tmp") as folder:
        server = MortalServer(Path(folder))
        server.start()
        yield server
        server.kill()


@pytest.fixture
async def mortal_redis(server: MortalServer) -> AsyncIterator[ArqRedis]:
    client = connect(f"unix://{server.socket}")
    yield client
    await client.aclose()


@pytest.fixture
async def shaken(start_gateway: StartGateway, mortal_redis: ArqRedis) -> Gateway:
    """A gateway on a server that may be killed."""
    await Bots(mortal_redis, 3600).publish(BotSource(msgspec.json.encode(EXPORT)))
    return await start_gateway(mortal_redis, console=True)


async def recovered(made: Conversation) -> None:
    """Say something until it is accepted."""
    async with asyncio.timeout(60):
        while True:
            url, body = f"{made.path}/messages", {"text": "again", "id": "again"}
            async with made.client.post(url, json=body, headers=made.headers) as answer:
                if answer.status == 202:
                    return
                assert answer.status == 503
            await asyncio.sleep(0.05)


async def test_every_address_answers_503_while_redis_is_away_and_recovers_by_itself(
    shaken: Gateway, conversation: StartConversation, server: MortalServer
) -> None:
    made = await conversation(shaken)
    await made.say("before")
    server.kill()
    requests = [
        ("POST", "/v1/bots/shop/conversations", {}),
        ("POST", f"{made.path}/messages", {"text": "hi"}),
        ("GET", f"{made.path}/messages", None),
        ("GET", f"{made.path}/messages?wait=30", None),
        ("POST", f"{made.path}/token", {}),
        ("GET", f"{made.path}/trace", None),
        ("GET", f"{made.path}/stream", None),
        ("GET", "/v1/bots", None),
    ]
    for method, path, body in requests:
        upgrade = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
        }
        headers = (upgrade if path.endswith("stream") else {}) | ({} if "bots" in path else made.headers)
        async with shaken.client.request(method, path, json=body, headers=headers) as answer:
            error = await error_of(answer, 503)
            assert int(answer.headers["Retry-After"]) > 0
        assert error["code"] == "unavailable"
    async with shaken.client.get("/readyz") as answer:
        assert (answer.status, await answer.read()) == (503, b"")
        assert int(answer.headers["Retry-After"]) > 0
    server.start()
    await recovered(made)
    assert [message["text"] for message in (await made.read())["messages"]] == ["before", "again"]
    async with shaken.client.get("/readyz") as answer:
        assert answer.status == 200


async def test_a_form_is_told_in_its_own_shape(
    shaken: Gateway, conversation: StartConversation, server: MortalServer
) -> None:
    made = await conversation(shaken)
    server.kill()
    form = {"botId": "shop", "conversationId": made.id, "userId": made.user_id}
    async with shaken.client.post(PATH, json=form, headers={"Authorization": "0" * 64}) as answer:
        assert answer.status == 503
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert int(answer.headers["Retry-After"]) > 0
        body = await answer.json()
    assert (body["success"], body["error"]["code"]) == (False, "unavailable")


async def test_a_stream_lives_through_an_outage(
    shaken: Gateway, conversation: StartConversation, server: MortalServer
) -> None:
    made = await conversation(shaken)
    async with made.client.ws_connect(f"{made.path}/stream", protocols=("botlane.v1", made.token)) as socket:
        await socket.send_json({"id": "m-1", "text": "before"})
        assert [set(await socket.receive_json()) for _ in range(2)] in ([{"ack"}, {"message"}], [{"message"}, {"ack"}])
        server.kill()
        await socket.send_json({"id": "m-2", "text": "meanwhile"})
        refusal = await socket.receive_json()
        assert (refusal["error"]["code"], refusal["id"]) == ("unavailable", "m-2")
        server.start()
        await recovered(made)
        async with asyncio.timeout(60):
            frame = await socket.receive_json()
        assert frame["message"]["text"] == "again"


async def test_hints_come_again_after_an_outage(
    shaken: Gateway, conversation: StartConversation, server: MortalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without reading again at intervals, only a renewed subscription can wake the reader."""
    monkeypatch.setattr("services.gateway.notifications.REREAD_SECONDS", 60.0)
    made = await conversation(shaken)
    server.kill()
    server.start()
    await recovered(made)
    cursor = (await made.read())["cursor"]
    async with asyncio.timeout(60):
        waiting = asyncio.create_task(made.read(after=cursor, wait=30))
        while not waiting.done():
            await made.say("more")
            await asyncio.sleep(0.2)
    assert waiting.result()["messages"][0]["text"] == "more"
