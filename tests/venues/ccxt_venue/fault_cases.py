"""Every fault of the menu: what shows it, within what time, and how it is settled. One list for tests and the table.

A fault strikes one market that is traded through the account layer; the exchange's log has the time of the strike.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from attrs import frozen

from mm_fsm.books.facts import (
    AccountFeedLost,
    OrderAcknowledged,
    OrderFilled,
    OrderRejected,
    OutcomeUnknown,
    RequestsSuspended,
)
from mm_fsm.core.clock import nanoseconds, seconds
from mm_fsm.core.messages import Fact, RequestKind
from mm_fsm.testing.rehearsal.fault_menu import Fault, FaultKind, Where
from mm_fsm.testing.rehearsal.judge import RequestAnswered
from tests.venues.ccxt_venue.judging import assert_books_equal, assert_nothing_forbidden
from tests.venues.ccxt_venue.live_stage import LiveMarketMaker, Stage, live
from tests.venues.ccxt_venue.mixes import QUICK, is_calm

SEED: Final = 8
PLACE, CANCEL, BOOK, ORDERS = Where.PLACE, Where.CANCEL, Where.BOOK, Where.ORDERS
BANNED_SECONDS: Final = 2.0

Shows = Callable[[Stage, int], int | None]
"""Host time at which a fault that struck at a host time has shown itself; None while it has not."""


def fact(*kinds: type[Fact], where: Callable[[Any], bool] = lambda _: True) -> Shows:
    """The first fact of these kinds after the strike."""

    def shows(stage: Stage, struck: int) -> int | None:
        found = (each.received_at for each in stage.maker.facts if isinstance(each, kinds) and where(each))
        return next((time for time in found if time >= struck), None)

    return shows


def asked_for_the_book(stage: Stage, struck: int) -> int | None:
    """The first request for a whole book after the strike."""
    requests = stage.exchange.log.of(RequestAnswered)
    return next((each.time for each in requests if each.path.endswith("/depth") and each.time >= struck), None)


LOST = fact(AccountFeedLost)
UNKNOWN = fact(OutcomeUnknown)
PLACEMENT_UNKNOWN = fact(OutcomeUnknown, where=lambda each: each.request is RequestKind.PLACE)
REJECTED = fact(OrderRejected)
LOOKED = "UNKNOWN; looking by our own id, in open orders and in own trades"
TAKEN = "the stream says that it was taken; where that comes later, as above"
REBUILT = "both sides held, quotes cancelled, new streams, compared with the exchange"
LOAD_SECONDS: Final = 3.0
"""What a busy machine may add to a stated time. Exact times are tested where time is the test's: test_watch.py."""
ONCE = "nothing is wrong: told once, in whatever order it comes"


@frozen
class Case:
    """One fault, alone."""

    kind: FaultKind
    where: Where
    within: float | None
    """Seconds after the strike in which it must show; None where nothing is wrong, so that there is nothing to show."""
    settled: str
    shows: Shows | None = UNKNOWN
    seconds: float = 1.0
    strikes: int = 1
    """How often it may strike until it shows: of an event that is lost, what follows may tell the same at once."""

    @property
    def name(self) -> str:
        """As tests and the table call it."""
        return f"{self.kind.value}-{self.where.value}"

    @property
    def fault(self) -> Fault:
        """The fault, to be injected."""
        return Fault(kind=self.kind, where=self.where, seconds=self.seconds, skew_seconds=8.0)


