"""``pause``, ``resume`` and ``stop`` reach a run in another process; signals do the same."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mm_fsm.cli.exit_codes import ExitCode
from mm_fsm.report.status import STATUS_FILE
from mm_fsm.runtime.operations import HEARTBEAT, PAUSE, OperationsDirectory, Wishes
from tests.cli.command_line import command, run, write_settings
from tests.patience import PATIENCE, until
from tests.runtime.settings_texts import MARKET

SHORT = ("--quiet", "--json", "--duration", "60s", "--seed", "7")
OPTIONS = ("--speed", "20", "--quiet", "--json", "--duration", "100000")


@contextmanager
def running(place: Path) -> Iterator[subprocess.Popen[str]]:
    """A run on paper in real time, once it turns."""
    out = place / "out"
    process = subprocess.Popen(
        command("run", write_settings(place, MARKET), *OPTIONS, "--out", out),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until((out / HEARTBEAT).exists, process)
        yield process
    finally:
        process.kill()
        process.communicate()


def test_commands_reach_a_run_and_it_ends_in_order(tmp_path: Path) -> None:
    with running(tmp_path) as process:
        assert run("pause", tmp_path / "out", "--reason", "figures").status == ExitCode.SUCCESS
        assert OperationsDirectory(tmp_path / "out").wishes().pause == "figures"
        assert run("resume", tmp_path / "out").status == ExitCode.SUCCESS
        finished = run("stop", tmp_path / "out")
        assert "ETH/USD will be stopped" in finished.messages
        output, messages = process.communicate(timeout=PATIENCE)
    assert process.returncode == ExitCode.SUCCESS, messages
    assert '"is_book_confirmed_empty": true' in output
    assert "has ended" in run("pause", tmp_path / "out").messages


def test_signals_pause_and_resume(tmp_path: Path) -> None:
    with running(tmp_path) as process:
        process.send_signal(signal.SIGUSR1)
        until((tmp_path / "out" / PAUSE).exists, process)
        process.send_signal(signal.SIGUSR2)
        until(lambda: not (tmp_path / "out" / PAUSE).exists(), process)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + signal.SIGTERM


@pytest.mark.parametrize("what", ["pause", "stop"])
def test_a_run_on_paper_that_has_ended_is_neither_paused_nor_stopped(tmp_path: Path, what: str) -> None:
    """The file would pause the next run with the directory, which has nothing to do with this one."""
    assert run("run", write_settings(tmp_path, MARKET), *SHORT, "--out", tmp_path / "out").status == ExitCode.SUCCESS
    finished = run(what, tmp_path / "out")
    assert finished.status == ExitCode.FAILURE
    assert f"has ended: there is nothing to {what}" in " ".join(finished.messages.split())
    assert OperationsDirectory(tmp_path / "out").wishes() == Wishes(pause=None, stop=None)


def test_a_live_run_that_has_ended_begins_paused_and_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("run", write_settings(tmp_path, MARKET), *SHORT, "--out", tmp_path / "out").status == ExitCode.SUCCESS
    status = tmp_path / "out" / STATUS_FILE
    status.write_text(status.read_text().replace('"has_real_orders": false', '"has_real_orders": true'))
    monkeypatch.chdir(tmp_path)
    finished = run("pause", "out")
    assert finished.status == ExitCode.SUCCESS
    assert "the next run with this directory begins paused, until mm-fsm resume out" in " ".join(
        finished.messages.split()
    )
    assert run("stop", "out").status == ExitCode.FAILURE
    assert "does not begin paused" in " ".join(run("resume", "out").messages.split())


def test_a_run_that_begins_paused_says_so_and_meets_its_market(tmp_path: Path) -> None:
    """Its clock is the market's, and its length that of the session: only its book stays empty."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / PAUSE).write_text("not yet")
    finished = run("run", write_settings(tmp_path, MARKET), *SHORT, "--out", tmp_path / "out")
    words = " ".join(finished.messages.split())
    assert "this run begins paused" in words
    assert "this run ended paused" in words
    (market,) = finished.json()["symbols"]
    assert market["orders"]["placed"] == 0
    assert market["events"] > 100
    assert market["execution_time_ms"] == pytest.approx(60_000, rel=0.01)


@pytest.mark.parametrize("what", ["pause", "resume", "stop"])
def test_a_directory_without_a_run_is_refused(tmp_path: Path, what: str) -> None:
    finished = run(what, tmp_path)
    assert finished.status == ExitCode.BAD_INPUT
    assert "expected the directory of a run" in finished.messages
