"""Drives charts by their engine: any class of python-statemachine, and ours through ``chart_of``.

A foreign machine is put together while other entries stand where its class names guards and callbacks, so that guards
of every kind can be answered, methods, attributes, lambdas and expressions alike; afterwards the class is as it was.
Used of python-statemachine: ``CallbackSpec``, ``SpecListGrouper.add``, ``.list`` and ``.items``, all public; each has
a test of its own in tests/testing/driving/test_engine_contract.py.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import takewhile
from threading import RLock
from types import SimpleNamespace
from typing import Any, Final, cast

from statemachine import StateChart
from statemachine.callbacks import CallbackGroup, CallbackSpec, CallbackSpecList
from statemachine.exceptions import TransitionNotAllowed

from mm_fsm.chart import Chart, Gate, chart_of
from mm_fsm.chart.definition import NO_EVENT
from mm_fsm.coverage.reading import EngineReading, read_engine, read_engine_of
from mm_fsm.testing.driving.answers import answers_for_rest
from mm_fsm.testing.driving.driver import Condition, Driven, Driver, Forced, Real, Steering, Then
from mm_fsm.testing.problems import UnsupportedChartError

_STATE_FIELD: Final = "chart_state"
_NO_METHOD: Final = "_mm_fsm_no_method"
"""An entry by convention for a method that is not there is no callback."""
ERROR_EVENTS: Final = ("error_execution", "error.execution")
"""What python-statemachine sends when something has raised and it turns errors into events."""
PUT_TOGETHER_LOCK: Final = RLock()
"""Classes are changed for a moment; nobody else may put machines together then."""


class EngineDriver(Driver):
    """Drives a python-statemachine class.

    Args:
        chart: the class.
        make: makes one machine of that class; by default it is called without arguments.
        conditions: how each guard is made true or false on the machine; None to force them.
        stubbed: whether callbacks do nothing.
    """

    refusals: tuple[type[Exception], ...] = (TransitionNotAllowed,)

    def __init__(
        self,
        chart: type[StateChart[Any]],
        make: Callable[[], StateChart[Any]] | None = None,
        *,
        conditions: Mapping[str, Condition] | None = None,
        stubbed: bool = False,
    ) -> None:
        self._reading = read_engine(chart)
        super().__init__(self._reading.model)
        self._chart = chart
        self._make = make or chart
        self._conditions = conditions
        self._stubbed = stubbed

    def start(self, *places: int, then: Then | None = None) -> Driven:
        """A new machine, which has taken these edges.

        Raises:
            UnsupportedChartError: what is made is no machine of that class.
        """
        steering = Forced() if self._conditions is None else Real(self._conditions)
        driven = _EngineDriven(self, self._reading, steering)
        guard = steering.guard if isinstance(steering, Forced) else None
        with _put_together(self._reading, driven.notice, guard, stubbed=self._stubbed):
            at_once = driven.begin(self._make, places)
        if type(driven.machine) is not self._chart:
            raise UnsupportedChartError(
                self.model.reference,
                f"make() gave {type(driven.machine).__qualname__}, whose chart is its own.",
                "Let it make a machine of this class.",
            )
        driven.take(*places[at_once:], then=then)
        return driven

    def rests_in(self, active: Collection[str]) -> bool:
        """Not where an edge without an event has no guard that can stop it."""
        return answers_for_rest(self.model, active) is not None


class ChartDriver(Driver):
    """Drives one of our charts by its engine, and holds every edge against the gate as well.

    Args:
        chart: the chart.
        make: makes what has the guards and callbacks; by default callbacks do nothing.
        conditions: how each guard is made true or false on what ``make`` makes; None to force them.
    """

    def __init__(
        self,
        chart: type[Chart],
        make: Callable[[], object] | None = None,
        *,
        conditions: Mapping[str, Condition] | None = None,
    ) -> None:
        self._reading = read_engine_of(chart)
        super().__init__(self._reading.model)
        self._engine_class = chart_of(chart)
        self._make = make
        self._conditions = conditions

    def start(self, *places: int, then: Then | None = None) -> Driven:
        """A new engine, which has taken these edges."""
        steering = Forced() if self._conditions is None else Real(self._conditions)
        owner = self._make() if self._make else None
        driven = _ChartDriven(self, self._reading, steering, owner)
        with _put_together(self._reading, driven.notice, None, stubbed=False):
            driven.begin(lambda: self._engine_class(model=driven.puppet, state_field=_STATE_FIELD), ())
        driven.take(*places, then=then)
        return driven


class _EngineDriven(Driven):
    """One engine."""

    def __init__(self, driver: Driver, reading: EngineReading, steering: Steering) -> None:
        super().__init__(driver, steering)
        self._reading = reading
        self._engine: StateChart[Any] | None = None

    def begin(self, make: Callable[[], StateChart[Any]], places: Sequence[int]) -> int:
        """Make the engine, which takes the edges without an event with which a path begins at once; how many.

        Raises:
            StrayedError: it took others, or none.
        """
        edges = self.model.definition.edges
        at_once = list(takewhile(lambda place: edges[place].event == NO_EVENT, places))
        self._wanted = list(at_once)
        if isinstance(self.steering, Forced):
            self.aim()
        self._engine = make()
        if not self._engine.configuration_values:
            self._engine.activate_initial_state()  # an asynchronous engine leaves that to its maker
        self._wanted = []
        if places and self.taken != at_once:
            raise self.strayed(places, f"that it began with {[self.model.edge_keys[place] for place in self.taken]}")
        return len(at_once)

    @property
    def machine(self) -> Any:
        """The engine."""
        return self._engine

    @property
    def active(self) -> frozenset[str]:
        """The identifiers of the active states."""
        if self._engine is None:
            return frozenset(self.model.starts_in)
        return frozenset(self._reading.names[value] for value in self._engine.configuration_values)

    def send(self, event: str) -> None:
        """Send an event to the engine."""
        cast(Any, self._engine).send(event)

    def runs_of(self, places: Sequence[int]) -> Iterator[Sequence[int]]:
        """Edges without an event are taken in one go with the edge before them."""
        run: list[int] = []
        for place in places:
            if run and self.model.definition.edges[place].event != NO_EVENT:
                yield run
                run = []
            run.append(place)
        if run:
            yield run

    def fire(self, places: Sequence[int]) -> None:
        """Send the first edge's event."""
        self.send(self.model.definition.edges[places[0]].event)

    def notice(self, event_data: Any) -> None:
        """The engine's hook: a transition is complete."""
        transition, event = event_data.transition, event_data.event
        place = self._reading.edges.get((id(transition), None if event is None else str(event)))
        if place is not None:
            self.noticed(place)


