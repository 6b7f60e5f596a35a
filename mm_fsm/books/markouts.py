"""Markouts: what became of the price after own fills, and the split of a spread into what was kept and what was lost.

A maker's markout at a horizon h is sign * (m_h - price), sign +1 when the maker bought, in basis points of the mid at
the fill; net of fees it is less by what the fill paid, in the same unit. m_h is the mid prevailing h after the fill:
the last one observed at or before that time. Below zero, the price went against the maker: adverse selection.

Only the mids of believed books count. A horizon that passes while no book is believed is marked with the next mid
that is, if this comes before twice the horizon has passed; else it is dropped and counted in ``unmeasured``.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, Protocol

from attrs import define, field, frozen

from mm_fsm.books.exact import EXACT
from mm_fsm.books.field_roles import DERIVED
from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.messages import SIDES, Side
from mm_fsm.errors import FactRefusedError, SettingsError
from mm_fsm.estimators.batch_means import BatchMeans, MeanInterval

REPORT_HORIZONS_SECONDS: Final = (1.0, 5.0, 30.0, 60.0, 300.0)
HORIZONS_IN_A_BATCH: Final = 4
"""Length of a batch in horizons. Fills less than a horizon apart share a part of their price path; of batches so long
eleven twelfths of that lie within one batch."""
KEPT_OF_EARLIER_BATCHES: Final = 0.98
"""Of the quotes' edge, after the time of one more batch: half is left after 34 batches, 137 horizons."""
MOST_FOLLOWED: Final = 100_000
"""Horizons that wait at once; the first ones due are dropped beyond."""
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


@frozen(kw_only=True)
class MakerFill:
    """An own fill that added liquidity. Price and mid quote per base, time nanoseconds; ``side`` BID bought.

    Raises:
        FactRefusedError: price, quantity or mid is not finite or not positive, or another number is not finite.
    """

    time: int
    side: Side
    price: float
    quantity: float
    mid: float
    """When it was filled."""
    fee_bps: float = 0.0
    """What it paid, bps of its notional; a rebate is negative."""
    level: int | None = None
    """Of the quote; None for an order that was no quote."""
    widened_bps: float = 0.0
    """How much further from the mid the quote lay for the losses of earlier fills."""

    def __attrs_post_init__(self) -> None:
        for name in ("price", "quantity", "mid"):
            value = getattr(self, name)
            if not 0.0 < value < math.inf:
                raise FactRefusedError("OrderFilled", name, "a positive finite number", value)
        for name in ("fee_bps", "widened_bps"):
            if not math.isfinite(getattr(self, name)):
                raise FactRefusedError("OrderFilled", name, "a finite number", getattr(self, name))

    def markout_bps(self, later_mid: float) -> float:
        """Before fees, bps of the mid at the fill."""
        return self.side.sign * (later_mid - self.price) / self.mid * _BASIS_POINTS

    @property
    def fee_bps_of_mid(self) -> float:
        """What it paid, in the unit of the markout."""
        return self.fee_bps * self.price / self.mid


@frozen
class MarkoutFigures:
    """Markouts of the fills whose horizon has passed, basis points of the mid at the fill."""

    count: int
    quantity: float
    """Total, in the unit the fills were recorded in."""
    trade_weighted_bps: float | None
    """Mean over fills, before fees; None while there are none."""
    volume_weighted_bps: float | None
    """Mean weighted with quantity, before fees; None while there are none."""
    net_by_trade: MeanInterval | None = None
    """Mean over fills, net of fees, with its interval; None while there are none."""
    net_by_volume: MeanInterval | None = None
    """The same weighted with quantity."""


@define(eq=False)
class _Group:
    """Sums over fills of one horizon that are shown together."""

    net_by_trade: BatchMeans
    net_by_volume: BatchMeans
    count: int = 0
    quantity: float = 0.0
    bps: float = 0.0
    weighted_bps: float = 0.0

    @classmethod
    def of(cls, batch: int) -> _Group:
        """An empty group; ``batch`` is the length of its batches, nanoseconds."""
        return cls(BatchMeans(batch), BatchMeans(batch))

    def add(self, fill: MakerFill, bps: float) -> None:
        """Take a markout before fees, bps."""
        self.count += 1
        self.quantity += fill.quantity
        self.bps += bps
        self.weighted_bps += bps * fill.quantity
        net = bps - fill.fee_bps_of_mid
        self.net_by_trade.add(fill.time, net)
        self.net_by_volume.add(fill.time, net, fill.quantity)

    def figures(self) -> MarkoutFigures:
        """As they stand."""
        if not self.count:
            return MarkoutFigures(0, 0.0, None, None)
        by_trade, by_volume = self.bps / self.count, self.weighted_bps / self.quantity
        net = self.net_by_trade.estimate(), self.net_by_volume.estimate()
        return MarkoutFigures(self.count, self.quantity, by_trade, by_volume, *net)

    def snapshot(self) -> tuple[float, ...]:
        """Counts and sums, for digests."""
        return (self.count, self.quantity, self.bps, self.weighted_bps, *self.net_by_volume.snapshot())


