"""Every kind of file that is read: a few rows as the source writes them, and the events that they are."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from mm_fsm.books.facts import MarketBook, MarketTrade
from mm_fsm.core.messages import Side
from mm_fsm.errors import RecordingError
from mm_fsm.venues.recorded import Order, RecordedEvent, RecordingInfo
from mm_fsm.venues.recorded.opening import files_by_symbol, layout_of, swapped
from tests.venues.recorded.openings import STRICT, opened

WriteFile = Callable[..., Path]

MICROSECONDS = 1_735_800_000_000_000  # 2025-01-02 06:40:00
NANOSECONDS = MICROSECONDS * 1000
MILLISECONDS = MICROSECONDS // 1000


def book_of(event: RecordedEvent) -> tuple[str, str]:
    """Levels as text: ``price x size`` from the best on."""
    assert isinstance(event, MarketBook)
    bids, asks = (" ".join(f"{each.price}x{each.size}" for each in side) for side in (event.bids, event.asks))
    return bids, asks


def trade_of(event: RecordedEvent) -> tuple[int, str, str, Side, str]:
    assert isinstance(event, MarketTrade)
    return event.exchange_time, str(event.price), str(event.size), event.taker_side, event.trade_id


# -- Tardis ---------------------------------------------------------------------------------------------------------


def test_snapshots_of_five_levels(write: WriteFile) -> None:
    """The example of the format's documentation, with two of its five levels."""
    columns = [
        f"{side}[{place}].{name}" for place in range(2) for side in ("asks", "bids") for name in ("price", "amount")
    ]
    row = f"deribit,BTC-PERPETUAL,{MICROSECONDS},{MICROSECONDS + 60},7202,6000,7201.5,49680,7203,1.5,7200,8"
    short = f"deribit,BTC-PERPETUAL,{MICROSECONDS + 9},{MICROSECONDS + 99},7202,6000,7201.5,49680,,,7200,8"
    path = write("s.csv", ",".join(["exchange,symbol,timestamp,local_timestamp", *columns]), row, short)
    first, second = opened([path])
    assert book_of(first) == ("7201.5x49680 7200x8", "7202x6000 7203x1.5")
    assert book_of(second) == ("7201.5x49680 7200x8", "7202x6000")
    assert (first.exchange_time, first.received_at) == (NANOSECONDS, NANOSECONDS + 60_000)


@pytest.mark.parametrize("bids", ["100,1,101,1", "100,1,100,1"])
def test_levels_that_are_not_in_order_are_passed_over(write: WriteFile, bids: str) -> None:
    bid, size, second, second_size = bids.split(",")
    header = "exchange,symbol,timestamp,bids[0].price,bids[0].amount,bids[1].price,bids[1].amount,asks[0].price,"
    rows = [f"x,A,{MICROSECONDS},{row},105,1,106,1" for row in ("100,1,99,1", f"{bid},{size},{second},{second_size}")]
    path = write("s.csv", f"{header}asks[0].amount,asks[1].price,asks[1].amount", *rows)
    recording = opened([path], max_passed_over=0.5)
    assert len(list(recording)) == 1
    assert recording.skipped == {"malformed": 1}


DEPTH = "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount"


def depth(at: int, side: str, price: str, amount: str, *, snapshot: bool = False) -> str:
    return f"x,A,{MICROSECONDS + at},{MICROSECONDS + at},{str(snapshot).lower()},{side},{price},{amount}"


