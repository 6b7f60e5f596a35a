"""Small changes of a chart, one at a time, each of which a good test suite notices.

An edge dropped or led elsewhere, a guard negated or dropped, two candidates swapped, a callback dropped. A change that
the checks of our charts refuse when the class is built is *stillborn*: nobody can make that mistake unnoticed.
Changes that cannot change anything are not made: two candidates that never hold together have no order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import pairwise
from typing import Final

from attrs import evolve, field, frozen

from mm_fsm.chart import CallbackDefinition, Chart, ChartDefinition, EdgeDefinition, GuardTerm, StateDefinition
from mm_fsm.testing.foreign import AnyChart, definition_for
from mm_fsm.testing.problems import GenerationError


class MutantKind(StrEnum):
    """What is changed."""

    EDGE_DROPPED = "edge dropped"
    EDGE_REDIRECTED = "edge redirected"
    GUARD_NEGATED = "guard negated"
    GUARD_DROPPED = "guard dropped"
    CANDIDATES_SWAPPED = "candidates swapped"
    ENTRY_DROPPED = "entry callback dropped"
    EXIT_DROPPED = "exit callback dropped"
    ACTION_DROPPED = "action dropped"


@frozen(kw_only=True)
class Mutant:
    """One change of one chart.

    ``edge`` is what is changed, as the chart declares it, or None where a state's callback is; ``state`` is where a
    test must come to see it.
    """

    chart: AnyChart = field(repr=lambda chart: chart.__name__)
    kind: MutantKind
    state: str
    edge: EdgeDefinition | None = None
    guard: GuardTerm | None = None
    callback: str = ""
    target: str = ""
    """Where a redirected edge leads."""
    other: EdgeDefinition | None = None
    """The edge that a swapped one comes behind."""
    stillborn: str = ""
    """Why the chart's checks refuse it; empty when they do not."""

    @property
    def id(self) -> str:
        """Stable, and unique within the chart."""
        what = self.edge.id if self.edge is not None else self.state
        detail = self.callback or self.target or (self.guard and self.guard.name) or (self.other and self.other.event)
        return f"{self.kind}: {what}{f': {detail}' if detail else ''}"

    @property
    def missing_test(self) -> str:
        """What a suite that does not notice it leaves open, as one line that a person can act on."""
        return _MISSING_TESTS[self.kind].format(mutant=self, **_words(self))

    def changed(self, definition: ChartDefinition) -> ChartDefinition | None:
        """A definition with this change; None when it does not have what is changed."""
        if self.edge is None:
            return _without_state_callback(definition, self)
        if self.edge not in definition.edges or (self.other is not None and self.other not in definition.edges):
            return None
        if self.other is not None:
            return evolve(definition, edges=_swapped(definition.edges, self.edge, self.other))
        changed = _changed_edge(self.edge, self)
        edges = [changed if edge is self.edge or edge == self.edge else edge for edge in definition.edges]
        return evolve(definition, edges=tuple(edge for edge in edges if edge is not None))


_MISSING_TESTS: Final = {
    MutantKind.EDGE_DROPPED: "in state {source}, event {event}{where}: nothing checks that it leads to {leads_to}",
    MutantKind.EDGE_REDIRECTED: "in state {source}, event {event}{where}: nothing checks that it leads to {leads_to}, "
    "not to {mutant.target}",
    MutantKind.GUARD_NEGATED: "in state {source}, event {event} with guard {guard} {answer}: nothing checks that it is "
    "not taken",
    MutantKind.GUARD_DROPPED: "in state {source}, event {event} with guard {guard} {answer} and the others holding: "
    "nothing checks that it is not taken",
    MutantKind.CANDIDATES_SWAPPED: "in state {source}, events {event} and {other} both possible: nothing checks that "
    "{event} comes first",
    MutantKind.ENTRY_DROPPED: "on entry to {mutant.state}: nothing checks that {mutant.callback} runs",
    MutantKind.EXIT_DROPPED: "on leaving {mutant.state}: nothing checks that {mutant.callback} runs",
    MutantKind.ACTION_DROPPED: "in state {source}, event {event}{where}: nothing checks that {mutant.callback} runs",
}


def _words(mutant: Mutant) -> dict[str, str]:
    if mutant.edge is None:
        return {}
    guards = " and ".join(str(guard) for guard in mutant.edge.guards)
    return {
        "source": mutant.edge.source,
        "event": mutant.edge.event,
        "leads_to": mutant.edge.target,
        "where": f" with {guards}" if guards else "",
        "guard": mutant.guard.name if mutant.guard else "",
        "answer": str(not mutant.guard.expected) if mutant.guard else "",
        "other": mutant.other.event if mutant.other else "",
    }


