"""Requests are counted as the venue counts them: by hand, and against a clock that ticks through every millisecond."""

from __future__ import annotations

import pytest
from attrs import define
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.books.request_rates import RequestRates
from mm_fsm.core.clock import NEVER
from mm_fsm.core.rate_rules import KRAKEN_CANCELS as TABLE
from mm_fsm.core.rate_rules import KRAKEN_TIERS, DecayingCounter, OrdersPerFill
from mm_fsm.errors import SettingsError

SECOND = 1_000_000_000


@define
class Placed:
    """An order in the book."""

    placed_at: int
    cancel_in_flight: bool = False


def rates(tier: str = "intermediate", *, reserve_share: float = 0.0, most_orders: int = 10_000) -> RequestRates:
    return RequestRates(
        most_orders=most_orders, interval=10 * SECOND, counter=KRAKEN_TIERS[tier], reserve_share=reserve_share
    )


@pytest.mark.parametrize(("tier", "orders"), [("starter", 60), ("intermediate", 125), ("pro", 180)])
def test_a_burst_ends_at_the_tiers_limit(tier: str, orders: int) -> None:
    """One point an order, no time passes: the counter may reach its limit and not pass it."""
    counted = rates(tier)
    for _ in range(orders):
        assert counted.why_not(0, is_quote=False) is None
        counted.note_placement(0)
    assert counted.why_not(0, is_quote=False) is not None


@pytest.mark.parametrize(
    ("age", "points"), [(0, 8), (4.999, 8), (5, 6), (10, 5), (15, 4), (44, 4), (45, 2), (90, 1), (299, 1), (300, 0)]
)
def test_a_young_orders_cancel_is_dear(age: float, points: float) -> None:
    counted = rates()
    counted.note_cancel(0, int(age * SECOND))
    assert counted.points(0) == points


def test_an_order_cancelled_after_four_seconds_by_hand() -> None:
    # +1 at 0 s, decayed to 0 by 1 s at 2.34 a second; +8 at 4 s; at 6 s 8 - 2 * 2.34 = 3.32
    counted = rates()
    counted.note_placement(0)
    counted.note_cancel(4 * SECOND, 4 * SECOND)
    assert counted.points(6 * SECOND) == pytest.approx(3.32)


def test_room_comes_back_when_it_is_said_to() -> None:
    counted = rates("starter")
    for _ in range(60):
        counted.note_placement(0)
    at = counted.room_at(0, is_quote=True)
    assert at == pytest.approx(1 * SECOND, abs=2)  # one point at one a second
    assert counted.why_not(at - 1_000_000, is_quote=True) is not None
    assert counted.why_not(at, is_quote=True) is None


def test_quotes_leave_a_reserve_to_what_reduces_the_position() -> None:
    counted = rates(reserve_share=0.2, most_orders=10)
    for _ in range(8):
        counted.note_placement(0)
    assert counted.why_not(0, is_quote=True) == "8 orders in 10 s, 8 are allowed"
    assert counted.why_not(0, is_quote=False) is None


def test_an_interval_forgets_what_is_as_old_as_itself() -> None:
    counted = RequestRates(most_orders=2, interval=10 * SECOND)
    counted.note_placement(0)
    counted.note_placement(1 * SECOND)
    assert counted.why_not(10 * SECOND - 1, is_quote=True) is not None
    assert counted.room_at(5 * SECOND, is_quote=True) == 10 * SECOND
    assert counted.why_not(10 * SECOND, is_quote=True) is None


def test_a_placement_that_never_left_counts_nothing() -> None:
    counted = rates()
    before = counted.snapshot()
    counted.note_placement(0)
    counted.take_back_placement()
    assert counted.snapshot() == before


requests = st.lists(
    st.tuples(st.integers(0, 3_000), st.sampled_from(["order", "cancel"]), st.integers(0, 400)), max_size=60
)


@given(requests=requests)
def test_the_counter_is_that_of_a_clock_which_ticks(requests: list[tuple[int, str, int]]) -> None:
    """An independent count: each millisecond takes its share away, each request adds its points."""
    counted, now, expected = rates("pro"), 0, 0.0
    table = {5: 8, 10: 6, 15: 5, 45: 4, 90: 2, 300: 1}
    for wait, kind, age in requests:
        for _ in range(wait):
            expected = max(expected - 3.75 / 1_000, 0.0)
        now += wait * 1_000_000
        if kind == "order":
            counted.note_placement(now)
            expected += 1
        else:
            counted.note_cancel(now, age * SECOND)
            expected += next((points for limit, points in table.items() if age < limit), 0)
        assert counted.points(now) == pytest.approx(expected, abs=1e-6)


