"""A market that a bug has ended: its orders leave the book, however often the venue refuses a cancel.

The process goes on, so that no watchdog sees it fail. What a watchdog would do for a dead run is done here for the one
market, until another machine goes on with it or the venue's lists have shown none of its orders.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field
from loguru import logger

from mm_fsm.core.clock import nanoseconds
from mm_fsm.runtime.watchdog import LOOK_SECONDS, MarketRescue


@define(eq=False)
class DownMarket:
    """Looks at the book of a market that nobody steps, and cancels what it finds there.

    Args:
        rescue: takes the orders out of the book.
        on_look: is told before each look whether the venue's last lists showed no order of ours.
    """

    rescue: MarketRescue
    on_look: Callable[[bool], None]
    _call_off: Callable[[], None] | None = field(default=None, init=False)

    def begin(self) -> None:
        """Cancel what is known at once, then look every ``LOOK_SECONDS``."""
        self.rescue.begin()
        self._look()

    def end(self) -> None:
        """Look no more: a machine does, or the process ends."""
        if self._call_off is not None:
            self._call_off()
            self._call_off = None

    def _look(self) -> None:
        rescue = self.rescue
        self.on_look(rescue.is_clean)
        if rescue.is_confirmed:
            self._call_off = None
            logger.bind(symbol=rescue.orders.symbol, cancels=rescue.cancels).info("session.book_confirmed_empty")
            return
        rescue.look()
        venue = rescue.venue
        self._call_off = venue.call_at(venue.now() + nanoseconds(LOOK_SECONDS), self._look)
