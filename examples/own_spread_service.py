"""Use a service of your own: a quoting style is one small class.

Services are pure: context in, value out. Give them to the machine, or register them under the entry point group
``mm_fsm.spreads`` and choose them by name in the settings.
"""

from attrs import evolve

from mm_fsm import (
    DefaultSpreadService,
    MarketMakingContext,
    MarketMakingStateMachine,
    QuotePlan,
    default_services,
    run_on_paper,
)


class InnermostOnly(DefaultSpreadService):
    """Quotes the innermost level only, priced as usual."""

    def price_quotes(self, context: MarketMakingContext) -> QuotePlan:
        """The usual plan with its outer levels left out."""
        plan = super().price_quotes(context)
        return evolve(plan, bids=plan.bids[:1], asks=plan.asks[:1])


if __name__ == "__main__":
    machine = run_on_paper(MarketMakingStateMachine, services=default_services(spreads=InnermostOnly()), seconds=600)
    print(f"{machine.result().orders_executed} orders traded, all of them innermost quotes")
