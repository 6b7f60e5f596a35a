"""Market, own quotes, position and profit over time in a bounded number of rows that keep every extreme."""

from __future__ import annotations

from typing import Final

from attrs import define, field

from mm_fsm.core.clock import NANOSECONDS_PER_MILLISECOND, NANOSECONDS_PER_SECOND, seconds
from mm_fsm.report.figures import Series

FIRST_BUCKET: Final = 5 * NANOSECONDS_PER_SECOND
"""Length of a stretch as a run begins, nanoseconds."""
MOST_ROWS: Final = 4_096
"""Beyond it, two neighbouring stretches become one."""
_MONEY_DIGITS: Final = 6
"""Digits after the point of profits in the series; the tables have all of them."""


@define
class Row:
    """One stretch of time. Low and high are of the values after each step within it."""

    number: int
    """Of the stretch: its beginning over the length of stretches."""
    mid_low: float | None
    mid_high: float | None
    mid: float | None
    inventory_low: float
    inventory_high: float
    inventory: float
    net_low: float
    net_high: float
    net: float
    drawdown: float
    bid: float | None = None
    ask: float | None = None
    step: int = 0

    def note(self, mid: float | None, inventory: float, net: float, drawdown: float) -> None:
        """Values after one more step."""
        if mid is not None:
            self.mid = mid
            self.mid_low = mid if self.mid_low is None or mid < self.mid_low else self.mid_low
            self.mid_high = mid if self.mid_high is None or mid > self.mid_high else self.mid_high
        self.inventory, self.net = inventory, net
        self.inventory_low = min(self.inventory_low, inventory)
        self.inventory_high = max(self.inventory_high, inventory)
        self.net_low, self.net_high = min(self.net_low, net), max(self.net_high, net)
        self.drawdown = max(self.drawdown, drawdown)

    def absorb(self, later: Row) -> None:
        """Take in the stretch that follows."""
        self.note(later.mid_low, later.inventory_low, later.net_low, later.drawdown)
        self.note(later.mid_high, later.inventory_high, later.net_high, later.drawdown)
        self.note(later.mid, later.inventory, later.net, later.drawdown)
        self.bid, self.ask, self.step = later.bid, later.ask, later.step


@define(eq=False)
class SampledSeries:
    """Rows of equally long stretches, each at a whole multiple of its length; those without a step are left out.

    Args:
        width: length of a stretch as the run begins, nanoseconds.
        most: rows beyond which neighbours are joined.
    """

    width: int = FIRST_BUCKET
    most: int = MOST_ROWS
    rows: list[Row] = field(init=False, factory=list)

    def open(self, now: int, mid: float | None, inventory: float, net: float, drawdown: float) -> Row:
        """Begin the stretch that holds ``now``, with the values after its first step."""
        while len(self.rows) >= self.most:
            self._join()
        number = now // self.width
        row = Row(number, mid, mid, mid, inventory, inventory, inventory, net, net, net, drawdown)
        if self.rows and self.rows[-1].number == row.number:  # the last one became longer
            self.rows[-1].absorb(row)
            return self.rows[-1]
        self.rows.append(row)
        return row

    def _join(self) -> None:
        self.width *= 2
        joined: list[Row] = []
        for row in self.rows:
            row.number //= 2
            if joined and joined[-1].number == row.number:
                joined[-1].absorb(row)
            else:
                joined.append(row)
        self.rows = joined

    def figures(self) -> Series:
        """The rows as columns."""
        rows = self.rows
        return Series(
            bucket_seconds=seconds(self.width),
            time_ms=tuple(row.number * self.width // NANOSECONDS_PER_MILLISECOND for row in rows),
            mid_low=tuple(row.mid_low for row in rows),
            mid_high=tuple(row.mid_high for row in rows),
            mid=tuple(row.mid for row in rows),
            bid=tuple(row.bid for row in rows),
            ask=tuple(row.ask for row in rows),
            inventory_low=tuple(row.inventory_low for row in rows),
            inventory_high=tuple(row.inventory_high for row in rows),
            inventory=tuple(row.inventory for row in rows),
            net_low=tuple(round(row.net_low, _MONEY_DIGITS) for row in rows),
            net_high=tuple(round(row.net_high, _MONEY_DIGITS) for row in rows),
            net=tuple(round(row.net, _MONEY_DIGITS) for row in rows),
            drawdown=tuple(round(row.drawdown, _MONEY_DIGITS) for row in rows),
            step=tuple(row.step for row in rows),
        )
