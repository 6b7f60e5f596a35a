"""Sneak paths: an event is sent in a state that does not accept it, and nothing may come of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Final, Protocol

from attrs import field, frozen
from statemachine import StateChart
from statemachine.exceptions import TransitionNotAllowed

from mm_fsm.testing.forced import ForcedMachine
from mm_fsm.testing.foreign import AnyChart, definition_for
from mm_fsm.testing.paths import ways_to
from mm_fsm.testing.problems import PathNotTakenError
from mm_fsm.testing.real import Host, RealDriver

CONTEXT: Final = 80
"""Characters shown on each side of a difference."""


class SneakHost(Host, Protocol):
    """A real machine that can be asked for everything that must stay as it is."""

    on_arrival: Callable[[str], None] | None

    def snapshot(self) -> object:
        """State, books and what services were asked, as something that can be compared."""
        ...

    def send_past(self, event: str) -> None:
        """Send an event to the engine."""
        ...


Entrance = Callable[[str], Any]
"""Given a state, a python-statemachine machine that is in it."""
Snapshot = Callable[[Any], object]
"""Given that machine, everything that must stay as it is."""


@frozen(kw_only=True)
class SneakCell:
    """One event in one state that does not accept it."""

    chart: AnyChart
    state: str
    event: str
    driver: RealDriver[Any] | None = field(default=None, repr=False)
    entrance: Entrance | None = field(default=None, repr=False)
    snapshot: Snapshot | None = field(default=None, repr=False)

    takes_expectations_from_chart: ClassVar[bool] = True

    @property
    def id(self) -> str:
        """Readable, and unique within the chart."""
        return f"{self.event}-in-{self.state}"

    def check(self) -> None:
        """Bring a machine into the state, send the event, and compare.

        Raises:
            AssertionError: something changed.
            PathNotTakenError: the state was not reached.
        """
        if self.driver is not None:
            self._check_driven(self.driver)
        elif self.entrance is not None:
            machine = self.entrance(self.state)
            self._compare(lambda: _send(machine, self.event), lambda: self._look(machine))
        else:
            forced = ForcedMachine(self.chart)
            forced.drive(_shortest_way(forced, self.state))
            forced.calls.clear()
            self._compare(lambda: _send(forced.engine, self.event), lambda: (forced.state, tuple(forced.calls)))

    def _look(self, machine: StateChart[Any]) -> object:
        books = self.snapshot(machine) if self.snapshot is not None else repr(vars(machine.model))
        return list(machine.configuration_values), books

    def _check_driven(self, driver: RealDriver[Any]) -> None:
        """At the moment of arrival: a state that is left at once is never seen at rest."""
        checked: list[str] = []

        def prepare(host: SneakHost) -> None:
            def check(state: str) -> None:
                if state == self.state and not checked:
                    checked.append(state)
                    self._compare(lambda: host.send_past(self.event), host.snapshot)

            host.on_arrival = check

        for attempt in driver.attempts((), self.state, prepare):
            if not checked and attempt.error is None:
                checked.append(self.state)
                self._compare(lambda host=attempt.host: host.send_past(self.event), attempt.host.snapshot)  # type: ignore[misc]
            if checked:
                return
        raise PathNotTakenError((), 0, f"{self.state} was not reached")

    def _compare(self, send: Callable[[], None], look: Callable[[], object]) -> None:
        before = look()
        send()
        after = look()
        if after != before:
            raise AssertionError(
                f"state {self.state!r} does not accept event {self.event!r}, and yet something changed: "
                f"{first_difference(repr(before), repr(after))}"
            )


def first_difference(before: str, after: str) -> str:
    """Where two long texts first differ, with what stands around there."""
    place = next((i for i, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), 0)
    begin = max(place - CONTEXT, 0)
    return f"...{before[begin : place + CONTEXT]}... became ...{after[begin : place + CONTEXT]}..."


def _send(machine: StateChart[Any], event: str) -> None:
    """A machine may refuse an event by an error or take no notice of it."""
    try:
        machine.send(event)
    except TransitionNotAllowed:
        return


def _shortest_way(forced: ForcedMachine, state: str) -> Any:
    return min(ways_to(forced.definition, state), key=len)


def sneak_cells(chart: AnyChart, **how: Any) -> Iterator[SneakCell]:
    """Every state and event of a flat chart where no edge of the state has the event.

    Raises:
        GenerationError: the chart is not flat.
    """
    definition = definition_for(chart)
    accepted = {(edge.source, edge.event) for edge in definition.edges}
    reachable = {definition.initial.id, *(edge.target for edge in definition.edges if not edge.excluded)}
    for state in definition.states:
        for event in definition.events:
            if (state.id, event) not in accepted and state.id in reachable:
                yield SneakCell(chart=chart, state=state.id, event=event, **how)
