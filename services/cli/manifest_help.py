"""Every key of the manifest as a person reads it: the source of docs/manifest.md."""

from typing import Any

import msgspec

from services.cli.credentials_help import sections
from shared.bot.domains import DomainPart
from shared.bot.egress import Proxy
from shared.bot.integration import Policy
from shared.bot.manifest import Manifest, part_of
from shared.bot.manifest_web_view import Mode
from shared.bot.protection import BreakerPart

DOCUMENT = "docs/manifest.md"

# By table (`""`: before the first one), then by key, in the order in which they are shown.
ABOUT: dict[str, dict[str, str]] = {
    "": {
        "keep_types": "Variables keep their JavaScript types over messages. Without it they become text, as in "
        "Conversation Builder.",
        "greet": "Every conversation starts with the bot's Get Started payload.",
    },
    "session": {"idle": "How long a session lives without the consumer, such as `90s`, `15m` or `1h30m`."},
    "environment": {
        "NAME": "What `{$env.NAME}` and `getEnvVariable('NAME')` read, as text; `{ domain = \"msgHist\", account = "
        '"12345678" }` is the host of a LivePerson service, looked up at run time: `docs/protection.md`.'
    },
    "limits": {
        "chain": "How many interactions may follow each other in one dialog without a question, 1 or more.",
        "chain_across": "The same across dialogs.",
    },
    "integrations.NAME": {
        "total_timeout": "Seconds for all attempts of a call together, up to 300.",
        "connect_timeout": "Seconds to connect, at most `total_timeout` and `attempt_timeout`.",
        "attempt_timeout": "Seconds for one attempt, at most `total_timeout`; without it, what is left.",
        "retries": "How often a call may be repeated, 0 to 10.",
        "backoff": "Seconds of the first pause before a repeat, at most; each next one may be twice as long.",
        "backoff_max": "Seconds of the longest pause.",
        "retry_on": "After which statuses and failures a call may be repeated at all: numbers, `5xx`, `unreachable`, "
        "`lost`, `timeout`, `interrupted`.",
        "success": "The statuses that count as success: numbers, `2xx`.",
        "repeat_unsafe": "POST and PATCH are repeated even when they may have been executed.",
        "idempotency_key": "Every attempt of a call carries the same `Idempotency-Key`.",
        "response_limit": "The most bytes of an answer, up to 1048576.",
        "redirects": "How many redirects are followed, 0 to 5; with 0 a redirect is the answer.",
        "default_headers": "The headers that Conversation Builder adds to every call are sent.",
        "credential": "The name of a table `[credentials.NAME]`.",
        "concurrency": "How many attempts there may be at once, over all workers: `docs/protection.md`.",
        "rate": "How many attempts may begin in a time, such as `20/s`, `300/m` or `5000/h`.",
        "breaker": 'When it is left alone: `{ failures = 5, share = 0.5, window = "30s", open = "30s" }`, or `{}` '
        "for these.",
    },
    "hosts.NAME": {
        "concurrency": "As for integrations; all calls of all bots to the host count together.",
        "rate": "The same.",
        "breaker": "The same.",
        "proxy": 'What calls of this bot to the host leave through: `http://proxy.example.com:3128`, or `{ url = "…", '
        'username = "…", password = { env = "…" } }`; `direct` for none.',
    },
    "privacy": {
        "sensitive": "Variables that are sealed where they are stored and masked where they are shown: names, or "
        "patterns such as `card*`. See `docs/privacy.md`.",
    },
    "intents.NAME": {"phrases": "What consumers say when they mean it; `@SIZE` stands for a value of an entity."},
    "entities.NAME": {
        "values": "`word~value`, or the word alone.",
        "patterns": "Regular expressions; the value is the first group, if there is one.",
    },
    "understanding": {
        "url": "An endpoint in the shape of Rasa's `/model/parse`, asked instead of phrases and entities.",
        "timeout": "Seconds it may take, up to 5.",
    },
    "web_view": {
        "mode": "By what forms prove that they may post: `safe` takes the tokens of `getWebViewToken` alone, "
        "`compatible` also Conversation Builder's hash, which anybody can make who sees a form's address: "
        "`docs/web-view.md`."
    },
    "egress": {
        "private": "Inner address ranges that calls may reach, such as `10.0.0.0/8`.",
        "allow": "The only hosts that calls may go to, such as `api.example.com` and `*.example.org`; without it, any.",
    },
    "email": {
        "smtp": "The mail server of E-mail integrations: `smtp://host:587` (TLS by STARTTLS, a must unless "
        "it is this machine), `smtps://host` (TLS from the start) or `smtp+plain://host` (without).",
        "sender": "Who mails come from, such as `Shop <bot@example.com>`, in place of the export's sender.",
        "credential": "The name of a table `[credentials.NAME]` of type `basic` to log in with.",
    },
}
_TYPES: dict[object, str] = {
    bool: "true or false",
    bool | None: "true or false",
    str: "text",
    str | None: "text",
    BreakerPart | None: "table",
    Mode: "`safe` or `compatible`",
    int: "whole number",
    int | None: "whole number",
    float: "number",
    float | None: "number",
    tuple[str, ...]: "list of texts",
    tuple[str, ...] | None: "list of texts",
    str | Proxy | None: "text or table",
    tuple[int | str, ...] | None: "list of numbers and words",
    str | int | float | bool | DomainPart: "text, number, true or false, or table",
}


