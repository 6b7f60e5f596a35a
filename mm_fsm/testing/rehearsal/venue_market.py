"""One market at the exchange: the book that everybody sees, own orders in it, and recent public trades."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from attrs import Factory, define, field, frozen

from mm_fsm.core.instrument import ZERO, Instrument
from mm_fsm.core.messages import Side
from mm_fsm.testing.rehearsal.terms import RehearsalMarket
from mm_fsm.venues.paper.displayed import DisplayedBook
from mm_fsm.venues.paper.matching import Matcher
from mm_fsm.venues.paper.orders import PaperOrders
from mm_fsm.venues.paper.settings import QueueModel

ANY_PRICE: Final = {Side.BID: Decimal("Infinity"), Side.ASK: ZERO}
"""The limit of a taker of a side who takes whatever is there."""
_REMEMBERED_TRADES: Final = 1000
_FIRST_UPDATE: Final = 1000

Levels = Mapping[Decimal, Decimal]


@frozen(kw_only=True)
class PublicTrade:
    """A trade that everybody sees."""

    trade_id: int
    price: Decimal
    quantity: Decimal
    taker_side: Side
    time: int
    """Milliseconds, the exchange's clock."""


@frozen(kw_only=True)
class DepthChange:
    """What changed between two updates of the book; a size of 0 means that the level is gone."""

    first_update: int
    last_update: int
    bids: Levels
    asks: Levels


def _by_side() -> dict[Side, dict[Decimal, Decimal]]:
    return {Side.BID: {}, Side.ASK: {}}


@define
class PublishedDepth:
    """The numbered changes of a book: each level that changes is an update of its own."""

    last_update: int = field(default=_FIRST_UPDATE, init=False)
    _levels: dict[Side, dict[Decimal, Decimal]] = field(factory=_by_side, init=False)
    _changed: dict[Side, dict[Decimal, Decimal]] = field(factory=_by_side, init=False)
    _first_update: int = field(default=_FIRST_UPDATE + 1, init=False)

    def advance(self, levels: dict[Side, dict[Decimal, Decimal]]) -> None:
        """Number what differs from the book shown last."""
        for side, new in levels.items():
            old = self._levels[side]
            for price in old.keys() | new.keys():
                size = new.get(price, ZERO)
                if old.get(price, ZERO) != size:
                    self._changed[side][price] = size
                    self.last_update += 1
        self._levels = levels

    def take_change(self) -> DepthChange | None:
        """Everything that changed since the last call; None when nothing did."""
        if self.last_update < self._first_update:
            return None
        change = DepthChange(
            first_update=self._first_update,
            last_update=self.last_update,
            bids=self._changed[Side.BID],
            asks=self._changed[Side.ASK],
        )
        self._changed = _by_side()
        self._first_update = self.last_update + 1
        return change

    def best(self, side: Side) -> tuple[Decimal, Decimal] | None:
        """Price and size of the best level; None for an empty side."""
        levels = self._levels[side]
        if not levels:
            return None
        price = max(levels) if side is Side.BID else min(levels)
        return price, levels[price]

    def top(self, side: Side, count: int) -> list[tuple[Decimal, Decimal]]:
        """The best levels of a side, best first."""
        return sorted(self._levels[side].items(), reverse=side is Side.BID)[:count]


@define(eq=False)
class VenueMarket:
    """What the exchange knows of one market."""

    market: RehearsalMarket
    displayed: DisplayedBook = field(factory=DisplayedBook, init=False)
    orders: PaperOrders = field(factory=lambda: PaperOrders(history=0), init=False)
    matcher: Matcher = field(
        default=Factory(
            lambda self: Matcher(self.orders, self.displayed, QueueModel.PESSIMISTIC, self.instrument.lot_size),
            takes_self=True,
        ),
        init=False,
    )
    depth: PublishedDepth = field(factory=PublishedDepth, init=False)
    trades: deque[PublicTrade] = field(factory=lambda: deque(maxlen=_REMEMBERED_TRADES), init=False)
    is_trading: bool = field(default=True, init=False)

    @property
    def instrument(self) -> Instrument:
        """Its rules."""
        return self.market.instrument

    @property
    def market_id(self) -> str:
        """The exchange's own name for it."""
        return self.market.market_id

    def refresh(self) -> None:
        """Bring the published book up to date with the market and own orders."""
        levels = _by_side()
        for side, sizes in levels.items():
            for level in self.displayed.within(side, ANY_PRICE[side.opposite]):
                sizes[level.price] = level.size
            for order in self.orders.by_priority(side):
                sizes[order.price] = sizes.get(order.price, ZERO) + order.remaining
        self.depth.advance(levels)

    def can_take(self, side: Side, limit: Decimal) -> bool:
        """Whether an order of ``side`` would trade at once, with the market or with an own order."""
        if next(self.displayed.within(side.opposite, limit), None) is not None:
            return True
        own = self.orders.best_price(side.opposite)
        return own is not None and (own - limit) * side.sign <= 0

    def last_price(self) -> Decimal | None:
        """Of the last public trade, else the middle of the book; None before anything was shown."""
        return self.trades[-1].price if self.trades else self.displayed.mid
