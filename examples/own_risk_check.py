"""Add a risk check: a refusal is a value with a code and a reason, shown wherever the side's hold is shown."""

from decimal import Decimal

from mm_fsm import (
    DefaultRiskService,
    MarketMakingContext,
    MarketMakingStateMachine,
    OrderDraft,
    Refusal,
    RefusalCode,
    Side,
    default_services,
    run_on_paper,
)

FLOOR = Decimal(1999)


def no_bids_below_floor(_context: MarketMakingContext, draft: OrderDraft) -> Refusal | None:
    """Refuse to buy below a price floor."""
    if draft.side is Side.BID and draft.price < FLOOR:
        return Refusal(RefusalCode.CUSTOM, f"no bids below {FLOOR}")
    return None


class FlooredRisk(DefaultRiskService):
    """The usual checks, and one more."""

    checks = (*DefaultRiskService.checks, no_bids_below_floor)


if __name__ == "__main__":
    machine = run_on_paper(MarketMakingStateMachine, services=default_services(risk=FlooredRisk()), seconds=600)
    held = machine.uptime.held[Side.BID]["risk"] / 1e9
    print(f"the bid side was held by risk for {held:.0f} s")
