"""Runs the mutants when the suite has passed: each against the tests that have run the part it changes."""

from __future__ import annotations

import gc
import os
from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Any, Final

import pytest
from attrs import frozen

from mm_fsm.coverage.criteria import Criterion
from mm_fsm.coverage.exclusions import Exclusion
from mm_fsm.coverage.model import ChartModel
from mm_fsm.coverage.mutation.children import Outcome, Verdict, run_jobs
from mm_fsm.coverage.mutation.making import mutated
from mm_fsm.coverage.mutation.mutants import Mutant, mutants_of
from mm_fsm.coverage.mutation.repeatability import repeat_examples
from mm_fsm.coverage.mutation.suite import RepeatedSuite
from mm_fsm.coverage.problems import CoverageError
from mm_fsm.coverage.recorder import Recorder
from mm_fsm.coverage.result import ChartResult
from mm_fsm.coverage.run import ChartHits, ChartRun, Run

_MUTATE: Final = "--fsm-mutate"
_NOT_RUN: Final = f"{_MUTATE}: the suite did not come to its end, so no mutant was made"
_NOT_GREEN: Final = f"{_MUTATE}: the suite must pass before it can be asked what it notices; no mutant was made"
_MARKS: Final = {Verdict.FAILED: ".", Verdict.PASSED: "S", Verdict.TIMED_OUT: "T", Verdict.BROKEN: "!"}


@frozen
class _Case:
    """One mutant of one chart, and the tests that could notice it."""

    chart: type
    model: ChartModel
    place: int
    mutant: Mutant
    tests: list[str]


def check_possible(config: pytest.Config) -> None:
    """Refuse mutants where they cannot be run, before any test does.

    Raises:
        CoverageError: the system cannot fork, or tests are to run in workers.
    """
    if not hasattr(os, "fork"):
        raise CoverageError(_MUTATE, "a system that can fork", os.name, "Run it on Linux or macOS.")
    if config.getoption("dist", "no") != "no" or hasattr(config, "workerinput"):
        raise CoverageError(
            _MUTATE,
            "all tests in one process, which runs the mutants on several processors itself",
            "workers of pytest-xdist",
            "Add -n 0.",
        )


class MutationSession:
    """One run's mutants.

    Args:
        config: pytest's.
        recorder: what sees which test runs what.
        wanted: references of the charts to make mutants of; None for every chart that is measured.
        exclusions: mutants that need not be noticed.
        processes: how many mutants run at a time.
    """

    def __init__(
        self,
        config: pytest.Config,
        recorder: Recorder,
        wanted: frozenset[str] | None,
        exclusions: Sequence[Exclusion],
        processes: int,
    ) -> None:
        self._config = config
        self._recorder = recorder
        self._wanted = wanted
        self._exclusions = exclusions
        self._processes = processes
        self._hits: dict[str, dict[str, ChartHits]] = {}
        """By chart and test, what the test saw."""
        self._suite = RepeatedSuite(config, recorder.stop)
        self.run = Run()
        """What was noticed; a chart without mutants has no entry."""
        self.problems: list[str] = [_NOT_RUN]
        """Why there is no score."""
        recorder.listener = self._test_ended
        config.pluginmanager.register(self._suite, "mm-fsm-repeated-suite")
        config.add_cleanup(repeat_examples())

    def _test_ended(self, reference: str, test: str, hits: ChartHits) -> None:
        self._hits.setdefault(reference, {})[test] = hits

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """When every test has run: make the mutants."""
        result = yield
        if session.config.option.collectonly:
            self.problems = []
        elif session.testsfailed:
            self.problems = [_NOT_GREEN]
        else:
            self.problems = self._run_all(list(self._cases()))
        return result

    # -- which mutants ----------------------------------------------------------------------------------------------

    def _cases(self) -> Iterator[_Case]:
        for chart, model in self._recorder.charts():
            if self._wanted is None or model.reference in self._wanted:
                self.run.add(Run({model.reference: ChartRun(model)}))
                yield from self._cases_of(chart, model)

    def _cases_of(self, chart: type, model: ChartModel) -> Iterator[_Case]:
        hits = self._hits.get(model.reference, {})
        (result,) = ChartResult.of(ChartRun(model), [Criterion.MUTATION], self._exclusions).criteria
        for place, (mutant, obligation) in enumerate(zip(mutants_of(model), result.obligations, strict=True)):
            if not obligation.excluded:
                tests = [test for test, seen in hits.items() if mutant.was_run(model, seen)]
                yield _Case(chart, model, place, mutant, self._suite.fastest_first(tests))

    # -- running them -----------------------------------------------------------------------------------------------

    def _run_all(self, cases: list[_Case]) -> list[str]:
        """Run every mutant, then every test that noticed one without any; answer why there is no score."""
        # Those that may take longest go first, so that no processor waits for one of them in the end.
        cases.sort(key=lambda case: -self._suite.seconds(case.tests))
        progress = _Progress(self._config, f"{len(cases)} mutants, {self._processes} at a time")
        gc.freeze()  # a child's garbage collector would copy every page that it looks through
        try:
            outcomes = list(progress.of(self._mutants(cases)))
            problems = [
                f"{case.model.reference}: the mutant {case.mutant.key!r} cannot be made: {outcome.reason}"
                for outcome in outcomes
                for case in [cases[outcome.number]]
                if outcome.verdict is Verdict.BROKEN
            ]
            problems += self._not_repeatable(cases, outcomes)
        finally:
            gc.unfreeze()
        for outcome in outcomes:
            self._keep(cases[outcome.number], outcome)
        return problems

    def _mutants(self, cases: Sequence[_Case]) -> Iterator[Outcome]:
        return run_jobs(
            (
                self._suite.job(number, case.tests, mutated(case.chart, case.mutant))
                for number, case in enumerate(cases)
                if case.tests
            ),
            self._processes,
        )

    def _not_repeatable(self, cases: Sequence[_Case], outcomes: Iterable[Outcome]) -> list[str]:
        """Tests that noticed a mutant, and fail without one when they are run again: they cannot tell."""
        noticed = [one for one in outcomes if one.verdict in (Verdict.FAILED, Verdict.TIMED_OUT)]
        tests = sorted({cases[one.number].tests[one.check] for one in noticed})
        jobs = (self._suite.job(number, [test]) for number, test in enumerate(tests))
        return [
            f"{_MUTATE}: {tests[outcome.number]} does not pass when it is run again by itself, so it cannot tell a "
            "mutant; let it pass in any order and any number of times, or leave it out"
            for outcome in sorted(run_jobs(jobs, self._processes), key=lambda outcome: outcome.number)
            if outcome.verdict is not Verdict.PASSED
        ]

    def _keep(self, case: _Case, outcome: Outcome) -> None:
        hits = ChartHits()
        hits.mutants[case.place] = outcome.verdict in (Verdict.FAILED, Verdict.TIMED_OUT)
        hits.timeouts[case.place] = outcome.verdict is Verdict.TIMED_OUT
        self.run.add(Run({case.model.reference: ChartRun(case.model, hits)}))


class _Progress:
    """One mark for each mutant, as pytest writes one for each test."""

    def __init__(self, config: pytest.Config, title: str) -> None:
        self._reporter: Any = config.pluginmanager.getplugin("terminalreporter")
        if self._reporter is not None:
            self._reporter.section(title)

    def of(self, outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
        """The outcomes, each with its mark."""
        for outcome in outcomes:
            if self._reporter is not None:
                self._reporter.write(_MARKS[outcome.verdict], flush=True)
            yield outcome
        if self._reporter is not None:
            self._reporter.ensure_newline()
