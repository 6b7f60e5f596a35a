"""From a criterion to paths: what has to be taken, the shortest way to take it, and what is left out, with the reason.

The cost of a set of paths is the number of edges taken plus ``reset_cost`` for each path, since each needs a new
machine. Transitions and pairs are postman problems, over the chart and over its line graph, and their paths are the
cheapest there are. Round trips are the paths of the tree that coverage measures. To visit every state at the least
cost is the travelling salesman's problem, so there each state is reached by a shortest path, and no path is part of
another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Final

import networkx as nx
from attrs import frozen

from mm_fsm.coverage.criteria import Criterion
from mm_fsm.coverage.exclusions import Exclusion, excluded_edges, with_exclusions
from mm_fsm.coverage.model import ChartModel
from mm_fsm.coverage.obligations import Obligation, obligations_of
from mm_fsm.testing.driving.driver import Driver
from mm_fsm.testing.paths.moves import Moves, leaving
from mm_fsm.testing.paths.postman import Graph, Walk, shortest_walks
from mm_fsm.testing.problems import StrayedError, UnsupportedChartError


@frozen(slots=False)
class Plan:
    """Paths that meet a criterion on one chart."""

    driver: Driver
    criterion: Criterion
    paths: tuple[tuple[int, ...], ...]
    """Places of the edges, from the initial state on."""
    left_out: Mapping[str, str]
    """What the criterion asks for and no path takes, by coverage's keys, with the reason."""

    @property
    def steps(self) -> int:
        """Edges taken by all paths together."""
        return sum(map(len, self.paths))


def plan_paths(
    driver: Driver, criterion: str, *, exclude: Mapping[str, str] | None = None, reset_cost: int = 1
) -> Plan:
    """Plan the paths that meet a criterion.

    Args:
        driver: drives the chart.
        criterion: ``states``, ``transitions``, ``pairs`` or ``roundtrip``.
        exclude: what cannot be taken, by coverage's keys of this criterion or of transitions, ``*`` standing for
            anything, with the reason.
        reset_cost: what a new machine costs, in edges taken: 0 for many short paths, a large number for few.

    Raises:
        UnsupportedChartError: paths cannot be planned on this chart for this criterion, or an exclusion fits nothing.
        ValueError: there are no paths for such a criterion, or ``reset_cost`` is negative.
    """
    task = _task(driver, criterion, exclude or {}, reset_cost)
    paths = sorted(dict.fromkeys(_PLANNERS[task.criterion](task)))
    return Plan(driver, task.criterion, tuple(paths), task.left_out(paths))


def explore_paths(
    driver: Driver, criterion: str, *, exclude: Mapping[str, str] | None = None, reset_cost: int = 1
) -> Plan:
    """Plan paths, try each, and keep what can be taken.

    A path is kept as far as it goes. What it did not come to is tried once more by a shortest way; what that does not
    come to either is left out, with the path that was tried. Machines are made and run meanwhile.

    Args:
        driver: drives the chart; with real guards, or there is nothing to find out.
        criterion: as for ``plan_paths``.
        exclude: as for ``plan_paths``.
        reset_cost: as for ``plan_paths``.

    Raises:
        UnsupportedChartError: as for ``plan_paths``.
        ValueError: as for ``plan_paths``.
    """
    task = _task(driver, criterion, exclude or {}, reset_cost)
    kept, _ = _tried(driver, sorted(dict.fromkeys(_PLANNERS[task.criterion](task))))
    infeasible: dict[str, str] = {}
    for one in task.obligations:
        way = task.way_to(one)
        if one.excluded or way is None or _seen(task, kept)(one.key, one.edges):
            continue
        further, failures = _tried(driver, [way])
        kept += further
        if failures:
            tried = ", then ".join((*failures[0].path, *failures[0].wanted))
            infeasible[one.key] = f"infeasible: found {failures[0].found}; tried {tried}"
    return Plan(driver, task.criterion, tuple(dict.fromkeys(kept)), {**task.left_out(kept), **infeasible})


