"""What the market and the account do to a machine that quotes: old data, halts, odd books, new rules, money."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from mm_fsm.books.facts import (
    ConnectionRestored,
    FundingPaid,
    Heartbeat,
    InstrumentUpdated,
    MarketBook,
    Timer,
    TradingStatusChanged,
)
from mm_fsm.core.instrument import Balances
from mm_fsm.core.messages import BookLevel, CancelOrder, OrderPurpose, PlaceOrder, QueryOrder, Side
from tests.machine.bench import CONTRACT, SECOND, SPOT, SYMBOL, Bench, settings_with

BID, ASK = Side.BID, Side.ASK
BOTH_LIVE = {"bid": None, "ask": None}


def quoting(**changes: Any) -> Bench:
    options = {name: changes.pop(name) for name in ("instrument", "balances", "fees") if name in changes}
    return Bench(settings_with(**changes), **options).start_quoting()


def trading(bench: Bench, *, is_open: bool) -> None:
    bench.tell(TradingStatusChanged(received_at=bench.now, symbol=SYMBOL, trading=is_open))


# -- old data ------------------------------------------------------------------------------------------------------


def test_nothing_is_quoted_before_the_first_book_and_until_volatility_is_known() -> None:
    bench = Bench(settings_with(warm_up_samples=5))
    bench.beat()
    assert bench.holds() == {"bid": "no_market_data", "ask": "no_market_data"} or bench.hold(BID) == "reconciling"
    bench.run(4)
    assert bench.sent(PlaceOrder) == []
    assert bench.hold(BID) == "warming_up"
    bench.run(4)
    assert bench.sent(PlaceOrder) != []


def test_old_data_cancels_everything_and_the_machine_quotes_again_by_itself_once_it_is_back() -> None:
    bench = quoting(stale_data_seconds=10.0)
    confirmed_at = bench.context.market.confirmed_at
    live = bench.live()
    bench.wait((confirmed_at + 10 * SECOND - bench.now - 1) / SECOND)
    assert bench.live() == live
    bench.tell(Timer(received_at=confirmed_at + 10 * SECOND))
    assert bench.state == "idle"
    assert [intent.client_order_id for intent in bench.last.intents if isinstance(intent, CancelOrder)] == live
    bench.settle()
    assert bench.holds() == {"bid": "stale_data", "ask": "stale_data"}
    bench.wait(30)
    assert bench.context.faults_noted == 0
    bench.run_until(lambda: bench.holds() == BOTH_LIVE, 15)
    assert bench.context.faults_noted == 0


def test_the_machine_asks_to_be_woken_when_its_data_goes_old() -> None:
    bench = quoting(stale_data_seconds=10.0, refresh_interval_seconds=60.0)
    assert bench.last.wake_at == bench.context.market.confirmed_at + 10 * SECOND


def test_data_missing_for_long_is_a_fault_that_recovers_when_data_returns() -> None:
    bench = quoting(stale_data_seconds=10.0, long_stale_data_seconds=60.0)
    bench.wait(20)
    bench.settle()
    assert bench.state == "idle"
    bench.wait(50)
    bench.settle()
    assert bench.state == "error"
    assert bench.context.fault.code == "long_stale_data"
    begun = len(bench.results)
    bench.wait(600)
    assert bench.taken(begun) == [], "no attempt is spent while there is no data"
    bench.run_until(lambda: bench.holds() == BOTH_LIVE, 30)
    assert bench.context.recovery_attempts == 1


def test_heartbeats_keep_a_quiet_market_alive() -> None:
    bench = quoting(stale_data_seconds=10.0)
    for _ in range(20):
        bench.later(8)
        bench.beat()
        bench.settle()
    assert bench.holds() == BOTH_LIVE
    assert "quotes_withdrawn" not in [event for _, event in bench.taken()]
    bench.wait(10)
    assert bench.state == "idle"


def test_heartbeats_without_a_book_confirm_nothing() -> None:
    bench = Bench()
    for _ in range(30):
        bench.later(1)
        bench.beat()
        bench.settle()
    assert bench.sent(PlaceOrder) == []
    assert bench.state == "idle"


def test_a_market_whose_books_have_no_stamp_is_quoted_and_followed() -> None:
    bench = Bench()
    for second in range(30):
        bench.later(1)
        price = Decimal("99.99") + Decimal(second % 3) / 100
        bench.book(price, price + Decimal("0.02"), exchange_time=None)
        bench.settle()
    assert bench.holds() == BOTH_LIVE
    assert bench.context.mid_price == price + Decimal("0.01")
    assert bench.context.market.feed_delay.behind == 0
    bench.wait(bench.context.settings.stale_data_seconds)
    assert bench.hold(BID) == "stale_data", "their age is that of their receipt"


def test_a_book_without_a_stamp_says_nothing_of_stamps_and_stamps_go_on_after_it() -> None:
    """As a venue does after each synchronisation: the delay of the feed is still measured from its quickest stamp."""
    bench = quoting()
    newest = bench.context.market.exchange_time
    bench.later(1)
    bench.book(exchange_time=None)
    assert bench.context.market.exchange_time == newest
    bench.later(1)
    bench.book("50.00", "50.02", exchange_time=newest - SECOND)
    assert bench.context.late_books == 1
    bench.later(5)
    bench.book("99.99", "100.01", exchange_time=bench.now - 3 * SECOND)
    assert bench.context.market.feed_delay.behind > 2.9 * SECOND


def test_a_book_without_a_stamp_that_was_received_earlier_is_passed_over_until_several_agree() -> None:
    bench = quoting()
    bench.later(1)
    bench.book(exchange_time=None)
    for number in range(6):
        late = bench.book_fact("99.97", "99.99", exchange_time=None)
        bench.tell(evolve(late, received_at=bench.now - SECOND))
        assert bench.context.late_books == min(number + 1, 5)
    assert bench.context.market.bid_price == Decimal("99.97")


def test_a_book_that_comes_late_is_passed_over_and_counted() -> None:
    bench = quoting()
    mid = bench.context.mid_price
    bench.later(1)
    bench.book("50.00", "50.02", exchange_time=bench.now - 5 * SECOND)
    assert bench.context.mid_price == mid
    assert bench.context.late_books == 1


def test_a_stamp_from_the_future_does_not_make_every_later_book_look_old() -> None:
    bench = quoting()
    bench.later(1)
    assert bench.refuses(bench.book_fact(exchange_time=bench.now + 3600 * SECOND)) is not None
    bench.best = {BID: Decimal("99.89"), ASK: Decimal("99.91")}
    bench.book()
    assert bench.context.mid_price == Decimal("99.90")


def test_time_that_jumps_back_is_counted_and_nothing_goes_back_with_it() -> None:
    bench = quoting()
    now = bench.machine.now
    bench.tell(Timer(received_at=now - 2 * SECOND))
    assert bench.machine.now == now
    assert bench.context.clock_regressions == 1


def test_a_feed_that_is_read_ever_later_is_old_data_and_a_heartbeat_does_not_make_it_young() -> None:
    """Each second brings the book of half a second: after 20 s it is 10 s old, the limit."""
    bench = quoting()
    behind = 0
    for _ in range(19):
        behind += SECOND // 2
        bench.later(1)
        bench.book(exchange_time=bench.now - behind)
        bench.settle()
    assert bench.holds() == BOTH_LIVE
    bench.later(1)
    bench.book(exchange_time=bench.now - 10 * SECOND - SECOND // 50)
    assert bench.state == "idle"
    bench.settle()
    bench.later(0.5)
    bench.beat()
    assert bench.holds() == {"bid": "stale_data", "ask": "stale_data"}
    bench.later(0.5)
    bench.book()
    bench.run_until(lambda: bench.holds() == BOTH_LIVE, 5)


def test_clocks_that_differ_all_the_time_are_no_old_data() -> None:
    """The venue's clock is 40 s behind the host's from the beginning, as a clock may be."""
    bench = Bench()
    for _ in range(20):
        bench.later(1)
        bench.book(exchange_time=bench.now - 40 * SECOND)
        bench.settle()
    assert bench.holds() == BOTH_LIVE


def test_a_quiet_market_that_shows_the_same_book_again_is_no_old_data() -> None:
    bench = quoting()
    stamp = bench.now
    for _ in range(30):
        bench.later(1)
        bench.book(exchange_time=stamp)
        bench.settle()
    assert bench.holds() == BOTH_LIVE


def test_a_feed_that_goes_on_from_an_older_copy_is_old_data() -> None:
    """One second to the next, every book is 30 s old: in order among themselves, and late."""
    bench = quoting()
    for _ in range(20):
        bench.later(1)
        bench.book(exchange_time=bench.now - 30 * SECOND)
        bench.settle()
    assert bench.holds() == {"bid": "stale_data", "ask": "stale_data"}


def test_one_stamp_from_the_future_says_nothing_of_the_feeds_delay() -> None:
    bench = quoting()
    bench.later(1)
    bench.book(exchange_time=bench.now + 50 * SECOND)
    for _ in range(15):
        bench.later(1)
        bench.book()
        bench.settle()
    assert bench.holds() == BOTH_LIVE


def test_a_reconnection_measures_the_feed_anew() -> None:
    """The host's clock was set 30 s ahead: every stamp looks old, until a new connection begins with fresh data."""
    bench = quoting()
    bench.later(30)
    for _ in range(20):
        bench.later(1)
        bench.book(exchange_time=bench.now - 30 * SECOND)
        bench.settle()
    assert bench.state == "idle"
    bench.tell(ConnectionRestored(received_at=bench.now, symbol=SYMBOL))
    for _ in range(5):
        bench.settle()
        bench.later(1)
        bench.book(exchange_time=bench.now - 30 * SECOND)
    assert bench.holds() == BOTH_LIVE


