"""Plays the same tests against a running installation, over HTTP, as a channel would.

With the console on, the trace says when the bot has finished, which interaction spoke and what variables became;
without it the bot has finished when it has been quiet for a while, and tests that look at variables are skipped.
"""

import asyncio
from collections.abc import Iterator, Sequence

import aiohttp

from services.tester.batch import Outcome, Reached, load, reached_by
from services.tester.calls import StubBook
from services.tester.playing import Played, play
from services.tester.remote import Remote, Unreachable, open_session
from services.tester.remote_talk import RemoteTalk
from services.tester.stub_server import POSSIBLE, StubServer
from services.tester.suite import AdvanceStep, Scenario, UserStep, VariablesStep


class Installation:
    """Where tests are played: the gateway's address, and the port for stubs (0: none are served)."""

    def __init__(self, url: str, stubs_port: int, key: str = "", console_token: str = "") -> None:
        self._url = url
        self._port = stubs_port
        self._key = key
        self._console_token = console_token

    def play_all(self, scenarios: Sequence[Scenario]) -> Iterator[Outcome]:
        """Play scenarios one after the other. Raises Unreachable, also when the port of the stubs is taken."""
        with asyncio.Runner() as runner:
            session = runner.run(_session())
            stubs = StubServer()
            try:
                if self._port:
                    self._listen(runner, stubs)
                remote = Remote(session, self._url, self._key, self._console_token)
                console = runner.run(remote.has_console())
                for scenario in scenarios:
                    yield self._play(scenario, runner, remote, stubs, console=console)
            finally:
                runner.run(stubs.close())
                runner.run(session.close())

    def _listen(self, runner: asyncio.Runner, stubs: StubServer) -> None:
        try:
            runner.run(stubs.start(self._port))
        except OSError as error:
            raise Unreachable(f"Port {self._port} cannot be used for stubs: {error.strerror or error}.") from error

    def _play(
        self, scenario: Scenario, runner: asyncio.Runner, remote: Remote, stubs: StubServer, *, console: bool
    ) -> Outcome:
        bot = load(scenario.bot, scenario.manifest)
        reached: set[Reached] = set()
        skipped = why_not(scenario, console=console, stubs=bool(self._port))
        if skipped:
            played = Played(place=scenario.place, name=scenario.name, skipped=skipped)
        else:
            stubs.serve(bot, StubBook(scenario.setting.stubs))
            talk = RemoteTalk(runner, remote, stubs, bot.id, scenario.setting.profile, console=console)
            talk.watch = lambda lines: reached.update(reached_by(lines))
            played = play(scenario, bot, talk)
        return Outcome(played, scenario.bot, scenario.manifest, frozenset(reached))


def why_not(scenario: Scenario, *, console: bool, stubs: bool) -> str:
    """Say why a test cannot be played against an installation, empty when it can."""
    setting = scenario.setting
    failures = {answer.failure for stub in setting.stubs.values() for answer in stub.answers if answer.failure}
    if any(isinstance(step, AdvanceStep) for step in scenario.steps):
        return "the time of an installation cannot be advanced"
    if any(said.intents for step in scenario.steps if isinstance(step, UserStep) for said in step.messages):
        return "what a text means cannot be told to an installation"
    if not console and any(isinstance(step, VariablesStep) for step in scenario.steps):
        return "variables need the installation's console (BOTLANE_CONSOLE=1)"
    if setting.variables or setting.environment:
        return "variables and environment of a fixture cannot be laid down in an installation"
    if failures - POSSIBLE:
        return f"no server can make this failure happen: {', '.join(sorted(failures - POSSIBLE))}"
    if setting.stubs and not stubs:
        return "stubs need --stubs-port, and an installation whose calls are sent there with --rewrite-url"
    return ""


async def _session() -> aiohttp.ClientSession:
    return open_session()
