"""Journals to inspect: recorded in this process by a maker on a lively market."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mm_fsm.report.inspection.steps import InspectedStep, SegmentSteps, Version
from mm_fsm.report.inspection.track import Track, read_track
from mm_fsm.runtime.journal import JournalReader, JournalSettings
from mm_fsm.runtime.recovery import RunPlan
from mm_fsm.venues.unreliable import Faults, UnreliableVenue
from tests.runtime.journal.scenario import World, begin, kill, make_market, plan_at, settings_with


def plan_for(path: Path, *, market_data: bool = True, segment_records: int = 100, **changes: Any) -> RunPlan:
    """A plan whose journal has short segments."""
    settings = JournalSettings(record_market_data=market_data, segment_records=segment_records)
    return plan_at(path, journal_settings=settings, **changes)


def record(path: Path, *, seed: int = 3, seconds: float = 40, processes: int = 1, **changes: Any) -> Path:
    """Record a run whose every process is killed."""
    plan = plan_for(path, **changes)
    world = World(market=make_market(seed))
    for _ in range(processes):
        run = begin(plan)
        world.run(run, seconds)
        kill(run)
        world.pass_time(3)
    return path


def record_trouble(path: Path, *, seed: int = 5) -> Path:
    """A run at a venue that loses answers, whose kill switch ends it: faults, unknown orders, a wind-down."""
    plan = plan_for(
        path, settings=settings_with(max_drawdown=0.05, wind_down_passive_seconds=5.0, wind_down_deadline_seconds=20.0)
    )
    world, run = World(market=make_market(seed)), begin(plan)
    faults = Faults(
        seed=seed, request_lost=0.05, request_late=0.05, answer_lost=0.1, fill_lost=0.1, fact_duplicated=0.1
    )
    world.venue = UnreliableVenue(world.exchange, faults)
    world.run(run, 120)
    kill(run)
    return path


def track_of(path: Path, version: Version | None = None) -> Track:
    """Everything of a journal."""
    with JournalReader(path) as reader:
        return read_track(reader, version)


def steps_of(path: Path, version: Version | None = None) -> list[InspectedStep]:
    """Every step of a journal."""
    with JournalReader(path) as reader:
        return [step for segment in reader.segments for step in SegmentSteps(reader, segment, version or Version())]
