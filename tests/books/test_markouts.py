"""Markouts of own fills against hand calculations and what was measured on a recorded day."""

from __future__ import annotations

import csv
import gzip
import heapq
import math
from bisect import bisect_right
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.books import markouts
from mm_fsm.books.markouts import MakerFill, MarkoutTracker, split_spread
from mm_fsm.core.messages import Side
from mm_fsm.errors import FactRefusedError, SettingsError

SECOND = 1_000_000_000

PRICES = st.decimals("0.00000001", "99999999", places=8, allow_nan=False, allow_infinity=False)


def fill(time: int, side: Side, price: float, quantity: float, mid: float, **more: Any) -> MakerFill:
    return MakerFill(time=time, side=side, price=price, quantity=quantity, mid=mid, **more)


@frozen
class RecordedTrade:
    time: int
    maker_side: Side
    price: Decimal
    quantity: Decimal


@frozen
class RecordedDay:
    quotes: list[tuple[int, Decimal]]
    trades: list[RecordedTrade]


@pytest.fixture(scope="module")
def recorded_day(recorded_data: Callable[[str], Path]) -> RecordedDay:
    """Mids and trades of one day, times in nanoseconds."""
    folder = recorded_data("gemini_ethusd")
    with gzip.open(folder / "gemini_quotes_2021-07-01_ETHUSD.csv.gz", "rt", newline="") as lines:
        quotes = [
            (int(row["timestamp"]) * 1_000, (Decimal(row["bid_price"]) + Decimal(row["ask_price"])) / 2)
            for row in csv.DictReader(lines)
        ]
    with gzip.open(folder / "gemini_trades_2021-07-01_ETHUSD.csv.gz", "rt", newline="") as lines:
        trades = [
            RecordedTrade(
                int(row["timestamp"]) * 1_000,
                Side.ASK if row["side"] == "buy" else Side.BID,
                Decimal(row["price"]),
                Decimal(row["amount"]),
            )
            for row in csv.DictReader(lines)
        ]
    return RecordedDay(quotes, trades)


def test_a_purchase_is_marked_with_the_mid_prevailing_at_its_horizon() -> None:
    # Bought at 99 with the mid at 100. At 1 s the mid of 0.9 s prevails: (98 - 99) / 100 is -100 bps; 200 bps at 5 s,
    # from the mid observed exactly then: (101 - 99) / 100.
    tracker = MarkoutTracker((1.0, 5.0))
    tracker.observe(0, 100.0)
    tracker.record_fill(fill(0, Side.BID, 99.0, 2.0, 100.0))
    for milliseconds, mid in ((900, 98.0), (1_100, 150.0), (5_000, 101.0), (5_001, 70.0)):
        tracker.observe(milliseconds * 1_000_000, mid)
    assert tracker.figures(1.0).trade_weighted_bps == pytest.approx(-100.0)
    assert tracker.figures(5.0).trade_weighted_bps == pytest.approx(200.0)


