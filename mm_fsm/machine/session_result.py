"""The result of a session, read from a machine's books."""

from __future__ import annotations

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.core.clock import NANOSECONDS_PER_MILLISECOND
from mm_fsm.machine.results import StrategyResult


def session_result(
    context: MarketMakingContext,
    strategy_type: str,
    began_at: int | None,
    *,
    is_final: bool,
    transitions: int,
) -> StrategyResult:
    """The figures of the session as of now; money in quote currency, positions in base units.

    It succeeds when it came to its end without a latched fault, within the wind-down's deadline.
    """
    error = _error(context)
    begun_at = began_at if began_at is not None else context.now
    return StrategyResult(
        success=is_final and error is None,
        strategy_id=context.settings.strategy_id,
        strategy_type=strategy_type,
        execution_time_ms=(context.now - begun_at) // NANOSECONDS_PER_MILLISECOND,
        state_transition_count=transitions,
        realized_pnl=context.realized_pnl,
        unrealized_pnl=context.unrealized_pnl,
        total_fees=context.fees_paid,
        orders_executed=context.total_trades,
        error=error,
        additional_data={
            "total_volume": context.total_volume,
            "total_trades": context.total_trades,
            "average_spread_captured": context.average_spread_captured,
            "inventory_pct": context.current_inventory_pct,
            "adjustment_count": context.adjustment_count,
            "fill_rate": context.fill_rate,
            "base_position": context.base_position,
            "quote_position": context.quote_position,
            "inventory_offset": context.inventory_offset,
            "holding_pnl": context.holding_pnl,
            "is_amended": context.late_facts > 0,
            "unpriced_fees": dict(context.incomplete_fills.unpriced_fees),
            "fills_without_fee": context.incomplete_fills.without_fee,
            "fills_of_unknown_liquidity": context.incomplete_fills.without_liquidity,
        },
    )


def _error(context: MarketMakingContext) -> str | None:
    if context.latched:
        return "; ".join(f"{fault.code}: {fault.reason}" for fault in context.latched.values())
    if context.fault is not None:
        return f"{context.fault.code}: {context.fault.reason}"
    if context.is_late:
        return f"the wind-down passed its deadline with {context.inventory_offset} left"
    return None