def markout_group(horizon_seconds: float) -> _Group:
    """An empty group of fills at one horizon, for a way of telling fills apart that is none of the tracker's."""
    return _Group.of(HORIZONS_IN_A_BATCH * nanoseconds(horizon_seconds))


@define(eq=False)
class _Horizon:
    duration: int
    """Nanoseconds."""
    all: _Group
    sides: Mapping[Side, _Group]
    levels: dict[tuple[Side, int | None], _Group] = field(factory=dict)

    @classmethod
    def of(cls, duration: int) -> _Horizon:
        batch = HORIZONS_IN_A_BATCH * duration
        return cls(duration, _Group.of(batch), {side: _Group.of(batch) for side in SIDES})

    def add(self, fill: MakerFill, bps: float) -> None:
        place = fill.side, fill.level
        level = self.levels.get(place)
        if level is None:
            level = self.levels[place] = _Group.of(HORIZONS_IN_A_BATCH * self.duration)
        for group in (self.all, self.sides[fill.side], level):
            group.add(fill, bps)


class MarkoutListener(Protocol):
    """Is told what becomes of each fill. It only listens: nothing that it does reaches the books."""

    def fill_was_recorded(self, fill: MakerFill) -> None:
        """A fill is followed from now on."""
        ...

    def markout_was_settled(self, fill: MakerFill, horizon: float, bps: float | None) -> None:
        """A horizon, seconds, has passed: the markout before fees, or None where the mid was not known."""
        ...


_Due = tuple[int, int, float, MakerFill]
"""Time, sequence that settles ties, horizon in seconds, fill."""


