"""Remove a state with None, and say where its edges go instead: every stale quote begins a whole new cycle.

A removed state takes its edges with it. What then leads nowhere is refused when the class is built, with a message
that says what to do.
"""

from mm_fsm import MarketMakingStateMachine as Base
from mm_fsm import run_on_paper


class OneLoopMaker(Base):
    """Knows no ADJUSTING_SPREADS: it goes through IDLE and prices from the beginning."""

    adjusting_spreads = None
    quotes_went_stale = Base.monitoring_orders.to(Base.idle, cond="quotes_stale")


if __name__ == "__main__":
    machine = run_on_paper(OneLoopMaker, seconds=600)
    print(f"{machine.transition_counts['idle.ready']} cycles, {machine.result().orders_executed} orders traded")
