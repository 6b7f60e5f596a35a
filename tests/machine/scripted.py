"""Services that do what a test tells them, on top of the real ones."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.core.decisions import (
    Fault,
    FaultCode,
    Hold,
    InventoryAction,
    InventoryAssessment,
    InventoryStep,
    OrderChanges,
    OrderDraft,
    Quote,
    QuotePlan,
)
from mm_fsm.core.messages import OrderPurpose, Side
from mm_fsm.services.inventory import DefaultInventoryService
from mm_fsm.services.orders import DefaultOrderService
from mm_fsm.services.protocols import Services
from mm_fsm.services.risk import DefaultRiskService
from mm_fsm.services.spreads import DefaultSpreadService


class ScriptedRisk(DefaultRiskService):
    """The default risk service, with faults that can be set. Every state but ERROR asks it first."""

    def __init__(self) -> None:
        self.cause: Fault | None = None
        self.failed_check: Fault | None = None
        self.when_asked: Callable[[], object] = lambda: None
        """Called before each answer about a cause to halt; may raise."""

    def halt_cause(self, context: MarketMakingContext) -> Fault | None:
        """The cause that was set; else what the default service says."""
        self.when_asked()
        return self.cause or super().halt_cause(context)

    def check_cycle(self, context: MarketMakingContext) -> Fault | None:
        """The failed check that was set; else what the default service says."""
        return self.failed_check or super().check_cycle(context)


class ScriptedInventory(DefaultInventoryService):
    """The default inventory service, unless it is told what to find, or to raise."""

    def __init__(self) -> None:
        self.finds: Literal["", "work", "nothing to do"] = ""
        self.error: type[BaseException] | None = None

    def assess(self, context: MarketMakingContext) -> InventoryAssessment:
        """What the default service says, unless it is to raise."""
        if self.error is not None:
            raise self.error
        return super().assess(context)

    def is_reduced(self, context: MarketMakingContext) -> bool:
        """Whether it was told to find nothing to do; else what the default service says."""
        return self.finds == "nothing to do" if self.finds else super().is_reduced(context)

    def next_action(self, context: MarketMakingContext) -> InventoryAction | None:
        """To cancel quotes, when it was told to find work; else what the default service says."""
        if not self.finds:
            return super().next_action(context)
        wanted = InventoryAction(step=InventoryStep.CANCEL_QUOTES, reason="a test said so")
        return wanted if self.finds == "work" else None


def services(**replaced: Any) -> Services:
    """The default services, some replaced."""
    chosen: dict[str, Any] = {
        "spreads": DefaultSpreadService(),
        "orders": DefaultOrderService(),
        "inventory": DefaultInventoryService(),
        "risk": DefaultRiskService(),
    }
    return Services(**(chosen | replaced))


def fault(*, transient: bool) -> Fault:
    """A cause to halt for."""
    return Fault(code=FaultCode.CUSTOM, reason="a test said so", transient=transient)


class RecklessSpreads(DefaultSpreadService):
    """Quotes whatever the market, the inventory and the orders are: many levels, some absurd."""

    def hold_market(self, context: MarketMakingContext) -> Hold | None:
        """Nothing ever holds."""
        return None

    def are_quotes_stale(self, context: MarketMakingContext) -> bool:
        """Twice a second."""
        calculated_at = context.last_spread_calculation
        return context.plan is None or calculated_at is None or context.now >= calculated_at + 500_000_000

    def price_quotes(self, context: MarketMakingContext) -> QuotePlan:
        """Prices from far behind the market to far beyond it, sizes from nothing to everything."""
        mid = context.mid_price or Decimal(100)
        tick = context.instrument.tick_size
        factors = (1, 2, 5, -3, 40, 100_000, Decimal("0.3"))
        sizes = (context.instrument.lot_size * 100, Decimal("0.5"), Decimal(7), Decimal("NaN"), Decimal("0.0001234"))
        quotes = {
            side: tuple(
                Quote(
                    side=side,
                    level=level,
                    price=context.instrument.floor_price(mid) - side.sign * tick * factor,
                    quantity=sizes[(context.spread_calculations + level) % len(sizes)],
                )
                for level, factor in enumerate(factors)
            )
            for side in Side
        }
        return QuotePlan(
            priced_at=context.now,
            reference_price=mid,
            half_spread=tick,
            inventory_skew=0.0,
            inventory_use=0.0,
            bid_spread_bps=1.0,
            ask_spread_bps=1.0,
            bid_was_clamped=False,
            ask_was_clamped=False,
            bids=quotes[Side.BID],
            asks=quotes[Side.ASK],
        )


class RecklessOrders(DefaultOrderService):
    """Places everything every time, and cancels now and then one order, or one that never was."""

    def plan_changes(self, context: MarketMakingContext, plan: QuotePlan) -> OrderChanges:
        """More of the same."""
        drafts = [
            OrderDraft(
                side=quote.side,
                price=quote.price,
                quantity=quote.quantity,
                purpose=OrderPurpose.QUOTE,
                level=quote.level,
            )
            for quote in (*plan.bids, *plan.asks)
        ]
        live = [order.client_order_id for order in context.orders.live()]
        cancels = (*live[:: 3 + context.spread_calculations % 3], "nobody's")
        return OrderChanges(cancels=cancels, placements=tuple(drafts))
