"""What ``run`` and ``backtest`` can be told alike."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from attrs import frozen


@frozen(kw_only=True)
class RunOptions:
    """How a run goes, and what it leaves."""

    machine: str | None
    """``module:class``; None for the shipped one."""
    executor: str
    """What runs the machine's chart: table or engine."""
    out: Path | None
    journal: bool
    flatten: bool | None
    """Whether a signal winds positions down; None as settings say."""
    as_json: bool
    quiet: bool


@frozen(kw_only=True)
class RecordingOptions:
    """Which recorded files are read, and what is forgiven in them. None leaves a value to the settings."""

    quotes: Sequence[Path]
    trades: Sequence[Path]
    others: Sequence[Path]
    format: str | None
    """The only format that the files may have."""
    symbols: Sequence[str]
    """Markets that are taken from the files; empty for those of their first rows."""
    order: str | None
    reorder_window_seconds: float | None
    max_passed_over: float | None
    refuse: Sequence[str] | None
    is_cached: bool

    @property
    def files(self) -> list[Path]:
        """All of them."""
        return [*self.quotes, *self.trades, *self.others]
