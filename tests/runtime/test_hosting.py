"""Every claim of docs/embedding.md: what a host sends in which order; what happens when it is late, silent or wrong."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from attrs import define, field

from mm_fsm.books.facts import (
    CancelRefused,
    Heartbeat,
    JournalFailed,
    MarketBook,
    MessageRefused,
    OrderAcknowledged,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    QueryFailed,
)
from mm_fsm.books.order_lifecycle import OrderStatus
from mm_fsm.core.decisions import HoldReason
from mm_fsm.core.instrument import Balances, Fees, Instrument
from mm_fsm.core.messages import (
    BookLevel,
    CancelOrder,
    Intent,
    Liquidity,
    PlaceOrder,
    QueryBalances,
    QueryOpenOrders,
    QueryOrder,
    QueryOwnTrades,
    RejectionCode,
    RequestKind,
    Side,
)
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.hosting import HostedMaker
from mm_fsm.venues.host import HostVenue
from mm_fsm.venues.scripted import AcceptingBook

SYMBOL = "ETH/USD"
SECOND = 1_000_000_000
INSTRUMENT = Instrument(
    symbol=SYMBOL, base_currency="ETH", quote_currency="USD", tick_size=Decimal("0.01"), lot_size=Decimal("0.0001")
)
BALANCES = Balances(base=Decimal(10), quote=Decimal(20_000))


@define
class Host:
    """A host with a clock of its own and an honest venue, that can be told to be silent or to fail."""

    now: int = 0
    venue: AcceptingBook = field(factory=lambda: AcceptingBook(BALANCES))
    silent: Callable[[Intent], bool] = lambda _: False
    """Which intents reach the venue and are never answered."""
    fails: Callable[[Intent], bool] = lambda _: False
    """Which intents it raises on."""
    sent: list[Intent] = field(factory=list)
    results: list[StepResult] = field(factory=list)
    machine: MarketMakingStateMachine = field(init=False)
    maker: HostedMaker = field(init=False)

    def __attrs_post_init__(self) -> None:
        settings = MarketMakingSettings(symbol=SYMBOL, warm_up_samples=2, volatility_sample_seconds=1.0)
        fees = Fees(maker_bps=Decimal(1), taker_bps=Decimal(5))
        self.machine = MarketMakingStateMachine(settings, INSTRUMENT, fees, BALANCES)
        self.maker = HostedMaker(self.machine, self.carry_out, lambda: self.now, self.results.append)

    def carry_out(self, intent: Intent) -> None:
        self.sent.append(intent)
        if self.fails(intent):
            raise ConnectionResetError("key=hunter2")
        answer = self.venue.answer(intent, self.now)
        if not self.silent(intent):
            self.maker.take(answer)

    def book(self) -> MarketBook:
        return MarketBook(
            received_at=self.now,
            symbol=SYMBOL,
            bids=(BookLevel(Decimal("1999.9"), Decimal(3)),),
            asks=(BookLevel(Decimal("2000.1"), Decimal(3)),),
            exchange_time=self.now,
        )

    def show_books(self, seconds: int) -> None:
        """A book and a wake-up each second."""
        for _ in range(seconds):
            self.now += SECOND
            self.maker.take(self.book())
            self.maker.wake()

    def pass_time(self, seconds: int) -> None:
        """Only wake-ups."""
        for _ in range(seconds):
            self.now += SECOND
            self.maker.wake()

    def kinds(self) -> list[type[Intent]]:
        return [type(intent) for intent in self.sent]

    def placed(self) -> list[str]:
        return [intent.client_order_id for intent in self.sent if isinstance(intent, PlaceOrder)]

    def status(self, client_order_id: str) -> OrderStatus:
        order = self.machine.context.orders.get(client_order_id)
        assert order is not None
        return order.status

    def hold(self, side: Side) -> HoldReason | None:
        status = self.machine.context.sides[side].status
        return None if status is None else status.reason

    def fill(self, client_order_id: str, quantity: Decimal, trade_id: str = "t1") -> OrderFilled:
        order = self.machine.context.orders.get(client_order_id)
        assert order is not None
        return OrderFilled(
            received_at=self.now,
            symbol=SYMBOL,
            client_order_id=client_order_id,
            trade_id=trade_id,
            price=order.price,
            quantity=quantity,
            fee=Decimal("0.01"),
            fee_currency="USD",
            liquidity=Liquidity.MAKER,
            exchange_time=self.now,
        )


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def quoting() -> Host:
    """A host whose machine has three quotes on each side."""
    host = Host()
    host.show_books(5)
    assert len(host.venue.orders) == 6
    return host


# -- in which order -------------------------------------------------------------------------------------------------


def test_the_first_questions_come_with_the_first_fact_and_nothing_is_placed_before_their_answers(host: Host) -> None:
    host.show_books(2)
    assert host.kinds() == [QueryOpenOrders, QueryOwnTrades, QueryBalances]
    host.show_books(3)
    assert host.kinds()[3:] == [PlaceOrder] * 6


@pytest.mark.parametrize("unanswered", [QueryOpenOrders, QueryOwnTrades, QueryBalances])
def test_a_host_that_never_answers_a_first_question_never_places(host: Host, unanswered: type[Intent]) -> None:
    """It is asked again every request_timeout_seconds, and each side says that it waits."""
    host.silent = lambda intent: isinstance(intent, unanswered)
    host.show_books(40)
    assert PlaceOrder not in host.kinds()
    assert host.kinds().count(unanswered) >= 6
    assert host.hold(Side.BID) is host.hold(Side.ASK) is HoldReason.RECONCILING


def test_a_query_that_failed_is_asked_again(host: Host) -> None:
    failed: list[int] = []

    def refuse_once(intent: Intent) -> bool:
        if isinstance(intent, QueryOpenOrders) and not failed:
            failed.append(host.now)
            host.maker.take(
                QueryFailed(received_at=host.now, symbol=SYMBOL, request=RequestKind.QUERY_OPEN_ORDERS, reason="503")
            )
            return True
        return False

    host.silent = refuse_once
    host.show_books(12)
    assert failed
    assert len(host.venue.orders) == 6


def test_an_answer_may_come_while_the_intent_is_carried_out(quoting: Host) -> None:
    """Each fact is one step, one after the other: steps count up by one, and their times never go back."""
    assert [result.sequence for result in quoting.results] == list(range(1, len(quoting.results) + 1))
    times = [result.time for result in quoting.results]
    assert times == sorted(times)


def test_a_stop_cancels_and_ends_once_all_is_confirmed(quoting: Host) -> None:
    """Cancels leave in the step that is asked to stop; the machine is final when the venue has confirmed them."""
    quoting.maker.request_stop(flatten=False, reason="enough")
    assert {intent.client_order_id for intent in quoting.sent if isinstance(intent, CancelOrder)} == {*quoting.placed()}
    assert quoting.maker.is_final
    assert quoting.venue.orders == {}


def test_a_fill_after_the_end_is_booked(quoting: Host) -> None:
    first = quoting.placed()[0]
    quoting.maker.request_stop(flatten=False, reason="enough")
    before = quoting.machine.context.base_position
    quoting.maker.take(quoting.fill(first, Decimal("0.01")))
    assert abs(quoting.machine.context.base_position - before) == Decimal("0.01")


# -- late -----------------------------------------------------------------------------------------------------------


def test_a_late_answer_is_taken_and_a_question_settles_the_order(host: Host) -> None:
    """After request_timeout_seconds (5) the order is UNKNOWN, and stays so until the venue is asked what it is now."""
    host.silent = lambda intent: isinstance(intent, PlaceOrder | QueryOrder)
    host.show_books(12)
    first = host.placed()[0]
    assert host.status(first) is OrderStatus.UNKNOWN
    host.maker.take(
        OrderAcknowledged(
            received_at=host.now, symbol=SYMBOL, client_order_id=first, venue_order_id=first, exchange_time=host.now
        )
    )
    assert host.machine.context.orders.venue_ids[first] == first
    assert host.status(first) is OrderStatus.UNKNOWN
    host.silent = lambda _: False
    host.show_books(3)
    assert host.status(first) is OrderStatus.OPEN


def test_time_that_goes_back_is_counted_and_changes_no_clock(quoting: Host) -> None:
    """A fact stamped before an earlier one is taken, at the time that has been reached."""
    time = quoting.machine.now
    quoting.maker.take(Heartbeat(received_at=time - 2 * SECOND, symbol=SYMBOL))
    assert quoting.machine.now == time
    assert quoting.machine.context.clock_regressions == 1


def test_a_late_wake_up_is_made_up_for(quoting: Host) -> None:
    """Ten minutes without a call: the first one finds the data stale and cancels."""
    quoting.now += 600 * SECOND
    quoting.maker.wake()
    assert quoting.venue.orders == {}


def test_a_wake_up_that_is_early_does_nothing(quoting: Host) -> None:
    steps = len(quoting.results)
    assert quoting.maker.wake_at is not None
    quoting.now = quoting.maker.wake_at - 1
    quoting.maker.wake()
    assert len(quoting.results) == steps
    quoting.now += 1
    quoting.maker.wake()
    assert len(quoting.results) > steps


# -- silent ---------------------------------------------------------------------------------------------------------


def test_a_placement_without_an_answer_is_asked_about_and_its_side_waits(host: Host) -> None:
    """No second order takes its place, whatever the market does, until the venue says what became of the first."""
    host.silent = lambda intent: isinstance(intent, PlaceOrder | QueryOrder)
    host.show_books(40)
    assert len(host.placed()) == 6
    assert host.kinds().count(QueryOrder) > 6
    assert host.hold(Side.BID) is host.hold(Side.ASK) is HoldReason.UNKNOWN_ORDER
    host.silent = lambda _: False
    host.show_books(5)
    assert not any(host.status(name) is OrderStatus.UNKNOWN for name in host.placed())


def test_a_silent_feed_cancels_and_the_next_book_resumes(quoting: Host) -> None:
    """After stale_data_seconds (10) without market data or a heartbeat."""
    quoting.pass_time(9)
    assert len(quoting.venue.orders) == 6
    quoting.pass_time(3)
    assert quoting.venue.orders == {}
    assert quoting.hold(Side.BID) is HoldReason.STALE_DATA
    quoting.show_books(3)
    assert len(quoting.venue.orders) == 6


def test_heartbeats_say_that_a_quiet_market_is_no_dead_feed(quoting: Host) -> None:
    for _ in range(30):
        quoting.now += SECOND
        quoting.maker.take(Heartbeat(received_at=quoting.now, symbol=SYMBOL))
        quoting.maker.wake()
    assert len(quoting.venue.orders) == 6


def test_without_wake_ups_and_facts_nothing_happens(quoting: Host) -> None:
    """The machine has no clock: a host that stops calling leaves its quotes in the book."""
    quoting.now += 3600 * SECOND
    assert len(quoting.venue.orders) == 6


# -- wrong ----------------------------------------------------------------------------------------------------------


def test_a_fact_that_makes_no_sense_holds_its_side_and_the_books_are_compared_again(quoting: Host) -> None:
    """Nothing is raised, nothing is booked; the host's program goes on."""
    bid = next(name for name in quoting.placed() if quoting.venue.orders[name].side is Side.BID)
    position = quoting.machine.context.base_position
    asked = quoting.kinds().count(QueryOpenOrders)
    quoting.maker.take(quoting.fill(bid, Decimal("NaN")))
    assert isinstance(quoting.results[-1].fact, MessageRefused) or any(
        isinstance(result.fact, MessageRefused) for result in quoting.results[-8:]
    )
    assert quoting.machine.context.base_position == position
    assert quoting.maker.refused_facts == 1
    quoting.show_books(3)
    assert quoting.kinds().count(QueryOpenOrders) + quoting.kinds().count(QueryOrder) > asked


