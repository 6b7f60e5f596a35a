"""python-statemachine's own states in a class body, taken for ours where they say nothing that ours cannot say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import statemachine
from statemachine.callbacks import CallbackGroup, CallbackSpec, SpecListGrouper
from statemachine.state import AnyState
from statemachine.transition import Transition
from statemachine.transition_list import TransitionList

from mm_fsm.chart.declaration import ANY_STATE, Edge, State
from mm_fsm.errors import ChartDefinitionError


def with_states_of_ours(chart: str, body: dict[str, Any]) -> dict[str, Any]:
    """A class body in which every plain state of python-statemachine, and every edge made from one, is one of ours.

    Raises:
        ChartDefinitionError: such a state has what a state of a chart has not; the message says what to write.
    """
    foreign = {name: value for name, value in body.items() if type(value) is statemachine.State}
    if not foreign:
        return body
    adoption = _Adoption({id(state): _adopted(chart, name, state) for name, state in foreign.items()})
    for state in foreign.values():
        adoption.ours(state).declared += [adoption.edge(transition) for transition in state.transitions]
    return {name: adoption.value(value) for name, value in body.items()}


class _Adoption:
    """States of ours in place of python-statemachine's, by the ``id`` of these, and the edges between them."""

    def __init__(self, states: Mapping[int, State]) -> None:
        self._states = states
        self._edges: dict[int, Edge] = {}

    def value(self, value: Any) -> Any:
        """What a class body holds in place of a value."""
        if isinstance(value, TransitionList):
            return TransitionList([self.edge(transition) for transition in value])
        return self.ours(value) if isinstance(value, statemachine.State) else value

    def ours(self, state: Any) -> Any:
        """A state of ours where there is one; what is not taken for one of ours is left to the checks."""
        return ANY_STATE if isinstance(state, AnyState) else self._states.get(id(state), state)

    def edge(self, transition: Transition) -> Any:
        """An edge of ours. One that was declared as such keeps everything but its ends."""
        if isinstance(transition, Edge):
            transition.source = self.ours(transition.source)
            transition.targets[:] = [self.ours(target) for target in transition.targets]
            return transition
        ends = (transition.source, *transition.targets)
        if len(ends) != 2 or all(self.ours(end) is end for end in ends):  # noqa: PLR2004 - a source and a target
            return transition
        if id(transition) not in self._edges:
            self._edges[id(transition)] = self._edge(transition)
        return self._edges[id(transition)]

    def _edge(self, transition: Transition) -> Edge:
        conditions = list(transition.cond)
        unknown: dict[str, Any] = {
            name: True
            for name, given in (
                ("validators", list(transition.validators)),
                ("event", list(transition.events)),
                ("initial", transition.initial),
            )
            if given
        }
        return Edge(
            self.ours(transition.source),
            self.ours(transition.target),
            cond=tuple(spec.func for spec in conditions if spec.expected_value),
            unless=tuple(spec.func for spec in conditions if not spec.expected_value),
            before=_functions(transition.before),
            on=_functions(transition.on),
            after=_functions(transition.after),
            internal=bool(transition.internal),
            **unknown,
        )


def _adopted(chart: str, name: str, state: statemachine.State) -> State:
    for problem, remedy in _what_ours_has_not(name, state):
        raise ChartDefinitionError(chart, problem, remedy)
    return State(
        state.name,
        initial=bool(state.initial),
        final=bool(state.final),
        enter=_functions(state.enter),
        exit=_functions(state.exit),
    )


def _what_ours_has_not(name: str, state: statemachine.State) -> Iterator[tuple[str, str]]:
    if state.states or state.parallel or state.history:
        yield (
            f"{name!r} is a state with others inside.",
            "A chart of mm_fsm is flat: declare these states beside each other, each with mm_fsm.chart.State.",
        )
    if state.value is not None and state.value != name:
        yield (
            f"{name!r} is declared with value={state.value!r}.",
            f"A state of a chart is known by its name alone: write {name} = mm_fsm.chart.State(...) without a value.",
        )
    if any(spec.group is CallbackGroup.INVOKE for spec in state.enter.list):
        yield (
            f"state {name!r} invokes something.",
            "The machine does no I/O of its own: stage an intent in a callback named in enter=.",
        )


def _functions(group: SpecListGrouper) -> tuple[Any, ...]:
    """What was declared, names for the most part; what is no name is refused where all of ours are checked."""
    specs: list[CallbackSpec] = list(group)
    return tuple(spec.func for spec in specs)
