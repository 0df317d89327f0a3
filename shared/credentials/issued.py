"""What comes of asking for a token."""

import msgspec

USUAL_LIFE, LONGEST_LIFE = 3600.0, 30 * 24 * 3600.0


class Issued(msgspec.Struct, frozen=True):
    """What a token end-point gave: `life` in seconds; `refresh_token` empty when there is none."""

    access_token: str
    life: float = USUAL_LIFE
    refresh_token: str = ""

    def __repr__(self) -> str:
        return f"Issued(life={self.life})"


class NotIssued(Exception):  # noqa: N818 - an answer, not a failure of ours
    """No token was given. The message says why without values; `passing`: it may be given a little later."""

    def __init__(self, why: str, *, passing: bool = False, code: str = "") -> None:
        super().__init__(why)
        self.passing = passing
        self.code = code
