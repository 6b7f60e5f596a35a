"""Inventory past its limit is brought down to a goal by one order at a time, and never beyond it.

The limit is 4, the goal 2, the market 99.95 to 100.05.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.core.decisions import InventoryAction, InventoryStep, OrderDraft
from mm_fsm.core.instrument import InstrumentKind
from mm_fsm.core.messages import OrderPurpose, Side, TimeInForce
from mm_fsm.core.rate_rules import KRAKEN_CANCELS
from mm_fsm.core.settings import AdjustmentPolicy
from mm_fsm.services.inventory import DefaultInventoryService
from mm_fsm.services.risk import DefaultRiskService
from tests.services.situation import SECOND, Situation, rules

SERVICE = DefaultInventoryService()


def adjusting(*arguments: Any, offset: str = "5", goal: str = "2", **changes: Any) -> Situation:
    return Situation(*arguments, offset=offset, **({"max_position_size": 4} | changes)).reduce(goal)


def action(situation: Situation) -> InventoryAction | None:
    return SERVICE.next_action(situation.context)


def placed(situation: Situation) -> OrderDraft:
    wanted = action(situation)
    assert wanted is not None
    assert wanted.step is InventoryStep.PLACE
    assert wanted.draft is not None
    return wanted.draft


def step(situation: Situation) -> InventoryStep | None:
    wanted = action(situation)
    return None if wanted is None else wanted.step


# -- assessment ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offset", "use", "skew", "is_over"),
    [
        ("0", 0, 0, False),
        ("1", 0.25, 0.25, False),
        ("-3", 0.75, -0.75, False),
        ("4", 1, 1, False),  # at the limit, not past it
        ("4.01", 1.0025, 1, True),
        ("-8", 2, -1, True),
    ],
)
def test_inventory_is_measured_against_its_limit(offset: str, use: float, skew: float, is_over: bool) -> None:
    assessment = SERVICE.assess(Situation(offset=offset, max_position_size=4).context)
    assert assessment.offset == Decimal(offset)
    assert assessment.limit == 4
    assert (assessment.use, assessment.skew, assessment.is_over_limit) == (pytest.approx(use), skew, is_over)


# -- quotes go first -----------------------------------------------------------------------------------------------


def test_own_quotes_are_cancelled_and_confirmed_before_an_adjustment_is_sent() -> None:
    situation = Situation(offset="5", max_position_size=4)
    bid, ask = situation.rest(Side.BID, "99.90", "1"), situation.rest(Side.ASK, "100.10", "1")
    situation.reduce("2")
    assert step(situation) is InventoryStep.CANCEL_QUOTES
    for order in (bid, ask):
        situation.context.orders.request_cancel(order, situation.context.now)
    assert action(situation) is None
    situation.cancel(bid)
    assert action(situation) is None
    situation.cancel(ask)
    assert step(situation) is InventoryStep.PLACE


def test_a_quote_of_unknown_outcome_is_waited_for() -> None:
    situation = Situation(offset="5", max_position_size=4)
    order = situation.rest(Side.BID, "99.90", "1")
    situation.lose(order).reduce("2")
    assert action(situation) is None


def test_without_an_adjustment_there_is_nothing_to_do() -> None:
    situation = Situation(offset="5", max_position_size=4)
    assert action(situation) is None
    assert SERVICE.is_reduced(situation.context)


# -- the order -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("offset", "side", "price"), [("5", Side.ASK, "100.05"), ("-5", Side.BID, "99.95")])
def test_a_passive_adjustment_rests_at_the_best_price_of_its_own_side(offset: str, side: Side, price: str) -> None:
    wanted = placed(adjusting(offset=offset))
    assert (wanted.side, wanted.price, wanted.quantity) == (side, Decimal(price), Decimal(3))
    assert wanted.post_only
    assert wanted.time_in_force is TimeInForce.GOOD_TILL_CANCELLED
    assert wanted.purpose is OrderPurpose.ADJUSTMENT


@pytest.mark.parametrize(
    ("policy", "offset", "price"),
    [
        (AdjustmentPolicy.LIMIT, "5", "99.81"),  # 100.005 * (1 - 20 bps) = 99.80499, ceiled
        (AdjustmentPolicy.LIMIT, "-5", "100.20"),  # 100.005 * (1 + 20 bps) = 100.20501, floored
        (AdjustmentPolicy.MARKET, "5", "98.01"),  # 100.005 * (1 - 200 bps) = 98.0049, ceiled
        (AdjustmentPolicy.MARKET, "-5", "102.00"),  # 100.005 * (1 + 200 bps) = 102.0051, floored
    ],
)
def test_the_other_policies_take_at_once_within_their_bound(policy: AdjustmentPolicy, offset: str, price: str) -> None:
    situation = adjusting(offset=offset, adjustment_policy=policy).book("99.96", "100.05")
    wanted = placed(situation)
    assert (wanted.price, wanted.quantity) == (Decimal(price), Decimal(3))
    assert not wanted.post_only
    assert wanted.time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL
    assert DefaultRiskService().review(situation.context, wanted) is None


def test_the_quantity_is_counted_in_contracts() -> None:
    """From 5 to 2 base units in contracts of 0.1."""
    situation = adjusting(rules(InstrumentKind.LINEAR, lot="1", contract_size="0.1"))
    assert placed(situation).quantity == 30


def test_the_quantity_is_floored_to_the_lot() -> None:
    assert placed(adjusting(rules(lot="0.7"))).quantity == Decimal("2.8")


@pytest.mark.parametrize(
    ("kind", "target", "offset", "expected"),
    [
        (InstrumentKind.LINEAR, "0", "5", True),
        (InstrumentKind.LINEAR, "0", "-5", True),
        (InstrumentKind.LINEAR, "8", "-5", False),  # a position of 3 grows towards its target of 8
        (InstrumentKind.LINEAR, "-4", "5", False),  # from 1 to -2: the order passes zero
        (InstrumentKind.SPOT, "10", "5", False),
    ],
)
def test_only_an_order_that_closes_contracts_is_marked_reduce_only(
    kind: InstrumentKind,
    target: str,
    offset: str,
    expected: bool,
) -> None:
    assert placed(adjusting(rules(kind), target=target, offset=offset)).reduce_only is expected


def test_a_spot_account_sells_no_more_than_it_holds() -> None:
    """The ledger says 15, the venue reports 1."""
    assert placed(adjusting().report_balances(base="1")).quantity == 1


def test_a_spot_account_buys_no_more_than_it_can_pay_for_with_fees() -> None:
    """Three are missing; 200 / 1.001 / 99.95 = 1.999001."""
    situation = adjusting(offset="-5", quote="200", taker_bps="10", max_inventory_pct=10)
    assert placed(situation).quantity == Decimal("1.9990")


def test_contracts_can_be_closed_when_the_equity_is_used_up() -> None:
    """A margin of 100 and 10 bought at 100: at 89 the equity is -10, and all 10 are still to be sold."""
    situation = Situation(rules(InstrumentKind.LINEAR), offset="10", quote="100", leverage="20")
    situation.book("88.95", "89.05").reduce("0")
    wanted = placed(situation)
    assert (wanted.side, wanted.quantity, wanted.reduce_only) == (Side.ASK, 10, True)
    assert DefaultRiskService().review(situation.context, wanted) is None
    assert not SERVICE.is_reduced(situation.context)


# -- one at a time -------------------------------------------------------------------------------------------------


def with_order() -> Situation:
    """The adjusting order of a long position rests at 100.05, and may be looked at again."""
    situation = adjusting()
    situation.rest(Side.ASK, "100.05", "3", OrderPurpose.ADJUSTMENT)
    return situation


def test_while_an_order_is_live_no_other_is_sent() -> None:
    situation = with_order()
    assert action(situation) is None
    assert not SERVICE.is_reduced(situation.context)


def test_an_order_on_its_way_is_waited_for() -> None:
    situation = adjusting()
    situation.send(Side.ASK, "100.05", "3", OrderPurpose.ADJUSTMENT)
    assert action(situation) is None


def test_a_partial_fill_is_waited_for() -> None:
    situation = with_order()
    (order,) = situation.context.orders.live()
    assert action(situation.fill(order, "1")) is None


def test_what_is_left_after_a_cancelled_order_is_what_is_missing() -> None:
    situation = with_order()
    (order,) = situation.context.orders.live()
    situation.fill(order, "1").cancel(order)
    assert placed(situation).quantity == 2


def test_an_order_whose_price_is_no_longer_the_best_is_moved_but_not_at_once() -> None:
    situation = with_order()
    reduction = situation.context.reduction
    assert reduction is not None
    reduction.retry_at = situation.context.now + 5 * SECOND
    situation.at(4.9).book("99.90", "100.00")
    assert action(situation) is None
    assert step(situation.at(5)) is InventoryStep.CANCEL_ADJUSTMENTS


def test_the_next_order_waits_for_its_time() -> None:
    situation = adjusting()
    reduction = situation.context.reduction
    assert reduction is not None
    reduction.retry_at = situation.context.now + 5 * SECOND
    assert action(situation.at(4.9)) is None
    assert step(situation.at(5)) is InventoryStep.PLACE


def test_an_order_larger_than_what_is_still_missing_is_taken_out() -> None:
    """A quote's fill that was reported late sold 2 of 5: 1 is missing, and an order of 3 would pass the goal."""
    situation = with_order()
    assert step(situation.sell("2")) is InventoryStep.CANCEL_ADJUSTMENTS


