"""The pool of turn processes: each runs one turn at a time, and is killed and replaced when a script hangs it.

Last in, first out keeps few children busy and their caches warm. One more child than may be busy waits, warm, so that
a kill costs the next turn nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import structlog

from services.dialog_worker import metrics
from services.dialog_worker.turn_child import ChildDied, FrameTooLarge, TurnChild
from shared.dialog.frames import Advance, Answer
from shared.scripting.limits import Limits

_log = structlog.get_logger(__name__)
_SPARES = 1
# How long a turn waits for a child when none can be started.
_WAIT_SECONDS = 30.0
# Between two attempts to start a child that ends at once; doubled each time.
_RESTART_SECONDS, _RESTART_MOST = 0.1, 5.0


class EngineFailure(Exception):  # noqa: N818 - a verdict: the worker repeats the turn or gives it up
    """A turn could not be run: the engine raised, or its process ended four times or outside any script."""


class Walls(msgspec.Struct, frozen=True, kw_only=True):
    """Wall-clock limits in seconds (design: limits). `script` None: three times a script's CPU limit and half a second.

    `kills` is how often one turn is run again after a kill, each time without the script that was running; `recycle`
    how many turns a child runs before another one takes its place.
    """

    script: float | None = None
    run: float = 10.0
    turn: float = 40.0
    kills: int = 3
    recycle: int = 10_000


_LIMITS, _WALLS = Limits(), Walls()


class Allowance:
    """What one turn may still use over all its runs: seconds in a child, kills, and deaths that nobody explains."""

    def __init__(self, walls: Walls = _WALLS) -> None:
        self.seconds = walls.turn
        self.kills = walls.kills
        self.deaths = 1


class TurnProcesses:
    """Runs turns, at most `size` at once. Use: `start`, `advance` as often as needed, `close`."""

    def __init__(self, size: int, *, limits: Limits = _LIMITS, walls: Walls = _WALLS) -> None:
        self._size = size
        self._limits = limits
        self._walls = walls
        self._script_seconds = 3 * limits.script_seconds + 0.5 if walls.script is None else walls.script
        self._slots = asyncio.Semaphore(size)
        self._children: set[TurnChild] = set()
        self._idle: list[TurnChild] = []
        self._arrived = asyncio.Event()
        self._restarts: set[asyncio.Task[None]] = set()
        self._closed = False

    async def start(self) -> None:
        """Start all children. Raises EngineFailure when they cannot be."""
        starts = [self._spawn() for _ in range(self._size + _SPARES)]
        results = await asyncio.gather(*starts, return_exceptions=True)
        if failed := next((result for result in results if isinstance(result, BaseException)), None):
            await self.close()
            raise EngineFailure("turn processes cannot be started: they say why on standard error") from failed

    async def close(self) -> None:
        """End all children and wait until they are gone; turns in flight end as EngineFailure."""
        self._closed = True
        self._arrived.set()
        for task in self._restarts:
            task.cancel()
        children = list(self._children)
        for child in children:
            child.kill()
        await asyncio.gather(*self._restarts, *(child.ended() for child in children), return_exceptions=True)

    @property
    def busy(self) -> int:
        """How many run a turn now."""
        return len(self._children) - len(self._idle)

    @property
    def alive(self) -> int:
        """How many there are, busy or not."""
        return len(self._children)

    async def advance(
        self, request: Advance, blob: Callable[[], Awaitable[bytes]], allowance: Allowance | None = None
    ) -> Answer:
        """Run one turn; `blob` fetches the bot version if the child has not got it.

        A killed turn is run again with the script that was running in `abandon`. Who runs a turn again, with data that
        was missing, gives the `allowance` of its first run. Raises EngineFailure.
        """
        left = allowance or Allowance(self._walls)
        clock = asyncio.get_running_loop().time
        asked = clock()
        async with self._slots:
            began = clock()
            metrics.phase_seconds["process-wait"].observe(began - asked)
            try:
                return await self._repeat(request, blob, left, began + left.seconds)
            finally:
                left.seconds -= clock() - began

    async def _repeat(
        self, request: Advance, blob: Callable[[], Awaitable[bytes]], left: Allowance, deadline: float
    ) -> Answer:
        """Run a turn until no script of it has to be killed.

        A child that was not killed by us (by the system when memory is short, say) may have run an innocent script:
        the first time the turn is run again as it was, which changes nothing of what comes out.
        """
        while True:
            try:
                answer = await self._run(request, blob, deadline)
            except ChildDied as death:
                if not death.script:
                    raise EngineFailure("a turn process ended, or was killed, outside any script") from None
                if not death.by_us and left.deaths > 0:
                    left.deaths -= 1
                    _log.warning("turn process died in a script", bot_version=request.version)
                    continue
                if left.kills == 0:
                    raise EngineFailure(f"{self._walls.kills + 1} scripts of one turn had to be killed") from None
                left.kills -= 1
                _log.warning("script killed", bot_version=request.version, kills=self._walls.kills - left.kills)
                request = msgspec.structs.replace(request, abandon=[*request.abandon, death.script])
                continue
            if answer.error is not None:
                raise EngineFailure(answer.error)
            return answer

    async def _run(self, request: Advance, blob: Callable[[], Awaitable[bytes]], deadline: float) -> Answer:
        """Run a turn once, in the child that was used last. Raises ChildDied, EngineFailure."""
        child = await self._next()
        try:
            seconds = min(self._walls.run, deadline - asyncio.get_running_loop().time())
            if seconds <= 0:
                raise EngineFailure("the turn took longer than its time limit")
            if not child.has(request.version):
                error = await child.load(request.version, await blob(), seconds)
                if error is not None:
                    raise EngineFailure(f"bot version {request.version[:12]} cannot be loaded: {error}")
            return await child.advance(request, seconds, self._script_seconds)
        except FrameTooLarge as error:
            raise EngineFailure(str(error)) from None
        finally:
            self._give_back(child)

    async def _next(self) -> TurnChild:
        """Take an idle child; there is one more than turns that may run, so waiting is rare."""
        if (child := self._take()) is not None:
            return child
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                while not self._closed:
                    if (child := self._take()) is not None:
                        return child
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            raise EngineFailure("no turn process could be started") from None
        raise EngineFailure("the turn processes are being ended")

    def _take(self) -> TurnChild | None:
        while self._idle and not self._closed:
            if (child := self._idle.pop()).alive:
                return child
        return None

    def _give_back(self, child: TurnChild) -> None:
        """Make a child idle, or end it when it has run long enough: then leaks, if any, end with it."""
        if not child.alive:
            return
        if child.turns >= self._walls.recycle or self._closed:
            child.kill("recycled")
            return
        self._idle.append(child)
        self._arrived.set()

    def _on_gone(self, child: TurnChild) -> None:
        """Start another child in place of one that has ended."""
        if child in self._idle:
            self._idle.remove(child)
        if child in self._children and not self._closed:
            task = asyncio.get_running_loop().create_task(self._replace(child))
            self._restarts.add(task)
            task.add_done_callback(self._restarts.discard)

    async def _spawn(self) -> None:
        """Start one child and make it idle. Raises ChildDied."""
        child = TurnChild(self._on_gone)
        try:
            await child.start(self._limits)
        except BaseException:
            child.kill()
            await child.ended()
            raise
        self._children.add(child)
        self._give_back(child)

    async def _replace(self, gone: TurnChild) -> None:
        """Start a child in place of one that ended, trying again for as long as it takes."""
        metrics.replaced(gone.why).inc()
        if gone.why != "recycled":
            _log.warning("a turn process is replaced", why=gone.why, pid=gone.process.pid if gone.process else 0)
        await gone.ended()
        self._children.discard(gone)
        pause = _RESTART_SECONDS
        while not self._closed:
            try:
                await self._spawn()
            except ChildDied:
                _log.warning("turn process cannot be started", again_in=pause)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _RESTART_MOST)
            else:
                return
