"""Quotes that lie further out for the losses of earlier fills: their own fills are judged without what that gave them.

Each order is judged by its own placement: what the plan wants later, or wanted before, says nothing of it.
"""

from __future__ import annotations

import pytest
from attrs import evolve

from mm_fsm.books.markouts import MakerFill
from mm_fsm.core.messages import Liquidity, OrderPurpose, PlaceOrder, Side
from tests.machine.bench import SECOND, Bench, settings_with

BATCH = 120 * SECOND


def bench(*, keeps_quotes: bool) -> Bench:
    """A maker whose quotes leave whenever they lie elsewhere than wanted, or never for that."""
    tolerance = 1.0 if keeps_quotes else 0.0
    return Bench(
        settings_with(
            requote_tolerance_away_share=tolerance,
            requote_tolerance_towards_share=tolerance,
            adverse_selection_minimum_fills=2,
            adverse_selection_bps=1.0,
            min_edge_bps=1.0,
            max_spread_bps=200.0,
            level_spread_multiplier=2.0,
            num_price_levels=2,
            refresh_interval_seconds=2.0,
            stale_data_seconds=100.0,
        )
    ).start_quoting()


def lose(bench: Bench, bps: float, batches: int = 40) -> None:
    """Quotes lost so much each, a little more or less; and prices are calculated anew."""
    edge, first = bench.context.markouts.quote_edge, bench.now // BATCH - batches
    for number in range(batches):
        edge.add((first + number) * BATCH, -bps + (number % 2 - 0.5) / 100, 1000.0)
    refresh(bench)


def gain(bench: Bench) -> None:
    """Quotes earned enough without any widening."""
    lose(bench, -1_000.0)


def refresh(bench: Bench) -> None:
    for _ in range(4):
        bench.later(1.0)
        bench.book()
        bench.settle()


def followed(bench: Bench) -> list[MakerFill]:
    fills = {fill.time: fill for *_, fill in bench.context.markouts._pending}
    return [fills[time] for time in sorted(fills)]


def filled(bench: Bench, level: int, **changes: object) -> MakerFill:
    """The last bid of this level fills."""
    order = [each for each in bench.live(Side.BID) if bench.own(each).level == level][-1]
    bench.later(0.1)
    bench.fill(order, **changes)
    return followed(bench)[-1]


def test_a_quote_from_before_the_widening_owes_it_nothing() -> None:
    """It was credited with the widening of the plan, which its price does not have: so each fill widened the next."""
    maker = bench(keeps_quotes=True)
    before = set(maker.live(Side.BID))
    lose(maker, 5)
    assert maker.context.sides[Side.BID].widening_bps > 10
    assert set(maker.live(Side.BID)) == before
    assert filled(maker, 0).widened_bps == 0


def test_a_widened_quote_is_judged_without_its_widening_even_once_the_plan_is_narrow() -> None:
    """Fills lost 5 each, and 1 is to be earned: 11 more, 5.5 a side, and twice that on a level twice as far away."""
    maker = bench(keeps_quotes=False)
    lose(maker, 5)
    for side in maker.context.sides.values():
        side.widening_bps = 0.0
    assert filled(maker, 0).widened_bps == pytest.approx(5.5, abs=0.03)
    assert filled(maker, 1).widened_bps == pytest.approx(11, abs=0.05)


def test_a_fill_whose_maker_is_told_later_owes_what_its_order_owed() -> None:
    maker = bench(keeps_quotes=False)
    lose(maker, 5)
    order = [each for each in maker.live(Side.BID) if maker.own(each).level == 0][-1]
    maker.later(0.1)
    fill = maker.trade(order, liquidity=None)
    maker.tell(fill)
    assert followed(maker) == []
    gain(maker)
    maker.tell(evolve(fill, received_at=maker.now, liquidity=Liquidity.MAKER))
    assert followed(maker)[-1].widened_bps == pytest.approx(5.5, abs=0.03)


def test_only_quotes_are_widened() -> None:
    maker = bench(keeps_quotes=False)
    lose(maker, 5)
    filled(maker, 0)
    maker.stop()
    maker.settle()
    placements = [order.intent for order in maker.orders.values() if isinstance(order.intent, PlaceOrder)]
    assert {order.widened_bps for order in placements if order.purpose is OrderPurpose.WIND_DOWN} == {0.0}
