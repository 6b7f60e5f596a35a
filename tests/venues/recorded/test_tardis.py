"""Quotes and trades in the columns of Tardis: what they become, and what is refused."""

from __future__ import annotations

import gc
import io
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.books.facts import MarketBook, MarketTrade
from mm_fsm.core.messages import BookLevel, Side
from mm_fsm.errors import RecordingError
from mm_fsm.venues.recorded import RecordingInfo
from tests.venues.recorded.openings import STRICT, opened

WriteFile = Callable[..., Path]

QUOTES = "exchange,symbol,timestamp,local_timestamp,ask_amount,ask_price,bid_price,bid_amount"
TRADES = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount"
SECOND = 1_000_000  # microseconds
START = 1_625_097_600 * SECOND  # 2021-07-01


def quote(
    second: float, *, ask: str = "2279.63", bid: str = "2271.58", amounts: str = "28.479526/1.6477", symbol: str = "E"
) -> str:
    """One row of quotes; ``amounts`` are of the ask and of the bid."""
    stamp = START + round(second * SECOND)
    ask_amount, _, bid_amount = amounts.partition("/")
    return f"gemini,{symbol},{stamp},{stamp},{ask_amount},{ask},{bid},{bid_amount}"


def trade(second: float, number: str, *, side: str = "buy", price: str = "2272", amount: str = "0.5") -> str:
    """One row of trades."""
    stamp = START + round(second * SECOND)
    return f"gemini,E,{stamp},{stamp},{number},{side},{price},{amount}"


def refusal_of_quotes(write: WriteFile, *rows: str, header: str = QUOTES) -> str:
    """Read a file of quotes that must be refused, and give the message."""
    recording = opened([write("q.csv", header, *rows)], refuse=STRICT)
    with pytest.raises(RecordingError) as caught:
        list(recording)
    return str(caught.value)


def refusal_of_trades(write: WriteFile, *rows: str) -> str:
    """Read a file of trades, beside sound quotes, that must be refused, and give the message."""
    recording = opened([write("q.csv", QUOTES, quote(0))], [write("t.csv", TRADES, *rows)], refuse=STRICT)
    with pytest.raises(RecordingError) as caught:
        list(recording)
    return str(caught.value)


def test_rows_become_books_and_trades_with_exact_prices(write: WriteFile) -> None:
    recording = opened(
        [write("q.csv", QUOTES, quote(0))], [write("t.csv", TRADES, trade(21.647, "7", side="sell", amount="0.0409"))]
    )
    assert list(recording) == [
        MarketBook(
            symbol="E",
            received_at=1_625_097_600_000_000_000,
            exchange_time=1_625_097_600_000_000_000,
            bids=(BookLevel(Decimal("2271.58"), Decimal("1.6477")),),
            asks=(BookLevel(Decimal("2279.63"), Decimal("28.479526")),),
            includes_own_orders=False,
        ),
        MarketTrade(
            symbol="E",
            received_at=1_625_097_621_647_000_000,
            exchange_time=1_625_097_621_647_000_000,
            price=Decimal(2272),
            size=Decimal("0.0409"),
            taker_side=Side.ASK,
            trade_id="7",
        ),
    ]


def test_the_side_of_a_trade_is_the_takers(write: WriteFile) -> None:
    trades = write("t.csv", TRADES, trade(1, "1", side="buy"), trade(1, "2", side="sell"))
    events = list(opened([write("q.csv", QUOTES, quote(0))], [trades]))[1:]
    assert [event.taker_side for event in events if isinstance(event, MarketTrade)] == [Side.BID, Side.ASK]


def test_a_trade_comes_before_the_quotes_of_its_own_time(write: WriteFile) -> None:
    """As in every recording: a row of quotes with the time of a trade may be what the trade left behind."""
    quotes = write("q.csv", QUOTES, quote(0), quote(1), quote(2))
    trades = write("t.csv", TRADES, trade(0.5, "1"), trade(1, "2"), trade(2.5, "3"))
    kinds = [type(event).__name__[6] for event in opened([quotes], [trades])]
    assert "".join(kinds) == "BTTBBT"


