"""Thresholds, baselines and exclusions: what is refused before a test runs, and what fails a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from mm_fsm.coverage.criteria import RECORDED, Criterion
from mm_fsm.coverage.exclusions import Exclusion
from mm_fsm.coverage.gate import failures, read_baseline, read_criteria, read_thresholds
from mm_fsm.coverage.json_report import json_text
from mm_fsm.coverage.options import Options, Reports, check_not_orphaned, find_chart
from mm_fsm.coverage.problems import CoverageError
from mm_fsm.coverage.result import RunResult
from mm_fsm.coverage.run import Run
from tests.coverage.charts import Door, Player, Siblings
from tests.coverage.recording import recording

DOOR = "tests.coverage.charts:Door"


def run_of(chart: type, *events: str) -> Run:
    """One machine that was sent these events."""
    with recording(chart) as seen:
        machine = chart()
        for event in events:
            machine.send(event)
    return Run({seen.chart.model.reference: seen.chart})


def result_of(chart: type, *events: str, criteria: tuple[Criterion, ...] = RECORDED) -> RunResult:
    return RunResult.of(run_of(chart, *events), criteria)


@pytest.mark.parametrize(
    ("read", "text", "found"),
    [
        (read_thresholds, "transitions:nan", "--fsm-cov-fail-under, transitions: expected a number from 0 to 100"),
        (read_thresholds, "transitions:inf", "found 'inf'"),
        (read_thresholds, "transitions:-1", "found '-1'"),
        (read_thresholds, "transitions:100.1", "found '100.1'"),
        (read_thresholds, "transitions", "found ''"),
        (read_thresholds, "transitions:ten", "found 'ten'"),
        (read_thresholds, "edges:100", "expected criteria of states,transitions,guards,mcdc,pairs,roundtrip,sneak"),
        (read_thresholds, "", "found ''"),
        (read_thresholds, "pairs:1,pairs:2", "pairs twice"),
        (lambda text: read_criteria("--fsm-cov-criteria", text), "states,,guards", "found ''"),
        (lambda text: read_criteria("--fsm-cov-criteria", text), "states,branches", "found 'branches'"),
        (lambda text: Reports.read([text]), "", "found ''"),
        (lambda text: Reports.read([text]), "json:", "found 'json:'"),
        (lambda text: Reports.read([text]), "xml:report", "found 'xml:report'"),
        (lambda text: Reports.read([text]), "term:x", "found 'term:x'"),
        (lambda text: Reports.read([text, "json:./a"]), "json:a", "a place of its own for each report"),
        (Exclusion.read, "a:B | pairs | x", "expected lines like 'module:Class | criterion | key"),
        (Exclusion.read, "a:B | pairs | x | ", "the reason too"),
        (Exclusion.read, "a:B | edges | x | because", "expected a criterion"),
        (find_chart, "tests/coverage", "expected module:Class"),
        (find_chart, "tests.coverage.charts:Window", "AttributeError"),
        (find_chart, "no_such_module:Door", "ModuleNotFoundError"),
        (find_chart, "tests.coverage.charts:HistoryState", "expected a chart with states"),
        (find_chart, "mm_fsm.chart:Chart", "expected a chart with states"),
        (find_chart, "statemachine:StateChart", "expected a chart with states"),
        (lambda text: check_not_orphaned({text: "1"}), "--fsm-cov-baseline", "expected --fsm-cov beside it"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    read: Callable[[str], object], text: str, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CoverageError) as refused:
        read(text)
    assert found in str(refused.value)


def read_options(**changes: object) -> Options:
    """Options as the plugin reads them."""
    options: dict[str, object] = {
        "charts": [DOOR],
        "criteria": None,
        "reports": (),
        "fail_under": None,
        "baseline": None,
        "exclude": (),
        "with_tests": False,
    }
    return Options.read(**(options | changes))  # type: ignore[arg-type]


def test_options_are_what_was_asked_for(tmp_path: Path) -> None:
    options = read_options(criteria="pairs,states", fail_under="pairs:80.5", reports=["term", f"svg:{tmp_path}/x.svg"])
    assert options.classes == (Door,)
    assert options.criteria == (Criterion.STATES, Criterion.PAIRS)
    assert options.thresholds == {Criterion.PAIRS: Decimal("80.5")}
    assert (options.reports.table, options.reports.gaps) == (True, False)
    assert read_options().reports.gaps
    assert read_options(charts=["", DOOR]).wanted is None


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"criteria": "states", "fail_under": "pairs:80"}, "thresholds for what is measured (states), found pairs"),
        ({"charts": [""], "reports": ["svg:one.svg"]}, "one chart for one.svg"),
        ({"charts": [DOOR, "tests.coverage.charts:Lamp"], "reports": ["svg:one.svg"]}, "found 2 chart(s)"),
        ({"baseline": "no-such.json"}, "--fsm-cov-baseline: expected the JSON report of an earlier run"),
        ({"reports": ["json:/dev/null/x.json"]}, "expected a place to write to"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    changes: dict[str, object], found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CoverageError) as refused:
        read_options(**changes)
    assert found in str(refused.value)


def test_a_threshold_is_met_exactly_or_not_at_all() -> None:
    """2 of 3 transitions are 66.67 %: enough for 66.6, not for 66.7; what is shown is never rounded up."""
    result = result_of(Door, "push", "tear_off")
    assert failures(result, read_thresholds("transitions:66.6"), {}) == []
    assert failures(result, read_thresholds("transitions:66.7"), {}) == [
        f"{DOOR}: transitions 2 of 3 (66.6 %), expected 66.7 %"
    ]
    assert failures(result, {}, {}) == []


def test_a_bare_number_is_the_total() -> None:
    """Door, pushed and torn off: 10 of 24, which is 41.67 %.

    States 3 of 3, edges 2 of 3, answers 2 of 4, decisions 1 of 3, pairs 1 of 3, paths 1 of 2, sneaks 0 of 6.
    """
    result = result_of(Door, "push", "tear_off")
    assert failures(result, read_thresholds("41.6"), {}) == []
    assert failures(result, read_thresholds("90"), {}) == ["total 10 of 24 (41.6 %), expected 90 %"]
    assert read_thresholds("90, transitions:66") == {"total": Decimal(90), Criterion.TRANSITIONS: Decimal(66)}
    assert failures(result, read_thresholds("total:42,transitions:66"), {}) == [
        "total 10 of 24 (41.6 %), expected 42 %"
    ]


@pytest.mark.parametrize("text", ["101", "-1", "nan", "", "90,80", "ninety"])
def test_a_total_that_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(CoverageError):
        read_thresholds(text)


def test_a_threshold_for_what_is_not_defined_for_nested_states_fails() -> None:
    (failure,) = failures(result_of(Player), read_thresholds("roundtrip:1"), {})
    assert failure.endswith("roundtrip is not defined for states within states, expected 1 %")


def test_a_run_may_not_fall_behind_the_baseline(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(json_text(result_of(Door, "push", "pull")), encoding="utf-8")
    baseline = read_baseline(path)
    assert failures(result_of(Door, "push", "pull"), {}, baseline) == []
    behind = failures(result_of(Door, "push"), {}, baseline)
    assert f"{DOOR}: transitions 1 of 3 (33.3 %), the baseline has 66.7 %" in behind
    fewer = failures(result_of(Door, "push", "pull", criteria=(Criterion.STATES,)), {}, baseline)
    assert f"{DOOR}: transitions was not measured, the baseline has 66.7 %" in fewer
    assert failures(RunResult(()), {}, baseline) == [
        f"{DOOR}: is in the baseline and was not measured; measure it, or make the baseline again"
    ]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"charts": {"a:B": {"criteria": {"pairs": {}}}}}', "not json"])
def test_a_baseline_that_is_none_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CoverageError, match="expected the JSON report of an earlier run"):
        read_baseline(path)


def test_a_line_excludes_what_its_pattern_fits_with_what_needs_it() -> None:
    line = Exclusion.read(f"{DOOR} | transitions | ajar --tear_off--> * | nobody is that strong")
    with recording(Door) as seen:
        pass
    assert [one.key for one in seen.criterion(Criterion.TRANSITIONS, line).excluded] == ["ajar --tear_off--> gone"]
    assert [one.excluded for one in seen.criterion(Criterion.PAIRS, line).excluded] == ["nobody is that strong"]
    assert seen.criterion(Criterion.ROUNDTRIP, line).total == 1
    # The state is still asked for: the line speaks of the edge.
    assert seen.criterion(Criterion.STATES, line).total == 3


def test_an_excluded_edge_takes_its_guards_with_it_unless_another_edge_asks_them() -> None:
    push = Exclusion.read(f"{DOOR} | transitions | shut --push* | welded")
    with recording(Door) as seen:
        pass
    assert seen.criterion(Criterion.MCDC, push).total == 0
    assert seen.criterion(Criterion.GUARDS, push).total == 0
    left = Exclusion.read("tests.coverage.charts:Siblings | transitions | left --* | one way")
    with recording(Siblings) as seen:
        pass
    assert seen.criterion(Criterion.MCDC, left).total == 2
    assert seen.criterion(Criterion.GUARDS, left).total == 2


def test_brackets_and_dots_in_a_pattern_are_plain_text() -> None:
    line = Exclusion.read(f"{DOOR} | transitions | shut --push [unlocked and not blocked]--> ajar | welded")
    assert line.pattern.count("[") == 1
    with recording(Door) as seen:
        pass
    assert seen.criterion(Criterion.TRANSITIONS, line).total == 2


def test_exclusions_that_are_wrong_are_problems_and_fail_a_gate() -> None:
    idle = Exclusion.read(f"{DOOR} | sneak | push in nowhere | a misspelling")
    wrong = Exclusion.read(f"{DOOR} | transitions | shut --push* | never")
    elsewhere = Exclusion.read("other:Chart | pairs | * | not measured here")
    result = RunResult.of(run_of(Door, "push"), RECORDED, [idle, wrong, elsewhere])
    assert [problem.split(";")[0].split(": ")[0] for problem in result.problems] == ["fsm_exclude", DOOR]
    assert "was seen, but is excluded from transitions: never" in result.problems[1]
    assert failures(result, {}, {}) == []
    assert failures(result, read_thresholds("states:0"), {}) == list(result.problems)


def test_a_guard_that_keeps_an_excluded_edge_shut_is_no_contradiction() -> None:
    """That an excluded edge is asked, and refused, is what excluding it means."""
    push = Exclusion.read(f"{DOOR} | transitions | shut --push* | welded")
    with recording(Door) as seen:
        door = Door()
        door.unlocked = False
        assert not door.enabled_events()
    result = RunResult.of(Run({DOOR: seen.chart}), RECORDED, [push])
    assert result.problems == ()


def test_runs_are_merged_and_a_chart_that_differs_is_told() -> None:
    first, second = run_of(Door, "push", "pull"), run_of(Door, "push", "tear_off")
    first.add(Run.from_text(second.to_text()))
    assert first.charts[DOOR].hits.edges == {0: 2, 1: 1, 2: 1}
    (chart,) = run_of(Player).charts.values()
    first.add(Run({DOOR: chart}))
    assert first.contradictions == [DOOR]
    assert "was not the same in every process" in RunResult.of(first, [Criterion.STATES]).problems[0]


@pytest.mark.parametrize("text", ["", "{}", '{"charts": [1], "contradictions": []}', json.dumps({"charts": 3})])
def test_a_recording_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="recorded coverage: expected"):
        Run.from_text(text)
