"""The faults of the design this project started from, each with what would show it. Every one would lose money."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mm_fsm.core.decisions import QuotePlan
from mm_fsm.services.spreads import DefaultSpreadService
from tests.services.situation import Situation, rules

SERVICE = DefaultSpreadService()


def plan_for(**changes: object) -> QuotePlan:
    settings = {"max_position_size": 4, "market_spread_share": 0, "inventory_adjustment_factor": 0}
    return SERVICE.price_quotes(Situation(**(settings | changes)).context)  # type: ignore[arg-type]


def test_volatility_is_measured_and_not_a_constant_that_pins_the_spread_at_its_maximum() -> None:
    """A constant 2 % would add 400 bps in every market; 1 bps and 10 bps of it give 10 + 2 and 10 + 20."""
    quiet, lively = plan_for(sigma=0.0001), plan_for(sigma=0.001)
    assert (quiet.bid_spread_bps, lively.bid_spread_bps) == pytest.approx((12, 30))
    assert not quiet.bid_was_clamped
    assert not lively.ask_was_clamped


def test_a_long_position_moves_both_quotes_to_where_it_is_sold() -> None:
    """The original's sign was the other way round: it raised both and bought more."""
    flat, long, short = plan_for(), plan_for(offset="3"), plan_for(offset="-3")
    assert long.bids[0].price < flat.bids[0].price < short.bids[0].price
    assert long.asks[0].price < flat.asks[0].price < short.asks[0].price


def test_the_side_that_reduces_the_position_is_the_larger_one() -> None:
    """The original grew the other one. At s = 3/4 the ask is quoted with 137.50 and the bid with 62.50."""
    long, short = plan_for(offset="3"), plan_for(offset="-3")
    assert notional(long, "ask") == pytest.approx(137.5, abs=0.02)
    assert notional(long, "bid") == pytest.approx(62.5, abs=0.02)
    assert notional(short, "ask") == pytest.approx(62.5, abs=0.02)
    assert notional(short, "bid") == pytest.approx(137.5, abs=0.02)


def notional(plan: QuotePlan, side: str) -> float:
    quote = plan.bids[0] if side == "bid" else plan.asks[0]
    return float(quote.price * quote.quantity)


def test_beyond_four_fifths_of_the_limit_quotes_are_not_adjusted_on_every_cycle() -> None:
    """The original compared the level, so that every fact after that led to another adjustment."""
    situation = Situation(offset="3.6", max_position_size=4)
    for _ in range(5):
        situation.adopt(SERVICE.price_quotes(situation.context))
        assert not SERVICE.are_quotes_stale(situation.context)


@pytest.mark.parametrize(("bid", "ask"), [("0.00995", "0.01005"), ("99.5", "100.5"), ("49750", "50250")])
def test_the_order_size_is_worth_the_same_at_every_price(bid: str, ask: str) -> None:
    """The original took an amount of 100 in quote currency for 100 base units."""
    market = rules(tick="0.00001", lot="0.00001")
    situation = Situation(market, bid=bid, ask=ask, target="20000", quote="10000000", max_inventory_pct=10)
    plan = SERVICE.price_quotes(situation.context)
    worth = plan.bids[0].price * plan.bids[0].quantity
    assert abs(worth - 100) <= plan.bids[0].price * Decimal("0.00001")
