"""The gate takes what python-statemachine would take: in every state, for every outcome of the guards.

The engine here is another instance of the chart's, on a model that answers with given truth values and does nothing.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mm_fsm.chart import Gate, chart_of, definition_of
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.observers import MachineObserver
from tests.coverage.recording import nobody_watching
from tests.machine.storm import Operation, Storm, operations, sessions
from tests.machine.test_random_facts import Session

DEFINITION = definition_of(MarketMakingStateMachine)
OPEN_STATES = [state.id for state in DEFINITION.states if not state.final]


class Puppet:
    """Answers every guard with a value that was set; its callbacks do nothing."""

    def __init__(self) -> None:
        self.state = "idle"
        self.answers: dict[str, bool] = {}
        for name in DEFINITION.guard_names:
            setattr(self, name, self._answering(name))
        for name in DEFINITION.callback_names:
            setattr(self, name, lambda: None)

    def _answering(self, name: str) -> Any:
        def answer() -> bool:
            return self.answers[name]

        return answer


class IndependentEngine:
    """Which event moves first when each is sent in the chart's order."""

    def __init__(self) -> None:
        self.puppet = Puppet()
        self.moves = 0
        self._known: dict[tuple[str, tuple[bool, ...]], str | None] = {}
        self.start()

    def start(self) -> None:
        """A new engine: one that has come to a final state takes no more events."""
        self.puppet.state = "idle"
        with nobody_watching():  # what a puppet's guards let pass says nothing about the market maker's
            self.engine = chart_of(MarketMakingStateMachine)(model=self.puppet, state_field="state", listeners=[self])

    def after_transition(self) -> None:
        self.moves += 1

    def first_move(self, state: str, answers: dict[str, bool]) -> str | None:
        """The event that is taken in ``state`` while the guards answer so; commands are not sent."""
        question = (state, tuple(answers.values()))
        if question not in self._known:
            self._known[question] = self._send_all(state, answers)
        return self._known[question]

    def _send_all(self, state: str, answers: dict[str, bool]) -> str | None:
        self.puppet.answers = answers
        for event in DEFINITION.events:
            if event in {"stop", "error_execution"}:
                continue
            self.engine.current_state_value = state
            before = self.moves
            self.engine.send(event)
            if self.moves > before:
                if self.puppet.state not in OPEN_STATES:
                    self.start()
                return str(event)
        return None


@pytest.mark.parametrize("state", OPEN_STATES)
def test_gate_and_engine_agree_for_every_outcome_of_a_states_guards(state: str) -> None:
    engine = IndependentEngine()
    gate = Gate(DEFINITION, engine.puppet)
    asked = list(dict.fromkeys(guard.name for edge in DEFINITION.edges_from(state) for guard in edge.guards))
    others = dict.fromkeys(DEFINITION.guard_names, False)
    chosen = set()
    for outcome in product([False, True], repeat=len(asked)):
        answers = others | dict(zip(asked, outcome, strict=True))
        expected = engine.first_move(state, answers)
        found = gate.first_enabled(state)
        assert (found.event if found else None) == expected
        chosen.add(expected)
    automatic = {edge.event for edge in DEFINITION.edges_from(state) if not edge.command}
    assert chosen - {None} == automatic, "every edge is taken for some outcome"


class Comparison(MachineObserver):
    """Before every move of a running machine, asks its guards and the independent engine."""

    def __init__(self, machine: MarketMakingStateMachine) -> None:
        self.machine = machine
        self.independent = IndependentEngine()
        self.moves = 0

    def guard_values(self) -> dict[str, bool]:
        return {name: getattr(self.machine, name)() for name in DEFINITION.guard_names}

    def transition_began(self, state: str, event: str) -> None:
        if event == "stop":
            return
        assert self.independent.first_move(state, self.guard_values()) == event
        self.moves += 1

    def step_ended(self, result: Any) -> None:
        if self.machine.is_final:
            return
        answers = self.guard_values()
        for state in OPEN_STATES:
            edge = self.machine.stepper.gate.first_enabled(state)
            assert self.independent.first_move(state, answers) == (edge.event if edge else None)
        enabled = self.machine.stepper.gate.first_enabled(result.state)
        assert enabled is None or result.faults, "the machine rests only where nothing holds, or after a failure"


@settings(max_examples=15)
@given(session=sessions(), story=st.lists(operations(), min_size=5, max_size=30))
def test_gate_and_engine_agree_at_every_move_and_every_rest_of_random_runs(
    session: Session, story: list[Operation]
) -> None:
    storm = Storm(session)
    comparison = Comparison(storm.bench.machine)
    storm.bench.machine.observe(comparison)
    storm.play(story)
    assert comparison.moves == sum(
        not transition.event.startswith(("stop", "error_execution"))
        for result in storm.bench.results
        for transition in result.transitions
    )
