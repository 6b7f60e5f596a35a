"""Journal, replay and verification know no strategy: what they need of one, its class says."""

from __future__ import annotations

import sqlite3
import tempfile
from collections import defaultdict, deque
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest
from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from mm_fsm.books.facts import JournalFailed
from mm_fsm.chart import State
from mm_fsm.core.messages import PlaceOrder
from mm_fsm.errors import JournalError
from mm_fsm.machine.observers import MachineObserver
from mm_fsm.machine.results import StepResult
from mm_fsm.machine.strategy import StrategyMachine
from mm_fsm.runtime.journal import (
    JournaledMachine,
    JournalReader,
    JournalSettings,
    begin_journal,
    database,
    replay,
    verify_run,
)
from mm_fsm.runtime.journal.snapshots import SnapshotError, read_snapshot, write_snapshot
from tests.runtime.journal.drawn_strategies import OWN, PROGRAMS, RINGS, SYMBOL, VALUES, Act, Drawn, facts

FULL = JournalSettings(record_market_data=True, segment_records=10, synchronise=False)


class Forged(RINGS[2]):  # type: ignore[misc, valid-type]
    """A strategy that an import finds."""


def record(
    path: Path, machine: StrategyMachine, count: int, settings: JournalSettings = FULL, *, closes: bool = False
) -> None:
    """Step a machine through its facts on record, with a last snapshot if it ``closes``."""
    journal = begin_journal(path, machine, symbol=SYMBOL, settings=settings)
    journaled = JournaledMachine(machine, journal)
    for fact in facts(count):
        journaled.step(fact)
    journal.close(machine if closes else None)


@given(VALUES)
def test_whatever_a_snapshot_takes_it_gives_back(value: object) -> None:
    """With the class of everything in it, and with the digest that it had."""
    (found,) = read_snapshot(write_snapshot({"it": value}, OWN), OWN).values()
    assert found == value
    assert repr(found) == repr(value) or isinstance(value, set | dict | list | tuple | deque)
    first, second = (RINGS[1]((Act("remember", each),)) for each in (value, found))
    assert first.digest() == second.digest()


@settings(max_examples=40)
@given(PROGRAMS, st.sampled_from(sorted(RINGS)), st.booleans())
def test_any_strategy_s_journal_replays_bit_for_bit(program: tuple[Act, ...], count: int, closes: bool) -> None:
    """Every fact is stepped again, to the machine that the live one has become; without a last snapshot, too."""
    machine = RINGS[count](program)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "run.journal"
        record(path, machine, len(program) + 2, closes=closes)
        report = verify_run(path, RINGS[count])
        assert report.is_clean, str(report)
        assert report.is_same_definition
        assert report.facts == len(program) + 2
        with JournalReader(path) as reader:
            steps = [step for segment in reader.segments for step in replay(reader, segment, RINGS[count])]
        replayed = steps[-1].machine
        assert replayed is not machine
        assert replayed.digest() == machine.digest()
        assert replayed.memory == machine.memory
        assert replayed.shown() == machine.shown()
        assert replayed.durations_until_now() == machine.durations_until_now()


def mend(path: Path) -> None:
    """Make the chain fit what was forged: only a replay can find it then."""
    connection = sqlite3.connect(path)
    chain = b""
    with connection:
        for segment in database.segments_of(connection):
            whole = database.whole_segment(connection, segment.number)
            chain = database.chained(chain, whole)
            connection.execute("UPDATE segments SET chain = ? WHERE number = ?", (chain, segment.number))
            for row in list(database.rows_of(connection, segment.number)):
                chain = database.chained(chain, row)
                table, key = ("records", "sequence") if hasattr(row, "fact") else ("quiet_facts", "first_sequence")
                place = (chain, segment.number, getattr(row, key))
                connection.execute(f"UPDATE {table} SET chain = ? WHERE segment = ? AND {key} = ?", place)
    connection.close()


PROGRAM = tuple(Act(kind, kind) for kind in ("remember", "say", "send", "move", "fail", "move", "say") * 4)
FORGERIES = {
    "state": "UPDATE records SET state = 'done' WHERE sequence = 9",
    "transitions": "UPDATE records SET transitions = NULL WHERE sequence = 11",
    "reasons": "UPDATE records SET reasons = '[\"nothing\"]' WHERE reasons IS NOT NULL AND sequence > 3",
    "intents": "UPDATE records SET intents = replace(intents, 'bid', 'ask') WHERE intents IS NOT NULL",
    "faults": "UPDATE records SET faults = NULL WHERE faults IS NOT NULL AND sequence > 10",
    "acts": "UPDATE records SET acts = '7' WHERE sequence = 11",
    "last_value": "UPDATE records SET last_value = 'none' WHERE last_value IS NOT NULL",
    "digest of the books": "UPDATE records SET books = zeroblob(16) WHERE length(books) > 0",
}


