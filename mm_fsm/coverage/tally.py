"""Counters of one chart in one process, and the sequence of edges that one machine takes. Everything here is hot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from mm_fsm.coverage.model import ChartModel
from mm_fsm.coverage.run import ChartHits
from mm_fsm.coverage.tree import PathTree

_NO_EDGE: Final = -1


class Tally:
    """What machines of one class have done. Edges, transitions and cells are counted by their place in the model."""

    def __init__(self, model: ChartModel) -> None:
        self.model = model
        self.cells = {cell: place for place, cell in enumerate(model.illegal)}
        """The place of each state and event where the event is not accepted."""
        self.looked_up = {(edge.source, edge.event): place for place, edge in enumerate(model.definition.edges)}
        """The edge of a state and event, where the chart is compiled to a table and has no guards."""
        self.not_accepting: dict[str, frozenset[str]] = {}
        """By event, the states that do not accept it."""
        for state, event in model.illegal:
            self.not_accepting[event] = self.not_accepting.get(event, frozenset()) | {state}
        self.states: dict[str, int] = defaultdict(int)
        """Entries that no edge tells of: starts, and every entry of a nested chart."""
        self.edges = [0] * len(model.definition.edges)
        self.answers: dict[tuple[int, int, bool], int] = defaultdict(int)
        """By transition, place of the guard, and answer."""
        self.pairs: dict[int, int] = {}
        """By first edge times the number of edges, plus second edge."""
        self.paths: dict[int, int] = {}
        """Round trips by their last edge."""
        self.sneaks: dict[int, int] = defaultdict(int)
        self.unmatched = 0
        """Transitions taken that the class did not have when it was read."""
        self.ends = [
            (edge.source, dict.fromkeys(model.leads_to[place], place))
            for place, edge in enumerate(model.definition.edges)
        ]
        """For each edge its source, and the states that it leads to, each with the edge."""
        self.sources = [edge.source for edge in model.definition.edges]
        self.targets = [edge.target for edge in model.definition.edges]
        self._draw_tree()

    def _draw_tree(self) -> None:
        edges = self.model.definition.edges
        tree = PathTree(self.model) if self.model.is_flat else None
        leaves = set(tree.leaves) if tree else set()
        first = self.model.starts_in[0] if tree else ""
        self.ends_path = [place in leaves for place in range(len(edges))]
        self.leads_to_start = [edge.target == first for edge in edges]
        branches = tree.branches if tree else frozenset()
        self.stays_on_tree = [place in branches or self.leads_to_start[place] for place in range(len(edges))]

    def tried_in_vain(self, states: Iterable[str], event: str) -> None:
        """An event was sent in states that do not accept it, and nothing came of it."""
        for state in states:
            place = self.cells.get((state, event))
            if place is not None:
                self.sneaks[place] += 1

    def hits(self) -> ChartHits:
        """What has been counted so far, as plain data."""
        model, count = self.model, len(self.edges)
        hits = ChartHits(unmatched=self.unmatched)
        hits.states.update(self.states)
        for place, number in enumerate(self.edges):
            if number:
                hits.edges[place] = number
                if model.is_flat and not model.definition.edges[place].internal:
                    hits.states[model.definition.edges[place].target] += number
        hits.answers.update(self.answers)
        hits.pairs.update({divmod(key, count): number for key, number in self.pairs.items()})
        hits.paths.update(self.paths)
        hits.sneaks.update(self.sneaks)
        return hits

    def clear(self) -> None:
        """Begin to count again."""
        self.edges[:] = [0] * len(self.edges)
        self.unmatched = 0
        for counts in (self.states, self.answers, self.pairs, self.paths, self.sneaks):
            counts.clear()


class Walk:
    """The way of one machine through a flat chart. Where it is put elsewhere from outside, a new way begins."""

    __slots__ = ("_at", "_count", "_last", "_on_tree", "_tally")

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._count = len(tally.edges)
        self._last = _NO_EDGE
        self._on_tree = False
        self._at = ""

    def start(self, state: str) -> None:
        """The machine begins in ``state``, by itself or restored."""
        self._tally.states[state] += 1
        self._at = state
        self._on_tree = state == self._tally.model.starts_in[0]

    def take(self, edge: int) -> None:
        """The machine took an edge."""
        tally = self._tally
        tally.edges[edge] += 1
        if tally.sources[edge] != self._at:
            self._last, self._on_tree = _NO_EDGE, False
        self._at = tally.targets[edge]
        if self._last != _NO_EDGE:
            pair = self._last * self._count + edge
            tally.pairs[pair] = tally.pairs.get(pair, 0) + 1
        self._last = edge
        if not self._on_tree:
            self._on_tree = tally.leads_to_start[edge]
            return
        if tally.ends_path[edge]:
            tally.paths[edge] = tally.paths.get(edge, 0) + 1
        self._on_tree = tally.stays_on_tree[edge]


class NestedWalk:
    """The way of one machine through a chart with states within states: several ways at once in parallel regions.

    An edge follows the one that last entered its source, or kept it active.
    """

    __slots__ = ("_count", "_led_to", "_tally")

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._count = len(tally.edges)
        self._led_to: dict[str, int] = {}

    def enter(self, states: Iterable[str]) -> None:
        """The machine entered these states, or begins in them."""
        for state in states:
            self._tally.states[state] += 1

    def take(self, edge: int) -> None:
        """The machine took an edge."""
        tally = self._tally
        tally.edges[edge] += 1
        source, leads_to = tally.ends[edge]
        last = self._led_to.get(source)
        if last is not None:
            pair = last * self._count + edge
            tally.pairs[pair] = tally.pairs.get(pair, 0) + 1
        self._led_to |= leads_to  # states that were not entered after all are entered by another edge before they count