def test_a_fact_about_another_market_is_refused(quoting: Host) -> None:
    quoting.maker.take(Heartbeat(received_at=quoting.now, symbol="BTC/USD"))
    assert quoting.maker.refused_facts == 1


def test_a_fact_that_comes_twice_counts_once(quoting: Host) -> None:
    fill = quoting.fill(quoting.placed()[0], Decimal("0.01"))
    quoting.maker.take(fill)
    position = quoting.machine.context.base_position
    quoting.maker.take(fill)
    assert quoting.machine.context.base_position == position
    assert quoting.machine.context.fill_count == 1


def test_a_rejection_is_ordinary(host: Host) -> None:
    """Post-only refusals are repriced, a bounded number of times, then the side is held for a while."""

    def refuse(intent: Intent) -> bool:
        if isinstance(intent, PlaceOrder):
            del host.venue.orders[intent.client_order_id]
            host.maker.take(
                OrderRejected(
                    received_at=host.now,
                    symbol=SYMBOL,
                    client_order_id=intent.client_order_id,
                    code=RejectionCode.POST_ONLY,
                )
            )
            return True
        return False

    host.silent = refuse
    host.show_books(8)
    assert host.machine.context.fault is None
    assert host.hold(Side.BID) is HoldReason.POST_ONLY_REJECTIONS
    assert len(host.placed()) < 60


