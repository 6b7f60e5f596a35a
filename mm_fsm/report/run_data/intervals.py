"""Intervals of a run's profit, and of the difference between two runs over the same time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from attrs import frozen

from mm_fsm.core.clock import NANOSECONDS_PER_MILLISECOND
from mm_fsm.estimators.bootstrap import block_bootstrap
from mm_fsm.report.figures import BootstrapInterval, BootstrapTerms, PairedDifference, ProfitSteps

BLOCK_SECONDS: Final = 300.0
"""Neighbouring profits that are drawn together: as long as the longest horizon of markouts."""
DRAWS: Final = 2_000
SEED: Final = 0
SHARE: Final = 0.95
FEWEST_BLOCKS: Final = 8
"""Of fewer blocks the resampled sums are too much alike, and the interval would be too narrow."""
PARTS: Final = ("net", "spread_capture", "inventory", "fees")


@frozen(kw_only=True)
class Intervals:
    """By part of the profit; none where ``refused`` says why."""

    parts: dict[str, BootstrapInterval]
    terms: BootstrapTerms | None
    refused: str = ""


def intervals_of(steps: ProfitSteps, block_seconds: float = BLOCK_SECONDS) -> Intervals:
    """Of the whole profit and of its parts, from the same draws."""
    changes = {name: _changes(getattr(steps, name)) for name in PARTS}
    return _bootstrapped(changes, steps.step_seconds, block_seconds)


def _changes(amounts: Sequence[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise((0.0, *amounts))]


def _bootstrapped(changes: dict[str, list[float]], step_seconds: float, block_seconds: float) -> Intervals:
    count, block = len(changes["net"]), max(round(block_seconds / step_seconds), 1)
    if count < FEWEST_BLOCKS * block:
        needed = f"{FEWEST_BLOCKS} blocks of {block * step_seconds:g} s"
        refused = f"an interval needs {needed} at least, and there are {count} steps of {step_seconds:g} s"
        return Intervals(parts={}, terms=None, refused=refused)
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
        found = block_bootstrap(figures, block=block, draws=DRAWS, share=SHARE, seed=SEED)
        parts[name] = BootstrapInterval(
            value=found.value, lower=found.lower, upper=found.upper, excludes_zero=found.excludes_zero
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


def paired(run: ProfitSteps, reference: ProfitSteps, block_seconds: float = BLOCK_SECONDS) -> Paired:
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
    found = _bootstrapped(changes, length, block_seconds)
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
