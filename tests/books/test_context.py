"""The context's derived figures, each against a sum done by hand. The mid is 100 unless a test says otherwise."""

from __future__ import annotations

from decimal import Decimal

import pytest
from attrs import fields

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.orders import OwnOrder
from mm_fsm.core.instrument import Balances, Fees, InstrumentKind
from mm_fsm.core.messages import Side
from mm_fsm.core.settings import MarketMakingSettings
from tests.services.situation import SYMBOL, Situation, rules


def fresh(*, target_base: str | None = None, kind: InstrumentKind = InstrumentKind.SPOT) -> MarketMakingContext:
    """Before any fact: 3 base units and 1000 in quote currency."""
    return MarketMakingContext(
        settings=MarketMakingSettings(symbol=SYMBOL, target_base=target_base),
        instrument=rules(kind),
        fees=Fees(maker_bps=Decimal(0), taker_bps=Decimal(0)),
        balances=Balances(base=Decimal(3), quote=Decimal(1000)),
    )


# -- before the first price ----------------------------------------------------------------------------------------


def test_without_a_target_the_position_at_the_start_is_the_target() -> None:
    context = fresh()
    assert (context.target_base, context.base_position, context.inventory_offset) == (3, 3, 0)


def test_with_a_target_the_rest_is_inventory() -> None:
    context = fresh(target_base="1.25")
    assert (context.target_base, context.base_position, context.inventory_offset) == (
        Decimal("1.25"),
        3,
        Decimal("1.75"),
    )


def test_before_the_first_price_nothing_has_a_value_and_nothing_may_be_held() -> None:
    context = fresh(target_base="1")
    assert context.mid_price is None
    assert context.volatility is None
    assert context.equity is None
    assert (context.position_limit, context.inventory_value, context.holding_pnl) == (0, 0, 0)
    assert (context.current_inventory_pct, context.fill_rate, context.average_spread_captured) == (0, 0, 0)
    assert context.assess_inventory().skew == 1
    assert context.assess_inventory().is_over_limit
    assert context.is_data_stale


# -- money ---------------------------------------------------------------------------------------------------------


def test_the_equity_of_a_spot_account_is_its_cash_and_its_base() -> None:
    """1000 + 12 * 100; at 110 it is 1000 + 12 * 110."""
    situation = Situation(offset="2", quote="1000")
    assert situation.context.equity == 2200
    assert situation.book("109.95", "110.05").context.equity == 2320
    assert situation.context.inventory_value == 1320


def test_the_equity_of_a_contract_account_is_its_margin_and_what_the_position_has_gained() -> None:
    """The margin is 1000 at the first price, whatever the position; 5 contracts gain 50 up to 110."""
    situation = Situation(rules(InstrumentKind.LINEAR), offset="5", quote="1000")
    assert situation.context.equity == 1000
    assert situation.book("109.95", "110.05").context.equity == 1050


def test_trades_of_contracts_change_the_equity_only_by_what_they_gain() -> None:
    """Two bought at 99.90 when the mid is 100: 0.20."""
    situation = Situation(rules(InstrumentKind.LINEAR), quote="1000")
    situation.fill(situation.rest(Side.BID, "99.90", "2"), "2")
    assert situation.context.equity == Decimal("1000.20")


def test_profit_is_measured_against_holding_the_target() -> None:
    """The target of 10 gains 100 and the offset of 2 gains 20 from 100 to 110."""
    context = Situation(offset="2").book("109.95", "110.05").context
    assert context.net_pnl == 20
    assert context.holding_pnl == 100
    assert (context.realized_pnl, context.unrealized_pnl) == (0, 20)


def test_a_trade_shows_in_every_figure_of_money() -> None:
    """Two bought at 99.90 for a fee of 0.30, at a mid of 100: 2 * 0.10 captured over 2 * 100 is 10 bps."""
    situation = Situation()
    context = situation.context
    situation.fill(situation.rest(Side.BID, "99.90", "2"), "2", fee="0.30")
    assert context.base_position == 12
    assert context.quote_position == Decimal("-200.10")
    assert context.fees_paid == Decimal("0.30")
    assert context.total_volume == Decimal("199.80")
    assert context.average_spread_captured == pytest.approx(10)
    assert context.net_pnl == Decimal("-0.10")


# -- inventory -----------------------------------------------------------------------------------------------------


