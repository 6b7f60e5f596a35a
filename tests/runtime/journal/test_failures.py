"""A journal that cannot be written: no placement leaves, cancels always do, and the machine ends with that reason."""

from __future__ import annotations

import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import ClassVar

import pytest

from mm_fsm.books.facts import StopRequested
from mm_fsm.core.decisions import FaultCode
from mm_fsm.core.messages import CancelOrder, PlaceOrder
from mm_fsm.errors import OwnershipError
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.runtime.journal import JournalReader, JournalSettings, verify_run, writer
from mm_fsm.runtime.journal.database import RecordRow
from mm_fsm.runtime.recovery import OpenRun
from tests.runtime.journal.scenario import World, assert_books_equal_account, begin, is_quoting, kill, plan_at


@contextmanager
def file_too_large(run: OpenRun) -> Iterator[None]:
    """The operating system refuses to let any file grow beyond what the log has now."""
    log = run.journal.path.with_name(f"{run.journal.path.name}-wal")
    before, bytecode = resource.getrlimit(resource.RLIMIT_FSIZE), sys.dont_write_bytecode
    sys.dont_write_bytecode = True  # it would be cut off, and left to every later process
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        sys.dont_write_bytecode = bytecode
        signal.signal(signal.SIGXFSZ, handler)


@contextmanager
def full_database(run: OpenRun) -> Iterator[None]:
    """SQLite itself finds no room for another page."""
    connection = run.journal.file.connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    yield


@contextmanager
def read_only(run: OpenRun) -> Iterator[None]:
    """The file may be read and no longer written."""
    run.journal.file.connection.execute("PRAGMA query_only = ON")
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


@contextmanager
def no_space_left(run: OpenRun) -> Iterator[None]:
    """Something else takes what was left of the journal's file system."""
    filler = run.journal.path.with_name("filler")
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(512)):
            pass
    yield
    filler.unlink()


Failure = Callable[[OpenRun], AbstractContextManager[None]]
FAILURES: list[Failure] = [file_too_large, full_database, read_only, locked, no_space_left]


@pytest.fixture(params=FAILURES, ids=lambda failure: failure.__name__)
def failure(request: pytest.FixtureRequest) -> Failure:
    found: Failure = request.param
    return found


@pytest.fixture
def place(tmp_path: Path, failure: Failure) -> Iterator[Path]:
    """Where the journal lies: a small file system of its own where that is to be full, which takes root to make."""
    if failure is not no_space_left:
        yield tmp_path
        return
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_placements_stay_cancels_leave_and_the_reason_is_kept(place: Path, failure: Failure) -> None:
    plan = plan_at(place / "run.journal")
    world, run = World(), begin(plan)
    world.run(run, 20)
    world.run(run, until=is_quoting)
    assert world.exchange.open_orders
    sent = len(world.sent)
    with failure(run):
        world.run(run)
    assert run.machine.is_final
    after = world.sent[sent:]
    recorded = after_the_failure(run, after)
    assert not any(isinstance(intent, PlaceOrder) for intent in recorded)
    assert any(isinstance(intent, CancelOrder) for intent in recorded)
    assert world.exchange.open_orders == ()
    result = run.machine.machine.result()
    assert not result.success
    assert result.error is not None
    assert FaultCode.JOURNAL in result.error
    assert run.journal.status.failure is not None
    assert_books_equal_account(run, world)
    kill(run)
    assert verify_run(plan.path).is_clean


def after_the_failure(run: OpenRun, intents: list[object]) -> list[object]:
    """Intents from the first one on that is not on record."""
    with JournalReader(run.journal.path) as reader:
        written = [
            intent
            for segment in reader.segments
            for row in reader.rows(segment)
            if hasattr(row, "intents")
            for intent in reader.intents(row)
        ]
    return [intent for intent in intents if intent not in written]


def test_the_next_process_recovers_what_was_never_written(place: Path, failure: Failure) -> None:
    """Killed soon after the journal failed: fills and cancels since then are learnt from the venue."""
    plan = plan_at(place / "run.journal")
    world, run = World(), begin(plan)
    world.run(run, 20)
    with failure(run):
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


