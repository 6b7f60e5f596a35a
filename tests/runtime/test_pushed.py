"""The pushed driver takes the same steps as the pulled one, and its timers wake the machine when it is time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import define, field
from hypothesis import given, settings
from hypothesis import strategies as st

from mm_fsm.books.facts import Heartbeat, MarketBook, StopRequested, Timer
from mm_fsm.core.messages import Fact, Intent
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.pushed import PushedRunner
from mm_fsm.runtime.runner import SessionRunner
from mm_fsm.venues.paper import PaperExchange, PaperSettings, PaperVenue, paper_terms
from mm_fsm.venues.scripted import PlayedVenue
from mm_fsm.venues.unreliable import Faults, UnreliableVenue
from tests.runtime.journal.scenario import BALANCES, FEES, INSTRUMENT, SECOND, SYMBOL, make_market, settings_with

_rates = st.sampled_from([0.0, 0.1, 0.3])
faults = st.builds(
    Faults,
    request_lost=_rates,
    request_late=_rates,
    answer_lost=_rates,
    query_lost=_rates,
    fill_lost=_rates,
    fact_duplicated=_rates,
    fact_delayed=_rates,
    market_delayed=_rates,
    timeout_seconds=st.sampled_from([0.5, 2.0]),
    seed=st.integers(0, 10_000),
)


def maker() -> MarketMakingStateMachine:
    """A machine that is quick to begin and fills often."""
    return MarketMakingStateMachine(settings_with(session_seconds=25.0), INSTRUMENT, FEES, BALANCES)


def venue(seed: int, trouble: Faults, latency: float) -> PaperVenue:
    """A venue that does the same every time: all that is drawn at random follows from the seeds."""
    exchange = PaperExchange(
        INSTRUMENT,
        FEES,
        BALANCES,
        PaperSettings(order_latency_seconds=latency, response_latency_seconds=latency, seed=seed),
    )
    market = make_market(seed, duration_seconds=60.0)
    return PaperVenue(paper_terms(INSTRUMENT, FEES, BALANCES), market, UnreliableVenue(exchange, trouble))


def pulled(machine: MarketMakingStateMachine, seed: int, trouble: Faults, latency: float) -> list[StepResult]:
    return list(SessionRunner(machine, venue(seed, trouble, latency)).run())


def pushed(machine: MarketMakingStateMachine, seed: int, trouble: Faults, latency: float) -> list[StepResult]:
    played = PlayedVenue(venue(seed, trouble, latency))
    results: list[StepResult] = []
    runner = PushedRunner(machine, played, results.append)
    played.attach(SYMBOL, runner.take, {})
    while not machine.is_final:
        assert played.go_on()
    return results


@given(seed=st.integers(0, 1_000), trouble=faults, latency=st.sampled_from([0.0, 0.05, 0.5]))
@settings(max_examples=15, deadline=None)
def test_both_drivers_take_the_same_steps(seed: int, trouble: Faults, latency: float) -> None:
    """The same facts at the same times: every step, intent, wake-up and fault is the same, and so are the books."""
    one, other = maker(), maker()
    assert pulled(one, seed, trouble, latency) == pushed(other, seed, trouble, latency)
    assert one.context.digest() == other.context.digest()


@define
class ByHand:
    """A venue whose clock and timers are moved by hand, and that may answer while it takes an intent."""

    time: int = SECOND
    calls: list[tuple[int, Callable[[], None]]] = field(factory=list)
    sent: list[Intent] = field(factory=list)
    answer: Callable[[], None] | None = None

    def submit(self, intents: Sequence[Intent], now: int) -> None:
        self.sent += intents
        if self.answer is not None:
            self.answer()

    def now(self) -> int:
        return self.time

    def call_at(self, time: int, call: Callable[[], None]) -> Callable[[], None]:
        entry = (time, call)
        self.calls.append(entry)
        return lambda: self.calls.remove(entry)


def book(received_at: int) -> MarketBook:
    event = next(event for event in make_market() if isinstance(event, MarketBook))
    return MarketBook(
        received_at=received_at, symbol=SYMBOL, bids=event.bids, asks=event.asks, exchange_time=received_at
    )


def test_there_is_one_timer_at_the_time_the_machine_asks_for() -> None:
    """A step that asks for another time calls the earlier timer off; closing calls off the last."""
    hand = ByHand()
    machine = maker()
    runner = PushedRunner(machine, hand)
    for second in range(1, 4):
        hand.time = second * SECOND
        runner.take(book(hand.time))
        assert [time for time, _ in hand.calls] == [runner.wake_at]
    runner.close()
    assert hand.calls == []


def test_a_timer_that_comes_too_early_is_set_again_and_wakes_nobody() -> None:
    """A host's timer may round down; the machine is woken once its time has come, with the host's time."""
    hand = ByHand()
    results: list[StepResult] = []
    runner = PushedRunner(maker(), hand, results.append)
    runner.take(book(SECOND))
    ((wake_at, call),) = hand.calls
    hand.calls.clear()
    hand.time = wake_at - 1
    call()
    assert len(results) == 1
    ((again, call),) = hand.calls
    assert again == wake_at
    hand.calls.clear()
    hand.time = wake_at + 5
    call()
    assert results[-1].fact == Timer(received_at=wake_at + 5)


def test_a_fact_that_comes_while_intents_leave_follows_the_step() -> None:
    """No step begins before the one before it is over, however early an answer comes."""
    hand = ByHand()
    taken: list[Fact] = []

    def note(result: StepResult) -> None:
        taken.append(result.fact)

    runner = PushedRunner(maker(), hand, note)
    beat = Heartbeat(received_at=SECOND, symbol=SYMBOL)

    def answer() -> None:
        hand.answer = None
        runner.take(beat)
        assert taken == []  # the first step is not over yet

    hand.answer = answer
    first = book(SECOND)
    runner.take(first)
    assert taken == [first, beat]
    assert hand.sent


def test_a_stop_is_stamped_with_the_hosts_time() -> None:
    hand = ByHand()
    machine = maker()
    results: list[StepResult] = []
    runner = PushedRunner(machine, hand, results.append)
    runner.take(book(SECOND))
    hand.time = 9 * SECOND
    runner.request_stop(flatten=False, reason="enough")
    assert results[-1].fact == StopRequested(received_at=9 * SECOND, flatten=False, reason="enough")
    assert runner.now == 9 * SECOND
