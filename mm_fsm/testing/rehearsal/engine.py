"""The exchange itself, without any network: it takes orders, matches them by price and time, and keeps the account.

Everything happens at once and in order; nothing here waits, reads a file or draws a random number. Own orders queue
behind what the market displays at their price. The account's own orders never trade with each other: the one that
rests expires (Binance's mode EXPIRE_MAKER).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import count

from attrs import Factory, define, field

from mm_fsm.books.facts import MarketBook, MarketTrade
from mm_fsm.core.messages import Liquidity, Side
from mm_fsm.testing.rehearsal.cashier import Cashier
from mm_fsm.testing.rehearsal.fault_menu import Where
from mm_fsm.testing.rehearsal.filters import check_filters
from mm_fsm.testing.rehearsal.judge import OrderAccepted, OrderEnded, OrderRefused, OrderTraded, RehearsalLog
from mm_fsm.testing.rehearsal.order_payloads import Payload, account_position, execution_report
from mm_fsm.testing.rehearsal.refusals import (
    DUPLICATE_ORDER,
    UNKNOWN_SYMBOL,
    RefusedError,
    would_take,
)
from mm_fsm.testing.rehearsal.terms import RehearsalTerms
from mm_fsm.testing.rehearsal.venue_market import ANY_PRICE, PublicTrade, VenueMarket
from mm_fsm.testing.rehearsal.venue_orders import (
    ENDINGS,
    InForce,
    OrderRequest,
    OrderType,
    OwnTrade,
    VenueOrder,
)
from mm_fsm.testing.rehearsal.wallet import Wallet
from mm_fsm.venues.base import MarketEvent
from mm_fsm.venues.paper.displayed import is_better
from mm_fsm.venues.paper.orders import PaperOrder


@define(eq=False)
class Listeners:
    """Who is told of what happens, at once; None for nobody. None of them may raise."""

    user: Callable[[Where, str | None, Payload], None] | None = None
    """An event of the account: its kind, the market's symbol, and the event."""
    trade: Callable[[VenueMarket, PublicTrade], None] | None = None
    """A public trade."""
    book: Callable[[VenueMarket], None] | None = None
    """The published book may have changed."""


