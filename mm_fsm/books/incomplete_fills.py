"""What is not known yet of fills that are booked: fees without a price or an amount, and who was the maker.

Position and cash of a fill count at once. What is missing is never taken for 0: it is kept apart until it is told.
"""

from __future__ import annotations

from collections import OrderedDict
from decimal import Decimal
from typing import Final

from attrs import define, field, frozen

from mm_fsm.core.messages import Side

FILLS_WAITING: Final = 5_000
"""How many fills wait for what was not told; of the oldest beyond that only the count is kept."""


@frozen(kw_only=True)
class IncompleteFill:
    """A booked fill of which the venue has not said everything. Price quote per base, quantity contracts."""

    side: Side
    price: Decimal
    quantity: Decimal
    booked_at: int
    """Nanoseconds."""
    mid_price: Decimal
    """When it was booked."""
    lacks_fee: bool
    lacks_liquidity: bool


@define(eq=False)
class IncompleteFills:
    """Of all fills of one machine. Completing one twice, or one that was complete, changes nothing."""

    unpriced_fees: dict[str, Decimal] = field(factory=dict, init=False)
    """Fees in currencies whose price is not known, by currency, in its units; positive when paid."""
    without_fee: int = field(default=0, init=False)
    """Fills whose fee the venue has not told."""
    without_liquidity: int = field(default=0, init=False)
    """Fills of which the venue has not told whether they added or removed liquidity."""
    _waiting: OrderedDict[str, IncompleteFill] = field(factory=OrderedDict, init=False)

    def add(self, trade_id: str, fill: IncompleteFill) -> None:
        """Keep a fill until the rest of it is told."""
        self.without_fee += fill.lacks_fee
        self.without_liquidity += fill.lacks_liquidity
        self._waiting[f"{fill.side} {trade_id}"] = fill
        while len(self._waiting) > FILLS_WAITING:
            self._waiting.popitem(last=False)

    def get(self, trade_id: str, side: Side) -> IncompleteFill | None:
        """The fill that waits for more; None when there is none."""
        return self._waiting.get(f"{side} {trade_id}")

    def replace(self, trade_id: str, old: IncompleteFill, new: IncompleteFill) -> None:
        """More is known of a fill."""
        self.without_fee -= old.lacks_fee - new.lacks_fee
        self.without_liquidity -= old.lacks_liquidity - new.lacks_liquidity
        key = f"{old.side} {trade_id}"
        if new.lacks_fee or new.lacks_liquidity:
            self._waiting[key] = new
        else:
            del self._waiting[key]

    def snapshot(self) -> tuple[object, ...]:
        """Counts and amounts, for digests."""
        fees = tuple(each for pair in sorted(self.unpriced_fees.items()) for each in pair)
        return (self.without_fee, self.without_liquidity, len(self._waiting), *fees)
