"""A trade of an own order."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from attrs import field, frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts.fields import VENUE_TIME, refusal
from mm_fsm.books.facts.fill_completion import (
    check_identity,
    complete_fill,
    conversion_price_of,
    fee_currency_of,
    fee_to_book,
    note_what_is_told,
)
from mm_fsm.books.facts.own_orders import note_finished, note_taken
from mm_fsm.books.ledger import LedgerFill
from mm_fsm.books.orders import OwnOrder
from mm_fsm.core.instrument import ZERO
from mm_fsm.core.messages import Liquidity, OrderFact, Side


@frozen(kw_only=True)
class OrderFilled(OrderFact):
    """A trade of an own order, as the venue reported it: price, quantity and fee are taken as they are.

    ``fee`` is positive when paid and negative for a rebate, in ``fee_currency``. None in either, or in ``liquidity``,
    means that the venue has not said so yet: the fill is booked, and a later report of the same trade completes it. So
    it is with a fee in a currency without a price, which a ``ConversionPriceReported`` completes.
    """

    concerns_money: ClassVar[bool] = True

    trade_id: str
    price: Decimal
    quantity: Decimal
    fee: Decimal | None
    fee_currency: str | None
    liquidity: Liquidity | None
    exchange_time: int = field(metadata=VENUE_TIME)
    side: Side | None = None
    """The side as the venue reports it; None when it does not say. A contradiction with the order is refused."""

    def admit(self, context: MarketMakingContext) -> LedgerFill:
        """A fill that can be booked; under an id that is booked it must be the same trade."""
        entry = check_fill(context, self)
        if context.ledger.contradicts(entry):
            expected = "an id that is not booked with another order, price or quantity"
            raise refusal(self, "trade_id", expected, self, "Ask for the order, own trades and balances.")
        return entry

    def book(self, context: MarketMakingContext, admitted: LedgerFill) -> None:
        """Book the trade once: ledger, order, figures."""
        book_fill(context, self, admitted)


def check_fill(context: MarketMakingContext, fact: OrderFilled) -> LedgerFill:
    """Check a fill, and make what the ledger books of it.

    Raises:
        FactRefusedError: the order is not ours, the trade does not fit it, or an amount cannot be booked.
    """
    order = context.orders.get(fact.client_order_id)
    entry = _to_ledger_fill(context, fact, _side_of_fill(context, fact, order))
    if context.ledger.is_booked(entry.trade_id, entry.side):
        return entry
    if context.ledger.is_forgotten(fact.exchange_time):
        until = context.ledger.forgotten_until
        raise refusal(fact, "exchange_time", f"after {until}, before which booked trades are forgotten", fact)
    if order is not None and fact.quantity > order.remaining:
        raise refusal(fact, "quantity", f"at most the {order.remaining} that remain of the order", fact.quantity)
    return entry


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


def book_fill(context: MarketMakingContext, fact: OrderFilled, entry: LedgerFill) -> None:
    """Book a checked fill, unless it is booked already."""
    if context.ledger.is_booked(entry.trade_id, entry.side):
        if context.ledger.contradicts(entry):  # in a list of trades; the balances will tell
            context.remarks.append(f"passed over trade {fact.trade_id!r} of {entry.terms}: booked with other terms")
        else:
            complete_fill(context, fact, entry.side)
        return
    context.ledger.book_fill(entry)
    order = context.orders.get(fact.client_order_id)
    if order is not None:
        note_taken(context, order)
        context.total_trades += order.filled_quantity == 0
        context.orders.fill(order, fact.quantity, context.now)
        note_finished(context, order)
    else:
        booked = context.unattributed.get(fact.client_order_id, ZERO)
        context.unattributed[fact.client_order_id] = booked + fact.quantity
    _note_fill(context, fact, entry.side)


def _note_fill(context: MarketMakingContext, fact: OrderFilled, side: Side) -> None:
    context.fill_count += 1
    context.request_rates.note_fill(context.now)
    context.last_fill_time = context.now
    context.unhandled_fills.append(fact)
    mid = context.mid_price if context.mid_price is not None else fact.price
    note_what_is_told(context, fact, side, mid)
    check_identity(context, f"trade {fact.trade_id}")


def _side_of_fill(context: MarketMakingContext, fact: OrderFilled, order: OwnOrder | None) -> Side:
    """The side of the order; for an order long forgotten, the side that the venue reports."""
    if order is None:
        is_ours = fact.client_order_id.startswith(context.order_prefix)
        if fact.side is None or not is_ours:
            raise refusal(fact, "client_order_id", "an order that this machine sent", fact.client_order_id)
        return fact.side
    if fact.side is not None and fact.side is not order.side:
        raise refusal(fact, "side", f"{order.side}, the order's side", fact.side)
    return order.side


def _to_ledger_fill(context: MarketMakingContext, fact: OrderFilled, side: Side) -> LedgerFill:
    return LedgerFill(
        trade_id=fact.trade_id,
        side=side,
        price=fact.price,
        quantity=fact.quantity,
        fee=fee_to_book(context, fact),
        fee_currency=fee_currency_of(context, fact),
        conversion_price=conversion_price_of(context, fact),
        exchange_time=fact.exchange_time,
        client_order_id=fact.client_order_id,
    )
