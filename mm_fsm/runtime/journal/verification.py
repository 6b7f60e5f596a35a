"""Replays a journal through a machine and compares every step with what was recorded.

With the definition and services that wrote it, nothing may differ: same facts, same decisions, to the last digit. With
changed ones, the first difference of each segment answers what that version would have done; what follows it in the
segment is not replayed, because the recorded facts are answers to other orders.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from difflib import Differ
from importlib.metadata import version
from pathlib import Path
from typing import Any

from attrs import asdict, define, field, frozen

from mm_fsm.core.clock import NANOSECONDS_PER_SECOND
from mm_fsm.core.messages import Fact
from mm_fsm.core.plurals import counted
from mm_fsm.errors import FactRefusedError
from mm_fsm.machine.strategy import BooksOnRecord, StrategyMachine
from mm_fsm.runtime.journal.database import QuietRow, RecordRow, SegmentRow
from mm_fsm.runtime.journal.fingerprint import chart_fingerprint
from mm_fsm.runtime.journal.reader import JournalReader
from mm_fsm.runtime.journal.replaying import (
    MachineClass,
    OtherDefinitionError,
    RecordedFact,
    ReplayedStep,
    Strayed,
    recorded_class,
    recorded_facts,
    restored_machine,
    strayed_from_record,
)
from mm_fsm.runtime.journal.writer import books_digest


@frozen(kw_only=True)
class Difference:
    """Where a replay first strayed from the record, and how; ``name`` is what differs."""

    segment: int
    sequence: int
    time: int
    fact: str
    name: str
    recorded: str
    replayed: str

    def __str__(self) -> str:
        compared = Differ().compare(self.recorded.splitlines(), self.replayed.splitlines())
        lines = [f"\n    {line.rstrip()}" for line in compared if not line.startswith("?")]
        return (
            f"segment {self.segment}, step {self.sequence}, {_date(self.time)}, on {self.fact}:\n"
            f"  {self.name}, - recorded, + replayed{''.join(lines)}"
        )


@define(kw_only=True)
class VerifyReport:
    """What a verification looked at and found."""

    journal: str
    machine: str
    version: str
    """Of mm-fsm, that began the run."""
    replayed_by: str
    """The version of mm-fsm that compared."""
    is_same_definition: bool = True
    is_same_settings: bool = True
    """Whether the recorded settings were replayed. With others books may differ that decide alike: not compared."""
    segments: int = 0
    last_segment: int = 0
    replayed_segments: int = 0
    """Segments with everything in them that a replay needs."""
    facts: int = 0
    """Facts stepped again."""
    records: int = 0
    """Records compared with a replay."""
    booked_records: int = 0
    """Records that were booked again, in segments without market data."""
    booked_amounts: list[str] = field(factory=list)
    """What was compared then, by name; empty where the strategy has no books that can be booked again."""
    differences: list[Difference] = field(factory=list)
    problems: list[str] = field(factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether nothing differs and everything fits together."""
        return not self.differences and not self.problems

    def entry(self) -> dict[str, Any]:
        """The report as JSON has it."""
        return {**asdict(self), "is_clean": self.is_clean}

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{self.journal}: {counted(self.segments, 'segment')}, written by {self.machine} of mm-fsm {self.version}"
        if self.replayed_by != self.version:
            yield f"compared by mm-fsm {self.replayed_by}: differences say what this version would have done"
        if not self.is_same_definition:
            yield "the definition replayed is not the one that wrote it: differences say what it would have done"
        if not self.is_same_settings:
            yield "the settings replayed are not the recorded ones: differences say what they would have done"
        if self.replayed_segments:
            until = ", each up to its first difference" if self.differences else " bit for bit"
            yield (
                f"replayed {counted(self.replayed_segments, 'segment')}{until}: {counted(self.facts, 'fact')}, "
                f"{counted(self.records, 'record')} with their transitions, intents and books"
            )
        if self.replayed_segments < self.segments:
            records = counted(self.booked_records, "record")
            booked = (
                f", and that {' and '.join(self.booked_amounts)} follow from the fills in {records}"
                if self.booked_amounts
                else ""
            )
            unread = counted(self.segments - self.replayed_segments, "segment")
            yield (
                f"{unread} without market data (record_market_data was off), whose decisions cannot be replayed; "
                f"checked instead: that nothing is missing or altered{booked}"
            )
        yield from (f"differs in {difference}" for difference in self.differences)
        yield from (f"problem: {problem}" for problem in self.problems)
        count = len(self.differences) + len(self.problems)
        yield counted(count, "difference") if count else "clean"


