from structlog.testing import capture_logs

from shared.store.outage import Outage


def test_an_outage_is_told_once_when_it_begins_and_once_when_it_ends() -> None:
    outage = Outage()
    with capture_logs() as lines:
        outage.back()
        for _ in range(5):
            outage.away(ConnectionError("redis://:password@host"))
        outage.back()
        outage.back()
        outage.away(TimeoutError())
    told = [line["event"] for line in lines]
    assert told == ["Redis is away: it is waited for", "Redis is back", "Redis is away: it is waited for"]
    assert "password" not in str(lines)
