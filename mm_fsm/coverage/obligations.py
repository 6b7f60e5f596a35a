"""What each criterion asks of a chart, how often it was seen, and what of it is excluded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from attrs import frozen

from mm_fsm.chart import EdgeDefinition
from mm_fsm.chart.definition import NO_EVENT
from mm_fsm.coverage.criteria import Criterion
from mm_fsm.coverage.model import ChartModel
from mm_fsm.coverage.mutation.mutants import mutants_of
from mm_fsm.coverage.run import ChartHits
from mm_fsm.coverage.tree import PathTree


@frozen(kw_only=True)
class Obligation:
    """One thing that a criterion asks for."""

    criterion: Criterion
    key: str
    """Names it within its chart and criterion, the same in every run."""
    gap: str
    """One line on what is missing while it has not been seen."""
    hits: int = 0
    edges: tuple[int, ...] = ()
    """Places of the edges that it is about; it is excluded with any of them."""
    excluded: str = ""
    """Why it cannot be asked for; empty when it can."""


def obligations_of(model: ChartModel, criterion: Criterion, hits: ChartHits | None = None) -> tuple[Obligation, ...]:
    """What a criterion asks of a chart, in the order of its definition. Nothing is excluded yet.

    Round trips are asked of flat charts only.
    """
    return tuple(_MAKERS[criterion](model, hits or ChartHits()))


def _states(model: ChartModel, hits: ChartHits) -> Iterator[Obligation]:
    for state in model.real_states:
        yield Obligation(
            criterion=Criterion.STATES,
            key=state.id,
            gap=f"state {state.id}: never entered",
            hits=hits.states[state.id],
        )


def _transitions(model: ChartModel, hits: ChartHits) -> Iterator[Obligation]:
    for place, (key, edge) in enumerate(zip(model.edge_keys, model.definition.edges, strict=True)):
        yield Obligation(
            criterion=Criterion.TRANSITIONS,
            key=key,
            gap=f"{_where(edge)}: never taken to {edge.target}{_guards_of(edge)}",
            hits=hits.edges[place],
            edges=(place,),
        )


def _guards(model: ChartModel, hits: ChartHits) -> Iterator[Obligation]:
    for name in model.definition.guard_names:
        asked = [
            (number, place, places)
            for number, places in model.guarded.items()
            for place, guard in enumerate(model.definition.edges[places[0]].guards)
            if guard.name == name
        ]
        users = [_where(model.definition.edges[places[0]]) for _, _, places in asked]
        for answer in (True, False):
            yield Obligation(
                criterion=Criterion.GUARDS,
                key=f"{name} is {answer}",
                gap=f"guard {name}: never answered {answer} (asked by {_listed(users)})",
                hits=sum(hits.answers[number, place, answer] for number, place, _ in asked),
                edges=tuple(edge for _, _, places in asked for edge in places),
            )


def _mcdc(model: ChartModel, hits: ChartHits) -> Iterator[Obligation]:
    for number, places in model.guarded.items():
        edge = model.definition.edges[places[0]]
        where, key = _where(edge, [model.definition.edges[place].event for place in places]), model.edge_keys[places[0]]
        for place, guard in enumerate(edge.guards):
            before = [f"{other.name} was {other.expected}" for other in edge.guards[:place]]
            context = f" while {' and '.join(before)}" if before else ""
            yield Obligation(
                criterion=Criterion.MCDC,
                key=f"{key}: {guard.name} decides",
                gap=f"{where}: guard {guard.name} was never {not guard.expected}{context}, so it never decided",
                hits=hits.answers[number, place, not guard.expected],
                edges=places,
            )
        last = edge.guards[-1]
        yield Obligation(
            criterion=Criterion.MCDC,
            key=f"{key}: all pass",
            gap=f"{where}: its guards never passed together{_guards_of(edge)}",
            hits=hits.answers[number, len(edge.guards) - 1, last.expected],
            edges=places,
        )


def _pairs(model: ChartModel, hits: ChartHits) -> Iterator[Obligation]:
    edges, keys = model.definition.edges, model.edge_keys
    for first, followers in enumerate(model.followers):
        for second in followers:
            before, after = edges[first], edges[second]
            yield Obligation(
                criterion=Criterion.PAIRS,
                key=f"{keys[first]}, then {keys[second]}",
                gap=f"{_where(after)}: never taken to {after.target} right after {before.event} from {before.source}",
                hits=hits.pairs[first, second],
                edges=(first, second),
            )


def _round_trips(model: ChartModel, hits: ChartHits) -> Iterator[Obligation]:
    if not model.is_flat:
        return
    tree, edges = PathTree(model), model.definition.edges
    for leaf in tree.leaves:
        path = tree.path(leaf)
        steps = ", ".join(edges[place].event for place in path)
        yield Obligation(
            criterion=Criterion.ROUNDTRIP,
            key=", then ".join(model.edge_keys[place] for place in path),
            gap=f"state {edges[path[0]].source}: never went in one go through {steps} to {edges[leaf].target}",
            hits=hits.paths[leaf],
            edges=path,
        )


def _sneaks(model: ChartModel, hits: ChartHits) -> Iterator[Obligation]:
    for place, (state, event) in enumerate(model.illegal):
        yield Obligation(
            criterion=Criterion.SNEAK,
            key=f"{event} in {state}",
            gap=f"state {state}, event {event}: not accepted there, and never sent there",
            hits=hits.sneaks[place],
        )


def _mutants(model: ChartModel, hits: ChartHits) -> Iterator[Obligation]:
    for place, mutant in enumerate(mutants_of(model)):
        yield Obligation(
            criterion=Criterion.MUTATION,
            key=mutant.key,
            gap=mutant.gap,
            hits=hits.mutants[place],
            edges=mutant.edges,
        )


_MAKERS: Final[Mapping[Criterion, Callable[[ChartModel, ChartHits], Iterator[Obligation]]]] = MappingProxyType(
    {
        Criterion.STATES: _states,
        Criterion.TRANSITIONS: _transitions,
        Criterion.GUARDS: _guards,
        Criterion.MCDC: _mcdc,
        Criterion.PAIRS: _pairs,
        Criterion.ROUNDTRIP: _round_trips,
        Criterion.SNEAK: _sneaks,
        Criterion.MUTATION: _mutants,
    }
)
_MOST_NAMED: Final = 3


def _where(edge: EdgeDefinition, events: Sequence[str] = ()) -> str:
    named = " or ".join(events or [edge.event])
    return f"state {edge.source}, {'without an event' if named == NO_EVENT else f'event {named}'}"


def _guards_of(edge: EdgeDefinition) -> str:
    return f" [{', '.join(map(str, edge.guards))}]" if edge.guards else ""


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return "; ".join(names[:_MOST_NAMED]) + more
