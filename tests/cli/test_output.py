"""A reader that has left, and a disk that is full: the program ends quietly, and its status is honest."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command_line import run

PROGRAM = [sys.executable, "-c", "from mm_fsm.cli import main; main()"]


@pytest.mark.parametrize("arguments", [["plugins"], ["plugins", "--json"], ["check", "--preset", "paper_ethusd"]])
def test_a_reader_that_has_left_is_no_fault(arguments: list[str]) -> None:
    """As with head: the status is that of a program which SIGPIPE ended, and nothing is said."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = subprocess.run(
            [*PROGRAM, *arguments], stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )
    finally:
        os.close(writing)
    assert ended.returncode == 141
    assert ended.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("arguments", [["plugins"], ["plugins", "--json"]])
def test_a_full_disk_is_said_in_one_line(arguments: list[str]) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        ended = subprocess.run(
            [*PROGRAM, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        "mm-fsm: the result could not be printed: No space left on device. Make room, or print elsewhere."
    ]


@pytest.mark.parametrize("closed", ["1", "0 1 2"])
def test_output_that_the_caller_closed_is_said_where_that_is_possible(closed: str, tmp_path: Path) -> None:
    """A descriptor that is free would become the journal's, and the result would be printed into it."""
    closing = " ".join(f"{number}>&-" for number in closed.split())
    command = f"exec {shlex.join([*PROGRAM, 'run', '--duration', '60', '--quiet', '--out', str(tmp_path)])} {closing}"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    assert ("could not be printed: Bad file descriptor" in ended.stderr) == ("2" not in closed)
    assert sorted(path.parent.name for path in tmp_path.glob("*/run.journal")) == ["BTC-USD", "ETH-USD"]
    assert run("verify", tmp_path / "ETH-USD" / "run.journal").status == 0


@pytest.mark.parametrize("command", [[], ["run"], ["backtest"], ["check"], ["plugins"]])
def test_a_short_option_asks_for_help_too(command: list[str]) -> None:
    assert run(*command, "-h").output == run(*command, "--help").output


def run_into(output: object, directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, "run", "--duration", "60", "--no-journal", "--quiet"],
        stdout=output, stderr=subprocess.PIPE, text=True, timeout=120, check=False, cwd=directory,
    )  # fmt: skip


def test_a_run_whose_reader_has_left_ends_as_its_sessions_did(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = run_into(writing, tmp_path)
    finally:
        os.close(writing)
    assert ended.returncode == 0
    assert "Traceback" not in ended.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_run_whose_result_is_not_printed_has_failed(tmp_path: Path) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        ended = run_into(full, tmp_path)
    assert ended.returncode == 1
    assert "could not be printed: No space left" in ended.stderr
    assert "Traceback" not in ended.stderr
