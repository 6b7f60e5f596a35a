"""What a run must reach: thresholds, and the figures of an earlier run that it may not fall behind."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from mm_fsm.coverage.criteria import RECORDED, Criterion
from mm_fsm.coverage.problems import CoverageError
from mm_fsm.coverage.result import ChartResult, CriterionResult, RunResult, Total

TOTAL: Final = "total"
"""In place of a criterion: everything that is asked of all charts, mutants aside."""
Thresholds = Mapping[str, Decimal]
"""Percent by criterion, which every chart must reach, and by ``TOTAL``, which the run must."""
Baseline = Mapping[str, Mapping[str, Fraction]]
"""By chart and criterion, the share that was covered."""

_FAIL_UNDER: Final = "--fsm-cov-fail-under"
_BASELINE: Final = "--fsm-cov-baseline"


def read_criteria(option: str, text: str, known: Sequence[Criterion] = RECORDED) -> tuple[Criterion, ...]:
    """Criteria from ``states,transitions``, in the order in which they are defined.

    Raises:
        CoverageError: one is unknown, or there is none.
    """
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in known:
            raise CoverageError(option, f"criteria of {','.join(known)}", repr(name), "Correct or remove it.")
    return tuple(criterion for criterion in known if criterion in names)


def read_thresholds(text: str) -> Thresholds:
    """Thresholds from ``90``, which is the total's, or ``transitions:100,pairs:80``, or both: ``90,transitions:100``.

    Raises:
        CoverageError: a criterion is unknown or named twice, or a threshold is no number from 0 to 100.
    """
    thresholds: dict[str, Decimal] = {}
    for part in map(str.strip, text.split(",")):
        name, _, number = part.partition(":") if ":" in part or part[:1].isalpha() else (TOTAL, "", part)
        criterion = TOTAL if name == TOTAL else read_criteria(_FAIL_UNDER, name, tuple(Criterion))[0]
        if criterion in thresholds:
            raise CoverageError(_FAIL_UNDER, "each criterion once", f"{name} twice", "Remove one.")
        thresholds[criterion] = _percent(name, number)
    return thresholds


def _percent(name: str, number: str) -> Decimal:
    try:
        percent = Decimal(number)
    except InvalidOperation:
        percent = Decimal("NaN")
    if not percent.is_finite() or not 0 <= percent <= 100:  # noqa: PLR2004 - percent
        raise CoverageError(
            f"{_FAIL_UNDER}, {name}", "a number from 0 to 100", repr(number), f"Write it like 90, or {name}:100."
        )
    return percent


def read_baseline(path: Path) -> Baseline:
    """The figures of an earlier run, from its JSON report.

    Raises:
        CoverageError: there is no such report.
    """
    try:
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return {
            name: {
                criterion: Fraction(int(figures["covered"]), int(figures["total"]) or 1)
                for criterion, figures in chart["criteria"].items()
                if figures["total"]
            }
            for name, chart in report["charts"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CoverageError(
            _BASELINE,
            "the JSON report of an earlier run",
            f"{path} ({type(error).__name__}: {error})",
            f"Make it with --fsm-cov-report=json:{path}.",
        ) from error


def failures(result: RunResult, thresholds: Thresholds, baseline: Baseline) -> list[str]:
    """Why the run does not pass, one line each; empty when it does."""
    found = _total_below(result, thresholds)
    for chart in result.charts:
        found += _below_thresholds(chart, thresholds)
        found += _below_baseline(chart, baseline.get(chart.reference, {}))
    measured = {chart.reference for chart in result.charts}
    found += [
        f"{name}: is in the baseline and was not measured; measure it, or make the baseline again"
        for name in baseline
        if name not in measured
    ]
    return [*found, *(result.problems if thresholds or baseline else ())]


def _total_below(result: RunResult, thresholds: Thresholds) -> list[str]:
    total = result.total
    if TOTAL not in thresholds or total.covered * 100 >= thresholds[TOTAL] * total.total:
        return []
    return [f"{TOTAL} {figures(total)}, expected {thresholds[TOTAL]:f} %"]


def _below_thresholds(chart: ChartResult, thresholds: Thresholds) -> list[str]:
    return [
        f"{chart.reference}: {result.criterion} {figures(result)}, expected {thresholds[result.criterion]:f} %"
        for result in chart.criteria
        if result.criterion in thresholds
        and (not result.is_measured or result.covered * 100 < thresholds[result.criterion] * result.total)
    ]


def _below_baseline(chart: ChartResult, before: Mapping[str, Fraction]) -> list[str]:
    results = {result.criterion.value: result for result in chart.criteria}
    return [
        f"{chart.reference}: {name} {figures(results[name]) if name in results else 'was not measured'}, "
        f"the baseline has {float(100 * share):.1f} %"
        for name, share in before.items()
        if name not in results or results[name].covered < share * results[name].total
    ]


def figures(result: CriterionResult | Total) -> str:
    """Covered of total and percent: ``31 of 33 (93.9 %)``."""
    if isinstance(result, CriterionResult) and not result.is_measured:
        return "is not defined for states within states"
    return f"{result.covered} of {result.total} ({result.percent:f} %)"


def check_measurable(criteria: Sequence[Criterion], thresholds: Thresholds) -> None:
    """Refuse a threshold for what is not measured.

    Raises:
        CoverageError: a threshold's criterion is left out.
    """
    left_out = [criterion for criterion in thresholds if criterion not in criteria and criterion != TOTAL]
    if left_out:
        raise CoverageError(
            _FAIL_UNDER,
            f"thresholds for what is measured ({','.join(criteria)})",
            ",".join(left_out),
            "Name them in --fsm-cov-criteria too; mutation needs --fsm-mutate.",
        )
