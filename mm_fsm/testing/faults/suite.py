"""``fault_tests``: whatever raises, wherever it is run, a machine ends where it should and its books are intact."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import Any, Final

import pytest
from statemachine.callbacks import CallbackGroup

from mm_fsm.machine.strategy import StrategyMachine
from mm_fsm.testing.driving.driver import Driven, Driver, Forced
from mm_fsm.testing.driving.engines import catches_errors
from mm_fsm.testing.driving.machines import FactFor, MachineDriven, timer
from mm_fsm.testing.faults.places import INITIAL, FaultPlaces, Place
from mm_fsm.testing.faults.sabotage import Saboteur, ServiceCall, laid_out, lay_out_in_table, wrapped
from mm_fsm.testing.faults.verdicts import Before, judge_by, judge_engine, judge_machine
from mm_fsm.testing.problems import StrayedError, UnsupportedChartError, require
from mm_fsm.testing.subjects.making import driver_for, maker_of, read_flat
from mm_fsm.testing.subjects.registry import subject_of
from mm_fsm.testing.subjects.subject import ServicesFactory, Situation
from mm_fsm.testing.subjects.ways import Ways

Check = Callable[[Any], object]

_IMPOSSIBLE: Final = (
    "no step can take it: its source is left at once, an edge before it is always taken, or no fact carries its command"
)


def fault_tests(
    chart: type,
    *,
    make: Callable[[], Any] | None = None,
    services: ServicesFactory | None = None,
    situation: Situation | None = None,
    commands: Mapping[str, FactFor] | None = None,
    check: Check | None = None,
) -> Callable[[Any], None]:
    """Make tests in which each callback, each guard and each method of the services raises, wherever it is run.

    Assign the result to a name that pytest collects: ``test_faults = fault_tests(Chart)``.

    Args:
        chart: one of our charts, or a flat class of python-statemachine.
        make: makes one machine. By default a market maker is made on the paper exchange's instrument, and any other
            class is called without arguments.
        services: makes the services of that market maker; by default those that its settings name.
        situation: what a machine of ours lives through before; by default, for a market maker, that it quotes.
        commands: by event, what makes the fact that carries a command of a machine of ours; ``stop`` is known.
        check: asked about the machine when everything else has been found in order; False, or an error, fails.

    Raises:
        UnsupportedChartError: the chart has states within states, nothing in it can raise, or it needs ``make``.
    """
    suite = _Suite(driver_for(chart, maker_of(chart, make, services), commands), chart, situation, check)
    cases = suite.cases()
    if not cases:
        raise UnsupportedChartError(
            suite.model.reference, "it has no callback and no guard.", "Nothing can raise: leave it out."
        )

    @pytest.mark.parametrize("case", cases)
    def test_faults(case: Callable[[], None]) -> None:
        case()

    return test_faults


class _Suite:
    """The tests of one chart."""

    def __init__(self, driver: Driver, chart: type, situation: Situation | None, check: Check | None) -> None:
        self._driver = driver
        self._reading = read_flat(chart, "fault_tests")
        self.model = self._reading.model
        self._ways = Ways(self._driver)
        self._places = FaultPlaces(chart, self._reading, self._ways)
        self._is_machine = issubclass(chart, StrategyMachine)
        self._subject = subject_of(chart)
        self._situation = situation or self._subject.situation
        self._check = check

    def cases(self) -> list[Any]:
        """One parameter for each place; an edge that no step can take is one that is skipped, with the reason."""
        found: list[Any] = []
        impossible: dict[int, None] = {}
        for place in [*self._places.callbacks(), *self._places.guards()]:
            if place.edge == INITIAL and not self._is_machine:
                continue  # the engine's constructor raises, and there is no machine
            if self._is_possible(place.edge):
                found.append(pytest.param(partial(self._run, place), id=place.name))
            else:
                impossible[place.edge] = None
        for edge in impossible:
            skipped = pytest.mark.skip(reason=_IMPOSSIBLE)
            found.append(pytest.param(None, id=self.model.edge_keys[edge], marks=skipped))
        services = {name: partial(self._run_service, name) for name in self._subject.service_methods}
        found += [pytest.param(run, id=f"service {name}") for name, run in services.items()]
        return found

    def _is_possible(self, edge: int) -> bool:
        if edge == INITIAL:
            return True
        definition = self.model.definition
        way = self._ways.way(definition.initial.id, definition.edges[edge].source)
        return way is not None and self._ways.is_feasible(edge)

    def _is_answer(self, edge: int) -> bool:
        """Whether an edge is the machine's own answer to a failure, which something else must lead to."""
        return edge != INITIAL and self._ways.is_fault_edge(edge)

    # -- one case ---------------------------------------------------------------------------------------------------

    def _run(self, place: Place) -> None:
        """Take the edge on which the call raises, and judge what comes of it."""
        saboteur = Saboteur(place.call, trips=self._is_answer(place.edge))
        with laid_out(self._reading, saboteur):
            driven = self._begin(saboteur, place.edge)
            run = self._approach(driven, place.edge, saboteur)
            before = Before.of(driven, self._subject) if isinstance(driven, MachineDriven) else None
            strayed = _take(driven, run)
        require(saboteur.has_struck, f"{place.name} can be made to raise", strayed or "that it is never called")
        if isinstance(driven, MachineDriven) and before is not None:
            judge_machine(driven, before, place, self._subject)
        else:
            error = strayed.__cause__ if strayed is not None else None
            judge_engine(driven, place, error, catches=catches_errors(driven))
        judge_by(self._check, driven)

    def _begin(self, saboteur: Saboteur, edge: int) -> Driven:
        """A machine that has lived through its situation; for the entry into the initial state, one just made."""
        driven = self._driver.start()
        if isinstance(driven, MachineDriven):
            taken = None if edge == INITIAL else self.model.definition.edges[edge]
            lay_out_in_table(driven.machine, taken, saboteur)
        if isinstance(driven.steering, Forced):
            driven.steering.asked = saboteur.guard_was_asked
        if self._subject.service_methods:
            self._subject.wrap_services(driven.machine, partial(wrapped, saboteur))
            saboteur.ask_guard = lambda name: getattr(type(driven.machine), name)(driven.machine)
        driven.aim()
        if isinstance(driven, MachineDriven) and edge != INITIAL:
            for fact in self._situation.opening(driven.machine):
                driven.step(fact)
        return driven

    def _approach(self, driven: Driven, edge: int, saboteur: Saboteur) -> tuple[int, ...]:
        """Walk to where the edge is next, and return what is to be taken in one go with it; the saboteur waits."""
        runs = [tuple(run) for run in driven.runs_of(self._path(driven, edge))]
        for run in runs[:-1]:
            driven.take(*run)
            if isinstance(driven, MachineDriven):
                for fact in self._situation.answers(driven.machine, driven.results[-1]):
                    driven.step(fact)
        last = runs[-1] if runs else ()
        takes_edge = edge != INITIAL and not self._is_answer(edge)
        saboteur.lie_in_wait(driven, len(driven.taken) + len(last) - takes_edge)
        return last

    def _path(self, driven: Driven, edge: int) -> tuple[int, ...]:
        """The edges up to this one, by way of the situation's state where that can be; without the answer itself."""
        if edge == INITIAL:
            return ()
        (state,) = driven.active
        source, goal = self.model.definition.edges[edge].source, self._situation.by_way_of
        way = self._ways.way(state, source) or ()
        if goal is not None:
            there, on = self._ways.way(state, goal), self._ways.way(goal, source)
            way = (*there, *on) if there is not None and on is not None else way
        return way if self._is_answer(edge) else (*way, edge)

    # -- services ---------------------------------------------------------------------------------------------------

    def _run_service(self, name: str) -> None:
        """Let a method raise on each edge on which it is called, by a callback, a guard or a follow-up."""
        edges = [edge for edge, called in self._services_called.items() if name in called]
        if not edges:
            pytest.skip(f"{name} is called on no edge")
        for edge in edges:
            where = "the first step" if edge == INITIAL else self.model.edge_keys[edge]
            try:
                self._run(Place(name=name, edge=edge, call=ServiceCall(name), group=CallbackGroup.AFTER))
            except Exception as error:
                error.add_note(f"{name} raised during {where}.")
                raise

    @cached_property
    def _services_called(self) -> dict[int, set[str]]:
        """For each edge the methods that are called in the step that takes it, up to there."""
        places = range(INITIAL, len(self.model.definition.edges))
        return {edge: self._note_services(edge) for edge in places if self._is_possible(edge)}

    def _note_services(self, edge: int) -> set[str]:
        saboteur = Saboteur(trips=self._is_answer(edge))
        driven = self._begin(saboteur, edge)
        _take(driven, self._approach(driven, edge, saboteur))
        return {call.name for call in saboteur.seen if isinstance(call, ServiceCall)}


def _take(driven: Driven, run: tuple[int, ...]) -> StrayedError | None:
    """Take edges, or a step where there are none; what the driver found instead, if it did."""
    if not run:
        if isinstance(driven, MachineDriven):
            driven.step(timer(driven.machine))
        return None
    try:
        driven.take(*run)
    except StrayedError as strayed:
        return strayed
    return None
