"""Compares own books with the venue's: at the start, after every reconnection, and on a timer. One way for all three.

Three questions, each asked once the one before is answered: open orders, own trades since the last ones known,
balances. Until a round is complete nothing is placed, and such a round goes on only while no own order is open, so that
nothing moves between its questions. A question without an answer is asked again; nothing is ever assumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Final

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.questions import AskedQuestion
from mm_fsm.books.reconciliation import ReconciliationStage as Stage
from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.instrument import ZERO, InstrumentKind
from mm_fsm.core.messages import Intent, QueryBalances, QueryOpenOrders, QueryOwnTrades, Question
from mm_fsm.core.settings import PositionMismatchPolicy

CLOCK_TOLERANCE_SECONDS: Final = 60.0
"""How far the venue's clock and the host's may lie apart when own trades are looked up."""
DIFFERING_ROUNDS_BELIEVED: Final = 5
"""Rounds in a row with a difference that fills in between may explain, after which they no longer do."""
BALANCES_SETTLE_SECONDS: Final = 10.0
"""How long a difference must stay, with nothing booked and no order open, before it is adopted: a venue's balances may
be behind its own trades by some seconds."""
MISMATCH_RETRY_SECONDS: Final = 10.0
"""Wait before a round is repeated because the position differed."""


_STAGES_OF: Final[Mapping[type[Intent], tuple[Stage, ...]]] = {
    QueryOpenOrders: (Stage.RESTING, Stage.OPEN_ORDERS),
    QueryOwnTrades: (Stage.TRADES,),
    QueryBalances: (Stage.BALANCES,),
}
"""In which stages a question belongs to the round, the one that it leads to last."""


def next_question(context: MarketMakingContext) -> Intent | None:
    """The question to ask now, noted as asked; None when none is due or orders have to be settled first."""
    state = context.reconciliation
    if context.now < state.due:
        return None
    if state.stage is Stage.RESTING:
        state.stage = Stage.OPEN_ORDERS
    if state.stage is not Stage.OPEN_ORDERS and not state.is_complete and context.orders.count:
        state.detail = _unsettled(context)
        return None
    question = _question(context)
    note_question(context, question)
    return question


def _unsettled(context: MarketMakingContext) -> str:
    """Which order a round waits for, and what is done about it."""
    orders, settings = context.orders, context.settings
    unknown = next((order for order in orders.live() if order.is_unknown), None)
    told = f"orders from before are not settled yet: {orders.count}"
    if unknown is None:
        return f"{told}, their cancels are awaited"
    return (
        f"{told}, {unknown.client_order_id} is looked for every {settings.query_interval_seconds:g} s, and counts as "
        f"never placed once it is nowhere {settings.validity_window_seconds:g} s after it was sent"
    )


def _question(context: MarketMakingContext) -> Intent:
    state, symbol = context.reconciliation, context.settings.symbol
    question_id = context.questions.next_id(context.now)
    if state.stage is Stage.OPEN_ORDERS:
        return QueryOpenOrders(symbol=symbol, question_id=question_id)
    if state.stage is Stage.BALANCES:
        return QueryBalances(symbol=symbol, question_id=question_id)
    tolerance = nanoseconds(CLOCK_TOLERANCE_SECONDS)
    since = context.now if state.trades_known_until is None else state.trades_known_until
    return QueryOwnTrades(
        symbol=symbol,
        since=max(min(since, context.orders.unconfirmed_since or since) - tolerance, 0),
        question_id=question_id,
    )


def note_question(context: MarketMakingContext, question: Intent) -> None:
    """A question is about to be sent; it is the round's where the round is at it."""
    state, settings = context.reconciliation, context.settings
    if isinstance(question, Question):
        note_asked(context, question)
    stages = _STAGES_OF.get(type(question), ())
    if state.stage not in stages:
        return
    state.stage = stages[-1]
    if not state.is_answer_awaited:
        state.first_asked_at = context.now
    state.is_answer_awaited = True
    state.asked_at = context.now
    state.due = context.now + nanoseconds(settings.request_timeout_seconds)
    if not state.is_complete:
        state.detail = f"the venue has not answered about {state.stage.replace('_', ' ')}"
    if isinstance(question, QueryOwnTrades):
        state.trades_asked_since = question.since
    elif isinstance(question, QueryBalances):
        context.balances_query_due = context.now + nanoseconds(settings.balances_interval_seconds)


def note_asked(context: MarketMakingContext, question: Question) -> None:
    """Something is about to be asked: keep what the books say now with it."""
    if question.question_id is not None:
        position, cash = context.ledger.position, context.ledger.cash
        asked = AskedQuestion(asked_at=context.now, position=position, cash=cash)
        context.questions.note(question.question_id, asked)


