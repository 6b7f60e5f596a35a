"""Tests along planned paths: ``fsm_paths`` parametrises a test with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from attrs import field, frozen

from mm_fsm.chart import EdgeDefinition
from mm_fsm.testing.driving.driver import Driven, Driver
from mm_fsm.testing.driving.drivers import driver_of
from mm_fsm.testing.paths.plans import explore_paths, plan_paths

_NAMED = 3
"""Events at the beginning of a path that its name has."""


@frozen
class ChartPath:
    """A way through a chart from its initial state."""

    driver: Driver = field(repr=False)
    places: tuple[int, ...]
    """Places of its edges in the chart's definition."""

    @property
    def edges(self) -> tuple[EdgeDefinition, ...]:
        """Its edges."""
        return tuple(self.driver.model.definition.edges[place] for place in self.places)

    def run(self) -> Driven:
        """Take it with a new machine, and return that for more to be asserted of it.

        Raises:
            StrayedError: the machine did not take exactly these edges; InfeasibleError where its guards are real.
        """
        return self.driver.start(*self.places)

    def __str__(self) -> str:
        """Its events; of a long path the first ones, the last one and how many there are."""
        events = [edge.event.strip("()").replace(" ", "_") for edge in self.edges]
        if len(events) > _NAMED + 1:
            events = [*events[:_NAMED], f"{len(events) - _NAMED - 1}_more", events[-1]]
        return "-".join(events) or "nothing"


def fsm_paths(
    chart: type | Driver,
    criterion: str = "transitions",
    *,
    exclude: Mapping[str, str] | None = None,
    reset_cost: int = 1,
    explore: bool = False,
) -> pytest.MarkDecorator:
    """Parametrise a test with paths that meet a criterion, as ``path``.

    What no path can take is a case of its own, which is skipped with the reason.

    Args:
        chart: a chart's class, whose guards are forced then, or a driver.
        criterion: ``states``, ``transitions``, ``pairs`` or ``roundtrip``.
        exclude: what cannot be taken, by coverage's keys, ``*`` standing for anything, with the reason.
        reset_cost: what a new machine costs, in edges taken: 0 for many short paths, a large number for few.
        explore: whether to try all of it while tests are collected, and leave out what real guards cannot be made to
            let through, with the path that was tried. A gate on coverage has to notice when that becomes more.

    Raises:
        UnsupportedChartError: paths cannot be planned on this chart for this criterion, or an exclusion fits nothing.
        ValueError: there are no paths for such a criterion, or ``reset_cost`` is negative.
    """
    driver = driver_of(chart)
    plan = (explore_paths if explore else plan_paths)(driver, criterion, exclude=exclude, reset_cost=reset_cost)
    paths = [ChartPath(driver, places) for places in plan.paths]
    return pytest.mark.parametrize("path", [*_cases(paths), *left_out_cases(plan.left_out)])


def _cases(paths: Sequence[ChartPath]) -> list[object]:
    width = len(str(len(paths)))
    return [pytest.param(path, id=f"{number:0{width}}-{path}") for number, path in enumerate(paths, start=1)]


def left_out_cases(left_out: Mapping[str, str]) -> list[object]:
    """A skipped case for everything that is not tested, so that it is listed."""
    return [
        pytest.param(None, id=f"left out: {key}", marks=pytest.mark.skip(reason=f"{key}: {reason}"))
        for key, reason in left_out.items()
    ]
