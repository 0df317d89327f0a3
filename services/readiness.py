"""Whether a program is ready, asked at its operations address: for `--check`, and for `run` while programs start."""

import http.client


def is_ready(ops: str, seconds: float = 3.0) -> bool:
    """Whether `GET /readyz` at `host:port` answers 200."""
    host, _, port = ops.rpartition(":")
    host = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)  # noqa: S104 - compared, not listened on
    connection = http.client.HTTPConnection(host.strip("[]"), int(port), timeout=seconds)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
