"""The CSV files of Tardis.dev: ``quotes``, ``trades``, ``book_snapshot_5`` and ``_25``, ``incremental_book_L2``.

Timestamps are microseconds; rows are in order of ``local_timestamp``. The format is described at
https://docs.tardis.dev/downloadable-csv-files.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from attrs import define, field

from mm_fsm.core.messages import BookLevel, Side
from mm_fsm.venues.recorded.depth import DepthBook
from mm_fsm.venues.recorded.fields import MalformedFieldError, exchange_time, is_zero, positive
from mm_fsm.venues.recorded.files import RecordingFile
from mm_fsm.venues.recorded.layout import Batch, Levels, RecordedEvent, RecordingInfo, Wanted
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
from mm_fsm.venues.recorded.reading import Fault, Tally
from mm_fsm.venues.recorded.rows import CsvLayout, Judge, Row

_TAKER_SIDES: Final = {"buy": Side.BID, "sell": Side.ASK}
_BOOK_SIDES: Final = {"bid": Side.BID, "ask": Side.ASK}
_LONGEST_STAMP: Final = 20
"""Digits of a time in any unit; int() refuses a few thousand with an error of its own."""
_STAMP_DIGITS: Final = 16
"""Of microseconds since September 2001."""
_MOST_LEVELS: Final = 25


class TardisLayout(CsvLayout):
    """A file whose rows begin with exchange, symbol and times."""

    optional: ClassVar[tuple[str, ...]] = ("local_timestamp",)

    @property
    def has_local_time(self) -> bool:  # type: ignore[override]
        """Whether the file has the column ``local_timestamp``."""
        return "local_timestamp" in self.names

    def described(self, row: Row) -> RecordingInfo:
        """What the first columns say."""
        exchange, symbol, stamp = row[:3]
        return RecordingInfo(exchange=exchange, symbol=symbol, first_time=_time("timestamp", stamp))


class TardisQuotes(TardisLayout):
    """Best bid and ask."""

    kind = "tardis quotes"
    has_books = True
    columns: ClassVar[tuple[str, ...]] = (
        "exchange",
        "symbol",
        "timestamp",
        "ask_amount",
        "ask_price",
        "bid_price",
        "bid_amount",
    )

    def plain(self, wanted: Wanted, columns: Sequence[Sequence[str]], lines: Sequence[int]) -> Batch | None:
        """Books of rows that all have both sides in plain numbers."""
        exchanges, symbols, stamps, ask_amounts, ask_prices, bid_prices, bid_amounts, locals_ = columns
        times = _plain_times(wanted, exchanges, symbols, stamps, locals_)
        if times is None:
            return None
        return plain_books(wanted, times, (bid_prices, bid_amounts), (ask_prices, ask_amounts), lines)

    def judge(self, wanted: Wanted, tally: Tally) -> Judge:
        """Make a book of each row."""

        def book_of(_line: int, row: Row) -> RecordedEvent:
            exchange, symbol, stamp, ask_amount, ask_price, bid_price, bid_amount, local = row
            _refuse_other_market(wanted, exchange, symbol)
            time, local_time = _times(stamp, local)
            bids = level(bid_price, bid_amount, "bid_price", "bid_amount")
            asks = level(ask_price, ask_amount, "ask_price", "ask_amount")
            return make_book(wanted, time, local_time, bids, asks)

        return book_of


class TardisTrades(TardisLayout):
    """Public trades."""

    kind = "tardis trades"
    has_trades = True
    columns: ClassVar[tuple[str, ...]] = ("exchange", "symbol", "timestamp", "id", "side", "price", "amount")

    def plain(self, wanted: Wanted, columns: Sequence[Sequence[str]], lines: Sequence[int]) -> Batch | None:
        """Trades of rows that all have an id, a side and plain numbers."""
        exchanges, symbols, stamps, ids, sides, prices, amounts, locals_ = columns
        times = _plain_times(wanted, exchanges, symbols, stamps, locals_)
        if times is None or not all(ids) or not _TAKER_SIDES.keys() >= set(sides):
            return None
        taker_sides = map(_TAKER_SIDES.__getitem__, sides)
        return plain_trades(wanted, times, (prices, amounts), sides=taker_sides, ids=ids, lines=lines)

    def judge(self, wanted: Wanted, tally: Tally) -> Judge:
        """Make a trade of each row."""

        def trade_of(line: int, row: Row) -> RecordedEvent:
            exchange, symbol, stamp, trade_id, side, price, amount, local = row
            _refuse_other_market(wanted, exchange, symbol)
            times = _times(stamp, local)
            exact_price, size = traded("price", price), traded("amount", amount)
            taker_side = _TAKER_SIDES.get(side)
            if taker_side is None:
                expected = "'buy' or 'sell', the side of the taker"
                raise MalformedFieldError("side", expected, side, fault=Fault.UNKNOWN_SIDE)
            # Not every exchange numbers its trades; time and line still tell two of them apart.
            return make_trade(
                wanted,
                times,
                price=exact_price,
                size=size,
                taker_side=taker_side,
                trade_id=trade_id or f"{stamp}-{line}",
            )

        return trade_of


class TardisSnapshots(TardisLayout):
    """The first levels of both sides, whenever they changed."""

    kind = "tardis book_snapshot"
    has_books = True

    def __init__(self, file: RecordingFile, symbol: str | None = None) -> None:
        super().__init__(file, symbol)
        count = next(place for place in range(_MOST_LEVELS + 1) if f"bids[{place}].price" not in self.names)
        self.columns = ("exchange", "symbol", "timestamp", *_snapshot_columns(count))  # type: ignore[misc]

    def judge(self, wanted: Wanted, tally: Tally) -> Judge:
        """Make a book of each row."""
        names = self.columns[3:]

        def book_of(_line: int, row: Row) -> RecordedEvent:
            exchange, symbol, stamp, *values, local = row
            _refuse_other_market(wanted, exchange, symbol)
            bids, asks = (
                _side(values[start::4], values[start + 1 :: 4], names[start::4], wanted.levels) for start in (2, 0)
            )
            _refuse_disorder(bids, asks)
            return make_book(wanted, *_times(stamp, local), bids, asks)

        return book_of


class TardisDepth(TardisLayout):
    """Changes of single levels. Rows that were received together make one book."""

    kind = "tardis incremental_book_L2"
    has_books = True
    columns: ClassVar[tuple[str, ...]] = ("exchange", "symbol", "timestamp", "is_snapshot", "side", "price", "amount")

    def judge(self, wanted: Wanted, tally: Tally) -> Judge:
        """Make a book of each message."""
        return _DepthJudge(self.file, wanted, tally)

    def last(self, judge: Judge) -> RecordedEvent | None:
        """The book that the last message left."""
        return judge.shown() if isinstance(judge, _DepthJudge) else None


@define
class _DepthJudge:
    """Follows the changes of one market's levels, and shows the book once a message is complete."""

    file: RecordingFile
    wanted: Wanted
    tally: Tally
    book: DepthBook = field(init=False)
    _message: tuple[str, str] | None = field(default=None, init=False)
    """Time and kind of the message that is being read; None before the first snapshot."""
    _times: tuple[int, int] = field(default=(0, 0), init=False)
    _line: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self.book = DepthBook(self.wanted.levels)

    def __call__(self, line: int, row: Row) -> RecordedEvent | None:
        """Take one change; the book before it where it begins another message."""
        exchange, symbol, stamp, snapshot, side, price, amount, local = row
        _refuse_other_market(self.wanted, exchange, symbol)
        times = _times(stamp, local)
        if snapshot not in {"true", "false"}:
            raise MalformedFieldError("is_snapshot", "'true' or 'false'", snapshot)
        if side not in _BOOK_SIDES:
            raise MalformedFieldError("side", "'bid' or 'ask'", side)
        exact_price = positive("price", price)
        size = None if is_zero(amount) else positive("amount", amount)
        if self._message is None and snapshot == "false":
            self.tally.leave_out("change before the first snapshot")
            return None
        shown, message = None, (local or stamp, snapshot)
        if message != self._message:
            shown = self.shown()
            if snapshot == "true":
                self.book.clear()
            self._message, self._times = message, times
        self._times, self._line = max(times, self._times), line
        self.book.change(_BOOK_SIDES[side], exact_price, size)
        return shown

    def shown(self) -> RecordedEvent | None:
        """The book that the messages so far left; None when it shows nothing new, or is crossed until the next."""
        sides = self.book.changed()
        if sides is None:
            return None
        try:
            return make_book(self.wanted, *self._times, *sides)
        except MalformedFieldError as wrong:
            self.tally.pass_over(wrong.fault, self.file.error(self._line, wrong.problem, wrong.remedy))
            return None