def test_columns_are_found_by_name_in_any_order_and_others_are_ignored(write: WriteFile) -> None:
    header = "bid_price,bid_amount,note,ask_price,ask_amount,timestamp,symbol,exchange"
    path = write("q.csv", header, f"10.1,2,anything,10.2,3,{START},E,gemini")
    (book,) = opened([path])
    assert isinstance(book, MarketBook)
    assert book.bids == (BookLevel(Decimal("10.1"), Decimal(2)),)
    assert book.asks == (BookLevel(Decimal("10.2"), Decimal(3)),)


def test_quoted_fields_and_carriage_returns_are_read(write: WriteFile) -> None:
    row = ",".join(f'"{field}"' for field in quote(0).split(","))
    assert len(list(opened([write("q.csv", f"{QUOTES}\r", f"{row}\r")]))) == 1


def test_a_side_without_price_and_amount_is_empty(write: WriteFile) -> None:
    rows = (quote(0, ask="", amounts="/2"), quote(1, bid="", amounts="3/"), quote(2, ask="", bid="", amounts="/"))
    books = [event for event in opened([write("q.csv", QUOTES, *rows)]) if isinstance(event, MarketBook)]
    assert [(len(book.bids), len(book.asks)) for book in books] == [(1, 0), (0, 1), (0, 0)]


def test_numbers_may_be_written_with_an_exponent(write: WriteFile) -> None:
    (book,) = opened([write("q.csv", QUOTES, quote(0, amounts="1e-7/2E+1"))])
    assert isinstance(book, MarketBook)
    assert (book.asks[0].size, book.bids[0].size) == (Decimal("0.0000001"), Decimal(20))


def test_days_are_read_one_after_the_other(write: WriteFile) -> None:
    days = [write("a.csv", QUOTES, quote(0)), write("b.csv", QUOTES, quote(1), compress=True)]
    assert [event.exchange_time for event in opened(days)] == [START * 1000, (START + SECOND) * 1000]


def test_days_are_read_in_order_of_time_however_they_are_given(write: WriteFile) -> None:
    days = [write("b.csv", QUOTES, quote(1)), write("a.csv", QUOTES, quote(0))]
    assert [event.exchange_time for event in opened(days)] == [START * 1000, (START + SECOND) * 1000]


def test_events_carry_the_name_they_are_asked_to(write: WriteFile) -> None:
    quotes, trades = write("q.csv", QUOTES, quote(0)), write("t.csv", TRADES, trade(1, "1"))
    assert {event.symbol for event in opened([quotes], [trades], symbol="ETH/USD")} == {"ETH/USD"}


def test_trades_without_numbers_are_told_apart_by_time_and_line(write: WriteFile) -> None:
    trades = [write("t.csv", TRADES, trade(1, ""), trade(1, "")), write("u.csv", TRADES, trade(2, ""))]
    events = list(opened([write("q.csv", QUOTES, quote(0))], trades))
    ids = [event.trade_id for event in events if isinstance(event, MarketTrade)]
    assert ids == ["1625097601000000-2", "1625097601000000-3", "1625097602000000-2"]


def test_describing_reads_the_first_row_and_leaves_an_iteration_alone(write: WriteFile) -> None:
    recording = opened([write("q.csv", QUOTES, quote(0), quote(1), quote(2))])
    events = iter(recording)
    next(events)
    position = recording.position
    assert recording.describe() == RecordingInfo(exchange="gemini", symbol="E", first_time=START * 1000)
    assert recording.position == position
    assert len(list(events)) == 2


