"""A book of own orders for tests: requests wait 5 s, questions 2 s, a placement may still arrive for 30 s."""

from __future__ import annotations

from decimal import Decimal

from mm_fsm.books.orders import OwnOrder, OwnOrders, RequestTimes
from mm_fsm.core.messages import OrderPurpose, PlaceOrder, Side, TimeInForce

SECOND = 1_000_000_000
TIMEOUT, INTERVAL, WINDOW = 5, 2, 30


def new_book() -> OwnOrders:
    return OwnOrders(
        RequestTimes(
            request_timeout=TIMEOUT * SECOND, query_interval=INTERVAL * SECOND, validity_window=WINDOW * SECOND
        )
    )


def at(seconds: float) -> int:
    return round(seconds * SECOND)


def place(
    book: OwnOrders,
    order_id: str = "mm-1",
    side: Side = Side.BID,
    price: str = "100",
    quantity: str = "4",
    *,
    purpose: OrderPurpose = OrderPurpose.QUOTE,
    seconds: float = 0,
    time_in_force: TimeInForce = TimeInForce.GOOD_TILL_CANCELLED,
) -> OwnOrder:
    intent = PlaceOrder(
        symbol="BTC/USD",
        client_order_id=order_id,
        side=side,
        price=Decimal(price),
        quantity=Decimal(quantity),
        purpose=purpose,
        level=0,
        time_in_force=time_in_force,
    )
    return book.register(intent, at(seconds))


def rest(
    book: OwnOrders, order_id: str = "mm-1", side: Side = Side.BID, price: str = "100", quantity: str = "4"
) -> OwnOrder:
    order = place(book, order_id, side, price, quantity)
    book.acknowledge(order, f"v-{order_id}", at(0))
    return order