@pytest.mark.parametrize("has_heartbeat", [True, False])
def test_a_clock_that_was_set_back_never_makes_a_dead_feed_look_alive(has_heartbeat: bool) -> None:
    """The last word of the feed comes at 0 s; the clock then reads 50 s less. By 10 s later the quotes must be gone."""
    bench = quoting()
    set_back = bench.now - 50 * SECOND
    if has_heartbeat:
        bench.tell(Heartbeat(received_at=set_back, symbol=SYMBOL))
    for second in range(11):
        bench.tell(Timer(received_at=set_back + second * SECOND))
    assert all(bench.own(name).cancel_in_flight for name in bench.live())


# -- odd books -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bid", "ask", "reason"),
    [
        (None, "100.01", "one_sided_book"),
        ("99.99", None, "one_sided_book"),
        (None, None, "one_sided_book"),
        ("100.05", "100.01", "crossed_book"),
        ("100.01", "100.01", "crossed_book"),
        ("97.00", "103.00", "market_spread"),
    ],
)
def test_quotes_are_pulled_at_once_when_the_book_is_unsound(bid: str | None, ask: str | None, reason: str) -> None:
    bench = quoting()
    best = dict(bench.best)
    live = bench.live()
    result = bench.book(bid, ask)
    assert [intent.client_order_id for intent in result.intents if isinstance(intent, CancelOrder)] == live
    assert not [intent for intent in result.intents if isinstance(intent, PlaceOrder)]
    bench.settle()
    assert bench.holds() == {"bid": reason, "ask": reason}
    bench.best = best
    bench.run_until(lambda: bench.holds() == BOTH_LIVE, 10)


