"""The report of one session: every figure a market maker is judged by, read from the machine when it has ended."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

import attrs
from attrs import frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.markouts import MarkoutFigures, MarkoutTracker
from mm_fsm.core.clock import seconds
from mm_fsm.core.messages import Side
from mm_fsm.estimators.batch_means import MeanInterval
from mm_fsm.machine.quoting import QuotingMachine
from mm_fsm.report.exact import as_json
from mm_fsm.report.recorder import SessionRecorder
from mm_fsm.runtime.journal import Journal
from mm_fsm.runtime.shutdown import Ending, ending_of

_BASIS_POINTS: Final = 10_000.0


class Outcome(StrEnum):
    """How a session ended."""

    COMPLETED = "completed"
    LATE = "late"
    """The wind-down passed its deadline with a position left."""
    FAULT = "fault"
    """A fault that was not recovered from."""
    UNFINISHED = "unfinished"
    """It was left before it had ended."""


@frozen(kw_only=True)
class Markout:
    """What own maker fills gained at a horizon after them, bps of the mid at the fill; below 0 is adverse selection."""

    count: int
    volume_weighted_bps: float | None
    """Before fees."""
    trade_weighted_bps: float | None
    """Before fees."""
    net_volume_weighted_bps: float | None
    """Net of fees."""
    net_volume_weighted_interval_bps: tuple[float, float] | None
    """Of 95 %, by batch means; None while fills of two batches are lacking."""
    net_trade_weighted_bps: float | None
    net_trade_weighted_interval_bps: tuple[float, float] | None


@frozen(kw_only=True)
class QuoteEdge:
    """What adverse selection is judged by: net markouts of quotes without the widening for earlier losses, in bps."""

    horizon_seconds: float
    fills: int
    net_bps: float | None
    net_interval_bps: tuple[float, float] | None
    widening_bps: float
    """By how much the wider of both sides is widened now."""


@frozen(kw_only=True)
class SessionReport:
    """The fields of ``StrategyResult``, and what else a session shows.

    Money is quote currency, positions base units, durations seconds. Durations in states, holds and quote uptime are
    event time; ``wall_seconds``, ``events_per_second``, ``computing_seconds`` and ``budget_breaches["computing"]`` are
    measured with a clock and differ from run to run; everything else is the same in every run.
    """

    symbol: str
    preset: str
    """Name of the preset beneath the settings; empty when there is none."""
    outcome: Outcome

    success: bool
    strategy_id: str
    strategy_type: str
    execution_time_ms: int
    state_transition_count: int
    realized_pnl: Decimal
    unrealized_pnl: Decimal
    total_fees: Decimal
    orders_executed: int
    error: str | None
    additional_data: Mapping[str, Any]

    events: int
    """Market events: books and trades."""
    steps: int
    """Facts that the machine took."""
    refused_facts: int
    wall_seconds: float
    """Of the whole run, all of its symbols together."""
    events_per_second: float

    net_pnl: Decimal
    """spread_capture + inventory_pnl - total_fees + funding."""
    spread_capture: Decimal
    inventory_pnl: Decimal
    funding: Decimal
    pnl_identity_gap: Decimal
    """What the ledger's two identities miss: exactly 0 in sound books."""
    holding_pnl: Decimal
    """What holding the target gained meanwhile: no part of the profit."""
    net_pnl_bps_of_volume: float | None
    max_drawdown: Decimal
    max_inventory: Decimal
    """Largest distance from the target."""

    fills: int
    maker_fills: int
    orders: Mapping[str, int]
    """``placed``, ``cancels`` sent, and ``rejected_`` with the venue's code."""
    order_to_trade_ratio: float | None
    """Orders placed for each fill; None without fills."""
    faults: Mapping[str, int]
    markouts: Mapping[str, Mapping[str, Markout]]
    """By horizon in seconds, then ``all``, ``bid`` (bought), ``ask`` (sold), and each side's levels, as ``bid_0``;
    ``bid_other`` are orders that were no quotes."""
    quote_edge: QuoteEdge

    both_sides_live_share: float
    both_sides_resting_share: float
    """Of the time, as the venue sees it: from an order's acknowledgement to its end, cancels in flight included."""
    resting_seconds: Mapping[str, float]
    """By side, as the venue sees it."""
    live_seconds: Mapping[str, float]
    """By side."""
    hold_seconds: Mapping[str, Mapping[str, float]]
    """By side and reason."""
    spread_clamped_share: float
    """Share of the calculated spreads that a bound held."""
    state_seconds: Mapping[str, float]
    transition_counts: Mapping[str, int]
    """By ``source.event``."""
    computing_seconds: Mapping[str, float]
    """By state."""
    budget_breaches: Mapping[str, Mapping[str, int]]
    """Under ``waiting`` and ``computing``, by state."""

    restarts: tuple[str, ...]
    """Why the market's machine was replaced from its journal, once for each time."""
    ending: Ending
    journal: Mapping[str, Any] | None
    """``file``, ``bytes``, ``segments`` and ``records``, and ``failure`` if it could not be written; None without."""

    def entry(self) -> dict[str, Any]:
        """The report as JSON has it: exact decimals are texts with every digit, floats and counts are numbers."""
        entry: dict[str, Any] = as_json(attrs.asdict(self))
        return entry


