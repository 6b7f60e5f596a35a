"""Raw captures of Binance futures streams: one ``<local nanoseconds> <json>`` line for each message as it arrived.

The book is taken from ``bookTicker`` and trades from ``trade``; both carry the exchange's transaction time ``T`` in
milliseconds, which orders them. Of depth updates only the numbering is looked at. The messages are described at
https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Final

from mm_fsm.books.facts import MarketBook, MarketTrade
from mm_fsm.core.clock import NANOSECONDS_PER_MILLISECOND
from mm_fsm.core.messages import BookLevel, Side
from mm_fsm.venues.recorded.fields import MalformedFieldError, exchange_time, is_zero, positive
from mm_fsm.venues.recorded.files import RecordingFile
from mm_fsm.venues.recorded.ordering import in_time_order
from mm_fsm.venues.recorded.recording import RecordedEvent, Recording, RecordingInfo

DEFAULT_REORDER_WINDOW: Final = 250 * NANOSECONDS_PER_MILLISECOND
"""Ten times the 23 ms by which ``bookTicker`` and ``trade`` were seen to overtake each other in 63,000 messages."""

_IN_ORDER: Final = "Give the files in order of time, each once and none left out."

_Message = dict[str, Any]


class BinanceRecording(Recording):
    """One futures market's best bid and ask, and its trades, by the exchange's time.

    Within one millisecond trades come before books; what is of one kind keeps the order in which it was captured.
    ``skipped`` counts every message that is neither ``bookTicker`` nor ``trade`` by its stream, and trades outside the
    book, such as the insurance fund's, by ``trade:`` and what the exchange calls them.

    Args:
        captures: files, in order of time; each must continue the numbering of the one before it.
        symbol: what events call the market; None for the name in the files.
        recorded_symbol: the only symbol the files may contain; None for that of the first book.
        reorder_window: nanoseconds by which a message may be stamped before one that was captured earlier.
        skip_crossed: leave crossed books out and count them, where they are otherwise an error.
    """

    def __init__(
        self,
        captures: Sequence[Path],
        *,
        symbol: str | None = None,
        recorded_symbol: str | None = None,
        reorder_window: int = DEFAULT_REORDER_WINDOW,
        skip_crossed: bool = False,
    ) -> None:
        files = [RecordingFile(path) for path in captures]
        super().__init__(files, reorder_window=reorder_window, skip_crossed=skip_crossed)
        self._symbol = symbol
        self._recorded_symbol = recorded_symbol
        self._numbering = _Numbering()

    @property
    def gaps(self) -> int:
        """How often the numbering of depth updates or trades went on with some missing inside a file so far."""
        return self._numbering.gaps

    def describe(self) -> RecordingInfo:
        """Read exchange, symbol and time from the first ``bookTicker`` message."""
        file = RecordingFile(self._files[0].path)
        with closing(file.lines()) as lines:
            for number, text in lines:
                try:
                    kind, message = _parsed(text)
                    if kind == "bookTicker":
                        return _described(message)
                except MalformedFieldError as wrong:
                    raise file.error(number, wrong.problem, wrong.remedy) from None
        raise file.error(0, "expected bookTicker messages, found none.", "Capture the bookTicker stream as well.")

    def __iter__(self) -> Iterator[RecordedEvent]:
        """Yield the books and trades of all files in order of exchange time."""
        self._skipped.clear()
        self._numbering = _Numbering()
        recorded_symbol = self._recorded_symbol or self.describe().symbol
        event_of = partial(self._event_of, recorded_symbol, self._symbol or recorded_symbol)
        with closing(self._events(self._lines(), event_of, "T")) as events:
            yield from in_time_order(events, self._window)

    def _lines(self) -> Generator[tuple[RecordingFile, int, str], None, None]:
        for file in self._files:
            self._numbering.begin_file()
            with closing(file.lines()) as lines:
                for number, text in lines:
                    yield file, number, text

    def _event_of(self, recorded_symbol: str, symbol: str, line: int, text: str) -> RecordedEvent | None:
        kind, message = _parsed(text)
        if message.get("s", recorded_symbol) != recorded_symbol:
            remedy = "Keep one market to a recording: split the file."
            raise MalformedFieldError("s", repr(recorded_symbol), message["s"], remedy)
        if kind == "bookTicker":
            return self._book_of(message, symbol)
        if kind == "trade":
            return self._trade_of(message, symbol)
        if kind == "depth":
            self._numbering.depth(_whole(message, "pu"), _whole(message, "u"))
        self._skipped[kind] += 1
        return None

    def _book_of(self, message: _Message, symbol: str) -> MarketBook | None:
        time = exchange_time("T", message.get("T"), "milliseconds")
        self._numbering.book(_whole(message, "u"), time)
        return self._book(symbol, time, _level(message, "b", "B"), _level(message, "a", "A"))

    def _trade_of(self, message: _Message, symbol: str) -> MarketTrade | None:
        number = _whole(message, "t")
        self._numbering.trade(number)
        market = message.get("X", "MARKET")
        if market != "MARKET":
            self._skipped[f"trade:{market}"] += 1
            return None
        buyer_is_maker = message.get("m")
        if not isinstance(buyer_is_maker, bool):
            raise MalformedFieldError("m", "true or false, whether the buyer was the maker", buyer_is_maker)
        time = exchange_time("T", message.get("T"), "milliseconds")
        return MarketTrade(
            symbol=symbol,
            received_at=time,
            exchange_time=time,
            price=positive("p", message.get("p")),
            size=positive("q", message.get("q")),
            taker_side=Side.ASK if buyer_is_maker else Side.BID,
            trade_id=str(number),
        )


class _Numbering:
    """Follows the exchange's own numbers: none may go back, and the first ones of a file continue the file before."""

    def __init__(self) -> None:
        self.gaps = 0
        self._book = 0
        self._book_time = 0
        self._trade: int | None = None
        self._depth: int | None = None
        self._awaiting = {"t", "pu"}

    def begin_file(self) -> None:
        """Expect the next depth update and the next trade to continue where the previous file ended."""
        self._awaiting = {"t", "pu"}

    def book(self, number: int, time: int) -> None:
        """Take the number and exchange time of the next best bid and ask."""
        if number < self._book:
            raise MalformedFieldError("u", f"at least {self._book} as in the book before", number, _IN_ORDER)
        if time < self._book_time:
            raise MalformedFieldError("T", "no time before that of the book before, as u is not", time, _IN_ORDER)
        self._book, self._book_time = number, time

    def trade(self, number: int) -> None:
        """Take the number of the next trade."""
        if self._trade is not None:
            if number <= self._trade:
                problem = "a trade id above that of the trade before"
                raise MalformedFieldError("t", f"{problem} ({self._trade})", number, _IN_ORDER)
            self._continue("t", self._trade + 1, number)
        self._awaiting.discard("t")
        self._trade = number

    def depth(self, previous: int, last: int) -> None:
        """Take the numbers of the next depth update: where the one before it ended, and where it ends."""
        if self._depth is not None:
            self._continue("pu", self._depth, previous)
        self._awaiting.discard("pu")
        self._depth = last

    def _continue(self, field: str, expected: int, found: int) -> None:
        if found == expected:
            return
        if field in self._awaiting:
            raise MalformedFieldError(field, f"{expected}, where the file before ended", found, _IN_ORDER)
        self.gaps += 1


def _parsed(text: str) -> tuple[str, _Message]:
    """Split one line into its kind and message."""
    stamp, _, body = text.partition(" ")
    if not stamp.isdecimal():
        raise MalformedFieldError("local time", "whole nanoseconds, a space and JSON", stamp)
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as failure:
        raise MalformedFieldError("message", "whole JSON", str(failure)) from None
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


def _level(message: _Message, price_field: str, size_field: str) -> tuple[BookLevel, ...]:
    """One side of the book; empty when nobody quotes there, which is written as two zeros."""
    price, size = message.get(price_field), message.get(size_field)
    if is_zero(price) and is_zero(size):
        return ()
    return (BookLevel(positive(price_field, price), positive(size_field, size)),)
