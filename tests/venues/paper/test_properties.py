"""What holds for every sequence of books, trades and requests, recomputed here from the facts alone."""

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal

from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.books.facts import (
    MarketBook,
    MarketTrade,
    OrderAcknowledged,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderStatusReported,
)
from mm_fsm.core.instrument import BASIS_POINTS, InstrumentKind
from mm_fsm.core.messages import Liquidity, ReportedStatus, Side
from mm_fsm.venues.paper import QueueModel
from tests.venues.paper.scenario import MILLISECOND, Scenario, instrument

MAKER_BPS, TAKER_BPS = Decimal("-1.5"), Decimal("4.5")
START_BASE, START_QUOTE = Decimal(12), Decimal(3000)
NONE = Decimal(0)
STEP = 10
"""Milliseconds between two operations; requests take 1 ms, so each acts before the next operation."""


@frozen(kw_only=True)
class Book:
    best_bid: int
    spread: int
    bid_sizes: list[int]
    ask_sizes: list[int]


@frozen(kw_only=True)
class Trade:
    taker: Side
    price: int
    size: int


@frozen(kw_only=True)
class Place:
    side: Side
    price: int
    quantity: int
    post_only: bool
    immediate: bool
    reduce_only: bool


@frozen(kw_only=True)
class Cancel:
    order: int


sides = st.sampled_from(Side)
sizes = st.lists(st.integers(1, 5), max_size=3)
books = st.builds(Book, best_bid=st.integers(96, 102), spread=st.integers(1, 3), bid_sizes=sizes, ask_sizes=sizes)
trades = st.builds(Trade, taker=sides, price=st.integers(94, 106), size=st.integers(1, 9))
placements = st.builds(
    Place,
    side=sides,
    price=st.integers(94, 106),
    quantity=st.integers(1, 6),
    post_only=st.booleans(),
    immediate=st.booleans(),
    reduce_only=st.booleans(),
)
cancels = st.builds(Cancel, order=st.integers(1, 20))
histories = st.lists(st.one_of(books, trades, placements, placements, cancels), min_size=5, max_size=40)
kinds = st.sampled_from(InstrumentKind)
queues = st.sampled_from(QueueModel)


class Run:
    """A scenario that a history was played to, and what was asked for and shown on the way."""

    def __init__(self, history: list[object], kind: InstrumentKind, queue: QueueModel) -> None:
        self.scenario = Scenario(
            instrument(kind),
            base=str(START_BASE),
            quote=str(START_QUOTE),
            leverage="1" if kind is InstrumentKind.SPOT else "3",
            maker_bps=str(MAKER_BPS),
            taker_bps=str(TAKER_BPS),
            queue=queue,
        )
        self.kind = kind
        self.placed: dict[str, Place] = {}
        self.supply: dict[Side, Decimal] = dict.fromkeys(Side, NONE)
        """Sizes that were newly displayed on each side: appeared, or grown."""
        self.used_up: dict[int, Decimal] = {}
        """By how much each trade shortened a queue at its price, by its time."""
        self._shown: dict[Side, dict[Decimal, Decimal]] = {side: {} for side in Side}
        self.scenario.book(0, "100x3 99x4", "102x3 103x4")
        self._note_supply(100, [3, 4], 102, [3, 4])
        for number, operation in enumerate(history, start=1):
            self._play(number * STEP, operation)

    def _play(self, at: int, operation: object) -> None:
        match operation:
            case Book(best_bid=bid, spread=spread, bid_sizes=bid_sizes, ask_sizes=ask_sizes):
                bids = " ".join(f"{bid - i}x{size}" for i, size in enumerate(bid_sizes))
                asks = " ".join(f"{bid + spread + i}x{size}" for i, size in enumerate(ask_sizes))
                self.scenario.book(at, bids, asks)
                self._note_supply(bid, bid_sizes, bid + spread, ask_sizes)
            case Trade(taker=taker, price=price, size=size):
                self.scenario.settle(at - 1)  # so that what was sent before has acted
                before = self._queues(taker.opposite, price)
                self.scenario.trade(at, taker, str(price), str(size))
                after = self._queues(taker.opposite, price)
                used_up = (before[order] - queue for order, queue in after.items())
                self.used_up[at * MILLISECOND] = max(used_up, default=NONE)
            case Place():
                order = self.scenario.place(
                    at,
                    operation.side,
                    str(operation.price),
                    str(operation.quantity),
                    post_only=operation.post_only,
                    immediate=operation.immediate,
                    reduce_only=operation.reduce_only,
                )
                self.placed[order] = operation
            case Cancel(order=order):
                self.scenario.cancel(at, f"order-{order}")
            case _:
                raise AssertionError(operation)

    def _queues(self, side: Side, price: int) -> dict[str, Decimal]:
        orders = self.scenario.exchange.open_orders
        here = (order for order in orders if order.side is side and order.price == price)
        return {order.client_order_id: order.queue_ahead for order in here if order.queue_ahead is not None}

    def _note_supply(self, bid: int, bid_sizes: list[int], ask: int, ask_sizes: list[int]) -> None:
        shown = {
            Side.BID: {Decimal(bid - i): Decimal(size) for i, size in enumerate(bid_sizes)},
            Side.ASK: {Decimal(ask + i): Decimal(size) for i, size in enumerate(ask_sizes)},
        }
        for side in Side:
            before = self._shown[side]
            self.supply[side] += sum(max(size - before.get(price, NONE), NONE) for price, size in shown[side].items())
        self._shown = shown

    def fills(self) -> list[OrderFilled]:
        return [fact for fact in self.scenario.settle() if isinstance(fact, OrderFilled)]