def test_a_sale_gains_when_the_mid_falls_below_its_price() -> None:
    # Sold at 202 with the mid at 200, which falls to 199: -1 * (199 - 202) / 200 = 150 bps.
    tracker = MarkoutTracker((1.0,))
    tracker.record_fill(fill(0, Side.ASK, 202.0, 1.0, 200.0))
    tracker.observe(SECOND // 2, 199.0)
    tracker.observe(2 * SECOND, 300.0)
    assert tracker.figures(1.0, Side.ASK).trade_weighted_bps == pytest.approx(150.0)
    assert tracker.figures(1.0, Side.BID).count == 0
    assert tracker.figures(1.0, Side.BID).trade_weighted_bps is None


def test_weights_by_trade_and_by_volume_can_differ_in_sign() -> None:
    # The mid stays at 100. Bought 1 at 99 (+100 bps) and 3 at 100.5 (-50 bps), sold 4 at 101 (+100 bps).
    # Bids: by trade (100 - 50) / 2 = 25, by volume (100 - 150) / 4 = -12.5. Both sides: 150 / 3 = 50, 350 / 8 = 43.75.
    tracker = MarkoutTracker((1.0,))
    tracker.observe(0, 100.0)
    tracker.record_fill(fill(0, Side.BID, 99.0, 1.0, 100.0))
    tracker.record_fill(fill(0, Side.BID, 100.5, 3.0, 100.0))
    tracker.record_fill(fill(0, Side.ASK, 101.0, 4.0, 100.0))
    tracker.observe(2 * SECOND, 100.0)
    bids, both = tracker.figures(1.0, Side.BID), tracker.figures(1.0)
    assert (bids.count, bids.quantity) == (2, 4.0)
    assert bids.trade_weighted_bps == pytest.approx(25.0)
    assert bids.volume_weighted_bps == pytest.approx(-12.5)
    assert (both.count, both.quantity) == (3, 8.0)
    assert both.trade_weighted_bps == pytest.approx(50.0)
    assert both.volume_weighted_bps == pytest.approx(43.75)


def test_a_horizon_is_open_until_a_later_mid_and_the_last_mid_at_its_time_counts() -> None:
    tracker = MarkoutTracker((1.0,))
    tracker.record_fill(fill(0, Side.BID, 100.0, 1.0, 100.0))
    tracker.observe(SECOND, 150.0)
    tracker.observe(SECOND, 101.0)
    assert tracker.figures(1.0).count == 0
    tracker.observe(SECOND + 1, 50.0)
    assert tracker.figures(1.0).trade_weighted_bps == pytest.approx(100.0)


def test_the_mid_at_the_fill_prevails_until_one_is_observed() -> None:
    # (100 - 99) / 100; the mid of 2 s came after the horizon.
    tracker = MarkoutTracker((1.0,))
    tracker.record_fill(fill(0, Side.BID, 99.0, 1.0, 100.0))
    tracker.observe(2 * SECOND, 150.0)
    assert tracker.figures(1.0).trade_weighted_bps == pytest.approx(100.0)


def test_a_mid_from_before_an_earlier_one_is_ignored() -> None:
    tracker = MarkoutTracker((1.0,))
    tracker.observe(5 * SECOND, 100.0)
    before = tracker.snapshot()
    tracker.observe(4 * SECOND, 200.0)
    assert tracker.snapshot() == before


def test_a_fill_recorded_late_is_followed_over_the_horizons_still_ahead() -> None:
    # Recorded at 10 s for 8 s: the mid of 9 s is no longer known, the one of 13 s is. (103 - 100) / 100 = 300 bps.
    tracker = MarkoutTracker((1.0, 5.0))
    tracker.observe(10 * SECOND, 101.0)
    tracker.record_fill(fill(8 * SECOND, Side.BID, 100.0, 1.0, 100.0))
    tracker.observe(12 * SECOND, 103.0)
    tracker.observe(14 * SECOND, 105.0)
    assert tracker.unmeasured == 1
    assert tracker.figures(1.0).count == 0
    assert tracker.figures(5.0).trade_weighted_bps == pytest.approx(300.0)


def test_fills_recorded_out_of_order_are_settled_in_order_of_their_horizons() -> None:
    """Due at 4 s (mid 102: +200 bps, an ask) and at 3 s (mid 101: +100 bps, a bid), recorded in that order."""
    tracker = MarkoutTracker((1.0,), judged_seconds=1.0)
    tracker.observe(0, 100.0)
    tracker.record_fill(fill(3 * SECOND, Side.ASK, 100.0, 1.0, 100.0))
    tracker.record_fill(fill(2 * SECOND, Side.BID, 100.0, 1.0, 100.0))
    for second, mid in ((3, 101.0), (4, 102.0)):
        tracker.observe(second * SECOND, mid)
    assert tracker.figures(1.0).trade_weighted_bps == pytest.approx(100.0)
    tracker.observe(5 * SECOND, 103.0)
    assert tracker.figures(1.0, Side.ASK).trade_weighted_bps == pytest.approx(-200.0)


# -- net of fees, by level, with intervals ---------------------------------------------------------------------------


def test_a_markout_net_of_fees_is_less_by_what_the_fill_paid() -> None:
    """Sold at 101 with the mid at 100, which stays: 100 bps. 10 bps of 101 are 10.1 bps of the mid; a rebate adds."""
    for fee, net in ((10.0, 89.9), (0.0, 100.0), (-10.0, 110.1)):
        tracker = MarkoutTracker((1.0,))
        tracker.record_fill(fill(0, Side.ASK, 101.0, 1.0, 100.0, fee_bps=fee))
        tracker.observe(2 * SECOND, 100.0)
        figures = tracker.figures(1.0)
        assert figures.trade_weighted_bps == pytest.approx(100.0)
        assert figures.net_by_trade is not None
        assert figures.net_by_trade.value == pytest.approx(net)
        assert not math.isfinite(figures.net_by_trade.upper)  # one batch says nothing of others


def test_figures_stand_by_side_and_level_and_apart_for_orders_that_were_no_quotes() -> None:
    tracker = MarkoutTracker((1.0,))
    for side, price, level in ((Side.ASK, 101.0, 1), (Side.BID, 99.0, 0), (Side.BID, 98.0, 1), (Side.BID, 99.5, None)):
        tracker.record_fill(fill(0, side, price, 1.0, 100.0, level=level))
    tracker.observe(2 * SECOND, 100.0)
    found = tracker.figures_by_level(1.0)
    assert list(found) == [(Side.BID, 0), (Side.BID, 1), (Side.BID, None), (Side.ASK, 1)]
    assert [each.trade_weighted_bps for each in found.values()] == pytest.approx([100.0, 200.0, 50.0, 100.0])


def test_the_edge_of_quotes_leaves_out_other_orders_and_what_widening_gave() -> None:
    """At the judged horizon: 100 - 10 - 5 and 100 - 10, of 1 and 3: (85 + 270) / 4. A reduction's -50 is none of it."""
    tracker = MarkoutTracker((1.0, 5.0), judged_seconds=5.0)
    tracker.record_fill(fill(0, Side.BID, 99.0, 1.0, 100.0, fee_bps=10 / 0.99, level=0, widened_bps=5.0))
    tracker.record_fill(fill(0, Side.BID, 99.0, 3.0, 100.0, fee_bps=10 / 0.99, level=2))
    tracker.record_fill(fill(0, Side.BID, 100.5, 9.0, 100.0))
    tracker.observe(2 * SECOND, 100.0)
    assert tracker.quote_edge.estimate() is None
    tracker.observe(6 * SECOND, 100.0)
    edge = tracker.quote_edge.estimate()
    assert edge is not None
    assert edge.value == pytest.approx(88.75)
    assert tracker.quote_edge.count == 2


def test_a_judged_horizon_that_is_not_reported_is_followed_as_well() -> None:
    assert MarkoutTracker((1.0, 5.0), judged_seconds=2.0).horizons_seconds == (1.0, 2.0, 5.0)


# -- books that are not believed -------------------------------------------------------------------------------------


def suspended(until: float, *, since: float = 0.5) -> MarkoutTracker:
    """Bought at 100 at 0 s; no book is believed from ``since`` on, and then one at 101 is. Horizons 1 and 5 s."""
    tracker = MarkoutTracker((1.0, 5.0), judged_seconds=5.0)
    tracker.observe(0, 100.0)
    tracker.record_fill(fill(0, Side.BID, 100.0, 1.0, 100.0))
    tracker.suspend(round(since * SECOND))
    tracker.suspend(round(since * SECOND) + 1)  # the first counts
    tracker.observe(round(until * SECOND), 101.0)
    return tracker


def test_a_horizon_that_passes_while_no_book_is_believed_waits_for_the_next_one() -> None:
    tracker = suspended(until=2.0)
    assert tracker.figures(1.0).trade_weighted_bps == pytest.approx(100.0)
    assert tracker.unmeasured == 0


def test_it_is_dropped_when_twice_the_horizon_passes_without_one() -> None:
    tracker = suspended(until=2.001)
    assert tracker.figures(1.0).count == 0
    assert tracker.unmeasured == 1
    tracker.observe(5 * SECOND + 1, 50.0)  # that of 5 s is judged by its own measure: the mid of 2 s prevailed
    assert tracker.figures(5.0).trade_weighted_bps == pytest.approx(100.0)


def test_a_horizon_that_passed_before_the_doubt_began_has_its_own_mid() -> None:
    tracker = suspended(until=400.0, since=1.5)
    assert tracker.figures(1.0).trade_weighted_bps == pytest.approx(0.0)
    assert tracker.unmeasured == 1  # that of 5 s


def test_without_a_time_nothing_is_believed_since_the_last_mid() -> None:
    tracker = MarkoutTracker((1.0,))
    tracker.observe(SECOND, 100.0)
    tracker.record_fill(fill(0, Side.BID, 100.0, 1.0, 100.0))
    tracker.record_fill(fill(1, Side.BID, 100.0, 1.0, 100.0))
    tracker.suspend(None)
    tracker.observe(29 * SECOND, 70.0)
    assert tracker.figures(1.0).trade_weighted_bps == pytest.approx(0.0)
    assert (tracker.figures(1.0).count, tracker.unmeasured) == (1, 1)


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markouts, "MOST_FOLLOWED", 3)
    tracker = MarkoutTracker((1.0, 5.0))
    for number in range(3):
        tracker.record_fill(fill(number, Side.BID, 99.0, 1.0, 100.0))
    assert tracker.unmeasured == 6  # of nine horizons, 30 s being judged
    tracker.observe(10 * SECOND, 100.0)
    assert (tracker.figures(1.0).count, tracker.figures(5.0).count) == (0, 0)


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.nan, math.inf])
def test_what_is_not_positive_and_finite_is_refused_and_changes_nothing(wrong: float) -> None:
    tracker = MarkoutTracker()
    tracker.observe(0, 100.0)
    before = tracker.snapshot()
    with pytest.raises(FactRefusedError, match="mid"):
        tracker.observe(SECOND, wrong)
    assert tracker.snapshot() == before
    for price, quantity, mid, field in (
        (wrong, 1.0, 100.0, "price"),
        (99.0, wrong, 100.0, "quantity"),
        (99.0, 1.0, wrong, "mid"),
    ):
        with pytest.raises(FactRefusedError, match=field):
            fill(SECOND, Side.BID, price, quantity, mid)


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("field", ["fee_bps", "widened_bps"])
def test_a_fee_that_is_not_finite_is_refused(wrong: float, field: str) -> None:
    with pytest.raises(FactRefusedError, match=field):
        fill(SECOND, Side.BID, 99.0, 1.0, 100.0, **{field: wrong})


