"""What is called like a secret: headers, query parameters, variables and fields whose values are shown to nobody."""

import re
from typing import Final

MASK: Final = "•••"

_HEADER = re.compile(r"auth|cookie|credential|key|password|secret|session|signature|token", re.IGNORECASE)
_NO_SECRETS = frozenset({"idempotency-key"})
_NAME = re.compile(
    r"(?:token|secret|password|passwd|passphrase|pwd|signature|(?<![a-z])sig|auth|authorization|credentials?|session[_-]?id"
    r"|(?:api|access|app|auth|client|consumer|functions?|private|secret|signing|subscription)[_-]?key)$",
    re.IGNORECASE,
)


def is_secret_header(name: str) -> bool:
    """Tell whether a header proves who is calling."""
    return _HEADER.search(name) is not None and name.lower() not in _NO_SECRETS


def is_secret_name(name: str) -> bool:
    """Tell whether a variable, parameter or field is called like a secret (`key` alone only is in a query)."""
    return _NAME.search(name) is not None


def shown_headers(headers: dict[str, str]) -> dict[str, str]:
    """Return headers as they may be shown."""
    return {name: MASK if is_secret_header(name) else value for name, value in headers.items()}
