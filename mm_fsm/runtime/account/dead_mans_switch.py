"""Keeps a venue's dead man's switch from firing while this process lives. It is account-wide, so it needs the account.

It is armed only once every market's list of open orders has been seen without an order of anybody else's, and disarmed
as soon as one appears: a switch that fires takes foreign orders with it.
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
        """Whether the venue counts down, as far as is known."""
        self.forbidden_because: str | None = None
        """Why it stays disarmed for good."""
        self._venue = venue
        self._seconds = seconds
        self._unseen = {*symbols}
        self._call_at = call_at
        self._now = now
        self._call_off: Callable[[], None] | None = None
        self._request: asyncio.Task[None] | None = None

    def note_open_orders(self, symbol: str, *, has_foreign: bool) -> None:
        """A market's open orders have been listed."""
        if has_foreign and self.forbidden_because is None:
            self.forbidden_because = f"an order of somebody else rests in {symbol}"
            logger.bind(reason=self.forbidden_because).warning("switch.forbidden")
            self._stop_renewing()
            self._ask(0)
        self._unseen.discard(symbol)
        if not self._unseen and self._call_off is None and self.forbidden_because is None:
            self._renew()

    async def disarm(self) -> None:
        """The process ends in order: the venue counts down no more. Never raises."""
        self._stop_renewing()
        if self._request is not None:
            await asyncio.wait((self._request,), timeout=self._seconds)
        if self.is_armed:
            await self._arm(0)

    def stop(self) -> None:
        """Renew no more: the venue cancels what rests once its countdown ends."""
        self._stop_renewing()

    def _renew(self) -> None:
        self._ask(self._seconds)
        self._call_off = self._call_at(self._now() + nanoseconds(self._seconds / RENEWALS), self._renew)

    def _stop_renewing(self) -> None:
        if self._call_off is not None:
            self._call_off()
            self._call_off = None

    def _ask(self, seconds: float) -> None:
        if self._request is None or self._request.done():
            self._request = asyncio.get_running_loop().create_task(self._arm(seconds))

    async def _arm(self, seconds: float) -> None:
        try:
            await self._venue.arm_switch(seconds)
        except VenueError as error:
            logger.bind(reason=str(error)).warning("switch.not_renewed")
            return
        self.is_armed = seconds > 0
        if seconds > 0 and self.forbidden_because is not None:  # it was on its way when somebody's order appeared
            await self._arm(0)
