"""The paper exchange itself: what arrives, what it does, and what is sent back.

Everything happens in event time, in integer nanoseconds, and is the same in every run:

- A request submitted at ``now`` arrives one order latency later and acts then; its answer is received one response
  latency after that. Market events are received one market data latency after their time. Each of these
  three ways is first in, first out.
- Facts come out of ``advance`` in the order of ``received_at``; of equal times the one that was sent first.
- Requests that arrived strictly before a market event act before it; the market event acts before a request that
  arrives at its very time. So no order ever trades by the event that caused it, whatever the latency. The host keeps
  its part: before an event of time t it calls ``advance`` for every ``next_time`` earlier than t, and it calls
  ``on_market`` for every event of time t before ``advance`` to t. The time of an event is its ``received_at``: exchange
  times of a feed go back and forth.
- An order takes displayed liquidity only from a snapshot older than its arrival. One that crosses and arrives at the
  very time of the snapshot, as with no latency, is acknowledged and waits for the next; then it takes, and what is
  left rests or expires.
- While the market is halted placements are refused, cancels and queries work, and nothing trades.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
    getcontext,
    localcontext,
    setcontext,
)
from random import Random
from typing import Final

from attrs import evolve

from mm_fsm.books.facts import (
    BalancesReported,
    CancelRefused,
    MarketBook,
    MarketTrade,
    OpenOrdersReported,
    OrderAcknowledged,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderNotFound,
    OrderRejected,
    OrderStatusReported,
    OwnTradesReported,
    QueryFailed,
)
from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.instrument import Balances, Fees, Instrument
from mm_fsm.core.messages import (
    CancelOrder,
    Fact,
    Intent,
    Liquidity,
    PlaceOrder,
    QueryBalances,
    QueryOpenOrders,
    QueryOrder,
    QueryOwnTrades,
    ReportedOrder,
    ReportedStatus,
    answering,
)
from mm_fsm.venues.base import MarketEvent, refuse_unless_next
from mm_fsm.venues.paper.accounts import open_account
from mm_fsm.venues.paper.deliveries import Connection, Deliveries, as_received
from mm_fsm.venues.paper.displayed import DisplayedBook
from mm_fsm.venues.paper.matching import Execution, Matcher
from mm_fsm.venues.paper.orders import OpenOrder, PaperOrder, PaperOrders
from mm_fsm.venues.paper.placement import Desk, Refusal
from mm_fsm.venues.paper.settings import PaperSettings

_CONTEXT: Final = Context(prec=60, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, Overflow])
"""Wide enough that no sum or product on the grid is rounded, whatever the host program's context is."""


