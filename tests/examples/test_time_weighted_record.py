"""The example of a second strategy on record: inspected, verified, and killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mm_fsm.report.inspection.steps import SegmentSteps
from mm_fsm.runtime.journal import JournaledMachine, JournalReader, JournalSettings, begin_journal, verify_run
from mm_fsm.runtime.watchdog import orders_in_journal
from tests.examples.execution_bench import (
    EXAMPLES,
    SYMBOL,
    machine_of,
    play,
    still_market,
)

ON_RECORD = JournalSettings(record_market_data=True, synchronise=False)


@pytest.fixture(scope="module")
def recorded() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "run.journal"
        machine = machine_of()
        with begin_journal(path, machine, symbol=SYMBOL, strategy_id="twap", run="1", settings=ON_RECORD) as journal:
            play(still_market(90), machine=machine, stepped=JournaledMachine(machine, journal))
        yield path


def test_the_inspector_shows_its_states_and_what_it_shows_of_itself(recorded: Path) -> None:
    with JournalReader(recorded) as reader:
        steps = SegmentSteps(reader, reader.segments[0])
        found = list(steps)
    assert steps.note == ""
    assert found[-1].state == "done"
    assert found[-1].shown["execution", "executed"] == "1"
    assert steps.before["execution", "executed"] == "0"
    assert {edge.event for step in found for edge in step.transitions} >= {"fell_behind", "slice_ended", "finished"}
    assert all(step.trace for step in found if step.transitions)


def test_without_market_data_position_and_cash_are_checked_all_the_same(tmp_path: Path) -> None:
    """From the market's books: the base of strategies that trade brings it."""
    path, machine = tmp_path / "run.journal", machine_of()
    settings_ = JournalSettings(record_market_data=False, synchronise=False)
    with begin_journal(path, machine, symbol=SYMBOL, strategy_id="twap", run="1", settings=settings_) as journal:
        play(still_market(90), machine=machine, stepped=JournaledMachine(machine, journal))
    report = verify_run(path)
    assert report.is_clean, str(report)
    assert report.booked_records > 20
    assert "position and cash follow from the fills" in str(report)


def test_the_command_line_verifies_and_inspects_it(tmp_path: Path) -> None:
    """As its first lines say, from the examples' directory; the page has its chart.

    What is of market makers alone says so.
    """
    program = ["-c", "from mm_fsm.cli import main; main()"]
    for command in (["time_weighted_execution.py"], [*program, "verify"], [*program, "inspect"]):
        finished = subprocess.run(
            [sys.executable, *command, tmp_path], capture_output=True, text=True, check=False, cwd=EXAMPLES
        )
        assert finished.returncode == 0, finished.stderr
    for command in ("why", "report"):
        finished = subprocess.run(
            [sys.executable, *program, command, tmp_path], capture_output=True, text=True, check=False, cwd=EXAMPLES
        )
        assert finished.returncode == 2
        assert "expected a market maker's, found that TimeWeightedExecution wrote it" in finished.stderr
    page = (tmp_path / "inspect.html").read_text(encoding="utf-8")
    assert "CATCHING_UP" in page


def test_what_a_killed_run_left_in_the_book_is_named_without_its_classes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever takes a dead run's orders out needs no strategy's module."""
    died = subprocess.run([sys.executable, "-c", KILLED, EXAMPLES, tmp_path, "7"], check=False)
    assert died.returncode == -signal.SIGKILL
    monkeypatch.delitem(sys.modules, "time_weighted_execution")
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place != str(EXAMPLES)])
    orders = orders_in_journal(tmp_path / "run.journal")
    assert orders.prefix == "twap-1-"
    assert orders.open_ids == {"twap-1-1": None}  # its placement is durable, the venue's answer was not yet


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from time_weighted_execution import *
from mm_fsm.machine.observers import MachineObserver

class Killer(MachineObserver):
    def step_ended(self, result):
        if result.sequence == int(sys.argv[3]):
            os.kill(os.getpid(), signal.SIGKILL)

def made(*arguments, **keywords):
    machine = TimeWeightedExecution(*arguments, **keywords)
    machine.observe(Killer())
    return machine

import time_weighted_execution
time_weighted_execution.TimeWeightedExecution, made.restored = made, None
main(Path(sys.argv[2]))
"""


@pytest.mark.parametrize("step", [2, 101, 700])
def test_a_run_that_was_killed_verifies_up_to_where_it_died(step: int, tmp_path: Path) -> None:
    """SIGKILL within a step: what is on record replays, and every order that left is on record."""
    died = subprocess.run([sys.executable, "-c", KILLED, EXAMPLES, tmp_path, str(step)], check=False)
    assert died.returncode == -signal.SIGKILL
    report = verify_run(tmp_path / "run.journal")
    assert report.is_clean, str(report)
    assert report.records < step
    with JournalReader(tmp_path / "run.journal") as reader:
        assert reader.last_sequence < step
