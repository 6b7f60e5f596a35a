"""Intervals for sums of dependent figures: the circular block bootstrap (Politis and Romano 1992).

Profits of neighbouring minutes depend on each other, through the position and the market's mood. So whole blocks of
neighbours are drawn with replacement, the series closed to a ring, until they are as long as the series.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from random import Random

from attrs import frozen

from mm_fsm.errors import SettingsError


@frozen
class Interval:
    """A sum and its interval, in the unit of the figures."""

    value: float
    lower: float
    upper: float

    @property
    def excludes_zero(self) -> bool:
        """Whether all of it lies on one side of zero."""
        return self.lower > 0 or self.upper < 0


def block_bootstrap(
    figures: Sequence[float], *, block: int, draws: int = 2_000, share: float = 0.95, seed: int = 0
) -> Interval:
    """The sum of the figures, with the interval that holds this share of the resampled sums.

    Args:
        figures: in order of time, one for each of equally long steps.
        block: neighbours that are drawn together; at least as many as depend on each other.
        draws: resampled series.
        share: of the sums within the interval, above 0 and below 1.
        seed: of the draws.

    Raises:
        SettingsError: there are no figures, or a number is out of its range.
    """
    count = len(figures)
    if not count or not all(map(math.isfinite, figures)):
        raise SettingsError("figures", "at least one finite number", count, "Use a longer stretch.")
    if not 1 <= block <= count or draws < 1 or not 0 < share < 1:
        raise SettingsError("block", f"1 to {count} figures", block, "Correct it.")
    sums = [0.0, *accumulate([*figures, *figures])]
    whole, rest = divmod(count, block)
    lengths = [block] * whole + ([rest] if rest else [])
    random = Random(seed)  # noqa: S311 - no secret
    found = sorted(
        math.fsum(sums[start + length] - sums[start] for length in lengths for start in (int(random.random() * count),))
        for _ in range(draws)
    )
    tail = (1 - share) / 2
    lowest, highest = found[int(tail * draws)], found[min(int((1 - tail) * draws), draws - 1)]
    return Interval(math.fsum(figures), lowest, highest)
