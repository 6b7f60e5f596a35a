"""Judgements by the exchange's own log: what must never happen, and that the books equal the exchange's."""

from __future__ import annotations

from decimal import Decimal

from mm_fsm.core.messages import SIDES, PlaceOrder
from mm_fsm.testing.rehearsal.judge import OrderAccepted
from mm_fsm.testing.rehearsal.ready_markets import instrument_of
from tests.venues.ccxt_venue.live_stage import Stage


def assert_nothing_forbidden(stage: Stage) -> None:
    """After every session has ended: nothing doubled, orphaned, off the grid or taking; nobody deaf to own trades."""
    log = stage.exchange.log
    assert log.open_orders() == ()
    assert log.duplicates() == {}
    assert log.off_grid(instrument_of(symbol) for symbol in stage.makers) == ()
    assert log.post_only_takes() == ()
    assert log.first_order_unheard() is None
    for symbol, maker in stage.makers.items():
        sent = {each.client_order_id for each in maker.intents if isinstance(each, PlaceOrder)}
        at_exchange = {order.client_order_id for order in log.of(OrderAccepted) if order.symbol == symbol}
        assert at_exchange <= sent
        for side in SIDES:
            assert log.most_open(symbol, side) <= maker.machine.context.settings.max_live_orders


def assert_books_equal(stage: Stage) -> None:
    """Fill by fill, and to the last decimal of the account."""
    log = stage.exchange.log
    flows: dict[str, Decimal] = {}
    for symbol, maker in stage.makers.items():
        context, instrument = maker.machine.context, instrument_of(symbol)
        assert context.fill_count == len(log.fills(symbol))
        assert context.orders.count == 0
        base, quote = instrument.base_currency, instrument.quote_currency
        flows[base] = flows.get(base, Decimal(0)) + context.base_position - maker.balances.base
        flows[quote] = flows.get(quote, Decimal(0)) + context.ledger.cash - maker.balances.quote
    now = log.balances()
    for currency, flow in flows.items():
        assert now[currency] - stage.exchange.terms.balances[currency] == flow, currency