def test_a_clock_that_goes_back_takes_nothing_away() -> None:
    counted = rates()
    counted.note_cancel(10 * SECOND, 0)
    counted.note_placement(9 * SECOND)
    assert counted.points(10 * SECOND) == pytest.approx(9.0)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"limit": 0.0, "decay_per_second": 1.0}, "limit"),
        ({"limit": 10.0, "decay_per_second": float("nan")}, "decay_per_second"),
        ({"limit": 10.0, "decay_per_second": 1.0, "points_per_order": -1.0}, "points_per_order"),
        ({"limit": 10.0, "decay_per_second": 1.0, "points_per_cancel": ((5.0, 1.0), (4.0, 1.0))}, "points_per_cancel"),
        ({"limit": 10.0, "decay_per_second": 1.0, "points_per_cancel": ((5.0, -1.0),)}, "points_per_cancel"),
    ],
)
def test_a_counter_without_sense_is_refused(arguments: dict[str, float], field: str) -> None:
    with pytest.raises(SettingsError, match=field):
        DecayingCounter(**arguments)


def test_scarcity_is_the_used_share_of_the_counter_and_whole_without_room() -> None:
    """125 points less a reserve of a fifth are 100; time lowers it, and other rules without room make it 1."""
    counted = rates(reserve_share=0.2, most_orders=50)
    assert counted.scarcity(0) == 0
    for _ in range(25):
        counted.note_placement(0)
    assert counted.scarcity(0) == pytest.approx(0.25)
    assert counted.scarcity(5 * SECOND) == pytest.approx((25 - 5 * 2.34) / 100)
    for _ in range(15):
        counted.note_placement(0)
    assert counted.scarcity(0) == 1  # 40 of 50, of which a fifth is kept
    assert RequestRates(most_orders=1, interval=SECOND).scarcity(0) == 0


def test_another_process_goes_on_with_the_count_under_its_own_rules() -> None:
    """Four orders, 3 s ago: 4 - 3 of the new rules; windows of another length count nothing."""
    before = RequestRates(
        most_orders=5, interval=10 * SECOND, counter=KRAKEN_TIERS["pro"], per_fill=OrdersPerFill(most=1, window=SECOND)
    )
    for _ in range(4):
        before.note_placement(60 * SECOND)
    after = rates("starter", most_orders=5)
    after.take_over(before)
    assert after.points(63 * SECOND) == pytest.approx(1)
    assert after.orders_in_interval(63 * SECOND) == 4
    bound = per_fill()
    bound.take_over(before)
    assert place_while_allowed(bound, 61 * SECOND) == 3
    same = per_fill()
    same.take_over(bound)
    assert place_while_allowed(same, 61 * SECOND) == 0


def per_fill(most: float = 10, free: int = 3, reserve_share: float = 0.0) -> RequestRates:
    rule = OrdersPerFill(most=most, window=60 * SECOND, free=free)
    return RequestRates(most_orders=10_000, interval=10 * SECOND, per_fill=rule, reserve_share=reserve_share)


def place_while_allowed(counted: RequestRates, now: int) -> int:
    placed = 0
    while counted.why_not(now, is_quote=True) is None:
        counted.note_placement(now)
        placed += 1
    return placed


def test_orders_are_bounded_for_each_fill_in_a_window_beyond_those_that_are_free() -> None:
    """Three are free, a fill allows ten in all, and the next minute begins anew."""
    counted = per_fill()
    assert place_while_allowed(counted, 0) == 3
    counted.note_fill(SECOND)
    assert place_while_allowed(counted, SECOND) == 7
    counted.note_fill(2 * SECOND)
    assert place_while_allowed(counted, 2 * SECOND) == 10
    assert "20 orders for 2 fills" in str(counted.why_not(3 * SECOND, is_quote=True))
    assert counted.room_at(3 * SECOND, is_quote=True) == 60 * SECOND
    assert place_while_allowed(counted, 60 * SECOND) == 3


def test_what_reduces_the_position_is_never_held_back_by_the_fills() -> None:
    counted = per_fill()
    place_while_allowed(counted, 0)
    assert counted.why_not(0, is_quote=False) is None
    assert counted.room_at(0, is_quote=False) == 0


