"""What `botlane call` shows of secrets and sensitive values: their places and names, in every form."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.services.cli.calling import PRIVATE, Server, orders, written


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


def test_variables_called_like_secrets_are_masked_whoever_set_them(server: Server, tmp_path: Path, call: Any) -> None:
    answer = {"token": "cAnAry-field", "word": "cAnAry-issued", "said": "you are cAnAry-given", "n": 1}
    server.answers = [(200, json.dumps(answer).encode())]
    script = """
    var order = JSON.parse(botContext.getBotVariable('api_Orders').jsonData).api_Orders;
    botContext.setBotVariable('sessionToken', order.word, true, false);
    botContext.setBotVariable('sessionToken', 'cAnAry-later', true, false);
    botContext.setBotVariable('note', 'use ' + order.word + ' and ' + botContext.getEnvVariable('shopSecret'), true, false);
    botContext.printDebugMessage('token ' + order.word);
    throw new Error('no good: ' + order.word);
    """
    fields = {"token": "api_Orders.token", "said": "api_Orders.said", "n": "api_Orders.n"}
    made = orders(server.url, script=script, fields=fields, headers=[{"key": "X-A", "value": "{$botContext.apiKey}"}])
    bot = written(tmp_path, made, manifest=f'{PRIVATE}[environment]\nshopSecret = "cAnAry-environment"\n')
    given = ["--set", "number=7", "--set", "apiKey=cAnAry-given"]
    said = [call(bot, "Orders", *given, *form) for form in ([], ["--json"], ["--curl"])]
    assert [code for code, _, _ in said] == [1, 1, 0]
    assert "cAnAry" not in str(said)
    assert server.seen[0][2]["x-a"] == "cAnAry-given"
    told = json.loads(said[1][1])
    assert told["variables"] == {"sessionToken": "•••", "note": "use ••• and •••"}
    assert told["fields"] == {"Orders.token": "•••", "Orders.said": "you are •••", "Orders.n": 1} | {
        name: value for name, value in told["fields"].items() if name.endswith(".count")
    }


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
    assert "--location" not in said[2][1]  # curl would take it along to another host
    subprocess.run(["/bin/sh", "-c", f"{said[2][1].strip()} --silent --fail"], check=True, capture_output=True)
    assert len({seen[2]["authorization"] for seen in server.seen}) == 1
    monkeypatch.delenv("SHOP_PASSWORD")
    code, out, _ = call(bot, "Orders", "--set", "number=7")
    assert code == 1
    assert "SHOP_PASSWORD is not set" in out.splitlines()[-1]
