"""One run of pytest under measurement: this process, its workers, and the processes that tests start."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from mm_fsm.coverage.gate import failures
from mm_fsm.coverage.mutation.session import MutationSession
from mm_fsm.coverage.options import Options
from mm_fsm.coverage.recorder import Recorder
from mm_fsm.coverage.result import RunResult
from mm_fsm.coverage.run import Run
from mm_fsm.coverage.subprocesses import VARIABLE
from mm_fsm.coverage.text_report import gap_lines, mutation_lines, table_lines
from mm_fsm.coverage.written_reports import write_reports

_KEY: Final = "mm_fsm_coverage"
"""What is ours in what xdist sends to its workers and back."""


class CoverageSession:
    """Measures while pytest runs, and reports when it has finished.

    Under xdist every worker measures, and the process that started them merges and reports.
    """

    def __init__(self, config: pytest.Config, options: Options) -> None:
        self._config = config
        self._options = options
        self._worker_input: dict[str, Any] | None = getattr(config, "workerinput", None)
        self._recorder = Recorder(options.classes, with_tests=options.with_tests)
        self._environment = os.environ.get(VARIABLE)
        self._run = Run()
        self._workers: dict[str, bool] = {}
        """Workers that were started, and whether they have told what they saw."""
        self._result = RunResult(())
        self._failures: list[str] = []
        self._written: list[Path] = []
        self._mutation: MutationSession | None = None
        if options.mutate is not None:
            self._mutation = MutationSession(
                config, self._recorder, options.mutated, options.exclusions, options.processes
            )
            config.pluginmanager.register(self._mutation, "mm-fsm-mutation")
        # Last, because only a session that is there removes it again.
        self._directory = Path(self._worker_input[_KEY] if self._worker_input else tempfile.mkdtemp(prefix="fsm-cov-"))
        self._recorder.start()

    # -- while tests run --------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Let processes that tests start record themselves; workers are no such processes."""
        if not self._config.pluginmanager.hasplugin("dsession"):
            os.environ[VARIABLE] = str(self._directory)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """What is recorded from the setup of a test to its teardown is this test's."""
        try:
            return (yield)
        finally:
            self._recorder.end_test(item.nodeid)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """A worker is about to be started."""
        node.workerinput[_KEY] = str(self._directory)
        self._workers[node.gateway.id] = False

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """A worker has ended, well or not."""
        told = (getattr(node, "workeroutput", None) or {}).get(_KEY)
        if told is not None and not error:
            self._run.add(Run.from_text(told))
            self._workers[node.gateway.id] = True

    # -- when they have finished ------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Send what a worker saw, or merge, judge and write everything."""
        self._recorder.stop()
        recorded = self._recorder.run()
        if self._worker_input is not None:
            output: dict[str, Any] = self._config.workeroutput  # type: ignore[attr-defined]
            output[_KEY] = recorded.to_text()
            return
        self._run.add(recorded)
        if self._mutation is not None:
            self._run.add(self._mutation.run)
        silent = [name for name, has_told in self._workers.items() if not has_told]
        lost = [f"worker {name} was lost; what it saw is missing" for name in silent] + self._merge_processes()
        if self._config.option.collectonly:
            return
        self._judge(lost)
        if self._failures and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _merge_processes(self) -> list[str]:
        torn = []
        for path in sorted(self._directory.glob("*.json")):
            try:
                self._run.add(Run.from_text(path.read_text(encoding="utf-8")))
            except ValueError as error:
                torn.append(f"a process that a test started left something unreadable: {error}")
        return torn

    def _judge(self, lost: list[str]) -> None:
        options, wanted = self._options, self._options.wanted
        charts = {name: chart for name, chart in self._run.charts.items() if wanted is None or name in wanted}
        contradictions = [name for name in self._run.contradictions if name in charts]
        mutation = self._mutation
        mutated = mutation.run.charts if mutation and not mutation.problems else ()
        self._result = RunResult.of(Run(charts, contradictions), options.criteria, options.exclusions, lost, mutated)
        self._failures = failures(self._result, options.thresholds, options.baseline)
        self._failures += mutation.problems if mutation else []
        if not charts:
            self._failures.append(
                "no chart was measured: no module that was imported has a chart class under its own name; "
                "name one with --fsm-cov=module:Class"
            )
            return
        try:
            self._written.extend(write_reports(self._result, options.reports))
        except OSError as error:
            self._failures.append(f"a report could not be written: {error}")

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the table, the gaps, and why the run does not pass."""
        reports = self._options.reports
        if self._worker_input is not None or not (self._result.charts or self._failures):
            return
        terminalreporter.section("transition coverage")
        if reports.table and self._result.charts:
            for line in (*table_lines(self._result), *mutation_lines(self._result)):
                terminalreporter.write_line(line)
        if reports.gaps:
            for line in gap_lines(self._result, everything=self._config.option.verbose > 0):
                terminalreporter.write_line(line)
        for path in self._written:
            terminalreporter.write_line(f"written: {path}")
        for problem in self._result.problems:
            terminalreporter.write_line(f"WARNING {problem}", yellow=True)
        for failure in self._failures:
            terminalreporter.write_line(f"FAILED {failure}", red=True)

    def pytest_unconfigure(self) -> None:
        """Leave nothing behind."""
        self._recorder.stop()
        if self._environment is None:
            os.environ.pop(VARIABLE, None)
        else:
            os.environ[VARIABLE] = self._environment
        if self._worker_input is None:
            shutil.rmtree(self._directory, ignore_errors=True)
