"""What generated tests run on: how a machine is made where the user does not say, and what cannot be tested so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

from statemachine import StateChart

from mm_fsm.chart import Chart
from mm_fsm.coverage.model import ChartModel
from mm_fsm.coverage.reading import EngineReading, read_engine, read_engine_of, reference_of
from mm_fsm.machine.strategy import StrategyMachine
from mm_fsm.testing.driving.driver import Driver
from mm_fsm.testing.driving.drivers import forced
from mm_fsm.testing.driving.machines import COMMANDS, FactFor, MachineDriver
from mm_fsm.testing.problems import UnsupportedChartError
from mm_fsm.testing.subjects.registry import is_known, subject_of
from mm_fsm.testing.subjects.subject import ServicesFactory


def maker_of(
    chart: type, make: Callable[[], Any] | None = None, services: ServicesFactory | None = None
) -> Callable[[], Any]:
    """How one machine is made.

    Raises:
        UnsupportedChartError: it has to be said, or services are given to something that has none.
    """
    subject = subject_of(chart)
    if services is not None and (make is not None or not subject.service_methods):
        raise UnsupportedChartError(
            reference_of(chart),
            "services are given, and only a machine that is made here, and has services, takes them.",
            "Let make give the machine its services.",
        )
    if make is not None:
        return make
    if isinstance(chart, type) and issubclass(chart, StrategyMachine):
        if not is_known(chart):
            subject.make(chart, services)
        return partial(subject.make, chart, services)
    return chart


def driver_for(chart: type, make: Callable[[], Any], commands: Mapping[str, FactFor] | None) -> Driver:
    """Drives a chart with forced guards: a machine of ours by its steps.

    Raises:
        UnsupportedChartError: it is no chart, or facts for commands are given to something that is told none.
    """
    if isinstance(chart, type) and issubclass(chart, StrategyMachine):
        return MachineDriver(chart, make, commands={**COMMANDS, **(commands or {})})
    if commands:
        raise UnsupportedChartError(reference_of(chart), "it is told no facts.", "Leave commands out.")
    return forced(chart, make)


def read_flat(chart: type, purpose: str) -> EngineReading:
    """A chart and its engine.

    Raises:
        UnsupportedChartError: it is no chart, or it has states within states.
    """
    _refuse_nesting(forced(chart).model, purpose)
    return read_engine_of(chart) if issubclass(chart, Chart) else read_engine(cast("type[StateChart[Any]]", chart))


def _refuse_nesting(model: ChartModel, purpose: str) -> None:
    if model.is_flat:
        return
    found = ", ".join(f"{state} is {kind}" for state, kind in model.nesting.items())
    raise UnsupportedChartError(
        model.reference,
        f"{purpose} needs a chart in which one state is active at a time, but {found}.",
        "Test it with fsm_paths and sneak_tests, or split its regions into charts of their own.",
    )
