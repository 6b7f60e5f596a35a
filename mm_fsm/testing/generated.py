"""The decorators: each parametrises a test with what it generates from a chart. Ids are readable and stable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Protocol

import pytest
from attrs import field, frozen

from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.testing.faults import fault_cases
from mm_fsm.testing.forced import ForcedMachine
from mm_fsm.testing.foreign import AnyChart, definition_for
from mm_fsm.testing.paths import PathCriterion, find_paths, obligations
from mm_fsm.testing.problems import GenerationError, PathNotTakenError, describe_path
from mm_fsm.testing.real import RealDriver
from mm_fsm.testing.sneak import Entrance, Snapshot, sneak_cells
from mm_fsm.testing.ways import market_maker_driver

NAMED_EDGES = 4
"""How many edges at either end of a long path its id names."""


@frozen(kw_only=True)
class ChartPath:
    """Edges that a machine is to take one right after another."""

    chart: AnyChart
    edges: tuple[Any, ...]
    driver: RealDriver[Any] | None = field(default=None, repr=False)
    infeasible: str = ""
    """Why no machine can take it; empty when one should."""

    takes_expectations_from_chart: ClassVar[bool] = True

    @property
    def id(self) -> str:
        """Its events, the first and the last ones of a long path."""
        events = [edge.event for edge in self.edges]
        if len(events) > 2 * NAMED_EDGES:
            left_out = f"{len(events) - 2 * NAMED_EDGES}-more"
            events = [*events[:NAMED_EDGES], left_out, *events[-NAMED_EDGES:]]
        return "-".join([f"{self.edges[0].source}.{events[0]}", *events[1:]]) if events else "start"

    @property
    def description(self) -> str:
        """The whole path: state --event--> state --event--> state."""
        return describe_path(self.edges)

    def drive(self) -> Any:
        """Take the path, and return the host of the real machine, or the forced machine, that did.

        Of a path that is given as infeasible, try whether it is; the answer then is None.

        Raises:
            PathNotTakenError: it was not taken.
            AssertionError: it was taken and is given as infeasible.
        """
        if self.driver is None:
            forced = ForcedMachine(self.chart)
            forced.drive(self.edges)
            return forced
        if not self.infeasible:
            return self.driver.reach(self.edges, None if self.edges else self.driver.definition.initial.id)
        try:
            self.driver.reach(self.edges, tries=1)
        except PathNotTakenError:
            return None
        raise AssertionError(f"{self.description} was taken, but is listed as infeasible: {self.infeasible}")


def fsm_paths(
    chart: AnyChart,
    criterion: PathCriterion | str = PathCriterion.TRANSITIONS,
    *,
    driver: RealDriver[Any] | None = None,
    infeasible: Mapping[str, str] | None = None,
) -> pytest.MarkDecorator:
    """Parametrise a test with ``path``, so that all of them together meet a criterion; the test calls ``path.drive()``.

    Without a driver, guards are forced, and the paths are the shortest set that meets the criterion. With one, a real
    machine takes what the criterion asks for, each edge, pair or round trip as a test of its own.

    Args:
        chart: one of our charts, or a flat python-statemachine class.
        criterion: ``states``, ``transitions``, ``pairs`` or ``roundtrip``.
        driver: how a real machine is made to go where it should.
        infeasible: by a path's description, why no machine can take it; found true or false by the test.

    Raises:
        GenerationError: the chart or the criterion will not do, or ``infeasible`` names what the criterion does not ask.
    """
    definition = definition_for(chart)
    reasons = dict(infeasible or {})
    edges = find_paths(definition, criterion) if driver is None else tuple(obligations(definition, criterion))
    descriptions = {describe_path(path) for path in edges}
    if unknown := [description for description in reasons if description not in descriptions]:
        raise GenerationError(
            definition.name,
            f"expected as infeasible what {criterion} ask for, found {unknown}.",
            "Write each as its path's description reads; without a driver there is nothing to list.",
        )
    paths = [
        ChartPath(chart=chart, edges=path, driver=driver, infeasible=reasons.get(describe_path(path), ""))
        for path in edges
    ]
    return _parametrised("path", paths)


def sneak_tests(
    chart: AnyChart,
    *,
    driver: RealDriver[Any] | None = None,
    entrance: Entrance | None = None,
    snapshot: Snapshot | None = None,
) -> pytest.MarkDecorator:
    """Parametrise a test with ``cell``, every state and event that do not fit; the test calls ``cell.check()``.

    A market maker is brought into each state by facts, and compared with all it knows. Any other chart is driven there
    with forced guards, unless ``entrance`` makes a machine that is in a given state; ``snapshot`` then says what must
    stay as it is.

    Raises:
        GenerationError: the chart will not do.
    """
    if driver is None and entrance is None:
        driver = _driver_of(chart)
    cells = sneak_cells(chart, driver=driver, entrance=entrance, snapshot=snapshot)
    return _parametrised("cell", cells)


def fault_tests(chart: AnyChart, *, driver: RealDriver[Any] | None = None) -> pytest.MarkDecorator:
    """Parametrise a test with ``case``, every guard and callback in every phase; the test calls ``case.check()``.

    On a market maker each must end in ERROR with the book cancelled and intact, and nothing placed afterwards. Of any
    other chart only the structure is checked.

    Raises:
        GenerationError: the chart will not do.
    """
    return _parametrised("case", fault_cases(chart, driver=driver or _driver_of(chart)))


def _driver_of(chart: type) -> RealDriver[Any] | None:
    return market_maker_driver(chart) if issubclass(chart, MarketMakingStateMachine) else None


class _Case(Protocol):
    @property
    def id(self) -> str: ...


def _parametrised(name: str, cases: Iterable[_Case]) -> pytest.MarkDecorator:
    """Ids that come twice get a number."""
    seen: dict[str, int] = {}
    parameters = []
    for case in cases:
        seen[case.id] = count = seen.get(case.id, 0) + 1
        parameters.append(pytest.param(case, id=case.id if count == 1 else f"{case.id}-{count}"))
    return pytest.mark.parametrize(name, parameters)
