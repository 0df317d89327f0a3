"""Scripts sent together: each with its own answer, its own error, and one connection for all."""

import asyncio
import contextlib
import gc

import pytest
from arq.connections import ArqRedis
from redis.exceptions import ResponseError

from shared.store.batches import MOST_AT_ONCE, Batches
from shared.store.connection import RedisUnreachable, connect
from shared.store.packing import Script
from tests.ports import free_port

ECHO = Script("return ARGV[1]")
FAIL = Script("return redis.error_reply('no')")


async def test_each_of_a_crowd_gets_its_own_answer_over_few_connections(valkey_server: str, redis: ArqRedis) -> None:
    client = connect(valkey_server)
    batches = Batches(client)
    crowd = 5 * MOST_AT_ONCE
    answers = await asyncio.gather(*(batches.run(ECHO, [], (number,)) for number in range(crowd)))
    assert answers == [b"%d" % number for number in range(crowd)]
    evals = (await redis.info("commandstats"))["cmdstat_evalsha"]["calls"]
    assert evals >= crowd
    assert len(client.connection_pool._available_connections) == 1
    await client.aclose()


async def test_a_script_that_fails_fails_alone(redis: ArqRedis) -> None:
    batches = Batches(redis)
    asked = [batches.run(ECHO, [], ("a",)), batches.run(FAIL, [], ()), batches.run(ECHO, [], ("b",))]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert answers[::2] == [b"a", b"b"]
    assert isinstance(answers[1], ResponseError)


async def test_a_server_that_has_forgotten_its_scripts_is_given_them_again(redis: ArqRedis) -> None:
    batches = Batches(redis)
    assert await batches.run(ECHO, [], ("a",)) == b"a"
    await redis.script_flush()
    answers = await asyncio.gather(*(batches.run(ECHO, [], (number,)) for number in range(3)))
    assert answers == [b"0", b"1", b"2"]


async def test_who_gives_up_waiting_leaves_the_others_their_answers(redis: ArqRedis) -> None:
    batches = Batches(redis)
    impatient = asyncio.create_task(batches.run(ECHO, [], ("a",)))
    patient = asyncio.create_task(batches.run(ECHO, [], ("b",)))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await patient == b"b"
    with pytest.raises(asyncio.CancelledError):
        await impatient


async def test_several_commands_that_fail_together_leave_no_error_unheard(redis: ArqRedis) -> None:
    nobody = connect(f"redis://127.0.0.1:{free_port()}", retries=0)
    unheard: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unheard.append(context["message"]))
    with contextlib.suppress(RedisUnreachable):  # `raises` would keep the error, and with it who has not heard it
        await Batches(nobody).ask(("TIME",), ("HGETALL", "a"))
    await asyncio.sleep(0.01)  # who sent them lets go of the errors
    gc.collect()
    assert unheard == []
    assert (await Batches(redis).ask(("GET", "a"), ("HGETALL", "b"))) == [None, {}]
    await nobody.aclose()


async def test_everybody_is_told_when_there_is_no_server_and_served_when_there_is_one_again(redis: ArqRedis) -> None:
    nobody = connect(f"redis://127.0.0.1:{free_port()}", retries=0)
    batches = Batches(nobody)
    failures = await asyncio.gather(*(batches.run(ECHO, [], (n,)) for n in range(3)), return_exceptions=True)
    assert [type(failure) for failure in failures] == [RedisUnreachable] * 3
    batches._redis = redis
    assert await batches.run(ECHO, [], ("a",)) == b"a"
    await nobody.aclose()