def _tried(driver: Driver, paths: Iterable[tuple[int, ...]]) -> tuple[list[tuple[int, ...]], list[StrayedError]]:
    """Paths as far as they can be taken, and what stopped those that cannot be taken to their end."""
    kept, failures = [], []
    for path in paths:
        try:
            driver.start(*path)
        except StrayedError as failure:
            failures.append(failure)
            kept += [path[: len(failure.path)]] if failure.path else []
        else:
            kept.append(path)
    return kept, failures


def _task(driver: Driver, criterion: str, exclude: Mapping[str, str], reset_cost: int) -> _Task:
    if criterion not in _PLANNERS:
        raise ValueError(f"criterion: expected one of {[*map(str, _PLANNERS)]}, found {criterion!r}.")
    if reset_cost < 0:
        raise ValueError(f"reset_cost: expected a number of edges, 0 or more, found {reset_cost!r}.")
    criteria = dict.fromkeys((Criterion.TRANSITIONS, Criterion(criterion)))
    return _Task(driver, Criterion(criterion), reset_cost, read_exclusions(driver.model, criteria, exclude))


def read_exclusions(
    model: ChartModel, criteria: Iterable[Criterion], exclude: Mapping[str, str]
) -> tuple[Exclusion, ...]:
    """What a test says that it leaves out, as coverage's exclusions.

    Args:
        model: the chart.
        criteria: those whose keys may be meant.
        exclude: patterns of keys, with the reasons.

    Raises:
        UnsupportedChartError: one fits nothing that the chart has.
    """
    criteria, found = tuple(criteria), []
    for pattern, reason in exclude.items():
        fitting = [
            exclusion
            for exclusion in (Exclusion(model.reference, criterion, pattern, reason) for criterion in criteria)
            if any(exclusion.covers(model.reference, one) for one in obligations_of(model, exclusion.criterion))
        ]
        if not fitting:
            raise UnsupportedChartError(
                model.reference,
                f"it has nothing that the exclusion {pattern!r} fits ({', '.join(criteria)}).",
                "Write keys as the JSON report of coverage does, with * for anything.",
            )
        found += fitting
    return tuple(found)


@frozen(slots=False)
class _Task:
    driver: Driver
    criterion: Criterion
    reset_cost: int
    exclusions: tuple[Exclusion, ...]

    @cached_property
    def excluded_edges(self) -> Mapping[int, str]:
        """Edges that say so themselves, or of which ``exclude`` says so."""
        model = self.driver.model
        return excluded_edges(model, obligations_of(model, Criterion.TRANSITIONS), self.exclusions)

    @cached_property
    def unusable(self) -> Mapping[int, str]:
        """Edges that no path can take, with the reason."""
        passed = {
            place: f"the machine moves on from {edge.source} by itself before anything can be sent"
            for place, edge in enumerate(self.driver.model.definition.edges)
            if not self.driver.can_take(place)
        }
        return {**passed, **self.excluded_edges}

    @cached_property
    def moves(self) -> Moves:
        """The graph to plan on."""
        return Moves(self.driver.model, self.unusable.keys())

    @cached_property
    def excluded_pairs(self) -> frozenset[tuple[int, ...]]:
        """Pairs of which ``exclude`` says that they cannot be taken."""
        model = self.driver.model
        pairs = obligations_of(model, Criterion.PAIRS) if self.criterion is Criterion.PAIRS else ()
        return frozenset(
            one.edges for one in pairs if any(exclusion.covers(model.reference, one) for exclusion in self.exclusions)
        )

    def walks(self, graph: Graph) -> list[Walk]:
        """The cheapest walks."""
        return shortest_walks(graph, self.reset_cost)

    @cached_property
    def obligations(self) -> tuple[Obligation, ...]:
        """What the criterion asks for; what cannot be taken is excluded."""
        model = self.driver.model
        return with_exclusions(model, obligations_of(model, self.criterion), dict(self.unusable), self.exclusions)

    def way_to(self, one: Obligation) -> tuple[int, ...] | None:
        """A shortest path that meets an obligation; None where no path leads there."""
        if self.criterion is Criterion.ROUNDTRIP:
            return one.edges
        first = self.driver.model.definition.edges[one.edges[0]].source if one.edges else one.key
        for state in self.moves.found_by:
            if first in self.moves.active(state):
                return (*self.moves.way_to(state), *one.edges)
        return None

    def left_out(self, paths: Sequence[Sequence[int]]) -> Mapping[str, str]:
        """What no path takes, by its key, with the reason."""
        taken = _seen(self, paths)
        return {
            one.key: one.excluded or "no path leads there" for one in self.obligations if not taken(one.key, one.edges)
        }


