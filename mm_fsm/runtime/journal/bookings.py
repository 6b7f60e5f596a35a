"""Books a record again without deciding anything: how the books are rebuilt after the last snapshot.

The fact is booked as the machine booked it, at the reference price of its time; what left is noted as sent. What the
machine decided is not decided again, so that this needs no market data and no service.
"""

from __future__ import annotations

from decimal import Decimal

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.reconciliation import ReconciliationStage
from mm_fsm.core.messages import (
    CancelOrder,
    Intent,
    PlaceOrder,
    QueryBalances,
    QueryOpenOrders,
    QueryOrder,
    QueryOwnTrades,
)
from mm_fsm.machine import booking, reconciliation
from mm_fsm.runtime.journal.database import RecordRow
from mm_fsm.runtime.journal.reader import JournalReader

_STAGE_OF = {
    QueryOpenOrders: (ReconciliationStage.RESTING, ReconciliationStage.OPEN_ORDERS),
    QueryOwnTrades: (ReconciliationStage.TRADES,),
    QueryBalances: (ReconciliationStage.BALANCES,),
}


def rebuild(context: MarketMakingContext, reader: JournalReader, record: RecordRow) -> None:
    """Book one record's fact and note its intents.

    Raises:
        JournalError: this version does not know the fact or an intent.
    """
    if record.reference_price is not None:
        price = Decimal(record.reference_price)
        context.market.mid_price = price
        context.ledger.mark(price)
    booking.book(context, reader.fact(record))
    context.orders.expire_requests(context.now)
    if record.peak is not None:
        context.ledger.peak_net_pnl = Decimal(record.peak)
    for intent in reader.intents(record):
        _note_sent(context, intent)
    context.remarks.clear()
    context.unhandled_fills.clear()
    context.pending_fault = None


def _note_sent(context: MarketMakingContext, intent: Intent) -> None:
    if isinstance(intent, PlaceOrder):
        context.orders.register(intent, context.now)
    elif isinstance(intent, CancelOrder):
        order = context.orders.get(intent.client_order_id)
        if order is not None:
            context.orders.request_cancel(order, context.now)
    elif isinstance(intent, QueryOrder):
        order = context.orders.get(intent.client_order_id)
        if order is not None:
            context.orders.note_query(order, context.now)
    elif context.reconciliation.stage in _STAGE_OF[type(intent)]:
        context.reconciliation.due = context.now
        reconciliation.next_question(context)
