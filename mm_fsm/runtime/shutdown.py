"""What is true when a process leaves: whether the book was confirmed empty, and what position is left."""

from __future__ import annotations

from decimal import Decimal

from attrs import frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.exact import EXACT
from mm_fsm.core.instrument import ZERO
from mm_fsm.core.plurals import counted


@frozen(kw_only=True)
class Ending:
    """How one market was left. Position in base units."""

    symbol: str
    base_currency: str
    is_book_confirmed_empty: bool
    """No own order live or UNKNOWN, and own trades looked up since the last one left the book."""
    unconfirmed: tuple[str, ...]
    """Client order ids of orders that may still be open."""
    position: Decimal
    offset: Decimal
    """Distance from the target."""
    below_lot: Decimal = ZERO
    """The part of the offset that no order can trade: less than a lot."""

    def __str__(self) -> str:
        if self.is_book_confirmed_empty:
            book = "book confirmed empty"
        elif self.unconfirmed:
            count = counted(len(self.unconfirmed), "order")
            book = f"BOOK NOT CONFIRMED EMPTY, {count} may be open: {', '.join(self.unconfirmed)}"
        else:
            book = "BOOK NOT CONFIRMED EMPTY, the venue has not said so yet"
        offset = f"{EXACT.normalize(self.offset):+f} off target" if self.offset else "at its target"
        rest = f", {EXACT.normalize(self.below_lot):+f} of it below one lot" if self.below_lot else ""
        return (
            f"{self.symbol}: {book}; position {EXACT.normalize(self.position):f} {self.base_currency}, {offset}{rest}"
        )


def ending_of(context: MarketMakingContext) -> Ending:
    """How the market would be left if the process ended now."""
    lot = EXACT.multiply(context.instrument.lot_size, context.instrument.contract_size)
    return Ending(
        symbol=context.settings.symbol,
        base_currency=context.instrument.base_currency,
        is_book_confirmed_empty=context.is_everything_confirmed and context.reconciliation.has_seen_open_orders,
        unconfirmed=tuple(order.client_order_id for order in context.orders.unsettled_orders()),
        position=context.base_position,
        offset=context.inventory_offset,
        below_lot=EXACT.remainder(context.inventory_offset, lot),
    )
