"""What a real venue checks before it takes an order, and the code it refuses with."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

from attrs import define

from mm_fsm.core.instrument import Instrument
from mm_fsm.core.messages import PlaceOrder, RejectionCode, Side
from mm_fsm.venues.paper.accounts import Account
from mm_fsm.venues.paper.matching import Matcher
from mm_fsm.venues.paper.orders import PaperOrder, PaperOrders

_MOST_STEPS: Final = 10**15
"""Ticks or lots in the largest price or quantity the exchange takes: keeps every amount exact."""


class Refusal(NamedTuple):
    """Why a placement is refused."""

    code: RejectionCode
    reason: str


@define
class Desk:
    """Checks placements in the order in which venues do: market, format, identity, position, matching, funds."""

    instrument: Instrument
    account: Account
    orders: PaperOrders
    matcher: Matcher

    def refusal(self, intent: PlaceOrder, order: PaperOrder, *, is_trading: bool) -> Refusal | None:
        """Why ``order``, built from ``intent``, cannot be taken; None when it can."""
        if intent.symbol != self.instrument.symbol:
            return Refusal(RejectionCode.FILTER, f"unknown symbol; this exchange trades {self.instrument.symbol}")
        if not is_trading:
            return Refusal(RejectionCode.NOT_TRADING, "the market is halted")
        if self.matcher.displayed.shown_at is None:
            return Refusal(RejectionCode.NOT_TRADING, "the market has not shown a book yet")
        if self.orders.find(intent.client_order_id) is not None:
            return Refusal(RejectionCode.DUPLICATE, "this client order id was used before")
        return (
            self._format(intent.price, intent.quantity)
            or self._position(order)
            or self._matching(intent)
            or self._funds(order)
        )

    def exceeds_position(self, side: Side, quantity: Decimal) -> bool:
        """Whether ``quantity`` contracts on ``side`` would do more than close the position. Never on spot."""
        if not self.instrument.may_be_short:
            return False
        reducible = -side.sign * self.account.base_total
        return self.instrument.base_quantity(quantity) > reducible

    def _format(self, price: Decimal, quantity: Decimal) -> Refusal | None:
        grid: tuple[tuple[str, object, Decimal], ...] = (
            ("price", price, self.instrument.tick_size),
            ("quantity", quantity, self.instrument.lot_size),
        )
        for name, value, step in grid:
            if not isinstance(value, Decimal) or not value.is_finite() or not 0 < value <= step * _MOST_STEPS:
                return Refusal(RejectionCode.FILTER, f"{name} is not a positive number within the venue's bounds")
            if value % step:
                return Refusal(RejectionCode.FILTER, f"{name} is not a multiple of {step}")
        if not self.instrument.meets_minimums(price, quantity):
            return Refusal(RejectionCode.FILTER, "the order is smaller than the venue's minimum")
        if not self.instrument.meets_maximums(price, quantity):
            return Refusal(RejectionCode.FILTER, "the order is larger than the venue's maximum")
        return None

    def _position(self, order: PaperOrder) -> Refusal | None:
        if not order.is_reduce_only:
            return None
        if self.exceeds_position(order.side, self.orders.reducible(order.side) + order.remaining):
            return Refusal(RejectionCode.OTHER, "a reduce-only order would do more than close the position")
        return None

    def _matching(self, intent: PlaceOrder) -> Refusal | None:
        own = self.orders.best_price(intent.side.opposite)
        meets_own = own is not None and (own - intent.price) * intent.side.sign <= 0
        if intent.post_only and (meets_own or self.matcher.crosses(intent.side, intent.price)):
            return Refusal(RejectionCode.POST_ONLY, "a post-only order would take")
        if meets_own:
            return Refusal(RejectionCode.OTHER, "the order would trade with an order of the same account")
        return None

    def _funds(self, order: PaperOrder) -> Refusal | None:
        if self.account.affords(order, self.orders.open, self.matcher.displayed.mid):
            return None
        return Refusal(RejectionCode.INSUFFICIENT_FUNDS, "free balance or margin does not cover the order")
