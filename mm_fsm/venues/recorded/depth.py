"""A book kept from changes of its levels."""

from __future__ import annotations

from bisect import bisect_left
from decimal import Decimal
from typing import Final

from attrs import define, field

from mm_fsm.core.messages import BookLevel, Side
from mm_fsm.venues.recorded.layout import Levels

_Sides = tuple[Levels, Levels]
_NOTHING: Final[_Sides] = ((), ())


@define
class DepthBook:
    """All levels of one market, of which the best ``most`` of each side are shown. Prices are quote per base."""

    most: int
    _sizes: dict[Side, dict[Decimal, Decimal]] = field(factory=lambda: {Side.BID: {}, Side.ASK: {}}, init=False)
    _prices: dict[Side, list[Decimal]] = field(factory=lambda: {Side.BID: [], Side.ASK: []}, init=False)
    """Ascending."""
    _shown: _Sides = field(default=_NOTHING, init=False)

    def clear(self, only: Side | None = None, down_to: Decimal | None = None) -> None:
        """Forget levels, as when a snapshot begins.

        Args:
            only: of this side; None for both.
            down_to: those at this price or better; None for all.
        """
        for side in Side if only is None else (only,):
            for price in list(self._prices[side]):
                if down_to is None or (price >= down_to if side is Side.BID else price <= down_to):
                    self.change(side, price, None)

    def change(self, side: Side, price: Decimal, size: Decimal | None) -> None:
        """Set a level's size; None takes the level away."""
        sizes, prices = self._sizes[side], self._prices[side]
        if size is None:
            if sizes.pop(price, None) is not None:
                del prices[bisect_left(prices, price)]
            return
        if price not in sizes:
            prices.insert(bisect_left(prices, price), price)
        sizes[price] = size

    def changed(self) -> _Sides | None:
        """Bids and asks, best first; None when what is shown is what was shown before."""
        bids, asks = self._prices[Side.BID][: -self.most - 1 : -1], self._prices[Side.ASK][: self.most]
        shown = (self._levels(Side.BID, bids), self._levels(Side.ASK, asks))
        if shown == self._shown:
            return None
        self._shown = shown
        return shown

    def _levels(self, side: Side, prices: list[Decimal]) -> Levels:
        sizes = self._sizes[side]
        return tuple(BookLevel(price, sizes[price]) for price in prices)
