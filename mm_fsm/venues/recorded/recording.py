"""What every recording has besides its events: what it is of, how far it has been read, what it left out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from types import MappingProxyType
from typing import TypeVar

from attrs import frozen

from mm_fsm.books.facts import MarketBook, MarketTrade
from mm_fsm.core.messages import BookLevel
from mm_fsm.errors import SettingsError
from mm_fsm.venues.recorded.fields import MalformedFieldError, too_late
from mm_fsm.venues.recorded.files import RecordingFile

RecordedEvent = MarketBook | MarketTrade

_Content = TypeVar("_Content")


@frozen(kw_only=True)
class RecordingInfo:
    """What a recording is of, as the recording itself says."""

    exchange: str
    """As written in the recording; ``binance_usdm`` for raw captures of Binance USD-M futures."""
    symbol: str
    """As the exchange writes it, such as ``ETHUSD``."""
    first_time: int
    """Exchange time of the first line that has one, nanoseconds."""


class Recording(ABC):
    """A market source read from files.

    It can be iterated again: each iteration reads the files from their beginning and starts the counts anew.
    """

    def __init__(self, files: Sequence[RecordingFile], *, reorder_window: int, skip_crossed: bool) -> None:
        if not files:
            raise SettingsError("recording", "at least one file", "none", "Name the files to read.")
        if reorder_window < 0:
            raise SettingsError("reorder_window", "at least 0 nanoseconds", reorder_window, "Use 0 for no reordering.")
        self._files = tuple(files)
        self._window = reorder_window
        self._skip_crossed = skip_crossed
        self._skipped: Counter[str] = Counter()

    @abstractmethod
    def describe(self) -> RecordingInfo:
        """Say what is recorded, by a look at the first lines that moves no iteration on.

        Raises:
            RecordingError: the first lines are malformed.
        """

    @abstractmethod
    def __iter__(self) -> Iterator[RecordedEvent]:
        """Yield events in order of exchange time; ``received_at`` is the exchange time.

        Raises:
            RecordingError: a file is malformed from here on.
        """

    @property
    def position(self) -> int:
        """Bytes read so far of all files, as on disk."""
        return sum(file.position for file in self._files)

    @property
    def size(self) -> int:
        """Bytes of all files on disk; ``position`` ends there.

        Raises:
            RecordingError: a file is not there.
        """
        return sum(file.size for file in self._files)

    @property
    def skipped(self) -> Mapping[str, int]:
        """How many recorded messages of each kind were left out so far."""
        return MappingProxyType(self._skipped)

    def _events(
        self,
        lines: Generator[tuple[RecordingFile, int, _Content], None, None],
        event_of: Callable[[int, _Content], RecordedEvent | None],
        time_field: str,
    ) -> Generator[RecordedEvent, None, None]:
        """Make an event of each line, given its number and content, refusing one that comes later than the window."""
        newest = 0
        with closing(lines):
            for file, number, content in lines:
                try:
                    event = event_of(number, content)
                    if event is None:
                        continue
                    if event.exchange_time < newest - self._window:
                        raise too_late(time_field, newest - event.exchange_time, self._window)
                except MalformedFieldError as wrong:
                    raise file.error(number, wrong.problem, wrong.remedy) from None
                newest = max(newest, event.exchange_time)
                yield event

    def _book(
        self, symbol: str, time: int, bids: tuple[BookLevel, ...], asks: tuple[BookLevel, ...]
    ) -> MarketBook | None:
        """Make the book of one line; None when it is crossed and such lines are to be skipped."""
        if bids and asks and bids[0].price >= asks[0].price:
            if not self._skip_crossed:
                raise MalformedFieldError(
                    "bid price",
                    f"below the ask price {asks[0].price} (the book is crossed)",
                    str(bids[0].price),
                    "Cut the line out, or pass skip_crossed=True to open_recording: it skips and counts them.",
                )
            self._skipped["crossed"] += 1
            return None
        return MarketBook(
            symbol=symbol, received_at=time, exchange_time=time, bids=bids, asks=asks, includes_own_orders=False
        )
