"""The tests of a pytest session, run again in processes of their own."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any, Final

import pytest

from mm_fsm.coverage.mutation.children import Job

_PATIENCE: Final = 10.0
"""Seconds that every test may take in a child, beside ten times what it took before."""


class RepeatedSuite:
    """Knows how long each test took, and makes jobs of them.

    Args:
        config: the session's.
        become_child: called first in every process that runs tests again.
    """

    def __init__(self, config: pytest.Config, become_child: Callable[[], None]) -> None:
        self._config = config
        self._become_child = become_child
        self._seconds: dict[str, float] = defaultdict(float)
        self._items: dict[str, pytest.Item] = {}
        self._has_failed = False
        self._context: Any = nullcontext()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Keep the tests by their names."""
        self._items = {item.nodeid: item for item in session.items}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add up what a test takes, and note a failure of any part of it."""
        self._seconds[report.nodeid] += report.duration
        self._has_failed = self._has_failed or report.failed

    def seconds(self, tests: Sequence[str]) -> float:
        """What the tests took together."""
        return sum(self._seconds[test] for test in tests)

    def fastest_first(self, tests: Sequence[str]) -> list[str]:
        """The tests in the order in which they are worth trying."""
        return sorted(tests, key=lambda test: (self._seconds[test], test))

    def job(self, number: int, tests: Sequence[str], context: Any = None) -> Job:
        """Tests to run again in a process of its own, within a context that is entered there."""
        following = [self._items[test] for test in tests[1:]]
        return Job(
            number=number,
            prepare=partial(self._prepare, context or nullcontext()),
            checks=tuple(
                partial(self._passes, self._items[test], next_item)
                for test, next_item in zip(tests, [*following, None], strict=True)
            ),
            limits=tuple(_PATIENCE + 10 * self._seconds[test] for test in tests),
        )

    def _prepare(self, context: Any) -> None:
        self._context = context  # never left: the process ends in it
        self._become_child()
        _be_silent(self._config)
        context.__enter__()

    def _passes(self, item: pytest.Item, next_item: pytest.Item | None) -> bool:
        self._has_failed = False
        item.ihook.pytest_runtest_protocol(item=item, nextitem=next_item)
        return not self._has_failed


def _be_silent(config: pytest.Config) -> None:
    """Send what this process would print nowhere, and what its tests print to files of its own."""
    capture: Any = config.pluginmanager.getplugin("capturemanager")
    if capture is not None:
        capture.stop_global_capturing()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    if capture is not None:
        capture.start_global_capturing()
        capture.suspend_global_capture()
