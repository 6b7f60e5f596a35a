"""The plugin, by running pytest: it does nothing unless asked, and everything it was asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import mm_fsm
from mm_fsm.coverage import session  # pytest in this process forgets what it loads itself
from mm_fsm.coverage.subprocesses import VARIABLE

CHARTS = """
    from statemachine import State, StateMachine

    class Light(StateMachine):
        off = State(initial=True)
        on = State()
        switch = off.to(on, cond="has_power") | on.to(off)
        has_power = True

    class Idle(StateMachine):
        here = State(initial=True)
        stay = here.to.itself()
"""
TESTS = """
    from lights import Light

    def test_on():
        Light().switch()

    def test_on_and_off():
        light = Light()
        light.switch()
        light.switch()
"""
LIGHT = "--fsm-cov=lights:Light"


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with two charts, one of which no test makes, and two tests."""
    assert session.CoverageSession
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    pytester.makepyfile(lights=CHARTS, test_lights=TESTS)
    pytester.syspathinsert()
    return pytester


def report_of(project: pytest.Pytester, *arguments: str) -> dict[str, Any]:
    """The JSON report of a run in this process, which must pass."""
    path = project.path / "report.json"
    project.runpytest_inprocess(*arguments, f"--fsm-cov-report=json:{path}").assert_outcomes(passed=2)
    report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return report


def hits_of(report: dict[str, Any], chart: str = "lights:Light") -> list[int]:
    return [edge["hits"] for edge in report["charts"][chart]["edges"]]


@pytest.mark.smoke
def test_it_is_inert_unless_asked(tmp_path: Path) -> None:
    """A run without its options loads the plugin and nothing else of ours, nor the state machine library."""
    (tmp_path / "test_nothing.py").write_text("def test_nothing(): pass", encoding="utf-8")
    program = (
        "import sys, pytest\n"
        "assert pytest.main(['-q', '-p', 'no:cacheprovider', sys.argv[1]]) == 0\n"
        "print(sorted(name for name in sys.modules if name.startswith(('mm_fsm', 'statemachine'))))\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    environment["PYTHONPATH"] = str(Path(mm_fsm.__file__).parents[1])
    command = [sys.executable, "-c", program, str(tmp_path)]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert finished.stdout.splitlines()[-1] == "['mm_fsm', 'mm_fsm.coverage', 'mm_fsm.coverage.plugin']"


def test_a_run_without_options_says_nothing(project: pytest.Pytester) -> None:
    result = project.runpytest_inprocess()
    result.assert_outcomes(passed=2)
    result.stdout.no_fnmatch_line("*transition coverage*")


@pytest.mark.smoke
def test_the_table_names_every_gap(project: pytest.Pytester) -> None:
    result = project.runpytest_inprocess(LIGHT)
    result.assert_outcomes(passed=2)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "*= transition coverage =*",
            "chart *states *transitions *guards *mcdc *pairs *roundtrip *sneak *total",
            "lights:Light *2/2 100% *2/2 100% *1/2 50% *1/2 50% *1/2 50% *1/1 100% *- *8/11 72%",
            "lights:Light",
            "  guards:      guard has_power: never answered False (asked by state off, event switch)",
            "  mcdc:        state off, event switch: guard has_power was never False, so it never decided",
            "  pairs:       state off, event switch: never taken to on right after switch from on",
        ]
    )


def test_the_table_alone_names_no_gap(project: pytest.Pytester) -> None:
    result = project.runpytest_inprocess(LIGHT, "--fsm-cov-report=term", "--fsm-cov-criteria=guards,states")
    result.stdout.fnmatch_lines(["chart *states *guards *total", "lights:Light *2/2 100% *1/2 50% *3/4 75%"])
    result.stdout.no_fnmatch_line("*never answered*")


def test_by_default_every_chart_that_was_imported_counts(project: pytest.Pytester) -> None:
    """Also one that no machine was ever made of; what this very process has imported is there, too."""
    report = report_of(project, "--fsm-cov")
    assert hits_of(report, "lights:Idle") == [0]
    assert hits_of(report) == [2, 1]


