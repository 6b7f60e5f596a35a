"""Machines of other people's modules, by name."""

from __future__ import annotations

import sys

from mm_fsm.errors import PluginError
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.quoting import QuotingMachine


def find_modules_here() -> None:
    """Let modules of the current directory be imported, as with ``python -m``."""
    if "" not in sys.path:
        sys.path.insert(0, "")


def load_machine(reference: str | None) -> type[QuotingMachine]:
    """The machine's class that ``module:class`` names; None names the shipped one.

    Raises:
        MarketMakerError: the reference is malformed, nothing is there, or what is there is no market maker.
    """
    if reference is None:
        return MarketMakingStateMachine
    from mm_fsm.diagram import load_chart  # noqa: PLC0415 - what draws is needed here only

    find_modules_here()
    found = load_chart(reference).owner
    if found is None or not issubclass(found, QuotingMachine):
        raise PluginError(
            f"--machine {reference}: expected a market maker, found another chart. "
            "Make its class from mm_fsm.MarketMakingStateMachine."
        )
    return found
