"""Host time for pushed venues: nanoseconds since the Unix epoch that never go back, and calls at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic_ns, time_ns

from mm_fsm.core.clock import seconds


class WallClock:
    """The wall's time when it was made, and from then on the monotonic clock: no adjustment of the wall moves it back.

    Args:
        wall: a clock, nanoseconds since the Unix epoch; it is asked once.
        monotonic: a clock that never goes back, nanoseconds.
    """

    def __init__(self, wall: Callable[[], int] = time_ns, monotonic: Callable[[], int] = monotonic_ns) -> None:
        self._monotonic = monotonic
        self._offset = wall() - monotonic()

    def now(self) -> int:
        """Host time, nanoseconds."""
        return self._monotonic() + self._offset

    def call_at(self, time: int, call: Callable[[], None]) -> Callable[[], None]:
        """Call back from the running asyncio loop at host time ``time``; what is returned calls it off."""
        loop = asyncio.get_running_loop()
        return loop.call_later(max(seconds(time - self.now()), 0.0), call).cancel