def test_the_position_keeps_its_value_while_the_book_has_no_mid() -> None:
    bench = quoting()
    equity = bench.context.equity
    bench.book(None, None)
    assert bench.context.equity == equity


def test_a_halt_pulls_the_quotes_and_they_come_back_after_it() -> None:
    bench = quoting()
    trading(bench, is_open=False)
    assert len([intent for intent in bench.last.intents if isinstance(intent, CancelOrder)]) == 2
    bench.settle()
    bench.run(20)
    assert bench.holds() == {"bid": "trading_halted", "ask": "trading_halted"}
    trading(bench, is_open=True)
    bench.run_until(lambda: bench.holds() == BOTH_LIVE, 8)


def test_own_orders_in_the_book_are_not_taken_for_the_market() -> None:
    """Our bid at 99.94 is alone on its side, before 99.90; the market's best bid is 99.90."""
    bench = quoting()
    own = bench.own(bench.live(BID)[0])
    bids = (BookLevel(own.price, own.remaining), BookLevel(Decimal("99.90"), Decimal(3)))
    bench.book(bids=bids, includes_own_orders=True)
    assert bench.context.bid_price == Decimal("99.90")


def test_a_book_that_does_not_say_is_taken_to_show_own_orders_as_real_ones_do() -> None:
    """Our bid at 99.94 is the best price shown; taken for the market, it would raise the mid it was priced from."""
    bench = quoting()
    own = bench.own(bench.live(BID)[0])
    bids = (BookLevel(own.price, own.remaining), BookLevel(Decimal("99.90"), Decimal(3)))
    asks = (BookLevel(Decimal("100.10"), Decimal(3)),)
    bench.tell(MarketBook(received_at=bench.now, symbol=SYMBOL, bids=bids, asks=asks, exchange_time=bench.now))
    assert bench.context.mid_price == Decimal("100.00")


