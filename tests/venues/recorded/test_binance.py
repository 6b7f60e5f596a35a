"""Raw captures of Binance futures streams: what they become, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from mm_fsm.books.facts import MarketBook, MarketTrade
from mm_fsm.core.messages import BookLevel, Side
from mm_fsm.errors import RecordingError
from mm_fsm.venues.recorded import RecordingInfo
from tests.venues.recorded.openings import STRICT, opened

WriteFile = Callable[..., Path]

START = 1_721_347_022_507  # 2024-07-18 23:57:02.507, milliseconds
MILLISECOND = 1_000_000  # nanoseconds


def line(stream: str, message: dict[str, object]) -> str:
    """One captured message; the local clock is of no consequence."""
    return f"1721347021080832061 {json.dumps({'stream': f'btcusdt@{stream}', 'data': message})}"


def book(after: int, number: int, **changes: object) -> str:
    """The best bid and ask, ``after`` milliseconds from the start."""
    message = {"e": "bookTicker", "u": number, "s": "BTCUSDT", "b": "63943.90", "B": "46.371", "a": "63944.00"}
    return line("bookTicker", message | {"A": "0.095", "T": START + after, "E": START + after} | changes)


def trade(after: int, number: int, **changes: object) -> str:
    """A trade, ``after`` milliseconds from the start."""
    message = {"e": "trade", "E": START + after, "T": START + after, "s": "BTCUSDT", "t": number}
    return line("trade", message | {"p": "63943.90", "q": "0.003", "X": "MARKET", "m": True} | changes)


def depth(previous: int, last: int) -> str:
    """A depth update that continues the one which ended at ``previous``."""
    message = {"e": "depthUpdate", "E": START, "T": START, "s": "BTCUSDT", "U": last, "u": last, "pu": previous}
    return line("depth@0ms", message | {"b": [["1000.00", "569.567"]], "a": []})


SNAPSHOT = '1721347021281597601 {"lastUpdateId":1,"E":1721347022759,"T":1721347022750,"bids":[],"asks":[]}'


def without(text: str, field: str) -> str:
    """The same line with one field of its message left out."""
    stamp, _, body = text.partition(" ")
    message = json.loads(body)
    del message["data"][field]
    return f"{stamp} {json.dumps(message)}"


def refusal(write: WriteFile, *lines: str) -> str:
    """Read a capture that must be refused, and give the message."""
    recording = opened([write("c", *lines)], refuse=STRICT)
    with pytest.raises(RecordingError) as caught:
        list(recording)
    return str(caught.value)


def test_messages_become_books_and_trades_with_exact_prices(write: WriteFile) -> None:
    events = list(opened([write("c", book(0, 5), trade(449, 5182005737))]))
    assert events == [
        MarketBook(
            symbol="BTCUSDT",
            received_at=1_721_347_022_507_000_000,
            exchange_time=1_721_347_022_507_000_000,
            bids=(BookLevel(Decimal("63943.90"), Decimal("46.371")),),
            asks=(BookLevel(Decimal("63944.00"), Decimal("0.095")),),
            includes_own_orders=False,
        ),
        MarketTrade(
            symbol="BTCUSDT",
            received_at=1_721_347_022_956_000_000,
            exchange_time=1_721_347_022_956_000_000,
            price=Decimal("63943.90"),
            size=Decimal("0.003"),
            taker_side=Side.ASK,
            trade_id="5182005737",
        ),
    ]


def test_the_taker_sold_when_the_buyer_was_the_maker(write: WriteFile) -> None:
    _, first, second = opened([write("c", book(0, 1), trade(1, 1, m=True), trade(1, 2, m=False))])
    assert isinstance(first, MarketTrade)
    assert isinstance(second, MarketTrade)
    assert (first.taker_side, second.taker_side) == (Side.ASK, Side.BID)


def test_streams_that_overtook_each_other_are_put_in_order(write: WriteFile) -> None:
    path = write("c", book(0, 1), book(30, 2), trade(7, 1), book(40, 3), trade(35, 2))
    times = [event.exchange_time // MILLISECOND - START for event in opened([path])]
    assert times == [0, 7, 30, 35, 40]


def test_a_message_later_than_the_window_is_refused_with_the_window_it_takes(write: WriteFile) -> None:
    path = write("c", book(0, 1), book(30, 2), trade(7, 1))
    assert len(list(opened([path], reorder_window_seconds=0.023))) == 3
    with pytest.raises(RecordingError) as caught:
        list(opened([path], reorder_window_seconds=0.022, refuse=["late"]))
    assert str(caught.value) == (
        "c, line 3: field 'T': expected a time at most 22 ms behind the newest one, found '23 ms behind'. "
        "Give the files in order of time, or --reorder-window 0.023 (seconds) or more."
    )


def test_other_streams_are_skipped_and_counted(write: WriteFile) -> None:
    mark = line("markPrice@1s", {"e": "markPriceUpdate", "s": "BTCUSDT", "p": "1"})
    response = '1721347021080832061 {"result":null,"id":1}'
    recording = opened([write("c", response, depth(1, 2), book(0, 1), SNAPSHOT, depth(2, 3), mark)])
    assert recording.skipped == {}
    assert len(list(recording)) == 1
    assert recording.skipped == {"response": 1, "depth": 2, "snapshot": 1, "markPrice": 1}


def test_trades_outside_the_book_are_skipped_and_counted(write: WriteFile) -> None:
    """The exchange reports positions taken over by its insurance fund as trades, off the grid or of nothing."""
    fund = trade(1, 1, X="INSURANCE_FUND", p="63943.9041208")
    nothing = trade(1, 2, X="NA", p="0", q="0")
    recording = opened([write("c", book(0, 1), fund, nothing, trade(1, 3))])
    assert [event.trade_id for event in recording if isinstance(event, MarketTrade)] == ["3"]
    assert recording.skipped == {"trade:INSURANCE_FUND": 1, "trade:NA": 1}


def test_a_side_of_zeros_is_empty(write: WriteFile) -> None:
    (event,) = opened([write("c", book(0, 1, a="0.00", A="0"))])
    assert isinstance(event, MarketBook)
    assert event.asks == ()
    assert event.bids != ()


def test_describing_finds_the_first_book_and_leaves_an_iteration_alone(write: WriteFile) -> None:
    recording = opened([write("c", depth(1, 2), SNAPSHOT, book(0, 1), book(1, 2))])
    events = iter(recording)
    next(events)
    position = recording.position
    info = RecordingInfo(exchange="binance_usdm", symbol="BTCUSDT", first_time=START * MILLISECOND)
    assert recording.describe() == info
    assert recording.position == position
    assert len(list(events)) == 1


def test_contracts_settled_in_coin_are_told_by_their_pair(write: WriteFile) -> None:
    path = write("c", book(0, 1, s="BTCUSD_PERP", ps="BTCUSD"))
    assert opened([path]).describe().exchange == "binance_coinm"


def test_a_spot_capture_is_refused_because_its_books_have_no_time(write: WriteFile) -> None:
    spot = line("bookTicker", {"u": 1, "s": "BTCUSDT", "b": "1", "B": "1", "a": "2", "A": "1"})
    assert refusal(write, spot).startswith(
        "c, line 1: field 'T': expected a transaction time, found None. Capture a fut"
    )


def test_a_capture_without_books_is_refused(write: WriteFile) -> None:
    assert refusal(write, trade(0, 1)) == (
        "c: expected bookTicker messages, found none. Capture the bookTicker stream as well."
    )


def test_files_continue_each_other(write: WriteFile) -> None:
    first = write("1.gz", depth(1, 2), book(0, 1), trade(0, 1), compress=True)
    second = write("2", depth(2, 3), book(9, 2), trade(9, 2))
    recording = opened([first, second], symbol="BTC/USDT:USDT")
    assert [type(event) for event in recording] == [MarketTrade, MarketBook, MarketTrade, MarketBook]
    assert {event.symbol for event in recording} == {"BTC/USDT:USDT"}
    assert recording.position == recording.size


def test_a_hole_between_two_files_is_counted_as_one_within(write: WriteFile) -> None:
    first = write("1", depth(1, 2), book(0, 1), trade(0, 1))
    recording = opened([first, write("2", book(9, 2), depth(3, 4), trade(9, 3))])
    assert len(list(recording)) == 4
    assert recording.skipped == {"depth": 2, "gap:depth": 1, "gap:trade": 1}


def test_files_are_read_in_order_of_time_however_they_are_given(write: WriteFile) -> None:
    later, earlier = write("2", book(9, 2)), write("1", book(0, 1))
    assert list(opened([later, earlier])) == list(opened([earlier, later]))


def test_a_file_given_twice_is_refused(write: WriteFile) -> None:
    path, copy = write("1", trade(0, 1), book(0, 1)), write("2", trade(0, 1), book(0, 1))
    with pytest.raises(RecordingError, match=r"^2: expected each file once, found the content of 1 again\. Leave it"):
        opened([path, copy])


def test_a_trade_that_a_reconnect_repeats_is_passed_over(write: WriteFile) -> None:
    lines = [book(0, 1), trade(1, 7), trade(2, 8), trade(1, 7), trade(2, 8), trade(3, 9)]
    recording = opened([write("c", *lines)], max_passed_over=1)
    assert [event.trade_id for event in recording if isinstance(event, MarketTrade)] == ["7", "8", "9"]
    assert recording.skipped == {"repeated": 2}


def test_messages_lost_inside_a_file_are_counted(write: WriteFile) -> None:
    recording = opened([write("c", book(0, 1), depth(1, 2), depth(5, 6), trade(1, 1), trade(2, 4))])
    assert len(list(recording)) == 3
    assert recording.skipped == {"depth": 2, "gap:depth": 1, "gap:trade": 1}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([book(0, 2), book(1, 1)], "line 2: field 'u': expected at least 2 as in the book before, found 1."),
        ([book(0, 1), trade(1, 7), trade(2, 7)], "line 3: field 't': expected a trade id above"),
        ([book(0, 1), trade(1, 7), trade(2, 6)], "line 3: field 't': expected a trade id above"),
        ([book(0, 1), trade(1, 7, s="ETHUSDT")], "line 2: field 's': expected 'BTCUSDT', found 'ETHUSDT'."),
        ([book(0, 1), book(0, 1, T=1721347022)], "line 2: field 'T': expected milliseconds since 1970 between the"),
        ([book(0, 1), book(0, 1, T=True)], "line 2: field 'T': expected whole milliseconds since 1970, found True."),
        ([book(0, 1), book(0, 1, u="7")], "line 2: field 'u': expected a whole number, found '7'."),
        ([book(0, 1), book(0, 1, b="63944.00")], "line 2: field 'bid price': expected below the ask price 63944.00"),
        ([book(0, 1), book(0, 1, b="63944.10")], "line 2: field 'bid price': expected below the ask price 63944.00"),
        ([book(0, 1), book(0, 1, b=63943.9)], "line 2: field 'b': expected a positive finite decimal, found 63943.9."),
        ([book(0, 1), book(0, 1, a="-1")], "line 2: field 'a': expected a positive finite decimal, found '-1'."),
        ([book(0, 1), book(0, 1, A="NaN")], "line 2: field 'A': expected a positive finite decimal, found 'NaN'."),
        ([book(0, 1), trade(0, 1, p="Infinity")], "line 2: field 'p': expected a positive finite decimal"),
        ([book(0, 1), trade(0, 1, q="0.000")], "line 2: field 'q': expected a positive finite decimal"),
        ([book(0, 1), trade(0, 1, m="true")], "line 2: field 'm': expected true or false"),
        ([book(0, 1), depth(1, -1)], "line 2: field 'u': expected a whole number, found -1."),
    ],
)
def test_a_malformed_message_is_refused(write: WriteFile, lines: list[str], expected: str) -> None:
    assert refusal(write, *lines).startswith(f"c, {expected}")


@pytest.mark.parametrize(
    ("whole", "fields"), [(book(1, 2), "ubBaAT"), (trade(1, 2), "tpqmT"), (depth(1, 2), ["u", "pu"])]
)
def test_a_missing_field_is_named(write: WriteFile, whole: str, fields: str | list[str]) -> None:
    for field in fields:
        message = refusal(write, book(0, 1), without(whole, field))
        assert message.startswith(f"c, line 2: field '{field}': expected ")
        assert "found None." in message


def test_seconds_are_recognised(write: WriteFile) -> None:
    assert "It looks like seconds: convert the file to milliseconds." in refusal(write, book(0, 1, T=1721347022))


def test_a_symbol_other_than_the_one_asked_for_is_refused(write: WriteFile) -> None:
    recording = opened([write("c", book(0, 1))], recorded_symbol="ETHUSDT", refuse=STRICT)
    with pytest.raises(RecordingError, match=r"^c, line 1: field 's': expected 'ETHUSDT', found 'BTCUSDT'"):
        list(recording)


@pytest.mark.parametrize(
    "broken",
    [
        book(1, 2)[:-20],
        "1721347021080832061 ",
        "1721347021080832061",
        f"1721347021080832061 {'[' * 100_000}",
        f'1721347021080832061 {{"u":{"9" * 5000}}}',
    ],
)
def test_a_torn_message_is_refused(write: WriteFile, broken: str) -> None:
    assert refusal(write, book(0, 1), broken).startswith("c, line 2: field 'message': expected whole JSON, found '")


@pytest.mark.parametrize("other", ["[]", "7", '{"e":"trade"}', '{"stream":7,"data":{}}', '{"stream":"x","data":[]}'])
def test_json_that_is_no_message_is_refused(write: WriteFile, other: str) -> None:
    message = refusal(write, book(0, 1), f"1721347021080832061 {other}")
    assert message.startswith("c, line 2: field 'message': expected a 'stream' with its 'data', or a depth snapshot")


@pytest.mark.parametrize("text", ['{"stream":"x","data":{}}', "12.5 {}", "x"])
def test_a_line_without_its_local_time_is_refused(write: WriteFile, text: str) -> None:
    message = refusal(write, book(0, 1), text)
    assert message.startswith("c, line 2: field 'local time': expected whole nanoseconds, a space and JSON, found ")
