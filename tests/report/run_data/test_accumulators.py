"""What is added up step by step, against a naive look at everything that came: whatever comes, in whatever order."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.core.messages import Side
from mm_fsm.core.programme import ProgrammeRule
from mm_fsm.report.figures.over_time import FILLS_SHOWN
from mm_fsm.report.run_data.drawdown_clock import DrawdownClock
from mm_fsm.report.run_data.hold_bins import HoldBins
from mm_fsm.report.run_data.inventory_clock import InventoryClock
from mm_fsm.report.run_data.presence_clock import PresenceClock
from mm_fsm.report.run_data.profit_clock import Amounts, ProfitClock
from mm_fsm.report.run_data.quote_lives import QuoteLives, class_of, upper_edge
from mm_fsm.report.run_data.sampled_series import SampledSeries
from mm_fsm.report.run_data.thinned_rows import ThinnedRows
from mm_fsm.report.stretches import Stretch, StretchKind
from tests.report.run_data.own_orders import resting_quote

GAPS = st.lists(st.integers(0, 50), min_size=1, max_size=60)
AMOUNTS = st.integers(-1000, 1000).map(lambda units: Decimal(units) / 100)


def amounts_of(net: Decimal) -> Amounts:
    return Amounts(net, net, Decimal(0), Decimal(0))


@given(st.lists(st.tuples(st.integers(0, 40), AMOUNTS), min_size=1, max_size=60), st.integers(3, 12))
def test_steps_of_profit_are_the_values_before_each_end_however_often_steps_were_joined(
    changes: list[tuple[int, Decimal]], most: int
) -> None:
    clock, now, net = ProfitClock(length=5, most=most), 100, Decimal(0)
    history = [(now, net)]
    for gap, change in changes:
        clock.pass_until(now, now + gap, amounts_of(net))
        now, net = now + gap, net + change
        history.append((now, net))
    clock.finish(now, amounts_of(net))
    assert len(clock.ends) <= most + 1
    *ends, last = clock.all_ends()
    assert last == (now, amounts_of(net))
    assert all(end % clock.length == 0 for end, _ in ends)
    assert all(later - earlier == clock.length for (earlier, _), (later, _) in pairwise(ends))
    for end, amounts in ends:
        assert amounts.net == [value for time, value in history if time < end][-1]


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(90, 110), st.integers(-5, 5)), min_size=1, max_size=80),
    st.integers(2, 8),
)
def test_rows_of_a_series_keep_every_extreme_however_often_they_were_joined(
    steps: list[tuple[int, int, int]], most: int
) -> None:
    series, now, row = SampledSeries(width=4, most=most), 1000, None
    seen: list[tuple[int, float, float]] = []
    for gap, mid, position in steps:
        now += gap
        if row is not None and now // series.width > row.number:
            row = None
        if row is None:
            row = series.open(now, float(mid), float(position), float(position), abs(float(position)))
        else:
            row.note(float(mid), float(position), float(position), abs(float(position)))
        seen.append((now, float(mid), float(position)))
    assert len(series.rows) <= most
    numbers = [each.number for each in series.rows]
    assert numbers == sorted(set(numbers))
    for each in series.rows:
        within = [(mid, position) for time, mid, position in seen if time // series.width == each.number]
        assert (each.mid_low, each.mid_high) == (min(m for m, _ in within), max(m for m, _ in within))
        assert (each.net_low, each.net_high) == (min(p for _, p in within), max(p for _, p in within))
        assert (each.mid, each.inventory) == within[-1]
        assert each.drawdown == max(abs(p) for _, p in within)
    assert {time // series.width for time, _, _ in seen} == set(numbers)


@given(st.lists(st.tuples(st.integers(0, 40), AMOUNTS), max_size=40), st.integers(1, 40))
def test_inventory_is_the_integral_over_time(changes: list[tuple[int, Decimal]], rest: int) -> None:
    clock, now = InventoryClock(), 7
    clock.pass_until(now)
    times, offsets = [now], [Decimal(0)]
    for gap, offset in changes:
        now += gap
        clock.change(now, offset)
        times.append(now)
        offsets.append(offset)
    end = now + rest
    found = clock.figures(end, Decimal(10))
    lengths = [later - earlier for earlier, later in pairwise([*times, end])]
    area = sum((offset * length for offset, length in zip(offsets, lengths, strict=True)), Decimal(0))
    distance = sum((abs(offset) * length for offset, length in zip(offsets, lengths, strict=True)), Decimal(0))
    assert found.mean == pytest.approx(float(area / (end - 7)))
    assert found.mean_distance == pytest.approx(float(distance / (end - 7)))
    assert (found.highest, found.lowest, found.final) == (max(offsets), min(offsets), offsets[-1])


def test_half_life_is_from_the_largest_distance_to_half_of_it_once_for_each_way_out() -> None:
    """By hand, in seconds.

    Out to 3 at 10 and 4 at 20, down to 2 at 45: 25 from the peak at 20. Over to -2 at 60, home at 70: 10. Out to 5 at
    80, and never back to half of it: none.
    """
    clock = InventoryClock()
    clock.pass_until(0)
    for time, offset in ((10, 3), (20, 4), (30, 3), (45, 2), (50, 1), (60, -2), (70, 0), (80, 5), (90, 4)):
        clock.change(time * 1_000_000_000, Decimal(offset))
    found = clock.figures(100 * 1_000_000_000, Decimal(10))
    assert (found.half_life_seconds, found.half_lives) == ((25 + 10) / 2, 2)


@given(st.lists(st.tuples(st.integers(0, 9), AMOUNTS), min_size=1, max_size=60))
def test_the_largest_drawdown_is_the_largest_fall_from_a_peak(changes: list[tuple[int, Decimal]]) -> None:
    clock, now, net, peak = DrawdownClock(), 0, Decimal(0), Decimal(0)
    largest = Decimal(0)
    for gap, change in changes:
        now, net = now + gap * 1_000_000, net + change
        peak = max(peak, net)
        largest = max(largest, peak - net)
        clock.note(now, peak - net)
    found = clock.figures(Decimal(1))
    assert found.largest == largest
    assert (found.bottom_ms is None) == (largest == 0)
    if found.bottom_ms is not None:
        assert found.from_ms is not None
        assert found.from_ms <= found.bottom_ms
        assert found.recovered_ms is None or found.recovered_ms >= found.bottom_ms


@given(
    st.lists(
        st.tuples(
            st.integers(0, 30),
            st.lists(st.tuples(st.sampled_from(list(Side)), st.integers(90, 110), st.integers(1, 9)), max_size=4),
            st.none() | st.integers(95, 105),
        ),
        max_size=40,
    ),
    st.integers(0, 30),
)
def test_presence_is_what_each_moment_by_itself_shows(
    moments: list[tuple[int, list[tuple[Side, int, int]], int | None]], rest: int
) -> None:
    """Times are tenths of a second; the rule is 2 contracts within 500 bps, looked at every second."""
    rule = ProgrammeRule(within_bps=500.0, size=Decimal(5), snapshot_seconds=1.0)
    clock, now, unit = PresenceClock(rule, rule.size), 3, 100_000_000
    clock.pass_until(now * unit)
    history = [(now, False, False)]
    for gap, quotes, mid in moments:
        now += gap
        clock.show(resting_quote(side, price, size) for side, price, size in quotes)
        clock.judge(now * unit, None if mid is None else Decimal(mid))
        met = tuple(
            mid is not None
            and sum(size for of, price, size in quotes if of is side and (mid - price) * side.sign <= mid * 0.05) >= 5
            for side in (Side.BID, Side.ASK)
        )
        history.append((now, *met))
    end = now + rest
    both = bids = snapshots = snapshots_met = 0
    for tick in range(3, end + 1):
        _, bid, ask = [each for each in history if each[0] <= tick][-1]
        if tick < end:
            both += bid and ask
            bids += bid
        if tick % 10 == 0:
            snapshots += 1
            snapshots_met += bid and ask
    found = clock.figures(end * unit, 0.0, 0.0)
    assert found.observed_seconds == pytest.approx((end - 3) / 10)
    assert found.both_share == pytest.approx(both / (end - 3) if end > 3 else 0.0)
    assert found.bid_share == pytest.approx(bids / (end - 3) if end > 3 else 0.0)
    assert (found.snapshots, found.snapshots_met) == (snapshots, snapshots_met)


@given(GAPS, st.integers(2, 9))
def test_bins_of_holds_add_up_to_the_stretches_however_often_they_were_joined(gaps: list[int], most: int) -> None:
    bins, now, spent = HoldBins(width=7, most=most), 20, Counter[tuple[str, str]]()
    for place, gap in enumerate(gaps):
        if not gap:
            continue
        reason = ("live", "risk", "funds")[place % 3]
        kind = StretchKind.LIVE if reason == "live" else StretchKind.HELD
        bins.take(Stretch(side=Side.BID, begin=now, end=now + gap, kind=kind, reason=reason))
        spent["bid", reason] += gap
        now += gap
    assert bins.totals == spent
    assert sum(bins.bins.values(), Counter()) == spent
    assert len(bins.bins) <= most
    for number, within in bins.bins.items():
        begin, end = max(number * bins.width, 20), min((number + 1) * bins.width, now)
        assert within.total() == end - begin


@given(st.lists(st.integers(0, 10**13), min_size=1, max_size=50))
def test_lives_lie_in_their_classes(lives: list[int]) -> None:
    kept = QuoteLives()
    for life in lives:
        kept.add(life)
        edge = upper_edge(class_of(life))
        assert life / 1e9 <= edge * (1 + 1e-12)
        assert class_of(life) == 0 or life / 1e9 > edge / 2**0.25 * (1 - 1e-12)
    found = kept.figures()
    assert found.count == sum(orders for _, orders in found.histogram) == len(lives)
    assert found.mean_seconds == pytest.approx(sum(lives) / len(lives) / 1e9)
    assert found.longest_seconds == max(lives) / 1e9


@given(st.integers(0, 20_000))
def test_thinned_rows_are_evenly_spaced_and_bounded(count: int) -> None:
    thinned = ThinnedRows[int]()
    for row in range(count):
        thinned.add(row)
    assert thinned.count == count
    assert len(thinned.rows) <= FILLS_SHOWN
    assert len(thinned.rows) >= min(count, FILLS_SHOWN // 2)
    assert len({later - earlier for earlier, later in pairwise(thinned.rows)}) <= 1
