"""The pool of turn processes, with real children."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.dialog_worker import turn_child
from services.dialog_worker.turn_processes import EngineFailure, Walls
from shared.dialog.frames import FRAME_LIMIT, VERSIONS_KEPT, Answer, FromChild, Loaded, Ready
from shared.scripting.limits import Limits
from tests.processes import wait_until_gone
from tests.services.turn_process.conftest import NATIVE_HANG, bot_of, codes, texts

Start = Callable[..., Awaitable[Any]]


async def until_gone(*pids: int) -> None:
    """Wait until the processes have ended."""
    await asyncio.to_thread(wait_until_gone, *pids)


async def test_a_turn_repeated_is_answered_alike(start: Start) -> None:
    pool = await start(2)
    bot = bot_of("botContext.sendMessage(Math.random() + ' ' + new Date())", functions="var start = Date.now()")
    first, second = await asyncio.gather(pool.ask(bot), pool.ask(bot))
    assert (first.effects, first.session) == (second.effects, second.session)


async def test_a_child_compiles_a_version_once_and_forgets_the_first_of_too_many(start: Start) -> None:
    pool = await start()
    bots = [bot_of(f"/* {at} */") for at in range(VERSIONS_KEPT + 1)]
    for bot in bots:
        await pool.ask(bot)
    assert pool.fetched == len(bots)
    await pool.ask(bots[-1])
    assert pool.fetched == len(bots)
    assert texts(await pool.ask(bots[0])) == ["end"]
    assert pool.fetched == len(bots) + 1


async def test_turns_in_a_row_use_the_same_child(start: Start) -> None:
    pool = await start(2)
    bot = bot_of("")
    for _ in range(5):
        await pool.ask(bot)
    assert sorted(child.turns for child in pool._children) == [0, 0, 5]


async def test_a_cancelled_turn_ends_its_child_and_nothing_else(start: Start) -> None:
    pool = await start(walls=Walls(script=30))
    task = asyncio.create_task(pool.ask(bot_of(NATIVE_HANG)))
    while not any(child._script for child in pool._children):
        await asyncio.sleep(0.01)
    (busy,) = (child for child in pool._children if child._script)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until_gone(busy.process.pid)
    assert texts(await pool.ask(bot_of(""))) == ["end"]


async def test_a_child_killed_while_idle_is_replaced(start: Start) -> None:
    pool = await start()
    victims = pool.pids
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    await until_gone(*victims)
    assert texts(await pool.ask(bot_of(""))) == ["end"]
    assert not set(victims) & set(pool.pids)


async def kill_in_a_script(pool: Any, but: int = 0) -> int:
    """Kill a child, not this one, in the middle of a script, as somebody from outside would; return its process."""
    while not (busy := [child for child in pool._children if child._script and child.process.pid != but]):
        await asyncio.sleep(0.01)
    pid = busy[0].process.pid
    os.kill(pid, signal.SIGKILL)
    return int(pid)


async def test_a_turn_whose_child_was_killed_from_outside_is_run_again_with_all_its_scripts(start: Start) -> None:
    pool = await start(limits=Limits(script_seconds=5), walls=Walls(script=60, run=60, turn=120))
    slow = "var t = 0; for (var i = 0; i < 1e7; i++) { t += i; } botContext.sendMessage('whole')"
    task = asyncio.create_task(pool.ask(bot_of(slow, "")))
    await kill_in_a_script(pool)
    answer = await task
    assert texts(answer) == ["whole", "end", "end"]
    assert codes(answer) == []


async def test_a_script_in_which_a_second_child_dies_counts_as_killed(start: Start) -> None:
    pool = await start(walls=Walls(script=30))
    task = asyncio.create_task(pool.ask(bot_of(NATIVE_HANG, "")))
    await kill_in_a_script(pool, but=await kill_in_a_script(pool))
    assert codes(await task) == ["script-stopped"]


async def test_a_child_is_replaced_after_enough_turns(start: Start) -> None:
    pool = await start(walls=Walls(recycle=2))
    bot = bot_of("")
    first = {child.process.pid for child in pool._children}
    for _ in range(4):
        await pool.ask(bot)
    await until_gone(*first)
    assert texts(await pool.ask(bot)) == ["end"]


async def test_a_child_may_be_ready_before_the_worker_has_time_for_it(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = asyncio.create_subprocess_exec

    async def after_the_child_spoke(*command: str, **options: Any) -> asyncio.subprocess.Process:
        process = await real(*command, **options)
        status = Path(f"/proc/{process.pid}/status")
        while "Seccomp:\t2" not in status.read_text():  # the last it does before it says that it is ready
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", after_the_child_spoke)
    pool = await start()
    assert texts(await pool.ask(bot_of(""))) == ["end"]


async def test_nothing_is_left_after_close(start: Start) -> None:
    pool = await start(3)
    pids = pool.pids
    assert len(pids) == 4
    turn = asyncio.create_task(pool.ask(bot_of(NATIVE_HANG)))
    await asyncio.sleep(0.05)
    await pool.close()
    with pytest.raises(EngineFailure):
        await turn
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_a_child_knows_no_secret_and_holds_no_file(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOTLANE_SECRET", "top-secret")
    pool = await start()
    for pid in pool.pids:
        with contextlib.suppress(PermissionError):  # only root may look at all
            environment = Path(f"/proc/{pid}/environ").read_bytes()
            assert {entry.partition(b"=")[0] for entry in environment.split(b"\0")} <= {b"TZ", b"LC_CTYPE", b""}
            assert {entry.name for entry in Path(f"/proc/{pid}/fd").iterdir()} == {"0", "1", "2"}
            assert len(list(Path(f"/proc/{pid}/task").iterdir())) == 1


async def test_children_die_with_their_parent() -> None:
    code = """
        import asyncio, sys
        from services.dialog_worker.turn_processes import TurnProcesses
        async def main():
            pool = TurnProcesses(2)
            await pool.start()
            print(*(child.process.pid for child in pool._children), flush=True)
            await asyncio.sleep(60)
        asyncio.run(main())
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    with parent.stdout:
        pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 3
    parent.kill()
    parent.wait()
    await until_gone(*pids)