def test_changes_of_levels_make_a_book_for_each_message(write: WriteFile) -> None:
    """By hand: a snapshot, a level better and one gone in one message, one far off beyond what was there."""
    rows = [
        depth(0, "bid", "100", "1"),  # before the snapshot: of no use
        depth(1, "bid", "100", "1", snapshot=True),
        depth(1, "bid", "99", "2", snapshot=True),
        depth(1, "ask", "101", "3", snapshot=True),
        depth(1, "ask", "102", "4", snapshot=True),
        depth(2, "bid", "100.5", "5"),
        depth(2, "ask", "101", "0"),
        depth(3, "bid", "99", "0"),
        depth(3, "bid", "98", "0.0"),
        depth(4, "bid", "50", "1", snapshot=True),
        depth(4, "ask", "51", "1", snapshot=True),
    ]
    recording = opened([write("d.csv", DEPTH, *rows)], max_book_jump=9)
    assert [book_of(event) for event in recording] == [
        ("100x1 99x2", "101x3 102x4"),
        ("100.5x5 100x1 99x2", "102x4"),
        ("100.5x5 100x1", "102x4"),
        ("50x1", "51x1"),
    ]
    assert [(event.exchange_time - NANOSECONDS) // 1000 for event in recording] == [1, 2, 3, 4]
    assert recording.skipped == {"change before the first snapshot": 1}


def test_a_message_that_crosses_the_book_is_passed_over_and_heals(write: WriteFile) -> None:
    rows = [
        depth(1, "bid", "100", "1", snapshot=True),
        depth(1, "ask", "101", "3", snapshot=True),
        depth(2, "bid", "101", "1"),
        depth(3, "ask", "101", "0"),
        depth(3, "ask", "102", "7"),
    ]
    recording = opened([write("d.csv", DEPTH, *rows)], max_passed_over=0.3)
    assert [book_of(event) for event in recording] == [("100x1", "101x3"), ("101x1 100x1", "102x7")]
    assert recording.skipped == {"locked": 1}


# -- Binance's public data ------------------------------------------------------------------------------------------

BOOKS = (
    "update_id,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty,transaction_time,event_time",
    f"5,100.10,2.5,100.20,3,{MILLISECONDS},{MILLISECONDS + 4}",
    f"6,100.10,2.5,100.30,3,{MILLISECONDS + 900},{MILLISECONDS + 904}",
)
PUBLIC_TRADES = {
    "futures trades": ("id,price,qty,quote_qty,time,is_buyer_maker", "{t},100.2,0.5,50.1,{ms},false"),
    "spot trades": (
        "id,price,qty,quote_qty,time,is_buyer_maker,is_best_match",
        "{t},100.2,0.5,50.1,{ms},False,True",
    ),
    "futures aggregates": (
        "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker",
        "{t},100.2,0.5,90,91,{ms},false",
    ),
    "spot aggregates": (
        "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker,is_best_match",
        "{t},100.2,0.5,90,91,{ms},False,True",
    ),
}


@pytest.mark.parametrize("unit", ["milliseconds", "microseconds"])
@pytest.mark.parametrize("has_header", [True, False])
@pytest.mark.parametrize("kind", PUBLIC_TRADES)
def test_public_trades(write: WriteFile, kind: str, unit: str, *, has_header: bool) -> None:
    header, row = PUBLIC_TRADES[kind]
    stamp = MILLISECONDS + 400 if unit == "milliseconds" else MICROSECONDS + 400_000
    name = "BTCUSDT-aggTrades-2025-01-02.csv" if "aggregates" in kind else "BTCUSDT-trades-2025-01-02.csv"
    trades = write(name, *([header] if has_header else []), row.format(t=77, ms=stamp))
    books = write("BTCUSDT-bookTicker-2025-01-02.csv", *BOOKS[0 if has_header else 1 :])
    if kind.startswith("spot"):
        assert layout_of(trades).describe().exchange == "binance"
    first, traded, second = opened([trades, books], refuse=STRICT)
    assert book_of(first) == ("100.10x2.5", "100.20x3")
    assert trade_of(traded) == (NANOSECONDS + 400_000_000, "100.2", "0.5", Side.BID, "77")
    assert book_of(second) == ("100.10x2.5", "100.30x3")


def test_the_market_of_public_data_is_in_the_files_name(write: WriteFile) -> None:
    path = write("BTCUSDT-bookTicker-2025-01-02.csv", *BOOKS)
    expected = RecordingInfo(exchange="binance_usdm", symbol="BTCUSDT", first_time=NANOSECONDS)
    assert opened([path]).describe() == expected
    nameless = write("books.csv", *BOOKS)
    with pytest.raises(RecordingError, match="name the market with --symbol"):
        opened([nameless]).describe()
    assert opened([nameless], recorded_symbol="BTCUSDT").describe() == expected


def test_single_trades_and_aggregates_of_them_are_not_mixed(write: WriteFile) -> None:
    books = write("BTCUSDT-bookTicker-2025-01-02.csv", *BOOKS)
    header, row = PUBLIC_TRADES["futures trades"]
    trades = write("BTCUSDT-trades-2025-01-02.csv", header, row.format(t=1, ms=MILLISECONDS))
    header, row = PUBLIC_TRADES["futures aggregates"]
    aggregates = write("BTCUSDT-aggTrades-2025-01-02.csv", header, row.format(t=1, ms=MILLISECONDS))
    with pytest.raises(RecordingError, match="aggregates are the same trades once more"):
        opened([books, trades, aggregates])


# -- hftbacktest ----------------------------------------------------------------------------------------------------

EVENT = [("ev", "u8"), ("exch_ts", "i8"), ("local_ts", "i8"), ("px", "f8"), ("qty", "f8")]
BOTH, BUY, SELL = 3 << 30, 1 << 29, 1 << 28


def events_file(path: Path, *rows: tuple[int, int, int, float, float]) -> Path:
    """An array of events; times are nanoseconds after the start, or 0."""
    whole = [(kind, *(NANOSECONDS + at if at else 0 for at in times), *values) for kind, *times, values in _split(rows)]
    np.savez_compressed(
        path, data=np.array(whole, dtype=[*EVENT, ("order_id", "u8"), ("ival", "i8"), ("fval", "f8")][:5])
    )
    return path


def _split(rows: tuple[tuple[int, int, int, float, float], ...]) -> list[tuple[int, int, int, tuple[float, float]]]:
    return [(kind, sent, shown, (price, size)) for kind, sent, shown, price, size in rows]


def test_events_of_hftbacktest(tmp_path: Path) -> None:
    """Flags as in its documentation: 1 depth, 2 trade, 3 clear, 4 snapshot; 2**29 a buyer, 2**28 a seller."""
    path = events_file(
        tmp_path / "btcusdt_20250102.npz",
        (4 | BOTH | BUY, 1, 11, 100.0, 1.5),
        (4 | BOTH | SELL, 1, 11, 100.5, 2.0),
        (4 | BOTH | SELL, 1, 11, 101.0, 9.0),
        (2 | BOTH | SELL, 5, 12, 100.0, 0.25),
        (1 | BOTH | BUY, 5, 13, 100.0, 1.25),
        (1 | BOTH | SELL, 5, 13, 100.5, 0.0),
        (3 | BOTH | SELL, 6, 14, 200.0, 0.0),
        (1 | BOTH | SELL, 6, 14, 100.7, 3.0),
        (1 | (1 << 31) | BUY, 7, 15, 100.3, 1.0),  # what the recorder never received
    )
    recording = opened([path])
    first, traded, second, third = recording
    assert recording.describe() == RecordingInfo(exchange="hftbacktest", symbol="BTCUSDT", first_time=NANOSECONDS + 1)
    assert book_of(first) == ("100.0x1.5", "100.5x2.0 101.0x9.0")
    assert trade_of(traded)[:4] == (NANOSECONDS + 5, "100.0", "0.25", Side.ASK)
    assert book_of(second) == ("100.0x1.25", "101.0x9.0")
    assert book_of(third) == ("100.0x1.25", "100.7x3.0")
    assert [event.received_at - NANOSECONDS for event in recording] == [11, 12, 13, 14]
    assert len(list(opened([path], order=Order.EXCHANGE))) == 5


def test_a_snapshot_of_no_time_comes_before_the_day(tmp_path: Path) -> None:
    snapshot = events_file(
        tmp_path / "btcusdt_eod.npz", (4 | BOTH | BUY, 0, 0, 100.0, 1.0), (4 | BOTH | SELL, 0, 0, 101.0, 1.0)
    )
    day = events_file(
        tmp_path / "btcusdt_day.npz", (1 | BOTH | BUY, 5, 5, 100.5, 1.0), (1 | BOTH | BUY, 6, 6, 100.6, 1.0)
    )
    assert [book_of(event)[0] for event in opened([day, snapshot])] == [
        "100.5x1.0 100.0x1.0",
        "100.6x1.0 100.5x1.0 100.0x1.0",
    ]
    with pytest.raises(RecordingError, match="expected books of BTCUSDT at hftbacktest, found none"):
        list(opened([day]))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04nothing", b"hello"])
def test_what_is_no_array_of_events_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=r"^a\.npz: expected an \.npz file with an array 'data'"):
        opened([path]).describe()


