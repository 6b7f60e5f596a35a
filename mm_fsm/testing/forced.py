"""The forced driver: guards answer what a path needs and callbacks do nothing, so that only the structure is tested.

After every event it is checked that the machine is in the edge's target, that the callbacks ran which the chart
declares, in their order, and that every edge before this one was refused while every later one that can hold did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from statemachine import StateChart

from mm_fsm.chart import CallbackDefinition, Chart, ChartDefinition, EdgeDefinition, Gate, chart_of
from mm_fsm.testing.answers import Answers, answers_that_take, with_later_rivals_holding
from mm_fsm.testing.foreign import AnyChart, definition_for
from mm_fsm.testing.problems import GenerationError, PathNotTakenError

_ERROR_EVENTS: Final = ("error.execution", "error_execution")
"""How python-statemachine calls the event that it makes of an error."""


class ForcedError(RuntimeError):
    """What a forced guard or callback raises that was told to."""


class ForcedMachine:
    """A chart's own engine with forced guards and callbacks that are only noted.

    Args:
        chart: one of our charts, or a flat python-statemachine class whose guards are named methods.

    Raises:
        GenerationError: a guard is a function or an expression, and cannot be answered for.
    """

    def __init__(self, chart: AnyChart) -> None:
        self.definition = definition_for(chart)
        self.answers: Answers = dict.fromkeys(self.definition.guard_names, False)
        self.calls: list[str] = []
        self._raising: str | None = None
        self._gate: Gate | None = None
        if issubclass(chart, Chart):
            owner: Any = _Owner()
            self._stub(owner)
            self._gate = Gate(self.definition, owner)
            self.engine: StateChart[Any] = chart_of(chart)(model=owner, state_field="forced_state")
        else:
            self.engine = self._forced(chart)
        self.calls.clear()

    def _forced(self, chart: type[StateChart[Any]]) -> StateChart[Any]:
        """An instance whose own attributes hide its class's guards and callbacks; its constructor does not run."""
        unnamed = [name for name in self.definition.guard_names if not callable(getattr(chart, name, None))]
        if unnamed:
            raise GenerationError(
                chart.__name__, f"expected guards that are methods of the class, found {unnamed}.",
                "Use the real driver, which makes guards true or false from outside.",
            )  # fmt: skip
        machine: StateChart[Any] = chart.__new__(chart)
        self._stub(machine)
        StateChart.__init__(machine)
        return machine

    def _stub(self, owner: object) -> None:
        for name in self.definition.guard_names:
            vars(owner)[name] = self._answering(name)
        for name in self.definition.callback_names:
            vars(owner)[name] = self._noting(name)

    def _answering(self, name: str) -> Callable[[], bool]:
        def answer() -> bool:
            self._raise_if_told(name)
            return self.answers[name]

        answer.__name__ = name
        return answer

    def _noting(self, name: str) -> Callable[[], None]:
        def note() -> None:
            self._raise_if_told(name)
            self.calls.append(name)

        note.__name__ = name
        return note

    def _raise_if_told(self, name: str) -> None:
        if self._raising == name:
            raise ForcedError(f"{name} was told to raise")

    @property
    def state(self) -> str:
        """The state the machine is in."""
        return next(iter(self.engine.configuration)).id

    def drive(self, path: Sequence[EdgeDefinition]) -> None:
        """Take a path from where the machine is.

        Raises:
            PathNotTakenError: an edge was not taken, led elsewhere, or ran other callbacks than it declares.
        """
        for place, edge in enumerate(path):
            problem = self._take(edge)
            if problem:
                raise PathNotTakenError(path, place, problem)

    def problem_when_raising(self, edge: EdgeDefinition, name: str) -> str:
        """Take an edge while one guard or callback raises; what is wrong with what came of it, or nothing.

        Where the class turns errors into events, an edge of the source or the target must take them; otherwise the
        error must come out, and the machine must be where it was, or where the edge leads when only ``after`` failed.
        """
        answers = next(answers_that_take(self.definition, edge), None)
        if answers is None:
            return f"whatever the guards answer, an edge before {edge.id} is taken"
        self.answers = with_later_rivals_holding(self.definition, edge, answers)
        self._raising = name
        try:
            self.engine.send(edge.event)
        except ForcedError:
            is_restored = self.state == edge.source or (self.state == edge.target and name in _names(edge.after))
            return "" if is_restored else f"the error came out in {self.state}"
        finally:
            self._raising = None
        taken_by = {e.target for e in self.definition.edges if e.event in _ERROR_EVENTS}
        return "" if self.state in taken_by else f"the error vanished, and the machine is in {self.state}"

    def _take(self, edge: EdgeDefinition) -> str:
        """Take one edge; what went wrong, or nothing."""
        answers = next(answers_that_take(self.definition, edge), None)
        if answers is None:
            return f"whatever the guards answer, an edge before {edge.id} is taken"
        self.answers = with_later_rivals_holding(self.definition, edge, answers)
        if self._gate is not None:
            fires = self.definition.automatic and not edge.command
            chosen = (
                self._gate.first_enabled(edge.source)
                if fires
                else self._gate.first_for_command(edge.source, edge.event)
            )
            if chosen != edge:
                return f"in {edge.source} the gate chose {chosen.id if chosen else 'nothing'}"
        self.calls.clear()
        self.engine.send(edge.event)
        if self.state != edge.target:
            return f"{edge.id} led to {self.state}"
        expected = list(_calls_of(self.definition, edge))
        if self._gate is not None and self.calls != expected:
            return f"{edge.id} ran {self.calls} and declares {expected}"
        return ""


class _Owner:
    """What the engine keeps its state on, and finds forced guards and callbacks on."""

    forced_state: str | None = None


def _calls_of(definition: ChartDefinition, edge: EdgeDefinition) -> Iterable[str]:
    """Callbacks of one transition, in the order in which they run."""
    before, on, after = (_names(group) for group in (edge.before, edge.on, edge.after))
    if edge.internal:
        return [*before, *on, *after]
    leave, enter = _names(definition.state(edge.source).exit), _names(definition.state(edge.target).enter)
    return [*before, *leave, *on, *enter, *after]


def _names(callbacks: Iterable[CallbackDefinition]) -> list[str]:
    """The callbacks' names."""
    return [callback.name for callback in callbacks]
