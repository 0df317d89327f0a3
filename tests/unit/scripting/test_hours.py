"""`getHoursType` (CB: reference/scripting.md 1.9)."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.dialog.scripts import NeedContext, Say, Warn
from shared.scripting.zones import ahead_of_utc, load_zones

Scene = Callable[..., Any]

SPEC = """[
    'REGULAR~8:00~20:00', 'AFTER~20:00~8:00',
    'FRIDAY|WEEKEND~8:00~17:00', 'FRIDAY|WEEKEND_AFTER~17:00~08:00',
    '12.25.2026|HOLIDAY~0:00~23:59']"""


def hours(scene: Scene, at: str, spec: str = SPEC, zone: str = "UTC") -> str:
    """The type at a moment, given in UTC."""
    now = int(datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp() * 1000)
    text: str = scene().logs(f"botContext.getHoursType({spec}, '{zone}')", now=now)
    return text


def test_get_hours_type_gives_the_type_whose_range_holds_now(scene: Scene) -> None:
    assert hours(scene, "2026-11-24T12:00") == "REGULAR"
    assert hours(scene, "2026-11-24T21:30") == "AFTER"


def test_a_range_over_midnight_holds_on_both_of_its_sides(scene: Scene) -> None:
    assert [hours(scene, f"2026-11-24T{hour}") for hour in ("00:00", "07:59", "23:59")] == ["AFTER"] * 3


def test_the_start_of_a_range_is_in_it_and_the_end_is_not(scene: Scene) -> None:
    assert hours(scene, "2026-11-24T08:00") == "REGULAR"
    assert hours(scene, "2026-11-24T20:00") == "AFTER"


def test_the_last_entry_that_holds_counts(scene: Scene) -> None:
    assert hours(scene, "2026-11-27T12:00") == "WEEKEND"
    assert hours(scene, "2026-12-25T12:00") == "HOLIDAY"


def test_a_range_over_midnight_belongs_to_the_day_on_which_it_starts(scene: Scene) -> None:
    assert hours(scene, "2026-11-27T03:00") == "AFTER"
    assert hours(scene, "2026-11-28T03:00") == "WEEKEND_AFTER"


def test_an_end_one_minute_before_midnight_means_midnight(scene: Scene) -> None:
    assert hours(scene, "2026-12-25T23:59:30") == "HOLIDAY"


def test_a_range_from_a_time_to_itself_is_the_whole_day(scene: Scene) -> None:
    assert hours(scene, "2026-11-24T03:00", "['OPEN~0:00~0:00']") == "OPEN"


def test_no_entry_that_holds_gives_null(scene: Scene) -> None:
    assert hours(scene, "2026-11-24T07:00", "['OPEN~8:00~9:00']") == "null"


@pytest.mark.parametrize(
    ("zone", "at", "hour"),
    [
        ("America/Los_Angeles", "2026-07-01T15:30", "8"),
        ("America/Los_Angeles", "2026-12-01T16:30", "8"),
        ("Asia/Kolkata", "2026-07-01T02:45", "8"),
        ("Europe/Berlin", "2026-10-25T00:59", "2"),
        ("Europe/Berlin", "2026-10-25T01:01", "2"),
        ("Pacific/Kiritimati", "2026-06-30T18:00", "8"),
    ],
)
def test_times_are_those_of_the_zone_at_that_moment(scene: Scene, zone: str, at: str, hour: str) -> None:
    spec = "[" + ",".join(f"'{h}~{h}:00~{h + 1}:00'" for h in range(24)) + "]"
    assert hours(scene, at, spec, zone) == hour


def test_days_are_those_of_the_zone(scene: Scene) -> None:
    spec = "['MONDAY|MON~0:00~23:59', 'TUESDAY|TUE~0:00~23:59', '11.24.2026|DATE~9:00~10:00']"
    assert hours(scene, "2026-11-24T06:00", spec, "America/Los_Angeles") == "MON"
    assert hours(scene, "2026-11-23T23:30", spec, "Asia/Tokyo") == "TUE"
    assert hours(scene, "2026-11-24T00:30", spec, "Asia/Tokyo") == "DATE"


def test_an_unknown_zone_gives_null_and_a_warning(scene: Scene) -> None:
    outcome = scene().run("botContext.setBotVariable('t', botContext.getHoursType(['A~0:00~0:00'], 'Mars/Phobos'))")
    assert outcome.effects[0] == Warn("refused", "getHoursType: there is no such time zone")
    assert outcome.effects[1].value is None


def test_an_entry_that_cannot_be_read_is_passed_over_with_a_warning(scene: Scene) -> None:
    outcome = scene().run("botContext.sendMessage(botContext.getHoursType(['A~0:00~0:00', 'B~noon~1:00'], 'UTC'))")
    assert outcome.effects[0] == Warn("refused", "getHoursType: an entry is not [day|]TYPE~start~end")
    assert outcome.effects[1].text == "A"


def test_a_script_that_asks_for_a_zone_does_nothing_twice(scene: Scene) -> None:
    source = """botContext.sendMessage('before');
    var t = []; ['UTC', 'Asia/Tokyo', 'UTC'].forEach(function (z) { t.push(botContext.getHoursType(['A~0:00~0:00'], z)) });
    botContext.sendMessage(t.join())"""
    turn = scene("counter = typeof counter == 'undefined' ? 1 : counter + 1")
    assert [effect.text for effect in turn.run(source).effects] == ["before", "A,A,A"]
    assert turn.logs("counter") == "1"


def test_a_script_that_hides_its_question_for_a_zone_gets_its_answer(scene: Scene) -> None:
    outcome = scene().run(
        "while (true) try { botContext.sendMessage(botContext.getHoursType(['A~0:00~0:00'], 'Asia/Tokyo')); break } catch (e) {}"
    )
    assert (outcome.error, [effect.text for effect in outcome.effects]) == (None, ["A"])


def test_a_script_that_asks_for_zones_without_end_is_stopped(scene: Scene) -> None:
    outcome = scene().run("for (var i = 0; ; i++) botContext.getHoursType([], 'Zone/' + i)")
    assert outcome.stopped


def test_the_machine_has_time_zones() -> None:
    assert load_zones() > 300
    assert ahead_of_utc("America/New_York", 0) == -5 * 3_600_000


def by_intervals(spec: list[str], now: datetime) -> str | None:
    """The type by another way: each entry is an interval of local time on today and on yesterday."""
    found = None
    for entry in spec:
        selector, _, rest = entry.rpartition("|")
        kind, start, end = rest.split("~")
        for day in (now.date() - timedelta(days=1), now.date()):
            if selector not in {"", day.strftime("%A").upper(), day.strftime("%m.%d.%Y")}:
                continue
            begins = datetime.combine(day, time.fromisoformat(start.zfill(5)))
            ends = datetime.combine(day, time.fromisoformat(end.zfill(5)))
            ends += timedelta(minutes=1) if end == "23:59" else timedelta()
            if begins <= now < ends + (timedelta(days=1) if ends <= begins else timedelta()):
                found = kind
    return found


@pytest.mark.parametrize("seed", range(10))
def test_hours_agree_with_intervals_of_local_time(scene: Scene, seed: int) -> None:
    chance = Random(seed)
    zone = chance.choice(["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "UTC"])
    now = datetime(2026, 10, 20, tzinfo=UTC) + timedelta(minutes=chance.randrange(20 * 1440))
    local = now.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    days = ["", "", f"{local:%m.%d.%Y}|", f"{local - timedelta(days=1):%m.%d.%Y}|", f"{local:%A}|".upper(), "MONDAY|"]
    specs = [
        [
            f"{chance.choice(days)}T{at}~{chance.randrange(24)}:{chance.choice(['00', '30'])}"
            f"~{chance.choice(['23:59', '0:00', f'{chance.randrange(24)}:15', f'{local:%H:%M}'])}"
            for at in range(4)
        ]
        for _ in range(50)
    ]
    said = scene().logs(
        f"{specs}.map(function (spec) {{ return String(botContext.getHoursType(spec, '{zone}')) }})",
        now=int(now.timestamp() * 1000),
    )
    assert said.split(",") == [str(by_intervals(spec, local) or "null") for spec in specs]


def test_a_script_may_ask_for_a_zone_and_for_context_data(scene: Scene) -> None:
    source = """
    try { botContext.getHoursType([], 'Asia/Tokyo') } catch (e) { botContext.getGlobalContextData('b', 'c') }
    botContext.sendMessage(botContext.getGlobalContextData('a', 'b') + botContext.getHoursType(['A~0:00~0:00'], 'UTC'));
    """
    with pytest.raises(NeedContext) as need:
        scene().run(source)
    assert need.value.keys == ["global|a"]
    assert scene().run(source, context={"global|a": {"b": "x"}}).effects == [Say("xA")]
