"""Answers to the account's owner about orders: placing, cancelling, replacing them, and what became of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, Final

from attrs import define, field

from mm_fsm.testing.rehearsal.engine import MatchingEngine
from mm_fsm.testing.rehearsal.fault_menu import FaultKind, Where
from mm_fsm.testing.rehearsal.fault_script import FaultScript
from mm_fsm.testing.rehearsal.order_payloads import (
    Payload,
    canceled_payload,
    order_payload,
    own_trade_payload,
    placed_payload,
)
from mm_fsm.testing.rehearsal.parameters import Parameters
from mm_fsm.testing.rehearsal.refusals import (
    NOT_PERMITTED,
    UNKNOWN_ORDER,
    UNKNOWN_ORDER_TO_CANCEL,
    RefusedError,
    insufficient_funds,
    missing,
    would_take,
)
from mm_fsm.testing.rehearsal.venue_orders import OrderRequest, OrderType, VenueOrder

_MOST_ROWS: Final = 1000
_DEFAULT_ROWS: Final = 500
_REFUSALS: Final = frozenset({FaultKind.POST_ONLY_REJECTED, FaultKind.FUNDS_REJECTED})
_MILLISECONDS: Final = 1000


@define(eq=False)
class OrderEndpoints:
    """What the account's owner may ask, once the signature was found right."""

    engine: MatchingEngine
    script: FaultScript
    now: Callable[[], int]
    """The exchange's clock, milliseconds."""
    _generated_ids: Iterator[int] = field(factory=lambda: count(1), init=False)

    # -- orders -----------------------------------------------------------------------------------------------------

    def place(self, parameters: Parameters) -> Payload:
        """A new order."""
        self._require_trading()
        request = parameters.order(self._generated_id())
        order = self._placed(request)
        return placed_payload(order, shows_fees=self.engine.shows_fees(self._symbol(order)))

    def _placed(self, request: OrderRequest) -> VenueOrder:
        symbol = self.engine.market(request.symbol).instrument.symbol
        refused = self._refusal(request, symbol)
        if refused is not None:
            self.engine.refuse(request, refused)
            raise refused
        order = self.engine.place(request)
        late = self.script.strikes(Where.PLACE, symbol, frozenset({FaultKind.VISIBLE_LATE}))
        if late is not None:
            order.visible_from = self.now() + round(late.seconds * _MILLISECONDS)
        if order.is_open and self.script.strikes(Where.PLACE, symbol, frozenset({FaultKind.PARTIAL_FILL})):
            lot = self.engine.market(request.symbol).instrument.lot_size
            half = self.engine.market(request.symbol).instrument.floor_quantity(order.remaining / 2)
            if lot <= half < order.remaining:
                self.engine.fill(order, half)
        return order

    def _refusal(self, request: OrderRequest, symbol: str) -> RefusedError | None:
        kinds = _REFUSALS if request.type is OrderType.LIMIT_MAKER else _REFUSALS - {FaultKind.POST_ONLY_REJECTED}
        fault = self.script.strikes(Where.PLACE, symbol, kinds)
        if fault is None:
            return None
        return would_take() if fault.kind is FaultKind.POST_ONLY_REJECTED else insufficient_funds()

    def cancel(self, parameters: Parameters) -> Payload:
        """Cancel one order."""
        self._require_trading()
        order = self._to_cancel(parameters, "orderId", "origClientOrderId")
        return self._canceled(order, parameters.values.get("newClientOrderId"))

    def cancel_all(self, parameters: Parameters) -> list[Payload]:
        """Cancel every open order of a market."""
        self._require_trading()
        market = self.engine.market(parameters.text("symbol"))
        orders = self.engine.open_orders(market.market_id)
        if not orders:
            raise RefusedError(*UNKNOWN_ORDER_TO_CANCEL)
        return [self._canceled(order, None) for order in orders]

    def _to_cancel(self, parameters: Parameters, id_name: str, client_id_name: str) -> VenueOrder:
        market = self.engine.market(parameters.text("symbol"))
        order_id, client_id = parameters.integer(id_name), parameters.values.get(client_id_name)
        if order_id is None and not client_id:
            raise missing(id_name)
        order = self.engine.open_order(market.market_id, order_id, client_id)
        if order is None:
            raise RefusedError(*UNKNOWN_ORDER_TO_CANCEL)
        race = frozenset({FaultKind.FILL_RACES_CANCEL})
        if self.script.strikes(Where.CANCEL, market.instrument.symbol, race):
            self.engine.fill(order, order.remaining)
            raise RefusedError(*UNKNOWN_ORDER_TO_CANCEL)
        return order

    def _canceled(self, order: VenueOrder, cancel_id: str | None) -> Payload:
        cancel_id = cancel_id or self._generated_id()
        self.engine.cancel(order, cancel_id)
        return canceled_payload(order, cancel_id)

    def replace(self, parameters: Parameters) -> Payload:
        """Cancel an order and place another one."""
        self._require_trading()
        request = parameters.order(self._generated_id())
        stops = parameters.text("cancelReplaceMode") == "STOP_ON_FAILURE"
        cancel_answer, cancel_failed = self._attempt(
            lambda: self._canceled(
                self._to_cancel(parameters, "cancelOrderId", "cancelOrigClientOrderId"),
                parameters.values.get("cancelNewClientOrderId"),
            )
        )
        if cancel_failed and stops:
            new_answer, new_failed, result = None, True, "NOT_ATTEMPTED"
        else:
            new_answer, new_failed = self._attempt(
                lambda: placed_payload(self._placed(request), shows_fees=self._shows_fees(request))
            )
            result = "FAILURE" if new_failed else "SUCCESS"
        data = {
            "cancelResult": "FAILURE" if cancel_failed else "SUCCESS",
            "newOrderResult": result,
            "cancelResponse": cancel_answer,
            "newOrderResponse": new_answer,
        }
        if cancel_failed and new_failed:
            raise RefusedError(-2022, "Order cancel-replace failed.", extra={"data": data})
        if cancel_failed or new_failed:
            raise RefusedError(-2021, "Order cancel-replace partially failed.", 409, extra={"data": data})
        return data

    def _attempt(self, act: Callable[[], Payload]) -> tuple[Payload, bool]:
        try:
            return act(), False
        except RefusedError as refused:
            return refused.body, True

    # -- questions --------------------------------------------------------------------------------------------------

    def order(self, parameters: Parameters) -> Payload:
        """One order, open or not."""
        market = self.engine.market(parameters.text("symbol"))
        order_id, client_id = parameters.integer("orderId"), parameters.values.get("origClientOrderId")
        if order_id is None and not client_id:
            raise missing("orderId")
        order = self.engine.find(market.market_id, order_id, client_id)
        if order is None:
            raise RefusedError(*UNKNOWN_ORDER)
        return order_payload(order)

    def open_orders(self, parameters: Parameters) -> list[Payload]:
        """Open orders of one market or of all."""
        market_id = parameters.values.get("symbol")
        if market_id is not None:
            self.engine.market(market_id)
        now = self.now()
        return [order_payload(order) for order in self.engine.open_orders(market_id) if order.visible_from <= now]

    def all_orders(self, parameters: Parameters) -> list[Payload]:
        """Orders of a market, open or not, the earliest first."""
        market = self.engine.market(parameters.text("symbol"))
        first, now = parameters.integer("orderId"), self.now()
        orders = [
            order
            for order in self.engine.orders.values()
            if order.request.symbol == market.market_id
            and order.visible_from <= now
            and (first is None or order.order_id >= first)
            and _is_within(order.time, parameters)
        ]
        return [order_payload(order) for order in _page(orders, parameters, from_start=first is not None)]

    def own_trades(self, parameters: Parameters) -> list[Payload]:
        """Own trades of a market, the earliest first."""
        market = self.engine.market(parameters.text("symbol"))
        order_id, first = parameters.integer("orderId"), parameters.integer("fromId")
        trades = [
            trade
            for trade in self.engine.own_trades
            if trade.market_id == market.market_id
            and (order_id is None or trade.order_id == order_id)
            and (first is None or trade.trade_id >= first)
            and _is_within(trade.time, parameters)
        ]
        shown = _page(trades, parameters, from_start=first is not None or "startTime" in parameters.values)
        shows_fees = self.engine.shows_fees(market.instrument.symbol)
        return [own_trade_payload(trade, shows_fees=shows_fees) for trade in shown]

    # -- parts ------------------------------------------------------------------------------------------------------

    def _require_trading(self) -> None:
        if not self.engine.terms.permissions.trading:
            raise RefusedError(*NOT_PERMITTED, 401)

    def _generated_id(self) -> str:
        return f"rehearsal{next(self._generated_ids)}"

    def _symbol(self, order: VenueOrder) -> str:
        return self.engine.markets[order.request.symbol].instrument.symbol

    def _shows_fees(self, request: OrderRequest) -> bool:
        return self.engine.shows_fees(self.engine.market(request.symbol).instrument.symbol)


def _is_within(time: int, parameters: Parameters) -> bool:
    start, end = parameters.integer("startTime"), parameters.integer("endTime")
    return (start is None or time >= start) and (end is None or time <= end)


def _page(rows: list[Any], parameters: Parameters, *, from_start: bool) -> list[Any]:
    limit = min(parameters.integer("limit") or _DEFAULT_ROWS, _MOST_ROWS)
    return rows[:limit] if from_start else rows[-limit:]
