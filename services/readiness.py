"""Whether a program is ready, asked at its operations address: for `--check`, and for `run` while programs start."""

import http.client

_MOST_READ = 500


def is_ready(ops: str, seconds: float = 3.0) -> bool:
    """Whether `GET /readyz` at `host:port` answers 200."""
    return not why_not_ready(ops, seconds)


def why_not_ready(ops: str, seconds: float = 3.0) -> str:
    """Return what `GET /readyz` at `host:port` lacks for readiness and what to do, empty when it answers 200."""
    where = f"http://{ops}/readyz"
    host, _, port = ops.rpartition(":")
    host = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)  # noqa: S104 - compared, not listened on
    connection = http.client.HTTPConnection(host.strip("[]"), int(port), timeout=seconds)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        failed = answer.read(_MOST_READ).decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return f"nothing answers at {where}: start it, or give its address in BOTLANE_OPS"
    finally:
        connection.close()
    if answer.status == http.HTTPStatus.OK:
        return ""
    return f"{where} answers {answer.status} {failed}: mend what it names; the program's log says more"
