"""The driver that fits a chart, by what kind of chart it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from statemachine import StateChart

from mm_fsm.chart import Chart
from mm_fsm.machine.strategy import StrategyMachine
from mm_fsm.testing.driving.driver import Condition, Driver
from mm_fsm.testing.driving.engines import ChartDriver, EngineDriver
from mm_fsm.testing.driving.machines import MachineDriver
from mm_fsm.testing.problems import UnsupportedChartError


def driver_of(chart: type | Driver) -> Driver:
    """A driver as it is; a chart's class is driven by force.

    Raises:
        UnsupportedChartError: it is no chart.
    """
    return chart if isinstance(chart, Driver) else forced(chart)


def forced(chart: type, make: Callable[[], Any] | None = None, *, stubbed: bool = False) -> Driver:
    """Drive a chart with guards that answer what the test wants: its structure.

    Args:
        chart: one of our charts, or any class of python-statemachine.
        make: makes one machine. Without it a foreign class is called without arguments, and of our charts only the
            engine and the gate run, without callbacks. A machine of ours that it makes is driven by its steps.
        stubbed: whether callbacks do nothing; of a machine of ours only engine and gate run then.

    Raises:
        UnsupportedChartError: it is no chart.
    """
    return _driver(chart, make, None, stubbed=stubbed)


def real(chart: type, conditions: Mapping[str, Condition], make: Callable[[], Any] | None = None) -> Driver:
    """Drive a chart with its own guards, which ``conditions`` makes true or false on the machine.

    Args:
        chart: one of our charts, or any class of python-statemachine.
        conditions: by the guard's name, how it is made true and how false. What is missing is left as it is.
        make: makes one machine; without it the class is called without arguments.

    Raises:
        UnsupportedChartError: it is no chart, or a condition is for a guard that it does not have.
    """
    driver = _driver(chart, make or chart, conditions, stubbed=False)
    unknown = sorted(conditions.keys() - set(driver.model.definition.guard_names))
    if unknown:
        raise UnsupportedChartError(
            driver.model.reference,
            f"conditions are given for {unknown}, which are no guards of it.",
            f"Its guards are {list(driver.model.definition.guard_names)}.",
        )
    return driver


def _driver(
    chart: type, make: Callable[[], Any] | None, conditions: Mapping[str, Condition] | None, *, stubbed: bool
) -> Driver:
    if isinstance(chart, type) and issubclass(chart, StrategyMachine) and make is not None and not stubbed:
        return MachineDriver(chart, make, conditions=conditions)
    if isinstance(chart, type) and issubclass(chart, Chart):
        return ChartDriver(chart, None if stubbed else make, conditions=conditions)
    if isinstance(chart, type) and issubclass(chart, StateChart) and chart.states:
        return EngineDriver(chart, make, conditions=conditions, stubbed=stubbed)
    raise UnsupportedChartError(
        getattr(chart, "__qualname__", repr(chart)),
        "it is no chart with states.",
        "Name a class made from mm_fsm.chart.Chart or statemachine.StateChart.",
    )
