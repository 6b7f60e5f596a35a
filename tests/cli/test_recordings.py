"""Recordings on the command line: what is forgiven, shown and refused, and what ``convert`` writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command_line import Finished, TardisFiles, run, write_settings, write_tardis
from tests.runtime.settings_texts import MARKET, market_entry, with_line


def backtest(files: TardisFiles, folder: Path, *options: object) -> Finished:
    return run("backtest", *files.options, "--json", "-q", "--no-journal", "--out", folder / "out", *options)


def crossed(files: TardisFiles, rows: int) -> None:
    """Cross some rows of the quotes, from the fortieth on."""
    lines = files.quotes.read_text().splitlines()
    for place in range(40, 40 + rows):
        fields = lines[place].split(",")
        lines[place] = ",".join([*fields[:6], "9999.99", fields[7]])
    files.quotes.write_text("\n".join(lines) + "\n")


def test_what_was_passed_over_is_in_the_result_and_said(tmp_path: Path) -> None:
    files = write_tardis(tmp_path, seconds=120)
    crossed(files, 1)
    finished = backtest(files, tmp_path)
    assert finished.status == 0
    (entry,) = finished.json()["symbols"]
    figures = entry["recording"]
    assert figures["passed_over"] == {"crossed": 1}
    assert figures["books"] + figures["trades"] == figures["rows"] - 1 == entry["events"]
    assert (figures["exchange"], figures["symbol"], figures["order"]) == ("gemini", "ETHUSD", "received")
    assert "1 crossed" in finished.messages
    (written,) = json.loads((tmp_path / "out" / "result.json").read_text())["symbols"]
    assert written["recording"] == figures


def test_leniencies_are_options_and_settings(tmp_path: Path) -> None:
    """Five of some 250 rows: refused by default, by either way allowed, and refused for one by either way."""
    files = write_tardis(tmp_path, seconds=120)
    crossed(files, 5)
    assert backtest(files, tmp_path).status == 2
    assert backtest(files, tmp_path, "--max-passed-over", "0.1").status == 0
    allowing = write_settings(tmp_path, with_line("reading", "max_passed_over = 0.1"), "allowing.toml")
    assert backtest(files, tmp_path, "--settings", allowing).status == 0
    finished = backtest(files, tmp_path, "--settings", allowing, "--refuse", "crossed")
    assert finished.status == 2
    assert "the book is crossed" in finished.messages
    refusing = with_line("reading", 'max_passed_over = 0.1\nrefuse = ["crossed"]')
    assert backtest(files, tmp_path, "--settings", write_settings(tmp_path, refusing, "refusing.toml")).status == 2


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["--refuse", "crosed"], "crossed"),
        (["--order", "sideways"], "received"),
        (["--max-passed-over", "2"], "max-passed-over"),
        (["--reorder-window", "-1"], "reorder-window"),
        (["--symbol", "BTCUSD"], "BTCUSD"),
    ],
)
def test_options_that_cannot_be_are_refused_in_words(tmp_path: Path, options: list[str], part: str) -> None:
    finished = backtest(write_tardis(tmp_path, seconds=5), tmp_path, *options)
    assert finished.status == 2
    assert part in finished.messages


def test_rows_may_be_replayed_by_either_clock(tmp_path: Path) -> None:
    """Received in order, every tenth row sent 0.4 s before the one ahead of it."""
    files = write_tardis(tmp_path, seconds=60)
    lines = files.quotes.read_text().splitlines()
    for place in range(10, len(lines), 10):
        fields = lines[place].split(",")
        lines[place] = ",".join([*fields[:2], str(int(fields[2]) - 1_400_000), *fields[3:]])
    files.quotes.write_text("\n".join(lines) + "\n")
    received = backtest(files, tmp_path)
    assert (received.status, received.json()["symbols"][0]["recording"]["passed_over"]) == (0, {})
    assert backtest(files, tmp_path, "--order", "exchange").status == 2
    wide = backtest(files, tmp_path, "--order", "exchange", "--reorder-window", "2")
    assert (wide.status, wide.json()["symbols"][0]["recording"]["order"]) == (0, "exchange")


def test_swapped_files_are_read_as_what_they_are_and_named(tmp_path: Path) -> None:
    files = write_tardis(tmp_path, seconds=30)
    swapped = TardisFiles(files.trades, files.quotes)
    finished = backtest(swapped, tmp_path)
    assert finished.status == 0
    assert "trades.csv was given as quotes and is read as what it is: tardis trades" in finished.messages


def test_several_days_and_symbols_run_at_once_in_time_order(tmp_path: Path) -> None:
    """Two markets, one of them in two files given in the wrong order."""
    (tmp_path / "eth").mkdir()
    (tmp_path / "btc").mkdir()
    eth = write_tardis(tmp_path / "eth", seconds=60)
    btc = write_tardis(tmp_path / "btc", seconds=60, exchange="gemini", symbol="BTCUSD")
    lines = eth.quotes.read_text().splitlines()
    half = len(lines) // 2
    first, second = tmp_path / "1.csv", tmp_path / "2.csv"
    first.write_text("\n".join(lines[:half]) + "\n")
    second.write_text("\n".join([lines[0], *lines[half:]]) + "\n")
    settings = write_settings(tmp_path, market_entry("ETH/USD") + market_entry("BTC/USD"))
    files = (second, eth.trades, btc.trades, first, btc.quotes)
    options = ("--settings", settings, "--json", "-q", "--no-journal", "--out", tmp_path / "out")
    finished = run("backtest", *files, *options)
    assert finished.status == 0
    entries = {entry["symbol"]: entry for entry in finished.json()["symbols"]}
    assert entries.keys() == {"ETH/USD", "BTC/USD"}
    alone = run("backtest", *eth.options, *options).json()["symbols"][0]
    assert entries["ETH/USD"]["orders"] == alone["orders"]
    assert entries["ETH/USD"]["net_pnl"] == alone["net_pnl"]
    only = run("backtest", *files, "--symbol", "BTCUSD", *options)
    assert [entry["symbol"] for entry in only.json()["symbols"]] == ["BTC/USD"]


def capture(path: Path, kind: str | None) -> Path:
    """A capture of Binance's streams: a book four times a second, and a trade of each where there is a kind."""
    lines = []
    for number in range(1, 200):
        stamp = 1_735_800_000_000 + number * 250
        book = {
            "e": "bookTicker",
            "u": number,
            "s": "BTCUSDT",
            "b": "64000.00",
            "B": "2.5",
            "a": "64000.10",
            "A": "3.5",
        }
        messages = [("bookTicker", book)]
        if kind is not None:
            fields = {"t" if kind == "trade" else "a": number, "p": "64000.00", "q": "0.5", "m": True}
            messages.append((kind, {"e": kind, "s": "BTCUSDT", **fields}))
        for stream, data in messages:
            body = {"stream": f"btcusdt@{stream}", "data": {**data, "T": stamp, "E": stamp}}
            lines.append(f"{stamp}000000 {json.dumps(body)}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(("kind", "trades"), [("trade", 199), ("aggTrade", 199), (None, 0)])
def test_trades_are_never_silently_missing(tmp_path: Path, kind: str | None, trades: int) -> None:
    options = ("--json", "-q", "--no-journal", "--out", tmp_path / "out")
    finished = run("backtest", "--capture", capture(tmp_path / "c", kind), *options)
    assert finished.status == 0
    assert finished.json()["symbols"][0]["recording"]["trades"] == trades
    assert ("the recording has no trades" in finished.messages) == (not trades)


@pytest.mark.parametrize("form", ["parquet", "tardis", "binance-public", "binance-stream", "hftbacktest"])
def test_what_is_converted_can_be_traded_on(tmp_path: Path, form: str) -> None:
    files = write_tardis(tmp_path, seconds=60)
    finished = run("convert", files.quotes, files.trades, "--to", form, "--out", tmp_path / "converted", "--json")
    assert finished.status == 0
    (entry,) = finished.json()["recordings"]
    assert entry["books"] + entry["trades"] == entry["rows"]
    settings = write_settings(tmp_path, MARKET)
    options = ("--settings", settings, "--symbol", "ETHUSD", "--json", "-q", "--no-journal", "--out", tmp_path / "out")
    again = run("backtest", *entry["files"], *options)
    assert again.status == 0
    assert again.json()["symbols"][0]["recording"]["trades"] == entry["trades"]
    assert form in again.json()["symbols"][0]["recording"]["formats"]


def test_converting_says_what_it_did(tmp_path: Path) -> None:
    files = write_tardis(tmp_path, seconds=10)
    finished = run("convert", files.quotes, files.trades, "--out", tmp_path / "converted")
    assert finished.status == 0
    assert "-> " in finished.output
    assert (tmp_path / "converted" / "ETHUSD.parquet").is_file()


def test_a_recording_that_is_refused_is_not_converted(tmp_path: Path) -> None:
    files = write_tardis(tmp_path, seconds=60)
    crossed(files, 5)
    finished = run("convert", files.quotes, files.trades, "--out", tmp_path / "converted")
    assert finished.status == 2
    assert list((tmp_path / "converted").iterdir()) == []


def test_a_doubted_row_is_as_if_it_were_not_there(tmp_path: Path) -> None:
    """One row of ten times the price in the midst of quotes; one print at half the price in the midst of trades."""
    measured = {"wall_seconds", "events_per_second", "computing_seconds", "budget_breaches", "recording"}

    def traded(files: TardisFiles) -> tuple[dict[str, object], dict[str, int]]:
        (entry,) = backtest(files, tmp_path).json()["symbols"]
        kept = {name: value for name, value in entry.items() if name not in measured}
        return kept, entry["recording"]["passed_over"]

    files = write_tardis(tmp_path, seconds=120)
    clean = traded(files)
    quotes, trades = files.quotes.read_text().splitlines(), files.trades.read_text().splitlines()
    row = quotes[100].split(",")
    high = ",".join([*row[:5], str(float(row[5]) * 10), str(float(row[6]) * 10), row[7]])
    files.quotes.write_text("\n".join([*quotes[:101], high, *quotes[101:]]) + "\n")
    assert traded(files) == (clean[0], {"far book": 1})
    files.quotes.write_text("\n".join(quotes) + "\n")
    row = trades[5].split(",")
    low = ",".join([*row[:4], "odd", "sell", str(float(row[6]) / 2), "1"])
    files.trades.write_text("\n".join([*trades[:6], low, *trades[6:]]) + "\n")
    assert traded(files) == (clean[0], {"far print": 1})
