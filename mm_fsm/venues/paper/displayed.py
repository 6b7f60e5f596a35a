"""What the market displays, and how much of it is left to trade with.

A recorded or simulated market does not react to our trades: it goes on displaying what we took. So what was taken is
remembered at each price, and the same displayed size never fills twice. When a level shrinks, what is left of it may
be what we took; only what it grows by is new. A level that leaves the visible book is forgotten. Public trades use up
what is displayed too, until the next book shows what they left.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from attrs import define, field

from mm_fsm.books.facts import MarketBook, MarketTrade
from mm_fsm.core.instrument import ZERO
from mm_fsm.core.messages import BookLevel, Side

_TWO: Final = Decimal(2)


def is_better(side: Side, price: Decimal, other: Decimal) -> bool:
    """Whether an order of ``side`` at ``price`` has priority over one at ``other``: higher bid, lower ask."""
    return price > other if side is Side.BID else price < other


def _sizes_by_side() -> dict[Side, dict[Decimal, Decimal]]:
    return {Side.BID: {}, Side.ASK: {}}


@define
class DisplayedBook:
    """The last book and what is left of it. Sizes are contracts, prices quote currency per base unit."""

    shown_at: int | None = field(default=None, init=False)
    """When the last book was shown; None before the first."""
    exchange_time: int | None = field(default=0, init=False)
    """The last book's, as the exchange stamped it; None where it has no stamp."""
    mid: Decimal | None = field(default=None, init=False)
    """Middle of the last book that had both sides; None before the first."""
    _levels: dict[Side, tuple[BookLevel, ...]] = field(factory=lambda: {Side.BID: (), Side.ASK: ()}, init=False)
    _taken: dict[Side, dict[Decimal, Decimal]] = field(factory=_sizes_by_side, init=False)
    _traded: dict[Side, dict[Decimal, Decimal]] = field(factory=_sizes_by_side, init=False)

    def show(self, book: MarketBook) -> None:
        """Take a new book. What we took of levels that stay remains taken."""
        self.shown_at = book.received_at
        self.exchange_time = book.exchange_time
        self._levels = {Side.BID: book.bids, Side.ASK: book.asks}
        if book.bids and book.asks:
            self.mid = (book.bids[0].price + book.asks[0].price) / _TWO
        for side, levels in self._levels.items():
            self._traded[side].clear()
            taken = self._taken[side]
            if taken:
                self._taken[side] = {
                    level.price: min(taken[level.price], level.size) for level in levels if level.price in taken
                }

    def is_newer_than(self, trade: MarketTrade) -> bool:
        """Whether the book already contains the trade: by exchange times, else by times of receipt."""
        if self.exchange_time is None:
            return self.shown_at is not None and trade.received_at < self.shown_at
        return trade.exchange_time <= self.exchange_time

    def note_trade(self, trade: MarketTrade) -> None:
        """Remove a public trade from the displayed sizes: all better levels, and its size at its price."""
        side = trade.taker_side.opposite
        traded = self._traded[side]
        for level in self._levels[side]:
            if is_better(side, level.price, trade.price):
                traded[level.price] = level.size
                continue
            if level.price == trade.price:
                traded[level.price] = traded.get(level.price, ZERO) + trade.size
            break

    def best(self, side: Side) -> Decimal | None:
        """The best displayed price of a side; None when nobody quotes there."""
        levels = self._levels[side]
        return levels[0].price if levels else None

    def deepest(self, side: Side) -> Decimal | None:
        """The worst displayed price of a side; None when nobody quotes there."""
        levels = self._levels[side]
        return levels[-1].price if levels else None

    def size_at(self, side: Side, price: Decimal) -> Decimal | None:
        """What is displayed at a price; 0 where visibly nothing is, None where the price lies behind the book."""
        levels = self._levels[side]
        if not levels or is_better(side, price, levels[0].price):
            return ZERO
        if is_better(side, levels[-1].price, price):
            return None
        for level in levels:
            if level.price == price:
                return level.size
        return ZERO

    def within(self, side: Side, limit: Decimal) -> Iterator[BookLevel]:
        """Levels of ``side`` that a taker with this limit price reaches, best first, with what is left of each."""
        for level in self._levels[side]:
            if is_better(side.opposite, level.price, limit):
                return
            used = self._taken[side].get(level.price, ZERO) + self._traded[side].get(level.price, ZERO)
            if level.size > used:
                yield BookLevel(level.price, level.size - used)

    def take(self, side: Side, price: Decimal, quantity: Decimal) -> None:
        """Note that we took ``quantity`` of the level."""
        self._taken[side][price] = self._taken[side].get(price, ZERO) + quantity
