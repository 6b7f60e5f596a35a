"""Every own trade of a stretch of time."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from attrs import field, frozen

from mm_fsm.books import reconciliation_rounds
from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts.fields import VENUE_TIME, check_fields, refusal
from mm_fsm.books.facts.order_filled import OrderFilled, book_fill, check_fill, is_own_fill
from mm_fsm.books.ledger import LedgerFill
from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.instrument import ZERO
from mm_fsm.core.messages import VenueFact


@frozen(kw_only=True)
class OwnTradesReported(VenueFact):
    """Every own trade the venue knows with an exchange time in [``since``, ``until``]."""

    concerns_money: ClassVar[bool] = True

    fills: tuple[OrderFilled, ...]
    since: int = field(metadata=VENUE_TIME)
    until: int = field(metadata=VENUE_TIME)
    question_id: str | None = None
    """Of the question that this answers; None when it answers none, or the venue does not say which."""

    def admit(self, context: MarketMakingContext) -> tuple[tuple[OrderFilled, LedgerFill], ...]:
        """Pass over trades of orders that are not ours; ours must all be sound, together."""
        if self.since > self.until:
            raise refusal(self, "since", f"at most until, {self.until}", self.since)
        own = [fill for fill in self.fills if _may_be_ours(context, fill)]
        for fill in own:
            check_fields(fill)
            if fill.symbol != self.symbol:
                raise refusal(self, "fills", f"trades of {self.symbol!r}", fill)
        entries = tuple((fill, check_fill(context, fill)) for fill in own if is_own_fill(context, fill))
        _check_totals(context, self, entries)
        return entries

    def book(self, context: MarketMakingContext, admitted: tuple[tuple[OrderFilled, LedgerFill], ...]) -> None:
        """Book the trades that are not booked, and note how far own trades are known."""
        for fill, entry in admitted:
            if is_own_fill(context, fill):  # an id may have been forgotten since, for the trades before it
                book_fill(context, fill, entry)
        context.orders.confirm_trades(self.since, self.until)
        is_settled = context.orders.unconfirmed_since is None
        wait = 0 if is_settled else nanoseconds(context.settings.query_interval_seconds)
        context.trades_query_due = context.now + wait
        question = context.questions.answer(self.question_id)
        if question is not None or self.question_id is None:
            reconciliation_rounds.take_trades(context, self.since, self.until, question)


def _may_be_ours(context: MarketMakingContext, fill: OrderFilled) -> bool:
    name = fill.client_order_id
    return name in context.orders or name.startswith(context.order_prefix)


def _check_totals(
    context: MarketMakingContext, fact: OwnTradesReported, entries: tuple[tuple[OrderFilled, LedgerFill], ...]
) -> None:
    """New trades of one order must fit into its remainder together."""
    totals: dict[str, Decimal] = {}
    seen: set[tuple[str, str]] = set()
    for fill, _ in entries:
        name = fill.client_order_id
        order = context.orders.get(name)
        if order is None or (name, fill.trade_id) in seen or context.ledger.is_booked(fill.trade_id, order.side):
            continue
        seen.add((name, fill.trade_id))
        totals[name] = totals.get(name, ZERO) + fill.quantity
        if totals[name] > order.remaining:
            raise refusal(fact, "fills", f"at most {order.remaining} more of {name!r}", totals)
