"""Which machine wrote a journal: a name to find its class by, and a hash of what its chart declares."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

from mm_fsm.chart import ChartDefinition
from mm_fsm.machine.strategy import StrategyMachine


def chart_fingerprint(cls: type[StrategyMachine], definition: ChartDefinition) -> str:
    """``module:class hash``: equal for equal states, edges, guards and actions, in every process."""
    return f"{_importable_module(cls)}:{cls.__qualname__} {definition.digest[:16]}"


def _importable_module(cls: type) -> str:
    """The name by which another process imports the class's module, also where this one runs it as a script."""
    if cls.__module__ != "__main__":
        return cls.__module__
    main = sys.modules["__main__"]
    spec, file = getattr(main, "__spec__", None), getattr(main, "__file__", None)
    return spec.name if spec is not None else "__main__" if file is None else Path(file).stem


def find_class(place: str) -> type[StrategyMachine]:
    """The machine's class that ``module:class`` names.

    Raises:
        ValueError: there is no such class.
    """
    module, _, name = place.partition(":")
    try:
        found: object = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"expected module:class of a machine, found {place!r} ({error})") from error
    if not (isinstance(found, type) and issubclass(found, StrategyMachine)):
        raise ValueError(  # noqa: TRY004 - what was written is wrong, not what was passed
            f"expected a subclass of StrategyMachine, found {place!r}"
        )
    return found
