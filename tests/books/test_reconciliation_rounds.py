"""A round that waits for orders says which, and what is done about them: it stands in the hold's words."""

from __future__ import annotations

from typing import Any

import pytest

from mm_fsm.books.reconciliation import ReconciliationStage as Stage
from mm_fsm.books.reconciliation_rounds import next_question
from mm_fsm.core.messages import QueryOwnTrades, Side
from tests.services.situation import Situation

BID, ASK = Side.BID, Side.ASK


def waiting(**settings: Any) -> Situation:
    """After a reconnection: the venue has said what is open, and own trades come next."""
    situation = Situation(**settings)
    state = situation.context.reconciliation
    state.is_complete, state.stage, state.due = False, Stage.TRADES, 0
    return situation


@pytest.mark.parametrize("sides", [(BID,), (BID, ASK)])
def test_orders_that_are_known_are_waited_for_until_their_cancels_are_answered(sides: tuple[Side, ...]) -> None:
    situation = waiting()
    orders = [situation.rest(side, "99.90" if side is BID else "100.10", "1") for side in sides]
    assert next_question(situation.context) is None
    expected = f"orders from before are not settled yet: {len(sides)}, their cancels are awaited"
    assert situation.context.reconciliation.detail == expected
    for order in orders:
        situation.cancel(order)
    assert isinstance(next_question(situation.context), QueryOwnTrades)


def test_an_order_that_nobody_knows_is_named_whatever_else_rests() -> None:
    situation = waiting(query_interval_seconds=2.0, validity_window_seconds=30.0)
    situation.rest(BID, "99.90", "1")
    lost = situation.send(ASK, "100.10", "1")
    situation.lose(lost)
    assert next_question(situation.context) is None
    assert situation.context.reconciliation.detail == (
        f"orders from before are not settled yet: 2, {lost.client_order_id} is looked for every 2 s, and counts as "
        "never placed once it is nowhere 30 s after it was sent"
    )
