"""A machine decides the same on its table and on python-statemachine's engine, which is the reference.

Whole results are compared, step by step: transitions, reasons, intents, faults and wake times; then the books.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mm_fsm.chart import EdgeDefinition, ExecutorKind
from mm_fsm.core.messages import PlaceOrder
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.observers import MachineObserver
from mm_fsm.runtime.paper_run import run_on_paper
from mm_fsm.testing.driving.machines import stop_request, timer
from tests.coverage.recording import Seen, nobody_watching, recording
from tests.machine import test_raising as raising
from tests.machine.bench import Bench
from tests.machine.storm import Operation, Storm, operations, sessions
from tests.machine.test_random_facts import Session
from tests.testing.faulty import Thermostat

EXECUTORS = ("engine", "table")


def on(executor: str, machine: type[MarketMakingStateMachine] = MarketMakingStateMachine) -> Any:
    """The class, with the executor chosen."""
    return partial(machine, executor=executor)


class Log(MachineObserver):
    """Everything that an observer is told, in order."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []

    def step_began(self, state: str, fact: object) -> None:
        self.told.append(("step", state, fact))

    def guard_was_asked(self, edge: EdgeDefinition, guard: str, outcome: bool) -> None:
        self.told.append(("guard", edge.id, guard, outcome))

    def transition_began(self, state: str, event: str) -> None:
        self.told.append(("began", state, event))

    def transition_was_taken(self, transition: object, time: int) -> None:
        self.told.append(("taken", transition, time))

    def command_was_refused(self, state: str, command: str) -> None:
        self.told.append(("refused", state, command))

    def step_ended(self, result: object) -> None:
        self.told.append(("ended", result))


def account(bench: Bench) -> tuple[object, ...]:
    """Everything that a run has decided."""
    machine = bench.machine
    return (
        bench.results,
        machine.chart_state,
        machine.transition_counts,
        machine.durations_until_now(),
        machine.context.digest(),
        machine.context.ledger.snapshot(),
    )


@settings(max_examples=25)
@given(session=sessions(), story=st.lists(operations(), min_size=5, max_size=40))
def test_random_runs_are_the_same(session: Session, story: list[Operation]) -> None:
    found = [account(Storm(session, machine=on(executor)).play(story)) for executor in EXECUTORS]
    assert found[0] == found[1]


@pytest.mark.parametrize("seed", [1, 2])
def test_simulated_sessions_are_the_same_step_by_step(seed: int) -> None:
    told = []
    for executor in EXECUTORS:
        log = Log()
        machine: Any = on(executor)
        with nobody_watching():
            run_on_paper(machine, observers=(log,), seconds=120, seed=seed)
        told.append(log.told)
    assert told[0] == told[1]
    assert sum(kind == "taken" for kind, *_ in told[0]) > 20


@settings(max_examples=10)
@given(session=sessions(), story=st.lists(operations(), min_size=5, max_size=30))
def test_an_observer_is_told_the_same_in_the_same_order(session: Session, story: list[Operation]) -> None:
    told = []
    for executor in EXECUTORS:
        storm, log = Storm(session, machine=on(executor)), Log()
        storm.bench.machine.observe(log)
        storm.play(story)
        told.append(log.told)
    assert told[0] == told[1]
    assert {"step", "guard", "ended"} <= {kind for kind, *_ in told[1]}


# -- what raises ------------------------------------------------------------------------------------------------------


def told(call: raising.Call, ending: str, executor: str, error: type[BaseException]) -> tuple[object, ...]:
    """A story in which a guard or an action raises or is interrupted; an interrupted one is told on from there."""
    saboteur = raising.Saboteur(call, times=1, error=error)
    end, changes = raising.ENDINGS[ending]
    bench = raising.new_bench(saboteur, is_of_methods=True, executor=executor, **changes)
    interrupted = []
    for part in (raising.begin, end):
        try:
            part(bench)
        except KeyboardInterrupt as interruption:
            interrupted.append((str(interruption), bench.state, len(bench.results)))
            if part is raising.begin:
                end(bench)
            else:
                bench.run(30, step=10)
    assert saboteur.struck_in
    placed = [intent for result in bench.results for intent in result.intents if isinstance(intent, PlaceOrder)]
    return (*account(bench), interrupted, len(placed))


@pytest.mark.parametrize("error", [raising.SabotageError, KeyboardInterrupt])
@pytest.mark.parametrize(("call", "ending"), raising.cases(is_of_methods=True))
def test_what_a_guard_or_an_action_raises_leads_to_the_same(
    call: raising.Call, ending: str, error: type[BaseException]
) -> None:
    assert told(call, ending, "table", error) == told(call, ending, "engine", error)


class Stopped(Thermostat):
    """Every kind of callback on the way to a stop, and something that interrupts one of them."""

    command = "stop"

    stop = Thermostat.off.from_.any(
        but=(Thermostat.off, Thermostat.broken), command=True, before="note", on="note_on", after="note_after"
    )

    def __init__(self, executor: str, interrupted: str = "", error: type[BaseException] = KeyboardInterrupt) -> None:
        super().__init__(executor=executor)
        self.interrupted = interrupted
        self.error = error
        self.notes: list[tuple[str, str]] = []

    def is_cold(self) -> bool:
        return not any(name == "cool" for name, _ in self.notes)

    def _hear(self, name: str) -> None:
        self.notes.append((name, self.chart_state))
        if name == self.interrupted:
            self.interrupted = ""
            raise self.error(name)

    def note(self) -> None:
        self._hear("note")

    def note_on(self) -> None:
        self._hear("note_on")

    def note_after(self) -> None:
        self._hear("note_after")

    def cool(self) -> None:
        self._hear("cool")
        super().cool()

    def on_enter_off(self) -> None:
        self._hear("on_enter_off")