class _ChartDriven(_EngineDriven):
    """One engine of a chart of ours, with the gate that a machine would have."""

    def __init__(self, driver: Driver, reading: EngineReading, steering: Steering, owner: object | None) -> None:
        super().__init__(driver, reading, steering)
        self._owner = owner
        definition = reading.model.definition
        self.puppet = SimpleNamespace(**{name: self._called(name) for name in definition.callback_names})
        """What the engine and the gate ask and call: the owner's methods, but for guards that are forced."""
        for name in definition.guard_names:
            guard = steering.guard(name) if isinstance(steering, Forced) else getattr(owner, name)
            setattr(self.puppet, name, guard)
        self._gate = Gate(definition, self.puppet)

    def _called(self, name: str) -> Callable[[], object]:
        """A callback, which is noted before it runs; without an owner it does nothing more."""
        run = _do_nothing if self._owner is None else getattr(self._owner, name)

        def call() -> object:
            self.calls.append(name)
            return run()

        return call

    @property
    def machine(self) -> Any:
        """What has the guards and callbacks, where there is something; else the engine."""
        return self._engine if self._owner is None else self._owner

    def fire(self, places: Sequence[int]) -> None:
        """Send the event that the gate lets pass."""
        edge = self.model.definition.edges[places[0]]
        (state,) = self.active
        if edge.command or not self.model.definition.automatic:
            chosen = self._gate.first_for_command(state, edge.event)
        else:
            chosen = self._gate.first_enabled(state)
        if chosen is not edge:
            raise self.strayed(places, f"that the gate lets {chosen.id if chosen else 'nothing'} pass")
        self.send(edge.event)


def catches_errors(driven: Driven) -> bool:
    """Whether a chart's engine turns errors into events."""
    return bool(getattr(driven.machine, "catch_errors_as_events", False))


def _do_nothing() -> None:
    """In place of a callback."""


@contextmanager
def _put_together(
    reading: EngineReading,
    notice: Callable[[Any], None],
    guard: Callable[[str], Callable[[], bool]] | None,
    *,
    stubbed: bool,
) -> Iterator[None]:
    """Machines put together meanwhile tell ``notice`` of transitions; their guards and callbacks are others."""
    with PUT_TOGETHER_LOCK:
        kept: list[tuple[CallbackSpec, Mapping[str, Any]]] = []
        added: list[tuple[CallbackSpecList, CallbackSpec]] = []
        try:
            for spec in _specs(reading):
                if spec.group is CallbackGroup.COND and guard is not None:
                    kept.append((spec, _exchange(spec, _stand_in(reading, spec, guard(reading.callback_names[spec])))))
                elif spec.group is not CallbackGroup.COND and stubbed:
                    kept.append((spec, _exchange(spec, vars(CallbackSpec(_NO_METHOD, spec.group, is_convention=True)))))
            for transition in reading.transitions:
                transition.after.add(notice)
                added.append((transition.after.list, transition.after.list.items[-1]))
            yield
        finally:
            for specs, spec in added:
                specs.items = [one for one in specs.items if one is not spec]
            for spec, content in kept:
                _exchange(spec, content)


def _specs(reading: EngineReading) -> Iterable[CallbackSpec]:
    """Every entry of a guard or a callback, each once."""
    lists = [transition.cond.list for transition in reading.transitions]
    states = dict.fromkeys(transition.source for transition in reading.transitions)
    states |= dict.fromkeys(target for transition in reading.transitions for target in transition.targets)
    return [spec for specs in [*lists, *(state.enter.list for state in states)] for spec in specs]


def _exchange(spec: CallbackSpec, content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Let an entry hold something else, and return what it held; what its answer must be is coverage's to change."""
    expected, held = spec.expected_value, dict(vars(spec))
    vars(spec).clear()
    vars(spec).update({**content, "expected_value": expected})
    return held


def _stand_in(reading: EngineReading, spec: CallbackSpec, function: Callable[[], object]) -> Mapping[str, object]:
    """What an entry of a guard holds to ask ``function`` instead, under its old name."""
    name = reading.callback_names[spec]
    stand_in = CallbackSpec(_StandIn(function, name).call, spec.group)
    return {**vars(stand_in), "attr_name": name}


class _StandIn:
    """Its method is bound, as entries with an object of their own are, and each is another."""

    def __init__(self, function: Callable[[], object], name: str) -> None:
        self._function = function
        self.stands_for = name
        """What the class is read to have here meanwhile."""

    def call(self) -> object:
        """Call the function."""
        return self._function()
