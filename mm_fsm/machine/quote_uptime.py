"""How long each side of the book was live, or held and why: by the times that facts carry."""

from __future__ import annotations

from collections import Counter

from attrs import define, field

from mm_fsm.books.context import MarketMakingContext
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

    @property
    def both_live_share(self) -> float:
        """Share of the time so far with a live quote on both sides, 0 to 1."""
        return self.both_live / self.total if self.total else 0.0
