"""One market's figures: what its follower gathered and what its machine's books hold, put together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from attrs import field, frozen

from mm_fsm.books.exact import EXACT
from mm_fsm.core.clock import NANOSECONDS_PER_MILLISECOND, seconds
from mm_fsm.core.instrument import ZERO
from mm_fsm.machine.quoting import QuotingMachine
from mm_fsm.report.exact import exact_text
from mm_fsm.report.figures import (
    ChartBudget,
    EdgeFigures,
    FillModel,
    Fills,
    Inventory,
    Machine,
    MarketFigures,
    Markouts,
    Orders,
    Profit,
    StateFigures,
)
from mm_fsm.report.run_data.books_at_begin import BookSums
from mm_fsm.report.run_data.fills_log import FillRow
from mm_fsm.report.run_data.intervals import Blocks, intervals_of
from mm_fsm.report.run_data.market_follower import MarketFollower

_BASIS_POINTS: Final = 10_000.0
_MARKOUT_DIGITS: Final = 4


@frozen(kw_only=True)
class MarketFacts:
    """What a market's figures need besides its machine and its follower."""

    outcome: str
    error: str | None
    market_events: int
    fill_model: FillModel
    settings: Mapping[str, Mapping[str, Any]]
    computing: Mapping[str, int] | None = None
    """Nanoseconds of work by state, where a stopwatch ran."""
    computing_breaches: Mapping[str, int] = field(factory=dict)
    notes: tuple[str, ...] = ()


def market_figures(follower: MarketFollower, machine: QuotingMachine, facts: MarketFacts) -> MarketFigures:
    """The figures of a market whose follower has been told the end."""
    context, now = machine.context, follower.now
    instrument = context.instrument
    began_at = follower.began_at
    follower.uptimes.follow(machine.uptime, now)  # counted until now
    inventory = follower.inventory.figures(now, context.position_limit)
    sums = BookSums.of(context).since(follower.begin_sums)
    profit = _profit(follower, machine, sums, inventory)
    failure = () if follower.failure is None else (f"gathering ended early, at {follower.failure}",)
    return MarketFigures(
        symbol=instrument.symbol,
        base_currency=instrument.base_currency,
        quote_currency=instrument.quote_currency,
        outcome=facts.outcome,
        error=facts.error,
        begin_ms=None if began_at is None else began_at // NANOSECONDS_PER_MILLISECOND,
        end_ms=None if began_at is None else now // NANOSECONDS_PER_MILLISECOND,
        seconds=0.0 if began_at is None else seconds(now - began_at),
        market_events=facts.market_events,
        profit=profit,
        profit_steps=follower.profit.figures(),
        drawdown=follower.drawdown.figures(context.settings.max_drawdown),
        series=follower.series.figures(),
        fills=_fills(follower),
        inventory=inventory,
        markouts=_markouts(follower, machine),
        presence=follower.presence.figures(now, follower.uptimes.both_resting(), follower.uptimes.both_live()),
        orders=_orders(follower, sums),
        holds=follower.holds.figures(),
        machine=_machine(follower, machine, facts),
        fill_model=facts.fill_model,
        settings=facts.settings,
        notes=(*facts.notes, *failure, *_notes(profit)),
    )


def _notes(profit: Profit) -> Iterator[str]:
    """What makes an interval too narrow."""
    net = profit.intervals.get("net")
    if net is not None and net.doubt:
        yield f"the interval is too narrow: {net.doubt}"


def _profit(follower: MarketFollower, machine: QuotingMachine, sums: BookSums, inventory: Inventory) -> Profit:
    total = follower.total
    found = intervals_of(follower.profit.figures(), Blocks.of(inventory))
    return Profit(
        net=total.net,
        spread_capture=total.spread_capture,
        inventory=total.inventory,
        fees=total.fees,
        funding=sums.funding,
        external_flows=sums.external_flows,
        realized=sums.realized,
        unrealized=sums.unrealized,
        identity_gap=machine.context.ledger.identity_gap(),
        volume=sums.volume,
        net_bps_of_volume=_bps(total.net, sums.volume),
        spread_captured_bps=_bps(total.spread_capture, sums.volume_reference),
        holding=_holding(follower, machine),
        intervals=found.parts,
        terms=found.terms,
        no_interval=found.refused,
    )


def _holding(follower: MarketFollower, machine: QuotingMachine) -> Decimal:
    """What the target gained from m when the following began, or the first one after it, to the last one."""
    context = machine.context
    first = context.first_mid_price if follower.begin_mid is None else follower.begin_mid
    last = context.ledger.reference_price
    if first is None or last is None:
        return ZERO
    return EXACT.multiply(context.target_base, EXACT.subtract(last, first))


def _bps(amount: Decimal, of: Decimal) -> float | None:
    return float(amount) / float(of) * _BASIS_POINTS if of else None


