"""Keys are read without waiting, and the terminal is as it was afterwards: after an exception and a signal too."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from mm_fsm.cli.keys import Keys
from tests.patience import PATIENCE, until

ROOT = Path(__file__).parents[2]
PROGRAM = """
    import os, signal, sys
    for number in (signal.SIGHUP, signal.SIGQUIT):  # whoever runs the tests in the background has them ignored
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    from mm_fsm.cli.keys import Keys
    def say(text): os.write(2, (text + "\\n").encode())
    with Keys(on_leaving=lambda: say("leaving")) as keys:
        say(f"ready {keys.are_read}")
        found = ""
        while "q" not in found:
            found += keys.pressed()
            if "x" in found:
                raise RuntimeError("as wished")
            if "w" in found:
                say(f"pressed {found}")
                found = ""
    say("over")
"""

SHELL = """
    import os, sys
    program = os.fork()
    if not program:
        os.setpgid(0, 0)
        os.read(int(sys.argv[2]), 1)
        os.execv(sys.executable, [sys.executable, "-c", sys.argv[1]])
    os.tcsetpgrp(0, program) if not os.setpgid(program, program) else None
    os.write(int(sys.argv[3]), b"g")
    os.waitpid(program, os.WUNTRACED)
    os.write(2, f"stopped {program}\\n".encode())
    os.waitpid(program, 0)
"""
"""What a shell does: a program in a group of its own in front, and a word when it has been stopped."""


def flags(descriptor: int) -> tuple[bool, bool]:
    """Whether lines are edited, and keys echoed."""
    local = termios.tcgetattr(descriptor)[3]
    return bool(local & termios.ICANON), bool(local & termios.ECHO)


class Terminal:
    """A program in the foreground of a terminal of its own."""

    def __init__(self, *arguments: str) -> None:
        self.leader, self.follower = os.openpty()
        self.errors, write = os.pipe()
        follower = self.follower
        self.process = subprocess.Popen(
            [sys.executable, "-c", *(map(dedent, arguments) if arguments else (dedent(PROGRAM),))],
            stdin=follower,
            stderr=write,
            cwd=ROOT,
            start_new_session=True,
            close_fds=False,
            preexec_fn=lambda: _control(follower),  # noqa: PLW1509 - one thread, in a test
        )
        os.close(write)

    def press(self, keys: str) -> None:
        os.write(self.leader, keys.encode())

    def told(self, text: str) -> str:
        """Everything that it said, once it has said ``text``."""
        found = ""
        while text not in found:
            part = os.read(self.errors, 4096)
            assert part, found
            found += part.decode()
        return found

    def close(self) -> None:
        self.process.kill()
        self.process.wait(timeout=PATIENCE)
        for descriptor in (self.leader, self.follower, self.errors):
            os.close(descriptor)


def _control(follower: int) -> None:
    """Make a terminal the one that controls this session."""
    import fcntl

    fcntl.ioctl(follower, termios.TIOCSCTTY, 0)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    opened = Terminal()
    yield opened
    opened.close()


def test_keys_are_read_singly_and_not_echoed_while_they_are_wanted(terminal: Terminal) -> None:
    assert flags(terminal.follower) == (True, True)
    assert "ready True" in terminal.told("ready")
    assert flags(terminal.follower) == (False, False)
    terminal.press("nw")
    terminal.told("pressed nw")
    terminal.press("q")
    terminal.told("over")
    assert terminal.process.wait(timeout=PATIENCE) == 0
    assert flags(terminal.follower) == (True, True)


def test_an_exception_leaves_the_terminal_as_it_was(terminal: Terminal) -> None:
    terminal.told("ready")
    terminal.press("x")
    assert terminal.process.wait(timeout=PATIENCE) == 1
    assert flags(terminal.follower) == (True, True)


@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGHUP, signal.SIGINT])
def test_a_signal_that_ends_the_program_leaves_the_terminal_as_it_was(terminal: Terminal, number: int) -> None:
    terminal.told("ready")
    os.kill(terminal.process.pid, number)
    status = terminal.process.wait(timeout=PATIENCE)
    assert status in {-number, 128 + number}
    assert flags(terminal.follower) == (True, True)


def test_a_suspended_program_gives_the_terminal_back_and_takes_it_again() -> None:
    """As Ctrl-Z and fg do, with what does a shell's part."""
    gate, opener = os.pipe()
    for end in (gate, opener):
        os.set_inheritable(end, True)
    terminal = Terminal(SHELL, PROGRAM, str(gate), str(opener))
    try:
        terminal.told("ready True")
        terminal.press("\x1a")
        stopped = int(terminal.told("stopped").rpartition("stopped ")[2])
        assert flags(terminal.follower) == (True, True)
        os.kill(stopped, signal.SIGCONT)
        until(lambda: flags(terminal.follower) == (False, False))
        terminal.press("w")
        terminal.told("pressed w")
        os.kill(stopped, signal.SIGKILL)
    finally:
        terminal.close()
        os.close(gate)
        os.close(opener)


def test_without_a_terminal_there_are_no_keys_and_nothing_is_touched() -> None:
    read, write = os.pipe()
    try:
        os.write(write, b"w")
        with Keys(read) as keys:
            assert not keys.are_read
            assert keys.pressed() == ""
        assert os.read(read, 9) == b"w"
    finally:
        os.close(read)
        os.close(write)


def test_a_terminal_of_another_job_is_not_touched() -> None:
    """A process in the background that reads a terminal, or sets its mode, is stopped by the system."""
    leader, follower = os.openpty()
    try:
        os.write(leader, b"w\n")
        with Keys(follower) as keys:
            assert not keys.are_read
            assert keys.pressed() == ""
            assert flags(follower) == (True, True)
    finally:
        os.close(leader)
        os.close(follower)
