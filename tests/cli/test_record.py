"""An exchange's streams: written to files that ``backtest`` reads, and traded on paper, without keys or orders."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from mm_fsm.cli.exit_codes import ExitCode
from mm_fsm.cli.stream_recorder import RecordOptions, run_record
from mm_fsm.errors import OptionError, SettingsError
from mm_fsm.runtime.settings_file import parse_settings
from mm_fsm.testing.rehearsal.endpoint import VARIABLE
from mm_fsm.testing.rehearsal.log_file import read_log
from tests.cli.command_line import run, write_settings
from tests.cli.test_rehearse import rehearsing

pytest.importorskip("ccxt", reason="needs the extra 'exchanges'")

FACTORY = "mm_fsm.testing.rehearsal.client:binance_from_environment"
PAPER = f"""
[venue]
kind = "paper"
market = "ccxt:binance"
factory = "{FACTORY}"

[fees]
maker_bps = 2
taker_bps = 5

[balances]
base = 1
quote = 5000

[strategy]
symbol = "ETH/USDT"
target_spread_bps = 6
base_order_size = 200
warm_up_samples = 2
volatility_sample_seconds = 0.5
"""


@pytest.fixture
def exchange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "exchange" / "endpoint.json"))
    (tmp_path / "exchange").mkdir()
    return tmp_path / "exchange"


@pytest.mark.parametrize("form", ["parquet", "tardis"])
def test_what_is_recorded_can_be_traded_on(tmp_path: Path, exchange: Path, form: str) -> None:
    """Two stretches of one market; every file is whole, and a backtest reads them."""
    if form == "parquet":
        pytest.importorskip("polars", reason="needs the extra for Parquet")
    with rehearsing(exchange, "ETH/USDT", "--seed", 5):
        options = ("--factory", FACTORY, "--to", form, "--duration", "6s", "--every", "3s", "--out", tmp_path / "files")
        finished = run("record", "binance", "ETH/USDT", *options)
        log = read_log(exchange / "log.jsonl")
    assert finished.status == ExitCode.SUCCESS, finished.messages
    assert log.open_orders() == ()
    files = sorted(path for path in (tmp_path / "files").rglob("*") if path.is_file())
    assert len({path.parent for path in files}) == 2
    assert not [path for path in files if path.name.startswith(".")]
    settings = write_settings(tmp_path, PAPER.replace(PAPER[PAPER.index("[venue]") : PAPER.index("[fees]")], RULES))
    replayed = run("backtest", *files, "--settings", settings, "--json", "--quiet", "--out", tmp_path / "out")
    assert replayed.status in {ExitCode.SUCCESS, ExitCode.FAILURE}, replayed.messages
    (entry,) = replayed.json()["symbols"]
    assert entry["symbol"] == "ETH/USDT"


@pytest.mark.parametrize(("form", "library"), [("parquet", "pyarrow"), ("hftbacktest", "numpy")])
def test_a_format_that_cannot_be_written_is_refused_before_anything_is_connected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, library: str
) -> None:
    """Its files are begun with the first event, and named after an hour: too late to hear of it then."""

    def connect(*_: object) -> None:
        raise AssertionError

    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.setattr("mm_fsm.cli.stream_recorder.maker_of", connect)
    options = RecordOptions(
        exchange="binance", symbols=("A/B",), factory=None, form=form, out=tmp_path / "out", seconds=1, file_seconds=1
    )
    with pytest.raises(OptionError, match=r"pip install 'mm-fsm\[recordings\]', or write --to tardis") as refused:
        run_record(options)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "out").exists()


RULES = """
[instrument]
symbol = "ETH/USDT"
base_currency = "ETH"
quote_currency = "USDT"
tick_size = 0.01
lot_size = 0.0001

"""


def test_a_market_that_the_exchange_does_not_have_is_refused(exchange: Path) -> None:
    with rehearsing(exchange, "ETH/USDT"):
        finished = run("record", "binance", "NO/SUCH", "--factory", FACTORY, "--duration", "1s")
    assert finished.status == ExitCode.BAD_INPUT
    assert "NO/SUCH" in finished.messages


def test_paper_on_live_streams_places_nothing_at_the_exchange(tmp_path: Path, exchange: Path) -> None:
    """It quotes on the paper exchange for twelve seconds; the exchange's own log has no order."""
    with rehearsing(exchange, "ETH/USDT", "--seed", 5):
        finished = run(
            "run", write_settings(tmp_path, PAPER), "--duration", 12, "--json", "--quiet", "--out", tmp_path / "out"
        )
        log = read_log(exchange / "log.jsonl")
    assert finished.status == ExitCode.SUCCESS, finished.messages
    (entry,) = finished.json()["symbols"]
    assert entry["ending"]["is_book_confirmed_empty"]
    orders = [each for each in log.entries if type(each).__name__.startswith("Order")]
    assert entry["orders"]["placed"] > 0
    assert orders == []


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (PAPER.replace("ccxt:binance", "binance"), "venue.market"),
        (PAPER.replace("ccxt:binance", "ccxt:"), "venue.market"),
        (PAPER + "[simulator]\nstart_price = 1\n", "simulator"),
        (PAPER.replace("[fees]\nmaker_bps = 2\ntaker_bps = 5\n", ""), "fees"),
    ],
)
def test_settings_that_contradict_themselves_are_refused(text: str, field: str) -> None:
    """An exchange's own idea of its fees is a guess for an account that nobody has."""
    with pytest.raises(SettingsError) as refused:
        parse_settings(text)
    assert refused.value.field == field


def test_a_file_that_cannot_be_written_ends_the_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of two markets' files fails: the other's writer must not wait for ever, or the command never ends."""
    from mm_fsm.cli import stream_recorder
    from tests.money.markets import book

    class TwoMarkets:
        def __init__(self, *_: object) -> None:
            pass

        async def open(self, take: Callable[[object], None]) -> None:
            for symbol in ("A/USD", "B/USD"):
                take(evolve(book(1, "99", "101"), symbol=symbol))

        async def close(self) -> None:
            pass

    def write(events: Iterator[object], info: Any, *_: object) -> list[Path]:
        if info.symbol == "AUSD":
            raise SettingsError("--out", "a directory that can be written", "one that is full", "Make room.")
        return [Path(str(len(list(events))))]

    monkeypatch.setattr(stream_recorder, "MarketData", TwoMarkets)
    monkeypatch.setattr(stream_recorder, "maker_of", lambda *_: None)
    monkeypatch.setattr(stream_recorder, "write_recording", write)
    options = stream_recorder.RecordOptions(
        exchange="nowhere", symbols=["A/USD", "B/USD"], factory=None, form="tardis", out=tmp_path,
        seconds=None, file_seconds=3600.0,
    )  # fmt: skip
    with pytest.raises(SettingsError, match="Make room"):
        stream_recorder.run_record(options)
