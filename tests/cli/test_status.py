"""``mm-fsm status``: another process says at a glance what a run is doing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from time import time
from typing import Any

import pytest

from mm_fsm.report.status import STATUS_FILE
from mm_fsm.runtime.operations import ENDED, OperationsDirectory
from tests.cli.command_line import run


def made(directory: Path) -> Path:
    assert run("run", "--duration", "100", "--out", directory, "-q", "--no-journal").status == 0
    return directory


def edit(directory: Path, **changes: object) -> None:
    path = directory / STATUS_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_run_that_has_ended_says_how_it_was_left(tmp_path: Path) -> None:
    directory = made(tmp_path / "run")
    ended = run("status", directory)
    assert ended.status == 0
    assert "ETH/USD COMPLETED: ended" in ended.output
    assert "in order: the session's time is over" in ended.output
    assert "  orders    none is open: the venue's book was confirmed empty" in ended.output
    assert "has ended at 20" in " ".join(ended.output.split())
    assert "nothing is left at any exchange" in ended.messages
    assert json.loads(run("status", directory, "--json").output)["is_running"] is False


def with_a_silent_market(directory: Path) -> list[dict[str, Any]]:
    """The first market as of a live venue, with one open order, and silent because market data is too old."""
    first, *others = json.loads((directory / STATUS_FILE).read_text())["symbols"]
    side = {
        **first["sides"]["bid"], "is_live": False, "reason": "stale_data", "why": "market data is too old",
        "detail": "older than 2 s", "doing": "quotes are cancelled; quoting goes on with fresh data", "until": None,
        "since": first["time"] - 70 * 10**9, "last_live_at": None,
    }  # fmt: skip
    ending = {
        **first["ending"], "outcome": "unfinished", "at": None, "is_book_confirmed_empty": False, "unconfirmed": ["a1"],
    }  # fmt: skip
    silent = {
        **first, "has_real_orders": True, "has_ended": False, "state": "idle", "sides": {"bid": side, "ask": side},
        "stopping": None, "ending": ending,
    }  # fmt: skip
    return [silent, *others]


def test_a_run_that_goes_on_says_why_a_side_is_silent_and_how_it_was_left_once_its_process_is_gone(
    tmp_path: Path,
) -> None:
    """Without a word of its end orders may be open, and the status is 1."""
    directory = made(tmp_path / "run")
    (directory / ENDED).unlink()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        edit(directory, is_running=True, process=process.pid, symbols=with_a_silent_market(directory))
        OperationsDirectory(directory).beat()
        running = run("status", directory)
        edit(directory, written_at=time() - 26)
        hanging = run("status", directory)
    assert running.status == 0
    assert "ETH/USD IDLE: silent: market data is too old" in running.output
    assert "  ask       held for 1:10: market data is too old (older than 2 s)" in running.output
    assert "  doing     quotes are cancelled; quoting goes on with fresh data" in running.output
    assert hanging.status == 1
    assert "is silent and may hang; this is from 26." in " ".join(hanging.output.split())
    assert "it may hang. Look at it" in " ".join(hanging.messages.split())

    gone = run("status", directory)
    edit(directory, is_running=False, error="VenueError")
    left = run("status", directory)
    assert (gone.status, left.status) == (1, 1)
    assert "orders    open when it last said something: 1 (a1)" in gone.output
    assert "was left before it ended" in gone.output
    assert "Orders may still be open" in gone.messages
    assert "has left markets before they ended" in " ".join(left.output.split())
    assert ", by an error: VenueError" in left.output
    assert "orders    may still be open: 1 (a1)" in left.output
    assert "Orders may still be open" in left.messages


def test_a_status_that_lacks_something_is_refused_as_a_file_and_without_a_traceback(tmp_path: Path) -> None:
    directory = made(tmp_path / "run")
    entries = json.loads((directory / STATUS_FILE).read_text())["symbols"]
    del entries[0]["sides"]["ask"]["is_live"]
    edit(directory, symbols=entries)
    finished = run("status", directory)
    assert finished.status == 2
    assert "expected a whole status, found 'symbols[0].sides.ask.is_live is" in " ".join(finished.messages.split())


@pytest.mark.parametrize(
    ("fills", "interval", "told"),
    [
        (0, None, None),
        (4, [-110.26, 101.65], "fills judged so far: 4; too few to say"),
        (29, [-9.0, 1.0], "fills judged so far: 29; too few to say"),
        (40, None, "fills judged so far: 40; too few to say"),
        (
            30,
            [-9.0, 1.0],
            (
                "fills judged so far: 30; as the machine judges it, recent fills counting more, "
                "net of fees after 30 s, bps: -4.31 (-9.00 to +1.00)"
            ),
        ),
    ],
)
def test_what_fills_earn_is_said_once_there_are_enough(
    tmp_path: Path, fills: int, interval: list[float] | None, told: str | None
) -> None:
    """As many as adverse selection is judged by: 30, unless settings say otherwise."""
    directory = made(tmp_path / "run")
    (first, *_) = json.loads((directory / STATUS_FILE).read_text())["symbols"]
    edge = {
        **first["quote_edge"], "fills": fills, "net_bps": -4.31 if fills else None, "net_interval_bps": interval,
        "widening_bps": 0.0,
    }  # fmt: skip
    assert edge["minimum_fills"] == 30
    edit(directory, symbols=[{**first, "quote_edge": edge}])
    shown = run("status", directory).output
    assert " quotes, net" not in shown
    if told is None:
        assert "judged" not in shown
    else:
        assert f" edge {told} " in f"{' '.join(shown.split())} "


def test_a_place_without_a_run_is_refused(tmp_path: Path) -> None:
    finished = run("status", tmp_path)
    assert finished.status == 2
    assert finished.messages.startswith("mm-fsm: file ")
