"""A market read from files: their events in one order, with a count of what was passed over."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing

from attrs import evolve

from mm_fsm.books.facts import MarketBook, MarketTrade
from mm_fsm.errors import SettingsError
from mm_fsm.venues.recorded.fields import MalformedFieldError
from mm_fsm.venues.recorded.layout import Batch, Layout, RecordedEvent, RecordingInfo, Wanted
from mm_fsm.venues.recorded.ordering import Events, in_time_order, merged
from mm_fsm.venues.recorded.prepared import PreparedFile, PreparedFiles
from mm_fsm.venues.recorded.reading import Order, ReadingSettings, Tally
from mm_fsm.venues.recorded.soundness import PrintDoubt, StreamFilter


class Recording:
    """One market's books and trades, in the order in which a replay shows them.

    Of the same time trades come before books: a book with the time of a trade may be the one that the trade left
    behind. Shown first, it would take the traded volume out of every queue once more, and orders would fill that never
    stood in front.

    It can be iterated again: each iteration reads the files from their beginning and starts the counts anew.

    Args:
        streams: the files, each inner sequence of one kind and in order of time.
        symbol: what events call the market; None for the name in the files.
        recorded_symbol: the symbol that is taken from the files; None for that of the first book.
        reading: what is forgiven, and which clock orders.
        prepared: where prepared events are kept, and taken from when the same files are read again; None for nowhere.
    """

    def __init__(
        self,
        streams: Sequence[Sequence[Layout]],
        *,
        symbol: str | None = None,
        recorded_symbol: str | None = None,
        reading: ReadingSettings | None = None,
        prepared: PreparedFiles | None = None,
    ) -> None:
        self._streams = tuple(tuple(stream) for stream in streams)
        self._symbol = symbol
        self._recorded_symbol = recorded_symbol
        self._reading = reading or ReadingSettings()
        self._prepared = prepared
        self._tally = Tally(self._reading)
        self._books = self._trades = 0
        self._kept: PreparedFile | None = None
        self.is_prepared = False
        """Whether the last iteration took its events from a prepared file."""

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """All files, with their kinds."""
        return tuple(layout for stream in self._streams for layout in stream)

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats of the files, sorted."""
        return tuple(sorted({layout.format for layout in self.layouts}))

    @property
    def has_trades(self) -> bool:
        """Whether a file that can hold trades was given."""
        return any(layout.has_trades for layout in self.layouts)

    @property
    def order(self) -> Order:
        """The clock that orders the events.

        Raises:
            SettingsError: the clock that is asked for is not recorded.
        """
        has_local_times = all(layout.has_local_time for layout in self.layouts)
        if self._reading.order is Order.RECEIVED and not has_local_times:
            remedy = "Leave --order out, or write 'exchange'."
            raise SettingsError(
                "reading.order", "'exchange', for not every row says when it was received", "received", remedy
            )
        if self._reading.order is not None:
            return self._reading.order
        is_received = all(layout.default_order is Order.RECEIVED for layout in self.layouts)
        return Order.RECEIVED if is_received else Order.EXCHANGE

    def describe(self) -> RecordingInfo:
        """Say what is recorded, by a look at the first books that moves no iteration on.

        Raises:
            RecordingError: the first file of books has no sound row.
        """
        info = next(layout for layout in self.layouts if layout.has_books).describe()
        return info if self._recorded_symbol is None else evolve(info, symbol=self._recorded_symbol)

    def __iter__(self) -> Iterator[RecordedEvent]:
        """Yield events in order of ``received_at``, which is the time of the clock that orders them.

        Raises:
            RecordingError: a file is broken from here on, or too large a share of its rows is passed over.
            SettingsError: the clock that is asked for is not recorded.
        """
        info = self.describe()
        wanted = Wanted(
            exchange=info.exchange,
            recorded_symbol=info.symbol,
            symbol=self._symbol or info.symbol,
            order=self.order,
        )
        self._tally = Tally(self._reading)
        self._books = self._trades = 0
        files = [layout.file for layout in self.layouts]
        kept = self._kept = None if self._prepared is None else self._prepared.find(files, wanted, self._reading)
        self.is_prepared = kept is not None and kept.is_there
        batches = self._read(wanted) if kept is None else self._through(kept, wanted)
        with closing(batches):
            for batch in batches:
                trades = sum(isinstance(event, MarketTrade) for event in batch)
                self._trades += trades
                self._books += len(batch) - trades
                yield from batch

    @property
    def position(self) -> int:
        """Bytes read so far of all files, as on disk; of a prepared reading, which opens none, the same share of them.

        Raises:
            RecordingError: a file is not there any more.
        """
        if self._kept is not None and self.is_prepared:
            return round(self._kept.fraction_read * self.size)
        return sum(layout.file.position for layout in self.layouts)

    @property
    def size(self) -> int:
        """Bytes of all files on disk; ``position`` ends there.

        Raises:
            RecordingError: a file is not there.
        """
        return sum(layout.file.size for layout in self.layouts)

    @property
    def skipped(self) -> Mapping[str, int]:
        """How many rows or messages were passed over so far, by their fault or stream."""
        return self._tally.counts

    @property
    def rows(self) -> int:
        """Rows read so far, those passed over included."""
        return self._tally.rows

    @property
    def books(self) -> int:
        """Books yielded so far."""
        return self._books

    @property
    def trades(self) -> int:
        """Trades yielded so far."""
        return self._trades

    def _through(self, kept: PreparedFile, wanted: Wanted) -> Generator[Events, None, None]:
        if kept.is_there:
            yield from kept.batches(wanted.symbol, self._tally)
        else:
            yield from kept.keeping(self._read(wanted), self._tally)

    def _read(self, wanted: Wanted) -> Generator[Events, None, None]:
        # Of the same time the first stream's events come first: streams of trades before streams of books.
        streams = sorted(self._streams, key=lambda stream: stream[0].has_books)
        source = next((layout for layout in self.layouts if layout.has_trades), None)
        believe = PrintDoubt(self._reading)
        with ExitStack() as stack:
            readings = [stack.enter_context(closing(self._stream(stream, wanted))) for stream in streams]
            ordered = [in_time_order(batches, self._reading.reorder_window) for batches in readings]
            for batch in merged(ordered) if len(ordered) > 1 else ordered[0]:
                yield batch if source is None else self._believed(batch, believe, source)
        self._tally.judge()
        if not self._books:
            books = next(layout for layout in self.layouts if layout.has_books)
            problem = f"expected books of {wanted.recorded_symbol} at {wanted.exchange}, found none."
            raise books.file.error(0, problem, "Name a market that is in the file.")

    def _believed(self, batch: Events, doubt: PrintDoubt, source: Layout) -> Events:
        """The batch without trades far outside the book."""
        doubted: set[int] = set()
        for place, event in enumerate(batch):
            if isinstance(event, MarketBook):
                doubt.book = event
                continue
            try:
                doubt.check(event)
            except MalformedFieldError as wrong:
                doubted.add(place)
                self._tally.pass_over(wrong.fault, source.file.error(0, wrong.problem, wrong.remedy))
        return [event for place, event in enumerate(batch) if place not in doubted] if doubted else batch

    def _stream(self, layouts: Sequence[Layout], wanted: Wanted) -> Generator[Events, None, None]:
        """Yield the events of files that follow each other, without those that are late, repeated or far off."""
        sound = StreamFilter(self._reading)
        held: tuple[Batch, Layout] | None = None
        for batch, layout in self._batches(layouts, wanted):
            if held is not None:  # its last row is judged by the first one after it
                yield list(self._sifted(*held, sound, batch.events[0]))
            held = None if sound.take_whole(batch) else (batch, layout)
            if held is None:
                yield batch.events
        if held is not None:
            yield list(self._sifted(*held, sound, None))

    def _batches(self, layouts: Sequence[Layout], wanted: Wanted) -> Iterator[tuple[Batch, Layout]]:
        """Batches that are not empty, of one file after the other."""
        previous: Layout | None = None
        for layout in layouts:
            with closing(layout.batches(wanted, self._tally, previous)) as batches:
                for batch in batches:
                    if batch.events:
                        yield batch, layout
            previous = layout

    def _sifted(
        self, batch: Batch, layout: Layout, sound: StreamFilter, after_all: RecordedEvent | None
    ) -> Iterator[RecordedEvent]:
        """The batch without what contradicts its neighbours; ``after_all`` is the first event of the next one."""
        following = [*batch.events[1:], after_all]
        for line, event, after in zip(batch.lines, batch.events, following, strict=True):
            try:
                sound.take(event, after, layout.time_field)
            except MalformedFieldError as wrong:
                self._tally.pass_over(wrong.fault, layout.file.error(line, wrong.problem, wrong.remedy))
            else:
                yield event