def _is_awaited(context: MarketMakingContext, stage: Stage, question: AskedQuestion | None) -> bool:
    """Whether an answer is the one that the round waits for; one that names no question may be."""
    state = context.reconciliation
    is_of_this_stage = question is None or question.asked_at >= state.first_asked_at
    return state.is_answer_awaited and state.stage is stage and is_of_this_stage


def take_open_orders(context: MarketMakingContext, open_ids: AbstractSet[str], question: AskedQuestion | None) -> None:
    """Look for known orders that the venue no longer shows; the round goes on when this was its question."""
    state, orders = context.reconciliation, context.orders
    if not _is_awaited(context, Stage.OPEN_ORDERS, question):
        return
    asked_at = state.asked_at if question is None else question.asked_at
    for order in orders.live():
        if order.is_resting and order.changed_at < asked_at and order.client_order_id not in open_ids:
            orders.lose_track(order, context.now)
    state.has_seen_open_orders = True
    state.answered(context.now, Stage.TRADES)


def take_trades(context: MarketMakingContext, since: int, until: int, question: AskedQuestion | None) -> None:
    """Own trades from ``since`` to ``until`` are booked by now; the round goes on when it was its question."""
    state = context.reconciliation
    is_answer = _is_awaited(context, Stage.TRADES, question) and since <= state.trades_asked_since
    known_until = state.trades_known_until
    if is_answer or (known_until is not None and since <= known_until):
        state.trades_known_until = max(until, known_until or 0)
    if is_answer:
        state.answered(context.now, Stage.BALANCES)


def compare_balances(
    context: MarketMakingContext, base_total: Decimal, quote_total: Decimal, question: AskedQuestion | None
) -> None:
    """End the round: the position agrees, or the policy for one that does not decides.

    The account is compared with the books of the time when it was asked for; what was booked since is in neither.
    """
    state = context.reconciliation
    if not _is_awaited(context, Stage.BALANCES, question):
        return
    if not state.is_complete and context.orders.count:  # one came alive again meanwhile
        state.begin_anew(context.now, "an order came alive again")
        return
    position, cash = context.ledger.position, context.ledger.cash
    if question is not None:
        position, cash = question.position, question.cash
    position += context.target_base
    is_spot = context.instrument.kind is InstrumentKind.SPOT
    if state.outside_base is None and is_spot and base_total >= position:
        state.outside_base = base_total - position
        state.outside_quote = quote_total - cash
    base = base_total - position - (state.outside_base or ZERO)
    quote = quote_total - cash - state.outside_quote if is_spot else ZERO
    if abs(base) < context.instrument.base_quantity(context.instrument.lot_size):
        _complete(context)
    elif base != state.difference or state.bookings_at_difference != context.ledger.bookings:
        _look_again(context, base)
        if state.is_complete and state.differing_rounds >= DIFFERING_ROUNDS_BELIEVED:
            state.begin_anew(context.now, _mismatch(context, base))
    elif state.is_complete:
        state.begin_anew(context.now, _mismatch(context, base))  # sure only once nothing moves any more
    elif context.settings.position_mismatch_policy is PositionMismatchPolicy.ADOPT:
        _adopt_once_settled(context, base, quote, question)
    else:
        state.begin_anew(context.now + nanoseconds(MISMATCH_RETRY_SECONDS), _mismatch(context, base))
        context.remarks.append(f"refusing to quote: {state.detail}")


def _adopt_once_settled(
    context: MarketMakingContext, base: Decimal, quote: Decimal, question: AskedQuestion | None
) -> None:
    """Adopt a difference that stays while nothing moves: balances may be behind the trades that are booked."""
    state = context.reconciliation
    if question is None or question.asked_at < state.differs_since + nanoseconds(BALANCES_SETTLE_SECONDS):
        state.stage = Stage.RESTING
        state.is_answer_awaited = False
        state.due = context.now + nanoseconds(context.settings.query_interval_seconds)
        return
    flow_id = f"position-adopted-{context.now}"
    context.ledger.book_external_flow(base, quote, flow_id)
    context.remarks.append(f"adopted the venue's position: {base:+f} base, {quote:+f} quote as {flow_id}")
    state.outside_base = state.outside_base or ZERO
    _complete(context)


def _complete(context: MarketMakingContext) -> None:
    state = context.reconciliation
    state.stage = Stage.RESTING
    state.is_answer_awaited = False
    state.difference = ZERO
    state.bookings_at_difference = -1
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
    state.bookings_at_difference = context.ledger.bookings
    state.differs_since = context.now
    state.differing_rounds += 1
    state.stage = Stage.RESTING
    state.is_answer_awaited = False
    state.due = context.now + nanoseconds(context.settings.query_interval_seconds)
    if not state.is_complete:
        state.detail = _mismatch(context, base)


def _mismatch(context: MarketMakingContext, base: Decimal) -> str:
    return f"the position is {context.base_position} in the books and {base:+f} of that at the venue"
