"""Quotes of the shipped models through the services: what the papers' formulas give, in prices on the grid."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from mm_fsm.books.signals import Touch
from mm_fsm.core.decisions import HoldReason, QuotePlan
from mm_fsm.core.instrument import InstrumentKind
from mm_fsm.core.messages import Side
from mm_fsm.core.settings import ServiceNames
from mm_fsm.errors import SettingsError
from mm_fsm.services.registry import load_services
from mm_fsm.services.spreads import SharedQuoting
from tests.services.situation import SECOND, Situation, rules

FREE = {
    "min_spread_bps": 0.001,
    "min_edge_bps": 0,
    "max_spread_bps": 5000,
    "max_market_spread_bps": 5000,
    "num_price_levels": 1,
    "max_position_size": 1_000_000,
    "max_quote_exposure": 1_000_000_000,
    "max_inventory_pct": 1_000_000,
    "price_band_bps": 5000,
    "base_order_size": 150,
    "min_liquidation_distance": 0,
}
"""Bounds and limits that bind nothing. 150 in quote currency at some 100 are one lot of 1."""


def quoted(name: str, options: dict[str, Any], *, offset: str = "0", seconds_left: float | None = None) -> QuotePlan:
    instrument = rules(InstrumentKind.LINEAR, tick="0.000001", lot="1")
    situation = Situation(instrument, bid="90", ask="110", offset=offset, leverage="100", sigma=0.001, **FREE)
    if seconds_left is not None:
        situation.context.session_ends_at = situation.context.now + round(seconds_left * SECOND)
    service = load_services(ServiceNames(spreads=name), {name: options}).spreads
    return service.price_quotes(situation.context)


PAPER = {"risk_aversion": 0.1, "decay_per_price": 1.5, "volatility_price_per_sqrt_s": 2.0}


@pytest.mark.parametrize(
    ("offset", "left", "bid", "ask"),
    [
        # s = 100; total spread 1.690770423 with a second left, and r(q = 1) = s - 0.4
        ("0", 1.0, 100 - 1.690770423 / 2, 100 + 1.690770423 / 2),
        ("1", 1.0, 99.6 - 1.690770423 / 2, 99.6 + 1.690770423 / 2),
        ("-2", 1.0, 100.8 - 1.690770423 / 2, 100.8 + 1.690770423 / 2),
        ("5", 0.0, 100 - 1.290770423 / 2, 100 + 1.290770423 / 2),  # nothing is left: the position costs nothing more
    ],
)
def test_avellaneda_and_stoikov_quote_around_the_reservation_price(
    offset: str, left: float, bid: float, ask: float
) -> None:
    plan = quoted("avellaneda_stoikov", PAPER, offset=offset, seconds_left=left)
    assert float(plan.bids[0].price) == pytest.approx(bid, abs=2e-6)
    assert float(plan.asks[0].price) == pytest.approx(ask, abs=2e-6)


def test_without_an_end_the_horizon_rolls_on() -> None:
    plan = quoted("avellaneda_stoikov", {**PAPER, "horizon_seconds": 1}, offset="1")
    assert float(plan.bids[0].price) == pytest.approx(99.6 - 1.690770423 / 2, abs=2e-6)


def test_the_papers_benchmark_ignores_the_position() -> None:
    """(2 / gamma) ln(1 + gamma / k) + gamma sigma^2 T / 2 = 1.290770423 + 0.2, always around the mid."""
    plan = quoted("avellaneda_stoikov", {**PAPER, "horizon_seconds": 1, "symmetric": True}, offset="3")
    assert float(plan.bids[0].price) == pytest.approx(100 - 1.490770423 / 2, abs=2e-6)
    assert float(plan.asks[0].price) == pytest.approx(100 + 1.490770423 / 2, abs=2e-6)


def test_glft_quotes_the_published_distance() -> None:
    """Sigma 0.3, A 0.9, k 0.3, gamma 0.01, one tick a price unit: the bid lies 3.312915 below."""
    options = {
        "risk_aversion": 0.01,
        "decay_per_price": 0.3,
        "intensity_per_second": 0.9,
        "volatility_price_per_sqrt_s": 0.3,
    }
    plan = quoted("glft", options)
    assert float(plan.bids[0].price) == pytest.approx(100 - 3.312915, abs=2e-6)
    assert float(plan.asks[0].price) == pytest.approx(100 + 3.312915, abs=2e-6)


def test_a_decay_and_a_volatility_by_basis_points_are_those_by_price() -> None:
    """At 100 a basis point is 0.01: 1.5 a unit of price is 0.015 a basis point, and 2 is 200 bps."""
    by_bps = {"risk_aversion": 0.1, "decay_per_bps": 0.015, "volatility_bps_per_sqrt_s": 200}
    assert quoted("avellaneda_stoikov", by_bps, seconds_left=1).bids == (
        quoted("avellaneda_stoikov", PAPER, seconds_left=1).bids
    )


def test_the_machines_own_volatility_serves_where_none_is_given() -> None:
    """0.1 % over five seconds at 100 is 0.1 / sqrt(5) in price per square-root second."""
    options = {"risk_aversion": 0.1, "decay_per_price": 1.5, "horizon_seconds": 100}
    plan = quoted("avellaneda_stoikov", options)
    half = (0.1 * 0.1**2 / 5 * 100 + 1.290770423) / 2
    assert float(plan.bids[0].price) == pytest.approx(100 - half, abs=1e-4)


@pytest.mark.parametrize(("options", "spread"), [({}, 10.0), ({"spread_bps": 34}, 34.0)])
def test_a_fixed_spread_is_fixed(options: dict[str, Any], spread: float) -> None:
    plan = quoted("fixed", options, offset="7")
    assert (plan.bid_spread_bps, plan.ask_spread_bps) == (spread, spread)
    assert plan.bids[0].price == 100 - Decimal(str(spread)) / 200
    assert plan.asks[0].price == 100 + Decimal(str(spread)) / 200


@pytest.mark.parametrize(
    ("name", "options", "field"),
    [
        ("glft", {}, "risk_aversion"),
        ("glft", {"risk_aversion": 0, "intensity_per_second": 1}, "risk_aversion"),
        ("glft", {"risk_aversion": 1, "decay_per_bps": 1}, "intensity_per_second"),
        ("glft", {"risk_aversion": 1, "intensity_per_second": 1}, "decay_per_bps"),
        ("avellaneda_stoikov", {"risk_aversion": 1, "decay_per_bps": 1, "decay_per_price": 1}, "decay_per_bps"),
        ("avellaneda_stoikov", {**PAPER, "volatility_bps_per_sqrt_s": 1}, "volatility_bps_per_sqrt_s"),
        ("avellaneda_stoikov", {**PAPER, "horizon_seconds": float("nan")}, "horizon_seconds"),
        ("avellaneda_stoikov", {**PAPER, "symmetric": "yes"}, "symmetric"),
        ("avellaneda_stoikov", {**PAPER, "gamma": 1}, "gamma"),
        ("fixed", {"spread_bps": -1}, "spread_bps"),
        ("fixed", {"spread_bps": "wide"}, "spread_bps"),
    ],
)
def test_options_that_cannot_be_are_refused_when_the_service_is_made(
    name: str, options: dict[str, Any], field: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        load_services(ServiceNames(spreads=name), {name: options})
    assert refused.value.field == f"strategy.service_options.{name}.{field}"


def test_options_that_are_no_table_are_refused() -> None:
    with pytest.raises(SettingsError, match="a table with risk_aversion"):
        load_services(ServiceNames(spreads="glft"), {"glft": 3})


def test_an_estimated_intensity_holds_both_sides_until_it_is_known() -> None:
    options = {"risk_aversion": 0.001, "decay_per_bps": "estimated", "intensity_per_second": "estimated"}
    service = load_services(ServiceNames(spreads="glft"), {"glft": options}).spreads
    assert isinstance(service, SharedQuoting)
    situation = Situation(rules(InstrumentKind.LINEAR, tick="0.001", lot="0.01"), **FREE)
    context = situation.context
    context.signals.want(service.wanted_signals(context.settings))
    situation.book("99.95", "100.05")
    plan = service.price_quotes(context)
    assert plan.bid_hold is not None
    assert plan.bid_hold.reason is HoldReason.WARMING_UP
    assert plan.bid_hold.detail == "intensity is not known yet"
    for second in range(1, 200):
        context.signals.observe_book(context.now + second * SECOND, Touch(99.95, 100.05, 1, 1))
        for side in Side:
            price = 100 + side.sign * 0.001 * second
            context.signals.observe_trade(context.now + second * SECOND, side, price, 1)
    assert service.hold_market(context) is None
    known = context.signals.intensity
    assert known is not None
    given = {"risk_aversion": 0.001} | {
        "decay_per_bps": known.decay_per_bps,
        "intensity_per_second": known.rate_per_second,
    }
    same = load_services(ServiceNames(spreads="glft"), {"glft": given}).spreads
    assert service.price_quotes(context).bids == same.price_quotes(context).bids != ()
