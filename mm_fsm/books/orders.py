"""The own-order book: every order this machine sent, what is known of it, and what is being asked about it.

All quantities are contracts, prices quote per base, times nanoseconds. The book changes only through the order
lifecycle's table, and only facts from the venue lead an order out of UNKNOWN. Nothing but this book changes an order.
"""

from __future__ import annotations

from decimal import Decimal

from attrs import define

from mm_fsm.books.order_lifecycle import OrderEvent, OrderStatus, status_after
from mm_fsm.books.order_table import OrderTable
from mm_fsm.books.own_order import OwnOrder, RequestTimes
from mm_fsm.core.messages import OrderPurpose, PlaceOrder, ReportedOrder, TimeInForce

__all__ = ["OwnOrder", "OwnOrders", "RequestTimes"]

CLEAN_LOOKS_NEEDED = 2
"""Looks that must find nothing, after the validity window, before an order counts as never placed."""


@define
class OwnOrders(OrderTable):
    """The book of own orders of one machine: what it asks the venue for, and what it hears."""

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
            is_immediate=intent.time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL,
            widened_bps=intent.widened_bps,
        )
        self._live[order.client_order_id] = order
        self.changed(order.side)
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
        self.changed(order.side)
        return order

    def cancel_all_live(self) -> None:
        """Every live order has to go."""
        for order in self.live():
            order.cancel_due = not order.cancel_in_flight
            self.changed(order.side)

    def withdraw(self, client_order_id: str) -> None:
        """Forget a placement that was never sent."""
        order = self._live.pop(client_order_id, None)
        if order is not None:
            self.changed(order.side)

    def request_cancel(self, order: OwnOrder, now: int) -> None:
        """Note a cancel that is about to be sent."""
        self.apply(order, OrderEvent.REQUEST_CANCEL, now)
        order.cancel_in_flight = True
        order.cancel_wanted = True
        order.cancel_due = False
        order.cancels_sent += 1
        order.cancel_retry_at = now + self.times.cancel_interval(order.cancels_sent)
        order.answer_due = now + self.times.request_timeout
        self.changed(order.side)

    def note_query(self, order: OwnOrder, now: int, question_id: str | None = None) -> None:
        """Note a question about an order that is about to be sent."""
        order.question_id = question_id
        order.query_in_flight = True
        order.query_asked_at = now
        order.query_due = now + self.times.request_timeout
        self.changed(order.side)

    # -- hearing ----------------------------------------------------------------------------------------------------

    def acknowledge(self, order: OwnOrder, venue_order_id: str, now: int) -> None:
        """The venue took the order."""
        order.venue_order_id = venue_order_id
        _note_heard_of(order, now)
        self.apply(order, OrderEvent.ACKNOWLEDGE, now)

    def fill(self, order: OwnOrder, quantity: Decimal, now: int) -> None:
        """A trade of this order; the caller has checked that it is new and fits the remainder."""
        event = OrderEvent.FILL_FULLY if quantity == order.remaining else OrderEvent.FILL_PARTLY
        status = status_after(order.client_order_id, order.status, event)
        order.filled_quantity += quantity
        order.reported_filled = max(order.reported_filled, order.filled_quantity)
        _note_heard_of(order, now)
        self.move(order, status, now)

    def confirm_cancel(self, order: OwnOrder, filled_quantity: Decimal | None, now: int) -> None:
        """The venue says that the order is out of the book."""
        _note_reported(order, filled_quantity)
        self.apply(order, OrderEvent.CONFIRM_CANCEL, now)

    def expire(self, order: OwnOrder, filled_quantity: Decimal | None, now: int) -> None:
        """The venue took the order out by itself."""
        _note_reported(order, filled_quantity)
        self.apply(order, OrderEvent.EXPIRE, now)

    def refuse_cancel(self, order: OwnOrder, now: int) -> None:
        """The venue refused the cancel: it may have filled, so go and look."""
        order.cancel_in_flight = False
        self.apply(order, OrderEvent.REFUSE_CANCEL, now)

    def reject(self, order: OwnOrder, now: int) -> None:
        """The venue refused the placement. With fills booked that is a contradiction."""
        contradicts = order.filled_quantity > 0
        self.apply(order, OrderEvent.LOSE_TRACK if contradicts else OrderEvent.REJECT, now)

    def lose_track(self, order: OwnOrder, now: int) -> None:
        """A request about this order has an unknown outcome."""
        order.cancel_in_flight = False
        self.apply(order, OrderEvent.LOSE_TRACK, now)

    def lose_track_of_all(self, now: int) -> None:
        """Nothing is known of any live order any more, nor of any answer: ask about every one of them."""
        for order in self._live.values():
            order.query_in_flight = False
            if order.is_live:
                self.lose_track(order, now)
            order.query_due = now
            self.changed(order.side)

    def note_shown(self, order: OwnOrder, now: int) -> None:
        """The venue shows the order, so it was taken."""
        _note_heard_of(order, now)

    def note_answer(self, order: OwnOrder) -> None:
        """The question about the order has been answered."""
        order.query_in_flight = False

    def report_open(
        self, order: OwnOrder, filled_quantity: Decimal | None, now: int, venue_order_id: str | None = None
    ) -> None:
        """The venue, when asked, says that the order rests in its book."""
        _note_heard_of(order, now)
        order.venue_order_id = order.venue_order_id or venue_order_id
        order.query_in_flight = False
        _note_reported(order, filled_quantity)
        found = OrderEvent.FIND_PARTLY_FILLED if order.filled_quantity > 0 else OrderEvent.FIND_OPEN
        self.apply(order, found, now)
        if order.is_resting and order.cancel_in_flight:
            self.apply(order, OrderEvent.REQUEST_CANCEL, now)
        order.cancel_due = order.cancel_due or (order.cancel_wanted and order.is_live and not order.cancel_in_flight)
        self.changed(order.side)

    def correct_reported(self, order: OwnOrder, filled_quantity: Decimal) -> None:
        """The venue, when asked, states what a finished order traded: that replaces what it said before."""
        order.reported_filled = max(order.filled_quantity, filled_quantity)
        self.changed(order.side)
        self.settle(order)

    def report_filled(self, order: OwnOrder, filled_quantity: Decimal | None, now: int) -> None:
        """The venue, when asked, says that the order filled; its trades are still to be fetched one by one."""
        order.query_in_flight = False
        order.clean_looks = 0
        _note_reported(order, order.quantity if filled_quantity is None else filled_quantity)
        self.apply(order, OrderEvent.CONFIRM_CANCEL, now)

    def report_not_found(self, order: OwnOrder, asked_at: int | None, now: int) -> None:
        """A clean look found nothing: not by id, not among open orders, not in own trades.

        It counts when its question was asked, at ``asked_at`` by the host's clock, after the validity window of the
        placement and of all that was heard of the order since. None: nobody knows which question it answers.
        An order that was heard of was placed: then it is gone.
        """
        order.query_in_flight = False
        if order.is_immediate and order.is_resting:
            self.lose_track(order, now)  # it was taken, and its end went unheard
        if not order.is_unknown:
            return
        order.query_due = now + self.times.query_interval
        self.changed(order.side)
        window_ends = max(order.placed_at, order.heard_at) + self.times.validity_window
        if asked_at is None or asked_at < window_ends:
            return
        order.clean_looks += 1
        if order.clean_looks >= CLEAN_LOOKS_NEEDED:
            was_placed = order.acknowledged or order.reported_filled > 0
            self.apply(order, OrderEvent.FIND_GONE if was_placed else OrderEvent.FIND_NEVER_PLACED, now)

    def query_failed(self, order: OwnOrder, now: int) -> None:
        """A question got no answer; it is asked again after a while."""
        order.query_in_flight = False
        if order.query_due is not None:
            order.query_due = now + self.times.query_interval
            self.changed(order.side)

    # -- time -------------------------------------------------------------------------------------------------------

    def expire_requests(self, now: int) -> tuple[OwnOrder, ...]:
        """Turn every request whose answer is overdue into an unknown outcome, and return those orders."""
        overdue = self.answers_overdue(now)
        for order in overdue:
            self.lose_track(order, now)
        return overdue

    def confirm_trades(self, since: int, until: int) -> None:
        """Every own trade from ``since`` to ``until``, venue times, is booked."""
        if not self.trades_known_until or since <= self.trades_known_until:
            self.trades_known_until = max(self.trades_known_until, until)
        if self.unconfirmed_since is not None and since <= self.unconfirmed_since and until >= self.last_closed_at:
            self.unconfirmed_since = None


def _note_heard_of(order: OwnOrder, now: int) -> None:
    """The venue spoke of the order as one that it took."""
    order.acknowledged = True
    order.heard_at = now
    order.clean_looks = 0


def _note_reported(order: OwnOrder, filled_quantity: Decimal | None) -> None:
    if filled_quantity is not None:
        order.reported_filled = max(order.reported_filled, filled_quantity)
