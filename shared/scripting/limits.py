"""What a bot's scripts may use before they are stopped or refused (design: limits)."""

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of one script and of one turn; sizes are bytes of JSON text.

    `script_seconds` is CPU of one script, `turn_seconds` of all scripts of a turn. What exceeds `variable`, `effects`
    or `replies` is refused to the script as an exception it can catch; the others stop it.
    """

    script_seconds: float = 1.0
    turn_seconds: float = 5.0
    heap: int = 32 << 20
    stack: int = 256 << 10
    variable: int = 256 << 10
    outcome: int = 1 << 20
    effects: int = 1 << 20
    replies: int = 100
    depth: int = 64