def test_position_and_size_count_all_files(write: WriteFile) -> None:
    quotes, trades = write("q.csv", QUOTES, quote(0)), write("t.csv.gz", TRADES, trade(1, "1"), compress=True)
    recording = opened([quotes], [trades])
    assert recording.position == 0
    assert recording.size == quotes.stat().st_size + trades.stat().st_size
    list(recording)
    assert recording.position == recording.size


def test_a_recording_can_be_read_again(write: WriteFile) -> None:
    recording = opened([write("q.csv", QUOTES, quote(0), quote(1))], [write("t.csv", TRADES, trade(1, "1"))])
    assert list(recording) == list(recording)


def _open_files() -> set[str]:
    return {str(each.name) for each in gc.get_objects() if isinstance(each, io.FileIO) and not each.closed}


def test_files_are_closed_when_reading_is_given_up(write: WriteFile) -> None:
    quotes = write("q.csv", QUOTES, *(quote(second) for second in range(9)))
    trades = write("t.csv.gz", TRADES, *(trade(second, str(second)) for second in range(9)), compress=True)
    events = iter(opened([quotes], [trades]))
    next(events)
    assert {str(quotes), str(trades)} <= _open_files()
    del events
    assert not {str(quotes), str(trades)} & _open_files()


def test_files_are_closed_when_one_of_them_is_refused(write: WriteFile) -> None:
    quotes = write("q.csv", QUOTES, *(quote(second) for second in range(9)))
    trades = write("t.csv", TRADES, trade(1, "1"), trade(0, "2"), trade(3, "3"))
    with pytest.raises(RecordingError) as caught:
        list(opened([quotes], [trades]))
    assert caught.value.source == "t.csv"
    assert not {str(quotes), str(trades)} & _open_files()


def test_without_quotes_there_is_no_market(write: WriteFile) -> None:
    with pytest.raises(RecordingError, match=r"^t\.csv: expected a file of quotes with these trades"):
        opened([], [write("t.csv", TRADES, trade(1, "1"))])


def test_a_row_later_than_the_window_is_passed_over_or_refused(write: WriteFile) -> None:
    """Rows at 0, 2, 1.5 and 3 seconds, by the clock that orders them."""
    rows = (quote(0), quote(2), quote(1.5), quote(3))
    message = refusal_of_quotes(write, *rows)
    assert message.startswith(
        "q.csv, line 4: field 'timestamp': expected a time at most 250 ms behind the newest one, found '500 ms behind'."
    )
    assert "--reorder-window 0.5 (seconds)" in message
    for window, expected in ((0.5, [0, 1.5, 2, 3]), (0.4, [0, 2, 3])):
        recording = opened([write("q.csv", QUOTES, *rows)], reorder_window_seconds=window, max_passed_over=0.25)
        assert [(event.exchange_time - START * 1000) / 1e9 for event in recording] == expected
        assert recording.skipped == ({} if window == 0.5 else {"late": 1})


@pytest.mark.parametrize(("bid", "ask", "fault"), [("10.2", "10.1", "crossed"), ("10.1", "10.10", "locked")])
def test_a_crossed_or_locked_book_is_passed_over_and_counted(write: WriteFile, bid: str, ask: str, fault: str) -> None:
    rows = (quote(0), quote(1, bid=bid, ask=ask), quote(2))
    message = refusal_of_quotes(write, *rows)
    assert message.startswith(
        f"q.csv, line 3: field 'bid price': expected below the ask price {ask} (the book is {fault})"
    )
    assert f"found '{bid}'" in message
    recording = opened([write("q.csv", QUOTES, *rows)], max_passed_over=0.4)
    assert len(list(recording)) == 2
    assert recording.skipped == {fault: 1}
    list(recording)
    assert recording.skipped == {fault: 1}


