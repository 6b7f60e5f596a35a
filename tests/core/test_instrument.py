"""An instrument's rules, fees and balances: rounding by hand, and that no bad value gets in."""

from __future__ import annotations

from decimal import Context, Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.core.instrument import Balances, Fees, Instrument, InstrumentKind
from mm_fsm.errors import SettingsError


def instrument(**changes: Any) -> Instrument:
    values: dict[str, Any] = {
        "symbol": "ETH/USD",
        "base_currency": "ETH",
        "quote_currency": "USD",
        "tick_size": Decimal("0.05"),
        "lot_size": Decimal("0.001"),
    }
    return Instrument(**(values | changes))


# -- the grid ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("price", "floor", "ceiling"),
    [
        ("100", "100", "100"),
        ("100.01", "100.00", "100.05"),
        ("100.049999", "100.00", "100.05"),
        ("0.02", "0", "0.05"),
        ("-0.02", "-0.05", "0"),
    ],
)
def test_prices_are_floored_and_ceiled_to_the_tick(price: str, floor: str, ceiling: str) -> None:
    assert instrument().floor_price(Decimal(price)) == Decimal(floor)
    assert instrument().ceil_price(Decimal(price)) == Decimal(ceiling)


@pytest.mark.parametrize(
    ("lot", "quantity", "expected"),
    [("0.001", "1.2349", "1.234"), ("0.001", "1.234", "1.234"), ("0.001", "0.0009", "0"), ("5", "14.9", "10")],
)
def test_quantities_are_floored_to_the_lot(lot: str, quantity: str, expected: str) -> None:
    assert instrument(lot_size=Decimal(lot)).floor_quantity(Decimal(quantity)) == Decimal(expected)


@given(
    st.decimals("0", "1e9", places=12, allow_nan=False, allow_infinity=False),
    st.sampled_from(["1e-8", "0.05", "0.3", "1", "25", "1e3"]),
)
def test_rounding_moves_by_less_than_a_step_and_ends_on_the_grid(value: Decimal, step: str) -> None:
    size = Decimal(step)
    market = instrument(tick_size=size, lot_size=size)
    for floored in (market.floor_price(value), market.floor_quantity(value)):
        assert value - size < floored <= value
        assert market.is_on_price_grid(floored)
        assert market.is_on_quantity_grid(floored)
    ceiled = market.ceil_price(value)
    assert value <= ceiled < value + size
    assert market.is_on_price_grid(ceiled)


def test_what_is_on_the_grid_is_told() -> None:
    assert instrument().is_on_price_grid(Decimal("100.050"))
    assert not instrument().is_on_price_grid(Decimal("100.051"))
    assert instrument().is_on_quantity_grid(Decimal("0.002"))
    assert not instrument().is_on_quantity_grid(Decimal("0.0025"))


# -- minimums ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "quantity", "expected"),
    [
        ({"minimum_quantity": Decimal("0.5")}, "0.5", True),
        ({"minimum_quantity": Decimal("0.5")}, "0.499", False),
        ({"minimum_notional": Decimal(10)}, "0.1", True),  # 0.1 * 100 = 10
        ({"minimum_notional": Decimal(10)}, "0.099", False),
        ({"minimum_notional": Decimal(10), "contract_size": Decimal("0.1")}, "1", True),
        ({"minimum_notional": Decimal(10), "contract_size": Decimal("0.1")}, "0.999", False),
        ({}, "0.001", True),
        ({}, "0", False),
        ({}, "-1", False),
    ],
)
def test_an_order_must_reach_every_minimum(rule: dict[str, Decimal], quantity: str, expected: bool) -> None:
    market = instrument(kind=InstrumentKind.LINEAR, **rule)
    assert market.meets_minimums(Decimal(100), Decimal(quantity)) is expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({}, "0.001"),
        ({"minimum_quantity": Decimal("0.5")}, "0.5"),
        ({"minimum_quantity": Decimal("0.0015")}, "0.002"),
        ({"minimum_notional": Decimal(10)}, "0.034"),  # 10 / 303 = 0.0330033
        ({"minimum_notional": Decimal(10), "contract_size": Decimal("0.1")}, "0.331"),  # 0.330033
    ],
)
def test_the_smallest_order_is_the_first_on_the_grid_that_reaches_every_minimum(
    rule: dict[str, Decimal], expected: str
) -> None:
    market = instrument(kind=InstrumentKind.LINEAR, **rule)
    assert market.smallest_quantity(Decimal(303)) == Decimal(expected)