@define(eq=False)
class MatchingEngine:
    """Orders, matching and the account.

    Args:
        terms: markets, balances, fees.
        log: where everything done is written.
        now: the exchange's clock, milliseconds; it may be skewed.
    """

    terms: RehearsalTerms
    log: RehearsalLog
    now: Callable[[], int]
    listeners: Listeners = field(factory=Listeners, init=False)
    markets: dict[str, VenueMarket] = field(
        default=Factory(
            lambda self: {market.market_id: VenueMarket(market) for market in self.terms.markets}, takes_self=True
        ),
        init=False,
    )
    """By the exchange's own name."""
    _by_symbol: dict[str, VenueMarket] = field(
        default=Factory(
            lambda self: {market.instrument.symbol: market for market in self.markets.values()}, takes_self=True
        ),
        init=False,
    )
    cashier: Cashier = field(
        default=Factory(lambda self: Cashier(self.terms, Wallet(self.log), self.markets), takes_self=True), init=False
    )
    shows_fees: Callable[[str], bool] = field(default=lambda _: True, init=False)
    """Whether the fee of a trade in the market of that symbol is reported now."""
    orders: dict[int, VenueOrder] = field(factory=dict, init=False)
    own_trades: list[OwnTrade] = field(factory=list, init=False)
    _open_ids: dict[str, VenueOrder] = field(factory=dict, init=False)
    """Open orders by client id."""
    _latest: dict[str, VenueOrder] = field(factory=dict, init=False)
    """The last order of each client id."""
    _order_ids: Iterator[int] = field(factory=lambda: count(1_000_001), init=False)
    _trade_ids: Iterator[int] = field(factory=lambda: count(5_000_001), init=False)

    def __attrs_post_init__(self) -> None:
        for currency, balance in self.terms.balances.items():
            self.wallet.deposit(currency, balance)

    @property
    def wallet(self) -> Wallet:
        """The account's money."""
        return self.cashier.wallet

    # -- requests ---------------------------------------------------------------------------------------------------

    def market(self, market_id: str) -> VenueMarket:
        """The market of that name.

        Raises:
            RefusedError: there is none.
        """
        if market_id not in self.markets:
            raise RefusedError(*UNKNOWN_SYMBOL)
        return self.markets[market_id]

    def place(self, request: OrderRequest) -> VenueOrder:
        """Take an order, and match it.

        Raises:
            RefusedError: a filter, the balance, its client id or the book refuses it; nothing has changed.
        """
        market = self.market(request.symbol)
        try:
            self._check(market, request)
            order = self._accept(market, request)
        except RefusedError as refused:
            self.refuse(request, refused)
            raise
        self._report(order, "NEW")
        self._take(market, order)
        if order.is_open and not _may_rest(request):
            self._end(market, order, "EXPIRED")
        elif order.is_open:
            market.matcher.join_queue(order.resting)
        self._changed(market)
        return order

    def refuse(self, request: OrderRequest, refused: RefusedError) -> None:
        """Write down that an order was refused."""
        symbol = self.markets[request.symbol].instrument.symbol
        self.log.write(
            OrderRefused(
                time=self.log.now(),
                client_order_id=request.client_order_id,
                symbol=symbol,
                code=refused.code,
                message=refused.message,
            )
        )

    def cancel(self, order: VenueOrder, cancel_id: str) -> None:
        """Take an open order out of the book."""
        market = self.markets[order.request.symbol]
        self._end(market, order, "CANCELED", cancel_id=cancel_id)
        self._changed(market)

    def fill(self, order: VenueOrder, quantity: Decimal) -> None:
        """Let somebody trade with a resting order, whatever the market shows."""
        market = self.markets[order.request.symbol]
        self._trade(market, order, order.resting.price, quantity, Liquidity.MAKER)
        self._changed(market)

    def open_order(self, market_id: str, order_id: int | None, client_order_id: str | None) -> VenueOrder | None:
        """The open order of that id, or of that client id."""
        order = self._open_ids.get(client_order_id or "") if order_id is None else self.orders.get(order_id)
        return order if order is not None and order.is_open and order.request.symbol == market_id else None

    def find(self, market_id: str, order_id: int | None, client_order_id: str | None) -> VenueOrder | None:
        """The latest order of that id, or of that client id, that can be seen by now."""
        order = self._latest.get(client_order_id or "") if order_id is None else self.orders.get(order_id)
        is_seen = order is not None and order.request.symbol == market_id and order.visible_from <= self.now()
        return order if is_seen else None

    def open_orders(self, market_id: str | None = None) -> list[VenueOrder]:
        """Open orders of one market or of all, the earliest first, whether they can be seen or not."""
        return [order for order in self._open_ids.values() if market_id in {None, order.request.symbol}]

    # -- the market -------------------------------------------------------------------------------------------------

    def on_market(self, event: MarketEvent) -> None:
        """The market moved.

        Raises:
            KeyError: the event is of a market that the exchange does not have.
        """
        market = self._by_symbol[event.symbol]
        if isinstance(event, MarketBook):
            market.displayed.show(event)
            market.matcher.update_queues()
            for execution in market.matcher.against_book():
                self._trade(market, self._own(execution.order), execution.price, execution.quantity, Liquidity.MAKER)
        elif isinstance(event, MarketTrade):
            left = event.size
            for execution in market.matcher.against_trade(event):
                left -= execution.quantity
                self._trade(market, self._own(execution.order), execution.price, execution.quantity, Liquidity.MAKER)
            market.displayed.note_trade(event)
            if left > 0:
                self._print(market, next(self._trade_ids), event.price, left, event.taker_side)
        else:
            market.is_trading = event.trading
        self._changed(market)

    def _own(self, resting: PaperOrder) -> VenueOrder:
        return self.orders[int(resting.venue_order_id)]

    # -- placing ----------------------------------------------------------------------------------------------------

    def _check(self, market: VenueMarket, request: OrderRequest) -> None:
        if not market.is_trading or market.displayed.mid is None:
            raise RefusedError(-1013, "Market is closed.")
        check_filters(market, request)
        if request.client_order_id in self._open_ids:
            raise RefusedError(*DUPLICATE_ORDER)
        if request.type is OrderType.LIMIT_MAKER and market.can_take(request.side, _limit(request)):
            raise would_take()

    def _accept(self, market: VenueMarket, request: OrderRequest) -> VenueOrder:
        quantity = self.cashier.quantity(market, request)
        self.cashier.lock(market, request, quantity)
        now, order_id = self.now(), next(self._order_ids)
        resting = PaperOrder(
            client_order_id=str(order_id),
            venue_order_id=str(order_id),
            side=request.side,
            price=_limit(request),
            quantity=quantity,
            remaining=quantity,
            is_immediate=not _may_rest(request),
            is_reduce_only=False,
            arrived_at=now,
        )
        order = VenueOrder(order_id=order_id, request=request, resting=resting, time=now, updated=now)
        self.orders[order_id] = self._open_ids[request.client_order_id] = self._latest[request.client_order_id] = order
        market.orders.add(resting)
        self.log.write(
            OrderAccepted(
                time=self.log.now(),
                order_id=order_id,
                client_order_id=request.client_order_id,
                symbol=market.instrument.symbol,
                side=request.side,
                price=request.price,
                quantity=quantity,
                is_post_only=request.type is OrderType.LIMIT_MAKER,
            )
        )
        return order

    # -- matching ---------------------------------------------------------------------------------------------------

    def _take(self, market: VenueMarket, order: VenueOrder) -> None:
        side, limit = order.request.side.opposite, order.resting.price
        levels = market.displayed.within(side, limit)
        if order.request.in_force is InForce.FOK and sum(level.size for level in levels) < order.remaining:
            return
        while order.is_open:
            level = next(market.displayed.within(side, limit), None)
            self._expire_own(market, side, limit, None if level is None else level.price)
            if level is None:
                return
            quantity = min(level.size, order.remaining)
            market.displayed.take(side, level.price, quantity)
            self._trade(market, order, level.price, quantity, Liquidity.TAKER)

    def _expire_own(self, market: VenueMarket, side: Side, limit: Decimal, best: Decimal | None) -> None:
        """Expire own resting orders of ``side`` that a taker with this limit meets before the market's best price."""
        for resting in market.orders.by_priority(side):
            is_within = not is_better(side.opposite, resting.price, limit)
            if not is_within or (best is not None and not is_better(side, resting.price, best)):
                return
            self._end(market, self._own(resting), "EXPIRED_IN_MATCH")

    def _trade(
        self, market: VenueMarket, order: VenueOrder, price: Decimal, quantity: Decimal, liquidity: Liquidity
    ) -> None:
        order.resting.remaining -= quantity
        order.updated = self.now()
        self.cashier.settle(market, order.request, price, quantity)
        fee, fee_currency = self.cashier.charge(market, order.request.side, price, quantity, liquidity)
        trade = OwnTrade(
            trade_id=next(self._trade_ids),
            order_id=order.order_id,
            market_id=market.market_id,
            side=order.request.side,
            price=price,
            quantity=quantity,
            fee=fee,
            fee_currency=fee_currency,
            liquidity=liquidity,
            time=order.updated,
        )
        order.trades.append(trade)
        self.own_trades.append(trade)
        self._log_trade(market, order, trade)
        is_taker = liquidity is Liquidity.TAKER
        taker_side = order.request.side if is_taker else order.request.side.opposite
        self._print(market, trade.trade_id, price, quantity, taker_side)
        order.status = "PARTIALLY_FILLED" if order.remaining else "FILLED"
        if not order.remaining:
            self._close(market, order)
        self._report(order, "TRADE", trade=trade)

    # -- ends and news ----------------------------------------------------------------------------------------------

    def _end(self, market: VenueMarket, order: VenueOrder, status: str, *, cancel_id: str = "") -> None:
        """Take out what is left of an order, and give back what it held."""
        self.cashier.release(market, order.request, order.remaining)
        order.status, order.updated = status, self.now()
        self._close(market, order)
        execution = "TRADE_PREVENTION" if status == "EXPIRED_IN_MATCH" else status
        self._report(order, execution, cancel_id=cancel_id)

    def _close(self, market: VenueMarket, order: VenueOrder) -> None:
        market.orders.close(order.resting, ENDINGS[order.status], order.updated)
        del self._open_ids[order.client_order_id]
        self.log.write(
            OrderEnded(
                time=self.log.now(),
                order_id=order.order_id,
                client_order_id=order.client_order_id,
                symbol=market.instrument.symbol,
                status=order.status,
            )
        )

    def _log_trade(self, market: VenueMarket, order: VenueOrder, trade: OwnTrade) -> None:
        self.log.write(
            OrderTraded(
                time=self.log.now(),
                trade_id=trade.trade_id,
                order_id=order.order_id,
                client_order_id=order.client_order_id,
                symbol=market.instrument.symbol,
                side=trade.side,
                price=trade.price,
                quantity=trade.quantity,
                fee=trade.fee,
                fee_currency=trade.fee_currency,
                liquidity=trade.liquidity,
            )
        )

    def _report(self, order: VenueOrder, execution: str, *, trade: OwnTrade | None = None, cancel_id: str = "") -> None:
        if self.listeners.user is None:
            return
        market, now = self.markets[order.request.symbol], self.now()
        symbol = market.instrument.symbol
        shows_fees = trade is None or self.shows_fees(symbol)
        report = execution_report(order, execution, now, trade=trade, cancel_id=cancel_id, shows_fees=shows_fees)
        self.listeners.user(Where.ORDERS, symbol, report)
        currencies = [market.instrument.base_currency, market.instrument.quote_currency]
        if trade is not None and trade.fee_currency not in currencies:
            currencies.append(trade.fee_currency)
        self.listeners.user(Where.BALANCES, symbol, account_position(self.wallet, currencies, now))

    def _print(self, market: VenueMarket, trade_id: int, price: Decimal, quantity: Decimal, taker: Side) -> None:
        trade = PublicTrade(trade_id=trade_id, price=price, quantity=quantity, taker_side=taker, time=self.now())
        market.trades.append(trade)
        if self.listeners.trade is not None:
            self.listeners.trade(market, trade)

    def _changed(self, market: VenueMarket) -> None:
        market.refresh()
        if self.listeners.book is not None:
            self.listeners.book(market)


def _may_rest(request: OrderRequest) -> bool:
    return request.type is not OrderType.MARKET and request.in_force is InForce.GTC


def _limit(request: OrderRequest) -> Decimal:
    return ANY_PRICE[request.side] if request.price is None else request.price
