"""The criteria. docs/coverage.md defines them with their sources."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Criterion(StrEnum):
    """What may be asked of a test suite, from the weakest to the strongest; sneak paths and mutants stand apart."""

    STATES = "states"
    """Every state has been active."""
    TRANSITIONS = "transitions"
    """Every edge has been taken (0-switch)."""
    GUARDS = "guards"
    """Every guard has answered True, and False."""
    MCDC = "mcdc"
    """Every guard of every edge has alone kept it from being taken, and all have let it pass together."""
    PAIRS = "pairs"
    """Every edge has been taken right after every edge that can come before it (1-switch)."""
    ROUNDTRIP = "roundtrip"
    """Every path of the tree that grows from the initial state until it meets itself has been taken in one go."""
    SNEAK = "sneak"
    """Every event has been sent in every state that does not accept it."""
    MUTATION = "mutation"
    """Every small fault in the chart makes a test fail."""


RECORDED: Final = tuple(criterion for criterion in Criterion if criterion is not Criterion.MUTATION)
"""What one run of the suite tells; mutants have runs of their own."""