@given(
    st.decimals("0.01", "100000", places=2, allow_nan=False, allow_infinity=False),
    st.sampled_from(["0", "0.7", "3"]),
    st.sampled_from(["0", "5", "33.3"]),
    st.sampled_from(["0.1", "1", "7"]),
)
def test_no_smaller_order_than_the_smallest_is_taken(price: Decimal, quantity: str, notional: str, size: str) -> None:
    market = instrument(
        kind=InstrumentKind.LINEAR,
        minimum_quantity=Decimal(quantity),
        minimum_notional=Decimal(notional),
        contract_size=Decimal(size),
    )
    smallest = market.smallest_quantity(price)
    assert market.meets_minimums(price, smallest)
    assert not market.meets_minimums(price, smallest - market.lot_size)


@pytest.mark.parametrize(
    ("rule", "quantity", "expected"),
    [
        ({}, "1000000", "1000000"),
        ({"maximum_quantity": Decimal("2.5")}, "2.5", "2.5"),
        ({"maximum_quantity": Decimal("2.55")}, "2.6", "2.5"),  # 2.55 is no whole number of lots
        ({"maximum_notional": Decimal(100)}, "3", "2.4"),  # 100 / 40.10 = 2.4937
        ({"maximum_notional": Decimal(100), "maximum_quantity": Decimal(2)}, "3", "2"),
        ({"maximum_notional": Decimal(100), "kind": "linear", "contract_size": Decimal(10)}, "3", "0.2"),
    ],
)
def test_one_order_is_as_much_as_the_venue_takes(rule: dict[str, Any], quantity: str, expected: str) -> None:
    rules = instrument(tick_size=Decimal("0.05"), lot_size=Decimal("0.1"), **rule)
    assert rules.within_maximums(Decimal("40.10"), Decimal(quantity)) == Decimal(expected)


@given(
    st.decimals("0.01", "70000", places=2),
    st.sampled_from([None, "0.1", "3.7", "9000"]),
    st.sampled_from([None, "5", "9000000"]),
    st.sampled_from(["1", "0.1", "10"]),
)
def test_no_larger_order_than_the_largest_is_taken(
    price: Decimal, quantity: str | None, notional: str | None, size: str
) -> None:
    rules = instrument(
        lot_size=Decimal("0.1"),
        kind="linear",
        contract_size=Decimal(size),
        maximum_quantity=None if quantity is None else Decimal(quantity),
        maximum_notional=None if notional is None else Decimal(notional),
    )
    largest = rules.largest_quantity(price)
    assert (largest is None) is (quantity is None and notional is None)
    if largest is not None:
        assert rules.is_on_quantity_grid(largest)
        assert rules.meets_maximums(price, largest)
        assert not rules.meets_maximums(price, largest + Decimal("0.1"))


def test_contracts_are_converted_to_base_units_and_value() -> None:
    market = instrument(kind=InstrumentKind.LINEAR, contract_size=Decimal("0.01"))
    assert market.base_quantity(Decimal(30)) == Decimal("0.3")
    assert market.notional(Decimal(2000), Decimal(30)) == 600


def test_only_contracts_may_be_short() -> None:
    assert not instrument().may_be_short
    assert instrument(kind=InstrumentKind.LINEAR).may_be_short


# -- bad rules -----------------------------------------------------------------------------------------------------

NOT_DECIMAL = [None, 0.05, 1, "0.25", Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("-0.01"), True]


def assert_refused(name: str, make: Any, value: object) -> None:
    with pytest.raises(SettingsError) as refused:
        make(**{name.partition(".")[2]: value})
    error = refused.value
    assert error.field == name
    assert error.expected
    assert error.remedy
    assert repr(error.found) in str(error)


@pytest.mark.parametrize("value", [*NOT_DECIMAL, Decimal(0)])
@pytest.mark.parametrize("name", ["tick_size", "lot_size", "contract_size"])
def test_a_step_is_a_positive_finite_decimal(name: str, value: object) -> None:
    assert_refused(f"instrument.{name}", instrument, value)


@pytest.mark.parametrize("value", NOT_DECIMAL)
@pytest.mark.parametrize("name", ["minimum_quantity", "minimum_notional"])
def test_a_minimum_is_a_finite_decimal_of_at_least_nothing(name: str, value: object) -> None:
    assert_refused(f"instrument.{name}", instrument, value)


