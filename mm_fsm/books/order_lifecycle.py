"""The life of one own order, declared as a chart and compiled to a table.

What really happens at venues is legal here: a fill after a cancel was asked for or even confirmed, an
acknowledgement after a fill, a cancel refused because the order had filled, an order alive again after a terminal
status. What is not declared raises ``OrderLifecycleError`` and changes nothing.

Nothing is guessed: a request without an answer, a refused cancel and every contradiction lead to UNKNOWN, and only
a report from the venue leads out of it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from mm_fsm.chart import Chart, State, table_of
from mm_fsm.chart.listeners import WATCHERS
from mm_fsm.errors import OrderLifecycleError


class OrderStatus(StrEnum):
    """Where an own order stands."""

    PENDING_NEW = "pending_new"
    OPEN = "open"
    PARTIALLY_FILLED = "partially_filled"
    PENDING_CANCEL = "pending_cancel"
    UNKNOWN = "unknown"
    FILLED = "filled"
    CANCELED = "canceled"
    REJECTED = "rejected"
    EXPIRED = "expired"


class OrderEvent(StrEnum):
    """What can happen to an own order."""

    ACKNOWLEDGE = "acknowledge"
    FILL_PARTLY = "fill_partly"
    FILL_FULLY = "fill_fully"
    REQUEST_CANCEL = "request_cancel"
    CONFIRM_CANCEL = "confirm_cancel"
    REFUSE_CANCEL = "refuse_cancel"
    REJECT = "reject"
    EXPIRE = "expire"
    LOSE_TRACK = "lose_track"
    FIND_OPEN = "find_open"
    FIND_PARTLY_FILLED = "find_partly_filled"
    FIND_NEVER_PLACED = "find_never_placed"
    FIND_GONE = "find_gone"


LIVE_STATUSES: Final = frozenset(
    {
        OrderStatus.PENDING_NEW,
        OrderStatus.OPEN,
        OrderStatus.PARTIALLY_FILLED,
        OrderStatus.PENDING_CANCEL,
        OrderStatus.UNKNOWN,
    }
)
"""The order is, or may be, in the venue's book: its whole remainder counts in worst-case exposure."""

KNOWN_LIVE_STATUSES: Final = LIVE_STATUSES - {OrderStatus.UNKNOWN}
"""The order is in the venue's book, or on its way there."""

RESTING_STATUSES: Final = frozenset({OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED})
"""The order is known to rest in the book and nothing is being asked about it."""

TERMINAL_STATUSES: Final = frozenset(OrderStatus) - LIVE_STATUSES
"""The order is known to be out of the book. Late news may still arrive, so the chart calls none of them final."""


class OrderLifecycle(Chart):
    """The order's chart. Every event is sent by the own-order book when a fact about the order arrives."""

    chart_is_automatic = False

    pending_new = State("PENDING_NEW", initial=True, purpose="sent, no answer yet")
    open = State("OPEN", purpose="resting in the venue's book")
    partially_filled = State("PARTIALLY_FILLED", purpose="resting, a part has traded")
    pending_cancel = State("PENDING_CANCEL", purpose="a cancel was sent, no answer yet")
    unknown = State("UNKNOWN", purpose="nobody knows: its side is held until a query settles it")
    filled = State("FILLED", purpose="traded in full")
    canceled = State("CANCELED", purpose="confirmed out of the book")
    rejected = State("REJECTED", purpose="never was in the book")
    expired = State("EXPIRED", purpose="taken out by the venue")

    acknowledge = (
        pending_new.to(open)
        | open.to.itself(internal=True)
        | partially_filled.to.itself(internal=True, note="the acknowledgement came after a fill")
        | pending_cancel.to.itself(internal=True)
        | unknown.to.itself(internal=True, note="says nothing of a cancel that went astray: the query settles it")
        | rejected.to(unknown, note="contradiction")
        | filled.to.itself(internal=True)
        | canceled.to.itself(internal=True)
        | expired.to.itself(internal=True)
    )
    fill_partly = (
        partially_filled.from_(pending_new, open)
        | partially_filled.to.itself(internal=True)
        | pending_cancel.to.itself(internal=True, note="the fill was faster than the cancel")
        | unknown.to.itself(internal=True)
        | canceled.to.itself(internal=True, note="the fill was reported after the cancel")
        | expired.to.itself(internal=True)
        | rejected.to(unknown, note="contradiction")
    )
    fill_fully = filled.from_(pending_new, open, partially_filled, pending_cancel, unknown, canceled, expired, rejected)
    request_cancel = (
        pending_cancel.from_(pending_new, open, partially_filled)
        | pending_cancel.to.itself(internal=True, note="asked again")
        | unknown.to.itself(internal=True)
    )
    confirm_cancel = (
        canceled.from_(pending_new, open, partially_filled, pending_cancel, unknown)
        | canceled.to.itself(internal=True)
        | filled.to.itself(internal=True)
        | expired.to.itself(internal=True)
        | rejected.to.itself(internal=True)
    )
    refuse_cancel = (
        unknown.from_(pending_cancel, pending_new, note="it may have filled: go and look")
        | unknown.to.itself(internal=True)
        | open.to.itself(internal=True, note="a query has settled it since")
        | partially_filled.to.itself(internal=True)
        | filled.to.itself(internal=True)
        | canceled.to.itself(internal=True)
        | expired.to.itself(internal=True)
        | rejected.to.itself(internal=True)
    )
    reject = (
        rejected.from_(pending_new, pending_cancel, unknown)
        | rejected.to.itself(internal=True)
        | unknown.from_(open, partially_filled, note="contradiction")
        | canceled.to.itself(internal=True)
        | expired.to.itself(internal=True)
    )
    expire = (
        expired.from_(pending_new, open, partially_filled, pending_cancel, unknown)
        | expired.to.itself(internal=True)
        | filled.to.itself(internal=True)
        | canceled.to.itself(internal=True)
        | rejected.to.itself(internal=True)
    )
    lose_track = (
        unknown.from_(pending_new, open, partially_filled, pending_cancel)
        | unknown.to.itself(internal=True)
        | filled.to.itself(internal=True)
        | canceled.to.itself(internal=True)
        | expired.to.itself(internal=True)
        | rejected.to.itself(internal=True)
    )
    find_open = (
        open.from_(pending_new, unknown)
        | open.to.itself(internal=True)
        | partially_filled.to.itself(internal=True)
        | pending_cancel.to.itself(internal=True)
        | filled.to.itself(internal=True, note="an old report: the fills are booked")
        | unknown.from_(canceled, expired, rejected, note="alive again: cancelled at once")
    )
    find_partly_filled = (
        partially_filled.from_(pending_new, open, unknown)
        | partially_filled.to.itself(internal=True)
        | pending_cancel.to.itself(internal=True)
        | filled.to.itself(internal=True)
        | unknown.from_(canceled, expired, rejected, note="alive again: cancelled at once")
    )
    find_never_placed = unknown.to(rejected, note="validity window over and two clean looks agree; nothing traded")
    find_gone = unknown.to(canceled, note="validity window over and two clean looks agree; a part had traded")


def status_after(client_order_id: str, status: OrderStatus, event: OrderEvent) -> OrderStatus:
    """The status that follows ``event``.

    Raises:
        OrderLifecycleError: the chart does not declare the event in this status.
    """
    for watcher in WATCHERS:
        watcher.event_was_looked_up(OrderLifecycle, client_order_id, status, event)
    following = table_of(OrderLifecycle).target(status, event)
    if following is None:
        raise OrderLifecycleError(client_order_id, status.value, event.value)
    return OrderStatus(following)
