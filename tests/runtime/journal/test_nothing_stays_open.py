"""Whatever fails while a journal or a lock is opened, nothing that was opened for it stays open."""

from __future__ import annotations

import gc
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mm_fsm.errors import JournalError, MarketMakerError, OwnershipError
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.runtime.journal import JournalReader, database, verify_run
from mm_fsm.runtime.recovery import open_run
from tests.runtime.journal.scenario import begin, plan_at, settings_with

DESCRIPTORS = Path("/dev/fd")
ENOUGH = 200
"""More calls than any opening makes."""


class Interrupted(BaseException):
    """As urgent as Ctrl-C."""


class Failing:
    """Counts calls, and lets one of them fail."""

    def __init__(self, failure: BaseException) -> None:
        self.failure = failure
        self.calls = 0
        self.fails_at = -1

    def tick(self) -> None:
        """One call; the chosen one fails."""
        self.calls += 1
        if self.calls == self.fails_at:
            raise self.failure

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, counted."""

        def counted(*arguments: Any, **named: Any) -> Any:
            self.tick()
            return function(*arguments, **named)

        return counted


def watch_connections(patch: pytest.MonkeyPatch, failing: Failing) -> set[sqlite3.Connection]:
    """Connections that are open from now on; every statement on one of them, and its opening, counts."""
    live: set[sqlite3.Connection] = set()

    class Watched(sqlite3.Connection):
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            live.add(self)

        def close(self) -> None:
            super().close()
            live.discard(self)

        execute = failing.around(sqlite3.Connection.execute)
        executemany = failing.around(sqlite3.Connection.executemany)
        executescript = failing.around(sqlite3.Connection.executescript)

    connect = failing.around(sqlite3.connect)
    patch.setattr(database.sqlite3, "connect", lambda *args, **named: connect(*args, **named, factory=Watched))
    return live


def open_descriptors() -> list[str]:
    """What the operating system has open for this process, by name."""
    if not DESCRIPTORS.is_dir():
        pytest.skip("this system does not list a process's descriptors")
    found = []
    for entry in os.listdir(DESCRIPTORS):  # noqa: PTH208 - the listing's own descriptor is gone afterwards
        try:
            found.append(os.readlink(DESCRIPTORS / entry))  # noqa: PTH115
        except OSError:
            continue
    return sorted(found)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A journal that is sound."""
    path = tmp_path / "run.journal"
    begin(plan_at(path)).close()
    return path


def begin_new(path: Path) -> None:
    begin(plan_at(path.with_name("new.journal"))).close()


def begin_again(path: Path) -> None:
    """A run that does not continue the journal that is there."""
    begin(plan_at(path, is_continued=False)).close()


def go_on(path: Path) -> None:
    begin(plan_at(path)).close()


def read(path: Path) -> None:
    JournalReader(path).close()


def read_everything(path: Path) -> None:
    verify_run(path)


OPENINGS: list[Callable[[Path], None]] = [begin_new, begin_again, go_on, read, read_everything]


@pytest.fixture(params=OPENINGS, ids=lambda opening: opening.__name__)
def opening(request: pytest.FixtureRequest) -> Callable[[Path], None]:
    found: Callable[[Path], None] = request.param
    return found


def failed_at_every_call(
    opening: Callable[[Path], None],
    path: Path,
    failure: BaseException,
    watch: Callable[[pytest.MonkeyPatch, Failing], object],
) -> Iterator[BaseException | None]:
    """Open with the first call failing, then with the second, and so on until none fails; what each raised."""
    for number in range(1, ENOUGH):
        failing = Failing(failure)
        failing.fails_at = number
        raised: BaseException | None = None
        with pytest.MonkeyPatch.context() as patch:
            live = watch(patch, failing)
            try:
                opening(path)
            except BaseException as error:  # noqa: BLE001 - it is what is asked for
                raised = error
            assert not live, f"call {number}"
        yield raised
        if failing.calls < number:
            return
    pytest.fail("no opening makes so many calls")


@pytest.mark.parametrize("failure", [sqlite3.OperationalError("disk I/O error"), Interrupted()], ids=["disk", "signal"])
def test_a_statement_that_fails_closes_what_was_opened_for_it(
    written: Path, opening: Callable[[Path], None], failure: BaseException
) -> None:
    before = open_descriptors()
    outcomes = list(failed_at_every_call(opening, written, failure, watch_connections))
    assert len(outcomes) > 5
    assert outcomes[-1] is None
    expected = JournalError if isinstance(failure, sqlite3.Error) else Interrupted
    raised = [outcome for outcome in outcomes if outcome is not None]
    assert raised
    assert {type(each) for each in raised} == {expected}
    del raised, outcomes
    gc.collect()
    assert open_descriptors() == before


