"""Own orders as the books have them."""

from __future__ import annotations

from decimal import Decimal
from itertools import count

from mm_fsm.books.order_lifecycle import OrderStatus
from mm_fsm.books.own_order import OwnOrder
from mm_fsm.core.messages import OrderPurpose, Side

_NUMBERS = count(1)


def resting_quote(side: Side, price: int, quantity: int) -> OwnOrder:
    """A quote that the venue has taken."""
    return OwnOrder(
        client_order_id=f"mm-{next(_NUMBERS)}",
        side=side,
        price=Decimal(price),
        quantity=Decimal(quantity),
        purpose=OrderPurpose.QUOTE,
        level=0,
        reduce_only=False,
        placed_at=0,
        status=OrderStatus.OPEN,
        acknowledged=True,
    )
