"""A rehearsal exchange on 127.0.0.1: everything put together, opened and closed."""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Final, Self

from aiohttp import web
from attrs import define, field

from mm_fsm.core.clock import NANOSECONDS_PER_MILLISECOND, nanoseconds
from mm_fsm.errors import PortError
from mm_fsm.testing.rehearsal.account_endpoints import AccountEndpoints
from mm_fsm.testing.rehearsal.authority import RehearsalAuthority
from mm_fsm.testing.rehearsal.endpoint import Endpoint
from mm_fsm.testing.rehearsal.engine import MatchingEngine
from mm_fsm.testing.rehearsal.fault_menu import Fault, FaultKind, Where
from mm_fsm.testing.rehearsal.fault_script import FaultScript
from mm_fsm.testing.rehearsal.judge import LogEntry, RehearsalLog
from mm_fsm.testing.rehearsal.market_feed import MarketFeed
from mm_fsm.testing.rehearsal.order_endpoints import OrderEndpoints
from mm_fsm.testing.rehearsal.parameters import Key
from mm_fsm.testing.rehearsal.public_endpoints import PublicEndpoints
from mm_fsm.testing.rehearsal.request_meter import RequestMeter
from mm_fsm.testing.rehearsal.rest import RestService
from mm_fsm.testing.rehearsal.routes import routes
from mm_fsm.testing.rehearsal.streams import Streams
from mm_fsm.testing.rehearsal.terms import RehearsalTerms
from mm_fsm.testing.rehearsal.venue_market import VenueMarket

HOST: Final = "127.0.0.1"
_NAMES: Final = ("*.binance.com", "localhost", HOST)
DEPTH_SECONDS: Final = 0.1
"""Between two updates of a published book."""
PHASES: Final = 10
"""Into so many turns markets are divided: they do not move, and are not published, all at one moment."""
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_NULL_FEES: Final = frozenset({FaultKind.NULL_FEES})