def verify_run(
    path: Path,
    machine_class: MachineClass | None = None,
    services: Any = None,
    *,
    settings: Any = None,
    since_segment: int = 0,
    on_progress: Callable[[int], None] | None = None,
) -> VerifyReport:
    """Replay a journal and compare.

    Args:
        path: the journal's file.
        machine_class: the machine to replay with; by default the class that wrote it.
        services: the services to replay with, as the class's ``restored`` takes them; by default those that it chooses.
        settings: the settings to replay with, as the class's ``restored`` takes them; by default the recorded ones.
        since_segment: leave out segments with smaller numbers.
        on_progress: called now and then with the sequence number of the latest step.

    Raises:
        JournalError: the file is no sound journal, or its machine's class is not there.
    """
    with JournalReader(path) as reader:
        verification = _Verification(reader, machine_class, services, settings, on_progress)
        previous: BooksOnRecord | None = None
        for segment in reader.segments:
            if segment.number >= since_segment:
                previous = verification.check_segment(segment, previous)
        return verification.report


@define
class _Verification:
    reader: JournalReader
    machine_class: MachineClass | None
    services: Any
    settings: Any
    on_progress: Callable[[int], None] | None
    report: VerifyReport = field(init=False)

    def __attrs_post_init__(self) -> None:
        reader = self.reader
        self.report = VerifyReport(
            journal=reader.path.name,
            machine=reader.segments[-1].chart.split()[0],
            version=reader.about.get("version", "unknown"),
            replayed_by=version("mm-fsm"),
            is_same_settings=self.settings is None,
        )

    def check_segment(self, segment: SegmentRow, previous: BooksOnRecord | None) -> BooksOnRecord | None:
        """Check one segment against the books at the end of the one before it; returns the books at its own end."""
        cls = self.machine_class or recorded_class(self.reader, segment)
        self.report.segments += 1
        self.report.last_segment = segment.number
        self._continue(segment, cls)
        try:
            books = cls.books_on_record(self.reader.snapshot(segment, cls.snapshot_classes))
        except (LookupError, ValueError) as error:
            self.report.problems.append(f"segment {segment.number} has other books than this machine: {error}")
            return None
        if books is not None and previous is not None:
            self._compare_books(segment, previous.amounts(), books.amounts())
        self._check_rows(segment, books)
        return books

    def _continue(self, segment: SegmentRow, cls: MachineClass) -> None:
        """Set a machine to the segment's beginning, and replay the segment if all its facts are on record."""
        try:
            machine = restored_machine(self.reader, segment, cls, self.services, self.settings)
        except OtherDefinitionError as error:
            self.report.problems.append(f"segment {segment.number} cannot be replayed with this definition: {error}")
            return
        if chart_fingerprint(type(machine), machine.definition) != segment.chart:
            self.report.is_same_definition = False
        found = books_digest(machine)
        if found != segment.books:
            sequence, fact = segment.first_sequence - 1, "its snapshot"
            self._note(_books_differ(segment.number, sequence, segment.time, fact, segment.books, found))
        if segment.has_market_data:
            self.report.replayed_segments += 1
            self._replay(segment, machine, compares_books=found == segment.books and self.settings is None)

    def _compare_books(self, segment: SegmentRow, before: Mapping[str, object], after: Mapping[str, object]) -> None:
        """Between two segments anything may change but the booked amounts."""
        for name, new in after.items():
            old = before.get(name, new)
            if old != new:
                self.report.problems.append(
                    f"segment {segment.number}: {name} is {new} at its beginning, {old} at the end of the one before"
                )

    # -- with market data -------------------------------------------------------------------------------------------

    def _note(self, difference: Difference) -> None:
        self.report.differences.append(difference)

    def _replay(self, segment: SegmentRow, machine: StrategyMachine, *, compares_books: bool) -> None:
        """Step the segment's facts until a decision differs; books that differ while decisions do not are told once."""
        for recorded in recorded_facts(self.reader, segment):
            row, sequence, _ = recorded
            difference = self._step(segment, machine, recorded)
            if difference is not None:
                self._note(difference)
                return
            if isinstance(row, RecordRow) and compares_books:
                compares_books = self._compare_recorded(machine, row) and self._compare_digest(machine, row)
            if self.on_progress is not None and sequence == _last_sequence(row):
                self.on_progress(sequence)

    def _compare_recorded(self, machine: StrategyMachine, row: RecordRow) -> bool:
        """Whether what the record carries beside the step is what the machine has; the first difference is reported."""
        found = dict(zip(machine.recorded, machine.recorded_values(), strict=True))
        for name, recorded in self.reader.recorded(row).items():
            if recorded is not None and found.get(name, recorded) != recorded:
                fact = self.reader.fact(row)
                self._note(_difference(row.segment, row.sequence, fact, Strayed(name, recorded, found[name])))
                return False
        return True

    def _compare_digest(self, machine: StrategyMachine, row: RecordRow) -> bool:
        """Whether the books equal the record, where it has a digest; only the first difference is reported."""
        if not row.books:
            return True
        found = books_digest(machine)
        if found != row.books:
            fact = type(self.reader.fact(row)).__name__
            self._note(_books_differ(row.segment, row.sequence, row.time, fact, row.books, found))
        return found == row.books

    def _step(self, segment: SegmentRow, machine: StrategyMachine, recorded: RecordedFact) -> Difference | None:
        """Make one step again; how its decision differs."""
        row, sequence, fact = recorded
        self.report.facts += 1
        try:
            result = machine.step(fact)
        except FactRefusedError as error:
            return _difference(segment.number, sequence, fact, Strayed("refused", "accepted", str(error)))
        self.report.records += isinstance(row, RecordRow)
        strayed = strayed_from_record(self.reader, ReplayedStep(segment, row, sequence, fact, result, machine))
        return None if strayed is None else _difference(segment.number, sequence, fact, strayed)

    # -- without --------------------------------------------------------------------------------------------------

    def _check_rows(self, segment: SegmentRow, books: BooksOnRecord | None) -> None:
        """Read every row, and book the facts again without deciding anything: records carry what comes of that."""
        has_books = True
        for row in self.reader.rows(segment):
            if isinstance(row, RecordRow) and books is not None and has_books:
                self.reader.book_again(books, row)
                has_books = self._compare_amounts(segment, row, books.amounts())

    def _compare_amounts(self, segment: SegmentRow, row: RecordRow, amounts: Mapping[str, object]) -> bool:
        report, recorded = self.report, self.reader.recorded(row)
        compared = [name for name in amounts if name in recorded]
        if not segment.has_market_data:
            report.booked_records += 1
            report.booked_amounts = compared
        for name in compared:
            found = recorded[name]
            if found is not None and found != str(amounts[name]):
                report.problems.append(
                    f"segment {segment.number}, step {row.sequence}: {name} is {found} on record, "
                    f"{amounts[name]} by its fills"
                )
                return False
        return True


