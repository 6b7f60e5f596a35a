"""The mean of observations that depend on their neighbours, with an interval: batch means and Student's t.

Observations of one stretch of time share its price path, so single ones say little about how sure their mean is. Sums
over batches of time are compared instead, which depend on each other only at their edges. With weights w, values x, and
y = sum(w x) and v = sum(w) of a batch, the mean over n batches is the ratio R = sum(y) / sum(v), and its variance

    n / (n - 1) * sum((y - R v)^2) / sum(v)^2            (Cochran, Sampling Techniques, 1977, chapter 6)

The interval is R -+ t * deviation, t of n - 1 degrees of freedom. Batches may age: with the time of each one that
passes, with observations or without, all before it count a share less, and n is then the number of equal batches that
would tell as much (Kish, Survey Sampling, 1965). Six sums are kept, whatever the number of observations.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Final

from attrs import define, field, frozen

from mm_fsm.errors import SettingsError
from mm_fsm.estimators.decay import CONFIDENCE

_BELOW: Final = 0.975
"""Share of a distribution below the upper end of its 95 % interval."""


@frozen
class MeanInterval:
    """A mean and its 95 % interval, in the unit of the observations; endless before there are two batches."""

    value: float
    lower: float
    upper: float


@define(eq=False)
class BatchMeans:
    """Mean and interval of weighted observations; see the module's description.

    Args:
        batch: length of a batch, nanoseconds: several times as long as neighbours depend on each other.
        keep: share that earlier batches still count after the time of one more, above 0; 1 forgets nothing.

    Raises:
        SettingsError: ``batch`` is not positive, or ``keep`` not above 0 and at most 1.
    """

    batch: int
    keep: float = 1.0

    count: int = field(init=False, default=0)
    """Observations, forgotten ones included."""
    _number: int = field(init=False, default=-1)
    """Of the batch under way: its beginning over its length."""
    _open: tuple[float, float] = field(init=False, default=(0.0, 0.0))
    """Sums of w and w x of the batch under way."""
    _sums: tuple[float, float] = field(init=False, default=(0.0, 0.0))
    """The same of the batches before it."""
    _squares: tuple[float, float, float] = field(init=False, default=(0.0, 0.0, 0.0))
    """Sums of v v, v y and y y over the batches before it."""
    _batches: tuple[float, float] = field(init=False, default=(0.0, 0.0))
    """What these count together, and the sum of the squares of that."""

    def __attrs_post_init__(self) -> None:
        if self.batch <= 0:
            raise SettingsError("batch", "nanoseconds above 0", self.batch, "Correct the value.")
        if not 0 < self.keep <= 1:
            raise SettingsError("keep", "above 0 and at most 1", self.keep, "Correct the value.")

    def add(self, time: int, value: float, weight: float = 1.0) -> None:
        """Take an observation at a time, nanoseconds; one from before the batch under way counts to that."""
        number = time // self.batch
        if number > self._number:
            self._close(number)
            self._number = number
        weights, total = self._open
        self._open = weights + weight, total + weight * value
        self.count += 1

    def estimate(self) -> MeanInterval | None:
        """Mean and interval; None before the first observation."""
        (v, y), (weights, total), (vv, vy, yy) = self._open, self._sums, self._squares
        weights, total = weights + v, total + y
        if not weights > 0:
            return None
        mean = total / weights
        count, squared_count = self._batches[0] + 1, self._batches[1] + 1
        if not self._batches[0]:  # one batch says nothing of how batches differ
            return MeanInterval(mean, -math.inf, math.inf)
        batches = count * count / squared_count
        if not batches > 1:  # nor do batches so old that nothing is left of them
            return MeanInterval(mean, -math.inf, math.inf)
        vv, vy, yy = vv + v * v, vy + v * y, yy + y * y
        residual = max(yy - 2 * mean * vy + mean * mean * vv, 0.0)
        deviation = math.sqrt(batches / (batches - 1) * residual) / weights
        reach = student_quantile(max(round(batches - 1), 1)) * deviation
        return MeanInterval(mean, mean - reach, mean + reach)

    def share_left(self, time: int) -> float:
        """Share of what it knows that is left at a time, nanoseconds: ``keep`` for each whole batch without any."""
        return 1.0 if self._number < 0 else float(self.keep ** max(time // self.batch - self._number - 1, 0))

    def snapshot(self) -> tuple[float, ...]:
        """Everything that later estimates depend on, in a fixed order: for digests."""
        return (self.count, self._number, *self._open, *self._sums, *self._squares, *self._batches)

    def _close(self, number: int) -> None:
        """Count the batch under way to those before it, and let them all age until the batch of this number."""
        if self._number < 0:
            return
        (v, y), keep = self._open, self.keep ** (number - self._number)
        square = keep * keep
        (weights, total), (vv, vy, yy), (count, squared) = self._sums, self._squares, self._batches
        self._sums = keep * (weights + v), keep * (total + y)
        self._squares = square * (vv + v * v), square * (vy + v * y), square * (yy + y * y)
        self._batches = keep * (count + 1), square * (squared + 1)
        self._open = (0.0, 0.0)


@cache
def student_quantile(degrees: int) -> float:
    """Student's t below which 97.5 % lie, for at least one degree of freedom.

    Exact for one and two; from three on the expansion in 1 / degrees (Abramowitz and Stegun 1964, 26.7.5), which is off
    by at most 0.004.
    """
    if degrees <= 1:
        return math.tan(math.pi * (_BELOW - 0.5))
    if degrees == 2:  # noqa: PLR2004 - has a closed form
        return (2 * _BELOW - 1) / math.sqrt(2 * _BELOW * (1 - _BELOW))
    z = CONFIDENCE
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92_160,
    )
    return z + math.fsum(term / float(degrees) ** power for power, term in enumerate(terms, start=1))
