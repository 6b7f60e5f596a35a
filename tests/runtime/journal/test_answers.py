"""The answers that a recovery waits for come late, twice, out of order, from another time: the books stay right."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import pytest
from attrs import define, evolve, field

from mm_fsm.books.facts import (
    BalancesReported,
    OpenOrdersReported,
    OrderCanceled,
    OrderStatusReported,
    OwnTradesReported,
    StopRequested,
)
from mm_fsm.books.order_lifecycle import OrderStatus
from mm_fsm.books.orders import OwnOrder
from mm_fsm.books.reconciliation import ReconciliationStage
from mm_fsm.core.messages import Fact, QueryOrder, ReportedOrder, ReportedStatus
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.journal import verify_run
from mm_fsm.runtime.recovery import OpenRun, RunPlan
from tests.runtime.journal.scenario import (
    SECOND,
    SYMBOL,
    World,
    assert_books_equal_account,
    begin,
    is_quoting,
    is_reconciled,
    kill,
    plan_at,
    quote_for,
    unheard,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.journal"


ANSWERS = (OpenOrdersReported, OwnTradesReported, BalancesReported)


@define
class Post(World):
    """A world whose answers pass through somebody's hands before they arrive."""

    handle: Callable[[Fact], list[tuple[int, Fact]]] = lambda fact: [(0, fact)]
    """What becomes of a fact: what arrives instead, each so many nanoseconds later."""
    held_back: list[Fact] = field(factory=list)

    def _advance(self, wake_at: int | None) -> list[Fact]:
        held = min((fact.received_at for fact in self.held_back), default=None)
        times = [time for time in (wake_at, held) if time is not None]
        arriving: list[Fact] = []
        for fact in World._advance(self, min(times, default=None)):
            for delay, each in self.handle(fact):
                if delay:
                    self.held_back.append(evolve(each, received_at=self.now + delay))
                else:
                    arriving.append(each)
        due = sorted((fact for fact in self.held_back if fact.received_at <= self.now), key=lambda f: f.received_at)
        self.held_back = [fact for fact in self.held_back if fact.received_at > self.now]
        return arriving + [evolve(fact, received_at=self.now) for fact in due]


@pytest.fixture
def plan(tmp_path: Path) -> RunPlan:
    return plan_at(tmp_path / "run.journal")


def begun(plan: RunPlan) -> Post:
    """A run that quoted and was killed; fills happened since."""
    world, run = Post(), begin(plan)
    world.run(run, 8)
    world.run(run, until=is_quoting)
    kill(run)
    world.pass_time(30)
    return world


def assert_ends_in_agreement(world: Post, run: OpenRun, plan: RunPlan) -> None:
    """Reconciled, quoting again, then stopped: nothing lost, doubled or left behind, and all of it on record."""
    world.run(run, until=is_reconciled(run))
    placed = len(world.placements)
    world.run(run, 12)
    assert len(world.placements) > placed
    world.tell(run, StopRequested(received_at=0, flatten=False, reason="enough"))
    world.run(run)
    assert run.machine.is_final
    assert run.machine.machine.result().success
    assert world.exchange.open_orders == ()
    assert_books_equal_account(run, world)
    run.close()
    assert verify_run(plan.path).is_clean


@pytest.mark.parametrize("kind", ANSWERS)
def test_every_answer_of_one_kind_comes_twice(plan: RunPlan, kind: type[Fact]) -> None:
    world = begun(plan)
    world.handle = lambda fact: [(0, fact), (0, fact)] if isinstance(fact, kind) else [(0, fact)]
    assert_ends_in_agreement(world, begin(plan), plan)


@pytest.mark.parametrize("kind", ANSWERS)
def test_every_answer_of_one_kind_comes_again_long_after(plan: RunPlan, kind: type[Fact]) -> None:
    """Two seconds later, when other questions have been asked and orders have come and gone."""
    world = begun(plan)
    world.handle = lambda fact: [(0, fact), (2 * SECOND, fact)] if isinstance(fact, kind) else [(0, fact)]
    assert_ends_in_agreement(world, begin(plan), plan)


