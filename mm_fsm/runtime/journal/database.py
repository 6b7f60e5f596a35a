"""The journal's file: one SQLite database in write-ahead mode, its tables, and what opening one can find wrong.

A record's ``chain`` is a hash over the record before it and itself. So a record that was altered, or one that is
missing in the middle, is found; what a torn write took off the end leaves a shorter journal that is sound.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from hashlib import blake2b
from itertools import groupby
from pathlib import Path
from typing import Any, Final, NamedTuple

from mm_fsm.errors import JournalError

SCHEMA_VERSION: Final = 4
"""Raised whenever snapshots or records of an earlier version would be read as something else."""
APPLICATION_ID: Final = 0x6D6D666A
"""``mmfj`` in the file's header, so that no other database is taken for a journal."""

LARGEST_LOG: Final = 10_000_000
"""Bytes that the write-ahead log keeps once all of it is in the file; a longer one is cut then."""

BUSY_SECONDS: Final = 0.25
"""How long a write waits for another program's lock on the file: cancels wait behind it."""

_TABLES: Final = """
CREATE TABLE facts_of_run (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE segments (
    number INTEGER PRIMARY KEY,
    origin TEXT NOT NULL,
    session TEXT NOT NULL,
    time INTEGER NOT NULL,
    first_sequence INTEGER NOT NULL,
    chart TEXT NOT NULL,
    has_market_data INTEGER NOT NULL,
    snapshot BLOB NOT NULL,
    books BLOB NOT NULL,
    chain BLOB NOT NULL
);
CREATE TABLE records (
    segment INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    time INTEGER NOT NULL,
    fact TEXT NOT NULL,
    state TEXT,
    transitions TEXT,
    reasons TEXT,
    intents TEXT,
    faults TEXT,
    {recorded}books BLOB NOT NULL,
    chain BLOB NOT NULL,
    PRIMARY KEY (segment, sequence)
) WITHOUT ROWID;
CREATE TABLE quiet_facts (
    segment INTEGER NOT NULL,
    first_sequence INTEGER NOT NULL,
    last_sequence INTEGER NOT NULL,
    facts BLOB NOT NULL,
    chain BLOB NOT NULL,
    PRIMARY KEY (segment, first_sequence)
) WITHOUT ROWID;
"""


NOTE_BEGINNING: Final = """
INSERT OR IGNORE INTO facts_of_run
SELECT 'began_at', CAST(MIN(records.time) AS TEXT) FROM records JOIN segments ON segments.number = records.segment
WHERE segment = {segment} AND first_sequence = 1 HAVING COUNT(*) > 0
"""
"""Keeps the time of the run's first step, nanoseconds, as a fact of the run before the segment with it is forgotten."""


class SegmentOrigin(StrEnum):
    """Why a segment was begun."""

    STARTED = "started"
    """The run begins."""
    CONTINUED = "continued"
    """The process of the segment before goes on: that one was full."""
    RECOVERED = "recovered"
    """Another machine goes on where the run was left: a restart, mostly by another process."""
    STOPPED = "stopped"
    """The process ended in order. No step follows in it."""


class SegmentRow(NamedTuple):
    """One line of ``segments``: where a replay can begin."""

    number: int
    origin: str
    """A ``SegmentOrigin``."""
    session: str
    time: int
    first_sequence: int
    chart: str
    has_market_data: int
    snapshot: bytes
    books: bytes
    chain: bytes = b""

    @property
    def is_recovered(self) -> bool:
        """Whether a machine begins it that is not the one of the segment before: in between nothing ran."""
        return self.origin == SegmentOrigin.RECOVERED


class RecordRow(NamedTuple):
    """One line of ``records``. None: unchanged since the record before, or empty. Only some have a digest.

    ``recorded`` is as many columns as the strategy has names for what its records carry beside the step.
    """

    segment: int
    sequence: int
    time: int
    fact: str
    state: str | None
    transitions: str | None
    reasons: str | None
    intents: str | None
    faults: str | None
    recorded: tuple[str | None, ...]
    books: bytes
    chain: bytes = b""


class QuietRow(NamedTuple):
    """One line of ``quiet_facts``: streaming facts that moved nothing, compressed together."""

    segment: int
    first_sequence: int
    last_sequence: int
    facts: bytes
    chain: bytes = b""


Row = SegmentRow | RecordRow | QuietRow
_TABLE_OF: Final[Mapping[type, str]] = {SegmentRow: "segments", RecordRow: "records", QuietRow: "quiet_facts"}
_RECORDED: Final = RecordRow._fields.index("recorded")
_AFTER_RECORDED: Final = len(RecordRow._fields) - _RECORDED - 1


