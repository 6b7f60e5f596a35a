"""A market maker's bookkeeper: admits and books facts, follows up on orders and questions, knows every deadline."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any, Final

from mm_fsm.books import booking
from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts import StopRequested
from mm_fsm.core.clock import NEVER, nanoseconds
from mm_fsm.core.decisions import Fault, Hold, HoldReason
from mm_fsm.core.messages import SIDES, Fact
from mm_fsm.machine.deadlines import Deadlines
from mm_fsm.machine.desk import OrderIds
from mm_fsm.machine.order_bookkeeper import MarketBookkeeper
from mm_fsm.machine.quote_uptime import QuoteUptime
from mm_fsm.services import permission
from mm_fsm.services.protocols import Services

_MOST_DOUBLINGS: Final = 40
"""Of the wait before a recovery: beyond any wait that settings allow, and short of what a float can hold."""
_COMPLETED: Final = Hold(HoldReason.COMPLETED)


class QuoteBookkeeper(MarketBookkeeper):
    """See the module's description.

    Args:
        context: the books.
        services: only the spread service is asked, why nobody would be quoted.
        ids: what client order ids begin with.
        confirming_states: states that wait until own trades have been looked up after the last order left.
    """

    def __init__(
        self, context: MarketMakingContext, services: Services, ids: OrderIds, confirming_states: frozenset[str]
    ) -> None:
        super().__init__(context, ids)
        self.services = services
        self._uptime = QuoteUptime()
        self._confirming_states = confirming_states
        self._are_sides_to_be_read = True
        self._rests_until: int | None = None
        """While the machine is at rest: when time alone next changes something, but for the age of data."""
        self._rested_until = 0
        """The same while a step is under way that leaves it at rest."""

    @property
    def uptime(self) -> QuoteUptime:
        """Counted until now; nothing is counted before the first fact, for there is no time yet."""
        if self._uptime.began_at is not None:
            self._uptime.advance(self.context)
        return self._uptime

    @property
    def began_at(self) -> int | None:
        """Time of the first fact, nanoseconds."""
        return self._uptime.began_at

    def book(self, fact: Fact, admitted: object, *, is_final: bool) -> str | None:
        """Apply a fact to the books, and find the command in it: a stop, or the end of the session."""
        context = self.context
        fills = context.fill_count
        until, self._rests_until, self.rests = self._rests_until, None, False  # what breaks off in the midst is no rest
        remarks = booking.book(context, fact, admitted)
        self.rests = remarks is None and until is not None and context.now < until and self._is_data_fresh()
        if self.rests and until is not None:
            self._rested_until = until
            return None
        for remark in remarks or ():
            self.draft.explain(remark)
        self._are_sides_to_be_read = self._are_sides_to_be_read or bool(remarks) or not fact.streams
        if self._uptime.began_at is None:
            self._begin_session()
        if is_final:
            context.late_facts += context.fill_count - fills
        if context.is_stopping:
            if context.keeps_position:
                context.reduction = None
            return None
        if context.session_ends_at is not None and context.now >= context.session_ends_at:
            context.stop_reason = context.stop_reason or "the session's time is over"
        is_wanted = bool(context.stop_reason) and not is_final  # until it is carried out: its callback may fail
        return "stop" if is_wanted or isinstance(fact, StopRequested) else None

    def _begin_session(self) -> None:
        context, ids = self.context, self.desk.ids
        self._uptime.began_at = context.now
        self._uptime.advance(context)
        if not ids.has_run_id:
            ids.begin_at(context.settings.strategy_id, context.now)
            context.order_prefix = ids.prefix
        duration = context.settings.session_seconds
        if duration is not None:
            context.session_ends_at = context.now + nanoseconds(duration)

    def follow_up(self, state: str, *, is_final: bool) -> None:
        """Whatever the state: cancel what came alive again, ask about what is not known, look up own trades."""
        self.desk.stage_follow_ups(is_final=is_final, looks_up_trades=state in self._confirming_states)
        has_changed = self._are_sides_to_be_read or self.draft.transitions or self.draft.intents
        if has_changed or self.context.plan is None:
            self._read_sides(is_final=is_final)
        elif self.context.settings.presence_distance_bps is not None:
            self.uptime.look(self.context)

    def find_wake_time(self, *, is_final: bool) -> int | None:
        """The earliest time, after now, at which time alone changes something."""
        context = self.context
        if not self.rests:
            if self._deadlines.settings is not context.settings:
                self._deadlines = Deadlines.of(context.settings)
            self._rested_until = self._deadlines.next_but_of_data(context, is_final=is_final)
        is_quoting = context.plan is not None and not context.stop_reason and not is_final
        if self.rests or (is_quoting and not self.draft.faults and self._is_data_fresh()):
            self._rests_until = self._rested_until
        earliest = self._rested_until
        if not is_final:
            earliest = min(earliest, self._deadlines.next_of_data(context))
        return None if earliest == NEVER else earliest

    def _is_data_fresh(self) -> bool:
        """Whether market data is as new as the settings of the last rest ask for."""
        deadlines, context = self._deadlines, self.context
        return deadlines.settings is context.settings and context.now < deadlines.data_is_stale_at(context)

    def note_fault(self, fault: Fault) -> None:
        """Remember a fault: latch it when it is not transient, and set when recovery may be tried."""
        context, settings = self.context, self.context.settings
        super().note_fault(fault)
        healthy_since = context.healthy_since
        if healthy_since is not None and fault.at >= healthy_since + nanoseconds(settings.recovery_reset_seconds):
            context.recovery_attempts = 0
        context.healthy_since = None
        backoff = settings.recovery_backoff_seconds * 2 ** min(context.recovery_attempts, _MOST_DOUBLINGS)
        wait = nanoseconds(min(backoff, settings.max_recovery_backoff_seconds))
        context.recover_at = context.now + max(wait, 1)

    def cancel_all_live(self, *, is_final: bool) -> None:
        """Every live order has a cancel in flight, whatever services and subclasses do."""
        super().cancel_all_live(is_final=is_final)
        self._read_sides(is_final=is_final)

    def _read_sides(self, *, is_final: bool) -> None:
        self._are_sides_to_be_read = False
        context = self.context
        self._uptime.advance(context)
        is_unpriced = context.plan is None and not (is_final or context.is_stopping or context.fault is not None)
        market_hold = self.services.spreads.hold_market(context) if is_unpriced else None
        machine_hold = permission.first_hold(permission.MACHINE, context)
        for side in SIDES:
            hold = _COMPLETED if is_final else permission.side_status(context, side, machine_hold, market_hold)
            context.sides[side].status = hold
        self._uptime.look(context)

    # -- going on where another left off ----------------------------------------------------------------------------

    def remembered_values(self) -> Mapping[str, object]:
        """Books, quote uptime, order ids."""
        reads = self._are_sides_to_be_read
        return {"context": self.context, "uptime": self.uptime, "order_ids": self.desk.ids, "reads_sides": reads}

    def continue_from(self, values: Mapping[str, Any]) -> None:
        """Go on with the books of another machine."""
        super().continue_from(values)
        self._uptime = values["uptime"]
        self._rests_until = None
        self._are_sides_to_be_read = values["reads_sides"]
        self.want_signals()

    def want_signals(self) -> None:
        """Run the estimators that the services ask for. A service without ``wanted_signals`` asks for none."""
        settings = self.context.settings
        required, *others = (
            getattr(service, "wanted_signals", lambda _settings: ())(settings)
            for service in (self.services.spreads, self.services.orders, self.services.inventory, self.services.risk)
        )
        self.context.signals.want(required, chain.from_iterable(others))