@pytest.mark.parametrize("value", [*NOT_DECIMAL[1:], Decimal(0)])
@pytest.mark.parametrize("name", ["maximum_quantity", "maximum_notional"])
def test_a_maximum_is_a_positive_finite_decimal_or_not_known(name: str, value: object) -> None:
    assert_refused(f"instrument.{name}", instrument, value)
    assert getattr(instrument(**{name: None}), name) is None


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("maximum_quantity", {"maximum_quantity": Decimal(1), "minimum_quantity": Decimal(2)}),
        ("maximum_quantity", {"maximum_quantity": Decimal("0.01"), "lot_size": Decimal("0.1")}),
        ("maximum_notional", {"maximum_notional": Decimal(4), "minimum_notional": Decimal(5)}),
    ],
)
def test_a_maximum_is_no_smaller_than_the_minimum(name: str, rule: dict[str, Decimal]) -> None:
    with pytest.raises(SettingsError, match=f"instrument.{name}.*at least .*, the smallest"):
        instrument(**rule)


@pytest.mark.parametrize("value", [None, "", "  ", 5])
@pytest.mark.parametrize("name", ["symbol", "base_currency", "quote_currency"])
def test_a_name_is_a_text(name: str, value: object) -> None:
    assert_refused(f"instrument.{name}", instrument, value)


@pytest.mark.parametrize("value", ["inverse", "option", "", None, 3, []])
def test_inverse_contracts_and_other_kinds_are_refused_with_what_is_supported(value: object) -> None:
    with pytest.raises(SettingsError, match=r"expected 'spot' or 'linear'.*one-way mode") as refused:
        instrument(kind=value)
    assert refused.value.field == "instrument.kind"


def test_a_kind_may_be_written_as_its_name() -> None:
    assert instrument(kind="linear").kind is InstrumentKind.LINEAR


def test_spot_has_no_contract_size() -> None:
    assert_refused("instrument.contract_size", instrument, Decimal("0.1"))


@pytest.mark.parametrize("value", [None, 0.001, 10, "20", Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity")])
@pytest.mark.parametrize("name", ["maker_bps", "taker_bps"])
def test_a_missing_fee_is_refused_and_never_zero(name: str, value: object) -> None:
    def fees(**changes: Any) -> Fees:
        return Fees(**({"maker_bps": Decimal(1), "taker_bps": Decimal(5)} | changes))

    assert_refused(f"fees.{name}", fees, value)
    with pytest.raises(TypeError):
        Fees()  # type: ignore[call-arg]


def test_fees_in_basis_points_are_a_fraction_of_the_notional() -> None:
    fees = Fees(maker_bps=Decimal("-0.5"), taker_bps=Decimal("7.5"))
    assert fees.rate(maker=True) == Decimal("-0.00005")
    assert fees.rate(maker=False) == Decimal("0.00075")


def test_the_dearest_fee_and_the_best_rebate_are_kept_whatever_the_host_computes_with() -> None:
    with localcontext(Context(prec=2)):
        fees = Fees(maker_bps=Decimal("-0.5375"), taker_bps=Decimal("7.5125"))
        assert (fees.highest_rate, fees.highest_rebate_rate) == (Decimal("0.00075125"), Decimal("0.00005375"))
        free = Fees(maker_bps=Decimal(0), taker_bps=Decimal(0))
        assert (free.highest_rate, free.highest_rebate_rate) == (0, 0)
        rebated = Fees(maker_bps=Decimal(-1), taker_bps=Decimal(-3))
        assert (rebated.highest_rate, rebated.highest_rebate_rate) == (0, Decimal("0.0003"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("base", None),
        ("base", 1.5),
        ("base", Decimal("NaN")),
        ("quote", "100"),
        ("quote", Decimal("Infinity")),
        ("quote", Decimal("-0.01")),
        ("leverage", Decimal("0.5")),
        ("leverage", Decimal("sNaN")),
        ("leverage", 2),
    ],
)
def test_bad_balances_are_refused(name: str, value: object) -> None:
    def balances(**changes: Any) -> Balances:
        return Balances(**({"base": Decimal(1), "quote": Decimal(100)} | changes))

    assert_refused(f"balances.{name}", balances, value)


def test_a_contract_position_may_be_short_at_the_start() -> None:
    assert Balances(base=Decimal(-3), quote=Decimal(100)).base == -3
