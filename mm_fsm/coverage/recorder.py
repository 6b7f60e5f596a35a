"""Records what every chart of this process does: our machines through ``WATCHERS``, others through their engine."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, Any, cast

from statemachine import StateChart

from mm_fsm.chart import Chart
from mm_fsm.chart.engine import ChartEngine
from mm_fsm.chart.listeners import WATCHERS
from mm_fsm.coverage import engines
from mm_fsm.coverage.engines import EngineClass, Watch
from mm_fsm.coverage.model import ChartModel
from mm_fsm.coverage.reading import as_declared, read_chart, read_engine, reference_of
from mm_fsm.coverage.run import ChartHits, ChartRun, Run
from mm_fsm.coverage.tally import Tally, Walk

if TYPE_CHECKING:
    from mm_fsm.coverage.machines import MachineClass


class Recorder:
    """Watches machines from ``start`` until ``stop``. An instance counts for its own class only.

    Args:
        charts: the classes to watch; none for every class that a module has under its own name.
        with_tests: whether to note which test took each edge.
    """

    def __init__(self, charts: Collection[type] = (), *, with_tests: bool = False) -> None:
        self.unsettled: set[Watch] = set()
        """Listeners of machines that were sent an event which they do not accept, until it is known what came of it."""
        self.listener: Callable[[str, str, ChartHits], None] | None = None
        """Told of each chart what one test saw of it: the chart's reference, the test, the hits."""
        self._charts = tuple(charts)
        self._wanted = frozenset(map(reference_of, charts))
        self._with_tests = with_tests
        self._tallies: dict[type, Tally | None] = {}
        self._engines: dict[type, EngineClass | None] = {}
        self._machines: dict[type, MachineClass] = {}
        self._subjects: dict[str, tuple[str, Walk]] = {}
        """Where each subject of a chart's table went last, and its way, within one test."""
        self._run = Run()

    def start(self) -> None:
        """Watch every machine made from now on."""
        WATCHERS.append(self)
        engines.install(self)

    def stop(self) -> None:
        """Watch none any more; python-statemachine is as it was."""
        if self in WATCHERS:
            WATCHERS.remove(self)
            engines.install(next((one for one in reversed(WATCHERS) if isinstance(one, Recorder)), None))

    # -- what was recorded ------------------------------------------------------------------------------------------

    def end_test(self, test: str) -> None:
        """Close what the test left open, and note what it saw where that was asked for."""
        self._settle()
        if not (self._with_tests or self.listener):
            return
        for tally in filter(None, self._tallies.values()):
            hits = tally.hits()
            if self.listener is not None:
                self.listener(tally.model.reference, test, hits)
            if self._with_tests:
                hits.tests = {edge: {test} for edge in hits.edges}
            self._keep(tally, hits)

    def charts(self) -> Iterator[tuple[type, ChartModel]]:
        """Every chart that is measured, also those that no machine was made of, with its model."""
        self._know_every_chart()
        for chart, tally in self._tallies.items():
            if tally is not None:
                yield chart, tally.model

    def _know_every_chart(self) -> None:
        for chart in self._charts or imported_charts():
            self._tally(chart)

    def run(self) -> Run:
        """Everything recorded so far; charts that no machine was made of are there too."""
        self._settle()
        self._know_every_chart()
        for tally in filter(None, self._tallies.values()):
            self._keep(tally, tally.hits())
        return self._run

    def _keep(self, tally: Tally, hits: ChartHits) -> None:
        self._run.add(Run({tally.model.reference: ChartRun(tally.model, hits)}))
        tally.clear()

    def _settle(self) -> None:
        for watch in self.unsettled:
            watch._mm_fsm_settle()
        self.unsettled.clear()
        self._subjects.clear()

    # -- which classes ----------------------------------------------------------------------------------------------

    def _tally(self, chart: type) -> Tally | None:
        """The counters of a chart's class; None when it is not wanted."""
        if chart not in self._tallies:
            self._tallies[chart] = self._new_tally(chart)
        return self._tallies[chart]

    def _new_tally(self, chart: type) -> Tally | None:
        if not (self._is_named(chart) if self._wanted else _is_imported(chart)):
            return None
        if issubclass(chart, Chart):
            return Tally(read_chart(chart))
        return Tally(read_engine(cast(type[StateChart[Any]], chart)).model)

    def _is_named(self, chart: type) -> bool:
        """Whether it is one of the classes to watch, or one of them that was imported once more.

        Classes made inside a function may share their name.
        """
        reference = reference_of(chart)
        return chart in self._charts or ("<locals>" not in reference and reference in self._wanted)

    def engine_class(self, chart: type) -> EngineClass | None:
        """A python-statemachine class, or None when it is not wanted."""
        if chart not in self._engines:
            self._engines[chart] = self._new_engine_class(chart)
        return self._engines[chart]

    def _new_engine_class(self, chart: type[StateChart[Any]]) -> EngineClass | None:
        declared = _chart_run_by(chart)
        tally = self._tally(declared or chart)
        if tally is None:
            return None
        reading = read_engine(chart)
        return EngineClass(tally, reading if declared is None else as_declared(reading, tally.model))

    # -- being told -------------------------------------------------------------------------------------------------

    def machine_was_made(self, machine: Any) -> None:
        """Watch one of our machines."""
        kind = type(machine)
        tally = self._tally(kind)
        if tally is not None:
            from mm_fsm.coverage.machines import MachineClass, MachineWatch  # noqa: PLC0415 - only with our machines

            if kind not in self._machines:
                self._machines[kind] = MachineClass(tally)
            machine.observe(MachineWatch(self._machines[kind]))

    def watch_for_model(self, model: object) -> Watch | None:
        """The listener for the engine of a machine that ``machine_was_made`` told of."""
        if type(model) not in self._machines:
            return None
        from mm_fsm.coverage.machines import EngineOfMachineWatch  # noqa: PLC0415

        machine: Any = model
        return EngineOfMachineWatch(machine, self._machines[type(model)].tally, self)

    def event_was_looked_up(self, chart: type, subject: str, state: str, event: str) -> None:
        """Count one look into a chart's table."""
        tally = self._tally(chart)
        if tally is None:
            return
        place = tally.looked_up.get((state, event))
        if place is None:
            tally.tried_in_vain([state], event)
            return
        before, walk = self._subjects.get(subject, ("", None))
        if walk is None or before != state:
            walk = Walk(tally)
            walk.start(state)
        walk.take(place)
        self._subjects[subject] = (tally.model.definition.edges[place].target, walk)


def _chart_run_by(engine: type) -> type[Chart] | None:
    """The chart whose own python-statemachine class this is."""
    if not issubclass(engine, ChartEngine):
        return None
    return next((chart for chart in _subclasses(Chart) if chart.__chart__.engine_class is engine), None)


def imported_charts() -> Iterator[type]:
    """Every chart class with states that a module which has been imported has under its own name.

    Classes made inside functions are left out, and so are those of the script that was started.
    """
    for chart in _subclasses(Chart):
        if chart.__chart__.definition is not None and _is_imported(chart):
            yield chart
    for engine in _subclasses(StateChart):
        if engine.states and _is_imported(engine):
            yield engine


def _subclasses(base: Any) -> list[Any]:
    found = list(base.__subclasses__())
    for one in found:
        found += [child for child in one.__subclasses__() if child not in found]
    return found


def _is_imported(chart: type) -> bool:
    found: object = None if chart.__module__ == "__main__" else sys.modules.get(chart.__module__)
    for name in chart.__qualname__.split("."):
        found = vars(found).get(name) if hasattr(found, "__dict__") else None
    return found is chart
