"""How a doorbell worker ends, and how it does not: killed, stopped, and with Redis restarted under it."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from arq.connections import ArqRedis

from shared.queue.claims import Claims
from shared.store.connection import connect
from tests.store.doorbell_parts import QUEUE, drained, enqueue, gate, push, recorder, tokens, until, working
from tests.store.own_server import OwnServer, answers


async def test_the_job_of_a_killed_worker_is_taken_after_its_lease(valkey_server: str, redis: ArqRedis) -> None:
    program = _program(valkey_server, "await asyncio.sleep(600)", lease_ms=400)
    await enqueue(redis, "a")
    assert program.stdout
    assert await asyncio.to_thread(program.stdout.readline) == b"started a\n"
    program.kill()
    program.wait()
    program.stdout.close()
    seen, job = recorder()
    async with working(valkey_server, job, idle_poll_seconds=0.05):
        await until(lambda: seen)
    assert seen == ["a"]


async def test_sigterm_stops_taking_jobs_and_lets_running_ones_finish(valkey_server: str, redis: ArqRedis) -> None:
    program = _program(valkey_server, "await ctx['redis'].blpop('go', 30)", wait=20)
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


async def test_a_cancellation_that_a_connecting_client_swallows_still_ends_the_worker(
    valkey_server: str, redis: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, job = recorder()
    connecting, swallowed = asyncio.Event(), asyncio.Event()

    async def swallow(*_: object, **__: object) -> None:
        connecting.set()
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            swallowed.set()

    async with working(valkey_server, job) as worker:
        monkeypatch.setattr(worker.pool, "blpop", swallow)
        await enqueue(redis, "a")  # ends the wait that was begun before
        await until(connecting.is_set)
        worker.allow_pick_jobs = False
        assert worker.main_task is not None
        worker.main_task.cancel()
        await asyncio.wait({worker.main_task}, timeout=60)
        assert swallowed.is_set()
        assert worker.main_task.done()
        await until(lambda: worker._pool is None)


async def test_what_does_not_finish_in_time_is_handed_over_at_once(valkey_server: str, redis: ArqRedis) -> None:
    program = _program(valkey_server, "await asyncio.sleep(600)", lease_ms=60_000, wait=0.05)
    await enqueue(redis, "a")
    assert program.stdout
    assert await asyncio.to_thread(program.stdout.readline) == b"started a\n"
    program.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(program.wait) == 0
    program.stdout.close()
    assert await tokens(redis) == 1
    assert len(await Claims(redis).take(QUEUE, 1)) == 1


def _program(url: str, body: str, *, lease_ms: int = 3000, wait: float = 0) -> subprocess.Popen[bytes]:
    """Start a worker in a process of its own; it prints when a job starts and when it is told to stop."""
    script = f"""
        import asyncio, signal
        from arq.worker import func
        from shared.queue.worker import DoorbellWorker
        from shared.store.connection import connect

        class Telling(DoorbellWorker):
            def handle_sig_wait_for_completion(self, signum):
                super().handle_sig_wait_for_completion(signum)
                print("stopping", flush=True)

        async def job(ctx, argument):
            print("started", argument, flush=True)
            {body}

        async def main():
            pool = connect({url!r})
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


@pytest.fixture
def server() -> Iterator[OwnServer]:
    with tempfile.TemporaryDirectory(prefix="bl-", dir="/tmp") as folder:  # the path of a socket may have 107 bytes
        server = OwnServer(Path(folder))
        yield server
        server.stop()


async def test_a_worker_outlives_a_restart_of_redis_and_keeps_its_running_job(server: OwnServer) -> None:
    started, opened, job = gate()
    ended: list[str] = []

    async def watched(ctx: dict[str, Any], argument: str) -> None:
        await job(ctx, argument)
        ended.append(argument)

    redis = connect(server.url)
    await until(lambda: answers(redis))
    async with working(server.url, watched, lease_ms=60_000, renew_seconds=0.05, idle_poll_seconds=0.1):
        job_id = await enqueue(redis, "before")
        await until(lambda: started)
        server.stop()
        server.start()
        await until(lambda: answers(redis))
        async with redis.pipeline() as pipe:  # as when it was away for longer than the lease
            pipe.delete(f"arq:in-progress:{job_id}")
            pipe.zadd(QUEUE, {job_id: 1})
            await pipe.execute()
        await enqueue(redis, "after")
        await until(lambda: len(started) == 2)
        opened.set()
        await until(lambda: len(ended) == 2)
        await until(lambda: drained(redis))
    await redis.aclose()
    assert started == ["before", "after"]
