"""Keeps a venue's dead man's switch from firing while this process lives. It is account-wide, so it needs the account.

It is armed only once every market's list of open orders has been seen without an order of anybody else's, and the
account's own list as well, as markets that nobody makes here are not listed otherwise. It is disarmed as soon as one
appears: a switch that fires takes foreign orders with it. While a market that nobody makes may have
orders in its book it is not renewed: the venue then cancels what this process fails to cancel. A request that fails is
repeated until it is confirmed, as nobody knows whether the venue counts down meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Final

from loguru import logger

from mm_fsm.core.clock import nanoseconds
from mm_fsm.errors import VenueError
from mm_fsm.venues.port import SwitchedVenue

RENEWALS: Final = 3
"""How often a countdown is begun anew before it would end."""
RETRY_SECONDS: Final = 1.0
"""How soon a request that failed is repeated at first; twice as long after each failure, at most until a renewal."""
LOOK_SECONDS: Final = 30.0
"""How old the last look at all orders of the account may be when the switch is armed or renewed."""
LAST_ATTEMPTS: Final = 3
"""How often an ending process asks that the venue count down no more."""


class DeadMansSwitch:
    """One account's switch.

    Args:
        venue: has the switch.
        seconds: of silence after which the venue cancels everything.
        symbols: markets whose open orders have to be seen first.
        call_at: calls back at a host time.
        now: host time.
    """

    def __init__(
        self,
        venue: SwitchedVenue,
        seconds: float,
        symbols: Collection[str],
        call_at: Callable[[int, Callable[[], None]], Callable[[], None]],
        now: Callable[[], int],
    ) -> None:
        self.is_armed = False
        """Whether the venue has confirmed that it counts down."""
        self.forbidden_because: str | None = None
        """Why it stays disarmed for good."""
        self._venue = venue
        self._seconds = seconds
        self._unseen = {*symbols}
        self._unconfirmed: set[str] = set()
        self._call_at = call_at
        self._now = now
        self._looked_at: int | None = None
        self._may_count_down = False
        """From the first request to arm it until the venue confirms that it is disarmed."""
        self._call_off: Callable[[], None] | None = None
        self._call_off_retry: Callable[[], None] | None = None
        self._pause = RETRY_SECONDS
        self._wanted = 0.0
        self._is_due = False
        self._request: asyncio.Task[None] | None = None

    def note_open_orders(self, symbol: str, *, has_foreign: bool) -> None:
        """A market's open orders have been listed."""
        if has_foreign:
            self._forbid(symbol)
        self._unseen.discard(symbol)
        if not self._unseen and self._call_off is None and self.forbidden_because is None:
            self._renew()

    @property
    def is_held(self) -> bool:
        """Whether it is not renewed, as orders of a market may rest that nobody makes."""
        return bool(self._unconfirmed)

    def note_book(self, symbol: str, *, is_confirmed: bool) -> None:
        """Nobody makes a market: its book is confirmed empty, or the countdown goes on."""
        was_held = self.is_held
        if is_confirmed:
            self._unconfirmed.discard(symbol)
        else:
            self._unconfirmed.add(symbol)
        if self._call_off is None or was_held == self.is_held:
            return
        self.stop()
        self._renew()
        logger.bind(symbol=symbol, is_held=self.is_held).warning("switch.held" if self.is_held else "switch.renewed")

    def _forbid(self, place: str) -> None:
        if self.forbidden_because is not None:
            return
        self.forbidden_because = f"an order of somebody else rests in {place}"
        logger.bind(reason=self.forbidden_because).warning("switch.forbidden")
        self.stop()
        if self._may_count_down:
            self._want(0)

    async def disarm(self) -> None:
        """The process ends in order: the venue counts down no more. Never raises."""
        self.stop()
        if self._request is not None:
            await asyncio.wait((self._request,), timeout=self._seconds)
        self.stop()
        for attempt in range(LAST_ATTEMPTS):
            if not self._may_count_down or await self._ask(0):
                return
            await asyncio.sleep(RETRY_SECONDS * 2**attempt)
        logger.bind(seconds=self._seconds).error("switch.not_disarmed")

    def stop(self) -> None:
        """Renew no more: the venue cancels what rests once its countdown ends."""
        for call_off in (self._call_off, self._call_off_retry):
            if call_off is not None:
                call_off()
        self._call_off = self._call_off_retry = None
        self._is_due = False

    def _renew(self) -> None:
        self._want(self._seconds)
        self._call_off = self._call_at(self._now() + nanoseconds(self._seconds / RENEWALS), self._renew)

    def _want(self, seconds: float) -> None:
        """Ask for it now, or once the request that is on its way has been answered; again until it is confirmed."""
        if seconds > 0 and self.is_held:
            return
        if self._call_off_retry is not None:
            self._call_off_retry()
            self._call_off_retry = None
        self._wanted, self._is_due = seconds, True
        if self._request is None or self._request.done():
            self._request = asyncio.get_running_loop().create_task(self._ask_as_wanted())

    async def _ask_as_wanted(self) -> None:
        while self._is_due:
            self._is_due = False
            if await self._ask(self._wanted):
                self._pause = RETRY_SECONDS
            elif not self._is_due:
                at = self._now() + nanoseconds(self._pause)
                self._pause = min(2 * self._pause, self._seconds / RENEWALS)
                self._call_off_retry = self._call_at(at, lambda: self._want(self._wanted))

    async def _ask(self, seconds: float) -> bool:
        """Whether the venue has confirmed it, or it is not wanted any more."""
        try:
            if seconds > 0:
                await self._look_at_account()
                if self._call_off is None:  # an order has been found, or the process ends
                    return True
                self._may_count_down = True
            await self._venue.arm_switch(seconds)
        except VenueError as error:
            logger.bind(seconds=seconds, reason=str(error)).warning("switch.not_set")
            return False
        self.is_armed = self._may_count_down = seconds > 0
        return True

    async def _look_at_account(self) -> None:
        """See that nobody else's order rests in the account, unless that was seen a moment ago."""
        now = self._now()
        if self._looked_at is not None and now - self._looked_at < nanoseconds(LOOK_SECONDS):
            return
        place = await self._venue.foreign_order()
        if place is not None:
            self._forbid(place)
        self._looked_at = now
