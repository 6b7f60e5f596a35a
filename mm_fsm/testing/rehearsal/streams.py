"""Market streams and the user stream: who listens to what, and what they are sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from aiohttp import web
from attrs import define, field

from mm_fsm.core.messages import Side
from mm_fsm.testing.rehearsal.connection import Connection, Hear
from mm_fsm.testing.rehearsal.engine import MatchingEngine
from mm_fsm.testing.rehearsal.fault_menu import FaultKind, Where
from mm_fsm.testing.rehearsal.fault_script import FaultScript
from mm_fsm.testing.rehearsal.judge import USER_STREAM, StreamSubscribed
from mm_fsm.testing.rehearsal.order_payloads import Payload, amount
from mm_fsm.testing.rehearsal.parameters import Key, Parameters, check_window
from mm_fsm.testing.rehearsal.public_endpoints import book_ticker
from mm_fsm.testing.rehearsal.refusals import RefusedError
from mm_fsm.testing.rehearsal.venue_market import DepthChange, Levels, PublicTrade, VenueMarket

_OK: Final = 200
_BANNED: Final = 418
_UNAVAILABLE: Final = 503


@define(eq=False)
class Streams:
    """Every open connection, and what leaves on it.

    Args:
        now: the exchange's clock, milliseconds.
    """

    engine: MatchingEngine
    script: FaultScript
    key: Key
    now: Callable[[], int]
    _connections: set[Connection] = field(factory=set, init=False)
    _tickers: dict[str, Payload] = field(factory=dict, init=False)
    """The best prices shown last, by market."""

    def __attrs_post_init__(self) -> None:
        listeners = self.engine.listeners
        listeners.user, listeners.trade, listeners.book = self._on_user, self._on_trade, self._on_book

    @property
    def connections(self) -> frozenset[Connection]:
        """Those that are open now."""
        return frozenset(self._connections)

    def abort(self) -> None:
        """Break every connection at once; a client that closes a half-open one would wait for ten seconds."""
        for connection in self.connections:
            connection.abort()

    # -- connections ------------------------------------------------------------------------------------------------

    async def market_socket(self, request: web.Request) -> web.StreamResponse:
        """A connection to market streams."""
        return await self._serve(request, self._on_market_message)

    async def user_socket(self, request: web.Request) -> web.StreamResponse:
        """A connection to the WebSocket API."""
        return await self._serve(request, self._on_api_message)

    async def _serve(self, request: web.Request, on_message: Hear) -> web.StreamResponse:
        refused = self._refused()
        if refused is not None:
            return refused
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        connection = Connection(socket, request, self.script, self._terminated)
        self._connections.add(connection)
        try:
            await connection.serve(on_message)
        finally:
            self._connections.discard(connection)
        return socket

    def _refused(self) -> web.Response | None:
        """A ban and maintenance keep new connections out, too; those that are open stay."""
        fault = self.script.is_lasting(FaultKind.BANNED)
        if fault is not None:
            retry = {"Retry-After": str(int(self.script.seconds_left(fault)) + 1)}
            return web.Response(status=_BANNED, headers=retry)
        return web.Response(status=_UNAVAILABLE) if self.script.is_lasting(FaultKind.MAINTENANCE) else None

    def _terminated(self) -> Payload:
        return {"subscriptionId": 0, "event": {"e": "eventStreamTerminated", "E": self.now()}}

    def _on_market_message(self, connection: Connection, message: Mapping[str, Any]) -> None:
        names = message.get("params") or []
        match message.get("method"):
            case "SUBSCRIBE":
                connection.streams.update(names)
                self._note(*names)
            case "UNSUBSCRIBE":
                connection.streams.difference_update(names)
            case _:
                connection.send({"error": {"code": 2, "msg": "Invalid request"}, "id": message.get("id")})
                return
        connection.send({"result": None, "id": message.get("id")})

    def _on_api_message(self, connection: Connection, message: Mapping[str, Any]) -> None:
        try:
            result = self._api_result(connection, message)
        except RefusedError as refused:
            connection.send({"id": message.get("id"), "status": refused.status, "error": refused.body})
            return
        connection.send({"id": message.get("id"), "status": _OK, "result": result, "rateLimits": []})

    def _api_result(self, connection: Connection, message: Mapping[str, Any]) -> Payload:
        match message.get("method"):
            case "ping":
                return {}
            case "time":
                return {"serverTime": self.now()}
            case "userDataStream.subscribe.signature":
                values = {name: str(value) for name, value in (message.get("params") or {}).items()}
                signature = values.pop("signature", None)
                payload = "&".join(f"{name}={value}" for name, value in sorted(values.items()))
                self.key.check(values.get("apiKey"), payload, signature)
                check_window(Parameters(values), self.now())
                connection.has_user_stream = True
                self._note(USER_STREAM)
                return {"subscriptionId": 0}
            case "userDataStream.unsubscribe":
                connection.has_user_stream = False
                return {}
            case _:
                raise RefusedError(-1020, "This operation is not supported.")

    def _note(self, *streams: str) -> None:
        log = self.engine.log
        for stream in streams:
            log.write(StreamSubscribed(time=log.now(), stream=stream))

    # -- events -----------------------------------------------------------------------------------------------------

    def _on_user(self, where: Where, symbol: str | None, event: Payload) -> None:
        for connection in self.connections:
            connection.deliver(where, symbol, {"subscriptionId": 0, "event": event})

    def _on_trade(self, market: VenueMarket, trade: PublicTrade) -> None:
        event = {
            "e": "trade",
            "E": self.now(),
            "s": market.market_id,
            "t": trade.trade_id,
            "p": amount(trade.price),
            "q": amount(trade.quantity),
            "T": trade.time,
            "m": trade.taker_side is Side.ASK,
            "M": True,
        }
        self._publish(market, ("trade",), Where.TRADES, event)

    def _on_book(self, market: VenueMarket) -> None:
        name = f"{market.market_id.lower()}@bookTicker"
        if not any(name in connection.streams for connection in self._connections):
            return
        best = book_ticker(market)
        if best == self._tickers.get(market.market_id):
            return
        self._tickers[market.market_id] = best
        event = {
            "u": market.depth.last_update,
            "s": market.market_id,
            "b": best["bidPrice"],
            "B": best["bidQty"],
            "a": best["askPrice"],
            "A": best["askQty"],
        }
        self._publish(market, ("bookTicker",), Where.TICKER, event)

    def publish_depth(self, markets: Iterable[VenueMarket]) -> None:
        """Send what changed in each of these books since it was sent last."""
        for market in markets:
            change = market.depth.take_change()
            if change is not None:
                self._publish(market, ("depth@100ms", "depth"), Where.BOOK, self._depth_event(market, change))

    def _depth_event(self, market: VenueMarket, change: DepthChange) -> Payload:
        return {
            "e": "depthUpdate",
            "E": self.now(),
            "s": market.market_id,
            "U": change.first_update,
            "u": change.last_update,
            "b": _levels(change.bids),
            "a": _levels(change.asks),
        }

    def _publish(self, market: VenueMarket, kinds: tuple[str, ...], where: Where, event: Payload) -> None:
        names = {f"{market.market_id.lower()}@{kind}" for kind in kinds}
        for connection in self.connections:
            for name in names & connection.streams:
                is_combined = connection.request.path.startswith("/stream")
                told = {"stream": name, "data": event} if is_combined else event
                connection.deliver(where, market.instrument.symbol, told)


def _levels(levels: Levels) -> list[list[str]]:
    return [[amount(price), amount(size)] for price, size in levels.items()]