def document() -> str:
    """Return the content of docs/manifest.md."""
    lines = [_HEAD]
    for table, keys in ABOUT.items():
        lines += [f"## {f'`[{table}]`' if table else 'Before the first table'}", ""]
        if _NOTES.get(table):
            lines += [_NOTES[table], ""]
        lines += ["| key | what it is for | what to give | default |", "|---|---|---|---|"]
        lines += [f"| `{key}` | {about} | {' | '.join(_given(table, key))} |" for key, about in keys.items()]
        lines.append("")
    lines += ["## `[credentials.NAME]`", "", _CREDENTIALS, "", *sections()]
    return "\n".join(lines)


def _given(table: str, key: str) -> tuple[str, str]:
    """Return what may stand there and the default, as the Structs say."""
    name = table.partition(".")[0]
    part = part_of(name)
    if part is None:
        kind = next(field.type for field in msgspec.structs.fields(Manifest) if field.name == name)
        return _TYPES.get(kind.__args__[1], "table"), "none"
    [field] = [field for field in msgspec.structs.fields(part) if field.name == key]
    default: Any = field.default
    if name == "integrations":
        default = getattr(Policy(), key, True if key == "default_headers" else default)
    return _TYPES[field.type], _SHOWN.get((table, key)) or _shown(default)


def _shown(default: Any) -> str:
    if default in ("", (), None):
        return "none"
    return f"`{msgspec.json.encode(default).decode()}`"


_SHOWN = {("session", "idle"): "the export's session length, or `1h`"}
_NOTES = {
    "hosts.NAME": '`NAME` is `"api.example.com"`, `"api.example.com:8443"`, `"*.example.org"` or `"*"`: a call falls '
    "under the one that says most of its host. The hosts of one name share its limits.",
    "integrations.NAME": "`NAME` is the integration's name in the export.",
    "intents.NAME": "`NAME` is the intent's name, display name or id in the export: `docs/intents.md`.",
    "entities.NAME": "`NAME` is the entity's name without its `@`: `docs/intents.md`.",
}
_CREDENTIALS = """\
How calls of an integration prove who they are: [credentials.md](credentials.md) has an example of each type. A secret
never stands here itself: `{ env = "…" }`, `{ file = "…" }` or `{ command = "…" }` says where it is."""
_HEAD = """\
# The manifest

What an export cannot carry stands beside it: `my-bot.botlane.toml` beside `my-bot.json`, or any file given by
`--manifest`. All of it may be left out. A key that is not listed here is an error that names those that are, since a
typing mistake would otherwise be a setting silently lost.

```toml
keep_types = true

[session]
idle = "30m"

[environment]
storeUrl = "https://api.example.com"

[integrations.StoreLocator]
total_timeout = 10.0
retries = 1
```

Changing the manifest makes a new version of the bot: publish it again.
"""
