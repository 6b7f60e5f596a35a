"""The pytest plugin: options and nothing else. What measures is loaded when an option asks for it."""

from __future__ import annotations

from typing import Final

import pytest

_OPTIONS: Final = ("criteria", "report", "fail_under", "baseline", "context")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and the setting."""
    group = parser.getgroup("fsm-cov", "transition coverage of state machines")
    group.addoption(
        "--fsm-cov",
        action="append",
        nargs="?",
        const="",
        metavar="MODULE:CLASS",
        help="measure this chart, our own or python-statemachine's; repeatable; default: every chart class imported",
    )
    group.addoption(
        "--fsm-cov-criteria",
        metavar="NAMES",
        help="states,transitions,guards,mcdc,pairs,roundtrip,sneak; default: all of them",
    )
    group.addoption(
        "--fsm-cov-report",
        action="append",
        metavar="REPORT",
        help="term, term-missing, json:PATH, html:DIR or svg:PATH; repeatable; default: term-missing",
    )
    group.addoption(
        "--fsm-cov-fail-under",
        metavar="PERCENT",
        help="fail when the total is less, such as 90, or when a chart has less, such as transitions:100,pairs:80",
    )
    group.addoption(
        "--fsm-cov-baseline", metavar="PATH", help="fail when a chart has less than in this earlier JSON report"
    )
    group.addoption(
        "--fsm-cov-context", action="store_true", help="note which tests take each edge, for the JSON and HTML reports"
    )
    group.addoption(
        "--fsm-mutate",
        action="append",
        nargs="?",
        const="",
        metavar="MODULE:CLASS",
        help="mutation score of this chart against the suite; repeatable; default: the charts measured",
    )
    group.addoption(
        "--fsm-mutate-processes", metavar="NUMBER", help="how many mutants run at a time; default: one a processor"
    )
    parser.addini(
        "fsm_exclude",
        type="linelist",
        default=[],
        help="what no test can reach: module:Class | criterion | key, with * for anything | reason",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Begin to measure when that is asked for; refuse what cannot be meant before any test runs."""
    charts: list[str] | None = config.getoption("--fsm-cov")
    mutate: list[str] | None = config.getoption("--fsm-mutate")
    processes: str | None = config.getoption("--fsm-mutate-processes")
    given = {name: config.getoption(f"fsm_cov_{name}") for name in _OPTIONS}
    if all(value in (None, False) for value in (charts, mutate, processes, *given.values())):
        return
    from mm_fsm.coverage.subprocesses import leave_this_process  # noqa: PLC0415

    leave_this_process()  # before charts are imported, which would begin to record for somebody else
    from mm_fsm.coverage.mutation.session import check_possible  # noqa: PLC0415
    from mm_fsm.coverage.options import Options, check_not_orphaned  # noqa: PLC0415 - they import the engine
    from mm_fsm.coverage.problems import CoverageError  # noqa: PLC0415
    from mm_fsm.coverage.session import CoverageSession  # noqa: PLC0415

    try:
        if mutate is None:
            check_not_orphaned({"--fsm-mutate-processes": processes}, "--fsm-mutate")
        else:
            check_possible(config)
        if charts is None and mutate is None:
            check_not_orphaned({f"--fsm-cov-{name.replace('_', '-')}": value for name, value in given.items()})
        options = Options.read(
            charts=charts,
            mutate=mutate,
            processes=processes,
            criteria=given["criteria"],
            reports=given["report"] or (),
            fail_under=given["fail_under"],
            baseline=given["baseline"],
            exclude=config.getini("fsm_exclude"),
            with_tests=given["context"],
        )
    except CoverageError as error:
        raise pytest.UsageError(str(error)) from error
    config.pluginmanager.register(CoverageSession(config, options), "mm-fsm-coverage")
