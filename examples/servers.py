"""Starts the two small servers of the examples: the booking form and the order API.

python examples/servers.py --form-port 8081 --api-port 8082 --gateway http://127.0.0.1:8080
"""

import argparse
import asyncio
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from aiohttp import web

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class DemoServers:
    """The running servers; a port given as 0 is a free one here."""

    form_port: int
    api_port: int
    runners: tuple[web.AppRunner, ...]

    async def close(self) -> None:
        """Stop both."""
        await asyncio.gather(*(runner.cleanup() for runner in self.runners))


async def start_demo_servers(host: str, form_port: int, api_port: int, gateway_url: str) -> DemoServers:
    """Serve form and API on `host`. `gateway_url` is where the form posts to. Raises OSError when a port is taken."""
    form = _load("web-view/form.py").build_app(gateway_url)
    api = _load("order-status/api.py").build_app()
    started: list[tuple[web.AppRunner, int]] = []
    try:
        for app, port in ((form, form_port), (api, api_port)):
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
            await runner.setup()
            started.append((runner, 0))
            await web.TCPSite(runner, host, port).start()
            started[-1] = (runner, int(runner.addresses[0][1]))
    except OSError:
        await asyncio.gather(*(runner.cleanup() for runner, _ in started))
        raise
    (form_runner, form_at), (api_runner, api_at) = started
    return DemoServers(form_at, api_at, (form_runner, api_runner))


def _load(path: str) -> ModuleType:
    """Import a file of an example; the folders are named like their bots, which is no name for a package."""
    name = f"example_{Path(path).stem}"
    spec = importlib.util.spec_from_file_location(name, FOLDER / path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def _serve(arguments: argparse.Namespace) -> None:
    servers = await start_demo_servers(arguments.host, arguments.form_port, arguments.api_port, arguments.gateway)
    sys.stdout.write(f"Booking form at http://{arguments.host}:{servers.form_port}\n")
    sys.stdout.write(f"Order API at http://{arguments.host}:{servers.api_port}\n")
    sys.stdout.flush()
    try:
        await asyncio.Event().wait()
    finally:
        await servers.close()


def main() -> int:
    """Run until interrupted. Exit codes: 1 when a port is taken, 130 when interrupted."""
    parser = argparse.ArgumentParser(description="The servers of the examples.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--form-port", type=int, default=8081)
    parser.add_argument("--api-port", type=int, default=8082)
    parser.add_argument("--gateway", default="http://127.0.0.1:8080", help="where browsers reach the gateway")
    try:
        asyncio.run(_serve(parser.parse_args()))
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        remedy = "Stop what uses the port, or choose others (--form-port, --api-port; see the *.botlane.toml)."
        sys.stderr.write(f"The servers of the examples cannot start: {error.strerror}. {remedy}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
