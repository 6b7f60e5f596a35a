"""Checks every fact before anything changes: a refused fact leaves books and state exactly as they were."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from mm_fsm.core.context import MarketMakingContext
from mm_fsm.core.ledger import FeeCurrency, LedgerFill
from mm_fsm.core.messages import (
    BalancesReported,
    BookLevel,
    CancelRefused,
    ConversionPriceReported,
    ExternalFlow,
    Fact,
    FundingPaid,
    Heartbeat,
    InstrumentUpdated,
    MarketBook,
    MarketTrade,
    MessageRefused,
    OrderAcknowledged,
    OrderCanceled,
    OrderExpired,
    OrderFact,
    OrderFilled,
    OrderNotFound,
    OrderRejected,
    OrderStatusReported,
    OutcomeUnknown,
    OwnTradesReported,
    QueryFailed,
    ReportedStatus,
    Side,
    StopRequested,
    Timer,
    TradingStatusChanged,
    VenueFact,
)
from mm_fsm.core.orders import OwnOrder
from mm_fsm.errors import FactRefusedError

ASK_AGAIN: Final = "Drop the message and ask the venue again."


def admit(context: MarketMakingContext, fact: Fact) -> None:
    """Check one fact.

    Raises:
        FactRefusedError: the fact is malformed or impossible.
    """
    check = _CHECKS.get(type(fact))
    if check is None:
        expected = f"one of {[kind.__name__ for kind in _CHECKS]}"
        raise FactRefusedError(type(fact).__name__, "type", expected, type(fact), "Send one of those.")
    _check_time(fact, "received_at", fact.received_at)
    if isinstance(fact, VenueFact) and fact.symbol != context.settings.symbol:
        raise _refusal(fact, "symbol", f"{context.settings.symbol!r}, which this machine trades", fact.symbol)
    check(context, fact)


def _refusal(fact: object, field: str, expected: str, found: object, remedy: str = ASK_AGAIN) -> FactRefusedError:
    return FactRefusedError(type(fact).__name__, field, expected, found, remedy)


def _check_time(fact: object, field: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _refusal(fact, field, "nanoseconds since 1970 as a whole number", value, "Convert the time first.")


def _check_number(fact: object, field: str, value: object) -> None:
    if not isinstance(value, Decimal) or not value.is_finite():
        raise _refusal(fact, field, "a finite decimal", value)


def _check_positive(fact: object, field: str, value: object) -> None:
    if not isinstance(value, Decimal) or not value.is_finite() or value <= 0:
        raise _refusal(fact, field, "a positive finite decimal", value)


def _nothing_more(_context: MarketMakingContext, _fact: Any) -> None:
    """Time and symbol are all there is to check."""


def _check_book(_context: MarketMakingContext, fact: MarketBook) -> None:
    _check_time(fact, "exchange_time", fact.exchange_time)
    _check_levels(fact, "bids", fact.bids, sign=-1)
    _check_levels(fact, "asks", fact.asks, sign=1)


def _check_levels(fact: MarketBook, name: str, levels: tuple[BookLevel, ...], sign: int) -> None:
    previous: Decimal | None = None
    for index, (price, size) in enumerate(levels):
        _check_positive(fact, f"{name}[{index}].price", price)
        _check_positive(fact, f"{name}[{index}].size", size)
        if previous is not None and (price - previous) * sign <= 0:
            raise _refusal(fact, f"{name}[{index}].price", f"further from the market than {previous}", price)
        previous = price


def _check_trade(_context: MarketMakingContext, fact: MarketTrade) -> None:
    _check_time(fact, "exchange_time", fact.exchange_time)
    _check_positive(fact, "price", fact.price)
    _check_positive(fact, "size", fact.size)
    if not isinstance(fact.taker_side, Side):
        raise _refusal(fact, "taker_side", "Side.BID or Side.ASK", fact.taker_side)


def _check_instrument(context: MarketMakingContext, fact: InstrumentUpdated) -> None:
    old, new = context.instrument, fact.instrument
    for name in ("symbol", "base_currency", "quote_currency", "kind", "contract_size"):
        if getattr(new, name) != getattr(old, name):
            raise _refusal(
                fact,
                f"instrument.{name}",
                f"{getattr(old, name)!r} as before; only grid and minimums may change while running",
                getattr(new, name),
                "Stop this machine and start another for the new instrument.",
            )


def _check_balances(_context: MarketMakingContext, fact: BalancesReported) -> None:
    for name in ("base_total", "base_free", "quote_total", "quote_free"):
        _check_number(fact, name, getattr(fact, name))


def _check_conversion_price(_context: MarketMakingContext, fact: ConversionPriceReported) -> None:
    _check_positive(fact, "price", fact.price)
    if not fact.currency:
        raise _refusal(fact, "currency", "a currency's name", fact.currency)


def _check_funding(_context: MarketMakingContext, fact: FundingPaid) -> None:
    _check_number(fact, "amount", fact.amount)


def _check_flow(_context: MarketMakingContext, fact: ExternalFlow) -> None:
    _check_number(fact, "base", fact.base)
    _check_number(fact, "quote", fact.quote)


def _known_order(context: MarketMakingContext, fact: OrderFact) -> OwnOrder:
    order = context.orders.get(fact.client_order_id)
    if order is None:
        raise _refusal(fact, "client_order_id", "an order that this machine sent", fact.client_order_id)
    return order


def _check_order_fact(context: MarketMakingContext, fact: OrderFact) -> None:
    _known_order(context, fact)


def _check_timed_order_fact(context: MarketMakingContext, fact: Any) -> None:
    _known_order(context, fact)
    _check_time(fact, "exchange_time", fact.exchange_time)


def _check_closing(context: MarketMakingContext, fact: OrderCanceled | OrderExpired) -> None:
    _check_timed_order_fact(context, fact)
    _check_filled_quantity(context, fact, fact.filled_quantity)


def _check_filled_quantity(
    context: MarketMakingContext, fact: OrderCanceled | OrderExpired | OrderStatusReported, value: Decimal | None
) -> None:
    order = _known_order(context, fact)
    if value is None:
        return
    _check_number(fact, "filled_quantity", value)
    if not 0 <= value <= order.quantity:
        raise _refusal(fact, "filled_quantity", f"between 0 and the order's {order.quantity}", value)


def _check_status(context: MarketMakingContext, fact: OrderStatusReported) -> None:
    _check_timed_order_fact(context, fact)
    _check_filled_quantity(context, fact, fact.filled_quantity)
    order = _known_order(context, fact)
    if not isinstance(fact.status, ReportedStatus):
        raise _refusal(fact, "status", f"one of {[str(status) for status in ReportedStatus]}", fact.status)
    is_full = fact.filled_quantity is None or fact.filled_quantity == order.quantity
    if fact.status is ReportedStatus.FILLED and not is_full:
        raise _refusal(fact, "filled_quantity", f"the whole {order.quantity} of a filled order", fact.filled_quantity)


def _check_fill(context: MarketMakingContext, fact: OrderFilled) -> None:
    _check_time(fact, "exchange_time", fact.exchange_time)
    for name in ("price", "quantity"):
        _check_positive(fact, name, getattr(fact, name))
    _check_number(fact, "fee", fact.fee)
    if not fact.trade_id:
        raise _refusal(fact, "trade_id", "the venue's id of the trade", fact.trade_id)
    order = context.orders.get(fact.client_order_id)
    side = _side_of_fill(context, fact, order)
    to_ledger_fill(context, fact, side)
    if order is None or context.ledger.is_booked(fact.trade_id, side):
        return
    if fact.quantity > order.remaining:
        raise _refusal(fact, "quantity", f"at most the {order.remaining} that remain of the order", fact.quantity)


def _side_of_fill(context: MarketMakingContext, fact: OrderFilled, order: OwnOrder | None) -> Side:
    """The side of the order; for an order long forgotten, the side that the venue reports."""
    if order is None:
        is_ours = fact.client_order_id.startswith(f"{context.settings.strategy_id}-")
        if fact.side is None or not is_ours:
            raise _refusal(fact, "client_order_id", "an order that this machine sent", fact.client_order_id)
        return fact.side
    if fact.side is not None and fact.side is not order.side:
        raise _refusal(fact, "side", f"{order.side}, the order's side", fact.side)
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
        if conversion_price is None:
            raise _refusal(
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
    )


def _check_own_trades(context: MarketMakingContext, fact: OwnTradesReported) -> None:
    """Trades of orders that are not ours are passed over; ours must all be sound, together."""
    _check_time(fact, "since", fact.since)
    _check_time(fact, "until", fact.until)
    totals: dict[str, Decimal] = {}
    for fill in fact.fills:
        if not is_own_fill(context, fill):
            continue
        _check_fill(context, fill)
        order = context.orders.get(fill.client_order_id)
        if order is None or context.ledger.is_booked(fill.trade_id, order.side):
            continue
        totals[fill.client_order_id] = totals.get(fill.client_order_id, Decimal(0)) + fill.quantity
        if totals[fill.client_order_id] > order.remaining:
            raise _refusal(fact, "fills", f"at most {order.remaining} more of {fill.client_order_id!r}", totals)


def is_own_fill(context: MarketMakingContext, fill: OrderFilled) -> bool:
    """Whether a trade of the account belongs to an order of this machine."""
    if fill.client_order_id in context.orders:
        return True
    return fill.side is not None and fill.client_order_id.startswith(f"{context.settings.strategy_id}-")


_CHECKS: Final[Mapping[type[Fact], Callable[[MarketMakingContext, Any], None]]] = {
    MarketBook: _check_book,
    MarketTrade: _check_trade,
    Heartbeat: _nothing_more,
    Timer: _nothing_more,
    StopRequested: _nothing_more,
    MessageRefused: _nothing_more,
    TradingStatusChanged: _nothing_more,
    InstrumentUpdated: _check_instrument,
    BalancesReported: _check_balances,
    ConversionPriceReported: _check_conversion_price,
    FundingPaid: _check_funding,
    ExternalFlow: _check_flow,
    OrderAcknowledged: _check_timed_order_fact,
    OrderRejected: _check_order_fact,
    OrderFilled: _check_fill,
    OrderCanceled: _check_closing,
    OrderExpired: _check_closing,
    CancelRefused: _check_order_fact,
    OutcomeUnknown: _check_order_fact,
    OrderStatusReported: _check_status,
    OrderNotFound: _check_timed_order_fact,
    OwnTradesReported: _check_own_trades,
    QueryFailed: _nothing_more,
}
