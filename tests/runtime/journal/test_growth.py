"""A journal stays as small as it is told to, and says how large it is."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from attrs import evolve

from mm_fsm.errors import SettingsError
from mm_fsm.runtime.journal import JournalReader, JournalSettings, verify_run, writer
from tests.runtime.journal.scenario import World, assert_books_equal_account, begin, kill, plan_at


def test_segments_begin_with_a_snapshot_and_the_oldest_are_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Used pages stay near the allowed size, what is left replays, and a restart finds everything."""
    monkeypatch.setattr(writer, "BYTES_PER_MEGABYTE", 150_000)
    settings = JournalSettings(record_market_data=True, segment_records=60, max_megabytes=1)
    plan = plan_at(tmp_path / "run.journal", journal_settings=settings)
    world, run = World(), begin(plan)
    world.run(run, 120)
    assert run.journal.file.used_bytes() < 250_000
    status = run.journal.status
    run.close()
    with JournalReader(plan.path) as reader:
        assert reader.segments[0].number > 1
        assert len(reader.segments) >= 2
    assert status.segments >= reader.segments[-2].number
    report = verify_run(plan.path)
    assert report.is_clean, str(report)
    run = begin(evolve(plan, make_token=iter(["again0"]).__next__))
    world.run(run, until=lambda _: run.machine.machine.context.reconciliation.is_complete)
    assert_books_equal_account(run, world)
    run.close()


def test_the_status_is_the_size_of_the_files(tmp_path: Path) -> None:
    world, run = World(), begin(plan_at(tmp_path / "run.journal"))
    world.run(run, 10)
    status = run.journal.status
    files = [tmp_path / "run.journal", tmp_path / "run.journal-wal"]
    assert status.size == sum(file.stat().st_size for file in files)
    assert status.records > 10
    assert status.failure is None
    run.close()


def test_the_log_is_moved_into_the_file_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The write-ahead log is bounded although SQLite's own checkpoints, which would delay intents, are off."""
    monkeypatch.setattr(writer, "LOG_ROWS", 20)
    world, run = World(), begin(plan_at(tmp_path / "run.journal"))
    world.run(run, 60)
    log = (tmp_path / "run.journal-wal").stat().st_size
    written = (tmp_path / "run.journal").stat().st_size
    assert written > log
    run.close()


def test_the_log_stays_short_although_no_process_lives_to_shorten_it(tmp_path: Path) -> None:
    """Killed every two seconds, long before a segment or a log is full: twelve lives leave no more than the first."""
    plan = plan_at(tmp_path / "run.journal")
    log = tmp_path / "run.journal-wal"
    world, run = World(), begin(plan)
    watching = sqlite3.connect(plan.path)  # while it is open, the log outlives a connection, as it outlives a process
    watching.execute("SELECT count(*) FROM records").fetchone()
    sizes = []
    for _ in range(12):
        world.run(run, 2)
        kill(run)
        sizes.append(log.stat().st_size)
        run = begin(plan)
    run.close()
    watching.close()
    assert max(sizes[6:]) < 2 * max(sizes[:3])


@pytest.mark.parametrize(
    ("name", "value"), [("segment_records", 0), ("max_megabytes", 0), ("record_market_data", "yes")]
)
def test_settings_out_of_range_are_refused(name: str, value: object) -> None:
    with pytest.raises(SettingsError, match=name):
        JournalSettings(**{name: value})  # type: ignore[arg-type]
