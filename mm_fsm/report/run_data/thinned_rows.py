"""Evenly spaced ones of any number of rows."""

from __future__ import annotations

from typing import Generic, TypeVar

from attrs import define, field

from mm_fsm.report.figures.over_time import FILLS_SHOWN

T = TypeVar("T")


@define(eq=False)
class ThinnedRows(Generic[T]):
    """Keeps every row until there are twice as many as wanted, then every second one, and so on.

    Args:
        wanted: at least so many are kept once there were so many.
    """

    wanted: int = FILLS_SHOWN // 2
    count: int = field(init=False, default=0)
    """Rows so far, those left out included."""
    rows: list[T] = field(init=False, factory=list)
    _every: int = field(init=False, default=1)

    def add(self, row: T) -> None:
        """Add the next row; leave it out where rows are thinned."""
        if self.count % self._every == 0:
            self.rows.append(row)
        self.count += 1
        if len(self.rows) >= 2 * self.wanted:
            self.rows = self.rows[::2]
            self._every *= 2
