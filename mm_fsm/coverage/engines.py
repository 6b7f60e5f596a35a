"""Watches python-statemachine's machines, synchronous and asynchronous, flat and nested.

While a recorder runs, ``StateChart.__init__`` and ``__setstate__`` are wrapped, so that every machine gets a listener
of ours, ``StateChart.active_listeners``, so that nobody sees it there, and ``Event.build_trigger``, so that events are
seen that no transition accepts. Transitions are seen by the listener's ``after_transition``; entries follow from what
is active then, or are seen by ``on_enter_state`` where a state may be left and entered at once. Guards are seen where
the engine compares an answer with the ``expected_value`` of its entry in ``Transition.cond``: what stands there while a
machine is put together notes the answer, so that guards of every kind are seen, and none is wrapped, called twice or
replaced. A machine does not keep our listener among its own, so that copies, stored machines and those who ask for its
listeners find what they would find without us. Each of these behaviours has a test of its own in
tests/coverage/test_engine_contract.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, MutableSet
from contextlib import contextmanager
from functools import wraps
from threading import Lock
from typing import Any, Final, Protocol, cast
from weakref import ref

from statemachine import Event, StateChart
from statemachine.callbacks import CallbackSpec

from mm_fsm.coverage.reading import EngineReading, entered_by
from mm_fsm.coverage.tally import NestedWalk, Tally, Walk


class GuardProbe:
    """Stands where the engine looks up what a guard should answer, and notes what it did answer."""

    __slots__ = ("_answers", "_expected", "_keys")

    def __init__(self, tally: Tally, transition: int, place: int, *, expected: bool) -> None:
        self._answers = tally.answers
        self._expected = expected
        self._keys = ((transition, place, False), (transition, place, True))

    def __eq__(self, answer: object) -> bool:
        if answer is not True and answer is not False:
            return NotImplemented
        self._answers[self._keys[answer]] += 1
        return answer is self._expected

    def __hash__(self) -> int:
        return hash(self._keys)

    def __bool__(self) -> bool:
        """What is expected, for those who ask while the probe stands there."""
        return self._expected


class EngineClass:
    """One python-statemachine class under measurement: its counters, its edges, and the probes for its guards."""

    def __init__(self, tally: Tally, reading: EngineReading) -> None:
        self.tally = tally
        self.edges = dict(reading.edges)
        self.names = dict(reading.names)
        """The identifier of each state by its value."""
        self._configurations: dict[tuple[Any, ...], frozenset[str]] = {}
        """Every set of states that a machine was in: one object each, so that they are quickly told apart."""
        self.reading = reading
        self._standing = 0
        self._lock = Lock()
        self._probes: list[tuple[CallbackSpec, bool, GuardProbe]] = [
            (spec, expected, GuardProbe(tally, number, place, expected=expected))
            for number, transition in enumerate(reading.transitions)
            for place, spec in enumerate(transition.cond)
            for expected in [bool(spec.expected_value)]
        ]

    @contextmanager
    def probed(self) -> Iterator[None]:
        """Let machines that are put together meanwhile, in any thread, note what their guards answer."""
        with self._lock:
            self._standing += 1
            for spec, _, probe in self._probes:
                spec.expected_value = probe
        try:
            yield
        finally:
            with self._lock:
                self._standing -= 1
                if not self._standing:
                    for spec, expected, _ in self._probes:
                        spec.expected_value = expected

    def active(self, machine: StateChart[Any]) -> frozenset[str]:
        """The identifiers of the states a machine is in."""
        value = machine.current_state_value
        values = tuple(value) if isinstance(value, MutableSet) else () if value is None else (value,)
        known = self._configurations.get(values)
        if known is None:
            names = frozenset(self.names[value] for value in values if value in self.names)
            known = self._configurations[values] = names
        return known

    def name_of(self, state: Any) -> str:
        """The identifier of a state: of those with one value, of the one that the engine takes them all for."""
        name: str = self.names.get(state.value, "")
        return name

    def edge_of(self, transition: Any, event: str | None) -> int | None:
        """The edge of a transition that ``event`` fired; None when the class did not have it when it was read."""
        place = self.edges.get((id(transition), event))
        if place is None and event is not None:  # an event such as error.* stands for many
            names = [str(name) for name in transition.events if name.match(event)]
            place = self.edges.get((id(transition), names[0])) if names else None
        return place


_INITIAL_EVENT: Final = "__initial__"
"""With this event python-statemachine enters the states that a machine begins in."""


def _take_back(tally: Tally, states: list[str]) -> None:
    for state in states:
        tally.states[state] -= 1
    states.clear()


class Watch(Protocol):
    """What is told of events that are sent to one machine. Its names are long so that no guard has one of them."""

    def _mm_fsm_event_was_sent(self, machine: StateChart[Any], event: Event) -> None: ...

    def _mm_fsm_settle(self) -> None: ...


class Settling(Protocol):
    """Who remembers which watches have an event in the balance."""

    unsettled: set[Watch]


class FlatWatch:
    """The listener of one flat machine."""

    __slots__ = (
        "__weakref__",
        "_mm_fsm_attempt",
        "_mm_fsm_began",
        "_mm_fsm_class",
        "_mm_fsm_settling",
        "_mm_fsm_walk",
    )

    def __init__(self, engine_class: EngineClass, settling: Settling) -> None:
        self._mm_fsm_class = engine_class
        self._mm_fsm_settling = settling
        self._mm_fsm_walk = Walk(engine_class.tally)
        self._mm_fsm_attempt: tuple[str, str] | None = None
        self._mm_fsm_began: list[str] = []

    def after_transition(self, event_data: Any) -> None:
        """The engine's hook: a transition is complete."""
        self._mm_fsm_attempt = None
        transition, event = event_data.transition, event_data.event
        edge = self._mm_fsm_class.edges.get((id(transition), event))
        if edge is None:
            edge = self._mm_fsm_class.edge_of(transition, event)
        if edge is None:
            self._mm_fsm_class.tally.unmatched += 1
        else:
            self._mm_fsm_walk.take(edge)

    def _mm_fsm_start(self, states: Iterable[str]) -> None:
        for state in states:
            self._mm_fsm_walk.start(state)
            self._mm_fsm_began.append(state)

    def _mm_fsm_fail(self) -> None:
        """No machine was made after all."""
        _take_back(self._mm_fsm_class.tally, self._mm_fsm_began)

    def _mm_fsm_event_was_sent(self, machine: StateChart[Any], event: Event) -> None:
        if self._mm_fsm_attempt is not None:
            self._mm_fsm_settle()
        tally = self._mm_fsm_class.tally
        state = self._mm_fsm_class.names.get(machine.current_state_value, "")
        if (state, event) in tally.cells and not event.delay:
            self._mm_fsm_attempt = (state, str(event))
            self._mm_fsm_settling.unsettled.add(self)

    def _mm_fsm_settle(self) -> None:
        """Nothing has come of the last event that was sent where it is not accepted."""
        if self._mm_fsm_attempt is not None:
            state, event = self._mm_fsm_attempt
            self._mm_fsm_class.tally.tried_in_vain([state], event)
            self._mm_fsm_attempt = None