@define(eq=False)
class RehearsalExchange:
    """A Binance-spot-compatible exchange on loopback, for one account.

    It is opened and closed as an asynchronous context manager. Its own certificate authority is made when it opens.
    Should something in it break, a bug of its own, then closing it raises an ExceptionGroup.

    Args:
        terms: markets, balances, fees, limits, faults.
        clock: nanoseconds since the Unix epoch.
        on_entry: told each entry of the log as it is written.
    """

    terms: RehearsalTerms
    clock: Callable[[], int] = time.time_ns
    on_entry: Callable[[LogEntry], None] | None = None
    log: RehearsalLog = field(init=False)
    script: FaultScript = field(init=False)
    engine: MatchingEngine = field(init=False)
    meter: RequestMeter = field(init=False)
    streams: Streams = field(init=False)
    _opened_at: int = field(init=False)
    _key: Key = field(init=False)
    _closing: asyncio.Event = field(factory=asyncio.Event, init=False)
    _tasks: list[asyncio.Task[None]] = field(factory=list, init=False)
    _is_broken: asyncio.Event = field(factory=asyncio.Event, init=False)
    _broken: list[Exception] = field(factory=list, init=False)
    _runner: web.AppRunner | None = field(default=None, init=False)
    _endpoint: Endpoint | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._opened_at = self.clock()
        self.log = RehearsalLog(self.clock, self.on_entry)
        self.script = FaultScript(lambda: (self.clock() - self._opened_at) / 1e9, self.log)
        self.script.add(self.terms.faults)
        self._key = Key(self.terms.api_key, self.terms.secret)
        self.engine = MatchingEngine(self.terms, self.log, self.now)
        self.engine.shows_fees = lambda symbol: self.script.strikes(Where.ORDERS, symbol, _NULL_FEES) is None
        self.meter = RequestMeter(self.terms.limits, lambda: self.clock() / 1e9)
        self.streams = Streams(self.engine, self.script, self._key, self.now)

    def now(self) -> int:
        """The exchange's clock, milliseconds since the Unix epoch, with the skew of a fault that lasts."""
        fault = self.script.is_lasting(FaultKind.CLOCK_SKEW)
        skew = 0 if fault is None else nanoseconds(fault.skew_seconds)
        return (self.clock() + skew) // NANOSECONDS_PER_MILLISECOND

    async def until_broken(self) -> None:
        """Wait until something in the exchange itself breaks, such as a recording that is malformed further on."""
        await self._is_broken.wait()

    def inject(self, *faults: Fault) -> None:
        """Add faults while the exchange runs; ``at`` still counts from the opening."""
        self.script.add(faults)

    @property
    def endpoint(self) -> Endpoint:
        """How clients find it, once it is open."""
        if self._endpoint is None:
            raise RuntimeError("the exchange is not open: enter it with 'async with' first")
        return self._endpoint

    async def __aenter__(self) -> Self:
        self._opened_at = self.clock()
        authority = RehearsalAuthority.made()
        feeds = [
            MarketFeed(iter(market.events), self.terms.speed, self.engine.on_market, phase_of(number))
            for number, market in enumerate(self.terms.markets)
        ]
        for feed in feeds:
            feed.open()
        self._runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, self.terms.port, ssl_context=authority.server_context(_NAMES))
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise PortError(self.terms.port, os.strerror(error.errno) if error.errno else str(error)) from None
        self._endpoint = Endpoint(
            port=self._runner.addresses[0][1],
            authority=authority.text,
            api_key=self.terms.api_key,
            secret=self.terms.secret,
        )
        markets = list(self.engine.markets.values())
        turns = [partial(self._publish, markets[turn::PHASES], phase_of(turn)) for turn in range(PHASES)]
        work: list[Callable[[], Coroutine[Any, Any, None]]] = [*(feed.run for feed in feeds), *turns]
        self._tasks = [asyncio.create_task(self._watched(each)) for each in work]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.streams.abort()
        if self._runner is not None:
            await self._runner.cleanup()
        if self._broken:
            raise ExceptionGroup("the rehearsal exchange itself broke; what it did is no evidence", self._broken)

    def _application(self) -> web.Application:
        public = PublicEndpoints(tuple(self.engine.markets.values()), self.engine.market, self.terms.limits, self.now)
        orders = OrderEndpoints(self.engine, self.script, self.now)
        account = AccountEndpoints(self.engine, self.now)
        rest = RestService(
            routes=routes(public, orders, account),
            key=self._key,
            meter=self.meter,
            script=self.script,
            log=self.log,
            now=self.now,
            symbol_of={market.market_id: market.instrument.symbol for market in self.terms.markets},
            closing=self._closing,
        )
        application = web.Application(middlewares=[self._noting_faults])
        application.router.add_get("/ws-api/v3", self.streams.user_socket)
        for path in ("/ws", "/ws/{number:.*}", "/stream", "/stream/{number:.*}"):
            application.router.add_get(path, self.streams.market_socket)
        application.router.add_route("*", "/{path:.*}", rest.handle)
        return application

    @web.middleware
    async def _noting_faults(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Keep what breaks in the exchange itself: it is raised when the exchange closes, whatever the client saw."""
        try:
            return await handler(request)
        except (web.HTTPException, ConnectionError):
            raise
        except Exception as error:
            self._note_fault(error)
            raise

    async def _watched(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do a piece of work, begun here: a task that is cancelled before its first step then leaves none half made."""
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised when the exchange closes
            self._note_fault(error)

    def _note_fault(self, error: Exception) -> None:
        self._broken.append(error)
        self._is_broken.set()

    async def _publish(self, markets: Sequence[VenueMarket], phase: float) -> None:
        """Publish books of one turn on their beat, halfway between the books of a simulated market."""
        loop = asyncio.get_running_loop()
        due = loop.time() + phase + DEPTH_SECONDS / 2
        while markets:
            await asyncio.sleep(due - loop.time())
            self.streams.publish_depth(markets)
            due = beat_after(due, loop.time())


def phase_of(number: int) -> float:
    """When within each beat it is the turn of the market of that number, seconds."""
    return number % PHASES * DEPTH_SECONDS / PHASES


def beat_after(due: float, now: float) -> float:
    """When books are published next: what it takes to publish them does not add up, and what was missed is left out."""
    return due + max(math.ceil((now - due) / DEPTH_SECONDS), 1) * DEPTH_SECONDS
