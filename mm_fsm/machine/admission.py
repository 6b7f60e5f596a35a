"""Checks every fact before anything changes: a refused fact leaves books and state exactly as they were."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts import (
    BalancesReported,
    CancelRefused,
    ConnectionRestored,
    ConversionPriceReported,
    ExternalFlow,
    FundingPaid,
    Heartbeat,
    InstrumentUpdated,
    JournalFailed,
    MarketBook,
    MarketTrade,
    MessageRefused,
    OpenOrdersReported,
    OrderAcknowledged,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderNotFound,
    OrderRejected,
    OrderStatusReported,
    OutcomeUnknown,
    OwnTradesReported,
    QueryFailed,
    StopRequested,
    Timer,
    TradingStatusChanged,
)
from mm_fsm.books.ledger import AMOUNT_EXPECTED, FeeCurrency, LedgerFill, is_amount
from mm_fsm.books.orders import OwnOrder
from mm_fsm.core.messages import BookLevel, Fact, OrderFact, ReportedStatus, Side, VenueFact
from mm_fsm.errors import FactRefusedError
from mm_fsm.machine.fact_fields import check_fields, refusal


def admit(context: MarketMakingContext, fact: Fact) -> None:
    """Check one fact.

    Raises:
        FactRefusedError: the fact is malformed or impossible.
    """
    check = _CHECKS.get(type(fact))
    if check is None:
        expected = f"one of {[kind.__name__ for kind in _CHECKS]}"
        raise FactRefusedError(type(fact).__name__, "type", expected, type(fact), "Send one of those.")
    check_fields(fact)
    if isinstance(fact, VenueFact) and fact.symbol != context.settings.symbol:
        raise refusal(fact, "symbol", f"{context.settings.symbol!r}, which this machine trades", fact.symbol)
    check(context, fact)


def _check_positive(fact: object, field: str, value: object) -> None:
    if not isinstance(value, Decimal) or not value.is_finite() or value <= 0:
        raise refusal(fact, field, "a positive finite decimal", value)


def _nothing_more(_context: MarketMakingContext, _fact: Any) -> None:
    """Fields and symbol are all there is to check."""


def _check_book(_context: MarketMakingContext, fact: MarketBook) -> None:
    _check_levels(fact, "bids", fact.bids, sign=-1)
    _check_levels(fact, "asks", fact.asks, sign=1)
    if not fact.bids or not fact.asks:
        return
    levels = (*fact.bids, *fact.asks) if fact.includes_own_orders else (fact.bids[0], fact.asks[0])
    for level in levels:
        if not is_amount(level.price / 2):  # the mid is booked, and may need one decimal more
            raise refusal(fact, "price", f"a {AMOUNT_EXPECTED}, as its half must be", level.price)


def _check_levels(fact: MarketBook, name: str, levels: tuple[BookLevel, ...], sign: int) -> None:
    previous: Decimal | None = None
    for index, (price, size) in enumerate(levels):
        _check_positive(fact, f"{name}[{index}].price", price)
        _check_positive(fact, f"{name}[{index}].size", size)
        if previous is not None and (price - previous) * sign <= 0:
            raise refusal(fact, f"{name}[{index}].price", f"further from the market than {previous}", price)
        previous = price


def _check_trade(_context: MarketMakingContext, fact: MarketTrade) -> None:
    _check_positive(fact, "price", fact.price)
    _check_positive(fact, "size", fact.size)


def _check_instrument(context: MarketMakingContext, fact: InstrumentUpdated) -> None:
    old, new = context.instrument, fact.instrument
    for name in ("symbol", "base_currency", "quote_currency", "kind", "contract_size"):
        if getattr(new, name) != getattr(old, name):
            raise refusal(
                fact,
                f"instrument.{name}",
                f"{getattr(old, name)!r} as before; only grid and minimums may change while running",
                getattr(new, name),
                "Stop this machine and start another for the new instrument.",
            )


def _check_conversion_price(_context: MarketMakingContext, fact: ConversionPriceReported) -> None:
    _check_positive(fact, "price", fact.price)


def _known_order(context: MarketMakingContext, fact: OrderFact) -> OwnOrder:
    order = context.orders.get(fact.client_order_id)
    if order is None:
        raise refusal(fact, "client_order_id", "an order that this machine sent", fact.client_order_id)
    return order


def _check_order_fact(context: MarketMakingContext, fact: OrderFact) -> None:
    _known_order(context, fact)


def _check_closing(context: MarketMakingContext, fact: OrderCanceled | OrderExpired | OrderStatusReported) -> None:
    order, filled = _known_order(context, fact), fact.filled_quantity
    if filled is not None and not 0 <= filled <= order.quantity:
        raise refusal(fact, "filled_quantity", f"between 0 and the order's {order.quantity}", filled)


def _check_status(context: MarketMakingContext, fact: OrderStatusReported) -> None:
    _check_closing(context, fact)
    order, filled = _known_order(context, fact), fact.filled_quantity
    if fact.status is ReportedStatus.FILLED and filled is not None and filled != order.quantity:
        raise refusal(fact, "filled_quantity", f"the whole {order.quantity} of a filled order", filled)
    if fact.status is ReportedStatus.REJECTED and filled:
        raise refusal(fact, "filled_quantity", "0 of an order that never was in the book", filled)


def _check_fill_told(context: MarketMakingContext, fact: OrderFilled) -> None:
    """A fill told by itself; under an id that is booked it must be the same trade."""
    _check_fill(context, fact)
    if context.ledger.contradicts(to_ledger_fill(context, fact, _side_of_fill(context, fact))):
        expected = "an id that is not booked with another order, price or quantity"
        raise refusal(fact, "trade_id", expected, fact, "Ask for the order, own trades and balances.")


def _check_fill(context: MarketMakingContext, fact: OrderFilled) -> None:
    for name in ("price", "quantity"):
        _check_positive(fact, name, getattr(fact, name))
    order = context.orders.get(fact.client_order_id)
    side = _side_of_fill(context, fact)
    to_ledger_fill(context, fact, side)
    if context.ledger.is_booked(fact.trade_id, side):
        return
    if context.ledger.is_forgotten(fact.exchange_time):
        until = context.ledger.forgotten_until
        raise refusal(fact, "exchange_time", f"after {until}, before which booked trades are forgotten", fact)
    if order is not None and fact.quantity > order.remaining:
        raise refusal(fact, "quantity", f"at most the {order.remaining} that remain of the order", fact.quantity)


def _side_of_fill(context: MarketMakingContext, fact: OrderFilled) -> Side:
    """The side of the order; for an order long forgotten, the side that the venue reports."""
    order = context.orders.get(fact.client_order_id)
    if order is None:
        is_ours = fact.client_order_id.startswith(context.order_prefix)
        if fact.side is None or not is_ours:
            raise refusal(fact, "client_order_id", "an order that this machine sent", fact.client_order_id)
        return fact.side
    if fact.side is not None and fact.side is not order.side:
        raise refusal(fact, "side", f"{order.side}, the order's side", fact.side)
    return order.side


def to_ledger_fill(context: MarketMakingContext, fact: OrderFilled, side: Side) -> LedgerFill:
    """The fill as the ledger books it.

    Raises:
        FactRefusedError: its fee is in a third currency of which no price is known, or an amount cannot be booked.
    """
    instrument = context.instrument
    conversion_price = None
    if fact.fee_currency == instrument.quote_currency:
        currency = FeeCurrency.QUOTE
    elif fact.fee_currency == instrument.base_currency:
        currency = FeeCurrency.BASE
    else:
        currency = FeeCurrency.THIRD
        conversion_price = context.conversion_prices.get(fact.fee_currency)
        if conversion_price is None and fact.fee:
            raise refusal(
                fact,
                "fee_currency",
                f"{instrument.quote_currency}, {instrument.base_currency} or a currency with a known price",
                fact.fee_currency,
                "Send a ConversionPriceReported for it, then ask for own trades again.",
            )
    return LedgerFill(
        trade_id=fact.trade_id,
        side=side,
        price=fact.price,
        quantity=fact.quantity,
        fee=fact.fee,
        fee_currency=currency,
        conversion_price=conversion_price,
        exchange_time=fact.exchange_time,
        client_order_id=fact.client_order_id,
    )


def _check_own_trades(context: MarketMakingContext, fact: OwnTradesReported) -> None:
    """Trades of orders that are not ours are passed over; ours must all be sound, together."""
    if fact.since > fact.until:
        raise refusal(fact, "since", f"at most until, {fact.until}", fact.since)
    totals: dict[str, Decimal] = {}
    seen: set[tuple[str, str]] = set()
    for fill in fact.fills:
        name = fill.client_order_id
        if name not in context.orders and not name.startswith(context.order_prefix):
            continue
        check_fields(fill)
        if fill.symbol != fact.symbol:
            raise refusal(fact, "fills", f"trades of {fact.symbol!r}", fill)
        if not is_own_fill(context, fill):
            continue
        _check_fill(context, fill)
        order = context.orders.get(name)
        if order is None or (name, fill.trade_id) in seen or context.ledger.is_booked(fill.trade_id, order.side):
            continue
        seen.add((name, fill.trade_id))
        totals[fill.client_order_id] = totals.get(fill.client_order_id, Decimal(0)) + fill.quantity
        if totals[fill.client_order_id] > order.remaining:
            raise refusal(fact, "fills", f"at most {order.remaining} more of {fill.client_order_id!r}", totals)


def is_own_fill(context: MarketMakingContext, fill: OrderFilled) -> bool:
    """Whether a trade of the account belongs to an order of this run, and so into these books.

    Of orders that the books do not know, only trades after the first look at own trades: earlier ones are in the
    balances that the books began with. A trade too old to tell whether it was booked was confirmed long ago.
    """
    order = context.orders.get(fill.client_order_id)
    side = fill.side if order is None else order.side
    if side is None:
        return False
    if context.ledger.is_forgotten(fill.exchange_time) and not context.ledger.is_booked(fill.trade_id, side):
        return False
    if order is not None:
        return fill.exchange_time > order.trades_count_after
    is_of_this_run = fill.client_order_id.startswith(context.order_prefix)
    return is_of_this_run and context.reconciliation.has_past


def _check_open_orders(context: MarketMakingContext, fact: OpenOrdersReported) -> None:
    """Orders of others are passed over; those that carry our prefix must be sound."""
    for reported in fact.orders:
        if not reported.client_order_id.startswith(f"{context.settings.strategy_id}-"):
            continue
        check_fields(reported)
        name = f"orders[{reported.client_order_id}]"
        _check_positive(fact, f"{name}.price", reported.price)
        _check_positive(fact, f"{name}.quantity", reported.quantity)
        if not 0 <= reported.filled_quantity <= reported.quantity:
            expected = f"between 0 and {reported.quantity}"
            raise refusal(fact, f"{name}.filled_quantity", expected, reported.filled_quantity)


_CHECKS: Final[Mapping[type[Fact], Callable[[MarketMakingContext, Any], None]]] = {
    MarketBook: _check_book,
    MarketTrade: _check_trade,
    Heartbeat: _nothing_more,
    Timer: _nothing_more,
    StopRequested: _nothing_more,
    MessageRefused: _nothing_more,
    TradingStatusChanged: _nothing_more,
    InstrumentUpdated: _check_instrument,
    BalancesReported: _nothing_more,
    ConversionPriceReported: _check_conversion_price,
    FundingPaid: _nothing_more,
    ExternalFlow: _nothing_more,
    OrderAcknowledged: _check_order_fact,
    OrderRejected: _check_order_fact,
    OrderFilled: _check_fill_told,
    OrderCanceled: _check_closing,
    OrderExpired: _check_closing,
    CancelRefused: _check_order_fact,
    OutcomeUnknown: _check_order_fact,
    OrderStatusReported: _check_status,
    OrderNotFound: _check_order_fact,
    OwnTradesReported: _check_own_trades,
    OpenOrdersReported: _check_open_orders,
    ConnectionRestored: _nothing_more,
    JournalFailed: _nothing_more,
    QueryFailed: _nothing_more,
}
