"""Metrics of any chart: states, edges, guards and budgets, read from the chart's definition.

A subclass with another state, edge or guard has its metrics without a line of code.
"""

from __future__ import annotations

from typing import Final

from mm_fsm.chart import BudgetMeasure
from mm_fsm.core.clock import seconds
from mm_fsm.watching.metric_families import Samples, WatchedMarket, counter, gauge, one

_ANSWERS: Final = {True: "true", False: "false"}


def _read_state(market: WatchedMarket) -> Samples:
    current = market.session.machine.chart_state
    return (((state.id,), float(state.id == current)) for state in market.definition.states)


def _read_state_time(market: WatchedMarket) -> Samples:
    durations = market.session.machine.durations_until_now()
    return (((state.id,), seconds(durations.get(state.id, 0))) for state in market.definition.states)


def _read_computing(market: WatchedMarket) -> Samples:
    computing = market.session.stopwatch.computing
    return (((state.id,), seconds(computing[state.id])) for state in market.definition.states)


def _read_transitions(market: WatchedMarket) -> Samples:
    """Edges of one state and event are one series; where they lead to several states all are named."""
    targets: dict[tuple[str, str], dict[str, None]] = {}
    for edge in market.definition.edges:
        targets.setdefault((edge.source, edge.event), {})[edge.target] = None
    counts = market.session.machine.transition_counts
    for (state, event), ends in targets.items():
        yield (state, event, "|".join(ends)), float(counts[f"{state}.{event}"])


def _read_guards(market: WatchedMarket) -> Samples:
    asked = {(edge.source, edge.event, guard.name): None for edge in market.definition.edges for guard in edge.guards}
    for state, event, guard in asked:
        for answer, word in _ANSWERS.items():
            yield (state, event, guard, word), float(market.guards.answers[state, event, guard, answer])


def _read_budgets(market: WatchedMarket) -> Samples:
    for state in market.definition.states:
        if state.budget is not None:
            yield (state.id, state.budget.measure.value), state.budget.milliseconds / 1000


def _read_breaches(market: WatchedMarket) -> Samples:
    counts = {
        BudgetMeasure.WAITING: market.session.machine.stepper.visits.budget_breaches,
        BudgetMeasure.COMPUTING: market.session.stopwatch.breaches,
    }
    for state in market.definition.states:
        if state.budget is not None:
            yield (state.id, state.budget.measure.value), float(counts[state.budget.measure][state.id])


CHART_FAMILIES: Final = (
    gauge(
        "mm_fsm_state",
        "1 for the state that the machine is in, 0 for the others.",
        _read_state,
        "state",
    ),
    counter(
        "mm_fsm_state_time_seconds_total",
        "Time in each state, by the times that facts carry.",
        _read_state_time,
        "state",
    ),
    counter(
        "mm_fsm_state_computing_seconds_total",
        "Computing that each state took, by the clock.",
        _read_computing,
        "state",
    ),
    counter(
        "mm_fsm_transitions_total",
        "How often each edge of the chart was taken.",
        _read_transitions,
        "state",
        "event",
        "target",
    ),
    counter(
        "mm_fsm_guard_answers_total",
        "What each guard of each edge answered when it was asked.",
        _read_guards,
        "state",
        "event",
        "guard",
        "answer",
    ),
    gauge(
        "mm_fsm_state_budget_seconds",
        "How long one visit to a state may take, or one cycle compute.",
        _read_budgets,
        "state",
        "measure",
    ),
    counter(
        "mm_fsm_state_budget_breaches_total",
        "Visits, or cycles, that took longer than the state's budget.",
        _read_breaches,
        "state",
        "measure",
    ),
    counter(
        "mm_fsm_steps_total",
        "Facts that the machine took.",
        one(lambda market: market.session.machine.sequence),
    ),
)
