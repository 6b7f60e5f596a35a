"""Adverse selection: what own fills have cost soon after, and what to do about it.

The loss is the worst average maker markout over the horizons below, in bps of the mid, with its sign turned. Beyond
``adverse_selection_bps`` the spread widens by the excess; it stays widened until the loss is below half of that
(hysteresis). Beyond ``adverse_selection_hold_bps`` quoting is held for a while, and again only once as many new fills
as a judgement needs have come in.
"""

from __future__ import annotations

from typing import Final

from attrs import frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.decisions import Hold, HoldReason

HORIZONS_SECONDS: Final = (5, 30)


@frozen(kw_only=True)
class AdverseSelectionVerdict:
    """``excess_bps`` widens the spread; ``hold`` stops both sides for a while."""

    excess_bps: float
    is_widened: bool
    hold: Hold | None


def judge_adverse_selection(context: MarketMakingContext) -> AdverseSelectionVerdict:
    """What recent own fills ask for; nothing before there are enough of them."""
    settings = context.settings
    enough = settings.adverse_selection_minimum_fills
    means = [context.markouts.recent_mean_bps(horizon, minimum_fills=enough) for horizon in HORIZONS_SECONDS]
    loss = max((-mean for mean in means if mean is not None), default=0.0)
    threshold = settings.adverse_selection_bps / (2 if context.is_widened_for_adverse_selection else 1)
    excess = max(loss - threshold, 0.0)
    hold = None
    new_fills = context.maker_fill_count - context.adverse_selection_held_at_fills
    if loss > settings.adverse_selection_hold_bps and new_fills >= enough:
        until = context.now + nanoseconds(settings.adverse_selection_hold_seconds)
        hold = Hold(HoldReason.ADVERSE_SELECTION, f"own fills lose {loss:.1f} bps on average", until)
    return AdverseSelectionVerdict(excess_bps=excess, is_widened=excess > 0, hold=hold)
