"""The pushed port over ccxt: one account's connection, for all its markets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from attrs import evolve
from loguru import logger

from mm_fsm.core.instrument import Instrument
from mm_fsm.core.messages import CancelOrder, Intent, PlaceOrder
from mm_fsm.errors import MarketMakerError, SettingsError, VenueError
from mm_fsm.venues.ccxt_venue.account import HAS_SWITCH, Account
from mm_fsm.venues.ccxt_venue.client_ids import ClientIds
from mm_fsm.venues.ccxt_venue.deadlines import refuse_late_orders
from mm_fsm.venues.ccxt_venue.inspection import foreign_order_of, inspection_of, permissions_of
from mm_fsm.venues.ccxt_venue.library import close_exchange
from mm_fsm.venues.ccxt_venue.live_market import LiveMarket, VenueClock
from mm_fsm.venues.ccxt_venue.looks import Looks
from mm_fsm.venues.ccxt_venue.market_rules import account_name, agreed, read_fees, read_instrument
from mm_fsm.venues.ccxt_venue.own_orders import OwnOrderNews
from mm_fsm.venues.ccxt_venue.own_trades import OwnTradeNews
from mm_fsm.venues.ccxt_venue.pages import check_room
from mm_fsm.venues.ccxt_venue.patience import NotOpenedError, RetryAfter, may_pass, opened_in_time
from mm_fsm.venues.ccxt_venue.requests import OrderRequests
from mm_fsm.venues.ccxt_venue.stream_keeper import StreamKeeper
from mm_fsm.venues.ccxt_venue.usage import HearUsage, UsageReader, learn_limits, listen_to_usage
from mm_fsm.venues.ccxt_venue.wanted import WantedAccount, WantedMarket
from mm_fsm.venues.ccxt_venue.watch import Watch
from mm_fsm.venues.inspection import AccountInspection, Permissions
from mm_fsm.venues.port import Capabilities, TakeFact, VenueTerms
from mm_fsm.venues.wall_clock import WallClock

REQUEST_MILLISECONDS: Final = 4000
"""How long an answer may take. It is less than the machine waits, so that the machine learns how it ended."""
RECEIVE_WINDOW_MILLISECONDS: Final = 5000
"""How long after its signing the exchange may carry a request out, where it knows such a window."""
ARRIVAL_SECONDS: Final = RECEIVE_WINDOW_MILLISECONDS / 1_000 + REQUEST_MILLISECONDS / 1_000
"""How long after it has left a placement may still reach the book: the window, and what clocks may differ by."""
SNAPSHOT_LEVELS: Final = 500
"""Levels a side of a book's snapshot, where ccxt lets it be chosen: half of its default, at half the request weight."""
CLOSE_SECONDS: Final = 1.0
"""How long closing may wait for the other side."""
_Opened = TypeVar("_Opened")


