"""The recorded days, read from end to end, against figures counted without this package."""

from __future__ import annotations

import gzip
import statistics
from collections import Counter
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from mm_fsm.books.facts import MarketBook, MarketTrade
from mm_fsm.core.messages import BookLevel, Side
from mm_fsm.errors import RecordingError
from mm_fsm.venues.recorded import RecordedEvent, Recording, RecordingInfo
from tests.venues.recorded.openings import opened

RecordedData = Callable[[str], Path]

QUOTES = "gemini_ethusd/gemini_quotes_2021-07-01_ETHUSD.csv.gz"
TRADES = "gemini_ethusd/gemini_trades_2021-07-01_ETHUSD.csv.gz"
CAPTURES = ("binance_usdm_btcusdt/btcusdt_20240718.gz", "binance_usdm_btcusdt/btcusdt_20240719.gz")


@pytest.fixture(scope="module")
def gemini(recorded_data: RecordedData) -> Recording:
    """The day of ETH-USD on Gemini."""
    return opened([recorded_data(QUOTES), recorded_data(TRADES)])


@pytest.fixture(scope="module")
def gemini_events(gemini: Recording) -> list[RecordedEvent]:
    """All of that day."""
    return list(gemini)


@pytest.fixture(scope="module")
def binance(recorded_data: RecordedData) -> Recording:
    """Eight minutes of BTCUSDT on Binance in two files."""
    return opened([recorded_data(name) for name in CAPTURES])


@pytest.fixture(scope="module")
def binance_events(binance: Recording) -> list[RecordedEvent]:
    """All of those minutes."""
    return list(binance)


def _books(events: list[RecordedEvent]) -> list[MarketBook]:
    return [event for event in events if isinstance(event, MarketBook)]


def _trades(events: list[RecordedEvent]) -> list[MarketTrade]:
    return [event for event in events if isinstance(event, MarketTrade)]


def _mid(book: MarketBook) -> Decimal:
    return (book.bids[0].price + book.asks[0].price) / 2


def _spread_bps(book: MarketBook) -> Decimal:
    return (book.asks[0].price - book.bids[0].price) / _mid(book) * 10_000


def test_gemini_agrees_with_the_figures_published_with_it(
    gemini: Recording, gemini_events: list[RecordedEvent]
) -> None:
    """The figures are those of the recording's own README; counts by ``zcat | wc -l`` less the header."""
    assert gemini.describe() == RecordingInfo(exchange="gemini", symbol="ETHUSD", first_time=1_625_097_600_000_000_000)
    books, trades = _books(gemini_events), _trades(gemini_events)
    assert (len(books), len(trades)) == (72_180, 25_222)
    assert round(_spread_bps(books[0])) == 35
    assert round(statistics.median(map(_spread_bps, books)), 2) == Decimal("4.65")
    mids = [_mid(book) for book in books]
    extremes = [mid.quantize(Decimal("0.01"), ROUND_HALF_UP) for mid in (min(mids), max(mids))]
    assert extremes == [Decimal("2074.57"), Decimal("2277.72")]
    gaps = [later.exchange_time - earlier.exchange_time for earlier, later in pairwise(books)]
    assert max(gaps) == 38_000_000_000
    assert sum(gap > 10_000_000_000 for gap in gaps) == 97
    assert all(book.bids[0].price < book.asks[0].price for book in books)
    assert Counter(trade.taker_side for trade in trades) == {Side.BID: 14_458, Side.ASK: 10_764}
    assert all(event.received_at == event.exchange_time for event in gemini_events)


def test_gemini_is_in_order_with_trades_before_a_book_of_their_very_time(gemini_events: list[RecordedEvent]) -> None:
    keys = [(event.exchange_time, isinstance(event, MarketBook)) for event in gemini_events]
    assert keys == sorted(keys)
    assert [trade.trade_id for trade in _trades(gemini_events)] == [str(number) for number in range(1, 25_223)]


def test_gemini_is_on_its_grid(gemini_events: list[RecordedEvent]) -> None:
    """Prices are in cents; sizes of trades are in millionths but for the 311 that were cut finer."""
    cent, millionth = Decimal("0.01"), Decimal("0.000001")
    levels = [level for book in _books(gemini_events) for level in (*book.bids, *book.asks)]
    assert all(level.price % cent == 0 for level in levels)
    assert all(trade.price % cent == 0 for trade in _trades(gemini_events))
    assert sum(trade.size % millionth != 0 for trade in _trades(gemini_events)) == 311


