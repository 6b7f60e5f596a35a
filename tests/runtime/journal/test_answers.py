"""The answers that a recovery waits for come late, twice, out of order, from another time: the books stay right."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import pytest
from attrs import define, evolve, field

from mm_fsm.core.messages import BalancesReported, Fact, OpenOrdersReported, OwnTradesReported, StopRequested
from mm_fsm.runtime.journal import verify_run
from mm_fsm.runtime.recovery import OpenRun, RunPlan
from tests.runtime.journal.scenario import SECOND, World, assert_books_equal_account, begin, is_quoting, kill, plan_at

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


def is_reconciled(run: OpenRun) -> Callable[[object], bool]:
    return lambda _: run.machine.machine.context.reconciliation.is_complete


def assert_ends_in_agreement(world: Post, run: OpenRun, plan: RunPlan) -> None:
    """Reconciled, quoting again, then stopped: nothing lost, doubled or left behind, and all of it on record."""
    world.run(run, until=is_reconciled(run))
    placed = len(world.placements)
    world.run(run, 12)
    assert len(world.placements) > placed
    world.tell(run, StopRequested(received_at=0, flatten=False, reason="enough"))
    world.run(run)
    assert run.machine.is_final
    assert run.machine.result().success
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
