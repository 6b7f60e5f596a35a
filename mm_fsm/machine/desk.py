"""The desk: stages placements, cancels and questions, and keeps the books of what it staged.

Nothing leaves here by itself: the intents of a step leave with its result, and a step in which something failed
withdraws its placements.
"""

from __future__ import annotations

from typing import Final

from attrs import define

from mm_fsm.books import booking, reconciliation_rounds
from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.orders import OwnOrder
from mm_fsm.core.clock import NANOSECONDS_PER_MILLISECOND, nanoseconds
from mm_fsm.core.decisions import Hold, HoldReason, OrderDraft, QuotePlan, Refusal, RefusalCode
from mm_fsm.core.messages import (
    SIDES,
    CancelOrder,
    Intent,
    OrderPurpose,
    PlaceOrder,
    QueryBalances,
    QueryOrder,
    QueryOwnTrades,
    Question,
)
from mm_fsm.machine.deadlines import is_trade_lookup_needed
from mm_fsm.machine.step_draft import StepDraft
from mm_fsm.services import permission

QUOTES_LEAVE: Final = Hold(HoldReason.ORDERS_IN_FLIGHT, "the order service takes its quotes out first")
"""Of a priced side that the order service leaves without a quote until its cancels are confirmed."""
NOT_PLACED: Final = Hold(HoldReason.CUSTOM, "the order service placed none of its quotes")
"""Of a priced side that it leaves without a quote for a reason of its own."""


@define
class OrderIds:
    """What the client order ids of one process begin with, so that none is ever used twice; a restart carries it."""

    prefix: str
    has_run_id: bool

    @classmethod
    def of(cls, strategy_id: str, run_id: str, session_id: str) -> OrderIds:
        """Ids with a part for the run and one for this process of it; empty parts are left out."""
        return cls("-".join([strategy_id, *filter(None, (run_id, session_id)), ""]), bool(run_id))

    def begin_at(self, strategy_id: str, now: int) -> None:
        """Without a run id, the time of the first fact keeps this run's orders apart from an earlier run's."""
        self.prefix = f"{strategy_id}-{now // NANOSECONDS_PER_MILLISECOND:x}-"


