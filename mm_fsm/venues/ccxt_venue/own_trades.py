"""Own trades: each is told once, at once, and under the client id of its order; what it lacks is told when it is known.

No unified trade carries the client id, and some lack their fee for a while. A trade whose order is not known is held.
One that lacks its fee is told without, and again once the exchange says it. A currency without a price is priced.

Each thing that is missing is asked for by itself, ever more seldom, and no more once the exchange has answered often
enough without saying it. Then a fee stays pending in the books. A trade whose order nobody finds is somebody else's
where the exchange's number of every own order is known, as none of them has that number; where one is not, the trade
stays held, and questions for own trades fail with that reason.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Coroutine, Iterator
from decimal import Context
from typing import Any, Final, Protocol

from attrs import define, field
from loguru import logger

from mm_fsm.books.facts import ConversionPriceReported, OrderFilled
from mm_fsm.core.clock import NANOSECONDS_PER_MILLISECOND, nanoseconds
from mm_fsm.venues.ccxt_venue.live_market import LiveMarket, VenueClock
from mm_fsm.venues.ccxt_venue.outcomes import SUSPENSIONS, Outcome
from mm_fsm.venues.ccxt_venue.own_orders import FOREIGN, OwnOrderNews
from mm_fsm.venues.ccxt_venue.payloads import SeenTrade, read_order, read_price, read_trades

_REMEMBERED: Final = 50_000
_LOOKED_UP_AT_ONCE: Final = 50
"""Orders that are looked up one by one because a trade's owner is not known."""
MOST_ANSWERS: Final = 12
"""Answers without what was asked for, after which it is not asked for again."""
_FIRST_PAUSE_SECONDS: Final = 0.5
_LAST_PAUSE_SECONDS: Final = 60.0
_INVERTED: Final = Context(prec=12)
_PRICE_SECONDS: Final = 60.0
"""How old the price of a fee's currency may be when the next such fee is charged."""


class Judges(Protocol):
    """Knows what errors mean, and whether the exchange takes requests."""

    @property
    def suspension_seconds(self) -> float:
        """How long the exchange takes no request."""
        ...

    def judge(self, error: BaseException) -> tuple[Outcome, object]:
        """What an error says of its request."""
        ...

    def reason(self, error: BaseException) -> str:
        """An error in words."""
        ...