def _seen(task: _Task, paths: Sequence[Sequence[int]]) -> Callable[[str, tuple[int, ...]], bool]:
    """Whether paths meet one obligation."""
    if task.criterion is Criterion.STATES:
        edges = task.driver.model
        states = {*edges.starts_in} | {state for path in paths for place in path for state in edges.leads_to[place]}
        return lambda key, _: key in states
    if task.criterion is Criterion.ROUNDTRIP:
        whole = {tuple(path) for path in paths}
        return lambda _, edges: edges in whole
    length = 2 if task.criterion is Criterion.PAIRS else 1
    parts = {tuple(path[at : at + length]) for path in paths for at in range(len(path))}
    return lambda _, edges: edges in parts


def _states(task: _Task) -> Iterator[tuple[int, ...]]:
    ways = [task.moves.way_to(state) for state in task.moves.found_by]
    return (way for way in ways if not any(way == other[: len(way)] for other in ways if other != way))


def _round_trips(task: _Task) -> Iterator[tuple[int, ...]]:
    model = task.driver.model
    if not model.is_flat:
        raise UnsupportedChartError(
            model.reference, "round trips are not defined for states within states.", "Ask for transitions or pairs."
        )
    return (one.edges for one in task.obligations if not one.excluded)


def _transitions(task: _Task) -> Iterator[tuple[int, ...]]:
    moves = task.moves.all
    numbers = {state: number for number, state in enumerate(task.moves.found_by)}
    wanted = _first_of_each(task, [move.place for move in moves])
    graph = Graph(
        arcs=[(numbers[move.source], numbers[move.target]) for move in moves],
        wanted=wanted,
        starts={0: 0},
    )
    return (tuple(moves[place].place for place in walk.arcs) for walk in task.walks(graph))


def _first_of_each(task: _Task, places: Sequence[int]) -> list[int]:
    """For each edge the first of its moves, and the moves of a shortest way there, so that all hang together."""
    moves = task.moves.all
    first: dict[int, int] = {}
    for number, place in enumerate(places):
        first.setdefault(place, number)
    found_by = {move: number for number, move in enumerate(moves)}
    ways = [found_by[move] for move in task.moves.found_by.values() if move is not None]
    return sorted({*first.values(), *ways})


def _pairs(task: _Task) -> Iterator[tuple[int, ...]]:
    """Over the line graph: its nodes are moves, its arcs those that follow each other."""
    moves = task.moves.all
    next_moves = leaving(moves)
    arcs = [
        (first, second)
        for first, move in enumerate(moves)
        for second in next_moves.get(move.target, ())
        if (move.place, moves[second].place) not in task.excluded_pairs
    ]
    starts = dict.fromkeys(next_moves.get(task.moves.initial, ()), 1)
    arcs = _reached(arcs, starts)
    touched = {node for arc in arcs for node in arc}
    graph = Graph(
        arcs=arcs,
        wanted=range(len(arcs)),
        lone=[start for start in starts if start not in touched],
        starts=starts,
    )
    return (
        tuple(moves[number].place for number in (walk.start, *(arcs[place][1] for place in walk.arcs)))
        for walk in task.walks(graph)
    )


def _reached(arcs: Sequence[tuple[int, int]], starts: Mapping[int, int]) -> list[tuple[int, int]]:
    """The arcs that a walk can come to: without excluded pairs some may be cut off."""
    network = nx.DiGraph(arcs)
    network.add_edges_from(("start", start) for start in starts)
    reached = nx.descendants(network, "start") if starts else set()
    return [arc for arc in arcs if arc[0] in reached]


_PLANNERS: Final[Mapping[Criterion, Callable[[_Task], Iterator[tuple[int, ...]]]]] = MappingProxyType(
    {
        Criterion.STATES: _states,
        Criterion.TRANSITIONS: _transitions,
        Criterion.PAIRS: _pairs,
        Criterion.ROUNDTRIP: _round_trips,
    }
)
