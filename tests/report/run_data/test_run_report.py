"""The files that a run leaves of its figures, and what can be made of them again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mm_fsm.report.run_data.figures_file import read_figures
from mm_fsm.report.run_data.run_origin import read_origin
from mm_fsm.runtime.session import for_session
from mm_fsm.runtime.settings_file import read_preset, read_settings
from tests.cli.command_line import run, write_tardis


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


def test_a_backtest_made_again_from_its_settings_has_the_same_figures(tmp_path: Path) -> None:
    files = write_tardis(tmp_path)
    given = ("--quotes", files.quotes, "--trades", files.trades)
    made = run("backtest", *given, "-q", "--no-cache", "--no-journal", "--out", tmp_path / "one")
    assert made.status == 0, made.messages
    again = run("run", tmp_path / "one" / "settings.toml", "-q", "--no-journal", "--out", tmp_path / "two")
    assert again.status == 0, again.messages
    first, second = read_figures(tmp_path / "one"), read_figures(tmp_path / "two")
    assert first is not None
    assert second is not None
    assert first.markets[0].profit == second.markets[0].profit
    assert first.markets[0].orders == second.markets[0].orders
    assert first.markets[0].fill_model == second.markets[0].fill_model
    assert first.reproduction.recordings == second.reproduction.recordings
    assert len(first.reproduction.recordings[first.markets[0].symbol]) == 2
    beside = run("report", tmp_path / "one", "--baseline", "-q", "--json")
    assert beside.status == 0, beside.messages
    assert beside.json()["markets"][0]["baseline"]["figures"]["market_events"] == first.markets[0].market_events


def test_a_report_that_cannot_be_written_is_said_and_the_outcome_stays(tmp_path: Path) -> None:
    (tmp_path / "run" / "report.json").mkdir(parents=True)
    found = run("run", "-q", "--no-journal", "--duration", "20", "--seed", "3", "--out", tmp_path / "run")
    assert found.status == 1
    assert "report in" in found.messages
    entries = json.loads((tmp_path / "run" / "result.json").read_text())["symbols"]
    assert [entry["outcome"] for entry in entries] == ["completed", "completed"]
