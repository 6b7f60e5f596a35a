"""What happened within a step, in order: guards asked, edges taken, services' answers. Watching changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, NamedTuple

import attrs

from mm_fsm.chart import EdgeDefinition
from mm_fsm.core.messages import Fact
from mm_fsm.machine.observers import MachineObserver
from mm_fsm.machine.results import TransitionRecord
from mm_fsm.machine.strategy import StrategyMachine
from mm_fsm.report.inspection.plain_text import plain_text


class GuardAnswer(NamedTuple):
    """A guard of an edge was asked; ``guard`` is its place among the edge's guards."""

    edge: int
    guard: int
    answer: bool


class ServiceAnswer(NamedTuple):
    """A service was asked. ``asked`` are its arguments beside the books."""

    method: str
    asked: str
    answer: str


class EdgeTaken(NamedTuple):
    """An edge was taken, by its place in the definition."""

    edge: int


class CommandRefused(NamedTuple):
    """The fact carried a command that no edge of the state took."""

    command: str


TraceEntry = GuardAnswer | ServiceAnswer | EdgeTaken | CommandRefused


class StepTrace(MachineObserver):
    """Collects what happens within each step of one machine.

    Args:
        machine: told from now on; its services, where it has any, are asked through a recording wrapper.
    """

    def __init__(self, machine: StrategyMachine) -> None:
        self.entries: list[TraceEntry] = []
        """Of the step under way, or of the last one."""
        definition = machine.definition
        self._places: Final = {id(edge): place for place, edge in enumerate(definition.edges)}
        self._edges: Final = definition.edges
        self._answers: list[tuple[object, str]] = []
        machine.observe(self)
        self._watch_services(machine)

    def step_began(self, state: str, fact: Fact) -> None:
        """Forget the step before."""
        self.entries = []
        self._answers.clear()

    def guard_was_asked(self, edge: EdgeDefinition, guard: str, outcome: bool) -> None:  # noqa: FBT001 - the gate's call
        """Record a guard and its answer."""
        place = next(at for at, term in enumerate(edge.guards) if term.name == guard)
        self.entries.append(GuardAnswer(self._places[id(edge)], place, outcome))

    def transition_was_taken(self, transition: TransitionRecord, time: int) -> None:
        """Note which of the edges that look like it was taken: the one whose guards were asked last."""
        alike = [
            place
            for place, edge in enumerate(self._edges)
            if (edge.source, edge.event) == (transition.source, transition.event)
        ]
        asked = [entry.edge for entry in self.entries if isinstance(entry, GuardAnswer) and entry.edge in alike]
        self.entries.append(EdgeTaken(asked[-1] if asked else alike[0]))

    def command_was_refused(self, state: str, command: str) -> None:
        """Record a command for which the state has no edge open."""
        self.entries.append(CommandRefused(command))

    # -- services ---------------------------------------------------------------------------------------------------

    def _watch_services(self, machine: StrategyMachine) -> None:
        services: Any = getattr(machine, "services", None)
        if services is None or not attrs.has(type(services)):
            return
        roles = [each.name for each in attrs.fields(type(services))]
        watched = {role: WatchedService(getattr(services, role), role, self._note_answer) for role in roles}
        machine.services = attrs.evolve(services, **watched)  # type: ignore[attr-defined] # it has services, as read

    def _note_answer(self, method: str, arguments: tuple[object, ...], answer: object) -> None:
        self.entries.append(ServiceAnswer(method, self._arguments(arguments), self._plain(answer)))
        if answer is not None and not isinstance(answer, (bool, int, float, str)):
            self._answers.append((answer, method))

    def _arguments(self, arguments: tuple[object, ...]) -> str:
        """Arguments as text; a value that a service of this step has answered is named after it."""
        texts = []
        for argument in arguments:
            earlier = next((method for answer, method in self._answers if answer is argument), None)
            texts.append(self._plain(argument) if earlier is None else f"the answer of {earlier}")
        return ", ".join(texts)

    @staticmethod
    def _plain(value: object) -> str:
        return f"raised {type(value).__name__}: {value}" if isinstance(value, BaseException) else plain_text(value)


class WatchedService:
    """Stands in place of a service and answers as it does; ``note`` is told method, arguments and answer.

    The first argument of a service is the books, which are shown beside: it is left out.

    Args:
        service: the service itself.
        role: its name among the services.
        note: takes ``role.method``, the further arguments, and the answer or the exception that was raised.
    """

    def __init__(self, service: Any, role: str, note: Callable[[str, tuple[object, ...], object], None]) -> None:
        self._service = service
        self._role = role
        self._note = note

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._service, name)
        if not callable(found) or name.startswith("_"):
            return found
        method, note = f"{self._role}.{name}", self._note

        @wraps(found)  # what the method promises (see settled) stays promised
        def ask(*arguments: Any, **keywords: Any) -> Any:
            asked = (*arguments[1:], *keywords.values())
            try:
                answer = found(*arguments, **keywords)
            except Exception as error:
                note(method, asked, error)
                raise
            note(method, asked, answer)
            return answer

        ask.__self__ = getattr(found, "__self__", self._service)  # type: ignore[attr-defined] # as bound methods have
        setattr(self, name, ask)
        return ask
