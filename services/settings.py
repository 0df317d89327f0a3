"""The settings of all programs: one frozen Struct, read once from the environment, passed down as an argument.

Only this module reads the environment. `SETTINGS` is the table behind `--help` and docs/settings.md.
"""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from services import setting_forms as forms

PREFIX = "BOTLANE_"


class SettingsError(Exception):
    """A setting cannot be used: the message names the variable and what to give it."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator can set; `botlane <program> --help` lists the variables with their defaults."""

    redis_url: str = "redis://127.0.0.1:6379/0"
    durability: str = "local"
    secrets: tuple[str, ...] = ()
    channel_keys: dict[str, str] = {}
    host: str = "127.0.0.1"
    port: int = 8080
    ops: str = "127.0.0.1:9090"
    shards: int = 1
    turn_processes: int = 2
    create_rate: int = 60
    trusted_proxies: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()
    web_view_rate: int = 30
    web_view_address_rate: int = 300
    web_view_body: int = 1024 * 1024
    web_view_variables: int = 200
    web_view_variable_size: int = 8 * 1024
    web_view_origins: tuple[str, ...] = ("*",)
    web_view_addresses: tuple[str, ...] = ()
    console: bool = False
    console_token: str = ""
    rewrite_urls: tuple[tuple[str, str], ...] = ()
    keyless: bool = False
    account_id: str = ""
    domain_api: str = "https://api.liveperson.net"
    script_seconds: float = 1.0
    inbox_limit: int = 1000
    conversation_ttl: int = 7 * 24 * 3600
    trace_ttl: int = 3600
    completion_wait: float = 25.0
    max_jobs: int = 100
    log_format: str = "json"
    secret_commands: bool = False
    closed_files: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return "Settings(...)"


class Setting(msgspec.Struct, frozen=True):
    """One row of the table: the variable, its field, the form of its text, what it is for.

    A `secret` may also come from the file that `<variable>_FILE` names, and its value is never shown.
    """

    variable: str
    field: str
    form: forms.Form
    about: str
    secret: bool = False


