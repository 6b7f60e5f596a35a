"""A bench for one market maker: it speaks for the venue and the clock, honestly unless told otherwise.

Every intent goes to ``outbox`` until it is answered. Orders at the venue are kept as they really are, so that a query
can be answered truthfully whatever the machine was told before. Every step is checked by ``Watch``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from attrs import define, evolve, field

from mm_fsm.books.facts import (
    BalancesReported,
    CancelRefused,
    ExternalFlow,
    Heartbeat,
    MarketBook,
    OpenOrdersReported,
    OrderAcknowledged,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderNotFound,
    OrderRejected,
    OrderStatusReported,
    OutcomeUnknown,
    OwnTradesReported,
    StopRequested,
    Timer,
)
from mm_fsm.books.orders import OwnOrder
from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.instrument import Balances, Fees, Instrument, InstrumentKind
from mm_fsm.core.messages import (
    BookLevel,
    CancelOrder,
    Fact,
    Intent,
    Liquidity,
    OrderPurpose,
    PlaceOrder,
    QueryBalances,
    QueryOpenOrders,
    QueryOrder,
    QueryOwnTrades,
    RejectionCode,
    ReportedOrder,
    ReportedStatus,
    RequestKind,
    Side,
    TimeInForce,
    answering,
)
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.errors import FactRefusedError
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.results import StepResult
from mm_fsm.services.protocols import Services
from tests.machine.invariants import Watch
from tests.strategies import ANY_BOOK_IS_SOUND, SYMBOL

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
NONE = Decimal(0)

SPOT = Instrument(
    symbol=SYMBOL,
    base_currency="BTC",
    quote_currency="USD",
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.001"),
    minimum_quantity=Decimal("0.01"),
    minimum_notional=Decimal(5),
)
CONTRACT = evolve(SPOT, kind=InstrumentKind.LINEAR)
FEES = Fees(maker_bps=Decimal(1), taker_bps=Decimal(5))
RICH = Balances(base=Decimal(100), quote=Decimal(10_000))


def settings_with(**changes: Any) -> MarketMakingSettings:
    """Default settings, warm after three seconds, with one level a side."""
    values: dict[str, Any] = {
        "symbol": SYMBOL,
        "num_price_levels": 1,
        "volatility_sample_seconds": 1.0,
        "warm_up_samples": 2,
        **ANY_BOOK_IS_SOUND,
    }
    return MarketMakingSettings(**(values | changes))


@define
class VenueOrder:
    """One order as it really stands at the venue."""

    intent: PlaceOrder
    is_known: bool = False
    """Whether the placement reached the venue."""
    is_open: bool = False
    filled: Decimal = NONE
    trades: list[OrderFilled] = field(factory=list)

    @property
    def remaining(self) -> Decimal:
        """Contracts that have not traded."""
        return self.intent.quantity - self.filled

    @property
    def status(self) -> ReportedStatus:
        """What an honest venue answers."""
        if not self.remaining:
            return ReportedStatus.FILLED
        if not self.is_open:
            return ReportedStatus.CANCELED
        return ReportedStatus.PARTIALLY_FILLED if self.filled else ReportedStatus.OPEN


class Bench:
    """One machine under test, its venue and its time."""

    def __init__(
        self,
        settings: MarketMakingSettings | None = None,
        *,
        instrument: Instrument = SPOT,
        fees: Fees = FEES,
        balances: Balances = RICH,
        services: Services | None = None,
        machine: type[MarketMakingStateMachine] = MarketMakingStateMachine,
        is_watched: bool = True,
    ) -> None:
        self.machine = machine(settings or settings_with(), instrument, fees, balances, services, run_id="run")
        self.watch = Watch(self.machine) if is_watched else None
        self.now = START
        self.results: list[StepResult] = []
        self.outbox: deque[Intent] = deque()
        self.orders: dict[str, VenueOrder] = {}
        self.best = {Side.BID: Decimal("99.99"), Side.ASK: Decimal("100.01")}
        self.fills_reducing_orders = True
        """Whether a resting order that reduces the position trades at once."""
        self.start = balances
        self.deposits = {"base": NONE, "quote": NONE}
        """What came from outside: flows and funding."""
        self._trades = 0

    # -- looking ----------------------------------------------------------------------------------------------------

    @property
    def context(self) -> Any:
        """The machine's context."""
        return self.machine.context

    @property
    def state(self) -> str:
        """The machine's state."""
        return self.machine.chart_state

    @property
    def last(self) -> StepResult:
        """The result of the last step."""
        return self.results[-1]

    def own(self, order_id: str) -> OwnOrder:
        """What the machine knows of an order."""
        order = self.machine.context.orders.get(order_id)
        assert order is not None
        return order

    def live(self, side: Side | None = None) -> list[str]:
        """Ids of the orders that the machine takes for live."""
        return [order.client_order_id for order in self.machine.context.orders.live(side)]

    def taken(self, since: int = 0) -> list[tuple[str, str]]:
        """Source and event of every transition from result ``since`` on."""
        return [(t.source, t.event) for result in self.results[since:] for t in result.transitions]

    def sent(self, kind: type[Intent], since: int = 0) -> list[Any]:
        """Every intent of one kind from result ``since`` on."""
        return [intent for result in self.results[since:] for intent in result.intents if isinstance(intent, kind)]

    def hold(self, side: Side) -> str | None:
        """Why a side is held, None when it is live."""
        status = self.machine.context.sides[side].status
        return None if status is None else status.reason.value

    # -- telling ----------------------------------------------------------------------------------------------------

    def tell(self, fact: Fact) -> StepResult:
        """One step, checked; its intents go to the outbox."""
        try:
            result = self.machine.step(fact)
        except KeyboardInterrupt:  # the fact was booked before it
            if self.watch is not None:
                self.watch.note_interrupted(fact)
            raise
        self.now = max(self.now, fact.received_at)
        if self.watch is not None:
            self.watch.check(fact, result)
        self.results.append(result)
        self.outbox.extend(result.intents)
        for intent in result.intents:
            if isinstance(intent, PlaceOrder):
                self.orders[intent.client_order_id] = VenueOrder(intent)
        return result

    def refuses(self, fact: Fact) -> FactRefusedError | None:
        """Tell a fact that may be refused; a refusal must have changed nothing. The refusal, if it was one."""
        before = self.fingerprint()
        try:
            self.tell(fact)
        except FactRefusedError as error:
            assert self.fingerprint() == before, f"{fact} was refused, and something changed"
            return error
        return None

    def fingerprint(self) -> tuple[object, ...]:
        """Everything of the machine that a refused fact or an illegal event may not change."""
        machine = self.machine
        context = machine.context
        return (
            context.digest(),
            repr(context),
            machine.chart_state,
            machine.sequence,
            dict(machine.transition_counts),
            dict(machine.stepper.visits.state_durations),
            tuple(machine.desk._draft.intents),
            tuple(machine.desk._draft.faults),
            tuple(machine.desk._draft.reasons),
        )

    def later(self, seconds: float) -> int:
        """Let time pass without telling anybody."""
        self.now += nanoseconds(seconds)
        return self.now

    def wait(self, seconds: float) -> None:
        """Let time pass; the machine is woken when it asked for it, and once at the end."""
        end = self.now + nanoseconds(seconds)
        while self.results and self.last.wake_at is not None and self.last.wake_at <= end:
            self.now = self.last.wake_at
            self.tell(Timer(received_at=self.now))
        self.now = end
        self.tell(Timer(received_at=end))

    def wake(self) -> StepResult:
        """Send the timer that the last step asked for."""
        assert self.last.wake_at is not None
        self.now = self.last.wake_at
        return self.tell(Timer(received_at=self.now))

    # -- the market -------------------------------------------------------------------------------------------------

    def book_fact(self, bid: str | Decimal | None = "", ask: str | Decimal | None = "", **changes: Any) -> MarketBook:
        """A book now; an empty text keeps a best price, None empties the side."""
        sides = []
        for side, price in ((Side.BID, bid), (Side.ASK, ask)):
            if price is None:
                sides.append(())
                continue
            self.best[side] = Decimal(price) if price else self.best[side]
            best = self.best[side]
            tick = self.machine.context.instrument.tick_size
            levels = [BookLevel(best - side.sign * tick * i, Decimal(5)) for i in range(2)]
            sides.append(tuple(level for level in levels if level.price > 0))
        fact = MarketBook(
            received_at=self.now,
            symbol=SYMBOL,
            bids=sides[0],
            asks=sides[1],
            exchange_time=self.now,
            includes_own_orders=False,
        )
        return evolve(fact, **changes)

    def book(self, bid: str | Decimal | None = "", ask: str | Decimal | None = "", **changes: Any) -> StepResult:
        """Show a book."""
        return self.tell(self.book_fact(bid, ask, **changes))

    def beat(self) -> StepResult:
        """The feed's heartbeat."""
        return self.tell(Heartbeat(received_at=self.now, symbol=SYMBOL))

    # -- facts about orders -----------------------------------------------------------------------------------------

    def about(self, kind: Callable[..., Any], order_id: str, **fields: Any) -> Any:
        """A fact about one order, now."""
        if kind is OrderNotFound:
            fields = {"question_id": self.question_about(order_id)} | fields
        return kind(received_at=self.now, symbol=SYMBOL, client_order_id=order_id, **fields)

    def question_about(self, order_id: str) -> str | None:
        """Id of the last question about an order; None before there was one."""
        asked = [query.question_id for query in self.sent(QueryOrder) if query.client_order_id == order_id]
        return asked[-1] if asked else None

    def acknowledge(self, order_id: str) -> StepResult:
        """The venue took the order."""
        order = self.orders[order_id]
        order.is_known, order.is_open = True, order.remaining > 0
        return self.tell(
            self.about(OrderAcknowledged, order_id, venue_order_id=f"venue-{order_id}", exchange_time=self.now)
        )

    def trade(self, order_id: str, quantity: str | Decimal | None = None, **changes: Any) -> OrderFilled:
        """Let an order trade at the venue, all of it by default; the machine is not told."""
        order = self.orders[order_id]
        amount = order.remaining if quantity is None else Decimal(quantity)
        self._trades += 1
        fill: OrderFilled = self.about(
            OrderFilled,
            order_id,
            trade_id=f"trade-{self._trades}",
            price=order.intent.price,
            quantity=amount,
            fee=Decimal("0.01"),
            fee_currency="USD",
            liquidity=Liquidity.MAKER if order.intent.post_only else Liquidity.TAKER,
            exchange_time=self.now,
            side=order.intent.side,
        )
        fill = evolve(fill, **changes)
        order.is_known = True
        order.filled += amount
        order.is_open = order.remaining > 0
        order.trades.append(fill)
        return fill

    def fill(self, order_id: str, quantity: str | Decimal | None = None, **changes: Any) -> StepResult:
        """Let an order trade and tell the machine."""
        return self.tell(self.trade(order_id, quantity, **changes))

    def reject(self, order_id: str, code: RejectionCode = RejectionCode.OTHER) -> StepResult:
        """The venue refused the placement."""
        order = self.orders[order_id]
        order.is_known = order.is_open = False
        return self.tell(self.about(OrderRejected, order_id, code=code, reason=code.value))

    def confirm_cancel(self, order_id: str) -> StepResult:
        """The venue took the order out and says how much had traded."""
        order = self.orders[order_id]
        order.is_known, order.is_open = True, False
        return self.tell(self.about(OrderCanceled, order_id, exchange_time=self.now, filled_quantity=order.filled))

    def lose(self, order_id: str, request: RequestKind = RequestKind.PLACE) -> StepResult:
        """No usable answer came to a request."""
        return self.tell(self.about(OutcomeUnknown, order_id, request=request, reason="no answer"))

    def report(self, order_id: str, asked: Intent | None = None) -> StepResult:
        """Answer a query about an order truthfully."""
        order = self.orders[order_id]
        if not order.is_known:
            return self.tell(self._answering(asked, self.about(OrderNotFound, order_id, exchange_time=self.now)))
        fact = self.about(
            OrderStatusReported, order_id, status=order.status, filled_quantity=order.filled, exchange_time=self.now
        )
        return self.tell(self._answering(asked, fact))

    @staticmethod
    def _answering(asked: Intent | None, fact: Fact) -> Fact:
        """The fact as the answer to what was asked; None: it comes unasked."""
        return fact if asked is None else answering(asked, fact)

    def report_trades(self, since: int = 0, asked: Intent | None = None) -> StepResult:
        """Every own trade of the session from ``since`` on."""
        trades = [trade for order in self.orders.values() for trade in order.trades if trade.exchange_time >= since]
        fills = tuple(evolve(trade, received_at=self.now) for trade in trades)
        fact = OwnTradesReported(received_at=self.now, symbol=SYMBOL, fills=fills, since=since, until=self.now)
        return self.tell(self._answering(asked, fact))

    def report_open_orders(self, asked: Intent | None = None) -> StepResult:
        """Every order that really rests at the venue."""
        orders = tuple(
            ReportedOrder(
                client_order_id=name,
                venue_order_id=f"venue-{name}",
                side=order.intent.side,
                price=order.intent.price,
                quantity=order.intent.quantity,
                filled_quantity=order.filled,
            )
            for name, order in self.orders.items()
            if order.is_known and order.is_open
        )
        fact = OpenOrdersReported(received_at=self.now, symbol=SYMBOL, orders=orders, exchange_time=self.now)
        return self.tell(self._answering(asked, fact))

    def report_balances(self, **changes: Any) -> StepResult:
        """The account as it really is; nothing is locked."""
        context = self.machine.context
        trades = [(trade, order.intent.side) for order in self.orders.values() for trade in order.trades]
        size = context.instrument.contract_size
        base = self.start.base + self.deposits["base"]
        cash = self.start.quote + self.deposits["quote"]
        for trade, side in trades:
            bought = trade.quantity * size * side.sign
            base += bought - (trade.fee if trade.fee_currency == context.instrument.base_currency else 0)
            cash -= bought * trade.price + (trade.fee if trade.fee_currency == context.instrument.quote_currency else 0)
        if context.instrument.may_be_short:
            cash += (base - self.start.base) * (self.best[Side.BID] + self.best[Side.ASK]) / 2
        fact = BalancesReported(
            received_at=self.now, symbol=SYMBOL, base_total=base, base_free=base, quote_total=cash, quote_free=cash
        )
        return self.tell(evolve(fact, **changes))

    def deposit(self, base: str, quote: str = "0") -> StepResult:
        """Something comes in from outside, or leaves."""
        self.deposits["base"] += Decimal(base)
        self.deposits["quote"] += Decimal(quote)
        return self.tell(
            ExternalFlow(
                received_at=self.now,
                symbol=SYMBOL,
                base=Decimal(base),
                quote=Decimal(quote),
                flow_id=f"deposit-{len(self.results)}",
            )
        )

    def stop(self, *, flatten: bool = True) -> StepResult:
        """An operator asks for the end."""
        return self.tell(StopRequested(received_at=self.now, flatten=flatten, reason="asked"))

    # -- an honest venue --------------------------------------------------------------------------------------------

    def settle(self, limit: int = 400) -> None:
        """Answer everything in the outbox truthfully, and what that leads to."""
        for _ in range(limit):
            if not self.outbox:
                return
            self.later(0.001)
            self.answer(self.outbox.popleft())
        raise AssertionError("the machine goes on asking")

    def answer(self, intent: Intent) -> None:
        """Answer one intent truthfully."""
        match intent:
            case PlaceOrder():
                self._take(intent)
            case CancelOrder():
                order = self.orders[intent.client_order_id]
                if order.is_open:
                    self.confirm_cancel(intent.client_order_id)
                else:
                    self.tell(self.about(CancelRefused, intent.client_order_id, reason="no such order"))
            case QueryOrder():
                self.report(intent.client_order_id, intent)
            case QueryOwnTrades():
                self.report_trades(intent.since, intent)
            case QueryBalances():
                self.report_balances(question_id=intent.question_id)
            case QueryOpenOrders():
                self.report_open_orders(intent)

    def _take(self, intent: PlaceOrder) -> None:
        order_id = intent.client_order_id
        self.acknowledge(order_id)
        if not self.orders[order_id].is_open:
            return
        if intent.time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL or (
            self.fills_reducing_orders and intent.purpose is not OrderPurpose.QUOTE
        ):
            self.fill(order_id)

    def expire(self, order_id: str) -> StepResult:
        """The venue takes an order out by itself."""
        order = self.orders[order_id]
        order.is_open = False
        return self.tell(self.about(OrderExpired, order_id, exchange_time=self.now, filled_quantity=order.filled))

    def run(self, seconds: float, *, step: float = 1.0) -> None:
        """Let honest time pass: a book every ``step`` seconds, timers when asked for, answers at once."""
        end = self.now + nanoseconds(seconds)
        while self.now < end and not self.machine.is_final:
            self.settle()
            following = min(self.now + nanoseconds(step), end)
            wake_at = self.last.wake_at if self.results else None
            if wake_at is not None and wake_at < following:
                self.now = max(self.now, wake_at)  # since a step was interrupted, it may be past
                self.tell(Timer(received_at=self.now))
            else:
                self.now = following
                self.book()
            self.settle()

    def run_until(self, condition: Callable[[], bool], seconds: float, *, step: float = 1.0) -> float:
        """Honest time until ``condition`` holds, and how many seconds it took; fails after ``seconds``."""
        begun = self.now
        while not condition():
            assert self.now < begun + nanoseconds(seconds), f"still {self.state} after {seconds} s: {self.holds()}"
            self.run(step, step=step)
            if self.machine.is_final:
                break
        assert condition(), f"ended as {self.state}"
        return (self.now - begun) / SECOND

    def holds(self) -> dict[str, str | None]:
        """Why each side is held."""
        return {side.value: self.hold(side) for side in Side}

    def start_quoting(self) -> Bench:
        """Warm up until a quote rests on each side."""
        self.run_until(lambda: self.state == "monitoring_orders" and self.holds() == {"bid": None, "ask": None}, 30)
        return self
