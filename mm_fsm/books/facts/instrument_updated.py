"""The market's rules changed."""

from __future__ import annotations

from attrs import frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts.fields import refusal
from mm_fsm.core.instrument import Instrument
from mm_fsm.core.messages import VenueFact


@frozen(kw_only=True)
class InstrumentUpdated(VenueFact):
    """The venue changed this market's rules."""

    instrument: Instrument

    def admit(self, context: MarketMakingContext) -> None:
        """Only grid, minimums and maximums may change while running."""
        old, new = context.instrument, self.instrument
        for name in ("symbol", "base_currency", "quote_currency", "kind", "contract_size"):
            if getattr(new, name) != getattr(old, name):
                raise refusal(
                    self,
                    f"instrument.{name}",
                    f"{getattr(old, name)!r} as before; only grid, minimums and maximums may change while running",
                    getattr(new, name),
                    "Stop this machine and start another for the new instrument.",
                )

    def book(self, context: MarketMakingContext, admitted: None) -> None:
        """Under new rules every order goes, and quotes are priced and rounded again."""
        if self.instrument == context.instrument:
            return
        context.instrument = self.instrument
        context.plan = None
        context.orders.cancel_all_live()
