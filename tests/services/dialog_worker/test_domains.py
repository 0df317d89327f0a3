"""Hosts of services, looked up before a turn: cached, refreshed beside the turns, and the last good one kept."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from arq.connections import ArqRedis

from services.dialog_worker.domains import LookedUp
from shared.bot.domains import Domain
from shared.bot.source import BotSource
from shared.dialog.effects import Reply
from shared.dialog.frames import Advance, Answer
from shared.dialog.session import Session
from shared.store import call_keys
from shared.store.domains import Domains, KnownHost
from tests.services.dialog_worker.conftest import Talks
from tests.services.dialog_worker.conversations import small_bot
from tests.store.conftest import assert_all_expire

HISTORY = {"history": Domain("msgHist", "12345678")}
HOST = "va.msghist.example.com"


class Service:
    """A look-up service on loopback: `hosts` by service; while `hangs` or `status` it does not say."""

    def __init__(self) -> None:
        self.url = ""
        self.paths: list[str] = []
        self.hosts = {"msgHist": HOST}
        self.status = 200
        self.body: str | None = None
        self.held: asyncio.Event | None = None

    async def answer(self, request: web.Request) -> web.Response:
        self.paths.append(request.path_qs)
        if self.held is not None:
            await self.held.wait()
        if request.path.startswith("/moved"):
            return web.json_response({"baseURI": "elsewhere.example.com"})
        if self.status == 302:
            return web.Response(status=302, headers={"Location": f"/moved{request.path_qs}"})
        if self.body is not None or self.status != 200:
            return web.Response(status=self.status, text=self.body or "no")
        _, _, _, account, _, service, _ = request.path.split("/")
        return web.json_response({"service": service, "account": account, "baseURI": self.hosts[service]})


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    made = Service()
    app = web.Application()
    app.router.add_get("/{rest:.*}", made.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    if made.held is not None:
        made.held.set()
    await runner.cleanup()


Looks = Callable[..., LookedUp]


@pytest.fixture
async def looks(redis: ArqRedis, service: Service) -> AsyncIterator[Looks]:
    """Make what a worker looks up with."""
    made: list[LookedUp] = []

    def make(account: str = "", fresh_ms: int = 600_000, **more: Any) -> LookedUp:
        made.append(LookedUp(Domains(redis, fresh_ms=fresh_ms), more.get("url", service.url), account))
        return made[-1]

    yield make
    for one in made:
        await one.close()


async def until(happened: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await happened():
            await asyncio.sleep(0.005)


def grows_stale(looked_up: LookedUp) -> None:
    """Let a process forget what it need not ask for, as after a minute."""
    looked_up._known = {one: replace_until(known) for one, known in looked_up._known.items()}


def replace_until(known: Any) -> Any:
    return type(known)(known.host, 0.0)


async def test_a_host_is_looked_up_once_for_all_workers(redis: ArqRedis, service: Service, looks: Looks) -> None:
    first, second = looks(), looks()
    assert await first.variables(HISTORY) == {"history": HOST}
    assert await first.variables(HISTORY) == {"history": HOST}
    assert await second.variables(HISTORY) == {"history": HOST}
    assert service.paths == ["/api/account/12345678/service/msgHist/baseURI.json?version=1.0"]
    await assert_all_expire(redis)


async def test_turns_that_ask_at_the_same_moment_share_one_look_up(service: Service, looks: Looks) -> None:
    looked_up = looks()
    found = await asyncio.gather(*(looked_up.variables(HISTORY) for _ in range(20)))
    assert found == [{"history": HOST}] * 20
    assert len(service.paths) == 1


class SlowStore(Domains):
    """Whose second answer, given before a host was known, arrives only after that host was looked up."""

    def __init__(self, redis: ArqRedis) -> None:
        super().__init__(redis)
        self.asked = 0
        self.known = asyncio.Event()

    async def look(self, account: str, service: str) -> KnownHost:
        found = await super().look(account, service)
        self.asked += 1
        if self.asked == 2:
            await self.known.wait()
        return found

    async def keep(self, account: str, service: str, host: str) -> None:
        await super().keep(account, service, host)
        asyncio.get_running_loop().call_later(0.01, self.known.set)


async def test_a_host_that_was_looked_up_is_not_unlearnt_by_a_late_answer(redis: ArqRedis, service: Service) -> None:
    looked_up = LookedUp(SlowStore(redis), service.url, "")
    found = await asyncio.gather(*(looked_up.variables(HISTORY) for _ in range(2)))
    assert found == [{"history": HOST}] * 2
    assert len(service.paths) == 1
    await looked_up.close()


async def test_a_stale_host_is_used_while_it_is_looked_up_again(
    redis: ArqRedis, service: Service, looks: Looks
) -> None:
    await looks().variables(HISTORY)
    service.hosts["msgHist"], service.held = "lo.msghist.example.com", asyncio.Event()
    looked_up = looks(fresh_ms=0)
    assert await looked_up.variables(HISTORY) == {"history": HOST}
    service.held.set()

    async def renewed() -> bool:
        return b"lo.msghist" in (await redis.get(call_keys.domain("12345678", "msgHist")[0]) or b"")

    await until(renewed)
    assert await looked_up.variables(HISTORY) == {"history": "lo.msghist.example.com"}
    assert len(service.paths) == 2


async def test_one_worker_of_all_looks_a_stale_host_up_again(service: Service, looks: Looks) -> None:
    await looks().variables(HISTORY)
    service.held = asyncio.Event()
    for _ in range(3):
        assert await looks(fresh_ms=0).variables(HISTORY) == {"history": HOST}
    await until(lambda: _so(len(service.paths) == 2))
    assert len(service.paths) == 2


async def _so(value: bool) -> bool:
    return value


BROKEN = [
    (503, None),
    (401, None),
    (302, None),
    (200, "<html>"),
    (200, "{}"),
    (200, '{"baseURI": "https://x/y"}'),
    (200, "[]"),
]


@pytest.mark.parametrize(("status", "body"), BROKEN)
async def test_the_last_good_host_stays_when_the_look_up_fails(
    service: Service, looks: Looks, status: int, body: str | None
) -> None:
    await looks().variables(HISTORY)
    service.status, service.body = status, body
    looked_up = looks(fresh_ms=0)
    for _ in range(2):
        assert await looked_up.variables(HISTORY) == {"history": HOST}
        await until(lambda: _so(not looked_up._looking))
        grows_stale(looked_up)
    assert len(service.paths) == 2


async def test_a_host_that_was_never_known_is_unset_and_nobody_waits_for_it_twice(
    redis: ArqRedis, service: Service, looks: Looks
) -> None:
    service.status = 503
    looked_up = looks()
    assert await looked_up.variables(HISTORY) == {}
    service.status, service.held = 200, asyncio.Event()
    grows_stale(looked_up)
    await redis.delete(call_keys.domain("12345678", "msgHist")[1])
    assert await looked_up.variables(HISTORY) == {}  # it is asked for, and not waited for
    service.held.set()
    await until(lambda: _so(not looked_up._looking))
    assert await looked_up.variables(HISTORY) == {"history": HOST}


async def test_the_list_that_the_documents_show_is_read_too(service: Service, looks: Looks) -> None:
    service.body = (
        f'{{"baseURIs": [{{"service": "other", "baseURI": "x"}}, {{"service": "msgHist", "baseURI": "{HOST}"}}]}}'
    )
    assert await looks().variables(HISTORY) == {"history": HOST}


async def test_the_account_of_the_installation_stands_in_and_without_any_nobody_is_asked(
    service: Service, looks: Looks
) -> None:
    wanted = {"history": Domain("msgHist", "")}
    assert await looks(account="77").variables(wanted) == {"history": HOST}
    assert await looks().variables(wanted) == {}
    assert service.paths == ["/api/account/77/service/msgHist/baseURI.json?version=1.0"]


async def test_a_service_that_is_away_leaves_the_variable_unset(looks: Looks) -> None:
    assert await looks(url="http://127.0.0.1:1").variables(HISTORY) == {}


async def test_the_turn_is_given_what_was_looked_up(talk_with: Talks, looks: Looks) -> None:
    def tells(request: Advance) -> Answer:
        return Answer(request.session or Session(request.version), [Reply(text=str(request.environment))])

    talk = await talk_with(tells)
    talk.parts = replace(talk.parts, looked_up=looks())
    manifest = '[environment]\nlp = "12345678"\nhistory = { domain = "msgHist", account = "{$env.lp}" }\n'
    await talk.bots.publish(BotSource(small_bot().export, manifest))
    await talk.say("hello")
    await talk.work()
    assert await talk.replies() == [str({"history": HOST})]
