"""`[privacy]` of the manifest: which variables hold what nobody but the consumer and the bot shall read."""

import msgspec


class PrivacyPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[privacy]`: `sensitive` names variables (`*`, `?`, `[…]` fit any): sealed and masked, see docs/privacy.md."""

    sensitive: tuple[str, ...] = ()


def problem_of(part: PrivacyPart) -> str:
    """Say what is wrong with the patterns, nothing when they can be used."""
    for pattern in part.sensitive:
        if not pattern.strip() or pattern != pattern.strip():
            return f"{pattern!r} is no name of a variable"
    return ""
