"""Settings judged where they were not chosen: search one period, trade the next, move on.

For each period but the first, trials trade the period before it; the settings of the best one trade the period, and so
do the settings as they were. The sum of the differences, which no choice has seen, gets a block-bootstrap interval.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Protocol

from attrs import evolve, field, frozen

from mm_fsm.errors import OptionError, SettingsError
from mm_fsm.estimators.bootstrap import Interval, block_bootstrap
from mm_fsm.runtime.settings_file import MarketConfiguration, read_preset, read_settings
from mm_fsm.search.space import with_values
from mm_fsm.search.trading import TradingFigures, between, trade
from mm_fsm.venues.recorded import ReadingSettings, open_recording

STEPS_OF_A_PERIOD: Final = 60
"""Profits that are told apart in each period."""
_BLOCKS_OF_A_PERIOD: Final = 4


@frozen(kw_only=True)
class MarketSource:
    """Where a market's events and settings come from: plain values, so that any process can open them."""

    files: tuple[str, ...]
    recorded_symbol: str
    symbol: str
    preset: str
    settings_file: str | None
    reading: ReadingSettings

    def configuration(self) -> MarketConfiguration:
        """The settings as they are.

        Raises:
            SettingsError: they are refused.
        """
        if self.settings_file is None:
            return read_preset(self.preset)
        return next(each for each in read_settings(Path(self.settings_file)) if each.symbol == self.symbol)


@frozen(kw_only=True)
class Trial:
    """One choice of settings on one period; times are nanoseconds."""

    source: MarketSource
    begin: int
    end: int
    values: Mapping[str, Any] = field(factory=dict)


def run_trial(trial: Trial) -> TradingFigures | None:
    """What the choice earned; None where its settings contradict each other.

    Raises:
        RecordingError: the recording is malformed.
    """
    configuration = trial.source.configuration()
    try:
        configuration = evolve(configuration, strategy=with_values(configuration.strategy, trial.values))
        configuration.strategy.spread_floor_bps(configuration.venue.fees)  # type: ignore[attr-defined]
    except SettingsError:
        return None
    recording = open_recording(
        [Path(file) for file in trial.source.files],
        symbol=trial.source.symbol,
        recorded_symbol=trial.source.recorded_symbol,
        reading=trial.source.reading,
    )
    step = (trial.end - trial.begin) / STEPS_OF_A_PERIOD / 1e9
    return trade(configuration, between(recording, trial.begin, trial.end), step_seconds=step)


class RunTrials(Protocol):
    """Runs trials, here or elsewhere, and gives their figures in the same order."""

    def __call__(self, trials: Sequence[Trial]) -> list[TradingFigures | None]:
        """The figures of each trial."""
        ...


Choose = Callable[[Trial, RunTrials], tuple[dict[str, Any], float]]
"""Searches the period of a trial without values: the best values, and their net profit there."""


@frozen(kw_only=True)
class Fold:
    """One step of the walk: what was chosen on the period before, and what it earned on this one."""

    begin: int
    end: int
    values: Mapping[str, Any]
    searched_net: float
    """Of the choice where it was chosen, quote currency: the figure that flatters."""
    chosen: TradingFigures
    unchanged: TradingFigures
    """The settings as they were, on the same period."""


@frozen(kw_only=True)
class WalkForward:
    """What a search is worth."""

    folds: tuple[Fold, ...]
    net: Interval
    """Of the chosen settings, out of sample, quote currency."""
    unchanged_net: Interval
    difference: Interval
    """Chosen less unchanged, out of sample."""

    @property
    def is_improvement(self) -> bool:
        """Whether the difference is above zero beyond its noise."""
        return self.difference.lower > 0

    @property
    def verdict(self) -> str:
        """In words; a difference within noise is none."""
        if self.is_improvement:
            return "the chosen settings earned more, beyond the noise"
        if self.difference.upper < 0:
            return "the chosen settings earned less, beyond the noise: keep yours"
        return "no difference beyond the noise: keep your settings"


def periods(begin: int, end: int, length: int) -> list[tuple[int, int]]:
    """Whole periods from the beginning on; what is left at the end belongs to none. Nanoseconds.

    Raises:
        SettingsError: there are fewer than two.
    """
    count = (end - begin) // length if length > 0 else 0
    if count < 2:  # noqa: PLR2004 - one to choose on, one to judge by
        expected = f"at most half of the recording's {(end - begin) / 1e9:.0f} s"
        raise OptionError("--period", expected, f"{length / 1e9:g} s", "Give a shorter period, or more files.")
    return [(begin + number * length, begin + (number + 1) * length) for number in range(count)]


def walk_forward(
    source: MarketSource, spans: Sequence[tuple[int, int]], choose: Choose, run: RunTrials, *, seed: int = 0
) -> WalkForward:
    """Search each period and trade the next.

    Raises:
        SettingsError: the settings as they are cannot trade.
        RecordingError: the recording is malformed.
    """
    folds = []
    for before, (begin, end) in pairwise(spans):
        values, searched_net = choose(Trial(source=source, begin=before[0], end=before[1]), run)
        judged = Trial(source=source, begin=begin, end=end)
        chosen, unchanged = run([evolve(judged, values=values), judged])
        if chosen is None or unchanged is None:
            raise SettingsError("strategy", "settings that can trade", "ones that cannot", "Run mm-fsm check.")
        fold = Fold(begin=begin, end=end, values=values, searched_net=searched_net, chosen=chosen, unchanged=unchanged)
        folds.append(fold)
    ours = [_aligned(fold.chosen) for fold in folds]
    theirs = [_aligned(fold.unchanged) for fold in folds]

    def interval(figures: list[float]) -> Interval:
        return block_bootstrap(figures, block=max(STEPS_OF_A_PERIOD // _BLOCKS_OF_A_PERIOD, 1), seed=seed)

    flat_ours, flat_theirs = ([each for fold in all_ for each in fold] for all_ in (ours, theirs))
    return WalkForward(
        folds=tuple(folds),
        net=interval(flat_ours),
        unchanged_net=interval(flat_theirs),
        difference=interval([one - other for one, other in zip(flat_ours, flat_theirs, strict=True)]),
    )


def _aligned(figures: TradingFigures) -> list[float]:
    """One figure a step, as many for every run of a period: what is missing at the end is zero, the rest joins."""
    profits = [*figures.profits, *([0.0] * STEPS_OF_A_PERIOD)]
    return [*profits[: STEPS_OF_A_PERIOD - 1], sum(profits[STEPS_OF_A_PERIOD - 1 :])]
