"""The exchange's own log of what was done: it is only ever added to, and every judgement is read from it.

Times are nanoseconds since the Unix epoch by the host's clock, whatever clock skew the exchange shows its clients.
Quantities are base units, prices quote currency per base unit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Final, TypeVar

from attrs import define, field, frozen

from mm_fsm.core.instrument import ZERO, Instrument
from mm_fsm.core.messages import Liquidity, Side
from mm_fsm.testing.rehearsal.fault_menu import Fault, Where


@frozen(kw_only=True)
class LogEntry:
    """Something that happened at the exchange."""

    time: int


@frozen(kw_only=True)
class RequestAnswered(LogEntry):
    """A request, and how the exchange meant to answer it; a fault may have kept the answer from arriving."""

    where: Where
    method: str
    path: str
    symbol: str | None
    client_order_id: str | None
    status: int
    """HTTP status; 0 where the exchange never meant to answer."""
    code: int | None
    """The exchange's error code; None for a success."""
    weight: int


@frozen(kw_only=True)
class OrderAccepted(LogEntry):
    """An order is in the book, or about to take from it."""

    order_id: int
    client_order_id: str
    symbol: str
    side: Side
    price: Decimal | None
    """None for a market order."""
    quantity: Decimal
    is_post_only: bool


@frozen(kw_only=True)
class OrderRefused(LogEntry):
    """An order was not taken."""

    client_order_id: str
    symbol: str
    code: int
    message: str


@frozen(kw_only=True)
class OrderTraded(LogEntry):
    """An own order traded."""

    trade_id: int
    order_id: int
    client_order_id: str
    symbol: str
    side: Side
    price: Decimal
    quantity: Decimal
    fee: Decimal
    """In ``fee_currency``, as it was charged."""
    fee_currency: str
    liquidity: Liquidity


@frozen(kw_only=True)
class OrderEnded(LogEntry):
    """An order left the book: FILLED, CANCELED, EXPIRED or EXPIRED_IN_MATCH."""

    order_id: int
    client_order_id: str
    symbol: str
    status: str


@frozen(kw_only=True)
class BalanceChanged(LogEntry):
    """What the account has of one currency from now on."""

    currency: str
    free: Decimal
    locked: Decimal


@frozen(kw_only=True)
class StreamSubscribed(LogEntry):
    """A client listens to a stream from now on."""

    stream: str
    """The exchange's name of a market stream, or ``user``."""


@frozen(kw_only=True)
class FaultStruck(LogEntry):
    """A fault of the script struck an occasion, or began to last."""

    fault: Fault
    where: Where
    symbol: str | None


USER_STREAM: Final = "user"

_Entry = TypeVar("_Entry", bound=LogEntry)


