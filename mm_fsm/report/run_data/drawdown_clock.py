"""The largest loss from the best net profit so far, and when it was."""

from __future__ import annotations

from decimal import Decimal

from attrs import define, field

from mm_fsm.core.clock import NANOSECONDS_PER_MILLISECOND
from mm_fsm.core.instrument import ZERO
from mm_fsm.report.figures import Drawdown


@define(eq=False)
class DrawdownClock:
    """Takes the ledger's drawdown, quote currency, whenever it may have changed."""

    now: Decimal = field(init=False, default=ZERO)
    largest: Decimal = field(init=False, default=ZERO)
    _peak_at: int | None = field(init=False, default=None)
    """When the profit was last at its best."""
    _from: int | None = field(init=False, default=None)
    _bottom: int | None = field(init=False, default=None)
    _recovered: int | None = field(init=False, default=None)

    def note(self, now: int, drawdown: Decimal) -> None:
        """At ``now`` the profit lies so far below its best."""
        if self._peak_at is None:
            self._peak_at = now
        if drawdown > self.largest:
            self.largest, self._from, self._bottom, self._recovered = drawdown, self._peak_at, now, None
        if not drawdown:
            self._peak_at = now
            if self._bottom is not None and self._recovered is None:
                self._recovered = now
        self.now = drawdown

    def figures(self, limit: Decimal) -> Drawdown:
        """The figures; ``limit`` is the kill switch's."""
        return Drawdown(
            largest=self.largest,
            from_ms=_milliseconds(self._from),
            bottom_ms=_milliseconds(self._bottom),
            recovered_ms=_milliseconds(self._recovered),
            limit=limit,
        )


def _milliseconds(time: int | None) -> int | None:
    return None if time is None else time // NANOSECONDS_PER_MILLISECOND
