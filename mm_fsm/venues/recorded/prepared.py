"""Prepared recordings: the events that reading left, kept so that the same files need not be read again.

A prepared file is found by the digests of the recorded files, by what was wanted of them, and by the settings of the
reading, so that a change of any makes another one. It is lines of JSON, each the columns of some thousand events; the
last line holds the counts and a digest of all before it. One that is torn or changed is not used.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any, Final

from attrs import asdict, define, field, frozen

from mm_fsm.books.facts import MarketBook, MarketTrade
from mm_fsm.core.messages import BookLevel, Side
from mm_fsm.venues.recorded.fields import number
from mm_fsm.venues.recorded.files import RecordingFile
from mm_fsm.venues.recorded.layout import Levels, RecordedEvent, Wanted
from mm_fsm.venues.recorded.reading import ReadingSettings, Tally

_VERSION: Final = 1
"""Of what readers make of files and of what is kept: another one does not find the files of this one."""
_EVENTS_IN_A_LINE: Final = 4096
_DIGEST_BYTES: Final = 16
_SUFFIX: Final = ".events"
_BUY: Final = "B"

_Columns = tuple[list[int], list[int], list[str], list[str]]
"""When an event is shown, its exchange time, and twice text: of a book bids and asks, of a trade price and size, then
side and id."""


def default_directory() -> Path:
    """Where prepared recordings are kept: ``mm-fsm`` in the user's cache directory."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "mm-fsm" / "recordings"


@frozen
class PreparedFiles:
    """A directory of prepared recordings.

    Args:
        directory: it is made when it is not there.
        least_bytes: recordings that are smaller on disk are read as quickly as they are found.
        most_bytes: of the directory; beyond it the files that were not used for the longest time are deleted.
    """

    directory: Path
    least_bytes: int = 200_000
    most_bytes: int = 4 << 30

    def find(self, files: Sequence[RecordingFile], wanted: Wanted, reading: ReadingSettings) -> PreparedFile | None:
        """The place of the recording's events, whether or not they are there; None when it is too small for one.

        Raises:
            RecordingError: a file cannot be read.
        """
        if sum(file.size for file in files) < self.least_bytes:
            return None
        said = {**asdict(wanted), "symbol": None, **asdict(reading)}
        key = json.dumps([_VERSION, said, [file.digest() for file in files]], default=str, sort_keys=True)
        name = blake2b(key.encode(), digest_size=_DIGEST_BYTES).hexdigest()
        return PreparedFile(self, self.directory / f"{name}{_SUFFIX}")

    def make_room(self) -> None:
        """Delete what was not used for the longest time, until the directory is small enough."""
        found = sorted(self.directory.glob(f"*{_SUFFIX}"), key=lambda path: path.stat().st_mtime)
        total = sum(path.stat().st_size for path in found)
        for path in found[:-1]:
            if total <= self.most_bytes:
                return
            total -= path.stat().st_size
            path.unlink()


@define
class PreparedFile:
    """The events of one recording, read in one way."""

    home: PreparedFiles
    path: Path
    is_there: bool = field(init=False)
    """Whether the events are there, whole."""
    _last: dict[str, Any] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self.is_there = self._is_whole()

    def batches(self, symbol: str, tally: Tally) -> Iterator[list[RecordedEvent]]:
        """Yield the events under the name ``symbol``, and bring the tally to where reading left it."""
        tally.restore(self._last["rows"], self._last["counts"])
        with suppress(OSError):
            os.utime(self.path)
        with self.path.open(encoding="utf-8") as lines:
            for _, line in zip(range(self._last["lines"]), lines, strict=False):
                yield list(_events(symbol, json.loads(line)))

    def keeping(self, batches: Iterable[list[RecordedEvent]], tally: Tally) -> Iterator[list[RecordedEvent]]:
        """Yield the events and keep them; a reading that is given up, or no room on the disk, leaves nothing."""
        writer = _Writer.beside(self.path)
        if writer is None:
            yield from batches
            return
        with closing(writer):
            for batch in batches:
                for event in batch:
                    writer.take(event)
                yield batch
            if writer.finish(tally, self.path):
                with suppress(OSError):
                    self.home.make_room()

    def _is_whole(self) -> bool:
        state = blake2b(digest_size=_DIGEST_BYTES)
        line = b""
        with suppress(OSError, ValueError, TypeError), self.path.open("rb") as lines:
            previous = b""
            for line in lines:
                state.update(previous)
                previous = line
            last = json.loads(line)
            if last["digest"] == state.hexdigest():
                self._last = last
                return True
        return False


