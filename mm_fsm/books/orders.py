"""The own-order book: every order this machine sent, what is known of it, and what is being asked about it.

All quantities are contracts, prices quote per base, times nanoseconds. The book changes only through the order
lifecycle's table, and only facts from the venue lead an order out of UNKNOWN.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from decimal import Decimal
from operator import attrgetter
from typing import Final

from attrs import define, field, fields, frozen

from mm_fsm.books.order_lifecycle import (
    LIVE_STATUSES,
    RESTING_STATUSES,
    OrderEvent,
    OrderStatus,
    status_after,
)
from mm_fsm.core.instrument import ZERO
from mm_fsm.core.messages import SIDES, OrderPurpose, PlaceOrder, ReportedOrder, Side

CLEAN_LOOKS_NEEDED = 2
"""Looks that must find nothing, after the validity window, before an order counts as never placed."""

FINISHED_ORDERS_KEPT = 2_000
"""How many finished orders stay known, so that late news about them finds its order; then memory would grow."""


@frozen(kw_only=True)
class RequestTimes:
    """How long the book waits for answers, nanoseconds."""

    request_timeout: int
    """After this, a request without an answer has an unknown outcome."""
    query_interval: int
    """Time between two questions about one order."""
    validity_window: int
    """How long after its sending a placement may still reach the venue's book."""


@define(kw_only=True)
class OwnOrder:
    """One own order. ``reported_filled`` is the largest cumulative quantity that the venue ever spoke of."""

    client_order_id: str
    side: Side
    price: Decimal
    quantity: Decimal
    purpose: OrderPurpose
    level: int
    reduce_only: bool
    placed_at: int
    status: OrderStatus = OrderStatus.PENDING_NEW
    venue_order_id: str | None = None
    acknowledged: bool = False
    filled_quantity: Decimal = ZERO
    reported_filled: Decimal = ZERO
    answer_due: int | None = None
    """When the outstanding placement or cancel counts as lost; None when none is outstanding."""
    cancel_in_flight: bool = False
    cancel_wanted: bool = False
    cancel_due: bool = False
    """A cancel must be sent at once: the order is alive again, or a cancel that went astray left it open."""
    query_due: int | None = None
    """When to ask about the order (again); None when there is nothing to ask."""
    query_in_flight: bool = False
    query_asked_at: int = 0
    clean_looks: int = 0
    changed_at: int = 0
    closed_at: int = 0
    """Venue time at which it left the book without having filled in full."""
    trades_count_after: int = -1
    """Venue time up to which its trades are none of ours: it was taken over from another run."""

    @property
    def is_live(self) -> bool:
        """Whether the order is, or may be, in the venue's book."""
        return self.status in LIVE_STATUSES

    @property
    def is_unknown(self) -> bool:
        """Whether nobody knows what became of it."""
        return self.status is OrderStatus.UNKNOWN

    @property
    def is_resting(self) -> bool:
        """Whether it is known to rest in the book with nothing asked about it."""
        return self.status in RESTING_STATUSES

    @property
    def is_request_outstanding(self) -> bool:
        """Whether a placement or a cancel awaits its answer. An UNKNOWN order counts as answered."""
        return self.status in (OrderStatus.PENDING_NEW, OrderStatus.PENDING_CANCEL)

    @property
    def remaining(self) -> Decimal:
        """What has not traded, contracts."""
        return self.quantity - self.filled_quantity

    @property
    def missing_fills(self) -> Decimal:
        """What the venue says traded and no fill has been booked for, contracts."""
        return max(self.reported_filled - self.filled_quantity, ZERO)

    @property
    def exposure(self) -> Decimal:
        """What may still change the position: the remainder of a live order, the missing fills of a finished one."""
        return self.remaining if self.is_live else self.missing_fills

    def snapshot(self) -> tuple[object, ...]:
        """Every field, in order, for digests."""
        values: tuple[object, ...] = _read_fields(self)
        return values


_read_fields: Final = attrgetter(*(each.name for each in fields(OwnOrder)))


