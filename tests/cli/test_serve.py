"""``mm-fsm serve``: a process of its own shows a run, and what it is asked reaches the run."""

from __future__ import annotations

import http.client
import json
import os
import re
import select
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mm_fsm.report.status import STATUS_FILE
from tests.cli.command_line import command
from tests.cli.test_operating import running
from tests.patience import PATIENCE, until

TOKEN = "0123456789abcdef0123456789abcdef"


@contextmanager
def serving(*arguments: object) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A server, once it says where it listens, and its port."""
    process = subprocess.Popen(command("serve", *arguments), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        told = process.stderr.readline()
        assert "is shown at http://127.0.0.1:" in told, told
        yield (
            process,
            int(told.rpartition("127.0.0.1:")[2].rstrip("/\n")),
        )  # the address ends the line, so that it can be clicked
    finally:
        process.kill()
        process.communicate()


def ask(port: int, method: str, path: str, content: Any = None) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    connection.request(method, path, None if content is None else json.dumps(content), headers)
    told: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    return told


def test_a_run_is_shown_paused_resumed_and_stopped(tmp_path: Path) -> None:
    """The token is in no file of the run, and in nothing that either process says."""
    file = tmp_path / "token"
    file.write_text(TOKEN)
    file.chmod(0o600)
    out = tmp_path / "out"
    with running(tmp_path) as trading, serving(out, "--token-file", file) as (server, port):
        until((out / STATUS_FILE).exists, trading)
        shown = ask(port, "GET", "/api/status")
        assert (shown["condition"], shown["may_control"]) == ("running", True)
        mine = {"run": shown["run"], "reason": "figures"}

        def pauses() -> set[str | None]:
            status = json.loads((out / STATUS_FILE).read_text())
            return {market["pause"] for market in status["symbols"]}

        ask(port, "POST", "/api/pause", mine)
        until(lambda: pauses() == {"served page: figures"}, trading)
        held = ask(port, "GET", "/api/status")["markets"][0]
        assert held["headline"] == "silent: an operator paused quoting"
        ask(port, "POST", "/api/resume", mine)
        until(lambda: pauses() == {None}, trading)
        assert "will be stopped" in ask(port, "POST", "/api/stop", mine)["words"]
        output, messages = trading.communicate(timeout=PATIENCE)
        assert trading.returncode == 0, messages
        assert '"is_book_confirmed_empty": true' in output
        assert ask(port, "GET", "/api/status")["condition"] == "ended"
        server.send_signal(signal.SIGINT)
        told = server.communicate(timeout=PATIENCE)
        assert server.returncode == 0
    assert TOKEN not in "".join((output, messages, *told))
    assert not [path for path in out.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo-terminal")
def test_a_terminal_is_told_a_token_once(tmp_path: Path) -> None:
    """Printed on the terminal alone: with ``--control`` and without a terminal it is refused (``test_exit_codes``)."""
    leader, follower = os.openpty()
    process = subprocess.Popen(
        command("serve", tmp_path, "--control"), stderr=follower, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
    )
    os.close(follower)
    try:
        told = b""
        while (found := re.search(rb"lives:\s+(\S{40,})\s", told)) is None:
            assert select.select([leader], [], [], 60)[0], told
            told += os.read(leader, 4096)
        assert told.count(found[1]) == 1
    finally:
        process.terminate()
        output, _ = process.communicate(timeout=PATIENCE)
        os.close(leader)
    assert process.returncode == 0
    assert output == b""
