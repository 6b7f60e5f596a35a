"""``[venue] kind = "recorded"``: the embedded exchange on recorded files."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Final

from attrs import evolve, frozen

from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.core.settings_tables import dotted, structured
from mm_fsm.errors import SettingsError
from mm_fsm.venues.paper.kind import PaperAccount, paper_account
from mm_fsm.venues.paper.settings import PaperSettings
from mm_fsm.venues.paper.venue import PaperVenue
from mm_fsm.venues.port import MarketRequest
from mm_fsm.venues.recorded.opening import open_recording
from mm_fsm.venues.recorded.reading import ReadingSettings
from mm_fsm.venues.recorded.recording import Recording


@frozen(kw_only=True)
class RecordedTable:
    """Keys of ``[venue]``."""

    files: tuple[str, ...]
    """Paths of the recording's files, relative to where the program runs; what they contain tells their format."""


@frozen(kw_only=True)
class RecordedPlan(PaperAccount):
    """The paper exchange on a recording."""

    files: tuple[Path, ...]
    reading: ReadingSettings

    reference_price: ClassVar[Decimal | None] = None

    def for_session(
        self, strategy: MarketMakingSettings, *, duration_seconds: float | None, seed: int | None
    ) -> tuple[MarketMakingSettings, RecordedPlan]:
        """A session that ends with the recording or after ``duration_seconds``; ``seed`` is of the jitter."""
        if duration_seconds is not None:
            strategy = evolve(strategy, session_seconds=duration_seconds)
        return strategy, self if seed is None else evolve(self, exchange=evolve(self.exchange, seed=seed))

    def open(self) -> PaperVenue:
        """A venue of its own on the recording, from its beginning.

        Raises:
            SettingsError: a spot account would start short.
            RecordingError: a file cannot be read, or is malformed.
        """
        return on_recording(self, open_recording(list(self.files), symbol=self.instrument.symbol, reading=self.reading))


class RecordedKind:
    """Reads ``files`` of ``[venue]``, ``[paper]``, how the exchange behaves, and ``[reading]``, what is forgiven."""

    tables: Final[Mapping[str, type]] = MappingProxyType(
        {"venue": RecordedTable, "paper": PaperSettings, "reading": ReadingSettings}
    )

    def plan(self, market: MarketRequest) -> RecordedPlan:
        """Read the tables.

        Raises:
            SettingsError: a table is missing or wrong, or no file is named.
        """
        account = paper_account(market)
        place = dotted(market.place, "venue")
        files = structured(RecordedTable, market.tables.get("venue", {}), place).files
        if not files:
            raise SettingsError(dotted(place, "files"), "at least one path", files, "Name the recording's files.")
        return RecordedPlan(
            instrument=account.instrument,
            fees=account.fees,
            balances=account.balances,
            exchange=account.exchange,
            files=tuple(Path(file) for file in files),
            reading=structured(ReadingSettings, market.tables.get("reading", {}), dotted(market.place, "reading")),
        )


def on_recording(account: PaperAccount, recording: Recording) -> PaperVenue:
    """The exchange on a recording; its progress is how much of the files has been read.

    Raises:
        SettingsError: a spot account would start short.
        RecordingError: a file cannot be read, or is malformed.
    """
    size = max(recording.size, 1)
    return account.on(recording, lambda _: recording.position / size)
