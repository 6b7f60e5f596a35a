"""Services and machines that do what a test tells them, on top of the real ones."""

from __future__ import annotations

from typing import Any

from mm_fsm.core.context import MarketMakingContext
from mm_fsm.core.decisions import Fault, FaultCode
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.services.inventory import DefaultInventoryService
from mm_fsm.services.orders import DefaultOrderService
from mm_fsm.services.protocols import Services
from mm_fsm.services.risk import DefaultRiskService
from mm_fsm.services.spreads import DefaultSpreadService


class ScriptedRisk(DefaultRiskService):
    """The default risk service, with a cause to halt for that can be set."""

    def __init__(self) -> None:
        self.cause: Fault | None = None

    def halt_cause(self, context: MarketMakingContext) -> Fault | None:
        """The cause that was set; else what the default service says."""
        return self.cause or super().halt_cause(context)


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


class PausingMachine(MarketMakingStateMachine):
    """The market maker, with guards that let it rest in the two states which otherwise are passed through."""

    spreads_calculated = MarketMakingStateMachine.calculating_spreads.to(
        MarketMakingStateMachine.placing_orders, cond="may_go_on"
    )
    fills_handled = MarketMakingStateMachine.order_filled.to(
        MarketMakingStateMachine.inventory_management, cond="may_go_on"
    )

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.goes_on = True
        self.is_broken = False
        super().__init__(*arguments, **options)

    def may_go_on(self) -> bool:
        """Whether the machine passes through."""
        return self.goes_on

    def all_confirmed(self) -> bool:
        """The real guard, unless it is to break."""
        if self.is_broken:
            raise RuntimeError("a guard broke")
        return super().all_confirmed()