@define
class _Writer:
    """Writes events to a file beside its place, and moves it there once it is whole."""

    content: IO[bytes] | None
    path: Path
    _columns: _Columns = field(factory=lambda: ([], [], [], []), init=False)
    _lines: int = field(default=0, init=False)
    _state: Any = field(factory=lambda: blake2b(digest_size=_DIGEST_BYTES), init=False)

    @classmethod
    def beside(cls, path: Path) -> _Writer | None:
        """A writer for ``path``; None when nothing can be written there."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=path.parent)
        except OSError:
            return None
        return cls(os.fdopen(handle, "wb"), Path(name))

    def take(self, event: RecordedEvent) -> None:
        """Keep one event."""
        shown, sent, first, second = self._columns
        shown.append(event.received_at)
        sent.append(event.exchange_time)
        if isinstance(event, MarketBook):
            first.append(_text(event.bids))
            second.append(_text(event.asks))
        else:
            first.append(f"={event.price} {event.size}")
            second.append(f"{_BUY if event.taker_side is Side.BID else 'S'}{event.trade_id}")
        if len(shown) == _EVENTS_IN_A_LINE:
            self._write_columns()

    def finish(self, tally: Tally, path: Path) -> bool:
        """Write the counts and move the file to its place; whether it is there now."""
        self._write_columns()
        last = {
            "lines": self._lines,
            "rows": tally.rows,
            "counts": dict(tally.counts),
            "digest": self._state.hexdigest(),
        }
        self._write(last)
        if self.content is None:
            return False
        try:
            self.content.close()
            self.path.replace(path)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Leave nothing but a whole file in its place."""
        if self.content is not None:
            with suppress(OSError):
                self.content.close()
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    def _write_columns(self) -> None:
        if self._columns[0]:
            self._write(self._columns)
            self._lines += 1
            for column in self._columns:
                column.clear()

    def _write(self, value: object) -> None:
        if self.content is None:
            return
        line = json.dumps(value, separators=(",", ":")).encode() + b"\n"
        try:
            self.content.write(line)
        except OSError:
            with suppress(OSError):
                self.content.close()
            self.content = None
        self._state.update(line)


def _events(symbol: str, columns: _Columns) -> Iterator[RecordedEvent]:
    for shown, sent, first, second in zip(*columns, strict=True):
        if first.startswith("="):
            price, _, size = first[1:].partition(" ")
            yield MarketTrade(
                symbol=symbol,
                received_at=shown,
                exchange_time=sent,
                price=number(price),
                size=number(size),
                taker_side=Side.BID if second.startswith(_BUY) else Side.ASK,
                trade_id=second[1:],
            )
        else:
            yield MarketBook(
                symbol=symbol,
                received_at=shown,
                exchange_time=sent,
                bids=_levels(first),
                asks=_levels(second),
                includes_own_orders=False,
            )


def _text(levels: Levels) -> str:
    return " ".join([f"{level.price} {level.size}" for level in levels])


@lru_cache(maxsize=65_536)
def _levels(text: str) -> Levels:
    if not text:
        return ()
    values = text.split(" ")
    return tuple(BookLevel(number(price), number(size)) for price, size in zip(values[::2], values[1::2], strict=True))
