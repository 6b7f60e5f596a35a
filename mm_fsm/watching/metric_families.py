"""What a metric of a run is: its name, what it means, and where its value is read.

Names follow Prometheus' conventions: base units in the suffix (seconds, bytes, ratio), ``_total`` for what only grows,
one meaning for each name. Money and quantities have the suffix ``_quote`` or ``_base``: the market's own currencies,
which ``mm_fsm_market_info`` names. Values of labels come from the chart and from enumerations, never from messages, so
that the number of series is known when the class is written; each series is there from the beginning, at 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from enum import StrEnum
from typing import Final

from attrs import define, frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.chart import ChartDefinition
from mm_fsm.report.recorder import SessionRecorder
from mm_fsm.runtime.session import Session
from mm_fsm.watching.guard_counts import GuardCounts

MARKET: Final = "symbol"
"""The label that every metric of a market has."""

Labels = tuple[str, ...]
Samples = Iterator[tuple[Labels, float]]


class MetricKind(StrEnum):
    """How Prometheus treats a metric."""

    COUNTER = "counter"
    GAUGE = "gauge"


@define(kw_only=True, eq=False)
class WatchedMarket:
    """One market, and what is counted beside its books."""

    session: Session
    recorder: SessionRecorder
    guards: GuardCounts

    @property
    def definition(self) -> ChartDefinition:
        """The chart that makes the market."""
        return self.session.machine.definition

    @property
    def context(self) -> MarketMakingContext:
        """The books."""
        return self.session.machine.context


Read = Callable[[WatchedMarket], Samples]


@frozen
class MetricFamily:
    """One metric: all series of one name."""

    kind: MetricKind
    name: str
    meaning: str
    read: Read
    """A value for each combination of labels that there can be. What is not known yet has no sample."""
    labels: Labels
    """Besides the market's."""


def counter(name: str, meaning: str, read: Read, *labels: str) -> MetricFamily:
    """A metric that only grows, until the process ends."""
    return MetricFamily(MetricKind.COUNTER, name, meaning, read, labels)


def gauge(name: str, meaning: str, read: Read, *labels: str) -> MetricFamily:
    """A metric that goes up and down."""
    return MetricFamily(MetricKind.GAUGE, name, meaning, read, labels)


def one(value: Callable[[WatchedMarket], float | Decimal | None]) -> Read:
    """Reads the single series of a metric without labels of its own; none while its value is not known."""

    def read(market: WatchedMarket) -> Samples:
        found = value(market)
        if found is not None:
            yield (), float(found)

    return read