@pytest.mark.parametrize("found", ["-1", "nan", "NaN", "inf", "-Infinity", "x", "1_0", " 1", "1e999999"])
def test_a_number_that_is_not_positive_and_finite_is_refused(write: WriteFile, found: str) -> None:
    expected = f"expected a positive finite decimal, found {found!r}. Cut the line out"
    assert f"line 2: field 'ask_price': {expected}" in refusal_of_quotes(write, quote(0, ask=found))
    assert f"line 2: field 'bid_price': {expected}" in refusal_of_quotes(write, quote(0, bid=found))
    assert f"line 2: field 'ask_amount': {expected}" in refusal_of_quotes(write, quote(0, amounts=f"{found}/1"))
    assert f"line 2: field 'bid_amount': {expected}" in refusal_of_quotes(write, quote(0, amounts=f"1/{found}"))
    assert f"line 2: field 'price': {expected}" in refusal_of_trades(write, trade(0, "1", price=found))
    assert f"line 2: field 'amount': {expected}" in refusal_of_trades(write, trade(0, "1", amount=found))


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (quote(0, ask=""), "ask_price"),
        (quote(0, bid=""), "bid_price"),
        (quote(0, amounts="/1"), "ask_amount"),
        (quote(0, amounts="1/"), "bid_amount"),
    ],
)
def test_half_a_side_is_no_empty_side(write: WriteFile, row: str, field: str) -> None:
    assert f"line 2: field '{field}': expected a positive" in refusal_of_quotes(write, row)


@pytest.mark.parametrize(
    ("stamp", "hint"),
    [
        ("1625097600", "It looks like seconds: convert the file to microseconds."),
        ("1625097600000", "It looks like milliseconds: convert the file to microseconds."),
        ("1625097600000000000", "It looks like nanoseconds: convert the file to microseconds."),
        ("0", "Cut the line out"),
        ("4102444800000000", "Cut the line out"),  # 2100-01-01
        ("1230767999999999", "Cut the line out"),  # the last microsecond of 2008
    ],
)
def test_a_time_in_another_unit_is_refused_with_the_unit(write: WriteFile, stamp: str, hint: str) -> None:
    message = refusal_of_quotes(write, quote(0).replace(str(START), stamp))
    expected = "expected microseconds since 1970 between the years 2009 and 2100"
    assert message.startswith(f"q.csv, line 2: field 'timestamp': {expected}, found {stamp}.")
    assert hint in message


@pytest.mark.parametrize("stamp", ["", "-1", "1.5e15", "now", "1625097600000000.0", "9" * 5000])
def test_a_time_that_is_no_whole_number_is_refused(write: WriteFile, stamp: str) -> None:
    message = refusal_of_quotes(write, quote(0).replace(str(START), stamp))
    assert message.startswith("q.csv, line 2: field 'timestamp': expected whole microseconds since 1970, found '")
    assert len(message) < 300


def test_another_symbol_or_exchange_is_refused(write: WriteFile) -> None:
    message = refusal_of_quotes(write, quote(0), quote(1, symbol="BTCUSD"))
    assert message == (
        "q.csv, line 3: field 'symbol': expected 'E', found 'BTCUSD'. Name the market that you want with --symbol."
    )
    message = refusal_of_quotes(write, quote(0), quote(1).replace("gemini", "kraken"))
    assert message.startswith("q.csv, line 3: field 'exchange': expected 'gemini', found 'kraken'.")
    assert "t.csv, line 2: field 'symbol': expected 'E', found 'F'" in refusal_of_trades(
        write, trade(0, "1").replace(",E,", ",F,")
    )


def test_a_symbol_other_than_the_one_asked_for_is_refused(write: WriteFile) -> None:
    recording = opened([write("q.csv", QUOTES, quote(0))], recorded_symbol="ETHUSD")
    with pytest.raises(RecordingError, match=r"^q\.csv: expected books of ETHUSD at gemini, found none"):
        list(recording)
    assert recording.skipped == {"other symbol": 1}


@pytest.mark.parametrize("side", ["", "unknown", "BUY", "bid"])
def test_an_unknown_taker_is_refused(write: WriteFile, side: str) -> None:
    message = refusal_of_trades(write, trade(0, "1", side=side))
    assert message.startswith(
        f"t.csv, line 2: field 'side': expected 'buy' or 'sell', the side of the taker, found '{side}'"
    )


