"""Nothing waits for a terminal or a pipe that nobody reads: a thread writes, and what finds no room is dropped."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from mm_fsm.cli import unblocked_output
from mm_fsm.cli.exit_codes import ExitCode
from mm_fsm.cli.unblocked_output import UnblockedStream, drain, is_behind, unblocked
from tests.cli.command_line import command
from tests.patience import PATIENCE, until


@pytest.fixture
def pipe() -> Iterator[tuple[int, UnblockedStream]]:
    """A pipe of one page, so that it is full soon."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    with os.fdopen(writer, "w", encoding="utf-8") as stream:
        yield reader, UnblockedStream(stream)
        os.close(reader)  # whatever is still being written fails, so that the thread has nothing to do


def test_a_reader_that_stops_is_not_waited_for_and_later_has_the_first_lines_and_their_missing_number(
    pipe: tuple[int, UnblockedStream], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 150 lines of 1,000 bytes, 100 wait and some are in the pipe: every line is read, or counted."""
    monkeypatch.setattr(unblocked_output, "MOST_WAITING", 100)
    reader, stream = pipe
    for number in range(150):
        stream.write(f"{number:999d}\n")
    assert is_behind(stream)
    assert not stream.drain(0.05)
    assert stream.dropped > 0
    text = ""
    while "dropped" not in text or not text.endswith("\n"):
        text += os.read(reader, 65536).decode()
    *lines, last = text.splitlines()
    assert [int(line) for line in lines] == [*range(150 - stream.dropped)]
    assert last == f"mm-fsm: {stream.dropped} lines were dropped: nobody read them in time"
    assert drain(stream)


def test_a_reader_that_has_left_ends_nothing(pipe: tuple[int, UnblockedStream]) -> None:
    reader, stream = pipe
    spare = os.dup(reader)
    os.dup2(os.open(os.devnull, os.O_RDONLY), reader)
    os.close(spare)
    stream.write("nobody\n")
    assert drain(stream)


def test_text_that_waits_while_the_descriptor_is_turned_elsewhere_still_arrives(
    pipe: tuple[int, UnblockedStream], tmp_path: Path
) -> None:
    """As it is while a library's own output is kept away: what is written meanwhile is not that library's."""
    reader, stream = pipe
    kept = os.dup(stream.fileno())
    with (tmp_path / "elsewhere").open("w") as elsewhere:
        os.dup2(elsewhere.fileno(), stream.fileno())
        stream.write("interrupted\n")
        assert drain(stream)
        os.dup2(kept, stream.fileno())
    os.close(kept)
    assert (tmp_path / "elsewhere").read_text() == ""
    os.set_blocking(reader, False)
    assert os.read(reader, 100) == b"interrupted\n"


def test_the_stream_is_as_before_once_everything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "file").open("w") as file:  # takes everything, always
        monkeypatch.setattr(sys, "stderr", file)
        with unblocked("stderr"):
            assert sys.stderr is file
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        with unblocked("stderr"):
            assert isinstance(sys.stderr, UnblockedStream)
            sys.stderr.write("soon\n")
        assert sys.stderr is stream
    assert os.read(reader, 100) == b"soon\n"
    os.close(reader)


def test_a_terminal_that_stops_reading_stops_no_run_and_a_signal_ends_it(tmp_path: Path) -> None:
    """The terminal's reader never reads: the view fills it within seconds. The run trades on, ends, and gives up."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    out = tmp_path / "out"
    process = subprocess.Popen(
        command("run", "--speed", "20", "--duration", "100000", "--out", out),
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40"},
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - one thread, in a test
    )
    try:
        termios.tcflow(follower, termios.TCOOFF)  # Ctrl-S
        until((out / "status.json").exists)
        times: set[int] = set()

        def goes_on() -> bool:
            """Five seconds' worth of status, one a second."""
            times.add(json.loads((out / "status.json").read_text())["symbols"][0]["time"])
            return len(times) == 5

        until(goes_on)
        process.send_signal(signal.SIGTERM)
        status = process.wait(timeout=PATIENCE)
    finally:
        process.kill()
        process.wait(timeout=PATIENCE)
        os.close(leader)
        os.close(follower)
    last = json.loads((out / "status.json").read_text())
    assert all(each["has_ended"] for each in last["symbols"])
    assert status == ExitCode.FAILURE  # the result could not be printed
