"""Two tracks differ first where verification says so, and alike runs differ nowhere, whatever their order ids."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.report.inspection.comparison import first_differences
from mm_fsm.report.inspection.page import InspectedMarket
from mm_fsm.report.inspection.steps import InspectedStep, Message, Version
from mm_fsm.report.inspection.windows import StepKind
from mm_fsm.runtime.journal import JournalReader, verify_run
from tests.report.inspection.recorded import record, track_of
from tests.runtime.journal.scenario import settings_with


class Patient(MarketMakingStateMachine):
    """Never finds its quotes stale."""

    def quotes_stale(self) -> bool:
        """Never."""
        return False


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("run") / "run.journal", processes=2, seconds=20)


@pytest.mark.parametrize(
    "version",
    [Version(settings=settings_with(target_spread_bps=8.0)), Version(machine_class=Patient)],
    ids=["settings", "machine"],
)
def test_first_differences_are_those_of_verification(journal: Path, version: Version) -> None:
    """One for each segment; a replay with another version ends with it."""
    left, right = track_of(journal), track_of(journal, version)
    found = first_differences(left, right, is_one_journal=True)
    report = verify_run(journal, version.machine_class, settings=version.settings)
    decided = [difference for difference in report.differences if difference.name != "digest of the books"]
    assert [(each.segment, each.sequence) for each in found] == [(each.segment, each.sequence) for each in decided]
    assert found
    last = {window.place.segment: window.place for window in right.windows}
    for each in found:
        assert last[each.segment].last == each.sequence
        assert StepKind.DIFFERENCE in last[each.segment].kinds


def test_a_journal_does_not_differ_from_itself(journal: Path) -> None:
    track = track_of(journal)
    assert (
        first_differences(
            track, track_of(journal, Version(machine_class=MarketMakingStateMachine)), is_one_journal=True
        )
        == ()
    )
    assert first_differences(track, track, is_one_journal=False) == ()


def test_two_runs_of_one_market_differ_in_their_order_ids_only(journal: Path, tmp_path: Path) -> None:
    """Tokens begin anew in each run, here with others."""
    tokens = iter(f"u{number:05d}" for number in range(100_000))
    other = record(tmp_path / "run.journal", processes=2, seconds=20, make_token=lambda: next(tokens))
    with JournalReader(journal) as ours, JournalReader(other) as theirs:
        assert ours.about["run"] != theirs.about["run"]
    assert first_differences(track_of(journal), track_of(other), is_one_journal=False) == ()


def test_names_of_questions_and_tokens_in_order_ids_are_no_difference() -> None:
    """Some are made of the time at which a run began. A token in an amount is an amount."""

    def asking(name: str, since: str = "5", order: str = "") -> InspectedStep:
        question = Message(kind="QueryOrder", fields={"question_id": name, "since": since, "client_order_id": order})
        timer = Message(kind="Timer", fields={})
        return InspectedStep(
            segment=1, sequence=1, time=0, fact=timer, is_fill=False, state="idle", intents=(question,), shown={}
        )

    assert asking("q18cc251f442-1").decision() == asking("q18cc251f443-1").decision()
    assert asking("q1", since="5").decision() != asking("q1", since="6").decision()
    ours, theirs = asking("q1", order="mm-000001-a-7"), asking("q1", order="mm-u1-b-7")
    assert ours.decision(("000001", "a")) == theirs.decision(("u1", "b"))
    assert ours.decision(("000001", "a")) != asking("q1", order="mm-u1-b-8").decision(("u1", "b"))
    assert asking("q1", "0.000001").decision(("000001",)) == asking("q1", "0.000001").decision(("u1",))


@pytest.mark.parametrize("changes", [{"seed": 4}, {"settings": settings_with(target_spread_bps=8.0)}])
def test_two_runs_differ_first_where_their_records_do(tmp_path: Path, changes: dict[str, Any]) -> None:
    left = track_of(record(tmp_path / "a.journal", seconds=15))
    right = track_of(record(tmp_path / "b.journal", seconds=15, **changes))
    (found,) = first_differences(left, right, is_one_journal=False)
    for sequence in range(1, found.sequence):
        assert left.decisions[sequence] == right.decisions[sequence]
    assert left.decisions[found.sequence] != right.decisions[found.sequence]


def test_the_longer_of_two_runs_differs_where_the_shorter_ends(tmp_path: Path) -> None:
    left = track_of(record(tmp_path / "a.journal", seconds=10))
    right = track_of(record(tmp_path / "b.journal", seconds=20))
    (found,) = first_differences(left, right, is_one_journal=False)
    assert found.sequence == max(left.decisions) + 1
    assert first_differences(right, left, is_one_journal=False) == (found,)


def test_segments_without_market_data_are_not_called_alike(tmp_path: Path) -> None:
    """No other version can make their steps: they are named as not compared, never as equal."""
    path = record(tmp_path / "run.journal", market_data=False, seconds=15)
    left, right = track_of(path), track_of(path, Version(machine_class=Patient))
    market = InspectedMarket((left, right), first_differences(left, right, is_one_journal=True))
    assert market.differences == ()
    assert market.segments_not_compared == tuple(dict.fromkeys(window.place.segment for window in left.windows))
    assert market.segments_not_compared
    assert InspectedMarket((left,)).segments_not_compared == ()
