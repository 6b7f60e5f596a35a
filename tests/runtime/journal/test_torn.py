"""Files cut anywhere: a clear error or a clean recovery, never a wrong book."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from mm_fsm.errors import JournalError
from mm_fsm.runtime.journal import JournalReader
from mm_fsm.runtime.recovery import rebuilt_context
from tests.runtime.journal.scenario import World, begin, kill, plan_at

PAGE = 4096


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was killed, part of it in the file, its end still in the write-ahead log."""
    path = tmp_path_factory.mktemp("torn") / "run.journal"
    world, run = World(), begin(plan_at(path))
    world.run(run, 10)
    run.journal._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    world.run(run, 6)
    keep = path.with_name("keep")
    keep.mkdir()
    for file in (path, path.with_name(f"{path.name}-wal")):
        shutil.copy(file, keep / file.name)
    kill(run)
    return keep / path.name


@pytest.fixture(scope="module")
def books(whole: Path) -> set[tuple[str, ...]]:
    """The books after each record of the whole journal: what a shorter one may lead to."""
    copy = whole.with_name("all.journal")
    shutil.copy(whole, copy)
    shutil.copy(whole.with_name(f"{whole.name}-wal"), copy.with_name(f"{copy.name}-wal"))
    from mm_fsm.runtime.journal.bookings import rebuild
    from mm_fsm.runtime.journal.database import RecordRow

    found = set()
    with JournalReader(copy) as reader:
        for segment in reader.segments:
            context = reader.snapshot(segment)["context"]
            found.add(tuple(map(str, context.ledger.snapshot())))
            for row in reader.rows(segment):
                if isinstance(row, RecordRow):
                    rebuild(context, reader, row)
                    found.add(tuple(map(str, context.ledger.snapshot())))
    return found


def read_books(path: Path) -> tuple[str, ...] | None:
    """The books that a recovery would begin with; None for a clear error."""
    try:
        with JournalReader(path) as reader:
            return tuple(map(str, rebuilt_context(reader).ledger.snapshot()))
    except JournalError:
        return None


def torn(whole: Path, tmp_path: Path, *, file: int | None = None, log: int | None = None) -> Path:
    """A copy whose file or log ends after so many bytes; a log of -1 is not there at all."""
    path = tmp_path / "run.journal"
    for old in tmp_path.glob("run.journal*"):
        old.unlink()
    path.write_bytes(whole.read_bytes()[:file])
    if log != -1:
        path.with_name(f"{path.name}-wal").write_bytes(whole.with_name(f"{whole.name}-wal").read_bytes()[:log])
    return path


def test_the_log_cut_at_every_byte_of_its_last_records(
    whole: Path, tmp_path: Path, books: set[tuple[str, ...]]
) -> None:
    """Every commit that is whole counts, what is torn after it does not: always the books after some record."""
    size = whole.with_name(f"{whole.name}-wal").stat().st_size
    cuts = {*range(size - 60, size), *range(size - 3 * PAGE, size, 211), *range(0, size, size // 60)}
    outcomes = {read_books(torn(whole, tmp_path, log=cut)) for cut in cuts}
    assert None not in outcomes
    assert outcomes <= books
    assert len(outcomes) > 1


def test_the_file_cut_at_every_byte_of_its_last_pages(whole: Path, tmp_path: Path, books: set[tuple[str, ...]]) -> None:
    """Without its log, cut: damage is said to be damage."""
    size = whole.stat().st_size
    cuts = [*range(size - 200, size), *range(size - 2 * PAGE, size, 61), *range(0, size, 1013)]
    outcomes = [read_books(torn(whole, tmp_path, file=cut, log=-1)) for cut in cuts]
    assert {outcome for outcome in outcomes if outcome is not None} <= books
    assert None in outcomes


def test_the_file_cut_beside_a_whole_log(whole: Path, tmp_path: Path, books: set[tuple[str, ...]]) -> None:
    size = whole.stat().st_size
    cuts = [*range(size - PAGE, size, 101), *range(0, size, size // 60)]
    outcomes = {read_books(torn(whole, tmp_path, file=cut)) for cut in cuts}
    assert {outcome for outcome in outcomes if outcome is not None} <= books


def test_a_byte_changed_anywhere_is_found_or_harmless(whole: Path, tmp_path: Path, books: set[tuple[str, ...]]) -> None:
    """One bit flipped at some ninety places: the books are those after some record, or there is a clear error."""
    data = bytearray(whole.read_bytes())
    for place in range(100, len(data), len(data) // 90):
        path = torn(whole, tmp_path, log=-1)
        changed = bytearray(data)
        changed[place] ^= 0x10
        path.write_bytes(changed)
        outcome = read_books(path)
        assert outcome is None or outcome in books, place


def test_a_torn_journal_is_continued_and_the_venue_says_the_rest(tmp_path: Path) -> None:
    """The last records are gone: what they said is asked for again."""
    path = tmp_path / "run.journal"
    plan = plan_at(path)
    world, run = World(), begin(plan)
    world.run(run, 30)
    connection = run.journal._connection
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    saved = path.read_bytes()
    world.run(run, 30)
    kill(run)
    for file in tmp_path.glob("run.journal-*"):
        file.unlink()
    path.write_bytes(saved)
    run = begin(plan_at(path, make_token=iter(["later0"]).__next__))
    world.run(run, until=lambda _: run.machine.machine.context.reconciliation.is_complete)
    from tests.runtime.journal.scenario import assert_books_equal_account

    assert_books_equal_account(run, world)
    run.close()


def test_a_write_that_began_before_the_first_record_leaves_nothing_behind(tmp_path: Path) -> None:
    """Killed while the journal was being made: the next start makes it anew."""
    path = tmp_path / "run.journal"
    unfinished = tmp_path / "run.journal.new"
    sqlite3.connect(unfinished).execute("CREATE TABLE facts_of_run (x)").connection.close()
    begin(plan_at(path)).close()
    assert path.exists()
    assert not unfinished.exists()
