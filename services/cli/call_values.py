"""What `botlane call` is told with --set, as the engine finds it: variables, environment, and any other placeholder."""

import difflib
import re
import shlex
from typing import Any

import msgspec

from services.cli.failure import FINDINGS, CommandFailed
from services.cli.plain import plain
from shared.bot.integration import Integration
from shared.bot.model import Bot, Interaction
from shared.bot.templates import Placeholder
from shared.dialog.calls import start_call
from shared.dialog.effects import StartCall
from shared.dialog.scripts import Scripts
from shared.dialog.session import Conversation, Position, Session
from shared.dialog.work import Work
from shared.store.keys import new_conversation_id

_PREFIX = re.compile(r"\$botContext\.(?:slot\.)?", re.IGNORECASE)
_ENVIRONMENT = re.compile(r"\$?env\.", re.IGNORECASE)
_SYSTEM = frozenset({"usermessage", "query"})
_TURN = 1


class Prepared(msgspec.Struct, frozen=True):
    """A call as a turn starts it: the session that waits for it, and the values of its request by expression.

    `conversation` is another one each time: an API that knows idempotency keys must not take one run for a repeat.
    """

    conversation: Conversation
    bot: Bot
    integration: Integration
    interaction: Interaction
    session: Session
    values: dict[str, Any]

    @property
    def call_id(self) -> str:
        """Return the id of the call, by which it has its idempotency key."""
        return f"{self.conversation.id}.{_TURN}"

    def work(self, scripts: Scripts, now: int) -> Work:
        """Return the working state of a turn of the conversation that waits."""
        work = Work(self.bot, self.session, self.conversation, scripts, frozenset(), _TURN + 1)
        work.now = now
        return work


def given_values(settings: tuple[str, ...]) -> dict[str, Any]:
    """Return what was set, by name. `name=text` is text, `name:=json` any JSON value. Raises CommandFailed."""
    given: dict[str, Any] = {}
    for setting in settings:
        if any("\ud800" <= sign <= "\udfff" for sign in setting):  # how Python reads bytes that are no text
            raise CommandFailed(f"--set {plain(setting)} cannot be used: it is not UTF-8 text.")
        name, sign, text = setting.partition("=")
        value: Any = text
        if name.endswith(":"):
            try:
                value = msgspec.json.decode(text)
            except msgspec.DecodeError as error:
                raise CommandFailed(f"--set {plain(name)}=… is followed by no JSON: {error}.") from None
        name = _PREFIX.sub("", name.rstrip(":").strip().removeprefix("{").removesuffix("}"), count=1)
        if not sign or not name:
            raise CommandFailed(f"--set {plain(setting)} cannot be used: write --set name=value, or name:=JSON.")
        given[name] = value
    return given


def find_integration(bot: Bot, called: str) -> Integration:
    """Return the integration of a name, a response variable or an id. Raises CommandFailed with the ones there are."""
    wanted = called.strip().casefold()
    for attribute in ("name", "variable", "id"):
        for one in bot.integrations.values():
            if wanted and str(getattr(one, attribute)).strip().casefold() == wanted:
                return one
    known = [plain(one.name) for one in bot.integrations.values()]
    if not known:
        raise CommandFailed(f"{plain(bot.name)} has no integrations.")
    if not wanted:
        raise CommandFailed(f"Say which integration of {plain(bot.name)} to call: {', '.join(known)}.")
    known.sort(key=lambda name: -difflib.SequenceMatcher(None, name.casefold(), wanted).ratio())
    raise CommandFailed(f"{plain(bot.name)} has no integration {plain(called)!r}. It has: {', '.join(known)}.")


def prepare(bot: Bot, integration: Integration, given: dict[str, Any], scripts: Scripts) -> Prepared:
    """Start the call as a turn of the engine does. Raises CommandFailed when it cannot be made, or names what is unset.

    What is set by the name of a placeholder that is no variable (`{Orders.number}`, `{$.api_Orders.id}`) stands there.
    """
    environment = {_ENVIRONMENT.sub("", name): value for name, value in given.items() if _ENVIRONMENT.match(name)}
    bot = msgspec.structs.replace(bot, environment=bot.environment | environment)
    spoken = next((value for name, value in given.items() if name.lstrip("$").lower() in _SYSTEM), "")
    variables = {name: value for name, value in given.items() if not _ENVIRONMENT.match(name)}
    interaction = _calling(integration)
    session = Session(bot.version, Position(text=str(spoken)), session=variables)
    conversation = Conversation(id=new_conversation_id(0), bot_id=bot.id, user_id="consumer")
    work = Work(bot, session, conversation, scripts, frozenset(), _TURN)
    if not start_call(work, interaction):
        notes = [line.note for line in work.trace if line.level == "warning"]
        raise CommandFailed(f"{plain(integration.name)} cannot be called: {' '.join(notes)}.", FINDINGS)
    [call] = [effect for effect in work.effects if isinstance(effect, StartCall)]
    values = call.values | {
        hole.expression: given[name]
        for hole in integration.placeholders
        for name in (hole.name, hole.expression, f"${hole.name}")
        if name in given
    }
    _refuse_missing(integration, values, given, bot)
    return Prepared(conversation, bot, integration, interaction, work.session(), values)


def _refuse_missing(integration: Integration, values: dict[str, Any], given: dict[str, Any], bot: Bot) -> None:
    """Raise CommandFailed when placeholders have no value, with what to type."""
    missing = [
        hole
        for hole in integration.placeholders
        if values.get(hole.expression) in (None, "") and not _is_given(hole, given, bot)
    ]
    if not missing:
        return
    lines = "".join(f"\n  --set {shlex.quote(f'{_name(hole)}=…')}" for hole in missing)
    manifest = " What begins with env. may also stand in the manifest, below [environment]."
    raise CommandFailed(
        f"{plain(integration.name)} needs values that are not set. Give them (nothing after = for an empty one):"
        f"{plain_lines(lines)}{manifest if any(hole.kind == 'environment' for hole in missing) else ''}"
    )


def _is_given(hole: Placeholder, given: dict[str, Any], bot: Bot) -> bool:
    if hole.kind == "environment":
        return hole.name in bot.environment
    named = {name.casefold() for name in given}
    return not named.isdisjoint({hole.name.casefold(), hole.expression.casefold(), f"${hole.name}".casefold()})


def _name(hole: Placeholder) -> str:
    """Return what to write before the `=` for a placeholder."""
    match hole.kind:
        case "environment":
            return f"env.{hole.name}"
        case "path":
            return f"$.{hole.name}"
        case _:
            return hole.name


def plain_lines(text: str) -> str:
    """Return a text whose lines are kept, and whose other control characters are shown instead of obeyed."""
    return "\n".join(plain(line.replace("\t", "    ")) for line in text.split("\n"))


def _calling(integration: Integration) -> Interaction:
    """Return an interaction that does nothing but call the integration."""
    return Interaction(
        id=integration.id,
        name=integration.name,
        kind="INTEGRATION",
        dialog_id="",
        enabled=True,
        asks=False,
        next_id=None,
        rules=(),
        integration_id=integration.id,
    )