@pytest.mark.parametrize("horizons", [(), (0.0,), (-1.0,), (math.inf,), (math.nan,), (5.0, 5.0)])
def test_horizons_that_cannot_be_followed_are_refused(horizons: tuple[float, ...]) -> None:
    with pytest.raises(SettingsError, match="horizons_seconds"):
        MarkoutTracker(horizons)


def test_a_question_that_can_never_have_an_answer_is_refused() -> None:
    tracker = MarkoutTracker((1.0,))
    with pytest.raises(SettingsError, match="horizon_seconds"):
        tracker.figures(2.0)
    with pytest.raises(SettingsError, match="horizon_seconds"):
        tracker.figures_by_level(2.0)


def test_a_spread_splits_by_hand() -> None:
    # A taker buys at 101 with the mid at 100, which rises to 100.4: the maker sold, keeps 0.6 and loses 0.4 of 1.
    split = split_spread(Side.ASK, Decimal(101), Decimal(100), Decimal("100.4"))
    assert (split.effective, split.realized, split.impact) == (Decimal(1), Decimal("0.6"), Decimal("0.4"))
    # A taker sells at 99.5, and the mid falls to 99: the maker bought, earned 0.5 and lost 1.
    split = split_spread(Side.BID, Decimal("99.5"), Decimal(100), Decimal(99))
    assert (split.effective, split.realized, split.impact) == (Decimal("0.5"), Decimal("-0.5"), Decimal(1))