def _changed_edge(edge: EdgeDefinition, mutant: Mutant) -> EdgeDefinition | None:
    match mutant.kind:
        case MutantKind.EDGE_DROPPED:
            return None
        case MutantKind.EDGE_REDIRECTED:
            return evolve(edge, target=mutant.target, internal=False)
        case MutantKind.GUARD_NEGATED:
            terms = [evolve(g, expected=not g.expected) if g == mutant.guard else g for g in edge.guards]
            return evolve(edge, guards=tuple(terms))
        case MutantKind.GUARD_DROPPED:
            return evolve(edge, guards=tuple(guard for guard in edge.guards if guard != mutant.guard))
    left = {name: _without(getattr(edge, name), mutant.callback) for name in ("before", "on", "after")}
    return evolve(edge, **left)


def _without(callbacks: tuple[CallbackDefinition, ...], name: str) -> tuple[CallbackDefinition, ...]:
    return tuple(callback for callback in callbacks if callback.name != name)


def _without_state_callback(definition: ChartDefinition, mutant: Mutant) -> ChartDefinition | None:
    phase = "enter" if mutant.kind is MutantKind.ENTRY_DROPPED else "exit"

    def left(state: StateDefinition) -> StateDefinition:
        if state.id != mutant.state:
            return state
        return evolve(state, **{phase: _without(getattr(state, phase), mutant.callback)})

    states = tuple(left(state) for state in definition.states)
    return evolve(definition, states=states) if states != definition.states else None


def _swapped(
    edges: Sequence[EdgeDefinition], first: EdgeDefinition, second: EdgeDefinition
) -> tuple[EdgeDefinition, ...]:
    swapped = list(edges)
    one, other = swapped.index(first), swapped.index(second)
    swapped[one], swapped[other] = swapped[other], swapped[one]
    return tuple(swapped)


def mutants_of(chart: AnyChart) -> Iterator[Mutant]:
    """Every mutant of a flat chart, in order of its definition; stillborn ones are not told apart.

    Raises:
        GenerationError: the chart is not flat.
    """
    definition = definition_for(chart)
    for state in definition.states:
        for kind, callbacks in ((MutantKind.ENTRY_DROPPED, state.enter), (MutantKind.EXIT_DROPPED, state.exit)):
            yield from (Mutant(chart=chart, kind=kind, state=state.id, callback=item.name) for item in callbacks)
        yield from _swaps(chart, definition, state.id)
    for edge in definition.edges:
        if not edge.excluded:
            yield from _mutants_of_edge(chart, definition, edge)


def _mutants_of_edge(chart: AnyChart, definition: ChartDefinition, edge: EdgeDefinition) -> Iterator[Mutant]:
    def mutant(kind: MutantKind, **what: object) -> Mutant:
        return Mutant(chart=chart, kind=kind, state=edge.source, edge=edge, **what)  # type: ignore[arg-type]

    yield mutant(MutantKind.EDGE_DROPPED)
    states = [state.id for state in definition.states]
    following = states[(states.index(edge.target) + 1) % len(states)]
    if following != edge.target:
        yield mutant(MutantKind.EDGE_REDIRECTED, target=following)
    for guard in edge.guards:
        yield mutant(MutantKind.GUARD_NEGATED, guard=guard)
        yield mutant(MutantKind.GUARD_DROPPED, guard=guard)
    for callback in (*edge.before, *edge.on, *edge.after):
        yield mutant(MutantKind.ACTION_DROPPED, callback=callback.name)


def _swaps(chart: AnyChart, definition: ChartDefinition, state: str) -> Iterator[Mutant]:
    """Neighbours among the edges of a state that may fire together."""
    leaving = [edge for edge in definition.edges_from(state) if not edge.excluded]
    fires = [edge for edge in leaving if definition.automatic and not edge.command]
    groups = [fires]
    for event in dict.fromkeys(edge.event for edge in leaving if edge not in fires):
        groups.append([edge for edge in leaving if edge.event == event])
    for group in groups:
        for one, other in pairwise(group):
            if not _exclude_each_other(one, other):
                yield Mutant(chart=chart, kind=MutantKind.CANDIDATES_SWAPPED, state=state, edge=one, other=other)


def _exclude_each_other(one: EdgeDefinition, other: EdgeDefinition) -> bool:
    answers = {guard.name: guard.expected for guard in one.guards}
    return any(answers.get(guard.name, guard.expected) is not guard.expected for guard in other.guards)


def mutants(chart: AnyChart) -> tuple[Mutant, ...]:
    """Every mutant of a flat chart; of ours, those that its checks refuse say why they are stillborn.

    Raises:
        GenerationError: the chart is not flat, or has nothing that can be changed.
    """
    from mm_fsm.testing.mutated import why_stillborn  # noqa: PLC0415 - it applies what is made here

    found = tuple(mutants_of(chart))
    if not found:
        raise GenerationError(chart.__name__, "it has no edge that can be changed.", "Name a chart with edges.")
    if not issubclass(chart, Chart):
        return found
    return tuple(evolve(mutant, stillborn=why_stillborn(mutant)) for mutant in found)
