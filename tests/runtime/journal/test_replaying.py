"""A journal replays bit for bit; what was altered, is missing, or was decided differently is named."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path

import pytest
from attrs import evolve

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.digest import BooksDigest
from mm_fsm.core.decisions import QuotePlan
from mm_fsm.core.settings import ServiceNames
from mm_fsm.errors import JournalError
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.quoting import QuotingMachine
from mm_fsm.runtime.journal import SCHEMA_VERSION, Difference, JournalReader, JournalSettings, replay, verify_run
from mm_fsm.runtime.journal.database import RecordRow, SegmentRow
from mm_fsm.runtime.journal.snapshots import SnapshotError, read_snapshot, write_snapshot
from mm_fsm.services.registry import load_services
from mm_fsm.services.spreads import DefaultSpreadService
from tests.runtime.journal.scenario import World, begin, kill, plan_at, record_two_processes


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with two processes in it, market data recorded, killed at the end."""
    return record_two_processes(tmp_path_factory.mktemp("recorded") / "run.journal", pause_seconds=3)


@pytest.fixture
def journal(recorded: Path, tmp_path: Path) -> Path:
    """A copy to alter."""
    for file in recorded.parent.glob("run.journal*"):
        shutil.copy(file, tmp_path / file.name)
    return tmp_path / "run.journal"


