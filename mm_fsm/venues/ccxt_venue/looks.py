"""Answers questions by looking: at one order, at open orders, at own trades, at balances. Nothing is ever guessed.

Every answer bears the exchange's time at which the question was asked, from below. Questions that are asked together
are answered by one request: one look at a market for all its orders, one at the account for all its markets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any, Final, Generic, TypeVar

from attrs import define, field, frozen

from mm_fsm.books.facts import (
    BalancesReported,
    OpenOrdersReported,
    OrderNotFound,
    OrderStatusReported,
    OwnTradesReported,
    QueryFailed,
)
from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.messages import (
    Fact,
    Intent,
    QueryOpenOrders,
    QueryOrder,
    QueryOwnTrades,
    ReportedOrder,
    ReportedStatus,
    answering,
)
from mm_fsm.venues.ccxt_venue.account import FINDS_BY_CLIENT_ID, Account
from mm_fsm.venues.ccxt_venue.amounts import amount, entry
from mm_fsm.venues.ccxt_venue.live_market import LiveMarket
from mm_fsm.venues.ccxt_venue.open_order_lists import GATHER_SECONDS, OpenOrderLists
from mm_fsm.venues.ccxt_venue.outcomes import Outcome
from mm_fsm.venues.ccxt_venue.own_orders import FOREIGN, SentOrder, fits
from mm_fsm.venues.ccxt_venue.own_trade_lists import ALL, OwnTradeLists, UnansweredError
from mm_fsm.venues.ccxt_venue.payloads import SeenOrder, SeenTrade, is_wholly_read, read_order, read_orders

_LOOK_BACK: Final = nanoseconds(3600)
"""How far back own trades are listed where an order is looked for."""
_VISIBLE_AFTER: Final = nanoseconds(30)
"""An order younger than this may be missing from lists although it is open."""

_Value = TypeVar("_Value")


@define(eq=False)
class Shared(Generic[_Value]):
    """One request for everybody who asks before it leaves."""

    ask: Callable[[], Awaitable[_Value]]
    _waiting: asyncio.Task[_Value] | None = field(default=None, init=False)

    async def get(self) -> _Value:
        """The answer to a request that left after this call."""
        if self._waiting is None:
            self._waiting = asyncio.get_running_loop().create_task(self._gathered())
        return await asyncio.shield(self._waiting)

    async def _gathered(self) -> _Value:
        await asyncio.sleep(GATHER_SECONDS)
        self._waiting = None  # who asks from now on wants a later answer
        return await self.ask()


@frozen(kw_only=True)
class Snapshot:
    """Open orders and own trades of a market, asked for at one time."""

    asked: int
    """Venue time, from below."""
    orders: list[SeenOrder]
    may_lack_orders: bool
    """Whether what is missing from the orders may be open all the same: they are a full list."""
    trades: list[SeenTrade]


@define(eq=False)
class Looks:
    """Questions of one account."""

    account: Account
    on_missed: Callable[[str], None]
    """Called when a trade is found that the stream should have brought and has not."""
    stream_since: Callable[[], int | None]
    """Venue time since when the stream of own trades is up; None while it is not."""
    _snapshots: dict[str, Shared[Snapshot]] = field(factory=dict, init=False)
    _balances: Shared[Any] = field(init=False)
    _open_order_lists: OpenOrderLists = field(init=False)
    _trade_lists: OwnTradeLists = field(init=False)
    _snapshot_lists: OwnTradeLists = field(init=False)
    """Its own: a look for a snapshot goes on where the last one ended, whatever else is looked up meanwhile."""

    def __attrs_post_init__(self) -> None:
        self._balances = Shared(self._ask_balances)
        self._open_order_lists = OpenOrderLists(self.account.exchange)
        self._trade_lists = OwnTradeLists(self.account.exchange)
        self._snapshot_lists = OwnTradeLists(self.account.exchange)
        for market in self.account.markets.values():
            self._snapshots[market.symbol] = Shared(lambda market=market: self._ask_snapshot(market))  # type: ignore[misc]

    async def answer(self, intent: Intent) -> None:
        """Answer one question with one fact."""
        market = self.account.markets[intent.symbol]
        if self.account.suspension_seconds:
            fact = self._failed(intent, "not asked: the exchange takes no request at present")
            market.tell(answering(intent, fact))
            return
        try:
            fact = await self._answer(intent, market)
        except UnansweredError as error:
            fact = self._failed(intent, str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, the question is open still
            self.account.judge(error)
            fact = self._failed(intent, self.account.reason(error))
        market.tell(answering(intent, fact))

    def _failed(self, intent: Intent, reason: str) -> Fact:
        return QueryFailed(
            received_at=self.account.clock.now(),
            symbol=intent.symbol,
            request=intent.request_kind,
            client_order_id=intent.client_order_id if isinstance(intent, QueryOrder) else None,
            reason=reason,
        )

    async def _answer(self, intent: Intent, market: LiveMarket) -> Fact:
        match intent:
            case QueryOrder():
                return await self._order(intent, market)
            case QueryOpenOrders():
                return await self._open_orders(market)
            case QueryOwnTrades():
                return await self._own_trades(intent, market)
            case _:
                return await self._balance(market)

    # -- one order --------------------------------------------------------------------------------------------------

    async def _order(self, intent: QueryOrder, market: LiveMarket) -> Fact:
        orders, asked = self.account.orders, self.account.clock.asked()
        market.known.add(intent.client_order_id)
        order = orders.order(market, intent.client_order_id)
        if order is None:
            raise UnansweredError("no such order")
        if intent.venue_order_id is not None and order.venue_order_id is None:
            orders.remember(market, intent.venue_order_id, intent.client_order_id)
        seen = await self._find(order)
        if seen is not None and seen.status is not None:
            return self._status(order, seen.status, seen.filled, asked)
        snapshot = await self._snapshots[market.symbol].get()
        return await self._from_snapshot(order, snapshot)

    async def _find(self, order: SentOrder) -> SeenOrder | None:
        """Look by id; None when the exchange has no such order, or cannot be asked so."""
        parameters: dict[str, str] = {}
        if order.venue_order_id is None:
            if self.account.name not in FINDS_BY_CLIENT_ID:
                return None
            parameters["clientOrderId"] = self.account.orders.ids.encode(order.client_order_id)
        try:
            answer = await self.account.exchange.fetch_order(order.venue_order_id, order.market.symbol, parameters)
        except Exception as error:
            if self.account.judge(error)[0] is Outcome.NOT_FOUND:
                return None
            raise
        seen = read_order(answer)
        if seen is None:
            raise UnansweredError("the answer has no order id")
        self.account.orders.remember(order.market, seen.venue_order_id, order.client_order_id)
        return seen

    async def _from_snapshot(self, order: SentOrder, snapshot: Snapshot) -> Fact:
        """Look among open orders and own trades; both must agree before an order counts as not there."""
        for seen in snapshot.orders:
            if self.account.orders.client_of(order.market, seen.venue_order_id) == order.client_order_id:
                if seen.has_ended:
                    raise UnansweredError(f"the exchange lists the order as open and as {seen.status}")
                return self._status(order, seen.status or ReportedStatus.OPEN, seen.filled, snapshot.asked)
        await self.account.trades.find_owners(order.market, snapshot.trades, self.account)
        mine = [t for t in snapshot.trades if self._is_of(order, t)]
        filled = sum((trade.quantity for trade in mine), Decimal(0))
        if snapshot.may_lack_orders and filled != order.quantity:
            raise UnansweredError(f"it is not among {len(snapshot.orders)} open orders, and there may be more")
        if not mine:
            if order.is_acknowledged and order.sent_at:
                raise UnansweredError("the exchange took the order and shows it nowhere")
            return OrderNotFound(
                received_at=self.account.clock.now(),
                symbol=order.market.symbol,
                client_order_id=order.client_order_id,
                exchange_time=snapshot.asked,
            )
        if filled == order.quantity:
            return self._status(order, ReportedStatus.FILLED, filled, snapshot.asked)
        if self.account.clock.now() - order.sent_at < _VISIBLE_AFTER:
            raise UnansweredError("it traded, and the exchange does not show it yet")
        return self._status(order, ReportedStatus.CANCELED, filled, snapshot.asked)

    def _is_of(self, order: SentOrder, trade: SeenTrade) -> bool:
        owner = self.account.orders.client_of(order.market, trade.venue_order_id)
        if owner is None and fits(order, trade):
            raise UnansweredError(f"the exchange does not say whose order {trade.venue_order_id} is, which traded")
        return owner == order.client_order_id

    def _status(self, order: SentOrder, status: ReportedStatus, filled: Decimal | None, asked: int) -> Fact:
        order.is_acknowledged = True
        order.has_ended = status not in {ReportedStatus.OPEN, ReportedStatus.PARTIALLY_FILLED}
        return OrderStatusReported(
            received_at=self.account.clock.now(),
            symbol=order.market.symbol,
            client_order_id=order.client_order_id,
            status=status,
            filled_quantity=filled,
            exchange_time=asked,
        )

    async def _ask_snapshot(self, market: LiveMarket) -> Snapshot:
        asked = self.account.clock.asked()
        orders, may_lack = await self._list_open_orders(market)
        since = max(asked - _LOOK_BACK, 0)
        trades, covered = await self._snapshot_lists.since(market.symbol, since, self.account.clock.latest)
        if covered != ALL:
            raise UnansweredError("more own trades in an hour than questions for them are asked")
        return Snapshot(asked=asked, orders=orders, may_lack_orders=may_lack, trades=trades)

    # -- open orders ------------------------------------------------------------------------------------------------

    async def _open_orders(self, market: LiveMarket) -> Fact:
        asked = self.account.clock.asked()
        reported = []
        orders, may_lack = await self._list_open_orders(market)
        if may_lack:
            raise UnansweredError(f"the exchange lists {len(orders)} open orders, and there may be more")
        for seen in orders:
            owner = self.account.orders.client_of(market, seen.venue_order_id) or FOREIGN
            order = self._reported(seen, owner)
            if order is not None:
                reported.append(order)
            elif owner != FOREIGN:
                raise UnansweredError(f"the exchange does not say everything of {owner!r}")
        return OpenOrdersReported(
            received_at=self.account.clock.now(), symbol=market.symbol, orders=tuple(reported), exchange_time=asked
        )

    async def _list_open_orders(self, market: LiveMarket) -> tuple[list[SeenOrder], bool]:
        """A market's open orders, and whether there may be more."""
        answer = await self._open_order_lists.of(market.symbol)
        found = read_orders(answer)
        if not is_wholly_read(answer, found):
            raise UnansweredError("an open order without an id")
        for seen in found:
            owner = self.account.orders.learn(market, seen)
            if owner != FOREIGN:
                market.known.add(owner)  # one that the machine does not know it takes over
        return found, self._open_order_lists.may_go_on(answer)

    def _reported(self, seen: SeenOrder, owner: str) -> ReportedOrder | None:
        if seen.side is None or seen.price is None or seen.quantity is None or seen.filled is None:
            return None
        return ReportedOrder(
            client_order_id=owner,
            venue_order_id=seen.venue_order_id,
            side=seen.side,
            price=seen.price,
            quantity=seen.quantity,
            filled_quantity=seen.filled,
        )

    # -- own trades -------------------------------------------------------------------------------------------------

    async def _own_trades(self, intent: QueryOwnTrades, market: LiveMarket) -> Fact:
        until = self.account.clock.latest
        trades, covered = await self._trade_lists.since(market.symbol, intent.since, until)
        await self.account.trades.find_owners(market, trades, self.account)
        fills = self.account.trades.fills(market, trades)
        if fills is None:
            raise UnansweredError("the exchange does not say whose order it was that a trade is of")
        self._look_for_missed(market, trades, until)
        return OwnTradesReported(
            received_at=self.account.clock.now(),
            symbol=market.symbol,
            fills=fills,
            since=intent.since,
            until=max(min(until, covered), intent.since),
        )

    def _look_for_missed(self, market: LiveMarket, trades: list[SeenTrade], asked: int) -> None:
        """A trade that is older than two seconds and that the stream has not brought: the stream is dead."""
        since = self.stream_since()
        if since is None:
            return
        for trade in trades:
            is_due = since < trade.exchange_time < asked - nanoseconds(2)
            owner = self.account.orders.client_of(market, trade.venue_order_id)
            if is_due and owner in market.known and not self.account.trades.is_told(market, trade):
                self.on_missed(f"own trade {trade.trade_id} of {market.symbol} was found by asking only")
                return

    # -- balances ---------------------------------------------------------------------------------------------------

    async def _balance(self, market: LiveMarket) -> Fact:
        """The whole account's totals, whatever other markets hold of them."""
        balance = await self._balances.get()
        base, quote = market.instrument.base_currency, market.instrument.quote_currency
        return BalancesReported(
            received_at=self.account.clock.now(),
            symbol=market.symbol,
            base_total=held(balance, base, "total"),
            base_free=held(balance, base, "free"),
            quote_total=held(balance, quote, "total"),
            quote_free=held(balance, quote, "free"),
        )

    async def _ask_balances(self) -> Any:
        return await self.account.exchange.fetch_balance()


def held(balance: Any, currency: str, part: str) -> Decimal:
    """How much of a currency the account has. A currency that a whole list leaves out is none; null is not known.

    Raises:
        UnansweredError: it is not known.
    """
    amounts = entry(balance, part)
    if not isinstance(amounts, dict) or (currency in amounts and amount(amounts[currency]) is None):
        raise UnansweredError(f"the {part} balance of {currency} is not known")
    return amount(amounts.get(currency, 0)) or Decimal(0)
