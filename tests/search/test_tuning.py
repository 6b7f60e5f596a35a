"""A search is judged on periods that it has not seen, and noise is no improvement."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from attrs import evolve

from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.errors import SettingsError
from mm_fsm.search.space import Dimension, as_toml, parse_dimension, with_values
from mm_fsm.search.trading import TradingFigures
from mm_fsm.search.tuning import Search, cluster_runs, local_runs
from mm_fsm.search.walk_forward import (
    STEPS_OF_A_PERIOD,
    MarketSource,
    RunTrials,
    Trial,
    WalkForward,
    periods,
    run_trial,
    walk_forward,
)
from mm_fsm.venues.recorded import ReadingSettings

SOURCE = MarketSource(
    files=(), recorded_symbol="X", symbol="X", preset="gemini_ethusd", settings_file=None, reading=ReadingSettings()
)
MINUTE = 60 * 10**9


def figures(profits: Sequence[float]) -> TradingFigures:
    return TradingFigures(profits=tuple(profits), orders=10, cancels=10, fills=5, refused=0, volume=100.0, success=True)


def market(edge: float, noise: float = 1.0) -> RunTrials:
    """A market in which spreads of 30 bps earn most: each step ``edge`` less the square of the distance, and noise."""

    def run(trials: Sequence[Trial]) -> list[TradingFigures | None]:
        found: list[TradingFigures | None] = []
        for trial in trials:
            spread = trial.values.get("target_spread_bps", 20.0)
            random = Random(f"{trial.begin} {trial.values}")
            mean = edge * (1 - ((spread - 30) / 10) ** 2)
            found.append(figures([mean + noise * random.gauss(0, 1) for _ in range(STEPS_OF_A_PERIOD)]))
        return found

    return run


def searched(edge: float, noise: float = 1.0, trials: int = 25) -> WalkForward:
    search = Search(dimensions=(parse_dimension("target_spread_bps=10:50"),), trials=trials, seed=1)
    return walk_forward(SOURCE, periods(0, 5 * MINUTE, MINUTE), search.choose, market(edge, noise))


def test_a_real_difference_is_found_and_called_one() -> None:
    """At 30 bps a step earns 1, at the settings' 20 nothing: 240 steps, with deviation sqrt(2) each."""
    found = searched(edge=1.0)
    assert found.is_improvement
    assert found.difference.value == pytest.approx(240, abs=70)
    assert all(abs(fold.values["target_spread_bps"] - 30) < 8 for fold in found.folds)
    assert "earned more" in found.verdict


def test_noise_is_no_improvement_however_good_it_looked() -> None:
    """Every choice earns nothing: the best of 25 looks good where it was chosen, and only there."""
    found = searched(edge=0.0)
    assert sum(fold.searched_net for fold in found.folds) > 30
    assert not found.is_improvement
    assert "keep your settings" in found.verdict


def test_nothing_is_chosen_where_the_settings_were_best() -> None:
    """Any value but the settings' own loses: the walk trades them unchanged, and the difference is nought."""

    def run(trials: Sequence[Trial]) -> list[TradingFigures | None]:
        return [figures([-1.0 if trial.values else 0.0] * STEPS_OF_A_PERIOD) for trial in trials]

    search = Search(dimensions=(parse_dimension("num_price_levels=1:5"),), trials=4)
    found = walk_forward(SOURCE, periods(0, 3 * MINUTE, MINUTE), search.choose, run)
    assert [fold.values for fold in found.folds] == [{}, {}]
    assert (found.difference.value, found.difference.lower, found.difference.upper) == (0, 0, 0)


def test_each_choice_is_made_on_the_period_before_the_one_that_judges_it() -> None:
    seen: list[tuple[int, int]] = []

    def choose(period: Trial, _run: RunTrials) -> tuple[dict[str, Any], float]:
        seen.append((period.begin, period.end))
        return {}, 0.0

    found = walk_forward(SOURCE, periods(0, 4 * MINUTE, MINUTE), choose, market(0.0))
    assert seen == [(0, MINUTE), (MINUTE, 2 * MINUTE), (2 * MINUTE, 3 * MINUTE)]
    assert [(fold.begin, fold.end) for fold in found.folds] == [(end, end + MINUTE) for _, end in seen]