@pytest.mark.parametrize(("name", "statement"), FORGERIES.items())
def test_what_was_forged_is_found(name: str, statement: str, tmp_path: Path) -> None:
    """By the chain; and where somebody mends that, by the replay, under the name of what differs."""
    path = tmp_path / "run.journal"
    record(path, Forged(PROGRAM), 29)
    assert verify_run(path).is_clean
    connection = sqlite3.connect(path)
    with connection:
        assert connection.execute(statement).rowcount
    connection.close()
    with pytest.raises(JournalError, match="breaks the chain"):
        verify_run(path)
    mend(path)
    report = verify_run(path)
    assert {difference.name for difference in report.differences} == {name}, str(report)


def test_the_class_that_wrote_it_is_found_by_its_name(tmp_path: Path) -> None:
    """Like a market maker's: the journal names module and class."""
    path = tmp_path / "run.journal"
    record(path, Named(()), 5)
    report = verify_run(path)
    assert report.is_clean
    assert report.machine == f"{__name__}:Named"


class Named(RINGS[2]):  # type: ignore[misc, valid-type]
    """A strategy that an import finds."""


def test_the_columns_are_the_strategy_s_own(tmp_path: Path) -> None:
    path = tmp_path / "run.journal"
    record(path, RINGS[1]((Act("remember", "first"), Act("move"), Act("remember", "second"))), 3)
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT acts, last_value FROM records ORDER BY sequence").fetchall()
    connection.close()
    assert found == [("1", "'first'"), ("2", None), ("3", "'second'")]


def test_a_step_that_brings_a_value_for_the_first_time_is_recorded(tmp_path: Path) -> None:
    """Also where it moved nothing, so that what comes later can be checked by it."""

    class Marked(Named):
        recorded: ClassVar[tuple[str, ...]] = ("mark",)

        def recorded_values(self) -> tuple[str | None, ...]:
            return ("here" if self.bookkeeper.kinds.total() >= 4 else None,)

    path = tmp_path / "run.journal"
    record(path, Marked(()), 8)
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT sequence, mark FROM records WHERE mark IS NOT NULL").fetchall()
    connection.close()
    assert found == [(4, "here")]


# -- what cannot be held is told at once ---------------------------------------------------------------------------


class Foreign:
    """Neither an attrs class nor an enumeration."""


@frozen
class Unnamed:
    """A value class that the strategy does not name."""


@pytest.mark.parametrize(
    ("value", "place", "found"),
    [
        (Foreign(), "memory", r"test_any_strategy\.Foreign"),
        ([{"leg": Unnamed()}], "memory", r"test_any_strategy\.Unnamed"),
        (defaultdict(list), "memory", r"collections\.defaultdict"),
        (lambda: None, "memory", r"builtins\.function"),
        (1j, "memory", r"builtins\.complex"),
        (Act("rest", Foreign()), r"memory\.value", r"test_any_strategy\.Foreign"),
    ],
)
def test_a_value_that_cannot_be_held_is_refused_with_its_name_before_the_first_step(
    value: object, place: str, found: str, tmp_path: Path
) -> None:
    machine = RINGS[1](())
    machine.memory.append(value)
    path = tmp_path / "run.journal"
    with pytest.raises(JournalError, match=rf"{place}: expected .*found [\w.]*{found}") as refused:
        begin_journal(path, machine, symbol=SYMBOL)
    assert "snapshot_classes of Ring1" in str(refused.value)
    assert not path.exists()


def remembers(*names: str) -> type[Drawn]:
    return type("Other", (RINGS[1],), {"remembered": names, "__module__": __name__})


def holds(*classes: Any) -> type[Drawn]:
    return type("Other", (RINGS[1],), {"snapshot_classes": classes, "__module__": __name__})


def records(*names: str) -> type[Drawn]:
    return type("Other", (RINGS[1],), {"recorded": names, "__module__": __name__})