def _last_sequence(row: RecordRow | QuietRow) -> int:
    return row.last_sequence if isinstance(row, QuietRow) else row.sequence


def _books_differ(  # noqa: PLR0917 - place, then both sides
    segment: int, sequence: int, time: int, fact: str, recorded: bytes, found: bytes
) -> Difference:
    """The books differ from the record. Decisions are compared still: versions may keep different things in books."""
    return Difference(
        segment=segment,
        sequence=sequence,
        time=time,
        fact=fact,
        name="digest of the books",
        recorded=recorded.hex(),
        replayed=found.hex(),
    )


def _difference(segment: int, sequence: int, fact: Fact, strayed: Strayed) -> Difference:
    return Difference(
        segment=segment,
        sequence=sequence,
        time=fact.received_at,
        fact=type(fact).__name__,
        name=strayed.name,
        recorded=_readable(strayed.recorded or "nothing"),
        replayed=_readable(strayed.replayed or "nothing"),
    )


def _date(time: int) -> str:
    """A time of a fact, nanoseconds since 1970, for people."""
    whole, rest = divmod(time, NANOSECONDS_PER_SECOND)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%d %H:%M:%S}.{rest // 1000:06} UTC"


def _readable(text: str) -> str:
    """A stored list, one item to a line; anything else as it is."""
    try:
        items: Any = json.loads(text)
    except ValueError:
        return text
    if not isinstance(items, list):
        return text
    return "\n".join(_item(item) for item in items)


def _item(item: Any) -> str:
    if isinstance(item, dict):
        named = {key: value for key, value in item.items() if key}
        return f"{item.get('', '')} " + " ".join(f"{key}={value}" for key, value in named.items())
    return " ".join(str(part) for part in item) if isinstance(item, list) else str(item)
