"""``pause``, ``resume`` and ``stop`` reach a run in another process; signals do the same."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mm_fsm.cli.exit_codes import ExitCode
from mm_fsm.runtime.operations import HEARTBEAT, PAUSE, OperationsDirectory
from tests.cli.command_line import command, run, write_settings
from tests.patience import PATIENCE, until
from tests.runtime.settings_texts import MARKET

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


@pytest.mark.parametrize("what", ["pause", "resume", "stop"])
def test_a_directory_without_a_run_is_refused(tmp_path: Path, what: str) -> None:
    finished = run(what, tmp_path)
    assert finished.status == ExitCode.BAD_INPUT
    assert "expected the directory of a run" in finished.messages