class Desk:
    """Stages what is to leave.

    Args:
        context: the books.
        draft: the step under way.
        ids: what client order ids begin with.
    """

    def __init__(self, context: MarketMakingContext, draft: StepDraft, ids: OrderIds) -> None:
        self.context = context
        self.ids = ids
        self._draft = draft

    def explain(self, reason: str) -> None:
        """Add one line to the step's reasons."""
        self._draft.explain(reason)

    def stage(self, intent: Intent) -> None:
        """Let an intent leave with this step's result. It is booked nowhere: orders go through ``place``."""
        self._draft.stage(intent)

    def _send(self, intent: Intent) -> None:
        """Note in the books that an intent leaves, and stage it."""
        booking.note_sent(self.context, intent)
        self.stage(intent)

    # -- placing ----------------------------------------------------------------------------------------------------

    def adopt_plan(self, plan: QuotePlan) -> None:
        """Want these freshly priced quotes from now on."""
        context = self.context
        context.plan = plan
        context.last_spread_calculation = context.now
        context.was_near_limit = plan.inventory_use >= context.settings.inventory_reprice_share
        context.is_widened_for_adverse_selection = plan.is_widened
        context.spread_calculations += 1
        context.clamped_spreads += plan.bid_was_clamped + plan.ask_was_clamped
        for side in SIDES:
            context.sides[side].refusal = None
            context.sides[side].widening_bps = plan.widening_bps(side)
            hold = plan.hold(side)
            if hold is not None and hold.reason is HoldReason.ADVERSE_SELECTION and context.sides[side].hold != hold:
                context.sides[side].take_hold(hold)
                context.adverse_selection_held_at_fills = context.maker_fill_count

    def place(self, draft: OrderDraft, refusal: Refusal | None) -> bool:
        """Stage a placement, or remember why it was refused, by risk or here. Whether it was staged."""
        context = self.context
        refusal = permission.order_refusal(context, draft.purpose) or refusal or self._refuse_second(draft)
        if refusal is not None:
            context.sides[draft.side].refusal = permission.refused_hold(context, refusal)
            order = f"{draft.side} {draft.quantity} at {draft.price}"
            self.explain(f"risk refused {order}: {refusal.code}, {refusal.reason}")
            return False
        intent = PlaceOrder(
            symbol=context.settings.symbol,
            client_order_id=f"{self.ids.prefix}{context.next_order_number}",
            side=draft.side,
            price=draft.price,
            quantity=draft.quantity,
            purpose=draft.purpose,
            level=draft.level,
            post_only=draft.post_only,
            time_in_force=draft.time_in_force,
            reduce_only=draft.reduce_only,
            widened_bps=self._widened_bps(draft),
        )
        context.next_order_number += 1
        self._send(intent)
        return True

    def _widened_bps(self, draft: OrderDraft) -> float:
        """How much further from the mid a quote lies because the plan widens: half of it, and more on outer levels."""
        if draft.purpose is not OrderPurpose.QUOTE:
            return 0.0
        share = self.context.settings.level_spread_multiplier**draft.level
        return self.context.sides[draft.side].widening_bps * share / 2

    def _refuse_second(self, draft: OrderDraft) -> Refusal | None:
        """Refuse a second order where one is meant: the venue may hold, or come to hold, the first.

        A replacement may leave together with the cancel of an order that rests: risk counts both.
        """
        if draft.purpose is not OrderPurpose.QUOTE:
            return None
        for order in self.context.live_quotes(draft.side):
            if order.may_rest_beside(draft.level) and not self._begins_now(order):
                reason = f"{order.side} {order.quantity} at {order.price} of this level may rest in the book"
                return Refusal(RefusalCode.REQUEST_UNANSWERED, reason)
        return None

    def _begins_now(self, order: OwnOrder) -> bool:
        """Whether what is asked of an order leaves with this very step: its placement, or the cancel of a known one."""
        staged = [type(each) for each in self._draft.intents if _names(each, order)]
        return staged == ([CancelOrder] if order.acknowledged else [PlaceOrder])

    def place_reducing(self, draft: OrderDraft, refusal: Refusal | None) -> None:
        """Stage a reducing order; try again only after a while, whatever comes of it."""
        context = self.context
        self.place(draft, refusal)
        if context.reduction is not None:
            context.reduction.retry_at = context.now + nanoseconds(context.settings.adjustment_retry_seconds)

    def withdraw_placements(self) -> None:
        """Placements of this step never leave, nor what was asked about them since; other cancels and queries do."""
        intents = self._draft.intents
        placements = [intent for intent in intents if isinstance(intent, PlaceOrder)]
        if not placements:
            return
        withdrawn = {intent.client_order_id for intent in placements}
        intents[:] = [intent for intent in intents if getattr(intent, "client_order_id", None) not in withdrawn]
        for placement in placements:
            self.context.orders.withdraw(placement.client_order_id)
            self.context.request_rates.take_back_placement()
            self.explain(f"withdrew {placement.side} {placement.quantity} at {placement.price}")

    def name_empty_sides(self, plan: QuotePlan) -> None:
        """Hold a priced side that the order service leaves without a quote, with the reason.

        Without one the side would be priced again at once, in the same books and with the same result. It is tried
        again when an order has left the book, and at the next refresh.
        """
        orders = self.context.orders
        for side in SIDES:
            status = self.context.sides[side]
            if status.refusal is not None or not plan.quotes(side) or orders.has_quote(side):
                continue
            leaves = any(order.cancel_in_flight for order in orders.live(side))
            status.refusal = QUOTES_LEAVE if leaves else NOT_PLACED

    # -- cancelling -------------------------------------------------------------------------------------------------

    def cancel(self, order: OwnOrder) -> None:
        """Stage a cancel."""
        self._send(
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
            if order is not None and order.is_live and not order.cancel_in_flight and not order.cancel_due:
                self.cancel(order)

    def cancel_all(self) -> None:
        """Stage a cancel for every live order that has none in flight, UNKNOWN ones included."""
        for order in self.context.orders.live():
            if not order.cancel_in_flight:
                self.cancel(order)

    def cancel_strays(self) -> None:
        """Stage a cancel for every live order about which nothing is being done."""
        for order in self.context.orders.strays():
            self.cancel(order)

    # -- following up -----------------------------------------------------------------------------------------------

    def stage_follow_ups(self, *, is_final: bool, looks_up_trades: bool) -> None:
        """Cancel what came alive again, ask about what is not known, go on with the comparison of the books.

        While requests are suspended only the cancels leave, and the questions stay due.
        ``looks_up_trades``: the state waits until own trades have been looked up.
        """
        context = self.context
        for order in context.orders.cancels_due(context.now):
            self.cancel(order)
        if context.are_requests_suspended:
            return
        for order in context.orders.queries_due(context.now):
            self._ask_about(order)
        if looks_up_trades and is_trade_lookup_needed(context):
            self._look_up_trades_when_due()
        if not is_final:
            question = reconciliation_rounds.next_question(context)
            if question is not None:
                self.stage(question)
            self.ask_for_balances_when_due()

    def ask_for_balances_when_due(self) -> None:
        """Stage a question about balances when the last answer is old, or none ever came."""
        context, settings = self.context, self.context.settings
        is_due = context.now >= context.balances_query_due and context.reconciliation.is_complete
        if context.are_requests_suspended or not is_due:
            return
        is_known = context.balances_reported_at is not None
        wait = settings.balances_interval_seconds if is_known else settings.query_interval_seconds
        context.balances_query_due = context.now + nanoseconds(wait)
        self._ask(QueryBalances(symbol=settings.symbol, question_id=self._next_question_id()))

    def _ask_about(self, order: OwnOrder) -> None:
        context = self.context
        if order.missing_fills > 0 and not order.is_unknown:
            since = order.placed_at - nanoseconds(reconciliation_rounds.CLOCK_TOLERANCE_SECONDS)
            context.orders.note_query(order, context.now)
            self._ask_for_trades(since)
            return
        self._send(
            QueryOrder(
                symbol=context.settings.symbol,
                client_order_id=order.client_order_id,
                venue_order_id=order.venue_order_id,
                question_id=self._next_question_id(),
            )
        )

    def _look_up_trades_when_due(self) -> None:
        context = self.context
        if context.now < context.trades_query_due:
            return
        earliest = context.orders.unconfirmed_since
        since = (context.now if earliest is None else earliest) - nanoseconds(
            reconciliation_rounds.CLOCK_TOLERANCE_SECONDS
        )
        context.trades_query_due = context.now + nanoseconds(context.settings.request_timeout_seconds)
        self._ask_for_trades(since)

    def _ask_for_trades(self, since: int) -> None:
        self._ask(
            QueryOwnTrades(
                symbol=self.context.settings.symbol, since=max(since, 0), question_id=self._next_question_id()
            )
        )

    def _next_question_id(self) -> str:
        return self.context.questions.next_id(self.context.now)

    def _ask(self, question: Question) -> None:
        """Stage a question that is no part of a round of reconciliation."""
        reconciliation_rounds.note_asked(self.context, question)
        self.stage(question)


def _names(intent: Intent, order: OwnOrder) -> bool:
    return isinstance(intent, PlaceOrder | CancelOrder) and intent.client_order_id == order.client_order_id