@pytest.mark.parametrize(("bid", "ask"), [("99.949", "100.049"), ("99.951", "100.051")])
def test_an_order_cut_to_the_venues_maximum_stays_while_the_price_moves_by_a_tick(bid: str, ask: str) -> None:
    """200 of notional is 1.9990 at 100.05 and 1.9989 at 100.051: less than rests, but 3 are missing."""
    situation = adjusting(rules(maximum_notional="200", tick="0.001"))
    wanted = placed(situation)
    assert (wanted.price, wanted.quantity) == (Decimal("100.05"), Decimal("1.9990"))
    situation.rest(Side.ASK, "100.05", "1.9990", OrderPurpose.ADJUSTMENT)
    assert action(situation.at(6).book(bid, ask)) is None


def test_an_order_cut_to_the_venues_maximum_goes_once_less_than_that_is_missing() -> None:
    situation = adjusting(rules(maximum_notional="200"))
    situation.rest(Side.ASK, "100.05", "1.9990", OrderPurpose.ADJUSTMENT)
    assert step(situation.sell("1.5")) is InventoryStep.CANCEL_ADJUSTMENTS


def test_an_order_is_taken_out_once_the_goal_is_reached_otherwise() -> None:
    situation = with_order()
    assert step(situation.sell("3")) is InventoryStep.CANCEL_ADJUSTMENTS


