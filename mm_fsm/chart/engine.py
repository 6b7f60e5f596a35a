"""From a definition to the python-statemachine class that runs it, and the executor that uses its engine."""

from __future__ import annotations

from typing import Any, cast

import statemachine
from statemachine.event import Event
from statemachine.exceptions import InvalidDefinition
from statemachine.factory import StateMachineMetaclass
from statemachine.signature import SignatureAdapter
from statemachine.transition_list import TransitionList

from mm_fsm.chart.definition import CallbackDefinition, ChartDefinition, EdgeDefinition
from mm_fsm.errors import ChartDefinitionError, MarketMakerError


class ChartEngine(statemachine.StateChart[Any]):
    """Base of every chart's engine, with the switches set so that nothing of a failed transition runs on.

    Errors are not turned into events: the engine stops at the first one, restores the state and raises, and the
    machine sends the fault event itself. An event that no edge accepts changes nothing.
    """

    allow_event_without_transition = True
    enable_self_transition_entries = False
    atomic_configuration_update = True
    catch_errors_as_events = False

    def __init__(self, *args: Any, **keywords: Any) -> None:
        # Bindings are kept under names without their module: another class of the same name, with methods that are
        # asynchronous or take parameters, would otherwise decide how this machine's methods are called.
        SignatureAdapter.from_callable.clear_cache()
        super().__init__(*args, **keywords)


def build_engine_class(cls: type, definition: ChartDefinition) -> type[statemachine.StateChart[Any]]:
    """Build a class's own StateChart, every state and transition fresh.

    Raises:
        ChartDefinitionError: python-statemachine refuses the chart.
    """
    states = {state.id: _build_state(definition, state.id) for state in definition.states}
    namespace: dict[str, Any] = {
        "__module__": cls.__module__,
        "__qualname__": f"{cls.__qualname__}.chart",
        **states,
    }
    for event in definition.events:
        transitions = TransitionList(
            transition
            for edge in definition.edges
            if edge.event == event
            for transition in _build_transitions(edge, states)
        )
        # An event with an identity of its own is not given the dotted twin that a prefix like error_ brings.
        namespace[event] = Event(transitions, id=event)
    try:
        engine_class: Any = StateMachineMetaclass(cls.__name__, (ChartEngine,), namespace)
    except InvalidDefinition as error:
        raise ChartDefinitionError(
            definition.name, f"python-statemachine refuses it: {error}", "Change the declaration that it names."
        ) from error
    return cast("type[statemachine.StateChart[Any]]", engine_class)


def _build_state(definition: ChartDefinition, state_id: str) -> statemachine.State:
    state = definition.state(state_id)
    return statemachine.State(
        state.name,
        initial=state.initial,
        final=state.final,
        enter=_plain_names(state.enter, f"on_enter_{state.id}"),
        exit=_plain_names(state.exit, f"on_exit_{state.id}"),
    )


def _build_transitions(edge: EdgeDefinition, states: dict[str, statemachine.State]) -> TransitionList:
    transitions: TransitionList = states[edge.source].to(
        states[edge.target],
        internal=edge.internal,
        cond=[guard.name for guard in edge.guards if guard.expected],
        unless=[guard.name for guard in edge.guards if not guard.expected],
        before=_plain_names(edge.before, f"before_{edge.event}"),
        on=_plain_names(edge.on, f"on_{edge.event}"),
        after=_plain_names(edge.after, f"after_{edge.event}"),
    )
    return transitions


def _plain_names(callbacks: tuple[CallbackDefinition, ...], hook: str) -> list[str]:
    """Names to bind; the hook is left to the engine, which binds it by convention."""
    return [callback.name for callback in callbacks if callback.name != hook]


class EngineDisagreesError(MarketMakerError, RuntimeError):
    """The gate let an edge pass that the engine, which asks the guards again, did not take."""

    def __init__(self, edge: EdgeDefinition) -> None:
        self.edge = edge
        super().__init__(
            f"gate and engine disagree on event {edge.event!r} in {edge.source!r}: "
            "a guard changed its answer between two questions; let guards only read"
        )


class _MoveCounter:
    """Notices whether the engine moved: python-statemachine answers None either way.

    It is an object of its own because the engine looks for guards and callbacks on every listener, by name.
    """

    def __init__(self) -> None:
        self.moves = 0

    def after_transition(self) -> None:
        """The engine's hook: a transition is complete."""
        self.moves += 1


class EngineExecutor:
    """Runs one machine's chart by python-statemachine's engine, which is made when it is first needed.

    Args:
        engine_class: the chart's class, as ``chart_of`` gives it.
        owner: the machine: guards and callbacks are its methods.
        state_field: its attribute that holds the state.
    """

    def __init__(self, engine_class: type[statemachine.StateChart[Any]], owner: Any, state_field: str) -> None:
        self._class: Any = engine_class
        self._owner = owner
        self._field = state_field
        self._counter = _MoveCounter()
        self._engine: statemachine.StateChart[Any] | None = None

    @property
    def engine(self) -> statemachine.StateChart[Any]:
        """The engine, in the state that the machine is in: a state that is set already is not entered again."""
        if self._engine is None:
            self._engine = self._new_engine()
        return self._engine

    def enter_initial_state(self) -> None:
        """Run the initial state's entry actions."""
        initial = getattr(self._owner, self._field)
        delattr(self._owner, self._field)  # the engine enters its initial state when the model has none
        try:
            self._engine = self._new_engine()
        except BaseException:
            setattr(self._owner, self._field, initial)
            raise

    def fire(self, edge: EdgeDefinition) -> None:
        """Send an edge's event; what callbacks raise is as ``Executor.fire`` says.

        Raises:
            EngineDisagreesError: the engine took no edge.
        """
        moves = self._counter.moves
        try:
            self.engine.send(edge.event)
        except Exception:
            raise
        except BaseException:
            self._engine = None  # one that was interrupted while it ended the chart would take no event any more
            raise
        if self._counter.moves == moves:
            raise EngineDisagreesError(edge)

    def _new_engine(self) -> statemachine.StateChart[Any]:
        engine: statemachine.StateChart[Any] = self._class(
            model=self._owner, state_field=self._field, listeners=[self._counter]
        )
        return engine
