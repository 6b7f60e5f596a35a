"""Runs on the paper exchange that a follower watches, for tests of what it gathers."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from mm_fsm.core.programme import ProgrammeRule
from mm_fsm.machine.results import StepResult
from mm_fsm.report.figures import MarketFigures
from mm_fsm.report.run_data.fill_models import fill_model_of
from mm_fsm.report.run_data.market_figures import MarketFacts, market_figures
from mm_fsm.report.run_data.market_follower import MarketFollower
from mm_fsm.report.run_data.market_tables import MarketTables
from mm_fsm.runtime.session import PulledSession, for_session, open_session
from mm_fsm.runtime.settings_file import MarketConfiguration, read_preset


@frozen
class FollowedRun:
    """A session that has ended, and what was gathered of it."""

    session: PulledSession
    follower: MarketFollower
    figures: MarketFigures
    results: list[StepResult]


def configured(seconds: float, seed: int = 7, **strategy: Any) -> MarketConfiguration:
    """The shipped paper market for a session of so many seconds."""
    found = for_session(read_preset("paper_ethusd"), duration_seconds=seconds, seed=seed)
    return evolve(found, strategy=evolve(found.strategy, **strategy))


def follow(
    configuration: MarketConfiguration,
    directory: Path,
    *,
    rule: ProgrammeRule | None = None,
    watch: Callable[[PulledSession, StepResult], None] = lambda _session, _result: None,
) -> FollowedRun:
    """Run a session to its end, its tables going to a directory; ``watch`` is told each step as well."""
    session = open_session(configuration)
    tables = MarketTables(directory)
    follower = MarketFollower(lambda: session.machine, rule or configuration.programme, tables.rows)
    session.watch(follower)
    results = []
    for result in session.runner.run():
        results.append(result)
        watch(session, result)
    follower.end()
    assert follower.failure is None
    assert all(failure is None for _, _, failure in tables.finish(follower))
    facts = MarketFacts(
        outcome="completed",
        error=None,
        market_events=session.runner.market_events,
        fill_model=fill_model_of(configuration, is_recorded=False),
        settings={},
    )
    return FollowedRun(session, follower, market_figures(follower, session.machine, facts), results)


def total(texts: Any) -> Decimal:
    """The exact sum of decimals in texts."""
    return sum((Decimal(each) for each in texts), Decimal(0))
