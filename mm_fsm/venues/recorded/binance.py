"""Raw captures of Binance futures streams: one ``<local nanoseconds> <json>`` line for each message as it arrived.

The book is taken from ``bookTicker`` and trades from ``trade``, or from ``aggTrade`` in captures that have no
``trade``; all carry the exchange's transaction time ``T`` in milliseconds, which orders them. Of depth updates only the
numbering is looked at. The messages are described at
https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

from mm_fsm.core.messages import Side
from mm_fsm.errors import RecordingError
from mm_fsm.venues.recorded.fields import MalformedFieldError, exchange_time
from mm_fsm.venues.recorded.files import Block, RecordingFile
from mm_fsm.venues.recorded.layout import Batch, Layout, RecordedEvent, RecordingInfo, Wanted
from mm_fsm.venues.recorded.making import (
    level,
    make_book,
    make_trade,
    other_symbol,
    plain_books,
    plain_times,
    plain_trades,
    traded,
)
from mm_fsm.venues.recorded.reading import Fault, Order, Tally

_Message = dict[str, Any]
Row = tuple[Any, ...]

_LINE: Final = re.compile(r"([^\n]*)\n|([^\n]+)\Z")
_STREAM: Final = re.compile(r'\d+ \{"stream": ?"[^"@]*@(\w+)(?:@\w+)?", ?"data": ?(\{.*\})\}')
"""The usual line. Another order of keys is read as JSON, more slowly."""
_CHANGES: Final = r'"b":\[[\[\]",.\d]*\],"a":\[[\[\]",.\d]*\]'
_DEPTH: Final = re.compile(rf'{{"e":"depthUpdate",(?:"[ETUps]+":"?\w+"?,)*"u":(\d+),"pu":(\d+),{_CHANGES}}}')
"""A depth update, of which only two numbers are needed: taking all of it apart costs more than everything else."""
_MILLISECOND_DIGITS: Final = 13
"""Of milliseconds since September 2001."""
_LONGEST_STAMP: Final = 20
"""Digits of a time in any unit; int() refuses a few thousand with an error of its own."""
_TRADE_STREAM: Final = re.compile(r'"stream": ?"[^"@]*@trade"')


class BinanceCapture(Layout):
    """One file of messages, in order of time.

    A message that is neither of the streams named above is counted by its stream, and a trade outside the book, such as
    the insurance fund's, by ``trade:`` and what the exchange calls it. Numbers that a stream left out are counted as
    ``gap:`` and the stream.
    """

    kind = "binance-stream capture"
    has_books = True
    has_trades = True
    has_local_time = True
    time_field = "T"

    def __init__(self, file: RecordingFile, symbol: str | None = None) -> None:
        super().__init__(file, symbol)
        self.numbering = _Numbering()
        self._takes: dict[str, bool] = {}

    @property
    def default_order(self) -> Order:
        """The exchange's: the recorder's clock ran more than a second behind it where it was compared."""
        return Order.EXCHANGE

    def describe(self) -> RecordingInfo:
        """Read exchange, symbol and time from the first sound ``bookTicker`` message."""
        first: RecordingError | None = None
        with closing(self._lines(self.file.apart())) as lines:
            for number, text in lines:
                try:
                    kind, message = _parsed(text)
                    if kind == "bookTicker":
                        return _described(message)
                except MalformedFieldError as wrong:
                    first = first or self.file.error(number, wrong.problem, wrong.remedy)
        if first is not None:
            raise first
        remedy = "Capture the bookTicker stream as well."
        raise self.file.error(0, "expected bookTicker messages, found none.", remedy)

    def batches(self, wanted: Wanted, tally: Tally, previous: Layout | None) -> Generator[Batch, None, None]:
        """Yield the books and trades of all messages."""
        self.numbering, self._takes = _Numbering(), {}
        if isinstance(previous, BinanceCapture):
            self.numbering, self._takes = previous.numbering, previous._takes
        with closing(self.file.blocks()) as blocks:
            for block in blocks:
                yield self._plain(block, wanted, tally) or self._judged(block, wanted, tally)

    def _judged(self, block: Block, wanted: Wanted, tally: Tally) -> Batch:
        events: list[RecordedEvent] = []
        numbers: list[int] = []
        for line, text in _numbered(block):
            tally.rows += 1
            try:
                event = self._event_of(wanted, tally, text)
            except MalformedFieldError as wrong:
                tally.pass_over(wrong.fault, self.file.error(line, wrong.problem, wrong.remedy))
                continue
            if event is not None:
                events.append(event)
                numbers.append(line)
        return Batch(events, numbers)

    def _plain(self, block: Block, wanted: Wanted, tally: Tally) -> Batch | None:
        """The events of a block in which every message is as usual, from columns; None where it is not."""
        if wanted.order is not Order.EXCHANGE:
            return None
        found = _usual(wanted.recorded_symbol).findall(block.text)
        books = [(place, *row[1:7]) for place, row in enumerate(found) if row[0]]
        trades = [(place, *row[8:13]) for place, row in enumerate(found) if row[7]]
        changes = [row[14:16] for row in found if row[13]]
        if not books or len(books) + len(trades) + len(changes) < len(found):
            return None
        plain_books_ = _plain_books(wanted, books)
        plain_trades_ = _plain_trades(wanted, trades) if trades else Batch([], [])
        if plain_books_ is None or plain_trades_ is None:
            return None
        if not self.numbering.take_whole(books, trades, changes):
            return None
        tally.rows += len(found)
        if changes:
            tally.leave_out("depth", len(changes))
        both = (plain_books_, plain_trades_)
        placed = sorted(
            (pair for batch in both for pair in zip(batch.lines, batch.events, strict=True)), key=itemgetter(0)
        )
        lines = [block.first_line + place for place, _ in placed]
        return Batch([event for _, event in placed], lines, plain_books_.prices)

    def has_stream_of_trades(self) -> bool:
        """Whether there is a ``trade`` message anywhere in the file."""
        with closing(self.file.apart().blocks()) as blocks:
            return any(_TRADE_STREAM.search(block.text) for block in blocks)

    def _lines(self, file: RecordingFile) -> Generator[tuple[int, str], None, None]:
        with closing(file.blocks()) as blocks:
            for block in blocks:
                yield from _numbered(block)

    def _event_of(self, wanted: Wanted, tally: Tally, text: str) -> RecordedEvent | None:
        usual = _STREAM.fullmatch(text)
        if usual is not None and usual[1] == "depth":
            numbers = _DEPTH.fullmatch(usual[2])
            if numbers is not None:
                self._count_depth(tally, int(numbers[2]), int(numbers[1]))
                return None
        kind, message = (usual[1], _json(usual[2])) if usual is not None else _parsed(text)
        if message.get("s", wanted.recorded_symbol) != wanted.recorded_symbol:
            raise other_symbol("s", wanted.recorded_symbol, message["s"])
        if kind == "bookTicker":
            return self._book_of(message, wanted, text.partition(" ")[0])
        if kind in {"trade", "aggTrade"} and self._is_taken(kind):
            return self._trade_of(kind, message, wanted, tally, text.partition(" ")[0])
        if kind == "depth":
            self._count_depth(tally, _whole(message, "pu"), _whole(message, "u"))
        else:
            tally.leave_out(kind)
        return None

    def _is_taken(self, kind: str) -> bool:
        """Trades are taken from ``trade``; of a file without that stream from ``aggTrade``."""
        if kind not in self._takes:
            self._takes[kind] = kind == "trade" or not self.has_stream_of_trades()
        return self._takes[kind]

    def _count_depth(self, tally: Tally, previous: int, last: int) -> None:
        if self.numbering.skips("pu", previous, last):
            tally.leave_out("gap:depth")
        tally.leave_out("depth")

    def _book_of(self, message: _Message, wanted: Wanted, local: str) -> RecordedEvent:
        times = self._times(wanted, message, local)
        self.numbering.refuse_older("u", _whole(message, "u"))
        return make_book(wanted, *times, _side(message, "b", "B"), _side(message, "a", "A"))

    def _times(self, wanted: Wanted, message: _Message, local: str) -> tuple[int, int]:
        time = exchange_time("T", message.get("T"), "milliseconds")
        if wanted.order is Order.EXCHANGE:
            return time, time
        return time, exchange_time("local time", int(local[:_LONGEST_STAMP]), "nanoseconds")

    def _trade_of(self, kind: str, message: _Message, wanted: Wanted, tally: Tally, local: str) -> RecordedEvent | None:
        name = "t" if kind == "trade" else "a"
        number = _whole(message, name)
        market = message.get("X", "MARKET")
        if market != "MARKET":
            self._follow(tally, kind, name, number)
            tally.leave_out(f"trade:{market}")
            return None
        buyer_is_maker = message.get("m")
        if not isinstance(buyer_is_maker, bool):
            raise MalformedFieldError("m", "true or false, whether the buyer was the maker", buyer_is_maker)
        times = self._times(wanted, message, local)
        price, size = traded("p", message.get("p")), traded("q", message.get("q"))
        self._follow(tally, kind, name, number)
        taker_side = Side.ASK if buyer_is_maker else Side.BID
        return make_trade(wanted, times, price=price, size=size, taker_side=taker_side, trade_id=str(number))

    def _follow(self, tally: Tally, kind: str, name: str, number: int) -> None:
        self.numbering.refuse_repeated(name, number)
        if self.numbering.skips(name, number - 1, number):
            tally.leave_out(f"gap:{kind}")


class _Numbering:
    """Follows the exchange's own numbers."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def take_whole(self, books: Sequence[Row], trades: Sequence[Row], changes: Sequence[Row]) -> bool:
        """Take the numbers of a block when none is missing, repeated or older; else take nothing, and say so."""
        book_numbers = [self._last.get("u", 0), *(int(row[1]) for row in books)]
        trade_numbers = [int(row[2]) for row in trades]
        ends = [int(row[0]) for row in changes]
        begins = [int(row[1]) for row in changes]
        if book_numbers != sorted(book_numbers):
            return False
        if trades:
            first = self._last.get("t", trade_numbers[0] - 1) + 1
            if trade_numbers != list(range(first, first + len(trades))):
                return False
        if changes and begins != [self._last.get("pu", begins[0]), *ends[:-1]]:
            return False
        self._last["u"] = book_numbers[-1]
        self._last.update({"t": trade_numbers[-1]} if trades else {})
        self._last.update({"pu": ends[-1]} if changes else {})
        return True

    def refuse_older(self, name: str, number: int) -> None:
        """Take the number of the next book; it may be the same, but not an older one."""
        last = self._last.get(name, 0)
        if number < last:
            raise MalformedFieldError(name, f"at least {last} as in the book before", number, fault=Fault.LATE)
        self._last[name] = number

    def refuse_repeated(self, name: str, number: int) -> None:
        """Look at the number of the next trade, which must be above that of the trade before."""
        last = self._last.get(name)
        if last is not None and number <= last:
            expected = f"a trade id above that of the trade before ({last})"
            raise MalformedFieldError(name, expected, number, fault=Fault.REPEATED)

    def skips(self, name: str, previous: int, last: int) -> bool:
        """Take where the next message begins and ends; whether something between it and the one before is missing."""
        before = self._last.get(name)
        self._last[name] = last
        return before is not None and previous != before


