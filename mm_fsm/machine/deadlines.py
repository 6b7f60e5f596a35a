"""When time alone changes something: every deadline of a market maker in one place. Nanoseconds throughout."""

from __future__ import annotations

from collections.abc import Iterator

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.core.clock import nanoseconds


def is_trade_lookup_needed(context: MarketMakingContext) -> bool:
    """Whether own trades are all that is missing before everything is confirmed."""
    return not context.orders.count and context.orders.unconfirmed_since is not None


def next_wake_time(context: MarketMakingContext, *, is_final: bool) -> int | None:
    """The earliest deadline strictly after now; None when time alone changes nothing."""
    now = context.now
    due = [deadline for deadline in _deadlines(context, is_final=is_final) if deadline is not None and deadline > now]
    return min(due, default=None)


def _deadlines(context: MarketMakingContext, *, is_final: bool) -> Iterator[int | None]:
    yield context.orders.next_deadline
    if is_final:
        return
    settings = context.settings
    yield context.session_ends_at
    yield context.balances_query_due
    yield context.reconciliation.due
    if context.market.confirmed_at is not None:
        yield context.market.confirmed_at + nanoseconds(settings.stale_data_seconds)
        yield context.market.confirmed_at + nanoseconds(settings.long_stale_data_seconds)
    if context.last_spread_calculation is not None and context.plan is not None:
        yield context.last_spread_calculation + nanoseconds(settings.refresh_interval_seconds)
        for hold in (context.plan.bid_hold, context.plan.ask_hold):
            yield hold.until if hold is not None else None
    if context.reduction is not None:
        yield context.reduction.retry_at
        yield context.reduction.started_at + nanoseconds(settings.wind_down_passive_seconds)
        yield context.reduction.started_at + nanoseconds(settings.wind_down_deadline_seconds)
    if context.fault is not None:
        yield context.recover_at
    yield context.trades_query_due
