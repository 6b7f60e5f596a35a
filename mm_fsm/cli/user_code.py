"""Machines of other people's modules: by module and class, or by the name that an installed package gives them.

An entry point of the group ``mm_fsm.machines`` names a machine's class.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Final

from attrs import frozen

from mm_fsm.core.suggestions import did_you_mean
from mm_fsm.errors import MarketMakerError, PluginError
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.quoting import QuotingMachine
from mm_fsm.machine.strategy import StrategyMachine

GROUP: Final = "mm_fsm.machines"


@frozen(kw_only=True)
class RegisteredMachine:
    """One machine that ``--machine`` can name."""

    name: str
    origin: str
    """The package that brings it."""
    target: str
    """``module:class``."""
    problem: str | None
    """Why it would be refused; None where it can be loaded."""


def registered_machines() -> Iterator[RegisteredMachine]:
    """Every machine that an installed package names. Each is loaded once, to see whether it can be."""
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        problem = None
        try:
            load_machine(point.name)
        except MarketMakerError as error:
            problem = str(error)
        origin = point.dist.name if point.dist is not None else "unknown"
        yield RegisteredMachine(name=point.name, origin=origin, target=point.value, problem=problem)


def find_modules_here() -> None:
    """Let modules of the current directory be imported, as with ``python -m``."""
    if "" not in sys.path:
        sys.path.insert(0, "")


def load_machine(reference: str | None) -> type[QuotingMachine]:
    """The market maker's class that ``module:class`` or a registered name means; None means the shipped one.

    Raises:
        MarketMakerError: the reference is malformed, nothing is there, or what is there is no market maker.
    """
    if reference is None:
        return MarketMakingStateMachine
    found = load_strategy(reference)
    if not issubclass(found, QuotingMachine):
        raise PluginError(
            f"--machine {reference}: expected a market maker, found another strategy. Make its class from "
            "mm_fsm.MarketMakingStateMachine, or run it by a program of its own, as docs/strategies.md shows."
        )
    return found


def load_strategy(reference: str) -> type[StrategyMachine]:
    """The class of any strategy that ``module:class`` or a registered name means.

    Raises:
        MarketMakerError: the reference is malformed, nothing is there, or what is there is no strategy.
    """
    from mm_fsm.diagram import load_chart  # noqa: PLC0415 - what draws is needed here only

    find_modules_here()
    found = load_chart(reference if ":" in reference else _target(reference)).owner
    if found is None or not issubclass(found, StrategyMachine):
        raise PluginError(
            f"--machine {reference}: expected a strategy, found another chart. Make its class from "
            "mm_fsm.MarketMakingStateMachine, or from mm_fsm.StrategyMachine."
        )
    return found


def _target(name: str) -> str:
    targets = {point.name: point.value for point in entry_points(group=GROUP)}
    if name in targets:
        return targets[name]
    install = f"Write MODULE:CLASS, or install the package that names it under the entry point group {GROUP!r}."
    registered = f"one of {sorted(targets)}" if targets else "MODULE:CLASS"
    raise PluginError(
        f"--machine {name}: expected {registered}, found {name!r}. {did_you_mean(name, targets, install)}"
    )