def test_a_chart_of_a_function_is_not_imported(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_local="""
        from statemachine import State, StateMachine

        def test_local():
            class Local(StateMachine):
                here = State(initial=True)
                stay = here.to.itself()
            Local().stay()
        """
    )
    path = project.path / "report.json"
    project.runpytest_inprocess("--fsm-cov", f"--fsm-cov-report=json:{path}").assert_outcomes(passed=3)
    charts = json.loads(path.read_text(encoding="utf-8"))["charts"]
    assert "lights:Light" in charts
    assert not [name for name in charts if "Local" in name]


def test_context_names_the_tests_of_each_edge(project: pytest.Pytester) -> None:
    report = report_of(project, LIGHT, "--fsm-cov-context")
    on, off = (edge["tests"] for edge in report["charts"]["lights:Light"]["edges"])
    assert on == ["test_lights.py::test_on", "test_lights.py::test_on_and_off"]
    assert off == ["test_lights.py::test_on_and_off"]
    assert hits_of(report) == [2, 1]
    assert report_of(project, LIGHT)["charts"]["lights:Light"]["edges"][0]["tests"] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fsm-cov-report=term"], "--fsm-cov-report: expected --fsm-cov beside it"),
        (["--fsm-cov-context"], "--fsm-cov-context: expected --fsm-cov beside it"),
        (["--fsm-cov-fail-under="], "--fsm-cov-fail-under: expected --fsm-cov beside it"),
        (["--fsm-cov-baseline=x"], "--fsm-cov-baseline: expected --fsm-cov beside it"),
        (["--fsm-cov-criteria=states"], "--fsm-cov-criteria: expected --fsm-cov beside it"),
        ([LIGHT, "--fsm-cov-fail-under=pairs:nan"], "--fsm-cov-fail-under, pairs: expected a number from 0 to 100"),
        ([LIGHT, "--fsm-cov-criteria=lines"], "--fsm-cov-criteria: expected criteria of states,"),
        ([LIGHT, "--fsm-cov-report="], "--fsm-cov-report: expected term, term-missing, json:PATH"),
        (["--fsm-cov=lights:Lamp"], "--fsm-cov=lights:Lamp: expected a class that can be imported"),
        (["--fsm-cov", "test_lights.py"], "--fsm-cov: expected module:Class, found 'test_lights.py'"),
        ([LIGHT, "-o", "fsm_exclude=nonsense"], "fsm_exclude: expected lines like"),
    ],
)
def test_what_cannot_be_meant_ends_before_any_test(
    project: pytest.Pytester, arguments: list[str], message: str
) -> None:
    result = project.runpytest_inprocess(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"ERROR: {message}" in result.stderr.str()
    result.stdout.no_fnmatch_line("*passed*")


def test_a_run_that_measures_nothing_fails(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_nothing(): pass")
    result = pytester.runpytest_subprocess("--fsm-cov")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["FAILED no chart was measured: *"])


def test_a_threshold_that_is_missed_fails_the_run(project: pytest.Pytester) -> None:
    result = project.runpytest_inprocess(LIGHT, "--fsm-cov-fail-under=states:100,guards:80")
    result.assert_outcomes(passed=2)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["FAILED lights:Light: guards 1 of 2 (50.0 %), expected 80 %"])
    assert project.runpytest_inprocess(LIGHT, "--fsm-cov-fail-under=guards:50").ret == 0


def test_a_baseline_holds(project: pytest.Pytester) -> None:
    path = project.path / "baseline.json"
    assert project.runpytest_inprocess(LIGHT, f"--fsm-cov-report=json:{path}").ret == 0
    assert project.runpytest_inprocess(LIGHT, f"--fsm-cov-baseline={path}").ret == 0
    fewer = project.runpytest_inprocess(LIGHT, f"--fsm-cov-baseline={path}", "-k", "not off")
    assert fewer.ret == pytest.ExitCode.TESTS_FAILED
    fewer.stdout.fnmatch_lines(["FAILED lights:Light: transitions 1 of 2 (50.0 %), the baseline has 100.0 %"])


def test_settings_exclude_with_a_reason(project: pytest.Pytester) -> None:
    project.makeini("[pytest]\nfsm_exclude =\n    lights:Light | guards | * is False | the mains never fail\n")
    result = project.runpytest_inprocess(LIGHT, "--fsm-cov-fail-under=guards:100")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["  excluded:    guards has_power is False: the mains never fail"])


