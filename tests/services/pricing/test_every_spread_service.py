"""What holds for every shipped spread service, whatever its parameters, the market and the position."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.core.decisions import QuotePlan
from mm_fsm.core.instrument import InstrumentKind
from mm_fsm.core.messages import Side
from mm_fsm.core.settings import ServiceNames
from mm_fsm.core.settings_tables import known_keys
from mm_fsm.errors import SettingsError
from mm_fsm.services.registry import load_services, registered_services
from mm_fsm.services.spreads import SharedQuoting
from tests.services.situation import Situation, rules

SHIPPED = {
    each.name: resolve_name(each.target)
    for each in registered_services()
    if each.role == "spreads" and each.origin == "mm-fsm"
}
BENCHMARKS = ("fixed", "symmetric")
"""They lean against no position."""
NAMES = (*SHIPPED, "symmetric")
"""Every shipped service, and Avellaneda and Stoikov's own benchmark, which is an option of theirs."""
NOT_DRAWN = {"symmetric", "decay_per_price", "volatility_bps_per_sqrt_s", "volatility_price_per_sqrt_s"}
"""A service of its own in ``NAMES``; other units of the decay; and what takes the place of the market's sigma."""
LIMIT = 10
MODELS = Path(__file__).resolve().parents[3] / "docs" / "models.md"


@st.composite
def parameters(draw: st.DrawFn) -> dict[str, float]:
    """Over several powers of ten, each."""

    def spread_out(lowest: int, highest: int) -> float:
        return float(10 ** draw(st.floats(lowest, highest)))

    return {
        "risk_aversion": spread_out(-5, 0),
        "decay_per_bps": spread_out(-2, 1),
        "intensity_per_second": spread_out(-3, 2),
        "horizon_seconds": spread_out(0, 3),
        "spread_bps": spread_out(-1, 2),
        "sigma": draw(st.sampled_from([0.0, 1e-5, 3e-4, 2e-3])),
    }


def service(name: str, values: dict[str, float], scale: int = 1) -> SharedQuoting:
    """A service; ``scale`` times the price needs a risk aversion, in 1/quote currency, so many times smaller."""
    registered = "avellaneda_stoikov" if name == "symmetric" else name
    kind = getattr(SHIPPED[registered], "options_class", None)
    known = () if kind is None else known_keys(kind)
    assert set(known) <= set(values) | NOT_DRAWN, "draw the new option in parameters()"
    options: dict[str, Any] = {each: values[each] for each in known if each in values}
    if "risk_aversion" in options:
        options["risk_aversion"] /= scale
    if name == "symmetric":
        options["symmetric"] = True
    made = load_services(ServiceNames(spreads=registered), {registered: options}).spreads
    assert isinstance(made, SharedQuoting)
    return made


def situation(values: dict[str, float], tenths: int, scale: int = 1) -> Situation:
    return Situation(
        rules(InstrumentKind.LINEAR, tick=str(Decimal("0.01") * scale), lot="0.001"),
        bid=str(Decimal("99.97") * scale),
        ask=str(Decimal("100.05") * scale),
        offset=str(Decimal(tenths) / 10),
        quote=str(100_000 * scale),
        sigma=values["sigma"],
        max_position_size=LIMIT,
        max_inventory_pct=1000,
        max_quote_exposure=10_000_000 * scale,
        base_order_size=100 * scale,
        min_liquidation_distance=0,
        price_band_bps=5000,
        max_spread_bps=200,
    )


def planned(name: str, values: dict[str, float], tenths: int, scale: int = 1) -> QuotePlan:
    return service(name, values, scale).price_quotes(situation(values, tenths, scale).context)


def test_every_service_has_a_row_where_one_is_chosen() -> None:
    """The first table of docs/models.md, and no row of a service that is not there."""
    table = MODELS.read_text(encoding="utf-8").split("## Which one")[1].split("\n## ")[0]
    assert sorted(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == sorted(SHIPPED)


def test_every_option_has_a_row_where_formulas_and_units_are() -> None:
    """The table of options in docs/models.md, and no row of an option that no service has."""
    table = MODELS.read_text(encoding="utf-8").split("## Formulas")[1].split("\n## ")[0]
    first_cells = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    kinds = [getattr(service, "options_class", None) for service in SHIPPED.values()]
    known = {option for kind in kinds if kind is not None for option in known_keys(kind)}
    assert {name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)} == known


