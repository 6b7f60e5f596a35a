"""Every order of a run from its sending to its end: one row each, handed on once nothing is likely to change it."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from decimal import Decimal
from operator import attrgetter
from typing import Final

from attrs import define, field, fields

from mm_fsm.books.facts import CancelRefused, OrderRejected
from mm_fsm.books.order_lifecycle import OrderStatus
from mm_fsm.books.orders import OwnOrders
from mm_fsm.books.own_order import OwnOrder
from mm_fsm.core.instrument import ZERO
from mm_fsm.core.messages import CancelOrder, Fact, Intent, PlaceOrder
from mm_fsm.report.run_data.quote_lives import QuoteLives

ENDED_KEPT: Final = 256
"""Ended orders that still wait for late news, such as a fill that is reported after a cancel."""
OPEN: Final = "open"


@define(kw_only=True, eq=False)
class OrderRow:
    """One own order. Times are nanoseconds of facts; None where it never came to that."""

    client_order_id: str
    side: str
    purpose: str
    level: int
    price: Decimal
    quantity: Decimal
    placed: int
    """When its placement left, or when the books took it over."""
    placed_step: int
    acknowledged: int | None = None
    """When the venue was first known to have taken it."""
    cancel_sent: int | None = None
    """When its first cancel left."""
    ended: int | None = None
    how: str = OPEN
    """``filled``, ``canceled``, ``rejected`` or ``expired``; ``open`` while it lives."""
    filled_quantity: Decimal = ZERO
    fills: int = 0
    fills_after_cancel: int = 0
    """Fills that were heard of after its cancel had left: cancel races lost."""
    was_unknown: bool = False


ORDER_COLUMNS: Final = tuple(each.name for each in fields(OrderRow))
order_values: Final = attrgetter(*ORDER_COLUMNS)
"""A row's values, in the order of the table's columns."""


@define(eq=False)
class OwnOrdersLog:
    """Follows own orders by the book of own orders, which knows each change first.

    Args:
        hand_on: takes each row once it is whole.
    """

    hand_on: Callable[[OrderRow], None]
    placed: int = field(init=False, default=0)
    acknowledged: int = field(init=False, default=0)
    cancels: int = field(init=False, default=0)
    ended: Counter[str] = field(init=False, factory=Counter)
    rejected: Counter[str] = field(init=False, factory=Counter)
    races_lost: int = field(init=False, default=0)
    cancels_refused: int = field(init=False, default=0)
    unknown: int = field(init=False, default=0)
    filled: int = field(init=False, default=0)
    """Orders with a fill."""
    lives: QuoteLives = field(init=False, factory=QuoteLives)
    _open: dict[str, OrderRow] = field(init=False, factory=dict)
    _late: OrderedDict[str, OrderRow] = field(init=False, factory=OrderedDict)

    def row(self, client_order_id: str) -> OrderRow | None:
        """The row of an order that is not handed on yet."""
        return self._open.get(client_order_id) or self._late.get(client_order_id)

    def note_answer(self, fact: Fact) -> None:
        """Count what the venue refused."""
        if isinstance(fact, OrderRejected):
            self.rejected[fact.code.value] += 1
        elif isinstance(fact, CancelRefused):
            self.cancels_refused += 1

    def note_requests(self, intents: Iterable[Intent], now: int, step: int) -> int:
        """These requests have left in a step; how many of them are placements."""
        placements = 0
        for intent in intents:
            if isinstance(intent, PlaceOrder):
                placements += 1
                self._open[intent.client_order_id] = _row_of(intent, now, step)
            elif isinstance(intent, CancelOrder):
                self.cancels += 1
                row = self.row(intent.client_order_id)
                if row is not None and row.cancel_sent is None:
                    row.cancel_sent = now
        self.placed += placements
        return placements

    def note_fill(self, client_order_id: str, quantity: Decimal) -> None:
        """A trade of an order was booked. Call it before the requests of its step are noted."""
        row = self.row(client_order_id)
        if row is None:
            return
        self.filled += not row.fills
        row.fills += 1
        row.filled_quantity += quantity
        if row.cancel_sent is not None:
            row.fills_after_cancel += 1
            self.races_lost += 1

    def look(self, orders: OwnOrders, now: int, step: int) -> None:
        """Own orders have changed: see what became of each."""
        live, rows = orders.live(), self._open
        for order in live:  # spelled out: most changes are of one order, and all are looked at
            row = rows.get(order.client_order_id)
            if row is None or (row.acknowledged is None and order.acknowledged) or order.status is OrderStatus.UNKNOWN:
                self._see_live(order, now, step)
        if len(rows) != len(live):
            names = {order.client_order_id for order in live}
            for name in [name for name in rows if name not in names]:
                self._see_ended(name, orders.get(name), now)

    def _see_live(self, order: OwnOrder, now: int, step: int) -> None:
        name = order.client_order_id
        row = self._open.get(name)
        if row is None:
            row = self._open[name] = self._found_alive(name, order, now, step)
        if order.acknowledged and row.acknowledged is None:
            self._acknowledge(row, now)
        if order.is_unknown and not row.was_unknown:
            row.was_unknown = True
            self.unknown += 1

    def _found_alive(self, name: str, order: OwnOrder, now: int, step: int) -> OrderRow:
        """An order that had ended is alive again, or one that another process sent is taken over."""
        row = self._late.pop(name, None)
        if row is None:
            return _row_of(order, order.placed_at or now, step)
        self.ended[row.how] -= 1
        row.how, row.ended = OPEN, None
        return row

    def _see_ended(self, name: str, order: OwnOrder | None, now: int) -> None:
        row = self._open.pop(name)
        row.ended, row.how = now, "unknown" if order is None else order.status.value
        if order is not None and order.acknowledged and row.acknowledged is None:
            self._acknowledge(row, now)
        self.ended[row.how] += 1
        self._late[name] = row
        while len(self._late) > ENDED_KEPT:
            self._finish(self._late.popitem(last=False)[1])

    def _acknowledge(self, row: OrderRow, now: int) -> None:
        row.acknowledged = now
        self.acknowledged += 1

    def _finish(self, row: OrderRow) -> None:
        if row.acknowledged is not None and row.ended is not None:
            self.lives.add(row.ended - row.acknowledged)
        self.hand_on(row)

    def end(self) -> None:
        """The run is over: hand on what is left, with what is known of it."""
        for row in (*self._late.values(), *self._open.values()):
            self._finish(row)
        if self._open:
            self.ended[OPEN] += len(self._open)
        self._late.clear()
        self._open.clear()


def _row_of(order: PlaceOrder | OwnOrder, placed: int, step: int) -> OrderRow:
    return OrderRow(
        client_order_id=order.client_order_id,
        side=order.side.value,
        purpose=order.purpose.value,
        level=order.level,
        price=order.price,
        quantity=order.quantity,
        placed=placed,
        placed_step=step,
    )
