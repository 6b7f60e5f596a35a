"""Which quotes are changed while the venue's counter has not room for all: neither side falls silent for the other.

Kraken's prices: an order adds a point, the cancel of one younger than five seconds eight. A quote needs room for the
cancels of all that rests, for its own and for one order after them: with n young orders, 8 n + 8 + 1 points.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from mm_fsm.core.decisions import OrderChanges, QuotePlan
from mm_fsm.core.messages import OrderPurpose, Side
from mm_fsm.core.rate_rules import KRAKEN_CANCELS
from mm_fsm.services.orders import DefaultOrderService
from mm_fsm.services.risk import DefaultRiskService
from tests.services.situation import Situation
from tests.services.test_order_changes import wanted


def counted(limit: float, used: int = 0, **changes: Any) -> Situation:
    """A counter with that limit, of which orders have used some."""
    situation = Situation(
        rate_counter_limit=limit,
        rate_counter_cancel_points=KRAKEN_CANCELS,
        order_reserve_share=0.0,
        max_orders_per_interval=1000,
        **changes,
    )
    for _ in range(used):
        situation.context.request_rates.note_placement(situation.context.now)
    return situation


def changes_for(situation: Situation, plan: QuotePlan) -> OrderChanges:
    return DefaultOrderService().plan_changes(situation.context, plan)


def approved(situation: Situation, changes: OrderChanges) -> list[tuple[Side, int]]:
    """What risk lets through, in order, each counted as sent before the next is asked for."""
    context, taken = situation.context, []
    for order_id in changes.cancels:
        order = context.orders.get(order_id)
        assert order is not None
        context.request_rates.note_cancel(context.now, context.now - order.placed_at)
        context.orders.request_cancel(order, context.now)
    for each in changes.placements:
        refusal = DefaultRiskService().review(context, each)
        if refusal is None:
            taken.append((each.side, each.level))
            situation.send(each.side, str(each.price), str(each.quantity), level=each.level)
            context.request_rates.note_placement(context.now)
    return taken


def ladder(levels: int) -> QuotePlan:
    bids = [(Side.BID, f"{99.90 - level / 10:.2f}", "0.1") for level in range(levels)]
    asks = [(Side.ASK, f"{100.10 + level / 10:.2f}", "0.1") for level in range(levels)]
    return wanted(*bids, *asks)


def test_at_a_start_the_room_is_shared_level_by_level() -> None:
    """60 points: the nth order needs 1 n + 8 n + 1, so that six of ten leave, three on each side."""
    taken = approved(situation := counted(60), changes_for(situation, ladder(5)))
    assert [side for side, _ in taken].count(Side.BID) == 3
    assert [side for side, _ in taken].count(Side.ASK) == 3
    assert all(one is not other for (one, _), (other, _) in zip(taken[::2], taken[1::2], strict=True))


@pytest.mark.parametrize(("offset", "first"), [("1", Side.ASK), ("-1", Side.BID)])
def test_with_room_for_one_the_side_that_reduces_the_position_is_served(offset: str, first: Side) -> None:
    """The first order needs 1 + 8 + 1 points, the second 9 more."""
    situation = counted(12, offset=offset)
    assert [side for side, _ in approved(situation, changes_for(situation, ladder(1)))] == [first]


@pytest.mark.parametrize("offset", ["1", "0", "-1"])
@pytest.mark.parametrize("silent", list(Side))
def test_a_side_without_a_quote_is_served_before_another_level_of_the_other(silent: Side, offset: str) -> None:
    """One young order rests: 8 for its cancel, 10 for the first that leaves, and 9 more for a second: 27."""
    situation = counted(20, offset=offset)
    plan = ladder(2)
    inner = plan.quotes(silent.opposite)[0]
    situation.rest(inner.side, str(inner.price), str(inner.quantity))
    assert approved(situation, changes_for(situation, plan)) == [(silent, plan.quotes(silent)[0].level)]


@pytest.mark.parametrize("first", list(Side))
def test_of_two_sides_alike_the_one_whose_quotes_are_older_is_replaced(first: Side) -> None:
    """Both lie 0.2 behind. The older one costs 6 + 1, and leaves 17 + 8 + 9 to keep free; both take 42 points."""
    situation = counted(41)
    for number, side in enumerate((first, first.opposite)):
        situation.at(number * 6).rest(side, "99.70" if side is Side.BID else "100.30", "0.1")
    situation.book("99.95", "100.05")
    taken = approved(situation, changes_for(situation, ladder(1)))
    assert [side for side, _ in taken] == [first]


def test_a_quote_behind_its_price_goes_only_when_its_replacement_is_paid_for() -> None:
    """Its cancel and the placement cost 9, what rests then and one order in a gap need 8 + 1 and 8 + 1 more: 27."""
    for used, goes in ((0, True), (1, False)):
        situation = counted(27, used)
        order = situation.rest(Side.BID, "99.70", "0.1")
        changes = changes_for(situation, wanted((Side.BID, "99.90", "0.1")))
        assert changes.cancels == ((order.client_order_id,) if goes else ())
        assert len(changes.placements) == goes
        assert len(approved(situation, changes)) == goes


def test_the_requests_of_one_side_count_for_the_other() -> None:
    """Room for one replacement is not room for two: 27 and 8 for the order that stays are 35, two need 44."""
    for limit, replaced in ((34, 0), (35, 1), (43, 1), (44, 2)):
        situation = counted(limit)
        situation.rest(Side.BID, "99.70", "0.1")
        situation.rest(Side.ASK, "100.30", "0.1")
        changes = changes_for(situation, ladder(1))
        assert len(changes.cancels) == len(changes.placements) == replaced
        assert len(approved(situation, changes)) == replaced


def test_a_quote_in_front_of_its_price_goes_without_room_too() -> None:
    situation = counted(12, 12)
    order = situation.rest(Side.BID, "99.85", "0.1")
    changes = changes_for(situation, wanted((Side.BID, "99.50", "0.1")))
    assert changes.cancels == (order.client_order_id,)
    assert len(changes.placements) == 1, "risk refuses it and says why the side is not quoted"
    assert approved(situation, changes) == []


def test_of_several_levels_those_in_front_go_and_one_that_lies_behind_serves() -> None:
    """Wanted a step further out, the outer order lies behind the inner price, the other two in front of theirs."""
    situation = counted(12, 12)
    orders = [situation.rest(Side.BID, price, "0.1") for price in ("99.90", "99.86", "99.50")]
    plan = wanted((Side.BID, "99.60", "0.1"), (Side.BID, "99.20", "0.1"), (Side.BID, "98.90", "0.1"))
    assert set(changes_for(situation, plan).cancels) == {order.client_order_id for order in orders[:2]}


def test_a_quote_further_away_than_prices_may_lie_goes_without_room_too() -> None:
    """The band is 200 bps of 100."""
    for price, goes in (("97.91", False), ("97.80", True)):
        situation = counted(12, 12)
        situation.rest(Side.BID, price, "0.2")
        assert bool(changes_for(situation, wanted((Side.BID, "99.90", "0.2"))).cancels) is goes


def test_orders_of_other_purposes_count_and_stay() -> None:
    situation = counted(12, 12)
    situation.rest(Side.ASK, "100.50", "0.1", OrderPurpose.ADJUSTMENT)
    assert changes_for(situation, wanted()).cancels == ()


def test_a_refusal_for_rate_holds_until_there_is_room() -> None:
    """At 12 of 12 points and nothing in the book, an order needs 1 and an ending 9: at 2 points, after 10 seconds."""
    situation = counted(12, 12, rate_counter_decay_per_second=1.0)
    context = situation.context
    (draft, *_) = changes_for(situation, wanted((Side.BID, "99.90", "0.1"))).placements
    refusal = DefaultRiskService().review(context, draft)
    assert refusal is not None
    room = context.request_rates.room_at(context.now, is_quote=True, orders=context.orders.live())
    assert room - context.now == pytest.approx(10e9, abs=2)
    situation.at((room - context.now) / 1e9).heartbeat().book("99.95", "100.05")
    assert DefaultRiskService().review(context, draft) is None
    assert Decimal(draft.price) == Decimal("99.90")
