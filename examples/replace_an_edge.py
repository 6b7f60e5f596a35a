"""Replace an edge by declaring its event again: a passed inventory limit ends the session.

The new edge takes the old one's place in the order of precedence.
"""

from mm_fsm import Fault, FaultCode, MarketMakingSettings, run_on_paper
from mm_fsm import MarketMakingStateMachine as Base


class CautiousMaker(Base):
    """Treats a passed inventory limit as a fault instead of adjusting the position."""

    limit_passed = Base.monitoring_orders.to(Base.error, cond="inventory_limit_passed", on="note_passed_limit")

    def note_passed_limit(self) -> None:
        """Remember why: a fault that is not retried, so that the position is wound down."""
        fault = Fault(code=FaultCode.CUSTOM, reason="the inventory limit was passed", transient=False)
        self.report_fault(fault)


if __name__ == "__main__":
    machine = run_on_paper(CautiousMaker, MarketMakingSettings(symbol="ETH/USD", session_seconds=300))
    print(f"ended in {machine.chart_state}: {machine.result().error or 'no limit was passed'}")
