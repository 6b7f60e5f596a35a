"""One configuration on one stretch of a market: what it earned, step by step of time, and how it traded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

from attrs import define, field, frozen

from mm_fsm.books.request_rates import RequestRates
from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.messages import CancelOrder, PlaceOrder
from mm_fsm.core.rate_rules import KRAKEN_TIERS, DecayingCounter
from mm_fsm.errors import SettingsError
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.quoting import QuotingMachine
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.runner import SessionRunner
from mm_fsm.runtime.settings_file import MarketConfiguration
from mm_fsm.services.protocols import Services
from mm_fsm.venues.base import MarketEvent, time_of
from mm_fsm.venues.paper import PaperAccount


@frozen(kw_only=True)
class TradingFigures:
    """What a stretch brought."""

    profits: tuple[float, ...]
    """Change of the net profit in each step of time, quote currency, marked at the mid. What is
    held at the end stays, at the last mid."""
    orders: int
    cancels: int
    fills: int
    refused: int
    """Placements that a venue with the counter would have refused."""
    volume: float
    """Traded, quote currency."""
    success: bool

    @property
    def net(self) -> float:
        """Profit after fees, quote currency."""
        return sum(self.profits)

    @property
    def orders_per_fill(self) -> float | None:
        """Placements for each fill; None without a fill."""
        return self.orders / self.fills if self.fills else None

    @property
    def refused_share(self) -> float:
        """Share of the placements that the counter would have refused."""
        return self.refused / self.orders if self.orders else 0.0


@define
class _Requests:
    """Requests as a venue with a decaying counter counts them."""

    rates: RequestRates
    sent: dict[str, int] = field(factory=dict)
    orders: int = 0
    cancels: int = 0
    refused: int = 0

    def note(self, result: StepResult) -> None:
        for intent in result.intents:
            if isinstance(intent, PlaceOrder):
                self.orders += 1
                self.refused += self.rates.why_not(result.time, is_quote=False) is not None
                self.rates.note_placement(result.time)
                self.sent[intent.client_order_id] = result.time
            elif isinstance(intent, CancelOrder):
                self.cancels += 1
                age = result.time - self.sent.pop(intent.client_order_id, result.time)
                self.rates.note_cancel(result.time, age)


def trade(
    configuration: MarketConfiguration,
    market: Iterable[MarketEvent],
    *,
    step_seconds: float = 60.0,
    services: Services | None = None,
    counter: DecayingCounter = KRAKEN_TIERS["intermediate"],
    on_result: Callable[[StepResult], None] = lambda _result: None,
) -> TradingFigures:
    """Make a market of these events on the paper exchange, and cancel at their end.

    Args:
        configuration: settings, instrument, fees, account; its venue must be a paper one.
        market: the events.
        step_seconds: of one profit.
        services: by default those that the settings name.
        counter: by which requests are counted; nothing is refused.
        on_result: told of every step.

    Raises:
        SettingsError: the venue is none of paper, or settings contradict each other.
        RecordingError: an event is malformed.
    """
    account = configuration.venue
    if not isinstance(account, PaperAccount):
        raise SettingsError("venue.kind", "'paper' or 'recorded'", configuration.venue_kind, "Use other settings.")
    machine = MarketMakingStateMachine(
        configuration.strategy, account.instrument, account.fees, account.balances, services
    )
    runner = SessionRunner(machine, account.on(market))
    requests = _Requests(RequestRates(most_orders=10**9, interval=1, counter=counter))

    def watch(result: StepResult) -> None:
        requests.note(result)
        on_result(result)

    profits = _profits(runner, machine, nanoseconds(step_seconds), watch)
    return TradingFigures(
        profits=profits,
        orders=requests.orders,
        cancels=requests.cancels,
        fills=machine.context.fill_count,
        refused=requests.refused,
        volume=float(machine.context.total_volume),
        success=machine.result().success,
    )


def _profits(
    runner: SessionRunner, machine: QuotingMachine, step: int, on_result: Callable[[StepResult], None]
) -> tuple[float, ...]:
    """Run to the end; the change of the net profit in each step of time."""
    marks, next_mark = [0.0], 0
    while not machine.is_final:
        if not next_mark and runner.now > 0:
            next_mark = runner.now - runner.now % step + step
        while next_mark and runner.now >= next_mark:  # a step without news is a step without profit
            marks.append(float(machine.context.net_pnl))
            next_mark += step
        for result in runner.advance():
            on_result(result)
    marks.append(float(machine.context.net_pnl))
    return tuple(after - before for before, after in pairwise(marks))


def between(market: Iterable[MarketEvent], begin: int, end: int) -> Iterator[MarketEvent]:
    """The events from ``begin`` on and before ``end``, nanoseconds; the market must be in order of time."""
    for event in market:
        time = time_of(event)
        if time >= end:
            return
        if time >= begin:
            yield event