def _fills(follower: MarketFollower) -> Fills:
    rows: list[FillRow] = follower.shown_fills.rows
    return Fills(
        total=follower.fills.count,
        time_ms=tuple(row.time // NANOSECONDS_PER_MILLISECOND for row in rows),
        step=tuple(row.step for row in rows),
        side=tuple(row.side for row in rows),
        price=tuple(exact_text(row.price) for row in rows),
        quantity=tuple(exact_text(row.quantity) for row in rows),
        fee=tuple(_text(row.fee) for row in rows),
        mid=tuple(_text(row.mid) for row in rows),
        level=tuple(row.level for row in rows),
        purpose=tuple(row.purpose for row in rows),
        liquidity=tuple(row.liquidity for row in rows),
        quote_age_seconds=tuple(None if row.quote_age is None else round(seconds(row.quote_age), 3) for row in rows),
        order=tuple(row.client_order_id for row in rows),
        inventory=tuple(exact_text(row.inventory) for row in rows),
        net=tuple(exact_text(EXACT.subtract(row.net, follower.begin.net)) for row in rows),
        markouts={
            f"{horizon:g}": tuple(_rounded(row.markouts.get(horizon)) for row in rows)
            for horizon in follower.fills.horizons
        },
    )


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else exact_text(amount)


def _rounded(bps: float | None) -> float | None:
    return None if bps is None else round(bps, _MARKOUT_DIGITS)


# -- markouts ----------------------------------------------------------------------------------------------------------


def _markouts(follower: MarketFollower, machine: QuotingMachine) -> Markouts:
    tracker, groups = machine.context.markouts, follower.markouts
    return Markouts(
        horizons_seconds=tracker.horizons_seconds,
        judged_seconds=tracker.judged_seconds,
        rows=tuple(row for horizon in tracker.horizons_seconds for row in groups.rows(horizon)),
        unmeasured=groups.unmeasured + follower.fills.unsettled,
    )


# -- orders and the machine --------------------------------------------------------------------------------------------


def _orders(follower: MarketFollower, sums: BookSums) -> Orders:
    orders, fills, taken = follower.orders, follower.fills.count, sums.acknowledged_maker_quantity
    return Orders(
        placed=orders.placed,
        acknowledged=orders.acknowledged,
        cancels=orders.cancels,
        ended={how: count for how, count in sorted(orders.ended.items()) if count},
        rejected=dict(sorted(orders.rejected.items())),
        cancel_races_lost=orders.races_lost,
        cancels_refused=orders.cancels_refused,
        unknown=orders.unknown,
        fills=fills,
        maker_fills=sums.maker_fills,
        orders_filled=orders.filled,
        fill_ratio=float(sums.filled_maker_quantity / taken) if taken else None,
        orders_per_fill=orders.placed / fills if fills else None,
        cancels_per_fill=orders.cancels / fills if fills else None,
        life=orders.lives.figures(),
    )


def _machine(follower: MarketFollower, machine: QuotingMachine, facts: MarketFacts) -> Machine:
    definition, cls = machine.definition, type(machine)
    visits = _visits(follower, machine)
    length = sum(follower.dwell.values())
    states = tuple(
        StateFigures(
            state=state.id,
            visits=visits[state.id],
            seconds=seconds(follower.dwell[state.id]),
            share=follower.dwell[state.id] / length if length else 0.0,
            mean_visit_seconds=seconds(follower.dwell[state.id]) / visits[state.id] if visits[state.id] else None,
            net=follower.state_profits.get(state.id, Decimal(0)),
            computing_seconds=None if facts.computing is None else seconds(facts.computing.get(state.id, 0)),
        )
        for state in definition.states
    )
    edges = dict.fromkeys((edge.source, edge.event, edge.target) for edge in definition.edges)
    return Machine(
        machine=f"{cls.__module__}:{cls.__qualname__}",
        steps=follower.steps,
        transitions=follower.transitions.total(),
        faults=dict(sorted(follower.faults.items())),
        states=states,
        edges=tuple(
            EdgeFigures(source=source, event=event, target=target, taken=follower.transitions[source, event, target])
            for source, event, target in edges
        ),
        chart_budgets=tuple(_chart_budgets(machine, facts, visits)),
        request_budgets=tuple(follower.requests.figures(machine.context.request_rates)),
    )


def _visits(follower: MarketFollower, machine: QuotingMachine) -> dict[str, int]:
    """How often each state was entered; the state in which the following began counts as entered then."""
    internal = {(edge.source, edge.event) for edge in machine.definition.edges if edge.internal}
    visits = {state.id: 0 for state in machine.definition.states}
    if follower.began_at is not None:
        visits[follower.first_state] += 1
    for (source, event, target), count in follower.transitions.items():
        if (source, event) not in internal:
            visits[target] += count
    return visits


def _chart_budgets(machine: QuotingMachine, facts: MarketFacts, visits: Mapping[str, int]) -> Iterator[ChartBudget]:
    waiting = machine.stepper.visits.budget_breaches
    for state in machine.definition.states:
        if state.budget is None:
            continue
        breaches = waiting if state.budget.measure.value == "waiting" else facts.computing_breaches
        yield ChartBudget(
            state=state.id,
            measure=state.budget.measure.value,
            milliseconds=state.budget.milliseconds,
            breaches=breaches.get(state.id, 0),
            visits=visits[state.id],
        )
