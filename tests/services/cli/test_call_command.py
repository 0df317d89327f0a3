"""`botlane call` as it is typed, against a server on this machine."""

import json
import shlex
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import structlog

from services.cli.__main__ import main
from tests.services.cli.test_check_command import botlane
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


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as started:
        threading.Thread(target=started.serve_forever, args=(0.01,), daemon=True).start()
        yield started
        started.shutdown()


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    """Run the command in this process; gives exit code, output and errors."""

    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["call", *map(str, arguments)])
        said = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, said.out, said.err

    yield run
    structlog.reset_defaults()


def written(folder: Path, *integrations: Part, manifest: str = PRIVATE + QUICK) -> Path:
    made = dialog("Shop", starter("hi"), text("hello"))
    (folder / "shop.json").write_text(json.dumps(export(made, integrations=integrations)))
    (folder / "shop.botlane.toml").write_text(manifest)
    return folder / "shop.json"


def orders(url: str, **more: Any) -> Part:
    return integration("Orders", f"{url}/orders/{{$botContext.number}}", **more)


def test_it_shows_request_attempts_response_script_and_fields(server: Server, tmp_path: Path, call: Any) -> None:
    server.answers.insert(0, (503, b"{}"))
    bot = written(tmp_path, orders(server.url, script=SCRIPT, fields={"code": "api_Orders.items[i].code"}))
    code, out, err = call(bot, "orders", "--set", "number=7")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[:2] == ["Request", f"  GET {server.url}/orders/7"]
    assert [line.split()[-1] for line in lines if " ms  " in line] == ["503", "200"]
    assert "Response 200" in lines
    assert '        "code": "A"' in lines
    assert "  count (session) = 2" in lines
    assert '  log: "counted"' in lines
    assert '  Orders.code = ["A","B"]' in lines
    assert "  Orders.code.count = 2" in lines
    assert lines[-1] == "OK 200"
    assert [seen[1] for seen in server.seen] == ["/orders/7"] * 2


def test_the_json_form_has_all_of_it(server: Server, tmp_path: Path, call: Any) -> None:
    bot = written(tmp_path, orders(server.url, script=SCRIPT))
    code, out, _ = call(bot, "Orders", "--set", "number=7", "--json")
    told = json.loads(out)
    assert code == 0
    assert (told["succeeded"], told["status"], told["failure"]) == (True, 200, None)
    assert told["request"]["address"] == f"{server.url}/orders/7"
    assert told["request"]["headers"]["Idempotency-Key"] == server.seen[0][2]["idempotency-key"]
    assert [attempt["outcome"] for attempt in told["attempts"]] == ["200"]
    assert json.loads(told["response"]["body"]) == ORDER
    assert told["variables"] == {"count": 2}


def test_every_run_is_a_call_of_its_own(server: Server, tmp_path: Path, call: Any) -> None:
    bot = written(tmp_path, orders(server.url))
    for _ in range(2):
        assert call(bot, "Orders", "--set", "number=7")[0] == 0
    first, second = (seen[2]["idempotency-key"] for seen in server.seen)
    assert first != second


def test_a_failed_call_exits_1_and_says_why(server: Server, tmp_path: Path, call: Any) -> None:
    server.answers = [(404, b'{"error": "no such order"}')]
    code, out, _ = call(written(tmp_path, orders(server.url)), "Orders", "--set", "number=7")
    assert code == 1
    assert out.splitlines()[-1] == "FAILED 404 is no success for this integration (only 200, 201)."


def test_a_script_that_throws_exits_1_with_its_line(server: Server, tmp_path: Path, call: Any) -> None:
    bot = written(tmp_path, orders(server.url, script="\nnull.x;"))
    code, out, _ = call(bot, "Orders", "--set", "number=7")
    assert code == 1
    assert "  ! script-failed: Transform Result Script ended at line 2" in out
    assert out.splitlines()[-1] == "FAILED 200, but a script of the bot ended with an error."


def test_missing_values_are_named_with_how_to_set_them(tmp_path: Path, call: Any) -> None:
    url = "{$env.shopUrl}/{$botContext.number}/{Other.id}/{$.api_X.a}"
    code, out, err = call(written(tmp_path, integration("Orders", url)), "Orders")
    assert (code, out) == (2, "")
    named = [shlex.split(line)[1] for line in err.splitlines() if line.startswith("  --set")]
    assert named == ["env.shopUrl=…", "number=…", "Other.id=…", "$.api_X.a=…"]
    assert "[environment]" in err