@pytest.mark.parametrize("name", [name for name in SHIPPED if name != "default"])
def test_what_is_refused_of_a_service_s_options_stands_below_its_own_name(name: str) -> None:
    with pytest.raises(SettingsError, match=rf"strategy\.service_options\.{name}\b.*no_such_option"):
        load_services(ServiceNames(spreads=name), {name: {"no_such_option": 1}})


@pytest.mark.parametrize("name", NAMES)
@given(values=parameters(), held=st.lists(st.integers(-99, 99), min_size=2, max_size=3, unique=True).map(sorted))
def test_no_quote_rises_as_inventory_rises(name: str, values: dict[str, float], held: list[int]) -> None:
    for less, more in pairwise(held):
        before, after = planned(name, values, less), planned(name, values, more)
        for side in Side:
            lower = {quote.level: quote.price for quote in after.quotes(side)}
            for quote in before.quotes(side):
                assert lower.get(quote.level, quote.price) <= quote.price


@pytest.mark.parametrize("name", NAMES)
@given(values=parameters(), tenths=st.integers(-99, 99))
def test_quotes_never_cross_nor_reach_the_market_after_the_skew(
    name: str, values: dict[str, float], tenths: int
) -> None:
    plan = planned(name, values, tenths)
    assert all(quote.price < Decimal("100.05") for quote in plan.bids)
    assert all(quote.price > Decimal("99.97") for quote in plan.asks)
    if plan.bids and plan.asks:
        assert plan.bids[0].price < plan.asks[0].price


@pytest.mark.parametrize("name", [name for name in NAMES if name not in BENCHMARKS])
@given(values=parameters(), tenths=st.integers(1, 99))
def test_a_long_position_shifts_both_quotes_down_and_a_short_one_up_by_as_much(
    name: str, values: dict[str, float], tenths: int
) -> None:
    """The middle of the two unrounded quotes leans against the position, alike on both sides."""
    shifts = []
    made = service(name, values)
    for sign in (1, -1):
        context = situation(values, sign * tenths).context
        shifts.append(made.price(made.inputs(context)).shift)
    assert shifts[0] > 0 if values["sigma"] > 0 else shifts[0] >= 0
    assert shifts[0] == pytest.approx(-shifts[1], abs=1e-15)


@pytest.mark.parametrize("name", NAMES)
@given(values=parameters(), tenths=st.integers(-99, 99))
def test_a_price_a_thousand_times_as_high_changes_nothing_in_basis_points(
    name: str, values: dict[str, float], tenths: int
) -> None:
    small, large = planned(name, values, tenths), planned(name, values, tenths, 1000)
    assert large.bid_spread_bps == pytest.approx(small.bid_spread_bps, rel=1e-9)
    assert large.ask_spread_bps == pytest.approx(small.ask_spread_bps, rel=1e-9)
    for side in Side:
        lower, higher = small.quotes(side), large.quotes(side)
        assert [quote.level for quote in lower] == [quote.level for quote in higher]
        for one, other in zip(lower, higher, strict=True):
            assert abs(other.price / 1000 - one.price) <= Decimal("0.01")  # a tick: floats fall on either side of it


@pytest.mark.parametrize("name", ["avellaneda_stoikov", "glft"])
def test_more_volatility_more_aversion_and_quicker_decay_act_as_the_models_say(name: str) -> None:
    """Both widen with volatility; both narrow when takers' reach is shorter."""
    values = {"risk_aversion": 1e-2, "decay_per_bps": 0.1, "intensity_per_second": 0.5, "horizon_seconds": 60.0}
    calm = planned(name, values | {"sigma": 1e-4}, 0)
    assert planned(name, values | {"sigma": 1e-3}, 0).bid_spread_bps > calm.bid_spread_bps
    assert planned(name, values | {"sigma": 1e-4, "decay_per_bps": 1.0}, 0).bid_spread_bps < calm.bid_spread_bps
