"""The runner joins machine, market and venue; a message that makes no sense never ends it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from attrs import define, field

from mm_fsm.books.facts import MessageRefused, OrderCanceled, Timer
from mm_fsm.core.instrument import Balances, Fees, Instrument
from mm_fsm.core.messages import Fact, Intent
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.runtime.runner import SessionRunner, tell
from mm_fsm.venues.base import MarketEvent

SYMBOL = "ETH/USD"


@define
class Telling:
    """A venue that has these facts to tell, and nothing else to do."""

    facts: list[Fact]
    sent: list[Intent] = field(factory=list)

    def submit(self, intent: Intent, now: int) -> None:
        self.sent.append(intent)

    def on_market(self, event: MarketEvent) -> None:
        raise AssertionError(event)

    def next_time(self) -> int | None:
        return 1 if self.facts else None

    def advance(self, now: int) -> tuple[Fact, ...]:
        facts, self.facts = tuple(self.facts), []
        return facts


def quiet_machine() -> MarketMakingStateMachine:
    """One that nothing has been told yet."""
    return MarketMakingStateMachine(
        MarketMakingSettings(symbol=SYMBOL),
        Instrument(
            symbol=SYMBOL,
            base_currency="ETH",
            quote_currency="USD",
            tick_size=Decimal("0.01"),
            lot_size=Decimal("0.0001"),
            minimum_notional=Decimal(5),
        ),
        Fees(maker_bps=Decimal(1), taker_bps=Decimal(5)),
        Balances(base=Decimal(10), quote=Decimal(20_000)),
    )


@pytest.mark.parametrize("time", [-1, 2**63, 10**30, 1.5, True])
def test_a_time_that_is_none_is_refused_and_said_to_the_machine(time: object) -> None:
    """The journal could not hold it, and no later time would be later."""
    machine = quiet_machine()
    venue = Telling([Timer(received_at=7), Timer(received_at=time)])  # type: ignore[arg-type]
    runner = SessionRunner(machine, iter(()), venue)
    runner._has_ended = True  # the market is silent, the session goes on
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
    assert tell(machine, taken).fact is taken
    told = tell(machine, refused).fact
    assert isinstance(told, MessageRefused)
    assert (told.received_at, told.client_order_id) == (8, "nobody's")
    assert machine.context.refused_facts == 1
