"""docs/live.md, as a reader follows it: an exchange in one process, the market maker in another; one is killed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mm_fsm.testing.rehearsal.judge import BalanceChanged, OrderAccepted, RehearsalLog
from mm_fsm.testing.rehearsal.log_file import read_log
from tests.cli.command_line import command
from tests.patience import PATIENCE, until

PAGE = (Path(__file__).parents[2] / "docs" / "live.md").read_text(encoding="utf-8")


@contextmanager
def rehearsal(place: Path) -> Iterator[dict[str, str]]:
    """An open exchange; the environment in which its clients run."""
    out = place / "rehearsal"
    process = subprocess.Popen(
        command("rehearse", "ETH/USDT", "--seed", 7, "--out", out),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        until((out / "endpoint.json").exists)
        yield {
            **os.environ,
            "MM_FSM_REHEARSAL": str(out / "endpoint.json"),
            "XDG_STATE_HOME": str(place / "state"),
        }
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)


def log_of(place: Path) -> RehearsalLog:
    return read_log(place / "rehearsal" / "log.jsonl")


def run(place: Path, environment: dict[str, str], *options: str) -> subprocess.Popen[str]:
    settings = place / "live.toml"
    block = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert block is not None
    settings.write_text(block[1] + "\n", encoding="utf-8")
    return subprocess.Popen(
        command("run", settings, "--quiet", "--out", place / "out", *options),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )


def test_the_walk_through_ends_with_an_empty_book(tmp_path: Path) -> None:
    with rehearsal(tmp_path) as environment:
        finished = run(tmp_path, environment, "--live", "--duration", "14s")
        text, _ = finished.communicate(timeout=PATIENCE)
        assert finished.returncode == 0, text
        assert "book confirmed empty" in text
        log = log_of(tmp_path)
        assert [*log.of(OrderAccepted)]
        assert log.open_orders() == ()
        assert log.post_only_takes() == ()
        assert log.first_order_unheard() is None
        assert_report_without_keys(tmp_path)


def assert_report_without_keys(place: Path) -> None:
    """The run has left figures of what the exchange took, and no file of it holds a key."""
    (market,) = json.loads((place / "out" / "report.json").read_text(encoding="utf-8"))["markets"]
    assert market["orders"]["acknowledged"] == len([*log_of(place).of(OrderAccepted)])
    assert market["fill_model"]["kind"] == "ccxt"
    endpoint = json.loads((place / "rehearsal" / "endpoint.json").read_text(encoding="utf-8"))
    keys = [value for name, value in endpoint.items() if "key" in name.lower() or "secret" in name.lower()]
    assert len(keys) >= 2
    for path in (place / "out").rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert not [key for key in keys if str(key).encode() in content], path


def test_real_orders_need_to_be_asked_for_twice(tmp_path: Path) -> None:
    with rehearsal(tmp_path) as environment:
        refused = run(tmp_path, environment, "--duration", "5s")
        text, _ = refused.communicate(timeout=PATIENCE)
        assert refused.returncode == 2, text
        assert "--live" in text
        assert [*log_of(tmp_path).of(OrderAccepted)] == []


def test_who_is_killed_finds_its_orders_again(tmp_path: Path) -> None:
    """SIGKILL with orders in the book: the next run, from the same journal, takes them out and knows its position."""
    with rehearsal(tmp_path) as environment:
        killed = run(tmp_path, environment, "--live")
        until(lambda: (tmp_path / "rehearsal" / "log.jsonl").exists() and bool(log_of(tmp_path).open_orders()))
        killed.kill()
        killed.communicate(timeout=PATIENCE)
        left = {order.client_order_id for order in log_of(tmp_path).open_orders()}
        assert left
        finished = run(tmp_path, environment, "--live", "--duration", "14s")
        text, _ = finished.communicate(timeout=PATIENCE)
        assert finished.returncode == 0, text
        log = log_of(tmp_path)
        assert log.open_orders() == ()
        assert log.duplicates() == {}
        start = next(entry for entry in log.of(BalanceChanged) if entry.currency == "ETH")
        position = 1 + log.balances()["ETH"] - start.free - start.locked
        found = re.search(r"position ([0-9.]+) ETH", text)
        assert found is not None
        assert float(found[1]) == float(position)
