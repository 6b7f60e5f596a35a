"""Our own machines: the gate tells every guard outcome, observers every edge, the engine what is sent past it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from mm_fsm.books.facts import StopRequested, Timer
from mm_fsm.books.order_lifecycle import OrderEvent, OrderLifecycle, OrderStatus, status_after
from mm_fsm.chart import State
from mm_fsm.chart.listeners import WATCHERS
from mm_fsm.core.messages import Fact
from mm_fsm.coverage.criteria import Criterion
from mm_fsm.errors import OrderLifecycleError
from mm_fsm.machine.bookkeeper import Bookkeeper
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.observers import MachineObserver
from mm_fsm.machine.results import StepResult
from mm_fsm.machine.strategy import StrategyMachine
from mm_fsm.runtime.paper_run import run_on_paper
from tests.coverage.recording import nobody_watching, recording


class Stoppable(Bookkeeper):
    """A request to stop carries the command."""

    def book(self, fact: Fact, admitted: object, *, is_final: bool) -> str | None:
        super().book(fact, admitted, is_final=is_final)
        return "stop" if isinstance(fact, StopRequested) else None


class Pump(StrategyMachine):
    """Fires by itself, twice from one state to the same other, and stops on command."""

    idle = State(initial=True)
    running = State(enter="run_dry")
    done = State(final=True)
    error = State(enter="warn")

    begin = idle.to(running, cond="has_work", unless="is_paused") | idle.to(running, cond="is_forced")
    finish = running.to(idle, unless="has_work")
    error_execution = error.from_.any(command=True)
    stop = done.from_(idle, error, command=True, cond="may_stop")

    def __init__(self) -> None:
        super().__init__(Stoppable())
        self.answers = {"has_work": False, "is_paused": False, "is_forced": False, "may_stop": True}
        self.fails = False
        self.wants: Any = None

    def has_work(self) -> bool:
        return self.answers["has_work"]

    def is_paused(self) -> bool:
        return self.answers["is_paused"]

    def is_forced(self) -> bool:
        return self.answers["is_forced"]

    def may_stop(self) -> bool:
        return self.answers["may_stop"]

    def run_dry(self) -> None:
        if self.fails:
            raise ArithmeticError

    def warn(self) -> None: ...

    def tick(self, **answers: bool) -> None:
        self.answers |= answers
        self.step(Timer(received_at=0))

    def ask_to_stop(self) -> None:
        self.step(StopRequested(received_at=0, flatten=False, reason="test"))


def test_guards_and_edges_are_counted_as_the_gate_asks_and_the_engine_moves() -> None:
    with recording(Pump) as seen:
        pump = Pump()
        pump.tick()
        pump.tick(has_work=True, is_paused=True)
        pump.tick(is_paused=False)
        pump.tick(has_work=False)
    assert seen.edges == {"idle.begin": 1, "running.finish": 1}
    assert seen.states == {"idle": 2, "running": 1}
    assert seen.pairs == {("begin", "finish")}
    # has_work: False, True, True on the first edge (and False once more at rest); is_paused twice; is_forced when the
    # first edge is refused.
    first = [hits for key, hits in sorted(seen.chart.hits.answers.items()) if key[:2] == (0, 0)]
    assert first == [2, 2]
    assert seen.answers["finish", "has_work", True] == 1
    assert seen.answers["finish", "has_work", False] == 1


def test_of_two_edges_with_the_same_ends_the_one_that_was_let_pass_is_counted() -> None:
    with recording(Pump) as seen:
        pump = Pump()
        pump.tick(is_forced=True, has_work=True, is_paused=True)
        pump.tick(is_forced=False, has_work=False)
        pump.tick(has_work=True, is_paused=False)
    taken = {seen.chart.model.edge_keys[place]: hits for place, hits in seen.chart.hits.edges.items()}
    assert taken == {
        "idle --begin [is_forced]--> running": 1,
        "running --finish [not has_work]--> idle": 1,
        "idle --begin [has_work and not is_paused]--> running": 1,
    }


def test_a_callback_that_fails_is_the_fault_edge_and_not_the_one_it_broke() -> None:
    with recording(Pump) as seen:
        pump = Pump()
        pump.fails = True
        pump.tick(has_work=True)
    assert seen.edges == {"idle.error_execution": 1}
    assert seen.states == {"idle": 1, "error": 1}


def test_a_command_that_no_edge_takes_is_an_attempt_in_vain() -> None:
    with recording(Pump) as seen:
        pump = Pump()
        pump.tick(has_work=True)
        pump.ask_to_stop()  # running has no edge for it
        pump.tick(has_work=False)
        pump.ask_to_stop()
        pump.ask_to_stop()  # the machine has ended
    assert seen.edges == {"idle.begin": 1, "running.finish": 1, "idle.stop": 1}
    assert seen.sneaks == {("running", "stop"), ("done", "stop")}


def test_a_command_that_a_guard_refuses_is_none() -> None:
    with recording(Pump) as seen:
        pump = Pump()
        pump.answers["may_stop"] = False
        pump.ask_to_stop()
    assert seen.sneaks == set()
    assert seen.answers["stop", "may_stop", False] == 1


def test_a_refused_command_after_which_something_happened_proves_nothing() -> None:
    with recording(Pump) as seen:
        pump = Pump()
        pump.tick(has_work=True)
        pump.answers["has_work"] = False
        pump.ask_to_stop()  # refused in running, but the machine goes on to idle in the same step
    assert seen.edges == {"idle.begin": 1, "running.finish": 1}
    assert seen.sneaks == set()


def test_events_sent_past_the_machine_are_seen_on_its_engine() -> None:
    with recording(Pump) as seen:
        pump = Pump()
        pump.engine.send("finish")
        pump.engine.send("begin")  # idle accepts it, its guards do not: not a cell
        pump.tick(has_work=True)
        pump.engine.send("begin")
    assert seen.edges == {"idle.begin": 1}
    assert seen.sneaks == {("idle", "finish"), ("running", "begin")}


def test_a_machine_without_a_step_has_entered_nothing() -> None:
    with recording(Pump) as seen:
        Pump()
    assert seen.states == {}


def test_nobody_is_told_when_nobody_records() -> None:
    with nobody_watching():
        with recording(Pump):
            assert len(WATCHERS) == 1
        assert WATCHERS == []
        pump = Pump()
        pump.tick(has_work=True)
    assert pump.chart_state == "running"


def test_the_order_lifecycle_is_counted_by_order() -> None:
    """Two orders go their own ways through the table; what is not declared is an attempt in vain."""
    with recording(OrderLifecycle) as seen:
        status_after("a", OrderStatus.PENDING_NEW, OrderEvent.ACKNOWLEDGE)
        status_after("b", OrderStatus.PENDING_NEW, OrderEvent.REJECT)
        status_after("a", OrderStatus.OPEN, OrderEvent.FILL_FULLY)
        with pytest.raises(OrderLifecycleError):
            status_after("a", OrderStatus.FILLED, OrderEvent.FILL_PARTLY)
    assert seen.edges == {"pending_new.acknowledge": 1, "pending_new.reject": 1, "open.fill_fully": 1}
    assert seen.pairs == {("acknowledge", "fill_fully")}
    assert seen.sneaks == {("filled", "fill_partly")}
    assert seen.states == {"pending_new": 2, "open": 1, "rejected": 1, "filled": 1}


def test_the_order_lifecycle_asks_for_every_cell_it_does_not_declare() -> None:
    """9 statuses and 13 events: what is not one of the declared edges is a cell."""
    with recording(OrderLifecycle) as seen:
        pass
    edges = seen.criterion(Criterion.TRANSITIONS).total
    assert seen.criterion(Criterion.SNEAK).total == 9 * 13 - edges


class Results(MachineObserver):
    """Keeps the result of every step."""

    def __init__(self) -> None:
        self.kept: list[StepResult] = []

    def step_ended(self, result: StepResult) -> None:
        self.kept.append(result)


def test_watching_changes_nothing() -> None:
    """A market maker that is watched gives, step by step, the results of one that is not."""
    plain, watched = Results(), Results()
    with nobody_watching():
        run_on_paper(MarketMakingStateMachine, observers=(plain,), seconds=120)
    with recording(MarketMakingStateMachine) as seen:
        run_on_paper(MarketMakingStateMachine, observers=(watched,), seconds=120)
    assert plain.kept == watched.kept
    taken = Counter(f"{one.source}.{one.event}" for result in plain.kept for one in result.transitions)
    assert seen.edges == taken
