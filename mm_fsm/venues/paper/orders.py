"""One account's orders at the exchange: open ones in price-time priority, and recently finished ones."""

from __future__ import annotations

from bisect import insort
from collections import OrderedDict
from decimal import Decimal

from attrs import define, field, frozen

from mm_fsm.core.instrument import ZERO
from mm_fsm.core.messages import PlaceOrder, ReportedStatus, Side, TimeInForce


@frozen(kw_only=True)
class OpenOrder:
    """What can be seen of one open order. Quantities are contracts.

    ``queue_ahead`` is what has to trade at the price before this order does, None while that is not known.
    """

    client_order_id: str
    venue_order_id: str
    side: Side
    price: Decimal
    quantity: Decimal
    filled_quantity: Decimal
    queue_ahead: Decimal | None


@define(eq=False)
class PaperOrder:
    """One order at the exchange."""

    client_order_id: str
    venue_order_id: str
    side: Side
    price: Decimal
    quantity: Decimal
    remaining: Decimal
    """What has not traded, contracts."""
    is_immediate: bool
    is_reduce_only: bool
    arrived_at: int
    is_taking: bool = False
    """It crosses the market but may not take yet; see the module ``exchange`` for when."""
    queue_ahead: Decimal | None = None
    closed_as: ReportedStatus | None = None
    closed_at: int = 0

    @classmethod
    def arriving(cls, intent: PlaceOrder, venue_order_id: str, at: int) -> PaperOrder:
        """The order a placement asks for, as it arrives at the exchange."""
        return cls(
            client_order_id=intent.client_order_id,
            venue_order_id=venue_order_id,
            side=intent.side,
            price=intent.price,
            quantity=intent.quantity,
            remaining=intent.quantity,
            is_immediate=intent.time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL,
            is_reduce_only=intent.reduce_only,
            arrived_at=at,
        )

    @property
    def is_open(self) -> bool:
        """Whether it can still trade."""
        return self.closed_as is None

    @property
    def filled(self) -> Decimal:
        """What has traded, contracts."""
        return self.quantity - self.remaining

    @property
    def status(self) -> ReportedStatus:
        """What the exchange answers when it is asked."""
        if self.closed_as is not None:
            return self.closed_as
        return ReportedStatus.PARTIALLY_FILLED if self.filled else ReportedStatus.OPEN

    @property
    def seen(self) -> OpenOrder:
        """A frozen copy of what can be seen of it."""
        return OpenOrder(
            client_order_id=self.client_order_id,
            venue_order_id=self.venue_order_id,
            side=self.side,
            price=self.price,
            quantity=self.quantity,
            filled_quantity=self.filled,
            queue_ahead=self.queue_ahead,
        )


def _bid_priority(order: PaperOrder) -> Decimal:
    return -order.price


def _ask_priority(order: PaperOrder) -> Decimal:
    return order.price


@define
class PaperOrders:
    """Every order the exchange remembers.

    Args:
        history: nanoseconds a finished order is remembered. Finished orders leave in the order in which they finished,
            so memory is bounded by how many finish in that time.
    """

    history: int
    _by_id: dict[str, PaperOrder] = field(factory=dict, init=False)
    _bids: list[PaperOrder] = field(factory=list, init=False)
    _asks: list[PaperOrder] = field(factory=list, init=False)
    _finished: OrderedDict[str, PaperOrder] = field(factory=OrderedDict, init=False)

    def find(self, client_order_id: str) -> PaperOrder | None:
        """The order of that id, open or finished; None when it is not remembered."""
        return self._by_id.get(client_order_id) or self._finished.get(client_order_id)

    def find_open(self, client_order_id: str) -> PaperOrder | None:
        """The open order of that id."""
        return self._by_id.get(client_order_id)

    @property
    def open(self) -> tuple[PaperOrder, ...]:
        """Open orders in the order in which they arrived."""
        return tuple(self._by_id.values())

    def by_priority(self, side: Side) -> tuple[PaperOrder, ...]:
        """Open orders of one side, best price first, of equal prices the earlier one first."""
        return tuple(self._bids if side is Side.BID else self._asks)

    def best_price(self, side: Side) -> Decimal | None:
        """The best own price on a side; None when there is no order."""
        orders = self._bids if side is Side.BID else self._asks
        return orders[0].price if orders else None

    def add(self, order: PaperOrder) -> None:
        """Take a new order in, behind those of the same price."""
        self._by_id[order.client_order_id] = order
        if order.side is Side.BID:
            insort(self._bids, order, key=_bid_priority)
        else:
            insort(self._asks, order, key=_ask_priority)

    def close(self, order: PaperOrder, status: ReportedStatus, at: int) -> None:
        """Remove an order from the book and keep it as finished."""
        order.closed_as = status
        order.closed_at = at
        del self._by_id[order.client_order_id]
        (self._bids if order.side is Side.BID else self._asks).remove(order)
        self._finished[order.client_order_id] = order
        while next(iter(self._finished.values())).closed_at < at - self.history:
            self._finished.popitem(last=False)

    def reducible(self, side: Side) -> Decimal:
        """What reduce-only orders of a side may still trade, contracts."""
        return sum((order.remaining for order in self.by_priority(side) if order.is_reduce_only), ZERO)
