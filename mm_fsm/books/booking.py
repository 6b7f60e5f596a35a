"""The way into the books: a fact is admitted, which changes nothing, then booked; what leaves is noted as sent."""

from __future__ import annotations

from decimal import Decimal

from mm_fsm.books import reconciliation_rounds
from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts.fields import check_fields, refusal
from mm_fsm.books.facts.market_book import mark
from mm_fsm.books.facts.registry import FACTS
from mm_fsm.core.messages import CancelOrder, Fact, Intent, OrderFact, PlaceOrder, QueryOrder, VenueFact
from mm_fsm.errors import FactRefusedError


def admit(context: MarketMakingContext, fact: Fact) -> object:
    """Check one fact before anything changes. What it returns belongs to the fact, and goes to ``book``.

    Raises:
        FactRefusedError: the fact is malformed or impossible.
    """
    kind = type(fact)
    if FACTS.get(kind.__name__) is not kind:
        raise FactRefusedError(kind.__name__, "type", f"one of {[*FACTS]}", kind, "Send one of those.")
    check_fields(fact)
    if isinstance(fact, VenueFact) and fact.symbol != context.settings.symbol:
        raise refusal(fact, "symbol", f"{context.settings.symbol!r}, which this machine trades", fact.symbol)
    admitted: object = fact.admit(context)
    return admitted


def book(context: MarketMakingContext, fact: Fact, admitted: object) -> tuple[str, ...] | None:
    """Apply one admitted fact, in whatever state the lifecycle is, and say what there is to say about it.

    None when the fact changed nothing but times, counts and estimates.
    A request whose answer is overdue at the fact's time then has an unknown outcome.
    """
    is_clock_back = fact.received_at < context.now
    if is_clock_back:
        context.clock_regressions += 1
        context.market.note_clock_back_at(fact.received_at)
    else:
        context.now = fact.received_at
    if isinstance(fact, OrderFact):
        context.orders.venue_time = max(context.orders.venue_time, getattr(fact, "exchange_time", 0))
    rests = fact.book(context, admitted) is True and not is_clock_back
    if context.market.has_two_sides and context.reference.pass_time(context.now):
        mark(context)
        rests = False
    overdue = context.orders.expire_requests(context.now)
    if rests and not overdue:
        return None
    for order in overdue:
        context.needs_requote = True
        context.remarks.append(f"no answer about order {order.client_order_id} in time")
    remarks = tuple(context.remarks)
    context.remarks.clear()
    return remarks


def note_sent(context: MarketMakingContext, intent: Intent) -> None:
    """Note in the books that an intent is about to leave."""
    match intent:
        case PlaceOrder():
            context.orders.register(intent, context.now)
            context.request_rates.note_placement(context.now)
        case CancelOrder():
            order = context.orders.get(intent.client_order_id)
            if order is not None:
                context.orders.request_cancel(order, context.now)
                context.request_rates.note_cancel(context.now, context.now - order.placed_at)
        case QueryOrder():
            order = context.orders.get(intent.client_order_id)
            if order is not None:
                context.orders.note_query(order, context.now, intent.question_id)
            reconciliation_rounds.note_asked(context, intent)
        case _:
            reconciliation_rounds.note_question(context, intent)


def book_again(
    context: MarketMakingContext,
    fact: Fact,
    intents: tuple[Intent, ...],
    *,
    reference_price: Decimal | None,
    peak: Decimal | None,
) -> None:
    """Book what is on record after a snapshot: the fact, at the prices of its time, and what left because of it.

    What was decided then is not decided again, so that this needs no market data and no service.

    Raises:
        FactRefusedError: the books that it is booked into are not those it was booked into before.
    """
    if reference_price is not None:
        context.market.mid_price = reference_price
        context.ledger.mark(reference_price)
    book(context, fact, fact.admit(context))
    if peak is not None:
        context.ledger.restore_peak(peak)
    for intent in intents:
        note_sent(context, intent)
    context.unhandled_fills.clear()
    context.pending_fault = None
