"""A conversation in this process: the engine, the bot's scripts, a memory for Redis and stubs for the world."""

import traceback
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from services.tester.calls import StubBook, Unexpected, make_call
from services.tester.form_tokens import FormRefused
from services.tester.memory import Memory
from services.tester.suite import Profile, Said, Setting
from shared.bot.model import Bot
from shared.dialog.effects import Close, Effect, Reply, StartCall, Transfer
from shared.dialog.engine import Turn, advance
from shared.dialog.events import CallOutcome, ConsumerMessage, Event, Intent, Understood, WebViewCall
from shared.dialog.scripts import NeedContext
from shared.dialog.session import Conversation
from shared.dialog.trace import TraceLine
from shared.scripting.limits import Limits
from shared.scripting.runtime import QuickJsScripts
from shared.scripting.world import Worlds
from shared.understanding.understander import Understander, understand_event

_LOADS, _MOST_RUNS = 8, 40  # as services/dialog_worker/running.py
_LIMITS = Limits()
# As in a turn process: a world that scripts left as it was serves the next turn, whoever's that is.
_WORLDS = Worlds(_LIMITS)
_CONTROLS = frozenset({"publishText"})


class Heard(msgspec.Struct, frozen=True):
    """One thing the consumer sees. `kind` is `text`, `rich`, `transfer` or `closed`.

    `origin` is the interaction that said it, None if that is not told; `detail` the skill, or whether a survey follows.
    """

    kind: str
    text: str | None = None
    content: dict[str, Any] | None = None
    quick_replies: dict[str, Any] | None = None
    origin: str | None = None
    detail: str | bool | None = None

    def says(self) -> str:
        """Describe it for a person, in one or more lines."""
        shown = [] if self.text is None else [self.text]
        if self.content is not None:
            shown.append(f"<{self.content.get('type', 'rich')}> {' · '.join(_texts(self.content))}".rstrip())
        if self.kind in {"transfer", "closed"}:
            shown.insert(0, f"<{self.kind}>")
        if self.quick_replies is not None:
            shown.append("[" + "] [".join(title for title, _ in controls(self.quick_replies)) + "]")
        return "\n".join(shown)


def shown_texts(heard: Heard) -> list[str]:
    """Return every text that the consumer reads of it: what is said, shown, or offered."""
    own = [] if heard.text is None else [heard.text]
    return [*own, *_texts(heard.content), *(title for title, _ in controls(heard.quick_replies))]


def best_first(intents: dict[str, float]) -> list[tuple[str, float]]:
    """Return intents with their scores, the likeliest first."""
    return sorted(intents.items(), key=lambda one: -one[1])


class Talk(Protocol):
    """What a test talks to: the engine in this process, or an installation."""

    def say(self, messages: tuple[Said, ...]) -> None:
        """Let the consumer write, one message right after the other. Raises Unexpected."""

    def post(self, variables: dict[str, str], message: str | None) -> None:
        """Let an external form post. Raises FormRefused, and Unexpected when not all of it is taken."""

    def advance(self, ms: int) -> None:
        """Let time go on."""

    def hear(self) -> Heard | None:
        """Return the next thing the consumer sees, None when there is nothing more."""

    def peek(self) -> Heard | None:
        """Return what `hear` would, and leave it there."""

    def variable(self, name: str) -> Any:
        """Return a variable's value, None when it is unset."""

    def warnings(self) -> list[str]:
        """Return what the traces of the last step's turns warn of."""


def find_control(heard: list[Heard], tap: str | int) -> tuple[str, str]:
    """Return title and text of a control the bot has shown: by its title, or by its number over all of them."""
    shown = [control for one in heard for part in (one.content, one.quick_replies) for control in controls(part)]
    titles = ", ".join(repr(title) for title, _ in shown) or "none"
    if isinstance(tap, int):
        if tap > len(shown):
            raise Unexpected(f"there is no control number {tap} to tap: the bot showed {len(shown)}")
        return shown[tap - 1]
    for title, said in shown:
        if title.strip().casefold() == tap.strip().casefold():
            return title, said
    raise Unexpected(f"there is no control {tap!r} to tap: the bot showed {titles}")


def controls(content: Any) -> list[tuple[str, str]]:
    """Return title and text of the controls of rich content, in the order in which they are shown."""
    if isinstance(content, list):
        return [control for one in content for control in controls(one)]
    if not isinstance(content, dict):
        return []
    found = [control for name in ("elements", "replies", "sections") for control in controls(content.get(name))]
    click = content.get("click")
    for action in click.get("actions") or [] if isinstance(click, dict) else []:
        if isinstance(action, dict) and action.get("type") in _CONTROLS:
            said = str(action.get("text", ""))
            found.append((str(content.get("title") or said), said))
    return found


def _texts(content: Any) -> list[str]:
    if isinstance(content, list):
        return [text for one in content for text in _texts(one)]
    if not isinstance(content, dict):
        return []
    own = [str(content[key]) for key in ("text", "title", "caption") if isinstance(content.get(key), str)]
    own += [str(content["url"])] if content.get("type") == "image" else []
    return own + [text for value in content.values() if isinstance(value, list) for text in _texts(value)]


def warnings_of(lines: list[TraceLine]) -> list[str]:
    """Return the warnings of a trace, as a person reads them."""
    warned = [line for line in lines if line.level == "warning"]
    return [
        " ".join(filter(None, (line.code, line.interaction and f"({line.interaction}):", line.note))) for line in warned
    ]


