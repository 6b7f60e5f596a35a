"""A second process that takes a run's orders out of the market once the run has fallen silent.

Ours is what the run's journal names, and what rests at the venue under the run's own prefix; nothing else is touched.
The venue's own lists decide when the book is empty, not the answers to cancels. A placement that was on its way when
the run died may still arrive, so that the watchdog looks until the validity window is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from math import inf
from pathlib import Path
from time import monotonic
from typing import Final

from attrs import define, field, frozen
from loguru import logger

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts import OpenOrdersReported
from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.messages import CancelOrder, Fact, QueryOpenOrders
from mm_fsm.errors import JournalError, MarketMakerError, SettingsError
from mm_fsm.runtime.journal.reader import JournalReader
from mm_fsm.runtime.operations import OperationsDirectory, RunDescription
from mm_fsm.runtime.recovery import rebuilt_context
from mm_fsm.venues.port import PushedVenue, RescuedVenue

LOOK_SECONDS: Final = 2.0
"""Between looks at the venue's open orders."""
FIRST_RETRY_SECONDS: Final = 1.0
LAST_RETRY_SECONDS: Final = 30.0
"""Between attempts to reach the venue: twice as long after each, at most so long."""
CLEAN_LOOKS: Final = 2
"""Looks in a row without an order of ours, after which the book is taken for empty."""


@frozen(kw_only=True)
class OrdersOfRun:
    """One market's own orders, as its journal or its books have them."""

    symbol: str
    prefix: str
    """With which every client order id of the run begins."""
    known_ids: Mapping[str, str]
    """Client order ids by venue order id, finished orders included."""
    open_ids: Mapping[str, str | None]
    """Venue order ids, as far as they are known, of orders that may be open, by client order id."""


def orders_in_journal(path: Path) -> OrdersOfRun:
    """Own orders as they were when the journal was last written.

    Raises:
        JournalError: the journal is damaged, or none is there.
    """
    with JournalReader(path) as reader:
        context = rebuilt_context(reader)
        about = reader.about
    return orders_in_books(context, prefix=f"{about['strategy_id']}-{about['run']}-")


def orders_in_books(
    context: MarketMakingContext, *, prefix: str, never_sent: Collection[str] = frozenset()
) -> OrdersOfRun:
    """Own orders as the books have them, less those whose placement never left."""
    return OrdersOfRun(
        symbol=context.settings.symbol,
        prefix=prefix,
        known_ids=dict(context.orders.venue_ids),
        open_ids={
            order.client_order_id: order.venue_order_id
            for order in context.orders.unsettled_orders()
            if order.client_order_id not in never_sent
        },
    )


@define(eq=False)
class MarketRescue:
    """Takes one market's orders out of the book.

    Args:
        orders: what the journal says.
        venue: open; facts come once ``begin`` has been called.
        look_until: host time, nanoseconds, before which a placement of the dead run may still arrive.
    """

    orders: OrdersOfRun
    venue: PushedVenue
    look_until: int
    cancels: int = field(default=0, init=False)
    """Cancels that were sent."""
    clean_looks: int = field(default=0, init=False)
    _is_asked: bool = field(default=False, init=False)
    _told: frozenset[str] = field(default=frozenset(), init=False)
    """Orders that the last line was about: one that is refused for ever has one line."""

    @property
    def is_clean(self) -> bool:
        """Whether the venue has shown a book without an order of ours often enough."""
        return self.clean_looks >= CLEAN_LOOKS

    @property
    def is_confirmed(self) -> bool:
        """Whether it has, and no placement may arrive any more."""
        return self.is_clean and self.venue.now() >= self.look_until

    def begin(self) -> None:
        """Cancel what the journal knows of, at once."""
        self.venue.attach(self.orders.symbol, self._take, self.orders.known_ids)
        self._cancel(self.orders.open_ids)

    def look(self) -> None:
        """Ask for the orders that rest. An answer that never comes is asked for again."""
        self._is_asked = True
        self.venue.submit([QueryOpenOrders(symbol=self.orders.symbol)], self.venue.now())

    def _take(self, fact: Fact) -> None:
        if not isinstance(fact, OpenOrdersReported) or not self._is_asked:
            return
        self._is_asked = False
        ours = {
            each.client_order_id: each.venue_order_id
            for each in fact.orders
            if each.client_order_id.startswith(self.orders.prefix) or each.client_order_id in self.orders.open_ids
        }
        self.clean_looks = 0 if ours else self.clean_looks + 1
        self._cancel(ours)

    def _cancel(self, ids: Mapping[str, str | None]) -> None:
        if not ids:
            return
        self.cancels += len(ids)
        if ids.keys() != self._told:
            logger.bind(symbol=self.orders.symbol, orders=len(ids)).warning("rescue.cancelling")
            self._told = frozenset(ids)
        symbol = self.orders.symbol
        self.venue.submit(
            [
                CancelOrder(symbol=symbol, client_order_id=name, venue_order_id=venue_order_id)
                for name, venue_order_id in ids.items()
            ],
            self.venue.now(),
        )


