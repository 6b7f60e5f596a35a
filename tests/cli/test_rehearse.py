"""``mm-fsm rehearse`` in a process of its own: found by its file, traded at, ended by a signal."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mm_fsm.testing.rehearsal.client import binance_from_environment
from mm_fsm.testing.rehearsal.endpoint import VARIABLE, Endpoint
from mm_fsm.testing.rehearsal.log_file import read_log
from tests.cli.command_line import TardisFiles, command, run, write_tardis
from tests.patience import PATIENCE, until

pytest.importorskip("ccxt", reason="needs the extra 'exchanges'")


@contextmanager
def rehearsing(directory: Path, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """The command, once its exchange is open; its output is still to be read."""
    process = subprocess.Popen(
        command("rehearse", "--out", directory, *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=directory,
    )
    try:
        until((directory / "endpoint.json").exists, process)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def ended(process: subprocess.Popen[str], number: signal.Signals = signal.SIGINT) -> tuple[int, str, str]:
    """Exit status, output and messages after a signal."""
    process.send_signal(number)
    output, messages = process.communicate(timeout=PATIENCE)
    return process.returncode, output, messages


async def traded(symbol: str) -> Any:
    """Place an order far from the market, with what the environment names."""
    client = binance_from_environment({"enableRateLimit": False, "number": str})
    try:
        ticker = await client.fetch_ticker(symbol)
        price = client.price_to_precision(symbol, float(ticker["bid"]) * 0.9)
        size = client.amount_to_precision(symbol, 50 / float(price))
        order = await client.create_order(symbol, "limit", "buy", size, price, {"postOnly": True})
        return order["clientOrderId"], await client.fetch_balance()
    finally:
        await client.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_is_found_traded_at_and_ended(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with rehearsing(tmp_path, "ETH/USDT", "SOL/USDT", "--balance", "USDT=500", "--json") as process:
        monkeypatch.setenv(VARIABLE, str(tmp_path / "endpoint.json"))
        client_id, balance = asyncio.run(traded("SOL/USDT"))
        assert float(balance["USDT"]["total"]) == 500
        status, output, messages = ended(process, number)
    summary = json.loads(output)
    assert (status, summary["open_orders"], summary["fills"]) == (0, [client_id], 0)
    assert f"export {VARIABLE}={tmp_path / 'endpoint.json'}" in messages
    assert "Traceback" not in messages
    assert [order.client_order_id for order in read_log(tmp_path / "log.jsonl").open_orders()] == [client_id]
    assert not (tmp_path / "endpoint.json").exists()


def test_its_key_is_for_its_owners_eyes_only(tmp_path: Path) -> None:
    with rehearsing(tmp_path) as process:
        file = tmp_path / "endpoint.json"
        assert file.stat().st_mode & 0o077 == 0
        endpoint = Endpoint.load(file)
        assert endpoint.secret not in repr(endpoint)
        assert ended(process)[0] == 0


def test_a_recorded_market_is_rehearsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The preset that fits the recording gives the rules; the first book is the recording's first one."""
    files: TardisFiles = write_tardis(tmp_path, seconds=5)
    first = files.quotes.read_text(encoding="utf-8").splitlines()[1].split(",")
    options = ("--recording", files.quotes, "--recording", files.trades, "--speed", "0.001")
    with rehearsing(tmp_path, *options) as process:
        monkeypatch.setenv(VARIABLE, str(tmp_path / "endpoint.json"))

        async def asked() -> Any:
            client = binance_from_environment({"number": str})
            try:
                return await client.fetch_ticker("ETH/USD")
            finally:
                await client.close()

        ticker = asyncio.run(asked())
        assert (float(ticker["ask"]), float(ticker["bid"])) == (float(first[5]), float(first[6]))
        assert ended(process)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["eth/usdt"], "BASE/QUOTE"),
        (["--faults", "none.toml"], "a TOML file"),
        (["--balance", "USDT"], "CURRENCY=AMOUNT"),
        (["--balance", "USDT=-1"], "at least 0"),
        (["--maker-bps", "x"], "expected a number"),
        (["--recording", "none.csv"], "none.csv"),
        (["--speed", "0"], "above 0"),
    ],
)
def test_what_is_wrong_is_refused_in_one_line(arguments: list[str], expected: str, tmp_path: Path) -> None:
    finished = run("rehearse", "--out", tmp_path, *arguments)
    assert finished.status == 2
    assert expected in " ".join(finished.messages.split())
    assert not (tmp_path / "endpoint.json").exists()


def test_a_directory_that_cannot_be_written_to_is_told_as_one_and_not_as_a_port(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    finished = run("rehearse", "--out", tmp_path / "file" / "run")
    assert finished.status == 2
    assert "expected a directory that can be written to, found 'Not a directory'" in " ".join(finished.messages.split())


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with rehearsing(tmp_path) as process:
        port = Endpoint.load(tmp_path / "endpoint.json").port
        finished = run("rehearse", "--port", port, "--out", tmp_path / "second")
        assert finished.status == 2
        expected = f"option '--port': expected one that can be listened on, found '{port}: "
        assert expected in " ".join(finished.messages.split())
        ended(process)
