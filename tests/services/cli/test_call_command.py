"""`botlane call` as it is typed, against a server on this machine."""

import json
import shlex
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.services.cli.calling import ORDER, SCRIPT, Server, orders, written
from tests.services.cli.typed import typed
from tests.services.integration_worker.mail_server import contexts
from tests.unit.dialog.bots import integration


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


def test_a_host_of_a_service_is_looked_up(
    server: Server, tmp_path: Path, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOTLANE_DOMAIN_API", server.url)
    server.answers = [(200, b'{"service": "msgHist", "baseURI": "history.example"}')]
    manifest = '[environment]\nhistory = { domain = "msgHist", account = "123" }\n'
    bot = written(tmp_path, integration("Orders", "https://{$env.history}/x"), manifest=manifest)
    code, out, _ = call(bot, "Orders", "--curl")
    assert (code, "https://history.example/x" in out) == (0, True)
    server.answers = [(500, b"")]
    code, _, err = call(bot, "Orders", "--curl")
    assert (code, "--set env.history=…" in err.replace("'", "")) == (2, True)


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


def test_a_mail_has_no_curl_command(tmp_path: Path, call: Any) -> None:
    parts = json.dumps({"to": "ann@example.com", "subject": "hi", "body": "hello"})
    mail = {**integration("Mail"), "integrationType": "EMAIL", "postBody": parts}
    manifest = '[email]\nsmtp = "smtp+plain://127.0.0.1:9"\nsender = "bot@example.com"\n'
    bot = written(tmp_path, mail, manifest=manifest)
    assert call(bot, "Mail", "--curl")[0] == 2
    code, out, _ = call(bot, "Mail")
    assert (code, "  To: ann@example.com" in out.splitlines()) == (1, True)


def test_what_would_steer_a_terminal_is_shown_instead(server: Server, tmp_path: Path, call: Any) -> None:
    server.answers = [(200, b"\x1b[2J\x07evil\nline")]
    _, out, _ = call(written(tmp_path, orders(server.url)), "Orders", "--set", "number=7")
    assert "  \\x1b[2J\\x07evil\n  line" in out


def test_it_is_a_command_of_its_own_that_needs_no_server(server: Server, tmp_path: Path) -> None:
    ended = typed("call", written(tmp_path, orders(server.url)), "Orders", "--set", "number=7")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.endswith("OK 200\n")


@pytest.mark.proof
def test_authorities_of_ones_own_are_trusted_that_the_environment_names(tmp_path: Path) -> None:
    with Server() as server:
        server.socket = contexts(tmp_path)[0].wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        bot = written(tmp_path, orders(server.url.replace("http:", "https:")))
        command = [sys.executable, "-m", "services.cli", "call", str(bot), "Orders", "--set", "number=7"]
        said = [
            subprocess.run(command, env=trusted, capture_output=True, text=True, check=False).stdout
            for trusted in ({}, {"SSL_CERT_FILE": str(tmp_path / "mail.pem")})
        ]
        server.shutdown()
    assert "no trusted TLS connection could be made" in said[0]
    assert said[1].endswith("OK 200\n")
