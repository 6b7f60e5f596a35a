"""Sums that forget: each addend loses weight with its age, whatever the distances between additions."""

from __future__ import annotations

import math
from typing import Final

from attrs import define, field, frozen

from mm_fsm.core.clock import seconds
from mm_fsm.errors import SettingsError

_LN_2: Final = math.log(2)
CONFIDENCE: Final = 1.959963984540054
"""Standard errors to either side of an estimate in its 95 % interval."""


@frozen
class Estimate:
    """A value with its standard error, both in the unit of the value."""

    value: float
    standard_error: float

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval, by the normal approximation."""
        reach = CONFIDENCE * self.standard_error
        return self.value - reach, self.value + reach


def decay_time(name: str, half_life_seconds: float) -> float:
    """Tau in seconds of a half-life; infinite for an estimator that never forgets.

    Raises:
        SettingsError: the half-life is not above 0.
    """
    if not half_life_seconds > 0:
        raise SettingsError(name, "seconds above 0, or infinity", half_life_seconds, "Correct the value.")
    return half_life_seconds / _LN_2


@define(eq=False)
class DecayedSums:
    """Several sums that share one clock. Adding at an earlier time than the latest counts as at the latest.

    Args:
        tau: seconds after which an addend counts 1/e; infinite for no forgetting.
        names: how many sums there are is how many names.
    """

    tau: float
    names: tuple[str, ...]
    time: int | None = field(init=False, default=None)
    """Of the latest addition, nanoseconds; None before the first."""
    values: list[float] = field(init=False)
    weight: float = field(init=False, default=0.0)
    """Sum of the weights of all additions."""
    squared_weight: float = field(init=False, default=0.0)
    """Sum of their squares."""

    def __attrs_post_init__(self) -> None:
        self.values = [0.0] * len(self.names)

    def __getitem__(self, name: str) -> float:
        return self.values[self.names.index(name)]

    def advance(self, time: int) -> float:
        """Let time pass, and say by what every sum was multiplied."""
        if self.time is None:
            self.time = time
            return 1.0
        if time <= self.time:
            return 1.0
        factor = math.exp(-seconds(time - self.time) / self.tau)
        self.time = time
        self.values = [value * factor for value in self.values]
        self.weight *= factor
        self.squared_weight *= factor * factor
        return factor

    def add(self, time: int, *addends: float) -> None:
        """Add one value to each sum."""
        self.advance(time)
        self.values = [value + addend for value, addend in zip(self.values, addends, strict=True)]
        self.weight += 1.0
        self.squared_weight += 1.0

    @property
    def effective_count(self) -> float:
        """How many additions of equal weight would tell as much: (sum of weights)^2 / sum of squared weights."""
        return self.weight**2 / self.squared_weight if self.squared_weight > 0 else 0.0

    def snapshot(self) -> tuple[int | float | None, ...]:
        """Everything that later values depend on."""
        return (self.time, self.weight, self.squared_weight, *self.values)