@define(eq=False)
class MarkoutTracker:
    """Own fills followed up to each horizon. Waiting fills are dropped as their horizons pass, so memory is bounded.

    Args:
        horizons_seconds: distinct times after a fill at which it is marked.
        judged_seconds: the horizon at which the edge of quotes is judged; followed besides where it is none of them.

    Raises:
        SettingsError: there is no horizon, or one is not positive and finite or is there twice.
    """

    horizons_seconds: tuple[float, ...] = REPORT_HORIZONS_SECONDS
    judged_seconds: float = field(default=30.0, kw_only=True)
    unmeasured: int = field(init=False, default=0)
    """Horizons of which the mid was not known: the fill was recorded too late, or no book was believed for too long."""
    quote_edge: BatchMeans = field(init=False)
    """Net markouts of quotes at the judged horizon, weighted with quantity, less what widening for earlier losses gave
    them: what quotes earn without it. It ages with time, whether quotes fill or not."""

    listener: MarkoutListener | None = field(init=False, default=None, repr=False, metadata=DERIVED)
    """Is told of single fills, of which only sums are kept here."""

    _horizons: dict[float, _Horizon] = field(init=False)
    _pending: list[_Due] = field(init=False, factory=list)
    _fills: int = field(init=False, default=0)
    _observed_at: int = field(init=False, default=-1)
    _mid: float | None = field(init=False, default=None)
    _blind_since: int | None = field(init=False, default=None)
    """Since when no book is believed; None while one is."""

    def __attrs_post_init__(self) -> None:
        if self.judged_seconds not in self.horizons_seconds and self.horizons_seconds:
            self.horizons_seconds = tuple(sorted((*self.horizons_seconds, self.judged_seconds)))
        horizons = self.horizons_seconds
        are_usable = all(math.isfinite(horizon) and nanoseconds(horizon) > 0 for horizon in horizons)
        if not horizons or not are_usable or len(set(horizons)) < len(horizons):
            raise SettingsError("horizons_seconds", "distinct positive finite seconds", horizons, "Correct the value.")
        self._horizons = {horizon: _Horizon.of(nanoseconds(horizon)) for horizon in horizons}
        batch = HORIZONS_IN_A_BATCH * nanoseconds(self.judged_seconds)
        self.quote_edge = BatchMeans(batch, KEPT_OF_EARLIER_BATCHES)

    def observe(self, time: int, mid: float) -> None:
        """Take the mid of a believed book at ``time``, nanoseconds, after settling every horizon due before it.

        Of several mids at one time the last counts; a time before an earlier one is ignored.

        Raises:
            FactRefusedError: ``mid`` is not finite or not positive.
        """
        if not 0.0 < mid < math.inf:
            raise FactRefusedError("MarketBook", "mid", "a positive finite number", mid)
        if time < self._observed_at:
            return
        pending = self._pending
        if pending and pending[0][0] < time:
            self._settle_before(time, mid)
        self._observed_at = time
        self._mid = mid
        self._blind_since = None

    def suspend(self, since: int | None) -> None:
        """No book is believed from ``since`` on, nanoseconds, until the next mid; None: since the last mid."""
        if self._blind_since is None:
            self._blind_since = self._observed_at + 1 if since is None else since

    @property
    def is_following(self) -> bool:
        """Whether a fill waits for a horizon."""
        return bool(self._pending)

    def record_fill(self, fill: MakerFill) -> None:
        """Follow an own fill. One that is recorded late is followed over the horizons that are still ahead."""
        if self._mid is None:
            self._mid = fill.mid
        if self.listener is not None:
            self.listener.fill_was_recorded(fill)
        for seconds, horizon in self._horizons.items():
            due = fill.time + horizon.duration
            if due < self._observed_at:
                self._drop(fill, seconds)
            else:
                heapq.heappush(self._pending, (due, self._fills, seconds, fill))
        self._fills += 1
        while len(self._pending) > MOST_FOLLOWED:
            _, _, seconds, dropped = heapq.heappop(self._pending)
            self._drop(dropped, seconds)

    def figures(self, horizon_seconds: float, side: Side | None = None) -> MarkoutFigures:
        """Markouts at one horizon, of fills on one side or on both.

        Raises:
            SettingsError: the horizon is not tracked.
        """
        horizon = self._horizon(horizon_seconds)
        return (horizon.all if side is None else horizon.sides[side]).figures()

    def figures_by_level(self, horizon_seconds: float) -> dict[tuple[Side, int | None], MarkoutFigures]:
        """Markouts at one horizon by side and level of the quote; level None: orders that were no quotes.

        Raises:
            SettingsError: the horizon is not tracked.
        """
        levels = self._horizon(horizon_seconds).levels
        ordered = sorted(levels, key=lambda place: (place[0] is Side.ASK, place[1] is None, place[1] or 0))
        return {place: levels[place].figures() for place in ordered}

    def snapshot(self) -> tuple[object, ...]:
        """Counts and sums in a fixed order, for digests; fills still followed by number."""
        sums = [group.snapshot() for horizon in self._horizons.values() for group in horizon.sides.values()]
        own = (self._observed_at, self._mid, self._blind_since, self._fills, self.unmeasured, len(self._pending))
        return (*own, *self.quote_edge.snapshot(), *sums)

    def _horizon(self, horizon_seconds: float) -> _Horizon:
        horizon = self._horizons.get(horizon_seconds)
        if horizon is None:
            raise SettingsError(
                "horizon_seconds", f"one of {self.horizons_seconds}", horizon_seconds, "Ask for one that is tracked."
            )
        return horizon

    def _settle_before(self, time: int, mid: float) -> None:
        """Settle what was due before ``time``: with the mid prevailing then, or this one where none was believed."""
        pending, prevailing, blind_since = self._pending, self._mid, self._blind_since
        while pending and pending[0][0] < time:
            due, _, seconds, fill = heapq.heappop(pending)
            horizon = self._horizons[seconds]
            if prevailing is not None and (blind_since is None or due < blind_since):
                self._settle(seconds, horizon, fill, prevailing)
            elif time - due <= horizon.duration:
                self._settle(seconds, horizon, fill, mid)
            else:
                self._drop(fill, seconds)

    def _settle(self, seconds: float, horizon: _Horizon, fill: MakerFill, mid: float) -> None:
        bps = fill.markout_bps(mid)
        horizon.add(fill, bps)
        if self.listener is not None:
            self.listener.markout_was_settled(fill, seconds, bps)
        if seconds == self.judged_seconds and fill.level is not None:
            edge = bps - fill.fee_bps_of_mid - fill.widened_bps
            self.quote_edge.add(fill.time, edge, fill.quantity)

    def _drop(self, fill: MakerFill, seconds: float) -> None:
        """Give up a horizon of which the mid is not known."""
        self.unmeasured += 1
        if self.listener is not None:
            self.listener.markout_was_settled(fill, seconds, None)
