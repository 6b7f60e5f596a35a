"""Figures of runs that have little to show: no fill, one fill, no market data, no step at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from attrs import asdict, evolve

from mm_fsm.books.facts import Timer
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.results import StepResult
from mm_fsm.report.exact import as_json
from mm_fsm.report.figures import FillModel
from mm_fsm.report.run_data.market_figures import MarketFacts, market_figures
from mm_fsm.report.run_data.market_follower import MarketFollower
from mm_fsm.report.run_data.market_tables import MarketTables
from mm_fsm.report.run_data.table_files import read_rows
from mm_fsm.runtime.session import PulledSession
from mm_fsm.venues.paper import PaperPlan
from tests.report.run_data.followed import configured, follow

FACTS = MarketFacts(
    outcome="unfinished",
    error=None,
    market_events=0,
    fill_model=FillModel(kind="paper", is_simulated=True, assumptions=()),
    settings={},
)


def text_of(figures: Any) -> str:
    """As JSON has it, which refuses what is no number."""
    return json.dumps(as_json(asdict(figures)), allow_nan=False)


def quiet_market(seconds: float, takers: float) -> Any:
    configuration = configured(seconds)
    assert isinstance(configuration.venue, PaperPlan)
    simulator = evolve(configuration.venue.simulator, takers_per_second=takers, volatility_bps_per_sqrt_second=0.0)
    return evolve(configuration, venue=evolve(configuration.venue, simulator=simulator))


def test_a_run_without_a_fill_has_no_markouts_and_no_ratio(tmp_path: Path) -> None:
    run = follow(quiet_market(120, takers=0.0), tmp_path)
    figures = run.figures
    assert figures.orders.placed > 0
    assert (figures.orders.fills, figures.orders.orders_per_fill, figures.profit.net_bps_of_volume) == (0, None, None)
    assert figures.fills.time_ms == ()
    assert figures.inventory.half_life_seconds is None
    assert figures.profit.net == figures.profit.volume == 0
    assert (figures.drawdown.largest, figures.drawdown.from_ms) == (0, None)
    assert [row.count for row in figures.markouts.rows if row.group == "all"] == [0] * 5
    assert text_of(figures)


def test_one_fill_is_one_row_and_no_interval(tmp_path: Path) -> None:
    filled: list[int] = []

    def stop_after_the_first(session: PulledSession, result: StepResult) -> None:
        if session.machine.context.fill_count and not filled:
            filled.append(result.sequence)
            session.runner.stop(flatten=False, reason="enough")

    run = follow(configured(600), tmp_path, watch=stop_after_the_first)
    figures = run.figures
    assert figures.fills.total == len(figures.fills.time_ms) == 1
    assert figures.fills.step == (filled[0],)
    assert figures.markouts.unmeasured == 5
    assert set(figures.fills.markouts) == {"1", "5", "30", "60", "300"}
    assert all(column == (None,) for column in figures.fills.markouts.values())
    assert figures.profit.intervals == {}
    assert "an interval needs" in figures.profit.no_interval
    assert text_of(figures)


def test_a_machine_that_took_no_step_has_figures_of_nothing() -> None:
    machine = machine_of(configured(60))
    follower = MarketFollower(lambda: machine)
    follower.end()
    figures = market_figures(follower, machine, FACTS)
    assert (figures.begin_ms, figures.seconds, figures.presence.both_share) == (None, 0.0, 0.0)
    assert figures.series.time_ms == figures.profit_steps.net == ()
    assert text_of(figures)


def test_time_alone_without_market_data_is_held_all_the_time(tmp_path: Path) -> None:
    machine = machine_of(configured(60))
    tables = MarketTables(tmp_path)
    follower = MarketFollower(lambda: machine, rows=tables.rows)
    machine.observe(follower)
    for second in range(1, 30):
        machine.step(Timer(received_at=second * 1_000_000_000))
    follower.end()
    assert follower.failure is None
    figures = market_figures(follower, machine, FACTS)
    assert figures.seconds == 28.0
    assert {total.reason for total in figures.holds.totals} == {"reconciling"}
    assert all(total.seconds == 28.0 for total in figures.holds.totals)
    assert figures.series.mid == (None,) * len(figures.series.mid)
    assert figures.presence.both_share == 0.0
    assert figures.presence.snapshots == 2
    assert text_of(figures)


def machine_of(configuration: Any) -> MarketMakingStateMachine:
    venue = configuration.venue
    return MarketMakingStateMachine(configuration.strategy, venue.instrument, venue.fees, venue.balances)


def test_what_goes_wrong_in_gathering_never_reaches_the_machine() -> None:
    machine = machine_of(configured(60))
    follower = MarketFollower(lambda: machine)
    machine.observe(follower)
    follower.stretches.take = None  # type: ignore[method-assign, assignment]
    for second in range(1, 5):
        assert machine.step(Timer(received_at=second * 1_000_000_000)).sequence == second
    assert follower.failure is not None
    assert follower.failure.startswith("step 1: TypeError")
    follower.end()
    figures = market_figures(follower, machine, FACTS)
    assert figures.notes[-1].startswith("gathering ended early, at step 1")


def test_watching_changes_no_decision_and_no_digest(tmp_path: Path) -> None:
    configuration = configured(240)
    watched = follow(configuration, tmp_path)
    alone = follow(configuration, tmp_path / "again", watch=lambda _session, _result: None)
    assert watched.session.machine.context.digest() == alone.session.machine.context.digest()
    from mm_fsm.runtime.session import open_session

    bare = open_session(configuration)
    results = list(bare.runner.run())
    assert results == watched.results
    assert bare.machine.context.digest() == watched.session.machine.context.digest()


def test_a_disk_that_takes_no_more_loses_the_table_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory")
    machine = machine_of(configured(60))
    tables = MarketTables(tmp_path / "file" / "below")
    follower = MarketFollower(lambda: machine, rows=tables.rows)
    machine.observe(follower)
    for second in range(1, 5):
        machine.step(Timer(received_at=second * 1_000_000_000))
    follower.end()
    assert follower.failure is None
    found = list(tables.finish(follower))
    assert [path for _, path, _ in found] == [None] * 5
    assert all(failure for _, _, failure in found)


def test_without_pyarrow_tables_stay_json_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mm_fsm.report.run_data.table_files.find_spec", lambda _name: None)
    run = follow(configured(120), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "fills.jsonl",
        "orders.jsonl",
        "profit_steps.jsonl",
        "series.jsonl",
        "stretches.jsonl",
    ]
    assert len(list(read_rows(tmp_path / "orders.jsonl"))) == run.figures.orders.placed
