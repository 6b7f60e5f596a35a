"""What each service must answer. Signatures only.

A service reads the context and returns a value. It changes nothing, sends nothing, reads no clock. Times are
nanoseconds, prices quote per base, quantities contracts, positions base units.
"""

from __future__ import annotations

from typing import Protocol

from attrs import frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.core.decisions import (
    Fault,
    Hold,
    InventoryAction,
    InventoryAssessment,
    OrderChanges,
    OrderDraft,
    QuotePlan,
    Refusal,
)


class SpreadService(Protocol):
    """Prices quotes, and says when they no longer stand."""

    def hold_market(self, context: MarketMakingContext) -> Hold | None:
        """Why nobody should be quoted now, on either side; None when quoting is possible."""
        ...

    def price_quotes(self, context: MarketMakingContext) -> QuotePlan:
        """The quotes wanted now, with a hold for each side that is not to be quoted.

        Called only once a full book has been seen. It may raise: the machine then cancels everything.
        """
        ...

    def are_quotes_stale(self, context: MarketMakingContext) -> bool:
        """Whether the quotes must be priced again. Asked after every fact while quotes are live: keep it cheap."""
        ...


class OrderService(Protocol):
    """Turns wanted quotes and live orders into the fewest changes."""

    def plan_changes(self, context: MarketMakingContext, plan: QuotePlan) -> OrderChanges:
        """What to cancel and what to place. What still fits is left alone: queue priority is worth money."""
        ...


class InventoryService(Protocol):
    """Controls the position: adjustments past a limit, and the wind-down."""

    def assess(self, context: MarketMakingContext) -> InventoryAssessment:
        """Where the position stands against its target and limit."""
        ...

    def next_action(self, context: MarketMakingContext) -> InventoryAction | None:
        """The next step of ``context.reduction``; None when there is nothing to do but wait.

        Asked again after every fact: once its answer has been carried out, it must answer something else.
        """
        ...

    def is_reduced(self, context: MarketMakingContext) -> bool:
        """Whether ``context.reduction`` has reached its goal, or what is missing is too small to trade."""
        ...


class RiskService(Protocol):
    """Approves or refuses each order, and says when trading must end."""

    def review(self, context: MarketMakingContext, draft: OrderDraft) -> Refusal | None:
        """None approves. Every order, quotes and adjustments alike, passes here last."""
        ...

    def check_cycle(self, context: MarketMakingContext) -> Fault | None:
        """What forbids to begin a cycle; None when nothing does."""
        ...

    def halt_cause(self, context: MarketMakingContext) -> Fault | None:
        """Why everything must stop now; None when nothing does. Asked after every fact: keep it cheap."""
        ...


@frozen(kw_only=True)
class Services:
    """The services of one machine."""

    spreads: SpreadService
    orders: OrderService
    inventory: InventoryService
    risk: RiskService