def test_every_kind_of_placeholder_can_be_set(server: Server, tmp_path: Path, call: Any) -> None:
    url = "{$env.shopUrl}/{$botContext.number}/{Other.id}/{$.api_X.a}/{$userMessage}"
    bot = written(tmp_path, integration("Orders", url))
    given = [f"env.shopUrl={server.url}", "$botContext.number=1", "Other.id=2", "$.api_X.a=3", "userMessage=4 5"]
    code, _, _ = call(bot, "Orders", *(part for one in given for part in ("--set", one)))
    assert (code, server.seen[0][1]) == (0, "/1/2/3/4%205")


def test_a_value_may_be_empty_or_json(server: Server, tmp_path: Path, call: Any) -> None:
    body = '{"a": {$botContext.a}, "b": "{$botContext.b}"}'
    bot = written(tmp_path, integration("Orders", server.url, method="POST", postBody=body))
    assert call(bot, "Orders", "--set", 'a:=[1, {"x": true}]', "--set", "b=")[0] == 0
    assert json.loads(server.seen[0][3]) == {"a": [1, {"x": True}], "b": ""}


@pytest.mark.parametrize("setting", ["number", "=7", "a:={"])
def test_a_setting_that_cannot_be_read_is_refused(setting: str, tmp_path: Path, call: Any) -> None:
    code, _, err = call(written(tmp_path, orders("http://x.example")), "Orders", "--set", setting)
    assert (code, "--set" in err) == (2, True)


def test_an_unknown_integration_gets_the_list_with_the_nearest_first(tmp_path: Path, call: Any) -> None:
    bot = written(tmp_path, *(integration(name) for name in ("Weather", "Orders", "Stores")))
    code, _, err = call(bot, "Ordres")
    assert (code, err) == (2, "botlane: Test bot has no integration 'Ordres'. It has: Orders, Stores, Weather.\n")
    assert call(bot)[2] == "botlane: Say which integration of Test bot to call: Weather, Orders, Stores.\n"


def test_an_inner_address_is_refused_with_how_to_allow_it(server: Server, tmp_path: Path, call: Any) -> None:
    bot = written(tmp_path, orders(server.url), manifest="")
    code, out, err = call(bot, "Orders", "--set", "number=7")
    assert (code, server.seen) == (1, [])
    assert "FAILED refused" in out
    assert 'private = ["127.0.0.0/8"]' in err
    assert f"--rewrite-url {server.url}={server.url}" in err
    assert call(bot, "Orders", "--set", "number=7", "--rewrite-url", f"{server.url}={server.url}")[0] == 0


def test_a_host_that_is_not_listed_is_refused_with_how_to_list_it(tmp_path: Path, call: Any) -> None:
    manifest = '[egress]\nallow = ["api.example.com"]\n'
    code, _, err = call(
        written(tmp_path, orders("https://other.example"), manifest=manifest), "Orders", "--set", "number=7"
    )
    assert code == 1
    assert '[egress] allow = [..., "other.example"]' in err


def test_an_integration_that_is_no_api_is_said_to_be_none(tmp_path: Path, call: Any) -> None:
    bot = written(tmp_path, {**integration("Answers"), "integrationType": "KNOWLEDGE_BASE"}, manifest="")
    code, _, err = call(bot, "Answers")
    assert code == 1
    assert "integrations of type KNOWLEDGE_BASE cannot be called yet" in err


def test_secrets_of_the_export_are_masked_in_every_form(server: Server, tmp_path: Path, call: Any) -> None:
    headers = [{"key": "Authorization", "value": "Bearer cAnAry-header"}]
    params = [{"key": "api_key", "value": "cAnAry-param"}]
    bot = written(tmp_path, orders(server.url, headers=headers, params=params))
    said = [call(bot, "Orders", "--set", "number=7", *form) for form in ([], ["--json"], ["--curl"])]
    assert [code for code, _, _ in said] == [0, 0, 0]
    assert "cAnAry" not in str(said)
    assert server.seen[0][2]["authorization"] == "Bearer cAnAry-header"
    assert said[2][2] == "Set before you run it: ORDERS_AUTHORIZATION, ORDERS_API_KEY\n"


