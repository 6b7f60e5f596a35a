"""Adverse selection: what own quotes earn once the price has moved, and what to do where that is too little.

A fill is half a round trip, so what a round trip lacks is ``min_edge_bps`` less twice the average net markout of own
quotes at ``adverse_selection_horizon_seconds``, as those quotes would have done without the widening below. Once it
lacks more than ``adverse_selection_bps``, and the whole 95 % interval says that it lacks something, both spreads widen
by what is missing; they stay widened until less than half of ``adverse_selection_bps`` is missing (hysteresis).

What is known ages. While no quote fills, what widens halves every 137 horizons (``KEPT_OF_EARLIER_BATCHES``): quotes
come nearer by and by until somebody trades with them, and the next fill says whether all of it is still needed. By then
earlier fills count as much less.

Quoting is held for a while only where the whole interval says that not even the widest spread makes up for it, and
again only once as many new fills as a judgement needs have come in. The interval is that of ``BatchMeans``.
"""

from __future__ import annotations

from typing import Final

from attrs import frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.decisions import Hold, HoldReason


@frozen(kw_only=True)
class AdverseSelectionVerdict:
    """What a round trip of own quotes lacks, bps of the whole spread; ``widening_bps`` is 0 or above."""

    widening_bps: float
    surely_lacks_bps: float
    """The lower end of the interval of what it lacks."""

    @property
    def is_widened(self) -> bool:
        """Whether the spread widens."""
        return self.widening_bps > 0

    def hold(self, context: MarketMakingContext, room_bps: float) -> Hold | None:
        """Why quoting is held: more is surely missing than ``room_bps``, by which the spread can widen at most."""
        settings = context.settings
        new_fills = context.maker_fill_count - context.adverse_selection_held_at_fills
        if self.surely_lacks_bps <= max(room_bps, 0.0) or new_fills < settings.adverse_selection_minimum_fills:
            return None
        until = context.now + nanoseconds(settings.adverse_selection_hold_seconds)
        detail = f"round trips lack at least {self.surely_lacks_bps:.1f} bps; the spread can widen by {room_bps:.1f}"
        return Hold(HoldReason.ADVERSE_SELECTION, detail, until)


_NOTHING_IS_KNOWN: Final = AdverseSelectionVerdict(widening_bps=0.0, surely_lacks_bps=float("-inf"))


def judge_adverse_selection(context: MarketMakingContext) -> AdverseSelectionVerdict:
    """What own fills ask for; nothing before there are enough of them."""
    settings, edge = context.settings, context.markouts.quote_edge
    if edge.count < settings.adverse_selection_minimum_fills:
        return _NOTHING_IS_KNOWN
    net, left = edge.estimate(), edge.share_left(context.now)
    if net is None or not left:
        return _NOTHING_IS_KNOWN
    lacks, surely = (left * (settings.min_edge_bps - 2 * bps) for bps in (net.value, net.upper))
    if context.is_widened_for_adverse_selection:
        widens = lacks > settings.adverse_selection_bps / 2
    else:
        widens = lacks > settings.adverse_selection_bps and surely > 0
    return AdverseSelectionVerdict(widening_bps=lacks if widens else 0.0, surely_lacks_bps=surely)
