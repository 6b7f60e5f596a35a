"""The end of a session: from every state, flat or not, once or twice, early or late."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from mm_fsm.books.facts import MarketBook, OrderCanceled, OwnTradesReported, TradingStatusChanged
from mm_fsm.core.instrument import Balances
from mm_fsm.core.messages import (
    BookLevel,
    OrderPurpose,
    PlaceOrder,
    QueryOpenOrders,
    QueryOwnTrades,
    RequestKind,
    Side,
)
from tests.machine.bench import CONTRACT, SECOND, SYMBOL, Bench, settings_with
from tests.machine.driver import WAYS, reach

BID, ASK = Side.BID, Side.ASK


def quoting(**changes: Any) -> Bench:
    options = {name: changes.pop(name) for name in ("instrument", "balances") if name in changes}
    return Bench(settings_with(**changes), **options).start_quoting()


@pytest.mark.parametrize("flatten", [True, False])
@pytest.mark.parametrize("state", [state for state in WAYS if state != "completed"])
def test_a_stop_in_every_state_leads_to_the_end(state: str, flatten: bool) -> None:
    driver = reach(state)
    bench, begun, edges = driver.bench, len(driver.bench.results), len(driver.way.edges)
    bench.stop(flatten=flatten)
    assert driver.way.edges[edges] == (state, "stop")
    assert bench.holds()["bid"] in {"stopping", None, "completed"}
    bench.run_until(lambda: bench.machine.is_final, 120)
    quotes = [order for order in bench.sent(PlaceOrder, begun) if order.purpose is OrderPurpose.QUOTE]
    assert quotes == []


@pytest.mark.parametrize("state", [state for state in WAYS if state != "completed"])
def test_a_stop_that_is_interrupted_is_carried_out_with_the_next_fact(state: str) -> None:
    """It was booked, and the session called stopping, but the machine had not moved when Ctrl-C came."""
    driver = reach(state)
    bench, edges = driver.bench, len(driver.way.edges)
    driver.inventory.error = KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        bench.stop()
    driver.inventory.error = None
    assert bench.state == state
    bench.beat()
    assert driver.way.edges[edges] == (state, "stop")
    bench.run_until(lambda: bench.machine.is_final, 120)
    assert driver.way.edges.count((state, "stop")) == 1
    assert not bench.live()


def test_a_stop_before_anything_else_ends_once_the_venue_has_said_what_is_open() -> None:
    """An earlier process may have left orders, so the book is not taken to be empty unasked."""
    bench = Bench()
    bench.stop()
    assert bench.state == "inventory_management"
    bench.run_until(lambda: bench.machine.is_final, 3)
    assert bench.sent(QueryOpenOrders)
    assert not bench.sent(PlaceOrder)
    assert bench.machine.result().success


def test_a_second_stop_changes_nothing_but_may_ask_to_keep_the_position() -> None:
    bench = quoting(target_base=Decimal(90))
    bench.fills_reducing_orders = False
    bench.stop()
    bench.run(3)
    begun = len(bench.results)
    bench.stop()
    assert bench.taken(begun) == []
    assert [order.purpose for order in bench.context.orders.live()] == [OrderPurpose.WIND_DOWN]
    bench.stop(flatten=False)
    assert bench.own(bench.live()[0]).cancel_in_flight
    bench.run(10)
    assert bench.state == "completed"
    assert bench.context.inventory_offset == 10
    assert bench.machine.result().success


def test_a_stop_after_the_end_changes_nothing() -> None:
    bench = quoting()
    bench.stop()
    bench.settle()
    assert bench.state == "completed"
    result = bench.machine.result()
    begun = len(bench.results)
    bench.stop()
    assert bench.taken(begun) == []
    assert bench.machine.result() == result


def test_a_session_that_has_a_time_limit_stops_itself() -> None:
    bench = quoting(session_seconds=30.0)
    begun_at = bench.machine.began_at
    assert begun_at is not None
    bench.run_until(lambda: bench.context.is_stopping, 40)
    assert 0 <= bench.now - begun_at - 30 * SECOND < 0.1 * SECOND
    bench.settle()
    assert bench.state == "completed"
    assert bench.machine.result().success
    assert bench.context.stop_reason == "the session's time is over"


def test_quotes_are_cancelled_and_confirmed_before_the_position_is_reduced() -> None:
    bench = quoting(target_base=Decimal(90))
    bench.stop()
    assert [type(intent).__name__ for intent in bench.last.intents] == ["CancelOrder", "CancelOrder"]
    bench.outbox.clear()
    bid, ask = bench.live()
    bench.confirm_cancel(bid)
    assert bench.sent(PlaceOrder)[-1].purpose is OrderPurpose.QUOTE
    bench.confirm_cancel(ask)
    last = bench.sent(PlaceOrder)[-1]
    assert (last.purpose, last.side, last.quantity, last.post_only) == (OrderPurpose.WIND_DOWN, ASK, 10, True)
    assert last.price == Decimal("100.01")  # its own side's best price


def test_a_wind_down_is_passive_first_and_then_takes_slices_within_the_slippage() -> None:
    bench = quoting(target_base=Decimal(90), wind_down_passive_seconds=20.0, wind_down_slice=Decimal(300))
    bench.fills_reducing_orders = False
    begun = len(bench.results)
    bench.stop()
    stopped_at = bench.now
    bench.run_until(lambda: bench.machine.is_final, 120)
    orders = [(result.time, intent) for result in bench.results[begun:] for intent in result.intents]
    placed = [(time, intent) for time, intent in orders if isinstance(intent, PlaceOrder)]
    for time, order in placed:
        assert order.post_only is (time < stopped_at + 20 * SECOND)
    slices = [order for _, order in placed if not order.post_only]
    assert all(order.price == Decimal("99.80") for order in slices)  # 20 bps below 100, the most it may slip
    assert all(order.quantity <= Decimal("3.006") for order in slices)  # 300 USD at 99.80
    assert sum(order.quantity for order in slices) == 10
    assert bench.machine.result().success


def test_past_its_deadline_a_wind_down_cancels_and_ends_without_success() -> None:
    bench = quoting(target_base=Decimal(90), wind_down_passive_seconds=5.0, wind_down_deadline_seconds=5.0)
    bench.fills_reducing_orders = False
    bench.stop()
    stopped_at = bench.now
    bench.run_until(lambda: bench.machine.is_final, 20)
    assert bench.now >= stopped_at + 5 * SECOND
    result = bench.machine.result()
    assert not result.success
    assert "deadline" in str(result.error)
    assert bench.context.inventory_offset == 10
    assert bench.orders[bench.sent(PlaceOrder)[-1].client_order_id].is_open is False


def test_a_wind_down_that_was_flat_in_time_is_a_success_however_long_the_confirmations_took() -> None:
    bench = quoting(wind_down_passive_seconds=1.0, wind_down_deadline_seconds=5.0)
    bench.stop()
    bench.outbox.clear()
    bench.wait(8)
    bench.settle()
    assert bench.state == "completed"
    assert bench.machine.result().success


def test_dust_counts_as_flat() -> None:
    """What is left is 0.04 at 100: below the venue's smallest notional of 5."""
    bench = quoting(target_base=Decimal("99.96"))
    bench.stop()
    bench.settle()
    assert bench.state == "completed"
    assert bench.machine.result().success
    assert bench.machine.result().additional_data["base_position"] == 100


