"""The venue's own counters decide what leaves: cancels always, then what reduces positions, quotes, questions."""

from __future__ import annotations

from typing import Any

import pytest

from mm_fsm.books.facts import OrderRejected
from mm_fsm.core.messages import OrderPurpose, QueryBalances
from mm_fsm.runtime.account.settings import AccountSettings
from mm_fsm.venues.port import Counted, Usage
from tests.runtime.account.account_desk import SECOND, Desk, cancel, place

QUARTER = AccountSettings(reserve_share=0.25, longest_wait_seconds=5)


def counter(desk: Desk, used: int, limit: int, seconds: float = 3, **changes: Any) -> None:
    """The venue tells a counter that begins anew in so many seconds."""
    now = desk.venue.time
    given = {"name": "ORDERS", "counts": Counted.ORDERS, **changes}
    usage = Usage(used=used, limit=limit, read_at=now, until=now + round(seconds * SECOND), **given)
    desk.account._waiting.usage.note(usage)


def test_quotes_leave_a_reserve_of_the_venues_counter_to_what_reduces_positions() -> None:
    """Of 8 orders 5 are used: one quote has room, as two are kept, and two orders that reduce."""
    desk = Desk(QUARTER)
    counter(desk, 5, 8)
    desk.submit(place("a"), place("b"))
    desk.submit(*(place(f"w{number}", purpose=OrderPurpose.WIND_DOWN) for number in range(3)))
    assert desk.venue.names == ["PlaceOrder a", "PlaceOrder w0", "PlaceOrder w1"]


def test_cancels_leave_although_every_counter_is_full() -> None:
    desk = Desk(QUARTER)
    counter(desk, 9, 8)
    counter(desk, 6_000, 6_000, name="WEIGHT", counts=Counted.ALL)
    desk.submit(place("a"), cancel("x"), QueryBalances(symbol="A/USD"))
    assert desk.venue.names == ["CancelOrder x"]


def test_what_waits_leaves_at_the_very_time_at_which_the_counter_begins_anew() -> None:
    desk = Desk(QUARTER)
    start = desk.venue.time
    counter(desk, 8, 8, 3)
    desk.submit(place("a"), QueryBalances(symbol="A/USD"))
    assert desk.venue.names == ["QueryBalances A/USD"]  # no order
    desk.venue.pass_time(4)
    assert desk.venue.time_of("a") == start + 3 * SECOND


def test_what_waits_too_long_for_the_venue_is_dropped_with_the_venues_reason() -> None:
    desk = Desk(QUARTER)
    counter(desk, 8, 8, 60)
    desk.submit(place("a"))
    desk.venue.pass_time(70)
    (rejection,) = desk.told
    assert isinstance(rejection, OrderRejected)
    assert "ORDERS is at 8 of 8, 6 are allowed, and begins anew in 55.0 s" in rejection.reason
    assert desk.venue.sent == []


def test_an_interval_that_follows_makes_room_and_one_that_is_over_counts_no_more() -> None:
    desk = Desk(QUARTER)
    counter(desk, 8, 8)
    counter(desk, 1, 8, 6)
    desk.submit(place("a"))
    counter(desk, 8, 8, 0)
    desk.submit(place("b"))
    assert desk.venue.names == ["PlaceOrder a", "PlaceOrder b"]


@pytest.mark.parametrize("interval", [None, 10 * SECOND])
def test_of_one_interval_the_highest_count_holds(interval: int | None) -> None:
    """The answer to an earlier request comes after that to a later one, and is heard to begin anew a little later."""
    desk = Desk(QUARTER)
    counter(desk, 8, 8, 3, interval=interval)
    counter(desk, 5, 8, 3.2, interval=interval)
    desk.submit(place("a"))
    assert desk.venue.sent == []