@lru_cache(maxsize=8)
def _usual(symbol: str) -> re.Pattern[str]:
    """Lines as the exchange writes them.

    Groups: a book and its u, b, B, a, A, T; a trade and its T, t, p, q, m; a depth update and its u, pu.
    """
    begin, name = r'\d+ {"stream":"\w+@', re.escape(symbol)
    number = '"([0-9.]+)"'
    book = (
        rf'(bookTicker)","data":{{"e":"bookTicker","u":(\d+),"s":"{name}","b":{number},"B":{number},"a":{number},'
        rf'"A":{number},"T":(\d{{13}}),"E":\d+}}}}'
    )
    trade = (
        rf'(trade)","data":{{"e":"trade","E":\d+,"T":(\d{{13}}),"s":"{name}","t":(\d+),"p":{number},"q":{number},'
        rf'"X":"MARKET","m":(true|false)}}}}'
    )
    depth = (
        rf'(depth)@\w+","data":{{"e":"depthUpdate","E":\d+,"T":\d+,"s":"{name}","U":\d+,"u":(\d+),"pu":(\d+),'
        rf"{_CHANGES}}}}}"
    )
    return re.compile(rf"{begin}(?:{book}|{trade}|{depth})\n|[^\n]*\n|[^\n]+\Z")


