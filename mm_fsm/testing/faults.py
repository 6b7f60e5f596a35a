"""Faults: every guard and callback raises in every place where the chart runs it.

On a market maker it is checked that the machine ends in the fault state, that its book is being cancelled, that its
books agree with the venue's, and that nothing is placed until it has recovered. Of other charts the structure is
checked: the engine lets the error out and is back where it was, or takes the chart's error event.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, ClassVar, Final

from attrs import field, frozen

from mm_fsm.chart import CallbackDefinition, ChartDefinition, EdgeDefinition
from mm_fsm.core.messages import PlaceOrder
from mm_fsm.testing.forced import ForcedMachine
from mm_fsm.testing.foreign import AnyChart, definition_for
from mm_fsm.testing.harness import MachineHarness
from mm_fsm.testing.paths import find_paths, ways_to
from mm_fsm.testing.problems import PathNotTakenError
from mm_fsm.testing.real import RealDriver
from mm_fsm.testing.traps import Trap, is_sprung

STEPS_AFTERWARDS: Final = 6
"""How long it is watched that nothing is placed, in rounds of answers and books."""


class Phase(StrEnum):
    """Where on a transition something runs, in the order of running."""

    GUARD = "guard"
    BEFORE = "before"
    EXIT = "exit"
    ON = "on"
    ENTER = "enter"
    AFTER = "after"


class Manner(StrEnum):
    """How it raises."""

    AT_ONCE = "at once"
    AFTER_ITS_WORK = "after its work"
    ALWAYS = "always"


@frozen(kw_only=True)
class FaultCase:
    """One guard or callback that raises in one phase of one edge."""

    chart: AnyChart
    edge: EdgeDefinition
    phase: Phase
    name: str
    manner: Manner = Manner.AT_ONCE
    driver: RealDriver[Any] | None = field(default=None, repr=False)

    takes_expectations_from_chart: ClassVar[bool] = False

    @property
    def id(self) -> str:
        """Readable, and unique within the chart."""
        manner = f"-{self.manner.replace(' ', '_')}" if self.manner is not Manner.AT_ONCE else ""
        return f"{self.name}-{self.phase}-{self.edge.source}.{self.edge.event}.{self.edge.target}{manner}"

    @property
    def trap(self) -> Trap:
        """Where to raise. A callback that always raises does so wherever it is called from then on."""
        is_guard = self.phase is Phase.GUARD
        return Trap(
            name=self.name,
            state=self.edge.source if is_guard else None,
            event=None if is_guard else self.edge.event,
            between_transitions=is_guard,
            after_its_work=self.manner is Manner.AFTER_ITS_WORK,
            times=None if self.manner is Manner.ALWAYS else 1,
        )

    def check(self) -> None:
        """Let it raise, and look at what is left.

        Raises:
            AssertionError: something that must hold after a fault does not.
            PathNotTakenError: the edge was not reached, so that nothing raised.
        """
        if self.driver is None:
            self._check_structure()
            return
        furthest: PathNotTakenError | None = None
        for attempt in self.driver.attempts((self.edge,), prepare=self._set_trap):
            if attempt.host.traps.sprung:
                check_after_fault(attempt.host, self._fault_state())
                return
            furthest = furthest or attempt.error
        raise furthest or PathNotTakenError((self.edge,), 0, f"{self.name} was never called")

    def _set_trap(self, host: MachineHarness) -> None:
        host.traps.set(self.trap)

    def _fault_state(self) -> str:
        definition = definition_for(self.chart)
        return next(edge.target for edge in definition.edges if edge.event == definition.fault_event)

    def _check_structure(self) -> None:
        forced = ForcedMachine(self.chart)
        forced.drive(min(ways_to(forced.definition, self.edge.source), key=len))
        problem = forced.problem_when_raising(self.edge, self.name)
        if problem:
            raise AssertionError(f"{self.name} raised in {self.phase} of {self.edge.id}: {problem}")


def check_after_fault(host: MachineHarness, fault_state: str) -> None:
    """What must hold in and after the step in which something raised.

    Raises:
        AssertionError: with what does not hold.
    """
    failed = next(place for place, result in enumerate(host.results) if any(map(is_sprung, result.faults)))
    visited = [transition.target for transition in host.results[failed].transitions]
    assert fault_state in visited, f"the step ended in {host.results[failed].state} and never was in {fault_state}"
    assert not _placements(host, failed), "orders left in a step in which something raised"
    if host.state == fault_state:
        check_book_is_leaving(host)
    check_books(host)
    host.traps.clear()
    for _ in range(STEPS_AFTERWARDS):
        if host.state != fault_state:
            break
        check_book_is_leaving(host)
        begun = len(host.results)
        host.answer()
        host.later(0.01)
        host.show_book()
        sent = [place for place in range(begun, len(host.results)) if _placements(host, place)]
        left = [t for result in host.results[begun:] for t in result.transitions if t.source == fault_state]
        assert not sent or left, f"orders were placed in {fault_state}"
    check_books(host)


def _placements(host: MachineHarness, place: int) -> list[PlaceOrder]:
    return [intent for intent in host.results[place].intents if isinstance(intent, PlaceOrder)]


def check_book_is_leaving(host: MachineHarness) -> None:
    """Every live order has a cancel in flight, or is UNKNOWN and asked about.

    Raises:
        AssertionError: with the order of which that is not true.
    """
    for order in host.context.orders.live():
        is_asked_about = order.is_unknown and order.query_due is not None
        assert order.cancel_in_flight or is_asked_about, (
            f"{order.client_order_id} is {order.status} and nobody cancels it"
        )


def check_books(host: MachineHarness) -> None:
    """The machine's books agree with the venue, as far as it has been told.

    Raises:
        AssertionError: with what differs.
    """
    ledger = host.context.ledger
    assert ledger.identity_gap() == 0, f"the ledger's identity misses {ledger.identity_gap()}"
    base, quote = host.told_account()
    assert host.context.base_position == base, (
        f"the books hold {host.context.base_position} base units, told were {base}"
    )
    assert ledger.cash == quote, f"the books hold {ledger.cash} of cash, told were {quote}"
    for order_id in host.venue.orders:
        assert order_id in host.context.orders, f"{order_id} was sent and is not in the books"


def fault_cases(chart: AnyChart, *, driver: RealDriver[Any] | None = None) -> Iterator[FaultCase]:
    """Every guard and callback in every phase of every edge that can be reached; with a driver, that it can follow.

    An entry or exit callback raises once at once on every edge, and once each after its work and for good on the first
    edge that runs it; so do the callbacks of an edge.

    Raises:
        GenerationError: the chart is not flat.
    """
    definition = definition_for(chart)
    seen: set[tuple[str, Phase]] = set()
    for edge in _reachable(definition):
        if driver is not None and not driver.can_follow(edge):
            continue
        for phase, name in _runs(definition, edge):
            yield FaultCase(chart=chart, edge=edge, phase=phase, name=name, driver=driver)
            if phase is not Phase.GUARD and (name, phase) not in seen:
                seen.add((name, phase))
                for manner in (Manner.AFTER_ITS_WORK, Manner.ALWAYS):
                    yield FaultCase(chart=chart, edge=edge, phase=phase, name=name, manner=manner, driver=driver)


def _reachable(definition: ChartDefinition) -> list[EdgeDefinition]:
    taken = {id(edge) for path in find_paths(definition, "transitions") for edge in path}
    return [edge for edge in definition.edges if id(edge) in taken and edge.event != definition.fault_event]


def _runs(definition: ChartDefinition, edge: EdgeDefinition) -> Iterator[tuple[Phase, str]]:
    yield from ((Phase.GUARD, guard.name) for guard in edge.guards)
    leave: tuple[CallbackDefinition, ...] = ()
    enter: tuple[CallbackDefinition, ...] = ()
    if not edge.internal:
        leave, enter = definition.state(edge.source).exit, definition.state(edge.target).enter
    phases = {
        Phase.BEFORE: edge.before,
        Phase.EXIT: leave,
        Phase.ON: edge.on,
        Phase.ENTER: enter,
        Phase.AFTER: edge.after,
    }
    for phase, callbacks in phases.items():
        yield from ((phase, callback.name) for callback in callbacks)
