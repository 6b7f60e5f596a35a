"""One own order: what was asked for, what is known of it, and what is being asked about it.

Quantities are contracts, prices quote per base, times nanoseconds.
"""

from __future__ import annotations

from decimal import Decimal
from operator import attrgetter
from typing import Final

from attrs import define, fields, frozen

from mm_fsm.books.order_lifecycle import LIVE_STATUSES, RESTING_STATUSES, OrderStatus
from mm_fsm.core.instrument import ZERO
from mm_fsm.core.messages import OrderPurpose, Side

REQUESTED_STATUSES: Final = frozenset({OrderStatus.PENDING_NEW, OrderStatus.PENDING_CANCEL})
"""A placement or a cancel awaits its answer."""


MOST_CANCEL_INTERVALS: Final = 8
"""Times between two questions that a refused cancel waits at most before it is repeated."""


@frozen(kw_only=True)
class RequestTimes:
    """How long the book waits for answers, nanoseconds."""

    request_timeout: int
    """After this, a request without an answer has an unknown outcome."""
    query_interval: int
    """Time between two questions about one order."""
    validity_window: int
    """How long after its sending a placement may still reach the venue's book."""

    def cancel_interval(self, sent: int) -> int:
        """How long after the cancel of this number the next one for the same order waits, if one is needed.

        The first is repeated as soon as a look has found the order open: it may have overtaken the placement. Then the
        wait doubles from the time between two questions on, up to ``MOST_CANCEL_INTERVALS`` times that.
        """
        return self.query_interval * min(2 ** (sent - 2), MOST_CANCEL_INTERVALS) if sent > 1 else 0


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
    """A cancel must be sent as soon as it may: the order is alive again, or a cancel that went astray left it open."""
    cancels_sent: int = 0
    cancel_retry_at: int = 0
    """When a cancel may be repeated: a venue that refuses it at once would otherwise be asked without end."""
    query_due: int | None = None
    """When to ask about the order (again); None when there is nothing to ask."""
    query_in_flight: bool = False
    query_asked_at: int = 0
    question_id: str | None = None
    """Of the last question about it."""
    clean_looks: int = 0
    heard_at: int = 0
    """When the venue last spoke of it as one that it took."""
    changed_at: int = 0
    closed_at: int = 0
    """Venue time at which it left the book without having filled in full."""
    trades_count_after: int = -1
    """Venue time up to which its trades are none of ours: it was taken over from another run."""
    is_immediate: bool = False
    """Whether it trades at once or not at all: it never stays in the book, so the venue owes word of its end."""
    widened_bps: float = 0.0
    """How much further from the mid it was placed for the losses of earlier fills: what its own fills owe to that."""

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
        return self.status in REQUESTED_STATUSES

    @property
    def is_staying(self) -> bool:
        """Whether its outcome is known and no cancel is in flight for it or due."""
        return not self.cancel_in_flight and self.status is not OrderStatus.UNKNOWN and not self.cancel_due

    @property
    def is_cancel_paced(self) -> bool:
        """Whether it was found open after repeated cancels, so that the next one has a time of its own."""
        return self.cancel_due and self.cancels_sent > 1

    @property
    def is_stray(self) -> bool:
        """Whether it is live and nobody is taking it out: no cancel in flight or timed, no open question about it."""
        is_asked_about = self.is_unknown and self.query_due is not None
        return self.is_live and not (self.cancel_in_flight or is_asked_about or self.is_cancel_paced)

    def may_rest_beside(self, level: int) -> bool:
        """Whether an order for this level of its side might come to rest beside it, where one is meant.

        So it is while the venue has not answered whether it took the order, or whether it let go of it.
        """
        return self.level == level and (not self.acknowledged or not self.is_staying)

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
        return self.quantity - self.filled_quantity if self.status in LIVE_STATUSES else self.missing_fills

    def snapshot(self) -> tuple[object, ...]:
        """Every field, in order, for digests; ``is_immediate``, which came later, where it holds."""
        values: tuple[object, ...] = _read_fields(self)
        return (*values, "is_immediate") if self.is_immediate else values


_read_fields: Final = attrgetter(*(each.name for each in fields(OwnOrder) if each.name != "is_immediate"))