@define(eq=False)
class Patience:
    """How often one thing was asked for in vain, and from when on it may be asked for again, in host time."""

    answers: int = 0
    """Answers that did not say it. What is never answered, during an outage, does not count."""
    due: int = 0
    _pause: float = _FIRST_PAUSE_SECONDS

    @property
    def is_over(self) -> bool:
        """Whether it is not asked for any more."""
        return self.answers >= MOST_ANSWERS

    def asks(self, now: int) -> bool:
        """Whether to ask now."""
        return not self.is_over and now >= self.due

    def note_asked(self, now: int) -> None:
        """It is being asked for."""
        self.due = now + nanoseconds(self._pause)
        self._pause = min(2 * self._pause, _LAST_PAUSE_SECONDS)


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
    _priced: dict[tuple[str, str], int] = field(factory=dict, init=False)
    """When a currency was priced last in a market, host time."""
    _patience: OrderedDict[tuple[str, str, str], Patience] = field(factory=OrderedDict, init=False)
    """By what is missing, market and name."""

    @property
    def is_something_open(self) -> bool:
        """Whether there is something to ask for, now or later."""
        return any(not self._is_given_up(*key) for key in self._missing())

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
        if is_owner_known and (trade.is_complete or self._is_given_up("fee", *key)):
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

    # -- asking for what is missing ---------------------------------------------------------------------------------

    async def complete(self, account: Judges) -> None:
        """Ask for what is not known yet and may be asked for now. No failure keeps the rest from being asked."""
        held = list(self.held.values())
        for market in {id(market): market for market, _ in held}.values():
            mine = [trade for each, trade in held if each is market]
            await self.find_owners(market, mine, account)
            await self._complete_fees(market, [trade for trade in mine if self._lacks_fee(market, trade)], account)
        self.hear_held()
        for (symbol, currency), market in list(self.unpriced.items()):
            await self._asked(market, [("price", symbol, currency)], self._price(market, currency), account)

    async def find_owners(self, market: LiveMarket, trades: list[SeenTrade], account: Judges) -> None:
        """Look up the orders of trades whose owner is not known, as far as they may be asked for now. Never raises."""
        unknown = {t.venue_order_id for t in trades if self.orders.client_of(market, t.venue_order_id) is None}
        for venue_order_id in sorted(unknown)[:_LOOKED_UP_AT_ONCE]:
            key = ("owner", market.symbol, venue_order_id)
            await self._asked(market, [key], self._find_owner(market, venue_order_id), account)
            mine = [trade for trade in trades if trade.venue_order_id == venue_order_id]
            if self._is_given_up(*key) and not any(self.orders.may_be_ours(market, trade) for trade in mine):
                self._patience.pop(key)
                logger.bind(symbol=market.symbol, order=venue_order_id).warning("venue.trade_of_nobody_known")
                self.orders.remember(market, venue_order_id, FOREIGN)

    async def _find_owner(self, market: LiveMarket, venue_order_id: str) -> None:
        seen = read_order(await self.exchange.fetch_order(venue_order_id, market.symbol))
        if seen is not None and seen.venue_order_id == venue_order_id:
            client_order_id = self.orders.ids.decode(seen.client_text)
            self.orders.remember(market, venue_order_id, client_order_id or FOREIGN)

    async def _complete_fees(self, market: LiveMarket, trades: list[SeenTrade], account: Judges) -> None:
        if not trades:
            return
        keys = [("fee", market.symbol, trade.trade_id) for trade in trades]
        since = min(trade.exchange_time for trade in trades) // NANOSECONDS_PER_MILLISECOND
        await self._asked(market, keys, self._list_again(market, since), account)
        for trade in trades:
            if self._is_given_up("fee", market.symbol, trade.trade_id):
                self.held.pop((market.symbol, trade.trade_id), None)

    async def _list_again(self, market: LiveMarket, since: int) -> None:
        for trade in read_trades(await self.exchange.fetch_my_trades(market.symbol, since)):
            if (market.symbol, trade.trade_id) in self.held:
                self.hear(market, trade)

    async def _price(self, market: LiveMarket, currency: str) -> None:
        """Ask what a currency is worth that fees are charged in, and tell it."""
        quote = market.instrument.quote_currency
        pair, is_inverse = f"{currency}/{quote}", False
        listed = getattr(self.exchange, "markets", None) or {pair: None}
        if pair not in listed:
            pair, is_inverse = f"{quote}/{currency}", True
        if pair not in listed:
            self._patience["price", market.symbol, currency].answers = MOST_ANSWERS
            logger.bind(symbol=market.symbol, currency=currency).warning("venue.fee_has_no_price")
            return
        worth = read_price(await self.exchange.fetch_ticker(pair))
        if worth is None:
            return
        self._priced[market.symbol, currency] = self.clock.now()
        self.unpriced.pop((market.symbol, currency), None)
        price = _INVERTED.divide(1, worth) if is_inverse else worth
        market.tell(
            ConversionPriceReported(received_at=self.clock.now(), symbol=market.symbol, currency=currency, price=price)
        )

    async def _asked(
        self,
        market: LiveMarket,
        keys: list[tuple[str, str, str]],
        question: Coroutine[Any, Any, None],
        account: Judges,
    ) -> None:
        """Ask one question if one of the things that it is about is due, and note whether it was answered."""
        now = self.clock.now()
        due = [key for key in keys if self._patience.setdefault(key, Patience()).asks(now)]
        if not due or account.suspension_seconds:
            question.close()
            return
        for key in due:
            self._patience[key].note_asked(now)
        try:
            await question
        except Exception as error:  # noqa: BLE001 - whatever it is, it is asked for again
            is_answered = account.judge(error)[0] not in {Outcome.UNKNOWN, *SUSPENSIONS}
            logger.bind(about=due[0], reason=account.reason(error)).warning("venue.trade_incomplete")
        else:
            is_answered = True
        while len(self._patience) > _REMEMBERED:
            self._patience.popitem(last=False)
        for key in due:
            patience = self._patience[key]
            patience.answers += is_answered
            if not self._is_missing(market, key):
                del self._patience[key]
            elif patience.is_over:
                logger.bind(about=key).warning("venue.trade_never_completed")

    def _is_missing(self, market: LiveMarket, key: tuple[str, str, str]) -> bool:
        kind, symbol, name = key
        if kind == "owner":
            return self.orders.client_of(market, name) is None
        return ((symbol, name) in self.held) if kind == "fee" else ((symbol, name) in self.unpriced)

    def _missing(self) -> Iterator[tuple[str, str, str]]:
        """What is not known: kind, market, and the number of an order or a trade, or a currency."""
        for market, trade in self.held.values():
            if self.orders.client_of(market, trade.venue_order_id) is None:
                yield "owner", market.symbol, trade.venue_order_id
            if self._lacks_fee(market, trade):
                yield "fee", market.symbol, trade.trade_id
        for symbol, currency in self.unpriced:
            yield "price", symbol, currency

    def _lacks_fee(self, market: LiveMarket, trade: SeenTrade) -> bool:
        return not trade.is_complete and bool(self.orders.client_of(market, trade.venue_order_id))

    def _is_given_up(self, kind: str, symbol: str, name: str) -> bool:
        patience = self._patience.get((kind, symbol, name))
        return patience is not None and patience.is_over

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
        priced_at = self._priced.get((market.symbol, currency))
        is_fresh = priced_at is not None and self.clock.now() - priced_at < nanoseconds(_PRICE_SECONDS)
        return currency in own or is_fresh

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
