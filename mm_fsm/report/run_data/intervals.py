"""Intervals of a run's profit, and of the difference between two runs over the same time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from attrs import frozen

from mm_fsm.core.clock import NANOSECONDS_PER_MILLISECOND
from mm_fsm.estimators.bootstrap import block_bootstrap, dependence
from mm_fsm.report.figures import BootstrapInterval, BootstrapTerms, Inventory, PairedDifference, ProfitSteps

BLOCK_SECONDS: Final = 300.0
"""Neighbouring profits that are drawn together, at least: as long as the longest horizon of markouts."""
HALF_LIVES_IN_A_BLOCK: Final = 2
"""A position ties the profits of the time in which it is held: a quarter of it is left after a block."""
DEPENDENCES_IN_A_BLOCK: Final = 5
"""Of the time within which profits act as one. Where dependence decays exponentially, ``D`` of them act as one and are
``D / 2`` old on average, so that blocks of ``b`` hide ``D / 2 / b`` of the sum's variance: a tenth."""
DRAWS: Final = 2_000
SEED: Final = 0
SHARE: Final = 0.95
FEWEST_BLOCKS: Final = 8
"""Of fewer blocks nobody can tell how much blocks differ."""
PARTS: Final = ("net", "spread_capture", "inventory", "fees")


@frozen(kw_only=True)
class Intervals:
    """By part of the profit; none where ``refused`` says why."""

    parts: dict[str, BootstrapInterval]
    terms: BootstrapTerms | None
    refused: str = ""


