"""Data outside conversations: stamped writes, applied in any order and any number of times."""

import itertools

import msgspec
import pytest

from shared.dialog.effects import ContextWrite
from shared.store import keys
from shared.store.context import DAY_MS, TOMBSTONE_MS, Context, encode_write
from tests.store.conftest import Raw, assert_all_expire

TALK = "0-00000000000000000000000000000001"


@pytest.fixture
def context(redis: Raw) -> Context:
    return Context(redis)


async def now_ms(redis: Raw) -> int:
    seconds, micros = await redis.time()
    return int(seconds * 1000 + micros // 1000)


def stamped(time: int, turn: int, write: ContextWrite, *, talk: str = TALK, index: int = 1) -> bytes:
    return b"|".join(
        [
            str(time).encode(),
            talk.encode(),
            str(turn).encode(),
            str(index).encode(),
            encode_write(write, user_id="u", bot_id="b"),
        ]
    )


def put(value: object, name: str = "n", scope: str = "user", ttl_ms: int = 0) -> ContextWrite:
    return ContextWrite(scope, "" if scope == "forever" else "ns", name, msgspec.json.encode(value).decode(), ttl_ms)


async def test_each_scope_has_its_own_place(context: Context, redis: Raw) -> None:
    now = await now_ms(redis)
    writes = [
        stamped(now, 1, put({"a": [1, None, "é|"]})),
        stamped(now, 1, put("everybody's", scope="global"), index=2),
        stamped(now, 1, put(0, scope="forever"), index=3),
    ]
    assert await context.apply(writes) == 3
    await assert_all_expire(redis)
    loaded = await context.load(["user|ns", "global|ns", "user|other"], "u", "b")
    assert loaded == {"user|ns": {"n": {"a": [1, None, "é|"]}}, "global|ns": {"n": "everybody's"}, "user|other": {}}
    assert await context.load(["user|ns"], "somebody else", "b") == {"user|ns": {}}
    assert await context.load_forever("b", "u") == {"n": 0}
    assert await context.load_forever("another bot", "u") == {}


async def test_a_write_applied_twice_or_after_a_later_one_is_ignored(context: Context, redis: Raw) -> None:
    now = await now_ms(redis)
    first, second = stamped(now, 1, put("first")), stamped(now, 2, put("second"))
    assert [await context.apply([write]) for write in (first, second, first, second)] == [1, 1, 0, 0]
    assert await context.load(["user|ns"], "u") == {"user|ns": {"n": "second"}}


async def test_of_two_writes_in_one_turn_the_later_counts(context: Context, redis: Raw) -> None:
    now = await now_ms(redis)
    await context.apply([stamped(now, 9, put(n), index=n) for n in (1, 2, 10)])
    assert await context.load(["user|ns"], "u") == {"user|ns": {"n": 10}}


async def test_any_order_of_writes_and_deletes_leads_to_the_same_data(context: Context, redis: Raw) -> None:
    now = await now_ms(redis)
    delete = ContextWrite("user", "ns", "a", None)
    clear = ContextWrite("user", "ns", None, None)
    history = [put(1, "a"), put(1, "b"), clear, put(2, "a"), delete, put(3, "b")]
    writes = [stamped(now + i, i, write) for i, write in enumerate(history)]
    for order in itertools.islice(itertools.permutations(writes), 0, 720, 7):
        await redis.flushall()
        await context.apply(order[:3])
        await context.apply(order)
        assert await context.load(["user|ns"], "u") == {"user|ns": {"b": 3}}
        await assert_all_expire(redis)


async def test_a_deletion_leaves_its_stamp_for_a_month(context: Context, redis: Raw) -> None:
    now = await now_ms(redis)
    await context.apply([stamped(now, 2, ContextWrite("user", "ns", "n", None))])
    assert await context.apply([stamped(now, 1, put("older"))]) == 0
    assert await context.load(["user|ns"], "u") == {"user|ns": {}}
    assert TOMBSTONE_MS - 5000 < await redis.pttl(keys.context_user("ns", "u")) <= TOMBSTONE_MS


async def test_a_field_expires_by_itself_and_the_whole_with_its_longest_field(context: Context, redis: Raw) -> None:
    now = await now_ms(redis)
    await context.apply(
        [stamped(now - 2000, 1, put("gone", "a", ttl_ms=1000)), stamped(now, 2, put("b", "b", ttl_ms=60_000))]
    )
    assert await context.load(["user|ns"], "u") == {"user|ns": {"b": "b"}}
    assert 50_000 < await redis.pttl(keys.context_user("ns", "u")) <= 60_000
    await context.apply([stamped(now, 3, put("c", "c", ttl_ms=1000))])
    assert await redis.pttl(keys.context_user("ns", "u")) > 50_000


async def test_forever_means_a_hundred_and_eighty_days(context: Context, redis: Raw) -> None:
    now = await now_ms(redis)
    await context.apply([stamped(now, 1, put(False, scope="forever"))])
    assert 179 * DAY_MS < await redis.pttl(keys.user("b", "u")) <= 180 * DAY_MS
    assert await context.load_forever("b", "u") == {"n": False}


async def test_names_may_be_anything(context: Context, redis: Raw) -> None:
    now = await now_ms(redis)
    names = ["", "*", "=", "a|b", "ü\n", "__proto__"]
    await context.apply([stamped(now, 1, put(name, name), index=i) for i, name in enumerate(names)])
    assert await context.load(["user|ns"], "u") == {"user|ns": {name: name for name in names}}


async def test_a_large_target_is_rid_of_what_has_expired(context: Context, redis: Raw) -> None:
    now = await now_ms(redis)
    old = [stamped(now - 5000, 1, put(i, f"old{i}", ttl_ms=1000), index=i) for i in range(319)]
    await context.apply([*old, stamped(now, 2, put("alive", "alive"))])
    assert await redis.hlen(keys.context_user("ns", "u")) == 1


@pytest.mark.parametrize("scope", ["user", "global", "forever"])
async def test_a_target_that_is_full_takes_no_more_and_stays_readable(
    context: Context, redis: Raw, scope: str, caplog: pytest.LogCaptureFixture
) -> None:
    now = await now_ms(redis)
    quarter = "x" * 190_000
    writes = [stamped(now, turn, put(quarter, f"n{turn}", scope)) for turn in range(1, 6)]
    assert await context.apply(writes) == 4
    assert "1 write(s) dropped" in caplog.text
    assert quarter not in caplog.text
    assert (
        await context.apply([stamped(now, 6, put("less", "n1", scope)), stamped(now, 7, put(quarter, "n5", scope))])
        == 2
    )
    held = (await context.load([f"{scope}|ns"], "u"))[f"{scope}|ns"] if scope != "forever" else None
    found = held or await context.load_forever("b", "u")
    assert sorted(found) == ["n1", "n2", "n3", "n4", "n5"]
    assert found["n1"] == "less"


async def test_what_has_expired_takes_no_room(context: Context, redis: Raw) -> None:
    now = await now_ms(redis)
    old = [stamped(now - 5000, turn, put("x" * 190_000, f"n{turn}", ttl_ms=1)) for turn in range(1, 5)]
    assert await context.apply(old) == 4
    await redis.persist(keys.context_user("ns", "u"))
    assert await context.apply([stamped(now, 5, put("x" * 190_000, "n5"))]) == 1


def test_the_conversations_own_scope_is_no_other_slot() -> None:
    with pytest.raises(ValueError, match="conversation"):
        encode_write(ContextWrite("conversation", "ns", "n", "1"), user_id="u", bot_id="b")