def test_a_host_that_raises_leaves_an_unknown_outcome_and_the_rest_of_the_step_leaves(host: Host) -> None:
    """The request may have been sent before the host failed. What the exception says may be secret: nobody is told."""
    failed: list[str] = []

    def fails(intent: Intent) -> bool:
        if isinstance(intent, PlaceOrder) and not failed:
            failed.append(intent.client_order_id)
            return True
        return False

    host.fails = fails
    host.show_books(3)
    assert len(host.placed()) == 6
    assert host.status(failed[0]) is OrderStatus.UNKNOWN
    assert not any("hunter2" in repr(result) for result in host.results)
    assert any("ConnectionResetError" in repr(result.fact) for result in host.results)
    host.show_books(40)
    assert host.status(failed[0]) is OrderStatus.REJECTED  # looked for in vain, after the validity window


@pytest.mark.parametrize("kind", [CancelOrder, QueryOrder, QueryOwnTrades, QueryBalances, QueryOpenOrders])
def test_whatever_a_host_raises_on_is_done_again(kind: type[Intent]) -> None:
    """A cancel is followed by a question, a question by the same one."""
    host = Host()
    broken = [True]
    host.fails = lambda intent: isinstance(intent, kind) and broken[0]
    host.silent = lambda intent: isinstance(intent, PlaceOrder) and kind is QueryOrder
    host.show_books(10)
    if kind is CancelOrder:
        host.maker.request_stop(flatten=False, reason="enough")
    host.show_books(5)
    broken[0] = False
    host.show_books(70)
    assert host.kinds().count(kind) >= 2
    if kind is CancelOrder:
        assert host.maker.is_final
        assert host.venue.orders == {}
    else:
        assert len(host.venue.orders) == 6