SETTINGS = (
    Setting("BOTLANE_REDIS_URL", "redis_url", forms.REDIS_URL, "The Redis or Valkey server.", secret=True),
    Setting(
        "BOTLANE_DURABILITY", "durability", forms.DURABILITY, "Whether what is acknowledged is on a replica first."
    ),
    Setting(
        "BOTLANE_SECRET", "secrets", forms.SECRETS, "Signs tokens, seals data; of several, the first does.", secret=True
    ),
    Setting("BOTLANE_CHANNEL_KEYS", "channel_keys", forms.KEYS, "Channels that may name their users.", secret=True),
    Setting("BOTLANE_HOST", "host", forms.TEXT, "Where the gateway listens."),
    Setting("BOTLANE_PORT", "port", forms.whole(0, 65535), "The gateway's public port."),
    Setting("BOTLANE_OPS", "ops", forms.ADDRESS, "Where /healthz, /readyz and /metrics are: not for the public."),
    Setting("BOTLANE_SHARDS", "shards", forms.whole(1, 1024), "Parts of the data; may grow, on the workers first."),
    Setting("BOTLANE_TURN_PROCESSES", "turn_processes", forms.whole(1, 256), "Children that run bots: one a core."),
    Setting("BOTLANE_CREATE_RATE", "create_rate", forms.MANY, "Conversations one address may open in a minute."),
    Setting("BOTLANE_TRUSTED_PROXIES", "trusted_proxies", forms.ITEMS, "Proxies whose X-Forwarded-For is believed."),
    Setting(
        "BOTLANE_CORS_ORIGINS",
        "cors_origins",
        forms.ORIGINS,
        "Web sites whose pages may call /v1 and open its streams; * is all.",
    ),
    Setting("BOTLANE_WEB_VIEW_RATE", "web_view_rate", forms.MANY, "Web View calls of a conversation in a minute."),
    Setting(
        "BOTLANE_WEB_VIEW_ADDRESS_RATE",
        "web_view_address_rate",
        forms.MANY,
        "Web View calls of an address in a minute.",
    ),
    Setting("BOTLANE_WEB_VIEW_BODY", "web_view_body", forms.size(1024, 2 * 1024**2), "Bytes of a Web View call."),
    Setting("BOTLANE_WEB_VIEW_VARIABLES", "web_view_variables", forms.whole(1, 10_000), "Variables it may bring."),
    Setting(
        "BOTLANE_WEB_VIEW_VARIABLE_SIZE", "web_view_variable_size", forms.size(1, 256 * 1024), "Bytes of each of them."
    ),
    Setting("BOTLANE_WEB_VIEW_ORIGINS", "web_view_origins", forms.ORIGINS, "Web sites whose forms may post; * is all."),
    Setting("BOTLANE_WEB_VIEW_ADDRESSES", "web_view_addresses", forms.ITEMS, "Addresses that may post; none is all."),
    Setting("BOTLANE_CONSOLE", "console", forms.SWITCH, "Serves the chat page and traces that hold values."),
    Setting("BOTLANE_CONSOLE_TOKEN", "console_token", forms.TEXT, "What the chat page asks for.", secret=True),
    Setting("BOTLANE_REWRITE_URLS", "rewrite_urls", forms.REWRITES, "Sends calls elsewhere (tests, staging)."),
    Setting("BOTLANE_KEYLESS", "keyless", forms.SWITCH, "Lets callers name users without a key: on one's own machine."),
    Setting("BOTLANE_ACCOUNT_ID", "account_id", forms.TEXT, "What scripts read as the account's id."),
    Setting("BOTLANE_DOMAIN_API", "domain_api", forms.HTTP_URL, "Who knows the hosts of LivePerson's services."),
    Setting("BOTLANE_SCRIPT_SECONDS", "script_seconds", forms.seconds(0.05, 5), "CPU time that one script may use."),
    Setting("BOTLANE_INBOX_LIMIT", "inbox_limit", forms.MANY, "Events that may wait in one conversation."),
    Setting("BOTLANE_CONVERSATION_TTL", "conversation_ttl", forms.DURATION, "How long idle conversations are kept."),
    Setting("BOTLANE_TRACE_TTL", "trace_ttl", forms.DURATION, "How long traces are kept."),
    Setting("BOTLANE_COMPLETION_WAIT", "completion_wait", forms.seconds(0, 3600), "How long a stopping worker waits."),
    Setting("BOTLANE_MAX_JOBS", "max_jobs", forms.MANY, "Conversations or calls one worker handles at a time."),
    Setting(
        "BOTLANE_SECRET_COMMANDS", "secret_commands", forms.SWITCH, "Runs the commands that manifests name for secrets."
    ),
    Setting("BOTLANE_CLOSED_FILES", "closed_files", forms.ITEMS, "Files and folders that no manifest may name."),
    Setting("BOTLANE_LOG_FORMAT", "log_format", forms.LOG_FORMAT, "How log lines are written."),
)


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from `environ`, by default from the environment of this process.

    Raises SettingsError for a value that cannot be used, and for a variable that looks like a misspelt setting.
    Other `BOTLANE_…` variables belong to somebody else (service links of Kubernetes, say) and are left alone.
    """
    environ = os.environ if environ is None else environ  # noqa: TID251 - the one place
    _refuse_misspelt(environ)
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        text = _given(setting, environ)
        if text is None or not text.strip():
            continue
        try:
            values[setting.field] = setting.form.read(text)
        except ValueError as error:
            shown = "" if setting.secret else f" is {text.strip()!r}, which"
            hint = setting.form.hint_for(error)
            raise SettingsError(f"{setting.variable}{shown} cannot be used: give it {hint}.") from None
    return Settings(**values)


def process_environment() -> dict[str, str]:
    """Return the variables of this process, for files that name them (`bot: ${FOLDER}/bot.json` of a test file)."""
    return dict(os.environ)  # noqa: TID251 - the one place


def foreign_environment() -> dict[str, str]:
    """Return the variables that are no settings: what a manifest may name as `{ env = … }`, never our own secrets."""
    known = {name for setting in SETTINGS for name in (setting.variable, f"{setting.variable}_FILE")}
    return {name: value for name, value in process_environment().items() if name not in known}


def own_files() -> tuple[str, ...]:
    """Return the files that hold settings which are secrets: no manifest may name them either."""
    files = (process_environment().get(f"{setting.variable}_FILE") for setting in SETTINGS if setting.secret)
    return tuple(file for file in files if file)


def child_environment(settings: Settings) -> dict[str, str]:
    """Return this process's environment with the variables that make a child read exactly `settings`."""
    return foreign_environment() | environment(settings)


def environment(settings: Settings) -> dict[str, str]:
    """Return the variables for every setting that differs from its default: the inverse of `read_settings`."""
    default = Settings()
    return {
        setting.variable: shown(getattr(settings, setting.field))
        for setting in SETTINGS
        if getattr(settings, setting.field) != getattr(default, setting.field)
    }


def shown(value: object) -> str:
    """Return a setting's value in the form its variable takes."""
    match value:
        case bool():
            return "1" if value else "0"
        case dict():
            return ",".join(f"{name}={key}" for name, key in value.items())
        case tuple() if value and isinstance(value[0], tuple):
            return " ".join(f"{pair[0]}={pair[1]}" for pair in value)
        case tuple():
            return ",".join(value)
        case _:
            return str(value)


def _given(setting: Setting, environ: Mapping[str, str]) -> str | None:
    """Return the variable's text or, for a secret, what the file named by `<variable>_FILE` holds."""
    file_variable = f"{setting.variable}_FILE"
    path = environ.get(file_variable, "") if setting.secret else ""
    text = environ.get(setting.variable)
    if not path:
        return text
    if text:
        raise SettingsError(f"{setting.variable} and {file_variable} are both set: keep one of them.")
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(f"{file_variable} names {path}, which cannot be read ({reason}).") from error


def _refuse_misspelt(environ: Mapping[str, str]) -> None:
    names = [setting.variable.removeprefix(PREFIX) for setting in SETTINGS]
    names += [f"{setting.variable.removeprefix(PREFIX)}_FILE" for setting in SETTINGS if setting.secret]
    for variable in sorted(environ):
        name = variable.removeprefix(PREFIX)
        if name == variable or name in names:
            continue
        if close := difflib.get_close_matches(name, names, n=1, cutoff=0.75):
            raise SettingsError(f"{variable} is not a setting: did you mean {PREFIX}{close[0]}?")
