"""Every order that rests at the venue."""

from __future__ import annotations

from attrs import field, frozen

from mm_fsm.books import reconciliation_rounds
from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts.fields import VENUE_TIME, check_fields, check_positive, refusal
from mm_fsm.books.facts.own_orders import note_taken
from mm_fsm.books.orders import OwnOrder
from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.decisions import Fault, FaultCode
from mm_fsm.core.instrument import ZERO
from mm_fsm.core.messages import ReportedOrder, VenueFact
from mm_fsm.core.settings import StrayOrderPolicy


@frozen(kw_only=True)
class OpenOrdersReported(VenueFact):
    """Every order of the account that rests in this market's book, whoever sent it."""

    orders: tuple[ReportedOrder, ...]
    exchange_time: int = field(metadata=VENUE_TIME)
    question_id: str | None = None
    """Of the question that this answers; None when it answers none, or the venue does not say which."""

    def admit(self, context: MarketMakingContext) -> None:
        """Pass over orders of others; those that carry our prefix must be sound."""
        for reported in self.orders:
            if not _is_ours(context, reported):
                continue
            check_fields(reported)
            name = f"orders[{reported.client_order_id}]"
            check_positive(self, f"{name}.price", reported.price)
            check_positive(self, f"{name}.quantity", reported.quantity)
            if not 0 <= reported.filled_quantity <= reported.quantity:
                expected = f"between 0 and {reported.quantity}"
                raise refusal(self, f"{name}.filled_quantity", expected, reported.filled_quantity)

    def book(self, context: MarketMakingContext, admitted: None) -> None:
        """Settle known orders, take over unknown ones of ours, look for known ones that are gone.

        An answer that was taken before says nothing again.
        """
        question, orders = context.questions.answer(self.question_id), context.orders
        if question is None and self.question_id is not None:
            return
        asked_at = context.reconciliation.asked_at if question is None else question.asked_at
        for reported in self.orders:
            known = orders.get(reported.client_order_id)
            if known is not None and known.is_live:
                note_taken(context, known)
                orders.note_shown(known, context.now)
        orders.venue_time = max(orders.venue_time, self.exchange_time)
        for reported in self.orders:
            known = orders.get(reported.client_order_id)
            if known is not None:
                _take_known(context, known, reported, asked_at)
            elif _is_ours(context, reported):
                _take_unknown(context, reported, self.exchange_time)
        reconciliation_rounds.take_open_orders(
            context, {reported.client_order_id for reported in self.orders}, question
        )
        context.needs_requote = True


def _is_ours(context: MarketMakingContext, reported: ReportedOrder) -> bool:
    return reported.client_order_id.startswith(f"{context.settings.strategy_id}-")


def _take_known(context: MarketMakingContext, order: OwnOrder, reported: ReportedOrder, asked_at: int) -> None:
    """What rests is open; news that is older than the last change of the order says nothing."""
    if order.changed_at > asked_at or not 0 <= reported.filled_quantity <= order.quantity:
        return
    context.orders.report_open(order, reported.filled_quantity, context.now, reported.venue_order_id)


def _take_unknown(context: MarketMakingContext, reported: ReportedOrder, exchange_time: int) -> None:
    """An order of this strategy that the books do not know: from a torn journal, another run, or another process."""
    state, name = context.reconciliation, reported.client_order_id
    is_of_this_run = name.startswith(context.order_prefix) and state.has_past
    grace = nanoseconds(context.settings.validity_window_seconds)
    if not is_of_this_run and state.completed_at is not None and context.now > state.completed_at + grace:
        reason = f"order {name!r} is open and not from this run: another process quotes with this strategy_id"
        context.pending_fault = Fault(code=FaultCode.OWNERSHIP, reason=reason, transient=False)
        return
    since = context.now if state.trades_known_until is None else state.trades_known_until
    policy = context.settings.stray_order_policy
    context.orders.adopt(
        reported,
        context.unattributed.pop(name, ZERO) if is_of_this_run else reported.filled_quantity,
        context.now,
        placed_at=min(since, context.now),
        trades_count_after=-1 if is_of_this_run else exchange_time,
        is_cancelled=policy is StrayOrderPolicy.CANCEL,
    )
    context.remarks.append(f"order {name!r} was open and not in the books: {policy}")
