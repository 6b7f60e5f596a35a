"""Own orders as the venue's adapter knows them: each piece of news is told once, whoever brings it first.

An answer and the stream bring the same news, in either order, early or late. So each request is owed one answer, and
each change of an order is told when it is first heard.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Final

from attrs import define, field

from mm_fsm.books.facts import (
    CancelRefused,
    OrderAcknowledged,
    OrderCanceled,
    OrderExpired,
    OrderRejected,
    OutcomeUnknown,
)
from mm_fsm.core.messages import PlaceOrder, RejectionCode, ReportedStatus, RequestKind, Side
from mm_fsm.venues.ccxt_venue.client_ids import ClientIds
from mm_fsm.venues.ccxt_venue.live_market import LiveMarket, VenueClock
from mm_fsm.venues.ccxt_venue.payloads import SeenOrder, SeenTrade

FOREIGN: Final = ""
"""Stands for the client id of an order that is not ours."""
_REMEMBERED: Final = 50_000
"""Orders that are remembered after their end."""


@define(eq=False)
class SentOrder:
    """One own order."""

    client_order_id: str
    market: LiveMarket
    sent_at: int
    """Host time, nanoseconds."""
    quantity: Decimal | None = None
    side: Side | None = None
    price: Decimal | None = None
    venue_order_id: str | None = None
    is_placement_owed: bool = False
    """Whether the placement still is to be answered."""
    is_cancel_owed: bool = False
    """Whether a cancel still is to be answered."""
    is_acknowledged: bool = False
    has_ended: bool = False
    is_on_stream: bool = False
    """Whether the stream of own orders has shown it."""


@define(eq=False)
class OwnOrderNews:
    """Every own order of the account, and what has been told of it."""

    ids: ClientIds
    clock: VenueClock
    now: Callable[[], int]
    awaited: dict[tuple[str, str], int] = field(factory=dict)
    """News that an answer has brought and the stream has not, with the host time of the answer."""
    on_learnt: Callable[[], None] = lambda: None
    """Called when a venue's order id has found its client id."""
    _orders: OrderedDict[str, SentOrder] = field(factory=OrderedDict, init=False)
    _clients: OrderedDict[tuple[str, str], str] = field(factory=OrderedDict, init=False)

    # -- who is who -------------------------------------------------------------------------------------------------

    def place(self, intent: PlaceOrder, market: LiveMarket) -> SentOrder:
        """A placement is about to be sent."""
        order = SentOrder(
            intent.client_order_id,
            market,
            self.now(),
            intent.quantity,
            intent.side,
            intent.price,
            is_placement_owed=True,
        )
        self._keep(order)
        market.known.add(intent.client_order_id)
        return order

    def order(self, market: LiveMarket, client_order_id: str) -> SentOrder | None:
        """An order that the machine knows; None for any other."""
        order = self._orders.get(client_order_id)
        if order is None and client_order_id in market.known:
            order = SentOrder(client_order_id, market, 0, is_acknowledged=True)
            self._keep(order)
        return order

    def remember(self, market: LiveMarket, venue_order_id: str, client_order_id: str) -> None:
        """This venue id is of that order; ``FOREIGN`` when it is of nobody we know."""
        self._clients[market.symbol, venue_order_id] = client_order_id
        while len(self._clients) > _REMEMBERED:
            self._clients.popitem(last=False)
        order = self._orders.get(client_order_id)
        if order is not None:
            order.venue_order_id = venue_order_id
        self.on_learnt()

    def client_of(self, market: LiveMarket, venue_order_id: str) -> str | None:
        """The client id of an order; ``FOREIGN`` for one that is not ours, None when that is not known."""
        return self._clients.get((market.symbol, venue_order_id))

    def market_of(
        self, markets: Iterable[LiveMarket], venue_order_id: str | None, client_text: str | None
    ) -> LiveMarket | None:
        """The market of an order that is shown without one; None where it is not known, or several bear that number."""
        client_order_id = self.ids.decode(client_text)
        order = None if client_order_id is None else self._orders.get(client_order_id)
        if order is not None:
            return order.market
        found = [each for each in markets if (each.symbol, venue_order_id) in self._clients]
        return found[0] if len(found) == 1 else None

    def may_be_ours(self, market: LiveMarket, trade: SeenTrade) -> bool:
        """Whether a trade whose order is not known could be one of an own order: one without an exchange's number."""
        return any(
            order.market is market and order.venue_order_id is None and not order.has_ended and fits(order, trade)
            for order in self._orders.values()
        )

    def learn(self, market: LiveMarket, seen: SeenOrder) -> str:
        """Whose order this is."""
        known = self.client_of(market, seen.venue_order_id)
        if known:
            return known
        client_order_id = self.ids.decode(seen.client_text)
        if client_order_id is None and seen.client_text is None:
            return FOREIGN  # it does not say, this time
        self.remember(market, seen.venue_order_id, client_order_id or FOREIGN)
        return client_order_id or FOREIGN

    def _keep(self, order: SentOrder) -> None:
        self._orders[order.client_order_id] = order
        while len(self._orders) > _REMEMBERED and next(iter(self._orders.values())).has_ended:
            self._orders.popitem(last=False)

    # -- news -------------------------------------------------------------------------------------------------------

    def hear(self, market: LiveMarket, seen: SeenOrder, *, from_stream: bool) -> None:
        """The exchange shows an order: tell what is new in it."""
        self.clock.hear(seen.exchange_time)
        order = self.order(market, self.learn(market, seen))
        if order is None:
            return
        time = seen.exchange_time or self.clock.asked()
        if from_stream:
            order.is_on_stream = True
            self.awaited.pop(("taken", order.client_order_id), None)
        if seen.status is ReportedStatus.REJECTED and not order.is_acknowledged:
            self.refuse(order, RejectionCode.OTHER, "the exchange says that it was rejected")
        elif seen.status is not None:
            self.take(order, seen.venue_order_id, time, from_stream=from_stream)
        if seen.status in {ReportedStatus.CANCELED, ReportedStatus.EXPIRED, ReportedStatus.REJECTED}:
            if from_stream:
                self.awaited.pop(("ended", order.client_order_id), None)
            self.end(order, seen, time, from_stream=from_stream)

    def take(self, order: SentOrder, venue_order_id: str, time: int, *, from_stream: bool) -> None:
        """The exchange took the order."""
        if self.client_of(order.market, venue_order_id) != order.client_order_id:
            self.remember(order.market, venue_order_id, order.client_order_id)
        if not from_stream and not order.is_on_stream:
            self.awaited.setdefault(("taken", order.client_order_id), self.now())
        if order.is_acknowledged:
            return
        order.is_acknowledged, order.is_placement_owed = True, False
        order.market.tell(
            OrderAcknowledged(
                received_at=self.now(),
                symbol=order.market.symbol,
                client_order_id=order.client_order_id,
                venue_order_id=venue_order_id,
                exchange_time=time,
            )
        )

    def end(self, order: SentOrder, seen: SeenOrder, time: int, *, from_stream: bool) -> None:
        """The order is out of the book."""
        if order.has_ended:
            return
        order.has_ended, order.is_cancel_owed = True, False
        if not from_stream:
            self.awaited[("ended", order.client_order_id)] = self.now()
        kind = OrderCanceled if seen.status is ReportedStatus.CANCELED else OrderExpired
        order.market.tell(
            kind(
                received_at=self.now(),
                symbol=order.market.symbol,
                client_order_id=order.client_order_id,
                exchange_time=time,
                filled_quantity=seen.filled,
            )
        )

    # -- answers without news of the order --------------------------------------------------------------------------

    def refuse(self, order: SentOrder, code: RejectionCode, reason: str) -> None:
        """The placement was refused: it never was in the book."""
        if not order.is_placement_owed:
            return
        order.is_placement_owed, order.has_ended = False, True
        order.market.tell(
            OrderRejected(
                received_at=self.now(),
                symbol=order.market.symbol,
                client_order_id=order.client_order_id,
                code=code,
                reason=reason,
            )
        )

    def refuse_cancel(self, order: SentOrder, reason: str) -> None:
        """The cancel was refused: go and look."""
        if not order.is_cancel_owed:
            return
        order.is_cancel_owed = False
        order.market.tell(
            CancelRefused(
                received_at=self.now(),
                symbol=order.market.symbol,
                client_order_id=order.client_order_id,
                reason=reason,
            )
        )

    def lose(self, order: SentOrder, request: RequestKind, reason: str) -> None:
        """Nobody knows what became of a request."""
        is_owed = order.is_placement_owed if request is RequestKind.PLACE else order.is_cancel_owed
        if not is_owed:
            return
        if request is RequestKind.PLACE:
            order.is_placement_owed = False
        else:
            order.is_cancel_owed = False
        order.market.tell(
            OutcomeUnknown(
                received_at=self.now(),
                symbol=order.market.symbol,
                client_order_id=order.client_order_id,
                request=request,
                reason=reason,
            )
        )


def fits(order: SentOrder, trade: SeenTrade) -> bool:
    """Whether a trade could be of that order, as far as both are known: its side, its limit, no more than it is."""
    if order.side is not None and trade.side is not None and order.side is not trade.side:
        return False
    if order.quantity is not None and trade.quantity > order.quantity:
        return False
    return order.price is None or order.side is None or (order.price - trade.price) * order.side.sign >= 0
