"""How the chart was used: states, edges, budgets."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from attrs import frozen


@frozen(kw_only=True)
class StateFigures:
    """One state of the chart over the run."""

    state: str
    visits: int
    """Times that it was entered, the first state's beginning included; internal transitions do not enter."""
    seconds: float
    """Dwell time, by the times of facts."""
    share: float
    mean_visit_seconds: float | None
    net: Decimal
    """Change of the net profit by facts that found the machine in this state: the states' sum is the whole profit."""
    computing_seconds: float | None
    """Measured with a clock; None where nobody did."""


@frozen(kw_only=True)
class EdgeFigures:
    """One declared edge."""

    source: str
    event: str
    target: str
    taken: int


@frozen(kw_only=True)
class ChartBudget:
    """One state's time budget and how it was kept."""

    state: str
    measure: str
    """``waiting``, by the times of facts, or ``computing``, by the clock."""
    milliseconds: int
    breaches: int
    """Since the machine's last restart."""
    visits: int


@frozen(kw_only=True)
class RequestBudgetFigures:
    """One rule of the venue about requests, and how near the run came to it."""

    rule: str
    """``orders_in_interval``, ``counter`` or ``orders_per_fill``."""
    limit: float
    unit: str
    most_used: float
    """Seen right after a step with requests."""
    used_share: float
    """``most_used / limit``."""
    at_ms: int | None


@frozen(kw_only=True)
class Machine:
    """The chart's visits and budgets."""

    machine: str
    """``module:Class``."""
    steps: int
    transitions: int
    faults: Mapping[str, int]
    states: tuple[StateFigures, ...]
    """In the order of the chart."""
    edges: tuple[EdgeFigures, ...]
    chart_budgets: tuple[ChartBudget, ...]
    request_budgets: tuple[RequestBudgetFigures, ...]