class CcxtVenue:
    """One account at one exchange, through ccxt.

    Args:
        account: the account.
        markets: its markets.
        make_token: makes the parts of client order ids.
        clock: of the host; the wall's by default.
    """

    def __init__(
        self,
        account: WantedAccount,
        markets: Sequence[WantedMarket],
        make_token: Callable[[], str],
        clock: WallClock | None = None,
    ) -> None:
        self._wanted = account
        self._written = {market.symbol: market for market in markets}
        self._make_token = make_token
        self._clock = clock or WallClock()
        self._longest_wait_seconds = 1.0
        self._usage = UsageReader(exchange=account.exchange, now=self.now)
        self._hear_usage: HearUsage = lambda _: None
        self._ids = ClientIds(account.exchange, frozenset(market.strategy_id for market in markets))
        self._account: Account | None = None
        self._terms_told: Mapping[str, VenueTerms] = {}
        self._streams: StreamKeeper | None = None
        self._requests: OrderRequests | None = None
        self._looks: Looks | None = None
        self._watch: Watch | None = None
        self._watching: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[Any]] = set()
        self._leaving: dict[asyncio.Task[Any], Intent] = {}
        self._is_closed = False

    @property
    def sources(self) -> Mapping[str, str]:
        """Where each kind of news comes from: ``stream``, ``polling`` or ``answers only``."""
        return {} if self._streams is None or self._streams.current is None else dict(self._streams.current.sources)

    # -- the port ---------------------------------------------------------------------------------------------------

    async def open(self) -> Mapping[str, VenueTerms]:
        """Connect, read the terms, and listen to own trades; tried again for a while where what is wrong may pass.

        Raises:
            SettingsError: the exchange and the settings disagree, or the account cannot be used.
            VenueError: the exchange cannot be reached.
        """
        wanted = self._wanted
        return await opened_in_time(lambda: self._connected(self._open), wanted.opening_seconds, wanted.exchange)

    async def open_for_requests(self) -> None:
        """Connect for cancels and questions alone: no streams, and nothing is compared with what settings say.

        It may be called again once it has failed.

        Raises:
            VenueError: the exchange cannot be reached.
        """
        await self._connected(self._open_for_requests)

    def drop_after(self, seconds: float) -> None:
        """Never send a placement whose step is longer ago. Call it before ``open``."""
        self._longest_wait_seconds = seconds

    def report_usage(self, take: HearUsage) -> None:
        """Give the exchange's counters of requests to ``take``, as answers tell them. Call it before ``open``."""
        self._hear_usage = take

    def attach(self, symbol: str, take: TakeFact, known_ids: Mapping[str, str]) -> None:
        """From now on pass one market's facts to ``take``."""
        account = self._opened()
        market = account.markets[symbol]
        for venue_order_id, client_order_id in known_ids.items():
            market.known.add(client_order_id)
            account.orders.remember(market, venue_order_id, client_order_id)
        market.take = take

    def submit(self, intents: Sequence[Intent], now: int) -> None:
        """Carry the intents of one step out, in their order."""
        assert self._requests is not None  # noqa: S101 - open() made it
        assert self._looks is not None  # noqa: S101 - open() made it
        for intent in intents:
            if isinstance(intent, PlaceOrder):
                task = self._requests.place(intent, now)
            elif isinstance(intent, CancelOrder):
                task = self._requests.cancel(intent)
            else:
                task = asyncio.get_running_loop().create_task(self._looks.answer(intent))
            self._leaving[task] = intent
            task.add_done_callback(self._left)

    def now(self) -> int:
        """Host time."""
        return self._clock.now()

    def call_at(self, time: int, call: Callable[[], None]) -> Callable[[], None]:
        """Call back at host time ``time``."""
        return self._clock.call_at(time, call)

    async def drain(self, seconds: float) -> tuple[Intent, ...]:
        """Let placements and cancels be answered for so long; return those that were not."""
        waiting = [task for task, intent in self._leaving.items() if isinstance(intent, (CancelOrder, PlaceOrder))]
        if waiting:
            await asyncio.wait(waiting, timeout=seconds)
        return tuple(self._leaving[task] for task in waiting if task in self._leaving)

    async def close(self) -> None:
        """Disconnect."""
        if self._is_closed:
            return
        self._is_closed = True
        for market in self._account.markets.values() if self._account is not None else ():
            market.take = None
        if self._watch is not None:
            self._watch.stop()
        for task in (*self._leaving, *filter(None, [self._watching])):
            task.cancel()
        if self._streams is not None:
            self._streams.close()
        if self._account is not None:
            self._let_close(close_exchange(self._account.exchange))
        if self._closing:
            _, late = await asyncio.wait(self._closing, timeout=CLOSE_SECONDS)
            for task in late:  # a half-open connection: it is dropped
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def arm_switch(self, seconds: float) -> None:
        """Have the exchange cancel everything in the account unless this is called again in time; 0 disarms it.

        Raises:
            VenueError: the exchange has not confirmed it.
        """
        account = self._opened()
        account.check_not_suspended()
        try:
            await account.exchange.cancel_all_orders_after(round(seconds * 1_000))
        except Exception as error:  # noqa: BLE001 - whatever ccxt raises
            account.judge(error)
            raise VenueError(f"{account.name}: its switch was not set: {account.reason(error)}") from None

    async def foreign_order(self) -> str | None:
        """In which market an order rests that the markets of this connection did not send; None where none rests.

        Raises:
            VenueError: the exchange does not answer, or what it answers may not be all.
        """
        return await foreign_order_of(self._opened())

    # -- looking at the account (mm_fsm.venues.inspection) ----------------------------------------------------------

    async def permissions(self) -> Permissions:
        """What the keys may do. Never raises."""
        return await permissions_of(self._opened())

    async def inspect(self) -> AccountInspection:
        """The account as it is now.

        Raises:
            VenueError: the exchange does not answer.
        """
        fees = {symbol: each.fees for symbol, each in self._terms_told.items()}
        strategies = {symbol: market.strategy_id for symbol, market in self._written.items()}
        name = next(each.account for each in self._terms_told.values())
        return await inspection_of(self._opened(), name, fees, strategies)

    # -- opening ----------------------------------------------------------------------------------------------------

    async def _connected(self, open_it: Callable[[Any], Awaitable[_Opened]]) -> _Opened:
        exchange = self._make(enableRateLimit=False)
        told = RetryAfter(exchange)
        try:
            return await open_it(exchange)
        except BaseException as error:
            self._account = None
            found: VenueError | None = None
            if isinstance(error, Exception) and not isinstance(error, MarketMakerError):
                reason = self._wanted.keys.scrub(f"{type(error).__name__}: {error}")
                message = (
                    f"{self._wanted.exchange}: expected an account that can be traded, found {reason}. "
                    "Check the connection, the keys and what they may do."
                )
                found = NotOpenedError(message, told.seconds) if may_pass(error) else VenueError(message)
            await close_exchange(exchange)
            if found is None:
                raise
            raise found from None

    async def _open(self, exchange: Any) -> Mapping[str, VenueTerms]:
        await exchange.load_markets()
        await learn_limits(exchange, self._usage, next(iter(self._written)), self._hear_usage)
        terms = {symbol: await _terms(exchange, market, self._make_token) for symbol, market in self._written.items()}
        for symbol, market in self._written.items():
            check_room(exchange, symbol, market.most_orders)
        name = account_name(exchange, await exchange.fetch_balance(), self._wanted.account)
        account = self._shared(exchange, {symbol: each.instrument for symbol, each in terms.items()})
        streams = self._streams = StreamKeeper(account, self._make, self._let_close)
        watch = self._attended(account, streams)
        await watch.measure_clock()
        await streams.open()
        self._watching = asyncio.get_running_loop().create_task(watch.run())
        logger.bind(exchange=self._wanted.exchange, **self.sources).info("venue.opened")
        self._terms_told = {symbol: evolve(each, account=name) for symbol, each in terms.items()}
        return self._terms_told

    async def _open_for_requests(self, exchange: Any) -> None:
        await exchange.load_markets()
        instruments = {symbol: read_instrument(exchange, symbol, must_trade=False) for symbol in self._written}
        account = self._shared(exchange, instruments)
        watch = self._attended(account, StreamKeeper(account, self._make, self._let_close))
        await watch.measure_clock()
        self._watching = asyncio.get_running_loop().create_task(watch.run())

    def _attended(self, account: Account, streams: StreamKeeper) -> Watch:
        """What carries requests out and answers questions of an account, and what looks after its streams."""
        self._account = account
        self._requests = OrderRequests(account, self._longest_wait_seconds)
        self._looks = Looks(account, streams.lose, lambda: streams.since)
        self._watch = Watch(account, streams)
        account.on_clock_error = self._watch.ask_clock_soon
        return self._watch

    def _shared(self, exchange: Any, instruments: Mapping[str, Instrument]) -> Account:
        clock = VenueClock(self.now)
        orders = OwnOrderNews(self._ids, clock, self.now)
        trades = OwnTradeNews(exchange, orders, clock)
        orders.on_learnt = trades.hear_held
        markets = {
            symbol: LiveMarket(instrument, self._written[symbol].depth) for symbol, instrument in instruments.items()
        }
        return Account(self._wanted.exchange, exchange, self._wanted.keys, clock, orders, trades, markets)

    def _make(self, **configuration: Any) -> Any:
        options = {
            "recvWindow": RECEIVE_WINDOW_MILLISECONDS,
            "maxRetriesOnFailure": 0,
            "warnOnFetchOpenOrdersWithoutSymbol": False,  # asked so only where that costs less
            "watchOrderBookLimit": SNAPSHOT_LEVELS,
            "watchOrderBook": {"maxRetries": 1},  # ccxt would ask on while it is refused, and lengthen the ban
        }
        given = {**self._wanted.keys.parts, "number": str, "timeout": REQUEST_MILLISECONDS, "options": options}
        exchange = self._wanted.make({**given, **configuration})
        if exchange.id != self._wanted.exchange:
            remedy = "Write the name of the exchange that the factory makes."
            raise SettingsError("venue.exchange", repr(exchange.id), self._wanted.exchange, remedy)
        exchange.number = str
        listen_to_usage(exchange, self._usage, self._hear_usage)
        refuse_late_orders(exchange, RECEIVE_WINDOW_MILLISECONDS)
        if self._wanted.sandbox:
            exchange.set_sandbox_mode(True)
        return exchange

    # -- tasks ------------------------------------------------------------------------------------------------------

    def _let_close(self, work: Awaitable[Any]) -> None:
        task = asyncio.ensure_future(work)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _left(self, task: asyncio.Task[Any]) -> None:
        intent = self._leaving.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            reason = self._wanted.keys.scrub(f"{type(error).__name__}: {error}")
            logger.bind(intent=type(intent).__name__, reason=reason).error("venue.adapter_failed")

    def _opened(self) -> Account:
        if self._account is None:
            raise RuntimeError("the venue is not open: await open() first")
        return self._account


async def _terms(exchange: Any, market: WantedMarket, make_token: Callable[[], str]) -> VenueTerms:
    """What a market costs and allows, as the exchange says it; the account's name is not known yet."""
    instrument = agreed(exchange, read_instrument(exchange, market.symbol), market.instrument)
    fees = await read_fees(exchange, market.symbol, market.fees)
    return VenueTerms(
        instrument=instrument,
        fees=fees,
        balances=market.balances,
        account="",
        outlives_process=True,
        make_token=make_token,
        capabilities=Capabilities(cancels_when_silent=exchange.id in HAS_SWITCH, arrival_seconds=ARRIVAL_SECONDS),
    )
