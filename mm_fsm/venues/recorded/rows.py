"""Files of comma-separated values to rows: a block of lines at a time, by one compiled expression, in columns.

Columns are checked and converted as a whole, by functions that loop in C. A block in which anything is not plain is
looked at row by row. Measured on two recordings of 5.6 and 22.7 MB: a compiled expression splits and checks them as
fast as polars and pyarrow do (0.064 s against 0.062 and 0.074; 0.105 against 0.131 with polars), and needs neither.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from functools import cached_property
from typing import Any, ClassVar, Final

from mm_fsm.errors import RecordingError
from mm_fsm.venues.recorded.fields import CUT_OUT, MalformedFieldError
from mm_fsm.venues.recorded.files import RecordingFile
from mm_fsm.venues.recorded.layout import Batch, Layout, RecordedEvent, RecordingInfo, Wanted
from mm_fsm.venues.recorded.reading import Fault, Tally

Row = tuple[str, ...]
Judge = Callable[[int, Row], RecordedEvent | None]
"""Makes the event of a row, given its line; None when the row shows nothing by itself."""

_FIELD: Final = r'[^,"\n]*'
_ODD_LINE: Final = r"([^\n]*)\n|([^\n]+)\Z"


class CsvLayout(Layout):
    """A file of comma-separated values. Columns are found by name, in any order; what is not needed is ignored."""

    columns: ClassVar[tuple[str, ...]]
    """What a row has for the judge, in its order."""
    optional: ClassVar[tuple[str, ...]] = ()
    """Further columns of which each may be missing; it is empty then. They come after ``columns``."""
    header: ClassVar[tuple[str, ...]] = ()
    """The columns of a file that has no header line; empty where there always is one."""

    def __init__(self, file: RecordingFile, symbol: str | None = None) -> None:
        super().__init__(file, symbol)
        first = next(csv.reader([file.first_line()]))
        self.has_header = not self.header or not first[0].isdecimal()
        self.names: Sequence[str] = first if self.has_header else self.header[: len(first)]

    def judge(self, wanted: Wanted, tally: Tally) -> Judge:
        """What makes events of the rows of one reading."""
        raise NotImplementedError

    def described(self, row: Row) -> RecordingInfo:
        """What a row says about the recording.

        Raises:
            MalformedFieldError: it is none to judge by.
        """
        raise NotImplementedError

    def last(self, judge: Judge) -> RecordedEvent | None:
        """What is still to be shown when the rows have ended."""
        return None

    def describe(self) -> RecordingInfo:
        """Say what is recorded, by the first sound row."""
        first: RecordingError | None = None
        with closing(self.rows(self.file.apart())) as rows:
            for line, row in rows:
                try:
                    return self.described(self._told_apart(row))
                except MalformedFieldError as wrong:
                    first = first or self.file.error(line, wrong.problem, wrong.remedy)
        if first is not None:
            raise first
        raise self.file.error(0, "expected rows, found only the header line.", "Record or download it again.")

    def plain(self, wanted: Wanted, columns: Sequence[Sequence[str]], lines: Sequence[int]) -> Batch | None:
        """The events of rows that are all plain, from their columns; None where a look at each row is needed.

        It gives what the judge would give, in a fraction of the time.
        """
        return None

    def batches(self, wanted: Wanted, tally: Tally, previous: Layout | None) -> Generator[Batch, None, None]:
        """Yield the events of all rows."""
        judge = self.judge(wanted, tally)
        line, rows_before = 0, tally.rows
        with closing(self._blocks(self.file)) as blocks:
            for first_line, found in blocks:
                if not found:
                    continue
                lines = range(first_line, first_line + len(found))
                columns = list(zip(*found, strict=True))
                batch = None
                if not any(columns[-1]) and not any(columns[-2]):
                    batch = self.plain(wanted, self._picked(columns), lines)
                if batch is None:
                    batch = self._judged(lines, found, judge, tally)
                else:
                    tally.rows += len(found)
                line = lines[-1]
                yield batch
        event = self.last(judge)
        if event is not None:
            yield Batch([event], [line])
        if tally.rows == rows_before:
            raise self.file.error(0, "expected rows, found only the header line.", "Record or download it again.")

    def rows(self, file: RecordingFile) -> Generator[tuple[int, Row], None, None]:
        """Yield the line and the wanted columns of every row; of a line that is none, the line itself alone."""
        with closing(self._blocks(file)) as blocks:
            for first_line, found in blocks:
                yield from enumerate(map(self._row, found), first_line)

    @cached_property
    def _places(self) -> list[int | None]:
        """Where the wanted columns are in a line; None for one that is not there."""
        wanted = (*self.columns, *self.optional)
        return [self.names.index(name) if name in self.names else None for name in wanted]

    def _picked(self, groups: Sequence[Any]) -> list[Any]:
        """What was found for each wanted column, in their order."""
        kept = sorted(place for place in self._places if place is not None)
        # A column that is not there is read from an alternative of the expression that is empty in every row.
        return [groups[-1] if place is None else groups[kept.index(place)] for place in self._places]

    def _row(self, groups: Row) -> Row:
        odd, torn = groups[-2:]
        if odd or torn:
            return (odd or f"{torn}\0",)
        return tuple(self._picked(groups))

    def _blocks(self, file: RecordingFile) -> Generator[tuple[int, list[Row]], None, None]:
        """Yield the first line of a block and what is found in each of its lines.

        That is the columns in the order of the file, the whole line where it is no row, and where it is torn off.
        """
        kept = {place for place in self._places if place is not None}
        fields = [f"({_FIELD})" if place in kept else _FIELD for place in range(len(self.names))]
        find = re.compile(f"{','.join(fields)}\n|{_ODD_LINE}").findall
        skipped = 1 if self.has_header else 0
        with closing(file.blocks()) as blocks:
            for block in blocks:
                found = find(block.text)
                yield block.first_line + skipped, found[skipped:] if skipped else found
                skipped = 0

    def _judged(self, lines: Sequence[int], found: list[Row], judge: Judge, tally: Tally) -> Batch:
        events: list[RecordedEvent] = []
        numbers: list[int] = []
        for line, groups in zip(lines, found, strict=True):
            tally.rows += 1
            row = self._row(groups)
            try:
                event = judge(line, row)
            except ValueError:
                event = self._second_look(line, row, judge, tally)
            if event is not None:
                events.append(event)
                numbers.append(line)
        return Batch(events, numbers)

    def _second_look(self, line: int, row: Row, judge: Judge, tally: Tally) -> RecordedEvent | None:
        """Judge a row that is no plain one: read it as CSV proper, or pass it over."""
        try:
            return judge(line, self._told_apart(row))
        except MalformedFieldError as wrong:
            tally.pass_over(wrong.fault, self.file.error(line, wrong.problem, wrong.remedy))
            return None

    def _told_apart(self, row: Row) -> Row:
        if len(row) == 1:
            row = self._row_of_line(row[0])
        if row == (*self.columns, *self.optional):
            raise MalformedFieldError("row", "values", "the header line once more", fault=Fault.HEADER)
        if not any(row):
            raise MalformedFieldError("row", "values", "a blank line", fault=Fault.BLANK)
        return row

    def _row_of_line(self, line: str) -> Row:
        if line.endswith("\0"):
            remedy = "Cut the line out, or end it with a newline if it is whole."
            raise MalformedFieldError("row", "a line end (the line may be torn off)", line[:-1], remedy)
        try:
            fields = next(csv.reader([line], strict=True), [])
        except csv.Error as failure:
            raise MalformedFieldError("row", f"a line of CSV ({failure})", line) from None
        if fields and len(fields) != len(self.names):
            expected = f"{len(self.names)} fields as in the header, not {len(fields)}"
            raise MalformedFieldError("row", expected, line, CUT_OUT)
        return tuple(
            fields[self.names.index(name)] if fields and name in self.names else ""
            for name in (*self.columns, *self.optional)
        )