def frame(message: FromChild) -> bytes:
    content = msgspec.msgpack.encode(message)
    return len(content).to_bytes(4, "little") + content


READY = frame(Ready(["all"]))
LOADED = frame(Loaded("v"))
ANSWER = frame(Answer())
HOSTILE = {
    "a frame larger than any may be": [READY, (FRAME_LIMIT + 1).to_bytes(4, "little")],
    "a frame that is no message": [READY, b"\x01\0\0\0\xc1"],
    "a message of no known kind": [READY, b"\x05\0\0\0\x81\xa1a\xa1b"],
    "a message nested without end": [READY, (9000).to_bytes(4, "little") + b"\x91" * 9000],
    "an answer nobody asked for": [READY + ANSWER],
    "the wrong kind of answer": [READY, ANSWER],
    "the wrong kind of answer to a turn": [READY, LOADED, LOADED],
    "two answers": [READY, LOADED, ANSWER + ANSWER],
    "an answer and half a frame": [READY, LOADED, ANSWER + b"\1\0"],
    "silence": [READY, b""],
    "silence in mid-turn": [READY, LOADED, b""],
    "an end": [READY, LOADED, None],
}


@pytest.mark.parametrize("scenario", HOSTILE)
async def test_a_hostile_child_is_killed(start: Start, monkeypatch: pytest.MonkeyPatch, scenario: str) -> None:
    """The child says each piece in turn, waiting for a request in between; None makes it end."""
    code = f"""
        import os
        for piece in {HOSTILE[scenario]!r}:
            if piece is None: raise SystemExit
            os.write(0, piece)
            os.read(0, 1 << 20)
        os.read(0, 1)
    """
    monkeypatch.setattr(turn_child, "_command", lambda _limits: [sys.executable, "-I", "-c", textwrap.dedent(code)])
    with pytest.raises(EngineFailure):  # at its start, or when it is asked
        await (await start(walls=Walls(script=5, run=1))).ask(bot_of(""))


async def test_children_that_cannot_start_fail_the_start(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn_child, "_command", lambda _limits: [sys.executable, "-c", "raise SystemExit(1)"])
    with pytest.raises(EngineFailure, match="cannot be started"):
        await start()
