"""A run is paused, resumed and stopped by files in its directory, each wish once; its heartbeat says that it lives."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from attrs import evolve

from mm_fsm.books.facts import OperatorPaused, OperatorResumed
from mm_fsm.errors import SettingsError
from mm_fsm.runtime.operations import (
    ABOUT,
    FOUND,
    HEARTBEAT,
    PAUSE,
    STOP,
    OperationsDirectory,
    RescuedMarket,
    RunningMarket,
    this_run,
)
from mm_fsm.runtime.operator_desk import LOOK_SECONDS, OperatorDesk
from mm_fsm.runtime.session import open_session
from mm_fsm.runtime.settings_file import parse_settings
from mm_fsm.runtime.supervisor import Supervisor
from tests.runtime.settings_texts import MARKET

RUNNING = RunningMarket(symbol="ETH/USD", account="played-7", strategy_id="mm", journal="/somewhere/run.journal")


@pytest.fixture
def directory(tmp_path: Path) -> OperationsDirectory:
    made = OperationsDirectory(tmp_path / "out")
    made.begin(tmp_path / "settings.toml", [RUNNING])
    return made


class Clock:
    now = 0.0

    def __call__(self) -> float:
        self.now += 2 * LOOK_SECONDS
        return self.now


def test_it_says_what_runs(directory: OperationsDirectory, tmp_path: Path) -> None:
    facts = OperationsDirectory(tmp_path / "out").read()
    assert facts.markets == (RUNNING,)
    assert facts.process == os.getpid()
    assert facts.settings == str(tmp_path / "settings.toml")
    assert directory.silent_seconds() is not None


def test_a_directory_without_a_run_is_refused(tmp_path: Path) -> None:
    """Otherwise a misspelt directory would be told to pause, and nothing would pause."""
    for act in (lambda d: d.ask(PAUSE, "x"), lambda d: d.take_back(PAUSE), lambda d: d.read()):
        with pytest.raises(SettingsError, match="expected the directory of a run"):
            act(OperationsDirectory(tmp_path))
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"markets": [{"symbol": 1}]}', "\x00"])
def test_a_damaged_description_is_refused(directory: OperationsDirectory, text: str) -> None:
    (directory.directory / ABOUT).write_text(text)
    with pytest.raises(SettingsError):
        directory.read()


def test_a_stop_of_an_earlier_run_is_forgotten_and_a_pause_is_not(directory: OperationsDirectory) -> None:
    directory.ask(STOP, "for the night")
    directory.ask(PAUSE, "news")
    directory.begin(None, [])
    wishes = directory.wishes()
    assert (wishes.pause, wishes.stop) == ("news", None)


def another_run_begins(directory: OperationsDirectory) -> None:
    about = json.loads((directory.directory / ABOUT).read_text())
    (directory.directory / ABOUT).write_text(json.dumps({**about, "run": "f" * 32}))


def test_a_stop_meets_no_run_that_began_after_it_was_asked_for(directory: OperationsDirectory) -> None:
    """Whoever asks has looked at one run; between that look and the file's writing, another may have begun."""
    meant = directory.read().run
    another_run_begins(directory)
    directory.ask(STOP, "for the night", meant)
    assert directory.wishes().stop is None
    directory.ask(STOP, "x" * 1_000)
    assert directory.wishes().stop == "x" * 200


@pytest.mark.parametrize("text", ["for run out of money", "for run 123", "", "enough\nfor run " + "e" * 32])
def test_a_stop_written_by_hand_means_the_run_that_is_there(directory: OperationsDirectory, text: str) -> None:
    (directory.directory / STOP).write_text(text)
    assert directory.wishes().stop == (text or "a file 'stop' in the run's directory")


def test_a_stop_is_heeded_where_nobody_can_tell_which_run_is_there(directory: OperationsDirectory) -> None:
    directory.ask(STOP, "enough", "e" * 32)
    (directory.directory / ABOUT).write_text("{")
    assert directory.wishes().stop == "enough"


