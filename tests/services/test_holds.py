"""When a side, or both, must not be quoted, and that the reason is told."""

from __future__ import annotations

from typing import Any

import pytest

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.core.decisions import Hold, HoldReason, InventoryAssessment, QuotePlan
from mm_fsm.core.instrument import Balances, Fees, InstrumentKind
from mm_fsm.core.messages import Side
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.services.spreads import DefaultSpreadService
from tests.services.situation import SECOND, START, SYMBOL, Situation, rules

SERVICE = DefaultSpreadService()


def held(plan: QuotePlan) -> tuple[HoldReason | None, HoldReason | None]:
    return (
        None if plan.bid_hold is None else plan.bid_hold.reason,
        None if plan.ask_hold is None else plan.ask_hold.reason,
    )


def assert_both_held(situation: Situation, reason: HoldReason) -> None:
    hold = SERVICE.hold_market(situation.context)
    assert hold is not None
    assert hold.reason is reason
    plan = SERVICE.price_quotes(situation.context)
    assert held(plan) == (reason, reason)
    assert plan.bids == plan.asks == ()


def test_a_sound_market_is_quoted_on_both_sides() -> None:
    situation = Situation()
    assert SERVICE.hold_market(situation.context) is None
    assert held(SERVICE.price_quotes(situation.context)) == (None, None)


@pytest.mark.parametrize(("bid", "ask"), [(None, "100.05"), ("99.95", None), (None, None)])
def test_a_one_sided_book_is_not_quoted(bid: str | None, ask: str | None) -> None:
    assert_both_held(Situation().book(bid, ask), HoldReason.ONE_SIDED_BOOK)


@pytest.mark.parametrize(("bid", "ask"), [("100.01", "100.00"), ("100.00", "100.00")])
def test_a_crossed_or_locked_book_is_not_quoted(bid: str, ask: str) -> None:
    assert_both_held(Situation().book(bid, ask), HoldReason.CROSSED_BOOK)


def test_a_market_wider_than_the_limit_is_not_quoted() -> None:
    """98.99 to 101.01 is 202 bps; 200 are allowed."""
    assert_both_held(Situation().book("98.99", "101.01"), HoldReason.MARKET_SPREAD)


def test_a_market_just_at_the_limit_is_quoted() -> None:
    assert SERVICE.hold_market(Situation().book("99.00", "101.00").context) is None


def test_a_halted_market_is_not_quoted_until_it_trades_again() -> None:
    situation = Situation().halt()
    assert_both_held(situation, HoldReason.TRADING_HALTED)
    assert SERVICE.hold_market(situation.halt(trading=True).context) is None


def test_old_data_is_not_quoted_on() -> None:
    """10 s is the limit; a heartbeat says that the book still stands."""
    situation = Situation().at(9.9)
    assert SERVICE.hold_market(situation.context) is None
    assert_both_held(situation.at(10), HoldReason.STALE_DATA)
    assert SERVICE.hold_market(situation.heartbeat().context) is None


def test_nothing_is_quoted_before_volatility_is_known() -> None:
    situation = Situation()
    situation.context.volatility_estimator = type(situation.context.volatility_estimator)()
    assert_both_held(situation, HoldReason.WARMING_UP)


def test_nothing_is_quoted_before_a_book() -> None:
    context = MarketMakingContext(
        settings=MarketMakingSettings(symbol=SYMBOL),
        instrument=rules(),
        fees=Fees(maker_bps=rules().tick_size, taker_bps=rules().tick_size),
        balances=Balances(base=rules().contract_size, quote=rules().contract_size),
    )
    hold = SERVICE.hold_market(context)
    assert hold is not None
    assert hold.reason is HoldReason.NO_MARKET_DATA
    with pytest.raises(ValueError, match="mid_price: expected a reference price, found None"):
        SERVICE.price_quotes(context)


@pytest.mark.parametrize(
    ("offset", "expected"),
    [
        ("4", (HoldReason.INVENTORY_LIMIT, None)),
        ("5", (HoldReason.INVENTORY_LIMIT, None)),
        ("3.99", (None, None)),
        ("-4", (None, HoldReason.INVENTORY_LIMIT)),
        ("-5", (None, HoldReason.INVENTORY_LIMIT)),
        ("-3.99", (None, None)),
    ],
)
def test_the_side_that_adds_to_the_position_is_held_at_the_limit(offset: str, expected: Any) -> None:
    plan = SERVICE.price_quotes(Situation(offset=offset, max_position_size=4).context)
    assert held(plan) == expected


def test_the_other_side_is_quoted_beyond_the_limit_but_cannot_flip_past_it() -> None:
    """With an offset of 5 and a limit of 4, asks may take the position to -4 at most; they want 1.5, 1.05 and 0.73."""
    plan = SERVICE.price_quotes(Situation(offset="5", max_position_size=4).context)
    assert 3 < sum(quote.quantity for quote in plan.asks) < 9


@pytest.mark.parametrize(
    ("changes", "limit"),
    [
        ({"max_position_size": 3}, 3),
        ({"max_quote_exposure": 250}, 2.5),  # 250 / 100
        ({"max_inventory_pct": 0.02}, 20.2),  # 2 % of 100000 + 10 * 100, over 100
    ],
)
def test_the_smallest_limit_that_is_set_is_the_limit(changes: dict[str, Any], limit: float) -> None:
    assert float(Situation(**changes).context.position_limit) == limit


def test_without_equity_only_the_side_that_reduces_is_quoted() -> None:
    """A long contract position whose loss has used up the margin: 100 + 10 * (89 - 100) = -10."""
    situation = Situation(rules(InstrumentKind.LINEAR), offset="10", quote="100", leverage="20")
    situation.book("88.95", "89.05")
    assert situation.context.equity == -10
    plan = SERVICE.price_quotes(situation.context)
    assert held(plan) == (HoldReason.INVENTORY_LIMIT, None)
    assert 0 < sum(quote.quantity for quote in plan.asks) <= 10


@pytest.mark.parametrize("side", Side)
def test_a_side_with_an_order_of_unknown_outcome_is_held(side: Side) -> None:
    situation = Situation()
    situation.lose(situation.rest(side, "99" if side is Side.BID else "101", "1"))
    plan = SERVICE.price_quotes(situation.context)
    hold = plan.hold(side)
    assert hold is not None
    assert hold.reason is HoldReason.UNKNOWN_ORDER
    assert plan.quotes(side) == ()
    assert plan.hold(side.opposite) is None
    assert plan.quotes(side.opposite)


def test_a_side_held_by_an_answer_of_the_venue_is_held_until_its_time_is_over() -> None:
    situation = Situation()
    situation.context.sides[Side.ASK].hold = Hold(HoldReason.FUNDS, "told so", START + 10 * SECOND)
    assert held(SERVICE.price_quotes(situation.at(9.99).context)) == (None, HoldReason.FUNDS)
    situation.at(10).book("99.95", "100.05")
    assert held(SERVICE.price_quotes(situation.context)) == (None, None)


class NoAsks(DefaultSpreadService):
    """Holds one side for a reason of its own."""

    def hold_side(self, context: MarketMakingContext, inventory: InventoryAssessment, side: Side) -> Hold | None:
        mine = Hold(HoldReason.CUSTOM, "nothing is sold today") if side is Side.ASK else None
        return super().hold_side(context, inventory, side) or mine


def test_a_service_holds_one_side_for_a_reason_of_its_own() -> None:
    plan = NoAsks().price_quotes(Situation().context)
    assert held(plan) == (None, HoldReason.CUSTOM)
    assert plan.bids
    assert plan.asks == ()
