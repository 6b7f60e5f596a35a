"""The bookkeeper of a strategy that trades one market: its books, a desk over them, and the follow-ups that never wait.

Own orders and their lifecycle, exact money, questions about whatever is not known, the comparison with the venue's
account: a strategy that has this bookkeeper has all of it, under a chart of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve

from mm_fsm.books import booking
from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts import StopRequested
from mm_fsm.core.clock import NEVER
from mm_fsm.core.decisions import Fault
from mm_fsm.core.messages import Fact
from mm_fsm.machine.bookkeeper import Bookkeeper
from mm_fsm.machine.deadlines import Deadlines
from mm_fsm.machine.desk import Desk, OrderIds


class OrderBookkeeper(Bookkeeper):
    """Books every kind of fact, whatever the state; asks and cancels until nothing is open.

    The command ``stop`` is sent with each fact from the wish on until the chart's action sets ``context.is_stopping``.

    Args:
        context: the books.
        ids: what client order ids begin with.
    """

    def __init__(self, context: MarketMakingContext, ids: OrderIds) -> None:
        super().__init__()
        self.context = context
        self.desk = Desk(context, self.draft, ids)
        self._deadlines = Deadlines.of(context.settings)

    @property
    def now(self) -> int:
        """The latest time any fact carried, nanoseconds."""
        return self.context.now

    def admit(self, fact: Fact) -> object:
        """Refuse a malformed or impossible fact."""
        return booking.admit(self.context, fact)

    def book(self, fact: Fact, admitted: object, *, is_final: bool) -> str | None:
        """Apply a fact to the books, and find a stop in it."""
        context = self.context
        for remark in booking.book(context, fact, admitted) or ():
            self.draft.explain(remark)
        is_wanted = isinstance(fact, StopRequested) or bool(context.stop_reason)
        return "stop" if is_wanted and not (is_final or context.is_stopping) else None

    def follow_up(self, state: str, *, is_final: bool) -> None:
        """Cancel what came alive again, ask about what is not known, compare the books with the account."""
        del state
        self.desk.stage_follow_ups(is_final=is_final, looks_up_trades=True)

    def find_wake_time(self, *, is_final: bool) -> int | None:
        """The earliest time, after now, at which time alone changes something in the books or in what is known."""
        earliest = self._deadlines.next_but_of_data(self.context, is_final=is_final)
        if not is_final:
            earliest = min(earliest, self._deadlines.next_of_data(self.context))
        return None if earliest == NEVER else earliest

    def withdraw_placements(self) -> None:
        """Placements of this step never leave."""
        self.desk.withdraw_placements()

    def report_fault(self, fault: Fault, state: str) -> None:
        """Note a fault in an action of the edge that acts on it: what was to be placed in this step is withdrawn."""
        fault = evolve(fault, state=state, at=self.now)
        self.draft.note_fault(fault)
        self.withdraw_placements()
        self.note_fault(fault)

    def note_fault(self, fault: Fault) -> None:
        """Remember a fault; one that is not transient is latched, and stays the fault that is named."""
        context = self.context
        context.faults_noted += 1
        if not fault.transient:
            context.latched[fault.code] = fault
        if context.fault is None or context.fault.transient:
            context.fault = fault

    def cancel_all_live(self, *, is_final: bool) -> None:
        """Every live order has a cancel in flight."""
        del is_final
        self.desk.cancel_strays()

    # -- going on where another left off ----------------------------------------------------------------------------

    def remembered_values(self) -> Mapping[str, object]:
        """Books and order ids."""
        return {"context": self.context, "order_ids": self.desk.ids}

    def continue_from(self, values: Mapping[str, Any]) -> None:
        """Go on with the books of another machine."""
        self.context = self.desk.context = values["context"]
        self.desk.ids = values["order_ids"]
        self._deadlines = Deadlines.of(self.context.settings)
