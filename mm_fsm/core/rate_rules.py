"""A venue's rules about how many requests it takes, as settings."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from mm_fsm.core.clock import seconds
from mm_fsm.errors import SettingsError


@frozen(kw_only=True)
class DecayingCounter:
    """A venue's counter: requests raise it, time lowers it to no less than 0, and above its limit orders are refused.

    Args:
        limit: points above which the venue refuses an order.
        decay_per_second: points that a second takes away.
        points_per_order: what a placement adds.
        points_per_cancel: pairs of an age in seconds and the points of a cancel of an order younger than that, ages
            rising; an older order's cancel is free.

    Raises:
        SettingsError: a value is negative or not finite, or ages do not rise.
    """

    limit: float
    decay_per_second: float
    points_per_order: float = 1.0
    points_per_cancel: tuple[tuple[float, float], ...] = ()

    def __attrs_post_init__(self) -> None:
        for name in ("limit", "decay_per_second"):
            if not 0 < getattr(self, name) < float("inf"):
                raise SettingsError(
                    f"rate_counter.{name}", "a finite number above 0", getattr(self, name), "Correct it."
                )
        if not 0 <= self.points_per_order < float("inf"):
            found = self.points_per_order
            raise SettingsError("rate_counter.points_per_order", "a finite number of at least 0", found, "Correct it.")
        ages = [age for age, _ in self.points_per_cancel]
        are_sound = all(0 <= points < float("inf") for _, points in self.points_per_cancel)
        if not are_sound or ages != sorted(set(ages)) or (ages and ages[0] <= 0):
            expected = "pairs of age in seconds and points, ages above 0 and rising, points of at least 0"
            raise SettingsError("rate_counter.points_per_cancel", expected, self.points_per_cancel, "Correct it.")

    def cancel_points(self, age: int) -> float:
        """What the cancel of an order of this age, nanoseconds, adds."""
        old = seconds(age)
        for limit, points in self.points_per_cancel:
            if old < limit:
                return points
        return 0.0


@frozen(kw_only=True)
class OrdersPerFill:
    """A venue's bound on orders for each fill, counted anew in every window of time.

    Args:
        most: placements for each fill.
        window: length of a window, nanoseconds; windows begin at multiples of it since 1970.
        free: placements in a window before the bound counts.

    Raises:
        SettingsError: ``most`` or ``window`` is not positive and finite, or ``free`` is negative.
    """

    most: float
    window: int
    free: int = 0

    def __attrs_post_init__(self) -> None:
        for name in ("most", "window"):
            if not 0 < getattr(self, name) < float("inf"):
                raise SettingsError(
                    f"orders_per_fill.{name}", "a finite number above 0", getattr(self, name), "Correct it."
                )
        if self.free < 0:
            raise SettingsError("orders_per_fill.free", "at least 0", self.free, "Correct it.")

    def allowed(self, fills: int) -> float:
        """Placements that a window with so many fills may have."""
        return max(self.free, self.most * fills)


@frozen(kw_only=True)
class Allowance:
    """How much of what may be sent has been sent: for people, and for what watches. Nothing is decided by it."""

    setting: str
    """What sets it, as in a settings file."""
    rule: str
    """Which rule, in words, such as ``orders in 10 s``."""
    used: float
    allowed: float
    """Of everything; quotes may have less, so that a reserve is left."""


KRAKEN_CANCELS: Final = ((5.0, 8.0), (10.0, 6.0), (15.0, 5.0), (45.0, 4.0), (90.0, 2.0), (300.0, 1.0))
"""Kraken, spot trading limits: points of a cancel by the order's age."""

KRAKEN_TIERS: Final = {
    "starter": DecayingCounter(limit=60, decay_per_second=1.0, points_per_cancel=KRAKEN_CANCELS),
    "intermediate": DecayingCounter(limit=125, decay_per_second=2.34, points_per_cancel=KRAKEN_CANCELS),
    "pro": DecayingCounter(limit=180, decay_per_second=3.75, points_per_cancel=KRAKEN_CANCELS),
}
"""Kraken, spot trading limits: each pair's counter by the account's tier."""