def test_a_count_that_is_heard_just_after_its_interval_is_not_of_the_next_one() -> None:
    """Asked 0.1 s before an interval ended, heard 0.01 s after it; the second was asked once the next had begun."""
    desk = Desk(QUARTER)
    now = desk.venue.time
    counter(desk, 8, 8, 9.99, interval=10 * SECOND, asked_at=now - SECOND // 10)
    desk.submit(place("a"))
    assert desk.venue.names == ["PlaceOrder a"]
    counter(desk, 8, 8, 9.99, interval=10 * SECOND, asked_at=now - SECOND // 200)
    desk.submit(place("b"))
    assert desk.venue.names == ["PlaceOrder a"]


def test_an_old_intervals_count_replaces_no_newer_one() -> None:
    desk = Desk(QUARTER)
    now = desk.venue.time
    counter(desk, 8, 8, 9.9, interval=10 * SECOND)
    counter(desk, 2, 8, 9.9, interval=10 * SECOND, asked_at=now - SECOND)
    desk.submit(place("a"))
    assert desk.venue.sent == []


def test_what_left_after_the_request_counts_however_late_its_answer_is() -> None:
    """Four used of 8 and two kept; two placements left in the two seconds for which the answer took its time."""
    desk = Desk(QUARTER)
    asked_at = desk.venue.time
    desk.venue.pass_time(0.1)
    desk.submit(place("a"), place("b"))
    desk.venue.pass_time(2)
    counter(desk, 4, 8, asked_at=asked_at)
    desk.submit(place("c"))
    assert desk.venue.names == ["PlaceOrder a", "PlaceOrder b"]


def test_a_counter_of_questions_holds_back_no_order() -> None:
    """Bybit's and Gate's counters are about one address: one that is asked for a list says nothing of new orders."""
    desk = Desk(QUARTER)
    counter(desk, 20, 20, name="bybit GET /v5/order/realtime", counts=Counted.QUESTIONS)
    desk.submit(place("a"), place("w", purpose=OrderPurpose.WIND_DOWN), QueryBalances(symbol="A/USD"))
    assert desk.venue.names == ["PlaceOrder a", "PlaceOrder w"]


def test_orders_are_not_added_to_a_counter_of_questions() -> None:
    """Ten of 20 used and five kept: five more questions have room, whatever orders leave."""
    desk = Desk(QUARTER)
    counter(desk, 10, 20, name="bybit GET /v5/order/realtime", counts=Counted.QUESTIONS)
    desk.submit(*(place(str(number)) for number in range(9)))
    desk.submit(*(QueryBalances(symbol=f"{number}/USD") for number in range(9)))
    assert sum(name.startswith("QueryBalances") for name in desk.venue.names) == 5


def test_what_left_since_the_answer_counts_too() -> None:
    """Four used of 8 and two kept: two more, though no further answer comes."""
    desk = Desk(QUARTER)
    counter(desk, 4, 8)
    desk.submit(*(place(str(number)) for number in range(4)))
    assert len(desk.venue.sent) == 2


def test_what_was_under_way_when_the_answer_was_given_counts_too() -> None:
    """Three leave together; the answer to the first says 4, and two of them are not in it, nor is it known which."""
    desk = Desk(QUARTER)
    desk.submit(place("a"), place("b"), place("c"))
    desk.venue.pass_time(0.1)
    counter(desk, 4, 8)
    desk.submit(place("d"))
    assert len(desk.venue.sent) == 3
    desk.venue.pass_time(0.6)
    counter(desk, 5, 8)
    desk.submit(place("e"))
    assert "PlaceOrder d" in desk.venue.names


@pytest.mark.parametrize(("used", "leaves"), [(4_700, True), (4_800, False)])
def test_questions_leave_a_reserve_of_the_weight(used: int, leaves: bool) -> None:
    """A fifth of 6,000 is kept."""
    desk = Desk()
    counter(desk, used, 6_000, name="WEIGHT", counts=Counted.ALL, question_cost=20)
    desk.submit(QueryBalances(symbol="A/USD"))
    assert bool(desk.venue.sent) == leaves


def test_each_question_counts_with_what_it_costs_at_most() -> None:
    """4,700 and five times 20 are 4,800."""
    desk = Desk()
    counter(desk, 4_700, 6_000, name="WEIGHT", counts=Counted.ALL, question_cost=20)
    desk.submit(*(QueryBalances(symbol=f"{number}/USD") for number in range(9)))
    assert len(desk.venue.sent) == 5


def test_the_next_interval_has_its_limit_before_any_answer_tells_of_it() -> None:
    """Eight orders every three seconds: whatever waited leaves eight at a time, the reserve aside."""
    desk = Desk(AccountSettings(reserve_share=0, longest_wait_seconds=30))
    start = desk.venue.time
    counter(desk, 8, 8, 3, interval=3 * SECOND)
    desk.submit(*(place(str(number)) for number in range(20)))
    desk.venue.pass_time(20)
    left = [(time - start) // SECOND for _, time in desk.venue.sent]
    assert [left.count(second) for second in (0, 3, 6, 9)] == [0, 8, 8, 4]
