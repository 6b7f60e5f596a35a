"""What a machine that quotes is made of: its context and services, how it books facts, and how it stages intents.

Beneath the chart: nothing here decides what to do next. ``MarketMakingStateMachine`` adds the chart; another quoting
strategy may add another.
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Final

from attrs import evolve

from mm_fsm.books import booking, reconciling
from mm_fsm.books.context import MarketMakingContext, Reduction
from mm_fsm.books.facts import StopRequested
from mm_fsm.books.orders import OwnOrder
from mm_fsm.chart import ExecutorKind, calls_services
from mm_fsm.core.clock import NANOSECONDS_PER_MILLISECOND, nanoseconds
from mm_fsm.core.decisions import (
    Fault,
    FaultCode,
    Hold,
    HoldReason,
    InventoryAssessment,
    OrderDraft,
    QuotePlan,
    Refusal,
)
from mm_fsm.core.instrument import ZERO, Balances, Fees, Instrument
from mm_fsm.core.messages import SIDES, CancelOrder, Fact, PlaceOrder, QueryBalances, QueryOrder, QueryOwnTrades
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.errors import SettingsError
from mm_fsm.machine import deadlines
from mm_fsm.machine.quote_uptime import QuoteUptime
from mm_fsm.machine.results import StrategyResult
from mm_fsm.machine.session_result import session_result
from mm_fsm.machine.strategy import StrategyMachine
from mm_fsm.services import permission
from mm_fsm.services.protocols import Services
from mm_fsm.services.registry import load_services

_MOST_DOUBLINGS: Final = 40
"""Of the wait before a recovery: beyond any wait that settings allow, and short of what a float can hold."""


class QuotingMachine(StrategyMachine):
    """Context, services, booking, staging and housekeeping of a market maker.

    Args:
        settings: what and how to quote.
        instrument: the venue's rules; its symbol is the settings' symbol.
        fees: what the venue charges.
        balances: the part of the account this machine may use.
        services: the services; by default those that ``settings.services`` names.
        run_id: in every client order id of this run, restarts included; letters and digits. By default the time of
            the first fact, so that a later run never uses an id again.
        session_id: in every client order id of this process, never used before in the run.
        executor: what runs the chart: ``"table"`` or ``"engine"``.

    Raises:
        SettingsError: settings, instrument and fees contradict each other.
        PluginError: a service that the settings name is not there.
    """

    strategy_type: ClassVar[str] = "market_making"
    remembered: ClassVar[tuple[str, ...]] = (
        "context",
        "uptime",
        "began_at",
        "_are_sides_to_be_read",
        "_has_run_id",
        "_order_id_prefix",
    )
    chart_reserved_names: ClassVar[frozenset[str]] = frozenset(
        attribute.name for attribute in MarketMakingContext.__attrs_attrs__
    ) | frozenset(name for name in vars(MarketMakingContext) if not name.startswith("_"))

    def __init__(
        self,
        settings: MarketMakingSettings,
        instrument: Instrument,
        fees: Fees,
        balances: Balances,
        services: Services | None = None,
        *,
        run_id: str = "",
        session_id: str = "",
        executor: str = ExecutorKind.TABLE,
    ) -> None:
        _check_together(settings, instrument, fees, balances)
        super().__init__(executor=executor)
        self.context = MarketMakingContext(
            settings=settings,
            instrument=instrument,
            fees=fees,
            balances=balances,
            order_prefix="-".join([settings.strategy_id, *filter(None, (run_id,)), ""]),
        )
        self.services = load_services(settings.services) if services is None else services
        self.uptime = QuoteUptime()
        self._has_run_id = bool(run_id)
        self._order_id_prefix = "-".join([settings.strategy_id, *filter(None, (run_id, session_id)), ""])
        self.began_at: int | None = None
        """Time of the first fact, nanoseconds."""
        self._are_sides_to_be_read = True
        self._confirming_states = frozenset(
            edge.source for edge in self.definition.edges for guard in edge.guards if guard.name == "all_confirmed"
        )
        """States that wait for ``all_confirmed``: there own trades are looked up once no order is live."""

    # -- the strategy-neutral machine's questions -------------------------------------------------------------------

    @property
    def now(self) -> int:
        """The latest time any fact carried, nanoseconds."""
        return self.context.now

    def admit(self, fact: Fact) -> object:
        """Refuse a malformed or impossible fact."""
        return booking.admit(self.context, fact)

    def book(self, fact: Fact, admitted: object) -> str | None:
        """Apply a fact to the books, and find the command in it: a stop, or the end of the session."""
        context = self.context
        fills = context.fill_count
        remarks = booking.book(context, fact, admitted)
        for remark in remarks:
            self.explain(remark)
        self.uptime.advance(context)
        self._are_sides_to_be_read = self._are_sides_to_be_read or bool(remarks) or not fact.streams
        if self.began_at is None:
            self._begin_session()
        if self.is_final:
            context.late_facts += context.fill_count - fills
        if context.is_stopping:
            if context.keeps_position:
                context.reduction = None
            return None
        if context.session_ends_at is not None and context.now >= context.session_ends_at:
            context.stop_reason = context.stop_reason or "the session's time is over"
        is_wanted = bool(context.stop_reason) and not self.is_final  # until it is carried out: its callback may fail
        return "stop" if is_wanted or isinstance(fact, StopRequested) else None

    def _begin_session(self) -> None:
        self.began_at = self.context.now
        if not self._has_run_id:
            self._take_id_from_time()
        duration = self.context.settings.session_seconds
        if duration is not None:
            self.context.session_ends_at = self.context.now + nanoseconds(duration)

    def _take_id_from_time(self) -> None:
        """Without a run id, the time of the first fact keeps this run's orders apart from an earlier run's."""
        token = f"{self.context.now // NANOSECONDS_PER_MILLISECOND:x}"
        self.context.order_prefix = self._order_id_prefix = f"{self.context.settings.strategy_id}-{token}-"

    def keep_house(self) -> None:
        """Whatever the state: cancel what came alive again, ask about what is not known, look up own trades."""
        context = self.context
        for order in context.orders.cancels_due():
            self.cancel(order)
        for order in context.orders.queries_due(context.now):
            self._ask_about(order)
        if self.chart_state in self._confirming_states and deadlines.is_trade_lookup_needed(context):
            self._look_up_trades_when_due()
        if not self.is_final:
            question = reconciling.next_question(context)
            if question is not None:
                self.stage(question)
            self.ask_for_balances_when_due()
        if self._are_sides_to_be_read or self._transitions or context.plan is None:
            self._read_sides()

    def find_wake_time(self) -> int | None:
        """The earliest time, after now, at which time alone changes something."""
        return deadlines.next_wake_time(self.context, is_final=self.is_final)

    def withdraw_placements(self) -> None:
        """Placements of this step never leave, nor what was asked about them since; other cancels and queries do."""
        placements = [intent for intent in self._intents if isinstance(intent, PlaceOrder)]
        if not placements:
            return
        withdrawn = {intent.client_order_id for intent in placements}
        self._intents[:] = [i for i in self._intents if getattr(i, "client_order_id", None) not in withdrawn]
        for intent in placements:
            self.context.orders.withdraw(intent.client_order_id)
            if self.context.sent_orders:
                self.context.sent_orders.pop()
            self.explain(f"withdrew {intent.side} {intent.quantity} at {intent.price}")

    def note_fault(self, fault: Fault) -> None:
        """Remember a fault: latch it when it is not transient, and set when recovery may be tried."""
        context, settings = self.context, self.context.settings
        context.faults_noted += 1
        healthy_since = context.healthy_since
        if healthy_since is not None and fault.at >= healthy_since + nanoseconds(settings.recovery_reset_seconds):
            context.recovery_attempts = 0
        context.healthy_since = None
        if not fault.transient:
            context.latched[fault.code] = fault
        if context.fault is None or context.fault.transient:
            context.fault = fault
        backoff = settings.recovery_backoff_seconds * 2 ** min(context.recovery_attempts, _MOST_DOUBLINGS)
        wait = nanoseconds(min(backoff, settings.max_recovery_backoff_seconds))
        context.recover_at = context.now + max(wait, 1)

    def secure(self) -> None:
        """Every live order has a cancel in flight, whatever services and subclasses do."""
        for order in self.context.orders.strays():
            self.cancel(order)
        self._read_sides()

    def entered(self, state: str) -> None:
        """Mirror the state into the context."""
        if state != self.context.current_state:
            self.context.state_entered_at = self.context.now
        self.context.current_state = state

    # -- quoting ----------------------------------------------------------------------------------------------------

    def take_plan(self, plan: QuotePlan) -> None:
        """Adopt freshly priced quotes."""
        context = self.context
        context.plan = plan
        context.last_spread_calculation = context.now
        context.was_near_limit = plan.inventory_use >= context.settings.inventory_reprice_share
        context.is_widened_for_adverse_selection = plan.is_widened
        context.spread_calculations += 1
        context.clamped_spreads += plan.bid_was_clamped + plan.ask_was_clamped
        for side in SIDES:
            context.sides[side].refusal = None
            hold = plan.hold(side)
            if hold is not None and hold.reason is HoldReason.ADVERSE_SELECTION and context.sides[side].hold != hold:
                context.sides[side].take_hold(hold)
                context.adverse_selection_held_at_fills = context.maker_fill_count

    def place_if_approved(self, draft: OrderDraft, refusal: Refusal | None) -> bool:
        """Stage a placement, or remember why risk refused it. Whether it was staged."""
        context = self.context
        refusal = permission.order_refusal(context) or refusal
        if refusal is not None:
            context.sides[draft.side].refusal = permission.refused_hold(context, refusal)
            order = f"{draft.side} {draft.quantity} at {draft.price}"
            self.explain(f"risk refused {order}: {refusal.code}, {refusal.reason}")
            return False
        intent = PlaceOrder(
            symbol=context.settings.symbol,
            client_order_id=f"{self._order_id_prefix}{context.next_order_number}",
            side=draft.side,
            price=draft.price,
            quantity=draft.quantity,
            purpose=draft.purpose,
            level=draft.level,
            post_only=draft.post_only,
            time_in_force=draft.time_in_force,
            reduce_only=draft.reduce_only,
        )
        context.next_order_number += 1
        context.orders.register(intent, context.now)
        since = context.now - nanoseconds(context.settings.order_interval_seconds)
        while context.sent_orders and context.sent_orders[0] <= since:
            context.sent_orders.popleft()
        context.sent_orders.append(context.now)
        self.stage(intent)
        return True

    def cancel(self, order: OwnOrder) -> None:
        """Stage a cancel."""
        self.context.orders.request_cancel(order, self.context.now)
        self.stage(
            CancelOrder(
                symbol=self.context.settings.symbol,
                client_order_id=order.client_order_id,
                venue_order_id=order.venue_order_id,
            )
        )

    def cancel_by_id(self, client_order_ids: tuple[str, ...]) -> None:
        """Stage cancels of live orders by their ids."""
        for client_order_id in client_order_ids:
            order = self.context.orders.get(client_order_id)
            if order is not None and order.is_live and not order.cancel_in_flight:
                self.cancel(order)

    def cancel_everything(self) -> None:
        """Stage a cancel for every live order that has none in flight, UNKNOWN ones included."""
        for order in self.context.orders.live():
            if not order.cancel_in_flight:
                self.cancel(order)

    def cancel_strays(self) -> None:
        """Stage a cancel for every live order about which nothing is being done."""
        for order in self.context.orders.strays():
            self.cancel(order)

    # -- inventory --------------------------------------------------------------------------------------------------

    def begin_reduction_where_needed(self, inventory: InventoryAssessment) -> None:
        """Start an adjustment when the limit is passed; a wind-down has its reduction already."""
        context = self.context
        is_due = inventory.is_over_limit and not context.was_over_limit
        if context.is_stopping or context.reduction is not None or not is_due:
            return
        goal = inventory.limit * Decimal(str(context.settings.adjustment_goal_share))
        context.reduction = Reduction(goal=goal, started_at=context.now)

    def place_reducing(self, draft: OrderDraft, refusal: Refusal | None) -> None:
        """Stage a reducing order; try again only after a while, whatever comes of it."""
        context = self.context
        self.place_if_approved(draft, refusal)
        if context.reduction is not None:
            context.reduction.retry_at = context.now + nanoseconds(context.settings.adjustment_retry_seconds)

    # -- faults, stopping, recovery ---------------------------------------------------------------------------------

    def note_declared_fault(self, fault: Fault) -> None:
        """Note a fault that a declared edge acts on."""
        fault = evolve(fault, state=self.chart_state, at=self.context.now)
        self._faults.append(fault)
        self.explain(f"fault {fault.code}: {fault.reason}")
        self.withdraw_placements()
        self.note_fault(fault)

    def custom_fault(self, reason: str, *, transient: bool) -> Fault:
        """A fault of a subclass's own. One that is not transient is latched and never retried."""
        return Fault(code=FaultCode.CUSTOM, reason=reason, transient=transient)

    def begin_stopping(self) -> None:
        """The session is to end: from here on only cancels and reducing orders leave."""
        context = self.context
        context.is_stopping = True
        context.plan = None
        reduces = context.may_trade and not context.keeps_position
        context.reduction = Reduction(goal=ZERO, started_at=context.now) if reduces else None
        self.explain(f"stopping: {context.stop_reason}")

    def begin_wind_down(self) -> None:
        """After a fault that is not worth retrying: reduce the position, once, and end."""
        self.context.has_wound_down = True
        self.context.rejections_in_a_row = 0
        fault = self.context.fault
        self.context.stop_reason = f"after a fault: {fault.reason}" if fault is not None else "after a fault"
        self.begin_stopping()

    def begin_recovery(self) -> None:
        """Begin a new cycle after a transient fault."""
        context = self.context
        context.recovery_attempts += 1
        context.session_recoveries += 1
        context.rejections_in_a_row = 0
        context.healthy_since = context.now
        context.fault = None
        context.plan = None
        context.reduction = None
        context.was_over_limit = False
        self.explain(f"recovery {context.recovery_attempts} of {context.settings.max_recovery_attempts}")

    @calls_services("inventory.is_reduced", "risk.halt_cause")
    def complete(self) -> None:
        """The session has ended."""
        context = self.context
        context.is_late = context.is_wind_down_late and not self.services.inventory.is_reduced(context)
        cause = self.services.risk.halt_cause(context)
        if cause is not None and not cause.transient:
            context.latched.setdefault(cause.code, cause)
        self.explain(f"completed: {context.stop_reason or (context.fault.reason if context.fault else '')}")

    def result(self) -> StrategyResult:
        """The session's result as of now; a fill that still arrives amends it."""
        return session_result(self)

    # -- housekeeping -----------------------------------------------------------------------------------------------

    def _ask_about(self, order: OwnOrder) -> None:
        context = self.context
        context.orders.note_query(order, context.now)
        if order.missing_fills > 0 and not order.is_unknown:
            since = order.placed_at - nanoseconds(reconciling.CLOCK_TOLERANCE_SECONDS)
            self.stage(QueryOwnTrades(symbol=context.settings.symbol, since=max(since, 0)))
            return
        self.stage(
            QueryOrder(
                symbol=context.settings.symbol,
                client_order_id=order.client_order_id,
                venue_order_id=order.venue_order_id,
            )
        )

    def _look_up_trades_when_due(self) -> None:
        context = self.context
        if context.now < context.trades_query_due:
            return
        earliest = context.orders.unconfirmed_since
        since = (context.now if earliest is None else earliest) - nanoseconds(reconciling.CLOCK_TOLERANCE_SECONDS)
        context.trades_query_due = context.now + nanoseconds(context.settings.request_timeout_seconds)
        self.stage(QueryOwnTrades(symbol=context.settings.symbol, since=max(since, 0)))

    def ask_for_balances_when_due(self) -> None:
        """Stage a question about balances when the last answer is old, or none ever came."""
        context, settings = self.context, self.context.settings
        if context.now < context.balances_query_due or not context.reconciliation.is_complete:
            return
        is_known = context.balances_reported_at is not None
        wait = settings.balances_interval_seconds if is_known else settings.query_interval_seconds
        context.balances_query_due = context.now + nanoseconds(wait)
        self.stage(QueryBalances(symbol=settings.symbol))

    def _read_sides(self) -> None:
        self._are_sides_to_be_read = False
        context = self.context
        is_of_interest = not (self.is_final or context.is_stopping or context.fault is not None)
        market_hold = self.services.spreads.hold_market(context) if is_of_interest else None
        for side in SIDES:
            status = Hold(HoldReason.COMPLETED) if self.is_final else permission.side_status(context, side, market_hold)
            context.sides[side].status = status


def _check_together(settings: MarketMakingSettings, instrument: Instrument, fees: Fees, balances: Balances) -> None:
    if settings.symbol != instrument.symbol:
        raise SettingsError(
            "symbol", f"{instrument.symbol!r}, the instrument's", settings.symbol, "Write the same symbol in both."
        )
    settings.spread_floor_bps(fees)
    if not instrument.may_be_short and (balances.base < 0 or (settings.target_base or ZERO) < 0):
        raise SettingsError(
            "balances.base", "at least 0 for spot", balances.base, "A spot account never goes short: correct it."
        )
