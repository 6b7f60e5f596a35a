"""One recorded file, plain or gzip, read line by line."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from mm_fsm.errors import RecordingError

_GZIP_MAGIC: Final = b"\x1f\x8b"
_BUFFER_BYTES: Final = 1 << 17


class RecordingFile:
    """A file of lines in UTF-8, read a buffer at a time. Its first bytes, not its name, tell whether it is gzip."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name
        self._raw: io.BufferedReader | None = None
        self._position = 0

    @property
    def position(self) -> int:
        """Bytes taken so far by the latest reading, counted on disk (compressed where the file is compressed)."""
        return self._position if self._raw is None else self._raw.tell()

    @property
    def size(self) -> int:
        """Bytes on disk.

        Raises:
            RecordingError: the file is not there.
        """
        try:
            return self.path.stat().st_size
        except OSError as failure:
            raise self._unreadable(failure) from failure

    def error(self, line: int, problem: str, remedy: str) -> RecordingError:
        """An error about one line, counted from 1; 0 for the whole file."""
        return RecordingError(self.name, line, problem, remedy)

    def lines(self) -> Generator[tuple[int, str], None, None]:
        """Yield every line, its end kept, with its number, counted from 1.

        Raises:
            RecordingError: the file is missing, empty or not UTF-8, or its compression is broken.
        """
        number = 0
        try:
            with self.path.open("rb") as raw, self._counting(raw):
                for line in _decompressed(raw):
                    number += 1
                    yield number, line.decode()
        except UnicodeDecodeError as failure:
            problem = f"expected UTF-8 text, found byte 0x{failure.object[failure.start]:02x}."
            raise self.error(number, problem, "Check that this is a recording, and save it as UTF-8.") from failure
        except (EOFError, zlib.error, gzip.BadGzipFile) as failure:
            problem = f"expected a whole gzip file, found a broken one ({failure})."
            raise self.error(number + 1, problem, "Copy or download the file again.") from failure
        except OSError as failure:
            raise self._unreadable(failure) from failure
        if number == 0:
            raise self.error(0, "expected recorded lines, found an empty file.", "Record or download it again.")

    @contextmanager
    def _counting(self, raw: io.BufferedReader) -> Iterator[None]:
        self._raw = raw
        try:
            yield
        finally:
            if self._raw is raw:
                # A reading given up inside a reference cycle may find its file closed by the garbage collector.
                self._position, self._raw = 0 if raw.closed else raw.tell(), None

    def _unreadable(self, failure: OSError) -> RecordingError:
        problem = f"expected a readable file, found: {failure.strerror or failure}."
        return self.error(0, problem, "Check the path and that you may read it.")


def _decompressed(raw: io.BufferedReader) -> io.BufferedReader:
    if raw.peek(len(_GZIP_MAGIC)).startswith(_GZIP_MAGIC):
        return io.BufferedReader(gzip.GzipFile(fileobj=raw), _BUFFER_BYTES)
    return raw
