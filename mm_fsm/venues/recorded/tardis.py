"""Recordings in the CSV columns of Tardis.dev: ``quotes`` (best bid and ask) and ``trades``.

Columns are found by name in the header line, in any order; columns that are not needed are ignored. Timestamps are
microseconds. The format is described at https://docs.tardis.dev/downloadable-csv-files.
"""

from __future__ import annotations

import csv
import heapq
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from functools import partial
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import Final

from mm_fsm.books.facts import MarketBook, MarketTrade
from mm_fsm.core.messages import BookLevel, Side
from mm_fsm.errors import SettingsError
from mm_fsm.venues.recorded.fields import BRIEFLY, CUT_OUT, MalformedFieldError, exchange_time, positive
from mm_fsm.venues.recorded.files import RecordingFile
from mm_fsm.venues.recorded.ordering import in_time_order
from mm_fsm.venues.recorded.recording import RecordedEvent, Recording, RecordingInfo

QUOTE_COLUMNS: Final = ("exchange", "symbol", "timestamp", "ask_amount", "ask_price", "bid_price", "bid_amount")
"""What a file of quotes must have."""
TRADE_COLUMNS: Final = ("exchange", "symbol", "timestamp", "id", "side", "price", "amount")
"""What a file of trades must have."""

_BID_FIELDS: Final = ("bid_price", "bid_amount")
_ASK_FIELDS: Final = ("ask_price", "ask_amount")
_TAKER_SIDES: Final = {"buy": Side.BID, "sell": Side.ASK}

_LONGEST_STAMP: Final = 20
"""Digits of a time in any unit; int() refuses a few thousand with an error of its own."""

_Row = tuple[str, ...]


class TardisRecording(Recording):
    """One market's quotes and trades, merged by exchange time; trades come before quotes of the same time.

    A row of quotes with the time of a trade may be the book that the trade left behind. Shown first, it would take the
    traded volume out of every queue once more, and orders would fill that never stood in front.

    Args:
        quotes: files of quotes, in order of time.
        trades: files of trades, in order of time.
        symbol: what events call the market; None for the name in the files.
        recorded_symbol: the only symbol the files may contain; None for that of the first row.
        reorder_window: nanoseconds by which a row may be stamped before an earlier row of its kind.
        skip_crossed: leave crossed quotes out and count them, where they are otherwise an error.
    """

    def __init__(
        self,
        quotes: Sequence[Path],
        trades: Sequence[Path] = (),
        *,
        symbol: str | None = None,
        recorded_symbol: str | None = None,
        reorder_window: int = 0,
        skip_crossed: bool = False,
    ) -> None:
        if not quotes:
            raise SettingsError("quotes", "at least one file", "none", "Name one; trades alone make no market.")
        self._quotes = tuple(RecordingFile(path) for path in quotes)
        self._trades = tuple(RecordingFile(path) for path in trades)
        super().__init__(self._quotes + self._trades, reorder_window=reorder_window, skip_crossed=skip_crossed)
        self._symbol = symbol
        self._recorded_symbol = recorded_symbol

    @property
    def has_trades(self) -> bool:
        """Whether files of trades were given."""
        return bool(self._trades)

    def describe(self) -> RecordingInfo:
        """Read exchange, symbol and time from the first row of quotes."""
        with closing(_rows([RecordingFile(self._quotes[0].path)], QUOTE_COLUMNS)) as rows:
            file, line, (exchange, symbol, stamp, *_) = next(rows)
        try:
            return RecordingInfo(exchange=exchange, symbol=symbol, first_time=_time(stamp))
        except MalformedFieldError as wrong:
            raise file.error(line, wrong.problem, wrong.remedy) from None

    def __iter__(self) -> Iterator[RecordedEvent]:
        """Yield the quotes and trades of all files in order of exchange time."""
        self._skipped.clear()
        info = self.describe()
        market = (info.exchange, self._recorded_symbol or info.symbol)
        symbol = self._symbol or market[1]
        quote_of = partial(self._quote_of, market, symbol)
        trade_of = _TradeReader(market, symbol)
        with (
            closing(self._events(_rows(self._quotes, QUOTE_COLUMNS), quote_of, "timestamp")) as quotes,
            closing(self._events(_rows(self._trades, TRADE_COLUMNS), trade_of, "timestamp")) as trades,
        ):
            yield from heapq.merge(
                in_time_order(trades, self._window),
                in_time_order(quotes, self._window),
                key=attrgetter("exchange_time"),
            )

    def _quote_of(self, market: tuple[str, str], symbol: str, line: int, row: _Row) -> MarketBook | None:
        _refuse_other_market(row, market)
        _, _, stamp, ask_amount, ask_price, bid_price, bid_amount = row
        bids = _level(bid_price, bid_amount, _BID_FIELDS)
        asks = _level(ask_price, ask_amount, _ASK_FIELDS)
        return self._book(symbol, _time(stamp), bids, asks)


