"""A bot in safe mode and one in compatible mode, and a server of form pages on an origin of its own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.unit.dialog.bots import dialog, export, starter, text

SAFE = '[web_view]\nmode = "safe"\n'
_LINK = (
    "var token = botContext.getWebViewToken({variables: ['size', 'extras'], expiresIn: 600, once: %s});"
    "botContext.sendMessage('%s#webview=' + token);"
)
_READ = (
    "botContext.sendMessage('size ' + botContext.getWebViewVariable('size') + ', extras '"
    " + botContext.getWebViewVariable('extras') + ', admin ' + botContext.getWebViewVariable('admin'));"
)


def form_bot(bot_id: str, pages: str) -> dict[str, Any]:
    """Return an export that says the address of its form, with a token, and what the form sent."""
    made = export(
        dialog("Open", starter("form"), text("Say address", "BLANK_MESSAGE", pre=_LINK % ("false", f"{pages}/safe"))),
        dialog("Once", starter("once"), text("Say once", "BLANK_MESSAGE", pre=_LINK % ("true", f"{pages}/safe"))),
        dialog("Done", starter("form sent"), text("Sum up", "BLANK_MESSAGE", pre=_READ)),
    )
    made["bot"]["id"] = bot_id
    return made


_SAFE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Safe</title>
<form id="order">
  <label>Size <input name="size" required></label>
  <label><input type="checkbox" name="extras" value="bell"> Bell</label>
  <label><input type="checkbox" name="extras" value="lamp"> Lamp</label>
  <input type="hidden" name="admin" value="yes">
  <button>Send</button>
</form>
<script src="{gateway}/webview.js" data-form="#order" data-message="form sent"></script>
</html>"""
_OLD = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Old</title>
<form id="order"><label>Size <input name="size"></label><button>Send</button></form>
<p id="outcome"></p>
<script>
const query = new URLSearchParams(location.search);
const ids = {botId: query.get("b"), conversationId: query.get("c"), userId: query.get("u")};
document.getElementById("order").addEventListener("submit", async (event) => {
  event.preventDefault();
  const bytes = new TextEncoder().encode(ids.conversationId + " || " + ids.botId);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const hash = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const size = new FormData(event.target).get("size");
  const response = await fetch("{gateway}/thirdparty-services-0.1/webview", {
    method: "POST",
    headers: {Authorization: hash, "Content-Type": "application/json"},
    body: JSON.stringify({...ids, message: "form sent", contextVariables: [{name: "size", value: size}]}),
  });
  const answer = await response.json();
  document.getElementById("outcome").textContent =
    response.status === 200 ? "sent " + answer.receipt : response.status + ": " + answer.error.message;
});
</script></html>"""


@contextmanager
def form_pages(gateway: str) -> Iterator[str]:
    """Serve `/safe` and `/old` for forms that post to `gateway`; yields the address, an origin of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = {"/safe": _SAFE, "/old": _OLD, "/empty": "<!doctype html>"}.get(urlsplit(self.path).path, "")
            content = page.replace("{gateway}", gateway).encode()
            self.send_response(200 if page else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