def for_every_run(check: Callable[[Run], None]) -> Callable[[], None]:
    @given(history=histories, kind=kinds, queue=queues)
    def test(history: list[object], kind: InstrumentKind, queue: QueueModel) -> None:
        check(Run(history, kind, queue))

    test.__name__ = check.__name__
    test.__doc__ = check.__doc__
    return test


@for_every_run
def test_balances_are_the_start_and_the_fills_and_nothing_else(run: Run) -> None:
    base, cash = START_BASE, START_QUOTE
    for fill in run.fills():
        sign = 1 if run.placed[fill.client_order_id].side is Side.BID else -1
        rate = (MAKER_BPS if fill.liquidity is Liquidity.MAKER else TAKER_BPS) / BASIS_POINTS
        assert fill.fee == fill.price * fill.quantity * rate
        base += sign * fill.quantity
        cash -= sign * fill.quantity * fill.price + fill.fee
    if run.kind is InstrumentKind.LINEAR:
        cash -= START_BASE * 101  # entered at the first mid
    assert run.scenario.exchange.balances.base_total == base
    for mid in (Decimal(90), Decimal(110)):
        assert run.scenario.exchange.account_value(mid) == cash + base * mid


@for_every_run
def test_what_is_locked_is_the_sum_over_open_orders_and_free_amounts_are_never_negative(run: Run) -> None:
    run.scenario.settle()
    balances = run.scenario.exchange.balances
    remaining: dict[Side, list[tuple[Decimal, Decimal]]] = {side: [] for side in Side}
    for order in run.scenario.exchange.open_orders:
        remaining[order.side].append((order.price, order.quantity - order.filled_quantity))
    assert balances.quote_free >= 0
    if run.kind is InstrumentKind.SPOT:
        assert balances.base_free >= 0
        assert balances.base_total - balances.base_free == sum(quantity for _, quantity in remaining[Side.ASK])
        locked = sum(price * quantity for price, quantity in remaining[Side.BID])
        assert balances.quote_total - balances.quote_free == locked * (1 + TAKER_BPS / BASIS_POINTS)


@for_every_run
def test_no_fill_is_beyond_its_limit_or_its_order(run: Run) -> None:
    filled: dict[str, Decimal] = defaultdict(Decimal)
    for fill in run.fills():
        order = run.placed[fill.client_order_id]
        assert (fill.price - order.price) * order.side.sign <= 0
        assert fill.liquidity is Liquidity.TAKER or fill.price == order.price
        assert not (order.post_only and fill.liquidity is Liquidity.TAKER)
        assert fill.quantity > 0
        filled[fill.client_order_id] += fill.quantity
        assert filled[fill.client_order_id] <= order.quantity
    assert len({fill.trade_id for fill in run.fills()}) == len(run.fills())