class PaperExchange:
    """A simulated venue for one instrument and one account, in event time. See the module for its rules.

    Fees are charged in quote currency, a rebate is negative. A spot venue knows no positions, so it ignores
    ``reduce_only``; for a contract it refers to the venue's own position, and an order that could no longer only
    reduce it expires.

    Args:
        instrument: the market's rules, applied to every order.
        fees: what it charges.
        balances: what the account starts with.
        settings: latencies, queue assumption, memory.

    Raises:
        SettingsError: a spot account would start short.
    """

    def __init__(
        self, instrument: Instrument, fees: Fees, balances: Balances, settings: PaperSettings | None = None
    ) -> None:
        settings = settings or PaperSettings()
        self.instrument: Final = instrument
        self._history = nanoseconds(settings.history_seconds)
        random = Random(settings.seed)  # noqa: S311 - simulates, keeps no secret
        jitter = nanoseconds(settings.latency_jitter_seconds)
        self._requests_in = Connection(nanoseconds(settings.order_latency_seconds), jitter, random)
        self._answers_out = Connection(nanoseconds(settings.response_latency_seconds), jitter, random)
        self._market_out = Connection(nanoseconds(settings.market_data_latency_seconds), jitter, random)
        self._requests: deque[tuple[int, Intent]] = deque()
        self._deliveries = Deliveries()
        self._displayed = DisplayedBook()
        self._orders = PaperOrders(self._history)
        self._account = open_account(instrument, fees, balances)
        self._matcher = Matcher(self._orders, self._displayed, settings.queue, instrument.lot_size)
        self._desk = Desk(instrument, self._account, self._orders, self._matcher)
        self._own_trades: deque[OrderFilled] = deque()
        self._trades_known_from = 0
        self._is_trading = True
        self._now = 0
        self._arithmetic = _CONTEXT.copy()
        self._order_count = 0
        self._trade_count = 0

    # -- the venue's port -------------------------------------------------------------------------------------------

    def submit(self, intent: Intent, now: int) -> None:
        """Take an intent that left the machine at ``now``; it acts after the order latency."""
        self._requests.append((self._requests_in.arrival(max(now, self._now)), intent))

    def on_market(self, event: MarketEvent) -> None:
        """The market moved: act on requests that arrived before, match, and send the event to the host.

        It happens at its ``received_at``; ``exchange_time`` is passed on as it is.

        Raises:
            FactRefusedError: the event is of another symbol or earlier than the exchange's time; nothing changed.
        """
        time = event.received_at
        refuse_unless_next(event, time, self.instrument.symbol, self._now)
        arithmetic_of_host = getcontext()
        setcontext(self._arithmetic)  # ``localcontext`` would copy it for every event
        try:
            while self._requests and self._requests[0][0] < time:
                self._act_on_next_request()
            self._now = time
            if isinstance(event, MarketBook):
                self._show(event)
            elif isinstance(event, MarketTrade):
                self._print(event)
            else:
                self._is_trading = event.trading
        finally:
            setcontext(arithmetic_of_host)
        self._deliveries.send(as_received(event, self._market_out.arrival(time)))

    def next_time(self) -> int | None:
        """When the next request arrives or the next fact is received, nanoseconds; None when nothing is on its way."""
        received = self._deliveries.next_time
        if not self._requests:
            return received
        arrives = self._requests[0][0]
        return arrives if received is None or arrives < received else received

    def advance(self, now: int) -> tuple[Fact, ...]:
        """Act on every request that arrives at or before ``now`` and return the facts received by then, in order."""
        if self._requests and self._requests[0][0] <= now:
            with localcontext(_CONTEXT):
                while self._requests and self._requests[0][0] <= now:
                    self._act_on_next_request()
        self._now = max(self._now, now)
        return self._deliveries.receive(now)

    # -- looking inside ---------------------------------------------------------------------------------------------

    @property
    def open_orders(self) -> tuple[OpenOrder, ...]:
        """Orders in the book as the exchange knows them now, in the order in which they arrived."""
        return tuple(order.seen for order in self._orders.open)

    @property
    def balances(self) -> BalancesReported:
        """The account as the exchange knows it now. For a contract: position, and margin balance at the last mid."""
        with localcontext(_CONTEXT):
            orders, mid = self._orders.open, self._displayed.mid
            return BalancesReported(
                received_at=self._now,
                symbol=self.instrument.symbol,
                base_total=self._account.base_total,
                base_free=self._account.base_free(orders),
                quote_total=self._account.quote_total(mid),
                quote_free=self._account.quote_free(orders, mid),
            )

    def account_value(self, mid: Decimal) -> Decimal:
        """What the account is worth with base at ``mid`` (quote per base), quote currency."""
        return self._account.value(mid)

    # -- the market -------------------------------------------------------------------------------------------------

    def _show(self, book: MarketBook) -> None:
        self._displayed.show(book)
        if self._displayed.mid is not None:
            self._account.note_mid(self._displayed.mid)
        orders = self._orders.open
        if not orders or not self._is_trading:
            return
        for order in orders:
            if order.is_taking and order.is_open and order.arrived_at < self._now:
                self._take(order)
        self._book(self._matcher.against_book())
        self._matcher.update_queues()

    def _print(self, trade: MarketTrade) -> None:
        if self._is_trading and self._orders.open:
            self._book(self._matcher.against_trade(trade))
        self._displayed.note_trade(trade)

    # -- requests ---------------------------------------------------------------------------------------------------

    def _act_on_next_request(self) -> None:
        self._now, intent = self._requests.popleft()
        match intent:
            case PlaceOrder():
                self._place(intent)
            case CancelOrder():
                self._cancel(intent)
            case QueryOrder() | QueryOwnTrades() | QueryBalances() | QueryOpenOrders():
                self._deliveries.send(answering(intent, self._answer(intent)))
            case _:
                raise TypeError(f"intent: expected one of mm_fsm.core.messages, found {type(intent).__name__}.")

    def _place(self, intent: PlaceOrder) -> None:
        order = PaperOrder.arriving(intent, f"{self.instrument.symbol}-order-{self._order_count + 1}", self._now)
        refusal = self._desk.refusal(intent, order, is_trading=self._is_trading)
        if refusal is not None:
            self._reject(intent, refusal)
            return
        self._order_count += 1
        self._orders.add(order)
        self._deliveries.send(
            OrderAcknowledged(
                received_at=self._answer_time(),
                symbol=intent.symbol,
                client_order_id=order.client_order_id,
                venue_order_id=order.venue_order_id,
                exchange_time=self._now,
            )
        )
        if not self._matcher.crosses(order.side, order.price):
            self._rest(order)
        elif self._displayed.shown_at == self._now:
            order.is_taking = True
        else:
            self._take(order)

    def _reject(self, intent: PlaceOrder, refusal: Refusal) -> None:
        self._deliveries.send(
            OrderRejected(
                received_at=self._answer_time(),
                symbol=intent.symbol,
                client_order_id=intent.client_order_id,
                code=refusal.code,
                reason=refusal.reason,
            )
        )

    def _cancel(self, intent: CancelOrder) -> None:
        order = self._orders.find_open(intent.client_order_id)
        if order is None or intent.symbol != self.instrument.symbol:
            known = self._orders.find(intent.client_order_id)
            reason = "no such order" if known is None else f"the order is {known.status}"
            self._deliveries.send(
                CancelRefused(
                    received_at=self._answer_time(),
                    symbol=intent.symbol,
                    client_order_id=intent.client_order_id,
                    reason=reason,
                )
            )
            return
        self._orders.close(order, ReportedStatus.CANCELED, self._now)
        self._deliveries.send(
            OrderCanceled(
                received_at=self._answer_time(),
                symbol=intent.symbol,
                client_order_id=order.client_order_id,
                exchange_time=self._now,
                filled_quantity=order.filled,
            )
        )

    def _answer(self, question: Intent) -> Fact:
        """The answer, as of the question's arrival."""
        if isinstance(question, QueryOrder):
            return self._look_up(question)
        if question.symbol != self.instrument.symbol:
            reason = f"unknown symbol; this exchange trades {self.instrument.symbol}"
            return QueryFailed(
                received_at=self._answer_time(),
                symbol=question.symbol,
                request=question.request_kind,
                reason=reason,
            )
        if isinstance(question, QueryOwnTrades):
            return self._own_trades_since(question)
        if isinstance(question, QueryBalances):
            return evolve(self.balances, received_at=self._answer_time())
        return OpenOrdersReported(
            received_at=self._answer_time(),
            symbol=question.symbol,
            orders=tuple(map(_reported, self._orders.open)),
            exchange_time=self._now,
        )

    def _look_up(self, intent: QueryOrder) -> Fact:
        order = self._orders.find(intent.client_order_id) if intent.symbol == self.instrument.symbol else None
        received_at = self._answer_time()
        if order is None:
            return OrderNotFound(
                received_at=received_at,
                symbol=intent.symbol,
                client_order_id=intent.client_order_id,
                exchange_time=self._now,
            )
        return OrderStatusReported(
            received_at=received_at,
            symbol=intent.symbol,
            client_order_id=intent.client_order_id,
            status=order.status,
            filled_quantity=order.filled,
            exchange_time=self._now,
        )

    def _own_trades_since(self, intent: QueryOwnTrades) -> Fact:
        received_at = self._answer_time()
        self._forget_old_trades()
        since = max(intent.since, self._trades_known_from)
        fills = (evolve(fill, received_at=received_at) for fill in self._own_trades if fill.exchange_time >= since)
        return OwnTradesReported(
            received_at=received_at, symbol=intent.symbol, fills=tuple(fills), since=since, until=self._now
        )

    # -- trading ----------------------------------------------------------------------------------------------------

    def _rest(self, order: PaperOrder) -> None:
        order.is_taking = False
        if order.is_immediate:
            self._expire(order)
        else:
            self._matcher.join_queue(order)

    def _take(self, order: PaperOrder) -> None:
        self._book(self._matcher.take(order))
        if order.is_open:
            self._rest(order)

    def _book(self, executions: Iterable[Execution]) -> None:
        for order, price, quantity, liquidity in executions:
            order.remaining -= quantity
            fee = self._account.trade(order.side, price, quantity, liquidity)
            if not order.remaining:
                self._orders.close(order, ReportedStatus.FILLED, self._now)
            self._report_fill(order, price, quantity, fee, liquidity)
            self._expire_excess_reductions()

    def _report_fill(
        self, order: PaperOrder, price: Decimal, quantity: Decimal, fee: Decimal, liquidity: Liquidity
    ) -> None:
        self._trade_count += 1
        fill = OrderFilled(
            received_at=self._answer_time(),
            symbol=self.instrument.symbol,
            client_order_id=order.client_order_id,
            trade_id=f"{self.instrument.symbol}-trade-{self._trade_count}",
            price=price,
            quantity=quantity,
            fee=fee,
            fee_currency=self.instrument.quote_currency,
            liquidity=liquidity,
            exchange_time=self._now,
            side=order.side,
        )
        self._own_trades.append(fill)
        self._forget_old_trades()
        self._deliveries.send(fill)

    def _expire_excess_reductions(self) -> None:
        """Expire reduce-only orders beyond the position, the latest first."""
        for order in reversed(self._orders.open):
            if order.is_reduce_only and self._desk.exceeds_position(order.side, self._orders.reducible(order.side)):
                self._expire(order)

    def _expire(self, order: PaperOrder) -> None:
        self._orders.close(order, ReportedStatus.EXPIRED, self._now)
        self._deliveries.send(
            OrderExpired(
                received_at=self._answer_time(),
                symbol=self.instrument.symbol,
                client_order_id=order.client_order_id,
                exchange_time=self._now,
                filled_quantity=order.filled,
            )
        )

    def _forget_old_trades(self) -> None:
        horizon = self._now - self._history
        while self._own_trades and self._own_trades[0].exchange_time < horizon:
            self._own_trades.popleft()
            self._trades_known_from = horizon

    # -- answers ----------------------------------------------------------------------------------------------------

    def _answer_time(self) -> int:
        return self._answers_out.arrival(self._now)


def _reported(order: PaperOrder) -> ReportedOrder:
    return ReportedOrder(
        client_order_id=order.client_order_id,
        venue_order_id=order.venue_order_id,
        side=order.side,
        price=order.price,
        quantity=order.quantity,
        filled_quantity=order.filled,
    )
