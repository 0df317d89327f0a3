"""A server to call and bots that call it, for the tests of `botlane call`."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.unit.dialog.bots import Part, dialog, export, integration, starter, text

PRIVATE = '[egress]\nprivate = ["127.0.0.0/8"]\n'
QUICK = "[integrations.Orders]\nbackoff = 0.001\nbackoff_max = 0.002\n"
ORDER = {"number": "7", "items": [{"code": "A"}, {"code": "B"}]}
SCRIPT = """
var order = JSON.parse(botContext.getBotVariable('api_Orders').jsonData).api_Orders;
botContext.setBotVariable('count', order.items.length, true, false);
botContext.printDebugMessage('counted');
"""


class Server(ThreadingHTTPServer):
    """Answers `answers` one after the other, the last one again and again, and remembers what it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[tuple[int, bytes]] = [(200, json.dumps(ORDER).encode())]
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.seen.append((self.command, self.path, headers, body))
        status, content = self.server.answers[0]
        self.server.answers = self.server.answers[1:] or self.server.answers
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Auth-Token", "cAnAry-response")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = _answer  # noqa: N815 (named by the library)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def written(folder: Path, *integrations: Part, manifest: str = PRIVATE + QUICK) -> Path:
    made = dialog("Shop", starter("hi"), text("hello"))
    (folder / "shop.json").write_text(json.dumps(export(made, integrations=integrations)))
    (folder / "shop.botlane.toml").write_text(manifest)
    return folder / "shop.json"


def orders(url: str, **more: Any) -> Part:
    return integration("Orders", f"{url}/orders/{{$botContext.number}}", **more)