def test_gemini_is_read_to_the_last_byte(gemini: Recording, gemini_events: list[RecordedEvent]) -> None:
    assert gemini_events
    assert gemini.position == gemini.size == 974_748 + 308_887


def test_gemini_cut_short_is_read_as_far_as_it_goes_and_then_refused(
    recorded_data: RecordedData, tmp_path: Path
) -> None:
    path = tmp_path / "half.csv.gz"
    path.write_bytes(recorded_data(QUOTES).read_bytes()[:500_000])
    read: list[RecordedEvent] = []
    with pytest.raises(RecordingError, match=r"^half\.csv\.gz, line \d+: expected a whole compressed file"):
        read.extend(opened([path]))
    assert 30_000 < len(read) < 40_000  # 500,000 of 974,748 bytes of 72,180 rows


def test_binance_yields_every_book_and_trade_and_counts_the_rest(
    binance: Recording, binance_events: list[RecordedEvent]
) -> None:
    """Counts by ``zcat | grep -c`` for each file: books 7113 + 45147, trades 974 + 9727, depth 3326 + 5696."""
    assert binance.describe() == RecordingInfo(
        exchange="binance_usdm", symbol="BTCUSDT", first_time=1_721_347_022_507_000_000
    )
    assert (len(_books(binance_events)), len(_trades(binance_events))) == (7_113 + 45_147, 974 + 9_727)
    assert binance.skipped == {"depth": 3_326 + 5_696, "snapshot": 1}
    assert binance.position == binance.size == 572_468 + 2_568_733


def test_binance_counts_agree_with_a_search_of_the_text(
    binance: Recording, binance_events: list[RecordedEvent], recorded_data: RecordedData
) -> None:
    found: Counter[str] = Counter()
    for name in CAPTURES:
        with gzip.open(recorded_data(name), "rt") as text:
            for line in text:
                found.update(kind for kind in ("@bookTicker", "@trade", "@depth") if kind in line[:60])
    assert found == {
        "@bookTicker": len(_books(binance_events)),
        "@trade": len(_trades(binance_events)),
        "@depth": binance.skipped["depth"],
    }


def test_binance_is_in_order_of_exchange_time_and_keeps_the_exchanges_numbering(
    binance_events: list[RecordedEvent],
) -> None:
    assert all(earlier.exchange_time <= later.exchange_time for earlier, later in pairwise(binance_events))
    trades = _trades(binance_events)
    assert [int(trade.trade_id) for trade in trades] == [5_182_005_737 + index for index in range(10_701)]
    assert _books(binance_events)[-1].asks == (
        BookLevel(Decimal("63865.30"), Decimal("5.801")),
    )  # the last line by zcat | tail


def test_binance_overtakes_itself_by_23_milliseconds(
    binance_events: list[RecordedEvent], recorded_data: RecordedData
) -> None:
    paths = [recorded_data(name) for name in CAPTURES]
    assert list(opened(paths, reorder_window_seconds=0.023)) == binance_events
    with pytest.raises(RecordingError, match=r"--reorder-window 0\.023 "):
        list(opened(paths, reorder_window_seconds=0.022999999, refuse=["late"]))


def test_no_taker_on_binance_did_better_than_the_book_it_met(binance_events: list[RecordedEvent]) -> None:
    """A matching engine allows none. With books before trades of their millisecond it would be 3,369 of 10,701."""
    better, book = 0, None
    for event in binance_events:
        if isinstance(event, MarketBook):
            book = event
        elif book is not None and event.taker_side is Side.ASK:
            better += event.price > book.bids[0].price
        elif book is not None:
            better += event.price < book.asks[0].price
    assert better <= 2


def test_binance_is_on_its_grid(binance_events: list[RecordedEvent]) -> None:
    tick, lot = Decimal("0.1"), Decimal("0.001")
    for event in binance_events:
        levels = (*event.bids, *event.asks) if isinstance(event, MarketBook) else ((event.price, event.size),)
        assert all(price % tick == 0 and size % lot == 0 for price, size in levels)
