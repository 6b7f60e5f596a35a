"""A journal that cannot be written: no placement leaves, cancels always do, and the machine ends with that reason."""

from __future__ import annotations

import resource
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mm_fsm.core.decisions import FaultCode
from mm_fsm.core.messages import CancelOrder, PlaceOrder
from mm_fsm.errors import OwnershipError
from mm_fsm.runtime.journal import verify_run
from mm_fsm.runtime.recovery import OpenRun
from tests.runtime.journal.scenario import World, assert_books_equal_account, begin, is_quoting, kill, plan_at


@contextmanager
def full_disk(run: OpenRun) -> Iterator[None]:
    """The operating system refuses to let any file grow beyond what the log has now."""
    log = run.journal.path.with_name(f"{run.journal.path.name}-wal")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@contextmanager
def full_database(run: OpenRun) -> Iterator[None]:
    """SQLite itself finds no room for another page."""
    connection = run.journal._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    yield


@contextmanager
def read_only(run: OpenRun) -> Iterator[None]:
    """The file may be read and no longer written."""
    run.journal._connection.execute("PRAGMA query_only = ON")
    yield


@contextmanager
def locked(run: OpenRun) -> Iterator[None]:
    """Another program holds the file and does not let go."""
    other = sqlite3.connect(run.journal.path)
    other.isolation_level = None
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


FAILURES = [full_disk, full_database, read_only, locked]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.__name__)
def test_placements_stay_cancels_leave_and_the_reason_is_kept(
    tmp_path: Path, failure: Callable[[OpenRun], Iterator[None]]
) -> None:
    plan = plan_at(tmp_path / "run.journal")
    world, run = World(), begin(plan)
    world.run(run, 20)
    world.run(run, until=is_quoting)
    assert world.exchange.open_orders
    sent = len(world.sent)
    with failure(run):  # type: ignore[attr-defined]
        world.run(run)
    assert run.machine.is_final
    after = world.sent[sent:]
    recorded = after_the_failure(run, after)
    assert not any(isinstance(intent, PlaceOrder) for intent in recorded)
    assert any(isinstance(intent, CancelOrder) for intent in recorded)
    assert world.exchange.open_orders == ()
    result = run.machine.result()
    assert not result.success
    assert result.error is not None
    assert FaultCode.JOURNAL in result.error
    assert run.journal.status.failure is not None
    assert_books_equal_account(run, world)
    kill(run)
    assert verify_run(plan.path).is_clean


def after_the_failure(run: OpenRun, intents: list[object]) -> list[object]:
    """Intents from the first one on that is not on record."""
    from mm_fsm.runtime.journal import JournalReader

    with JournalReader(run.journal.path) as reader:
        written = [
            intent
            for segment in reader.segments
            for row in reader.rows(segment)
            if hasattr(row, "intents")
            for intent in reader.intents(row)
        ]
    return [intent for intent in intents if intent not in written]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.__name__)
def test_the_next_process_recovers_what_was_never_written(
    tmp_path: Path, failure: Callable[[OpenRun], Iterator[None]]
) -> None:
    """Killed soon after the journal failed: fills and cancels since then are learnt from the venue."""
    plan = plan_at(tmp_path / "run.journal")
    world, run = World(), begin(plan)
    world.run(run, 20)
    with failure(run):  # type: ignore[attr-defined]
        world.run(run, 1)
        kill(run)
    world.pass_time(10)
    run = begin(plan)
    world.run(run, until=is_quoting)
    world.pass_time(1)
    run.close()
    run = begin(plan)
    world.run(run, until=lambda _: run.machine.machine.context.reconciliation.is_complete)
    assert_books_equal_account(run, world)
    run.close()
    assert verify_run(plan.path).is_clean


def test_a_directory_that_is_not_writable_is_refused_at_the_start(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    with pytest.raises(OwnershipError, match=r"lock .*\.lock: expected a file that can be written"):
        begin(plan_at(blocked / "run.journal"))


def test_a_record_with_intents_is_durable_before_they_leave_and_by_one_write(tmp_path: Path) -> None:
    """Another reader of the file finds the step before any of its intents is carried out, after exactly one commit."""
    plan = plan_at(tmp_path / "run.journal")
    world, run = World(), begin(plan)
    commits: list[str] = []
    run.journal._connection.set_trace_callback(
        lambda statement: commits.append(statement) if "COMMIT" in statement else None
    )
    reader = sqlite3.connect(f"file:{plan.path}?mode=ro", uri=True)
    step = run.machine.step

    def counted_step(fact: object) -> object:
        commits.clear()
        result = step(fact)  # type: ignore[arg-type]
        if result.intents:
            assert len(commits) == 1
            (last,) = reader.execute("SELECT max(sequence) FROM records").fetchone()
            assert last == result.sequence
        return result

    run.machine.step = counted_step  # type: ignore[method-assign, assignment]
    world.run(run, 15)
    assert len(world.placements) > 5
    reader.close()
    run.close()