def test_a_record_with_intents_is_durable_before_they_leave_and_by_one_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another reader of the file finds the step before any of its intents is carried out, after exactly one commit.

    Snapshots, old segments and the log are due all the time here; they wait for steps without intents.
    """
    monkeypatch.setattr(writer, "LOG_ROWS", 5)
    plan = plan_at(tmp_path / "run.journal", journal_settings=JournalSettings(segment_records=10))
    world, run = World(), begin(plan)
    statements: list[str] = []
    run.journal.file.connection.set_trace_callback(statements.append)
    reader = sqlite3.connect(f"file:{plan.path}?mode=ro", uri=True)
    step = run.machine.step
    elsewhere: set[str] = set()

    def watched_step(fact: object) -> object:
        statements.clear()
        result = step(fact)  # type: ignore[arg-type]
        kinds = [statement.split()[0] for statement in statements]
        if result.intents:
            together = ["BEGIN", *["INSERT"] * (len(kinds) - 2), "COMMIT"]
            assert kinds in (["INSERT"], together), "one statement by itself is a transaction"
            (last,) = reader.execute("SELECT max(sequence) FROM records").fetchone()
            assert last == result.sequence
        else:
            elsewhere.update(kinds)
        return result

    run.machine.step = watched_step  # type: ignore[method-assign, assignment]
    world.run(run, 15)
    assert len(world.placements) > 5
    assert {"PRAGMA", "SELECT"} <= elsewhere
    assert run.journal.status.segments > 5
    reader.close()
    run.close()


class Wordless(MarketMakingStateMachine):
    """A subclass whose reasons are no texts."""

    def adjust_spreads(self) -> None:
        """Says what cannot be written down."""
        super().adjust_spreads()
        self.desk.explain(self)  # type: ignore[arg-type]


class Hoarder(MarketMakingStateMachine):
    """A subclass that remembers what no snapshot holds."""

    remembered: ClassVar[tuple[str, ...]] = ("hoard",)
    hoard: object = None

    def adjust_spreads(self) -> None:
        """Keeps something that is no plain value."""
        super().adjust_spreads()
        self.hoard = object()


@pytest.mark.parametrize(("machine", "said"), [(Wordless, "not JSON serializable"), (Hoarder, "hoard: expected plain")])
def test_what_cannot_be_written_down_fails_the_journal_and_never_the_process(
    tmp_path: Path, machine: type[MarketMakingStateMachine], said: str
) -> None:
    settings = JournalSettings(segment_records=10)
    plan = plan_at(tmp_path / "run.journal", machine_class=machine, journal_settings=settings)
    world, run = World(), begin(plan)
    world.run(run)
    assert run.machine.is_final
    assert world.placements
    assert world.exchange.open_orders == ()
    failure = run.journal.status.failure
    assert failure is not None
    assert said in failure
    assert FaultCode.JOURNAL in run.machine.machine.context.latched
    kill(run)
    assert verify_run(plan.path, machine).is_clean


def test_a_text_that_utf_8_cannot_hold_is_on_record_like_any_other(tmp_path: Path) -> None:
    """JSON from outside may spell half a surrogate pair; a journal that refused it would end the process."""
    plan = plan_at(tmp_path / "run.journal")
    world, run = World(), begin(plan)
    world.run(run, until=is_quoting)
    reason = "\ud83d is half of a face, \u20ac whole"
    world.tell(run, StopRequested(received_at=0, flatten=False, reason=reason))
    world.run(run)
    assert run.machine.machine.result().success
    assert run.journal.status.failure is None
    run.close()
    assert verify_run(plan.path).is_clean
    with JournalReader(plan.path) as reader:
        rows = [row for segment in reader.segments for row in reader.rows(segment) if isinstance(row, RecordRow)]
        facts = [reader.fact(row) for row in rows]
    assert [fact.reason for fact in facts if isinstance(fact, StopRequested)] == [reason]