class NestedWatch:
    """The listener of one machine with states within states, of which no transition leaves and enters the same."""

    __slots__ = (
        "__weakref__",
        "_mm_fsm_active",
        "_mm_fsm_attempt",
        "_mm_fsm_began",
        "_mm_fsm_class",
        "_mm_fsm_settling",
        "_mm_fsm_walk",
    )

    def __init__(self, engine_class: EngineClass, settling: Settling) -> None:
        self._mm_fsm_class = engine_class
        self._mm_fsm_settling = settling
        self._mm_fsm_walk = NestedWalk(engine_class.tally)
        self._mm_fsm_attempt: tuple[frozenset[str], str] | None = None
        self._mm_fsm_began: list[str] = []
        self._mm_fsm_active: frozenset[str] = frozenset()

    def after_transition(self, event_data: Any) -> None:
        """The engine's hook: a transition is complete, and so are all that were taken with it."""
        engine_class, transition, event = self._mm_fsm_class, event_data.transition, event_data.event
        active, before = engine_class.active(event_data.machine), self._mm_fsm_active
        if active is not before:
            states = engine_class.tally.states
            for state in active - before:
                states[state] += 1
            self._mm_fsm_active = active
        if self._mm_fsm_attempt is not None:
            self._mm_fsm_attempt = (self._mm_fsm_attempt[0] & active, self._mm_fsm_attempt[1])
        edge = engine_class.edges.get((id(transition), event))
        if edge is None:
            edge = engine_class.edge_of(transition, event)
        if edge is None:
            engine_class.tally.unmatched += 1
        else:
            self._mm_fsm_walk.take(edge)

    def _mm_fsm_start(self, states: Iterable[str]) -> None:
        for state in states:
            self._mm_fsm_class.tally.states[state] += 1
            self._mm_fsm_began.append(state)
        self._mm_fsm_active = frozenset(self._mm_fsm_began)

    def _mm_fsm_fail(self) -> None:
        """No machine was made after all."""
        _take_back(self._mm_fsm_class.tally, self._mm_fsm_began)

    def _mm_fsm_event_was_sent(self, machine: StateChart[Any], event: Event) -> None:
        if self._mm_fsm_attempt is not None:
            self._mm_fsm_settle()
        not_accepting = self._mm_fsm_class.tally.not_accepting.get(event)
        active = self._mm_fsm_active
        if not_accepting and not not_accepting.isdisjoint(active) and not event.delay:
            self._mm_fsm_attempt = (not_accepting & active, str(event))
            self._mm_fsm_settling.unsettled.add(self)

    def _mm_fsm_settle(self) -> None:
        """States that are still active have not accepted the event."""
        if self._mm_fsm_attempt is not None:
            self._mm_fsm_class.tally.tried_in_vain(*self._mm_fsm_attempt)
            self._mm_fsm_attempt = None


