"""Random things that happen to a market maker: what venues, networks, clocks and operators do, in any order.

An operation is a name and a few numbers. It is aimed at the orders that the machine really has, so that most facts make
sense to it; others contradict what it was told, come twice, late, or never. Where a lie would leave the venue without a
consistent state (a filled quantity without trades), the trades are made up too, and can be asked for.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import Any

from attrs import evolve
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from mm_fsm.books.facts import (
    AccountFeedLost,
    CancelRefused,
    ConnectionRestored,
    ConversionPriceReported,
    ExternalFlow,
    FundingPaid,
    InstrumentUpdated,
    MarketTrade,
    MessageRefused,
    OperatorPaused,
    OperatorResumed,
    OrderCanceled,
    OrderExpired,
    OrderNotFound,
    OrderStatusReported,
    QueryFailed,
    RequestsSuspended,
    StopRequested,
    Timer,
    TradingStatusChanged,
)
from mm_fsm.core.instrument import Balances, Fees, Instrument
from mm_fsm.core.messages import BookLevel, Fact, OrderFact, ReportedStatus, RequestKind, Side
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.services.protocols import Services
from tests.machine.bench import NONE, SECOND, Bench
from tests.strategies import (
    SYMBOL,
    balances,
    decimals,
    fees,
    instruments,
    market_making_settings,
    rejection_codes,
    reported_statuses,
    request_kinds,
    sides,
)

Operation = tuple[str, tuple[Any, ...]]

_picks = st.integers(0, 7)
_shares = st.sampled_from([Decimal("0.1"), Decimal("0.5"), Decimal(1), Decimal(1)])
_truths = st.sampled_from(["true", "unsaid", "more", "all"])

OPERATIONS: dict[str, tuple[int, SearchStrategy[tuple[Any, ...]]]] = {
    # name: how often, arguments
    "book": (16, st.tuples(st.integers(-20, 20), st.integers(1, 8))),
    "jump": (2, st.tuples(st.sampled_from([-400, -100, 100, 400]))),
    "odd_book": (4, st.tuples(st.sampled_from(["no bids", "no asks", "empty", "crossed", "late", "own", "wide"]))),
    "market_trade": (1, st.tuples(sides, st.integers(-3, 3))),
    "beat": (2, st.tuples()),
    "wait": (10, st.tuples(st.sampled_from([0.001, 0.3, 1.0, 1.0, 2.5, 4.0, 9.0, 35.0]))),
    "run": (10, st.tuples(st.integers(1, 12))),
    "wake": (8, st.tuples()),
    "settle": (16, st.tuples(st.integers(1, 6))),
    "drop": (4, st.tuples(st.integers(1, 3))),
    "acknowledge": (3, st.tuples(_picks)),
    "reject": (4, st.tuples(_picks, rejection_codes)),
    "fill": (10, st.tuples(_picks, _shares, st.sampled_from(["USD", "USD", "BTC", "BNB"]), st.booleans())),
    "tell_again": (6, st.tuples(st.integers(0, 30))),
    "confirm_cancel": (3, st.tuples(_picks, _truths)),
    "expire": (2, st.tuples(_picks, _truths)),
    "refuse_cancel": (3, st.tuples(_picks)),
    "lose": (4, st.tuples(_picks, request_kinds)),
    "status": (4, st.tuples(_picks, reported_statuses, _truths)),
    "report": (2, st.tuples(_picks)),
    "not_found": (4, st.tuples(_picks)),
    "trades": (2, st.tuples()),
    "query_failed": (2, st.tuples(_picks, request_kinds)),
    "message_refused": (2, st.tuples(_picks, st.none() | sides)),
    "balances": (3, st.tuples(st.sampled_from(["0", "-0.5", "1"]), st.sampled_from(["0", "-50", "-100000", "7"]))),
    "trading": (2, st.tuples(st.booleans())),
    "instrument": (1, st.tuples(st.sampled_from(["0.01", "0.02", "0.1"]), st.sampled_from(["0.001", "0.01", "0.05"]))),
    "conversion": (1, st.tuples(st.integers(1, 400))),
    "funding": (1, st.tuples(decimals("-2", "2", 2), _picks)),
    "flow": (1, st.tuples(decimals("-1", "2", 1), decimals("-20", "20", 1), _picks)),
    "feed_lost": (1, st.tuples()),
    "suspended": (1, st.tuples(st.sampled_from([1, 10, 60]))),
    "paused": (1, st.tuples()),
    "resumed": (2, st.tuples()),
    "stop": (1, st.tuples(st.booleans())),
    "backwards": (2, st.tuples(st.integers(1, 3 * SECOND))),
    "overfill": (2, st.tuples(_picks)),
    "foreign_order": (1, st.tuples()),
}


def _operation(name: str) -> SearchStrategy[Operation]:
    return st.tuples(st.just(name), OPERATIONS[name][1])


def operations(*, without: tuple[str, ...] = ()) -> SearchStrategy[Operation]:
    """One operation; the frequent ones come more often."""
    names = [name for name, (weight, _) in OPERATIONS.items() for _ in range(weight) if name not in without]
    return st.sampled_from(names).flatmap(_operation)


@st.composite
def sessions(draw: st.DrawFn, **fixed: Any) -> tuple[MarketMakingSettings, Instrument, Fees, Balances]:
    """What a machine is made of; fees that no quote could earn are left out."""
    instrument = draw(instruments())
    funds = draw(balances(instrument))
    offset = draw(st.sampled_from([None, None, Decimal(3), Decimal(-2)]))
    if offset is not None and (instrument.may_be_short or funds.base >= offset):
        fixed = {"target_base": funds.base - offset} | fixed
    return draw(market_making_settings(**fixed)), instrument, draw(fees), funds


class Storm:
    """Carries out operations on a bench."""

    def __init__(
        self,
        session: tuple[MarketMakingSettings, Instrument, Fees, Balances],
        services: Services | None = None,
        machine: Any = MarketMakingStateMachine,
    ) -> None:
        settings, instrument, fee, funds = session
        self.bench = Bench(
            settings, instrument=instrument, fees=fee, balances=funds, services=services, machine=machine
        )
        self.told: list[Fact] = []
        """Facts about orders, to be told again."""
        self._paid: set[str] = set()

    def play(self, operations: list[Operation]) -> Bench:
        """Carry out one after the other, after a start that makes quoting likely."""
        self.bench.run(4)
        for name, arguments in operations:
            getattr(self, f"_{name}")(*arguments)
        return self.bench

    # -- market and time --------------------------------------------------------------------------------------------

    def _book(self, move: int, spread: int) -> None:
        bench = self.bench
        tick = bench.machine.context.instrument.tick_size
        middle = (bench.best[Side.BID] + bench.best[Side.ASK]) / 2 + move * tick
        bid = max((middle / tick).to_integral_value(ROUND_DOWN) * tick - spread * tick, tick)
        bench.book(bid, bid + 2 * spread * tick)

    def _jump(self, move: int) -> None:
        self._book(move, 2)

    def _odd_book(self, kind: str) -> None:
        bench, best = self.bench, dict(self.bench.best)
        match kind:
            case "no bids":
                bench.book(None, "")
            case "no asks":
                bench.book("", None)
            case "empty":
                bench.book(None, None)
            case "crossed":
                bench.book(best[Side.ASK], best[Side.BID])
            case "late":
                bench.book(exchange_time=max(bench.now - 5 * SECOND, 0))
            case "wide":
                bench.book(best[Side.BID] * Decimal("0.9"), best[Side.ASK] * Decimal("1.1"))
            case _:
                bids, asks = (tuple(BookLevel(o.price, o.remaining) for o in self._resting(side)) for side in Side)
                bench.book(bids=bids, asks=asks, includes_own_orders=True)
        bench.best = best

    def _resting(self, side: Side) -> list[Any]:
        orders = self.bench.machine.context.orders.live(side)
        return list({order.price: order for order in sorted(orders, key=lambda o: -o.price * side.sign)}.values())

    def _market_trade(self, side: Side, move: int) -> None:
        bench = self.bench
        price = max(bench.best[side.opposite] + move * bench.machine.context.instrument.tick_size, Decimal("0.01"))
        bench.tell(
            MarketTrade(
                received_at=bench.now, symbol=SYMBOL, price=price, size=Decimal(1), taker_side=side, trade_id="x",
                exchange_time=bench.now,
            )
        )  # fmt: skip

    def _beat(self) -> None:
        self.bench.beat()

    def _wait(self, seconds: float) -> None:
        self.bench.wait(seconds)

    def _run(self, seconds: int) -> None:
        self.bench.run(seconds)

    def _wake(self) -> None:
        if self.bench.last.wake_at is not None:
            self.bench.wake()

    def _backwards(self, nanoseconds: int) -> None:
        self.bench.tell(Timer(received_at=self.bench.now - nanoseconds))

    def _trading(self, is_trading: bool) -> None:
        self.bench.tell(TradingStatusChanged(received_at=self.bench.now, symbol=SYMBOL, trading=is_trading))

    def _feed_lost(self) -> None:
        self.bench.tell(AccountFeedLost(received_at=self.bench.now, symbol=SYMBOL))

    def _suspended(self, seconds: int) -> None:
        until = self.bench.now + seconds * SECOND
        self.bench.tell(RequestsSuspended(received_at=self.bench.now, symbol=SYMBOL, until=until))

    def _paused(self) -> None:
        self.bench.tell(OperatorPaused(received_at=self.bench.now))

    def _resumed(self) -> None:
        """Whatever interrupts quoting is over; the connection that was lost is back."""
        self.bench.tell(OperatorResumed(received_at=self.bench.now))
        if self.bench.context.account_feed_loss is not None:
            self.bench.tell(ConnectionRestored(received_at=self.bench.now, symbol=SYMBOL))

    def _instrument(self, tick: str, lot: str) -> None:
        bench = self.bench
        instrument = evolve(bench.machine.context.instrument, tick_size=Decimal(tick), lot_size=Decimal(lot))
        bench.tell(InstrumentUpdated(received_at=bench.now, symbol=SYMBOL, instrument=instrument))

    # -- orders -----------------------------------------------------------------------------------------------------

    def _settle(self, count: int) -> None:
        bench = self.bench
        for _ in range(min(count, len(bench.outbox))):
            bench.later(0.001)
            bench.answer(bench.outbox.popleft())

    def _drop(self, count: int) -> None:
        for _ in range(min(count, len(self.bench.outbox))):
            self.bench.outbox.popleft()

    def _pick(self, index: int) -> str | None:
        """One of the latest orders, the newest first."""
        names = list(self.bench.orders)
        return names[-1 - index % len(names)] if names else None

    def _tell_order(self, fact: OrderFact) -> None:
        self.told.append(fact)
        self.bench.refuses(fact)

    def _acknowledge(self, index: int) -> None:
        if name := self._pick(index):
            self.bench.acknowledge(name)

    def _reject(self, index: int, code: Any) -> None:
        if name := self._pick(index):
            self.bench.reject(name, code)

    def _fill(self, index: int, share: Decimal, currency: str, is_told: bool) -> None:
        name = self._pick(index)
        if name is None:
            return
        order = self.bench.orders[name]
        lots = (order.remaining * share / Decimal("0.001")).to_integral_value(ROUND_DOWN)
        quantity = lots * Decimal("0.001") or order.remaining
        if quantity <= 0:
            return
        fee = Decimal("0.0003") if currency == "BTC" else Decimal("0.01")
        fill = self.bench.trade(name, quantity, fee_currency=currency, fee=fee)
        if is_told:
            unsaid = {"BNB": {"fee": None, "fee_currency": None, "liquidity": None}}.get(currency, {})
            self._tell_order(evolve(fill, **unsaid) if index % 2 else fill)

    def _overfill(self, index: int) -> None:
        if name := self._pick(index):
            order = self.bench.own(name)
            fill = evolve(self.bench.trade(name, "0.001"), quantity=order.remaining + Decimal("0.001"))
            self._untrade(name)
            assert self.bench.refuses(fill) is not None, "more traded than was ordered"

    def _untrade(self, name: str) -> None:
        order = self.bench.orders[name]
        order.filled -= order.trades.pop().quantity
        order.is_open = order.remaining > 0

    def _foreign_order(self) -> None:
        bench = self.bench
        fact = bench.about(OrderCanceled, "somebody-else", exchange_time=bench.now)
        assert bench.refuses(fact) is not None

    def _tell_again(self, index: int) -> None:
        facts = [*self.told, *(trade for order in self.bench.orders.values() for trade in order.trades)]
        if facts:
            fact = evolve(facts[-1 - index % len(facts)], received_at=self.bench.now)
            self.bench.refuses(fact)

    def _quantity(self, name: str, truth: str) -> Decimal | None:
        """What the venue says had traded; where it says more than it told, the trades exist and can be asked for."""
        order = self.bench.orders[name]
        if truth == "unsaid":
            return None
        if truth == "more" and order.remaining > Decimal("0.001"):
            self.bench.trade(name, "0.001")
        if truth == "all" and order.remaining:
            self.bench.trade(name)
        return order.filled

    def _confirm_cancel(self, index: int, truth: str) -> None:
        if name := self._pick(index):
            quantity = self._quantity(name, truth)
            self.bench.orders[name].is_open = False
            self._tell_order(
                self.bench.about(OrderCanceled, name, exchange_time=self.bench.now, filled_quantity=quantity)
            )

    def _expire(self, index: int, truth: str) -> None:
        if name := self._pick(index):
            quantity = self._quantity(name, truth)
            self.bench.orders[name].is_open = False
            self._tell_order(
                self.bench.about(OrderExpired, name, exchange_time=self.bench.now, filled_quantity=quantity)
            )

    def _refuse_cancel(self, index: int) -> None:
        if name := self._pick(index):
            self._tell_order(self.bench.about(CancelRefused, name, reason="no"))

    def _lose(self, index: int, request: RequestKind) -> None:
        if name := self._pick(index):
            self.bench.lose(name, request)

    def _status(self, index: int, status: ReportedStatus, truth: str) -> None:
        name = self._pick(index)
        if name is None:
            return
        order = self.bench.orders[name]
        quantity = self._quantity(name, "all" if status is ReportedStatus.FILLED else truth)
        if status is ReportedStatus.REJECTED:
            quantity = None
        order.is_known = True
        order.is_open = status in {ReportedStatus.OPEN, ReportedStatus.PARTIALLY_FILLED} and order.remaining > 0
        self._tell_order(
            self.bench.about(
                OrderStatusReported, name, status=status, filled_quantity=quantity, exchange_time=self.bench.now
            )
        )

    def _report(self, index: int) -> None:
        if name := self._pick(index):
            self.bench.report(name)

    def _not_found(self, index: int) -> None:
        if name := self._pick(index):
            self._tell_order(self.bench.about(OrderNotFound, name, exchange_time=self.bench.now))

    def _trades(self) -> None:
        self.bench.report_trades()

    def _query_failed(self, index: int, request: RequestKind) -> None:
        bench = self.bench
        bench.tell(
            QueryFailed(received_at=bench.now, symbol=SYMBOL, request=request, client_order_id=self._pick(index))
        )

    def _message_refused(self, index: int, side: Side | None) -> None:
        bench = self.bench
        name = self._pick(index) if index % 2 else None
        bench.tell(MessageRefused(received_at=bench.now, reason="garbled", client_order_id=name, side=side))

    # -- account and operator ---------------------------------------------------------------------------------------

    def _balances(self, base: str, quote: str) -> None:
        context = self.bench.machine.context
        self.bench.report_balances(
            base_total=context.base_position + Decimal(base), quote_total=context.ledger.cash + Decimal(quote)
        )

    def _conversion(self, price: int) -> None:
        bench = self.bench
        fact = ConversionPriceReported(received_at=bench.now, symbol=SYMBOL, currency="BNB", price=Decimal(price))
        bench.tell(fact)

    def _funding(self, amount: Decimal, index: int) -> None:
        bench, name = self.bench, f"funding-{index}"
        self._deposit(name, NONE, amount)
        bench.tell(FundingPaid(received_at=bench.now, symbol=SYMBOL, amount=amount, funding_id=name))

    def _flow(self, base: Decimal, quote: Decimal, index: int) -> None:
        bench = self.bench
        if not bench.machine.context.instrument.may_be_short and base < 0:
            base = NONE  # a withdrawal of what is not there is no fact
        name = f"flow-{index}"
        self._deposit(name, base, quote)
        bench.tell(ExternalFlow(received_at=bench.now, symbol=SYMBOL, base=base, quote=quote, flow_id=name))

    def _deposit(self, name: str, base: Decimal, quote: Decimal) -> None:
        """One that is told twice came once."""
        if name not in self._paid:
            self._paid.add(name)
            self.bench.deposits["base"] += base
            self.bench.deposits["quote"] += quote

    def _stop(self, flatten: bool) -> None:
        self.bench.tell(StopRequested(received_at=self.bench.now, flatten=flatten, reason="drawn"))

    # -- afterwards -------------------------------------------------------------------------------------------------

    def calm(self) -> None:
        """The venue is open and answers honestly from here on; what was never answered stays unanswered."""
        self._resumed()
        self._conversion(300)
        self._trading(True)
