"""One pytest session in which mutants are judged: by which tests, in which order, and how the score is shown."""

from __future__ import annotations

import json
import os
import time
from collections import Counter, defaultdict
from collections.abc import Generator, Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field
from statemachine import StateChart

from mm_fsm.chart import Chart
from mm_fsm.chart.watching import WATCHERS
from mm_fsm.core.order_lifecycle import OrderLifecycle
from mm_fsm.coverage.recorder import imported_charts
from mm_fsm.machine.observers import MachineObserver
from mm_fsm.machine.results import TransitionRecord
from mm_fsm.machine.strategy import StrategyMachine
from mm_fsm.testing.foreign import AnyChart
from mm_fsm.testing.mutant import Mutant, mutants
from mm_fsm.testing.mutation import MutationResult, Outcome, Verdict, judge_each, survivor_lines
from mm_fsm.testing.problems import GenerationError


class _Arrivals(MachineObserver):
    """Notes which test brings machines into which state."""

    def __init__(self) -> None:
        self.test = ""
        self.tests: dict[tuple[type, str], set[str]] = defaultdict(set)
        """By the machine's class and the state."""

    def machine_was_made(self, machine: Any) -> None:
        """A machine has been made: watch it, and its class's parents."""
        machine.observe(_Watch(self, type(machine), machine.chart_state))

    def event_was_looked_up(self, chart: type, _subject: str, state: str, _event: str) -> None:
        """A chart's table was asked."""
        self.tests[chart, state].add(self.test)

    def which(self, chart: type, state: str) -> set[str]:
        """Tests in which a machine of the class, or of one that inherits from it, was in the state."""
        return {
            test for (cls, at), tests in self.tests.items() if at == state and issubclass(cls, chart) for test in tests
        }


class _Watch(MachineObserver):
    def __init__(self, arrivals: _Arrivals, cls: type, state: str) -> None:
        self._arrivals, self._class = arrivals, cls
        arrivals.tests[cls, state].add(arrivals.test)

    def step_began(self, state: str, fact: object) -> None:
        self._arrivals.tests[self._class, state].add(self._arrivals.test)

    def transition_was_taken(self, transition: TransitionRecord, time: int) -> None:
        self._arrivals.tests[self._class, transition.target].add(self._arrivals.test)


