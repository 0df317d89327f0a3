"""The settings of all programs: one frozen Struct, read once from the environment, passed down as an argument."""

import msgspec


class SettingsError(Exception):
    """A setting cannot be used: the message names the variable and what to give it."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator can set; `botlane <program> --help` lists the variables with their defaults."""

    redis_url: str = "redis://127.0.0.1:6379/0"
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
    console: bool = False
    console_token: str = ""
    rewrite_urls: tuple[tuple[str, str], ...] = ()
    keyless: bool = False
    account_id: str = ""
    script_seconds: float = 1.0
    inbox_limit: int = 1000
    conversation_ttl: int = 7 * 24 * 3600
    trace_ttl: int = 3600
    completion_wait: float = 25.0
    max_jobs: int = 100
    log_format: str = "json"
