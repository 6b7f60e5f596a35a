"""A machine at rest that is told nothing new does not ask its settled guards, and decides what it would have decided.

The reference asks every guard after every fact: a machine whose guards somebody watches.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts import MarketTrade
from mm_fsm.chart import EdgeDefinition, settled
from mm_fsm.core.decisions import Hold
from mm_fsm.core.messages import Side
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.observers import MachineObserver
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.paper_run import run_on_paper
from mm_fsm.services.spreads import DefaultSpreadService
from tests.coverage.recording import nobody_watching
from tests.machine.bench import Bench
from tests.machine.scripted import services
from tests.machine.storm import Operation, Storm, operations, sessions
from tests.machine.test_random_facts import Session
from tests.strategies import SYMBOL


class EveryGuard(MachineObserver):
    """Watches the guards, so that all of them are asked."""

    def guard_was_asked(self, edge: EdgeDefinition, guard: str, outcome: bool) -> None:
        pass


class Account(MachineObserver):
    """What each step led to, the books after it, and how often the machine rested on."""

    def __init__(self, machine: MarketMakingStateMachine) -> None:
        self.steps: list[tuple[object, ...]] = []
        self.rests = 0
        self._machine = machine

    def step_ended(self, result: StepResult) -> None:
        context = self._machine.context
        statuses = [context.sides[side].status for side in Side]
        self.steps.append((result, statuses, context.digest()))
        self.rests += self._machine.stepper.bookkeeper.rests


def watched(machine: type[MarketMakingStateMachine], *, asks_all: bool, accounts: list[Account]) -> Any:
    """Makes machines whose steps are written down, in the two ways of asking guards."""

    def make(*arguments: Any, **keywords: Any) -> MarketMakingStateMachine:
        with nobody_watching():
            made = machine(*arguments, **keywords)
        if asks_all:
            made.observe(EveryGuard())
        accounts.append(Account(made))
        made.observe(accounts[-1])
        return made

    return make


quiet = st.lists(st.just(("quiet", ())), min_size=1, max_size=4)
story = st.lists(st.one_of(quiet, st.lists(operations(), min_size=1, max_size=3)), min_size=5, max_size=25)


class QuietStorm(Storm):
    """Shows the same market again now and then, a little later."""

    def _quiet(self) -> None:
        self.bench.later(0.4)
        self.bench.book()
        self.bench.later(0.1)
        price = self.bench.best[Side.BID]
        self.bench.tell(
            MarketTrade(
                received_at=self.bench.now, symbol=SYMBOL, price=price, size=Decimal("0.01"), taker_side=Side.ASK,
                trade_id="seen", exchange_time=self.bench.now,
            )
        )  # fmt: skip


@settings(max_examples=60)
@given(session=sessions(), story=story)
def test_random_runs_are_the_same(session: Session, story: list[list[Operation]]) -> None:
    accounts: list[Account] = []
    uptimes = []
    for asks_all in (True, False):
        make = watched(MarketMakingStateMachine, asks_all=asks_all, accounts=accounts)
        bench = QuietStorm(session, machine=make).play([each for part in story for each in part])
        uptimes.append(bench.machine.uptime)
    assert accounts[0].steps == accounts[1].steps
    assert uptimes[0] == uptimes[1]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_simulated_sessions_are_the_same_step_by_step(seed: int) -> None:
    accounts: list[Account] = []
    for asks_all in (True, False):
        run_on_paper(watched(MarketMakingStateMachine, asks_all=asks_all, accounts=accounts), seconds=200, seed=seed)
    assert accounts[0].steps == accounts[1].steps
    assert accounts[1].rests > 20, "the machine hardly rested: this shows nothing"


# -- what is asked all the same ----------------------------------------------------------------------------------------


def quoting(machine: Any = MarketMakingStateMachine, **changes: Any) -> Bench:
    """A machine that rests in MONITORING_ORDERS, where nobody watches the guards."""
    with nobody_watching():
        bench = Bench(machine=machine, **changes)
    bench.run(70)
    bench.settle()
    assert bench.state == "monitoring_orders"
    bench.later(0.1)
    bench.book()
    assert bench.state == "monitoring_orders"
    return bench


class Telling(MarketMakingStateMachine):
    """Its guard depends on what the books do not hold, and promises nothing."""

    asked = 0
    wants_out = False

    def quotes_stale(self) -> bool:
        self.asked += 1
        wanted, self.wants_out = self.wants_out, False
        return wanted or super().quotes_stale()


class Promising(Telling):
    """The same guard, with the promise."""

    @settled("services.spreads.are_quotes_stale")
    def quotes_stale(self) -> bool:
        return super().quotes_stale()


@pytest.mark.parametrize(("machine", "is_asked"), [(Telling, True), (Promising, False)])
def test_an_override_is_asked_unless_it_promises_again(machine: type[Telling], is_asked: bool) -> None:
    bench = quoting(machine)
    asked = bench.machine.asked
    bench.later(0.1)
    bench.book()
    assert bench.machine.stepper.bookkeeper.rests
    assert (bench.machine.asked > asked) is is_asked
    bench.machine.wants_out = True
    bench.later(0.1)
    bench.book()
    assert bool(bench.last.transitions) is is_asked


class Moody(DefaultSpreadService):
    """Holds the market for a reason that no book shows."""

    hold: Hold | None = None
    asked = 0

    def hold_market(self, context: MarketMakingContext) -> Hold | None:
        self.asked += 1
        return self.hold or super().hold_market(context)


def test_a_guard_is_asked_when_the_service_behind_it_promises_nothing() -> None:
    moody = Moody()
    bench = quoting(services=services(spreads=moody))
    asked = moody.asked
    bench.later(0.1)
    bench.book()
    assert moody.asked > asked
    bench.machine.services = services()
    asked = moody.asked
    bench.later(0.1)
    bench.book()
    assert moody.asked == asked


def test_a_rest_ends_with_another_price_old_data_and_changed_settings() -> None:
    bench = quoting()
    keeper = bench.machine.stepper.bookkeeper
    bench.later(0.1)
    bench.book()
    assert keeper.rests
    bench.later(0.1)
    bench.book(bench.best[Side.BID] - Decimal("0.01"))
    assert not keeper.rests
    bench.later(0.1)
    bench.book()
    assert keeper.rests
    bench.later(0.1)
    bench.beat()
    assert not keeper.rests, "only the market's books and trades say that nothing has changed"
    bench.context.settings = evolve(bench.context.settings, stale_data_seconds=5.0)
    bench.later(0.1)
    bench.book()
    assert not keeper.rests, "the deadlines are those of other settings"
    bench.wait(4.9)
    bench.later(0.2)
    bench.book()
    assert bench.context.market.confirmed_at == bench.now


def test_an_interruption_ends_a_rest() -> None:
    class Interrupted(Telling):
        def quotes_stale(self) -> bool:
            if self.wants_out:
                raise KeyboardInterrupt
            return super().quotes_stale()

    bench = quoting(Interrupted)
    bench.machine.wants_out = True
    bench.later(0.1)
    with pytest.raises(KeyboardInterrupt):
        bench.book()
    bench.machine.wants_out = False
    bench.later(0.1)
    bench.book()
    assert not bench.machine.stepper.bookkeeper.rests


def test_looking_before_the_first_fact_counts_no_time() -> None:
    """Who looks at times carried by facts, such as a journal's first snapshot, finds none: there is no time yet."""
    watched_early, reference = Bench(), Bench()
    assert watched_early.machine.uptime.total == 0
    for bench in (watched_early, reference):
        bench.book()
        bench.later(2)
        bench.book()
    assert watched_early.machine.uptime == reference.machine.uptime
    assert watched_early.machine.uptime.total == watched_early.now - (watched_early.machine.began_at or 0)
