"""Decides which faults strike which occasion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from attrs import define, field

from mm_fsm.testing.rehearsal.fault_menu import Fault, FaultKind, Where
from mm_fsm.testing.rehearsal.judge import FaultStruck, RehearsalLog

LASTING: Final = frozenset(
    {
        FaultKind.RATE_LIMITED,
        FaultKind.BANNED,
        FaultKind.MAINTENANCE,
        FaultKind.CLOCK_SKEW,
        FaultKind.NULL_FEES,
    }
)
"""Once begun they strike every fitting occasion until their time is over."""
_ACCOUNT_WIDE: Final = frozenset({FaultKind.BANNED, FaultKind.MAINTENANCE, FaultKind.CLOCK_SKEW})
"""While they last they do not ask where or which market."""


@define
class _Waiting:
    fault: Fault
    passed: int = 0
    struck: int = 0
    until: float = 0.0
    """Seconds after opening at which a lasting fault is over."""

    @property
    def is_spent(self) -> bool:
        return self.struck >= self.fault.times

    def lasts(self, where: Where, symbol: str | None, elapsed: float) -> bool:
        if elapsed >= self.until:
            return False
        return self.fault.kind in _ACCOUNT_WIDE or self.fault.fits(where, symbol)


@define
class FaultScript:
    """The faults that are still to come, and those that last.

    Args:
        elapsed: seconds since the exchange opened.
        log: where each strike is written.
    """

    elapsed: Callable[[], float]
    log: RehearsalLog
    _waiting: list[_Waiting] = field(factory=list, init=False)

    def add(self, faults: Sequence[Fault]) -> None:
        """Let these strike too; times and counts begin as if they had been there from the opening, and now."""
        self._waiting += [_Waiting(fault) for fault in faults]

    def strikes(self, where: Where, symbol: str | None, kinds: frozenset[FaultKind]) -> Fault | None:
        """The fault of one of ``kinds`` that this occasion meets, if any; of several the first one in the script."""
        now = self.elapsed()
        for waiting in self._waiting:
            if waiting.fault.kind not in kinds:
                continue
            if waiting.fault.kind in LASTING and waiting.lasts(where, symbol, now):
                return waiting.fault
            if self._begins(waiting, where, symbol, now):
                return waiting.fault
        return None

    def seconds_left(self, fault: Fault) -> float:
        """How long a lasting fault goes on."""
        return max((waiting.until - self.elapsed() for waiting in self._waiting if waiting.fault is fault), default=0.0)

    def is_lasting(self, kind: FaultKind) -> Fault | None:
        """The fault of that kind that goes on now, if any."""
        now = self.elapsed()
        return next((w.fault for w in self._waiting if w.fault.kind is kind and now < w.until), None)

    @property
    def pending(self) -> tuple[Fault, ...]:
        """Faults that have strikes left."""
        return tuple(waiting.fault for waiting in self._waiting if not waiting.is_spent)

    def _begins(self, waiting: _Waiting, where: Where, symbol: str | None, now: float) -> bool:
        fault = waiting.fault
        if waiting.is_spent or now < fault.at or not fault.fits(where, symbol):
            return False
        if waiting.passed < fault.after:
            waiting.passed += 1
            return False
        waiting.struck += 1
        if fault.kind in LASTING:
            waiting.until = now + fault.seconds
        self.log.write(FaultStruck(time=self.log.now(), fault=fault, where=where, symbol=symbol))
        return True
