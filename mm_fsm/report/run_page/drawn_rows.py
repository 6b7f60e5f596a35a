"""Rows of a table with a drawing in each: numbers and picture in one place, at every width.

Drawings are SVG with positions in percent, so that they are as wide as their cell and their lines stay thin. They show
what the numbers beside them say, so they are hidden from screen readers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from attrs import frozen
from markupsafe import Markup

_EDGE: Final = 3.0
"""Percent that stay free on both sides, so that whiskers and dots are whole."""


@frozen
class Cell:
    """One cell: text, most often a number, and classes of its look."""

    text: Markup | str
    look: str = ""


@frozen(kw_only=True)
class DrawnRow:
    """A name, cells, and a drawing; ``look`` are classes of the row."""

    name: Markup | str
    note: Markup | str = ""
    """Below the name, in small."""
    cells: tuple[Cell, ...]
    drawing: Markup | str = ""
    look: str = ""
    place: str = ""
    """Place of its figures in ``report.json``, where marks are relative to it."""


@frozen(kw_only=True)
class DrawnTable:
    """Rows under headlines. The first headline is the names', the last one the drawings' where there are any."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[DrawnRow, ...]
    axis: str = ""
    """What the drawings' positions mean; empty: there are no drawings."""


@frozen
class Scale:
    """From numbers to percent of a drawing's width."""

    low: float
    high: float

    @classmethod
    def around(cls, numbers: Iterable[float | None], *also: float) -> Scale:
        """For all of these, and for zero."""
        known = [0.0, *also, *(number for number in numbers if number is not None)]
        low, high = min(known), max(known)
        return cls(low, high if high > low else low + 1.0)

    def at(self, number: float) -> float:
        """Percent from the left."""
        share = (min(max(number, self.low), self.high) - self.low) / (self.high - self.low)
        return round(_EDGE + share * (100 - 2 * _EDGE), 1)


def drawing(*parts: Markup) -> Markup:
    """One cell's drawing. The style sheet says where its parts are from top to bottom, by their looks."""
    return Markup("<svg>{}</svg>").format(Markup("").join(parts))


def zero_line(scale: Scale) -> Markup:
    """Where zero is."""
    return upright(scale, 0.0, "zero")


def upright(scale: Scale, number: float, look: str) -> Markup:
    """A line from top to bottom at a number."""
    return Markup('<rect class="{}" x="{:g}%"/>').format(look, scale.at(number))


def bar(scale: Scale, begin: float, end: float, look: str) -> Markup:
    """A bar between two numbers, none where they are one; ``upper`` and ``lower`` among the looks share a row."""
    return Markup("") if begin == end else _between(scale, (begin, end), f"bar {look}")


def whisker(scale: Scale, bounds: Sequence[float], look: str = "") -> Markup:
    """A line from bound to bound; ``beneath`` among the looks puts it below a ``raised`` bar."""
    return _between(scale, bounds, f"whisker {look}".strip())


def _between(scale: Scale, bounds: Sequence[float], look: str) -> Markup:
    left, right = sorted(scale.at(bound) for bound in bounds)
    return Markup('<rect class="{}" x="{:g}%" width="{:g}%"/>').format(look, left, max(round(right - left, 1), 0.2))
