"""The account as the venue sees it."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from attrs import frozen

from mm_fsm.books import reconciliation_rounds
from mm_fsm.books.context import MarketMakingContext
from mm_fsm.core.instrument import ZERO, InstrumentKind
from mm_fsm.core.messages import VenueFact


@frozen(kw_only=True)
class BalancesReported(VenueFact):
    """The account as the venue sees it; free amounts exclude what own orders lock. Base units and quote currency."""

    concerns_money: ClassVar[bool] = True

    base_total: Decimal
    base_free: Decimal
    quote_total: Decimal
    quote_free: Decimal
    question_id: str | None = None
    """Of the question that this answers; None when it answers none, or the venue does not say which."""

    def book(self, context: MarketMakingContext, admitted: None) -> None:
        """Never quote with what the venue does not have: the ledger stays as it is, the difference is not free.

        The answer to a question is judged against the books as they were when it was asked.
        """
        question = context.questions.answer(self.question_id)
        if question is None and self.question_id is not None:
            return
        context.balances_reported_at = context.now
        position, cash = context.ledger.position, context.ledger.cash
        if question is not None:
            position, cash = question.position, question.cash
        is_spot = context.instrument.kind is InstrumentKind.SPOT
        known = context.missing_base, context.missing_quote
        context.missing_base = max(position + context.target_base - self.base_total, ZERO)
        expected = cash if is_spot else context.equity
        context.missing_quote = ZERO if expected is None else max(expected - self.quote_total, ZERO)
        if context.missing_base > known[0] or context.missing_quote > known[1]:
            context.last_spread_calculation = None  # quotes were priced with what is not there
        reconciliation_rounds.compare_balances(context, self.base_total, self.quote_total, question)