class ReenteringWatch(NestedWatch):
    """The listener of one machine with transitions that may leave a state and enter it again: it hears of entries."""

    __slots__ = ("_mm_fsm_entered",)

    def __init__(self, engine_class: EngineClass, settling: Settling) -> None:
        super().__init__(engine_class, settling)
        self._mm_fsm_entered: list[str] = []
        """States entered by a transition that is not complete: where it fails, the engine takes them back."""

    def on_enter_state(self, target: Any, event: Any) -> None:
        """The engine's hook: a state is entered."""
        name = self._mm_fsm_class.name_of(target)
        if event == _INITIAL_EVENT:
            self._mm_fsm_start([name])
        else:
            self._mm_fsm_entered.append(name)

    def after_transition(self, event_data: Any) -> None:
        """The engine's hook: a transition is complete, and so are all that were taken with it."""
        self._mm_fsm_active = self._mm_fsm_class.active(event_data.machine)
        self._mm_fsm_walk.enter(self._mm_fsm_entered)
        self._mm_fsm_entered.clear()
        super().after_transition(event_data)

    def _mm_fsm_event_was_sent(self, machine: StateChart[Any], event: Event) -> None:
        if self._mm_fsm_entered:  # by a transition that was taken back, or one that goes on
            self._mm_fsm_active = self._mm_fsm_class.active(machine)
            self._mm_fsm_walk.enter(state for state in self._mm_fsm_entered if state in self._mm_fsm_active)
            self._mm_fsm_entered.clear()
        super()._mm_fsm_event_was_sent(machine, event)


class EngineRecorder(Settling, Protocol):
    """Who decides which machines are watched."""

    def engine_class(self, chart: type) -> EngineClass | None:
        """The class under measurement, or None when it is not wanted."""
        ...

    def watch_for_model(self, model: object) -> Watch | None:
        """The listener for the engine of a machine that is watched by other means."""
        ...


_recorder: EngineRecorder | None = None
_ORIGINALS: Final = (
    StateChart.__init__,
    StateChart.__setstate__,
    StateChart.active_listeners,
    Event.build_trigger,
)
_watches: Final[dict[int, tuple[ref[Any], Watch]]] = {}
"""By the ``id`` of a machine: machines may be equal, and need no hash."""


