"""One market's figures, a comparison's, and the whole run's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs
from attrs import frozen

from mm_fsm.report.exact import as_json
from mm_fsm.report.figures.chart_use import Machine
from mm_fsm.report.figures.markout_rows import Markouts
from mm_fsm.report.figures.money import BootstrapInterval, BootstrapTerms, Drawdown, Profit, ProfitSteps
from mm_fsm.report.figures.over_time import Fills, Inventory, Series
from mm_fsm.report.figures.quoting import Holds, Orders, Presence

FORMAT: Final = 3
"""Of ``report.json``. Whoever adds, removes or renames a figure, or changes a type or a meaning, counts it up."""


@frozen(kw_only=True)
class Assumption:
    """One assumption of the fill model, or a fact about the venue."""

    name: str
    value: str
    meaning: str


@frozen(kw_only=True)
class FillModel:
    """What decides whether an order fills."""

    kind: str
    """``paper`` on a simulated market, ``recorded``, or a real venue's kind."""
    is_simulated: bool
    """Whether fills are assumed; False where a real venue made them."""
    assumptions: tuple[Assumption, ...]


@frozen(kw_only=True)
class MarketFigures:
    """One market's part of a run."""

    symbol: str
    base_currency: str
    quote_currency: str
    outcome: str
    """``completed``, ``late``, ``fault`` or ``unfinished``."""
    error: str | None
    begin_ms: int | None
    end_ms: int | None
    seconds: float
    """Event time of the run."""
    market_events: int
    profit: Profit
    profit_steps: ProfitSteps
    drawdown: Drawdown
    series: Series
    fills: Fills
    inventory: Inventory
    markouts: Markouts
    presence: Presence
    orders: Orders
    holds: Holds
    machine: Machine
    fill_model: FillModel
    settings: Mapping[str, Mapping[str, Any]]
    """By table, as a settings file has them: ``strategy``, ``instrument``, ``fees``, ``balances`` and so on."""
    notes: tuple[str, ...] = ()
    """What is missing, and why."""
    forgotten_seconds: float | None = None
    """Of the run's beginning, that its journal no longer has: every figure is of the rest. None: it has all."""
    baseline: Baseline | None = None


@frozen(kw_only=True)
class PairedDifference:
    """One run's profit less another's over the same blocks of time, with its interval."""

    what: str
    """``net``, ``spread_capture``, ``inventory`` or ``fees``."""
    interval: BootstrapInterval


@frozen(kw_only=True)
class Baseline:
    """A plain quoter on the same data, with the same fees and fill model: a fixed spread, blind to its position.

    ``figures`` has no series, no fills and no baseline of its own.
    """

    policy: str
    """In words, with its spread and size."""
    spread_bps: float | None = None
    """Between its best quotes, always."""
    run_spread_bps: float | None = None
    """Between the run's own best quotes, on average over the time in which it had both; None: it never had."""
    figures: MarketFigures
    differences: tuple[PairedDifference, ...]
    """The run less the baseline, paired by blocks of time; empty where ``no_interval``."""
    terms: BootstrapTerms | None
    no_interval: str
    net_per_step: tuple[float, ...]
    """The baseline's net profit at the end of each stretch of the run's series, for drawing both."""


@frozen(kw_only=True)
class ComparedRun:
    """One run of a comparison."""

    name: str
    """Its directory."""
    figures: MarketFigures
    """Without series and fills."""


@frozen(kw_only=True)
class PairedRuns:
    """Differences of one run to the first, over the time that both have."""

    name: str
    reference: str
    begin_ms: int
    end_ms: int
    differences: tuple[PairedDifference, ...]
    terms: BootstrapTerms


@frozen(kw_only=True)
class MarketComparison:
    """Runs side by side in one market."""

    symbol: str
    runs: tuple[ComparedRun, ...]
    pairs: tuple[PairedRuns, ...]
    refused: tuple[str, ...]
    """What could not be paired, and why."""
    other_markets: tuple[str, ...] = ()
    """Which runs were shown other prices than the first one: what they earned more is luck as well."""


@frozen(kw_only=True)
class Reproduction:
    """What reproduces the run, never a secret.

    Keys are in no settings, and options of other packages' services are left out.
    """

    command: tuple[str, ...]
    """As it was given; empty where it is not known."""
    versions: Mapping[str, str]
    """``mm-fsm``, ``python``, ``python-statemachine``, and ``platform``."""
    seeds: Mapping[str, int | None]
    """By symbol; None where nothing is drawn at random."""
    recordings: Mapping[str, tuple[str, ...]]
    """Files by symbol; empty where none was played."""
    journals: Mapping[str, str]
    """By symbol."""
    made_by: str
    """``run``: gathered while it ran. ``journal``: by replay, of a run that left no figures."""


@frozen(kw_only=True)
class RunFigures:
    """Everything that the report of a run shows."""

    name: str
    """Of the run's directory."""
    markets: tuple[MarketFigures, ...]
    reproduction: Reproduction
    tables: Mapping[str, str]
    """Files beside the report, relative to it, by what they hold, such as ``BTC-USD/orders``."""
    notes: tuple[str, ...] = ()
    format: int = FORMAT

    def entry(self) -> dict[str, Any]:
        """The figures as JSON has them: exact decimals are texts with every digit."""
        entry: dict[str, Any] = as_json(attrs.asdict(self))
        return entry
