"""When time alone changes something: every deadline of a market maker in one place. Nanoseconds throughout."""

from __future__ import annotations

from attrs import frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.core.clock import NEVER, nanoseconds
from mm_fsm.core.decisions import Hold
from mm_fsm.core.messages import SIDES
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

    def next_but_of_data(self, context: MarketMakingContext, *, is_final: bool) -> int:
        """The earliest deadline strictly after now of all but the age of market data; ``NEVER`` where there is none."""
        now, earliest = context.now, NEVER
        is_suspended, orders = context.are_requests_suspended, context.orders
        deadline = orders.next_answer_due if is_suspended else orders.next_deadline
        if deadline is not None and deadline > now:
            earliest = deadline
        if is_suspended and context.requests_suspended_until < earliest:
            earliest = context.requests_suspended_until
        if not is_final:
            for deadline in self._others(context):
                if now < deadline < earliest:
                    earliest = deadline
        return earliest

    def data_is_stale_at(self, context: MarketMakingContext) -> int:
        """When market data is too old unless more comes; in the past before there is any."""
        confirmed = context.market.confirmed_at
        return 0 if confirmed is None else confirmed + self.stale

    def next_of_data(self, context: MarketMakingContext) -> int:
        """When the age of market data next changes something; ``NEVER`` when it does no more."""
        confirmed, now = context.market.confirmed_at, context.now
        if confirmed is None or now >= confirmed + self.long_stale:
            return NEVER
        return confirmed + (self.stale if now < confirmed + self.stale else self.long_stale)

    def _others(self, context: MarketMakingContext) -> tuple[int, ...]:
        """Every deadline but those of orders and data; ``NEVER`` or one that is past where there is none."""
        ends_at = NEVER if context.session_ends_at is None else context.session_ends_at
        believed = NEVER if context.reference.deadline is None else context.reference.deadline
        due: tuple[int, ...] = (
            ends_at, context.balances_query_due, context.reconciliation.due, context.trades_query_due, believed
        )  # fmt: skip
        plan, calculated, reduction = context.plan, context.last_spread_calculation, context.reduction
        if plan is not None and calculated is not None:
            due = (*due, calculated + self.refresh)
            for side in SIDES:
                due = (*due, _end_of(plan.hold(side)), _end_of(context.sides[side].refusal))
        if reduction is not None:
            started_at = reduction.started_at
            due = (*due, reduction.retry_at, started_at + self.passive, started_at + self.wind_down)
        return due if context.fault is None else (*due, context.recover_at)


def _end_of(hold: Hold | None) -> int:
    return NEVER if hold is None or hold.until is None else hold.until
