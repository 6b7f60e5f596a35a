"""A run's journals are those in its directory, wherever that is; two of one market are never chosen between."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest

from mm_fsm.cli.run_journals import journals_by_symbol, own_journals
from mm_fsm.errors import JournalError, OptionError
from mm_fsm.report.run_data.figures_file import read_figures
from mm_fsm.runtime.operations import OperationsDirectory, RunningMarket
from tests.cli.command_line import run, write_settings
from tests.runtime.journal.scenario import World, begin, plan_at
from tests.runtime.settings_texts import market_entry

COMMANDS = ("why", "inspect", "report", "verify")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two markets, without figures: those come from the journals."""
    place = tmp_path_factory.mktemp("made")
    settings = write_settings(place, market_entry("A/USD") + market_entry("B/USD"))
    assert run("run", settings, "-q", "--duration", 20, "--out", place / "run").status == 0
    for name in ("report.json", "report.html"):
        (place / "run" / name).unlink()
    return place / "run"


@pytest.fixture
def own(made: Path, tmp_path: Path) -> Path:
    """A run whose description names the journals in its own directory."""
    place = tmp_path / "run"
    copytree(made, place)
    about = place / "operations.json"
    about.write_text(about.read_text().replace(str(made), str(place)))
    assert str(place / "A-USD" / "run.journal") in about.read_text()
    return place


def expect_own(place: Path) -> None:
    """Every command takes the journals in this directory."""
    journals = {symbol: place / symbol.replace("/", "-") / "run.journal" for symbol in ("A/USD", "B/USD")}
    found = {command: run(command, place, "-q", "--json") for command in COMMANDS}
    assert {command: each.status for command, each in found.items()} == dict.fromkeys(COMMANDS, 0)
    expected = list(map(str, journals.values()))
    assert [market["journal"] for market in found["why"].json()["markets"]] == expected
    assert [report["journal"] for report in found["verify"].json()["journals"]] == expected
    assert [market["symbol"] for market in found["inspect"].json()["markets"]] == list(journals)
    figures = read_figures(place)
    assert figures is not None
    assert figures.reproduction.journals == {symbol: str(path) for symbol, path in journals.items()}


def test_a_copy_is_read_from_its_own_journals(own: Path, tmp_path: Path) -> None:
    """Its description names those of the original, which are there and are no journals any more."""
    copytree(own, tmp_path / "copy")
    for journal in own.rglob("*.journal"):
        journal.write_bytes(b"of another run")
    expect_own(tmp_path / "copy")


def test_a_run_that_was_moved_is_read_where_it_is(own: Path, tmp_path: Path) -> None:
    """Its description names journals that are no more."""
    expect_own(own.rename(tmp_path / "moved"))


@pytest.mark.parametrize("command", COMMANDS)
def test_of_two_runs_none_is_chosen(command: str, own: Path, tmp_path: Path) -> None:
    both = tmp_path / "both"
    for name in ("first", "second"):
        copytree(own, both / name)
    found = run(command, both, "-q")
    assert found.status == 2
    assert "a directory of runs: first, second" in " ".join(found.messages.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_of_two_journals_of_one_market_none_is_chosen(command: str, own: Path, tmp_path: Path) -> None:
    both = tmp_path / "both"
    for name in ("first", "second"):
        copytree(own / "A-USD", both / name)
    found = run(command, both, "-q")
    assert found.status == 2
    message = " ".join(found.messages.split())
    for name in ("first", "second"):
        assert str(both / name / "run.journal") in message
    assert "one of these journals" in message


def test_steps_of_an_earlier_run_in_the_same_journal_are_told(tmp_path: Path) -> None:
    """An account's journal lies elsewhere, and each run goes on with it: what is shown is of both."""
    journal = tmp_path / "state" / "run.journal"
    for _ in range(2):
        with begin(plan_at(journal)) as opened:
            World().run(opened, 5)
        about = RunningMarket(symbol="ETH/USD", account="paper", strategy_id="mm", journal=str(journal))
        OperationsDirectory(tmp_path / "out").begin(None, [about])
        found = run("verify", tmp_path / "out", "-q")
        assert found.status == 0, found.messages
    for command in ("why", "inspect", "verify", "report"):
        words = " ".join(run(command, tmp_path / "out", "-q").messages.split())
        assert "the journal of this account holds 2 runs and restarts; these steps are of all of them" in words
    assert "runs and restarts" not in run("verify", journal, "-q").messages


def test_a_journal_that_the_run_keeps_elsewhere_is_found(own: Path, tmp_path: Path) -> None:
    """One market's; the other one's is beside the run."""
    (tmp_path / "state").mkdir()
    kept = (own / "A-USD" / "run.journal").rename(tmp_path / "state" / "run.journal")
    about = own / "operations.json"
    about.write_text(about.read_text().replace(str(own / "A-USD"), str(kept.parent)))
    assert journals_by_symbol(own) == {"B/USD": own / "B-USD" / "run.journal", "A/USD": kept}
    assert journals_by_symbol(own, "A/USD") == {"A/USD": kept}


def test_journals_that_are_gone_are_named(own: Path) -> None:
    gone = list(own.rglob("*.journal"))
    for journal in gone:
        journal.unlink()
    assert own_journals(own) == {}
    with pytest.raises(JournalError) as refused:
        journals_by_symbol(own)
    assert all(str(journal) in str(refused.value) for journal in (own, *gone))


def test_a_journal_that_does_not_read_is_named_with_its_place(own: Path) -> None:
    damaged = own / "B-USD" / "run.journal"
    damaged.write_bytes(b"no database")
    with pytest.raises(JournalError, match="B-USD"):
        journals_by_symbol(own)


def test_a_market_that_the_run_does_not_have_is_refused(own: Path) -> None:
    with pytest.raises(OptionError, match="A/USD, B/USD"):
        journals_by_symbol(own, "C/USD")
    with pytest.raises(OptionError, match="A/USD"):
        journals_by_symbol(own / "A-USD" / "run.journal", "B/USD")