def install(recorder: EngineRecorder | None) -> None:
    """Let ``recorder`` watch every machine made from now on; None takes everything back."""
    global _recorder  # noqa: PLW0603 - there is one python-statemachine in a process
    _recorder = recorder
    wrapped = (_init, _setstate, property(_active_listeners), _build_trigger) if recorder else _ORIGINALS
    chart, event = cast(Any, StateChart), cast(Any, Event)
    chart.__init__, chart.__setstate__, chart.active_listeners, event.build_trigger = wrapped


def _remember(machine: StateChart[Any], watch: Watch) -> None:
    """Let a watch be told of events that are sent to a machine, as long as the machine lives."""
    key = id(machine)
    _watches[key] = (ref(machine, lambda _: _watches.pop(key, None)), watch)


def _forgotten_listener(machine: StateChart[Any], watch: object) -> None:
    """Its callbacks are bound; the machine need not list it."""
    vars(machine).get("_listeners", {}).pop(id(watch), None)


@wraps(_ORIGINALS[0])
def _init(
    self: StateChart[Any],
    model: Any = None,
    state_field: str = "state",
    start_value: Any = None,
    listeners: list[object] | None = None,
    **keywords: Any,
) -> None:
    original: Callable[..., None] = _ORIGINALS[0]
    by_other_means = _recorder.watch_for_model(model) if _recorder else None
    if by_other_means is not None:
        _remember(self, by_other_means)
    engine_class = _recorder.engine_class(type(self)) if _recorder and not by_other_means else None
    if _recorder is None or engine_class is None:
        original(self, model, state_field, start_value, listeners, **keywords)
        return
    watch = new_watch(engine_class, _recorder)
    _remember(self, watch)
    restored = getattr(model, state_field, None)
    if restored is not None or not isinstance(watch, ReenteringWatch):
        watch._mm_fsm_start(_starting_states(self, engine_class, restored, start_value))
    try:
        with engine_class.probed():
            original(self, model, state_field, start_value, [watch, *(listeners or ())], **keywords)
    except BaseException:
        watch._mm_fsm_fail()
        raise
    finally:
        _forgotten_listener(self, watch)


def new_watch(engine_class: EngineClass, settling: Settling) -> FlatWatch | NestedWatch:
    """A listener for one machine."""
    if engine_class.tally.model.is_flat:
        return FlatWatch(engine_class, settling)
    return (ReenteringWatch if engine_class.reading.may_enter_again else NestedWatch)(engine_class, settling)


def _starting_states(
    machine: StateChart[Any], engine_class: EngineClass, restored: Any, start_value: Any
) -> Iterable[str]:
    """Where a machine begins: in what its model is in already, in what it is told, or in its initial state."""
    states, names = machine.states_map, engine_class.names
    if restored is not None:
        values = restored if isinstance(restored, MutableSet) else (restored,)
        return [names[value] for value in values if value in names]
    told = [start_value] if start_value is not None else type(machine).start_configuration_values
    if told:
        return [name for value in told if value in states for name in entered_by(engine_class.reading, states[value])]
    return engine_class.tally.model.starts_in


@wraps(_ORIGINALS[1])
def _setstate(self: StateChart[Any], state: dict[str, Any]) -> None:
    engine_class = _recorder.engine_class(type(self)) if _recorder else None
    if engine_class is None:
        _ORIGINALS[1](self, state)
        return
    with engine_class.probed():
        _ORIGINALS[1](self, state)
    watch = new_watch(engine_class, cast(EngineRecorder, _recorder))
    watch._mm_fsm_start(engine_class.active(self))
    add_listener: Callable[[object], object] = self.add_listener
    add_listener(watch)
    _forgotten_listener(self, watch)
    _remember(self, watch)


def _active_listeners(self: StateChart[Any]) -> list[object]:
    """What it is without us, also while a machine is put together."""
    original: Any = _ORIGINALS[2]
    return [one for one in original.fget(self) if not isinstance(one, (FlatWatch, NestedWatch))]


@wraps(_ORIGINALS[3])
def _build_trigger(self: Event, *arguments: Any, machine: StateChart[Any], **keywords: Any) -> Any:
    known = _watches.get(id(machine))
    if known is not None and known[0]() is machine:
        known[1]._mm_fsm_event_was_sent(machine, self)
    return _ORIGINALS[3](self, *arguments, machine=machine, **keywords)
