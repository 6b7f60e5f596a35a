"""The example's machine on a paper exchange whose market, faults and operators a test writes down."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from attrs import define, field

from mm_fsm.books.facts import MarketBook, MarketTrade, OrderFilled
from mm_fsm.core.messages import BookLevel, CancelOrder, Fact, PlaceOrder, Side
from mm_fsm.machine.observers import MachineObserver
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.paper_run import PAPER_BALANCES, PAPER_FEES, PAPER_INSTRUMENT
from mm_fsm.runtime.runner import SessionRunner
from mm_fsm.venues.base import MarketEvent
from mm_fsm.venues.paper import PaperExchange, PaperVenue, paper_terms
from mm_fsm.venues.unreliable import Faults, UnreliableVenue

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
sys.path.insert(0, str(EXAMPLES))  # a journal names the module as a reader who runs the script has it

from time_weighted_execution import ParentOrder, TimeWeightedExecution  # noqa: E402 - found there

SECOND = 1_000_000_000
SYMBOL = PAPER_INSTRUMENT.symbol
BEST_BID, BEST_ASK = Decimal("1999.90"), Decimal("2000.10")


def parent_order(**changes: Any) -> ParentOrder:
    """Buy 1 ETH up to 2010 in four slices of ten seconds."""
    usual: dict[str, Any] = {
        "side": Side.BID, "quantity": Decimal(1), "limit_price": Decimal(2010), "slices": 4, "slice_seconds": 10.0
    }  # fmt: skip
    return ParentOrder(**{**usual, **changes})


def machine_of(parent: ParentOrder | None = None) -> TimeWeightedExecution:
    return TimeWeightedExecution(parent or parent_order(), PAPER_INSTRUMENT, PAPER_FEES, PAPER_BALANCES, run="1")


def book(second: float, bid: Decimal = BEST_BID, ask: Decimal = BEST_ASK, size: Decimal = Decimal(5)) -> MarketBook:
    at = int(second * SECOND)
    sides = {"bids": (BookLevel(bid, size),), "asks": (BookLevel(ask, size),)}
    return MarketBook(received_at=at, symbol=SYMBOL, exchange_time=at, includes_own_orders=False, **sides)


def trade(second: float, price: Decimal, size: Decimal, taker_side: Side) -> MarketTrade:
    at = int(second * SECOND)
    return MarketTrade(
        received_at=at, symbol=SYMBOL, price=price, size=size, taker_side=taker_side, trade_id=str(at), exchange_time=at
    )


def still_market(seconds: int) -> list[MarketEvent]:
    """The same book every second; nobody trades."""
    return [book(second) for second in range(1, seconds + 1)]


@define
class Promises(MachineObserver):
    """What must hold after every step, from the intents and fills themselves, not from the machine's own count."""

    machine: TimeWeightedExecution
    placed: dict[str, PlaceOrder] = field(factory=dict)
    fills: dict[str, OrderFilled] = field(factory=dict)
    cancels: int = 0

    def step_ended(self, result: StepResult) -> None:
        parent = self.machine.parent
        for intent in result.intents:
            if isinstance(intent, PlaceOrder):
                self._judge(intent, parent)
            self.cancels += isinstance(intent, CancelOrder)
        live = self.machine.context.orders.live()
        assert len(live) <= 1, "two orders in the book"
        worst = self.machine.executed + sum((order.remaining for order in live), Decimal(0))
        assert worst <= parent.quantity, "more than the parent order may be executed"
        assert result.state != "done" or not live, "ended with an order in the book"

    def _judge(self, intent: PlaceOrder, parent: ParentOrder) -> None:
        assert intent.client_order_id not in self.placed
        assert intent.side is parent.side
        assert (intent.price - parent.limit_price) * parent.side.sign <= 0, "beyond the limit price"
        assert PAPER_INSTRUMENT.meets_minimums(intent.price, intent.quantity)
        self.placed[intent.client_order_id] = intent


@define
class Played:
    """A run that has ended."""

    machine: TimeWeightedExecution
    promises: Promises
    exchange: PaperExchange
    results: list[StepResult]

    @property
    def path(self) -> list[str]:
        """States that were entered."""
        return [each.target for result in self.results for each in result.transitions if each.source != each.target]

    @property
    def base_bought(self) -> Decimal:
        """By the exchange's own account."""
        return self.exchange.balances.base_total - PAPER_BALANCES.base


def play(
    market: Iterable[MarketEvent],
    parent: ParentOrder | None = None,
    *,
    faults: Faults | None = None,
    told: Mapping[float, Fact] | None = None,
    stepped: Any = None,
    machine: TimeWeightedExecution | None = None,
) -> Played:
    """Run the machine to its end; ``told``: facts that it is told besides, by the second."""
    machine = machine or machine_of(parent)
    promises = Promises(machine)
    machine.observe(promises)
    exchange = PaperExchange(PAPER_INSTRUMENT, PAPER_FEES, PAPER_BALANCES)
    reached = exchange if faults is None else UnreliableVenue(exchange, faults)
    terms = paper_terms(PAPER_INSTRUMENT, PAPER_FEES, PAPER_BALANCES)
    runner = SessionRunner(stepped or machine, PaperVenue(terms, market, reached))
    waiting = sorted((told or {}).items())
    results: list[StepResult] = []
    while not machine.is_final:
        while waiting and runner.next_time >= waiting[0][0] * SECOND:
            runner.now = max(runner.now, int(waiting[0][0] * SECOND))
            results.append(runner.step(waiting.pop(0)[1]))
        results.extend(runner.advance())
        assert len(results) < 100_000, "it does not end"
    return Played(machine, promises, exchange, results)
