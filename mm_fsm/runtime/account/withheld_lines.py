"""Log lines about placements that never left: one now and then for each market and purpose, with their number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from attrs import define, field
from loguru import logger

from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.messages import OrderPurpose, PlaceOrder

LINE_SECONDS: Final = 10.0
"""Between two such lines: a spent allowance withholds many placements a second."""
_WHAT_IS_DONE: Final[Mapping[OrderPurpose, str]] = MappingProxyType(
    {
        OrderPurpose.QUOTE: "the quotes are priced anew",
        OrderPurpose.ADJUSTMENT: "the position is adjusted by another order",
        OrderPurpose.WIND_DOWN: "the wind-down goes on with another order",
    }
)


@define(eq=False)
class WithheldLines:
    """Of one account. Times are host time, nanoseconds."""

    _untold: Counter[tuple[str, OrderPurpose]] = field(factory=Counter, init=False)
    _next: dict[tuple[str, OrderPurpose], int] = field(factory=dict, init=False)

    def note(self, order: PlaceOrder, reason: str, now: int) -> None:
        """A placement was withheld."""
        kind = (order.symbol, order.purpose)
        self._untold[kind] += 1
        if now < self._next.get(kind, 0):
            return
        self._next[kind] = now + nanoseconds(LINE_SECONDS)
        told = {"symbol": order.symbol, "placements": self._untold.pop(kind), "reason": reason}
        logger.bind(**told, doing=_WHAT_IS_DONE[order.purpose]).info("account.placements_withheld")
