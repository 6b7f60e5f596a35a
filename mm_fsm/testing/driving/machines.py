"""Drives our machines as they run: by their steps, with gate, executor, books and services.

A machine that fires by itself passes through states that it cannot rest in; what is taken there is taken in one step
with the edge before it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from mm_fsm.books.facts import StopRequested, Timer
from mm_fsm.chart import EdgeDefinition
from mm_fsm.core.messages import Fact
from mm_fsm.coverage.reading import read_chart
from mm_fsm.machine.observers import MachineObserver
from mm_fsm.machine.results import StepResult, TransitionRecord
from mm_fsm.machine.strategy import StrategyMachine
from mm_fsm.runtime.journal.snapshots import write_snapshot
from mm_fsm.testing.driving.answers import answers_for_rest
from mm_fsm.testing.driving.driver import Condition, Driven, Driver, Forced, Real, Steering, Then
from mm_fsm.testing.problems import UnsupportedChartError

FactFor = Callable[[Any], Fact]
"""Makes a fact for the machine as it stands."""


def timer(machine: StrategyMachine) -> Fact:
    """A fact that says nothing but that a nanosecond has passed."""
    return Timer(received_at=machine.now + 1)


def stop_request(machine: StrategyMachine) -> Fact:
    """A request to stop, a nanosecond later."""
    return StopRequested(received_at=machine.now + 1, reason="a test asks for it")


COMMANDS: Final[Mapping[str, FactFor]] = MappingProxyType({"stop": stop_request})
"""Facts that carry the commands that every strategy has."""


class MachineDriver(Driver):
    """Drives a machine of ours by its steps.

    Args:
        chart: the machine's class.
        make: makes a machine that has not taken a step.
        prepare: brings its books where they should be before the first edge, by steps; forced guards hold it in its
            initial state meanwhile. By default it takes one step with ``tick``.
        conditions: how each guard is made true or false on the machine; None to force them.
        tick: the fact of a step in which the machine moves by itself.
        commands: by event, the fact that carries a command. Where guards are forced, the event of faults needs none:
            a guard raises.
    """

    def __init__(
        self,
        chart: type[StrategyMachine],
        make: Callable[[], StrategyMachine],
        *,
        prepare: Callable[[Any], object] | None = None,
        conditions: Mapping[str, Condition] | None = None,
        tick: FactFor = timer,
        commands: Mapping[str, FactFor] = COMMANDS,
    ) -> None:
        super().__init__(read_chart(chart))
        self._chart = chart
        self._make = make
        self._prepare = prepare
        self._conditions = conditions
        self._tick = tick
        self.commands = commands

    def start(self, *places: int, then: Then | None = None) -> MachineDriven:
        """A new machine, which has entered its initial state and taken these edges; without edges it has not stepped.

        Raises:
            UnsupportedChartError: what is made is no machine of that class, or has taken a step already.
        """
        machine = self._make()
        if type(machine) is not self._chart or machine.sequence:
            raise UnsupportedChartError(
                self.model.reference,
                f"make() gave {type(machine).__qualname__} after {getattr(machine, 'sequence', 0)} steps.",
                "Let it make a machine of this class that has not taken a step.",
            )
        steering = _FailingForced() if self._conditions is None else Real(self._conditions)
        if isinstance(steering, Forced):
            for name in self.model.definition.guard_names:
                setattr(machine, name, steering.guard(name))  # of this one machine; its class stays as it is
            machine.stepper.gate.bind(machine.definition, machine)
        driven = MachineDriven(self, steering, machine, self._tick, self.commands)
        if (places or then is not None) and self.rests_in(driven.active):
            self._enter_initial_state(driven)
        driven.take(*places, then=then)
        return driven

    def _enter_initial_state(self, driven: MachineDriven) -> None:
        """A machine enters its initial state with its first step."""
        if isinstance(driven.steering, Forced):
            driven.aim()
        if self._prepare is None:
            driven.step(self._tick(driven.machine))
        else:
            self._prepare(driven.machine)
        if driven.taken:
            raise driven.strayed([], "that it left its initial state, or took an edge in it, before its path began")

    def rests_in(self, active: Collection[str]) -> bool:
        """Not where an edge that fires by itself has no guard that can stop it."""
        return answers_for_rest(self.model, active) is not None

    def can_send_in(self, active: Collection[str]) -> bool:
        """Between any two transitions of a step, too."""
        return True

    def snapshot(self, driven: Driven) -> Mapping[str, object]:
        """Everything that later steps depend on, books included, as a journal would keep it.

        Raises:
            ValueError: the machine remembers something that a journal cannot keep.
        """
        values: Mapping[str, object] = driven.machine.remembered_values()
        own_classes = driven.machine.snapshot_classes
        return {name: write_snapshot({name: value}, own_classes) for name, value in values.items()}


class MachineDriven(Driven):
    """One machine of ours. ``results`` has what its steps gave."""

    def __init__(
        self,
        driver: Driver,
        steering: Steering,
        machine: StrategyMachine,
        tick: FactFor,
        commands: Mapping[str, FactFor],
    ) -> None:
        super().__init__(driver, steering)
        self.results: list[StepResult] = []
        self._machine = machine
        self._tick = tick
        self.commands = commands
        machine.observe(_Notice(self))

    @property
    def machine(self) -> Any:
        """The machine."""
        return self._machine

    @property
    def active(self) -> frozenset[str]:
        """The identifier of its state."""
        return frozenset([self._machine.chart_state])

    def send(self, event: str) -> None:
        """Send an event to the engine, past the machine."""
        self._machine.engine.send(event)

    def step(self, fact: Fact) -> StepResult:
        """Take one step and keep its result.

        Raises:
            FactRefusedError: the machine refuses the fact.
        """
        result = self._machine.step(fact)
        self.results.append(result)
        return result

    def runs_of(self, places: Sequence[int]) -> Iterator[Sequence[int]]:
        """A run ends where the machine can rest, or its path does."""
        run: list[int] = []
        for place in places:
            run.append(place)
            if self.driver.rests_in([self.model.definition.edges[place].target]):
                yield run
                run = []
        if run:
            yield run

    def noticed(self, place: int) -> None:
        """Where the path ends and the machine does not, this is the moment to do what is to be done there."""
        super().noticed(place)
        if self._goes_on:
            self.do_then()

    def fire(self, places: Sequence[int]) -> None:
        """Step with the fact that makes the first edge be taken."""
        edge = self.model.definition.edges[places[0]]
        if edge.event in self.commands:
            self.step(self.commands[edge.event](self._machine))
            return
        if edge.event == self.model.definition.fault_event and isinstance(self.steering, _FailingForced):
            self.steering.fails = True
        self.step(self._tick(self._machine))


class _FailingForced(Forced):
    """Guards that can be made to raise, once: until they are told again what to answer."""

    def __init__(self) -> None:
        super().__init__()
        self.fails = False

    def steer(self, answers: Mapping[str, bool], subject: object) -> None:
        self.fails = False
        super().steer(answers, subject)

    def guard(self, name: str) -> Callable[[], bool]:
        answer = super().guard(name)

        def answer_or_fail() -> bool:
            if self.fails:
                raise RuntimeError(f"guard {name!r} was made to fail, so that {name!r} leads to the fault state")
            return answer()

        return answer_or_fail


class _Notice(MachineObserver):
    """Tells a driven machine which edge was taken; of several with the same ends, the one that was asked last."""

    def __init__(self, driven: MachineDriven) -> None:
        self._driven = driven
        self._asked: EdgeDefinition | None = None
        self._places: dict[tuple[str, str, str], list[int]] = {}
        for place, edge in enumerate(driven.model.definition.edges):
            self._places.setdefault((edge.source, edge.event, edge.target), []).append(place)

    def guard_was_asked(self, edge: EdgeDefinition, guard: str, outcome: bool) -> None:  # noqa: FBT001
        self._asked = edge

    def transition_was_taken(self, transition: TransitionRecord, time: int) -> None:
        places = self._places[transition.source, transition.event, transition.target]
        edges = self._driven.model.definition.edges
        asked = [place for place in places if edges[place] is self._asked]
        self._driven.noticed((asked or places)[0])
