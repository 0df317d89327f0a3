"""What is sent: integration and values in, one request out."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bot.integration import Integration
from shared.bot.templates import compile_template
from shared.integration.filling import InvalidRequest, whole_characters
from shared.integration.request import Request, render_request
from shared.integration.url import without_query

JSON = "application/json;charset=UTF-8"
Values = Mapping[str, Any]


def integration(
    url: str = "https://api.example.com/x",
    *,
    method: str = "GET",
    params: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    body: str | None = None,
    default_headers: bool = False,
) -> Integration:
    def pairs(given: dict[str, str] | None) -> Any:
        return tuple((compile_template(name), compile_template(value)) for name, value in (given or {}).items())

    return Integration(
        id="i",
        name="Orders",
        kind="API",
        variable="Orders",
        method=method,
        url=compile_template(url),
        params=pairs(params),
        headers=pairs(headers),
        body=None if body is None else compile_template(body),
        default_headers=default_headers,
    )


def url_of(url: str, values: Values, params: dict[str, str] | None = None) -> str:
    return render_request(integration(url, params=params), values).url


def body_of(body: str, values: Values, headers: dict[str, str] | None = None) -> str:
    request = render_request(integration(method="POST", body=body, headers=headers), values)
    assert request.body is not None
    return request.body.decode()


def reason(**parts: Any) -> str:
    values = parts.pop("values")
    with pytest.raises(InvalidRequest) as caught:
        render_request(integration(**parts), values)
    return str(caught.value)


@pytest.mark.parametrize(
    ("template", "values", "url"),
    [
        ("https://a.example/o/{$botContext.n}", {"$botContext.n": 7}, "https://a.example/o/7"),
        ("https://a.example/o/{$botContext.n}/x", {}, "https://a.example/o//x"),
        ("https://a.example/{$botContext.n}", {"$botContext.n": "a/b?c=d#e&f"}, "https://a.example/a%2Fb%3Fc%3Dd%23e%26f"),
        ("https://a.example?q={$userMessage}&z=1", {"$userMessage": "ä b+&z=2"}, "https://a.example/?q=%C3%A4%20b%2B%26z%3D2&z=1"),
        ("{$env.store}/orders", {"$env.store": "https://s.example/v1"}, "https://s.example/v1/orders"),
        ("{$botContext.url}", {"$botContext.url": "https://s.example/a b?q=%C3%A4&x=ü#part"}, "https://s.example/a%20b?q=%C3%A4&x=%C3%BC"),
        ("https://{$env.host}/x", {"$env.host": "s.example:8443"}, "https://s.example:8443/x"),
        ("https://{$botContext.tenant}.example.com/x", {"$botContext.tenant": "acme"}, "https://acme.example.com/x"),
        ("https://s.example{$botContext.path}", {"$botContext.path": "/a/b c"}, "https://s.example/a/b%20c"),
        ("https://s.example{$botContext.path}/x", {}, "https://s.example/x"),
        ("https://s.example:{$botContext.port}/x", {"$botContext.port": 8443}, "https://s.example:8443/x"),
        ("https://api-{$botContext.v}{$botContext.w}.s.example", {"$botContext.v": "eu", "$botContext.w": 1}, "https://api-eu1.s.example/"),
        ("HTTPS://S.Example:443/X", {}, "https://s.example/X"),
        ("https://bücher.example/", {}, "https://xn--bcher-kva.example/"),
        ("https://a.example/100%/%41", {}, "https://a.example/100%25/%41"),
        (" https://a.example/x ", {}, "https://a.example/x"),
        ("https://user:se%20cret@a.example/x", {}, "https://a.example/x"),
        ("https://a.example/\udc80{$botContext.x}", {"$botContext.x": "\udc80"}, "https://a.example/%EF%BF%BD%EF%BF%BD"),
    ],
)  # fmt: skip
def test_an_address_takes_values_where_they_belong(template: str, values: Values, url: str) -> None:
    assert url_of(template, values) == url


def test_query_parameters_are_appended_and_encoded() -> None:
    params = {"store": "{$botContext.s}", "{$botContext.key}": "1", "unset": "{$botContext.none}", "": "nameless"}
    values = {"$botContext.s": "a&b=c", "$botContext.key": "k ä"}
    assert url_of("https://a.example/x", values, params) == "https://a.example/x?store=a%26b%3Dc&k%20%C3%A4=1&unset="
    assert url_of("https://a.example/x?y=1", values, params).startswith("https://a.example/x?y=1&store=")


@given(st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"])))
def test_no_value_leaves_its_place_in_the_address(value: str) -> None:
    template = "https://api.example.com/o/x{$botContext.v}/end?a={$botContext.v}&b=1"
    parts = urlsplit(url_of(template, {"$botContext.v": value}, {"c": "{$botContext.v}"}))
    assert (parts.scheme, parts.netloc, parts.fragment) == ("https", "api.example.com", "")
    assert parts.path.count("/") == 3
    assert parts.path.endswith("/end")
    query = parse_qsl(parts.query, keep_blank_values=True)
    assert query == [("a", value), ("b", "1"), ("c", value)]


@given(
    st.text(st.characters(codec="ascii"), max_size=12) | st.text(max_size=4),
    st.sampled_from(["https://api.example.com{v}/x", "https://api-{v}.example.com/x", "https://api.example.com:{v}/x"]),
)
def test_no_value_changes_the_host(value: str, template: str) -> None:
    made = integration(template.replace("{v}", "{$botContext.v}"), headers={"X-A": "{$botContext.v}"})
    try:
        request = render_request(made, {"$botContext.v": value})
    except InvalidRequest:
        return
    parts = urlsplit(request.url)
    assert parts.hostname is not None
    assert parts.hostname.endswith(".example.com")
    assert parts.hostname.count(".") == 2
    assert parts.username is None
    assert request.headers == {"X-A": value.strip()}


@given(st.text(max_size=20))
def test_no_value_adds_a_header(value: str) -> None:
    made = integration(headers={"X-A": "a{$botContext.v}", "X-B": "{$botContext.v}", "X-C": "c"}, default_headers=True)
    try:
        request = render_request(made, {"$botContext.v": value})
    except InvalidRequest:
        return
    assert list(request.headers) == ["X-A", "X-B", "X-C", "Accept", "Content-Type"]
    assert not re.search(r"[\x00-\x1f\x7f]", "".join(request.headers.values()))


@pytest.mark.parametrize(
    ("url", "value"),
    [
        ("https://api.{$botContext.v}/x", "evil.example"),
        ("https://api.example.com{$botContext.v}/x", ".evil.example"),
        ("https://api.example.com{$botContext.v}/x", "@evil.example"),
        ("https://api.example.com{$botContext.v}/x", ":80@evil.example"),
        ("https://api.example.com{$botContext.v}/x", "munity"),
        ("https://api.example.com{$botContext.v}", "munity"),
        ("https://api.example.com{$botContext.v}?x", "munity"),
        ("https://api.example.{$botContext.v}/x.y", "net"),
        ("https://api{$botContext.v}.example.com/x", "/y"),
        ("https://api.example.com:{$botContext.v}/x", "80@evil"),
        ("https://api.example.com:{$botContext.v}/x", "http"),
        ("https://{$botContext.v}.example.com/x", "evil.example/"),
        ("https://{$botContext.v}.example.com/x", "evil.example#"),
        ("https://{$botContext.v}.example.com/x", "evil.example\\"),
        ("https://{$botContext.v}.example.com/x", "evil.example:80"),
        ("http{$botContext.v}://api.example.com/x", "://evil.example/?"),
        ("https://api.example.com/a/{$botContext.v}/b", ".."),
        ("https://api.example.com/a/{$botContext.v}", "."),
        ("https://api.example.com{$botContext.v}", "/../b"),
        ("https://api.example.com/a/{$botContext.v}", "a\nb"),
        ("https://api.example.com/a?b={$botContext.v}", "a\r\nX: y"),
        ("{$botContext.v}", "ftp://a.example/x"),
        ("{$botContext.v}", "javascript:alert(1)"),
        ("{$botContext.v}", "/etc/passwd"),
        ("{$botContext.v}", "https://"),
        ("{$botContext.v}", "https://a.example:99999/"),
        ("{$botContext.v}", "https://a b/"),
        ("{$botContext.v}", "https://[::1/"),
        ("{$botContext.v}", "https://[x::1]/"),
        ("{$botContext.v}", "https://[a]@@/"),
        ("{$botContext.v}", "https://a.example\\@b.example/\x07"),
        ("{$botContext.v}", "https://a.example/" + "x" * 20_000),
        ("{$botContext.v}", ""),
    ],
)
def test_a_value_that_would_change_where_the_call_goes_is_refused(url: str, value: str) -> None:
    why = reason(url=url, values={"$botContext.v": value})
    assert len(value) < 3 or value not in why


def test_an_environment_variable_may_finish_a_host() -> None:
    assert url_of("https://api.{$env.domain}/x", {"$env.domain": "example.com:444"}) == "https://api.example.com:444/x"


def test_default_headers_win_over_the_authors() -> None:
    made = render_request(
        integration(headers={"accept": "text/plain", "X-Key": "{$botContext.k}"}, default_headers=True),
        {"$botContext.k": " s3 "},
    )
    assert made.headers == {"Accept": JSON, "Content-Type": JSON, "X-Key": "s3"}


def test_default_headers_can_be_switched_off_by_the_bot() -> None:
    values = {"$botContext.__standardHeaders__": "off"}
    made = render_request(integration(headers={"Accept": "text/plain"}, default_headers=True), values)
    assert made.headers == {"Accept": "text/plain"}


def test_headers_that_frame_the_message_are_the_clients_business() -> None:
    made = render_request(
        integration(headers={"Content-Length": "1", "Host": "h", "Transfer-Encoding": "chunked", "": "x", "X": ""}), {}
    )
    assert made.headers == {"X": ""}


def test_credentials_in_the_address_become_a_header() -> None:
    made = render_request(integration("https://user:pa%20ss@a.example/"), {})
    assert (made.url, made.headers) == ("https://a.example/", {"Authorization": "Basic dXNlcjpwYSBzcw=="})


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\x00b", "a\x0bb"])
def test_a_value_cannot_add_a_header(value: str) -> None:
    why = reason(headers={"X-Name": "{$botContext.v}"}, values={"$botContext.v": value})
    assert "X-Name" in why
    assert reason(headers={"X{$botContext.v}": "1"}, values={"$botContext.v": value})


def test_a_header_name_must_be_one() -> None:
    assert "name of a header" in reason(headers={"a b": "1"}, values={})


@pytest.mark.parametrize(
    ("template", "value", "body"),
    [
        ('{"t": "{$botContext.v}"}', 'a "b"\n\t\\ \u2028 ä 😀 \x01', {"t": 'a "b"\n\t\\ \u2028 ä 😀 \x01'}),
        ('{"t": "x{$botContext.v}y"}', 1.5, {"t": "x1.5y"}),
        ('{"t": "{$botContext.v}"}', None, {"t": ""}),
        ('{"t": "{$botContext.v}"}', {"a": "b"}, {"t": '{"a":"b"}'}),
        ('{"t": "{$botContext.v}"}', '","admin":"1', {"t": '","admin":"1'}),
        ('{"n": {$botContext.v}}', 7, {"n": 7}),
        ('{"n": {$botContext.v}}', "7", {"n": 7}),
        ('{"n": {$botContext.v}}', True, {"n": True}),
        ('{"n": {$botContext.v}}', [1, {"a": None}], {"n": [1, {"a": None}]}),
        ('{"n": {$botContext.v}}', '{"a": [1]}', {"n": {"a": [1]}}),
        ('{"n": {$botContext.v}}', "Bob", {"n": "Bob"}),
        ('{"n": {$botContext.v}}', '1, "admin": true', {"n": '1, "admin": true'}),
        ('{"n": {$botContext.v}}', "a\nb", {"n": "a\nb"}),
        ("[{$botContext.v}]", None, []),
        (' \n ["\\"{$botContext.v}"]', 'a"', ['"a"']),
        ('{"\\\\": "{$botContext.v}"}', '"', {"\\": '"'}),
        ('"{$botContext.v}"', "a\nb", "a\nb"),
        ("{$botContext.v}", '{"a":\n1}', {"a": 1}),
        ("{$botContext.v}", {"a": 1}, {"a": 1}),
        (" {$botContext.v}\n", 12, 12),
    ],
)
def test_a_json_body_takes_values_as_json(template: str, value: Any, body: Any) -> None:
    assert json.loads(body_of(template, {"$botContext.v": value})) == body


@given(st.text())
def test_any_text_arrives_in_a_json_string_as_it_is(value: str) -> None:
    sent = whole_characters(value)
    assert json.loads(
        body_of(
            '{"a": "{$botContext.v}", "b": {$botContext.w}}', {"$botContext.v": value, "$botContext.w": f"_{value}"}
        )
    ) == {"a": sent, "b": f"_{sent}"}


@pytest.mark.parametrize(
    ("template", "values", "body"),
    [
        ("a={$botContext.v}", {"$botContext.v": "x&y=1"}, "a=x&y=1"),
        ("{$botContext.v}", {"$botContext.v": "plain ä"}, "plain ä"),
        ("{$botContext.v}", {}, ""),
        ('{"a":1{$botContext.v}}', {"$botContext.v": ',"b":2'}, '{"a":1,"b":2}'),
        ("{{$botContext.v}}", {"$botContext.v": '"a":1'}, '{"a":1}'),
        ('{"a":{$botContext.v}}', {}, '{"a":}'),
        ("<a>{$botContext.v}</a>\n", {"$botContext.v": "b"}, "<a>b</a>\n"),
    ],
)  # fmt: skip
def test_other_bodies_take_values_as_they_are(template: str, values: Values, body: str) -> None:
    assert body_of(template, values) == body


def test_a_form_body_encodes_its_values() -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    assert body_of("a={$botContext.v}&b=1", {"$botContext.v": "x&b=2 ä"}, headers) == "a=x%26b%3D2%20%C3%A4&b=1"


@pytest.mark.parametrize(
    "template", ["a={$botContext.v}", "{$botContext.v}", '{"a":1{$botContext.v}}', "<a>{$botContext.v}</a>"]
)
def test_a_line_break_in_a_body_that_is_not_json_fails_with_a_clear_reason(template: str) -> None:
    why = reason(method="POST", body=template, values={"$botContext.v": "secret\nsecond"})
    assert "line break" in why
    assert "$botContext.v" in why
    assert "secret" not in why


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_address_headers_parameters_and_body_take_values_with_every_method(method: str) -> None:
    made = integration(
        "https://api.example.com/{$botContext.v}",
        method=method,
        params={"q{$botContext.v}": "{$botContext.v}"},
        headers={"X-{$botContext.v}": "{$botContext.v}"},
        body='{"v": "{$botContext.v}"}',
    )
    sent = render_request(made, {"$botContext.v": "7"})
    assert (sent.method, sent.url, sent.header("x-7")) == (method, "https://api.example.com/7?q7=7", "7")
    assert sent.body == (None if method == "GET" else b'{"v": "7"}')


@pytest.mark.parametrize("method", ["GET", "head"])
def test_get_and_head_carry_no_body(method: str) -> None:
    assert render_request(integration(method=method, body="{}"), {}) == Request(
        method.upper(), "https://api.example.com/x"
    )


def test_a_body_that_repeats_a_large_value_too_often_is_refused() -> None:
    body = '{"a": "' + "{$botContext.v}" * 30 + '"}'
    assert "larger than" in reason(method="POST", body=body, values={"$botContext.v": "x" * 100_000})
    once = integration(method="POST", body='{"a": "{$botContext.v}"}')
    assert render_request(once, {"$botContext.v": "x" * 1_000_000}).body is not None


def test_an_unknown_method_is_refused() -> None:
    assert "method" in reason(method="BREW", values={})


def test_the_address_for_people_has_neither_query_nor_credentials() -> None:
    assert without_query("https://user:pw@a.example:8443/x/y?token=1") == "https://a.example:8443/x/y"
    assert without_query("https://a.example?user@token=1") == "https://a.example"