@given(side=st.sampled_from(Side), price=PRICES, mid=PRICES, later_mid=PRICES)
def test_the_parts_of_a_spread_add_up_exactly(side: Side, price: Decimal, mid: Decimal, later_mid: Decimal) -> None:
    split = split_spread(side, price, mid, later_mid)
    assert split.effective == split.realized + split.impact


@pytest.mark.parametrize(
    ("horizon", "volume_weighted", "trade_weighted"),
    [
        (1.0, 1.433, 0.144),
        (5.0, -0.935, -1.612),
        (30.0, -1.095, -1.851),
        (60.0, 0.023, -1.485),
        (300.0, -0.143, -1.823),
    ],
)
def test_a_recorded_day_has_the_markouts_that_were_measured_on_it(
    horizon: float, volume_weighted: float, trade_weighted: float, day_tracker: MarkoutTracker
) -> None:
    figures = day_tracker.figures(horizon)
    assert figures.count == 25_222
    assert figures.volume_weighted_bps == pytest.approx(volume_weighted, abs=0.00051)
    assert figures.trade_weighted_bps == pytest.approx(trade_weighted, abs=0.00051)


@pytest.fixture(scope="module")
def day_tracker(recorded_day: RecordedDay) -> MarkoutTracker:
    """The day as the maker of every trade lived it: a quote stamped t is known to a trade at t."""
    tracker = MarkoutTracker()
    quotes = [(time, 0, index) for index, (time, _) in enumerate(recorded_day.quotes)]
    trades = [(trade.time, 1, index) for index, trade in enumerate(recorded_day.trades)]
    mid = math.nan
    for time, is_trade, index in heapq.merge(quotes, trades):
        if is_trade:
            trade = recorded_day.trades[index]
            tracker.record_fill(fill(time, trade.maker_side, float(trade.price), float(trade.quantity), mid))
        else:
            mid = float(recorded_day.quotes[index][1])
            tracker.observe(time, mid)
    tracker.observe(recorded_day.quotes[-1][0] + 400 * SECOND, mid)  # the last mid is carried beyond the day's end
    return tracker


def test_a_recorded_day_has_the_effective_spread_that_was_measured_on_it(recorded_day: RecordedDay) -> None:
    """Weighted with volume 3.949 bps, of which 1.433 are kept for 1 s, so 2.516 are impact; 2.494 bps by trade."""
    times = [time for time, _ in recorded_day.quotes]

    def prevailing(time: int) -> Decimal:
        return recorded_day.quotes[bisect_right(times, time) - 1][1]

    effective = realized = impact = volume = by_trade = 0.0
    for trade in recorded_day.trades:
        mid, quantity = prevailing(trade.time), float(trade.quantity)
        split = split_spread(trade.maker_side, trade.price, mid, prevailing(trade.time + SECOND))
        weight = quantity * 1e4 / float(mid)
        effective += float(split.effective) * weight
        realized += float(split.realized) * weight
        impact += float(split.impact) * weight
        by_trade += float(split.effective) * 1e4 / float(mid)
        volume += quantity
    assert effective / volume == pytest.approx(3.949, abs=0.00051)
    assert realized / volume == pytest.approx(1.433, abs=0.00051)
    assert impact / volume == pytest.approx(2.516, abs=0.00102)
    assert by_trade / len(recorded_day.trades) == pytest.approx(2.494, abs=0.00051)