def _plain_books(wanted: Wanted, rows: Sequence[Row]) -> Batch | None:
    places, _, bids, bid_sizes, asks, ask_sizes, stamps = zip(*rows, strict=True)
    times = plain_times(stamps, _MILLISECOND_DIGITS, "milliseconds")
    if times is None:
        return None
    return plain_books(wanted, (times, times), (bids, bid_sizes), (asks, ask_sizes), places)


def _plain_trades(wanted: Wanted, rows: Sequence[Row]) -> Batch | None:
    places, stamps, ids, prices, sizes, makers = zip(*rows, strict=True)
    times = plain_times(stamps, _MILLISECOND_DIGITS, "milliseconds")
    if times is None:
        return None
    sides = [Side.ASK if maker == "true" else Side.BID for maker in makers]
    return plain_trades(wanted, (times, times), (prices, sizes), sides=sides, ids=ids, lines=places)


def _numbered(block: Block) -> Iterator[tuple[int, str]]:
    for line, (whole, torn) in enumerate(_LINE.findall(block.text), block.first_line):
        yield line, whole or torn


def _json(text: str) -> _Message:
    try:
        message: _Message = json.loads(text)
    except (ValueError, RecursionError) as failure:
        raise MalformedFieldError("message", "whole JSON", str(failure)) from None
    return message


