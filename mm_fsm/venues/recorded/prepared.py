"""Prepared recordings: the events that reading left, kept so that the same files need not be read again.

A prepared file is found by the digests of the recorded files and of the readers' own code, by what was wanted of the
files, and by the settings of the reading, so that a change of any makes another one. It is lines of JSON, each the
columns of some thousand events; the last line holds the counts and a digest of all before it. One that is torn or
changed is not used.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from decimal import Decimal
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any, Final

from attrs import asdict, define, field, frozen

from mm_fsm.books.facts import MarketBook, MarketTrade
from mm_fsm.core.messages import BookLevel, Side
from mm_fsm.venues.recorded.files import RecordingFile
from mm_fsm.venues.recorded.layout import Levels, RecordedEvent, Wanted
from mm_fsm.venues.recorded.reading import ReadingSettings, Tally

_EVENTS_IN_A_LINE: Final = 512
_DIGEST_BYTES: Final = 16
_SUFFIX: Final = ".events"


def default_directory() -> Path:
    """Where prepared recordings are kept: ``mm-fsm`` in the user's cache directory."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "mm-fsm" / "recordings"


@cache
def code_digest(directory: Path = Path(__file__).parent) -> str:
    """Hexadecimal digest of the modules in ``directory``: what other readers prepared is not found by these."""
    state = blake2b(digest_size=_DIGEST_BYTES)
    for module in sorted(directory.rglob("*.py")):
        state.update(module.read_bytes())
    return state.hexdigest()


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
        key = json.dumps([code_digest(), said, [file.digest() for file in files]], default=str, sort_keys=True)
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
    fraction_read: float = field(default=0.0, init=False)
    """Of the events, by the latest reading."""
    _last: dict[str, Any] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self.is_there = self._is_whole()

    def batches(self, symbol: str, tally: Tally) -> Iterator[list[RecordedEvent]]:
        """Yield the events under the name ``symbol``, and bring the tally to where reading left it."""
        tally.restore(self._last["rows"], self._last["counts"])
        with suppress(OSError):
            os.utime(self.path)
        with self.path.open(encoding="utf-8") as lines:
            for number, line in zip(range(self._last["lines"]), lines, strict=False):
                self.fraction_read = (number + 1) / self._last["lines"]
                yield _events(symbol, json.loads(line))

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
    _held: list[RecordedEvent] = field(factory=list, init=False)
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
        self._held.append(event)
        if len(self._held) == _EVENTS_IN_A_LINE:
            self._write_held()

    def finish(self, tally: Tally, path: Path) -> bool:
        """Write the counts and move the file to its place; whether it is there now."""
        self._write_held()
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

    def _write_held(self) -> None:
        if self._held:
            self._write(_columns_of(self._held))
            self._lines += 1
            self._held.clear()

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


def _columns_of(events: Sequence[RecordedEvent]) -> dict[str, Any]:
    """Events as columns: when each is shown and was sent, the places of trades, what trades and books hold."""
    trades = [event for event in events if isinstance(event, MarketTrade)]
    books = [event for event in events if isinstance(event, MarketBook)]
    sides: list[tuple[Levels, ...]] = [tuple(book.bids for book in books), tuple(book.asks for book in books)]
    columns: dict[str, Any] = {
        "shown": [event.received_at for event in events],
        "sent": [event.exchange_time for event in events],
        "trades at": [place for place, event in enumerate(events) if isinstance(event, MarketTrade)],
        "trades": [
            [str(trade.price) for trade in trades],
            [str(trade.size) for trade in trades],
            [trade.taker_side.value for trade in trades],
            [trade.trade_id for trade in trades],
        ],
    }
    if all(len(levels) == 1 for side in sides for levels in side):
        columns["best"] = [[str(each[0][field]) for each in side] for side in sides for field in (0, 1)]
    else:
        columns["levels"] = [list(map(_text, side)) for side in sides]
    return columns


def _events(symbol: str, columns: Mapping[str, Any]) -> list[RecordedEvent]:
    if "best" in columns:
        bid_prices, bid_sizes, ask_prices, ask_sizes = (map(Decimal, column) for column in columns["best"])
        bids: Iterator[Levels] = zip(map(BookLevel, bid_prices, bid_sizes), strict=True)
        asks: Iterator[Levels] = zip(map(BookLevel, ask_prices, ask_sizes), strict=True)
    else:
        bids, asks = (map(_levels, column) for column in columns["levels"])
    prices, sizes, sides, ids = columns["trades"]
    trades = zip(map(Decimal, prices), map(Decimal, sizes), map(Side, sides), ids, strict=True)
    trades_at = set(columns["trades at"])
    events: list[RecordedEvent] = []
    for place, (shown, sent) in enumerate(zip(columns["shown"], columns["sent"], strict=True)):
        if place in trades_at:
            price, size, side, trade_id = next(trades)
            events.append(
                MarketTrade(
                    symbol=symbol,
                    received_at=shown,
                    exchange_time=sent,
                    price=price,
                    size=size,
                    taker_side=side,
                    trade_id=trade_id,
                )
            )
        else:
            events.append(
                MarketBook(
                    symbol=symbol,
                    received_at=shown,
                    exchange_time=sent,
                    bids=next(bids),
                    asks=next(asks),
                    includes_own_orders=False,
                )
            )
    return events


def _text(levels: Levels) -> str:
    return " ".join(f"{level.price} {level.size}" for level in levels)


def _levels(text: str) -> Levels:
    values = [Decimal(value) for value in text.split()]
    return tuple(map(BookLevel, values[::2], values[1::2]))
