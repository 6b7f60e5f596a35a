"""How long orders were in the venue's book, in classes of growing length, so that any number of them is held."""

from __future__ import annotations

import math
from collections import Counter

from attrs import define, field

from mm_fsm.core.clock import NANOSECONDS_PER_MILLISECOND, seconds
from mm_fsm.report.figures import QuoteLife

_CLASSES_TO_TWICE = 4


@define(eq=False)
class QuoteLives:
    """Lives of orders that have ended, nanoseconds."""

    count: int = field(init=False, default=0)
    total: int = field(init=False, default=0)
    longest: int = field(init=False, default=0)
    classes: Counter[int] = field(init=False, factory=Counter)
    """By the number of the class, whose upper edge is 2 ** (number / 4) milliseconds, the edge included."""

    def add(self, life: int) -> None:
        """One more life."""
        self.count += 1
        self.total += life
        self.longest = max(self.longest, life)
        self.classes[class_of(life)] += 1

    def figures(self) -> QuoteLife:
        """Mean, median and longest, and the classes."""
        ordered = sorted(self.classes.items())
        return QuoteLife(
            count=self.count,
            mean_seconds=seconds(self.total) / self.count if self.count else None,
            median_seconds=self._median(),
            longest_seconds=seconds(self.longest) if self.count else None,
            histogram=tuple((upper_edge(number), orders) for number, orders in ordered),
        )

    def _median(self) -> float | None:
        """The upper edge of the class in which the lower one of the middle lives lies."""
        passed = 0
        for number, orders in sorted(self.classes.items()):
            passed += orders
            if 2 * passed >= self.count:
                return upper_edge(number)
        return None


def class_of(life: int) -> int:
    """The class of a life, nanoseconds; shorter than a millisecond is class 0."""
    milliseconds = life / NANOSECONDS_PER_MILLISECOND
    return 0 if milliseconds <= 1 else math.ceil(_CLASSES_TO_TWICE * math.log2(milliseconds))


def upper_edge(number: int) -> float:
    """Of a class, seconds."""
    return float(2.0 ** (number / _CLASSES_TO_TWICE)) / 1_000
