"""How a process leaves: real signals to real processes, and what exit status and last line say of it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from mm_fsm.runtime.journal import JournalReader, verify_run
from tests.cli.command_line import command, run, write_settings
from tests.patience import PATIENCE
from tests.runtime.settings_texts import MARKET, with_line

CONFIRMED = re.compile(r"ETH/USD: book confirmed empty; position [\d.]+ ETH, ([-+][\d.]+ off target|at its target)")
AN_HOUR = ("--duration", "3600", "--speed", "1", "--out", "out")
"""Of real time: it ends only because it is told to."""


@contextmanager
def started(directory: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A process of its own without a terminal, killed if a test fails before it has ended."""
    with subprocess.Popen(
        command(*arguments), cwd=directory, env=dict(os.environ),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def wait_for(process: subprocess.Popen[str], word: str) -> None:
    """Read what the process says until a line has ``word``."""
    assert process.stderr is not None
    assert any(word in line for line in process.stderr)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("journal", ["--journal", "--no-journal"])
def test_before_the_first_quote_a_signal_ends_in_order(tmp_path: Path, number: signal.Signals, journal: str) -> None:
    """At the pace of the clock, warming up: the last line of the output says how the market was left."""
    write_settings(tmp_path, MARKET)
    with started(tmp_path, "run", "settings.toml", *AN_HOUR, journal) as process:
        wait_for(process, "session_opened")
        process.send_signal(number)
        output, messages = process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + number
    assert CONFIRMED.fullmatch(output.splitlines()[-1])
    assert f"interrupted by {number.name}" in messages
    assert "Traceback" not in messages
    assert (tmp_path / "out" / "result.json").is_file()


def test_while_quotes_are_live_a_signal_cancels_and_confirms_them(tmp_path: Path) -> None:
    """The journal says when: it ends with every order gone, and replays. With --json the last line is a message."""
    write_settings(tmp_path, MARKET)
    journal = tmp_path / "out" / "ETH-USD" / "run.journal"
    with started(
        tmp_path, "run", "settings.toml", "--duration", "3600", "--speed", "50", "--json", "--out", "out"
    ) as process:
        wait_for(process, "session_opened")
        wait_for_record(journal, "PlaceOrder")
        process.send_signal(signal.SIGTERM)
        output, messages = process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + signal.SIGTERM
    (entry,) = json.loads(output)["symbols"]
    assert entry["outcome"] == "completed"
    assert entry["orders"]["placed"] > 0
    assert entry["ending"]["is_book_confirmed_empty"]
    assert entry["ending"]["unconfirmed"] == []
    last = CONFIRMED.fullmatch(messages.splitlines()[-1])
    assert last is not None
    position = Decimal(entry["ending"]["position"])
    assert f"position {position} ETH" in last[0]
    assert verify_run(journal).is_clean


def wait_for_record(journal: Path, word: str) -> None:
    """Look into the journal until a record's intents have ``word``."""
    while True:
        if not journal.exists():
            continue
        with JournalReader(journal) as reader:
            rows = [row for segment in reader.segments for row in reader.rows(segment)]
        if any(word in (getattr(row, "intents", None) or "") for row in rows):
            return


def test_a_second_signal_leaves_and_names_the_orders_that_may_be_open(tmp_path: Path) -> None:
    """The venue takes its time, five seconds there and five back: 4, and the orders' ids on the last line."""
    slow = with_line("strategy", "request_timeout_seconds = 600")
    slow += "[paper]\norder_latency_seconds = 5\nresponse_latency_seconds = 5\n"
    write_settings(tmp_path, slow)
    journal = tmp_path / "out" / "ETH-USD" / "run.journal"
    with started(tmp_path, "run", "settings.toml", "--duration", "3600", "--speed", "5", "--out", "out") as process:
        wait_for(process, "session_opened")
        wait_for_record(journal, "PlaceOrder")
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)  # of one kind two at once would be one
        output, messages = process.communicate(timeout=PATIENCE)
    assert process.returncode == 4
    assert "again" in messages
    last = output.splitlines()[-1]
    assert last.startswith("ETH/USD: BOOK NOT CONFIRMED EMPTY")
    assert re.search(r"orders? may be open: mm-000001-000002-\d+", last)
    (entry,) = json.loads((tmp_path / "out" / "result.json").read_text())["symbols"]
    assert entry["outcome"] == "unfinished"
    assert all(order in last for order in entry["ending"]["unconfirmed"])


def test_flatten_winds_the_position_down(tmp_path: Path) -> None:
    write_settings(tmp_path, MARKET)
    journal = tmp_path / "out" / "ETH-USD" / "run.journal"
    with started(
        tmp_path, "run", "settings.toml", "--duration", "90000", "--flatten", "--json", "--out", "out"
    ) as process:
        wait_for(process, "session_opened")
        wait_for_record(journal, "PlaceOrder")
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + signal.SIGINT
    (entry,) = json.loads(output)["symbols"]
    assert abs(Decimal(entry["ending"]["offset"])) < Decimal("0.001")  # the venue's smallest order
    assert verify_run(journal).is_clean


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_verify_can_be_interrupted_at_any_time(tmp_path: Path, number: signal.Signals) -> None:
    """It writes nothing, so it just ends, without a word; the signal comes while it loads or replays."""
    write_settings(tmp_path, MARKET)
    assert run("run", tmp_path / "settings.toml", "--duration", 900, "-q", "--out", tmp_path / "out").status == 0
    program = (
        "import os, signal, mm_fsm.runtime.journal.verification as v\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell's background jobs ignore it
        "from mm_fsm.cli import main\n"
        "step = v._Verification._step\n"
        f"v._Verification._step = lambda *a: (os.kill(os.getpid(), {int(number)}), step(*a))[1]\n"
        "main()\n"
    )
    argv = command("verify", str(tmp_path / "out"))
    finished = subprocess.run([argv[0], "-c", program, *argv[3:]], capture_output=True, text=True, check=False)
    assert finished.returncode == 128 + number
    assert "Traceback" not in finished.stderr
    assert not finished.stdout


def test_a_report_ends_with_the_same_line(tmp_path: Path) -> None:
    settings = write_settings(tmp_path, MARKET)
    first = run("run", settings, "--duration", 20, "--out", tmp_path / "out")
    again = run("report", tmp_path / "out")
    assert CONFIRMED.fullmatch(first.output.splitlines()[-1])
    assert again.output.splitlines()[-1] == first.output.splitlines()[-1]


def test_the_result_of_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text('{"symbols": [{"symbol": "ETH/USD"}]}')
    finished = run("report", tmp_path)
    assert finished.status == 2
    assert "the result of this version" in finished.messages
