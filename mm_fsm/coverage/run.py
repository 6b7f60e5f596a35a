"""What was recorded, as plain data: to be stored, sent between processes, and merged."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import define, field
from cattrs import Converter

from mm_fsm.coverage.model import ChartModel

_CONVERTER = Converter()


@define(kw_only=True)
class ChartHits:
    """How often each thing was seen, by its place in the chart's model."""

    states: Counter[str] = field(factory=Counter)
    edges: Counter[int] = field(factory=Counter)
    answers: Counter[tuple[int, int, bool]] = field(factory=Counter)
    """What guards answered: by transition, place among its guards, and answer."""
    pairs: Counter[tuple[int, int]] = field(factory=Counter)
    paths: Counter[int] = field(factory=Counter)
    """Round trips, by their last edge."""
    sneaks: Counter[int] = field(factory=Counter)
    mutants: Counter[int] = field(factory=Counter)
    """Mutants that a test noticed."""
    timeouts: Counter[int] = field(factory=Counter)
    """Those of them that were noticed because a test did not end."""
    tests: dict[int, set[str]] = field(factory=dict)
    """For each edge the tests that took it, where that was asked for."""
    unmatched: int = 0
    """Transitions that the chart's model does not have."""

    def add(self, other: ChartHits) -> None:
        """Count what another process or test has seen, too."""
        for name in _COUNTERS:
            getattr(self, name).update(getattr(other, name))
        for edge, tests in other.tests.items():
            self.tests.setdefault(edge, set()).update(tests)
        self.unmatched += other.unmatched


_COUNTERS = ("states", "edges", "answers", "pairs", "paths", "sneaks", "mutants", "timeouts")


@define
class ChartRun:
    """A chart and what was seen of it."""

    model: ChartModel
    hits: ChartHits = field(factory=ChartHits)


@define
class Run:
    """Every chart of a run, by its reference."""

    charts: dict[str, ChartRun] = field(factory=dict)
    contradictions: list[str] = field(factory=list)
    """Charts of one name that were not the same in every process."""

    def add(self, other: Run) -> None:
        """Merge what another process has recorded."""
        for reference, found in other.charts.items():
            known = self.charts.setdefault(reference, ChartRun(found.model))
            if known.model == found.model:
                known.hits.add(found.hits)
            else:
                self.contradictions.append(reference)
        self.contradictions += other.contradictions

    def to_text(self) -> str:
        """Everything as JSON."""
        charts = [
            {"model": _CONVERTER.unstructure(chart.model), "hits": _hits_to_plain(chart.hits)}
            for chart in self.charts.values()
        ]
        return json.dumps({"charts": charts, "contradictions": self.contradictions})

    @classmethod
    def from_text(cls, text: str) -> Run:
        """What ``to_text`` gave.

        Raises:
            ValueError: the text is something else, or only a part of it.
        """
        try:
            plain = json.loads(text)
            charts = [
                ChartRun(_CONVERTER.structure(chart["model"], ChartModel), _hits_from_plain(chart["hits"]))
                for chart in plain["charts"]
            ]
            return cls({chart.model.reference: chart for chart in charts}, list(plain["contradictions"]))
        except Exception as error:
            raise ValueError(f"recorded coverage: expected what to_text() gave, found {text[:80]!r}.") from error


def _hits_to_plain(hits: ChartHits) -> dict[str, Any]:
    plain: dict[str, Any] = {name: _rows(getattr(hits, name)) for name in _COUNTERS}
    return plain | {"tests": [[edge, sorted(tests)] for edge, tests in hits.tests.items()], "unmatched": hits.unmatched}


def _rows(counts: Mapping[Any, int]) -> list[list[Any]]:
    return [[list(key) if isinstance(key, tuple) else key, number] for key, number in counts.items()]


def _hits_from_plain(plain: Mapping[str, Any]) -> ChartHits:
    hits = ChartHits(unmatched=plain["unmatched"])
    for name in _COUNTERS:
        getattr(hits, name).update(_counts(plain[name]))
    hits.tests = {edge: set(tests) for edge, tests in plain["tests"]}
    return hits


def _counts(rows: Iterable[Any]) -> dict[Any, int]:
    return {tuple(key) if isinstance(key, list) else key: number for key, number in rows}
