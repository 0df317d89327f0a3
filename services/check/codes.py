"""Every code a finding may have, its level, and what to mend: the source of docs/check.md."""

from typing import NamedTuple

import msgspec

from shared.bot.errors import Finding

ERROR, WARNING, INFO = "error", "warning", "info"


class Code(NamedTuple):
    """What a code means: its level, what was found, and what its author can do."""

    level: str
    meaning: str
    remedy: str


CODES = {
    # links
    "dangling-target": Code(
        ERROR, "A rule leads to an interaction or a dialog that is not in the file.", "Choose another next action."
    ),
    "dangling-integration": Code(
        ERROR, "An interaction calls an integration that is not in the file.", "Choose another integration."
    ),
    "dangling-name": Code(
        WARNING,
        "`setTriggerNextMessage` names an interaction that does not exist: the next action is taken instead.",
        "Correct the name, or add the interaction.",
    ),
    "disabled-target": Code(
        WARNING,
        "A rule leads into a dialog that is disabled: the next action is taken.",
        "Enable the dialog, or choose another next action.",
    ),
    "broken-links": Code(
        WARNING, "An interaction does not hang together with the others of its dialog.", "Export the bot again."
    ),
    "duplicate-name": Code(
        WARNING,
        "Two interactions, dialogs or integrations have one name: scripts and templates reach only one of them.",
        "Rename one of them.",
    ),
    "unreachable-dialog": Code(
        WARNING,
        "No starter, rule or script leads into a dialog (info where scripts choose names while they run).",
        "Give it a starter with a pattern or an intent, or remove it.",
    ),
    "unreachable-interaction": Code(
        WARNING,
        "Nothing leads to an interaction of a dialog (info where scripts choose names while they run).",
        "Lead to it, or remove it.",
    ),
    # scripts
    "script-syntax": Code(ERROR, "A script cannot be parsed: nothing of it runs.", "Correct the line it names."),
    "unknown-function": Code(
        ERROR, "A script uses a function that `botContext` has not got: it does nothing.", "Correct its name."
    ),
    "unsupported-function": Code(
        WARNING,
        "A script uses a function that needs another service of the platform: it has no effect here.",
        "Do without it, or make an integration of it.",
    ),
    "undefined-function": Code(
        ERROR,
        "A script calls a function that neither it nor the Global Functions declare: it ends there.",
        "Declare the function, or correct its name.",
    ),
    "foreign-name": Code(
        ERROR,
        "A script uses a name of Java, a browser or Node.js that is not there: it ends there.",
        "Use JavaScript's own objects and an integration for calls.",
    ),
    # names of values
    "missing-environment-variable": Code(
        ERROR,
        "`{$env.NAME}` or `getEnvVariable` reads an environment variable that the manifest does not give.",
        "Add it to `[environment]` in the manifest.",
    ),
    "unused-environment-variable": Code(
        INFO, "Nothing in the bot reads an environment variable of the manifest.", "Correct its name, or remove it."
    ),
    "unknown-service": Code(
        WARNING,
        "An environment variable is looked up from a LivePerson service that is not known here.",
        "Correct its name, whose case matters, or leave it if your account has such a service.",
    ),
    "unset-variable": Code(
        WARNING,
        "A template reads a variable that nothing in the bot sets (info where scripts choose names while they run).",
        "Correct the name, or set the variable before it is read.",
    ),
    "unknown-field": Code(
        ERROR,
        "`{Integration.field}` names a custom data field that its integration has not got: it is empty.",
        "Correct the name, or add the field to the integration.",
    ),
    "unknown-integration": Code(
        WARNING,
        "`{Name.field}` names no integration and no variable: it is sent as it stands.",
        "Correct the name, or leave it if the braces are meant.",
    ),
    "forms-without-token": Code(
        ERROR,
        'The manifest says `[web_view] mode = "safe"`, and no script makes a token for a form: none can post.',
        "Give the form's address a token of `botContext.getWebViewToken`: docs/web-view.md.",
    ),
    "form-variable-without-token": Code(
        WARNING,
        'A script reads a form\'s variable, and with `[web_view] mode = "safe"` no token is for it: it is never set.',
        "Add the name to `variables` of `getWebViewToken`.",
    ),
    # matching
    "bad-regex": Code(
        ERROR, "A regular expression cannot be compiled: its rule never matches.", "Write it without the part named."
    ),
    "unpaired-bracket": Code(
        WARNING,
        "A bracket in a pattern has no partner: it is taken as a character.",
        "Close the bracket, or remove it.",
    ),
    "hidden-pattern": Code(
        WARNING, "A pattern of an earlier dialog's starter matches first, always.", "Change or remove one of the two."
    ),
    "intent-without-phrases": Code(
        WARNING,
        "A starter or a rule waits for an intent for which the manifest has neither phrases nor an endpoint.",
        "Add phrases for it to `[intents]` in the manifest.",
    ),
    "slot-without-entity": Code(
        WARNING,
        "A rule fills a slot with an entity that the manifest has not got, nor an endpoint: it never matches.",
        "Add the entity to `[entities]` in the manifest.",
    ),
    "unused-phrases": Code(
        WARNING, "The manifest has phrases or entities, and an endpoint that is asked instead.", "Keep one of them."
    ),
    # content
    "bad-card": Code(
        ERROR, "A card is not JSON, whatever its variables hold: it is not shown.", "Correct the JSON at its place."
    ),
    "bad-delay": Code(WARNING, "An interaction delay is not a number: there is no delay.", "Give milliseconds."),
    # calls
    "unsupported-integration": Code(
        ERROR,
        "An integration is of a kind that cannot be called yet, or mails without a mail server: its calls fail.",
        "Replace it by an API integration, name a mail server by `smtp` under `[email]`, or handle its failure.",
    ),
    "bad-address": Code(
        ERROR, "The address of an integration cannot be called: its calls fail.", "Correct the address."
    ),
    "refused-address": Code(
        ERROR,
        "The address of an integration lies in an inner network that calls may not reach.",
        "Allow its range by `private` under `[egress]` in the manifest.",
    ),
    "host-not-allowed": Code(
        ERROR,
        "The host of an integration is not among those that the manifest allows: its calls are refused.",
        "Add it to `allow` under `[egress]` in the manifest.",
    ),
    "unknown-host": Code(
        INFO,
        "The host of an integration is known only when it is called, and the manifest lists hosts that are allowed.",
        "See that the list has every host the variable may hold.",
    ),
    "variable-host": Code(
        WARNING,
        "A variable decides which host an integration calls: consumers may, if it holds what they say.",
        "Write the host, keep it under `[environment]`, or list the hosts that calls may reach: `[egress] allow`.",
    ),
    "variable-ends-host": Code(
        WARNING,
        "A variable stands at the end of a host, which it cannot change: calls fail with every value but a path.",
        "Write a slash before the variable or the end of the host after it, or keep its value under `[environment]`.",
    ),
    "bad-body": Code(
        WARNING,
        "The body of an integration begins like JSON and is none, whatever its variables hold.",
        "Correct the JSON at its place.",
    ),
    "open-credential": Code(
        WARNING,
        "A secret goes over plain http: everybody on the way can read it.",
        "Write the address with https://.",
    ),
    "missing-secret": Code(
        WARNING,
        "A secret of a credential is not on this machine: without it on the integration worker's, calls fail.",
        "Set the variable or write the file where the integration worker runs.",
    ),
    "unused-host": Code(
        INFO,
        "No integration, token end-point or mail server has a host that the manifest sets limits for.",
        "Correct its name, or remove it, unless a redirect leads there.",
    ),
    "unused-credential": Code(INFO, "No integration uses a credential of the manifest.", "Name it, or remove it."),
    # what is not done here
    "unsupported-interaction": Code(
        WARNING, "An interaction is of a type not supported here: only its code runs.", "Use another type."
    ),
    "unsupported-rule": Code(WARNING, "A rule, or a part of it, has no effect here.", "Use another condition."),
    "unknown-key": Code(INFO, "A key of the export is not known here and has no effect.", "Nothing has to be done."),
}


