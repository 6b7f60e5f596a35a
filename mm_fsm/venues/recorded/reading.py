"""How a recording is read: what is forgiven, which clock orders the rows, and the count of what was passed over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from attrs import define, field, frozen

from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.suggestions import did_you_mean
from mm_fsm.core.validation import number, whole_number
from mm_fsm.errors import RecordingError, SettingsError


class Order(StrEnum):
    """The clock that orders the rows of a recording."""

    RECEIVED = "received"
    """When the recorder received them, as a machine would have."""
    EXCHANGE = "exchange"
    """When the exchange sent them."""


class Fault(StrEnum):
    """Why a row is passed over. The faults of a row that is sound, but not wanted, count for no share."""

    MALFORMED = "malformed"
    """A field that cannot be what it says it is, a row of another length, or a torn off line."""
    CROSSED = "crossed"
    """The bid is above the ask."""
    LOCKED = "locked"
    """The bid is at the ask."""
    UNKNOWN_SIDE = "unknown side"
    """A trade that does not say whether the taker bought or sold."""
    ZERO_TRADE = "zero trade"
    """A trade of nothing, or at no price."""
    REPEATED = "repeated"
    """A trade whose id was there shortly before, as after a reconnect."""
    LATE = "late"
    """A row stamped further before an earlier row than the reorder window."""
    AHEAD = "ahead"
    """A row stamped more than a minute after the rows on both sides of it."""
    FAR_BOOK = "far book"
    """A book far from the one before, which the next ones do not confirm, such as a row of the wrong scale."""
    FAR_PRINT = "far print"
    """A trade far outside the book."""
    OTHER_SYMBOL = "other symbol"
    HEADER = "repeated header"
    BLANK = "blank line"


UNWANTED: Final = frozenset({Fault.OTHER_SYMBOL, Fault.HEADER, Fault.BLANK})
"""What is passed over although nothing is wrong with it."""

_ENOUGH_ROWS: Final = 1000
"""Before so many rows, a share says nothing."""


_NOT_NEGATIVE: Final = number(at_least=0, table="reading")
_SHARE: Final = number(at_least=0, at_most=1, table="reading", remedy="Write a share, such as 0.01.")


@frozen(kw_only=True)
class ReadingSettings:
    """What is forgiven in recorded data, and how it is ordered. The settings table ``[reading]``.

    Raises:
        SettingsError: a value is out of its range.
    """

    order: Order | None = None
    """Which clock orders the rows. By default as the format delivers them: Tardis, Parquet and hftbacktest files by
    receipt, everything of Binance by the exchange's time."""
    reorder_window_seconds: float = field(default=0.25, validator=_NOT_NEGATIVE)
    """How far a row may be stamped before an earlier one of its stream and still be put into its place. Ten times the
    23 ms by which Binance's streams were seen to overtake each other in 63,000 messages."""
    max_passed_over: float = field(default=0.01, validator=_SHARE)
    """Share of the rows that may be passed over for a fault; beyond it the recording is refused."""
    refuse: tuple[str, ...] = ()
    """Faults of which one row is enough to refuse the recording."""
    max_book_jump: float = field(default=0.2, validator=_NOT_NEGATIVE)
    """A book whose middle is further from that of the book before, as a fraction of the lower one, is doubted."""
    confirming_books: int = field(default=3, validator=whole_number(at_least=1, table="reading"))
    """So many doubted books in a row that agree with each other confirm the jump: the last of them is taken."""
    max_print_distance: float = field(default=0.2, validator=_NOT_NEGATIVE)
    """A trade further outside the last book, as a fraction of the lower price, is passed over."""

    def __attrs_post_init__(self) -> None:
        for fault in self.refuse:
            if fault not in list(Fault):
                remedy = did_you_mean(fault, list(Fault), "Choose among them.")
                raise SettingsError("reading.refuse", f"some of {', '.join(Fault)}", fault, remedy)

    @property
    def reorder_window(self) -> int:
        """Nanoseconds."""
        return nanoseconds(self.reorder_window_seconds)


@define
class Tally:
    """Counts rows, and those passed over by their fault; refuses the recording when they are too many."""

    settings: ReadingSettings
    rows: int = 0
    _counts: Counter[str] = field(factory=Counter, init=False)
    _faults: int = field(default=0, init=False)
    _first: RecordingError | None = field(default=None, init=False)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many rows were passed over, by fault or, where the format has other streams, by stream."""
        return MappingProxyType(self._counts)

    def pass_over(self, fault: str, error: RecordingError) -> None:
        """Count a row that is passed over; ``error`` says what is wrong with it.

        Raises:
            RecordingError: one such row is too many, or too large a share of the rows has a fault.
        """
        self._counts[fault] += 1
        if fault in self.settings.refuse:
            raise error
        if fault in UNWANTED:
            return
        self._faults += 1
        self._first = self._first or error
        if self.rows >= _ENOUGH_ROWS:
            self.judge()

    def leave_out(self, stream: str, count: int = 1) -> None:
        """Count messages of a stream that the replay does not need."""
        self._counts[stream] += count

    def restore(self, rows: int, counts: Mapping[str, int]) -> None:
        """Take over what an earlier reading counted."""
        self.rows = rows
        self._counts = Counter(counts)

    def judge(self) -> None:
        """Refuse the recording when too large a share of its rows was passed over for a fault.

        Raises:
            RecordingError: it is; the first faulty row is named.
        """
        first = self._first
        if first is None or self._faults <= self.settings.max_passed_over * self.rows:
            return
        share = f"{self._faults:,} of {self.rows:,} rows are passed over, more than {self.settings.max_passed_over:.3g}"
        remedy = f"{first.remedy} Or allow more with --max-passed-over."
        raise RecordingError(first.source, first.line, f"{first.problem.removesuffix('.')}. {share} of them", remedy)