# -- new rules -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes", [{"tick_size": Decimal("0.05")}, {"lot_size": Decimal("0.25")}, {"minimum_notional": Decimal(20)}]
)
def test_new_rules_cancel_every_order_and_quotes_are_rounded_again(changes: dict[str, Decimal]) -> None:
    bench = quoting()
    live = bench.live()
    rules = evolve(SPOT, **changes)
    result = bench.tell(InstrumentUpdated(received_at=bench.now, symbol=SYMBOL, instrument=rules))
    assert sorted(i.client_order_id for i in result.intents if isinstance(i, CancelOrder)) == live
    begun = len(bench.results)
    bench.run_until(lambda: bench.holds() == BOTH_LIVE and set(bench.live()).isdisjoint(live), 15)
    for order in bench.sent(PlaceOrder, begun):
        assert order.price % rules.tick_size == 0
        assert order.quantity % rules.lot_size == 0


def test_the_same_rules_again_change_nothing() -> None:
    bench = quoting()
    result = bench.tell(InstrumentUpdated(received_at=bench.now, symbol=SYMBOL, instrument=SPOT))
    assert result.intents == ()
    assert result.transitions == ()


def test_new_rules_cancel_an_order_nobody_knows_about_too() -> None:
    bench = quoting()
    bid = bench.live(BID)[0]
    bench.context.orders.lose_track(bench.own(bid), bench.now)
    rules = evolve(SPOT, tick_size=Decimal("0.05"))
    result = bench.tell(InstrumentUpdated(received_at=bench.now, symbol=SYMBOL, instrument=rules))
    assert bid in [intent.client_order_id for intent in result.intents if isinstance(intent, CancelOrder)]
    assert any(isinstance(intent, QueryOrder) for intent in result.intents)


# -- money ---------------------------------------------------------------------------------------------------------


def test_balances_below_the_ledgers_are_not_quoted_with() -> None:
    """The ledger has 100 base; the venue says 0.5: no ask may offer more than that."""
    bench = quoting(reconcile_interval_seconds=3600.0, refresh_interval_seconds=2.0)
    assert bench.own(bench.live(ASK)[0]).quantity > Decimal("0.5")
    bench.report_balances(base_total=Decimal("0.5"), base_free=Decimal("0.5"))
    begun = len(bench.results)
    bench.context.balances_query_due = bench.now + 3600 * SECOND
    bench.run(6)
    asks = bench.own(bench.live(ASK)[0]) if bench.live(ASK) else None
    assert asks is None or asks.quantity <= Decimal("0.5")
    assert all(order.quantity <= Decimal("0.5") for order in bench.sent(PlaceOrder, begun) if order.side is ASK)
    assert bench.context.base_position == 100


def test_a_position_that_differs_is_found_out_however_often_orders_fill_meanwhile() -> None:
    """Half a unit left the account and nobody said so; a fill every second makes every look differ a little."""
    bench = Bench(settings_with(reconcile_interval_seconds=10), is_watched=False).start_quoting()
    bench.start = evolve(bench.start, base=bench.start.base - Decimal("0.5"))
    for second in range(40):
        bench.run(1)
        for order_id in bench.live((BID, ASK)[second % 2])[:1]:
            bench.fill(order_id, "0.01")
    assert bench.holds() == {"bid": "reconciling", "ask": "reconciling"}
    assert "-0.5" in bench.context.reconciliation.detail


def test_a_deposit_is_neither_profit_nor_loss() -> None:
    bench = quoting()
    bench.deposit("2", "150")
    assert bench.context.net_pnl == 0
    assert bench.context.base_position == 102
    assert bench.context.ledger.identity_gap() == 0
    assert bench.context.equity == 102 * bench.context.mid_price + 10_150


def test_funding_on_a_contract_is_booked_once_and_counts_as_profit() -> None:
    bench = quoting(instrument=CONTRACT, balances=Balances(base=Decimal(5), quote=Decimal(5_000)))
    for _ in range(3):
        bench.tell(FundingPaid(received_at=bench.now, symbol=SYMBOL, amount=Decimal("-1.25"), funding_id="08:00"))
    assert bench.context.net_pnl == Decimal("-1.25")
    assert bench.context.ledger.identity_gap() == 0


def test_a_contracts_equity_is_its_margin_and_what_the_position_gained() -> None:
    """Short 10 from a mid of 100.00, with 5000 of margin; the price falls to 99.50: 5 are gained."""
    bench = quoting(instrument=CONTRACT, balances=Balances(base=Decimal(-10), quote=Decimal(5_000)))
    assert bench.context.equity == 5_000
    bench.later(1)
    bench.book("99.49", "99.51")
    assert bench.context.equity == 5_005
    assert bench.context.holding_pnl == 5


