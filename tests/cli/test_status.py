"""``mm-fsm status``: another process says at a glance what a run is doing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from mm_fsm.report.status import STATUS_FILE
from tests.cli.command_line import run


def made(directory: Path) -> Path:
    assert run("run", "--duration", "100", "--out", directory, "-q", "--no-journal").status == 0
    return directory


def edit(directory: Path, **changes: object) -> None:
    path = directory / STATUS_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_run_says_what_became_of_it_and_while_it_runs_why_a_side_is_silent(tmp_path: Path) -> None:
    """Also when its process is gone without a word: then orders may be open, and the status is 1."""
    directory = made(tmp_path / "run")
    ended = run("status", directory)
    assert ended.status == 0
    assert "ETH/USD COMPLETED: ended" in ended.output
    assert json.loads(run("status", directory, "--json").output)["is_running"] is False

    (first, *others) = json.loads((directory / STATUS_FILE).read_text())["symbols"]
    side = {
        "is_live": False, "reason": "stale_data", "why": "market data is too old", "detail": "older than 2 s",
        "since": first["time"] - 70 * 10**9, "last_live_at": None,
    }  # fmt: skip
    silent = {**first, "has_ended": False, "state": "idle", "sides": {"bid": side, "ask": side}}
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        edit(directory, is_running=True, process=process.pid, symbols=[silent, *others])
        running = run("status", directory)
    assert running.status == 0
    assert "ETH/USD IDLE: silent: market data is too old" in running.output
    assert "ask held for 1:10: market data is too old (older than 2 s)" in running.output

    gone = run("status", directory)
    assert gone.status == 1
    assert "was left before it ended" in gone.output
    assert "Orders may still be open" in gone.messages


def test_a_place_without_a_run_is_refused(tmp_path: Path) -> None:
    finished = run("status", tmp_path)
    assert finished.status == 2
    assert finished.messages.startswith("mm-fsm: file ")
