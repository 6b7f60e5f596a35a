"""The position over time: its extremes, its time-weighted means, its time at the limit, and how fast it goes away."""

from __future__ import annotations

from decimal import Decimal

from attrs import define, field

from mm_fsm.books.exact import EXACT
from mm_fsm.core.clock import seconds
from mm_fsm.core.instrument import ZERO
from mm_fsm.report.figures import Inventory


@define(eq=False)
class InventoryClock:
    """Takes each change of the position less its target, base units; time counts under what held before it passed."""

    offset: Decimal = field(init=False, default=ZERO)
    highest: Decimal = field(init=False, default=ZERO)
    lowest: Decimal = field(init=False, default=ZERO)
    at_limit: int = field(init=False, default=0)
    """Nanoseconds."""
    _began_at: int | None = field(init=False, default=None)
    _since: int = field(init=False, default=0)
    _area: Decimal = field(init=False, default=ZERO)
    """Integral of the offset over time, base units times nanoseconds: exact."""
    _distance_area: Decimal = field(init=False, default=ZERO)
    _limit_since: int | None = field(init=False, default=None)
    _peak: Decimal = field(init=False, default=ZERO)
    """Largest distance since the target was last crossed."""
    _peak_at: int | None = field(init=False, default=None)
    """When it was reached; None once half of it was."""
    _halving_time: int = field(init=False, default=0)
    _halvings: int = field(init=False, default=0)

    def change(self, now: int, offset: Decimal) -> None:
        """From ``now`` on the position is this far from its target."""
        self.pass_until(now)
        crosses = offset * self.offset <= 0
        self.offset = offset
        self.highest, self.lowest = max(self.highest, offset), min(self.lowest, offset)
        distance = abs(offset)
        if self._peak_at is not None and (crosses or 2 * distance <= self._peak):
            self._halving_time += now - self._peak_at
            self._halvings += 1
            self._peak_at = None
        if crosses:
            self._peak = ZERO
        if distance > self._peak:
            self._peak, self._peak_at = distance, now

    def begin_with(self, offset: Decimal) -> None:
        """The position that the run begins with; since when it was built up is not known."""
        self.offset = offset
        self.highest, self.lowest = max(offset, ZERO), min(offset, ZERO)
        self._peak = abs(offset)

    def note_limit(self, now: int, *, is_reached: bool) -> None:
        """From ``now`` on the distance is at or beyond its limit, or is not."""
        if self._limit_since is not None:
            self.at_limit += now - self._limit_since
        self._limit_since = now if is_reached else None

    @property
    def is_at_limit(self) -> bool:
        """Whether it was, when that was last noted."""
        return self._limit_since is not None

    def pass_until(self, now: int) -> None:
        """Count the time until ``now`` under the position that held meanwhile."""
        if self._began_at is None:
            self._began_at = self._since = now
        area = EXACT.multiply(self.offset, Decimal(now - self._since))
        self._area = EXACT.add(self._area, area)
        self._distance_area = EXACT.add(self._distance_area, abs(area))
        self._since = now

    def figures(self, now: int, limit: Decimal) -> Inventory:
        """The figures at the end of a run, ``now``; ``limit`` is the largest distance allowed then."""
        self.pass_until(now)
        self.note_limit(now, is_reached=self.is_at_limit)
        length = now - (now if self._began_at is None else self._began_at)
        return Inventory(
            final=self.offset,
            highest=self.highest,
            lowest=self.lowest,
            largest=max(self.highest, -self.lowest),
            mean=float(self._area / length) if length else 0.0,
            mean_distance=float(self._distance_area / length) if length else 0.0,
            at_limit_seconds=seconds(self.at_limit),
            half_life_seconds=seconds(self._halving_time) / self._halvings if self._halvings else None,
            half_lives=self._halvings,
            limit=limit,
        )