@define
class OwnOrders:
    """The book of own orders of one machine."""

    times: RequestTimes
    _live: dict[str, OwnOrder] = field(factory=dict, init=False)
    _finished: OrderedDict[str, OwnOrder] = field(factory=OrderedDict, init=False)
    venue_time: int = field(default=0, init=False)
    """The latest exchange time of any fact about an own order."""
    last_closed_at: int = field(default=0, init=False)
    """Venue time at which an order last left the book without having filled in full."""
    trades_known_until: int = field(default=0, init=False)
    """Venue time up to which every own trade is booked: nobody has to look further back, nor can every venue."""
    unconfirmed_since: int | None = field(default=None, init=False)
    """Earliest placement among orders closed so, whose trades were not looked up since; None when there is none."""
    closings: int = field(default=0, init=False)
    """How often an order was settled as finished; late news settles one again."""
    _deadline: int | None = field(default=None, init=False)
    _quotes: dict[Side, bool] = field(factory=lambda: dict.fromkeys(SIDES, False), init=False)
    _derived_are_stale: bool = field(default=False, init=False)

    # -- looking ----------------------------------------------------------------------------------------------------

    def __contains__(self, client_order_id: object) -> bool:
        return client_order_id in self._live or client_order_id in self._finished

    def get(self, client_order_id: str) -> OwnOrder | None:
        """The order of that id, finished ones included; None when it is not known."""
        return self._live.get(client_order_id) or self._finished.get(client_order_id)

    def open_questions(self) -> Iterator[OwnOrder]:
        """Orders that may still change the position."""
        return iter(self._live.values())

    def live(self, side: Side | None = None, purpose: OrderPurpose | None = None) -> tuple[OwnOrder, ...]:
        """Live orders (UNKNOWN ones included), in the order they were placed."""
        return tuple(
            order
            for order in self._live.values()
            if order.is_live and (side is None or order.side is side) and (purpose is None or order.purpose is purpose)
        )

    @property
    def count(self) -> int:
        """How many orders are open questions."""
        return len(self._live)

    def has_quote(self, side: Side) -> bool:
        """Whether a quote of that side is known to be live and stays, no cancel being in flight for it."""
        if self._derived_are_stale:
            self._derive()
        return self._quotes[side]

    def has_unknown(self, side: Side | None = None) -> bool:
        """Whether an order of that side is UNKNOWN, or finished with fills that have not arrived."""
        return any(
            (order.is_unknown or not order.is_live) and (side is None or order.side is side)
            for order in self._live.values()
        )

    @property
    def is_request_outstanding(self) -> bool:
        """Whether any placement or cancel awaits its answer."""
        return any(order.is_request_outstanding for order in self._live.values())

    def exposure(self, side: Side) -> Decimal:
        """What a side's orders may still trade in the worst case, contracts."""
        return sum((order.exposure for order in self._live.values() if order.side is side), ZERO)

    def locked(self, side: Side, *, besides_live: bool = False) -> Decimal:
        """What a side's orders lock in the worst case: price times contracts for bids, contracts for asks.

        ``besides_live`` leaves live orders out: what stays are fills that have not arrived.
        """
        return sum(
            (
                order.exposure * (order.price if side is Side.BID else 1)
                for order in self._live.values()
                if order.side is side and not (besides_live and order.is_live)
            ),
            ZERO,
        )

    def strays(self) -> tuple[OwnOrder, ...]:
        """Live orders that nobody is taking out: no cancel in flight, and no open question to the venue."""
        return tuple(
            order
            for order in self._live.values()
            if order.is_live and not order.cancel_in_flight and not (order.is_unknown and order.query_due is not None)
        )

    # -- asking -----------------------------------------------------------------------------------------------------

    def register(self, intent: PlaceOrder, now: int) -> OwnOrder:
        """Note a placement that is about to be sent.

        Raises:
            ValueError: the client order id was used before.
        """
        if intent.client_order_id in self:
            raise ValueError(f"client_order_id: expected one never used before, found {intent.client_order_id!r}.")
        order = OwnOrder(
            client_order_id=intent.client_order_id,
            side=intent.side,
            price=intent.price,
            quantity=intent.quantity,
            purpose=intent.purpose,
            level=intent.level,
            reduce_only=intent.reduce_only,
            placed_at=now,
            answer_due=now + self.times.request_timeout,
            changed_at=now,
        )
        self._live[order.client_order_id] = order
        self._derived_are_stale = True
        return order

    def adopt(
        self,
        reported: ReportedOrder,
        filled_quantity: Decimal,
        now: int,
        *,
        placed_at: int,
        trades_count_after: int = -1,
        is_cancelled: bool = False,
    ) -> OwnOrder:
        """Take over an order that rests at the venue and is not known here.

        Args:
            reported: the order as the venue shows it.
            filled_quantity: the part of it that has been booked, contracts.
            now: nanoseconds.
            placed_at: no other trade of the order is older, nanoseconds.
            trades_count_after: venue time up to which its trades are none of ours.
            is_cancelled: whether to cancel it at once.
        """
        order = OwnOrder(
            client_order_id=reported.client_order_id,
            side=reported.side,
            price=reported.price,
            quantity=reported.quantity,
            purpose=OrderPurpose.QUOTE,
            level=0,
            reduce_only=False,
            placed_at=placed_at,
            status=OrderStatus.PARTIALLY_FILLED if filled_quantity else OrderStatus.OPEN,
            venue_order_id=reported.venue_order_id,
            acknowledged=True,
            filled_quantity=filled_quantity,
            changed_at=now,
        )
        self._live[order.client_order_id] = order
        self.report_open(order, reported.filled_quantity, now)
        order.trades_count_after = trades_count_after
        order.cancel_due = is_cancelled
        return order

    def cancel_all_live(self) -> None:
        """Every live order has to go."""
        for order in self.live():
            order.cancel_due = not order.cancel_in_flight

    def withdraw(self, client_order_id: str) -> None:
        """Forget a placement that was never sent."""
        self._live.pop(client_order_id, None)
        self._derived_are_stale = True

    def request_cancel(self, order: OwnOrder, now: int) -> None:
        """Note a cancel that is about to be sent."""
        self._apply(order, OrderEvent.REQUEST_CANCEL, now)
        order.cancel_in_flight = True
        order.cancel_wanted = True
        order.cancel_due = False
        order.answer_due = now + self.times.request_timeout

    def note_query(self, order: OwnOrder, now: int) -> None:
        """Note a question about an order that is about to be sent."""
        order.query_in_flight = True
        order.query_asked_at = now
        order.query_due = now + self.times.request_timeout
        self._derived_are_stale = True

    # -- hearing ----------------------------------------------------------------------------------------------------

    def acknowledge(self, order: OwnOrder, venue_order_id: str, now: int) -> None:
        """The venue took the order."""
        order.venue_order_id = venue_order_id
        order.acknowledged = True
        self._apply(order, OrderEvent.ACKNOWLEDGE, now)

    def fill(self, order: OwnOrder, quantity: Decimal, now: int) -> None:
        """A trade of this order; the caller has checked that it is new and fits the remainder."""
        event = OrderEvent.FILL_FULLY if quantity == order.remaining else OrderEvent.FILL_PARTLY
        status = status_after(order.client_order_id, order.status, event)
        order.filled_quantity += quantity
        order.reported_filled = max(order.reported_filled, order.filled_quantity)
        order.acknowledged = True
        order.clean_looks = 0
        self._move(order, status, now)

    def confirm_cancel(self, order: OwnOrder, filled_quantity: Decimal | None, now: int) -> None:
        """The venue says that the order is out of the book."""
        self._note_reported(order, filled_quantity)
        self._apply(order, OrderEvent.CONFIRM_CANCEL, now)

    def expire(self, order: OwnOrder, filled_quantity: Decimal | None, now: int) -> None:
        """The venue took the order out by itself."""
        self._note_reported(order, filled_quantity)
        self._apply(order, OrderEvent.EXPIRE, now)

    def refuse_cancel(self, order: OwnOrder, now: int) -> None:
        """The venue refused the cancel: it may have filled, so go and look."""
        order.cancel_in_flight = False
        self._apply(order, OrderEvent.REFUSE_CANCEL, now)

    def reject(self, order: OwnOrder, now: int) -> None:
        """The venue refused the placement. With fills booked that is a contradiction."""
        contradicts = order.filled_quantity > 0
        self._apply(order, OrderEvent.LOSE_TRACK if contradicts else OrderEvent.REJECT, now)

    def lose_track(self, order: OwnOrder, now: int) -> None:
        """A request about this order has an unknown outcome."""
        order.cancel_in_flight = False
        self._apply(order, OrderEvent.LOSE_TRACK, now)

    def lose_track_of_all(self, now: int) -> None:
        """Nothing is known of any live order any more, nor of any answer: ask about every one of them."""
        for order in self._live.values():
            order.query_in_flight = False
            if order.is_live:
                self.lose_track(order, now)
            order.query_due = now
        self._derived_are_stale = True

    def note_shown(self, order: OwnOrder) -> None:
        """The venue shows the order, so it was taken."""
        order.acknowledged = True

    def note_answer(self, order: OwnOrder) -> None:
        """The question about the order has been answered."""
        order.query_in_flight = False

    def report_open(
        self, order: OwnOrder, filled_quantity: Decimal | None, now: int, venue_order_id: str | None = None
    ) -> None:
        """The venue, when asked, says that the order rests in its book."""
        order.acknowledged = True
        order.venue_order_id = order.venue_order_id or venue_order_id
        order.query_in_flight = False
        order.clean_looks = 0
        self._note_reported(order, filled_quantity)
        found = OrderEvent.FIND_PARTLY_FILLED if order.filled_quantity > 0 else OrderEvent.FIND_OPEN
        self._apply(order, found, now)
        if order.is_resting and order.cancel_in_flight:
            self._apply(order, OrderEvent.REQUEST_CANCEL, now)
        order.cancel_due = order.cancel_due or (order.cancel_wanted and order.is_live and not order.cancel_in_flight)

    def correct_reported(self, order: OwnOrder, filled_quantity: Decimal) -> None:
        """The venue, when asked, states what a finished order traded: that replaces what it said before."""
        order.reported_filled = max(order.filled_quantity, filled_quantity)
        self._settle(order)

    def report_filled(self, order: OwnOrder, filled_quantity: Decimal | None, now: int) -> None:
        """The venue, when asked, says that the order filled; its trades are still to be fetched one by one."""
        order.query_in_flight = False
        order.clean_looks = 0
        self._note_reported(order, order.quantity if filled_quantity is None else filled_quantity)
        self._apply(order, OrderEvent.CONFIRM_CANCEL, now)

    def report_not_found(self, order: OwnOrder, exchange_time: int, now: int) -> None:
        """A clean look at ``exchange_time`` found nothing: not by id, not among open orders, not in own trades.

        It counts when it was asked for, once, and both asked and answered after the end of the validity window.
        """
        was_asked = order.query_in_flight
        order.query_in_flight = False
        self._derived_are_stale = True
        if not was_asked or not order.is_unknown:
            return
        order.query_due = now + self.times.query_interval
        if min(order.query_asked_at, exchange_time) < order.placed_at + self.times.validity_window:
            return
        order.clean_looks += 1
        if order.clean_looks >= CLEAN_LOOKS_NEEDED:
            gone = order.reported_filled > 0
            self._apply(order, OrderEvent.FIND_GONE if gone else OrderEvent.FIND_NEVER_PLACED, now)

    def query_failed(self, order: OwnOrder, now: int) -> None:
        """A question got no answer; it is asked again after a while."""
        order.query_in_flight = False
        if order.query_due is not None:
            order.query_due = now + self.times.query_interval
            self._derived_are_stale = True

    # -- time -------------------------------------------------------------------------------------------------------

    def expire_requests(self, now: int) -> tuple[OwnOrder, ...]:
        """Turn every request whose answer is overdue into an unknown outcome, and return those orders."""
        overdue = [o for o in self._live.values() if o.answer_due is not None and now >= o.answer_due]
        for order in overdue:
            self.lose_track(order, now)
        return tuple(overdue)

    def cancels_due(self) -> tuple[OwnOrder, ...]:
        """Live orders to cancel at once, in whatever state the machine is."""
        return tuple(order for order in self._live.values() if order.cancel_due and order.is_live)

    def queries_due(self, now: int) -> tuple[OwnOrder, ...]:
        """Orders to ask the venue about now."""
        return tuple(o for o in self._live.values() if o.query_due is not None and now >= o.query_due)

    @property
    def next_deadline(self) -> int | None:
        """The earliest time at which ``expire_requests`` or ``queries_due`` has something to do."""
        if self._derived_are_stale:
            self._derive()
        return self._deadline

    def snapshot(self) -> tuple[object, ...]:
        """Every open question, and how often one was settled, for digests."""
        live = tuple(order.snapshot() for order in self._live.values())
        times = (self.venue_time, self.last_closed_at, self.trades_known_until, self.unconfirmed_since)
        return (live, self.closings, *times)

    def confirm_trades(self, since: int, until: int) -> None:
        """Every own trade from ``since`` to ``until``, venue times, is booked."""
        if not self.trades_known_until or since <= self.trades_known_until:
            self.trades_known_until = max(self.trades_known_until, until)
        if self.unconfirmed_since is not None and since <= self.unconfirmed_since and until >= self.last_closed_at:
            self.unconfirmed_since = None

    # -- inside -----------------------------------------------------------------------------------------------------

    def _derive(self) -> None:
        live = self._live.values()
        self._deadline = min((d for o in live for d in (o.answer_due, o.query_due) if d is not None), default=None)
        for side in SIDES:
            quotes = self.live(side, OrderPurpose.QUOTE)
            self._quotes[side] = any(not order.cancel_in_flight and not order.is_unknown for order in quotes)
        self._derived_are_stale = False

    def _note_reported(self, order: OwnOrder, filled_quantity: Decimal | None) -> None:
        if filled_quantity is not None:
            order.reported_filled = max(order.reported_filled, filled_quantity)

    def _apply(self, order: OwnOrder, event: OrderEvent, now: int) -> None:
        self._move(order, status_after(order.client_order_id, order.status, event), now)

    def _move(self, order: OwnOrder, status: OrderStatus, now: int) -> None:
        was_live = order.is_live
        order.status = status
        order.changed_at = now
        self._derived_are_stale = True
        if not order.is_live:
            self._close(order, now, was_live=was_live)
        elif not was_live:
            self._finished.pop(order.client_order_id, None)
            self._live[order.client_order_id] = order
            order.cancel_wanted = order.cancel_due = True
        elif order.is_resting and not order.cancel_in_flight:
            order.answer_due = None
        if order.is_unknown:
            order.answer_due = now + self.times.request_timeout if order.cancel_in_flight else None
            if order.query_due is None:
                order.query_due = now
        elif order.is_live:
            order.query_due = now if order.missing_fills > 0 else None

    def _close(self, order: OwnOrder, now: int, *, was_live: bool) -> None:
        """Settle a finished order, or keep asking while the venue speaks of fills that have not arrived."""
        order.answer_due = None
        order.cancel_in_flight = False
        if was_live and order.status is not OrderStatus.FILLED:
            self.last_closed_at = self.venue_time
            order.closed_at = self.venue_time
            begun_at = max(order.placed_at, self.trades_known_until)
            since = self.unconfirmed_since
            self.unconfirmed_since = begun_at if since is None else min(since, begun_at)
        if order.missing_fills > 0:
            self._finished.pop(order.client_order_id, None)
            self._live[order.client_order_id] = order
            order.query_due = now if was_live or order.query_due is None else order.query_due
            return
        self._settle(order)

    def _settle(self, order: OwnOrder) -> None:
        """Nothing is open about a finished order any more."""
        if order.is_live or order.missing_fills > 0:
            return
        order.query_due = None
        order.query_in_flight = False
        self.closings += 1
        self._live.pop(order.client_order_id, None)
        self._finished[order.client_order_id] = order
        self._finished.move_to_end(order.client_order_id)
        while len(self._finished) > FINISHED_ORDERS_KEPT:
            self._finished.popitem(last=False)
