"""Files cut anywhere: a clear error or a clean recovery, never a wrong book."""

from __future__ import annotations

import os
import shutil
import sqlite3
from itertools import pairwise
from pathlib import Path

import pytest

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.errors import JournalError
from mm_fsm.machine.books_on_record import MarketBooksOnRecord
from mm_fsm.runtime.journal import JournalReader
from mm_fsm.runtime.journal.database import RecordRow
from mm_fsm.runtime.recovery import rebuilt_context
from tests.runtime.journal.scenario import World, assert_books_equal_account, begin, kill, plan_at

PAGE = 4096


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was killed, part of it in the file, its end still in the write-ahead log."""
    path = tmp_path_factory.mktemp("torn") / "run.journal"
    world, run = World(), begin(plan_at(path))
    world.run(run, 10)
    run.journal.file.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    world.run(run, 3)
    keep = path.with_name("keep")
    keep.mkdir()
    for file in (path, path.with_name(f"{path.name}-wal")):
        shutil.copy(file, keep / file.name)
    kill(run)
    return keep / path.name


Books = tuple[str, ...]


def books_of(context: MarketMakingContext) -> Books:
    """Money and open orders, as text."""
    return (*map(str, context.ledger.snapshot()), str(context.orders.snapshot()))


@pytest.fixture(scope="module")
def books(whole: Path) -> set[Books]:
    """The books after each record of the whole journal: what a shorter one may lead to."""
    copy = whole.with_name("all.journal")
    shutil.copy(whole, copy)
    shutil.copy(whole.with_name(f"{whole.name}-wal"), copy.with_name(f"{copy.name}-wal"))
    found = set()
    with JournalReader(copy) as reader:
        for segment in reader.segments:
            context = reader.snapshot(segment)["context"]
            found.add(books_of(context))
            for row in reader.rows(segment):
                if isinstance(row, RecordRow):
                    reader.book_again(MarketBooksOnRecord(context), row)
                    found.add(books_of(context))
    return found


def read_books(path: Path) -> Books | None:
    """The books that a recovery would begin with; None for a clear error."""
    try:
        with JournalReader(path) as reader:
            return books_of(rebuilt_context(reader))
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


def commit_ends(log: bytes) -> list[int]:
    """Where commits end in a write-ahead log, by https://www.sqlite.org/fileformat2.html#the_write_ahead_log.

    After a header of 32 bytes come frames, 24 bytes and a page each. In one that ends a commit, bytes 4 to 8 are not 0.
    """
    frames = range(32, len(log), 24 + PAGE)
    return [frame + 24 + PAGE for frame in frames if any(log[frame + 4 : frame + 8])]


def last_sequence(path: Path) -> int:
    """What SQLite makes of a file and its log."""
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        (found,) = connection.execute("SELECT max(sequence) FROM records").fetchone()
    finally:
        connection.close()
    return int(found)


def test_the_log_cut_at_every_byte_of_its_last_records(whole: Path, tmp_path: Path, books: set[Books]) -> None:
    """Every commit that is whole counts, and of the one that is torn nothing: not a byte of it changes anything."""
    log = whole.with_name(f"{whole.name}-wal").read_bytes()
    ends = commit_ends(log)
    assert ends[-1] == len(log)
    path = torn(whole, tmp_path)
    sequences = [last_sequence(path)]
    for step, (begin_at, end) in zip((1, 17, 17), reversed(list(pairwise(ends[-4:]))), strict=True):
        found = set()
        for cut in range(end - 1, begin_at - 1, -step):
            os.truncate(path.with_name(f"{path.name}-wal"), cut)
            found.add(last_sequence(path))
        assert len(found) == 1
        sequences += found
        outcomes = {read_books(torn(whole, tmp_path, log=cut)) for cut in range(begin_at, end, 499)}
        assert len(outcomes) == 1
        assert outcomes <= books
    assert sequences == sorted(set(sequences), reverse=True)


def test_the_log_cut_anywhere(whole: Path, tmp_path: Path, books: set[Books]) -> None:
    size = whole.with_name(f"{whole.name}-wal").stat().st_size
    outcomes = {read_books(torn(whole, tmp_path, log=cut)) for cut in range(0, size, size // 90)}
    assert None not in outcomes
    assert outcomes <= books
    assert len(outcomes) > 1


def test_the_file_cut_at_every_byte_of_its_last_record(whole: Path, tmp_path: Path, books: set[Books]) -> None:
    """Without its log, cut in the row of a late record: SQLite reads zeros there, and the record is found damaged.

    It is the last record whose row lies in one page.
    """
    path = torn(whole, tmp_path, log=-1)
    intact = read_books(path)
    assert intact in books
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    rows = connection.execute("SELECT fact, chain FROM records ORDER BY segment DESC, sequence DESC").fetchall()
    connection.close()
    data = whole.read_bytes()
    ends = [(data.find(chain) + len(chain), fact.encode()) for fact, chain in rows if chain in data]
    begin_at, end = next(
        (begin_at, end) for end, fact in ends if end - (begin_at := data.rfind(fact, 0, end)) < PAGE and begin_at > 0
    )
    for cut in range(end - 1, begin_at, -1):
        os.truncate(path, cut)
        assert read_books(path) is None, cut


def test_the_file_cut_anywhere(whole: Path, tmp_path: Path, books: set[Books]) -> None:
    """What is read is all of it, or there is a clear error: a page that is gone is never taken for an empty one."""
    size = whole.stat().st_size
    intact = read_books(torn(whole, tmp_path, log=-1))
    assert intact in books
    cuts = {*range(size - PAGE, size, 41), *range(0, size - PAGE, 401), size}
    outcomes = {cut: read_books(torn(whole, tmp_path, file=cut, log=-1)) for cut in cuts}
    assert set(outcomes.values()) == {intact, None}
    assert {outcome for cut, outcome in outcomes.items() if cut <= size - PAGE} == {None}


def test_the_file_cut_beside_a_whole_log(whole: Path, tmp_path: Path, books: set[Books]) -> None:
    size = whole.stat().st_size
    cuts = [*range(size - PAGE, size, 101), *range(0, size, size // 60)]
    outcomes = {read_books(torn(whole, tmp_path, file=cut)) for cut in cuts}
    assert {outcome for outcome in outcomes if outcome is not None} <= books


def test_a_byte_changed_anywhere_is_found_or_harmless(whole: Path, tmp_path: Path, books: set[Books]) -> None:
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
    connection = run.journal.file.connection
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    saved = path.read_bytes()
    world.run(run, 30)
    kill(run)
    for file in tmp_path.glob("run.journal-*"):
        file.unlink()
    path.write_bytes(saved)
    run = begin(plan_at(path, make_token=iter(["later0"]).__next__))
    world.run(run, until=lambda _: run.machine.machine.context.reconciliation.is_complete)
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
