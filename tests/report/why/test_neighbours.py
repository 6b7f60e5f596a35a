"""The smallest change of one setting: found in whatever direction it lies, within what the settings take."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.core.settings import AdjustmentPolicy, MarketMakingSettings, VolatilityKind
from mm_fsm.report.why.neighbours import SettingChange, is_searchable, nearest_change
from tests.machine.bench import settings_with

SETTINGS = settings_with(max_position_size=Decimal(5))
UNBOUNDED = ("target_spread_bps", "volatility_multiplier", "max_inventory_pct", "max_market_spread_bps")


@given(name=st.sampled_from(UNBOUNDED), factor=st.floats(1.001, 500), is_up=st.booleans())
def test_a_threshold_is_found_to_three_digits(name: str, factor: float, is_up: bool) -> None:
    """By hand: for a threshold t the answer lies on its far side, and no further than one in its third digit."""
    value = float(getattr(SETTINGS, name))
    threshold = value * factor if is_up else value / factor

    def holds(settings: MarketMakingSettings) -> bool:
        found = float(getattr(settings, name))
        return found >= threshold if is_up else found <= threshold

    change = nearest_change(SETTINGS, name, holds)
    assert change is not None
    digit = 10 ** (math.floor(math.log10(max(change.changed, threshold))) - 2)
    beyond = (change.changed - threshold) * (1 if is_up else -1)
    assert -1e-12 <= beyond <= digit * 1.11


@given(first=st.integers(1_000, 9_999), name=st.sampled_from(UNBOUNDED))
def test_no_number_has_more_than_three_digits_where_one_of_three_would_do(first: int, name: str) -> None:
    """Thresholds with four digits: whatever lies beyond them holds, so a number of three digits always does."""
    threshold = float(getattr(SETTINGS, name)) * first / 900
    change = nearest_change(SETTINGS, name, lambda settings: float(getattr(settings, name)) >= threshold)
    assert change is not None
    assert len(Decimal(str(change.changed)).normalize().as_tuple().digits) <= 3


@given(threshold=st.integers(1, 200_000))
def test_a_whole_number_is_found_to_three_digits_and_up_to_999_exactly(threshold: int) -> None:
    change = nearest_change(
        SETTINGS,
        "max_orders_per_interval",
        lambda settings: settings.max_orders_per_interval >= threshold + SETTINGS.max_orders_per_interval,
    )
    assert change is not None
    wanted = threshold + SETTINGS.max_orders_per_interval
    digits = 10 ** max(len(str(wanted)) - 3, 0)
    assert 0 <= change.changed - wanted <= (1.11 * digits if digits > 1 else 0)


def test_the_nearer_of_two_directions_is_the_smallest_change() -> None:
    """9 and 20 both serve in place of 10."""
    change = nearest_change(SETTINGS, "target_spread_bps", lambda settings: not 9 < settings.target_spread_bps < 20)
    assert change == SettingChange(name="target_spread_bps", value=10.0, changed=9.0)


@pytest.mark.parametrize(
    ("name", "bound"),
    [
        ("max_slippage_bps", 200.0),  # price_band_bps, beside which it must stay
        ("stale_data_seconds", 300.0),  # long_stale_data_seconds
        ("min_spread_bps", 50.0),  # max_spread_bps
        ("touch_size_share", 10.0),  # its own bound
        ("order_reserve_share", 0.9),
        ("price_band_bps", 9_999.0),
    ],
)
def test_a_search_goes_as_far_as_settings_agree_with_each_other(name: str, bound: float) -> None:
    """What holds only at the bound is found there; what holds only beyond it is not proposed."""
    at_bound = nearest_change(SETTINGS, name, lambda settings: getattr(settings, name) >= bound)
    assert at_bound is not None
    assert at_bound.changed == bound
    assert nearest_change(SETTINGS, name, lambda settings: getattr(settings, name) > bound) is None


def test_choices_and_switches_have_their_alternatives() -> None:
    policy = nearest_change(
        SETTINGS, "adjustment_policy", lambda settings: settings.adjustment_policy is AdjustmentPolicy.MARKET
    )
    assert policy is not None
    assert policy.changed is AdjustmentPolicy.MARKET
    switch = nearest_change(SETTINGS, "wind_down_on_fault", lambda settings: not settings.wind_down_on_fault)
    assert switch is not None
    assert switch.changed is False
    assert (
        nearest_change(SETTINGS, "volatility_kind", lambda settings: settings.volatility_kind not in VolatilityKind)
        is None
    )


def test_a_limit_that_may_be_left_out_is_left_out_last() -> None:
    """Five is raised where that serves; leaving the limit out is the answer only where no number is."""
    without = nearest_change(SETTINGS, "max_position_size", lambda settings: settings.max_position_size is None)
    assert without is not None
    assert without.changed is None
    raised = nearest_change(
        SETTINGS, "max_position_size", lambda settings: (settings.max_position_size or Decimal("Infinity")) >= 7
    )
    assert raised is not None
    assert raised.changed == Decimal(7)


def test_what_is_no_number_choice_or_switch_is_not_searched() -> None:
    assert not is_searchable(SETTINGS, "level_requote_tolerance_away_shares")
    assert not is_searchable(SETTINGS, "services")
    assert not is_searchable(SETTINGS, "rate_counter_limit")  # off: there is no scale to try it on
    assert is_searchable(SETTINGS, "max_position_size")


def test_nothing_is_found_where_nothing_holds() -> None:
    for name in ("target_spread_bps", "min_edge_bps", "post_only_retries", "wind_down_on_fault", "fair_price"):
        assert nearest_change(SETTINGS, name, lambda _: False) is None