def chained(previous: bytes, row: Row) -> bytes:
    """The chain value of a row after ``previous``, 16 bytes."""
    digest = blake2b(previous, digest_size=16)
    digest.update(repr(_columns(row)[:-1]).encode())
    return digest.digest()


def insert_together(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """Write these rows, all of them or none. After an error the transaction may still be open."""
    if len(rows) == 1:  # a statement by itself is a transaction
        _insert(connection, type(rows[0]), [_columns(rows[0])])
        return
    connection.execute("BEGIN IMMEDIATE")
    for kind, alike in groupby(rows, type):
        _insert(connection, kind, [_columns(row) for row in alike])
    connection.execute("COMMIT")


def _insert(connection: sqlite3.Connection, kind: type, rows: Sequence[tuple[Any, ...]]) -> None:
    places = ",".join("?" * len(rows[0]))
    connection.executemany(f"INSERT INTO {_TABLE_OF[kind]} VALUES ({places})", rows)  # noqa: S608 - names of this module


def _columns(row: Row) -> tuple[Any, ...]:
    """What a row has in its table, in order."""
    if isinstance(row, RecordRow):
        return (*row[:_RECORDED], *row.recorded, *row[_RECORDED + 1 :])
    return tuple(row)


def say(connection: sqlite3.Connection, name: str, value: str) -> None:
    """Write one fact of the run."""
    connection.execute("INSERT OR REPLACE INTO facts_of_run VALUES (?, ?)", (name, value))


def create(
    path: Path, about: dict[str, str], recorded: Sequence[str] = (), *, synchronise: bool = True
) -> sqlite3.Connection:
    """A new journal's connection.

    Args:
        path: the file; one that is there is replaced.
        about: facts of the run.
        recorded: names of what each record carries beside the step.
        synchronise: whether a commit waits until it has reached the disk.

    Raises:
        JournalError: the file cannot be made.
    """
    _check_names(path, recorded)
    columns = "".join(f'"{name}" TEXT,\n    ' for name in recorded)
    with _translated(path, "expected a place to write, found one that refuses:", "Choose another, or make room."):
        for leftover in (path, *(path.with_name(f"{path.name}-{kind}") for kind in ("wal", "shm"))):
            leftover.unlink(missing_ok=True)
        with closed_on_failure(_connect_to_write(path, synchronise=synchronise)) as connection:
            connection.executescript(f"BEGIN; {_TABLES.format(recorded=columns)}")
            connection.executemany("INSERT INTO facts_of_run VALUES (?, ?)", sorted(about.items()))
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.execute("COMMIT")
            return connection


def open_to_write(path: Path, *, synchronise: bool = True) -> sqlite3.Connection:
    """Open an existing journal for writing.

    Args:
        path: the file.
        synchronise: whether a commit waits until it has reached the disk.

    Raises:
        JournalError: it is not there, no journal, of a newer version, or cannot be opened.
    """
    _expect_file(path)
    with reading(path), closed_on_failure(_connect_to_write(path, synchronise=synchronise)) as connection:
        _check_header(path, connection)
        return connection


def open_to_read(path: Path) -> sqlite3.Connection:
    """Open an existing journal for reading, once SQLite finds no damage in it.

    Raises:
        JournalError: it is not there, no journal, of a newer version, or damaged.
    """
    _expect_file(path)
    with reading(path), closed_on_failure(_connect(path, "ro")) as connection:
        _check_header(path, connection)
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise damaged(path, str(verdict))
        return connection


@contextmanager
def closed_on_failure(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Close the connection if the block raises; otherwise leave it open."""
    try:
        yield connection
    except BaseException:
        connection.close()
        raise


def _check_names(path: Path, recorded: Sequence[str]) -> None:
    taken = {name.lower() for name in RecordRow._fields}
    for name in recorded:
        if not name.isidentifier() or name.lower() in taken:
            raise JournalError(
                path.name,
                f"expected names of its own in the machine's recorded, found {name!r}.",
                f"Write letters, digits and underscores, each name once, none of {sorted(RecordRow._fields)}.",
            )
        taken.add(name.lower())


def recorded_names(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Names of what each record carries beside the step."""
    names = [str(name) for _, name, *_ in connection.execute("PRAGMA table_info(records)")]
    return tuple(names[_RECORDED : len(names) - _AFTER_RECORDED])


def about_run(connection: sqlite3.Connection) -> dict[str, str]:
    """What the journal says about its run."""
    return dict(connection.execute("SELECT name, value FROM facts_of_run"))


def segments_of(connection: sqlite3.Connection) -> list[SegmentRow]:
    """Every segment in the file, the oldest first, without its snapshot: snapshots are large."""
    columns = ", ".join("x''" if name == "snapshot" else name for name in SegmentRow._fields)
    found = connection.execute(f"SELECT {columns} FROM segments ORDER BY number")  # noqa: S608 - names of this module
    return [SegmentRow(*row) for row in found]


def whole_segment(connection: sqlite3.Connection, number: int) -> SegmentRow:
    """One segment with its snapshot."""
    return SegmentRow(*connection.execute("SELECT * FROM segments WHERE number = ?", (number,)).fetchone())


def last_sequence(connection: sqlite3.Connection) -> int:
    """The number of the last step on record; 0 when there is none."""
    (found,) = connection.execute(
        "SELECT max((SELECT ifnull(max(sequence), 0) FROM records),"
        " (SELECT ifnull(max(last_sequence), 0) FROM quiet_facts))"
    ).fetchone()
    return int(found)


def rows_of(connection: sqlite3.Connection, segment: int) -> Iterator[RecordRow | QuietRow]:
    """A segment's records and quiet facts in the order in which they happened."""
    quiet: Iterable[Any] = connection.execute(
        "SELECT * FROM quiet_facts WHERE segment = ? ORDER BY first_sequence", (segment,)
    )
    waiting = iter(quiet)
    following = next(waiting, None)
    for found in connection.execute("SELECT * FROM records WHERE segment = ? ORDER BY sequence", (segment,)):
        record = _record_of(found)
        while following is not None and following[1] < record.sequence:
            yield QuietRow(*following)
            following = next(waiting, None)
        yield record
    while following is not None:
        yield QuietRow(*following)
        following = next(waiting, None)


def _record_of(columns: tuple[Any, ...]) -> RecordRow:
    end = len(columns) - _AFTER_RECORDED
    return RecordRow._make((*columns[:_RECORDED], columns[_RECORDED:end], *columns[end:]))


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what SQLite says of a damaged file into a ``JournalError``."""
    with _translated(path, "expected a sound database, found", "Restore it from a copy, or begin a new journal."):
        yield


def damaged(path: Path, what: str) -> JournalError:
    """The error for a file whose content contradicts itself."""
    return JournalError(
        path.name,
        f"expected a sound database, found it damaged: {what}.",
        "Restore it from a copy, or begin a new journal after looking at the account by hand.",
    )


@contextmanager
def _translated(path: Path, problem: str, remedy: str) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise JournalError(path.name, f"{problem} {error}.", remedy) from error


def _expect_file(path: Path) -> None:
    if not path.is_file():
        raise JournalError(path.name, "expected a file, found none.", "Name the journal of a run.")


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"{path.resolve().as_uri()}?mode={mode}"
    # threads take turns: a writing thread may take over from the one that opened the file
    return sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)


def _connect_to_write(path: Path, *, synchronise: bool) -> sqlite3.Connection:
    with closed_on_failure(_connect(path, "rwc")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {'FULL' if synchronise else 'NORMAL'}")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute(f"PRAGMA journal_size_limit = {LARGEST_LOG}")
        return connection


def _check_header(path: Path, connection: sqlite3.Connection) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        raise JournalError(path.name, "expected a journal of mm-fsm, found another kind of file.", "Check its name.")
    if version > SCHEMA_VERSION:
        raise JournalError(
            path.name,
            f"expected version {SCHEMA_VERSION} or older, found version {version}, which a newer mm-fsm wrote.",
            "Use that version of mm-fsm, or a newer one.",
        )
    if version < SCHEMA_VERSION:
        raise _too_old(path, version, about_run(connection))


def _too_old(path: Path, version: int, about: dict[str, str]) -> JournalError:
    """The refusal of an older journal: which version wrote it, and how to end its run without losing an order."""
    prefix = f"{about.get('strategy_id', '')}-{about.get('run', '')}-"
    return JournalError(
        path.name,
        f"expected version {SCHEMA_VERSION}, found version {version}, which mm-fsm {about.get('version', '?')} wrote.",
        "Continue and stop the run with that version, which takes its orders out of the market. Or cancel every order "
        f"of {about.get('symbol', 'its market')} whose id begins with {prefix!r} at the venue by hand, and begin a new "
        "journal with the balances that are there then.",
    )
