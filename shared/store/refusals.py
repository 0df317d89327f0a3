"""Why a Redis server that answers cannot be used, in words for who operates it."""

from redis import exceptions

_BY_CLASS = (
    (exceptions.AuthenticationError, "it refuses the password"),
    (exceptions.BusyLoadingError, "it is still loading its data"),
    (exceptions.ReadOnlyError, "it is a replica and takes no writes"),
    (exceptions.OutOfMemoryError, "its memory is full"),
    (exceptions.NoPermissionError, "its user may not do that"),
)
_BY_CODE = {
    "MISCONF": "it cannot write its data: is its disk full?",
    "NOREPLICAS": "it misses its replicas",
    "UNBLOCKED": "it is becoming a replica",
}


def refusal(error: BaseException) -> str:
    """Return what a server said for itself, empty for an error of another kind."""
    for kind, words in _BY_CLASS:
        if isinstance(error, kind):
            return words
    if isinstance(error, exceptions.ResponseError):
        return next((words for code, words in _BY_CODE.items() if code in str(error)), "")
    return ""
