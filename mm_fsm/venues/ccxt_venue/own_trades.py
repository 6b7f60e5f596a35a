"""Own trades: each is told once, at once, and under the client id of its order; what it lacks is told when it is known.

No unified trade carries the client id, and some lack their fee for a while. A trade whose order is not known is held.
One that lacks its fee is told without, and again once the exchange says it. A currency without a price is priced.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Final

from attrs import define, field

from mm_fsm.books.facts import ConversionPriceReported, OrderFilled
from mm_fsm.core.clock import NANOSECONDS_PER_MILLISECOND
from mm_fsm.venues.ccxt_venue.amounts import entry, positive
from mm_fsm.venues.ccxt_venue.live_market import LiveMarket, VenueClock
from mm_fsm.venues.ccxt_venue.own_orders import FOREIGN, OwnOrderNews
from mm_fsm.venues.ccxt_venue.payloads import SeenTrade, read_order, read_trades

_REMEMBERED: Final = 50_000
_LOOKED_UP_AT_ONCE: Final = 50
"""Orders that are looked up one by one because a trade's owner is not known."""


@define(eq=False)
class OwnTradeNews:
    """Own trades of the account."""

    exchange: Any
    """For questions."""
    orders: OwnOrderNews
    clock: VenueClock
    held: dict[tuple[str, str], tuple[LiveMarket, SeenTrade]] = field(factory=dict)
    """Trades that lack something, by market and trade id."""
    unpriced: dict[tuple[str, str], LiveMarket] = field(factory=dict)
    """Markets whose fees are in a currency that nobody has priced, by market and currency."""
    _told: OrderedDict[tuple[str, str], bool] = field(factory=OrderedDict, init=False)
    """Trades that were told, and whether they were complete."""
    _priced: set[tuple[str, str]] = field(factory=set, init=False)

    @property
    def is_something_open(self) -> bool:
        """Whether there is something to ask for."""
        return bool(self.held or self.unpriced)

    def hear(self, market: LiveMarket, trade: SeenTrade) -> None:
        """The exchange shows a trade: tell it, hold it, or drop it when it is not ours."""
        self.clock.hear(trade.exchange_time)
        key = (market.symbol, trade.trade_id)
        if self._told.get(key):
            return
        client_order_id = self.orders.client_of(market, trade.venue_order_id)
        if client_order_id == FOREIGN:
            self.held.pop(key, None)
            return
        self._hold_what_is_open(market, trade)
        if client_order_id is None or (key in self._told and not trade.is_complete):
            return
        _note(self._told, key, value=trade.is_complete)
        if client_order_id in market.known:
            market.tell(self._fact(market, trade, client_order_id))

    def _hold_what_is_open(self, market: LiveMarket, trade: SeenTrade) -> None:
        key = (market.symbol, trade.trade_id)
        is_owner_known = self.orders.client_of(market, trade.venue_order_id) is not None
        if is_owner_known and trade.is_complete:
            self.held.pop(key, None)
        else:
            self.held[key] = (market, trade)
        if trade.fee and trade.fee_currency is not None and not self._is_priced(market, trade.fee_currency):
            self.unpriced[market.symbol, trade.fee_currency] = market

    def hear_held(self) -> None:
        """Something has become known: tell what is known now."""
        for market, trade in list(self.held.values()):
            self.hear(market, trade)

    def is_told(self, market: LiveMarket, trade: SeenTrade) -> bool:
        """Whether the stream has brought this trade."""
        key = (market.symbol, trade.trade_id)
        return key in self._told or key in self.held

    async def complete(self) -> None:
        """Ask for what is not known yet.

        Raises:
            Exception: what ccxt raises; it stays open.
        """
        held = list(self.held.values())
        for market in {id(market): market for market, _ in held}.values():
            mine = [trade for each, trade in held if each is market]
            await self.find_owners(market, mine)
            if any(not trade.is_complete for trade in mine):
                since = min(trade.exchange_time for trade in mine) // NANOSECONDS_PER_MILLISECOND
                for trade in read_trades(await self.exchange.fetch_my_trades(market.symbol, since)):
                    if (market.symbol, trade.trade_id) in self.held:
                        self.hear(market, trade)
        self.hear_held()
        for (_, currency), market in list(self.unpriced.items()):
            await self._price(market, currency)

    async def find_owners(self, market: LiveMarket, trades: list[SeenTrade]) -> None:
        """Look up the orders of trades whose owner is not known.

        Raises:
            Exception: what ccxt raises, when one is not to be had.
        """
        unknown = {t.venue_order_id for t in trades if self.orders.client_of(market, t.venue_order_id) is None}
        for venue_order_id in sorted(unknown)[:_LOOKED_UP_AT_ONCE]:
            seen = read_order(await self.exchange.fetch_order(venue_order_id, market.symbol))
            if seen is not None and seen.venue_order_id == venue_order_id:
                client_order_id = self.orders.ids.decode(seen.client_text)
                self.orders.remember(market, venue_order_id, client_order_id or FOREIGN)

    async def _price(self, market: LiveMarket, currency: str) -> None:
        """Ask what a currency is worth that fees are charged in, and tell it."""
        ticker = await self.exchange.fetch_ticker(f"{currency}/{market.instrument.quote_currency}")
        worth = positive(entry(ticker, "last")) or positive(entry(ticker, "close"))
        if worth is None:
            return
        self._priced.add((market.symbol, currency))
        self.unpriced.pop((market.symbol, currency), None)
        market.tell(
            ConversionPriceReported(received_at=self.clock.now(), symbol=market.symbol, currency=currency, price=worth)
        )

    def fills(self, market: LiveMarket, trades: list[SeenTrade]) -> tuple[OrderFilled, ...] | None:
        """The own ones among all trades of a stretch of time; None while the owner of one is not known."""
        found: list[OrderFilled] = []
        for trade in trades:
            client_order_id = self.orders.client_of(market, trade.venue_order_id)
            if client_order_id == FOREIGN:
                continue
            if client_order_id is None:
                return None
            self._hold_what_is_open(market, trade)
            found.append(self._fact(market, trade, client_order_id))
        return tuple(found)

    def _is_priced(self, market: LiveMarket, currency: str) -> bool:
        own = {market.instrument.base_currency, market.instrument.quote_currency}
        return currency in own or (market.symbol, currency) in self._priced

    def _fact(self, market: LiveMarket, trade: SeenTrade, client_order_id: str) -> OrderFilled:
        return OrderFilled(
            received_at=self.clock.now(),
            symbol=market.symbol,
            client_order_id=client_order_id,
            trade_id=trade.trade_id,
            price=trade.price,
            quantity=trade.quantity,
            fee=trade.fee,
            fee_currency=trade.fee_currency,
            liquidity=trade.liquidity,
            exchange_time=trade.exchange_time,
            side=trade.side,
        )


def _note(keys: OrderedDict[tuple[str, str], bool], key: tuple[str, str], *, value: bool) -> None:
    keys[key] = value
    while len(keys) > _REMEMBERED:
        keys.popitem(last=False)
