"""The search itself: Optuna asks, trials run in processes of this machine or on a Ray cluster, Optuna is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

from attrs import evolve, frozen

from mm_fsm.errors import OptionError, SettingsError
from mm_fsm.search.space import Dimension
from mm_fsm.search.trading import TradingFigures
from mm_fsm.search.walk_forward import RunTrials, Trial, run_trial


@frozen(kw_only=True)
class Search:
    """How a period is searched.

    Args:
        dimensions: what is searched; at least one.
        trials: choices that are tried on each period; the settings as they are come on top.
        batch: choices that are asked for at a time. Each is drawn without knowing the others' results, so the outcome
            depends on it, and on nothing else of where trials run.
        seed: of the draws.
    """

    dimensions: tuple[Dimension, ...]
    trials: int
    batch: int = 1
    seed: int = 0

    def choose(self, period: Trial, run: RunTrials) -> tuple[dict[str, Any], float]:
        """The values with the highest net profit on a period; none where the settings as they are were best.

        Raises:
            SettingsError: Optuna is not installed, or the settings as they are cannot trade.
        """
        optuna = _optuna()
        study = optuna.create_study(
            direction="maximize", sampler=optuna.samplers.TPESampler(seed=self.seed, constant_liar=True)
        )
        (unchanged,) = run([period])
        if unchanged is None:
            raise SettingsError("strategy", "settings that can trade", "ones that cannot", "Run mm-fsm check.")
        best: tuple[dict[str, Any], float] = ({}, unchanged.net)
        left = self.trials
        while left > 0:
            asked = [study.ask() for _ in range(min(self.batch, left))]
            left -= len(asked)
            chosen = [{each.name: _suggest(trial, each) for each in self.dimensions} for trial in asked]
            found = run([evolve(period, values=values) for values in chosen])
            for trial, values, figures in zip(asked, chosen, found, strict=True):
                if figures is None:
                    study.tell(trial, state=optuna.trial.TrialState.FAIL)
                    continue
                study.tell(trial, figures.net)
                if figures.net > best[1]:
                    best = (values, figures.net)
        return best


def _suggest(trial: Any, dimension: Dimension) -> Any:
    if dimension.choices:
        return trial.suggest_categorical(dimension.name, dimension.choices)
    if dimension.is_whole:
        return trial.suggest_int(dimension.name, int(dimension.low), int(dimension.high), log=dimension.is_log)
    return trial.suggest_float(dimension.name, dimension.low, dimension.high, log=dimension.is_log)


def _optuna() -> Any:
    try:
        import optuna  # noqa: PLC0415 - an extra
    except ImportError:
        remedy = "Install it: pip install 'mm-fsm[tune]'."
        raise SettingsError("tune", "the package optuna", "an environment without it", remedy) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


@contextmanager
def local_runs(processes: int) -> Iterator[RunTrials]:
    """Run trials in so many processes of this machine; one runs them here.

    Raises:
        SettingsError: the number is below 1.
    """
    if processes < 1:
        raise OptionError("--processes", "at least 1", processes, "Correct it.")
    if processes == 1:
        yield lambda trials: [run_trial(trial) for trial in trials]
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield lambda trials: list(pool.map(run_trial, trials))


@contextmanager
def cluster_runs(address: str) -> Iterator[RunTrials]:
    """Run trials on a Ray cluster, whose machines see the same files at the same paths.

    Raises:
        SettingsError: Ray is not installed, or there is no cluster at this address.
    """
    try:
        import ray  # noqa: PLC0415 - an extra
    except ImportError:
        remedy = "Install it: pip install 'mm-fsm[cluster]'."
        raise OptionError("--ray", "the package ray", "an environment without it", remedy) from None
    try:
        ray.init(address=address, log_to_driver=False)
    except Exception as failure:
        raise OptionError("--ray", "the address of a cluster", address, f"It said: {failure}") from failure
    try:
        remote = ray.remote(run_trial)

        def run(trials: Sequence[Trial]) -> list[TradingFigures | None]:
            found: list[TradingFigures | None] = ray.get([remote.remote(trial) for trial in trials])
            return found

        yield run
    finally:
        ray.shutdown()
