"""A conversation without a server: runs `advance` turn by turn and carries what the workers would carry.

Every turn is held to the law of the engine: it runs twice and must come out the same, its arguments must come out
unchanged, and session and effects must survive their way through Redis.
"""

import json
from typing import Any

import msgspec

from shared.bot.model import Bot
from shared.dialog.effects import Close, ContextWrite, Effect, Reopen, Reply, StartCall, Transfer
from shared.dialog.engine import Turn, advance
from shared.dialog.events import CallOutcome, ConsumerMessage, Event, WebViewCall
from shared.dialog.scripts import NeedContext, Scripts
from shared.dialog.session import Conversation, Session
from shared.dialog.trace import TraceLine
from shared.scripting.limits import Limits
from shared.scripting.runtime import QuickJsScripts

_START = 1_800_000_000_000
_HOUR = 3_600_000


class Talk:
    """One consumer with one bot. `turn` is the last one; `scripts` replaces QuickJS, `about` describes the consumer."""

    def __init__(self, bot: Bot, scripts: Scripts | None = None, forever: dict[str, Any] | None = None, **about: Any):
        self.bot = bot
        self.session: Session | None = None
        self.conversation = Conversation(**{"id": "0-c1", "bot_id": bot.id, "user_id": "consumer-1", **about})
        self.forever = dict(forever or {})
        self.context: dict[str, dict[str, Any]] = {}
        self.abandon: frozenset[str] = frozenset()
        self.turn = Turn(Session(version=bot.version), [], [])
        self.turns = 0
        self.sequence = 0
        self.at = _START
        self._scripts = scripts
        self._loaded: set[str] = set()

    # -- what happens ---------------------------------------------------------------------------------------------

    def say(self, text: str, payload: str | None = None, **more: Any) -> list[str]:
        """Let the consumer write, or tap a control; return the texts of the replies."""
        self.sequence += 1
        return self.happen(ConsumerMessage(**{"text": text, "payload": payload, "sequence": self.sequence, **more}))

    def post(self, variables: dict[str, str], message: str | None = None, **more: Any) -> list[str]:
        """Let an external form call."""
        self.sequence += 1
        return self.happen(WebViewCall(variables, message, **{"sequence": self.sequence, **more}))

    def answer(self, status: int = 200, body: Any = None, **more: Any) -> list[str]:
        """Let the integration answer the call that is awaited; a body that is no text is sent as JSON."""
        text = body if isinstance(body, str) else json.dumps(body)
        headers = {"Content-Type": "application/json"}
        known = {"call_id": f"{self.conversation.id}.{self.turns}", "status": status, "headers": headers, "body": text}
        return self.happen(CallOutcome(**{**known, **more}))

    def fail(self, failure: str = "timeout") -> list[str]:
        """Let the call that is awaited end without an answer."""
        return self.answer(0, "", headers={}, failure=failure)

    def expire(self) -> None:
        """Let the session end: the next event begins a new one."""
        self.session = None
        self.at += _HOUR

    def happen(self, event: Event) -> list[str]:
        """Run one turn and carry out its effects; return the texts of the replies."""
        self.at += 1000
        event = msgspec.structs.replace(event, at=self.at, new_session=self.session is None)
        before = msgspec.json.encode((self.session, event, self.conversation, self.forever))
        self._loaded = {key for key in self.context if key.startswith("conversation|")}
        turn = self._advance(event)
        assert _telling(self._advance(event)) == _telling(turn), "the same arguments gave another turn"
        assert msgspec.json.encode((self.session, event, self.conversation, self.forever)) == before
        assert _through_redis(turn.session, Session) == turn.session
        assert _through_redis(turn.effects, list[Effect]) == turn.effects
        self.turn, self.session = turn, turn.session
        self.turns += 1
        for effect in turn.effects:
            self._carry_out(effect)
        return self.texts

    def _advance(self, event: Event) -> Turn:
        for _ in range(8):
            scripts = self._scripts or QuickJsScripts(self.bot.global_functions, Limits())
            try:
                return advance(
                    self.bot,
                    self.session,
                    event,
                    scripts,
                    self.abandon,
                    conversation=self.conversation,
                    turn=self.turns + 1,
                    forever=self.forever,
                    context={key: self.context.get(key, {}) for key in self._loaded},
                )
            except NeedContext as need:
                self._loaded |= set(need.keys)
        raise AssertionError("the turn asked for context data again and again")

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Reply(asks=asks):
                self.sequence += 1
                if asks:
                    self._know(asked=self.sequence)
            case Transfer():
                self._know(status="transferred")
            case Close():
                self._know(status="closed")
            case Reopen():
                self._know(status="open")
            case ContextWrite("forever", _, name, value):
                self.forever[str(name)] = None if value is None else json.loads(value)
            case ContextWrite(scope, namespace, None, None):
                self.context[f"{scope}|{namespace}"] = {}
            case ContextWrite(scope, namespace, name, None):
                self.context.setdefault(f"{scope}|{namespace}", {}).pop(str(name), None)
            case ContextWrite(scope, namespace, name, value):
                self.context.setdefault(f"{scope}|{namespace}", {})[str(name)] = json.loads(str(value))
            case StartCall():
                pass

    def _know(self, **changes: Any) -> None:
        self.conversation = msgspec.structs.replace(self.conversation, **changes)

    # -- what came of it ------------------------------------------------------------------------------------------

    @property
    def replies(self) -> list[Reply]:
        """The messages of the last turn."""
        return [effect for effect in self.turn.effects if isinstance(effect, Reply)]

    @property
    def texts(self) -> list[str]:
        """The texts of the last turn; a rich message is `<rich>`."""
        return ["<rich>" if reply.text is None else reply.text for reply in self.replies]

    @property
    def call(self) -> StartCall | None:
        """The call the last turn started."""
        return next((effect for effect in self.turn.effects if isinstance(effect, StartCall)), None)

    @property
    def question(self) -> str | None:
        """The name of the question that waits."""
        waiting = self.bot.interactions.get(self.turn.session.position.question or "")
        return waiting.name if waiting else None

    @property
    def warnings(self) -> list[str]:
        """The codes of the warnings of the last turn."""
        return [line.code for line in self.turn.trace if line.level == "warning"]

    def lines(self, code: str) -> list[TraceLine]:
        """The lines of the last turn's trace with this code."""
        return [line for line in self.turn.trace if line.code == code]

    def variable(self, name: str) -> Any:
        """The value of a variable after the last turn, None when it is unset."""
        session = self.turn.session
        frames = [frame.variables for frame in session.position.stack[-1:]]
        for scope in (session.request, *frames, session.session, session.forever):
            if name in scope:
                return scope[name]
        return None

    def contents(self) -> list[Any]:
        """The rich contents of the last turn."""
        return [reply.content for reply in self.replies if reply.content is not None]

    def offers(self) -> list[tuple[str, str]]:
        """The titles of the last turn's quick replies, each with what tapping it says."""
        return [
            (button["title"], button["click"]["actions"][0]["text"])
            for reply in self.replies
            for button in (reply.quick_replies or {}).get("replies", [])
        ]


def _telling(turn: Turn) -> tuple[Session, list[Effect], list[TraceLine]]:
    """Leave out of a turn what it costs: the rest must be the same on every run."""
    lines = [
        msgspec.structs.replace(one, facts={k: v for k, v in one.facts.items() if k != "ms"}) for one in turn.trace
    ]
    return turn.session, turn.effects, lines


def _through_redis(value: Any, kind: Any) -> Any:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(value), type=kind)
