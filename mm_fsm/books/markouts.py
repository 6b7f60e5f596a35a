"""Markouts: what became of the price after own fills, and the split of a spread into what was kept and what was lost.

A maker's markout at a horizon h is sign * (m_h - price), sign +1 when the maker bought, in basis points of the mid at
the fill. m_h is the mid prevailing h after the fill: the last one observed at or before that time. Below zero, the
price went against the maker: adverse selection.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from attrs import define, field, frozen

from mm_fsm.books.exact import EXACT
from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.messages import Side
from mm_fsm.errors import FactRefusedError, SettingsError

REPORT_HORIZONS_SECONDS: Final = (1.0, 5.0, 30.0, 60.0, 300.0)
_BASIS_POINTS: Final = 10_000.0


@frozen
class SpreadSplit:
    """Half-spreads of one trade, quote per base, positive when the maker gained: effective = realized + impact."""

    effective: Decimal
    """What the taker paid against the mid before the trade."""
    realized: Decimal
    """What of it the maker kept once the mid had moved."""
    impact: Decimal
    """What the move of the mid took from the maker."""


def split_spread(maker_side: Side, price: Decimal, mid: Decimal, later_mid: Decimal) -> SpreadSplit:
    """Split a trade's effective half-spread into realised half-spread and impact, exactly.

    With D = +1 when the taker bought: D (price - mid) = D (price - later_mid) + D (later_mid - mid). The realised
    half-spread is the maker's markout. Prices are quote per base: ``mid`` before the trade, ``later_mid`` at a horizon.
    """
    legs = ((mid, price), (later_mid, price), (mid, later_mid))
    if maker_side is Side.BID:
        legs = ((price, mid), (price, later_mid), (later_mid, mid))
    return SpreadSplit(*(EXACT.subtract(end, start) for start, end in legs))


@frozen
class MarkoutFigures:
    """Markouts of the fills whose horizon has passed, basis points of the mid at the fill."""

    count: int
    quantity: float
    """Total, in the unit the fills were recorded in."""
    trade_weighted_bps: float | None
    """Mean over fills; None while there are none."""
    volume_weighted_bps: float | None
    """Mean weighted with quantity; None while there are none."""


@define
class _Sums:
    count: int = 0
    quantity: float = 0.0
    bps: float = 0.0
    weighted_bps: float = 0.0

    def add(self, bps: float, quantity: float) -> None:
        self.count += 1
        self.quantity += quantity
        self.bps += bps
        self.weighted_bps += bps * quantity


@define
class _Horizon:
    duration: int
    """Nanoseconds."""
    sides: Mapping[Side, _Sums]
    recent: deque[float]


_Due = tuple[int, int, float, Side, float, float, float]
"""Time, sequence that settles ties, then horizon in seconds, side, price, quantity and mid at the fill."""


@define(eq=False)
class MarkoutTracker:
    """Own fills followed up to each horizon. Waiting fills are dropped as their horizons pass, so memory is bounded.

    Args:
        horizons_seconds: distinct times after a fill at which it is marked.
        window: number of the latest fills that the recent mean covers.

    Raises:
        SettingsError: there is no horizon, one is not positive and finite or is there twice, or the window is empty.
    """

    horizons_seconds: tuple[float, ...] = REPORT_HORIZONS_SECONDS
    window: int = field(default=100, kw_only=True)
    unmeasured: int = field(init=False, default=0)
    """Horizons that had passed before their fill was recorded: the mid at that time was no longer known."""

    _horizons: dict[float, _Horizon] = field(init=False)
    _pending: list[_Due] = field(init=False, factory=list)
    _fills: int = field(init=False, default=0)
    _observed_at: int = field(init=False, default=-1)
    _mid: float | None = field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        horizons, remedy = self.horizons_seconds, "Correct the value."
        are_usable = all(math.isfinite(horizon) and nanoseconds(horizon) > 0 for horizon in horizons)
        if not horizons or not are_usable or len(set(horizons)) < len(horizons):
            raise SettingsError("horizons_seconds", "distinct positive finite seconds", horizons, remedy)
        if self.window < 1:
            raise SettingsError("window", "at least 1", self.window, remedy)
        self._horizons = {
            horizon: _Horizon(nanoseconds(horizon), {side: _Sums() for side in Side}, deque(maxlen=self.window))
            for horizon in horizons
        }

    def observe(self, time: int, mid: float) -> None:
        """Take the mid at ``time``, nanoseconds, after settling every horizon due before it with the mid until then.

        Of several mids at one time the last counts; a time before an earlier one is ignored.

        Raises:
            FactRefusedError: ``mid`` is not finite or not positive.
        """
        if not 0.0 < mid < math.inf:
            raise FactRefusedError("MarketBook", "mid", "a positive finite number", mid)
        if time < self._observed_at:
            return
        pending, prevailing = self._pending, self._mid
        if prevailing is not None:
            while pending and pending[0][0] < time:
                self._settle(heapq.heappop(pending), prevailing)
        self._observed_at = time
        self._mid = mid

    def record_fill(self, time: int, side: Side, price: float, quantity: float, mid_at_fill: float) -> None:
        """Follow an own fill at ``time``, nanoseconds; ``side`` BID bought.

        A fill that is recorded late is followed over the horizons that are still ahead.

        Raises:
            FactRefusedError: ``price``, ``quantity`` or ``mid_at_fill`` is not finite or not positive.
        """
        for name, value in (("price", price), ("quantity", quantity), ("mid_at_fill", mid_at_fill)):
            if not 0.0 < value < math.inf:
                raise FactRefusedError("OrderFilled", name, "a positive finite number", value)
        if self._mid is None:
            self._mid = mid_at_fill
        for seconds, horizon in self._horizons.items():
            due = time + horizon.duration
            if due < self._observed_at:
                self.unmeasured += 1
            else:
                heapq.heappush(self._pending, (due, self._fills, seconds, side, price, quantity, mid_at_fill))
        self._fills += 1

    def figures(self, horizon_seconds: float, side: Side | None = None) -> MarkoutFigures:
        """Markouts at one horizon, of fills on one side or on both.

        Raises:
            SettingsError: the horizon is not tracked.
        """
        sums = self._horizon(horizon_seconds).sides
        chosen = [sums[each] for each in Side if side is None or each is side]
        count = sum(each.count for each in chosen)
        quantity = sum(each.quantity for each in chosen)
        return MarkoutFigures(
            count=count,
            quantity=quantity,
            trade_weighted_bps=sum(each.bps for each in chosen) / count if count else None,
            volume_weighted_bps=sum(each.weighted_bps for each in chosen) / quantity if count else None,
        )

    def recent_mean_bps(self, horizon_seconds: float, minimum_fills: int = 30) -> float | None:
        """Mean markout of the latest settled fills, each counting alike; None with fewer than ``minimum_fills``.

        Raises:
            SettingsError: the horizon is not tracked, or ``minimum_fills`` is not in 1 to ``window``.
        """
        if not 1 <= minimum_fills <= self.window:
            raise SettingsError("minimum_fills", f"1 to the window of {self.window}", minimum_fills, "Correct it.")
        recent = self._horizon(horizon_seconds).recent
        return math.fsum(recent) / len(recent) if len(recent) >= minimum_fills else None

    def snapshot(self) -> tuple[object, ...]:
        """Counts and sums in a fixed order, for digests; fills still followed, and those in the window, by number."""
        sums = [
            (side.count, side.quantity, side.bps, side.weighted_bps)
            for horizon in self._horizons.values()
            for side in horizon.sides.values()
        ]
        return (self._observed_at, self._mid, self._fills, self.unmeasured, len(self._pending), *sums)

    def _horizon(self, horizon_seconds: float) -> _Horizon:
        horizon = self._horizons.get(horizon_seconds)
        if horizon is None:
            raise SettingsError(
                "horizon_seconds", f"one of {self.horizons_seconds}", horizon_seconds, "Ask for one that is tracked."
            )
        return horizon

    def _settle(self, due: _Due, mid: float) -> None:
        _, _, seconds, side, price, quantity, mid_at_fill = due
        bps = side.sign * (mid - price) / mid_at_fill * _BASIS_POINTS
        horizon = self._horizons[seconds]
        horizon.sides[side].add(bps, quantity)
        horizon.recent.append(bps)
