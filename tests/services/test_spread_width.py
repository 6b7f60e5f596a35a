"""How wide each side is quoted, in basis points of the mid, against sums done by hand.

The mid is 100. Unless a test says otherwise volatility is 0, fees are 0, and the market's spread does not count.
"""

from __future__ import annotations

import pytest

from mm_fsm.core.decisions import QuotePlan
from mm_fsm.errors import SettingsError
from mm_fsm.services.spreads import DefaultSpreadService
from tests.services.situation import Situation


def plan_for(**changes: object) -> QuotePlan:
    situation = Situation(**({"market_spread_share": 0, "max_position_size": 4} | changes))  # type: ignore[arg-type]
    return DefaultSpreadService().price_quotes(situation.context)


def bps(plan: QuotePlan) -> tuple[float, float]:
    return (plan.bid_spread_bps, plan.ask_spread_bps)


def close(*expected: float) -> object:
    return pytest.approx(expected, abs=1e-6)


def test_a_calm_market_is_quoted_at_the_target() -> None:
    assert bps(plan_for()) == close(10, 10)


def test_volatility_over_a_quotes_life_widens_both_sides() -> None:
    """sigma_h = 5 bps, times the multiplier 2, on top of 10: 10 + 5 * 2 = 20."""
    assert bps(plan_for(sigma=0.0005)) == close(20, 20)


def test_the_volatility_multiplier_scales_what_volatility_adds() -> None:
    """10 + 5 * 3 = 25."""
    assert bps(plan_for(sigma=0.0005, volatility_multiplier=3)) == close(25, 25)


def test_volatility_is_taken_over_the_expected_life_of_a_quote() -> None:
    """A sigma over 5 s is 5 bps, so over 20 s it is 5 * sqrt(20 / 5) = 10 bps: 10 + 2 * 10 = 30."""
    assert bps(plan_for(sigma=0.0005, volatility_horizon_seconds=20)) == close(30, 30)


def test_a_share_of_the_markets_own_spread_is_added() -> None:
    """99.90 to 100.10 is 20 bps of the mid; half of that is 10, on top of 10."""
    assert bps(plan_for(bid="99.90", ask="100.10", market_spread_share=0.5)) == close(20, 20)


def test_a_wide_market_is_not_quoted_inside_out() -> None:
    """With the whole market spread of 40 bps added, both quotes lie outside the market's own best prices."""
    plan = plan_for(bid="99.80", ask="100.20", market_spread_share=1)
    assert plan.bids[0].price < 100 - plan.reference_price / 500 <= plan.reference_price  # 99.80
    assert plan.asks[0].price > 100 + plan.reference_price / 500  # 100.20


@pytest.mark.parametrize(
    ("offset", "expected"),
    [
        ("1", (22.5, 10)),  # s = 1/4: the bid widens by 100 * 0.5 * 0.25 = 12.5
        ("-1", (10, 22.5)),
        ("2", (35, 10)),  # s = 1/2: 100 * 0.5 * 0.5 = 25
        ("-4", (10, 60)),  # s = -1: 50
        ("8", (60, 10)),  # s stays at 1 beyond the limit
    ],
)
def test_only_the_side_that_would_add_to_the_position_widens(offset: str, expected: tuple[float, float]) -> None:
    assert bps(plan_for(offset=offset, max_spread_bps=80)) == close(*expected)


def test_the_inventory_adjustment_factor_scales_the_widening() -> None:
    """With s = 1/4: 100 * 0.2 * 0.25 = 5."""
    assert bps(plan_for(offset="1", inventory_adjustment_factor=0.2)) == close(15, 10)


def test_a_spread_above_the_maximum_is_clamped_to_it_and_counted() -> None:
    """sigma_h = 30 bps: 10 + 60 = 70, and 50 is the maximum."""
    plan = plan_for(sigma=0.003)
    assert bps(plan) == close(50, 50)
    assert (plan.bid_was_clamped, plan.ask_was_clamped) == (True, True)


def test_a_spread_below_the_minimum_is_clamped_to_it_and_counted() -> None:
    plan = plan_for(target_spread_bps=3)
    assert bps(plan) == close(5, 5)
    assert (plan.bid_was_clamped, plan.ask_was_clamped) == (True, True)


def test_each_side_is_clamped_from_its_own_value() -> None:
    """Only the bid is beyond 30: 10 + 25 for s = 1/2."""
    plan = plan_for(offset="2", max_spread_bps=30)
    assert bps(plan) == close(30, 10)
    assert (plan.bid_was_clamped, plan.ask_was_clamped) == (True, False)


def test_a_spread_on_its_bound_is_not_counted_as_clamped() -> None:
    plan = plan_for(target_spread_bps=50)
    assert bps(plan) == close(50, 50)
    assert (plan.bid_was_clamped, plan.ask_was_clamped) == (False, False)


@pytest.mark.parametrize(
    ("maker_bps", "min_edge_bps", "expected"),
    [
        ("7", 1, 15),  # 2 * 7 + 1 beats the target of 10
        ("7.5", 0, 15),
        ("4", 1, 10),  # 2 * 4 + 1 = 9 does not
        ("-1", 14, 12),  # a rebate lowers the floor: -2 + 14
        ("-20", 1, 10),  # a rebate beyond the edge leaves no floor, and no discount
    ],
)
def test_the_spread_never_falls_below_two_maker_fees_and_the_edge(
    maker_bps: str, min_edge_bps: float, expected: float
) -> None:
    assert bps(plan_for(maker_bps=maker_bps, min_edge_bps=min_edge_bps)) == close(expected, expected)


def test_a_large_rebate_still_leaves_the_minimum_spread() -> None:
    assert bps(plan_for(maker_bps="-20", target_spread_bps=1)) == close(5, 5)


def test_a_floor_above_the_maximum_is_refused() -> None:
    """2 * 25 + 1 = 51 is beyond 50: every quote would lose money."""
    situation = Situation(maker_bps="25")
    with pytest.raises(SettingsError) as refused:
        DefaultSpreadService().price_quotes(situation.context)
    assert refused.value.field == "max_spread_bps"
    assert refused.value.found == 50
    assert "51" in refused.value.expected
    assert "Raise max_spread_bps" in str(refused.value)


def test_a_floor_at_the_maximum_is_quoted() -> None:
    """2 * 24.5 + 1 = 50."""
    assert bps(plan_for(maker_bps="24.5")) == close(50, 50)


def test_quotes_that_fill_often_are_quoted_wider() -> None:
    """Half of every quoted unit fills: 2 * 0.5 = 1 on top of 10."""
    situation = Situation(market_spread_share=0)
    situation.context.recent_fill_rate = 0.5
    assert bps(DefaultSpreadService().price_quotes(situation.context)) == close(11, 11)


def test_the_plan_remembers_half_of_the_narrower_spread() -> None:
    """Bid 35 bps, ask 10: half of 10 bps of 100 is 0.05."""
    assert float(plan_for(offset="2").half_spread) == pytest.approx(0.05)