def _parsed(text: str) -> tuple[str, _Message]:
    """Split one line into its kind and message."""
    if not text.strip():
        raise MalformedFieldError("row", "a message", "a blank line", fault=Fault.BLANK)
    stamp, _, body = text.partition(" ")
    if not stamp.isdecimal():
        raise MalformedFieldError("local time", "whole nanoseconds, a space and JSON", stamp)
    message = _json(body)
    if isinstance(message, dict):
        stream, data = message.get("stream"), message.get("data")
        if isinstance(stream, str) and isinstance(data, dict):
            return stream.partition("@")[2].partition("@")[0] or stream, data
        if "lastUpdateId" in message:
            return "snapshot", message
        if "result" in message and "id" in message:
            return "response", message
    raise MalformedFieldError("message", "a 'stream' with its 'data', or a depth snapshot", body)


def _described(message: _Message) -> RecordingInfo:
    if "T" not in message:
        remedy = "Capture a futures market; spot books carry no exchange time to order them by."
        raise MalformedFieldError("T", "a transaction time", None, remedy)
    symbol = message.get("s")
    if not isinstance(symbol, str):
        raise MalformedFieldError("s", "a symbol", symbol)
    return RecordingInfo(
        # Only contracts settled in the base currency name their pair.
        exchange="binance_coinm" if "ps" in message else "binance_usdm",
        symbol=symbol,
        first_time=exchange_time("T", message["T"], "milliseconds"),
    )


def _whole(message: _Message, field: str) -> int:
    number = message.get(field)
    if type(number) is not int or number < 0:
        raise MalformedFieldError(field, "a whole number", number)
    return number


def _side(message: _Message, price_field: str, size_field: str) -> Any:
    price, size = message.get(price_field), message.get(size_field)
    if price is None or size is None:
        raise MalformedFieldError(price_field if price is None else size_field, "a positive finite decimal", None)
    return level(price, size, price_field, size_field)
