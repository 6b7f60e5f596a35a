"""A wind-down: passive for a minute, then slices within the slippage, until the deadline after five minutes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from mm_fsm.core.decisions import InventoryAction, InventoryStep, OrderDraft
from mm_fsm.core.instrument import InstrumentKind
from mm_fsm.core.messages import OrderPurpose, Side, TimeInForce
from mm_fsm.services.inventory import DefaultInventoryService
from mm_fsm.services.risk import DefaultRiskService
from tests.services.situation import SECOND, Situation, rules

SERVICE = DefaultInventoryService()


def winding_down(*arguments: Any, offset: str = "50", **changes: Any) -> Situation:
    settings = {"wind_down_slice": 1000}
    return Situation(*arguments, offset=offset, **(settings | changes)).reduce("0", stopping=True)


def action(situation: Situation) -> InventoryAction | None:
    return SERVICE.next_action(situation.context)


def placed(situation: Situation) -> OrderDraft:
    wanted = action(situation)
    assert wanted is not None
    assert wanted.draft is not None
    assert DefaultRiskService().review(situation.context, wanted.draft) is None
    return wanted.draft


def later(situation: Situation, seconds: float) -> Situation:
    """Time passes, and the market confirms its book."""
    return situation.at(seconds).heartbeat()


def test_at_first_the_whole_position_is_offered_passively() -> None:
    wanted = placed(winding_down())
    assert (wanted.side, wanted.price, wanted.quantity) == (Side.ASK, Decimal("100.05"), 50)
    assert wanted.post_only
    assert wanted.time_in_force is TimeInForce.GOOD_TILL_CANCELLED
    assert wanted.purpose is OrderPurpose.WIND_DOWN


def test_after_that_slices_take_what_is_there_within_the_slippage() -> None:
    """1000 / 99.80 = 10.020040 at 20 bps below the mid."""
    situation = winding_down()
    assert placed(later(situation, 59.9)).post_only
    wanted = placed(later(situation, 60))
    assert (wanted.side, wanted.price, wanted.quantity) == (Side.ASK, Decimal("99.80"), Decimal("10.0200"))
    assert not wanted.post_only
    assert wanted.time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL


def test_a_slice_is_priced_from_the_latest_book() -> None:
    situation = later(winding_down(), 60).book("89.95", "90.05")
    assert placed(situation).price == Decimal("89.82")


def test_a_short_position_is_bought_back() -> None:
    """1000 / 100.20 = 9.980039."""
    situation = later(winding_down(rules(InstrumentKind.LINEAR), offset="-50"), 60)
    wanted = placed(situation)
    assert (wanted.side, wanted.price, wanted.quantity) == (Side.BID, Decimal("100.20"), Decimal("9.9800"))
    assert wanted.reduce_only


def test_the_last_slice_is_what_is_left() -> None:
    assert placed(later(winding_down(offset="1.5"), 60)).quantity == Decimal("1.5")


def test_a_position_above_the_venues_maximum_is_offered_by_the_maximum() -> None:
    assert placed(winding_down(rules(maximum_quantity="8"))).quantity == 8
    assert not SERVICE.is_reduced(winding_down(rules(maximum_quantity="8")).context)


def test_a_slice_above_the_venues_maximum_is_the_maximum() -> None:
    """400 / 99.80 = 4.008016, and half the position at most."""
    assert placed(later(winding_down(rules(maximum_notional="400")), 60)).quantity == Decimal("4.0080")
    assert placed(later(winding_down(rules(maximum_quantity="3.5")), 60)).quantity == Decimal("3.5")


def test_a_slice_below_the_venues_minimum_is_the_minimum_and_not_everything() -> None:
    """A slice of 20 where the venue takes 50: 50 / 99.80 = 0.501002, so 0.5011."""
    situation = winding_down(rules(minimum_notional="50"), wind_down_slice=20)
    assert placed(later(situation, 60)).quantity == Decimal("0.5011")


def test_the_passive_order_goes_when_its_time_is_over() -> None:
    situation = winding_down()
    situation.rest(Side.ASK, "100.05", "50", OrderPurpose.WIND_DOWN)
    assert action(later(situation, 59.9)) is None
    wanted = action(later(situation, 60))
    assert wanted is not None
    assert wanted.step is InventoryStep.CANCEL_ADJUSTMENTS


def test_without_a_passive_part_slices_begin_at_once() -> None:
    assert not placed(winding_down(wind_down_passive_seconds=0)).post_only


@pytest.mark.parametrize("seconds", [300, 301])
def test_past_the_deadline_what_is_live_is_cancelled_and_nothing_more_is_sent(seconds: float) -> None:
    situation = winding_down(wind_down_passive_seconds=300)
    order = situation.rest(Side.ASK, "100.05", "50", OrderPurpose.WIND_DOWN)
    reduction = situation.context.reduction
    assert reduction is not None
    reduction.retry_at = situation.context.now + 400 * SECOND
    assert action(later(situation, 299)) is None
    wanted = action(later(situation, seconds))
    assert wanted is not None
    assert wanted.step is InventoryStep.CANCEL_ADJUSTMENTS
    situation.cancel(order)
    assert action(situation) is None
    assert not SERVICE.is_reduced(situation.context)


def test_past_the_deadline_cancels_do_not_wait_for_the_market() -> None:
    situation = winding_down()
    situation.rest(Side.ASK, "100.05", "50", OrderPurpose.WIND_DOWN)
    wanted = action(situation.at(300).halt())
    assert wanted is not None
    assert wanted.step is InventoryStep.CANCEL_ADJUSTMENTS


@pytest.mark.parametrize("book", [(None, "100.05"), ("99.95", None), ("100.05", "99.95")])
def test_a_one_sided_or_crossed_book_waits(book: tuple[str | None, str | None]) -> None:
    situation = later(winding_down(), 60).book(*book)
    assert action(situation) is None
    assert not SERVICE.is_reduced(situation.context)


def test_a_halted_market_waits_and_goes_on() -> None:
    situation = later(winding_down(), 60).halt()
    assert action(situation) is None
    assert placed(situation.halt(trading=True)).quantity > 0


def test_flat_means_at_target() -> None:
    """10 base units are held, and 10 are the target."""
    situation = winding_down(offset="0")
    assert SERVICE.is_reduced(situation.context)
    assert action(situation) is None


def test_dust_counts_as_flat() -> None:
    assert SERVICE.is_reduced(winding_down(rules(minimum_notional="10"), offset="0.09").context)


def test_below_its_target_a_spot_account_buys_back() -> None:
    wanted = placed(winding_down(offset="-4"))
    assert (wanted.side, wanted.quantity) == (Side.BID, 4)


def test_a_wind_down_that_cannot_pay_waits_for_funds_until_its_deadline() -> None:
    """4 are missing, the venue takes 150 and more, and there are 60: nothing to send, and not flat."""
    situation = winding_down(rules(minimum_notional="150"), offset="-4", quote="60", max_inventory_pct=10)
    assert action(situation) is None
    assert not SERVICE.is_reduced(situation.context)


def test_a_position_that_is_to_be_kept_only_has_its_orders_cancelled() -> None:
    situation = Situation(offset="50")
    order = situation.rest(Side.ASK, "100.10", "1")
    situation.context.is_stopping = True
    wanted = action(situation)
    assert wanted is not None
    assert wanted.step is InventoryStep.CANCEL_QUOTES
    situation.cancel(order)
    assert action(situation) is None
    assert SERVICE.is_reduced(situation.context)


def test_a_late_fill_of_a_quote_never_makes_a_wind_down_flip_the_position() -> None:
    """50 were to be sold when 20 of them had been sold already: an order of 50 would end at -20."""
    situation = winding_down(rules(InstrumentKind.LINEAR))
    situation.rest(Side.ASK, "100.05", "50", OrderPurpose.WIND_DOWN)
    wanted = action(situation.sell("20"))
    assert wanted is not None
    assert wanted.step is InventoryStep.CANCEL_ADJUSTMENTS