@for_every_run
def test_a_trade_fills_no_more_than_its_size_and_what_left_the_queue(run: Run) -> None:
    trades = {fact.exchange_time: fact for fact in run.scenario.settle() if isinstance(fact, MarketTrade)}
    filled: dict[int, Decimal] = defaultdict(Decimal)
    for fill in run.fills():
        if fill.exchange_time in trades:
            trade = trades[fill.exchange_time]
            assert run.placed[fill.client_order_id].side is trade.taker_side.opposite
            assert (fill.price - trade.price) * trade.taker_side.sign <= 0
            filled[fill.exchange_time] += fill.quantity
    for time, quantity in filled.items():
        assert quantity + run.used_up[time] <= trades[time].size


@for_every_run
def test_no_displayed_size_fills_twice(run: Run) -> None:
    """What books and takers filled is no more than what was newly displayed on the other side."""
    books = {fact.exchange_time for fact in run.scenario.settle() if isinstance(fact, MarketBook)}
    taken = dict.fromkeys(Side, NONE)
    for fill in run.fills():
        if fill.liquidity is Liquidity.TAKER or fill.exchange_time in books:
            taken[run.placed[fill.client_order_id].side.opposite] += fill.quantity
    for side in Side:
        assert taken[side] <= run.supply[side]


@for_every_run
def test_facts_come_in_order_and_tell_one_story_for_each_order(run: Run) -> None:
    facts = run.scenario.settle()
    assert [fact.received_at for fact in facts] == sorted(fact.received_at for fact in facts)
    for order, placement in run.placed.items():
        own = [fact for fact in run.scenario.own() if getattr(fact, "client_order_id", None) == order]
        answers = [fact for fact in own if isinstance(fact, OrderAcknowledged | OrderFilled)]
        ends = [fact for fact in own if isinstance(fact, OrderCanceled | OrderExpired)]
        filled = sum((fact.quantity for fact in answers if isinstance(fact, OrderFilled)), NONE)
        if not answers:
            assert order not in run.scenario.open()
            continue
        assert isinstance(answers[0], OrderAcknowledged)
        is_finished = bool(ends) or filled == placement.quantity
        assert is_finished is (order not in run.scenario.open())
        for end in ends:
            assert end.filled_quantity == filled < placement.quantity
        assert not (placement.immediate and order in run.scenario.open())


@for_every_run
def test_a_query_agrees_with_the_fills(run: Run) -> None:
    filled: dict[str, Decimal] = defaultdict(Decimal)
    for fill in run.fills():
        filled[fill.client_order_id] += fill.quantity
    for order in run.placed:
        run.scenario.query(10_000_001, order)
    for report in run.scenario.settle(10_000_010):
        if isinstance(report, OrderStatusReported):
            assert report.filled_quantity == filled[report.client_order_id]
            is_full = filled[report.client_order_id] == run.placed[report.client_order_id].quantity
            assert (report.status is ReportedStatus.FILLED) is is_full


@for_every_run
def test_a_spot_account_is_never_short_and_reduce_only_orders_never_turn_a_position(run: Run) -> None:
    base = START_BASE
    for fill in run.fills():
        order = run.placed[fill.client_order_id]
        before = base
        base += order.side.sign * fill.quantity
        if run.kind is InstrumentKind.SPOT:
            assert base >= 0
        elif order.reduce_only:
            assert abs(base) < abs(before)
            assert base * before >= 0


@given(history=histories, kind=kinds)
def test_the_same_history_gives_the_same_facts(history: list[object], kind: InstrumentKind) -> None:
    first, second = (Run(history, kind, QueueModel.PESSIMISTIC).scenario.settle() for _ in range(2))
    assert first == second


@given(bids=sizes.filter(bool), queue=st.integers(0, 5), sells=st.lists(st.integers(1, 6), max_size=8))
def test_queue_and_own_order_share_what_is_sold_at_their_price(bids: list[int], queue: int, sells: list[int]) -> None:
    """An independent sum: the queue gets the first of everything sold, our order the next, nobody gets more."""
    scenario = Scenario()
    scenario.book(0, f"100x{queue}" if queue else "", "102x3")
    orders = [scenario.place(1, Side.BID, "100", str(quantity)) for quantity in bids]
    for number, size in enumerate(sells):
        scenario.sell(10 + number, "100", str(size))
    scenario.settle()
    got = dict.fromkeys(orders, NONE)
    for order, _, quantity in scenario.fills():
        got[order] += Decimal(quantity)
    left = max(sum(sells) - queue, 0)
    for order_id, wanted in zip(orders, bids, strict=True):
        assert got[order_id] == min(wanted, left)
        left -= min(wanted, left)
