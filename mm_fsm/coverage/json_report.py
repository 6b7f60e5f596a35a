"""The report as JSON: stable, sorted, the same for the same hits. docs/coverage.md describes it."""

from __future__ import annotations

import json
from typing import Any, Final

from mm_fsm.coverage.result import ChartResult, CriterionResult, RunResult

FORMAT: Final = "mm-fsm coverage"
VERSION: Final = 1
"""Raised when a reader of the report has to change."""


def json_text(result: RunResult) -> str:
    """The whole report, ending in a line break."""
    report = {
        "format": FORMAT,
        "version": VERSION,
        "charts": {chart.reference: _chart(chart) for chart in result.charts},
        "problems": list(result.problems),
    }
    return json.dumps(report, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _chart(chart: ChartResult) -> dict[str, Any]:
    model, hits = chart.model, chart.hits
    mutation = {"timed_out": sum(hits.timeouts.values())} if chart.mutation else {}
    return mutation | {
        "definition": model.definition.digest,
        "criteria": {one.criterion.value: _criterion(one) for one in chart.criteria if one.is_measured},
        "states": {state.id: hits.states[state.id] for state in model.real_states},
        "edges": [
            {
                "key": key,
                "source": edge.source,
                "event": edge.event,
                "target": edge.target,
                "guards": [str(guard) for guard in edge.guards],
                "hits": hits.edges[place],
                "answers": _answers(chart, place),
                "tests": sorted(hits.tests.get(place, ())),
            }
            for place, (key, edge) in enumerate(zip(model.edge_keys, model.definition.edges, strict=True))
        ],
    }


def _answers(chart: ChartResult, place: int) -> list[dict[str, Any]]:
    number, answers = chart.model.transitions[place], chart.hits.answers
    return [
        {
            "guard": guard.name,
            "expected": guard.expected,
            "true": answers[number, at, True],
            "false": answers[number, at, False],
        }
        for at, guard in enumerate(chart.model.definition.edges[place].guards)
    ]


def _criterion(result: CriterionResult) -> dict[str, Any]:
    return {
        "covered": result.covered,
        "total": result.total,
        "percent": float(result.percent),
        "missing": [{"key": one.key, "gap": one.gap} for one in result.missing],
        "excluded": [{"key": one.key, "reason": one.excluded} for one in result.excluded],
    }