# -- our own --------------------------------------------------------------------------------------------------------

COLUMNS = {
    "exchange": ["x", "x", "x"],
    "symbol": ["AB", "AB", "AB"],
    "exchange_time": [NANOSECONDS, NANOSECONDS + 1, NANOSECONDS + 2],
    "bid_price": ["100.10", None, "100.20"],
    "bid_size": ["2", None, "0.5"],
    "ask_price": ["100.30", None, None],
    "ask_size": ["1", None, None],
    "price": [None, "100.3", None],
    "size": [None, "0.25", None],
    "taker_side": [None, "buy", None],
    "trade_id": [None, "t7", None],
}
EXPECTED = [("100.10x2", "100.30x1"), (NANOSECONDS + 1, "100.3", "0.25", Side.BID, "t7"), ("100.20x0.5", "")]

NUMBER_TYPES = {
    "text": pa.string(),
    "decimal": pa.decimal128(20, 8),
    "floating point": pa.float64(),
}


@pytest.mark.parametrize("name", NUMBER_TYPES)
def test_own_files_hold_numbers_of_any_type(tmp_path: Path, name: str) -> None:
    columns: dict[str, object] = dict(COLUMNS)
    for column in ("bid_price", "bid_size", "ask_price", "ask_size", "price", "size"):
        values = [None if value is None else Decimal(value) for value in COLUMNS[column]]
        kind = NUMBER_TYPES[name]
        made = [None if v is None else float(v) if name == "floating point" else v for v in values]
        columns[column] = pa.array(COLUMNS[column] if name == "text" else made, kind)
    parquet.write_table(pa.table(columns), tmp_path / "own")
    first, traded, second = opened([tmp_path / "own"], refuse=STRICT)
    assert isinstance(first, MarketBook)
    assert isinstance(second, MarketBook)
    assert isinstance(traded, MarketTrade)
    assert (first.bids[0].price, first.asks[0].price) == (Decimal("100.1"), Decimal("100.3"))
    assert (second.bids[0].size, second.asks) == (Decimal("0.5"), ())
    assert (traded.price, traded.size, traded.trade_id) == (Decimal("100.3"), Decimal("0.25"), "t7")
    if name == "text":
        assert [book_of(first), trade_of(traded), book_of(second)] == EXPECTED


