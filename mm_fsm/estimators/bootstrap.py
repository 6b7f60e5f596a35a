"""Intervals for sums of dependent figures: the circular block bootstrap (Politis and Romano 1992).

Profits of neighbouring minutes depend on each other, through the position and the market's mood. So whole blocks of
neighbours are drawn with replacement, the series closed to a ring, until they are as long as the series.

Few blocks vary too little, for two reasons, and both are made good. Of ``n`` independent figures around their own mean,
blocks of ``b`` on the ring have the variance ``b * (1 - b / n)``, not ``b``. And a deviation that is itself known from
some ``n / b`` blocks only asks for Student's t with one degree of freedom less in place of the normal law, as for batch
means (Meketon and Schmeiser 1984, who grant blocks that overlap half as many again: this is the careful side).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from random import Random

from attrs import frozen

from mm_fsm.errors import SettingsError
from mm_fsm.estimators.batch_means import student_quantile
from mm_fsm.estimators.decay import CONFIDENCE


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
    """The sum of the figures, with the interval that holds this share of the resampled sums, widened for few blocks.

    Args:
        figures: in order of time, one for each of equally long steps.
        block: neighbours that are drawn together; at least as many as depend on each other, and at most half of all.
        draws: resampled series.
        share: of the sums within the interval, above 0 and below 1.
        seed: of the draws.

    Raises:
        SettingsError: there are no figures, or a number is out of its range.
    """
    count = len(figures)
    if not count or not all(map(math.isfinite, figures)):
        raise SettingsError("figures", "at least one finite number", count, "Use a longer stretch.")
    if not 1 <= block <= max(count // 2, 1) or draws < 1 or not 0 < share < 1:
        raise SettingsError("block", f"1 to {count // 2} figures", block, "Correct it.")
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
    total, wider = math.fsum(figures), _widening(count, block)
    return Interval(total, total + (lowest - total) * wider, total + (highest - total) * wider)


def _widening(count: int, block: int) -> float:
    """How much further from the sum the bounds lie, for the blocks being few: towards 1 as they become many.

    Student's t over the normal law's at 95 %, whatever share is asked for.
    """
    if count == 1:
        return 1.0
    return student_quantile(max(int(count / block) - 1, 1)) / CONFIDENCE / math.sqrt(1 - block / count)


def dependence(figures: Sequence[float], block: int) -> float:
    """How many neighbours act as one, as sums of blocks show it: 1 where figures do not depend on each other.

    The variance of a block's sum over that of as many independent figures: their integrated autocorrelation. 0 where
    figures are all the same, or blocks' sums are. Longer dependence than a block is not seen.

    Args:
        figures: in order of time, one for each of equally long steps.
        block: neighbours, at most half of all.
    """
    count = len(figures)
    mean = math.fsum(figures) / count
    apart = [each - mean for each in figures]
    squares = math.fsum(each * each for each in apart)
    if not squares > 0:
        return 0.0
    sums = [0.0, *accumulate([*apart, *apart[:block]])]
    blocks = math.fsum((sums[start + block] - sums[start]) ** 2 for start in range(count))
    return blocks / squares / block / (1 - block / count)
