"""Every event is sent where it is not accepted, and whatever comes of it is found."""

from __future__ import annotations

from typing import Any

import pytest
from statemachine import State, StateChart

from mm_fsm.books.order_lifecycle import OrderLifecycle
from mm_fsm.coverage.criteria import Criterion
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.testing import SneakedError, TableDriver, UnsupportedChartError, forced, sneak_tests
from mm_fsm.testing.paths.sneaks import SneakCell, plan_cells
from tests.coverage.charts import Door, Download, Regions
from tests.coverage.recording import recording
from tests.testing.by_hand import look_up
from tests.testing.charts import Gauge, Kitchen, Leaky, Light, Passing


def run_all(chart: Any) -> dict[str, str]:
    """Run every cell; what is left out."""
    cells, left_out = plan_cells(chart)
    for cell in cells:
        cell.run()
    return left_out


@pytest.mark.parametrize(
    ("chart", "cells"),
    [
        # 3 states and 3 events, 3 edges.
        (Door, 6),
        # 4 states and 4 events, 5 edges.
        (Light, 11),
        (Download, 2),
        # 3 states, 4 events; reset is accepted twice, the others once.
        (Gauge, 7),
        # Innermost are quiet, cooking, serving, closed, with 5 events. quiet: fill, close; cooking: serve, calm, close;
        # serving: calm, close; closed: unlock. 20 less 8.
        (Kitchen, 12),
        # 9 statuses, 13 events, 94 edges.
        (OrderLifecycle, 23),
        # 9 states, 23 events, 48 edges.
        (MarketMakingStateMachine, 159),
    ],
)
def test_every_cell_is_seen_by_coverage(chart: type, cells: int) -> None:
    with recording(chart) as seen:
        assert run_all(forced(chart)) == {}
    result = seen.criterion(Criterion.SNEAK)
    assert (result.covered, result.total) == (cells, cells)


def test_the_table_of_a_compiled_chart_refuses_every_cell() -> None:
    with recording(OrderLifecycle) as seen:
        assert run_all(TableDriver(OrderLifecycle, look_up)) == {}
    assert seen.criterion(Criterion.SNEAK).covered == 23


def test_a_table_that_answers_where_nothing_is_declared_is_found_out() -> None:
    def too_kind(subject: str, state: str, event: str) -> str:
        return "rejected" if (state, event) == ("open", "find_gone") else look_up(subject, state, event)

    cells, _ = plan_cells(TableDriver(OrderLifecycle, too_kind))
    (cell,) = (cell for cell in cells if str(cell) == "find_gone in open")
    with pytest.raises(SneakedError, match=r"active states changed from \['open'\] to \['rejected'\]"):
        cell.run()


def cell_of(chart: type, text: str, **options: Any) -> SneakCell:
    cells, _ = plan_cells(forced(chart), **options)
    return next(cell for cell in cells if str(cell) == text)


class Sneaky(StateChart[Any]):
    """Accepts an event that its chart does not show: a wildcard takes everything."""

    here = State(initial=True)
    there = State()

    go = here.to(there)
    back = there.to(here)
    there.to(here, event="*")


def test_an_event_that_moves_the_machine_after_all_is_found() -> None:
    """No cell is left where a wildcard accepts everything, so the cell is made by hand."""
    cell = SneakCell(forced(Sneaky), "there", "go", (0,))
    with pytest.raises(SneakedError, match=r"event 'go' in state 'there'.*changed from \['there'\] to \['here'\]"):
        cell.run()


def test_what_a_snapshot_holds_may_not_change_even_in_place() -> None:
    """The list is one object, which is changed: it is copied to be compared."""
    assert cell_of(Leaky, "back in here").run().machine.seen == ["back"]
    with pytest.raises(SneakedError, match=r"the snapshot changed from .* to "):
        cell_of(Leaky, "back in here", snapshot=lambda machine: machine.seen).run()


class Touchy(StateChart[Any]):
    """Raises an error of its own for an event that it does not accept."""

    here = State(initial=True)
    there = State()

    go = here.to(there)
    back = there.to(here)

    def send(self, event: str, *arguments: Any, **keywords: Any) -> Any:
        if event == "back" and self.here.is_active:
            raise ArithmeticError("touched")
        return super().send(event, *arguments, **keywords)


def test_an_error_that_is_no_refusal_is_found() -> None:
    with pytest.raises(SneakedError, match="ArithmeticError was raised: touched"):
        cell_of(Touchy, "back in here").run()


def test_cells_that_cannot_be_tested_are_listed_with_the_reason() -> None:
    left_out = run_all(forced(Passing))
    reason = "the machine moves on by itself before anything can be sent"
    assert left_out == {"go in between": reason, "back in between": reason}
    _, left_out = plan_cells(forced(Light), exclude={"* in broken": "nobody listens"})
    assert left_out == {f"{event} in broken": "nobody listens" for event in ("slow", "stop", "go", "smash")}


def test_an_exclusion_that_fits_no_cell_is_refused() -> None:
    with pytest.raises(UnsupportedChartError, match="nothing that the exclusion 'slow in brocken' fits"):
        sneak_tests(Light, exclude={"slow in brocken": "a slip"})


def test_charts_that_no_way_can_be_planned_on_are_refused() -> None:
    with pytest.raises(UnsupportedChartError, match=r"both .parallel."):
        sneak_tests(Regions)
