"""Whole ticks and lots of a side's levels against the same formula in fractions, also where a float cannot tell."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from mm_fsm.core.messages import Side
from mm_fsm.services.ladder import Ladder, certain_floor
from tests.services.situation import Situation, rules

ticks = st.sampled_from(["0.01", "0.05", "0.1", "1", "0.00000001", "0.3"])
lots = st.sampled_from(["0.0001", "1", "0.00000001", "0.7"])


def written(value: float) -> Fraction:
    """The number that the digits of a float say."""
    return Fraction(Decimal(str(value)))


@settings(max_examples=300)
@given(
    mid=st.decimals("50", "200", places=4),
    tick=ticks,
    lot=lots,
    spread_bps=st.decimals("0.5", "500", places=6).map(float) | st.integers(1, 500).map(float),
    skew=st.decimals(-1, 1, places=6).map(float) | st.sampled_from([-1.0, 0.0, 0.5, 1.0]),
    side=st.sampled_from(Side),
)
def test_levels_are_the_formula_rounded_to_the_grid(
    mid: Decimal, tick: str, lot: str, spread_bps: float, skew: float, side: Side
) -> None:
    situation = Situation(rules(tick=tick, lot=lot))
    context = situation.context
    context.market.mid_price, context.market.bid_price, context.market.ask_price = mid, None, None
    inventory = evolve(context.assess_inventory(), skew=skew)
    strategy = context.settings
    quotes = Ladder(context, inventory, spread_bps, side, skew * strategy.skew_price_factor).quotes()
    m, sign, before = Fraction(mid), side.sign, None
    for level, quote in enumerate(quotes):
        shifted = m * (1 - written(skew * strategy.skew_price_factor))
        distance = m * written(spread_bps * strategy.level_spread_multiplier**level) / 20_000
        wanted = (shifted - sign * distance) / Fraction(tick)
        on_grid = math.floor(wanted) if sign > 0 else math.ceil(wanted)
        if before is not None:
            on_grid = min(on_grid, before - 1) if sign > 0 else max(on_grid, before + 1)
        before = on_grid
        assert Fraction(quote.price) == on_grid * Fraction(tick)
        size = Fraction(strategy.base_order_size) * written(1 - sign * skew / 2)
        size *= written(strategy.level_size_decay**level)
        assert Fraction(quote.quantity) == math.floor(size / Fraction(quote.price) / Fraction(lot)) * Fraction(lot)


@pytest.mark.parametrize(
    ("approximate", "whole", "expected"),
    [
        (10.5, 1000.0, 10),
        (-10.5, 1000.0, -11),
        (10.0, 10.0, None),
        (9.999999999999998, 10.0, None),
        (10.0001, 1e6, 10),
        (10.0001, 1e10, None),
        (0.5, 1e15, None),
    ],
)
def test_a_float_on_the_edge_decides_nothing(approximate: float, whole: float, expected: int | None) -> None:
    assert certain_floor(approximate, whole) == expected
