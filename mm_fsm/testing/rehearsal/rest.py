"""Requests over HTTPS: faults before, the proof of who asks, the effect, faults after, the answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from aiohttp import web
from attrs import define, frozen

from mm_fsm.testing.rehearsal.fault_menu import Fault, FaultKind
from mm_fsm.testing.rehearsal.fault_script import FaultScript
from mm_fsm.testing.rehearsal.judge import RehearsalLog, RequestAnswered
from mm_fsm.testing.rehearsal.parameters import Key, Parameters, check_window, signed_payload
from mm_fsm.testing.rehearsal.refusals import RefusedError, suspended
from mm_fsm.testing.rehearsal.request_meter import RequestMeter
from mm_fsm.testing.rehearsal.routes import Route

_SUSPENSIONS: Final = frozenset({FaultKind.MAINTENANCE, FaultKind.BANNED, FaultKind.RATE_LIMITED})
_SKEW: Final = frozenset({FaultKind.CLOCK_SKEW})
_BEFORE: Final = frozenset(
    {
        FaultKind.HANG_BEFORE,
        FaultKind.DELAY_BEFORE,
        FaultKind.DROP_BEFORE,
        FaultKind.SERVER_ERROR_BEFORE,
        FaultKind.UNKNOWN_BEFORE,
    }
)
_AFTER: Final = frozenset(
    {
        FaultKind.HANG_AFTER,
        FaultKind.DELAY_AFTER,
        FaultKind.DROP_AFTER,
        FaultKind.TRUNCATE,
        FaultKind.SERVER_ERROR_AFTER,
        FaultKind.UNKNOWN_AFTER,
    }
)
_SIGNED_IN_BODY: Final = frozenset({"POST", "PUT"})


_TYPICAL_BAN: Final = 418
_WARNING: Final = 429
_UNANSWERED: Final = 0


@frozen(kw_only=True)
class Asked:
    """A request as it was read."""

    request: web.Request
    route: Route
    parameters: Parameters
    symbol: str | None
    payload: str
    """What the signature is of."""
    signature: str | None


@frozen(kw_only=True)
class RestAnswer:
    """What the exchange answers; status 0 where it never does."""

    status: int
    body: Any
    headers: Mapping[str, str] = {}

    @classmethod
    def refusing(cls, refused: RefusedError) -> RestAnswer:
        """The answer that tells a refusal."""
        return cls(status=refused.status, body=refused.body, headers=refused.headers)


@define(eq=False)
class RestService:
    """Answers requests.

    Args:
        routes: by method and path.
        now: the exchange's clock, milliseconds.
        symbol_of: symbols by the exchange's own names of markets.
        closing: set when the exchange closes; hanging requests end then.
    """

    routes: Mapping[tuple[str, str], Route]
    key: Key
    meter: RequestMeter
    script: FaultScript
    log: RehearsalLog
    now: Callable[[], int]
    symbol_of: Mapping[str, str]
    closing: asyncio.Event

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        route = self.routes.get((request.method, request.path))
        if route is None:
            return web.json_response({"code": -1000, "msg": f"No such path: {request.path}"}, status=404)
        query, body = request.rel_url.raw_query_string, await request.text()
        payload, signature = signed_payload(query, body)
        parameters = Parameters.of(query, body)
        symbol = self.symbol_of.get(parameters.values.get("symbol", ""))
        asked = Asked(
            request=request,
            route=route,
            parameters=parameters,
            symbol=symbol,
            payload=payload,
            signature=signature,
        )
        return await self._attend(asked)

    async def _attend(self, asked: Asked) -> web.StreamResponse:
        self._strike(asked, _SKEW)
        early = self._refused_at_the_door(asked)
        before = self._strike(asked, _BEFORE) if early is None else None
        if before is not None:
            early = await self._befall_before(before, asked)
        answer = self._effect(asked) if early is None else early
        self._write(asked, answer)
        after = self._strike(asked, _AFTER) if early is None else None
        if after is not None:
            return await self._befall_after(after, asked, answer)
        return self._response(asked, answer)

    def _strike(self, asked: Asked, kinds: frozenset[FaultKind]) -> Fault | None:
        return self.script.strikes(asked.route.where, asked.symbol, kinds)

    def _refused_at_the_door(self, asked: Asked) -> RestAnswer | None:
        fault = self._strike(asked, _SUSPENSIONS)
        if fault is None:
            try:
                self.meter.spend(asked.route.weight(asked.parameters), asked.route.orders)
            except RefusedError as refused:
                return RestAnswer.refusing(refused)
            return None
        if fault.kind is FaultKind.MAINTENANCE:
            if asked.request.path.endswith("/system/status"):
                return RestAnswer(status=200, body={"status": 1, "msg": "system_maintenance"})
            return RestAnswer(status=503, body={"code": 1, "msg": "System is under maintenance."})
        status = _TYPICAL_BAN if fault.kind is FaultKind.BANNED else _WARNING
        return RestAnswer.refusing(suspended(status, self.script.seconds_left(fault)))

    def _effect(self, asked: Asked) -> RestAnswer:
        try:
            if asked.route.is_signed:
                self.key.check(asked.request.headers.get("X-MBX-APIKEY"), asked.payload, asked.signature)
                check_window(asked.parameters, self.now())
            return RestAnswer(status=200, body=asked.route.answer(asked.parameters))
        except RefusedError as refused:
            return RestAnswer.refusing(refused)

    async def _befall_before(self, fault: Fault, asked: Asked) -> RestAnswer | None:
        match fault.kind:
            case FaultKind.DELAY_BEFORE:
                await self._pause(fault.seconds)
                return None
            case FaultKind.SERVER_ERROR_BEFORE:
                return _SERVER_ERROR
            case FaultKind.UNKNOWN_BEFORE:
                return _NO_WORD
            case FaultKind.HANG_BEFORE:
                await self.closing.wait()
            case _:
                pass
        _break(asked.request)
        return RestAnswer(status=_UNANSWERED, body=None)

    async def _befall_after(self, fault: Fault, asked: Asked, answer: RestAnswer) -> web.StreamResponse:
        match fault.kind:
            case FaultKind.DELAY_AFTER:
                await self._pause(fault.seconds)
                return self._response(asked, answer)
            case FaultKind.SERVER_ERROR_AFTER:
                return self._response(asked, _SERVER_ERROR)
            case FaultKind.UNKNOWN_AFTER:
                return self._response(asked, _TIMED_OUT)
            case FaultKind.TRUNCATE:
                return await self._truncated(asked, answer)
            case FaultKind.HANG_AFTER:
                await self.closing.wait()
            case _:
                pass
        _break(asked.request)
        return web.Response()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self.closing.wait(), seconds)

    async def _truncated(self, asked: Asked, answer: RestAnswer) -> web.StreamResponse:
        text = json.dumps(answer.body).encode()
        response = web.StreamResponse(status=answer.status, headers={"Content-Type": "application/json"})
        response.content_length = len(text)
        await response.prepare(asked.request)
        await response.write(text[: len(text) // 2])
        _break(asked.request, politely=True)
        return response

    def _response(self, asked: Asked, answer: RestAnswer) -> web.Response:
        if answer.status == _UNANSWERED:
            return web.Response()
        headers = {**self.meter.headers(with_orders=bool(asked.route.orders)), **answer.headers}
        if isinstance(answer.body, str):  # from something in front of the exchange, which knows no JSON
            return web.Response(text=answer.body, status=answer.status, content_type="text/html")
        return web.json_response(answer.body, status=answer.status, headers=headers)

    def _write(self, asked: Asked, answer: RestAnswer) -> None:
        values = asked.parameters.values
        code = answer.body.get("code") if isinstance(answer.body, dict) else None
        self.log.write(
            RequestAnswered(
                time=self.log.now(),
                where=asked.route.where,
                method=asked.request.method,
                path=asked.request.path,
                symbol=asked.symbol,
                client_order_id=values.get("newClientOrderId") or values.get("origClientOrderId"),
                status=answer.status,
                code=code,
                weight=asked.route.weight(asked.parameters),
            )
        )


_SERVER_ERROR: Final = RestAnswer(status=503, body="<html><body>503 Service Temporarily Unavailable</body></html>")
_NO_WORD: Final = RestAnswer(
    status=500,
    body={"code": -1006, "msg": "An unexpected response was received from the message bus. Execution status unknown."},
)
_TIMED_OUT: Final = RestAnswer(
    status=408,
    body={
        "code": -1007,
        "msg": "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
    },
)


def _break(request: web.Request, *, politely: bool = False) -> None:
    """Break the connection under a request: at once, or after what was written."""
    transport = request.transport
    if transport is None:
        return
    if politely:
        transport.close()
    else:
        transport.abort()