def test_an_order_that_sells_all_that_a_spot_account_holds_is_left_alone() -> None:
    """What the order itself locks is no reason to take it out."""
    situation = Situation(target="0", offset="10", max_position_size=4).reduce("0", stopping=True)
    situation.rest(Side.ASK, "100.05", "10", OrderPurpose.WIND_DOWN)
    assert action(situation.at(6).heartbeat()) is None


def test_an_order_that_spends_all_the_cash_of_a_spot_account_is_left_alone() -> None:
    situation = Situation(offset="-5", quote="299.85", max_position_size=4, max_inventory_pct=10).reduce("2")
    situation.rest(Side.BID, "99.95", "3", OrderPurpose.ADJUSTMENT)
    assert action(situation.at(6).heartbeat()) is None


# -- what the venue has room for -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bid", "ask", "moves"), [("99.94", "100.04", False), ("99.93", "100.03", True), ("99.96", "100.06", True)]
)
def test_a_passive_order_follows_the_best_price_once_it_moved_by_the_tolerance(bid: str, ask: str, moves: bool) -> None:
    """Half the narrowest spread of 5 bps is 0.025 here: 60 % of it towards the market are 0.015, 6 % away 0.0015."""
    situation = with_order().book(bid, ask)
    assert step(situation) is (InventoryStep.CANCEL_ADJUSTMENTS if moves else None)


def counting(limit: float, used: int, **changes: Any) -> Situation:
    """A counter with that limit, of which orders have used some: an order costs 1, a young one's cancel 8."""
    situation = adjusting(rate_counter_limit=limit, rate_counter_cancel_points=KRAKEN_CANCELS, **changes)
    for _ in range(used):
        situation.context.request_rates.note_placement(situation.context.now)
    return situation


@pytest.mark.parametrize(("used", "moves"), [(0, True), (1, False)])
def test_a_passive_order_moves_only_with_room_for_its_cancel_the_next_and_one_that_takes(
    used: int, moves: bool
) -> None:
    """8 for its cancel, 1 for the next order, 8 and 1 to cancel that one and to take: 18 points."""
    situation = counting(18, used)
    situation.rest(Side.ASK, "100.05", "3", OrderPurpose.ADJUSTMENT)
    situation.book("99.80", "99.90")
    assert step(situation) is (InventoryStep.CANCEL_ADJUSTMENTS if moves else None)