class _FirstFailure:
    """In a child: remembers the first test that fails."""

    test: str | None = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A phase of a test is over."""
        if report.failed and self.test is None:
            self.test = report.nodeid


@define(eq=False)
class MutationSession:
    """Measures once the suite has passed.

    Args:
        references: ``module:Class`` of each chart; an empty one stands for every chart that tests have imported.
        fail_under: percent below which the run fails.
        workers: processes at a time.
        seconds: time for one mutant.
        json_path: where to write every verdict; None for nowhere.
    """

    references: list[str]
    fail_under: float
    workers: int
    seconds: float
    json_path: str | None
    results: dict[str, MutationResult] = field(factory=dict, init=False)
    """By the chart's reference."""
    _arrivals: _Arrivals = field(factory=_Arrivals, init=False)
    _durations: Counter[str] = field(factory=Counter, init=False)
    _kills: Counter[str] = field(factory=Counter, init=False)
    _problem: str = field(default="", init=False)
    _took: float = field(default=0.0, init=False)

    # -- before and while the suite runs ----------------------------------------------------------------------------

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Every class that was named must be there, before any test runs."""
        for reference in filter(None, self.references):
            load(reference)
        WATCHERS.append(self._arrivals)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test begins."""
        self._arrivals.test = nodeid

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """How long each test takes decides in which order they are tried."""
        self._durations[report.nodeid] += report.duration  # type: ignore[assignment]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """The suite runs as always; when it has passed, against every mutant."""
        outcome = yield
        if self._arrivals in WATCHERS:
            WATCHERS.remove(self._arrivals)
        if session.config.option.collectonly:
            return outcome
        if session.testsfailed:
            self._problem = "not measured: the suite itself must pass first"
            return outcome
        begun = time.monotonic()
        for reference, chart in self._charts(session):
            self.results[reference] = self._judge(session, chart)
        self._took = time.monotonic() - begun
        if not self.results:
            self._problem = "not measured: the run has imported no chart but those of its tests; name one"
        if self._problem or any(100 * result.score < self.fail_under for result in self.results.values()):
            session.testsfailed += 1
        if self.json_path is not None:
            Path(self.json_path).write_text(json.dumps(self.as_plain(), indent=2) + "\n", encoding="utf-8")
        return outcome

    def _charts(self, session: pytest.Session) -> Iterable[tuple[str, AnyChart]]:
        named = [(reference, load(reference)) for reference in self.references if reference]
        if "" not in self.references:
            return named
        tests = {getattr(item, "module", None) for item in session.items}
        modules = {module.__name__ for module in tests if module is not None}
        found: list[Any] = [chart for chart in imported_charts() if chart.__module__ not in modules]
        return dict([(f"{chart.__module__}:{chart.__qualname__}", chart) for chart in found] + named).items()

    # -- judging ----------------------------------------------------------------------------------------------------

    def _judge(self, session: pytest.Session, chart: AnyChart) -> MutationResult:
        items = [item for item in session.items if not _takes_expectations_from_chart(item)]

        def judge(mutant: Mutant) -> str | None:
            return _run_until_failure(session.config, self._in_order(items, mutant))

        verdicts: list[Verdict] = []
        for verdict in judge_each(mutants(chart), judge, workers=self.workers, seconds=self.seconds):
            verdicts.append(verdict)
            if verdict.outcome is Outcome.KILLED:
                self._kills[verdict.by] += 1
        return MutationResult(verdicts)

    def _in_order(self, items: Sequence[pytest.Item], mutant: Mutant) -> list[pytest.Item]:
        """Tests that come to the mutant's state, those that have noticed most mutants first, then the quickest."""
        chosen = list(items)
        if issubclass(mutant.chart, StrategyMachine) or mutant.chart is OrderLifecycle:
            tests = self._arrivals.which(mutant.chart, mutant.state)
            chosen = [item for item in items if item.nodeid in tests]
        return sorted(chosen, key=lambda item: (-self._kills[item.nodeid], self._durations[item.nodeid]))

    # -- showing ----------------------------------------------------------------------------------------------------

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """The score, and what is missing."""
        terminalreporter.section("mutants")
        if self._problem:
            terminalreporter.line(self._problem)
        for reference, result in self.results.items():
            terminalreporter.line(self._summary(reference, result))
            for line in survivor_lines(result.survivors):
                terminalreporter.line(f"  {line}")
        if self.results:
            terminalreporter.line(f"judged in {self._took:.0f} s by {self.workers} processes")

    def _summary(self, reference: str, result: MutationResult) -> str:
        counts = ", ".join(f"{result.count(outcome)} {outcome}" for outcome in Outcome if result.count(outcome))
        is_low = 100 * result.score < self.fail_under
        verdict = f"; required are {self.fail_under:g} %" if is_low else ""
        return f"{reference}: {100 * result.score:.1f} % of mutants noticed ({counts}){verdict}"

    def as_plain(self) -> dict[str, Any]:
        """Every verdict as plain data, the same from run to run but for the tests that came first."""
        return {
            reference: {
                "score": round(result.score, 4),
                "mutants": sorted(
                    (
                        {
                            "mutant": v.mutant.id,
                            "outcome": v.outcome.value,
                            "by": v.by,
                            "missing": v.mutant.missing_test,
                        }
                        for v in result.verdicts
                    ),
                    key=lambda row: row["mutant"],
                ),
            }
            for reference, result in self.results.items()
        }


def load(reference: str) -> AnyChart:
    """The chart class that ``module:Class`` names.

    Raises:
        pytest.UsageError: there is none.
    """
    module, _, name = reference.partition(":")
    if not module or not name:
        raise pytest.UsageError(f"--fsm-mutate: expected MODULE:CLASS, found {reference!r}.")
    try:
        found: Any = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise pytest.UsageError(f"--fsm-mutate={reference}: {error}. Name a class that can be imported.") from error
    if not (isinstance(found, type) and issubclass(found, (Chart, StateChart))):
        raise pytest.UsageError(f"--fsm-mutate={reference}: expected a chart class, found {found!r}.")
    try:
        mutants(found)
    except GenerationError as error:
        raise pytest.UsageError(f"--fsm-mutate={reference}: {error}") from error
    return found


def _takes_expectations_from_chart(item: pytest.Item) -> bool:
    """Generated tests expect what the chart says, and so would expect the mutant too: what they notice is no credit."""
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    return any(getattr(value, "takes_expectations_from_chart", False) for value in parameters.values())


def _run_until_failure(config: pytest.Config, items: Sequence[pytest.Item]) -> str | None:
    """In a child: the first test that fails; None when all pass. Nothing is shown."""
    manager = config.pluginmanager
    failure = _FirstFailure()
    capture = manager.get_plugin("capturemanager")
    if capture is not None:
        capture.stop_global_capturing()
    sink = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(sink, stream)
    if capture is not None:
        capture.start_global_capturing()
    reporter = manager.get_plugin("terminalreporter")
    if reporter is not None:
        manager.unregister(reporter)
    manager.register(failure)
    for place, item in enumerate(items):
        following = items[place + 1] if place + 1 < len(items) else None
        config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if failure.test is not None:
            return failure.test
    return None
