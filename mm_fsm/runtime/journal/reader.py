"""Reads a journal and checks, row by row, that nothing in it was altered and nothing is missing in between."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Self

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.core.messages import Fact, Intent
from mm_fsm.errors import JournalError
from mm_fsm.machine.strategy import BooksOnRecord
from mm_fsm.runtime.journal import database
from mm_fsm.runtime.journal.database import QuietRow, RecordRow, SegmentRow
from mm_fsm.runtime.journal.messages import MessageCodec, UnreadableMessageError
from mm_fsm.runtime.journal.snapshots import SnapshotError, read_snapshot


class JournalReader:
    """One consistent view of a journal, even while another process writes it.

    Args:
        path: the journal's file.

    Raises:
        JournalError: it is not there, no journal, of a newer version, or damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path: Final = path
        self._connection = database.open_to_read(path)
        with database.closed_on_failure(self._connection), database.reading(path):
            self._connection.execute("BEGIN")  # one transaction, so that rows of one table fit the other's
            self.about = database.about_run(self._connection)
            self.recorded_names: Final = database.recorded_names(self._connection)
            """Of what each record carries beside the step."""
            self.segments = database.segments_of(self._connection)
            if not self.segments:
                raise database.damaged(path, "it has no segment to begin with")
            for name in sorted({"run", "account", "symbol", "strategy_id"} - self.about.keys()):
                raise database.damaged(path, f"it does not say its {name}")
        self.messages: Final = MessageCodec(self.about["symbol"])

    @property
    def last_sequence(self) -> int:
        """Of the last step on record."""
        with database.reading(self.path):
            return database.last_sequence(self._connection)

    def rows(self, segment: SegmentRow) -> Iterator[RecordRow | QuietRow]:
        """Records and quiet facts of a segment in order.

        Raises:
            JournalError: a row was altered, or one is missing before it.
        """
        chain = segment.chain
        with database.reading(self.path):
            for row in database.rows_of(self._connection, segment.number):
                chain = database.chained(chain, row)
                if chain != row.chain:
                    place = row.sequence if isinstance(row, RecordRow) else row.first_sequence
                    raise database.damaged(self.path, f"segment {segment.number}, sequence {place} breaks the chain")
                yield row
        self._check_successor(segment, chain)

    def _check_successor(self, segment: SegmentRow, chain: bytes) -> None:
        following = next((each for each in self.segments if each.number > segment.number), None)
        if following is None:
            return
        with database.reading(self.path):
            whole = database.whole_segment(self._connection, following.number)
        if database.chained(chain, whole) != whole.chain:
            raise database.damaged(self.path, f"segment {following.number} does not follow segment {segment.number}")

    def snapshot(self, segment: SegmentRow, own_classes: tuple[type, ...] = ()) -> dict[str, Any]:
        """The machine's state at the beginning of a segment, which may hold a strategy's ``snapshot_classes``.

        Raises:
            JournalError: it does not read.
        """
        with database.reading(self.path):
            whole = database.whole_segment(self._connection, segment.number)
        try:
            return read_snapshot(whole.snapshot, own_classes)
        except SnapshotError as error:
            raise JournalError(self.path.name, str(error), "Use the version of mm-fsm that wrote it.") from error

    def fact(self, record: RecordRow) -> Fact:
        """The fact of a record.

        Raises:
            JournalError: this version does not know it.
        """
        with self._understanding(f"record {record.sequence}"):
            return self.messages.fact_from(json.loads(record.fact))

    def intents(self, record: RecordRow) -> tuple[Intent, ...]:
        """The intents of a record.

        Raises:
            JournalError: this version does not know one of them.
        """
        with self._understanding(f"record {record.sequence}"):
            return self.messages.read_intents(record.intents)

    def books(self, segment: SegmentRow) -> MarketMakingContext:
        """The books of a market at the beginning of a segment: no strategy's own classes are needed to read them.

        Raises:
            JournalError: they do not read, or the strategy has none.
        """
        with database.reading(self.path):
            whole = database.whole_segment(self._connection, segment.number)
        try:
            context = read_snapshot(whole.snapshot, names={"context"}).get("context")
        except SnapshotError as error:
            raise JournalError(self.path.name, str(error), "Use the version of mm-fsm that wrote it.") from error
        if isinstance(context, MarketMakingContext):
            return context
        raise JournalError(
            self.path.name,
            f"segment {segment.number}: expected the books of a market, found a strategy without.",
            "Look at the account by hand.",
        )

    def recorded(self, record: RecordRow) -> dict[str, str | None]:
        """What a record carries beside the step, by name; None where that is as in the record before."""
        return dict(zip(self.recorded_names, record.recorded, strict=True))

    def book_again(self, books: BooksOnRecord, record: RecordRow) -> None:
        """Book a record as the machine booked it, without deciding anything.

        Raises:
            JournalError: this version does not know its fact or an intent, or it does not fit the books before it.
        """
        with self._understanding(f"record {record.sequence}"):
            books.book(self.fact(record), self.intents(record), self.recorded(record))

    def facts(self, quiet: QuietRow) -> Iterator[tuple[int, Fact]]:
        """The facts of a row of quiet ones, with their sequence numbers.

        Raises:
            JournalError: this version does not know one of them.
        """
        with self._understanding(f"quiet facts {quiet.first_sequence}"):
            plain = json.loads(zlib.decompress(quiet.facts))
            return iter([(quiet.first_sequence + n, self.messages.fact_from(each)) for n, each in enumerate(plain)])

    def _understanding(self, place: str) -> _Understanding:
        return _Understanding(self.path.name, place)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Understanding:
    """Turns what cannot be decoded into a ``JournalError`` that names the place."""

    def __init__(self, journal: str, place: str) -> None:
        self._journal = journal
        self._place = place

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, (UnreadableMessageError, ValueError, zlib.error)):
            raise JournalError(
                self._journal, f"{self._place}: {error}.", "Use the version of mm-fsm that wrote it."
            ) from error