def test_a_contract_quotes_both_sides_from_flat_and_may_go_short() -> None:
    bench = quoting(instrument=CONTRACT, balances=Balances(base=Decimal(0), quote=Decimal(5_000)))
    ask = bench.live(ASK)[0]
    bench.fill(ask)
    assert bench.context.base_position < 0
    bench.run(10)
    assert bench.holds() == BOTH_LIVE
    assert bench.context.ledger.identity_gap() == 0


def test_a_spot_account_without_base_quotes_no_ask() -> None:
    bench = Bench(balances=Balances(base=Decimal(0), quote=Decimal(5_000)))
    bench.run(10)
    assert bench.hold(BID) is None
    assert bench.hold(ASK) == "funds"
    assert all(order.side is BID for order in bench.sent(PlaceOrder))


def test_a_fee_in_base_currency_makes_the_position_smaller() -> None:
    bench = quoting()
    bid = bench.live(BID)[0]
    bench.fill(bid, "0.5", fee=Decimal("0.0005"), fee_currency="BTC")
    assert bench.context.base_position == Decimal("100.4995")
    assert bench.context.fees_paid == Decimal("0.0005") * bench.context.mid_price
    assert bench.context.ledger.identity_gap() == 0


# -- inventory -----------------------------------------------------------------------------------------------------


def test_passing_the_limit_leads_to_one_adjustment_down_to_half_of_it() -> None:
    """Equity is about 20000, the limit 10 % of it: 20 at a price of 100; 30 more make it 23, and 11.5 may stay."""
    bench = quoting(adjustment_goal_share=0.5)
    bench.deposit("30")
    limit = bench.context.position_limit
    assert 20 < limit < 26
    assert bench.state == "inventory_management"
    begun = len(bench.results)
    bench.settle()
    bench.run(10)
    adjustments = [o for o in bench.sent(PlaceOrder, begun) if o.purpose is OrderPurpose.ADJUSTMENT]
    assert [order.side for order in adjustments] == [ASK]
    assert bench.context.inventory_offset == 30 - adjustments[0].quantity
    assert limit / 2 <= bench.context.inventory_offset < limit / 2 + Decimal("0.001")
    assert bench.hold(ASK) is None


def test_no_quote_is_placed_while_an_adjustment_is_under_way() -> None:
    bench = quoting()
    bench.fills_reducing_orders = False
    bench.deposit("30")
    begun = len(bench.results)
    bench.run(30)
    assert bench.state == "inventory_management"
    assert {order.purpose for order in bench.sent(PlaceOrder, begun)} == {OrderPurpose.ADJUSTMENT}
    assert bench.holds() == {"bid": "adjusting_inventory", "ask": "adjusting_inventory"}


def test_old_data_takes_an_adjusting_order_out_as_well() -> None:
    bench = quoting(stale_data_seconds=10.0)
    bench.fills_reducing_orders = False
    bench.deposit("30")
    bench.run(3)
    (name,) = bench.live()
    bench.wait(10)
    assert bench.own(name).cancel_in_flight


def test_an_adjustment_never_hangs_on_a_rest_too_small_for_its_price() -> None:
    """A limit of 1 in quote currency 100; 1.04 too much is 4 USD at the bid: below the minimum of 5."""
    bench = quoting(max_position_size=Decimal("0.5"), adjustment_goal_share=1.0)
    bench.deposit("0.549")
    bench.run(30)
    assert bench.state == "monitoring_orders"


def test_equity_used_up_allows_only_reducing() -> None:
    """A contract, 30 long from 100 on 500 of margin: at 80 it has lost 600."""
    bench = quoting(
        instrument=CONTRACT,
        balances=Balances(base=Decimal(30), quote=Decimal(500), leverage=Decimal(10)),
        target_base=Decimal(0),
        max_inventory_pct=10.0,
        max_drawdown=Decimal(10_000),
        min_liquidation_distance=0.0,
    )
    bench.fills_reducing_orders = False
    for _ in range(20):
        bench.later(0.5)
        bench.book(bench.best[BID] - 1, bench.best[ASK] - 1)
        bench.settle()
    assert bench.context.equity == -100
    begun = len(bench.results)
    bench.run(20)
    assert {(order.side, order.purpose) for order in bench.sent(PlaceOrder, begun)} <= {(ASK, OrderPurpose.ADJUSTMENT)}
    bench.fills_reducing_orders = True
    bench.best = {BID: bench.best[BID] - 1, ASK: bench.best[ASK] - 1}
    bench.run_until(lambda: bench.context.base_position < 15, 20)
