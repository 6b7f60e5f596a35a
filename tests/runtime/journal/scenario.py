"""A market, an exchange that outlives its bots, and runs that are begun, killed and continued on one journal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from attrs import define, evolve, field

from mm_fsm.books.facts import Timer
from mm_fsm.core.instrument import Balances, Fees, Instrument
from mm_fsm.core.messages import Fact, Intent, Liquidity, OrderPurpose, PlaceOrder, Side
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.journal import JournalSettings
from mm_fsm.runtime.recovery import OpenRun, RunPlan, open_run
from mm_fsm.venues.base import MarketEvent, SimulatedVenue
from mm_fsm.venues.paper import PaperExchange, PaperSettings
from mm_fsm.venues.paper.matching import Execution
from mm_fsm.venues.simulator import MarketSimulator, SimulatorSettings

SYMBOL = "ETH/USD"
SECOND = 1_000_000_000
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


def settings_with(**changes: Any) -> MarketMakingSettings:
    """Settings of a maker that is quick to begin and fills often."""
    values: dict[str, Any] = {
        "symbol": SYMBOL,
        "target_spread_bps": 6.0,
        "base_order_size": 200,
        "warm_up_samples": 3,
        "volatility_sample_seconds": 1.0,
        "refresh_interval_seconds": 2.0,
        "requote_tolerance_away_share": 0.2,
        "requote_tolerance_towards_share": 0.1,
        "validity_window_seconds": 3.0,
        "request_timeout_seconds": 1.0,
        "query_interval_seconds": 0.5,
        "reconcile_interval_seconds": 5.0,
        "max_drawdown": 100_000,
    }
    return MarketMakingSettings(**{**values, **changes})


def plan_at(path: Path, *, settings: MarketMakingSettings | None = None, **changes: Any) -> RunPlan:
    """A plan for the scenario's market, market data recorded unless said otherwise."""
    tokens = iter(f"t{number:05d}" for number in range(100_000))
    values: dict[str, Any] = {
        "path": path,
        "settings": settings or settings_with(),
        "instrument": INSTRUMENT,
        "fees": FEES,
        "balances": BALANCES,
        "journal_settings": JournalSettings(record_market_data=True),
        "make_token": lambda: next(tokens),
    }
    return RunPlan(**{**values, **changes})


def make_market(seed: int = 3, **changes: Any) -> Iterator[MarketEvent]:
    """A lively market without end."""
    values: dict[str, Any] = {
        "instrument": INSTRUMENT,
        "seed": seed,
        "start_price": Decimal(2000),
        "level_size": Decimal(1),
        "taker_size": Decimal("0.5"),
        "takers_per_second": 2.0,
        "taker_depth_bps": 10.0,
        "impact_bps": 0.5,
        "duration_seconds": 1e7,
    }
    return iter(MarketSimulator(SimulatorSettings(**{**values, **changes})))


