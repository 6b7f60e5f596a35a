"""The gate: a chart's guards, compiled for one machine, so that a step which changes nothing never calls the engine.

The chart stays the only source: the gate is compiled from its definition, in its order of precedence.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterable
from inspect import iscoroutinefunction
from typing import Protocol

from mm_fsm.chart.definition import ChartDefinition, EdgeDefinition
from mm_fsm.chart.names import hooks_of
from mm_fsm.chart.settled_methods import is_settled
from mm_fsm.errors import ChartDefinitionError, MarketMakerError


class GuardObserver(Protocol):
    """Told the outcome of every guard that a gate asks."""

    def guard_was_asked(self, edge: EdgeDefinition, guard: str, outcome: bool) -> None:  # noqa: FBT001
        """``outcome`` is what the guard answered, before it is compared with what the edge expects."""
        ...


class GuardFailedError(MarketMakerError, RuntimeError):
    """A guard raised, or answered what can never be False; the error is its cause."""

    def __init__(self, edge: EdgeDefinition, guard: str) -> None:
        self.edge = edge
        self.guard = guard
        super().__init__(
            f"guard {guard!r} of event {edge.event!r} in state {edge.source!r} failed; "
            "correct it: it must answer True or False whatever the machine has seen"
        )


_Predicate = Callable[[], object]
_Rule = tuple[_Predicate, bool, tuple[tuple[_Predicate, bool], ...], EdgeDefinition]
"""An edge ready to be asked: its first guard and what that must answer, the further ones, and the edge. The first
stands apart because it decides most rules, without an inner loop; plain tuples because they are unpacked fastest."""


class Gate:
    """Answers which event of a state, if any, may fire now.

    Args:
        definition: the chart.
        owner: the machine whose methods are the guards.

    Raises:
        ChartDefinitionError: an attribute set on this machine hides one of the chart's guards or callbacks, or would
            be bound as a hook.
    """

    __slots__ = ("_automatic", "_commands", "_observers", "_predicates", "_unsettled")

    def __init__(self, definition: ChartDefinition, owner: object) -> None:
        self._observers: tuple[GuardObserver, ...] = ()
        self.bind(definition, owner)

    def bind(self, definition: ChartDefinition, owner: object) -> None:
        """Ask the guards that ``owner`` has now; those who are told stay.

        Raises:
            ChartDefinitionError: as when the gate is made.
        """
        _check_owner(definition, owner)
        self._predicates: dict[str, _Predicate] = {name: getattr(owner, name) for name in definition.guard_names}
        self._automatic: dict[str, tuple[_Rule, ...]] = {}
        self._unsettled: dict[str, tuple[_Rule, ...]] = {}
        self._commands: dict[tuple[str, str], tuple[EdgeDefinition, ...]] = {}
        for state in definition.states:
            edges = tuple(definition.edges_from(state.id))
            sent = [edge.event for edge in edges if edge.command or not definition.automatic]
            automatic = [edge for edge in edges if edge.event not in sent]
            self._automatic[state.id] = tuple(map(self._compile, automatic))
            self._unsettled[state.id] = tuple(self._compile(edge) for edge in automatic if not self._is_settled(edge))
            for event in sent:
                self._commands[state.id, event] = tuple(edge for edge in edges if edge.event == event)

    def observe(self, observer: GuardObserver) -> None:
        """Tell ``observer`` every guard outcome from now on."""
        self._observers = (*self._observers, observer)

    def first_enabled(self, state: str, *, rests: bool = False) -> EdgeDefinition | None:
        """The first edge in order of precedence whose guards all hold; what the host sends is not considered.

        ``rests``: none held when the machine last came to rest in this state, and nothing has happened that a settled
        guard depends on (see ``settled``). Those are not asked then, unless somebody watches the guards.

        Raises:
            GuardFailedError: a guard raised.
            KeyError: the chart has no such state.
        """
        if self._observers:
            return self._first_observed(rule[-1] for rule in self._automatic[state])
        rules = self._unsettled[state] if rests else self._automatic[state]
        for first, expected, further, edge in rules:
            asked = first
            try:
                answer = asked()
                if answer is not True and answer is not False:
                    answer = _truth_of(answer)
                if answer is not expected:
                    continue
                for asked, wanted in further:
                    answer = asked()
                    if answer is not True and answer is not False:
                        answer = _truth_of(answer)
                    if answer is not wanted:
                        break
                else:
                    return edge
            except Exception as error:
                name = next(guard.name for guard in edge.guards if self._predicates[guard.name] is asked)
                raise GuardFailedError(edge, name) from error
        return None

    def first_for_command(self, state: str, command: str) -> EdgeDefinition | None:
        """The edge that ``command`` takes from ``state`` now, or None when the state does not accept it.

        Where the chart is not automatic, every event is sent by the host and is a command in this sense.

        Raises:
            GuardFailedError: a guard raised.
        """
        return self._first_observed(self._commands.get((state, command), ()))

    def _first_observed(self, edges: Iterable[EdgeDefinition]) -> EdgeDefinition | None:
        for edge in edges:
            if self._holds(edge):
                return edge
        return None

    def _holds(self, edge: EdgeDefinition) -> bool:
        for guard in edge.guards:
            try:
                answer = self._predicates[guard.name]()
                outcome = answer if answer is True or answer is False else _truth_of(answer)
            except Exception as error:
                raise GuardFailedError(edge, guard.name) from error
            for observer in self._observers:
                observer.guard_was_asked(edge, guard.name, outcome)
            if outcome is not guard.expected:
                return False
        return True

    def _is_settled(self, edge: EdgeDefinition) -> bool:
        return bool(edge.guards) and all(is_settled(self._predicates[guard.name]) for guard in edge.guards)

    def _compile(self, edge: EdgeDefinition) -> _Rule:
        terms = [(self._predicates[guard.name], guard.expected) for guard in edge.guards] or [(_always, True)]
        return (*terms[0], tuple(terms[1:]), edge)


def _always() -> bool:
    """The guard of an edge that has none."""
    return True


def _check_owner(definition: ChartDefinition, owner: object) -> None:
    """What a machine sets on itself must neither hide a method of its chart nor be bound as one that is not in it."""
    callbacks = definition.callback_names
    for name in (*definition.guard_names, *callbacks):
        found = getattr(owner, name)
        if not callable(found) or iscoroutinefunction(found):
            raise ChartDefinitionError(
                definition.name,
                f"{name!r} is a guard or callback, but on this machine it is {found!r}.",
                "Give the attribute that was set on the machine another name, or set a plain function: a coroutine "
                "would never be awaited.",
            )
    for name, place in hooks_of(definition).items():
        if name not in callbacks and hasattr(owner, name):
            raise ChartDefinitionError(
                definition.name,
                f"{name!r} was set on this machine, so it would run as a hook of {place} without being in the diagram.",
                "Give the attribute another name.",
            )


def _truth_of(answer: object) -> bool:
    """What a guard's answer counts as, when it is not simply True or False.

    Raises:
        TypeError: a decorator has hidden that the guard is asynchronous or a generator; its answer is always true.
    """
    if isinstance(answer, (Awaitable, Generator)):
        raise TypeError(f"expected True or False, found {type(answer).__name__}: make the guard a plain def.")
    return bool(answer)
