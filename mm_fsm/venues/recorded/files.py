"""One recorded file, plain or compressed, read a block of whole lines at a time."""

from __future__ import annotations

import gzip
import io
import sys
import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from hashlib import blake2b
from importlib import import_module
from pathlib import Path
from typing import IO, Any, Final

from attrs import frozen

from mm_fsm.errors import RecordingError

_GZIP_MAGIC: Final = b"\x1f\x8b"
_ZSTANDARD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
_ZIP_MAGIC: Final = b"PK\x03\x04"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_BUFFER_BYTES: Final = 1 << 17
_BLOCK_BYTES: Final = 1 << 15
_DIGEST_BYTES: Final = 16


@frozen
class Block:
    """Lines that follow each other in a file, each ended by a newline; only the file's last may lack it."""

    first_line: int
    """The number of the first line, counted from 1."""
    text: str


class RecordingFile:
    """A file of lines in UTF-8. Its first bytes, not its name, tell whether and how it is compressed.

    Plain text, gzip, Zstandard (with the extra ``recordings``) and a zip archive of one file are read. A byte order
    mark is dropped, and a carriage return before a newline is not part of the line.
    """

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

    def finish(self) -> None:
        """Count the file as read to its end, as when its content came from elsewhere."""
        self._position, self._raw = self.size, None

    def digest(self) -> str:
        """A digest of the bytes on disk, in hexadecimal.

        Raises:
            RecordingError: the file cannot be read.
        """
        state = blake2b(digest_size=_DIGEST_BYTES)
        try:
            with self.path.open("rb") as raw:
                while chunk := raw.read(1 << 20):
                    state.update(chunk)
        except OSError as failure:
            raise self._unreadable(failure) from failure
        return state.hexdigest()

    def starts_with(self, magic: bytes) -> bool:
        """Whether the bytes on disk begin so.

        Raises:
            RecordingError: the file cannot be read.
        """
        try:
            with self.path.open("rb") as raw:
                return raw.read(len(magic)) == magic
        except OSError as failure:
            raise self._unreadable(failure) from failure

    def first_line(self) -> str:
        """The first line, without its end.

        Raises:
            RecordingError: the file is missing, empty or not UTF-8, or its compression is broken.
        """
        with closing(self.apart().blocks()) as blocks:
            return next(blocks).text.partition("\n")[0]

    def apart(self) -> RecordingFile:
        """The same file, to look into it while it is read."""
        return RecordingFile(self.path)

    def blocks(self) -> Generator[Block, None, None]:
        """Yield the whole file in blocks; what is sound comes before what is refused.

        Raises:
            RecordingError: the file is missing, empty or not UTF-8, or its compression is broken.
        """
        number = 1
        for chunk in self._chunks():
            block = self._decoded(chunk, number)
            number += block.text.count("\n")
            yield block

    def _chunks(self) -> Generator[bytes, None, None]:
        """Yield bytes of whole lines, none of them empty; only the last may lack its newline."""
        rest, lines = b"", 0
        failure: Exception | None = None
        try:
            with self.path.open("rb") as raw, self._counting(raw), _decompressed(self, raw) as content:
                while True:
                    # What the decompressor still gives before it fails must not be lost with the failure.
                    try:
                        read = content.read1(_BLOCK_BYTES)  # type: ignore[attr-defined]
                    except _broken_archive() as broken:
                        failure, read = broken, b""
                    if not read:
                        break
                    if not lines and not rest:
                        read = read.removeprefix(_BYTE_ORDER_MARK)
                    whole, newline, rest = (rest + read).rpartition(b"\n")
                    if newline:
                        whole += newline
                        lines += whole.count(b"\n")
                        yield whole
        except (zipfile.BadZipFile, NotImplementedError) as broken:
            failure = broken
        except OSError as unreadable:
            raise self._unreadable(unreadable) from unreadable
        if rest and failure is None:
            yield rest
        self._judge_end(failure, rest, lines)

    def _judge_end(self, failure: Exception | None, rest: bytes, lines: int) -> None:
        if failure is not None:
            problem = f"expected a whole compressed file, found a broken one ({failure})."
            raise self.error(lines + 1, problem, "Copy or download the file again.") from failure
        if not lines and not rest:
            raise self.error(0, "expected recorded lines, found an empty file.", "Record or download it again.")

    def _decoded(self, chunk: bytes, first_line: int) -> Block:
        try:
            text = chunk.decode()
        except UnicodeDecodeError as failure:
            line = first_line + chunk.count(b"\n", 0, failure.start)
            problem = f"expected UTF-8 text, found byte 0x{chunk[failure.start]:02x}."
            raise self.error(line, problem, "Check that this is a recording, and save it as UTF-8.") from failure
        return Block(first_line, text.replace("\r\n", "\n") if "\r" in text else text)

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


@contextmanager
def _decompressed(file: RecordingFile, raw: io.BufferedReader) -> Iterator[IO[bytes]]:
    magic = raw.peek(len(_ZSTANDARD_MAGIC))
    if magic.startswith(_GZIP_MAGIC):
        yield io.BufferedReader(gzip.GzipFile(fileobj=raw), _BUFFER_BYTES)
    elif magic.startswith(_ZSTANDARD_MAGIC):
        yield io.BufferedReader(_ZstandardReader(raw, required_library(file, "zstandard")), _BUFFER_BYTES)
    elif magic.startswith(_ZIP_MAGIC):
        with zipfile.ZipFile(raw) as archive:
            names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
            if len(names) != 1:
                problem = f"expected an archive of one file, found {len(names)}."
                raise file.error(0, problem, "Unpack it, and give its files.")
            with archive.open(names[0]) as content:
                yield content
    else:
        yield raw


class _ZstandardReader(io.RawIOBase):
    """Frames one after the other. The library's own reader takes a torn frame for the end of the file."""

    def __init__(self, raw: io.BufferedReader, library: Any) -> None:
        self._raw = raw
        self._decompressor = library.ZstdDecompressor()
        self._frame: Any = None
        self._rest = b""

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill the buffer as far as there is anything.

        Raises:
            EOFError: the last frame is torn.
        """
        while not self._rest:
            chunk = (b"" if self._frame is None else self._frame.unused_data) or self._raw.read(_BUFFER_BYTES)
            if not chunk:
                if self._frame is not None and not self._frame.eof:
                    raise EOFError("the last frame ends before its end")
                return 0
            if self._frame is None or self._frame.eof:
                self._frame = self._decompressor.decompressobj()
            self._rest = self._frame.decompress(chunk)
        taken = self._rest[: len(buffer)]
        self._rest = self._rest[len(taken) :]
        buffer[: len(taken)] = taken
        return len(taken)


def required_library(file: RecordingFile, name: str) -> Any:
    """A library that only some formats need.

    Raises:
        RecordingError: it is not installed; the message says how to get it.
    """
    try:
        return import_module(name)
    except ImportError as failure:
        problem = f"expected the library {name.partition('.')[0]} to read this format, found none."
        raise file.error(0, problem, "Install it: pip install 'mm-fsm[recordings]'.") from failure


def _broken_archive() -> tuple[type[Exception], ...]:
    library = sys.modules.get("zstandard")
    more = () if library is None else (library.ZstdError,)
    return (EOFError, zlib.error, gzip.BadGzipFile, *more)