def found(code: str, place: str, note: str, *, level: str = "", at: tuple[int, int] = (0, 0)) -> Finding:
    """Make a finding of a known code; `level` only where it differs from the table's, `at` is line and column."""
    return Finding(code, place, note, level or CODES[code].level, *at)


def levelled(finding: Finding) -> Finding:
    """Give a finding of the compiler the level of its code."""
    code = CODES.get(finding.code)
    return msgspec.structs.replace(finding, level=code.level) if code else finding


def remedy_of(finding: Finding) -> str:
    """Return what can be done about a finding, in a sentence; empty for a code that is not in the table."""
    return CODES[finding.code].remedy if finding.code in CODES else ""


def document() -> str:
    """Return the text of docs/check.md."""
    rows = "".join(
        f"| `{name}` | {code.level} | {code.meaning} | {code.remedy} |\n" for name, code in sorted(CODES.items())
    )
    return _DOCUMENT + rows


_DOCUMENT = """\
# What `botlane check` finds

`botlane check BOT...` loads a bot and says what is wrong with it before its consumers do. Nothing of the bot is run
and nothing is called. Each finding has a code, a level, a place in the author's words (dialog / interaction / panel,
line:column) and a sentence.

An **error** cannot work as written, a **warning** probably does not do what is meant, an **info** is good to know.
The exit code is 1 when there are errors, 2 when a file cannot be loaded, otherwise 0. `--format json` writes one line
a bot: `bot` (its id), `version`, `findings` (each with `code`, `place`, `note`, `level`, `line`, `column`, `remedy`)
and how many are `errors` and `warnings`.

Scripts are parsed by the engine that will run them. What they use is read from their words, so a name that a script
puts together while it runs is not known; where that matters, a finding is an info instead of a warning.

| code | level | what was found | what to do |
|---|---|---|---|
"""