@pytest.mark.parametrize("kind", ANSWERS)
def test_answers_of_one_kind_come_when_they_were_given_up(plan: RunPlan, kind: type[Fact]) -> None:
    """Asked again after one second, answered after 2.5: what arrives is always the answer to an earlier question."""
    world = begun(plan)
    world.handle = lambda fact: [(5 * SECOND // 2, fact)] if isinstance(fact, kind) else [(0, fact)]
    assert_ends_in_agreement(world, begin(plan), plan)


@pytest.mark.parametrize("order", [*permutations(ANSWERS)], ids=lambda order: "-".join(kind.__name__ for kind in order))
def test_answers_that_the_process_before_asked_for_arrive_in_any_order(
    plan: RunPlan, order: tuple[type[Fact], ...]
) -> None:
    """What the venue said before the orders filled and before the kill comes first, as if it were the answer now."""
    world, old = Post(), {}
    run = begin(plan)

    def remember(fact: Fact) -> list[tuple[int, Fact]]:
        if isinstance(fact, ANSWERS):
            old[type(fact)] = fact
        return [(0, fact)]

    world.handle = remember
    world.run(run, 8)
    world.run(run, until=is_quoting)
    kill(run)
    world.pass_time(30)
    world.handle = lambda fact: [(0, fact)]
    run = begin(plan)
    for kind in order:
        world.tell(run, old[kind])
    assert_ends_in_agreement(world, run, plan)


def test_an_answer_about_later_trades_only_ends_no_question(path: Path) -> None:
    """Trades since a moment ago say nothing of those before it: what was asked for is still to come."""
    world, plan = quote_for(path, 20)
    world.hears = unheard(OwnTradesReported)
    run = begin(plan)
    state = run.machine.machine.context.reconciliation
    world.run(run, until=lambda _: state.stage is ReconciliationStage.TRADES and state.is_answer_awaited)
    known_until = state.trades_known_until
    later = OwnTradesReported(received_at=0, symbol=SYMBOL, fills=(), since=world.now - 1, until=world.now)
    world.tell(run, later)
    assert state.stage is ReconciliationStage.TRADES
    assert state.is_answer_awaited
    assert state.trades_known_until == known_until
    run.close()


def asked_about_open_orders(path: Path) -> tuple[World, OpenRun, OwnOrder]:
    """A run that quotes and has just asked which orders are open, and a bid of it that rests, a while later."""
    world, run = World(), begin(plan_at(path))
    context = run.machine.machine.context
    state = context.reconciliation

    def has_asked(_: StepResult) -> bool:
        is_asking = state.is_complete and state.is_answer_awaited and state.stage is ReconciliationStage.OPEN_ORDERS
        return is_asking and any(order.is_resting and order.changed_at < context.now for order in context.orders.live())

    world.run(run, until=has_asked)
    order = next(order for order in context.orders.live() if order.is_resting and order.changed_at < context.now)
    world.pass_time(0.02)
    return world, run, order


def open_orders(world: World, *orders: OwnOrder) -> OpenOrdersReported:
    """The venue's answer with these orders in it."""
    reported = tuple(
        ReportedOrder(
            client_order_id=order.client_order_id,
            venue_order_id=order.venue_order_id or "",
            side=order.side,
            price=order.price,
            quantity=order.quantity,
            filled_quantity=order.filled_quantity,
        )
        for order in orders
    )
    return OpenOrdersReported(received_at=0, symbol=SYMBOL, orders=reported, exchange_time=world.now)


def test_an_order_that_should_be_open_and_is_not_is_asked_about(path: Path) -> None:
    """Nobody said that it left: it is UNKNOWN, no more and no less, until a query tells."""
    world, run, order = asked_about_open_orders(path)
    result = world.tell(run, open_orders(world))
    assert order.status is OrderStatus.UNKNOWN
    assert any(isinstance(i, QueryOrder) and i.client_order_id == order.client_order_id for i in result.intents)
    run.close()


def test_an_answer_from_before_an_order_left_does_not_bring_it_back(path: Path) -> None:
    """The cancel was confirmed after the question was asked: that it was open when the venue looked says nothing."""
    world, run, order = asked_about_open_orders(path)
    listed = open_orders(world, order)
    left = OrderCanceled(
        received_at=0,
        symbol=SYMBOL,
        client_order_id=order.client_order_id,
        exchange_time=world.now,
        filled_quantity=order.filled_quantity,
    )
    world.tell(run, left)
    assert order.status is OrderStatus.CANCELED
    world.tell(run, listed)
    assert order.status is OrderStatus.CANCELED
    run.close()


def test_a_round_in_which_an_order_comes_alive_again_begins_anew(path: Path) -> None:
    """The balances of that moment say nothing: what is open may have moved between the questions."""
    world, plan = quote_for(path, 20)
    world.hears = unheard(BalancesReported)
    run = begin(plan)
    context = run.machine.machine.context
    state = context.reconciliation
    world.run(run, until=lambda _: state.stage is ReconciliationStage.BALANCES and state.is_answer_awaited)
    order = next(order for order in context.orders._finished.values() if order.status is OrderStatus.CANCELED)
    alive = OrderStatusReported(
        received_at=0,
        symbol=SYMBOL,
        client_order_id=order.client_order_id,
        status=ReportedStatus.OPEN,
        filled_quantity=order.filled_quantity,
        exchange_time=world.now,
    )
    world.tell(run, alive)
    world.tell(run, world.exchange.balances)
    assert not state.is_complete
    assert state.stage is ReconciliationStage.OPEN_ORDERS  # asked from the beginning
    world.hears = lambda _: True
    world.run(run, until=is_reconciled(run))
    assert_books_equal_account(run, world)
    run.close()