def test_each_wish_is_told_once(directory: OperationsDirectory) -> None:
    desk = OperatorDesk(directory, Clock())
    assert desk.look() == (None, None)
    directory.ask(PAUSE, "news at two")
    make, _ = desk.look()
    assert make is not None
    assert make(7) == OperatorPaused(received_at=7, reason="news at two")
    assert desk.look() == (None, None)
    directory.take_back(PAUSE)
    make, _ = desk.look()
    assert make is not None
    assert make(8) == OperatorResumed(received_at=8)
    directory.ask(STOP, "for the night")
    assert desk.look() == (None, "for the night")
    assert desk.look() == (None, None)


def test_a_file_made_by_hand_needs_no_reason(directory: OperationsDirectory) -> None:
    (directory.directory / PAUSE).touch()
    make, _ = OperatorDesk(directory, Clock()).look()
    assert make is not None
    assert make(1) == OperatorPaused(received_at=1, reason="a file 'pause' in the run's directory")


def test_signals_leave_the_same_files_as_commands(directory: OperationsDirectory) -> None:
    desk = OperatorDesk(directory, Clock())
    desk.ask_pause("SIGUSR1")
    make, _ = desk.look()
    assert make is not None
    assert directory.wishes().pause == "SIGUSR1"
    desk.ask_resume()
    make, _ = desk.look()
    assert make is not None
    assert directory.wishes().pause is None


def test_a_run_that_ended_in_order_is_not_silent(directory: OperationsDirectory) -> None:
    assert (directory.silent_seconds() or 0) < 60
    (directory.directory / HEARTBEAT).write_text("garbage")
    assert directory.silent_seconds() == float("inf")
    directory.end()
    assert directory.silent_seconds() is None


def test_a_paused_market_has_no_orders_and_quotes_again_once_resumed(directory: OperationsDirectory) -> None:
    """On paper, at full speed: the file is there for a while of the run, then it is not."""
    (configuration,) = parse_settings(MARKET)
    session = open_session(configuration)
    supervisor = Supervisor([session], operator=OperatorDesk(directory, Clock()))
    orders = session.machine.context.orders
    counts: dict[str, list[int]] = {"quoting": [], "paused": [], "resumed": []}
    phase, entered = "quoting", 0
    for taken in supervisor.run():
        assert taken is not None
        now = taken[1].time
        entered = entered or now
        if phase == "quoting" and orders.count and now - entered > 10_000_000_000:
            phase, entered = "paused", now
            directory.ask(PAUSE, "news")
        elif phase == "paused" and now - entered > 10_000_000_000:
            phase, entered = "resumed", now
            directory.take_back(PAUSE)
        elif phase == "resumed" and now - entered > 10_000_000_000:
            directory.ask(STOP, "enough")
        counts[phase].append(orders.count)
    assert counts["paused"][-1] == 0
    assert max(counts["resumed"]) > 0
    assert session.machine.is_final
    assert session.machine.context.orders.count == 0


def test_what_a_watchdog_found_is_kept_by_market_until_the_next_run_begins(tmp_path: Path) -> None:
    operations = OperationsDirectory(tmp_path)
    markets = [RunningMarket(symbol=name, account="a", strategy_id="s", journal="") for name in ("A/B", "C/D")]
    operations.begin(None, markets)
    found = RescuedMarket(run=this_run(), at=1.0, is_confirmed_empty=True, cancels=2)
    assert not operations.is_confirmed_empty()
    operations.note_rescue({"A/B": found})
    assert not operations.is_confirmed_empty()
    operations.note_rescue({"C/D": found})
    assert operations.is_confirmed_empty()
    operations.note_rescue({"C/D": evolve(found, is_confirmed_empty=False)})
    assert not operations.is_confirmed_empty()
    operations.note_rescue({"C/D": evolve(found, run="another")})
    assert list(operations.rescues()) == ["A/B"]
    operations.begin(None, markets)
    assert operations.rescues() == {}


@pytest.mark.parametrize("text", ["", "[]", "3", '{"A/B": 1}', '{"A/B": {}}'])
def test_a_finding_that_cannot_be_read_confirms_nothing(tmp_path: Path, text: str) -> None:
    operations = OperationsDirectory(tmp_path)
    operations.begin(None, [])
    (tmp_path / FOUND).write_text(text)
    assert operations.rescues() == {}
    assert not operations.is_confirmed_empty()
