"""What ``run`` and ``backtest`` can be told alike."""

from __future__ import annotations

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
