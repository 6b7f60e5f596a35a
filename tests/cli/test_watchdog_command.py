"""Whose orders a watchdog may cancel: of a run that is dead or hangs, never of a process that makes the market."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from mm_fsm.cli.watchdog_command import _bulletins, _Owning
from mm_fsm.runtime.operations import ABOUT, HEARTBEAT, OperationsDirectory, RunningMarket
from mm_fsm.runtime.ownership import Ownership
from mm_fsm.runtime.watching_settings import AlertKind, AlertSettings
from mm_fsm.watching.bulletins import Bulletins

GONE = 2**22 + 1
"""No process of Linux has so great a number."""


@pytest.fixture
def market(tmp_path: Path) -> RunningMarket:
    return RunningMarket(symbol="ETH/USDT", account="main", strategy_id="s", journal=str(tmp_path / "run.journal"))


@pytest.fixture
def operations(tmp_path: Path, market: RunningMarket) -> OperationsDirectory:
    found = OperationsDirectory(tmp_path)
    found.begin(None, [market])
    return found


@contextmanager
def held_by_another(directory: Path, run: str = "run") -> Iterator[int]:
    """Another process has the market."""
    program = (
        "import sys; from pathlib import Path; from mm_fsm.runtime.ownership import Ownership;"
        "held = Ownership(Path(sys.argv[1]), 'main', 'ETH/USDT', sys.argv[2]); print('held', flush=True); input()"
    )
    command = [sys.executable, "-c", program, str(directory), run]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process.pid


def owns(operations: OperationsDirectory, market: RunningMarket, process: int) -> bool:
    with ExitStack() as stack:
        return _Owning(operations, process, 10.0).own(market, stack)


def rename_process(operations: OperationsDirectory, process: int) -> None:
    path = operations.directory / ABOUT
    path.write_text(path.read_text().replace(f'"process": {os.getpid()}', f'"process": {process}'))


def test_a_dead_run_leaves_its_market_free(operations: OperationsDirectory, market: RunningMarket) -> None:
    assert owns(operations, market, GONE)


def test_the_process_that_is_watched_keeps_its_orders_while_it_beats(
    operations: OperationsDirectory, market: RunningMarket, tmp_path: Path
) -> None:
    """Also where the directory names another process that is gone; once it hangs, its orders go all the same."""
    with held_by_another(tmp_path) as process:
        rename_process(operations, GONE)
        assert not owns(operations, market, process)
        (tmp_path / HEARTBEAT).write_text("0")
        assert owns(operations, market, process)


def test_another_process_that_makes_the_market_meanwhile_keeps_its_orders(
    operations: OperationsDirectory, market: RunningMarket, tmp_path: Path
) -> None:
    """A restarted run that writes elsewhere; the dead one's heartbeat says nothing about it."""
    rename_process(operations, GONE)
    (tmp_path / HEARTBEAT).write_text("0")
    with held_by_another(tmp_path):
        assert not owns(operations, market, GONE)
    assert owns(operations, market, GONE)


def test_another_watchdog_keeps_none_away(
    operations: OperationsDirectory, market: RunningMarket, tmp_path: Path
) -> None:
    with held_by_another(tmp_path, "watchdog"):
        assert owns(operations, market, GONE)


def test_a_lock_that_cannot_be_taken_keeps_no_orders_in_the_market(
    operations: OperationsDirectory, market: RunningMarket, tmp_path: Path
) -> None:
    """What it says of a process that is gone is old."""
    with Ownership(tmp_path, "main", "ETH/USDT", "run") as held:
        entry = f'{{"process": {GONE}, "host": "{socket.gethostname()}", "run": "run"}}'
        held.path.write_text(entry)
        assert owns(operations, market, GONE)


def test_a_watchdog_whose_alerts_cannot_be_sent_watches_all_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its environment may lack what the run's has; orders in the market matter more."""
    monkeypatch.delenv("NO_SUCH_TARGETS", raising=False)
    with _bulletins(AlertSettings(targets_variable="NO_SUCH_TARGETS")) as bulletins:
        bulletins.tell(AlertKind.FAULT, "a title", "a body")
    assert "the run is watched all the same" in " ".join(capsys.readouterr().err.split())


def test_a_kind_that_nobody_wants_is_not_told_and_the_end_waits_for_the_others() -> None:
    sent: list[str] = []

    class Target:
        name = "1 (TEST)"

        def send(self, title: str, body: str) -> bool:
            sent.append(title)
            return True

    with Bulletins(AlertSettings(kinds=("fault",), wait_seconds=30), [Target()]) as bulletins:
        bulletins.tell(AlertKind.UNCONFIRMED_ORDERS, "one", "body")
        bulletins.tell(AlertKind.FAULT, "other", "body")
    assert sent == ["other"]
