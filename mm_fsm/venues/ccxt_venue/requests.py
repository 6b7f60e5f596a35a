"""Carries out placements and cancels. Each is answered by exactly one fact, by the answer or by the stream."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from attrs import define, field

from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.messages import CancelOrder, PlaceOrder, RejectionCode, RequestKind, Side, TimeInForce
from mm_fsm.venues.ccxt_venue.account import CANCELS_BY_CLIENT_ID, Account
from mm_fsm.venues.ccxt_venue.outcomes import Outcome
from mm_fsm.venues.ccxt_venue.own_orders import SentOrder
from mm_fsm.venues.ccxt_venue.payloads import SeenOrder, read_order

END_WAIT_SECONDS: Final = 1.0
"""How long the stream may take to say that an order has ended whose cancel was taken without a word on it."""


@define(eq=False)
class OrderRequests:
    """Placements and cancels of one account."""

    account: Account
    longest_wait_seconds: float = 1.0
    """How old a placement may be when it leaves. An older one is dropped: the market has moved on."""
    _placing: dict[str, asyncio.Task[None]] = field(factory=dict, init=False)
    """Placements that wait for their answer, by client order id."""

    def place(self, intent: PlaceOrder, submitted_at: int) -> asyncio.Task[None]:
        """Send an order."""
        order = self.account.orders.place(intent, self.account.markets[intent.symbol])
        task = asyncio.get_running_loop().create_task(self._place(intent, order, submitted_at))
        self._placing[intent.client_order_id] = task
        task.add_done_callback(lambda _: self._placing.pop(intent.client_order_id, None))
        return task

    def cancel(self, intent: CancelOrder) -> asyncio.Task[None]:
        """Send a cancel, once the order's own placement is answered: it must not come before the order."""
        market = self.account.markets[intent.symbol]
        order = self.account.orders.order(market, intent.client_order_id)
        if order is None:  # the machine took it over from a list that this process never saw
            market.known.add(intent.client_order_id)
            order = self.account.orders.order(market, intent.client_order_id)
        assert order is not None  # noqa: S101 - it is known now
        if order.is_cancel_owed:  # one is on its way; this second one is settled by looking
            self.account.orders.lose(order, RequestKind.CANCEL, "a cancel of this order is on its way already")
        order.is_cancel_owed = True
        return asyncio.get_running_loop().create_task(self._cancel(intent, order))

    # -- placing ----------------------------------------------------------------------------------------------------

    async def _place(self, intent: PlaceOrder, order: SentOrder, submitted_at: int) -> None:
        orders = self.account.orders
        if self.account.order_suspension_seconds:
            orders.refuse(order, RejectionCode.RATE_LIMIT, "not sent: the exchange takes no order at present")
            return
        waited = self.account.clock.now() - submitted_at
        if waited > nanoseconds(self.longest_wait_seconds):
            orders.refuse(order, RejectionCode.RATE_LIMIT, f"not sent: it had waited {waited / 1e9:.1f} s")
            return
        try:
            arguments = self._arguments(intent)
        except ValueError as error:
            orders.refuse(order, RejectionCode.OTHER, f"not sent: {error}")
            return
        try:
            answer = await self.account.exchange.create_order(*arguments)
        except Exception as error:  # noqa: BLE001 - the table of outcomes says what each means
            outcome, code = self.account.judge(error)
            reason = self.account.reason(error)
            if outcome is Outcome.UNKNOWN or outcome is Outcome.NOT_FOUND:
                orders.lose(order, RequestKind.PLACE, reason)
            else:
                orders.refuse(order, code, reason)
            return
        self._placed(order, read_order(answer))

    def _arguments(self, intent: PlaceOrder) -> tuple[Any, ...]:
        parameters: dict[str, Any] = {"clientOrderId": self.account.orders.ids.encode(intent.client_order_id)}
        if intent.time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL:
            parameters["timeInForce"] = "IOC"
        elif intent.post_only:
            parameters["postOnly"] = True
        side = "buy" if intent.side is Side.BID else "sell"
        return intent.symbol, "limit", side, f"{intent.quantity:f}", f"{intent.price:f}", parameters

    def _placed(self, order: SentOrder, seen: SeenOrder | None) -> None:
        orders = self.account.orders
        if seen is None:
            orders.lose(order, RequestKind.PLACE, "the answer has no order id")
            return
        orders.remember(order.market, seen.venue_order_id, order.client_order_id)
        orders.take(order, seen.venue_order_id, seen.exchange_time or self.account.clock.asked(), from_stream=False)
        orders.hear(order.market, seen, from_stream=False)

    # -- cancelling -------------------------------------------------------------------------------------------------

    async def _cancel(self, intent: CancelOrder, order: SentOrder) -> None:
        placing = self._placing.get(intent.client_order_id)
        if placing is not None:
            await asyncio.wait([placing])
        while (wait := self.account.suspension_seconds) and order.is_cancel_owed:  # noqa: ASYNC110 - a ban grows
            await asyncio.sleep(wait)
        orders = self.account.orders
        venue_order_id = order.venue_order_id or intent.venue_order_id
        try:
            parameters = {} if venue_order_id else self._by_client_id(intent.client_order_id)
        except ValueError as error:
            orders.lose(order, RequestKind.CANCEL, str(error))
            return
        try:
            answer = await self.account.exchange.cancel_order(venue_order_id, intent.symbol, parameters)
        except Exception as error:  # noqa: BLE001 - the table of outcomes says what each means
            outcome, _ = self.account.judge(error)
            if outcome is Outcome.UNKNOWN:
                orders.lose(order, RequestKind.CANCEL, self.account.reason(error))
            else:
                orders.refuse_cancel(order, self.account.reason(error))
            return
        await self._cancelled(order, read_order(answer))

    def _by_client_id(self, client_order_id: str) -> dict[str, str]:
        if self.account.name not in CANCELS_BY_CLIENT_ID:
            raise ValueError(f"{self.account.name} cancels by its own order id only, which is not known yet")
        return {"clientOrderId": self.account.orders.ids.encode(client_order_id)}

    async def _cancelled(self, order: SentOrder, seen: SeenOrder | None) -> None:
        """The cancel was taken. An answer without a word on what became of the order is none: the stream may tell."""
        if seen is not None and seen.has_ended:
            time = seen.exchange_time or self.account.clock.asked()
            self.account.clock.hear(seen.exchange_time)
            self.account.orders.end(order, seen, time, from_stream=False)
        if order.is_cancel_owed:
            await asyncio.sleep(END_WAIT_SECONDS)
            self.account.orders.lose(order, RequestKind.CANCEL, "the exchange took the cancel and did not say more")
