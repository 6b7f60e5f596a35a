"""The market maker: its whole behaviour as one declared chart, and the guards and actions that the chart names.

The class body begins with the chart, which fits one screen. Edges of a state are tried in the order in which their
events stand there. Guards only read; actions call services and stage intents. Nothing raises an event.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from mm_fsm.books.context import Reduction
from mm_fsm.chart import State, calls_services, computing, settled, waiting
from mm_fsm.core.decisions import Fault, FaultCode, InventoryAssessment
from mm_fsm.core.exact import exact
from mm_fsm.core.instrument import ZERO
from mm_fsm.machine.quoting import QuotingMachine
from mm_fsm.services import permission


class MarketMakingState(StrEnum):
    """The states of the market-making chart. A subclass may add more."""

    IDLE = "idle"
    CALCULATING_SPREADS = "calculating_spreads"
    PLACING_ORDERS = "placing_orders"
    MONITORING_ORDERS = "monitoring_orders"
    ADJUSTING_SPREADS = "adjusting_spreads"
    ORDER_FILLED = "order_filled"
    INVENTORY_MANAGEMENT = "inventory_management"
    COMPLETED = "completed"
    ERROR = "error"


class MarketMakingStateMachine(QuotingMachine):
    """Makes one market: facts in, intents out, and between them this chart decides."""

    chart_must_reach: ClassVar[tuple[str, ...]] = ("error", "completed")

    # fmt: off
    idle = State("IDLE", initial=True, enter="begin_cycle", budget=computing(milliseconds=100),
                 purpose="reset point of every cycle: waits for data, never with a live order")
    calculating_spreads = State("CALCULATING_SPREADS", enter="calculate_spreads", budget=computing(milliseconds=50),
                                purpose="price the quotes")
    placing_orders = State("PLACING_ORDERS", enter="place_orders", budget=waiting(milliseconds=500),
                           purpose="bring the book of own orders to the wanted quotes")
    monitoring_orders = State("MONITORING_ORDERS", budget=computing(milliseconds=10),
                              purpose="quotes are live: react to facts")
    adjusting_spreads = State("ADJUSTING_SPREADS", enter="adjust_spreads", budget=waiting(milliseconds=300),
                              purpose="reposition without leaving the market")
    order_filled = State("ORDER_FILLED", enter="handle_fills", budget=computing(milliseconds=50),
                         purpose="act on the fills just booked")
    inventory_management = State("INVENTORY_MANAGEMENT", enter="manage_inventory", budget=computing(milliseconds=200),
                                 purpose="control the position; wind down when stopping")
    completed = State("COMPLETED", final=True, enter="complete", purpose="the session has ended")
    error = State("ERROR", enter="cancel_everything",
                  purpose="cancel all own orders, keep asking until confirmed, keep the books")

    halt = error.from_.any(but=(error,), cond="must_halt", on="note_halt")
    quotes_withdrawn = idle.from_(placing_orders, monitoring_orders, adjusting_spreads, cond="must_withdraw",
                                 note="cancels, and resumes by itself once its knowledge is sound again")
    operator_paused = idle.from_(placing_orders, monitoring_orders, adjusting_spreads, cond="operator_hold",
                                 note="cancels, and waits until an operator resumes")
    checks_failed = idle.to(error, cond="checks_fail", on="note_failed_checks")
    ready = idle.to(calculating_spreads, cond="ready_to_quote")
    spreads_calculated = calculating_spreads.to(placing_orders)
    placing_continued = placing_orders.to.itself(internal=True, cond="work_remains",
                                                 unless=("has_fills", "inventory_limit_passed"),
                                                 on="continue_placing", note="reprice, send what is left")
    orders_placed = placing_orders.to(monitoring_orders, cond="wait_is_over",
                                      note="an UNKNOWN order counts as answered: its side is held")
    adjusting_continued = adjusting_spreads.to.itself(internal=True, cond="work_remains",
                                                      unless=("has_fills", "inventory_limit_passed"),
                                                      on="continue_placing", note="reprice, send what is left")
    spreads_adjusted = adjusting_spreads.to(monitoring_orders, cond="wait_is_over")
    fills_arrived = monitoring_orders.to(order_filled, cond="has_fills")
    limit_passed = monitoring_orders.to(inventory_management, cond="inventory_limit_passed",
                                        note="an edge, not a level: since inventory was last managed")
    quotes_went_stale = monitoring_orders.to(adjusting_spreads, cond="quotes_stale")
    fills_handled = order_filled.to(inventory_management)
    wound_down = inventory_management.to(completed, cond=("stopping", "all_confirmed", "flat_or_late"))
    manage_again = inventory_management.to.itself(cond="inventory_needs_action")
    next_cycle = inventory_management.to(idle, cond="inventory_settled", unless="stopping", on="finish_adjustment")
    recover = error.to(idle, cond=("all_confirmed", "worth_retrying", "backoff_over"), on="begin_recovery")
    wind_down = error.to(inventory_management, cond=("all_confirmed", "may_wind_down"), unless="worth_retrying",
                         on="begin_wind_down", note="once only")
    give_up = error.to(completed, cond="all_confirmed", unless=("worth_retrying", "may_wind_down"))
    strays_found = (idle.to.itself(internal=True, cond="has_strays", on="cancel_strays")
                    | error.to.itself(internal=True, cond="has_strays", on="cancel_strays"))
    error_execution = (error.from_.any(but=(error,), command=True, note="a guard or a callback raised")
                       | error.to.itself(internal=True, command=True, note="noted; cancels go on"))
    stop = inventory_management.from_.any(command=True, on="begin_stopping")
    # fmt: on

    # -- guards: they only read -------------------------------------------------------------------------------------

    @settled("find_halt")
    def must_halt(self) -> bool:
        """A fault found while booking, or a cause the risk service names, that has not been acted on yet."""
        return self.find_halt() is not None

    @settled()
    def must_withdraw(self) -> bool:
        """What the machine knows of the market or of its own orders can no longer be trusted.

        The newest market data is older than its limit, the feed of own orders is down, the venue takes no requests, or
        the books must be reconciled.
        """
        return permission.first_hold(permission.QUOTES_ARE_WITHDRAWN, self.context) is not None

    @settled()
    def operator_hold(self) -> bool:
        """An operator paused quoting and has not resumed it."""
        return permission.first_hold(permission.QUOTING_IS_PAUSED, self.context) is not None

    def checks_fail(self) -> bool:
        """The risk service forbids to begin a cycle."""
        return self.services.risk.check_cycle(self.context) is not None

    def ready_to_quote(self) -> bool:
        """Books reconciled with the venue, fresh data, a known volatility, and no unfinished adjustment."""
        return permission.first_hold(permission.NOTHING_IS_PRICED, self.context) is None

    @settled("quotes_stale")
    def work_remains(self) -> bool:
        """An answer arrived after which there may be more to send, or the quotes went stale meanwhile.

        One slow answer must not keep the other orders at prices of before.
        """
        return self.context.needs_requote or self.quotes_stale()

    @settled("has_fills", "inventory_limit_passed")
    def wait_is_over(self) -> bool:
        """No placement and no cancel awaits its answer, or there is a fill or a passed limit to act on.

        Those do not wait for the venue: a request without an answer is followed up in every state.
        """
        return not self.context.orders.is_request_outstanding or self.has_fills() or self.inventory_limit_passed()

    @settled()
    def has_fills(self) -> bool:
        """Fills were booked that have not been acted on."""
        return bool(self.context.unhandled_fills)

    @settled("services.inventory.assess")
    def inventory_limit_passed(self) -> bool:
        """The position passed its limit since inventory was last managed."""
        context = self.context
        if context.was_over_limit or context.inventory_offset == 0:
            return False
        return self.services.inventory.assess(context).is_over_limit

    @settled("services.spreads.are_quotes_stale")
    def quotes_stale(self) -> bool:
        """The spread service wants the quotes priced again."""
        return self.services.spreads.are_quotes_stale(self.context)

    def stopping(self) -> bool:
        """The session is to end."""
        return self.context.is_stopping

    def all_confirmed(self) -> bool:
        """No own order live or UNKNOWN, and own trades looked up since the last one left the book.

        Before the venue has said which orders are open, since the start or the last reconnection, nothing is confirmed:
        an earlier process may have left some.
        """
        return self.context.is_everything_confirmed and self.context.reconciliation.has_seen_open_orders

    def flat_or_late(self) -> bool:
        """At target, or as near as can be traded; or to be kept; or the wind-down is past its deadline."""
        context = self.context
        return context.reduction is None or context.is_wind_down_late or self.services.inventory.is_reduced(context)

    def inventory_needs_action(self) -> bool:
        """The inventory service has a next step."""
        return self.services.inventory.next_action(self.context) is not None

    def inventory_settled(self) -> bool:
        """No adjustment is under way, or it has reached its goal."""
        return self.services.inventory.is_reduced(self.context)

    def has_strays(self) -> bool:
        """An own order is alive that should not be, and nothing is being done about it."""
        return bool(self.context.orders.strays())

    def worth_retrying(self) -> bool:
        """The fault may pass, and attempts are left."""
        context, settings = self.context, self.context.settings
        return (
            context.fault is not None
            and context.fault.transient
            and not context.is_stopping
            and context.recovery_attempts < settings.max_recovery_attempts
            and context.session_recoveries < settings.max_session_recoveries
        )

    def backoff_over(self) -> bool:
        """The wait after the fault is over, and data that was missing is back."""
        context = self.context
        lacks_data = context.fault is not None and context.fault.code is FaultCode.LONG_STALE_DATA
        if lacks_data and permission.first_hold(permission.DATA_IS_MISSING, context) is not None:
            return False
        return context.now >= context.recover_at

    def may_wind_down(self) -> bool:
        """Settings allow to reduce the position after a fault, the books are sound, and it has not been tried."""
        context = self.context
        return (
            context.settings.wind_down_on_fault
            and not context.has_wound_down
            and not context.keeps_position
            and context.may_trade
        )

    # -- actions: they call services and stage intents --------------------------------------------------------------

    def begin_cycle(self) -> None:
        """Ask for balances where they are not known; take quotes out where this state has to wait."""
        self.desk.ask_for_balances_when_due()
        if not self.ready_to_quote():
            self.context.plan = None
            self.cancel_strays()

    @calls_services("spreads.price_quotes")
    def calculate_spreads(self) -> None:
        """Price the quotes."""
        self.desk.adopt_plan(self.services.spreads.price_quotes(self.context))

    @calls_services("orders.plan_changes", "risk.review")
    def place_orders(self) -> None:
        """Bring own orders to the wanted quotes: cancels first, then what risk approves."""
        plan = self.context.plan
        if plan is None:
            raise RuntimeError("plan: expected priced quotes, found None; PLACING_ORDERS follows a calculation.")
        self.context.needs_requote = False
        changes = self.services.orders.plan_changes(self.context, plan)
        self.desk.cancel_by_id(changes.cancels)
        for draft in changes.placements:
            self.desk.place(draft, self.services.risk.review(self.context, draft))
        self.desk.name_empty_sides(plan)

    @calls_services("spreads.price_quotes", "orders.plan_changes", "risk.review")
    def continue_placing(self) -> None:
        """Price again on the latest book, and send what is left."""
        self.calculate_spreads()
        self.place_orders()

    @calls_services("spreads.price_quotes", "orders.plan_changes", "risk.review")
    def adjust_spreads(self) -> None:
        """Price again, then cancel and place only what moved."""
        self.context.adjustment_count += 1
        self.calculate_spreads()
        self.place_orders()

    @calls_services("inventory.assess")
    def handle_fills(self) -> None:
        """Fills are booked already: name them, and where the inventory stands now."""
        inventory = self.services.inventory.assess(self.context)
        for fill in self.context.unhandled_fills:
            self.desk.explain(f"filled {fill.quantity} at {fill.price} ({fill.liquidity or 'liquidity not known'})")
        self.desk.explain(f"inventory at {inventory.use:.0%} of its limit")
        self.context.unhandled_fills.clear()

    @calls_services("inventory.assess", "inventory.next_action", "risk.review")
    def manage_inventory(self) -> None:
        """Begin an adjustment where the limit is passed; carry out the next step of one under way."""
        self.context.unhandled_fills.clear()
        self._begin_reduction_where_needed(self.services.inventory.assess(self.context))
        action = self.services.inventory.next_action(self.context)
        if action is None:
            return
        self.desk.explain(f"inventory: {action.step}, {action.reason}")
        if action.draft is not None:
            self.desk.place_reducing(action.draft, self.services.risk.review(self.context, action.draft))
        else:
            self.cancel_everything()

    @calls_services("inventory.assess")
    def finish_adjustment(self) -> None:
        """The position is managed: forget the adjustment."""
        self.context.was_over_limit = self.services.inventory.assess(self.context).is_over_limit
        self.context.reduction = None

    def cancel_everything(self) -> None:
        """Take every live order out of the market."""
        self.desk.cancel_all()

    def cancel_strays(self) -> None:
        """Take out every live order about which nothing is being done."""
        self.desk.cancel_strays()

    def begin_stopping(self) -> None:
        """The session is to end: from here on only cancels and reducing orders leave."""
        context = self.context
        context.is_stopping = True
        context.plan = None
        reduces = context.may_trade and not context.keeps_position
        context.reduction = Reduction(goal=ZERO, started_at=context.now) if reduces else None
        self.desk.explain(f"stopping: {context.stop_reason}")

    def begin_wind_down(self) -> None:
        """After a fault that is not worth retrying: reduce the position, once, and end."""
        context, fault = self.context, self.context.fault
        context.has_wound_down = True
        context.rejections_in_a_row = 0
        context.stop_reason = f"after a fault: {fault.reason}" if fault is not None else "after a fault"
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
        self.desk.explain(f"recovery {context.recovery_attempts} of {context.settings.max_recovery_attempts}")

    @calls_services("inventory.is_reduced", "risk.halt_cause")
    def complete(self) -> None:
        """The session has ended."""
        context = self.context
        context.is_late = context.is_wind_down_late and not self.services.inventory.is_reduced(context)
        cause = self.services.risk.halt_cause(context)
        if cause is not None and not cause.transient:
            context.latched.setdefault(cause.code, cause)
        self.desk.explain(f"completed: {context.stop_reason or (context.fault.reason if context.fault else '')}")

    @calls_services("risk.halt_cause")
    def note_halt(self) -> None:
        """Remember why everything stops."""
        fault = self.find_halt() or _fault_of_guard("must_halt")
        self.context.pending_fault = None
        self.context.rejections_in_a_row = 0
        self.report_fault(fault)

    @calls_services("risk.check_cycle")
    def note_failed_checks(self) -> None:
        """Remember which check failed."""
        self.report_fault(self.services.risk.check_cycle(self.context) or _fault_of_guard("checks_fail"))

    # -- shared by guards and actions -------------------------------------------------------------------------------

    def _begin_reduction_where_needed(self, inventory: InventoryAssessment) -> None:
        """Start an adjustment when the limit is passed; a wind-down has its reduction already."""
        context = self.context
        is_due = inventory.is_over_limit and not context.was_over_limit
        if context.is_stopping or context.reduction is not None or not is_due:
            return
        goal = inventory.limit * exact(context.settings.adjustment_goal_share)
        context.reduction = Reduction(goal=goal, started_at=context.now)

    @settled("services.risk.halt_cause")
    def find_halt(self) -> Fault | None:
        """The fault that must stop everything and has not been acted on.

        Risk causes start a wind-down, so they never interrupt one.
        """
        if self.context.pending_fault is not None:
            return self.context.pending_fault
        cause = self.services.risk.halt_cause(self.context)
        if cause is None or cause.code in self.context.latched:
            return None
        reduces_already = self.context.is_stopping and self.context.reduction is not None
        return None if reduces_already else cause


def _fault_of_guard(guard: str) -> Fault:
    """What is noted when a subclass's guard holds for a reason of its own: without a fault nothing would be retried."""
    return Fault(code=FaultCode.CUSTOM, reason=f"guard {guard!r} holds", transient=True)
