"""Where own orders are kept: open questions and finished orders, and what is asked of them all the time, per side.

Views are computed when they are asked for and kept until an order of their side changes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Final

from attrs import define, field

from mm_fsm.books.field_roles import DERIVED
from mm_fsm.books.order_lifecycle import KNOWN_LIVE_STATUSES, LIVE_STATUSES, OrderEvent, OrderStatus, status_after
from mm_fsm.books.own_order import REQUESTED_STATUSES, OwnOrder, RequestTimes
from mm_fsm.core.instrument import ZERO
from mm_fsm.core.messages import SIDES, OrderPurpose, Side

FINISHED_ORDERS_KEPT = 2_000
"""How many finished orders stay known, so that late news about them finds its order; then memory would grow."""

_VIEW_GROUPS: Final = (*SIDES, None)


@define
class OrderTable:
    """Every order of one machine by its id, live and finished.

    The lifecycle's table is the only way to another status: ``apply`` an event, or ``move`` to a status it gave.
    """

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
    _views: dict[Side | None, dict[object, Any]] = field(
        factory=lambda: {group: {} for group in _VIEW_GROUPS}, init=False, eq=False, repr=False, metadata=DERIVED
    )
    """What was computed since the last change, by side; None: of both sides."""
    _dues: tuple[int | None, int | None] | None = field(
        default=None, init=False, eq=False, repr=False, metadata=DERIVED
    )

    # Each view reads and stores its own entry. One function for all of them would add a call to every look, of which a
    # step makes many: 0.2 us in place of 0.1 us for a view that is kept (CPython 3.11).

    # -- looking ----------------------------------------------------------------------------------------------------

    def __contains__(self, client_order_id: object) -> bool:
        return client_order_id in self._live or client_order_id in self._finished

    def get(self, client_order_id: str) -> OwnOrder | None:
        """The order of that id, finished ones included; None when it is not known."""
        return self._live.get(client_order_id) or self._finished.get(client_order_id)

    @property
    def venue_ids(self) -> dict[str, str]:
        """Client order ids by venue order id, of every order that has one, finished ones included."""
        every = (*self._finished.values(), *self._live.values())
        return {each.venue_order_id: each.client_order_id for each in every if each.venue_order_id is not None}

    def unsettled_orders(self, side: Side | None = None) -> Iterator[OwnOrder]:
        """Orders that may still change the position."""
        return iter(self._questions(side))

    def live(self, side: Side | None = None, purpose: OrderPurpose | None = None) -> tuple[OwnOrder, ...]:
        """Live orders (UNKNOWN ones included), in the order they were placed."""
        views = self._views[side]
        found: tuple[OwnOrder, ...] | None = views.get(purpose)
        if found is None:
            orders = self._questions(side)
            if purpose is not None:
                orders = tuple([order for order in orders if order.purpose is purpose])
            if not LIVE_STATUSES.issuperset([order.status for order in orders]):
                orders = tuple([order for order in orders if order.status in LIVE_STATUSES])
            found = views[purpose] = orders
        return found

    @property
    def count(self) -> int:
        """How many orders are open questions."""
        return len(self._live)

    def has_quote(self, side: Side) -> bool:
        """Whether a quote of that side is known to be live and stays, no cancel being in flight for it."""
        views = self._views[side]
        found: bool | None = views.get("has_quote")
        if found is None:
            found = views["has_quote"] = any(order.is_staying for order in self.live(side, OrderPurpose.QUOTE))
        return found

    def has_unknown(self, side: Side | None = None) -> bool:
        """Whether an order of that side is UNKNOWN, or finished with fills that have not arrived."""
        views = self._views[side]
        found: bool | None = views.get("has_unknown")
        if found is None:
            statuses = [order.status for order in self._questions(side)]
            found = views["has_unknown"] = not KNOWN_LIVE_STATUSES.issuperset(statuses)
        return found

    @property
    def is_request_outstanding(self) -> bool:
        """Whether any placement or cancel awaits its answer."""
        views = self._views[None]
        found: bool | None = views.get("is_request_outstanding")
        if found is None:
            statuses = [order.status for order in self._live.values()]
            found = views["is_request_outstanding"] = not REQUESTED_STATUSES.isdisjoint(statuses)
        return found

    def exposure(self, side: Side) -> Decimal:
        """What a side's orders may still trade in the worst case, contracts."""
        views = self._views[side]
        found: Decimal | None = views.get("exposure")
        if found is None:
            found = views["exposure"] = sum([order.exposure for order in self._questions(side)], ZERO)
        return found

    def locked(self, side: Side, *, besides_live: bool = False) -> Decimal:
        """What a side's orders lock in the worst case: price times contracts for bids, contracts for asks.

        ``besides_live`` leaves live orders out: what stays are fills that have not arrived.
        """
        views, name = self._views[side], "locked_besides_live" if besides_live else "locked"
        found: Decimal | None = views.get(name)
        if found is None:
            orders: Iterable[OwnOrder] = self._questions(side)
            if besides_live:
                orders = [order for order in orders if order.status not in LIVE_STATUSES]
            if side is Side.BID:
                found = sum([order.exposure * order.price for order in orders], ZERO)
            else:
                found = sum([order.exposure for order in orders], ZERO)
            views[name] = found
        return found

    def strays(self) -> tuple[OwnOrder, ...]:
        """Live orders that nobody is taking out: no cancel in flight, and no open question to the venue."""
        views = self._views[None]
        found: tuple[OwnOrder, ...] | None = views.get("strays")
        if found is None:
            found = views["strays"] = tuple([order for order in self._live.values() if order.is_stray])
        return found

    def cancels_due(self, now: int) -> tuple[OwnOrder, ...]:
        """Live orders to cancel now, in whatever state the machine is."""
        due = self._to_be_cancelled()
        return due and tuple(order for order in due if now >= order.cancel_retry_at)

    def queries_due(self, now: int) -> tuple[OwnOrder, ...]:
        """Orders to ask the venue about now."""
        _, earliest = self._next_dues()
        if earliest is None or now < earliest:
            return ()
        return tuple(o for o in self._live.values() if o.query_due is not None and now >= o.query_due)

    def answers_overdue(self, now: int) -> tuple[OwnOrder, ...]:
        """Orders with a request whose answer should have come by now."""
        earliest, _ = self._next_dues()
        if earliest is None or now < earliest:
            return ()
        return tuple(o for o in self._live.values() if o.answer_due is not None and now >= o.answer_due)

    @property
    def next_answer_due(self) -> int | None:
        """The earliest time at which an answer is overdue or a cancel to be repeated."""
        return self._next_dues()[0]

    @property
    def next_deadline(self) -> int | None:
        """The earliest time at which an answer is overdue, a cancel to be repeated or a question due."""
        answer, query = self._next_dues()
        return query if answer is None else answer if query is None else min(answer, query)

    def snapshot(self) -> tuple[object, ...]:
        """How often an order was settled, and every open question, for digests."""
        times = (self.venue_time, self.last_closed_at, self.trades_known_until, self.unconfirmed_since)
        return (self.closings, *times, *(order.snapshot() for order in self._live.values()))

    # -- views ------------------------------------------------------------------------------------------------------

    def _questions(self, side: Side | None) -> tuple[OwnOrder, ...]:
        views = self._views[side]
        found: tuple[OwnOrder, ...] | None = views.get("questions")
        if found is None:
            live = self._live.values()
            found = tuple(live if side is None else [order for order in live if order.side is side])
            views["questions"] = found
        return found

    def _to_be_cancelled(self) -> tuple[OwnOrder, ...]:
        views = self._views[None]
        found: tuple[OwnOrder, ...] | None = views.get("to_be_cancelled")
        if found is None:
            live = self._live.values()
            found = views["to_be_cancelled"] = tuple([order for order in live if order.cancel_due and order.is_live])
        return found

    def _next_dues(self) -> tuple[int | None, int | None]:
        """When the next answer is overdue or a cancel to be repeated, and the next question due."""
        dues = self._dues
        if dues is None:
            live = self._live.values()
            answers = [order.answer_due for order in live if order.answer_due is not None]
            cancels = [order.cancel_retry_at for order in self._to_be_cancelled() if order.is_cancel_paced]
            dues = self._dues = (
                min(answers + cancels, default=None),
                min([order.query_due for order in live if order.query_due is not None], default=None),
            )
        return dues

    def changed(self, side: Side) -> None:
        """Nothing computed of that side holds any more."""
        self._dues = None
        self._views[side].clear()
        self._views[None].clear()

    # -- moving -----------------------------------------------------------------------------------------------------

    def apply(self, order: OwnOrder, event: OrderEvent, now: int) -> None:
        """Let the order's lifecycle take an event.

        Raises:
            OrderLifecycleError: it does not declare the event in the order's status; nothing has changed.
        """
        self.move(order, status_after(order.client_order_id, order.status, event), now)

    def move(self, order: OwnOrder, status: OrderStatus, now: int) -> None:
        """Give the order the status that its lifecycle says, and file it accordingly."""
        was_live, was_unknown = order.is_live, order.is_unknown
        order.status = status
        order.changed_at = now
        self.changed(order.side)
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
            if order.query_due is None or not was_unknown:  # a question that was due for another cause comes too late
                order.query_due = now
        elif order.is_live:
            order.query_due = self._next_question(order, now)

    def _next_question(self, order: OwnOrder, now: int) -> int | None:
        """When to ask about a live order whose outcome is known; None where there is nothing to ask."""
        if order.missing_fills > 0:
            return now
        is_end_owed = order.is_immediate and order.is_resting
        return now + self.times.query_interval if is_end_owed else None

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
        self.settle(order)

    def settle(self, order: OwnOrder) -> None:
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
