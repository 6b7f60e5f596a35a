"""A question without an answer: the books say which, and why, for as long as they wait for it."""

from __future__ import annotations

from mm_fsm.books.facts import QueryFailed
from mm_fsm.books.reconciliation import ReconciliationStage
from mm_fsm.core.messages import RequestKind
from tests.services.situation import SYMBOL, Situation, take


def test_why_a_round_waits_is_what_the_venue_said() -> None:
    """It stands in the hold's words, and so in the status."""
    context = Situation().context
    state = context.reconciliation
    state.stage, state.is_answer_awaited = ReconciliationStage.TRADES, True
    failed = QueryFailed(
        received_at=context.now, symbol=SYMBOL, request=RequestKind.QUERY_OWN_TRADES, reason="nobody knows whose"
    )
    take(context, failed)
    assert state.detail == "query_own_trades: nobody knows whose"
    assert state.due > context.now


def test_a_failure_that_nobody_waits_for_says_nothing() -> None:
    context = Situation().context
    before = context.reconciliation.detail
    failed = QueryFailed(received_at=context.now, symbol=SYMBOL, request=RequestKind.QUERY_OPEN_ORDERS, reason="late")
    take(context, failed)
    assert context.reconciliation.detail == before
