"""Where the account stands: equity, the position limit, and how much of it the inventory uses.

Everything is computed once for one price, one position and one report of the venue, since every fact's guards ask.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from attrs import frozen

from mm_fsm.core.decisions import InventoryAssessment
from mm_fsm.core.exact import exact
from mm_fsm.core.instrument import ZERO, InstrumentKind

if TYPE_CHECKING:
    from mm_fsm.books.context import MarketMakingContext


@frozen
class Standing:
    """Where the account stands, and everything that was read to tell it."""

    read_from: tuple[object, ...]
    equity: Decimal | None
    limit_equity: Decimal | None
    limit: Decimal
    assessment: InventoryAssessment


def assess(offset: Decimal, limit: Decimal) -> InventoryAssessment:
    """How much of the limit an offset from the target uses; both in base units."""
    ratio = float(offset / limit) if limit > 0 else (0.0 if offset == 0 else (1.0 if offset > 0 else -1.0))
    return InventoryAssessment(
        offset=offset,
        limit=limit,
        use=abs(ratio) if limit > 0 else (0.0 if offset == 0 else 1.0),
        skew=max(-1.0, min(1.0, ratio)),
        is_over_limit=abs(offset) > limit,
    )


def read_standing(context: MarketMakingContext) -> Standing:
    """Equity, limit and assessment, computed once for one price and one position."""
    ledger = context.ledger
    read_from = (
        context.market.mid_price, context.first_mid_price, context.target_base, context.settings, context.balances,
        ledger.bookings, ledger.sums.reference_price, context.missing_base, context.missing_quote,
    )  # fmt: skip
    standing = context._standing
    if standing is None or standing.read_from != read_from:
        equity = _compute_equity(context)
        at_hand = _compute_limit_equity(context, equity)
        limit = _compute_limit(context, at_hand)
        standing = Standing(read_from, equity, at_hand, limit, assess(context.ledger.position, limit))
        context._standing = standing
    return standing


def _compute_equity(context: MarketMakingContext) -> Decimal | None:
    mid, first, worth = context.mid_price, context.first_mid_price, context.ledger.equity
    if worth is None or mid is None or first is None:
        return None
    worth += context.target_base * mid
    return worth - context.balances.base * first if context.instrument.kind is InstrumentKind.LINEAR else worth


def _compute_limit_equity(context: MarketMakingContext, equity: Decimal | None) -> Decimal | None:
    if equity is None or not (context.missing_base or context.missing_quote):
        return equity
    missing = context.missing_quote
    if context.instrument.kind is InstrumentKind.SPOT:
        missing += context.missing_base * (context.mid_price or ZERO)
    return equity - missing


def _compute_limit(context: MarketMakingContext, equity: Decimal | None) -> Decimal:
    mid = context.mid_price
    if mid is None or equity is None or equity <= 0:
        return ZERO
    settings = context.settings
    limit = min(settings.max_quote_exposure, exact(settings.max_inventory_pct) * equity) / mid
    return limit if settings.max_position_size is None else min(limit, settings.max_position_size)
