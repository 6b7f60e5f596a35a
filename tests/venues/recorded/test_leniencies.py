"""What real files have that a replay cannot show: passed over by kind, counted, and refused beyond a share."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
import zstandard

from mm_fsm.books.facts import MarketBook, MarketTrade
from mm_fsm.errors import RecordingError, SettingsError
from mm_fsm.venues.recorded import Fault, Order, ReadingSettings, Recording
from mm_fsm.venues.recorded.files import RecordingFile
from tests.venues.recorded.openings import opened

WriteFile = Callable[..., Path]

QUOTES = "exchange,symbol,timestamp,local_timestamp,ask_amount,ask_price,bid_price,bid_amount"
TRADES = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount"
START = 1_735_800_000_000_000  # 2025-01-02, microseconds
SECOND = 1_000_000


def quote(second: float, bid: str = "100.0", ask: str = "100.2", *, local: float | None = None) -> str:
    sent = START + round(second * SECOND)
    shown = sent if local is None else START + round(local * SECOND)
    return f"x,AB,{sent},{shown},1,{ask},{bid},2"


def trade(second: float, number: object, price: str = "100.1", side: str = "buy", amount: str = "0.5") -> str:
    stamp = START + round(second * SECOND)
    return f"x,AB,{stamp},{stamp},{number},{side},{price},{amount}"


def message(second: float, kind: str, **fields: object) -> str:
    stamp = START // 1000 + round(second * 1000)
    body = {"e": kind, "s": "AB", "T": stamp, "E": stamp, **fields}
    return f"{stamp}000000 {json.dumps({'stream': f'ab@{kind}', 'data': body})}"


def stream_book(second: float, number: int, bid: str = "100.0", ask: str = "100.2") -> str:
    return message(second, "bookTicker", u=number, b=bid, B="1", a=ask, A="1")


def stream_trade(second: float, number: int, kind: str = "trade", price: str = "100.1") -> str:
    name = "t" if kind == "trade" else "a"
    return message(second, kind, **{name: number, "p": price, "q": "1", "m": True})


def seconds_of(recording: Recording, kind: type = object) -> list[float]:
    return [(event.exchange_time - START * 1000) / 1e9 for event in recording if isinstance(event, kind)]


TARDIS_QUOTES = {
    "crossed": (quote(1, "100.3", "100.2"), {"crossed": 1}),
    "locked": (quote(1, "100.2", "100.20"), {"locked": 1}),
    "header of the next day": (QUOTES, {"repeated header": 1}),
    "blank line": ("", {"blank line": 1}),
    "only separators": (",,,,,,,", {"blank line": 1}),
    "another symbol": (quote(1).replace(",AB,", ",CD,"), {"other symbol": 1}),
    "another exchange": (quote(1).replace("x,", "y,", 1), {"other symbol": 1}),
    "no number": (quote(1, "NaN"), {"malformed": 1}),
    "negative": (quote(1, "-100"), {"malformed": 1}),
    "a field too few": (quote(1).rpartition(",")[0], {"malformed": 1}),
    "a field too many": (quote(1) + ",1", {"malformed": 1}),
    "an open quotation mark": ('x,"AB', {"malformed": 1}),
    "stamped in another unit": (quote(1).replace("000,", ",", 1), {"malformed": 1}),
    "later than the window": (quote(-9), {"late": 1}),
    "a year ahead": (quote(31_536_000), {"ahead": 1}),
    "ten times too high": (quote(1, "1000", "1002"), {"far book": 1}),
    "a thousand times too low": (quote(1, "0.1000", "0.1002"), {"far book": 1}),
}


@pytest.mark.parametrize("name", TARDIS_QUOTES)
def test_a_faulty_row_of_quotes_is_passed_over_and_counted(write: WriteFile, name: str) -> None:
    row, expected = TARDIS_QUOTES[name]
    recording = opened([write("q.csv", QUOTES, quote(0), row, quote(2))], max_passed_over=0.4)
    assert seconds_of(recording) == [0, 2]
    assert recording.skipped == expected
    assert recording.rows == 3


TARDIS_TRADES = {
    "unknown side": (trade(1, 2, side="unknown"), {"unknown side": 1}),
    "repeated at a reconnect": (trade(0.5, 1), {"repeated": 1}),
    "of nothing": (trade(1, 2, amount="0"), {"zero trade": 1}),
    "at no price": (trade(1, 2, price="0"), {"zero trade": 1}),
    "half the market's price": (trade(1, 2, price="50"), {"far print": 1}),
    "twice the market's price": (trade(1, 2, price="200"), {"far print": 1}),
    "blank line": ("", {"blank line": 1}),
    "header of the next day": (TRADES, {"repeated header": 1}),
    "infinite": (trade(1, 2, price="inf"), {"malformed": 1}),
}


@pytest.mark.parametrize("name", TARDIS_TRADES)
def test_a_faulty_row_of_trades_is_passed_over_and_counted(write: WriteFile, name: str) -> None:
    row, expected = TARDIS_TRADES[name]
    quotes = write("q.csv", QUOTES, quote(0), quote(2))
    recording = opened([quotes], [write("t.csv", TRADES, trade(0.5, 1), row, trade(1.5, 3))], max_passed_over=0.3)
    assert seconds_of(recording, MarketTrade) == [0.5, 1.5]
    assert recording.skipped == expected


STREAMS = {
    "crossed": (stream_book(1, 2, "100.3"), {"crossed": 1}),
    "locked": (stream_book(1, 2, "100.2"), {"locked": 1}),
    "blank line": ("", {"blank line": 1}),
    "torn in the middle": (stream_book(1, 2)[:40], {"malformed": 1}),
    "another symbol": (stream_book(1, 2).replace('"AB"', '"CD"'), {"other symbol": 1}),
    "an older book": (stream_book(1, 0), {"late": 1}),
    "a trade once more": (stream_trade(1, 5), {"repeated": 1}),
    "of the wrong scale": (stream_book(1, 2, "10000", "10020"), {"far book": 1}),
    "a print far off": (stream_trade(1, 6, price="10"), {"far print": 1}),
    "a stream that is not needed": (message(1, "markPrice", p="1"), {"markPrice": 1}),
}


@pytest.mark.parametrize("name", STREAMS)
def test_a_faulty_message_of_a_capture_is_passed_over_and_counted(write: WriteFile, name: str) -> None:
    line, expected = STREAMS[name]
    path = write("c", stream_book(0, 1), stream_trade(0.5, 5), line, stream_trade(1.5, 7), stream_book(2, 3))
    recording = opened([path], max_passed_over=0.2)
    assert seconds_of(recording) == [0, 0.5, 1.5, 2]
    passed_over = {kind: count for kind, count in recording.skipped.items() if not kind.startswith("gap:")}
    assert passed_over == expected


def test_a_torn_last_line_is_passed_over(write: WriteFile) -> None:
    path = write("q.csv", QUOTES, quote(0), quote(1))
    path.write_bytes(path.read_bytes()[:-3])
    recording = opened([path], max_passed_over=0.5)
    assert seconds_of(recording) == [0]
    assert recording.skipped == {"malformed": 1}


def test_beyond_the_share_the_recording_is_refused_with_its_first_fault(write: WriteFile) -> None:
    """Two of 100 rows are 2 %; what was not wanted counts for nothing."""
    rows = [quote(second) for second in range(97)]
    rows[10:10] = [quote(10, "NaN"), quote(10, "100.3"), quote(10).replace("AB", "CD")]
    path = write("q.csv", QUOTES, *rows)
    assert len(list(opened([path], max_passed_over=0.02))) == 97
    with pytest.raises(RecordingError) as caught:
        list(opened([path], max_passed_over=0.0199))
    assert str(caught.value) == (
        "q.csv, line 12: field 'bid_price': expected a positive finite decimal, found 'NaN'. "
        "2 of 100 rows are passed over, more than 0.0199 of them. "
        "Cut the line out, or record the day again. Or allow more with --max-passed-over."
    )


def test_a_hopeless_recording_is_refused_long_before_its_end(write: WriteFile) -> None:
    rows = [quote(0), *(quote(second, "NaN") for second in range(2000))]
    recording = opened([write("q.csv", QUOTES, *rows)])
    with pytest.raises(RecordingError, match=r"999 of 1,000 rows are passed over"):
        list(recording)
    assert recording.rows == 1000


@pytest.mark.parametrize("fault", Fault)
def test_one_row_with_a_fault_can_be_enough(write: WriteFile, fault: Fault) -> None:
    """Every fault has a variant in the tables above."""
    as_quotes = [row for row, counts in TARDIS_QUOTES.values() if fault in counts][:1]
    as_trades = [] if as_quotes else [row for row, counts in TARDIS_TRADES.values() if fault in counts][:1]
    assert as_quotes or as_trades
    quotes = write("q.csv", QUOTES, quote(0), *as_quotes, quote(2))
    trades = write("t.csv", TRADES, trade(0.5, 1), *as_trades, trade(1.5, 3))
    assert len(list(opened([quotes, trades], max_passed_over=1))) == 4
    with pytest.raises(RecordingError, match=r"^[qt]\.csv"):
        list(opened([quotes, trades], refuse=[fault], max_passed_over=1))


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"max_passed_over": 1.1}, "reading.max_passed_over"),
        ({"max_passed_over": -0.1}, "reading.max_passed_over"),
        ({"reorder_window_seconds": -1.0}, "reading.reorder_window_seconds"),
        ({"reorder_window_seconds": float("nan")}, "reading.reorder_window_seconds"),
        ({"max_book_jump": float("inf")}, "reading.max_book_jump"),
        ({"max_print_distance": -0.1}, "reading.max_print_distance"),
        ({"confirming_books": 0}, "reading.confirming_books"),
        ({"refuse": ("crossd",)}, "reading.refuse"),
    ],
)
def test_settings_that_cannot_be_are_refused(values: dict[str, object], field: str) -> None:
    with pytest.raises(SettingsError, match=field):
        ReadingSettings(**values)  # type: ignore[arg-type]


def test_rows_are_replayed_as_they_were_received_with_the_exchanges_time_kept(write: WriteFile) -> None:
    """Sent at 0, 2 and 1 second, received at 3, 4 and 5."""
    path = write("q.csv", QUOTES, quote(0, local=3), quote(2, local=4), quote(1, local=5))
    recording = opened([path])
    times = [((e.exchange_time - START * 1000) / 1e9, (e.received_at - START * 1000) / 1e9) for e in recording]
    assert recording.order is Order.RECEIVED
    assert times == [(0, 3), (2, 4), (1, 5)]
    recording = opened([path], order=Order.EXCHANGE, reorder_window_seconds=1)
    times = [((e.exchange_time - START * 1000) / 1e9, (e.received_at - START * 1000) / 1e9) for e in recording]
    assert times == [(0, 0), (1, 1), (2, 2)]


def test_without_the_times_of_receipt_the_exchanges_time_orders(write: WriteFile) -> None:
    rows = [row.split(",") for row in (QUOTES, quote(0), quote(1))]
    path = write("q.csv", *(",".join(row[:3] + row[4:]) for row in rows))
    assert opened([path]).order is Order.EXCHANGE
    with pytest.raises(SettingsError, match="not every row says when it was received"):
        list(opened([path], order=Order.RECEIVED))


def test_a_capture_can_be_replayed_as_received(write: WriteFile) -> None:
    lines = [stream_book(1, 1), stream_book(2, 2)]
    local = START * 1000 + 5_000_000_000
    path = write("c", *(f"{local + place} {line.partition(' ')[2]}" for place, line in enumerate(lines)))
    assert opened([path]).order is Order.EXCHANGE
    assert [event.received_at for event in opened([path], order=Order.RECEIVED)] == [local, local + 1]


def _zipped(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("q.csv", content)
    return buffer.getvalue()


DRESSES: dict[str, Callable[[bytes], bytes]] = {
    "byte order mark": lambda content: b"\xef\xbb\xbf" + content,
    "carriage returns": lambda content: content.replace(b"\n", b"\r\n"),
    "mark and carriage returns": lambda content: b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n"),
    "quoted fields": lambda content: content.replace(b"x,AB", b'"x","AB"'),
    "scientific notation": lambda content: content.replace(b"100.0", b"1.000E+2").replace(b"100.2", b"1002e-1"),
    "leading zeros": lambda content: content.replace(b"100.0", b"00100.0"),
    "gzip": gzip.compress,
    "gzip in pieces": lambda content: gzip.compress(content[:99]) + gzip.compress(content[99:]),
    "zstandard": lambda content: zstandard.ZstdCompressor().compress(content),
    "zstandard in pieces": lambda content: b"".join(
        zstandard.ZstdCompressor().compress(part) for part in (content[:99], content[99:])
    ),
    "zip": _zipped,
}


@pytest.mark.parametrize("name", DRESSES)
def test_the_same_rows_however_they_are_dressed(write: WriteFile, name: str) -> None:
    path = write("q.csv", QUOTES, *(quote(second) for second in range(20)))
    plain = list(opened([path]))
    path.write_bytes(DRESSES[name](path.read_bytes()))
    assert list(opened([path])) == plain
    assert len(plain) == 20


NOISE = Random(7).randbytes(300_000).hex().encode()
"""More than a block, even when it is compressed."""


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("zstandard", zstandard.ZstdCompressor().compress(b"a,b\n" * 90_000)[:-9]),
        (
            "zstandard, a byte short",
            zstandard.ZstdCompressor().compress(Random(7).randbytes(300_000).hex().encode())[:-1],
        ),
        ("zstandard, then something", zstandard.ZstdCompressor().compress(b"a,b\n") + b"something"),
        ("zip", _zipped(b"a,b\n" * 90_000)[:-200]),
        ("two files in a zip", b""),
    ],
)
def test_a_broken_archive_is_refused_in_words(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / "q"
    path.write_bytes(content)
    if name == "two files in a zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a", "1")
            archive.writestr("b", "2")
    with pytest.raises(RecordingError, match=r"^q.*(broken one|archive of one file)"):
        list(RecordingFile(path).blocks())


def test_aggregated_trades_serve_where_single_ones_are_absent(write: WriteFile) -> None:
    books = [stream_book(second, second + 1) for second in range(3)]
    aggregated = [stream_trade(second + 0.5, second + 1, "aggTrade") for second in range(3)]
    single = [stream_trade(second + 0.7, second + 90) for second in range(3)]
    recording = opened([write("a", *books, *aggregated)], reorder_window_seconds=9)
    assert [e.trade_id for e in recording if isinstance(e, MarketTrade)] == ["1", "2", "3"]
    assert recording.skipped == {}
    recording = opened([write("b", *books, *aggregated, *single)], reorder_window_seconds=9)
    assert [e.trade_id for e in recording if isinstance(e, MarketTrade)] == ["90", "91", "92"]
    assert recording.skipped == {"aggTrade": 3}


def test_a_market_that_moved_is_believed_once_three_books_agree(write: WriteFile) -> None:
    """At 130 from the third second on: 30 % away; believed from the third such book."""
    rows = [quote(second) for second in range(3)]
    rows += [quote(second, "130.0", "130.2") for second in range(3, 8)]
    recording = opened([write("q.csv", QUOTES, *rows)], max_passed_over=0.3)
    assert seconds_of(recording) == [0, 1, 2, 5, 6, 7]
    assert recording.skipped == {"far book": 2}


def test_wild_books_that_do_not_agree_are_never_believed(write: WriteFile) -> None:
    wild = [quote(second, f"{10 ** (second % 2 + 4)}", f"{10 ** (second % 2 + 4) + 1}") for second in range(1, 9)]
    recording = opened([write("q.csv", QUOTES, quote(0), *wild, quote(9))], max_passed_over=0.9)
    assert seconds_of(recording) == [0, 9]


@pytest.mark.parametrize(("percent", "is_believed"), [(19, True), (21, False)])
@pytest.mark.parametrize("is_up", [True, False])
def test_how_far_a_book_and_a_print_may_be_is_a_setting(
    write: WriteFile, percent: int, *, is_believed: bool, is_up: bool
) -> None:
    """Against a middle of 100.1 and a touch of 100.0 and 100.2; the default is 20 % of the lower price."""
    factor = 1 + percent / 100 if is_up else 1 / (1 + percent / 100)
    bid, ask = f"{100.0 * factor:.4f}", f"{100.2 * factor:.4f}"
    recording = opened([write("q.csv", QUOTES, quote(0), quote(1, bid, ask), quote(2))], max_passed_over=0.4)
    assert seconds_of(recording, MarketBook) == ([0, 1, 2] if is_believed else [0, 2])
    price = ask if is_up else bid
    quotes = write("q.csv", QUOTES, quote(0), quote(2))
    recording = opened([quotes], [write("t.csv", TRADES, trade(1, 1, price=price))], max_passed_over=0.4)
    assert seconds_of(recording, MarketTrade) == ([1] if is_believed else [])
    wide = opened([quotes, write("t.csv", TRADES, trade(1, 1, price="50"))], max_print_distance=1.0)
    assert seconds_of(wide, MarketTrade) == [1]
