"""The store in memory keeps what Redis keeps, and as long."""

from services.tester.memory import DAY_MS, Memory
from shared.dialog.effects import ContextWrite, Reply
from shared.dialog.events import ConsumerMessage, Event, WebViewCall
from shared.dialog.session import Conversation, Session

HOUR = 3_600_000


def memory(**forever: str) -> Memory:
    return Memory(Conversation(id="0-1", bot_id="b", user_id="u"), HOUR, dict(forever))


def accepted(store: Memory, event: ConsumerMessage | WebViewCall) -> Event:
    store.accept(event)
    found = store.next()
    assert found is not None
    return found


def test_events_are_handed_out_in_the_order_in_which_they_came() -> None:
    store = memory()
    store.accept(ConsumerMessage("a"))
    store.accept(WebViewCall({"x": "1"}))
    store.accept(ConsumerMessage("b"))
    kinds = [store.next(), store.next(), store.next(), store.next()]
    assert [type(one).__name__ for one in kinds] == ["ConsumerMessage", "WebViewCall", "ConsumerMessage", "NoneType"]


def test_the_first_event_and_one_after_the_session_begin_a_new_one() -> None:
    store = memory()
    assert accepted(store, ConsumerMessage("a")).new_session
    assert not accepted(store, ConsumerMessage("b")).new_session
    store.advance(HOUR - 2000)
    assert not accepted(store, ConsumerMessage("c")).new_session
    store.advance(HOUR)
    assert accepted(store, ConsumerMessage("d")).new_session


def test_a_forms_message_is_late_a_day_after_the_consumers_last_one() -> None:
    store = memory()
    accepted(store, ConsumerMessage("a"))
    store.advance(DAY_MS - 2000)
    assert accepted(store, WebViewCall({}, "hello")) == WebViewCall(
        {}, "hello", sequence=2, at=store.now, new_session=True
    )
    store.advance(2000)
    late = accepted(store, WebViewCall({}, "hello"))
    assert isinstance(late, WebViewCall)
    assert late.late


def test_what_is_kept_forever_is_kept_180_days() -> None:
    store = memory(known="yes")
    store.advance(180 * DAY_MS - 1)
    assert store.forever() == {"known": "yes"}
    store.advance(1)
    assert store.forever() == {}


def test_context_data_expires_by_its_own_time_and_is_deleted_by_name_or_namespace() -> None:
    store = memory()
    writes = [
        ContextWrite("user", "shop", "short", '"a"', 1000),
        ContextWrite("user", "shop", "long", "[1]"),
        ContextWrite("user", "shop", "gone", "1"),
        ContextWrite("user", "shop", "gone", None),
        ContextWrite("global", "shop", "all", "1"),
        ContextWrite("global", "shop", None, None),
    ]
    store.commit(Session(version="v"), [*writes])
    assert store.context("user|shop") == {"short": "a", "long": [1]}
    assert store.context("global|shop") == {}
    store.advance(1000)
    assert store.context("user|shop") == {"long": [1]}


def test_after_seven_idle_days_the_consumer_begins_another_conversation() -> None:
    store = memory()
    accepted(store, ConsumerMessage("a"))
    writes = [ContextWrite("conversation", "n", "x", "1"), ContextWrite("user", "n", "x", "1")]
    store.commit(Session(version="v"), [Reply(text="hello", asks=True), *writes])
    assert store.conversation.asked == 2
    store.advance(8 * DAY_MS)
    assert (store.session, store.turn, store.conversation.asked) == (None, 0, 0)
    assert store.conversation.id != "0-1"
    assert store.context("conversation|n") == {}
    assert store.context("user|n") == {"x": 1}
