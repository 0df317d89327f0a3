"""Every way in which a server misbehaves, with what a call makes of it: the table that tests and proofs go through.

`answers` are given one after the other, the last one for ever; `{here}` and `{there}` in a header stand for the server
and another one. Back-off is next to nothing unless the manifest says otherwise.
"""

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Any, NamedTuple

from aiohttp import web

from shared.dialog.events import CallOutcome
from tests.services.integration_worker.calling import Waiting, responder
from tests.services.integration_worker.misbehaving import Server, bomb, cut, huge, late, nothing_packed, raw, reset

OK = (200, {"Content-Type": "application/json"}, b'{"ok":1}')
HEAD = b"HTTP/1.1 200 OK\r\n"
INTERIM = b"HTTP/1.1 102 Processing\r\n\r\n"
FAST = "attempt_timeout = 0.8\n"
PATIENT = "attempt_timeout = 1.5\n"  # a busy machine must be able to answer within it
SECRET = [{"key": "Authorization", "value": "Bearer canary"}, {"key": "X-Api-Key", "value": "canary"}]


class Case(NamedTuple):
    """A server that misbehaves: what it answers, and how the attempts and the call end."""

    name: str
    answers: list[Any]
    attempts: list[str]
    end: int | str
    method: str = "GET"
    manifest: str = ""
    budget: float = 20.0
    at_least: float = 0.0  # seconds from the first attempt to the last

    @property
    def takes_long(self) -> bool:
        """Whether it mostly waits."""
        return self.at_least > 0 or self in SLOW


