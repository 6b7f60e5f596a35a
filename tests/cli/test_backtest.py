"""``mm-fsm backtest``: recorded markets, the preset that fits them, and what is refused."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command_line import TardisFiles, run, write_settings, write_tardis
from tests.runtime.settings_texts import MARKET, market_entry


@pytest.mark.smoke
def test_the_preset_that_fits_is_used_and_named(tmp_path: Path) -> None:
    files = write_tardis(tmp_path)
    finished = run("backtest", *files.options, "--json", "--quiet", "--out", tmp_path / "out")
    assert finished.status == 0
    (entry,) = finished.json()["symbols"]
    assert (entry["symbol"], entry["preset"]) == ("ETH/USD", "gemini_ethusd")
    assert "gemini_ethusd" in finished.messages
    rows = len(files.quotes.read_text().splitlines()) + len(files.trades.read_text().splitlines())
    assert entry["events"] == rows - 2  # two header lines
    assert entry["outcome"] == "completed"
    assert entry["pnl_identity_gap"] == "0"
    assert entry["state_seconds"]["monitoring_orders"] > 0


def test_without_trades_it_says_that_hardly_anything_can_be_filled(tmp_path: Path) -> None:
    files = write_tardis(tmp_path, seconds=5)
    said = [
        "no trades were given" in run("backtest", *options, "-q", "--out", tmp_path / "out").messages
        for options in (("--quotes", files.quotes), files.options)
    ]
    assert said == [True, False]


def test_a_recording_gives_the_same_result_twice_and_on_either_executor(tmp_path: Path) -> None:
    files = write_tardis(tmp_path)
    measured = {"wall_seconds", "events_per_second", "computing_seconds", "budget_breaches"}
    entries = []
    for executor in ("table", "table", "engine"):
        options = (*files.options, "--executor", executor, "--json", "-q", "--out", tmp_path)
        (entry,) = run("backtest", *options).json()["symbols"]
        entries.append({name: value for name, value in entry.items() if name not in measured})
    assert entries[0] == entries[1] == entries[2]


def test_settings_are_chosen_by_the_recording(tmp_path: Path) -> None:
    """Of two markets in a file the one whose symbol is recorded."""
    files = write_tardis(tmp_path, seconds=20)
    settings = write_settings(tmp_path, market_entry("BTC/USD") + market_entry("ETH/USD"))
    finished = run("backtest", *files.options, "--settings", settings, "--json", "-q", "--out", tmp_path)
    assert finished.status == 0
    assert [entry["symbol"] for entry in finished.json()["symbols"]] == ["ETH/USD"]


def test_where_no_preset_fits_it_says_what_to_write(tmp_path: Path) -> None:
    files = write_tardis(tmp_path, seconds=5, exchange="kraken", symbol="SOLEUR")
    finished = run("backtest", *files.options, "--out", tmp_path / "out")
    assert finished.status == 2
    for part in ("SOLEUR at kraken", 'symbols = ["SOLEUR"]', "[instrument]", "[fees]", "[balances]", "--settings"):
        assert part in finished.messages
    assert not finished.output
    assert not (tmp_path / "out").exists()


def test_settings_of_another_market_are_refused(tmp_path: Path) -> None:
    files = write_tardis(tmp_path, seconds=5, exchange="kraken", symbol="SOLEUR")
    finished = run("backtest", *files.options, "--settings", write_settings(tmp_path, MARKET), "--out", tmp_path)
    assert finished.status == 2
    assert "SOLEUR at kraken" in finished.messages
    assert "ETH/USD" in finished.messages
    assert f"file '{tmp_path}" in finished.messages


def test_a_preset_of_another_market_is_refused(tmp_path: Path) -> None:
    files = write_tardis(tmp_path, seconds=5)
    finished = run("backtest", *files.options, "--preset", "binance_usdm_btcusdt", "--out", tmp_path)
    assert finished.status == 2
    assert "option '--preset': expected a market that fits ETHUSD at gemini, found 'BTC/USDT'" in finished.messages


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ([], "--quotes FILE"),
        (["--quotes", "missing.csv"], "missing.csv"),
        (["--format", "csv"], "binance-stream"),
        (["--preset", "gemini_ethusd", "--settings", "y", "QUOTES"], "--settings"),
        (["--preset", "gemini_ethus", "QUOTES"], "'--preset'"),
        (["--preset", "gemini_ethus", "QUOTES"], "Did you mean 'gemini_ethusd'?"),
        (["--order", "exchang", "QUOTES"], "Did you mean 'exchange'?"),
        (["--refuse", "lockd", "QUOTES"], "option '--refuse'"),
        (["--refuse", "lockd", "QUOTES"], "Did you mean 'locked'?"),
        (["--format", "binance-stream", "QUOTES"], "expected the format binance-stream, found tardis"),
    ],
)
def test_bad_usage_is_told_in_words(tmp_path: Path, options: list[str], part: str) -> None:
    files = write_tardis(tmp_path, seconds=2)
    given = [str(files.quotes) if option == "QUOTES" else option for option in options]
    finished = run("backtest", *given, "--out", tmp_path / "out")
    assert finished.status == 2
    assert part in finished.messages
    assert not (tmp_path / "out").exists()


def replace_line(number: int, change: Callable[[str], str]) -> Callable[[str], str]:
    """Change one line of a file, counted from 1."""

    def changed(text: str) -> str:
        lines = text.splitlines(keepends=True)
        lines[number - 1] = change(lines[number - 1])
        return "".join(lines)

    return changed


def with_field(column: int, value: str) -> Callable[[str], str]:
    """Change one field of a line, counted from 0."""

    def changed(line: str) -> str:
        fields = line.rstrip("\n").split(",")
        fields[column] = value
        return ",".join(fields) + "\n"

    return changed


BROKEN_QUOTES = {
    "empty": (lambda _: "", "empty"),
    "only-a-header": (lambda text: text.splitlines(keepends=True)[0], "only the header"),
    "wrong-columns": (replace_line(1, with_field(5, "ask")), "ask_price not found"),
    "torn-off": (lambda text: text[:-20], "torn off"),
    "short-line": (replace_line(40, lambda _: "gemini,ETHUSD,1\n"), "line 40"),
    "late": (replace_line(40, with_field(3, "1704067200000000")), "line 40"),
    "crossed": (replace_line(40, with_field(6, "9999.99")), "crossed"),
    "negative": (replace_line(40, with_field(5, "-2200")), "'-2200'"),
    "not-a-number": (replace_line(40, with_field(5, "NaN")), "'NaN'"),
    "infinite": (replace_line(40, with_field(4, "inf")), "'inf'"),
    "wrong-unit": (replace_line(40, with_field(2, "1704067219")), "microseconds"),
    "something-else": (lambda _: "hello\n", "hello"),
}
"""What can be wrong with a file of quotes, and what is said of it."""


@pytest.mark.parametrize("name", BROKEN_QUOTES)
def test_a_broken_recording_is_refused_in_words(tmp_path: Path, name: str) -> None:
    """Exit status 2, the file and what is wrong in it on standard error, no traceback, nothing on standard output."""
    change, part = BROKEN_QUOTES[name]
    files = write_tardis(tmp_path, seconds=30)
    files.quotes.write_text(change(files.quotes.read_text()))
    finished = run("backtest", *files.options, "--json", "--quiet", "--out", tmp_path / "out")
    assert finished.status == 2
    assert "mm-fsm: quotes.csv" in finished.messages
    assert part in finished.messages
    assert "Traceback" not in finished.messages
    assert not finished.output
    assert not (tmp_path / "out" / "result.json").exists()


def test_a_broken_archive_is_refused_in_words(tmp_path: Path) -> None:
    files = write_tardis(tmp_path, seconds=30)
    whole = gzip.compress(files.quotes.read_bytes())
    broken = TardisFiles(tmp_path / "quotes.csv.gz", files.trades)
    broken.quotes.write_bytes(whole[: len(whole) // 2])
    finished = run("backtest", *broken.options, "--quiet", "--out", tmp_path / "out")
    assert finished.status == 2
    assert "quotes.csv.gz" in finished.messages
    assert "broken" in finished.messages


def test_trades_alone_make_no_market(tmp_path: Path) -> None:
    files = write_tardis(tmp_path, seconds=30)
    finished = run("backtest", "--trades", files.trades, "--out", tmp_path / "out")
    assert finished.status == 2
    assert "quotes" in finished.messages


def test_files_may_follow_one_option(tmp_path: Path) -> None:
    """As a shell expands a pattern: what each file is, its first line tells."""
    files = write_tardis(tmp_path, seconds=10)
    finished = run("backtest", "--quotes", files.quotes, files.trades, "--json", "-q", "--out", tmp_path / "out")
    assert finished.status == 0
    assert finished.json()["symbols"][0]["preset"] == "gemini_ethusd"


@pytest.mark.slow
def test_a_real_capture_is_read(tmp_path: Path, recorded_data: Callable[[str], Path]) -> None:
    """The first of two files of Binance futures streams, from 23:57:01 to midnight."""
    capture = min(recorded_data("binance_usdm_btcusdt").glob("*.gz"))
    finished = run("backtest", "--capture", capture, "--format", "binance-stream", "--json", "-q", "--out", tmp_path)
    assert finished.status == 0
    (entry,) = finished.json()["symbols"]
    assert entry["preset"] == "binance_usdm_btcusdt"
    assert entry["pnl_identity_gap"] == "0"
    assert entry["execution_time_ms"] / 1000 == pytest.approx(179, abs=2)
    assert "passed over" in finished.messages
