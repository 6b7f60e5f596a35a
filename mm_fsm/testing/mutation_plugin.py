"""A pytest plugin: how many mutants of a chart the suite notices. It does nothing, and loads nothing, unless asked.

The suite runs once as always. When it has passed, every mutant is put in force in a forked process, in which the tests
that come to the mutant's state run until one fails.
"""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mm_fsm.testing.mutation_session import MutationSession

_NAME = "fsm-mutation"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options."""
    group = parser.getgroup("fsm", "state machines")
    group.addoption(
        "--fsm-mutate",
        action="append",
        nargs="?",
        const="",
        metavar="MODULE:CLASS",
        help="mutation score of a chart against this suite; repeatable; without a name, of every chart class that the "
        "run has imported from elsewhere than its tests",
    )
    group.addoption("--fsm-mutate-fail-under", metavar="PERCENT", help="fail when a chart's mutation score is lower")
    group.addoption("--fsm-mutate-workers", metavar="COUNT", help="processes at a time (default: 2)")
    group.addoption("--fsm-mutate-seconds", metavar="SECONDS", help="time for one mutant (default: 60)")
    group.addoption("--fsm-mutate-json", metavar="PATH", help="write every verdict there")


def pytest_configure(config: pytest.Config) -> None:
    """Check what was asked for before any test runs."""
    asked = config.getoption("--fsm-mutate")
    options = ("--fsm-mutate-fail-under", "--fsm-mutate-workers", "--fsm-mutate-seconds", "--fsm-mutate-json")
    if not asked:
        given = [option for option in options if config.getoption(option) is not None]
        if given:
            raise pytest.UsageError(f"{given[0]} needs --fsm-mutate, which was not given.")
        return
    if hasattr(config, "workerinput"):
        return
    if config.getoption("numprocesses", None) or config.getoption("tx", None):
        raise pytest.UsageError("--fsm-mutate runs its own processes: leave out -n and --tx.")
    if not hasattr(os, "fork"):
        raise pytest.UsageError("--fsm-mutate needs a platform with os.fork, such as Linux or macOS.")
    from mm_fsm.testing.mutation_session import MutationSession  # noqa: PLC0415 - only when asked

    config.pluginmanager.register(
        MutationSession(
            references=list(dict.fromkeys(asked)),
            fail_under=_number(config, "--fsm-mutate-fail-under", 0.0, highest=100.0),
            workers=int(_number(config, "--fsm-mutate-workers", 2.0, lowest=1.0)),
            seconds=_number(config, "--fsm-mutate-seconds", 60.0, lowest=0.1),
            json_path=config.getoption("--fsm-mutate-json"),
        ),
        _NAME,
    )


def _number(
    config: pytest.Config, option: str, default: float, *, lowest: float = 0.0, highest: float = math.inf
) -> float:
    text = config.getoption(option)
    if text is None:
        return default
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (lowest <= number <= highest and math.isfinite(number)):
        raise pytest.UsageError(f"{option}: expected a number from {lowest:g} to {highest:g}, found {text!r}.")
    return number


def session_of(config: pytest.Config) -> MutationSession | None:
    """The running measurement, for reports of other plugins; None when none was asked for."""
    found: MutationSession | None = config.pluginmanager.get_plugin(_NAME)
    return found
