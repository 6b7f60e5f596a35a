"""From ``module:Class`` to a chart that can be drawn."""

from __future__ import annotations

import importlib
import inspect
import re
from types import ModuleType
from typing import Final

from attrs import frozen
from statemachine import StateChart

from mm_fsm.chart import Chart, ChartDefinition, definition_of
from mm_fsm.chart.foreign import read_foreign
from mm_fsm.diagram.problems import ChartLoadError
from mm_fsm.errors import MarketMakerError

DEFAULT_CHARTS: Final = (
    "mm_fsm.machine.market_making:MarketMakingStateMachine",
    "mm_fsm.books.order_lifecycle:OrderLifecycle",
)
"""The charts that this package itself declares."""

_REFERENCE = re.compile(r"(?P<module>\w+(\.\w+)*):(?P<attribute>\w+(\.\w+)*)")


@frozen
class DrawableChart:
    """A chart's definition, and the class whose methods are its guards and callbacks."""

    definition: ChartDefinition
    owner: type | None = None


def drawable(chart: object) -> DrawableChart:
    """A chart's class, ours or python-statemachine's, as something to draw.

    Raises:
        ChartLoadError: it is neither, or a class of python-statemachine that declares no states.
        ChartDefinitionError: it is our ``Chart`` and declares no states.
    """
    if isinstance(chart, type) and issubclass(chart, Chart):
        return DrawableChart(definition_of(chart), chart)
    if isinstance(chart, type) and issubclass(chart, StateChart):
        if not chart.states:
            raise ChartLoadError(
                f"{chart.__module__}:{chart.__qualname__}",
                "expected states, found none.",
                "Name a class that declares its states.",
            )
        return DrawableChart(read_foreign(chart).definition, chart)
    raise ChartLoadError(
        f"{chart.__module__}:{chart.__qualname__}" if isinstance(chart, type) else repr(chart),
        f"expected a class made from mm_fsm.chart.Chart or statemachine.StateChart, found {_kind(chart)}.",
        "Name the class itself, neither an instance nor a module.",
    )


def _kind(found: object) -> str:
    return "another class" if isinstance(found, type) else f"a {type(found).__name__}"


def load_chart(reference: str) -> DrawableChart:
    """The chart that ``module:Class`` names; its module is imported.

    Raises:
        ChartLoadError: the reference is malformed, nothing is there, or what is there is no chart.
        ChartDefinitionError: the chart's declaration is wrong.
    """
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        raise ChartLoadError(
            reference, "expected module:Class, found something else.", f"Write it like {DEFAULT_CHARTS[0]}."
        )
    found: object = _module(reference, match["module"])
    for name in match["attribute"].split("."):
        found = _attribute(reference, found, name)
    if not isinstance(found, type):
        raise ChartLoadError(
            reference, f"expected a class, found {_kind(found)}.", "Name the class itself, not an instance of it."
        )
    return drawable(found)


def _module(reference: str, name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except MarketMakerError:
        raise
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise _broken(reference, name, error) from error
        raise ChartLoadError(
            reference,
            f"expected a module {name!r}, found none called {error.name!r}.",
            "Correct the name, or install the package or add its directory to PYTHONPATH.",
        ) from error
    except Exception as error:  # a module may raise anything while it is imported
        raise _broken(reference, name, error) from error


def _broken(reference: str, module: str, error: Exception) -> ChartLoadError:
    return ChartLoadError(
        reference,
        f"expected module {module!r} to import, found {type(error).__name__}: {error}.",
        f"Make 'python -c \"import {module}\"' succeed first.",
    )


def _attribute(reference: str, owner: object, name: str) -> object:
    try:
        return getattr(owner, name)
    except AttributeError as error:
        raise ChartLoadError(
            reference,
            f"expected an attribute {name!r} of {getattr(owner, '__name__', owner)}, found {_charts_in(owner)}.",
            "Correct the class's name, or go where the module is.",
        ) from error


def _charts_in(owner: object) -> str:
    if not inspect.ismodule(owner):
        return "none"
    if owner.__spec__ is not None and owner.__spec__.origin is None:
        return "only a directory of that name here"
    members = vars(owner).values()
    charts = {
        member.__name__
        for member in members
        if isinstance(member, type) and issubclass(member, (Chart, StateChart)) and member.__module__ == owner.__name__
    }
    return f"the charts {sorted(charts)}" if charts else "no chart in that module"
