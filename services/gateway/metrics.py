"""The numbers of a gateway, served at its operations port. Labels come from the code, never from a caller."""

from functools import cache

from prometheus_client import Counter, Gauge

from services.histogram import LoopHistogram

ACCEPTED = Counter("botlane_gateway_accepted", "Messages and Web View calls stored, by kind", ["kind"])
DUPLICATES = Counter("botlane_gateway_duplicates", "Those that had been stored before, by kind", ["kind"])
CONVERSATIONS = Counter("botlane_gateway_conversations", "Conversations created")
REFUSED = Counter("botlane_gateway_refused", "Requests and frames refused, by the code of the error", ["reason"])
REQUESTS = Counter(
    "botlane_gateway_requests", "Requests answered; a stream when it ends", ["method", "route", "status"]
)
REQUEST_SECONDS = LoopHistogram(
    "botlane_gateway_request_seconds",
    "Time to answer, without streams and reads that wait",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
STREAMS = Gauge("botlane_gateway_streams", "WebSockets open now")
POLLS = Gauge("botlane_gateway_polls", "Reads that wait for a reply now")

_accepted = {kind: (ACCEPTED.labels(kind), DUPLICATES.labels(kind)) for kind in ("message", "web_view")}


def accepted(kind: str, *, duplicate: bool) -> None:
    """Count a `message` or `web_view` that was stored, now or before."""
    _accepted[kind][duplicate].inc()


@cache  # as many as there are codes
def refused(reason: str) -> Counter:
    """Return the counter of one error code."""
    return REFUSED.labels(reason)


@cache  # as many as there are routes, methods and statuses
def requests(method: str, route: str, status: int) -> Counter:
    """Return the counter of one kind of answer."""
    return REQUESTS.labels(method, route, str(status))


@cache  # as many as there are routes
def request_seconds(route: str) -> LoopHistogram:
    """Return the histogram of one route."""
    return REQUEST_SECONDS.labels(route)
