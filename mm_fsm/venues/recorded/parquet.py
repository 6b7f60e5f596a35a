"""Our own files: Parquet with one row for each book or trade, in the order in which a replay shows them.

Columns: ``exchange`` and ``symbol`` (text); ``received_at`` and ``exchange_time`` (whole nanoseconds since 1970, or
timestamps; one of the two may be missing); ``bid_price``, ``bid_size``, ``ask_price``, ``ask_size`` of a book, and of
further levels ``bid_price_1`` and so on; ``price``, ``size``, ``taker_side`` (``buy`` or ``sell``) and ``trade_id`` of
a trade. What a row does not have is null. Prices and sizes are exact decimals as text where ``mm-fsm convert`` writes
them; decimals, whole numbers and floating-point numbers are read as well, these by their shortest text. Needs pyarrow,
which the extra ``recordings`` brings: of polars and pyarrow, which read equally fast, it writes a file in pieces.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Any, Final

from mm_fsm.core.messages import Side
from mm_fsm.errors import RecordingError
from mm_fsm.venues.recorded.fields import MalformedFieldError, exchange_time
from mm_fsm.venues.recorded.files import RecordingFile, required_library
from mm_fsm.venues.recorded.layout import Batch, Layout, Levels, RecordedEvent, RecordingInfo, Wanted
from mm_fsm.venues.recorded.making import level, make_book, make_trade, other_symbol, traded
from mm_fsm.venues.recorded.reading import Fault, Tally

PARQUET_MAGIC: Final = b"PAR1"
TAKER_SIDES: Final = {"buy": Side.BID, "sell": Side.ASK}
_ROWS_IN_A_BATCH: Final = 8192
_REQUIRED: Final = ("exchange", "symbol", "bid_price", "bid_size", "ask_price", "ask_size")
_OF_TRADES: Final = ("price", "size", "taker_side", "trade_id")
_MOST_LEVELS: Final = 25

_Row = dict[str, Any]


def level_columns(place: int) -> tuple[str, str, str, str]:
    """The columns of one level, counted from 0: bid and its size, ask and its size."""
    suffix = f"_{place}" if place else ""
    return f"bid_price{suffix}", f"bid_size{suffix}", f"ask_price{suffix}", f"ask_size{suffix}"


class ParquetEvents(Layout):
    """One file of books and trades."""

    kind = "parquet events"
    has_books = True
    time_field = "received_at"

    def __init__(self, file: RecordingFile, symbol: str | None = None) -> None:
        super().__init__(file, symbol)
        self.names: Sequence[str] = self._opened().schema_arrow.names
        missing = [name for name in _REQUIRED if name not in self.names]
        if not {"received_at", "exchange_time"} & set(self.names):
            missing.append("received_at or exchange_time")
        if missing:
            problem = f"expected columns {', '.join(_REQUIRED)} and times; {', '.join(missing)} not found."
            raise file.error(0, problem, "See docs/recordings.md for the columns.")

    @property
    def has_trades(self) -> bool:  # type: ignore[override]
        """Whether there are columns of trades."""
        return set(_OF_TRADES) <= set(self.names)

    @property
    def has_local_time(self) -> bool:  # type: ignore[override]
        """Whether there is a column of receipt."""
        return "received_at" in self.names

    def describe(self) -> RecordingInfo:
        """Read exchange, symbol and time from the first sound row."""
        first: RecordingError | None = None
        for number, row in enumerate((row for rows in self._rows() for row in rows), 1):
            try:
                return RecordingInfo(exchange=row["exchange"], symbol=row["symbol"], first_time=_times(row)[0])
            except MalformedFieldError as wrong:
                first = first or self.file.error(number, wrong.problem, wrong.remedy)
        raise first or self.file.error(0, "expected rows, found none.", "Convert the recording again.")

    def batches(self, wanted: Wanted, tally: Tally, previous: Layout | None) -> Generator[Batch, None, None]:
        """Yield the events of all rows."""
        number = 0
        for rows in self._rows():
            events: list[RecordedEvent] = []
            lines: list[int] = []
            for number, row in enumerate(rows, number + 1):  # noqa: B020 - goes on where the last batch ended
                tally.rows += 1
                try:
                    events.append(_event_of(wanted, row, number))
                except MalformedFieldError as wrong:
                    tally.pass_over(wrong.fault, self.file.error(number, wrong.problem, wrong.remedy))
                    continue
                lines.append(number)
            yield Batch(events, lines)
        self.file.finish()

    def _rows(self) -> Iterator[list[_Row]]:
        try:
            for batch in self._opened().iter_batches(batch_size=_ROWS_IN_A_BATCH):
                yield _as_rows(batch)
        except (OSError, ValueError) as failure:
            raise self._broken(failure) from failure

    def _opened(self) -> Any:
        library = required_library(self.file, "pyarrow.parquet")
        try:
            return library.ParquetFile(self.file.path)
        except (OSError, ValueError) as failure:
            raise self._broken(failure) from failure

    def _broken(self, failure: Exception) -> RecordingError:
        return self.file.error(0, f"expected a whole Parquet file, found: {failure}.", "Copy or convert it again.")


def _as_rows(batch: Any) -> list[_Row]:
    """Rows of a batch: times as whole nanoseconds, everything else as text, nothing as empty text."""
    columns: dict[str, list[Any]] = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if name in {"received_at", "exchange_time"}:
            kind = str(column.type)
            whole = column.cast("timestamp[ns]").cast("int64") if kind.startswith("timestamp") else column
            columns[name] = whole.to_pylist()
        else:
            columns[name] = ["" if value is None else _text(value) for value in column.to_pylist()]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _text(value: object) -> str:
    return repr(value) if isinstance(value, float) else str(value)


def _times(row: _Row) -> tuple[int, int]:
    received, sent = row.get("received_at"), row.get("exchange_time")
    sent = received if sent is None else sent
    time = exchange_time("exchange_time", sent, "nanoseconds")
    return time, time if received is None else exchange_time("received_at", received, "nanoseconds")


def _event_of(wanted: Wanted, row: _Row, number: int) -> RecordedEvent:
    if row["symbol"] != wanted.recorded_symbol:
        raise other_symbol("symbol", wanted.recorded_symbol, row["symbol"])
    if row["exchange"] != wanted.exchange:
        raise other_symbol("exchange", wanted.exchange, row["exchange"])
    times = _times(row)
    if row.get("price") or row.get("taker_side"):
        side = TAKER_SIDES.get(row["taker_side"])
        price, size = traded("price", row["price"]), traded("size", row["size"])
        if side is None:
            expected = "'buy' or 'sell', the side of the taker"
            raise MalformedFieldError("taker_side", expected, row["taker_side"], fault=Fault.UNKNOWN_SIDE)
        trade_id = row["trade_id"] or f"row-{number}"
        return make_trade(wanted, times, price=price, size=size, taker_side=side, trade_id=trade_id)
    bids, asks = _sides(wanted, row)
    return make_book(wanted, *times, bids, asks)


def _sides(wanted: Wanted, row: _Row) -> tuple[Levels, Levels]:
    bids: Levels = ()
    asks: Levels = ()
    for place in range(min(wanted.levels, _MOST_LEVELS)):
        bid_price, bid_size, ask_price, ask_size = level_columns(place)
        if bid_price not in row:
            break
        bids += level(row[bid_price], row[bid_size], bid_price, bid_size)
        asks += level(row[ask_price], row[ask_size], ask_price, ask_size)
    return bids, asks
