"""Where the gateway of `botlane run` listens: free ports, ports in use, and the address to open."""

import contextlib
import errno
import ipaddress
import secrets
import socket

from services.cli.failure import CommandFailed
from services.settings import Settings

FIRST_PORT, PORTS = 15_000, 15_000
"""Below the range from which Linux takes ports for outgoing connections and for listeners on port 0."""
TRIES = 50


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def free_port(host: str) -> int:
    """Return a port of `host` that nobody uses now, and that the system gives to nobody who asks for any port."""
    for _ in range(TRIES):
        port = FIRST_PORT + secrets.randbelow(PORTS)
        with contextlib.suppress(OSError), _listener(host, port):
            return port
    with _listener(host, 0) as listener:
        return int(listener.getsockname()[1])


def refuse_used_port(host: str, port: int) -> None:
    """Raise CommandFailed, naming the remedy, when one cannot listen there."""
    try:
        _listener(host, port).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            message = f"Port {port} of {host} is in use: stop the program that uses it, or choose another with --port."
        elif error.errno == errno.EACCES:
            message = f"Port {port} of {host} may not be used by you: choose one above 1023 with --port."
        else:
            message = f"{host} is no address of this machine ({error.strerror}): choose another with --host."
        raise CommandFailed(message) from error
    except UnicodeError as error:
        raise CommandFailed(f"{host[:60]}… is no name of a host: choose another with --host.") from error


def address(settings: Settings) -> str:
    """Return the address a person on this machine opens."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - compared only
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def _listener(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where)
        listener.listen(1)
    except BaseException:
        listener.close()
        raise
    return listener
