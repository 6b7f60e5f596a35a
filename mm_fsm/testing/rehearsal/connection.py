"""One WebSocket connection of a client: messages leave in order, unless a fault has it otherwise."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from aiohttp import WSMsgType, web
from attrs import define, field

from mm_fsm.testing.rehearsal.fault_menu import Fault, FaultKind, Where
from mm_fsm.testing.rehearsal.fault_script import FaultScript

_KINDS: Final = frozenset(
    {
        FaultKind.EVENT_LATE,
        FaultKind.EVENT_DUPLICATED,
        FaultKind.EVENT_REORDERED,
        FaultKind.EVENT_LOST,
        FaultKind.STREAM_CLOSED,
        FaultKind.HALF_OPEN,
        FaultKind.USER_STREAM_ENDED,
        FaultKind.USER_STREAM_SILENT,
        FaultKind.POISONED,
        FaultKind.BOOK_GAP,
    }
)
_POISON: Final = '{"e":"executionReport","E":'
_USER: Final = frozenset({Where.ORDERS, Where.BALANCES})
_LONGEST_QUEUE: Final = 100_000
"""Messages that wait for a client who does not read; then the connection is closed."""

_Message = tuple[WSMsgType, bytes]
Hear = Callable[["Connection", Mapping[str, Any]], None]
"""Told what a client says on a connection."""


@define(eq=False)
class Connection:
    """A client's connection.

    Args:
        socket: prepared already, without automatic pongs.
        request: the one that opened it.
        terminated: makes the message that ends a user stream.
    """

    socket: web.WebSocketResponse
    request: web.Request
    script: FaultScript
    terminated: Callable[[], Any]
    streams: set[str] = field(factory=set, init=False)
    """Names of the market streams that the client subscribed to."""
    is_half_open: bool = field(default=False, init=False)
    has_user_stream: bool = field(default=False, init=False)
    """Whether own events leave on it."""
    _outgoing: asyncio.Queue[_Message] = field(factory=asyncio.Queue, init=False)
    _held: str | None = field(default=None, init=False)

    def send(self, payload: Any) -> None:
        """Send an answer; no fault strikes it, but nothing leaves a half-open connection."""
        self._put(WSMsgType.TEXT, json.dumps(payload).encode())

    def deliver(self, where: Where, symbol: str | None, payload: Any) -> None:
        """Send an event, as the faults have it."""
        if self.is_half_open or (where in _USER and not self.has_user_stream):
            return
        fault = self.script.strikes(where, symbol, _KINDS)
        text = json.dumps(payload)
        if fault is None:
            self._text(text)
        else:
            self._befall(fault, text)

    def _befall(self, fault: Fault, text: str) -> None:
        match fault.kind:
            case FaultKind.EVENT_LATE:
                asyncio.get_running_loop().call_later(fault.seconds, self._text, text)
            case FaultKind.EVENT_DUPLICATED:
                self._text(text)
                self._text(text)
            case FaultKind.EVENT_REORDERED:
                held, self._held = self._held, text
                if held is not None:
                    self._put(WSMsgType.TEXT, held.encode())
            case FaultKind.STREAM_CLOSED:
                self._put(WSMsgType.CLOSE, b"")
            case FaultKind.HALF_OPEN:
                self.fall_silent()
            case FaultKind.USER_STREAM_ENDED:
                self.send(self.terminated())
                self.has_user_stream = False
            case FaultKind.USER_STREAM_SILENT:
                self.has_user_stream = False
            case FaultKind.POISONED:
                self._text(_POISON)
            case _:  # lost, and a gap in the book
                pass

    def fall_silent(self) -> None:
        """Send and read nothing any more, and leave the connection open."""
        self.is_half_open = True
        if self.request.transport is not None:
            self.request.transport.pause_reading()

    def abort(self) -> None:
        """Break the connection at once."""
        if self.request.transport is not None:
            self.request.transport.abort()

    def _text(self, text: str) -> None:
        self._put(WSMsgType.TEXT, text.encode())
        held, self._held = self._held, None
        if held is not None:
            self._put(WSMsgType.TEXT, held.encode())

    def _put(self, kind: WSMsgType, data: bytes) -> None:
        if self._outgoing.qsize() >= _LONGEST_QUEUE:
            self._outgoing = asyncio.Queue()
            kind = WSMsgType.CLOSE
        self._outgoing.put_nowait((kind, data))

    async def serve(self, on_message: Hear) -> None:
        """Send what is to be sent, and tell ``on_message`` what the client says, until the connection ends."""
        writer = asyncio.create_task(self._write())
        try:
            async for message in self.socket:
                if message.type is WSMsgType.PING:
                    self._put(WSMsgType.PONG, message.data)
                elif message.type is WSMsgType.TEXT and not self.is_half_open:
                    self._hear(message.data, on_message)
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    def _hear(self, text: str, on_message: Hear) -> None:
        try:
            message = json.loads(text)
        except ValueError:
            message = None
        if isinstance(message, dict):
            on_message(self, message)
        else:
            self.send({"error": {"code": 3, "msg": "Invalid JSON: expected an object"}, "id": None})

    async def _write(self) -> None:
        while True:
            kind, data = await self._outgoing.get()
            if self.is_half_open:
                continue
            if kind is WSMsgType.CLOSE:
                await self.socket.close()
                return
            if kind is WSMsgType.PONG:
                await self.socket.pong(data)
            else:
                await self.socket.send_str(data.decode())