def test_only_collecting_judges_nothing(project: pytest.Pytester) -> None:
    assert project.runpytest_inprocess(LIGHT, "--collect-only", "--fsm-cov-fail-under=states:100").ret == 0


def test_every_report_is_written_and_named(project: pytest.Pytester) -> None:
    places = [f"--fsm-cov-report={report}" for report in ("json:a.json", "html:site", "svg:light.svg", "svg:pictures")]
    result = project.runpytest_inprocess(LIGHT, *places)
    assert result.ret == 0
    for name in ("a.json", "site/index.html", "light.svg", "pictures/light.svg"):
        assert f"written: {name}" in result.outlines
        assert (project.path / name).stat().st_size > 0, name


def test_processes_that_tests_start_are_merged(project: pytest.Pytester) -> None:
    """A process records itself when it imports mm_fsm, before or after the state machine library."""
    project.makepyfile(
        test_lights="""
        import subprocess, sys

        def test_before():
            program = "import mm_fsm; from lights import Light; Light().switch()"
            subprocess.run([sys.executable, "-c", program], check=True)

        def test_after():
            program = "from lights import Light; import mm_fsm; l = Light(); l.switch(); l.switch()"
            subprocess.run([sys.executable, "-c", program], check=True)
        """
    )
    assert hits_of(report_of(project, LIGHT)) == [2, 1]
    assert VARIABLE not in os.environ or Path(os.environ[VARIABLE]).exists()


def test_a_process_that_begins_with_our_own_charts_is_recorded_too(project: pytest.Pytester) -> None:
    """They import the state machine library themselves, and are not ready when it is."""
    project.makepyfile(
        test_lights="""
        import subprocess, sys

        def run(*lines):
            subprocess.run([sys.executable, "-c", chr(10).join(lines)], check=True)

        def test_order():
            run(
                "from mm_fsm import OrderStatus",
                "from mm_fsm.books.order_lifecycle import OrderEvent, status_after",
                "status_after('order', OrderStatus.PENDING_NEW, OrderEvent.REJECT)",
            )

        def test_picture():
            run("import sys, mm_fsm.diagram", "assert not {'graphviz', 'pygraphviz'} & set(sys.modules)")
            for module in ("mm_fsm.coverage.model", "mm_fsm.coverage.reading", "mm_fsm.testing"):
                run(f"import {module}", "from mm_fsm import MarketMakingStateMachine")
        """
    )
    chart = "mm_fsm.books.order_lifecycle:OrderLifecycle"
    edges = report_of(project, f"--fsm-cov={chart}")["charts"][chart]["edges"]
    assert [edge["key"] for edge in edges if edge["hits"]] == ["pending_new --reject--> rejected"]


@pytest.mark.slow
def test_workers_are_merged(project: pytest.Pytester) -> None:
    path = project.path / "report.json"
    result = project.runpytest_subprocess(
        LIGHT, "-n2", "--dist=each", "--fsm-cov-context", f"--fsm-cov-report=json:{path}", "--fsm-cov-report=term"
    )
    result.assert_outcomes(passed=4)
    report = json.loads(path.read_text(encoding="utf-8"))
    assert hits_of(report) == [4, 2]
    assert report["problems"] == []
    assert len(report["charts"]["lights:Light"]["edges"][0]["tests"]) == 2


@pytest.mark.slow
def test_a_lost_worker_fails_the_gate(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_lights="""
        import os
        from lights import Light

        def test_light():
            light = Light()
            light.switch()
            light.switch()

        def test_crash():
            os._exit(1)
        """
    )
    result = project.runpytest_subprocess(LIGHT, "-n1", "--fsm-cov-fail-under=transitions:0")
    assert result.ret != 0
    result.stdout.fnmatch_lines(["FAILED worker gw0 was lost; what it saw is missing"])


def test_everything_is_left_as_it_was(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    from statemachine import StateChart

    from mm_fsm.chart.listeners import WATCHERS

    monkeypatch.setenv(VARIABLE, "elsewhere")
    before = (StateChart.__init__, list(WATCHERS))
    assert project.runpytest_inprocess(LIGHT).ret == 0
    assert (StateChart.__init__, list(WATCHERS)) == before
    assert os.environ[VARIABLE] == "elsewhere"
