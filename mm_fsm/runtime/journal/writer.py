"""Writes one run's journal: records at once and for good, what streams in together with the next record.

A record is durable when ``append`` returns if it carries intents or a fact about money; with it, everything recorded
before. So no intent leaves before it and all that led to it are durable, and it waits for one durable write, no more.
What can wait longer, waits for ``keep_up``, which the host calls when nothing is urgent: moving the write-ahead log
into the file, beginning a segment, forgetting old ones.

A journal that hands its writing over (``hand_over_to``) returns from ``append`` before the record is durable, so that
nothing urgent waits for the disk; whoever lets placements leave waits for ``rows_durable`` to reach ``rows_recorded``.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Self

from attrs import field, frozen

from mm_fsm.core.validation import whole_number, yes_or_no
from mm_fsm.errors import JournalError
from mm_fsm.machine.results import StepResult
from mm_fsm.machine.strategy import StrategyMachine
from mm_fsm.runtime.journal import database
from mm_fsm.runtime.journal.database import QuietRow, RecordRow, Row, SegmentOrigin, SegmentRow
from mm_fsm.runtime.journal.fingerprint import chart_fingerprint
from mm_fsm.runtime.journal.journal_file import JournalFile
from mm_fsm.runtime.journal.messages import MessageCodec, encode
from mm_fsm.runtime.journal.snapshots import write_snapshot

BYTES_PER_MEGABYTE: Final = 1_000_000
QUIET_FACTS_TOGETHER: Final = 512
"""Streaming facts that wait for one write at most."""
ROWS_TOGETHER: Final = 64
"""Records without intents that wait for one write at most."""
RECORDS_A_DIGEST: Final = 32
"""Records of which one has the digest of the books, beside those about money and faults. Decisions are compared with
each record, so that this only says how soon books are found that differ while decisions do not yet."""
LOG_ROWS: Final = 500
"""Rows in the write-ahead log at which it is moved into the file."""


@frozen(kw_only=True)
class JournalSettings:
    """What is recorded, and how much is kept.

    Raises:
        SettingsError: a value is out of its range.
    """

    record_market_data: bool = field(default=False, validator=yes_or_no)
    """Also keep what moved nothing: books, trades, timers. Without it a run cannot be replayed bit for bit."""
    segment_records: int = field(default=5_000, validator=whole_number(at_least=10))
    """Records after which a new segment begins with a snapshot: the longest tail that a recovery reads."""
    max_megabytes: int = field(default=1_000, validator=whole_number(at_least=1))
    """Size beyond which the oldest segments are forgotten; two are always kept."""
    synchronise: bool = field(default=True, validator=yes_or_no)
    """Wait until each durable write has reached the disk. Without it a process that dies loses nothing, a computer
    that does may lose the last records: enough for an exchange that lives in the process and ends with it."""


@frozen(kw_only=True)
class JournalStatus:
    """How large a journal is, and whether it can still be written. Sizes are bytes, the write-ahead log included."""

    path: Path
    size: int
    segments: int
    records: int
    """Written by this process."""
    failure: str | None


class Journal:
    """The open journal of one run, for one writer.

    Args:
        path: the database's file.
        connection: open for writing; the journal closes it.
        run: the run's token, in every client order id.
        session: this process's token, in every client order id.
        settings: what to record and to keep.
        last: the last segment's number and the chain's last value, where the journal goes on.
    """

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        *,
        run: str,
        session: str,
        settings: JournalSettings,
        last: tuple[int, bytes] = (0, b""),
    ) -> None:
        self.file: Final = JournalFile(
            path,
            connection,
            synchronise=settings.synchronise,
            most_bytes=settings.max_megabytes * BYTES_PER_MEGABYTE,
        )
        self.run: Final = run
        self.session: Final = session
        self.settings: Final = settings
        self.records = 0
        self._segment, self._chain = last
        self._records_in_segment = 0
        self.rows_recorded = 0
        """Rows that this process has recorded, whether durable or not."""
        self.rows_durable = 0
        """Of these, rows that are durable: always the first ones."""
        self._waiting: deque[Row] = deque()
        self._hand_over: Callable[[], None] | None = None
        self._is_untidy = False
        self._quiet: list[Any] = []
        self._quiet_sequences = (0, 0)
        self._said: dict[str, str | None] = {}
        self._absent: frozenset[str] = frozenset()
        """Recorded values that have not been there yet when a step moved nothing."""
        with database.reading(path):
            self._recorded: Final = database.recorded_names(connection)
            self._messages: Final = MessageCodec(database.about_run(connection)["symbol"])

    @property
    def path(self) -> Path:
        """The database's file."""
        return self.file.path

    @property
    def failure(self) -> str | None:
        """Why nothing can be recorded any more; None while it can."""
        return self.file.failure

    def begin_segment(self, machine: StrategyMachine, origin: SegmentOrigin) -> None:
        """Write everything the machine remembers, and begin a segment with it.

        Raises:
            JournalError: it cannot be written, or holds something that a snapshot cannot.
        """
        self._check_recorded(type(machine))
        try:
            snapshot = write_snapshot(machine.remembered_values(), machine.snapshot_classes)
            recorded = self._recorded_values(machine)
        except ValueError as error:
            self.file.failure = str(error)
            raise JournalError(
                self.path.name,
                str(error),
                f"Keep plain values between steps, or name attrs classes and enumerations in snapshot_classes of "
                f"{type(machine).__name__}.",
            ) from error
        self._collect_quiet()
        self._segment += 1
        self._records_in_segment = 0
        self._said.clear()
        self._absent = frozenset(name for name, value in recorded.items() if value is None)
        row = SegmentRow(
            number=self._segment,
            origin=origin.value,
            session=self.session,
            time=machine.now,
            first_sequence=machine.sequence + 1,
            chart=chart_fingerprint(type(machine), machine.definition),
            has_market_data=int(self.settings.record_market_data),
            snapshot=snapshot,
            books=books_digest(machine),
        )
        self._wait(row)
        self._write()
        self._is_untidy = True
        if self._hand_over is None:
            self.tidy_up()

    def hand_over_to(self, write_soon: Callable[[], None]) -> None:
        """Let another thread write: ``write_soon`` tells it that rows wait; it calls ``commit`` and ``tidy_up``.

        From now on ``append`` does not wait for the disk; a failure to write is found by the next call.
        """
        self._hand_over = write_soon

    def append(self, result: StepResult, machine: StrategyMachine) -> None:
        """Record one step. Durable on return, with all before it, if it carries intents or a fact about money.

        Where writing is handed over, it is durable soon instead: once ``rows_durable`` says so.

        Raises:
            JournalError: it cannot be written, now or ever again in this process.
        """
        if self.failure is not None:
            raise self.file.refusal()
        if is_quiet(result) and not (self._absent and self._brings_first_value(machine)):
            self._append_quiet(result)
            return
        self._collect_quiet()
        try:
            row = self._record(result, machine)
        except (TypeError, ValueError) as error:  # a subclass or a service gave a value that JSON cannot hold
            raise self.file.failed(error) from error
        self._wait(row)
        self.records += 1
        self._records_in_segment += 1
        if result.intents or result.fact.concerns_money or len(self._waiting) >= ROWS_TOGETHER:
            self._write()

    def keep_up(self, machine: StrategyMachine) -> None:
        """Begin a new segment or tidy up, if due. Call it when no intent waits.

        Raises:
            JournalError: the file cannot be written.
        """
        if self.failure is not None:
            return
        if self._records_in_segment >= self.settings.segment_records:
            self.begin_segment(machine, SegmentOrigin.CONTINUED)
        if self.file.rows_in_log >= LOG_ROWS:
            self._is_untidy = True
            if self._hand_over is None:
                self.tidy_up()
            else:
                self._hand_over()

    def commit(self) -> None:
        """Make all waiting rows durable, in order: no record is ever durable without those before it.

        Raises:
            JournalError: it cannot be written, now or ever again in this process.
        """
        with self.file.held:  # held from taking the rows until they are in, or later rows could come first
            rows = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if not rows:
                return
            try:
                self.file.write(rows)
            except JournalError:
                self._waiting.extendleft(reversed(rows))
                raise
            self.rows_durable += len(rows)

    def tidy_up(self) -> None:
        """Shrink the file, if due.

        Raises:
            JournalError: the file cannot be written.
        """
        if self._is_untidy and self.failure is None:
            self._is_untidy = False
            self.file.tidy_up()

    def note_failure(self, text: str) -> None:
        """Keep beside the records why this process stopped stepping the machine. Never raises."""
        with suppress(JournalError):
            self.file.note(f"failure of {self.session}", text)

    def close(self, machine: StrategyMachine | None = None) -> None:
        """Write the waiting rows, a last snapshot if a machine is given, and close the file. Never raises."""
        self._hand_over = None
        try:
            if machine is not None and self.failure is None:
                self.begin_segment(machine, SegmentOrigin.STOPPED)
            self._collect_quiet()
            self._write()
        except JournalError as error:
            self.file.failure = self.failure or error.problem
        finally:
            self.file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def status(self) -> JournalStatus:
        """Size and health, now."""
        return JournalStatus(
            path=self.path,
            size=self.file.size,
            segments=self._segment,
            records=self.records,
            failure=self.failure,
        )

    # -- inside -----------------------------------------------------------------------------------------------------

    def _check_recorded(self, cls: type[StrategyMachine]) -> None:
        if cls.recorded != self._recorded:
            self.file.failure = (
                f"recorded: expected {list(self._recorded)}, which the journal was begun with, found "
                f"{list(cls.recorded)} in {cls.__name__}."
            )
            raise JournalError(self.path.name, self.file.failure, "Begin a new journal, or run the machine it was of.")

    def _brings_first_value(self, machine: StrategyMachine) -> bool:
        """True once for each value: the step is recorded, as later ones may be booked again by that value."""
        absent = frozenset(name for name, value in self._recorded_values(machine).items() if value is None)
        is_there, self._absent = self._absent > absent, self._absent & absent
        return is_there

    def _recorded_values(self, machine: StrategyMachine) -> dict[str, str | None]:
        return dict(zip(self._recorded, machine.recorded_values(), strict=True))

    def _append_quiet(self, result: StepResult) -> None:
        if not self.settings.record_market_data:
            return
        if not self._quiet:
            self._quiet_sequences = (result.sequence, result.sequence)
        self._quiet.append(self._messages.plain_fact(result.fact))
        self._quiet_sequences = (self._quiet_sequences[0], result.sequence)
        if len(self._quiet) >= QUIET_FACTS_TOGETHER:
            self._collect_quiet()
            self._write()

    def _collect_quiet(self) -> None:
        if self._quiet:
            first, last = self._quiet_sequences
            self._wait(QuietRow(self._segment, first, last, _packed(encode(self._quiet))))
            self._quiet.clear()

    def _record(self, result: StepResult, machine: StrategyMachine) -> RecordRow:
        messages, said = self._messages, self._if_changed
        transitions = [[t.source, t.event, t.target] for t in result.transitions]
        return RecordRow(
            segment=self._segment,
            sequence=result.sequence,
            time=result.time,
            fact=messages.write_fact(result.fact),
            state=said("", result.state),
            transitions=encode(transitions) if transitions else None,
            reasons=encode(result.reasons) if result.reasons else None,
            intents=messages.write_intents(result.intents),
            faults=encode([[f.code, f.reason, f.transient] for f in result.faults]) if result.faults else None,
            recorded=tuple(map(said, self._recorded, machine.recorded_values())),
            books=books_digest(machine) if self._is_digested(result) else b"",
        )

    def _is_digested(self, result: StepResult) -> bool:
        """Whether the record gets a digest: if it is about money or a fault, and one in ``RECORDS_A_DIGEST``."""
        is_turn = self._records_in_segment % RECORDS_A_DIGEST == 0
        return is_turn or result.fact.concerns_money or bool(result.faults)

    def _if_changed(self, name: str, value: str | None) -> str | None:
        if self._said.get(name) == value:
            return None
        self._said[name] = value
        return value

    def _wait(self, row: Row) -> None:
        self._chain = database.chained(self._chain, row)
        self._waiting.append(row._replace(chain=self._chain))
        self.rows_recorded += 1

    def _write(self) -> None:
        """Make the waiting rows durable, or tell the writing thread."""
        if self._waiting and self._hand_over is not None:
            self._hand_over()
        elif self._waiting:
            self.commit()


def _packed(text: str) -> bytes:
    """Compressed with a small window: most texts are short, and a large one takes longer to make than to use."""
    compressor = zlib.compressobj(6, zlib.DEFLATED, 12, 5)
    return compressor.compress(text.encode()) + compressor.flush()


def is_quiet(result: StepResult) -> bool:
    """Whether a step moved nothing: a streaming fact, and nothing came of it but the books' own change."""
    return result.fact.streams and not (result.transitions or result.intents or result.faults or result.reasons)


def books_digest(machine: StrategyMachine) -> bytes:
    """The first 16 bytes of the machine's digest."""
    return bytes.fromhex(machine.digest()[:32])
