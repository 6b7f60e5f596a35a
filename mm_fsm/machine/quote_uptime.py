"""How long each side of the book was live, or held and why: by the times that facts carry."""

from __future__ import annotations

from collections import Counter

from attrs import define, field

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.order_lifecycle import OrderStatus
from mm_fsm.books.orders import OwnOrder
from mm_fsm.core.exact import exact
from mm_fsm.core.instrument import BASIS_POINTS
from mm_fsm.core.messages import SIDES, Side


@define
class QuoteUptime:
    """Adds up nanoseconds by the status that each side had once a step came to rest."""

    held: dict[Side, Counter[str]] = field(factory=lambda: {side: Counter() for side in SIDES})
    """Per side, by hold reason."""
    live: Counter[Side] = field(factory=Counter)
    began_at: int | None = None
    """Time of the first fact."""
    both_live: int = 0
    total: int = 0
    resting: Counter[Side] = field(factory=Counter)
    """Presence as the venue sees it: per side, while a quote was in its book, from acknowledgement to end."""
    both_resting: int = 0
    _rests: dict[Side, bool] = field(factory=lambda: dict.fromkeys(SIDES, False))
    _since: int | None = None

    def advance(self, context: MarketMakingContext) -> None:
        """Count the time since the last call under the status that held meanwhile."""
        since, self._since = self._since, context.now
        if since is None or context.now <= since:
            return
        elapsed = context.now - since
        self.total += elapsed
        is_both = True
        for side in SIDES:
            status = context.sides[side].status
            if status is None:
                self.live[side] += elapsed
            else:
                is_both = False
                self.held[side][status.reason.value] += elapsed
        if is_both:
            self.both_live += elapsed
        for side, rests in self._rests.items():
            self.resting[side] += elapsed * rests
        self.both_resting += elapsed * all(self._rests.values())

    def look(self, context: MarketMakingContext) -> None:
        """See on which sides the venue has a quote of ours, within ``presence_distance_bps`` where that is set."""
        for side in SIDES:
            self._rests[side] = any(_is_present(context, order) for order in context.live_quotes(side))

    @property
    def both_live_share(self) -> float:
        """Share of the time so far with a live quote on both sides, 0 to 1."""
        return self.both_live / self.total if self.total else 0.0

    @property
    def both_resting_share(self) -> float:
        """Share of the time so far in which the venue had quotes on both sides, 0 to 1."""
        return self.both_resting / self.total if self.total else 0.0


def _is_present(context: MarketMakingContext, order: OwnOrder) -> bool:
    """Whether the venue has an order in its book, near enough to the market; one of unknown outcome does not count."""
    if not order.acknowledged or order.status is OrderStatus.UNKNOWN:
        return False
    distance, mid = context.settings.presence_distance_bps, context.mid_price
    if distance is None:
        return True
    return mid is not None and abs(order.price - mid) <= mid * exact(distance) / BASIS_POINTS
