"""Log lines about placements that never left: one now and then for each market, with how many there were."""

from __future__ import annotations

from collections import Counter
from typing import Final

from attrs import define, field
from loguru import logger

from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.messages import PlaceOrder

LINE_SECONDS: Final = 10.0
"""Between two lines about one market: a spent allowance withholds many placements a second."""


@define(eq=False)
class WithheldLines:
    """Of one account. Times are host time, nanoseconds."""

    _untold: Counter[str] = field(factory=Counter, init=False)
    _next: dict[str, int] = field(factory=dict, init=False)

    def note(self, order: PlaceOrder, reason: str, now: int) -> None:
        """A placement was withheld."""
        symbol = order.symbol
        self._untold[symbol] += 1
        if now < self._next.get(symbol, 0):
            return
        self._next[symbol] = now + nanoseconds(LINE_SECONDS)
        told = {"symbol": symbol, "placements": self._untold.pop(symbol), "reason": reason}
        logger.bind(**told, doing="the quotes are priced anew").info("account.placements_withheld")
