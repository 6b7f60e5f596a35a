"""A journal's file while it is written: rows in, durable; and what keeps the file small.

Each call holds the file, so that a writing thread and the thread that steps can both use it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import RLock
from typing import Any, Final

from mm_fsm.errors import JournalError
from mm_fsm.runtime.journal import database
from mm_fsm.runtime.journal.database import Row

FEWEST_SEGMENTS: Final = 2


class JournalFile:
    """The database of one run, for one writer.

    Args:
        path: the database's file.
        connection: open for writing; ``close`` closes it.
        synchronise: whether a commit waits until it has reached the disk.
        most_bytes: size beyond which the oldest segments are forgotten; two are always kept.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, *, synchronise: bool, most_bytes: int) -> None:
        self.path = path
        self.connection = connection
        self.failure: str | None = None
        """Why nothing can be written any more; None while it can."""
        self.rows_in_log = 0
        """Rows since the write-ahead log was last moved into the file."""
        self._synchronise: Final = synchronise
        self._most_bytes: Final = most_bytes
        self.held: Final = RLock()
        """Who has it is the only one at the file."""

    @property
    def size(self) -> int:
        """Bytes, the write-ahead log included."""
        files = (self.path, self.path.with_name(f"{self.path.name}-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def write(self, rows: Sequence[Row]) -> None:
        """One durable transaction.

        Raises:
            JournalError: it cannot be written, now or ever again in this process.
        """
        with self.held:
            try:
                database.insert_together(self.connection, rows)
            except (sqlite3.Error, OverflowError, MemoryError) as error:
                raise self.failed(error) from error
            self.rows_in_log += len(rows)

    def note(self, name: str, value: str) -> None:
        """Write one fact of the run, replacing the value that this name had.

        Raises:
            JournalError: it cannot be written, now or ever again in this process.
        """
        with self.held:
            try:
                self.connection.execute("BEGIN IMMEDIATE")
                database.say(self.connection, name, value)
                self.connection.execute("COMMIT")
            except sqlite3.Error as error:
                raise self.failed(error) from error

    def tidy_up(self) -> None:
        """Forget the oldest segments of a file that is too large, and move the write-ahead log into the file.

        What an earlier process left in the log goes with it; then the log begins anew.

        Raises:
            JournalError: the file cannot be written.
        """
        with self.held:
            self._forget_old_segments()
            self.rows_in_log = 0
            self._rows("PRAGMA wal_checkpoint(PASSIVE)")

    def move_to(self, path: Path) -> None:
        """Give the file its final name, once its first segment is in it: no other process ever sees half a journal.

        Raises:
            JournalError: the file cannot be moved.
        """
        self.connection.close()
        try:
            for kind in ("wal", "shm"):  # a log whose file somebody removed would be taken for this one's
                path.with_name(f"{path.name}-{kind}").unlink(missing_ok=True)
            self.path = self.path.replace(path)
            directory = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)
        except OSError as error:
            raise JournalError(path.name, f"expected to be written, found {error}.", "Choose another place.") from error
        self.connection = database.open_to_write(path, synchronise=self._synchronise)

    def close(self) -> None:
        """Let go of the file, once whoever is at it has finished."""
        with self.held:
            self.connection.close()

    def failed(self, error: Exception) -> JournalError:
        """Mark the journal as failed for good and roll the open transaction back. Returns the error to raise."""
        with self.held:
            self.failure = str(error)
            with suppress(sqlite3.Error):  # the failed statement may have ended the transaction by itself
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
        return self.refusal()

    def refusal(self) -> JournalError:
        """The error that every later attempt to record raises."""
        return JournalError(
            self.path.name, f"expected to be written, found {self.failure}.", "Make room or access, then start again."
        )

    def _forget_old_segments(self) -> None:
        numbers = [number for (number,) in self._rows("SELECT number FROM segments ORDER BY number")]
        for number in numbers[:-FEWEST_SEGMENTS]:
            if self.used_bytes() <= self._most_bytes:
                return
            self._rows(database.NOTE_BEGINNING.format(segment=number))
            for table in ("segments WHERE number", "records WHERE segment", "quiet_facts WHERE segment"):
                self._rows(f"DELETE FROM {table} = {number}")  # noqa: S608 - a number from the file itself

    def used_bytes(self) -> int:
        """Bytes of the file's used pages."""
        sizes = [self._rows(f"PRAGMA {name}")[0][0] for name in ("page_count", "freelist_count", "page_size")]
        pages, free, size = sizes
        used: int = (pages - free) * size
        return used

    def _rows(self, statement: str) -> list[Any]:
        try:
            return self.connection.execute(statement).fetchall()
        except sqlite3.Error as error:
            raise self.failed(error) from error