def test_sensitive_variables_are_masked_wherever_they_come_back(server: Server, tmp_path: Path, call: Any) -> None:
    card = "4111-1111"
    server.answers = [(200, json.dumps({"echo": f"charged {card}", "cardType": "gold"}).encode())]
    script = "botContext.setBotVariable('note', 'paid by ' + botContext.getBotVariable('cardNumber'), true, false);"
    body = '{"number": "{$botContext.cardNumber}"}'
    made = orders(server.url, method="POST", postBody=body, script=script, fields={"echo": "api_Orders.echo"})
    manifest = f'{PRIVATE}[privacy]\nsensitive = ["card*"]\n'
    bot = written(tmp_path, made, manifest=manifest)
    given = ["--set", "number=7", "--set", f"cardNumber={card}"]
    said = [call(bot, "Orders", *given, *form) for form in ([], ["--json"], ["--curl"])]
    assert [code for code, _, _ in said] == [0, 0, 0]
    assert card not in str(said)
    assert card in server.seen[0][3].decode()
    told = json.loads(said[1][1])
    assert told["request"]["body"] == '{"number": "•••"}'
    assert json.loads(told["response"]["body"])["echo"] == "charged •••"
    assert told["variables"] == {"note": "paid by •••"}
    assert told["fields"]["Orders.echo"] == "charged •••"
    assert '"${CARD_NUMBER}"' in said[2][1]


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_the_curl_command_makes_the_same_request(method: str, server: Server, tmp_path: Path, call: Any) -> None:
    body = '{"say": "{$botContext.say}", "token": "{$botContext.accessToken}"}'
    headers = [{"key": "X-Odd", "value": 'it\'s $HOME `id` "q" \\'}, {"key": "Authorization", "value": "Bearer tok'en"}]
    bot = written(tmp_path, orders(server.url, method=method, headers=headers, postBody=body))
    given = ["number=a b/c'", 'say=it\'s "$HOME"\n`id` ünï', "accessToken=s3'cret"]
    arguments = [bot, "Orders", *(part for one in given for part in ("--set", one))]
    assert call(*arguments)[0] == 0
    code, out, _ = call(*arguments, "--curl")
    assert code == 0
    assert len(server.seen) == 1
    secrets = {"ORDERS_AUTHORIZATION": "tok'en", "ACCESS_TOKEN": "s3'cret"}
    subprocess.run(["/bin/sh", "-c", f"{out.strip()} --silent --fail"], env=secrets, check=True, capture_output=True)
    (sent_method, path, seen, content), again = server.seen
    assert again[:2] == (sent_method, path) == (method, path)
    assert again[3] == content
    changing = {"idempotency-key", "accept-encoding", "connection"}
    assert {k: v for k, v in again[2].items() if k not in changing} == {
        k: v for k, v in seen.items() if k not in changing
    }


def test_a_credential_of_the_manifest_goes_along_and_is_a_name_for_curl(
    server: Server, tmp_path: Path, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = (
        '[credentials.shop]\ntype = "basic"\nusername = "ann"\npassword = { env = "SHOP_PASSWORD" }\n'
        f'[integrations.Orders]\ncredential = "shop"\n{PRIVATE}'
    )
    bot = written(tmp_path, orders(server.url), manifest=manifest)
    monkeypatch.setenv("SHOP_PASSWORD", "cAnAry'1")
    said = [call(bot, "Orders", "--set", "number=7", *form) for form in ([], ["--json"], ["--curl"])]
    assert [code for code, _, _ in said] == [0, 0, 0]
    assert "cAnAry" not in str(said)
    assert "  Authorization: Basic •••" in said[0][1].splitlines()
    assert said[2][2] == "Set before you run it: SHOP_PASSWORD\n"
    subprocess.run(["/bin/sh", "-c", f"{said[2][1].strip()} --silent --fail"], check=True, capture_output=True)
    assert len({seen[2]["authorization"] for seen in server.seen}) == 1
    monkeypatch.delenv("SHOP_PASSWORD")
    code, out, _ = call(bot, "Orders", "--set", "number=7")
    assert code == 1
    assert "SHOP_PASSWORD is not set" in out.splitlines()[-1]


def test_what_would_steer_a_terminal_is_shown_instead(server: Server, tmp_path: Path, call: Any) -> None:
    server.answers = [(200, b"\x1b[2J\x07evil\nline")]
    _, out, _ = call(written(tmp_path, orders(server.url)), "Orders", "--set", "number=7")
    assert "  \\x1b[2J\\x07evil\n  line" in out


def test_it_is_a_command_of_its_own_that_needs_no_server(server: Server, tmp_path: Path) -> None:
    ended = botlane("call", written(tmp_path, orders(server.url)), "Orders", "--set", "number=7")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.endswith("OK 200\n")
