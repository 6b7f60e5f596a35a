"""A run in a terminal of its own: the view is drawn, a key answered, Ctrl-C ends it, and the terminal is as before."""

from __future__ import annotations

import fcntl
import os
import re
import select
import struct
import subprocess
import termios
from pathlib import Path

from tests.cli.command_line import command
from tests.cli.test_keys import flags
from tests.patience import PATIENCE

COLUMNS, ROWS = 60, 24
SIZES = ("COLUMNS", "LINES")
"""Variables that would say another size than the terminal's."""


def test_a_run_is_watched_asked_and_ended(tmp_path: Path) -> None:
    leader, follower = os.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))

    def control() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        command("run", "--speed", "20", "--duration", "100000", "--out", tmp_path / "out"),
        stdin=follower,
        stdout=subprocess.PIPE,
        stderr=follower,
        env={name: text for name, text in os.environ.items() if name not in SIZES} | {"TERM": "xterm-256color"},
        start_new_session=True,
        preexec_fn=control,  # noqa: PLW1509 - one thread, in a test
    )
    seen = ""

    def until(text: str) -> None:
        nonlocal seen
        while text not in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen):
            assert select.select([leader], [], [], 90)[0], seen[-2000:]
            seen += os.read(leader, 65536).decode(errors="replace")

    try:
        until("w: why?")
        assert flags(follower) == (False, False)
        os.write(leader, b"w")
        until("space: read on")
        until("as it was when the key was pressed")
        os.write(leader, b"w\x03")
        until("interrupted by SIGINT")
        until("every figure")  # the last that goes to the terminal
        output, _ = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
        process.wait(timeout=PATIENCE)
    assert process.returncode == 130
    assert b"book confirmed empty" in output
    assert flags(follower) == (True, True)
    assert seen.rindex("\x1b[?25h") > seen.rindex("\x1b[?25l")  # the cursor shows again
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen)
    frames = [line for line in re.split(r"[\r\n]+", plain) if line.startswith(("╭", "│", "╰"))]
    assert frames
    assert {len(line) for line in frames} <= {COLUMNS}
    os.close(leader)
    os.close(follower)