async def reach(
    venue: PushedVenue, *, on_failure: Callable[[str, float], None], most_seconds: float | None = None
) -> bool:
    """Open a venue for a rescue, trying again for as long as it fails: when a run dies, its exchange is often down.

    No stream is needed where the venue can do without, and nothing is compared with the settings.

    Args:
        venue: not open yet.
        on_failure: is told why an attempt failed, and after how many seconds the next one follows.
        most_seconds: after which it is given up; None never gives up.

    Returns:
        Whether it is open.
    """
    began, pause = venue.now(), FIRST_RETRY_SECONDS
    while True:
        try:
            if isinstance(venue, RescuedVenue):
                await venue.open_for_requests()
            else:
                await venue.open()
        except MarketMakerError as error:
            problem = str(error)
        else:
            return True
        if most_seconds is not None and venue.now() + nanoseconds(pause) - began > nanoseconds(most_seconds):
            return False
        on_failure(problem, pause)
        await _pause(venue, pause)
        pause = min(2 * pause, LAST_RETRY_SECONDS)


async def rescue(
    venue: PushedVenue, orders: Sequence[OrdersOfRun], *, validity_seconds: float, most_seconds: float | None = None
) -> list[MarketRescue]:
    """Cancel the orders of a dead run at an open venue, and look until its lists are empty of them.

    Args:
        venue: the account's connection, open.
        orders: what the journals say, by market.
        validity_seconds: how long a placement of the dead run may still arrive.
        most_seconds: after which it is given up; None never gives up.
    """
    began = venue.now()
    rescues = [MarketRescue(each, venue, began + nanoseconds(validity_seconds)) for each in orders]
    for each in rescues:
        each.begin()
    while not all(each.is_confirmed for each in rescues):
        if most_seconds is not None and venue.now() - began > nanoseconds(most_seconds):
            break
        for each in rescues:
            each.look()
        await _pause(venue, LOOK_SECONDS)
    return rescues


async def _pause(venue: PushedVenue, seconds: float) -> None:
    passed = asyncio.Event()
    venue.call_at(venue.now() + nanoseconds(seconds), passed.set)
    await passed.wait()


@frozen
class Silence:
    """Why a run is taken for dead."""

    reason: str


@define(eq=False)
class SilenceWatch:
    """Looks whether a run has fallen silent: its process is gone without having ended, or its loop turns no more.

    A missing heartbeat is no end, and no silence before it has been missing for long enough: it may be about to be
    written. Once the run is known, files that somebody removes change nothing.

    Args:
        operations: the run's directory.
        longest_seconds: of silence while the process is there.
        clock: monotonic, seconds.

    Raises:
        SettingsError: no run has written to the directory.
    """

    operations: OperationsDirectory
    longest_seconds: float
    clock: Callable[[], float] = monotonic
    _run: RunDescription = field(init=False)
    _missing_since: float | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        """Know the run from the start."""
        self._run = self.operations.read()

    def look(self) -> Silence | None:
        """Why the run is taken for dead; None while it lives, and once it has ended in order."""
        if self.operations.has_ended():
            return None
        with suppress(SettingsError):
            self._run = self.operations.read()
        process = self._run.process
        if self._run.is_gone():
            return Silence(f"process {process} is gone, and it did not end in order")
        silent = self._silent_seconds()
        return (
            Silence(f"process {process} has been silent for {silent:.1f} s") if silent > self.longest_seconds else None
        )

    def _silent_seconds(self) -> float:
        silent = self.operations.silent_seconds() or 0.0
        if silent != inf:
            self._missing_since = None
            return silent
        now = self.clock()
        if self._missing_since is None:
            self._missing_since = now
        return now - self._missing_since


def journals_of(paths: Sequence[str]) -> tuple[list[OrdersOfRun], list[str]]:
    """What the journals say, and what is wrong with those that say nothing."""
    found, problems = [], []
    for path in paths:
        try:
            found.append(orders_in_journal(Path(path)))
        except JournalError as error:
            problems.append(str(error))
    return found, problems
