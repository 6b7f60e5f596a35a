"""Machines on unmodified ccxt, trading at a rehearsal exchange in the same process.

As in a run, the account layer stands between the machines and the venue: they share balances, limits and questions.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, Final

from attrs import define, field

from mm_fsm.books.facts import (
    CancelRefused,
    OrderAcknowledged,
    OrderCanceled,
    OrderRejected,
    OutcomeUnknown,
    Timer,
)
from mm_fsm.core.instrument import Balances, Fees
from mm_fsm.core.messages import Fact, Intent, RequestKind
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.account.books import AccountBooks
from mm_fsm.runtime.account.settings import AccountSettings
from mm_fsm.runtime.account.shared_account import SharedAccount
from mm_fsm.runtime.pushed import PushedRunner
from mm_fsm.testing.rehearsal.client import exchange_factory
from mm_fsm.testing.rehearsal.fault_menu import Fault
from mm_fsm.testing.rehearsal.ready_markets import instrument_of, simulated_market, start_price_of
from mm_fsm.testing.rehearsal.server import RehearsalExchange
from mm_fsm.testing.rehearsal.terms import RehearsalTerms
from mm_fsm.venues.ccxt_venue.keys import Keys
from mm_fsm.venues.ccxt_venue.venue import CcxtVenue
from mm_fsm.venues.ccxt_venue.wanted import WantedAccount, WantedMarket
from mm_fsm.venues.tokens import random_token
from tests.patience import PATIENCE

"""Seconds that a condition may take to come true; only what hangs takes so long."""
FEES: Final = Fees(maker_bps=Decimal(1), taker_bps=Decimal(5))
QUOTE: Final = Decimal(50_000)
ACCOUNT: Final = AccountSettings(max_requests=2_000)
"""A market here asks and quotes far more often than one that is meant to earn."""


def settings_of(symbol: str, **changes: Any) -> MarketMakingSettings:
    """Quotes that are close to the market, so that they trade, and renewed often."""
    given: dict[str, Any] = {
        "symbol": symbol,
        "target_spread_bps": 4.0,
        "min_spread_bps": 2.0,
        "min_edge_bps": 0.0,
        "refresh_interval_seconds": 1.0,
        "volatility_sample_seconds": 0.1,
        "warm_up_samples": 3,
        "volatility_half_life_seconds": 10.0,
        "query_interval_seconds": 0.5,
        "rejection_hold_seconds": 0.5,
        "stale_data_seconds": 10.0,
        "reconcile_interval_seconds": 5.0,
        "validity_window_seconds": 10.0,
        "max_orders_per_interval": 40,
        "target_base": None,
    }
    return MarketMakingSettings(**{**given, **changes})


@define(eq=False)
class LiveMarketMaker:
    """One machine, and everything that it was told and asked for."""

    machine: MarketMakingStateMachine
    runner: PushedRunner
    facts: list[Fact] = field(factory=list)
    intents: list[Intent] = field(factory=list)
    results: list[StepResult] = field(factory=list)
    balances: Balances = field(kw_only=True)

    @property
    def symbol(self) -> str:
        return self.machine.context.settings.symbol

    def __str__(self) -> str:
        """What it does now and why, for whoever waited in vain."""
        context = self.machine.context
        sides = (
            f"{side}: {f'{held.status.reason} ({held.status.detail})' if held.status else 'live'}"
            for side, held in context.sides.items()
        )
        unknown = sum(order.is_unknown for order in context.orders.live())
        detail = context.reconciliation.detail
        return f"{self.symbol} {self.machine.chart_state}, {', '.join(sides)}, {unknown} unknown orders, {detail}"

    def take(self, fact: Fact) -> None:
        self.facts.append(fact)
        self.runner.take(fact)

    def answers(self, request: RequestKind) -> int:
        """Facts that answer placements, or cancels."""
        lost = sum(fact.request is request for fact in self.of(OutcomeUnknown))
        kinds = (OrderAcknowledged, OrderRejected) if request is RequestKind.PLACE else (OrderCanceled, CancelRefused)
        return lost + sum(len(self.of(kind)) for kind in kinds)

    def of(self, kind: type[Any]) -> list[Any]:
        return [fact for fact in self.facts if isinstance(fact, kind)]


@define(eq=False)
class Stage:
    """An exchange, a venue on it, the account layer on that, and a machine for each market."""

    exchange: RehearsalExchange
    venue: CcxtVenue
    account: SharedAccount
    makers: dict[str, LiveMarketMaker]
    patience: float = PATIENCE

    @property
    def maker(self) -> LiveMarketMaker:
        return next(iter(self.makers.values()))

    async def until(self, condition: Callable[[], bool]) -> None:
        try:
            await until(condition, patience=self.patience)
        except TimeoutError:
            raise TimeoutError("; ".join(map(str, self.makers.values()))) from None

    async def stop(self, *, flatten: bool = False) -> None:
        """End every session, and wait until each has ended."""
        for maker in self.makers.values():
            maker.runner.request_stop(flatten=flatten, reason="the test ends")
        machines = [maker.machine for maker in self.makers.values()]
        await self.until(lambda: all(machine.is_final for machine in machines))
        await self.until(lambda: not any(machine.context.incomplete_fills.without_fee for machine in machines))


async def until(condition: Callable[[], bool], *, patience: float = PATIENCE) -> None:
    """Wait for something that must become true, for so many seconds at most."""

    async def watch() -> None:
        while not condition():  # noqa: ASYNC110 - any condition, of either side
            await asyncio.sleep(0.005)

    await asyncio.wait_for(watch(), patience)


def rehearsal_terms(symbols: Sequence[str], seed: int, *, bnb_fees: bool = False, **changes: Any) -> RehearsalTerms:
    listed = tuple(dict.fromkeys((*symbols, "BNB/USDT") if bnb_fees else symbols))
    given: dict[str, Any] = {
        "markets": tuple(
            simulated_market(each, seed=seed + index, takers_per_second=3.0, spread_bps=3.0, taker_depth_bps=8.0)
            for index, each in enumerate(listed)
        ),
        "balances": {"USDT": QUOTE * len(symbols), **{each.partition("/")[0]: base_of(each) for each in listed}},
        "fees": FEES,
        "pays_fees_in_bnb": bnb_fees,
    }
    return RehearsalTerms(**{**given, **changes})


def base_of(symbol: str) -> Decimal:
    """What a market begins with, base units."""
    return instrument_of(symbol).floor_quantity(Decimal(20_000) / start_price_of(symbol))


def venue_on(exchange: RehearsalExchange, symbols: Sequence[str], **changes: Any) -> CcxtVenue:
    account = WantedAccount(
        exchange="binance",
        make=changes.get("make") or exchange_factory(exchange.endpoint),
        keys=changes.get("keys") or Keys(),
        opening_seconds=changes.get("opening_seconds", 60.0),
    )
    markets = [
        WantedMarket(
            symbol=symbol,
            strategy_id="mm",
            most_orders=20,
            instrument=changes.get("instrument"),
            fees=changes.get("fees"),
            balances=Balances(base=base_of(symbol), quote=QUOTE),
        )
        for symbol in symbols
    ]
    return CcxtVenue(account, markets, random_token)


@asynccontextmanager
async def live(
    *faults: Fault,
    symbols: Sequence[str] = ("ETH/USDT",),
    seed: int = 1,
    strategy: Any = None,
    wrap: Any = None,
    **changes: Any,
) -> AsyncIterator[Stage]:
    """Everything open and reconciling; the faults begin then."""
    async with RehearsalExchange(rehearsal_terms(symbols, seed, **changes)) as exchange:
        make = exchange_factory(exchange.endpoint)
        venue = venue_on(exchange, symbols, make=make if wrap is None else wrap(make))
        account = SharedAccount(venue, ACCOUNT)
        makers: dict[str, LiveMarketMaker] = {}
        try:
            terms = await account.open()
            makers |= {symbol: _maker(account, terms[symbol], strategy or {}) for symbol in symbols}
            stage = Stage(exchange, venue, account, makers)
            exchange.inject(*faults)
            for symbol, maker in makers.items():
                account.read_books(symbol, AccountBooks(maker.machine.context))
                account.attach(symbol, maker.take, {})
                maker.take(Timer(received_at=account.now()))
            yield stage
        finally:
            for maker in makers.values():
                maker.runner.close()
            await account.close()


def _maker(venue: SharedAccount, terms: Any, strategy: dict[str, Any]) -> LiveMarketMaker:
    machine = MarketMakingStateMachine(
        settings_of(terms.instrument.symbol, **strategy),
        terms.instrument,
        terms.fees,
        terms.balances,
        run_id=terms.make_token(),
        session_id=terms.make_token(),
    )
    maker: LiveMarketMaker

    def note(result: StepResult) -> None:
        maker.results.append(result)
        maker.intents += result.intents

    maker = LiveMarketMaker(machine, PushedRunner(machine, venue, note), balances=terms.balances)
    return maker


def play(part: Callable[[], Any], longest: float = PATIENCE) -> Any:
    """Run a test's coroutine, for so many seconds at most."""

    async def within() -> Any:
        return await asyncio.wait_for(part(), longest)

    return asyncio.run(within())
