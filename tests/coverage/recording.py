"""Records a few charts while a test runs them, and looks up what was seen by names instead of places."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from attrs import define, field

from mm_fsm.chart.listeners import WATCHERS
from mm_fsm.coverage.criteria import Criterion
from mm_fsm.coverage.exclusions import Exclusion
from mm_fsm.coverage.recorder import Recorder
from mm_fsm.coverage.result import ChartResult, CriterionResult
from mm_fsm.coverage.run import ChartRun


@define
class Seen:
    """What one chart's machines did; filled when the recording ends."""

    chart: ChartRun = field(init=False)

    @property
    def edges(self) -> dict[str, int]:
        """Hits by ``source.event``."""
        edges = self.chart.model.definition.edges
        return {f"{edges[place].source}.{edges[place].event}": hits for place, hits in self.chart.hits.edges.items()}

    @property
    def states(self) -> dict[str, int]:
        return {state: hits for state, hits in self.chart.hits.states.items() if hits}

    @property
    def pairs(self) -> set[tuple[str, str]]:
        edges = self.chart.model.definition.edges
        return {(edges[first].event, edges[second].event) for first, second in self.chart.hits.pairs}

    @property
    def paths(self) -> set[str]:
        """Round trips by the ``source.event`` of their last edge."""
        edges = self.chart.model.definition.edges
        return {f"{edges[place].source}.{edges[place].event}" for place in self.chart.hits.paths}

    @property
    def answers(self) -> dict[tuple[str, str, bool], int]:
        """How often a guard answered, by event, guard and answer."""
        model = self.chart.model
        found = {}
        for (number, place, answer), hits in self.chart.hits.answers.items():
            edge = model.definition.edges[model.transitions.index(number)]
            found[edge.event, edge.guards[place].name, answer] = hits
        return found

    @property
    def sneaks(self) -> set[tuple[str, str]]:
        return {self.chart.model.illegal[place] for place in self.chart.hits.sneaks}

    def criterion(self, criterion: Criterion, *exclusions: Exclusion) -> CriterionResult:
        """One criterion held against what was seen."""
        return ChartResult.of(self.chart, [criterion], exclusions).criteria[0]


@contextmanager
def nobody_watching() -> Iterator[None]:
    """Pause those who measure this very run of the tests."""
    paused = [watcher for watcher in WATCHERS if isinstance(watcher, Recorder)]
    for recorder in paused:
        recorder.stop()
    try:
        yield
    finally:
        for recorder in paused:
            recorder.start()


@contextmanager
def recording(chart: type) -> Iterator[Seen]:
    """Record one chart until the block ends."""
    recorder, seen = Recorder([chart]), Seen()
    recorder.start()
    try:
        yield seen
    finally:
        recorder.stop()
    (seen.chart,) = recorder.run().charts.values()
