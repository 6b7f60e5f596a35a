"""A market's figures without what has a row for each moment: for sets of figures that stand beside each other."""

from __future__ import annotations

from typing import Any, TypeVar

import attrs
from attrs import evolve

from mm_fsm.report.figures import MarketFigures

T = TypeVar("T")


def without_columns(figures: MarketFigures) -> MarketFigures:
    """The figures with empty series, fills and stretches, and no baseline. Totals and steps of profit stay."""
    holds = figures.holds
    return evolve(
        figures,
        series=_emptied(figures.series),
        fills=evolve(_emptied(figures.fills), markouts={}),
        holds=evolve(
            holds,
            stretches=_emptied(holds.stretches),
            over_time=evolve(holds.over_time, time_ms=(), seconds={side: {} for side in holds.over_time.seconds}),
        ),
        baseline=None,
    )


def _emptied(columns: T) -> T:
    """The same without rows: what is no column stays."""
    value: Any = columns
    names = [each.name for each in attrs.fields(type(value)) if isinstance(getattr(value, each.name), tuple)]
    emptied: T = evolve(value, **dict.fromkeys(names, ()))
    return emptied
