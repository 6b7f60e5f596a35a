"""The gate: a chart's guards, compiled for one machine, so that a step which changes nothing never calls the engine.

The chart stays the only source: the gate is compiled from its definition, in its order of precedence.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import NamedTuple, Protocol

from mm_fsm.chart.definition import ChartDefinition, EdgeDefinition
from mm_fsm.chart.names import hooks_of
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
            f"guard {guard!r} of event {edge.event!r} in state {edge.source!r} failed. "
            "Correct the guard: it must answer True or False whatever the machine has seen."
        )


class _Rule(NamedTuple):
    """An edge ready to be asked. Its first guard stands apart: most rules are decided by it, without an inner loop."""

    first: Callable[[], object]
    expected: bool
    further: tuple[tuple[Callable[[], object], bool], ...]
    edge: EdgeDefinition

    @property
    def predicates(self) -> tuple[Callable[[], object], ...]:
        """The machine's methods in the order of the edge's guards."""
        return (self.first, *(predicate for predicate, _ in self.further))[: len(self.edge.guards)]


class Gate:
    """Answers which event of a state, if any, may fire now.

    Args:
        definition: the chart.
        owner: the machine whose methods are the guards.

    Raises:
        ChartDefinitionError: an attribute set on this machine hides one of the chart's guards or callbacks, or would
            be bound as a hook.
    """

    __slots__ = ("_automatic", "_commands", "_observers")

    def __init__(self, definition: ChartDefinition, owner: object) -> None:
        _check_owner(definition, owner)
        self._automatic: dict[str, tuple[_Rule, ...]] = {}
        self._commands: dict[tuple[str, str], tuple[_Rule, ...]] = {}
        self._observers: tuple[GuardObserver, ...] = ()
        for state in definition.states:
            rules = [_compile(edge, owner) for edge in definition.edges_from(state.id)]
            fires = [rule for rule in rules if definition.automatic and not rule.edge.command]
            self._automatic[state.id] = tuple(fires)
            for event in {rule.edge.event for rule in rules} - {rule.edge.event for rule in fires}:
                self._commands[state.id, event] = tuple(rule for rule in rules if rule.edge.event == event)

    def observe(self, observer: GuardObserver) -> None:
        """Tell ``observer`` every guard outcome from now on."""
        self._observers = (*self._observers, observer)

    def first_enabled(self, state: str) -> EdgeDefinition | None:
        """The first edge in order of precedence whose guards all hold; what the host sends is not considered.

        Raises:
            GuardFailedError: a guard raised.
            KeyError: the chart has no such state.
        """
        rules = self._automatic[state]
        if self._observers:
            return self._first_observed(rules)
        for rule in rules:
            asked, expected, further, edge = rule
            try:
                answer = asked()
                if answer is not True and answer is not False:
                    answer = _truth_of(answer)
                if answer is not expected:
                    continue
                for asked, expected in further:
                    answer = asked()
                    if answer is not True and answer is not False:
                        answer = _truth_of(answer)
                    if answer is not expected:
                        break
                else:
                    return edge
            except Exception as error:
                raise GuardFailedError(edge, edge.guards[rule.predicates.index(asked)].name) from error
        return None

    def first_for_command(self, state: str, command: str) -> EdgeDefinition | None:
        """The edge that ``command`` takes from ``state`` now, or None when the state does not accept it.

        Where the chart is not automatic, every event is sent by the host and is a command in this sense.

        Raises:
            GuardFailedError: a guard raised.
        """
        return self._first_observed(self._commands.get((state, command), ()))

    def _first_observed(self, rules: Sequence[_Rule]) -> EdgeDefinition | None:
        return next((rule.edge for rule in rules if self._holds(rule)), None)

    def _holds(self, rule: _Rule) -> bool:
        for predicate, guard in zip(rule.predicates, rule.edge.guards, strict=True):
            try:
                outcome = _truth_of(predicate())
            except Exception as error:
                raise GuardFailedError(rule.edge, guard.name) from error
            for observer in self._observers:
                observer.guard_was_asked(rule.edge, guard.name, outcome)
            if outcome is not guard.expected:
                return False
        return True


def _compile(edge: EdgeDefinition, owner: object) -> _Rule:
    terms = [(getattr(owner, guard.name), guard.expected) for guard in edge.guards] or [(_always, True)]
    return _Rule(*terms[0], tuple(terms[1:]), edge)


def _always() -> bool:
    """The guard of an edge that has none."""
    return True


def _check_owner(definition: ChartDefinition, owner: object) -> None:
    """What a machine sets on itself must neither hide a method of its chart nor be bound as one that is not in it."""
    for name in (*definition.guard_names, *definition.callback_names):
        found = getattr(owner, name)
        if not callable(found):
            raise ChartDefinitionError(
                definition.name,
                f"{name!r} is a guard or callback, but on this machine it is {found!r}.",
                "Give the attribute that was set on the machine another name.",
            )
    for name, place in hooks_of(definition).items():
        if name not in definition.callback_names and hasattr(owner, name):
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