CASES: Final = (
    Case(FaultKind.HANG_BEFORE, PLACE, 4.0, LOOKED, PLACEMENT_UNKNOWN),
    Case(FaultKind.HANG_AFTER, PLACE, None, TAKEN, None),
    Case(FaultKind.DELAY_BEFORE, PLACE, None, "the answer is waited for, 4 s long", None),
    Case(FaultKind.DELAY_AFTER, PLACE, None, "the answer, or the stream, whichever is first", None),
    Case(FaultKind.DROP_BEFORE, PLACE, 0.0, LOOKED, PLACEMENT_UNKNOWN),
    Case(FaultKind.DROP_AFTER, PLACE, None, TAKEN, None),
    Case(
        FaultKind.DROP_AFTER,
        CANCEL,
        None,
        "the stream says that it was cancelled; else looking, it may have filled",
        None,
    ),
    Case(FaultKind.TRUNCATE, PLACE, None, TAKEN, None),
    Case(FaultKind.SERVER_ERROR_BEFORE, PLACE, 0.0, LOOKED, PLACEMENT_UNKNOWN),
    Case(FaultKind.SERVER_ERROR_AFTER, PLACE, None, TAKEN, None),
    Case(FaultKind.UNKNOWN_BEFORE, PLACE, 0.0, LOOKED, PLACEMENT_UNKNOWN),
    Case(FaultKind.UNKNOWN_AFTER, PLACE, None, TAKEN, None),
    Case(FaultKind.RATE_LIMITED, PLACE, 0.0, "no request until the time that it names", fact(RequestsSuspended), 2.0),
    Case(FaultKind.BANNED, PLACE, 0.0, "no request until the time that it names", fact(RequestsSuspended), 2.0),
    Case(FaultKind.MAINTENANCE, PLACE, 0.0, LOOKED, fact(OutcomeUnknown, OrderRejected, RequestsSuspended)),
    Case(FaultKind.CLOCK_SKEW, PLACE, 0.0, "rejected; the exchange's clock is asked for again", REJECTED),
    Case(FaultKind.POST_ONLY_REJECTED, PLACE, 0.0, "priced anew, three times, then the side is held", REJECTED),
    Case(FaultKind.FUNDS_REJECTED, PLACE, 0.0, "the side is held, balances are asked for", REJECTED),
    Case(FaultKind.VISIBLE_LATE, PLACE, None, "its own answer and the stream tell of it; no list is believed", None),
    Case(FaultKind.PARTIAL_FILL, PLACE, 0.0, "booked; the rest keeps its place", fact(OrderFilled)),
    Case(
        FaultKind.FILL_RACES_CANCEL,
        CANCEL,
        0.0,
        "the fill is booked, the refused cancel looked after",
        fact(OrderFilled),
    ),
    Case(
        FaultKind.NULL_FEES,
        ORDERS,
        None,
        "the fill is booked, its fee is asked for until it is told",
        fact(OrderFilled, where=lambda each: each.fee is None),
        20.0,
    ),
    Case(FaultKind.EVENT_LATE, ORDERS, None, ONCE, None),
    Case(FaultKind.EVENT_DUPLICATED, ORDERS, None, ONCE, None),
    Case(FaultKind.EVENT_REORDERED, ORDERS, None, ONCE, None),
    Case(FaultKind.EVENT_REORDERED, BOOK, 1.5, "the book is synchronised again", asked_for_the_book),
    Case(FaultKind.EVENT_LOST, ORDERS, 2.5, REBUILT, LOST, strikes=12),
    Case(FaultKind.STREAM_CLOSED, BOOK, 0.0, REBUILT, LOST),
    Case(FaultKind.STREAM_CLOSED, ORDERS, 0.0, REBUILT, LOST),
    Case(FaultKind.HALF_OPEN, BOOK, 6.0, REBUILT, LOST),
    Case(FaultKind.HALF_OPEN, ORDERS, 6.0, REBUILT, LOST),
    Case(FaultKind.USER_STREAM_ENDED, ORDERS, 3.0, REBUILT, LOST),
    Case(FaultKind.USER_STREAM_SILENT, ORDERS, 3.0, REBUILT, LOST),
    Case(FaultKind.POISONED, BOOK, 3.5, REBUILT, LOST),
    Case(FaultKind.POISONED, ORDERS, 3.0, REBUILT, LOST),
    Case(FaultKind.BOOK_GAP, BOOK, 1.5, "the book is synchronised again", asked_for_the_book),
)


@frozen
class Seen:
    """What one case came to."""

    case: Case
    shown_after: float | None
    """Seconds from the strike; None where nothing is to be shown."""
    settled_after: float
    """Seconds from the strike until it quotes anew and nothing is in question."""


async def go_through(case: Case) -> Seen:
    """Let one fault strike, wait until it is settled, end, and judge.

    Raises:
        AssertionError: something happened that must never happen.
        TimeoutError: it never showed, or was never settled.
    """
    async with live(seed=SEED, strategy=QUICK) as stage:
        maker = stage.maker
        await stage.until(lambda: len(maker.of(OrderAcknowledged)) >= 4)
        struck, shown = await _strike(stage, case)
        taken = len(maker.of(OrderAcknowledged))
        await stage.until(lambda: len(maker.of(OrderAcknowledged)) > taken + 1 and is_settled(maker))
        settled_after = seconds(stage.venue.now() - struck)
        await stage.stop()
        assert_nothing_forbidden(stage)
        assert_books_equal(stage)
        assert maker.machine.context.refused_facts == 0
        return Seen(case, None if shown is None else seconds(shown - struck), settled_after)


async def _strike(stage: Stage, case: Case) -> tuple[int, int | None]:
    """Inject the fault until it shows: when it struck last, and when it showed; None where there is nothing to show."""
    log, shows, within = stage.exchange.log, case.shows, case.within
    for strike in range(case.strikes):
        stage.exchange.inject(case.fault)
        await stage.until(lambda before=strike: len(log.faults()) > before)
        struck = log.faults()[-1].time
        if shows is None or within is None:
            return struck, None
        ends_at = struck + nanoseconds(within + LOAD_SECONDS)
        await stage.until(lambda at=struck, end=ends_at: shows(stage, at) is not None or stage.venue.now() > end)
        shown = shows(stage, struck)
        if shown is not None:
            return struck, shown
    raise TimeoutError(f"{case.name} has struck {case.strikes} times, and never showed")


def is_settled(maker: LiveMarketMaker) -> bool:
    """Whether nothing is in question, no fee is missing, and nothing keeps requests back."""
    context = maker.machine.context
    return is_calm(maker) and not context.incomplete_fills.without_fee and not context.are_requests_suspended
