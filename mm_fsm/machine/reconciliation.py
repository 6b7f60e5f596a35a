"""Compares own books with the venue's: at the start, after every reconnection, and on a timer. One way for all three.

Three questions, each asked once the one before is answered: open orders, own trades since the last ones known,
balances. Until a round is complete nothing is placed, and such a round goes on only while no own order is open, so that
nothing moves between its questions. A question without an answer is asked again; nothing is ever assumed.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts import BalancesReported, OpenOrdersReported, OwnTradesReported
from mm_fsm.books.orders import OwnOrder
from mm_fsm.books.reconciliation import ReconciliationStage as Stage
from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.decisions import Fault, FaultCode
from mm_fsm.core.instrument import ZERO, InstrumentKind
from mm_fsm.core.messages import Intent, QueryBalances, QueryOpenOrders, QueryOwnTrades, ReportedOrder
from mm_fsm.core.settings import PositionMismatchPolicy, StrayOrderPolicy

CLOCK_TOLERANCE_SECONDS: Final = 60.0
"""How far the venue's clock and the host's may lie apart when own trades are looked up."""
DIFFERING_ROUNDS_BELIEVED: Final = 5
"""Rounds in a row with a difference that fills in between may explain, after which they no longer do."""
MISMATCH_RETRY_SECONDS: Final = 10.0
"""Wait before a round is repeated because the position differed."""


def next_question(context: MarketMakingContext) -> Intent | None:
    """The question to ask now, noted as asked; None when none is due or orders have to be settled first."""
    state, symbol = context.reconciliation, context.settings.symbol
    if context.now < state.due:
        return None
    if state.stage is Stage.RESTING:
        state.stage = Stage.OPEN_ORDERS
    if state.stage is not Stage.OPEN_ORDERS and not state.is_complete and context.orders.count:
        state.detail = "orders from before are not settled yet"
        return None
    state.is_answer_awaited = True
    state.asked_at = context.now
    state.due = context.now + nanoseconds(context.settings.request_timeout_seconds)
    if not state.is_complete:
        state.detail = f"the venue has not answered about {state.stage.replace('_', ' ')}"
    if state.stage is Stage.OPEN_ORDERS:
        return QueryOpenOrders(symbol=symbol)
    if state.stage is Stage.TRADES:
        tolerance = nanoseconds(CLOCK_TOLERANCE_SECONDS)
        since = context.now if state.trades_known_until is None else state.trades_known_until
        state.trades_asked_since = max(min(since, context.orders.unconfirmed_since or since) - tolerance, 0)
        return QueryOwnTrades(symbol=symbol, since=state.trades_asked_since)
    context.balances_query_due = context.now + nanoseconds(context.settings.balances_interval_seconds)
    return QueryBalances(symbol=symbol)


def no_answer(context: MarketMakingContext) -> None:
    """The question failed: ask again after a while."""
    state = context.reconciliation
    if state.is_answer_awaited:
        state.is_answer_awaited = False
        state.due = context.now + nanoseconds(context.settings.query_interval_seconds)


# -- open orders ---------------------------------------------------------------------------------------------------


def take_open_orders(context: MarketMakingContext, fact: OpenOrdersReported) -> None:
    """Settle known orders, take over unknown ones of ours, look for known ones that are gone."""
    state, orders = context.reconciliation, context.orders
    orders.venue_time = max(orders.venue_time, fact.exchange_time)
    for reported in fact.orders:
        known = orders.get(reported.client_order_id)
        if known is not None:
            _take_known(context, known, reported)
        elif reported.client_order_id.startswith(f"{context.settings.strategy_id}-"):
            _take_unknown(context, reported, fact.exchange_time)
    if not state.is_answer_awaited or state.stage is not Stage.OPEN_ORDERS:
        return
    open_ids = {reported.client_order_id for reported in fact.orders}
    for order in orders.live():
        if order.is_resting and order.changed_at < state.asked_at and order.client_order_id not in open_ids:
            orders.lose_track(order, context.now)
    state.has_seen_open_orders = True
    state.answered(context.now, Stage.TRADES)


def _take_known(context: MarketMakingContext, order: OwnOrder, reported: ReportedOrder) -> None:
    """What rests is open; news that is older than the last change of the order says nothing."""
    asked_at = context.reconciliation.asked_at
    if order.changed_at > asked_at or not 0 <= reported.filled_quantity <= order.quantity:
        return
    if order.venue_order_id is None:
        order.venue_order_id = reported.venue_order_id
    context.orders.report_open(order, reported.filled_quantity, context.now)


def _take_unknown(context: MarketMakingContext, reported: ReportedOrder, exchange_time: int) -> None:
    """An order of this strategy that the books do not know: from a torn journal, another run, or another process."""
    state, name = context.reconciliation, reported.client_order_id
    is_of_this_run = name.startswith(context.order_prefix) and state.has_past
    grace = nanoseconds(context.settings.validity_window_seconds)
    if not is_of_this_run and state.completed_at is not None and context.now > state.completed_at + grace:
        reason = f"order {name!r} is open and not from this run: another process quotes with this strategy_id"
        context.pending_fault = Fault(code=FaultCode.OWNERSHIP, reason=reason, transient=False)
        return
    booked = context.unattributed.pop(name, ZERO) if is_of_this_run else reported.filled_quantity
    since = context.now if state.trades_known_until is None else state.trades_known_until
    order = context.orders.adopt(reported, booked, context.now, placed_at=min(since, context.now))
    policy = context.settings.stray_order_policy
    if not is_of_this_run:
        order.trades_count_after = exchange_time
    order.cancel_due = policy is StrayOrderPolicy.CANCEL
    context.remarks.append(f"order {name!r} was open and not in the books: {policy}")


# -- trades --------------------------------------------------------------------------------------------------------


def take_trades(context: MarketMakingContext, fact: OwnTradesReported) -> None:
    """Own trades up to ``until`` are booked by now; the round goes on when it was its question."""
    state = context.reconciliation
    is_answer = state.is_answer_awaited and state.stage is Stage.TRADES and fact.since <= state.trades_asked_since
    known_until = state.trades_known_until
    if is_answer or (known_until is not None and fact.since <= known_until):
        state.trades_known_until = max(fact.until, known_until or 0)
    if is_answer:
        state.answered(context.now, Stage.BALANCES)


# -- balances ------------------------------------------------------------------------------------------------------


def take_balances(context: MarketMakingContext, fact: BalancesReported) -> None:
    """End the round: the position agrees, or the policy for one that does not decides."""
    state = context.reconciliation
    if not state.is_answer_awaited or state.stage is not Stage.BALANCES:
        return
    if not state.is_complete and context.orders.count:  # one came alive again meanwhile
        state.begin_anew(context.now, "an order came alive again")
        return
    is_spot = context.instrument.kind is InstrumentKind.SPOT
    if state.outside_base is None and is_spot and fact.base_total >= context.base_position:
        state.outside_base = fact.base_total - context.base_position
        state.outside_quote = fact.quote_total - context.ledger.cash
    base = fact.base_total - context.base_position - (state.outside_base or ZERO)
    quote = fact.quote_total - context.ledger.cash - state.outside_quote if is_spot else ZERO
    if abs(base) < context.instrument.base_quantity(context.instrument.lot_size):
        _complete(context)
    elif base != state.difference or state.fills_at_difference != context.fill_count:
        _look_again(context, base)
        if state.is_complete and state.differing_rounds >= DIFFERING_ROUNDS_BELIEVED:
            state.begin_anew(context.now, _mismatch(context, base))
    elif context.settings.position_mismatch_policy is PositionMismatchPolicy.ADOPT:
        flow_id = f"position-adopted-{context.now}"
        context.ledger.book_external_flow(base, quote, flow_id)
        context.remarks.append(f"adopted the venue's position: {base:+f} base, {quote:+f} quote as {flow_id}")
        state.outside_base = state.outside_base or ZERO
        _complete(context)
    else:
        state.begin_anew(context.now + nanoseconds(MISMATCH_RETRY_SECONDS), _mismatch(context, base))
        context.remarks.append(f"refusing to quote: {state.detail}")


def _complete(context: MarketMakingContext) -> None:
    state = context.reconciliation
    state.stage = Stage.RESTING
    state.is_answer_awaited = False
    state.difference = ZERO
    state.fills_at_difference = -1
    state.differing_rounds = 0
    if state.completed_at is None:
        state.completed_at = context.now
    if not state.is_complete:
        state.is_complete = True
        context.remarks.append(f"reconciled with the venue at position {context.base_position}")
    state.due = context.now + nanoseconds(context.settings.reconcile_interval_seconds)


def _look_again(context: MarketMakingContext, base: Decimal) -> None:
    """A difference counts when a second round finds the same; a fill may have been on its way.

    In a market that never rests it would never count, so that the next round is one without own orders in between.
    """
    state = context.reconciliation
    state.difference = base
    state.fills_at_difference = context.fill_count
    state.differing_rounds += 1
    state.stage = Stage.RESTING
    state.is_answer_awaited = False
    state.due = context.now + nanoseconds(context.settings.query_interval_seconds)
    if not state.is_complete:
        state.detail = _mismatch(context, base)


def _mismatch(context: MarketMakingContext, base: Decimal) -> str:
    return f"the position is {context.base_position} in the books and {base:+f} of that at the venue"