@pytest.mark.parametrize("unit", ["ns", "us"])
def test_own_files_may_have_timestamps_and_both_times(tmp_path: Path, unit: str) -> None:
    columns: dict[str, object] = dict(COLUMNS)
    scale = 1 if unit == "ns" else 1000
    columns["exchange_time"] = pa.array([NANOSECONDS // scale + i for i in range(3)], pa.timestamp(unit))
    columns["received_at"] = pa.array([NANOSECONDS + 5000 * i for i in (1, 2, 3)], pa.int64())
    parquet.write_table(pa.table(columns), tmp_path / "own")
    recording = opened([tmp_path / "own"])
    assert [event.exchange_time - NANOSECONDS for event in recording] == [0, scale, 2 * scale]
    assert [event.received_at - NANOSECONDS for event in recording] == [5000, 10_000, 15_000]


def test_own_files_without_a_column_are_refused_by_its_name(tmp_path: Path) -> None:
    columns = {name: values for name, values in COLUMNS.items() if name not in {"ask_size", "exchange_time"}}
    parquet.write_table(pa.table(columns), tmp_path / "own")
    with pytest.raises(RecordingError, match="ask_size, received_at or exchange_time not found"):
        opened([tmp_path / "own"])


@pytest.mark.parametrize("kept", [0.5, 0.95])
def test_a_torn_own_file_is_refused(tmp_path: Path, kept: float) -> None:
    parquet.write_table(pa.table(COLUMNS), tmp_path / "own")
    content = (tmp_path / "own").read_bytes()
    (tmp_path / "own").write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(RecordingError, match=r"^own: expected a whole Parquet file"):
        list(opened([tmp_path / "own"]))


@pytest.mark.parametrize("library", ["pyarrow.parquet", "numpy"])
def test_a_format_whose_library_is_missing_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    parquet.write_table(pa.table(COLUMNS), tmp_path / "own")
    events_file(tmp_path / "a.npz", (4 | BOTH | BUY, 1, 1, 100.0, 1.0))
    monkeypatch.setitem(__import__("sys").modules, library, None)
    path = tmp_path / ("a.npz" if library == "numpy" else "own")
    with pytest.raises(RecordingError, match=r"pip install 'mm-fsm\[recordings\]'"):
        opened([path]).describe()


# -- which file is what ---------------------------------------------------------------------------------------------


def test_files_of_several_markets_are_told_apart(write: WriteFile) -> None:
    header = "exchange,symbol,timestamp,ask_amount,ask_price,bid_price,bid_amount"
    paths = [
        write(name, header, f"x,{symbol},{MICROSECONDS + at},1,2,1,1")
        for name, symbol, at in (("a", "AB", 0), ("b", "CD", 1), ("c", "AB", 2))
    ]
    assert files_by_symbol(paths) == {"AB": [paths[0], paths[2]], "CD": [paths[1]]}
    assert files_by_symbol(paths, ["CD"]) == {"CD": paths}
    assert len(list(opened(paths, recorded_symbol="CD"))) == 1


def test_swapped_files_are_named(write: WriteFile) -> None:
    books = write(
        "b", "exchange,symbol,timestamp,ask_amount,ask_price,bid_price,bid_amount", f"x,A,{MICROSECONDS},1,2,1,1"
    )
    trades = write("t", "exchange,symbol,timestamp,id,side,price,amount", f"x,A,{MICROSECONDS},1,buy,2,1")
    assert swapped([books], "quotes") is None
    assert swapped([trades], "trades") is None
    assert swapped([trades], "quotes") == "t was given as quotes and is read as what it is: tardis trades"
    assert swapped([books], "trades") == "b was given as trades and is read as what it is: tardis quotes"