def test_an_order_that_would_pass_the_goal_goes_without_room_for_another() -> None:
    situation = counting(18, 18)
    situation.rest(Side.ASK, "100.05", "3", OrderPurpose.ADJUSTMENT)
    assert step(situation) is None
    assert step(situation.sell("2")) is InventoryStep.CANCEL_ADJUSTMENTS


@pytest.mark.parametrize(("used", "passive", "taking"), [(0, True, True), (1, False, True), (9, False, True)])
def test_a_passive_order_leaves_the_last_points_to_one_that_takes(used: int, passive: bool, taking: bool) -> None:
    """1 for the order, 8 for its cancel, 1 to take: 10 points. Taking needs 1."""
    for policy, is_placed in ((AdjustmentPolicy.PASSIVE, passive), (AdjustmentPolicy.LIMIT, taking)):
        situation = counting(10, used, adjustment_policy=policy)
        assert (step(situation) is InventoryStep.PLACE) is is_placed
        if is_placed:
            assert DefaultRiskService().review(situation.context, placed(situation)) is None


# -- the end of it -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("offset", "expected"), [("2", True), ("1.5", True), ("-2", True), ("2.0001", False)])
def test_an_adjustment_is_over_at_its_goal(offset: str, expected: bool) -> None:
    situation = adjusting(offset=offset)
    assert SERVICE.is_reduced(situation.context) is expected
    assert (action(situation) is None) is expected


@pytest.mark.parametrize(
    ("instrument", "offset"),
    [
        (rules(lot="0.1"), "2.09"),
        (rules(minimum_quantity="0.5"), "2.49"),
        (rules(minimum_notional="50"), "2.49"),
    ],
)
def test_a_rest_that_the_venue_does_not_take_is_dust_and_ends_it(instrument: Any, offset: str) -> None:
    situation = adjusting(instrument, offset=offset)
    assert SERVICE.is_reduced(situation.context)
    assert action(situation) is None


@pytest.mark.parametrize("book", [(None, "100.05"), ("99.95", None), ("100.05", "100.05"), ("100.1", "99.9")])
def test_an_adjustment_waits_for_a_book_with_two_sound_sides(book: tuple[str | None, str | None]) -> None:
    situation = adjusting().book(*book)
    assert action(situation) is None
    assert not SERVICE.is_reduced(situation.context)


def test_an_adjustment_waits_while_the_market_is_halted() -> None:
    situation = adjusting().halt()
    assert action(situation) is None
    assert step(situation.halt(trading=True)) is InventoryStep.PLACE


def test_an_adjustment_waits_for_fresh_data() -> None:
    situation = adjusting().at(10)
    assert action(situation) is None
    assert step(situation.heartbeat()) is InventoryStep.PLACE


@given(
    kind=st.sampled_from(InstrumentKind),
    policy=st.sampled_from(AdjustmentPolicy),
    offset=st.decimals("-10", "10", places=4, allow_nan=False, allow_infinity=False),
    goal=st.sampled_from(["0", "1", "2"]),
    stopping=st.booleans(),
    minimum_notional=st.sampled_from(["0", "10", "150"]),
    maximum_notional=st.sampled_from([None, "160"]),
    cash=st.sampled_from(["60", "100000"]),
)
def test_with_a_sound_market_an_order_is_wanted_exactly_until_the_goal_is_reached(
    *,
    kind: InstrumentKind,
    policy: AdjustmentPolicy,
    offset: Decimal,
    goal: str,
    stopping: bool,
    minimum_notional: str,
    maximum_notional: str | None,
    cash: str,
) -> None:
    """Otherwise the machine would wait for ever. What is sent passes risk, and never passes the goal.

    A wind-down has a deadline, so it may wait for funds that are short now; here it has them.
    """
    cash = "100000" if stopping else cash
    size = "1" if kind is InstrumentKind.SPOT else "3"
    instrument = rules(kind, minimum_notional=minimum_notional, maximum_notional=maximum_notional, contract_size=size)
    situation = adjusting(
        instrument, offset=str(offset), adjustment_policy=policy, quote=cash, max_inventory_pct=100, leverage="5"
    ).reduce(goal, stopping=stopping)
    is_over = SERVICE.is_reduced(situation.context)
    assert is_over == (action(situation) is None)
    if not is_over:
        wanted = placed(situation)
        assert wanted.side.sign * offset < 0
        assert abs(offset) - wanted.quantity * instrument.contract_size >= Decimal(goal)
        assert DefaultRiskService().review(situation.context, wanted) is None