def make_report(recorder: SessionRecorder, wall_seconds: float) -> SessionReport:
    """The report of a session as it stands; ``wall_seconds`` is how long the run took."""
    machine, runner = recorder.session.machine, recorder.session.runner
    context, ledger, uptime = machine.context, machine.context.ledger, machine.uptime
    stopwatch = recorder.session.stopwatch
    result, durations = machine.result(), machine.durations_until_now()
    return SessionReport(
        symbol=recorder.session.symbol,
        preset=recorder.session.configuration.preset,
        outcome=outcome_of(machine),
        **{field.name: getattr(result, field.name) for field in attrs.fields(type(result))},
        events=runner.market_events,
        steps=machine.sequence,
        refused_facts=runner.refused_facts,
        wall_seconds=wall_seconds,
        events_per_second=runner.market_events / wall_seconds if wall_seconds > 0 else 0.0,
        net_pnl=ledger.net_pnl,
        spread_capture=ledger.spread_capture,
        inventory_pnl=ledger.inventory_pnl,
        funding=ledger.funding_received,
        pnl_identity_gap=ledger.identity_gap(),
        holding_pnl=context.holding_pnl,
        net_pnl_bps_of_volume=_bps(ledger.net_pnl, ledger.volume_quote),
        max_drawdown=max(recorder.max_drawdown, ledger.drawdown),
        max_inventory=recorder.max_offset,
        fills=context.fill_count,
        maker_fills=context.maker_fill_count,
        orders=_orders(recorder),
        order_to_trade_ratio=recorder.placed / context.fill_count if context.fill_count else None,
        faults=dict(recorder.faults),
        markouts=_markouts(context.markouts),
        quote_edge=quote_edge(context),
        both_sides_live_share=uptime.both_live_share,
        both_sides_resting_share=uptime.both_resting_share,
        resting_seconds={side.value: seconds(uptime.resting[side]) for side in Side},
        live_seconds={side.value: seconds(uptime.live[side]) for side in Side},
        hold_seconds={side.value: _seconds(uptime.held[side]) for side in Side},
        spread_clamped_share=context.clamped_spreads / max(1, 2 * context.spread_calculations),
        state_seconds=_seconds({state.id: durations.get(state.id, 0) for state in machine.definition.states}),
        transition_counts=dict(machine.transition_counts),
        computing_seconds=_seconds(stopwatch.computing),
        budget_breaches={
            "waiting": dict(machine.stepper.visits.budget_breaches),
            "computing": dict(stopwatch.breaches),
        },
        restarts=tuple(recorder.session.restarts),
        ending=ending_of(context),
        journal=_journal(recorder.session.journal),
    )


def _journal(journal: Journal | None) -> dict[str, Any] | None:
    if journal is None:
        return None
    status = journal.status
    return {
        "file": status.path.name,
        "bytes": status.size,
        "segments": status.segments,
        "records": status.records,
        "failure": status.failure,
    }


def outcome_of(machine: QuotingMachine) -> Outcome:
    """How a session ended, or that it has not."""
    if machine.context.latched or machine.context.fault is not None:
        return Outcome.FAULT
    if not machine.is_final:
        return Outcome.UNFINISHED
    return Outcome.LATE if machine.context.is_late else Outcome.COMPLETED


def _orders(recorder: SessionRecorder) -> dict[str, int]:
    rejected = {f"rejected_{code}": count for code, count in sorted(recorder.rejected.items())}
    return {"placed": recorder.placed, "cancels": recorder.cancels, **rejected}


def _markouts(tracker: MarkoutTracker) -> dict[str, dict[str, Markout]]:
    return {
        f"{horizon:g}": {
            "all": _markout(tracker.figures(horizon)),
            **{side.value: _markout(tracker.figures(horizon, side)) for side in Side},
            **{
                f"{side.value}_{'other' if level is None else level}": _markout(figures)
                for (side, level), figures in tracker.figures_by_level(horizon).items()
            },
        }
        for horizon in tracker.horizons_seconds
    }


def quote_edge(context: MarketMakingContext) -> QuoteEdge:
    """What adverse selection is judged by, as it stands."""
    edge = context.markouts.quote_edge.estimate()
    return QuoteEdge(
        horizon_seconds=context.markouts.judged_seconds,
        fills=context.markouts.quote_edge.count,
        net_bps=None if edge is None else edge.value,
        net_interval_bps=_bounds(edge),
        widening_bps=max(state.widening_bps for state in context.sides.values()),
    )


def _bounds(estimate: MeanInterval | None) -> tuple[float, float] | None:
    if estimate is None or not math.isfinite(estimate.lower):
        return None
    return estimate.lower, estimate.upper


def _markout(figures: MarkoutFigures) -> Markout:
    return Markout(
        count=figures.count,
        volume_weighted_bps=figures.volume_weighted_bps,
        trade_weighted_bps=figures.trade_weighted_bps,
        net_volume_weighted_bps=None if figures.net_by_volume is None else figures.net_by_volume.value,
        net_volume_weighted_interval_bps=_bounds(figures.net_by_volume),
        net_trade_weighted_bps=None if figures.net_by_trade is None else figures.net_by_trade.value,
        net_trade_weighted_interval_bps=_bounds(figures.net_by_trade),
    )


def _bps(amount: Decimal, volume: Decimal) -> float | None:
    return float(amount) / float(volume) * _BASIS_POINTS if volume else None


def _seconds(durations: Mapping[str, int]) -> dict[str, float]:
    return {name: seconds(duration) for name, duration in durations.items()}
