"""The journal cannot be written."""

from __future__ import annotations

from attrs import field, frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts.fields import MAY_BE_EMPTY
from mm_fsm.core.decisions import Fault, FaultCode
from mm_fsm.core.messages import Fact


@frozen(kw_only=True)
class JournalFailed(Fact):
    """The journal cannot be written. The placements named in ``withheld`` were never sent, and none will be."""

    reason: str = field(metadata=MAY_BE_EMPTY)
    withheld: tuple[str, ...] = ()

    def book(self, context: MarketMakingContext, admitted: None) -> None:
        """Take what was never sent out of the books again, and stop everything."""
        for client_order_id in self.withheld:
            context.orders.withdraw(client_order_id)
            context.request_rates.take_back_placement()
        context.pending_fault = Fault(code=FaultCode.JOURNAL, reason=self.reason, transient=False)
