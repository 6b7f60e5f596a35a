"""Figures that are made from the journal are those that were gathered while the run went on."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path
from shutil import copyfile, copytree
from time import time

import polars as pl
import pytest
from attrs import evolve

from mm_fsm.report.figures import MarketFigures, RunFigures
from mm_fsm.report.run_data.figures_file import read_figures
from mm_fsm.runtime.journal import writer
from mm_fsm.runtime.operations import OperationsDirectory
from tests.cli.command_line import run, write_settings
from tests.runtime.settings_texts import with_line

pytest.importorskip("pyarrow")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("made") / "run"
    assert run("run", "-q", "--duration", "150", "--seed", "3", "--out", place).status == 0
    return place


@pytest.fixture
def killed(made: Path, tmp_path: Path) -> Path:
    """The same run as if its process had been killed before it could write what it knew."""
    place = tmp_path / "run"
    copytree(made, place)
    for name in ("result.json", "report.json", "status.json", "report.html"):
        (place / name).unlink(missing_ok=True)
    for table in place.glob("*/*.parquet"):
        table.unlink()
    return place


def figures_of(place: Path) -> RunFigures:
    found = read_figures(place)
    assert found is not None
    return found


def without_clock(market: MarketFigures) -> MarketFigures:
    """What a replay cannot know left out: what was measured with a clock."""
    states = tuple(evolve(state, computing_seconds=None) for state in market.machine.states)
    budgets = tuple(each for each in market.machine.chart_budgets if each.measure == "waiting")
    return evolve(market, notes=(), machine=evolve(market.machine, states=states, chart_budgets=budgets))


def test_a_killed_run_has_the_same_figures_from_its_journal(made: Path, killed: Path) -> None:
    found = run("report", killed, "-q")
    assert found.status == 0
    assert "net PnL" in found.output
    live, replayed = figures_of(made), figures_of(killed)
    assert replayed.reproduction.made_by == "journal"
    assert [each.symbol for each in replayed.markets] == [each.symbol for each in live.markets]
    for before, after in zip(live.markets, replayed.markets, strict=True):
        assert without_clock(after) == without_clock(before)


def test_its_tables_are_the_same_too(made: Path, killed: Path) -> None:
    assert run("report", killed, "-q").status == 0
    for place in figures_of(made).tables.values():
        assert pl.read_parquet(killed / place).equals(pl.read_parquet(made / place)), place


def test_without_its_origin_the_settings_come_from_the_journal(killed: Path) -> None:
    (killed / "origin.json").unlink()
    assert run("report", killed, "-q").status == 0
    market = figures_of(killed).markets[0]
    assert market.settings["strategy"]["symbol"] == market.symbol
    assert market.settings["fees"]["maker_bps"]
    assert market.fill_model.kind == "not known"


def test_figures_of_a_journal_that_forgot_its_beginning_say_so_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the terminal, in JSON and on the page, by how long the figures' time is shorter than the run's."""
    monkeypatch.setattr(writer, "BYTES_PER_MEGABYTE", 150_000)
    text = with_line("journal", "max_megabytes = 1\nsegment_records = 60\nrecord_market_data = true")
    place = tmp_path / "run"
    assert run("run", write_settings(tmp_path, text), "-q", "--duration", 300, "--out", place).status == 0
    (whole,) = figures_of(place).markets
    assert whole.forgotten_seconds is None
    for name in ("report.json", "report.html", "result.json"):
        (place / name).unlink()
    found = run("report", place, "-q")
    (rest,) = figures_of(place).markets
    assert rest.forgotten_seconds is not None
    assert rest.forgotten_seconds == pytest.approx(whole.seconds - rest.seconds, abs=0.01)
    assert rest.forgotten_seconds > 0
    said = "the journal has forgotten the first"
    assert rest.notes[0].startswith(said)
    assert said in " ".join(found.messages.split())
    assert "forgotten by its journal: every figure is of the rest only" in (place / "report.html").read_text()


def test_presence_is_held_against_another_rule_on_request(killed: Path) -> None:
    assert run("report", killed, "-q", "--within-bps", "3", "--size", "0.001", "--asked-share", "0.5").status == 0
    presence = figures_of(killed).markets[0].presence
    assert (presence.programme.within_bps, presence.programme.asked_share) == (3.0, 0.5)
    assert str(presence.programme.size) == "0.001"
    assert presence.both_share < presence.both_resting_share


def test_a_rule_that_cannot_be_is_refused_by_name(killed: Path) -> None:
    found = run("report", killed, "-q", "--within-bps", "-3")
    assert found.status == 2
    assert "programme.within_bps" in found.messages


def test_a_journal_that_was_torn_gives_figures_up_to_the_tear(made: Path, killed: Path) -> None:
    """Rows of the last segment that never reached the disk."""
    path = killed / "ETH-USD" / "run.journal"
    with sqlite3.connect(path) as connection:
        last = connection.execute("SELECT max(sequence) FROM records").fetchone()[0]
        connection.execute("DELETE FROM records WHERE sequence > ?", (last - 400,))
        connection.execute("DELETE FROM quiet_facts WHERE last_sequence > ?", (last - 400,))
        connection.execute("DELETE FROM segments WHERE first_sequence > ?", (last - 400,))
    connection.close()
    assert run("report", killed, "-q").status == 0
    whole, torn = figures_of(made).markets[0], figures_of(killed).markets[0]
    assert torn.outcome == "unfinished"
    assert 0 < torn.machine.steps < whole.machine.steps
    assert torn.fills.price == whole.fills.price[: torn.fills.total]


def test_figures_from_a_journal_are_kept_until_the_journal_grows(killed: Path) -> None:
    assert run("report", killed, "-q").status == 0
    written = (killed / "ETH-USD" / "orders.parquet").stat().st_mtime_ns
    assert run("report", killed, "-q").status == 0
    assert (killed / "ETH-USD" / "orders.parquet").stat().st_mtime_ns == written
    journal = killed / "ETH-USD" / "run.journal"
    later = (killed / "report.json").stat().st_mtime_ns + 1_000_000_000
    os.utime(journal, ns=(later, later))
    assert run("report", killed, "-q").status == 0
    assert (killed / "ETH-USD" / "orders.parquet").stat().st_mtime_ns > written


def test_of_a_run_that_goes_on_no_table_is_touched(made: Path, killed: Path) -> None:
    """Its own process writes them."""
    OperationsDirectory(killed).begin(None, [])
    about = killed / "operations.json"
    about.write_text(json.dumps({**json.loads(about.read_text()), "run": "another"}))
    status = json.loads((made / "status.json").read_text())
    other = {**status, "is_running": True, "run": "another", "process": os.getppid(), "written_at": time()}
    (killed / "status.json").write_text(json.dumps(other))
    assert run("report", killed, "-q").status == 0
    assert figures_of(killed).tables == {}
    assert list(killed.glob("*/*.parquet")) == []


def test_a_result_without_figures_whose_journal_does_not_replay_is_still_printed(made: Path, killed: Path) -> None:
    copyfile(made / "result.json", killed / "result.json")
    for journal in killed.glob("*/run.journal"):
        with sqlite3.connect(journal) as connection:
            connection.execute("UPDATE segments SET has_market_data = 0")
        connection.close()
    found = run("report", killed, "-q")
    assert found.status == 0
    assert "net PnL" in found.output
    assert "no figures beside these" in found.messages
