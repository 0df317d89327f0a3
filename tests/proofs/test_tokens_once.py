"""However many integration workers need a token at the same moment, one of them asks for it, also when one is killed."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiohttp import web
from arq.connections import ArqRedis

from tests.journeys.programs import Programs
from tests.journeys.system import LoopbackApi
from tests.proofs.form import LONG, Record, record_figures
from tests.services.integration_worker.calling import Waiting, responder

pytestmark = [pytest.mark.proof, pytest.mark.timeout(300)]

CALLS = 600 if LONG else 150
WORKERS = ("integration_worker", "integration_worker-2", "integration_worker-3")
PATIENCE = 60.0
MANIFEST = """credential = "crm"
[credentials.crm]
type = "oauth2_client_credentials"
token_url = "{url}/token"
client_id = "bot"
client_secret = {{ env = "CRM_SECRET" }}
"""


class Authority:
    """A token end-point that takes its time, and an API that takes the newest token it was told of."""

    def __init__(self, api: LoopbackApi) -> None:
        self.good = "token-1"
        self.issued = 0
        self.asked = asyncio.Event()
        self.seconds = 0.3
        api.answers |= {"/token": self.token, "/orders": self.orders}

    async def token(self, _: web.Request) -> web.Response:
        self.issued += 1
        number = self.issued
        await asyncio.sleep(self.seconds)
        return web.json_response({"access_token": f"token-{number}", "expires_in": 600})

    async def orders(self, request: web.Request) -> web.Response:
        good = request.headers.get("Authorization") == f"Bearer {self.good}"
        return web.json_response({}, status=200 if good else 401)


@pytest.fixture
def api() -> Iterator[LoopbackApi]:
    with LoopbackApi() as server:
        yield server


@pytest.fixture
async def programs(valkey_server: str, redis: ArqRedis, tmp_path: Path) -> AsyncIterator[Programs]:
    with Programs(valkey_server, tmp_path, CRM_SECRET="hush") as started:
        started.start(*WORKERS)
        await started.ready(*WORKERS)
        yield started


async def ended(waiting: Waiting, calls: list[str]) -> Counter[str]:
    """Wait until all calls have ended; return how their attempts went."""
    ways: Counter[str] = Counter()
    async with asyncio.timeout(PATIENCE):
        for call_id in calls:
            while (outcome := await waiting.outcome(call_id)) is None:
                await asyncio.sleep(0.05)
            ways[" ".join(attempt.outcome for attempt in outcome.attempts)] += 1
    return ways


async def test_workers_ask_for_a_token_once_and_once_more_when_it_is_refused(
    programs: Programs, redis: ArqRedis, api: LoopbackApi, record_property: Record
) -> None:
    authority, waiting = Authority(api), Waiting(redis)
    await waiting.publish(responder("Orders", f"{api.url}/orders"), manifest=MANIFEST.format(url=api.url))
    first = await ended(waiting, [await waiting.call("Orders") for _ in range(CALLS)])
    assert (first, authority.issued) == ({"200": CALLS}, 1)
    authority.good = "token-2"
    second = await ended(waiting, [await waiting.call("Orders") for _ in range(CALLS)])
    assert authority.issued == 2
    assert set(second) <= {"200", "401 200"}
    made = [await programs.metric(name, "botlane_calls_total") for name in WORKERS]
    assert sum(count > 0 for count in made) > 1, f"one worker did everything: {made}"
    counts = {"calls": 2 * CALLS, "tokens": authority.issued, "renewed after a 401": second["401 200"]}
    record_figures(record_property, f"tokens of {len(WORKERS)} workers", Counter(counts), {})


@pytest.mark.skipif(not LONG, reason="the lock of a killed worker lives for 15 s")
async def test_a_token_that_a_killed_worker_was_asking_for_is_asked_for_by_another(
    programs: Programs, redis: ArqRedis, api: LoopbackApi
) -> None:
    authority, waiting = Authority(api), Waiting(redis)
    authority.seconds, authority.good = 5.0, "token-2"
    await waiting.publish(responder("Orders", f"{api.url}/orders"), manifest=MANIFEST.format(url=api.url))
    for name in WORKERS[1:]:
        programs.kill(name)
    calls = [await waiting.call("Orders") for _ in range(3)]
    while authority.issued == 0:
        await asyncio.sleep(0.02)
    programs.kill(WORKERS[0])
    authority.seconds = 0.0
    programs.start(WORKERS[1])
    await programs.ready(WORKERS[1])
    assert await ended(waiting, calls) == {"interrupted 200": 3}
    assert authority.issued == 2
