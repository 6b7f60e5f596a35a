"""Markets for the ways to lose money: books and trades by hand, made on the paper exchange, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any

from attrs import evolve, frozen

from mm_fsm.books.facts import MarketBook, MarketTrade
from mm_fsm.core.decisions import FaultCode
from mm_fsm.core.messages import BookLevel, Side
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.runner import SessionRunner
from mm_fsm.runtime.settings_file import MarketConfiguration, read_preset
from mm_fsm.venues.base import MarketEvent
from mm_fsm.venues.paper import PaperAccount

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
"""Any time will do; this one is in November 2023."""


def book(
    at: float, bid: str, ask: str, *, size: str = "5", ask_size: str | None = None, stamp: float | None = None
) -> MarketBook:
    """The best prices at a time in seconds, as the market shows them without our orders."""
    time = START + round(at * SECOND)
    return MarketBook(
        received_at=time,
        symbol="ETH/USD",
        exchange_time=time if stamp is None else START + round(stamp * SECOND),
        bids=(BookLevel(Decimal(bid), Decimal(size)),),
        asks=(BookLevel(Decimal(ask), Decimal(ask_size or size)),),
        includes_own_orders=False,
    )


def trade(at: float, price: str, size: str, taker: Side) -> MarketTrade:
    """One print."""
    time = START + round(at * SECOND)
    return MarketTrade(
        received_at=time,
        symbol="ETH/USD",
        exchange_time=time,
        price=Decimal(price),
        size=Decimal(size),
        taker_side=taker,
        trade_id=f"{at}-{price}",
    )


def calm(start: float, end: float, bid: str, ask: str, *, step: float = 1.0) -> Iterator[MarketBook]:
    """The same book again and again; the price breathes by a cent, so that volatility is known."""
    for number in range(round((end - start) / step)):
        shift = Decimal(number % 2) / 100
        yield book(start + number * step, str(Decimal(bid) + shift), str(Decimal(ask) + shift))


@frozen
class Outcome:
    """How a market was left."""

    machine: MarketMakingStateMachine
    results: tuple[StepResult, ...]
    references: frozenset[Decimal | None]
    """Every reference price that there was."""

    @property
    def net(self) -> Decimal:
        """Net profit, quote currency."""
        return self.machine.context.net_pnl

    @property
    def latched(self) -> set[FaultCode]:
        """Faults that ended trading."""
        return {fault.code for fault in self.machine.context.latched.values()}

    def placed(self, start: float, end: float) -> list[Any]:
        """Placements that left in a span of seconds."""
        span = range(START + round(start * SECOND), START + round(end * SECOND))
        return [
            intent
            for result in self.results
            if result.time in span
            for intent in result.intents
            if type(intent).__name__ == "PlaceOrder"
        ]


def configuration(preset: str = "paper_ethusd", **strategy: Any) -> MarketConfiguration:
    """A shipped preset with a strategy's settings changed."""
    shipped = read_preset(preset)
    values = {name: Decimal(str(value)) if isinstance(value, float) else value for name, value in strategy.items()}
    return evolve(shipped, strategy=evolve(shipped.strategy, **values))


def _nobody(_result: StepResult, _machine: MarketMakingStateMachine) -> None:
    """Nobody watches."""


def play(
    events: Iterable[MarketEvent],
    settings: MarketConfiguration | None = None,
    watch: Callable[[StepResult, MarketMakingStateMachine], None] = _nobody,
) -> Outcome:
    """Make the market on the paper exchange until its events, in the order of their receipt, end."""
    settings = settings or configuration()
    account = settings.venue
    assert isinstance(account, PaperAccount)
    machine = MarketMakingStateMachine(settings.strategy, account.instrument, account.fees, account.balances)
    runner = SessionRunner(machine, account.on(sorted(events, key=lambda event: event.received_at)))
    results: list[StepResult] = []
    references: set[Decimal | None] = set()
    for result in runner.run():
        results.append(result)
        watch(result, machine)
        references.add(machine.context.mid_price)
    return Outcome(machine, tuple(results), frozenset(references))
