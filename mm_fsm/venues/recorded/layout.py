"""What every kind of recorded file has in common: whose market it is of, and the events in it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from decimal import Decimal
from typing import ClassVar

from attrs import frozen

from mm_fsm.books.facts import MarketBook, MarketTrade
from mm_fsm.core.messages import BookLevel
from mm_fsm.venues.recorded.files import RecordingFile
from mm_fsm.venues.recorded.reading import Order, Tally

RecordedEvent = MarketBook | MarketTrade
Levels = tuple[BookLevel, ...]


@frozen(kw_only=True)
class RecordingInfo:
    """What a recording is of, as the recording itself says."""

    exchange: str
    """As written in the recording; ``binance_usdm`` for raw captures of Binance USD-M futures."""
    symbol: str
    """As the exchange writes it, such as ``ETHUSD``."""
    first_time: int
    """Exchange time of the first line that has one, nanoseconds."""


@frozen
class Batch:
    """Events that follow each other in one file, with what whole columns of them have shown already."""

    events: list[RecordedEvent]
    lines: Sequence[int]
    """The line or row that each event is from, counted from 1."""
    prices: tuple[Decimal, Decimal] | None = None
    """The lowest and the highest price of the books, of which none is empty; None where nobody looked."""


@frozen(kw_only=True)
class Wanted:
    """What is taken from files: one market, its name in events, and the clock that orders it."""

    exchange: str
    recorded_symbol: str
    symbol: str
    """What events call the market."""
    order: Order
    levels: int = 25
    """How many levels of a side a book has at most."""

    def received_at(self, exchange_time: int, local_time: int) -> int:
        """When the replay shows an event, nanoseconds."""
        return local_time if self.order is Order.RECEIVED else exchange_time


class Layout(ABC):
    """One file of a known kind.

    Args:
        file: the file; its first line is of this kind.
        symbol: the market's name at the exchange, where the file does not say it.
    """

    kind: ClassVar[str]
    """Such as ``tardis quotes``; its first word is the format."""
    has_books: ClassVar[bool] = False
    has_trades: ClassVar[bool] = False
    has_local_time: ClassVar[bool] = False
    """Whether rows say when the recorder received them."""
    time_field: ClassVar[str] = "timestamp"

    def __init__(self, file: RecordingFile, symbol: str | None = None) -> None:
        self.file = file
        self.given_symbol = symbol

    @property
    def default_order(self) -> Order:
        """The clock that orders the rows unless another one is asked for: the one by which the file is written."""
        return Order.RECEIVED if self.has_local_time else Order.EXCHANGE

    @property
    def format(self) -> str:
        """The format, of which this is one kind of file."""
        return self.kind.partition(" ")[0]

    @abstractmethod
    def describe(self) -> RecordingInfo:
        """Say what is recorded, by the first sound row.

        Raises:
            RecordingError: the file is malformed, or has no sound row.
        """

    @abstractmethod
    def batches(self, wanted: Wanted, tally: Tally, previous: Layout | None) -> Generator[Batch, None, None]:
        """Yield the events of the file in the order in which they are written, a block of lines at a time.

        Args:
            wanted: which market, and how.
            tally: counts rows, and takes those that are passed over.
            previous: the file before this one, read to its end; None for the first.

        Raises:
            RecordingError: the file is broken, or the tally has enough.
        """
