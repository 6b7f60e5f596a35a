"""When time alone changes something: every deadline of a market maker in one place. Nanoseconds throughout."""

from __future__ import annotations

from attrs import frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.settings import MarketMakingSettings


def is_trade_lookup_needed(context: MarketMakingContext) -> bool:
    """Whether own trades are all that is missing before everything is confirmed."""
    return not context.orders.count and context.orders.unconfirmed_since is not None


@frozen
class Deadlines:
    """The durations of the settings, converted once: the deadlines are asked for after every fact."""

    settings: MarketMakingSettings
    stale: int
    long_stale: int
    refresh: int
    passive: int
    wind_down: int

    @classmethod
    def of(cls, settings: MarketMakingSettings) -> Deadlines:
        """The deadlines that these settings ask for."""
        return cls(
            settings,
            stale=nanoseconds(settings.stale_data_seconds),
            long_stale=nanoseconds(settings.long_stale_data_seconds),
            refresh=nanoseconds(settings.refresh_interval_seconds),
            passive=nanoseconds(settings.wind_down_passive_seconds),
            wind_down=nanoseconds(settings.wind_down_deadline_seconds),
        )

    def next_wake_time(self, context: MarketMakingContext, *, is_final: bool) -> int | None:
        """The earliest deadline strictly after now; None when time alone changes nothing."""
        now, deadline = context.now, context.orders.next_deadline
        due = [] if deadline is None else [deadline]
        if not is_final:
            self._add_others(context, due)
        due = [deadline for deadline in due if deadline > now]
        return min(due) if due else None

    def _add_others(self, context: MarketMakingContext, due: list[int]) -> None:
        due += (context.balances_query_due, context.reconciliation.due, context.trades_query_due)
        if context.session_ends_at is not None:
            due.append(context.session_ends_at)
        confirmed, plan, calculated = context.market.confirmed_at, context.plan, context.last_spread_calculation
        if confirmed is not None:
            due += (confirmed + self.stale, confirmed + self.long_stale)
        if plan is not None and calculated is not None:
            due.append(calculated + self.refresh)
            due += [
                hold.until for hold in (plan.bid_hold, plan.ask_hold) if hold is not None and hold.until is not None
            ]
        reduction = context.reduction
        if reduction is not None:
            started_at = reduction.started_at
            due += (reduction.retry_at, started_at + self.passive, started_at + self.wind_down)
        if context.fault is not None:
            due.append(context.recover_at)
