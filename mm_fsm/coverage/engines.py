"""Watches python-statemachine's machines, synchronous and asynchronous, flat and nested, through its public interface.

Three public methods are wrapped while a recorder runs: ``StateChart.__init__`` and ``__setstate__``, so that every
machine gets a listener of ours, and ``Event.build_trigger``, so that events are seen that no transition accepts.
Transitions are seen by the listener's ``after_transition``. Guards are seen where the engine compares an answer with
the ``expected_value`` of its entry in ``Transition.cond``: what stands there while a machine is put together notes the
answer, so that guards of every kind are seen, and none is wrapped, called twice or replaced. Each of these behaviours
has a test of its own in tests/coverage/test_engine_contract.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, MutableSet
from contextlib import contextmanager
from threading import Lock
from typing import Any, Final, Protocol, cast

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
        self._reading = reading
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
            known = self._configurations[values] = frozenset(self.names[value] for value in values)
        return known

    def edge_of(self, transition: Any, event: str | None) -> int | None:
        """The edge of a transition that ``event`` fired; None when the class did not have it when it was read."""
        place = self.edges.get((id(transition), event))
        if place is None and event is not None:  # an event such as error.* stands for many
            names = [str(name) for name in transition.events if name.match(event)]
            place = self.edges.get((id(transition), names[0])) if names else None
        return place


class Watch(Protocol):
    """What is told of events that are sent to one machine. Its names are long so that no guard has one of them."""

    def _mm_fsm_event_was_sent(self, machine: StateChart[Any], event: Event) -> None: ...

    def _mm_fsm_settle(self) -> None: ...


class Settling(Protocol):
    """Who remembers which watches have an event in the balance."""

    unsettled: set[Watch]


class FlatWatch:
    """The listener of one flat machine."""

    __slots__ = ("__weakref__", "_mm_fsm_attempt", "_mm_fsm_class", "_mm_fsm_settling", "_mm_fsm_walk")

    def __init__(self, engine_class: EngineClass, settling: Settling) -> None:
        self._mm_fsm_class = engine_class
        self._mm_fsm_settling = settling
        self._mm_fsm_walk = Walk(engine_class.tally)
        self._mm_fsm_attempt: tuple[str, str] | None = None

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

    def __reduce__(self) -> tuple[Any, ...]:
        return Asleep, ()


class NestedWatch:
    """The listener of one machine with states within states."""

    __slots__ = ("__weakref__", "_mm_fsm_attempt", "_mm_fsm_class", "_mm_fsm_settling", "_mm_fsm_walk")

    def __init__(self, engine_class: EngineClass, settling: Settling) -> None:
        self._mm_fsm_class = engine_class
        self._mm_fsm_settling = settling
        self._mm_fsm_walk = NestedWalk(engine_class.tally)
        self._mm_fsm_attempt: tuple[frozenset[str], str] | None = None

    def after_transition(self, event_data: Any) -> None:
        """The engine's hook: a transition is complete, and so are all that were taken with it."""
        engine_class, transition, event = self._mm_fsm_class, event_data.transition, event_data.event
        active = engine_class.active(event_data.machine)
        if self._mm_fsm_attempt is not None:
            self._mm_fsm_attempt = (self._mm_fsm_attempt[0] & active, self._mm_fsm_attempt[1])
        edge = engine_class.edges.get((id(transition), event))
        if edge is None:
            edge = engine_class.edge_of(transition, event)
        if edge is None:
            engine_class.tally.unmatched += 1
        else:
            self._mm_fsm_walk.take(edge, active)

    def _mm_fsm_start(self, states: Iterable[str]) -> None:
        self._mm_fsm_walk.start(states)

    def _mm_fsm_event_was_sent(self, machine: StateChart[Any], event: Event) -> None:
        if self._mm_fsm_attempt is not None:
            self._mm_fsm_settle()
        not_accepting = self._mm_fsm_class.tally.not_accepting.get(event)
        active = self._mm_fsm_walk.active
        if not_accepting and not not_accepting.isdisjoint(active) and not event.delay:
            self._mm_fsm_attempt = (not_accepting & active, str(event))
            self._mm_fsm_settling.unsettled.add(self)

    def _mm_fsm_settle(self) -> None:
        """States that are still active have not accepted the event."""
        if self._mm_fsm_attempt is not None:
            self._mm_fsm_class.tally.tried_in_vain(*self._mm_fsm_attempt)
            self._mm_fsm_attempt = None

    def __reduce__(self) -> tuple[Any, ...]:
        return Asleep, ()


class Asleep:
    """What a listener of ours becomes when its machine is copied or stored; the copy gets one of its own."""


class EngineRecorder(Settling, Protocol):
    """Who decides which machines are watched."""

    def engine_class(self, chart: type) -> EngineClass | None:
        """The class under measurement, or None when it is not wanted."""
        ...

    def watch_for_model(self, model: object) -> Watch | None:
        """The listener for the engine of a machine that is watched by other means."""
        ...


_recorder: EngineRecorder | None = None
_ORIGINALS: Final = (StateChart.__init__, StateChart.__setstate__, Event.build_trigger)


def install(recorder: EngineRecorder | None) -> None:
    """Let ``recorder`` watch every machine made from now on; None takes everything back."""
    global _recorder  # noqa: PLW0603 - there is one python-statemachine in a process
    _recorder = recorder
    wrapped = (_init, _setstate, _build_trigger) if recorder else _ORIGINALS
    chart, event = cast(Any, StateChart), cast(Any, Event)
    chart.__init__, chart.__setstate__, event.build_trigger = wrapped


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
        original(self, model, state_field, start_value, [by_other_means, *(listeners or ())], **keywords)
        return
    engine_class = _recorder.engine_class(type(self)) if _recorder else None
    if _recorder is None or engine_class is None:
        original(self, model, state_field, start_value, listeners, **keywords)
        return
    watch = new_watch(engine_class, _recorder)
    watch._mm_fsm_start(_starting_states(self, engine_class, getattr(model, state_field, None), start_value))
    with engine_class.probed():
        original(self, model, state_field, start_value, [watch, *(listeners or ())], **keywords)


def new_watch(engine_class: EngineClass, settling: Settling) -> FlatWatch | NestedWatch:
    """A listener for one machine."""
    return (FlatWatch if engine_class.tally.model.is_flat else NestedWatch)(engine_class, settling)


def _starting_states(
    machine: StateChart[Any], engine_class: EngineClass, restored: Any, start_value: Any
) -> Iterable[str]:
    """Where a machine begins: in what its model is in already, in what it is told, or in its initial state."""
    states = machine.states_map
    if restored is not None:
        values = restored if isinstance(restored, MutableSet) else (restored,)
        return [states[value].id for value in values if value in states]
    told = [start_value] if start_value is not None else type(machine).start_configuration_values
    if told:
        return [name for value in told if value in states for name in entered_by(states[value])]
    return engine_class.tally.model.starts_in


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


def _build_trigger(self: Event, *arguments: Any, machine: StateChart[Any], **keywords: Any) -> Any:
    if machine is not None:
        for listener in machine.active_listeners:
            sent = getattr(listener, "_mm_fsm_event_was_sent", None)
            if sent is not None:
                sent(machine, self)
                break
    return _ORIGINALS[2](self, *arguments, machine=machine, **keywords)
