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
from shared.bot.source import BotSource, read_bot
from shared.dialog.frames import FRAME_LIMIT, VERSIONS_KEPT, Answer, FromChild, Loaded, Ready
from shared.dialog.session import Conversation, Session
from shared.scripting.limits import Limits
from tests.processes import wait_until_gone
from tests.services.turn_process.conftest import NATIVE_HANG, bot_of, codes, texts

Start = Callable[..., Awaitable[Any]]

CORPUS = sorted(Path(os.environ.get("BOTLANE_CORPUS", "../shared/corpus/bots")).glob("*.json"))  # noqa: TID251 - where the real bots are


async def until_gone(*pids: int) -> None:
    """Wait until the processes have ended."""
    await asyncio.to_thread(wait_until_gone, *pids)


async def test_a_turn_is_answered_with_its_replies_session_and_trace(start: Start) -> None:
    pool = await start()
    bot = bot_of("botContext.sendMessage('from code'); botContext.setBotVariable('a', 1, true)")
    answer = await pool.ask(bot)
    assert texts(answer) == ["from code", "end"]
    assert answer.session.session == {"a": 1}
    assert answer.session.version == bot.version
    assert codes(answer) == []
    assert answer.us > 0


async def test_a_turn_repeated_is_answered_alike(start: Start) -> None:
    pool = await start(2)
    bot = bot_of("botContext.sendMessage(Math.random() + ' ' + new Date())", functions="var start = Date.now()")
    first, second = await asyncio.gather(pool.ask(bot), pool.ask(bot))
    assert (first.effects, first.session) == (second.effects, second.session)


@pytest.mark.parametrize(
    "hostile",
    [
        "while (true) {}",
        "while (true) { try { while (true) {} } catch (e) {} }",
        "/(a+)+$/.test('a'.repeat(50) + 'b')",
        "(function f() { f() })()",
        "var a = []; while (1) a.push(new Array(1e6))",
        "var a = []; while (1) a.push('0123456789'.repeat(1e4) + a.length)",
    ],
)
async def test_a_hostile_script_ends_with_a_trace_line_and_the_flow_goes_on(start: Start, hostile: str) -> None:
    pool = await start()
    bot = bot_of(f"botContext.sendMessage('before'); {hostile}", "botContext.sendMessage('next')")
    pids = pool.pids
    answer = await pool.ask(bot)
    assert texts(answer) == ["before", "end", "next", "end"]
    assert codes(answer) in (["script-stopped"], ["script-failed"])
    assert texts(await pool.ask(bot_of("botContext.sendMessage('well')"))) == ["well", "end"]
    assert pool.pids == pids


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


async def test_a_child_knows_every_time_zone_though_it_can_open_no_file(start: Start) -> None:
    pool = await start()
    zones = ["Asia/Kolkata", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Etc/UTC"]
    hours = [f"'{hour}~{hour}:00~{hour + 1}:00'" for hour in range(24)]
    script = f"""var said = {zones}.map(function (zone) {{ return botContext.getHoursType([{",".join(hours)}], zone) }});
    botContext.sendMessage(said.join())"""
    assert texts(await pool.ask(bot_of(script))) == ["3,17,9,23,22", "end"]
    assert texts(await pool.ask(bot_of(script))) == ["3,17,9,23,22", "end"]


async def test_turns_in_a_row_use_the_same_child(start: Start) -> None:
    pool = await start(2)
    bot = bot_of("")
    for _ in range(5):
        await pool.ask(bot)
    assert sorted(child.turns for child in pool._children) == [0, 0, 5]


async def test_a_bot_that_cannot_be_compiled_is_an_engine_failure_and_the_child_goes_on(start: Start) -> None:
    pool = await start()
    with pytest.raises(EngineFailure, match="cannot be loaded"):
        await pool.ask(BotSource(b"[]"))
    assert texts(await pool.ask(bot_of(""))) == ["end"]


async def test_a_request_larger_than_a_frame_is_an_engine_failure(start: Start) -> None:
    pool = await start()
    bot = bot_of("")
    with pytest.raises(EngineFailure, match="larger than a frame"):
        await pool.ask(bot, session=Session(bot.version, session={"a": "x" * FRAME_LIMIT}))
    assert texts(await pool.ask(bot)) == ["end"]


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


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.stem)
async def test_a_real_bot_answers_from_inside_the_lock_down(start: Start, file: Path) -> None:
    pool = await start(limits=Limits())
    bot = read_bot(file)
    who = Conversation("0-c", "b", "u", customer_info={"ctype": "x", "imei": "1", "customerId": "7"})
    answer = await pool.ask(bot, conversation=who)
    assert answer.session.version == bot.version
    assert not {"unknown-function", "script-failed", "script-stopped"} & set(codes(answer))
