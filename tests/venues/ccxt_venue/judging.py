"""Judgements by the exchange's own log: what must never happen, and that the books equal the exchange's."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from attrs import frozen

from mm_fsm.core.messages import SIDES, PlaceOrder
from mm_fsm.testing.rehearsal.judge import OrderAccepted, RehearsalLog
from mm_fsm.testing.rehearsal.ready_markets import instrument_of
from tests.venues.ccxt_venue.live_stage import Stage


@frozen
class Flow:
    """What own trades of one market moved, fees included: by the exchange's log alone."""

    count: int
    base: Decimal
    quote: Decimal
    other: Mapping[str, Decimal]
    """Of currencies that are neither, such as a fee's."""


def flow_at_exchange(log: RehearsalLog, symbol: str) -> Flow:
    """Sum the exchange's own record of a market's trades."""
    base, _, quote = symbol.partition("/")
    moved = {base: Decimal(0), quote: Decimal(0)}
    fills = log.fills(symbol)
    for fill in fills:
        moved[base] += fill.side.sign * fill.quantity
        moved[quote] -= fill.side.sign * fill.quantity * fill.price
        moved[fill.fee_currency] = moved.get(fill.fee_currency, Decimal(0)) - fill.fee
    others = {currency: amount for currency, amount in moved.items() if currency not in {base, quote}}
    return Flow(len(fills), moved[base], moved[quote], others)


def assert_nothing_forbidden(stage: Stage) -> None:
    """After every session has ended: nothing doubled, orphaned, off the grid or taking; nobody deaf to own trades."""
    log = stage.exchange.log
    assert_log_shows_nothing_forbidden(
        log, {symbol: maker.machine.context.settings.max_live_orders for symbol, maker in stage.makers.items()}
    )
    for symbol, maker in stage.makers.items():
        sent = {each.client_order_id for each in maker.intents if isinstance(each, PlaceOrder)}
        at_exchange = {order.client_order_id for order in log.of(OrderAccepted) if order.symbol == symbol}
        assert at_exchange <= sent
        ended = next(result.time for result in maker.results if result.state == maker.machine.chart_state)
        late = [order for order in log.orders_after(ended) if order.symbol == symbol]
        assert late == [], "an order came after the end"


def assert_log_shows_nothing_forbidden(log: RehearsalLog, most_open: Mapping[str, int]) -> None:
    """What the exchange alone can see, once nobody trades any more; ``most_open`` orders a side, by market."""
    assert log.open_orders() == ()
    assert log.duplicates() == {}
    assert log.off_grid(instrument_of(symbol) for symbol in most_open) == ()
    assert log.post_only_takes() == ()
    assert log.first_order_unheard() is None
    for symbol, most in most_open.items():
        for side in SIDES:
            assert log.most_open(symbol, side) <= most


def assert_books_equal(stage: Stage) -> None:
    """Each market's books equal the exchange's record of its trades, their sums the account: to the last decimal."""
    log = stage.exchange.log
    sums: dict[str, Decimal] = {}
    for symbol, maker in stage.makers.items():
        context, instrument = maker.machine.context, instrument_of(symbol)
        flow = flow_at_exchange(log, symbol)
        assert context.orders.count == 0
        assert context.fill_count == flow.count
        base = context.base_position - maker.balances.base
        quote = context.ledger.cash - maker.balances.quote
        assert (base, quote) == (flow.base, flow.quote), symbol
        for currency, amount in (
            (instrument.base_currency, base),
            (instrument.quote_currency, quote),
            *flow.other.items(),
        ):
            sums[currency] = sums.get(currency, Decimal(0)) + amount
    now = log.balances()
    for currency, amount in sums.items():
        assert now[currency] - stage.exchange.terms.balances[currency] == amount, currency
