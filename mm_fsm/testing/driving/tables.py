"""Drives charts that are compiled to a table, such as an order's life: by looking events up in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any

from mm_fsm.chart import Chart
from mm_fsm.coverage.reading import read_chart
from mm_fsm.errors import OrderLifecycleError
from mm_fsm.testing.driving.driver import Driven, Driver, Forced, Then
from mm_fsm.testing.problems import UnsupportedChartError

LookUp = Callable[[str, str, str], str]
"""A subject's identifier, its state and an event, to the state that follows; raises where nothing is declared."""


class TableDriver(Driver):
    """Drives a chart by the table that it was compiled to.

    Args:
        chart: the chart, which has no guards.
        look_up: looks into the table.

        refusal: what it raises for an event that is not declared.

    Raises:
        UnsupportedChartError: the chart has guards, which no table answers.
    """

    def __init__(self, chart: type[Chart], look_up: LookUp, refusal: type[Exception] = OrderLifecycleError) -> None:
        super().__init__(read_chart(chart))
        self._look_up = look_up
        self._numbers = count(1)
        self.refusals = (refusal,)
        if self.model.definition.guard_names:
            raise UnsupportedChartError(
                self.model.reference,
                f"it has guards ({', '.join(self.model.definition.guard_names)}), and a table answers none.",
                "Drive it by its engine.",
            )

    def start(self, *places: int, then: Then | None = None) -> Driven:
        """A new subject, which has taken these edges."""
        driven = _TableDriven(self, self._look_up, f"subject-{next(self._numbers)}")
        driven.take(*places, then=then)
        return driven


class _TableDriven(Driven):
    def __init__(self, driver: Driver, look_up: LookUp, subject: str) -> None:
        super().__init__(driver, Forced())
        self._look_up = look_up
        self._subject = subject
        self._state = driver.model.definition.initial.id

    @property
    def machine(self) -> Any:
        return self._look_up

    @property
    def active(self) -> frozenset[str]:
        return frozenset([self._state])

    def send(self, event: str) -> None:
        source = self._state
        self._state = str(self._look_up(self._subject, source, event))
        edges = self.model.definition.edges
        for place, edge in enumerate(edges):
            if (edge.source, edge.event, edge.target) == (source, event, self._state):
                self.noticed(place)

    def runs_of(self, places: Sequence[int]) -> Iterator[Sequence[int]]:
        return ([place] for place in places)

    def fire(self, places: Sequence[int]) -> None:
        self.send(self.model.definition.edges[places[0]].event)
