"""The runner joins machine and venue; a message that makes no sense never ends it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest
from attrs import define, field

from mm_fsm.books.facts import MessageRefused, OrderCanceled, Timer
from mm_fsm.core.instrument import Balances, Fees, Instrument
from mm_fsm.core.messages import Fact, Intent
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.runtime.runner import SessionRunner
from mm_fsm.runtime.stepping import step_or_report
from mm_fsm.venues.paper import paper_terms
from mm_fsm.venues.port import VenueTerms

SYMBOL = "ETH/USD"
INSTRUMENT = Instrument(
    symbol=SYMBOL,
    base_currency="ETH",
    quote_currency="USD",
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.0001"),
    minimum_notional=Decimal(5),
)
FEES = Fees(maker_bps=Decimal(1), taker_bps=Decimal(5))
BALANCES = Balances(base=Decimal(10), quote=Decimal(20_000))


@define
class Telling:
    """A venue that has these facts to bring, and nothing else to do."""

    facts: list[Fact]
    sent: list[Intent] = field(factory=list)
    terms: VenueTerms = field(factory=lambda: paper_terms(INSTRUMENT, FEES, BALANCES))
    progress: float | None = None

    def submit(self, intents: Sequence[Intent], now: int) -> None:
        self.sent += intents

    def next_time(self) -> int | None:
        return 1 if self.facts else None

    def receive(self, now: int) -> tuple[Fact, ...]:
        facts, self.facts = tuple(self.facts), []
        return facts


def quiet_machine() -> MarketMakingStateMachine:
    """One that nothing has been told yet."""
    return MarketMakingStateMachine(MarketMakingSettings(symbol=SYMBOL), INSTRUMENT, FEES, BALANCES)


@pytest.mark.parametrize("time", [-1, 2**63, 10**30, 1.5, True])
def test_a_time_that_is_none_is_refused_and_said_to_the_machine(time: object) -> None:
    """The journal could not hold it, and no later time would be later."""
    machine = quiet_machine()
    venue = Telling([Timer(received_at=7), Timer(received_at=time)])  # type: ignore[arg-type]
    runner = SessionRunner(machine, venue)
    results = list(runner.advance())
    assert [type(result.fact) for result in results] == [Timer, MessageRefused]
    assert runner.refused_facts == 1
    assert machine.context.now == 7
    assert "received_at" in str(results[1].fact)


def test_a_fact_that_is_refused_is_said_to_the_machine_and_one_that_is_taken_is_not() -> None:
    machine = quiet_machine()
    taken, refused = (
        Timer(received_at=7),
        OrderCanceled(received_at=8, symbol=SYMBOL, client_order_id="nobody's", exchange_time=8),
    )
    assert step_or_report(machine, taken).fact is taken
    reported = step_or_report(machine, refused).fact
    assert isinstance(reported, MessageRefused)
    assert (reported.received_at, reported.client_order_id) == (8, "nobody's")
    assert machine.context.refused_facts == 1


def test_a_machine_that_would_wait_for_ever_is_no_session() -> None:
    """A venue that brings nothing and a machine that waits for nothing: a host has made a mistake."""
    runner = SessionRunner(quiet_machine(), Telling([]))
    with pytest.raises(RuntimeError, match="would wait for ever"):
        list(runner.run())