@define
class World:
    """The exchange with its market and its time, and whoever listens."""

    market: Iterator[MarketEvent] = field(factory=make_market)
    exchange: PaperExchange = field(
        factory=lambda: PaperExchange(INSTRUMENT, FEES, BALANCES, PaperSettings(history_seconds=1e7))
    )
    venue: SimulatedVenue = field(init=False)
    now: int = 0
    event: MarketEvent = field(init=False)
    sent: list[Intent] = field(factory=list)
    hears: Callable[[Fact], bool] = lambda fact: True
    """Which facts reach the bot."""

    def __attrs_post_init__(self) -> None:
        self.event = next(self.market)
        self.venue = self.exchange

    def run(self, run: OpenRun, seconds: float = 1e6, *, until: Callable[[StepResult], bool] | None = None) -> None:
        """Let time run with a bot listening, for so long or until a step is as wanted."""
        wake_at = self._step(run, Timer(received_at=self.now), until)
        end = self.now + int(seconds * SECOND)
        while wake_at is not None and self.now < end and not run.machine.is_final:
            for fact in self._advance(wake_at if wake_at > self.now else None):
                wake_at = self._step(run, fact, until)
                if wake_at is None:
                    return

    def tell(self, run: OpenRun, fact: Fact) -> StepResult:
        """One fact from outside, now."""
        result = run.machine.step(evolve(fact, received_at=self.now))
        self._carry(result)
        return result

    def pass_time(self, seconds: float) -> None:
        """Let time run with nobody listening; what is said meanwhile is lost."""
        end = self.now + int(seconds * SECOND)
        while self.now < end:
            self._advance(end)

    def _step(self, run: OpenRun, fact: Fact, until: Callable[[StepResult], bool] | None) -> int | None:
        result = run.machine.step(fact)
        self._carry(result)
        if until is not None and until(result):
            return None
        return result.wake_at if result.wake_at is not None else self.now + SECOND

    def _carry(self, result: StepResult) -> None:
        for intent in result.intents:
            self.sent.append(intent)
            self.venue.submit(intent, self.now)

    def _advance(self, wake_at: int | None) -> list[Fact]:
        venue_time = self.venue.next_time()
        times = [time for time in (venue_time, wake_at) if time is not None]
        if all(self.event.exchange_time <= time for time in times):
            self.now = max(self.now, self.event.exchange_time)
            self.venue.on_market(self.event)
            self.event = next(self.market)
            return []
        self.now = max(self.now, min(times))
        if venue_time is not None and venue_time <= self.now:
            return [fact for fact in self.venue.advance(self.now) if self.hears(fact)]
        return [Timer(received_at=self.now)]

    @property
    def placements(self) -> list[PlaceOrder]:
        """Every placement that left a bot."""
        return [intent for intent in self.sent if isinstance(intent, PlaceOrder)]


def begin(plan: RunPlan) -> OpenRun:
    """Open a run, as a new process would."""
    return open_run(plan)


def kill(run: OpenRun) -> None:
    """End a process without any farewell: what is durable stays, the lock goes."""
    run.journal.file.connection.close()
    run.ownership.release()


def record_two_processes(path: Path, pause_seconds: int) -> Path:
    """A journal with market data of two processes with a pause after each, both killed."""
    plan = plan_at(path, journal_settings=JournalSettings(record_market_data=True, segment_records=100))
    world = World()
    for _ in range(2):
        run = begin(plan)
        world.run(run, 40)
        kill(run)
        world.pass_time(pause_seconds)
    return path


def is_quoting(result: StepResult) -> bool:
    """Whether a step came to rest with quotes out."""
    return result.state == "monitoring_orders"


def assert_books_equal_account(run: OpenRun, world: World) -> None:
    """Position and cash in the books are the exchange's, to the last decimal."""
    context, account = run.machine.machine.context, world.exchange.balances
    assert context.base_position == account.base_total
    assert context.ledger.cash == account.quote_total
    known = {trade_id for _, trade_id in context.ledger._trades}
    assert known == {fill.trade_id for fill in world.exchange._own_trades}


def is_reconciled(run: OpenRun) -> Any:
    return lambda _: run.machine.machine.context.reconciliation.is_complete


def quote_for(path: Path, seconds: float, **changes: Any) -> tuple[World, Any]:
    """A run that has quoted for a while and was then killed; its world goes on."""
    plan = plan_at(path, **changes)
    world, run = World(), begin(plan)
    world.run(run, seconds)
    world.run(run, until=is_quoting)
    kill(run)
    return world, plan


def place(world: World, client_order_id: str, price: str = "1900", side: Side = Side.BID) -> None:
    """Somebody with access to the account sends an order."""
    world.venue.submit(
        PlaceOrder(
            symbol=SYMBOL,
            client_order_id=client_order_id,
            side=side,
            price=Decimal(price),
            quantity=Decimal("0.01"),
            purpose=OrderPurpose.QUOTE,
            level=0,
        ),
        world.now,
    )
    world.pass_time(1)


def take(world: World, client_order_id: str, quantity: Decimal) -> None:
    """Somebody takes so much of one order, in two trades."""
    order = world.exchange._orders.find_open(client_order_id)
    assert order is not None
    parts = [quantity / 4, quantity - quantity / 4]
    world.exchange._book([Execution(order, order.price, part, Liquidity.MAKER) for part in parts if part])


def unheard(kind: type[Fact]) -> Any:
    return lambda fact: not isinstance(fact, kind)