class EngineTalk:
    """Talks to a bot in this process. `watch` is told the trace of every turn; `stubs` replace those of the setting."""

    def __init__(
        self,
        bot: Bot,
        setting: Setting,
        watch: Callable[[list[TraceLine]], None],
        understander: Understander | None = None,
        stubs: StubBook | None = None,
    ) -> None:
        self._understander = understander
        environment = bot.environment | setting.environment
        self._bot = msgspec.structs.replace(bot, environment=environment) if setting.environment else bot
        self._watch = watch
        self._stubs = stubs or StubBook(setting.stubs)
        profile = msgspec.convert(setting.profile, Profile)
        conversation = Conversation(
            id=f"0-{1:032x}",
            bot_id=bot.id,
            user_id=profile.user_id or "consumer",
            channel=profile.channel,
            engagement=profile.engagement,
            customer_info=profile.customer_info,
            personal_info=profile.personal_info,
        )
        self.memory = Memory(conversation, bot.session_ms, setting.variables)
        self._heard: deque[Heard] = deque()
        self._shown: list[Heard] = []
        self._warnings: list[str] = []

    def say(self, messages: tuple[Said, ...]) -> None:
        """Let the consumer write. Raises Unexpected, also when the conversation is closed."""
        self._refuse_closed("messages (410)")
        shown, self._shown = self._shown, []
        for said in messages:
            text, payload = said.text, said.payload
            if said.tap is not None:
                title, value = find_control(shown, said.tap)
                text, payload = title, value if payload is None else payload
            means = Understood([Intent(name, score) for name, score in best_first(said.intents)])
            self.memory.accept(ConsumerMessage(text, payload, list(said.metadata), means))
        self._work()

    def post(self, variables: dict[str, str], message: str | None) -> None:
        """Let an external form post. Raises FormRefused, and Unexpected when not all of it is taken."""
        self._refuse_closed("calls of forms (404)", FormRefused)
        if self._bot.web_view_mode == "safe":
            self.memory.page_token.use(variables, self.memory.now)
        if message is not None:
            self._shown = []
        self.memory.accept(WebViewCall(variables, message))
        self._work()

    def advance(self, ms: int) -> None:
        """Let time go on."""
        self.memory.advance(ms)

    def hear(self) -> Heard | None:
        """Return the next thing the consumer sees, None when there is nothing more."""
        return self._heard.popleft() if self._heard else None

    def peek(self) -> Heard | None:
        """Return what `hear` would, and leave it there."""
        return self._heard[0] if self._heard else None

    def variable(self, name: str) -> Any:
        """Return a variable's value, None when it is unset."""
        session = self.memory.session
        if session is None:
            return self.memory.forever().get(name)
        frames = [frame.variables for frame in session.position.stack[-1:]]
        scopes = (session.request, *frames, session.session, session.forever, session.web_view, session.results)
        return next((scope[name] for scope in scopes if name in scope), None)

    def warnings(self) -> list[str]:
        """Return what the traces of the last step's turns warn of."""
        return self._warnings

    def _refuse_closed(self, what: str, kind: type[Unexpected] = Unexpected) -> None:
        if self.memory.conversation.status == "closed":
            raise kind(f"the conversation is closed: it takes no {what}")

    def _work(self) -> None:
        """Handle what waits, turn by turn; what became of a call comes before the inbox."""
        outcome: CallOutcome | None = None
        self._warnings = []
        while event := outcome or self.memory.next():
            if event.new_session:
                self.memory.begin_session()
            turn = self._turn(understand_event(event, self._understander))
            self.memory.commit(turn.session, turn.effects)
            self._watch(turn.trace)
            self._warnings += warnings_of(turn.trace)
            self._take_heard(turn)
            outcome = self._call(turn.effects)

    def _turn(self, event: Event) -> Turn:
        """Run one turn, again with the data it asks for: `_LOADS` times; what it asks for then is empty."""
        loaded = {key: self.memory.context(key) for key in self.memory.own_context()}
        abandon: frozenset[str] = frozenset()
        for run in range(_MOST_RUNS):
            scripts = QuickJsScripts(self._bot.global_functions, _LIMITS, worlds=_WORLDS)
            try:
                return advance(
                    self._bot,
                    self.memory.session,
                    event,
                    scripts,
                    abandon,
                    conversation=self.memory.conversation,
                    turn=self.memory.turn + 1,
                    forever=self.memory.forever(),
                    context=loaded,
                )
            except NeedContext as need:
                loaded |= {key: self.memory.context(key) if run < _LOADS else {} for key in need.keys}
                abandon |= set(need.abandon)
            except Exception as error:
                place = traceback.extract_tb(error.__traceback__)[-1]
                what = f"{type(error).__name__} in {place.name} ({place.filename}:{place.lineno})"
                raise Unexpected(f"the engine failed, which is a fault of Botlane: {what}") from error
            finally:
                scripts.end()
        raise Unexpected("the turn asks for context data again and again")

    def _call(self, effects: list[Effect]) -> CallOutcome | None:
        started = next((effect for effect in effects if isinstance(effect, StartCall)), None)
        if started is None:
            return None
        call_id = f"{self.memory.conversation.id}.{self.memory.turn}"
        integration = self._bot.integrations[started.integration_id]
        outcome, ms = make_call(self._stubs, call_id, integration, started.values, self.memory.now)
        return self.memory.come_back(outcome, ms)

    def _take_heard(self, turn: Turn) -> None:
        origins = iter([line.interaction for line in turn.trace if line.code == "reply"])
        for effect in turn.effects:
            match effect:
                case Reply(text=text, content=content, quick_replies=quick):
                    kind = "rich" if content is not None else "text"
                    self._heard.append(Heard(kind, text, content, quick, next(origins, None)))
                case Transfer(text=text, skill_id=skill):
                    self._heard.append(Heard("transfer", text, detail=skill))
                case Close(survey=survey):
                    self._heard.append(Heard("closed", detail=survey))
                case _:
                    continue
            self._shown.append(self._heard[-1])
