"""Where the comparison of own books with the venue's stands: open orders, then own trades, then balances."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from attrs import define

from mm_fsm.core.instrument import ZERO


class ReconciliationStage(StrEnum):
    """Which answer of the venue comes next."""

    RESTING = "resting"
    """No round is under way."""
    OPEN_ORDERS = "open_orders"
    TRADES = "trades"
    BALANCES = "balances"


@define(kw_only=True)
class Reconciliation:
    """Times are nanoseconds, amounts base units and quote currency.

    Until a round has been completed since the start or the last reconnection, nothing is quoted. Such a round waits
    until no own order is open any more, so that nothing moves between its questions.
    """

    is_complete: bool = False
    stage: ReconciliationStage = ReconciliationStage.RESTING
    due: int = 0
    """When to ask (again), or to begin the next round."""
    has_seen_open_orders: bool = False
    """Whether the venue has said which orders are open, since the start or the last reconnection."""
    is_answer_awaited: bool = False
    asked_at: int = 0
    first_asked_at: int = 0
    """When the question of this stage was asked first; an answer to an older one is not awaited."""
    completed_at: int | None = None
    """When a round was first completed."""
    trades_known_until: int | None = None
    """Venue time up to which every own trade has been looked up; None before the first round."""
    trades_asked_since: int = 0
    outside_base: Decimal | None = None
    """What the account held beyond this machine's part when they were first compared; None before."""
    outside_quote: Decimal = ZERO
    difference: Decimal = ZERO
    """Base units by which the account differed from the books in the last round."""
    bookings_at_difference: int = -1
    """Bookings of the ledger when the difference was found."""
    differs_since: int = 0
    """Since when every round found this difference, with nothing booked in between."""
    differing_rounds: int = 0
    """Rounds in a row that found a difference, the same or another."""
    detail: str = "the venue has not been asked yet"
    """Why a round is not complete."""

    @property
    def has_past(self) -> bool:
        """Whether the venue's trades were ever looked up for these books."""
        return self.trades_known_until is not None

    def begin_anew(self, now: int, detail: str) -> None:
        """Trust nothing until a whole round has been completed."""
        self.is_complete = False
        self.stage = ReconciliationStage.RESTING
        self.has_seen_open_orders = False
        self.is_answer_awaited = False
        self.due = now
        self.detail = detail

    def answered(self, now: int, following: ReconciliationStage) -> None:
        """The answer that was awaited has come."""
        self.stage = following
        self.is_answer_awaited = False
        self.due = now

    def note_no_answer(self, retry_at: int, why: str = "") -> None:
        """The question failed: ask again later."""
        if self.is_answer_awaited:
            self.detail = why or self.detail
            self.is_answer_awaited = False
            self.due = retry_at
