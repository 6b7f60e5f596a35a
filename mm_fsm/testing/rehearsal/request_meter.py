"""Counts request weight and orders in their windows, and tells each answer's headers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from attrs import define, field

from mm_fsm.testing.rehearsal.refusals import RefusedError, suspended
from mm_fsm.testing.rehearsal.terms import RequestLimits

_MINUTE: Final = 60.0
_TEN_SECONDS: Final = 10.0
_DAY: Final = 86_400.0


@define
class _Window:
    length: float
    """Seconds."""
    used: int = 0
    number: int = 0

    def at(self, now: float) -> _Window:
        """The window as it is now; a new one begins at 0."""
        number = int(now // self.length)
        if number != self.number:
            self.used, self.number = 0, number
        return self

    def seconds_left(self, now: float) -> float:
        return self.length - now % self.length


@define
class RequestMeter:
    """What one client has used of its limits.

    Args:
        limits: how much it may.
        now: seconds since the Unix epoch.
    """

    limits: RequestLimits
    now: Callable[[], float]
    _weight: _Window = field(factory=lambda: _Window(_MINUTE), init=False)
    _orders: _Window = field(factory=lambda: _Window(_TEN_SECONDS), init=False)
    _orders_today: _Window = field(factory=lambda: _Window(_DAY), init=False)
    _warnings: _Window = field(factory=lambda: _Window(_MINUTE), init=False)
    _banned_until: float = field(default=0.0, init=False)

    def spend(self, weight: int, orders: int) -> None:
        """Count a request.

        Raises:
            RefusedError: 429 past a limit, 418 while banned.
        """
        now = self.now()
        if now < self._banned_until:
            raise suspended(418, self._banned_until - now)
        used = self._weight.at(now)
        used.used += weight
        if used.used > self.limits.weight_per_minute:
            warnings = self._warnings.at(now)
            warnings.used += 1
            if warnings.used > self.limits.warnings_before_ban:
                self._banned_until = now + self.limits.ban_seconds
                raise suspended(418, self.limits.ban_seconds)
            raise suspended(429, used.seconds_left(now))
        for window, most, name in (
            (self._orders.at(now), self.limits.orders_per_ten_seconds, "10 SECOND"),
            (self._orders_today.at(now), self.limits.orders_per_day, "1 DAY"),
        ):
            if orders and window.used + orders > most:
                retry = {"Retry-After": str(int(window.seconds_left(now)) + 1)}
                raise RefusedError(
                    -1015, f"Too many new orders; current limit is {most} orders per {name}.", 429, headers=retry
                )
        self._orders.used += orders
        self._orders_today.used += orders

    @property
    def weight_used(self) -> int:
        """In the current minute."""
        return self._weight.at(self.now()).used

    def headers(self, *, with_orders: bool) -> dict[str, str]:
        """What an answer says about it."""
        now = self.now()
        weight = str(self._weight.at(now).used)
        headers = {"X-MBX-USED-WEIGHT": weight, "X-MBX-USED-WEIGHT-1M": weight}
        if with_orders:
            headers["X-MBX-ORDER-COUNT-10S"] = str(self._orders.at(now).used)
            headers["X-MBX-ORDER-COUNT-1D"] = str(self._orders_today.at(now).used)
        return headers
