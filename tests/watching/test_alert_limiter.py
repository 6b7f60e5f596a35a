"""News become messages: the first at once, never more than so many, and nothing that matters is lost."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mm_fsm.runtime.watching_settings import AlertKind
from mm_fsm.watching.alert_limiter import AlertLimiter, Message
from mm_fsm.watching.alert_texts import body_of, title_of
from mm_fsm.watching.news import News

SUMMARY, INTERVAL = 60.0, 600.0
KINDS = tuple(AlertKind)


def limiter(kinds: tuple[AlertKind, ...] = KINDS, most: int = 20) -> AlertLimiter:
    return AlertLimiter(kinds, summary_seconds=SUMMARY, max_messages=most, interval_seconds=INTERVAL)


def news(
    kind: AlertKind = AlertKind.FEED_LOST,
    *,
    begins: bool = True,
    place: str = "A/USD",
    key: str = "data",
    reason: str = "r",
) -> News:
    return News(kind=kind, place=place, key=key, begins=begins, reason=reason, doing="d" if begins else "")


def told(limit: AlertLimiter, now: float, *items: News) -> Message | None:
    for each in items:
        limit.note(each)
    return limit.next_message(now)


def test_the_first_of_a_kind_is_told_at_once_with_reason_and_what_is_done() -> None:
    message = told(limiter(), 0.0, news(reason="the book is 12 s old"))
    assert message is not None
    assert title_of(message) == "mm-fsm: Feed lost: A/USD"
    assert body_of(message) == "A/USD: the book is 12 s old; what is done: d"


def test_its_end_is_told_at_once_too_but_a_feed_that_flaps_is_gathered() -> None:
    """Lost at 0 and back at 1: two messages. Lost and back three times more until 50: one, 60 s after the last."""
    limit = limiter()
    assert told(limit, 0.0, news())
    over = told(limit, 1.0, news(begins=False))
    assert over is not None
    assert title_of(over) == "mm-fsm: Feed lost over"
    assert body_of(over) == "Feed lost: over, nothing of it is wrong now"
    for now in (10.0, 30.0, 50.0):
        assert told(limit, now, news()) is None
        assert told(limit, now + 1, news(begins=False)) is None
    assert limit.next_message(60.9) is None
    summary = limit.next_message(61.0)
    assert summary is not None
    assert title_of(summary) == "mm-fsm: Feed lost over: A/USD"
    assert body_of(summary).splitlines() == [
        "Feed lost, 3 times since the last message, 3 times over:",
        *["A/USD: r; what is done: d"] * 3,
        "Feed lost: over, nothing of it is wrong now",
    ]
    assert limit.next_message(1e9) is None


def test_what_does_not_come_to_rest_is_told_evenly_in_the_end() -> None:
    """Lost anew each second: feeds have 5 of 20 messages an hour, three a minute apart, then one each 20 minutes."""
    limit = AlertLimiter(KINDS, summary_seconds=60, max_messages=20, interval_seconds=3_600)
    times = [second for second in range(6_000) if told(limit, float(second), news())]
    assert times == [0, 60, 120, 1_320, 2_520, 3_720, 4_920]


def test_a_market_at_its_limit_now_and_then_keeps_nothing_urgent_waiting() -> None:
    """At its inventory limit for 30 s of each 3 minutes, with the shipped settings, over two hours.

    Each urgent thing is told in the second it begins, two kill switches within two minutes too.
    """
    limit = AlertLimiter(KINDS, summary_seconds=60, max_messages=20, interval_seconds=3_600)
    begins = {
        1_800: AlertKind.FAULT,
        1_870: AlertKind.UNCONFIRMED_ORDERS,
        2_000: AlertKind.KILL_SWITCH,
        2_100: AlertKind.KILL_SWITCH,
    }
    messages = 0
    for second in range(7_200):
        if second % 180 in {0, 30}:
            limit.note(news(AlertKind.LIMIT, begins=second % 180 == 0))
        kind = begins.get(second)
        if kind is not None:
            limit.note(news(kind, key=f"{second}"))
        message = limit.next_message(float(second))
        messages += message is not None
        if kind is not None:
            assert message is not None
            assert message.parts[0].kind is kind
            assert message.parts[0].began == 1
    assert messages <= 40


def test_a_short_limit_is_one_message_and_a_long_one_two() -> None:
    """Its end comes with the next message, whatever that is about; alone when the interval since it began is over."""
    limit = AlertLimiter(KINDS, summary_seconds=60, max_messages=20, interval_seconds=3_600)
    assert told(limit, 0.0, news(AlertKind.LIMIT))
    assert told(limit, 30.0, news(AlertKind.LIMIT, begins=False)) is None
    message = told(limit, 100.0, news(AlertKind.FAULT))
    assert message is not None
    assert title_of(message) == "mm-fsm: Fault: A/USD; Limit over"
    assert told(limit, 3_600.0, news(AlertKind.LIMIT))
    assert told(limit, 7_200.0, news(AlertKind.LIMIT, begins=False))


def test_a_fault_that_stays_is_told_again_and_a_limit_is_not() -> None:
    """Each interval, until it is over; what began with it at another market is named, too."""
    limit = limiter()
    assert told(limit, 0.0, news(AlertKind.FAULT, reason="callback"), news(AlertKind.LIMIT))
    assert limit.next_message(INTERVAL - 1) is None
    message = limit.next_message(INTERVAL)
    assert message is not None
    assert title_of(message) == "mm-fsm: Fault still: A/USD"
    assert body_of(message) == "still so: A/USD: callback; what is done: d"
    assert limit.next_message(2 * INTERVAL - 1) is None
    assert told(limit, 2 * INTERVAL - 1, news(AlertKind.FAULT, begins=False))
    assert limit.next_message(9 * INTERVAL) is None


def test_a_hundred_markets_that_fail_together_are_two_messages() -> None:
    """The first names its market, the second the next five, and how many more."""
    limit = limiter()
    places = [f"M{number}/USD" for number in range(100)]
    first = told(limit, 0.0, news(place=places[0]))
    for place in places[1:]:
        assert told(limit, 0.0, news(place=place)) is None
    second = limit.next_message(60.0)
    assert first is not None
    assert second is not None
    lines = body_of(second).splitlines()
    assert lines[0] == "Feed lost, 99 times since the last message:"
    assert lines[1].startswith("M1/USD: r")
    assert "and 94 more, at M1/USD, M2/USD, M3/USD, M4/USD, M5/USD and 94 more" in lines
    assert lines[-1] == "still so: 85 more"
    assert len(lines) == 1 + 5 + 1 + 10 + 1
    assert all(len(line) <= 300 for line in lines)


def test_kinds_do_not_wait_for_each_other() -> None:
    limit = limiter()
    assert told(limit, 0.0, news())
    message = told(limit, 1.0, news(AlertKind.KILL_SWITCH, key="fault", reason="lost 512"))
    assert message is not None
    assert [part.kind for part in message.parts] == [AlertKind.KILL_SWITCH]


def test_each_urgency_and_the_end_have_a_message_left_when_all_others_are_spent() -> None:
    """Of five in ten minutes there is one each: for limits, for feeds, for what is urgent, the kill switch, the end."""
    limit = limiter(most=5)
    for kind in (AlertKind.LIMIT, AlertKind.FEED_LOST, AlertKind.FAULT, AlertKind.KILL_SWITCH):
        assert told(limit, 0.0, news(kind)) is not None
    for kind in KINDS:
        assert told(limit, 100.0, news(kind, place="B/USD")) is None
    last = limit.last_message(101.0)
    assert last is not None
    assert [part.kind for part in last.parts] == [*KINDS]
    assert body_of(last).endswith("The run has ended; this is the last message about it.")
    assert limit.last_message(102.0) is None


def test_what_waited_for_room_is_told_together_when_there_is_some() -> None:
    limit = limiter(most=5)
    assert told(limit, 0.0, news(AlertKind.FEED_LOST))
    assert told(limit, 0.0, news(AlertKind.LIMIT))
    assert told(limit, 61.0, news(AlertKind.LIMIT), news(AlertKind.FEED_LOST)) is None
    assert limit.next_message(599.9) is None
    message = limit.next_message(600.0)
    assert message is not None
    assert [part.kind for part in message.parts] == [AlertKind.FEED_LOST, AlertKind.LIMIT]
    assert limit.next_message(600.0) is None


def test_a_kind_that_nobody_wants_is_not_told() -> None:
    limit = limiter((AlertKind.FAULT,))
    assert told(limit, 0.0, news(AlertKind.LIMIT)) is None
    assert limit.last_message(1.0) is None


def test_a_line_break_in_a_reason_makes_no_line_of_its_own() -> None:
    message = told(limiter(), 0.0, news(reason="first\nFault: " + "x" * 1_000))
    assert message is not None
    (line,) = body_of(message).splitlines()
    assert len(line) == 300


# -- whatever happens --------------------------------------------------------------------------------------------------

moments = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.1, 1.0, 7.0, 59.0, 61.0, 300.0, 700.0]),
        st.sampled_from(KINDS),
        st.booleans(),
        st.sampled_from(["A/USD", "B/USD", "C/USD"]),
    ),
    max_size=120,
)


def played(
    events: list[tuple[float, AlertKind, bool, str]], most: int
) -> tuple[list[tuple[float, Message]], float, AlertLimiter]:
    """Every message with its time, ticks included, and the last."""
    limit, now, messages = limiter(most=most), 0.0, []
    for wait, kind, begins, place in events:
        now += wait
        message = told(limit, now, news(kind, begins=begins, place=place, reason=f"{kind} at {now}"))
        if message is not None:
            messages.append((now, message))
    return messages, now, limit


@given(moments, st.integers(5, 30))
def test_no_more_than_so_many_leave_in_any_window(events: list[tuple[float, AlertKind, bool, str]], most: int) -> None:
    messages, now, limit = played(events, most)
    last = limit.last_message(now)
    times = [at for at, _ in messages] + [now] * (last is not None)
    assert all(later - earlier >= INTERVAL for earlier, later in zip(times, times[most:], strict=False))


@given(moments)
def test_nothing_is_lost(events: list[tuple[float, AlertKind, bool, str]]) -> None:
    """Every beginning is counted in one message, and what is wrong at the end was named after it began."""
    messages, now, limit = played(events, 1_000)
    last = limit.last_message(now)
    everything = [message for _, message in messages] + ([last] if last is not None else [])
    counted = Counter(dict.fromkeys(KINDS, 0))
    for message in everything:
        for part in message.parts:
            counted[part.kind] += part.began
    assert counted == Counter({kind: sum(each[1] is kind and each[2] for each in events) for kind in KINDS})
    wrong: dict[tuple[AlertKind, str], float] = {}
    time = 0.0
    for wait, kind, begins, place in events:
        time += wait
        if begins:
            wrong[kind, place] = time
        else:
            wrong.pop((kind, place), None)
    for (kind, place), since in wrong.items():
        assert any(
            each.reason == f"{kind} at {since}"
            for message in everything
            for part in message.parts
            for each in (*part.first, *part.still)
            if part.kind is kind and each.place == place
        )


@given(moments)
def test_the_kill_switch_is_told_at_once_after_quiet(events: list[tuple[float, AlertKind, bool, str]]) -> None:
    """Whatever else was told, with the fewest messages that settings allow: it has one of its own."""
    others = [(wait, kind, begins, place) for wait, kind, begins, place in events if kind is not AlertKind.KILL_SWITCH]
    _, now, limit = played(others, 5)
    message = told(limit, now, news(AlertKind.KILL_SWITCH))
    assert message is not None
    assert message.parts[0].kind is AlertKind.KILL_SWITCH


@settings(max_examples=40)
@given(moments, st.integers(5, 40))
def test_no_kind_is_told_later_than_its_bound(events: list[tuple[float, AlertKind, bool, str]], most: int) -> None:
    """Whatever else happens: asked every 5 s, each beginning is told 5 s after its bound at the latest."""
    limit, now, looked_at = limiter(most=most), 0.0, 0.0
    untold: dict[AlertKind, float] = {}

    def look(at: float) -> None:
        message = limit.next_message(at)
        for part in message.parts if message is not None else ():
            if part.began:
                del untold[part.kind]
        assert all(at - since <= limit.latest_seconds(kind) + 5 for kind, since in untold.items())

    for wait, kind, begins, place in [*events, (INTERVAL, AlertKind.LIMIT, False, "A/USD")]:
        now += wait
        while looked_at + 5 < now:
            looked_at += 5
            look(looked_at)
        limit.note(news(kind, begins=begins, place=place))
        if begins:
            untold.setdefault(kind, now)
        looked_at = now
        look(now)
    assert not untold or now - max(untold.values()) < INTERVAL


def test_the_bounds_are_those_that_the_documentation_states() -> None:
    """Of 20 messages an hour 9 are urgent, 5 about feeds, 3 about limits; half of each, rounded up, come evenly."""
    limit = AlertLimiter(KINDS, summary_seconds=60, max_messages=20, interval_seconds=3_600)
    assert [limit.latest_seconds(kind) / 60 for kind in KINDS] == [12, 12, 12, 20, 30]


@pytest.mark.parametrize("count", [1, 10_000])
def test_what_is_kept_does_not_grow_with_what_happens(count: int) -> None:
    limit = limiter()
    for number in range(count):
        limit.note(news(reason=f"{number}"))
    message = limit.next_message(0.0)
    assert message is not None
    (part,) = message.parts
    assert (part.began, len(part.first), len(part.still)) == (count, min(count, 5), 1)
    assert len(body_of(message)) < 2_000
