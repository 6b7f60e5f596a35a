"""Own trades: each is told once, complete, and under the client id of its order.

No unified trade carries the client id, some lack their fee for a while, and a fee may be in a currency that nobody has
priced yet. Such a trade is held, and asked about, until it is complete.
"""

from __future__ import annotations

from collections import OrderedDict
from decimal import Decimal
from typing import Any, Final

from attrs import define, field

from mm_fsm.books.facts import ConversionPriceReported, OrderFilled
from mm_fsm.core.messages import Side
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
    opened_at: int = 0
    """Venue time at which the venue opened: flows count from then on."""
    held: dict[tuple[str, str], tuple[LiveMarket, SeenTrade]] = field(factory=dict)
    """Trades that lack something, by market and trade id."""
    _told: OrderedDict[tuple[str, str], None] = field(factory=OrderedDict, init=False)
    _counted: OrderedDict[tuple[str, str], None] = field(factory=OrderedDict, init=False)
    _priced: set[tuple[str, str]] = field(factory=set, init=False)

    def hear(self, market: LiveMarket, trade: SeenTrade) -> None:
        """The stream shows a trade: tell it, hold it, or drop it when it is not ours."""
        self.clock.hear(trade.exchange_time)
        key = (market.symbol, trade.trade_id)
        if key in self._told:
            return
        client_order_id = self.orders.client_of(market, trade.venue_order_id)
        if client_order_id == FOREIGN:
            self.held.pop(key, None)
            return
        if client_order_id is None or not trade.is_complete or not self._is_priced(market, trade):
            self.held[key] = (market, trade)
            return
        self.held.pop(key, None)
        _note(self._told, key)
        fact = self._fact(market, trade, client_order_id)
        if client_order_id in market.known and fact is not None:
            market.tell(fact)

    def hear_held(self) -> None:
        """Something has become known: tell what is complete now."""
        for market, trade in list(self.held.values()):
            self.hear(market, trade)

    def is_told(self, market: LiveMarket, trade: SeenTrade) -> bool:
        """Whether the stream has brought this trade."""
        key = (market.symbol, trade.trade_id)
        return key in self._told or key in self.held

    async def complete(self) -> None:
        """Ask for what the held trades lack.

        Raises:
            Exception: what ccxt raises; they stay held.
        """
        held = list(self.held.values())
        for market in {id(market): market for market, _ in held}.values():
            mine = [trade for each, trade in held if each is market]
            await self.find_owners(market, mine)
            await self.price(market, mine)
            if any(not trade.is_complete for trade in mine):
                since = min(trade.exchange_time for trade in mine) // 1_000_000
                for trade in read_trades(await self.exchange.fetch_my_trades(market.symbol, since)):
                    if (market.symbol, trade.trade_id) in self.held:
                        self.held[market.symbol, trade.trade_id] = (market, trade)
        self.hear_held()

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

    async def price(self, market: LiveMarket, trades: list[SeenTrade]) -> None:
        """Tell what third currencies are worth that fees are charged in.

        Raises:
            Exception: what ccxt raises.
        """
        quote = market.instrument.quote_currency
        for currency in {trade.fee_currency for trade in trades if not self._is_priced(market, trade)}:
            if currency is None:
                continue
            ticker = await self.exchange.fetch_ticker(f"{currency}/{quote}")
            worth = positive(entry(ticker, "last")) or positive(entry(ticker, "close"))
            if worth is not None:
                self.tell_price(market, currency, worth)

    def tell_price(self, market: LiveMarket, currency: str, worth: Decimal) -> None:
        """One unit of ``currency`` is worth so much quote currency."""
        self._priced.add((market.symbol, currency))
        market.tell(
            ConversionPriceReported(received_at=self.clock.now(), symbol=market.symbol, currency=currency, price=worth)
        )

    def fills(self, market: LiveMarket, trades: list[SeenTrade]) -> tuple[OrderFilled, ...] | None:
        """The own ones among all trades of a stretch of time; None while one of them lacks something."""
        found: list[OrderFilled] = []
        for trade in trades:
            client_order_id = self.orders.client_of(market, trade.venue_order_id)
            if client_order_id == FOREIGN:
                continue
            if client_order_id is None or not trade.is_complete or not self._is_priced(market, trade):
                return None
            fact = self._fact(market, trade, client_order_id)
            if fact is not None:
                found.append(fact)
        return tuple(found)

    def _is_priced(self, market: LiveMarket, trade: SeenTrade) -> bool:
        own = {market.instrument.base_currency, market.instrument.quote_currency, None}
        return trade.fee_currency in own or not trade.fee or (market.symbol, trade.fee_currency) in self._priced

    def _fact(self, market: LiveMarket, trade: SeenTrade, client_order_id: str) -> OrderFilled | None:
        if trade.fee is None or trade.fee_currency is None or trade.liquidity is None:
            return None
        self._count_flow(market, trade, trade.fee, trade.fee_currency)
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

    def _count_flow(self, market: LiveMarket, trade: SeenTrade, fee: Decimal, fee_currency: str) -> None:
        """What the trade changed in the account: other markets that share a currency must not see it."""
        key = (market.symbol, trade.trade_id)
        if key in self._counted or trade.exchange_time <= self.opened_at or trade.side is None:
            return
        _note(self._counted, key)
        sign = 1 if trade.side is Side.BID else -1
        changes = (
            (market.instrument.base_currency, sign * trade.quantity),
            (market.instrument.quote_currency, -sign * trade.quantity * trade.price),
            (fee_currency, -fee),
        )
        for currency, change in changes:
            market.flows[currency] = market.flows.get(currency, Decimal(0)) + change


def _note(keys: OrderedDict[tuple[str, str], None], key: tuple[str, str]) -> None:
    keys[key] = None
    while len(keys) > _REMEMBERED:
        keys.popitem(last=False)