@pytest.mark.parametrize("name", ["note", "cool", "note_on", "on_enter_off", "note_after"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, ArithmeticError])
def test_a_command_that_is_broken_in_any_of_its_callbacks_ends_alike(name: str, error: type[BaseException]) -> None:
    found = []
    for executor in EXECUTORS:
        machine = Stopped(executor)
        machine.step(timer(machine))
        assert machine.chart_state == "on"
        machine.interrupted, machine.error = name, error
        results: list[object] = []
        for fact_for in (stop_request, timer, timer):
            try:
                results.append(machine.step(fact_for(machine)))
            except KeyboardInterrupt as interruption:
                results.append((str(interruption), machine.chart_state))
        found.append((results, machine.notes, machine.chart_state))
    assert found[0] == found[1]


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("name", ["note", "cool", "note_on", "on_enter_off", "note_after"])
def test_a_command_that_is_interrupted_anywhere_is_carried_out_with_the_next_fact(executor: str, name: str) -> None:
    """Also in ``after``: what was interrupted counts as not done, so nothing of it is lost."""
    machine = Stopped(executor)
    machine.step(timer(machine))
    machine.interrupted = name
    with pytest.raises(KeyboardInterrupt):
        machine.step(stop_request(machine))
    assert machine.chart_state == "on"
    result = machine.step(timer(machine))
    assert [transition.event for transition in result.transitions] == ["stop"]
    assert machine.chart_state == "off"


@pytest.mark.parametrize("executor", EXECUTORS)
def test_an_initial_state_that_cannot_be_entered_is_a_fault_and_an_interrupted_one_is_entered_again(
    executor: str,
) -> None:
    broken = Stopped(executor, "on_enter_off", ArithmeticError)
    result = broken.step(timer(broken))
    assert [fault.reason.partition(",")[0] for fault in result.faults] == [
        "entering 'off': ArithmeticError: on_enter_off"
    ]
    assert [(one.source, one.target) for one in result.transitions] == [("off", "broken")]
    interrupted = Stopped(executor, "on_enter_off")
    with pytest.raises(KeyboardInterrupt):
        interrupted.step(timer(interrupted))
    assert interrupted.chart_state == "off"
    interrupted.step(timer(interrupted))
    assert [name for name, _ in interrupted.notes] == ["on_enter_off", "on_enter_off"]
    assert interrupted.chart_state == "on"


# -- who looks on -----------------------------------------------------------------------------------------------------


def seen_on(executor: str) -> Seen:
    with recording(MarketMakingStateMachine) as seen:
        machine: Any = on(executor)
        run_on_paper(machine, seconds=180)
    return seen


def test_coverage_counts_the_same() -> None:
    engine, table = (seen_on(executor) for executor in EXECUTORS)
    assert table.chart.hits == engine.chart.hits
    assert table.edges["idle.ready"]
    assert table.answers["quotes_went_stale", "quotes_stale", True]


class Weather(Thermostat):
    """Cold when the test says so."""

    cold = False

    def is_cold(self) -> bool:
        return self.cold


@pytest.mark.parametrize("executor", EXECUTORS)
def test_an_event_sent_past_a_machine_is_counted_on_either(executor: str) -> None:
    """On a table it is the reference engine that the event is sent to; the machine then goes on by its table."""
    with recording(Weather) as seen:
        machine = Weather(executor=executor)
        machine.step(timer(machine))
        machine.engine.send("too_warm")
        machine.cold = True
        machine.step(timer(machine))
        machine.engine.send("too_cold")
    assert seen.edges == {"off.too_cold": 1}
    assert seen.sneaks == {("off", "too_warm"), ("on", "too_cold")}


def test_the_reference_engine_shows_the_state_of_a_machine_on_its_table() -> None:
    machine = Weather()
    assert machine.stepper.executor is ExecutorKind.TABLE
    assert [state.id for state in machine.engine.configuration] == ["off"]
    assert machine.sequence == 0
    machine.cold = True
    machine.step(timer(machine))
    assert [state.id for state in machine.engine.configuration] == ["on"] == [machine.chart_state]
    assert machine.heating.is_heating


def test_looking_at_the_engine_enters_nothing() -> None:
    machine = Stopped("table")
    assert machine.engine.current_state_value == "off"
    assert machine.notes == []


@pytest.mark.parametrize("executor", ["", "Engine", "async", None])
def test_an_unknown_executor_is_refused(executor: Any) -> None:
    with pytest.raises(ValueError, match="executor: expected 'table' or 'engine', found"):
        Thermostat(executor=executor)


def test_a_guard_that_changes_its_answer_between_gate_and_engine_is_a_fault_there_and_asked_once_on_the_table() -> None:
    def machine_on(executor: str) -> tuple[Any, list[bool]]:
        asked: list[bool] = []
        machine = Thermostat(executor=executor)

        def is_cold() -> bool:
            asked.append(not asked)
            return asked[-1]

        machine.is_cold = is_cold  # type: ignore[method-assign]
        machine.stepper.gate.bind(machine.definition, machine)
        return machine.step(timer(machine)), asked

    result, _ = machine_on("engine")
    assert [fault.code.value for fault in result.faults] == ["guard"]
    assert "gate and engine disagree on event 'too_cold' in 'off'" in result.faults[0].reason
    result, asked = machine_on("table")
    assert result.faults == ()
    assert result.transitions[0].event == "too_cold"
    assert asked[0] is True
