"""What scripts get wrong: grammar, names of functions, of interactions, of environment variables."""

from collections.abc import Iterator

from services.check.codes import found
from services.check.panels import Panel
from services.check.subject import Subject
from shared.bot.errors import Finding
from shared.scripting.syntax import parse_failure

_FOREIGN = frozenset(
    """java javax Packages JavaImporter importPackage importClass XMLHttpRequest fetch require setTimeout setInterval
    clearTimeout clearInterval setImmediate console localStorage sessionStorage alert""".split()  # noqa: SIM905 words read better in a row
)
UNSUPPORTED = frozenset(
    """getNlpResponse getSentiment transferToBotDialog setBotTransferIntentbyDomain setBotTransferIntentId
    setBotTransferIntentID setBotTransferUserMessage""".split()  # noqa: SIM905 words read better in a row
)
_DEFAULT_ROUTING = "platform.default"


def check_scripts(subject: Subject) -> Iterator[Finding]:
    """Check every script; one that does not parse is not looked at any further."""
    for panel in subject.panels:
        failure = parse_failure(panel.source)
        if failure is not None:
            note = f"it cannot be parsed: {failure.problem}"
            yield found("script-syntax", panel.place, note, at=(failure.line, failure.column))
            continue
        yield from _members(panel, subject)
        yield from _functions(panel, subject)
        yield from _targets(panel, subject)
        yield from _environment(panel, subject)
    yield from _unread(subject)


def _members(panel: Panel, subject: Subject) -> Iterator[Finding]:
    """Check what is used of `botContext`: functions, and bean properties (`chatBotId` reads `getChatBotId()`)."""
    for use in panel.uses:
        getter = f"get{use.name[:1].upper()}{use.name[1:]}"
        if use.name not in subject.names.functions and (use.called or getter not in subject.names.functions):
            note = f"botContext.{use.name} does not exist: it does nothing and gives nothing"
            yield found("unknown-function", panel.place, note, at=use.at)
        elif use.name in UNSUPPORTED:
            yield found("unsupported-function", panel.place, f"botContext.{use.name} has no effect here", at=use.at)


def _functions(panel: Panel, subject: Subject) -> Iterator[Finding]:
    shared = subject.global_functions
    declared = panel.declared | (shared.declared if shared else frozenset())
    known = panel.others | declared | subject.names.builtins
    foreign = _FOREIGN - declared - subject.names.builtins
    for word in panel.read:
        if word.value in foreign:
            yield found(
                "foreign-name", panel.place, f"{word.value} does not exist here: the script ends there", at=word.at
            )
    for word in panel.calls:
        if word.value not in known and word.value not in foreign:
            note = f"{word.value}() is declared neither here nor in the Global Functions: the script ends there"
            yield found("undefined-function", panel.place, note, at=word.at)


def _targets(panel: Panel, subject: Subject) -> Iterator[Finding]:
    for use in panel.uses:
        name = use.literal
        if use.name == "setTriggerNextMessage" and name and name != _DEFAULT_ROUTING and name not in subject.bot.names:
            alike = next((known for known in subject.bot.names if _plain(known) == _plain(name)), None)
            hint = f'; there is "{alike}"' if alike else ""
            note = f'there is no interaction "{name}": the next action is taken{hint}'
            yield found("dangling-name", panel.place, note, at=use.at)


def _plain(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


def _environment(panel: Panel, subject: Subject) -> Iterator[Finding]:
    for use in panel.uses:
        if use.name == "getEnvVariable" and use.literal is not None and use.literal not in subject.environment:
            note = f"the manifest gives no environment variable {use.literal}"
            yield found("missing-environment-variable", panel.place, note, at=use.at)


def _unread(subject: Subject) -> Iterator[Finding]:
    """Compare the manifest's environment with what is read of it; the platform's own variables are read elsewhere."""
    uses = subject.uses("getEnvVariable")
    if any(use.literal is None for use in uses):
        return
    read = {use.literal for use in uses} | {hole.name for hole in subject.placeholders if hole.kind == "environment"}
    for name in subject.environment:
        if name not in read and not name.startswith("system_"):
            place = f"manifest: environment.{name}"
            yield found("unused-environment-variable", place, "nothing in the bot reads it")