def test_quotes_leave_their_reserve_of_the_bound_too_and_what_never_left_does_not_count() -> None:
    counted = per_fill(free=10, reserve_share=0.2)
    assert place_while_allowed(counted, 0) == 8
    counted.take_back_placement()
    assert place_while_allowed(counted, 0) == 1


def test_a_fill_that_is_booked_late_counts_to_the_window_under_way() -> None:
    counted = per_fill()
    counted.note_placement(61 * SECOND)
    counted.note_fill(59 * SECOND)
    assert place_while_allowed(counted, 61 * SECOND) == 9


@pytest.mark.parametrize(
    ("changes", "name"),
    [({"most": 0.0}, "most"), ({"most": float("nan")}, "most"), ({"window": 0}, "window"), ({"free": -1}, "free")],
)
def test_a_bound_that_makes_no_sense_is_refused(changes: dict[str, float], name: str) -> None:
    with pytest.raises(SettingsError, match=f"orders_per_fill.{name}"):
        OrdersPerFill(**({"most": 1.0, "window": 1} | changes))  # type: ignore[arg-type]


def test_room_for_a_quote_comes_back_once_what_rests_is_cheaper_to_cancel() -> None:
    """30 points, three orders of 0 s: an ending costs 24 + 8 + 1 until they are 5 s old, then 18 + 8 + 1.

    At 5 s the 3 points are gone, and 1 more than 30 - 27 = 3 is not: there is room, and a moment before there is none.
    """
    counted = RequestRates(
        most_orders=100, interval=SECOND, counter=DecayingCounter(limit=30, decay_per_second=1, points_per_cancel=TABLE)
    )
    orders = [Placed(0) for _ in range(3)]
    for _ in orders:
        counted.note_placement(0)
    at = counted.room_at(0, is_quote=True, orders=orders)
    assert at == 5 * SECOND
    for now, is_refused in ((at - 1, True), (at, False)):
        ending = counted.cost_of_ending(now, orders)
        assert (counted.why_not(now, is_quote=True, ending=ending) is not None) is is_refused


def test_room_that_time_alone_never_makes_is_never() -> None:
    counted = RequestRates(
        most_orders=100, interval=SECOND, counter=DecayingCounter(limit=8, decay_per_second=1, points_per_cancel=TABLE)
    )
    assert counted.room_at(0, is_quote=True, orders=[]) == NEVER
    why = counted.why_not(0, is_quote=True, ending=counted.cost_of_ending(0, []))
    assert why == "an ending takes all 8 points of the venue's counter"


@pytest.mark.parametrize("points_per_order", [0.0, 1.0])
def test_scarcity_is_whole_where_an_ending_takes_everything(points_per_order: float) -> None:
    """One young order and an ending cost 16 of 16 points: nothing is left to have a share of."""
    counter = DecayingCounter(
        limit=16, decay_per_second=1, points_per_order=points_per_order, points_per_cancel=((5.0, 8.0),)
    )
    counted = RequestRates(most_orders=10, interval=SECOND, counter=counter)
    assert counted.scarcity(0, ending=counted.cost_of_ending(0, [Placed(0)])) == 1


@given(
    limit=st.integers(9, 130),
    ages=st.lists(st.integers(0, 320), max_size=8),
    spent=st.integers(0, 130),
    rate=st.sampled_from([1.0, 2.34]),
)
def test_there_is_room_exactly_from_when_it_is_said_to_come(
    limit: int, ages: list[int], spent: int, rate: float
) -> None:
    counter = DecayingCounter(limit=limit, decay_per_second=rate, points_per_cancel=TABLE)
    counted = RequestRates(most_orders=10_000, interval=SECOND, counter=counter)
    now = 400 * SECOND
    orders = [Placed(now - age * SECOND) for age in ages]
    for _ in range(spent):
        counted.note_placement(now)

    def is_refused(time: int) -> bool:
        return counted.why_not(time, is_quote=True, ending=counted.cost_of_ending(time, orders)) is not None

    at = counted.room_at(now + SECOND, is_quote=True, orders=orders)
    if at == NEVER:
        assert is_refused(now + 10_000 * SECOND)
        return
    assert not is_refused(at)
    assert at == now + SECOND or is_refused(at - 1_000)