class Signal: ...


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: remembers("nowhere"), "remembered: expected an attribute of Other .*found 'nowhere'"),
        (lambda: remembers("visits"), "remembered: .*found 'visits'"),
        (lambda: remembers("kinds"), r"bookkeeper does not use, found \['kinds'\]"),
        (lambda: holds(Foreign), "snapshot_classes: expected attrs classes and enumerations, found .*Foreign"),
        (lambda: holds(*OWN, frozen(Signal)), "a name of its own for each class, found Signal of"),
        (lambda: holds(*OWN, Act, frozen(type("Ledger", (), {}))), None),
        (lambda: records("acts", "Acts"), "found 'Acts'"),
        (lambda: records("fact"), "found 'fact'"),
        (lambda: records("a b"), "found 'a b'"),
        (lambda: records("one", "two", "three"), "shorter|longer"),
    ],
)
def test_a_class_that_says_something_impossible_is_refused_before_the_first_step(
    make: Callable[[], type[Drawn]], message: str | None, tmp_path: Path
) -> None:
    machine = make()(())
    machine.kinds = 1  # type: ignore[attr-defined]
    if message is None:
        begin_journal(tmp_path / "run.journal", machine, symbol=SYMBOL).close()
        return
    with pytest.raises(JournalError, match=message):
        begin_journal(tmp_path / "run.journal", machine, symbol=SYMBOL)


class Watcher(MachineObserver):
    """Notes what was staged, and what the machine was told of orders that never left."""

    def __init__(self) -> None:
        self.staged: list[str] = []
        self.withheld: list[str] = []

    def step_ended(self, result: StepResult) -> None:
        self.staged += [each.client_order_id for each in result.intents if isinstance(each, PlaceOrder)]
        self.withheld += result.fact.withheld if isinstance(result.fact, JournalFailed) else ()


def test_a_value_that_comes_later_and_cannot_be_held_keeps_every_order_back(tmp_path: Path) -> None:
    """The next segment cannot begin: what was staged since never left, and the machine is told of each."""
    machine, watcher = Named((*(Act("say") for _ in range(12)), *(Act("send") for _ in range(6)))), Watcher()
    machine.observe(watcher)
    journal = begin_journal(tmp_path / "run.journal", machine, symbol=SYMBOL, settings=FULL)
    journaled = JournaledMachine(machine, journal)
    results = []
    for number, fact in enumerate(facts(18)):
        if number == 5:
            machine.memory.append(Foreign())
        results.append(journaled.step(fact))
    journal.close()
    assert "Foreign" in str(journal.failure)
    assert not any(result.intents for result in results)
    assert watcher.staged
    assert watcher.withheld == watcher.staged


def test_a_journal_that_is_there_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "run.journal"
    record(path, Named(()), 3)
    before = path.read_bytes()
    with pytest.raises(JournalError, match="expected no journal yet, found one"):
        begin_journal(path, Named(()), symbol=SYMBOL)
    assert path.read_bytes() == before


# -- another strategy's journal ------------------------------------------------------------------------------------


def test_a_snapshot_with_classes_that_nobody_names_is_refused_by_their_name() -> None:
    with pytest.raises(SnapshotError, match="snapshot_classes, found Act"):
        read_snapshot(write_snapshot({"it": Act("rest")}, (Act,)))


def test_a_strategy_s_journal_is_not_replayed_by_a_market_maker(tmp_path: Path) -> None:
    """The report names what is missing; nothing is guessed, and nothing ends with a traceback."""
    from mm_fsm.machine.market_making import MarketMakingStateMachine

    path = tmp_path / "run.journal"
    record(path, Plain(), 3)
    report = verify_run(path, MarketMakingStateMachine)
    assert not report.is_clean
    assert "segment 1 cannot be replayed with this definition: expected 'context' in its snapshot" in str(report)


class Plain(StrategyMachine):
    """Remembers nothing but where it stands."""

    only = State("ONLY", initial=True)
    error = State("ERROR")
    error_execution = error.from_.any(command=True)


def test_services_and_settings_are_refused_by_a_class_that_takes_none(tmp_path: Path) -> None:
    path = tmp_path / "run.journal"
    record(path, Plain(), 3)
    report = verify_run(path, Plain, settings={"a": 1})
    assert "settings: expected none for Plain, found dict" in str(report)


def test_without_market_data_the_report_says_that_only_the_chain_was_checked(tmp_path: Path) -> None:
    """This strategy has no books that could be booked again."""
    path = tmp_path / "run.journal"
    record(path, Named(PROGRAM), 29, JournalSettings(synchronise=False))
    report = verify_run(path)
    assert report.is_clean
    assert report.replayed_segments == 0
    assert "checked instead: that nothing is missing or altered\n" in str(report)
    assert Decimal(report.booked_records) == 0