def watch_system_calls(patch: pytest.MonkeyPatch, failing: Failing) -> set[object]:
    for name in ("open", "fsync", "truncate", "pwrite", "replace", "unlink", "mkdir"):
        patch.setattr(os, name, failing.around(getattr(os, name)))
    return set()


@pytest.mark.parametrize("opening", [begin_new, begin_again, go_on])
@pytest.mark.parametrize("failure", [OSError(5, "Input/output error"), Interrupted()], ids=["disk", "signal"])
def test_a_system_call_that_fails_closes_what_was_opened_before_it(
    written: Path, opening: Callable[[Path], None], failure: BaseException
) -> None:
    before = open_descriptors()
    outcomes = list(failed_at_every_call(opening, written, failure, watch_system_calls))
    assert sum(outcome is not None for outcome in outcomes) >= 3
    expected = (JournalError, OwnershipError) if isinstance(failure, OSError) else Interrupted
    for outcome in outcomes:
        assert outcome is None or isinstance(outcome, expected), outcome
    del outcome, outcomes
    gc.collect()
    assert open_descriptors() == before


def change(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def overwrite(path: Path) -> None:
    path.write_bytes(b"no journal at all" * 100)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 4096)


def damage_a_page(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096 * 2 : 4096 * 3] = b"\xff" * 4096
    path.write_bytes(data)


DAMAGES: dict[str, Callable[[Path], None]] = {
    "not there": Path.unlink,
    "another file": overwrite,
    "another program's database": lambda path: change(path, "PRAGMA application_id = 1"),
    "a newer version": lambda path: change(path, "PRAGMA user_version = 99"),
    "a file that was cut": cut,
    "a damaged page": damage_a_page,
    "no table": lambda path: change(path, "DROP TABLE segments"),
    "no segment": lambda path: change(path, "DELETE FROM segments"),
    "no symbol": lambda path: change(path, "DELETE FROM facts_of_run WHERE name = 'symbol'"),
    "no run": lambda path: change(path, "DELETE FROM facts_of_run WHERE name = 'run'"),
    "no account": lambda path: change(path, "DELETE FROM facts_of_run WHERE name = 'account'"),
    "another market": lambda path: change(path, "UPDATE facts_of_run SET value = 'X/Y' WHERE name = 'symbol'"),
    "another snapshot": lambda path: change(path, "UPDATE segments SET snapshot = x'00'"),
}


# Without a journal, going on is beginning; and one without records may be of any market.
HARMLESS = {("not there", go_on), ("another market", read_everything)}
REFUSED = [
    (name, opening) for name in DAMAGES for opening in (go_on, read_everything) if (name, opening) not in HARMLESS
]


@pytest.mark.parametrize(("damage", "opening"), REFUSED, ids=[f"{name}-{each.__name__}" for name, each in REFUSED])
def test_a_journal_that_is_refused_is_closed(
    written: Path, damage: str, opening: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = open_descriptors()
    DAMAGES[damage](written)
    live = watch_connections(monkeypatch, Failing(Interrupted()))
    with pytest.raises(JournalError, match=r"run\.journal: "):
        opening(written)
    assert not live
    gc.collect()
    assert open_descriptors() == before


class Unbuildable(MarketMakingStateMachine):
    """A machine that cannot be made."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        raise Interrupted


class Forgetful(MarketMakingStateMachine):
    """A machine that fails when it is asked what it remembers."""

    def remembered_values(self) -> dict[str, Any]:
        """Raises."""
        raise LookupError


@pytest.mark.parametrize(("machine", "raised"), [(Unbuildable, Interrupted), (Forgetful, LookupError)])
@pytest.mark.parametrize("name", ["run.journal", "new.journal"])
def test_a_machine_that_cannot_be_made_leaves_nothing_open(
    written: Path, name: str, machine: type[MarketMakingStateMachine], raised: type[BaseException]
) -> None:
    before = open_descriptors()
    with pytest.raises(raised):
        open_run(plan_at(written.with_name(name), machine_class=machine))
    gc.collect()
    assert open_descriptors() == before


def test_a_machine_that_fails_at_the_end_lets_go_of_journal_and_market(
    written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = open_descriptors()
    run = begin(plan_at(written))
    monkeypatch.setattr(run.machine.machine, "remembered_values", Forgetful.remembered_values.__get__(run))
    with pytest.raises(LookupError):
        run.close()
    assert open_descriptors() == before


def test_settings_that_contradict_the_journal_leave_it_closed(written: Path) -> None:
    before = open_descriptors()
    with pytest.raises(MarketMakerError):
        begin(plan_at(written, settings=settings_with(target_base=3)))
    gc.collect()
    assert open_descriptors() == before
