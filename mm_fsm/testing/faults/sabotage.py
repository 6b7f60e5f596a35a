"""Makes callbacks, guards and services raise, each in a place of one's choice, without changing what is tested.

Before or after a callback of a chart stands an entry of ours: in python-statemachine's lists while an engine is put
together, and in the chart that one machine compiles to its table. The entry raises when its turn has come. To engine
and table that is the callback, raising at its beginning or at its end.
Forced guards tell when they are asked, and services are handed to the machine in a wrapping.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, Final, TypeVar

from attrs import evolve, field, frozen
from statemachine.callbacks import CallbackGroup, CallbackSpec, CallbackSpecList

from mm_fsm.chart import CallbackDefinition, EdgeDefinition, ExecutorKind, StateDefinition
from mm_fsm.coverage.reading import EngineReading
from mm_fsm.machine.strategy import StrategyMachine
from mm_fsm.testing.driving.driver import Driven
from mm_fsm.testing.driving.engines import PUT_TOGETHER_LOCK

_ENTRY: Final = "_mm_fsm_entry"
"""What the entry is called on a machine."""

CALLBACKS = (CallbackGroup.BEFORE, CallbackGroup.EXIT, CallbackGroup.ON, CallbackGroup.ENTER, CallbackGroup.AFTER)
"""In the order in which a transition runs them."""


class SabotageError(Exception):
    """What the call raises that is to raise."""


class TripError(Exception):
    """What leads to the fault state, so that something there can raise next."""


class Moment(StrEnum):
    """When a callback raises."""

    FIRST = "at its beginning"
    LAST = "at its end"


@frozen
class CallbackCall:
    """One callback, by its entry in the engine's lists, about to run or done."""

    spec: CallbackSpec = field(eq=id)
    moment: Moment


@frozen
class GuardCall:
    """A guard is asked."""

    name: str


@frozen
class ServiceCall:
    """A service's method is called, such as ``spreads.price_quotes``."""

    name: str


Call = CallbackCall | GuardCall | ServiceCall


class Saboteur:
    """Raises once, in the call it is told, when the machine is about to take the edge it is told.

    Args:
        call: what is to raise; None to note only.
        trips: whether the first guard that is asked then raises too, before.
    """

    def __init__(self, call: Call | None = None, *, trips: bool = False) -> None:
        self.seen: set[Call] = set()
        """What was called while the chosen edge was taken."""
        self.has_struck = False
        self.ask_guard: Callable[[str], object] | None = None
        """Asks a machine's own guard too, so that the services are called which it calls."""
        self.call = call
        self._trips = trips
        self._driven: Driven | None = None
        self._due = 0

    def lie_in_wait(self, driven: Driven, due: int) -> None:
        """Raise when this machine has taken ``due`` edges."""
        self._driven, self._due = driven, due

    def guard_was_asked(self, name: str) -> None:
        """A guard is about to answer."""
        if self._trips and self._is_due():
            self._trips = False
            raise TripError(f"guard {name!r} was made to raise")
        self.note(GuardCall(name))
        if self.ask_guard is not None and self._is_due():
            self.ask_guard(name)

    def note(self, call: Call) -> None:
        """Raise, if this is the call.

        Raises:
            SabotageError: it is.
        """
        if not self._is_due(late=isinstance(call, CallbackCall)):
            return
        self.seen.add(call)
        if call != self.call or self.has_struck:
            return
        self.has_struck = True
        raise SabotageError("a generated test made this call raise")

    def _is_due(self, *, late: bool = False) -> bool:
        """Whether the edge is being taken; ``late``, also when that has just been noticed and callbacks are left."""
        if self._driven is None:
            return False
        taken = len(self._driven.taken)
        return taken == self._due or (late and taken == self._due + 1)


@contextmanager
def laid_out(reading: EngineReading, saboteur: Saboteur) -> Iterator[None]:
    """Engines put together meanwhile tell the saboteur of the callback that is to raise, before it or after it."""
    call = saboteur.call
    if not isinstance(call, CallbackCall):
        yield
        return
    with PUT_TOGETHER_LOCK:
        (specs,) = [specs for specs in _lists(reading) if any(spec is call.spec for spec in specs.items)]
        kept = specs.items
        around = CallbackSpec(
            _Note(saboteur, call).tell, call.spec.group, cond=call.spec.cond, priority=call.spec.priority
        )
        place = next(place for place, spec in enumerate(kept) if spec is call.spec) + (call.moment is Moment.LAST)
        specs.items = [*kept[:place], around, *kept[place:]]
        try:
            yield
        finally:
            specs.items = kept


def lay_out_in_table(machine: StrategyMachine, edge: EdgeDefinition | None, saboteur: Saboteur) -> None:
    """The same for a machine that runs from a table and has not taken a step: its own chart is changed, no class.

    Args:
        machine: the machine.
        edge: the edge on which the callback is run; None for the entry into the initial state.
        saboteur: told of the callback that is to raise.
    """
    call, definition = saboteur.call, machine.definition
    if machine.stepper.executor is not ExecutorKind.TABLE or not isinstance(call, CallbackCall):
        return
    setattr(machine, _ENTRY, _Note(saboteur, call).tell)
    where = call.spec.group.name.lower()
    if where in ("enter", "exit"):
        target, source = (edge.target, edge.source) if edge is not None else (definition.initial.id,) * 2
        state_id = target if where == "enter" else source
        states = (_around(state, where, call) if state.id == state_id else state for state in definition.states)
        machine.stepper.definition = evolve(definition, states=tuple(states))
    else:
        edges = (_around(one, where, call) if one is edge else one for one in definition.edges)
        machine.stepper.definition = evolve(definition, edges=tuple(edges))


_Acting = TypeVar("_Acting", StateDefinition, EdgeDefinition)


def _around(acting: _Acting, where: str, call: CallbackCall) -> _Acting:
    """A state or an edge with an entry of ours before or after a callback."""
    callbacks: tuple[CallbackDefinition, ...] = getattr(acting, where)
    names = [callback.name for callback in callbacks]
    place: int = names.index(str(call.spec.func)) + (call.moment is Moment.LAST)
    changes: dict[str, Any] = {where: (*callbacks[:place], CallbackDefinition(_ENTRY), *callbacks[place:])}
    return evolve(acting, **changes)


def _lists(reading: EngineReading) -> list[CallbackSpecList]:
    """The lists of every edge and every state, each once."""
    states = dict.fromkeys(transition.source for transition in reading.transitions)
    states |= dict.fromkeys(target for transition in reading.transitions for target in transition.targets)
    return [*(transition.before.list for transition in reading.transitions), *(state.enter.list for state in states)]


class _Note:
    """Its method is bound, as entries with an object of their own are, and each is another."""

    def __init__(self, saboteur: Saboteur, call: CallbackCall) -> None:
        self._saboteur = saboteur
        self._call = call

    def tell(self) -> None:
        """Its turn has come."""
        self._saboteur.note(self._call)


def wrapped(saboteur: Saboteur, role: str, service: Any) -> Any:
    """The same service, which tells the saboteur before it does what it is asked."""
    return _Wrapping(service, role, saboteur)


class _Wrapping:
    """Stands in place of one service."""

    def __init__(self, service: Any, role: str, saboteur: Saboteur) -> None:
        self._service = service
        self._role = role
        self._saboteur = saboteur

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._service, name)
        if not callable(found):
            return found

        def call(*arguments: Any, **keywords: Any) -> Any:
            self._saboteur.note(ServiceCall(f"{self._role}.{name}"))
            return found(*arguments, **keywords)

        return call