class _TradeReader:
    """Makes trades of rows, refusing an id that is written twice in a row."""

    def __init__(self, market: tuple[str, str], symbol: str) -> None:
        self._market = market
        self._symbol = symbol
        self._previous_id = ""

    def __call__(self, line: int, row: _Row) -> MarketTrade:
        _refuse_other_market(row, self._market)
        _, _, stamp, trade_id, side, price, amount = row
        if trade_id and trade_id == self._previous_id:
            raise MalformedFieldError("id", "an id that differs from the row before", trade_id)
        self._previous_id = trade_id
        taker_side = _TAKER_SIDES.get(side)
        if taker_side is None:
            raise MalformedFieldError("side", "'buy' or 'sell', the side of the taker", side)
        time = _time(stamp)
        return MarketTrade(
            symbol=self._symbol,
            received_at=time,
            exchange_time=time,
            price=positive("price", price),
            size=positive("amount", amount),
            taker_side=taker_side,
            # Not every exchange numbers its trades; time and line still tell two of them apart.
            trade_id=trade_id or f"{stamp}-{line}",
        )


def _rows(
    files: Sequence[RecordingFile], columns: Sequence[str]
) -> Generator[tuple[RecordingFile, int, _Row], None, None]:
    """Yield the wanted columns of every row with its file and line number; every file has at least one row."""
    for file in files:
        with closing(file.lines()) as lines:
            yield from _rows_of(file, lines, columns)


def _rows_of(
    file: RecordingFile, lines: Iterator[tuple[int, str]], columns: Sequence[str]
) -> Iterator[tuple[RecordingFile, int, _Row]]:
    reader = csv.reader(_whole_lines(file, lines), strict=True)
    row: list[str] = []
    try:
        header = next(reader)
        wanted = _column_getter(file, header, columns)
        for row in reader:
            if len(row) != len(header):
                problem = f"expected {len(header)} fields as in the header, found {len(row)}."
                raise file.error(reader.line_num, problem, CUT_OUT)
            yield file, reader.line_num, wanted(row)
    except csv.Error as failure:
        raise file.error(reader.line_num, f"expected a line of CSV, found a broken one ({failure}).", CUT_OUT) from None
    if not row:
        raise file.error(0, "expected rows, found only the header line.", "Record or download it again.")


def _whole_lines(file: RecordingFile, lines: Iterator[tuple[int, str]]) -> Iterator[str]:
    for number, line in lines:
        if not line.endswith("\n"):
            # A number that lost its last digits cannot be told from a whole one.
            problem = "expected a line end, found the end of the file: the line may be torn off."
            raise file.error(number, problem, "Cut the line out, or end it with a newline if it is whole.")
        yield line


def _column_getter(file: RecordingFile, header: list[str], columns: Sequence[str]) -> Callable[[list[str]], _Row]:
    missing = [column for column in columns if column not in header]
    if missing:
        found = BRIEFLY.repr(",".join(header))
        problem = f"expected columns {', '.join(columns)}; {', '.join(missing)} not found in {found}."
        raise file.error(1, problem, "Give a file in the Tardis columns, quotes as quotes and trades as trades.")
    return itemgetter(*(header.index(column) for column in columns))


def _refuse_other_market(row: _Row, market: tuple[str, str]) -> None:
    if row[:2] == market:
        return
    field, expected, found = ("exchange", market[0], row[0]) if row[0] != market[0] else ("symbol", market[1], row[1])
    raise MalformedFieldError(field, repr(expected), found, "Keep one market to a recording: split the file.")


def _time(stamp: str) -> int:
    if not stamp.isdecimal() or len(stamp) > _LONGEST_STAMP:
        raise MalformedFieldError("timestamp", "whole microseconds since 1970", stamp)
    return exchange_time("timestamp", int(stamp), "microseconds")


def _level(price: str, amount: str, fields: tuple[str, str]) -> tuple[BookLevel, ...]:
    """One side of the book; empty when nobody quotes there, which is written as two empty fields."""
    if price or amount:
        return (BookLevel(positive(fields[0], price), positive(fields[1], amount)),)
    return ()
