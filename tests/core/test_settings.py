"""Settings: the fixed names and defaults, and that no bad value gets in."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import attrs
import pytest

from mm_fsm.core.instrument import Fees
from mm_fsm.core.setting_fields import LOOSER, ROLE, SettingRole
from mm_fsm.core.settings import AdjustmentPolicy, MarketMakingSettings, ServiceNames
from mm_fsm.errors import SettingsError

FIELDS = {each.name: each.type for each in attrs.fields(attrs.resolve_types(MarketMakingSettings))}
OPTIONAL = {
    "rate_counter_limit", "max_orders_per_fill", "presence_distance_bps", "max_position_size", "target_base",
    "session_seconds",
}  # fmt: skip
MAY_BE_NEGATIVE = {"target_base"}
MAY_BE_ZERO = MAY_BE_NEGATIVE | {
    "min_edge_bps",
    "volatility_multiplier",
    "market_spread_share",
    "inventory_adjustment_factor",
    "skew_price_factor",
    "fill_rate_widening_bps",
    "adverse_selection_bps",
    "adjustment_goal_share",
    "requote_tolerance_away_share",
    "requote_tolerance_towards_share",
    "touch_size_share",
    "size_tolerance_share",
    "post_only_retries",
    "min_liquidation_distance",
    "order_reserve_share",
    "rate_counter_order_points",
    "orders_per_fill_free",
    "max_recovery_attempts",
    "max_session_recoveries",
    "wind_down_passive_seconds",
}
NUMBERS = {name for name, kind in FIELDS.items() if kind in {float, int, Decimal, float | None, Decimal | None}}
WHOLE_NUMBERS = {name for name, kind in FIELDS.items() if kind is int}
FLAGS = {name for name, kind in FIELDS.items() if kind is bool}
CHOICES = {
    "adjustment_policy", "fair_price", "position_mismatch_policy", "stray_order_policy", "volatility_kind",
}  # fmt: skip
TEXTS = {"symbol", "strategy_id"}
PAIRS = {"rate_counter_cancel_points"}
LISTS = {"level_requote_tolerance_away_shares", "level_requote_tolerance_towards_shares"}


def test_every_setting_says_what_it_is() -> None:
    """Each has a class of its own beside its bounds, and only a protection that is a number has a looser side."""
    for each in attrs.fields(MarketMakingSettings):
        assert isinstance(each.metadata.get(ROLE), SettingRole), each.name
        if each.metadata[LOOSER]:
            assert each.metadata[ROLE] is SettingRole.PROTECTION, each.name
            assert each.name in NUMBERS, each.name


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("max_drawdown", SettingRole.PROTECTION),
        ("price_band_bps", SettingRole.PROTECTION),
        ("max_jump_bps", SettingRole.PROTECTION),
        ("order_reserve_share", SettingRole.PROTECTION),
        ("target_spread_bps", SettingRole.PREFERENCE),
        ("max_orders_per_interval", SettingRole.VENUE),
        ("rate_counter_limit", SettingRole.VENUE),
        ("rate_counter_decay_per_second", SettingRole.VENUE),
        ("max_orders_per_fill", SettingRole.VENUE),
    ],
)
def test_limits_are_no_preferences(name: str, role: SettingRole) -> None:
    assert getattr(attrs.fields(MarketMakingSettings), name).metadata[ROLE] is role


def settings(**changes: Any) -> MarketMakingSettings:
    return MarketMakingSettings(**({"symbol": "BTC/USD"} | changes))


def assert_refused(name: str, value: object) -> SettingsError:
    with pytest.raises(SettingsError) as refused:
        settings(**{name: value})
    error = refused.value
    assert error.field == name
    assert error.remedy
    assert error.expected
    assert str(error) == f"setting {name!r}: expected {error.expected}, found {error.found!r}. {error.remedy}"
    return error


# -- names and defaults --------------------------------------------------------------------------------------------


def test_the_fixed_names_have_their_fixed_defaults() -> None:
    made = settings()
    expected = {
        "symbol": "BTC/USD",
        "target_spread_bps": 10,
        "base_order_size": 100,
        "max_inventory_pct": 0.1,
        "num_price_levels": 3,
        "level_size_decay": 0.7,
        "level_spread_multiplier": 1.5,
        "max_position_size": None,
        "max_quote_exposure": 10_000,
        "target_base": None,
        "volatility_multiplier": 2.0,
        "inventory_adjustment_factor": 0.5,
        "min_spread_bps": 5,
        "max_spread_bps": 50,
        "adverse_selection_bps": 2,
        "skew_price_factor": 0.001,
        "refresh_interval_seconds": 5,
        "adverse_selection_minimum_fills": 30,
        "adjustment_policy": AdjustmentPolicy.PASSIVE,
        "stale_move_share": 0.25,
        "inventory_reprice_share": 0.8,
        "adjustment_goal_share": 0.5,
    }
    assert {name: getattr(made, name) for name in expected} == expected


def test_every_field_is_covered_by_the_tests_below() -> None:
    others = {"services", "service_options", "micro_price_model"}
    assert set(FIELDS) == NUMBERS | FLAGS | CHOICES | TEXTS | LISTS | PAIRS | others


def test_settings_cannot_be_changed_nor_given_by_position() -> None:
    made = settings(service_options={"depth": 3})
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        made.target_spread_bps = 20.0  # type: ignore[misc]
    with pytest.raises(TypeError):
        made.service_options["depth"] = 4  # type: ignore[index]
    with pytest.raises(TypeError):
        MarketMakingSettings("BTC/USD")  # type: ignore[misc]


def test_options_of_services_are_copied() -> None:
    options = {"depth": 3}
    made = settings(service_options=options)
    options["depth"] = 4
    assert made.service_options == {"depth": 3}


# -- bad values ----------------------------------------------------------------------------------------------------


def not_numbers(name: str) -> Iterator[object]:
    yield from (math.nan, math.inf, -math.inf, Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"))
    yield from (10**400, "a text", "", True, [1], {}, object())
    if name not in OPTIONAL:
        yield None
    if name not in MAY_BE_NEGATIVE:
        yield from (-1, -0.0001)
    if name not in MAY_BE_ZERO:
        yield 0
    if name in WHOLE_NUMBERS:
        yield from (1.5, 2.0, "3", Decimal(3))


@pytest.mark.parametrize("name", sorted(NUMBERS))
def test_what_is_no_number_or_out_of_range_is_refused(name: str) -> None:
    for value in not_numbers(name):
        if (
            isinstance(value, int)
            and value == 10**400
            and name
            in WHOLE_NUMBERS
            - {
                "num_price_levels",
                "max_recovery_attempts",
            }
        ):
            continue  # a limit that never binds
        assert_refused(name, value)


@pytest.mark.parametrize("name", sorted(MAY_BE_ZERO))
def test_zero_is_taken_where_it_means_something(name: str) -> None:
    assert getattr(settings(**{name: 0}), name) == 0


@pytest.mark.parametrize("name", sorted(OPTIONAL))
def test_a_limit_that_is_not_set_is_none(name: str) -> None:
    assert getattr(settings(**{name: None}), name) is None


@pytest.mark.parametrize("name", sorted(FLAGS))
@pytest.mark.parametrize("value", [None, 0, 1, "true", "", []])
def test_what_is_neither_true_nor_false_is_refused(name: str, value: object) -> None:
    assert_refused(name, value)


@pytest.mark.parametrize("name", sorted(CHOICES))
@pytest.mark.parametrize("value", [None, "sideways", "", 3, [], True])
def test_what_is_no_choice_is_refused_with_the_choices(name: str, value: object) -> None:
    error = assert_refused(name, value)
    if name == "adjustment_policy":
        assert all(choice in error.expected for choice in ("passive", "limit", "market"))


@pytest.mark.parametrize("name", sorted(TEXTS))
@pytest.mark.parametrize("value", [None, "", "   ", 5, b"BTC", ["BTC"]])
def test_what_is_no_name_is_refused(name: str, value: object) -> None:
    assert_refused(name, value)


@pytest.mark.parametrize("value", [None, {"spreads": "default"}, "default"])
def test_what_is_no_choice_of_services_is_refused(value: object) -> None:
    assert_refused("services", value)


@pytest.mark.parametrize("value", [None, 3, "depth", ["depth"]])
def test_what_is_no_table_of_options_is_refused(value: object) -> None:
    assert_refused("service_options", value)


@pytest.mark.parametrize("role", ["spreads", "orders", "inventory", "risk"])
@pytest.mark.parametrize("value", [None, "", 3])
def test_a_services_name_is_a_text(role: str, value: Any) -> None:
    with pytest.raises(SettingsError) as refused:
        ServiceNames(**{role: value})
    assert refused.value.field == role


@pytest.mark.parametrize("value", [5, [5], [[5]], [[5, 8, 9]], [["5", 8]], [[5, True]], "5", {"5": 8}], ids=repr)
def test_points_of_cancels_are_pairs_of_numbers(value: object) -> None:
    assert_refused("rate_counter_cancel_points", value)


@pytest.mark.parametrize("points", [[[10, 6], [5, 8]], [[5, -1]], [[0, 1]]], ids=repr)
def test_a_counter_without_sense_is_refused_with_the_settings(points: list[list[float]]) -> None:
    with pytest.raises(SettingsError, match="points_per_cancel"):
        settings(rate_counter_limit=60, rate_counter_cancel_points=points)


@pytest.mark.parametrize("name", sorted(LISTS))
@pytest.mark.parametrize("value", [0.1, "0.1", [0.1, 1.1], [-0.1], [True], ["0.1"], [float("nan")], {"a": 1}], ids=repr)
def test_a_list_of_shares_is_a_list_of_numbers_from_0_to_1(name: str, value: object) -> None:
    assert_refused(name, value)
    assert getattr(settings(**{name: [0, 0.5, 1]}), name) == (0.0, 0.5, 1.0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_spread_bps", 5001),
        ("skew_price_factor", 0.11),
        ("level_size_decay", 1.01),
        ("level_spread_multiplier", 0.99),
        ("level_spread_multiplier", 11),
        ("num_price_levels", 51),
        ("inventory_reprice_share", 1.01),
        ("adjustment_goal_share", 1.01),
        ("requote_tolerance_away_share", 1.01),
        ("requote_tolerance_towards_share", 1.01),
        ("touch_size_share", 10.1),
        ("max_jump_bps", 5_001),
        ("size_tolerance_share", 1.01),
        ("price_band_bps", 10_000),
        ("warm_up_samples", 1),
        ("max_recovery_attempts", 1001),
        ("refresh_interval_seconds", 0.0009),
        ("request_timeout_seconds", 1e-10),
        ("session_seconds", 1.1e9),
    ],
)
def test_what_is_beyond_its_bounds_is_refused(name: str, value: float) -> None:
    assert assert_refused(name, value).found == value


# -- values that contradict each other -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high"),
    [
        ("min_spread_bps", "max_spread_bps"),
        ("stale_data_seconds", "long_stale_data_seconds"),
        ("wind_down_passive_seconds", "wind_down_deadline_seconds"),
        ("recovery_backoff_seconds", "max_recovery_backoff_seconds"),
    ],
)
def test_a_lower_bound_above_its_upper_one_is_refused_with_both_names(low: str, high: str) -> None:
    with pytest.raises(SettingsError) as refused:
        settings(**{low: 30.5, high: 30})
    assert refused.value.field == low
    assert refused.value.found == 30.5
    assert f"{high} (30" in refused.value.expected
    assert f"raise {high}" in refused.value.remedy
    assert getattr(settings(**{low: 30, high: 30}), low) == 30


def test_no_slippage_may_pass_the_price_band() -> None:
    with pytest.raises(SettingsError, match=r"'max_slippage_bps'.*at most price_band_bps \(50"):
        settings(max_slippage_bps=51, price_band_bps=50)
    assert settings(max_slippage_bps=50, price_band_bps=50).max_slippage_bps == 50


def test_all_levels_of_both_sides_and_one_more_order_may_be_live() -> None:
    """Three levels a side make seven."""
    with pytest.raises(SettingsError, match=r"'max_live_orders'.*\(7\), found 6"):
        settings(max_live_orders=6)
    assert settings(max_live_orders=7).max_live_orders == 7


@pytest.mark.parametrize(("maker_bps", "expected"), [("0", 1), ("2.5", 6), ("-0.4", 0.2), ("-3", 0), ("24.5", 50)])
def test_the_floor_of_the_spread_is_two_maker_fees_and_the_edge(maker_bps: str, expected: float) -> None:
    fees = Fees(maker_bps=Decimal(maker_bps), taker_bps=Decimal(0))
    assert settings().spread_floor_bps(fees) == pytest.approx(expected)


def test_a_floor_above_the_largest_spread_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"'max_spread_bps'.*2 \* maker fee \+ min_edge_bps \(61\), found 50"):
        settings().spread_floor_bps(Fees(maker_bps=Decimal(30), taker_bps=Decimal(30)))


# -- conversions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("written", "expected"), [(0.1, "0.1"), ("0.25", "0.25"), (3, "3"), (Decimal("1E+2"), "100")])
def test_an_amount_becomes_the_decimal_that_a_person_reads(written: object, expected: str) -> None:
    amount = settings(base_order_size=written).base_order_size
    assert isinstance(amount, Decimal)
    assert amount == Decimal(expected)


@pytest.mark.parametrize("written", [12, 12.0, Decimal(12)])
def test_a_number_becomes_a_float(written: object) -> None:
    number = settings(target_spread_bps=written).target_spread_bps
    assert type(number) is float
    assert number == 12


def test_a_policy_may_be_written_as_its_name() -> None:
    assert settings(adjustment_policy="market").adjustment_policy is AdjustmentPolicy.MARKET