def _snapshot_columns(count: int) -> tuple[str, ...]:
    return tuple(
        f"{side}[{place}].{name}" for place in range(count) for side in ("asks", "bids") for name in ("price", "amount")
    )


def _side(prices: Sequence[str], amounts: Sequence[str], names: Sequence[str], most: int) -> Levels:
    """One side of a snapshot. It ends where no level is written any more."""
    found: list[BookLevel] = []
    for price, amount, name in zip(prices[:most], amounts, names, strict=False):
        found += level(price, amount, name, name.replace("price", "amount"))
    return tuple(found)


def _refuse_disorder(bids: Levels, asks: Levels) -> None:
    for side, levels in (("bids", bids), ("asks", asks)):
        prices = [each.price for each in levels]
        if prices != sorted(set(prices), reverse=side == "bids"):
            raise MalformedFieldError(side, "prices from the best on, each once", [str(price) for price in prices])


def _refuse_other_market(wanted: Wanted, exchange: str, symbol: str) -> None:
    if symbol != wanted.recorded_symbol:
        raise other_symbol("symbol", wanted.recorded_symbol, symbol)
    if exchange != wanted.exchange:
        raise other_symbol("exchange", wanted.exchange, exchange)


def _plain_times(
    wanted: Wanted, exchanges: Sequence[str], symbols: Sequence[str], stamps: Sequence[str], locals_: Sequence[str]
) -> tuple[list[int], list[int]] | None:
    """Both times of rows of one market; None when a row is of another, or a time is not plain."""
    if set(exchanges) != {wanted.exchange} or set(symbols) != {wanted.recorded_symbol}:
        return None
    times = plain_times(stamps, _STAMP_DIGITS, "microseconds")
    if times is None:
        return None
    if locals_ == stamps or not any(locals_):
        return times, times
    local_times = plain_times(locals_, _STAMP_DIGITS, "microseconds")
    return None if local_times is None else (times, local_times)


def _times(stamp: str, local: str) -> tuple[int, int]:
    """The exchange's time and the recorder's, nanoseconds; the same where no other is written."""
    time = _time("timestamp", stamp)
    return (time, time) if local in {"", stamp} else (time, _time("local_timestamp", local))


def _time(name: str, stamp: str) -> int:
    if not stamp.isdecimal() or len(stamp) > _LONGEST_STAMP:
        raise MalformedFieldError(name, "whole microseconds since 1970", stamp)
    return exchange_time(name, int(stamp), "microseconds")
