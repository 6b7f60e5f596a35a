"""Tests that nothing sneaks: every event is sent in every state that does not accept it, and nothing comes of it."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any

import pytest
from attrs import field, frozen

from mm_fsm.coverage.criteria import Criterion
from mm_fsm.coverage.obligations import obligations_of
from mm_fsm.testing.driving.driver import Driven, Driver
from mm_fsm.testing.driving.drivers import driver_of
from mm_fsm.testing.paths.cases import left_out_cases
from mm_fsm.testing.paths.moves import Moves
from mm_fsm.testing.paths.plans import read_exclusions
from mm_fsm.testing.problems import SneakedError

Snapshot = Callable[[Any], object]
"""What of a machine an event may not change where it is not accepted, as a value that can be compared."""


@frozen
class SneakCell:
    """A state, an event that it does not accept, and a shortest way to the state."""

    driver: Driver = field(repr=False)
    state: str
    event: str
    places: tuple[int, ...]
    """Places of the edges that lead to the state."""
    snapshot: Snapshot | None = field(default=None, repr=False)

    def run(self) -> Driven:
        """Go to the state, send the event, and see that nothing has changed.

        Raises:
            SneakedError: something has: state, edges taken, or what the snapshot holds; or something else was raised
                than a refusal.
            StrayedError: the state could not be reached.
        """
        problems: list[SneakedError] = []
        driven = self.driver.start(*self.places, then=lambda driven: problems.extend(self._problems(driven)))
        for problem in problems:
            raise problem
        return driven

    def _problems(self, driven: Driven) -> Iterator[SneakedError]:
        before = self._look(driven)
        try:
            driven.send(self.event)
        except self.driver.refusals:
            pass
        except Exception as error:  # noqa: BLE001 - whatever it is, it is no refusal
            yield self._sneaked(f"that {type(error).__name__} was raised: {error}")
        for what, value in self._look(driven).items():
            if value != before[what]:
                yield self._sneaked(f"that {what} changed from {reprlib.repr(before[what])} to {reprlib.repr(value)}")

    def _look(self, driven: Driven) -> Mapping[str, object]:
        """What must not change; copied, so that a change in place is seen."""
        keys = self.driver.model.edge_keys
        return {
            "active states": sorted(driven.active),
            "edges taken": [keys[place] for place in driven.taken],
            **self.driver.snapshot(driven),
            "the snapshot": deepcopy(self.snapshot(driven.machine)) if self.snapshot is not None else None,
        }

    def _sneaked(self, found: str) -> SneakedError:
        return SneakedError(self.driver.model.reference, self.state, self.event, found)

    def __str__(self) -> str:
        """As coverage calls the cell."""
        return f"{self.event} in {self.state}"


def sneak_tests(
    chart: type | Driver, *, snapshot: Snapshot | None = None, exclude: Mapping[str, str] | None = None
) -> Callable[[SneakCell], None]:
    """A test for every state and event where the state does not accept the event.

    Assign it to a name that begins with ``test``. Cells that cannot be reached are skipped with the reason.

    Args:
        chart: a chart's class, whose guards are forced then, or a driver.
        snapshot: what of a machine must stay as it is beside its state; it is copied. The books of our machines are
            looked at without it.
        exclude: cells that cannot be tested, by coverage's keys (``event in state``), with the reason.

    Raises:
        UnsupportedChartError: no ways can be planned on this chart, or an exclusion fits nothing.
    """
    driver = driver_of(chart)
    cells, left_out = plan_cells(driver, snapshot=snapshot, exclude=exclude)
    cases = [pytest.param(cell, id=str(cell)) for cell in cells]

    @pytest.mark.parametrize("cell", [*cases, *left_out_cases(left_out)])
    def test_sneak(cell: SneakCell) -> None:
        cell.run()

    return test_sneak


def plan_cells(
    driver: Driver, *, snapshot: Snapshot | None = None, exclude: Mapping[str, str] | None = None
) -> tuple[list[SneakCell], dict[str, str]]:
    """The cells of a chart, and by their keys those that are left out, with the reason.

    Raises:
        UnsupportedChartError: as for ``sneak_tests``.
    """
    model = driver.model
    exclusions = read_exclusions(model, [Criterion.SNEAK], exclude or {})
    unusable = {
        place for place, edge in enumerate(model.definition.edges) if edge.excluded or not driver.can_take(place)
    }
    moves = Moves(model, unusable)
    cells: list[SneakCell] = []
    left_out: dict[str, str] = {}
    for one, (state, event) in zip(obligations_of(model, Criterion.SNEAK), model.illegal, strict=True):
        reasons = [exclusion.reason for exclusion in exclusions if exclusion.covers(model.reference, one)]
        if not reasons and state not in moves.found_by:
            reasons = ["no path leads to the state"]
        if not reasons and not driver.can_send_in(moves.active(state)):
            reasons = ["the machine moves on by itself before anything can be sent"]
        if reasons:
            left_out[one.key] = reasons[0]
        else:
            cells.append(SneakCell(driver, state, event, moves.way_to(state), snapshot))
    return cells, left_out
