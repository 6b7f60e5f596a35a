"""Files of hftbacktest: ``.npz`` with one array ``data`` of events, prices and sizes as floating-point numbers.

Fields of an event: ``ev`` (what it is, in flags), ``exch_ts`` and ``local_ts`` (nanoseconds), ``px`` and ``qty``. The
format is described at https://hftbacktest.readthedocs.io/en/latest/data.html. A book is shown once all events of its
time have been taken, and not before the first snapshot. The file's name begins with the market's, or ``--symbol`` says
it. Needs numpy, which the extra ``recordings`` brings.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Generator, Iterator
from decimal import Decimal
from typing import Any, Final

from attrs import define, field

from mm_fsm.core.messages import Side
from mm_fsm.venues.recorded.depth import DepthBook
from mm_fsm.venues.recorded.fields import MalformedFieldError, exchange_time
from mm_fsm.venues.recorded.files import RecordingFile, required_library
from mm_fsm.venues.recorded.layout import Batch, Layout, RecordedEvent, RecordingInfo, Wanted
from mm_fsm.venues.recorded.making import make_book, make_trade, traded
from mm_fsm.venues.recorded.reading import Fault, Order, Tally

DEPTH: Final = 1
TRADE: Final = 2
CLEAR: Final = 3
SNAPSHOT: Final = 4
BEST: Final = 5
AT_EXCHANGE: Final = 1 << 31
AT_RECORDER: Final = 1 << 30
BUY: Final = 1 << 29
SELL: Final = 1 << 28

_KIND: Final = 0xFF
_ROWS_IN_A_BATCH: Final = 8192
_NAME: Final = re.compile(r"[A-Za-z0-9]+")

_Event = tuple[int, int, int, float, float]
"""``ev``, ``exch_ts``, ``local_ts``, ``px``, ``qty``."""


class HftBacktestEvents(Layout):
    """One array of events."""

    kind = "hftbacktest events"
    has_books = True
    has_trades = True
    has_local_time = True
    time_field = "local_ts"

    def __init__(self, file: RecordingFile, symbol: str | None = None) -> None:
        super().__init__(file, symbol)
        self._book: DepthBook | None = None

    def describe(self) -> RecordingInfo:
        """Say the name, and the time of the first event that has one; 0 for a file of an initial snapshot."""
        named = _NAME.match(self.file.name)
        symbol = self.given_symbol or ("" if named is None else named[0].upper())
        times = (row[1] for batch in self._rows() for row in batch if row[1])
        return RecordingInfo(exchange="hftbacktest", symbol=symbol, first_time=next(times, 0))

    def batches(self, wanted: Wanted, tally: Tally, previous: Layout | None) -> Generator[Batch, None, None]:
        """Yield the books and trades of all events."""
        known = previous._book if isinstance(previous, HftBacktestEvents) else None
        reader = _Reader(self.file, wanted, tally, known)
        row = 0
        for chunk in self._rows():
            events: list[RecordedEvent] = []
            lines: list[int] = []
            for row, event in enumerate(chunk, row + 1):  # noqa: B020 - goes on where the last chunk ended
                tally.rows += 1
                for made in reader.take(row, event):
                    events.append(made)
                    lines.append(row)
            yield Batch(events, lines)
        last = list(reader.shown())
        yield Batch(last, [row] * len(last))
        self._book = reader.book
        self.file.finish()

    def _rows(self) -> Iterator[list[_Event]]:
        data = self._data()
        names = ["ev", "exch_ts", "local_ts", "px", "qty"]
        missing = [name for name in names if name not in (data.dtype.names or ())]
        if missing:
            problem = f"expected an array 'data' with fields {', '.join(names)}; {', '.join(missing)} not found."
            raise self.file.error(0, problem, "Convert the file with the tools of hftbacktest 2.")
        for start in range(0, len(data), _ROWS_IN_A_BATCH):
            yield data[names][start : start + _ROWS_IN_A_BATCH].tolist()

    def _data(self) -> Any:
        numpy = required_library(self.file, "numpy")
        try:
            with self.file.path.open("rb") as raw, numpy.load(raw, allow_pickle=False) as archive:
                return archive["data"]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as failure:
            problem = f"expected an .npz file with an array 'data', found: {failure}."
            raise self.file.error(0, problem, "Copy or convert the file again.") from failure


@define
class _Reader:
    """Follows the book through the events, and makes what is shown."""

    file: RecordingFile
    wanted: Wanted
    tally: Tally
    known: DepthBook | None
    book: DepthBook = field(init=False)
    _has_snapshot: bool = field(init=False)
    _in_snapshot: bool = field(default=False, init=False)
    _now: int = field(default=0, init=False)
    _times: tuple[int, int] = field(default=(0, 0), init=False)
    _row: int = field(default=0, init=False)
    _flag: int = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.book = self.known or DepthBook(self.wanted.levels)
        self._has_snapshot = self.known is not None
        self._flag = AT_RECORDER if self.wanted.order is Order.RECEIVED else AT_EXCHANGE

    def take(self, row: int, event: _Event) -> Iterator[RecordedEvent]:
        """Take one event; what is to be shown before it, and a trade."""
        kind, exchange_ns, local_ns, price, size = event
        if not kind & self._flag:
            return
        try:
            times = self._checked(exchange_ns, local_ns)
            time = self.wanted.received_at(*times)
            if time != self._now:
                yield from self.shown()
                self._now = time
            if kind & _KIND == TRADE:
                yield self._trade(kind, times, price, size, row)
            else:
                self._change(kind, price, size)
            self._times, self._row = max(times, self._times), row
        except MalformedFieldError as wrong:
            self.tally.pass_over(wrong.fault, self.file.error(row, wrong.problem, wrong.remedy))

    def shown(self) -> Iterator[RecordedEvent]:
        """The book that the events so far left, where it shows anything new."""
        sides = self.book.changed() if self._now and self._has_snapshot else None
        if sides is None:
            return
        try:
            yield make_book(self.wanted, *self._times, *sides)
        except MalformedFieldError as wrong:
            self.tally.pass_over(wrong.fault, self.file.error(self._row, wrong.problem, wrong.remedy))

    def _checked(self, exchange_ns: int, local_ns: int) -> tuple[int, int]:
        """Both times; 0 of an initial snapshot, which is of no time."""
        if exchange_ns == local_ns == 0:
            return 0, 0
        return (
            exchange_time("exch_ts", exchange_ns, "nanoseconds"),
            exchange_time("local_ts", local_ns, "nanoseconds"),
        )

    def _trade(self, kind: int, times: tuple[int, int], price: float, size: float, row: int) -> RecordedEvent:
        side = _side(kind)
        if side is None:
            expected = "the flag of a buyer or of a seller"
            raise MalformedFieldError("ev", expected, kind, fault=Fault.UNKNOWN_SIDE)
        return make_trade(
            self.wanted,
            times,
            price=traded("px", repr(float(price))),
            size=traded("qty", repr(float(size))),
            taker_side=side,
            trade_id=f"{self.file.name}-{row}",
        )

    def _change(self, kind: int, price: float, size: float) -> None:
        side, what = _side(kind), kind & _KIND
        if what == CLEAR:
            self.book.clear(side, None if not price > 0 else Decimal(repr(float(price))))
            return
        if what not in {DEPTH, SNAPSHOT, BEST} or side is None:
            self.tally.leave_out("other event")
            return
        if what == SNAPSHOT and not self._has_snapshot:
            self.book.clear()
            self._has_snapshot = True
        if what == BEST:
            self._has_snapshot = True
        if not self._has_snapshot:
            self.tally.leave_out("change before the first snapshot")
            return
        exact_price = traded("px", repr(float(price)))
        if what == BEST:
            self.book.clear(side, exact_price)
        self.book.change(side, exact_price, traded("qty", repr(float(size))) if size else None)


def _side(kind: int) -> Side | None:
    if kind & BUY:
        return Side.BID
    return Side.ASK if kind & SELL else None
