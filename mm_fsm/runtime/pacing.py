"""Event time against the clock on the wall: so that people can watch a session, or see it as it would happen."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter, sleep
from typing import Final

from mm_fsm.core.clock import seconds
from mm_fsm.errors import SettingsError

_LONGEST_SLEEP_SECONDS: Final = 0.05
"""So that a stop is noticed soon, and a view can be redrawn while nothing happens."""


class Pacer:
    """Lets event time pass ``speed`` times as fast as the clock. It catches up when it has fallen behind.

    Args:
        speed: seconds of event time in one second, above 0.
        clock: a monotonic clock, seconds.
        pause: waits for a number of seconds.

    Raises:
        SettingsError: ``speed`` is not above 0.
    """

    def __init__(
        self, speed: float, clock: Callable[[], float] = perf_counter, pause: Callable[[float], None] = sleep
    ) -> None:
        if not speed > 0:
            raise SettingsError("speed", "a number above 0", speed, "Use 1 for real time.")
        self._speed = speed
        self._clock = clock
        self._pause = pause
        self._origin: tuple[int, float] | None = None

    def wait(self, time: int) -> bool:
        """Wait a little for event time ``time``, nanoseconds; whether it has come. The first one comes at once."""
        if self._origin is None:
            self._origin = (time, self._clock())
        event_time, wall_time = self._origin
        remaining = wall_time + seconds(time - event_time) / self._speed - self._clock()
        if remaining <= 0:
            return True
        self._pause(min(remaining, _LONGEST_SLEEP_SECONDS))
        return remaining <= _LONGEST_SLEEP_SECONDS
