"""When an own order trades, by the market's books and trades.

A resting bid at p (an ask mirrored) trades as maker, at p:

- when a sell trades below p: it would have hit the bid first;
- when the best ask reaches p: up to the size displayed at p or better, each displayed size once;
- when a sell trades at p, with what is left of the trade once the queue ahead is used up. A trade that is no newer than
  the displayed book, as happens where a replay is ordered by receipt, is in the displayed sizes already and does not
  shorten the queue again.

An order that crosses the market takes displayed levels within its limit, at their prices, never more than is left.
Conservation: the volume of a trade goes to own orders at better prices, then at the trade's price to the queue ahead
and to own orders in the order of their arrival, and never adds up to more than the trade. An own order trades in whole
lots, however finely the market's sizes are cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from attrs import define

from mm_fsm.books.facts import MarketTrade
from mm_fsm.core.instrument import ZERO
from mm_fsm.core.messages import SIDES, Liquidity, Side
from mm_fsm.venues.paper.displayed import DisplayedBook, is_better
from mm_fsm.venues.paper.orders import PaperOrder, PaperOrders
from mm_fsm.venues.paper.settings import QueueModel


class Execution(NamedTuple):
    """A trade of one own order: price in quote per base, quantity in contracts."""

    order: PaperOrder
    price: Decimal
    quantity: Decimal
    liquidity: Liquidity


@define
class Matcher:
    """Finds executions. The caller books each one before it asks for the next, because it may close other orders."""

    orders: PaperOrders
    displayed: DisplayedBook
    queue: QueueModel
    lot: Decimal
    """What every execution is a multiple of, contracts."""

    def crosses(self, side: Side, price: Decimal) -> bool:
        """Whether an order crosses the displayed book, even where we have taken all of it."""
        best = self.displayed.best(side.opposite)
        return best is not None and not is_better(side, best, price)

    def join_queue(self, order: PaperOrder) -> None:
        """Queue a newly resting order behind the size displayed at its price."""
        if self.queue is QueueModel.FRONT:
            order.queue_ahead = ZERO
        else:
            order.queue_ahead = self.displayed.size_at(order.side, order.price)

    def update_queues(self) -> None:
        """Shorten queues to what a new book displays."""
        for side in SIDES:
            deepest = self.displayed.deepest(side)
            for order in self.orders.by_priority(side):
                if deepest is not None and is_better(side, deepest, order.price):
                    break  # what lies behind the displayed book is not known
                ahead = order.queue_ahead
                if ahead is not None and not ahead:
                    continue  # no less than nothing can be displayed
                shown = self.displayed.size_at(side, order.price)
                if shown is not None and (ahead is None or shown < ahead):
                    order.queue_ahead = shown

    def take(self, order: PaperOrder) -> Iterator[Execution]:
        """Executions of a crossing order against the displayed levels within its limit."""
        side = order.side.opposite
        for level in self.displayed.within(side, order.price):
            quantity = self._whole_lots(min(level.size, order.remaining))
            if not quantity:
                continue
            self.displayed.take(side, level.price, quantity)
            yield Execution(order, level.price, quantity, Liquidity.TAKER)
            if not order.is_open:
                return

    def against_book(self) -> Iterator[Execution]:
        """Executions of resting orders that the displayed book has reached."""
        for side in SIDES:
            best = self.displayed.best(side.opposite)
            if best is None:
                continue
            for order in self.orders.by_priority(side):
                if is_better(side, best, order.price):
                    break
                if not order.is_taking:
                    yield from self._reached(order)

    def against_trade(self, trade: MarketTrade) -> Iterator[Execution]:
        """Executions of resting orders by a public trade, whose volume is shared out once."""
        side = trade.taker_side.opposite
        left = trade.size
        queued = ZERO
        is_displayed = self.displayed.is_newer_than(trade)
        for order in self.orders.by_priority(side):
            if left <= 0 or is_better(side, trade.price, order.price):
                break
            if order.is_taking or not order.is_open:
                continue
            if order.price == trade.price:
                if order.queue_ahead is None or is_displayed:
                    continue
                ahead = min(max(order.queue_ahead - queued, ZERO), left)
                queued += ahead
                left -= ahead
            quantity = self._whole_lots(min(left, order.remaining))
            if quantity > 0:
                left -= quantity
                yield Execution(order, order.price, quantity, Liquidity.MAKER)
        if queued:
            self._advance_queues(side, trade.price, queued)

    def _reached(self, order: PaperOrder) -> Iterator[Execution]:
        side = order.side.opposite
        for level in self.displayed.within(side, order.price):
            if not order.is_open:
                return
            quantity = self._whole_lots(min(level.size, order.remaining))
            if not quantity:
                continue
            self.displayed.take(side, level.price, quantity)
            yield Execution(order, order.price, quantity, Liquidity.MAKER)

    def _whole_lots(self, quantity: Decimal) -> Decimal:
        return quantity // self.lot * self.lot if quantity % self.lot else quantity

    def _advance_queues(self, side: Side, price: Decimal, quantity: Decimal) -> None:
        for order in self.orders.by_priority(side):
            if order.price == price and order.queue_ahead:
                order.queue_ahead = max(order.queue_ahead - quantity, ZERO)
