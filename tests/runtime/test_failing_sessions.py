"""A bug ends one market's stepping, at whatever step: nothing that waited leaves after the cancels, nothing is left."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from attrs import define, evolve, field

from mm_fsm.core.messages import CancelOrder, Fact, Intent, PlaceOrder
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.results import StepResult, StrategyResult
from mm_fsm.runtime.journal import Journal, JournalReader
from mm_fsm.runtime.pushed_session import ConnectedMarket, PushedSession, pushed_session
from mm_fsm.runtime.releasing import PlacementsWait
from mm_fsm.venues.paper import PaperAccount, PaperSettings
from mm_fsm.venues.scripted import AcceptingBook, PlayedVenue
from tests.money.markets import SECOND, START, book, configuration
from tests.runtime.journal.scenario import begin, plan_at

SETTINGS = configuration(warm_up_samples=2, volatility_sample_seconds=1.0)
MOMENTS = ("before the step", "after the step", "when its result is told")
EVENTS_A_RECORD = 2
"""Things that happen while a record is being written."""


class BugError(Exception):
    """Nobody expected it."""


@define
class Breaking:
    """A machine that breaks in one of its steps; number 0 never comes."""

    machine: MarketMakingStateMachine
    number: int = 0
    moment: str = ""
    steps: int = field(default=0, init=False)

    def step(self, fact: Fact) -> StepResult:
        self.steps += 1
        self.break_at("before the step")
        result = self.machine.step(fact)
        self.break_at("after the step")
        return result

    def break_at(self, moment: str) -> None:
        if self.steps == self.number and moment == self.moment:
            raise BugError(moment)

    @property
    def is_final(self) -> bool:
        return self.machine.is_final

    def result(self) -> StrategyResult:
        return self.machine.result()


@define
class Records:
    """Each record is durable some events after it was handed over."""

    pending: deque[tuple[int, asyncio.Future[None]]] = field(factory=deque)
    now: int = 0

    def durable(self, _: StepResult) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.pending.append((self.now + EVENTS_A_RECORD, future))
        return future

    async def pass_event(self) -> None:
        self.now += 1
        while self.pending and self.pending[0][0] <= self.now:
            future = self.pending.popleft()[1]
            if not future.done():
                future.set_result(None)
        for _ in range(3):
            await asyncio.sleep(0)


@define
class Left:
    """What has left for the venue, in order."""

    venue: PlayedVenue
    intents: list[Intent] = field(factory=list)

    def note(self) -> None:
        submit = self.venue.submit

        def note_and_submit(intents: Sequence[Intent], now: int) -> None:
            self.intents += intents
            submit(intents, now)

        self.venue.submit = note_and_submit  # type: ignore[method-assign]

    @property
    def placed_after_a_cancel(self) -> list[str]:
        gone: set[str] = set()
        late = []
        for intent in self.intents:
            if isinstance(intent, CancelOrder):
                gone.add(intent.client_order_id)
            elif isinstance(intent, PlaceOrder) and intent.client_order_id in gone:
                late.append(intent.client_order_id)
        return late


async def play(number: int, moment: str) -> tuple[Breaking, PushedSession, object, Left]:
    """Seven seconds of a market that moves every second; the machine breaks in one of its steps."""
    account = SETTINGS.venue
    assert isinstance(account, PaperAccount)
    account = evolve(account, exchange=PaperSettings(order_latency_seconds=0.05, response_latency_seconds=0.05))
    prices = [Decimal(2500) + Decimal(n % 5) for n in range(7)]
    exchange = account.on([book(n, str(price), str(price + Decimal("0.1"))) for n, price in enumerate(prices)])
    venue, records = PlayedVenue(exchange), Records()
    left = Left(venue)
    left.note()
    machine = MarketMakingStateMachine(SETTINGS.strategy, account.instrument, account.fees, account.balances)
    breaking = Breaking(machine, number, moment)
    market = ConnectedMarket(configuration=SETTINGS, venue=venue, terms=exchange.terms)
    session = pushed_session(
        market,
        machine,
        breaking,
        lambda *_: breaking.break_at("when its result is told"),
        release=PlacementsWait(records.durable),
    )
    venue.attach(SETTINGS.symbol, session.runner.take, {})
    while venue.go_on() and venue.now() < START + 8 * SECOND:
        await records.pass_event()
    for _ in range(20):
        venue.go_on()
        await records.pass_event()
    await session.runner.settle(1)
    return breaking, session, exchange, left


def test_the_market_is_made_and_placements_do_wait() -> None:
    breaking, session, _, left = asyncio.run(play(0, ""))
    assert session.runner.failure is None
    assert breaking.steps >= 24
    assert sum(isinstance(intent, PlaceOrder) for intent in left.intents) > 10


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("first", range(1, 25, 6))
def test_whichever_step_breaks_nothing_rests_and_nothing_leaves_after_its_cancel(first: int, moment: str) -> None:
    for number in range(first, first + 6):
        _, session, exchange, left = asyncio.run(play(number, moment))
        assert isinstance(session.runner.failure, BugError), number
        assert exchange.exchange.open_orders == (), (number, moment)  # type: ignore[attr-defined]
        assert left.placed_after_a_cancel == [], (number, moment)


# -- a venue that answers at once ----------------------------------------------------------------------------------


class Eager:
    """A venue that answers while it takes an intent, as one does that refuses an order without asking anybody."""

    def __init__(self, book_of_orders: AcceptingBook) -> None:
        self.book = book_of_orders
        self.time = START
        self.take: Callable[[Fact], None] = lambda _: None
        self.sent: list[Intent] = []

    def submit(self, intents: Sequence[Intent], now: int) -> None:
        del now
        for intent in intents:
            self.sent.append(intent)
            self.take(self.book.answer(intent, self.time))

    def attach(self, symbol: str, take: Callable[[Fact], None], known_ids: Mapping[str, str]) -> None:
        del symbol, known_ids
        self.take = take

    def now(self) -> int:
        return self.time

    def call_at(self, time: int, call: Callable[[], None]) -> Callable[[], None]:
        del time, call
        return lambda: None


@pytest.mark.parametrize("number", range(1, 20))
def test_an_answer_that_comes_while_others_are_still_to_leave_lets_no_cancel_overtake_them(number: int) -> None:
    """Two placements become durable together; the answer to the first is what the machine breaks on."""

    async def scenario() -> Eager:
        account = SETTINGS.venue
        assert isinstance(account, PaperAccount)
        venue, records = Eager(AcceptingBook(account.balances)), Records()
        machine = MarketMakingStateMachine(SETTINGS.strategy, account.instrument, account.fees, account.balances)
        breaking = Breaking(machine, number, "before the step")
        market = ConnectedMarket(configuration=SETTINGS, venue=venue, terms=account.on([]).terms)  # type: ignore[arg-type]
        release = PlacementsWait(records.durable)
        session = pushed_session(market, machine, breaking, lambda *_: None, release=release)
        venue.take = session.runner.take
        for second in range(12):
            venue.time = START + second * SECOND
            session.runner.take(book(second, str(2500 + second % 5), str(2500 + second % 5 + Decimal("0.1"))))
            for _ in range(EVENTS_A_RECORD):
                await records.pass_event()
        assert session.runner.failure is not None
        return venue

    venue = asyncio.run(scenario())
    assert venue.book.orders == {}


# -- what the journal says -----------------------------------------------------------------------------------------


def test_the_journal_names_the_placements_that_never_left(tmp_path: Path) -> None:
    """And those that did are cancelled."""

    async def scenario(journal: Journal) -> Eager:
        account = SETTINGS.venue
        assert isinstance(account, PaperAccount)
        venue, records = Eager(AcceptingBook(account.balances)), Records()
        machine = MarketMakingStateMachine(SETTINGS.strategy, account.instrument, account.fees, account.balances)
        breaking = Breaking(machine)
        market = ConnectedMarket(configuration=SETTINGS, venue=venue, terms=account.on([]).terms)  # type: ignore[arg-type]
        session = pushed_session(
            market, machine, breaking, lambda *_: None, journal=journal, release=PlacementsWait(records.durable)
        )
        venue.take = session.runner.take
        second = 0
        while not records.pending:
            second += 1
            venue.time = START + second * SECOND
            session.runner.take(book(second, str(2500 + second % 5), str(2500 + second % 5 + Decimal("0.1"))))
        breaking.number, breaking.moment = breaking.steps + 1, "before the step"
        session.runner.take(book(second + 1, "2500", "2500.1"))
        assert {order.client_order_id for order in machine.context.orders.live()} != set()
        expected = sorted(order.client_order_id for order in machine.context.orders.live())
        with JournalReader(journal.path) as reader:
            assert reader.about[f"failure of {journal.session}"] == (
                f"BugError('before the step'); placements that waited and never left: {expected}"
            )
        return venue

    with begin(plan_at(tmp_path / "run.journal")) as run:
        venue = asyncio.run(scenario(run.journal))
    assert venue.book.orders == {}
    assert not [intent for intent in venue.sent if isinstance(intent, PlaceOrder)]
