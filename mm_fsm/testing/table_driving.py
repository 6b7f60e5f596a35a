"""Drives charts that are compiled to a table, such as an order's life: by looking events up in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any

from mm_fsm.chart import Chart
from mm_fsm.coverage.model import ChartModel
from mm_fsm.coverage.reading import read_chart
from mm_fsm.testing.driving import Driven, Forced
from mm_fsm.testing.problems import UnsupportedChartError

LookUp = Callable[[str, str, str], str]
"""A subject's identifier, its state and an event, to the state that follows; raises where nothing is declared."""


class TableDriver:
    """Drives a chart by the table that it was compiled to.

    Args:
        chart: the chart, which has no guards.
        look_up: looks into the table.

    Raises:
        UnsupportedChartError: the chart has guards, which no table answers.
    """

    def __init__(self, chart: type[Chart], look_up: LookUp) -> None:
        self._model = read_chart(chart)
        self._look_up = look_up
        self._numbers = count(1)
        if self._model.definition.guard_names:
            raise UnsupportedChartError(
                self._model.reference,
                f"it has guards ({', '.join(self._model.definition.guard_names)}), and a table answers none.",
                "Drive it by its engine.",
            )

    @property
    def model(self) -> ChartModel:
        """The chart."""
        return self._model

    def start(self) -> Driven:
        """A new subject in the initial state."""
        return _TableDriven(self._model, self._look_up, f"subject-{next(self._numbers)}")


class _TableDriven(Driven):
    def __init__(self, model: ChartModel, look_up: LookUp, subject: str) -> None:
        super().__init__(model, Forced())
        self._look_up = look_up
        self._subject = subject
        self._state = model.definition.initial.id

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