def test_choices_that_cannot_be_are_passed_over() -> None:
    """A run that has no figures fails its trial; the others go on."""

    def run(trials: Sequence[Trial]) -> list[TradingFigures | None]:
        spreads = [trial.values.get("target_spread_bps") for trial in trials]
        return [None if spread and spread > 30 else figures([spread or 0.0]) for spread in spreads]

    search = Search(dimensions=(parse_dimension("target_spread_bps=10:50"),), trials=12, batch=3)
    values, net = search.choose(Trial(source=SOURCE, begin=0, end=1), run)
    assert values["target_spread_bps"] == net <= 30


def test_the_same_seed_chooses_the_same() -> None:
    assert searched(1.0, trials=6) == searched(1.0, trials=6)


def test_settings_that_contradict_each_other_have_no_figures() -> None:
    """A target is no contradiction, a minimum above the maximum is."""
    assert run_trial(Trial(source=SOURCE, begin=0, end=1, values={"min_spread_bps": 90.0})) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("target_spread_bps=10:40", Dimension(name="target_spread_bps", low=10, high=40)),
        ("num_price_levels=1:5", Dimension(name="num_price_levels", low=1, high=5, is_whole=True)),
        (
            "service_options.glft.risk_aversion=0.001:1:log",
            Dimension(name="service_options.glft.risk_aversion", low=0.001, high=1, is_log=True),
        ),
        ("fair_price=mid,weighted_mid", Dimension(name="fair_price", choices=("mid", "weighted_mid"))),
    ],
)
def test_what_is_searched_is_read(text: str, expected: Dimension) -> None:
    assert parse_dimension(text) == expected


@pytest.mark.parametrize(
    "text",
    ["nothing=1:2", "target_spread_bps", "target_spread_bps=2:1", "target_spread_bps=a:b", "target_spread_bps=0:1:log",
     "target_spread_bps=1:2:cube", "fair_price=mid", "target_spread_bps=1:inf", "target_spread_bps=nan:2"],
)  # fmt: skip
def test_what_cannot_be_searched_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="--set"):
        parse_dimension(text)


def test_values_reach_settings_services_and_their_options() -> None:
    options = {"glft": {"risk_aversion": 1.0, "decay_per_bps": 0.1}}
    settings = MarketMakingSettings(symbol="X", service_options=options)
    values = {"services.spreads": "glft", "service_options.glft.risk_aversion": 0.5, "num_price_levels": 2}
    changed = with_values(settings, values)
    assert changed.services.spreads == "glft"
    assert changed.service_options == {"glft": {"risk_aversion": 0.5, "decay_per_bps": 0.1}}
    assert changed.num_price_levels == 2
    assert settings.service_options == options
    assert list(as_toml(values)) == [
        'services.spreads = "glft"', "service_options.glft.risk_aversion = 0.5", "num_price_levels = 2"
    ]  # fmt: skip
    with pytest.raises(SettingsError):
        with_values(settings, {"services.colour": "blue"})


def test_a_recording_that_is_too_short_is_refused() -> None:
    assert periods(0, 5, 2) == [(0, 2), (2, 4)]
    with pytest.raises(SettingsError, match="--period"):
        periods(0, 5, 3)


def test_without_ray_the_refusal_says_what_to_install() -> None:
    pytest.importorskip("optuna")
    try:
        import ray  # noqa: F401
    except ImportError:
        with pytest.raises(SettingsError, match=r"mm-fsm\[cluster\]"), cluster_runs("auto"):
            pass
    with pytest.raises(SettingsError, match="--processes"), local_runs(0):
        pass


def test_figures_are_sums_and_shares() -> None:
    found = figures([1.5, -0.5])
    assert (found.net, found.orders_per_fill, found.refused_share) == (1.0, 2.0, 0.0)
    assert evolve(found, fills=0, orders=0).orders_per_fill is None
    assert evolve(found, orders=0).refused_share == 0.0
    assert math.isclose(evolve(found, refused=5).refused_share, 0.5)