@define
class RehearsalLog:
    """The log, and questions to it.

    Args:
        now: the host's clock, nanoseconds.
        on_entry: told each entry as it is written, for a file; must not raise.
    """

    now: Callable[[], int]
    on_entry: Callable[[LogEntry], None] | None = None
    _entries: list[LogEntry] = field(factory=list, init=False)

    def write(self, entry: LogEntry) -> None:
        """Add an entry."""
        self._entries.append(entry)
        if self.on_entry is not None:
            self.on_entry(entry)

    @property
    def entries(self) -> tuple[LogEntry, ...]:
        """Everything, in the order in which it happened."""
        return tuple(self._entries)

    def of(self, kind: type[_Entry]) -> Iterator[_Entry]:
        """The entries of one kind."""
        return (entry for entry in self._entries if isinstance(entry, kind))

    # -- judgements -------------------------------------------------------------------------------------------------

    def fills(self, symbol: str | None = None) -> tuple[OrderTraded, ...]:
        """Own trades, of one market or of all."""
        return tuple(fill for fill in self.of(OrderTraded) if symbol in {None, fill.symbol})

    def open_orders(self, symbol: str | None = None) -> tuple[OrderAccepted, ...]:
        """Orders that were accepted and have not ended."""
        ended = {entry.order_id for entry in self.of(OrderEnded)}
        return tuple(
            order for order in self.of(OrderAccepted) if order.order_id not in ended and symbol in {None, order.symbol}
        )

    def duplicates(self) -> dict[str, int]:
        """Client ids under which more than one order was accepted, and how many."""
        counts = Counter(order.client_order_id for order in self.of(OrderAccepted))
        return {client_id: count for client_id, count in counts.items() if count > 1}

    def off_grid(self, instruments: Iterable[Instrument]) -> tuple[OrderAccepted | OrderRefused, ...]:
        """Orders with a price or size off the market's grid.

        Both those that were refused by its filters and, should the exchange itself fail, those that were accepted.
        """
        grids = {instrument.symbol: instrument for instrument in instruments}
        accepted = [order for order in self.of(OrderAccepted) if not _is_on_grid(order, grids[order.symbol])]
        refused = [order for order in self.of(OrderRefused) if order.code in _FILTER_CODES]
        return (*accepted, *refused)

    def post_only_takes(self) -> tuple[OrderTraded, ...]:
        """Trades of post-only orders that took."""
        post_only = {order.order_id for order in self.of(OrderAccepted) if order.is_post_only}
        return tuple(
            fill for fill in self.of(OrderTraded) if fill.liquidity is Liquidity.TAKER and fill.order_id in post_only
        )

    def first_order_unheard(self) -> OrderAccepted | None:
        """The first order, if nobody listened to own events before it; None when all is well."""
        for entry in self._entries:
            if isinstance(entry, StreamSubscribed) and entry.stream == USER_STREAM:
                return None
            if isinstance(entry, OrderAccepted):
                return entry
        return None

    def orders_after(self, moment: int) -> tuple[OrderAccepted, ...]:
        """Orders accepted later than ``moment``, nanoseconds."""
        return tuple(order for order in self.of(OrderAccepted) if order.time > moment)

    def orphans(self, known: Iterable[str]) -> tuple[OrderAccepted, ...]:
        """Open orders whose client ids nobody knows."""
        known_ids = {*known}
        return tuple(order for order in self.open_orders() if order.client_order_id not in known_ids)

    def most_open(self, symbol: str, side: Side) -> int:
        """The largest number of orders that were open at once on a side of a market."""
        orders = {o.order_id for o in self.of(OrderAccepted) if o.symbol == symbol and o.side is side}
        count = most = 0
        for entry in self._entries:
            if isinstance(entry, OrderAccepted) and entry.order_id in orders:
                count += 1
                most = max(most, count)
            elif isinstance(entry, OrderEnded) and entry.order_id in orders:
                count -= 1
        return most

    def balances(self) -> dict[str, Decimal]:
        """What the account has of each currency now, free and locked together."""
        return {entry.currency: entry.free + entry.locked for entry in self.of(BalanceChanged)}

    def position_change(self, symbol: str) -> Decimal:
        """Base units that own trades of a market brought, before fees; negative where they were sold."""
        return sum((fill.side.sign * fill.quantity for fill in self.fills(symbol)), ZERO)

    def asked_while_refused(self) -> tuple[RequestAnswered, ...]:
        """Requests made while the exchange answered 418 or 429, without the first of each spell.

        A client that honours Retry-After makes none.
        """
        found: list[RequestAnswered] = []
        was_refused = False
        for request in self.of(RequestAnswered):
            is_refused = request.status in _SUSPENDED
            if is_refused and was_refused:
                found.append(request)
            was_refused = is_refused
        return tuple(found)

    def faults(self) -> tuple[FaultStruck, ...]:
        """Every strike of a fault."""
        return tuple(self.of(FaultStruck))


_FILTER_CODES: Final = frozenset({-1013, -1111})
_SUSPENDED: Final = frozenset({418, 429})


def _is_on_grid(order: OrderAccepted, instrument: Instrument) -> bool:
    on_price = order.price is None or instrument.is_on_price_grid(order.price)
    return on_price and instrument.is_on_quantity_grid(order.quantity)
