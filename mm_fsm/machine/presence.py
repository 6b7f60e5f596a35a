"""Which side of the book is live, or why it is held, and for how long: by the times that facts carry."""

from __future__ import annotations

from collections import Counter

from attrs import define, field

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.core.decisions import Hold, HoldReason
from mm_fsm.core.messages import SIDES, Side


@define
class Presence:
    """Accumulates nanoseconds. Status is taken once a step has come to rest."""

    held: dict[Side, Counter[str]] = field(factory=lambda: {side: Counter() for side in SIDES})
    """Per side, by hold reason."""
    live: Counter[Side] = field(factory=Counter)
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


def find_side_status(context: MarketMakingContext, side: Side, market_hold: Hold | None) -> Hold | None:
    """None while a quote rests on the side and stays; else the reason why none does.

    ``market_hold`` is why nobody would be quoted now.
    """
    quotes = context.live_quotes(side)
    if any(order.is_resting for order in quotes):
        return None
    in_state = _hold_of_state(context, market_hold)
    if in_state is not None:
        return in_state
    if any(order.is_unknown for order in quotes):
        return Hold(HoldReason.UNKNOWN_ORDER, "an order of this side has an unknown outcome")
    if any(order.is_request_outstanding for order in quotes):
        return Hold(HoldReason.ORDERS_IN_FLIGHT, "a request awaits its answer")
    planned = context.plan.hold(side) if context.plan is not None else None
    return planned or context.sides[side].refusal or Hold(HoldReason.ORDERS_IN_FLIGHT, "about to be quoted")


def _hold_of_state(  # noqa: PLR0911 - one line a reason
    context: MarketMakingContext, market_hold: Hold | None
) -> Hold | None:
    if context.is_stopping:
        return Hold(HoldReason.STOPPING, context.stop_reason)
    if context.fault is not None:
        return Hold(HoldReason.FAULT, context.fault.reason)
    if context.reduction is not None:
        return Hold(HoldReason.ADJUSTING_INVENTORY, "the position is being reduced")
    if not context.reconciliation.is_complete:
        return Hold(HoldReason.RECONCILING, context.reconciliation.detail)
    if context.plan is None:
        if market_hold is not None:
            return market_hold
        if context.balances_reported_at is None:
            return Hold(HoldReason.WAITING_FOR_BALANCES, "the venue has not reported balances yet")
    return None