def alter(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        assert connection.execute(statement).rowcount != 0
    connection.close()


def test_a_run_replays_bit_for_bit(recorded: Path) -> None:
    report = verify_run(recorded)
    assert report.is_clean, str(report)
    assert report.replayed_segments == report.segments >= 3
    assert report.records > 100
    assert report.facts > report.records
    assert str(report).endswith("clean")


def test_every_step_that_moved_something_has_one_record(recorded: Path) -> None:
    """Sequence numbers in records and quiet facts together count every step, none twice."""
    seen: list[int] = []
    with JournalReader(recorded) as reader:
        for segment in reader.segments:
            for row in reader.rows(segment):
                seen += range(row.first_sequence, row.last_sequence + 1) if hasattr(row, "facts") else [row.sequence]
    assert seen == list(range(1, len(seen) + 1))


class WiderSpreads(DefaultSpreadService):
    """A version that quotes a little wider."""

    def price_quotes(self, context: MarketMakingContext) -> QuotePlan:
        """Every quote one cent further away."""
        plan = super().price_quotes(context)
        tick = Decimal("0.01")
        bids = tuple(evolve(quote, price=quote.price - tick) for quote in plan.bids)
        return evolve(plan, bids=bids, asks=tuple(evolve(quote, price=quote.price + tick) for quote in plan.asks))


def test_a_journal_is_read_as_it_was_when_it_was_opened(tmp_path: Path) -> None:
    """Records and quiet facts are two tables: what a live run adds between two looks would seem to break the chain."""
    world, run = World(), begin(plan_at(tmp_path / "run.journal"))
    with run:
        world.run(run, 10)
        with JournalReader(run.journal.path) as reader:
            written = run.journal.records
            world.run(run, 20)
            assert run.journal.records > written
            (segment,) = reader.segments
            found = [row for row in reader.rows(segment) if isinstance(row, RecordRow)]
        assert len(found) <= written


def test_a_changed_service_is_shown_as_a_readable_difference(recorded: Path) -> None:
    """What would this version have done? The first placement is a cent further away."""
    services = evolve(load_services(ServiceNames()), spreads=WiderSpreads())
    report = verify_run(recorded, services=services)
    assert not report.is_clean
    first = report.differences[0]
    assert first.name == "intents"
    (recorded_bid, replayed_bid) = (
        next(line for line in text.splitlines() if "PlaceOrder" in line and "side=bid" in line)
        for text in (first.recorded, first.replayed)
    )
    prices = [
        Decimal(part.removeprefix("price="))
        for line in (recorded_bid, replayed_bid)
        for part in line.split()
        if part.startswith("price=")
    ]
    assert prices[0] - prices[1] == Decimal("0.01")
    lines = str(report).splitlines()
    assert f"    - {recorded_bid}" in lines
    assert f"    + {replayed_bid}" in lines
    assert lines[-1] == f"{len(report.differences)} differences"


def test_what_did_not_change_is_shown_once_between_the_two_sides() -> None:
    difference = Difference(
        segment=3,
        sequence=17,
        time=5_000_000_000,
        fact="Timer",
        name="transitions",
        recorded="a ready b\nb done c",
        replayed="a ready b\nb paused d",
    )
    assert str(difference).splitlines() == [
        "segment 3, step 17, 1970-01-01 00:00:05.000000 UTC, on Timer:",
        "  transitions, - recorded, + replayed",
        "      a ready b",
        "    - b done c",
        "    + b paused d",
    ]


def test_another_version_is_named_and_its_other_books_are_told_once_a_segment(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It keeps one thing more in its books and decides alike: every decision is compared all the same."""
    connection = sqlite3.connect(journal)
    connection.execute("UPDATE facts_of_run SET value = '0.0.7' WHERE name = 'version'")
    connection.commit()
    connection.close()
    clean = verify_run(journal)
    assert clean.is_clean
    assert "of mm-fsm 0.0.7" in str(clean)
    assert f"compared by mm-fsm {version('mm-fsm')}: differences say" in str(clean)
    of = BooksDigest.of
    monkeypatch.setattr(BooksDigest, "of", lambda digest, values: of(digest, (*values, "one thing more")))
    report = verify_run(journal)
    assert [each.name for each in report.differences] == ["digest of the books"] * report.segments
    assert report.records == clean.records


class NeverReady(MarketMakingStateMachine):
    """A changed definition: it never quotes."""

    def ready_to_quote(self) -> bool:
        """Not now, not ever."""
        return False


class Renamed(MarketMakingStateMachine):
    """A changed definition with the same behaviour under another name."""


def test_a_changed_definition_is_shown_at_the_step_where_it_strays(recorded: Path) -> None:
    report = verify_run(recorded, NeverReady)
    assert not report.is_same_definition
    assert report.differences[0].name == "transitions"
    assert "idle ready calculating_spreads" in report.differences[0].recorded
    assert report.differences[0].replayed == "nothing"


def test_a_segment_that_begins_in_a_state_the_definition_lacks_is_named(
    recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = JournalReader.snapshot

    def snapshot(reader: JournalReader, segment: SegmentRow, own: tuple[type, ...] = ()) -> dict[str, object]:
        return {**read(reader, segment, own), "chart_state": "paused"}

    monkeypatch.setattr(JournalReader, "snapshot", snapshot)
    report = verify_run(recorded)
    assert report.facts == 0
    assert "segment 1 cannot be replayed with this definition" in report.problems[0]
    assert "found 'paused'" in report.problems[0]


def test_another_class_that_decides_alike_has_no_difference(recorded: Path) -> None:
    report = verify_run(recorded, Renamed)
    assert report.is_clean
    assert not report.is_same_definition
    assert "not the one that wrote it" in str(report)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE records SET reasons = '[\"nothing\"]' WHERE sequence = 40",
        "UPDATE records SET fact = replace(fact, '1', '2') WHERE sequence = 40",
        "UPDATE records SET time = time + 1 WHERE sequence = (SELECT max(sequence) FROM records)",
        "DELETE FROM records WHERE sequence = 40",
        "DELETE FROM quiet_facts WHERE first_sequence = (SELECT min(first_sequence) FROM quiet_facts)",
        "UPDATE segments SET snapshot = (SELECT snapshot FROM segments WHERE number = 1) WHERE number = 2",
    ],
)
def test_what_was_altered_or_taken_out_is_found(journal: Path, statement: str) -> None:
    alter(journal, statement)
    with pytest.raises(JournalError, match="damaged"):
        verify_run(journal)


def test_a_journal_of_a_newer_version_is_refused_by_name(journal: Path) -> None:
    alter_version = f"PRAGMA user_version = {SCHEMA_VERSION + 1}"
    connection = sqlite3.connect(journal)
    connection.execute(alter_version)
    connection.close()
    with pytest.raises(JournalError, match=f"found version {SCHEMA_VERSION + 1}, which a newer mm-fsm wrote"):
        verify_run(journal)


def test_a_journal_of_an_older_version_is_refused_with_what_to_do_about_its_orders(journal: Path) -> None:
    """Read as if it were new, its books would be taken for empty ones."""
    with JournalReader(journal) as reader:
        about = reader.about
    connection = sqlite3.connect(journal)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION - 1}")
    connection.close()
    with pytest.raises(JournalError, match=f"found version {SCHEMA_VERSION - 1}, which mm-fsm") as refused:
        verify_run(journal)
    assert f"'{about['strategy_id']}-{about['run']}-'" in str(refused.value)
    assert about["symbol"] in str(refused.value)


def test_another_database_is_no_journal(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    with pytest.raises(JournalError, match="another kind of file"):
        verify_run(path)


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=r"none\.journal: expected a file, found none"):
        verify_run(tmp_path / "none.journal")


def test_without_market_data_the_report_says_what_was_checked_instead(tmp_path: Path) -> None:
    path = tmp_path / "run.journal"
    world, run = World(), begin(plan_at(path, journal_settings=JournalSettings(record_market_data=False)))
    world.run(run, 60)
    run.close()
    report = verify_run(path)
    assert report.is_clean
    assert report.replayed_segments == 0
    assert report.booked_records > 50
    assert "without market data" in str(report)


def test_a_forged_amount_is_found_without_market_data(tmp_path: Path) -> None:
    """Somebody who also mends the chain still cannot make position and cash follow from the fills."""
    path = tmp_path / "run.journal"
    world, run = World(), begin(plan_at(path, journal_settings=JournalSettings(record_market_data=False)))
    world.run(run, 60)
    run.journal._said["cash"] = "never so"
    ledger = run.machine.machine.context.ledger
    ledger.sums.cash += 1  # a booking that nothing explains
    ledger._faces.clear()
    world.run(run, 1)
    kill(run)
    report = verify_run(path)
    assert any("cash is" in problem for problem in report.problems)


@pytest.fixture(scope="module")
def values() -> Iterator[dict[str, object]]:
    """What a machine in the middle of its work remembers."""
    import tempfile

    with tempfile.TemporaryDirectory() as directory:
        world, run = World(), begin(plan_at(Path(directory) / "run.journal"))
        world.run(run, 30)
        yield run.machine.machine.remembered_values()
        run.close()


def test_a_snapshot_reads_back_to_the_same_books(values: dict[str, object]) -> None:
    before = values["context"]
    after = read_snapshot(write_snapshot(values))["context"]
    assert isinstance(before, MarketMakingContext)
    assert after.digest() == before.digest()
    assert after.ledger._trades == before.ledger._trades
    assert after.settings == before.settings


def test_what_a_snapshot_cannot_hold_is_named() -> None:
    with pytest.raises(SnapshotError, match=r"model: expected plain values, .*found builtins\.object"):
        write_snapshot({"model": object()})


def test_a_subclass_that_keeps_something_says_so_and_replays(tmp_path: Path) -> None:
    path = tmp_path / "run.journal"
    plan = plan_at(
        path,
        machine_class=Counting,
        journal_settings=JournalSettings(record_market_data=True, segment_records=50),
    )
    world, run = World(), begin(plan)
    world.run(run, 30)
    run.close()
    report = verify_run(path, Counting)
    assert report.segments > 2
    assert report.is_clean, str(report)


class Counting(MarketMakingStateMachine):
    """Says how often it priced: later steps depend on something that only this class keeps."""

    remembered = ("priced",)

    def __init__(self, *arguments: object, **keywords: object) -> None:
        super().__init__(*arguments, **keywords)  # type: ignore[arg-type]
        self.priced = 0

    def calculate_spreads(self) -> None:
        """Count, and say so on record."""
        self.priced += 1
        self.desk.explain(f"priced {self.priced} times")
        super().calculate_spreads()


def test_a_replay_steps_every_recorded_fact_on_one_machine(recorded: Path) -> None:
    """Each step has the number it has on record, and the machine stands where the step left it."""
    with JournalReader(recorded) as reader:
        for segment in reader.segments:
            machines: list[QuotingMachine] = []
            for sequence, step in enumerate(
                replay(reader, segment, on_machine=machines.append), segment.first_sequence
            ):
                assert step.machine is machines[0]
                assert step.machine.sequence == step.sequence == sequence
                assert step.machine.now == step.result.time
            assert len(machines) == 1


def test_a_replay_says_which_decision_it_cannot_make_again(journal: Path) -> None:
    """What follows a decision that differs would be answers to other orders, unless that is asked for."""
    services = evolve(load_services(ServiceNames()), spreads=WiderSpreads())
    with JournalReader(journal) as reader:
        segment = reader.segments[0]
        with pytest.raises(JournalError, match=r"segment 1, step \d+: .* intents differ from the record"):
            list(replay(reader, segment, services=services))
        first = next(replay(reader, segment, services=services, may_stray=True))
        assert first.sequence == 1


def test_a_segment_without_market_data_is_not_replayed(tmp_path: Path) -> None:
    """Facts are missing from it: nothing is guessed."""
    plan = plan_at(tmp_path / "run.journal", journal_settings=JournalSettings(record_market_data=False))
    with begin(plan) as run:
        World().run(run, 20)
    with JournalReader(plan.path) as reader, pytest.raises(JournalError, match="record_market_data"):
        next(replay(reader, reader.segments[0]))
