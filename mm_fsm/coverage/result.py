"""A run held against what the criteria ask for: what is covered, what is missing, what is excluded."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from decimal import ROUND_DOWN, Decimal
from functools import cached_property
from typing import Self

from attrs import field, frozen

from mm_fsm.coverage.criteria import Criterion
from mm_fsm.coverage.exclusions import Exclusion, excluded_edges, with_exclusions
from mm_fsm.coverage.model import ChartModel
from mm_fsm.coverage.obligations import Obligation, obligations_of
from mm_fsm.coverage.run import ChartHits, ChartRun, Run


@frozen
class Total:
    """How much was seen of how much that is asked for."""

    covered: int
    total: int

    @property
    def percent(self) -> Decimal:
        """Rounded down to a tenth: 100 only when nothing is missing, also when nothing is asked for."""
        share = Decimal(self.covered) / self.total if self.total else Decimal(1)
        return (100 * share).quantize(Decimal("0.1"), ROUND_DOWN)

    @classmethod
    def of(cls, results: Iterable[CriterionResult]) -> Self:
        """Everything that these results ask for, mutants aside: they have a score of their own."""
        recorded = [one for one in results if one.is_measured and one.criterion is not Criterion.MUTATION]
        return cls(sum(one.covered for one in recorded), sum(one.total for one in recorded))


@frozen(slots=False)
class CriterionResult:
    """One criterion on one chart."""

    criterion: Criterion
    obligations: tuple[Obligation, ...]
    is_measured: bool = True
    """False where the criterion does not apply: round trips of charts with states within states."""

    @cached_property
    def asked(self) -> tuple[Obligation, ...]:
        """Everything that is not excluded: the denominator."""
        return tuple(one for one in self.obligations if not one.excluded)

    @cached_property
    def missing(self) -> tuple[Obligation, ...]:
        """What was asked for and not seen."""
        return tuple(one for one in self.asked if not one.hits)

    @cached_property
    def excluded(self) -> tuple[Obligation, ...]:
        """What is not asked for, with the reason."""
        return tuple(one for one in self.obligations if one.excluded)

    @property
    def total(self) -> int:
        """How much is asked for."""
        return len(self.asked)

    @property
    def covered(self) -> int:
        """How much of that was seen."""
        return self.total - len(self.missing)

    @property
    def percent(self) -> Decimal:
        """What was seen of what is asked for, rounded down to a tenth: 100 only when nothing is missing."""
        return Total(self.covered, self.total).percent


@frozen
class ChartResult:
    """Every criterion that was asked for on one chart."""

    model: ChartModel
    hits: ChartHits
    criteria: tuple[CriterionResult, ...]
    edge_reasons: dict[int, str] = field(factory=dict)
    """Excluded edges by their place, with the reason."""

    @property
    def reference(self) -> str:
        """``module:Class``."""
        return self.model.reference

    @property
    def total(self) -> Total:
        """Everything that is asked of the chart."""
        return Total.of(self.criteria)

    @property
    def mutation(self) -> CriterionResult | None:
        """What was asked by mutants, where there were any."""
        return next((one for one in self.criteria if one.criterion is Criterion.MUTATION), None)

    @classmethod
    def of(cls, chart: ChartRun, criteria: Sequence[Criterion], exclusions: Sequence[Exclusion] = ()) -> Self:
        """Hold one chart's hits against the criteria."""
        model, hits = chart.model, chart.hits
        edges = excluded_edges(model, obligations_of(model, Criterion.TRANSITIONS), exclusions)
        results = [
            CriterionResult(
                criterion,
                with_exclusions(model, obligations_of(model, criterion, hits), edges, exclusions),
                is_measured=model.is_flat or criterion is not Criterion.ROUNDTRIP,
            )
            for criterion in criteria
        ]
        return cls(model, hits, tuple(results), edges)


@frozen
class RunResult:
    """A whole run."""

    charts: tuple[ChartResult, ...]
    problems: tuple[str, ...] = ()
    """Why the figures may be wrong, one line each: a worker was lost, a chart was not the same everywhere."""

    @property
    def total(self) -> Total:
        """Everything that is asked of all charts."""
        return Total.of(one for chart in self.charts for one in chart.criteria)

    @classmethod
    def of(
        cls,
        run: Run,
        criteria: Sequence[Criterion],
        exclusions: Sequence[Exclusion] = (),
        lost: Sequence[str] = (),
        mutated: Collection[str] = (),
    ) -> Self:
        """Hold a run against the criteria, charts in order of their names; those with mutants against them too."""
        charts = tuple(
            ChartResult.of(
                run.charts[name], [*criteria, *([Criterion.MUTATION] if name in mutated else [])], exclusions
            )
            for name in sorted(run.charts)
        )
        problems = [*lost]
        problems += [
            f"{name}: the chart was not the same in every process; what one of them saw is missing"
            for name in dict.fromkeys(run.contradictions)
        ]
        problems += [
            f"{chart.reference}: {chart.hits.unmatched} transitions were taken that the class did not have when it "
            "was first used; a subclass or a later statement must have added them"
            for chart in charts
            if chart.hits.unmatched
        ]
        problems += [
            f"{chart.reference}: states {one} and {other} have one value, and python-statemachine takes the first for "
            "the second; give each a value= of its own"
            for chart in charts
            for one, other in chart.model.confused
        ]
        return cls(charts, tuple(problems + _wrong_exclusions(charts, exclusions)))


def _wrong_exclusions(charts: Sequence[ChartResult], exclusions: Sequence[Exclusion]) -> list[str]:
    """Lines of fsm_exclude that are about nothing that their chart has, and what was seen although it is excluded."""
    idle = [
        f"fsm_exclude: nothing fits {str(exclusion)!r}; correct or remove the line"
        for chart in charts
        for exclusion in exclusions
        if exclusion.reference == chart.reference
        and not any(exclusion.covers(chart.reference, one) for one in obligations_of(chart.model, exclusion.criterion))
    ]
    seen = [
        f"{chart.reference}: {one.key!r} was seen, but is excluded from {result.criterion}: {one.excluded}"
        for chart in charts
        for result in chart.criteria
        for one in result.excluded
        if one.hits and result.criterion not in (Criterion.GUARDS, Criterion.MCDC)  # a guard is asked to keep it so
    ]
    return [*idle, *seen]