@frozen(kw_only=True)
class Blocks:
    """How long blocks are.

    Args:
        wanted: seconds.
        least: what they may be shortened to where a run is too short for enough of them.
        most: what they may be lengthened to where profits depend on each other for longer.
        half_life: of positions, seconds; 0 for none.
    """

    wanted: float = BLOCK_SECONDS
    least: float = BLOCK_SECONDS
    most: float = math.inf
    half_life: float = 0.0

    @classmethod
    def of(cls, *inventories: Inventory) -> Blocks:
        """Blocks that positions of these runs do not outlast, where the runs are long enough."""
        half_life = _longest(inventories)
        return cls(wanted=max(BLOCK_SECONDS, HALF_LIVES_IN_A_BLOCK * half_life), half_life=half_life)

    @classmethod
    def exactly(cls, seconds: float, *inventories: Inventory) -> Blocks:
        """Blocks of this length, or none."""
        return cls(wanted=seconds, least=seconds, most=seconds, half_life=_longest(inventories))

    def steps(self, count: int, step_seconds: float, dependent: float = 0.0) -> int | None:
        """How many steps make a block of a run of so many; None where there would be too few blocks.

        ``dependent`` is how many neighbouring steps act as one.
        """
        needed = min(DEPENDENCES_IN_A_BLOCK * dependent * step_seconds, self.most)
        lengths = max(self.wanted, needed), self.least
        wanted, least = (max(round(each / step_seconds), 1) for each in lengths)
        block = min(wanted, max(count // FEWEST_BLOCKS, least))
        return block if count >= FEWEST_BLOCKS * block else None

    def doubt(self, block: int, step_seconds: float, dependent: float) -> str:
        """Why an interval of such blocks is too narrow; empty where it is not. A block is whole steps: one is free."""
        length = block * step_seconds
        if length + step_seconds < HALF_LIVES_IN_A_BLOCK * self.half_life:
            return f"positions halve in {self.half_life:.0f} s, its blocks have only {length:g} s"
        if block + 1 < DEPENDENCES_IN_A_BLOCK * dependent:
            tied = dependent * step_seconds
            return f"profits within {tied:.0f} s depend on each other, its blocks have only {length:g} s"
        return ""


def _longest(inventories: Sequence[Inventory]) -> float:
    return max((each.half_life_seconds or 0.0 for each in inventories), default=0.0)


def intervals_of(steps: ProfitSteps, blocks: Blocks) -> Intervals:
    """Of the whole profit and of its parts, from the same draws."""
    changes = {name: _changes(getattr(steps, name)) for name in PARTS}
    return _bootstrapped(changes, steps.step_seconds, blocks)


def _changes(amounts: Sequence[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise((0.0, *amounts))]


def _bootstrapped(changes: dict[str, list[float]], step_seconds: float, blocks: Blocks) -> Intervals:
    count = len(changes["net"])
    if blocks.steps(count, step_seconds) is None:
        needed = f"{FEWEST_BLOCKS} blocks of {blocks.least:g} s at least, {FEWEST_BLOCKS * blocks.least / 60:,.0f} min"
        there_are = f"there are {count * step_seconds / 60:,.0f} min"
        refused = f"too short to tell: an interval needs {needed}, and {there_are}"
        return Intervals(parts={}, terms=None, refused=refused)
    dependent = dependence(changes["net"], count // FEWEST_BLOCKS)
    block = blocks.steps(count, step_seconds, dependent)
    assert block is not None  # noqa: S101 - longer blocks are never too long for the run
    terms = BootstrapTerms(
        step_seconds=step_seconds,
        steps=count,
        block_seconds=block * step_seconds,
        draws=DRAWS,
        seed=SEED,
        share=SHARE,
    )
    parts = {}
    for name, figures in changes.items():
        tied = dependence(figures, count // FEWEST_BLOCKS)
        found = block_bootstrap(figures, block=block, draws=DRAWS, share=SHARE, seed=SEED)
        parts[name] = BootstrapInterval(
            value=found.value,
            lower=found.lower,
            upper=found.upper,
            excludes_zero=found.excludes_zero,
            doubt=blocks.doubt(block, step_seconds, tied),
        )
    return Intervals(parts=parts, terms=terms)


@frozen(kw_only=True)
class Paired:
    """Differences of one run to another over the time that both have; none where ``refused`` says why."""

    begin_ms: int
    end_ms: int
    differences: tuple[PairedDifference, ...]
    terms: BootstrapTerms | None
    refused: str = ""


def paired(run: ProfitSteps, reference: ProfitSteps, blocks: Blocks) -> Paired:
    """The run less the reference, paired by steps of time over their common period.

    Both may have steps of different lengths: the longer one is a multiple of the shorter, for both doubled the same
    first one. Only whole steps within both runs count, so what either booked before or afterwards does not.
    """
    length = max(run.step_seconds, reference.step_seconds)
    amounts = _at_common_ends(run, reference, length)
    if len(amounts) < 2:  # noqa: PLR2004 - a difference takes two ends
        return Paired(begin_ms=0, end_ms=0, differences=(), terms=None, refused="the runs have no time in common")
    ends = sorted(amounts)
    changes: dict[str, list[float]] = {name: [] for name in PARTS}
    for earlier, later in pairwise(ends):
        for place, name in enumerate(PARTS):
            mine = amounts[later][0][place] - amounts[earlier][0][place]
            other = amounts[later][1][place] - amounts[earlier][1][place]
            changes[name].append(mine - other)
    found = _bootstrapped(changes, length, blocks)
    return Paired(
        begin_ms=ends[0],
        end_ms=ends[-1],
        differences=tuple(PairedDifference(what=name, interval=each) for name, each in found.parts.items()),
        terms=found.terms,
        refused=found.refused,
    )


_Both = tuple[tuple[float, ...], tuple[float, ...]]


def _at_common_ends(run: ProfitSteps, reference: ProfitSteps, length: float) -> dict[int, _Both]:
    mine, other = _whole_ends(run, length), _whole_ends(reference, length)
    return {end: (mine[end], other[end]) for end in mine if end in other}


def _whole_ends(steps: ProfitSteps, length: float) -> dict[int, tuple[float, ...]]:
    """Amounts by end, of the ends at whole multiples of a length."""
    width = round(length * 1_000_000_000) // NANOSECONDS_PER_MILLISECOND
    columns = [getattr(steps, name) for name in PARTS]
    rows = zip(steps.end_ms, *columns, strict=True)
    return {end: tuple(amounts) for end, *amounts in rows if end % width == 0}