def test_a_wind_down_without_any_price_waits_for_one_and_then_for_its_deadline() -> None:
    """Nothing is known of the market, and the position is not at its target: that is no success."""
    bench = Bench(settings_with(target_base=Decimal(90), wind_down_passive_seconds=1.0, wind_down_deadline_seconds=5.0))
    bench.beat()
    bench.stop()
    bench.settle()
    assert bench.state == "inventory_management"
    bench.wait(6)
    assert bench.state == "completed"
    assert not bench.machine.result().success


def test_a_halted_market_is_waited_for() -> None:
    bench = quoting(target_base=Decimal(90))
    bench.tell(TradingStatusChanged(received_at=bench.now, symbol=SYMBOL, trading=False))
    bench.stop()
    bench.run(30)
    assert bench.sent(PlaceOrder)[-1].purpose is OrderPurpose.QUOTE
    bench.tell(TradingStatusChanged(received_at=bench.now, symbol=SYMBOL, trading=True))
    bench.run_until(lambda: bench.machine.is_final, 30)
    assert bench.context.inventory_offset == 0


def test_a_one_sided_book_is_waited_for() -> None:
    bench = quoting(target_base=Decimal(90))
    bench.book(None, "100.01")
    bench.stop()
    for _ in range(10):
        bench.settle()
        bench.later(1)
        bench.book(None, "100.01")
    assert bench.sent(PlaceOrder)[-1].purpose is OrderPurpose.QUOTE
    bench.run_until(lambda: bench.machine.is_final, 30)
    assert bench.context.inventory_offset == 0


def test_data_that_goes_old_during_a_wind_down_takes_the_reducing_order_out() -> None:
    bench = quoting(target_base=Decimal(90), stale_data_seconds=10.0)
    bench.fills_reducing_orders = False
    bench.stop()
    bench.run(3)
    (name,) = bench.live()
    bench.wait(10)
    assert bench.own(name).cancel_in_flight