def says(status: int, body: bytes = b"no", **headers: str) -> tuple[int, dict[str, str], bytes]:
    return (status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


async def hang(_: web.Request) -> web.Response:
    await asyncio.sleep(3600)
    return web.Response()


async def busy_until(request: web.Request) -> web.Response:
    """Ask for two seconds of patience by a date."""
    return web.Response(
        status=503,
        headers={"Date": formatdate(1_800_000_000, usegmt=True), "Retry-After": formatdate(1_800_000_001, usegmt=True)},
    )


def hops(count: int) -> list[Any]:
    return [*(says(302, Location=f"/{number}") for number in range(count)), OK]


SLOW = [
    Case("slow headers", [raw(HEAD, b"X-More: 1\r\n", then="go on", every=0.02), OK], ["timeout", "200"], 200, manifest=PATIENT),
    Case("slow headers of a POST", [raw(HEAD, b"X-More: 1\r\n", then="go on", every=0.02)], ["timeout"], "timeout", "POST", FAST),
    Case("slow body", [raw(HEAD + b"Content-Length: 9999\r\n\r\n", b"x", then="go on", every=0.02), OK], ["timeout", "200"], 200, manifest=PATIENT),
    Case("slow, but in time", [late(0.1)], ["200"], 200),
    Case("never, with an attempt's own limit", [hang], ["timeout"] * 4, "timeout", manifest=FAST),
    Case("never, within the budget", [hang], ["timeout"], "timeout", manifest="total_timeout = 0.8\n", budget=0.8),
    Case("never, with less budget than attempts", [hang], ["timeout"] * 3, "timeout", manifest="total_timeout = 2.0\n" + FAST, budget=2.0),
    Case("never, a POST that may be repeated", [hang, OK], ["timeout", "200"], 200, "POST", "repeat_unsafe = true\n" + PATIENT),
    Case("never, and time-outs are not repeated", [hang], ["timeout"], "timeout", manifest="retry_on = [500]\n" + FAST),
]  # fmt: skip
BROKEN = [
    Case("reset before the headers", [reset, OK], ["lost", "200"], 200),
    Case("reset for ever", [reset], ["lost"] * 4, "lost"),
    Case("reset of a POST", [reset, OK], ["lost"], "lost", "POST"),
    Case("as many interim answers as are waited for", [raw(INTERIM * 20 + HEAD + b"Content-Length: 2\r\n\r\n{}")], ["200"], 200, "POST"),
    Case("interim answers without end", [raw(INTERIM * 1000, then="go on"), OK], ["lost", "200"], 200),
    Case("reset in the headers", [raw(HEAD + b"Content-Le", then="abort"), OK], ["lost", "200"], 200),
    Case("reset in the body", [cut, OK], ["lost", "200"], 200),
    Case("closed in the body", [raw(HEAD + b"Content-Length: 1000\r\n\r\n" + b'{"half":'), OK], ["lost", "200"], 200),
    Case("closed in a chunk", [raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\nff\r\nab"), OK], ["lost", "200"], 200),
    Case("a chunk of no size", [raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\nab\r\n0\r\n\r\n"), OK], ["lost", "200"], 200),
    Case("not HTTP", [raw(b"220 mail.example ESMTP\r\n"), OK], ["lost", "200"], 200),
    Case("two lengths", [raw(HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"), OK], ["lost", "200"], 200),
    Case("an endless header", [raw(HEAD + b"X: " + b"x" * 70_000 + b"\r\n\r\n"), OK], ["lost", "200"], 200),
    Case("not gzip", [says(200, b"not gzip", Content_Encoding="gzip"), OK], ["lost", "200"], 200),
    Case("half a gzip", [says(200, gzip.compress(b"x" * 9999)[:20], Content_Encoding="gzip"), OK], ["lost", "200"], 200),
    Case("an encoding that nobody asked for", [says(200, b"x", Content_Encoding="br"), OK], ["lost", "200"], 200),
    Case("early hints first", [raw(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + HEAD + b"Content-Length: 2\r\n\r\n{}")], ["200"], 200),
    Case("more than it says", [raw(HEAD + b"Content-Length: 2\r\n\r\n{}HTTP/1.1 500 No\r\n\r\n")], ["200"], 200),
]  # fmt: skip
LARGE = [
    Case("larger than the limit", [huge, OK], ["too_large"], "too_large"),
    Case("says that it is larger", [raw(HEAD + b"Content-Length: 99999999999\r\n\r\n"), OK], ["too_large"], "too_large"),
    Case("a gzip bomb", [bomb("gzip"), OK], ["too_large"], "too_large"),
    Case("a deflate bomb", [bomb("deflate"), OK], ["too_large"], "too_large"),
    Case("a gzip that goes on with nothing", [nothing_packed, OK], ["too_large"], "too_large"),
    Case("half a character in UTF-7", [(200, {"Content-Type": "text/plain; charset=utf-7"}, b"+2AA-")], ["200"], 200),
    Case("larger than the integration's own limit", [says(200, b"x" * 11)], ["too_large"], "too_large", manifest="response_limit = 10\n"),
]  # fmt: skip
STATUSES = [
    Case("429 with seconds", [says(429, Retry_After="1"), OK], ["429", "200"], 200, at_least=1.0),
    Case("429 with a date", [says(429, Date=formatdate(1_800_000_000, usegmt=True), Retry_After=formatdate(1_800_000_001, usegmt=True)), OK], ["429", "200"], 200, "POST", at_least=1.0),
    Case("429 that asks for too much", [says(429, Retry_After="60"), OK], ["429"], 429),
    Case("429 without a word", [says(429), OK], ["429", "200"], 200, "POST"),
    Case("429 with nonsense", [says(429, Retry_After="soon"), OK], ["429", "200"], 200),
    Case("503 with seconds", [says(503, Retry_After="0"), OK], ["503", "200"], 200, "POST"),
    Case("503 with a date", [busy_until, OK], ["503", "200"], 200, "POST", at_least=1.0),
    Case("503 without a word", [says(503), OK], ["503", "200"], 200),
    Case("503 without a word, a POST", [says(503), OK], ["503"], 503, "POST"),
    Case("500 once", [says(500), OK], ["500", "200"], 200),
    Case("500 for ever", [says(500)], ["500"] * 4, 500),
    Case("500 of a POST", [says(500), OK], ["500"], 500, "POST"),
    Case("500 of a POST that may be repeated", [says(500), OK], ["500", "200"], 200, "POST", "repeat_unsafe = true\n"),
    Case("500 without retries", [says(500), OK], ["500"], 500, manifest="retries = 0\n"),
    Case("500 that is not repeated", [says(500), OK], ["500"], 500, manifest="retry_on = [429, 502, 503]\n"),
    Case("404 that is repeated", [says(404), OK], ["404", "200"], 200, manifest="retry_on = ['4xx', '5xx']\n"),
    Case("501", [says(501), OK], ["501"], 501),
    Case("901", [says(901), OK], ["901"], 901),
    Case("204", [says(204, b"")], ["204"], 204),
    Case("one after the other", [says(500), reset, says(429), OK], ["500", "lost", "429", "200"], 200),
]  # fmt: skip
REDIRECTED = [
    Case("5 redirects", hops(5), ["200"], 200),
    Case("6 redirects", hops(6), ["refused"], "refused"),
    Case("a loop", [says(307, Location="/again")], ["refused"], "refused"),
    Case("to another origin", [says(302, Location="{there}/x")], ["200"], 200),
    Case("to another origin and back", [says(307, Location="{there}/back"), OK], ["200"], 200),
    Case("a POST to another origin", [says(307, Location="{there}/x")], ["200"], 200, "POST"),
    Case("into the inside", [says(302, Location="http://10.0.0.1/")], ["refused"], "refused"),
    Case("to the metadata of the cloud", [says(302, Location="http://169.254.169.254/latest/meta-data")], ["refused"], "refused"),
    Case("to this machine, spelt otherwise", [says(302, Location="http://[::ffff:127.0.0.1]:{port}/")], ["refused"], "refused"),
    Case("to a file", [says(302, Location="file:///etc/passwd")], ["refused"], "refused"),
    Case("not followed", [says(302, Location="/x")], ["302"], 302, manifest="redirects = 0\n"),
    Case("a POST that is done, to a host that is away", [says(303, Location="{away}/result"), OK], ["unreachable"], "unreachable", "POST"),
    Case("a POST that is done, to one that is busy", [says(303, Location="/result"), says(429), OK], ["429"], 429, "POST"),
    Case("a POST that is not done, to one that is busy", [says(307, Location="/again"), says(429), OK], ["429", "200"], 200, "POST"),
    Case("a GET, to a host that is away", [says(303, Location="{away}/result"), OK], ["unreachable", "200"], 200),
    Case("nowhere", [says(302)], ["302"], 302),
]  # fmt: skip
CASES = [*SLOW, *BROKEN, *LARGE, *STATUSES, *REDIRECTED]


def filled(answer: Any, here: Server, there: Server) -> Any:
    """Put addresses into the headers of an answer."""
    if callable(answer):
        return answer
    status, headers, body = answer
    port = here.url.rpartition(":")[2]
    places = {"{here}": here.url, "{there}": there.url, "{port}": port, "{away}": "http://127.0.0.1:1"}
    filled_in = {}
    for name, value in headers.items():
        for place, text in places.items():
            value = value.replace(place, text)  # noqa: PLW2901 - one place after the other
        filled_in[name] = value
    return (status, filled_in, body)


async def play(case: Case, waiting: Waiting, here: Server, there: Server) -> tuple[CallOutcome, float]:
    """Make the call of a case; return its outcome and the seconds from the START of its job to its end."""
    here.answers = [filled(answer, here, there) for answer in case.answers]
    there.answers = [says(307, Location=here.url) if "back" in case.name else OK]
    await waiting.publish(responder("It", here.url, method=case.method, headers=SECRET), manifest=case.manifest)
    call_id = await waiting.call("It", budget_ms=round(case.budget * 1000))
    began = asyncio.get_running_loop().time()
    await waiting.make(call_id)
    took = asyncio.get_running_loop().time() - began
    outcome = await waiting.outcome(call_id)
    assert outcome is not None
    return outcome, took


Play = Callable[[Case], Awaitable[tuple[CallOutcome, float]]]