def test_a_venue_that_refuses_every_cancel_never_keeps_the_hosts_thread(quoting: Host) -> None:
    """It refuses and says that the order is open, both at once. The machine asks again, call by call, till it helps."""
    answered: list[Intent] = []

    def refuse(intent: Intent) -> bool:
        if isinstance(intent, CancelOrder):
            quoting.venue.orders.update(resting)
            quoting.maker.take(
                CancelRefused(received_at=quoting.now, symbol=SYMBOL, client_order_id=intent.client_order_id)
            )
            answered.append(intent)
            return True
        return False

    resting = dict(quoting.venue.orders)
    quoting.silent = refuse
    quoting.maker.request_stop(flatten=False, reason="enough")
    quoting.pass_time(3)
    assert 0 < len(answered) <= 4 * 256
    assert len(quoting.venue.orders) == 6
    quoting.silent = lambda _: False
    quoting.pass_time(20)
    assert quoting.maker.is_final
    assert quoting.venue.orders == {}


def test_orders_cancelled_by_somebody_else_are_replaced(quoting: Host) -> None:
    name = quoting.placed()[0]
    del quoting.venue.orders[name]
    quoting.maker.take(
        OrderCanceled(
            received_at=quoting.now,
            symbol=SYMBOL,
            client_order_id=name,
            exchange_time=quoting.now,
            filled_quantity=Decimal(0),
        )
    )
    quoting.show_books(6)  # one refresh_interval_seconds, 5, and a book
    assert len(quoting.venue.orders) == 6


def test_a_failed_journal_places_nothing_more(quoting: Host) -> None:
    """A host that keeps its own records can say so; every order is cancelled."""
    quoting.maker.take(JournalFailed(received_at=quoting.now, reason="the disk is full"))
    assert quoting.venue.orders == {}


def test_placements_withheld_long_after_they_were_asked_for_are_taken_out_of_the_books(quoting: Host) -> None:
    """A record may fail after the interval in which orders are counted; orders that are not known are no matter."""
    quoting.maker.take(
        JournalFailed(
            received_at=quoting.now, reason="the disk is full", withheld=(*quoting.placed(), *(["nobody's"] * 20))
        )
    )
    assert quoting.machine.context.orders.count == 0
    assert quoting.machine.context.fault is not None


def test_a_venue_without_a_machine_says_so() -> None:
    venue = HostVenue(lambda _: None, lambda: 0)
    with pytest.raises(RuntimeError, match="Attach one first"):
        venue.give(Heartbeat(received_at=0, symbol=SYMBOL))
    assert venue.wake_at is None
    venue.wake()