def test_a_trade_written_twice_is_refused_with_its_id(write: WriteFile) -> None:
    message = refusal_of_trades(write, trade(0, "a1"), trade(0, "a2"), trade(0, "a2"))
    assert message.startswith(
        "t.csv, line 4: field 'id': expected an id that none of the last 4,096 trades has, found 'a2'."
    )


def test_missing_columns_are_named(write: WriteFile) -> None:
    with pytest.raises(RecordingError) as caught:
        opened([write("q.csv", QUOTES.replace("bid_price", "bid"), quote(0))])
    message = str(caught.value)
    assert message.startswith("q.csv, line 1: expected columns exchange, symbol, timestamp, ask_amount, ")
    assert "; bid_price not found in '" in message


@pytest.mark.parametrize("zero", ["0", "0.000", "0e5"])
def test_a_side_of_no_price_or_no_size_is_empty_and_a_trade_of_nothing_is_passed_over(
    write: WriteFile, zero: str
) -> None:
    quotes = (quote(0, ask=zero), quote(1, amounts=f"1/{zero}"), quote(2, bid=zero, amounts=f"1/{zero}"))
    recording = opened([write("q.csv", QUOTES, *quotes)])
    assert [(len(event.bids), len(event.asks)) for event in recording if isinstance(event, MarketBook)] == [
        (1, 0),
        (0, 1),
        (0, 1),
    ]
    trades = write("t.csv", TRADES, trade(0, "1", amount=zero), trade(0, "2", price=zero), trade(0, "3"))
    recording = opened([write("q.csv", QUOTES, quote(0))], [trades], max_passed_over=0.5)
    assert [event.trade_id for event in recording if isinstance(event, MarketTrade)] == ["3"]
    assert recording.skipped == {"zero trade": 2}


@pytest.mark.parametrize("rows", [["gemini,E"], [quote(0), f"{quote(1)},1"]])
def test_a_row_of_another_length_is_refused(write: WriteFile, rows: list[str]) -> None:
    found = len(rows[-1].split(","))
    message = refusal_of_quotes(write, *rows)
    expected = f"expected 8 fields as in the header, not {found}, found '"
    assert message.startswith(f"q.csv, line {len(rows) + 1}: field 'row': {expected}")


def test_a_file_with_only_a_header_is_refused(write: WriteFile) -> None:
    assert refusal_of_quotes(write).startswith("q.csv: expected rows, found only the header line.")
    assert refusal_of_trades(write).startswith("t.csv: expected rows, found only the header line.")


def test_a_last_line_that_was_torn_off_is_refused_although_it_reads_well(write: WriteFile) -> None:
    """Without its end, 0.05 may have been 0.0512."""
    path = write("q.csv", QUOTES, quote(0), quote(1))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(RecordingError, match=r"^q\.csv, line 3: field 'row': expected a line end \(the line"):
        list(opened([path]))


def test_a_quotation_mark_that_is_never_closed_is_refused(write: WriteFile) -> None:
    message = refusal_of_quotes(write, quote(0), '"gemini')
    assert message.startswith("q.csv, line 3: field 'row': expected a line of CSV (unexpected end of data), found ")


@given(st.decimals("0.00000001", "99999999", places=8), st.integers(1, 10_000_000))
def test_every_decimal_survives_exactly(tmp_path_factory: pytest.TempPathFactory, price: Decimal, above: int) -> None:
    path = tmp_path_factory.mktemp("exact") / "q.csv"
    ask = price + Decimal(above).scaleb(-8)
    path.write_text(f"{QUOTES}\n{quote(0, bid=f'{price:f}', ask=f'{ask:f}')}\n")
    (book,) = opened([path])
    assert isinstance(book, MarketBook)
    assert (book.bids[0].price, book.asks[0].price) == (price, ask)
