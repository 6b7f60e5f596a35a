"""A mutant's two forms are the same fault: what its table does, python-statemachine's engine does with its class."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mm_fsm.coverage.mutation.making import model_of, mutated
from mm_fsm.coverage.mutation.mutants import mutants_of
from mm_fsm.machine.market_making import MarketMakingStateMachine
from tests.chart.flat_charts import DrawnChart, built, drawn_charts
from tests.chart.test_executors_agree import PICKS, fire_from, hold_together, next_places

MUTANTS = mutants_of(model_of(MarketMakingStateMachine))
ACTIONS = [
    mutant for mutant in MUTANTS if "dropped" in mutant.key and ("entry of" in mutant.key or "(on)" in mutant.key)
]


@settings(max_examples=60)
@given(drawn_charts(), st.integers(0, 500), PICKS)
def test_a_mutant_of_any_flat_chart_runs_alike(drawn: DrawnChart, number: int, picks: list[int]) -> None:
    chart = built(drawn)
    mutants = mutants_of(model_of(chart))
    with mutated(chart, mutants[number % len(mutants)]):
        hold_together(chart, picks, {})


@pytest.mark.parametrize("mutant", ACTIONS, ids=lambda mutant: mutant.key)
def test_an_action_that_is_dropped_is_run_by_neither(mutant: object) -> None:
    """Every entry action and every action of an edge of the market maker, on each edge from its source."""
    with mutated(MarketMakingStateMachine, mutant):  # type: ignore[arg-type]
        left = calls()
    assert left == calls_undisturbed() - calls_of(mutant)


@cache
def calls_undisturbed() -> int:
    return calls()


def calls() -> int:
    """How many calls the edges make, each fired from its source, on both executors."""
    model = model_of(MarketMakingStateMachine)
    return sum(
        fire_from(MarketMakingStateMachine, edge, place, {})
        for place, edge in enumerate(model.definition.edges)
        if place in next_places(model, edge.source)
    )


def calls_of(mutant: object) -> int:
    """How many edges run the action that the mutant leaves out, counted in the chart's definition."""
    definition = model_of(MarketMakingStateMachine).definition
    state = getattr(mutant, "state", None)
    if state is not None:
        return sum(edge.target == state and not edge.internal for edge in definition.edges)
    return len(mutant.edges)  # type: ignore[attr-defined]
