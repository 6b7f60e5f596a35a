"""Orders and trades as the exchange keeps them: every one, for as long as it is open."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from attrs import define, field, frozen

from mm_fsm.core.instrument import ZERO
from mm_fsm.core.messages import Liquidity, ReportedStatus, Side
from mm_fsm.venues.paper.orders import PaperOrder


class OrderType(StrEnum):
    """What kind of order the exchange takes."""

    LIMIT = "LIMIT"
    LIMIT_MAKER = "LIMIT_MAKER"
    MARKET = "MARKET"


class InForce(StrEnum):
    """How long a limit order may stay."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"


@frozen(kw_only=True)
class OrderRequest:
    """A placement, read and found well-formed; whether it fits the market's rules is not said yet."""

    symbol: str
    """The exchange's own name of the market."""
    side: Side
    type: OrderType
    in_force: InForce
    quantity: Decimal | None
    """Base units; None for a market order by ``quote_quantity``."""
    price: Decimal | None
    """None for a market order."""
    client_order_id: str
    quote_quantity: Decimal | None = None
    """Quote currency that a market order trades for."""


@frozen(kw_only=True)
class OwnTrade:
    """One trade of an own order."""

    trade_id: int
    order_id: int
    market_id: str
    side: Side
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_currency: str
    liquidity: Liquidity
    time: int
    """Milliseconds, the exchange's clock."""

    @property
    def quote_quantity(self) -> Decimal:
        """Quote currency that changed hands."""
        return self.price * self.quantity


@define(eq=False)
class VenueOrder:
    """One order. ``resting`` holds what the matching works on: remaining quantity, queue and end."""

    order_id: int
    request: OrderRequest
    resting: PaperOrder
    time: int
    """Milliseconds, the exchange's clock."""
    updated: int
    status: str = "NEW"
    trades: list[OwnTrade] = field(factory=list)
    visible_from: int = 0
    """Milliseconds; questions before do not find it."""

    @property
    def is_open(self) -> bool:
        """Whether it can still trade."""
        return self.resting.is_open

    @property
    def remaining(self) -> Decimal:
        """Base units that have not traded."""
        return self.resting.remaining

    @property
    def filled(self) -> Decimal:
        """Base units that have traded."""
        return self.resting.filled

    @property
    def quote_filled(self) -> Decimal:
        """Quote currency that its trades moved."""
        return sum((trade.quote_quantity for trade in self.trades), ZERO)

    @property
    def client_order_id(self) -> str:
        """The client's name for it."""
        return self.request.client_order_id


ENDINGS = {
    "FILLED": ReportedStatus.FILLED,
    "CANCELED": ReportedStatus.CANCELED,
    "EXPIRED": ReportedStatus.EXPIRED,
    "EXPIRED_IN_MATCH": ReportedStatus.EXPIRED,
}
"""The exchange's words for an ended order, and the matching's."""
