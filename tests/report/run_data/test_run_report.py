"""The files that a run leaves of its figures, and what can be made of them again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mm_fsm.report.run_data.figures_file import read_figures
from mm_fsm.report.run_data.run_origin import read_origin
from mm_fsm.runtime.session import for_session
from mm_fsm.runtime.settings_file import read_preset, read_settings
from tests.cli.command_line import run


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("made") / "run"
    assert run("run", "-q", "--duration", "150", "--seed", "3", "--out", place).status == 0
    return place


def test_the_figures_read_back_as_they_were_written(directory: Path) -> None:
    figures = read_figures(directory)
    assert figures is not None
    assert json.loads(json.dumps(figures.entry())) == json.loads((directory / "report.json").read_text())


def test_both_markets_have_figures_and_every_table_is_there(directory: Path) -> None:
    figures = read_figures(directory)
    assert figures is not None
    assert [market.symbol for market in figures.markets] == ["ETH/USD", "BTC/USD"]
    assert len(figures.tables) == 10
    assert all((directory / place).stat().st_size > 0 for place in figures.tables.values())


def test_the_settings_of_a_run_are_a_settings_file_that_repeats_it(directory: Path) -> None:
    markets = read_settings(directory / "settings.toml")
    for index, (market, name) in enumerate(zip(markets, ("paper_ethusd", "paper_btcusd"), strict=True)):
        expected = for_session(read_preset(name), duration_seconds=150, seed=3 + index)
        assert (market.strategy, market.balances) == (expected.strategy, expected.balances)
        assert market.venue.simulator == expected.venue.simulator  # type: ignore[attr-defined]
        assert market.venue.exchange == expected.venue.exchange  # type: ignore[attr-defined]


def test_a_run_made_again_from_its_settings_has_the_same_figures(directory: Path, tmp_path: Path) -> None:
    assert run("run", directory / "settings.toml", "-q", "--out", tmp_path / "again").status == 0
    first, second = read_figures(directory), read_figures(tmp_path / "again")
    assert first is not None
    assert second is not None
    for before, after in zip(first.markets, second.markets, strict=True):
        assert before.profit == after.profit
        assert before.series == after.series
        assert before.orders == after.orders


def test_where_a_run_comes_from_is_known_as_it_begins(directory: Path) -> None:
    origin = read_origin(directory)
    assert origin is not None
    assert origin.markets["ETH/USD"].seed == 3
    assert origin.versions["mm-fsm"]
    assert origin.versions["python-statemachine"]
