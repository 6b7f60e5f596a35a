"""Follows a session step by step and keeps the figures that the machine's books do not: what was sent, and how deep."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from attrs import define, field

from mm_fsm.books.facts import MarketBook, OrderFilled, OrderRejected
from mm_fsm.core.instrument import ZERO
from mm_fsm.core.messages import CancelOrder, PlaceOrder
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.session import Session


@define(eq=False)
class SessionRecorder:
    """Takes every result of one session, in order."""

    session: Session
    placed: int = field(default=0, init=False)
    """Orders sent."""
    cancels: int = field(default=0, init=False)
    """Cancels sent."""
    rejected: Counter[str] = field(factory=Counter, init=False)
    """Placements that the venue refused, by its code."""
    faults: Counter[str] = field(factory=Counter, init=False)
    """Faults, by their code."""
    max_drawdown: Decimal = field(default=ZERO, init=False)
    """Largest loss from the best profit so far, quote currency."""
    max_offset: Decimal = field(default=ZERO, init=False)
    """Largest distance of the position from its target, base units."""

    def take(self, result: StepResult) -> None:
        """Count what one step says."""
        fact = result.fact
        if isinstance(fact, MarketBook):
            self.max_drawdown = max(self.max_drawdown, self.session.machine.context.ledger.drawdown)
        elif isinstance(fact, OrderFilled):
            context = self.session.machine.context
            self.max_drawdown = max(self.max_drawdown, context.ledger.drawdown)
            self.max_offset = max(self.max_offset, abs(context.inventory_offset))
        elif isinstance(fact, OrderRejected):
            self.rejected[fact.code.value] += 1
        for intent in result.intents:
            self.placed += isinstance(intent, PlaceOrder)
            self.cancels += isinstance(intent, CancelOrder)
        for fault in result.faults:
            self.faults[fault.code.value] += 1