def test_inventory_is_a_share_of_equity() -> None:
    """2 * 100 of 12 * 100 + 800 is a tenth."""
    context = Situation(offset="2", quote="800").context
    assert context.current_inventory_pct == pytest.approx(0.1)
    assert Situation(offset="-2", quote="1200").context.current_inventory_pct == pytest.approx(0.1)


def test_the_skew_follows_the_position() -> None:
    situation = Situation(max_position_size=4)
    assert situation.context.inventory_skew == 0
    assert situation.buy("1").context.inventory_skew == pytest.approx(0.25)
    assert situation.sell("3").context.inventory_skew == pytest.approx(-0.5)


def test_a_higher_price_lowers_a_limit_in_quote_currency() -> None:
    """1000 in quote currency are 10 at 100 and 8 at 125."""
    situation = Situation(max_quote_exposure=1000)
    assert situation.context.position_limit == 10
    assert situation.book("124.95", "125.05").context.position_limit == 8


# -- fills and orders ----------------------------------------------------------------------------------------------


def test_the_fill_rate_is_what_filled_of_what_the_venue_took() -> None:
    """1 of 2 + 2."""
    situation = Situation()
    order = situation.rest(Side.BID, "99.90", "2")
    situation.rest(Side.ASK, "100.10", "2")
    situation.send(Side.ASK, "100.20", "5")
    assert situation.fill(order, "1").context.fill_rate == pytest.approx(0.25)


def test_the_recent_fill_rate_moves_by_a_twentieth_with_each_quote_that_left() -> None:
    """One filled: 0.05. Then one cancelled untouched: 0.05 - 0.05 * 0.05 = 0.0475."""
    situation = Situation()
    context = situation.context
    situation.fill(situation.rest(Side.BID, "99.90", "1"), "1")
    assert context.recent_fill_rate == pytest.approx(0.05)
    situation.cancel(situation.rest(Side.BID, "99.90", "1"))
    assert context.recent_fill_rate == pytest.approx(0.0475)


def test_live_orders_are_told_by_side_and_leaving_ones_apart() -> None:
    situation = Situation()
    context = situation.context
    bid, ask = situation.rest(Side.BID, "99.90", "1"), situation.rest(Side.ASK, "100.10", "1")
    context.orders.request_cancel(ask, context.now)
    assert context.active_bid_orders == (bid,)
    assert context.active_ask_orders == (ask,)
    assert context.pending_cancels == (ask,)


def test_nothing_is_confirmed_while_an_order_is_live_or_trades_may_be_missing() -> None:
    situation = Situation()
    context = situation.context
    assert context.is_everything_confirmed
    order = situation.rest(Side.BID, "99.90", "1")
    assert not context.is_everything_confirmed
    situation.cancel(order)
    assert not context.is_everything_confirmed
    context.orders.confirm_trades(0, context.now)
    assert context.is_everything_confirmed


# -- digests -------------------------------------------------------------------------------------------------------


def test_equal_books_have_equal_digests() -> None:
    first, second = Situation(offset="1"), Situation(offset="1")
    assert first.context.digest() == second.context.digest()
    assert len(first.context.digest()) == 64


STATE = [each.name for each in fields(MarketMakingContext) if each.name != "settings" and each.name[0] != "_"]


@pytest.mark.parametrize("name", STATE)
def test_every_field_is_in_the_digest(name: str) -> None:
    """A replay would not notice that what is left out has become something else."""
    context = fresh()
    before = context.digest()
    setattr(context, name, "something else")
    assert context.digest() != before


@pytest.mark.parametrize("name", [each.name for each in fields(OwnOrder)])
def test_every_field_of_a_live_order_is_in_the_digest(name: str) -> None:
    situation = Situation()
    order = situation.rest(Side.BID, "99.90", "1")
    before = situation.context.digest()
    setattr(order, name, "something else")
    assert situation.context.digest() != before


@pytest.mark.parametrize("what", ["time", "book", "order", "fill", "balances", "halt"])
def test_whatever_changes_the_books_changes_the_digest(what: str) -> None:
    situation = Situation()
    order = situation.rest(Side.BID, "99.90", "1")
    before = situation.context.digest()
    if what == "time":
        situation.at(1)
    elif what == "book":
        situation.book("99.94", "100.05")
    elif what == "order":
        situation.rest(Side.BID, "99.80", "1")
    elif what == "fill":
        situation.fill(order, "0.5")
    elif what == "balances":
        situation.report_balances("1", "1")
    else:
        situation.halt()
    assert situation.context.digest() != before
