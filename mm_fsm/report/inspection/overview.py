"""A whole run in a bounded number of columns of equal time: states, bands, lines, and what happened in each.

The number of columns is bounded whatever the length: when there are too many, neighbours become one.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any, Final

from attrs import define, field

from mm_fsm.machine.strategy import BANDS, LINES
from mm_fsm.report.inspection.steps import InspectedStep
from mm_fsm.report.inspection.windows import StepKind

MOST_COLUMNS: Final = 1_200
_SHORTEST: Final = 1_000_000
"""Nanoseconds of a column at first."""
_COUNTED: Final = (StepKind.FILL, StepKind.HOLD, StepKind.FAULT, StepKind.INTENT)


@define
class _Column:
    """What happened in one stretch of time."""

    first: int
    """Sequence number of the first step in it."""
    states: Counter[str] = field(factory=Counter)
    """Nanoseconds in each state."""
    bands: dict[str, Counter[str]] = field(factory=dict)
    lines: dict[str, tuple[float, float]] = field(factory=dict)
    """Lowest and highest."""
    kinds: Counter[int] = field(factory=Counter)

    def absorb(self, later: _Column) -> None:
        """Take in what comes right after."""
        self.states.update(later.states)
        self.kinds.update(later.kinds)
        for name, times in later.bands.items():
            self.bands.setdefault(name, Counter()).update(times)
        for name, (low, high) in later.lines.items():
            self.widen(name, low, high)

    def widen(self, name: str, low: float, high: float) -> None:
        """Let a line reach so far."""
        known = self.lines.get(name, (low, high))
        self.lines[name] = (min(known[0], low), max(known[1], high))


@define
class Overview:
    """Gathers columns step by step; give it every step in order."""

    _width: int = field(default=_SHORTEST, init=False)
    _columns: dict[int, _Column] = field(factory=dict, init=False)
    _last: InspectedStep | None = field(default=None, init=False)

    def add(self, step: InspectedStep, kinds: StepKind) -> None:
        """Add the next step: until then the machine was as the step before had left it."""
        if self._last is not None:
            self._spread(self._last, step.time)
        column = self._column(step.time, step.sequence)
        for kind in _COUNTED:
            if kind in kinds:
                column.kinds[int(kind)] += 1
        for path, value in step.shown.items():
            number = _number(value) if path[0] == LINES and len(path) > 1 else None
            if number is not None:
                column.widen(path[1], number, number)
        self._last = step

    def begin_process(self) -> None:
        """Another process goes on with the run: what was between the two is nobody's time."""
        self._last = None

    def entry(self) -> dict[str, Any]:
        """The columns as the page has them: begin as text, width, and in each what lasted longest.

        ``sections`` says under which names the page finds bands and lines in what a machine shows.
        """
        sections = {"bands": BANDS, "lines": LINES}
        if not self._columns:
            return {"begin": "0", "width": self._width, "sections": sections, "columns": []}
        begin = min(self._columns)
        return {
            "begin": str(begin * self._width),
            "width": self._width,
            "sections": sections,
            "columns": [self._column_entry(place - begin, each) for place, each in sorted(self._columns.items())],
        }

    @staticmethod
    def _column_entry(place: int, column: _Column) -> dict[str, Any]:
        found = {
            "p": place,
            "n": column.first,
            "s": max(column.states, key=lambda state: column.states[state], default=None),
            "b": {name: max(times, key=lambda text: times[text]) for name, times in column.bands.items()},
            "l": {name: [low, high] for name, (low, high) in column.lines.items()},
            "k": {str(kind): count for kind, count in column.kinds.items()},
        }
        return {name: value for name, value in found.items() if value or name in "pn"}

    def _spread(self, step: InspectedStep, until: int) -> None:
        """Count the time from a step to the next in the columns it passes."""
        bands = [(path[1], value) for path, value in step.shown.items() if path[0] == BANDS and value is not None]
        now, end = step.time, max(step.time, until)
        while True:
            column = self._column(now, step.sequence)
            passes = min(end, (now // self._width + 1) * self._width)
            column.states[step.state] += passes - now
            for name, value in bands:
                column.bands.setdefault(name, Counter())[value] += passes - now
            if passes >= end:
                return
            now = passes

    def _column(self, time: int, sequence: int) -> _Column:
        place = time // self._width
        found = self._columns.get(place)
        if found is None:
            found = self._columns[place] = _Column(sequence)
            while len(self._columns) > MOST_COLUMNS or self._span() > 8 * MOST_COLUMNS:
                self._halve()
            found = self._columns[time // self._width]
        return found

    def _span(self) -> int:
        places = self._columns.keys()
        return max(places) - min(places)

    def _halve(self) -> None:
        """Let two neighbours become one."""
        self._width *= 2
        columns: dict[int, _Column] = {}
        for place, column in sorted(self._columns.items()):
            known = columns.get(place // 2)
            if known is None:
                columns[place // 2] = column
            else:
                known.absorb(column)
        self._columns = columns


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text is not None else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None