def test_the_end_waits_for_an_unknown_order_and_for_fills_that_are_missing() -> None:
    bench = quoting()
    bid, ask = bench.live()
    bench.stop(flatten=False)
    bench.confirm_cancel(ask)
    bench.lose(bid, RequestKind.CANCEL)
    bench.outbox.clear()
    bench.wait(60)
    assert bench.state == "inventory_management"
    bench.orders[bid].is_open = False
    bench.trade(bid, "0.3")
    bench.orders[bid].is_open = False
    bench.report(bid)
    assert bench.state == "inventory_management"
    bench.report_trades()
    assert bench.state == "completed"
    assert bench.context.base_position == Decimal("100.3")


def test_own_trades_are_looked_up_after_the_last_cancel_before_the_end() -> None:
    bench = quoting()
    bid, ask = bench.live()
    bench.stop(flatten=False)
    bench.confirm_cancel(bid)
    bench.outbox.clear()
    bench.later(1)
    begun = len(bench.results)
    bench.confirm_cancel(ask)
    assert bench.state == "inventory_management"
    assert bench.sent(QueryOwnTrades, begun)
    bench.report_trades()
    assert bench.state == "completed"


def test_a_fill_that_a_cancels_confirmation_did_not_mention_is_found_before_the_end() -> None:
    bench = quoting()
    bid, ask = bench.live()
    bench.stop(flatten=False)
    bench.trade(bid, "0.3")
    for name in (bid, ask):
        bench.orders[name].is_open = False
        bench.tell(bench.about(OrderCanceled, name, exchange_time=bench.now))
    assert bench.state == "inventory_management"
    bench.run_until(lambda: bench.machine.is_final, 20)
    assert bench.context.base_position == Decimal("100.3")


def test_an_answer_about_trades_from_before_the_last_cancel_does_not_count() -> None:
    """It was under way since before; a fill may have come between the look and the cancel."""
    bench = quoting()
    bid, ask = bench.live()
    early = bench.now
    bench.later(1)
    bench.stop(flatten=False)
    for name in (bid, ask):
        bench.confirm_cancel(name)
    bench.tell(OwnTradesReported(received_at=bench.now, symbol=SYMBOL, fills=(), since=0, until=early))
    assert bench.state == "inventory_management"
    bench.report_trades()
    assert bench.state == "completed"


def test_a_fill_after_the_end_is_booked_and_flags_the_result() -> None:
    bench = quoting()
    bid = bench.live(BID)[0]
    bench.stop(flatten=False)
    bench.settle()
    assert bench.state == "completed"
    before = bench.machine.result()
    assert before.additional_data["is_amended"] is False
    bench.fill(bid, "0.3")
    after = bench.machine.result()
    assert bench.state == "completed"
    assert after.additional_data["is_amended"] is True
    assert after.additional_data["base_position"] == Decimal("100.3")
    assert after.orders_executed == 1
    assert bench.context.ledger.identity_gap() == 0


def test_a_short_contract_position_is_bought_back() -> None:
    bench = quoting(
        instrument=CONTRACT,
        balances=Balances(base=Decimal(-7), quote=Decimal(5_000), leverage=Decimal(3)),
        target_base=Decimal(0),
        max_position_size=Decimal(20),
        max_inventory_pct=0.5,
    )
    bench.stop()
    bench.run_until(lambda: bench.machine.is_final, 60)
    last = bench.sent(PlaceOrder)[-1]
    assert (last.side, last.quantity, last.reduce_only) == (BID, 7, True)
    assert bench.context.base_position == 0
    assert bench.machine.result().success


def test_a_stop_is_carried_out_even_when_its_own_action_fails_once() -> None:
    from mm_fsm.machine.market_making import MarketMakingStateMachine

    class Clumsy(MarketMakingStateMachine):
        failures = 0

        def begin_stopping(self) -> None:
            if not self.failures:
                self.failures += 1
                raise RuntimeError("dropped it")
            super().begin_stopping()

    bench = Bench(machine=Clumsy).start_quoting()
    bench.stop()
    assert bench.state == "error"
    bench.run_until(lambda: bench.machine.is_final, 30)
    assert bench.context.is_stopping


def test_the_book_of_a_market_that_is_crossed_for_a_while_does_not_end_a_wind_down() -> None:
    bench = quoting(target_base=Decimal(90))
    crossed = MarketBook(
        received_at=bench.now,
        symbol=SYMBOL,
        bids=(BookLevel(Decimal(101), Decimal(1)),),
        asks=(BookLevel(Decimal(100), Decimal(1)),),
        exchange_time=bench.now,
    )
    bench.tell(crossed)
    bench.stop()
    bench.settle()
    assert bench.state == "inventory_management"
    assert bench.sent(PlaceOrder)[-1].purpose is OrderPurpose.QUOTE
    bench.run_until(lambda: bench.machine.is_final, 60)
    assert bench.context.inventory_offset == 0
