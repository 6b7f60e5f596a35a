"""The models give what their papers print, and what an independent solution of their equations gives."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.errors import SettingsError
from mm_fsm.services.models import avellaneda_stoikov, glft, impact

PAPER = {"volatility": 2.0, "risk_aversion": 0.1, "decay": 1.5}
"""Avellaneda and Stoikov (2008), section 3.3."""
TICKS = {"volatility": 0.3, "risk_aversion": 0.01, "intensity": 0.9, "decay": 0.3}
"""Gueant, Lehalle and Fernandez-Tapia (2013), section 5, in ticks."""


@pytest.mark.parametrize(("time_left", "spread"), [(1.0, 1.690770423), (0.0, 1.290770423)])
def test_total_spread_of_avellaneda_and_stoikov(time_left: float, spread: float) -> None:
    found = avellaneda_stoikov.distances(position=0.0, time_left=time_left, **PAPER)
    assert found.spread == pytest.approx(spread, abs=5e-10)


def test_reservation_price_of_one_unit() -> None:
    # s - q gamma sigma^2 (T - t) = 100 - 1 * 0.1 * 4 * 1
    found = avellaneda_stoikov.distances(position=1.0, time_left=1.0, **PAPER)
    assert found.reservation_price(100.0) == pytest.approx(99.6, abs=1e-12)


def test_the_symmetric_spread_is_the_time_average() -> None:
    # (2 / 0.1) ln(1 + 0.1 / 1.5) + 0.1 * 4 * 1 / 2 = 1.290770423 + 0.2
    found = avellaneda_stoikov.symmetric_distances(session=1.0, **PAPER)
    assert found.spread == pytest.approx(1.490770423, abs=5e-10)
    assert found.bid == found.ask


def test_asymptotic_bid_of_glft() -> None:
    found = glft.asymptotic_distances(position=0.0, **TICKS)
    assert found.bid == pytest.approx(3.312915, abs=5e-7)
    assert found.ask == found.bid


def test_far_from_the_end_the_exact_quotes_are_close_to_the_asymptotic_ones() -> None:
    exact = glft.exact_distances(orders_held=0, time_left=600.0, **TICKS)
    assert exact.bid == pytest.approx(glft.asymptotic_distances(position=0.0, **TICKS).bid, rel=2e-3)


def test_at_the_end_only_the_margin_is_left() -> None:
    # v = 1 everywhere: ln(1 + gamma / k) / gamma
    found = glft.exact_distances(orders_held=3, time_left=0.0, **TICKS)
    assert (found.bid, found.ask) == pytest.approx((math.log(1 + 0.01 / 0.3) / 0.01,) * 2)


@pytest.mark.parametrize("order_size", [1.0, 2.5])
@pytest.mark.parametrize("time_left", [0.1, 5.0, 600.0])
def test_the_exact_quotes_solve_the_differential_equation(time_left: float, order_size: float) -> None:
    """Against classical Runge-Kutta steps of dv/dt, written down apart."""
    gamma, k, a, sigma, most = 0.01, 0.3, 0.9, 0.3, 12
    ratio = gamma * order_size / k
    alpha, eta = k * gamma * sigma**2 * order_size / 2, a * (1 + ratio) ** -(1 + 1 / ratio)

    def slope(v: list[float]) -> list[float]:
        padded = [0.0, *v, 0.0]
        return [eta * (padded[i] + padded[i + 2]) - alpha * (i - most) ** 2 * v[i] for i in range(len(v))]

    v, steps = [1.0] * (2 * most + 1), max(int(time_left * 20), 200)
    h = time_left / steps
    for _ in range(steps):
        k1 = slope(v)
        k2 = slope([x + h / 2 * y for x, y in zip(v, k1, strict=True)])
        k3 = slope([x + h / 2 * y for x, y in zip(v, k2, strict=True)])
        k4 = slope([x + h * y for x, y in zip(v, k3, strict=True)])
        v = [x + h / 6 * (p + 2 * q + 2 * r + s) for x, p, q, r, s in zip(v, k1, k2, k3, k4, strict=True)]
        v = [x / max(v) for x in v]
    margin = math.log(1 + ratio) / (gamma * order_size)
    for n in (-most + 1, -3, 0, 5, most - 1):
        found = glft.exact_distances(
            orders_held=n, time_left=time_left, order_size=order_size, most_orders=most, **TICKS
        )
        here = n + most
        assert found.bid == pytest.approx(math.log(v[here] / v[here + 1]) / k + margin, rel=1e-6)
        assert found.ask == pytest.approx(math.log(v[here] / v[here - 1]) / k + margin, rel=1e-6)


def test_at_its_bound_the_adding_side_is_not_quoted() -> None:
    assert glft.exact_distances(orders_held=30, time_left=1.0, **TICKS).bid == math.inf
    assert glft.exact_distances(orders_held=-30, time_left=1.0, **TICKS).ask == math.inf


MODELS = {
    "avellaneda_stoikov": lambda q, d: avellaneda_stoikov.distances(position=q, time_left=1.0, order_size=d, **PAPER),
    "glft": lambda q, d: glft.asymptotic_distances(position=q, order_size=d, **TICKS),
}


@pytest.mark.parametrize("model", MODELS)
@given(q=st.floats(-20, 20), more=st.floats(0.01, 5), size=st.floats(0.01, 10))
def test_more_inventory_lowers_both_quotes(model: str, q: float, more: float, size: float) -> None:
    before, after = MODELS[model](q, size), MODELS[model](q + more, size)
    assert after.bid > before.bid
    assert after.ask < before.ask


@pytest.mark.parametrize("model", MODELS)
@given(q=st.floats(-20, 20), size=st.floats(0.01, 10))
def test_long_and_short_mirror_each_other(model: str, q: float, size: float) -> None:
    long, short = MODELS[model](q, size), MODELS[model](-q, size)
    assert (long.bid, long.ask) == pytest.approx((short.ask, short.bid))


@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_another_unit_of_money_changes_nothing(factor: float) -> None:
    """Prices in another unit: sigma scales with them, gamma and k against them, and so do the distances."""
    as_paper = avellaneda_stoikov.distances(position=2.0, time_left=1.0, **PAPER)
    scaled = avellaneda_stoikov.distances(
        position=2.0, time_left=1.0, volatility=2.0 * factor, risk_aversion=0.1 / factor, decay=1.5 / factor
    )
    assert (scaled.bid / factor, scaled.ask / factor) == pytest.approx((as_paper.bid, as_paper.ask))
    ticks = glft.asymptotic_distances(position=2.0, **TICKS)
    other = glft.asymptotic_distances(
        position=2.0, volatility=0.3 * factor, risk_aversion=0.01 / factor, intensity=0.9, decay=0.3 / factor
    )
    assert (other.bid / factor, other.ask / factor) == pytest.approx((ticks.bid, ticks.ask))


@pytest.mark.parametrize("name", ["risk_aversion", "decay", "order_size"])
@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_a_parameter_without_sense_is_refused_by_name(name: str, value: float) -> None:
    arguments = {"risk_aversion": 0.1, "decay": 1.5, "order_size": 1.0, name: value}
    with pytest.raises(SettingsError, match=name):
        avellaneda_stoikov.distances(position=0.0, volatility=2.0, time_left=1.0, **arguments)


def test_square_root_impact() -> None:
    # 4 % a day, a ten-thousandth of the day's volume: 0.04 * 0.01 = 4 bps
    assert impact.square_root_impact(quantity=1.0, volatility_per_day=0.04, volume_per_day=1e4) == pytest.approx(4e-4)
