"""Inspected steps are what the journal holds; watching them changes nothing, and guards' answers are the machine's."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from mm_fsm.chart import definition_of
from mm_fsm.errors import JournalError
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.strategy import StrategyMachine
from mm_fsm.report.inspection import steps as steps_module
from mm_fsm.report.inspection.steps import InspectedStep, SegmentSteps
from mm_fsm.report.inspection.watching import EdgeTaken, GuardAnswer, ServiceAnswer, StepTrace
from mm_fsm.runtime.journal import JournalReader, replay
from mm_fsm.runtime.journal.database import RecordRow
from mm_fsm.runtime.journal.writer import books_digest
from tests.report.inspection.recorded import plan_for, record, record_trouble, steps_of, track_of
from tests.runtime.journal.scenario import World, begin, kill


@pytest.fixture(scope="module", params=["quiet", "lively", "trouble"])
def journal(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Several segments: of two processes, both killed, or of a run that its kill switch ends at an unreliable venue."""
    path = tmp_path_factory.mktemp("run") / "run.journal"
    seeds = {"quiet": 3, "lively": 42}
    if request.param in seeds:
        return record(path, seed=seeds[request.param], processes=2)
    return record_trouble(path)


@pytest.fixture(scope="module")
def steps(journal: Path) -> list[InspectedStep]:
    return steps_of(journal)


def records_of(path: Path) -> Iterator[RecordRow]:
    with JournalReader(path) as reader:
        for segment in reader.segments:
            yield from (row for row in reader.rows(segment) if isinstance(row, RecordRow))


def test_every_step_is_there_once(steps: list[InspectedStep]) -> None:
    assert [step.sequence for step in steps] == list(range(1, len(steps) + 1))
    assert len({step.segment for step in steps}) >= 3


def test_steps_equal_the_records_of_the_journal(journal: Path, steps: list[InspectedStep]) -> None:
    """Read from the journal's own columns, not through a replay."""
    by_sequence, compared = {step.sequence: step for step in steps}, 0
    for row in records_of(journal):
        step = by_sequence.pop(row.sequence)
        assert step.time == row.time
        assert [[t.source, t.event, t.target] for t in step.transitions] == json.loads(row.transitions or "[]")
        assert list(step.reasons) == json.loads(row.reasons or "[]")
        assert [list(fault) for fault in step.faults] == json.loads(row.faults or "[]")
        assert row.state in (None, step.state)
        recorded = json.loads(row.intents or "[]")
        assert [intent.kind for intent in step.intents] == [intent[""] for intent in recorded]
        for intent, plain in zip(step.intents, recorded, strict=True):
            prices = {name: plain[name] for name in ("price", "quantity") if name in plain}
            assert {name: Decimal(intent.fields[name]) for name in prices} == {
                name: Decimal(value) for name, value in prices.items()
            }
            assert intent.fields.get("client_order_id") == plain.get("client_order_id")
        compared += len(recorded)
    assert compared > 50
    for quiet in by_sequence.values():
        assert (quiet.transitions, quiet.intents, quiet.reasons, quiet.faults) == ((), (), (), ())


def test_watching_changes_no_books(journal: Path) -> None:
    """A watched replay, asked for what it shows after each step, has the digests that were recorded."""
    compared = 0
    with JournalReader(journal) as reader:
        for segment in reader.segments:
            for step in replay(reader, segment, on_machine=StepTrace):
                assert step.machine.shown()
                if isinstance(step.row, RecordRow) and step.row.books:
                    assert books_digest(step.machine) == step.row.books
                    compared += 1
    assert compared > 10


def test_guards_answer_as_a_machine_that_nobody_watches(journal: Path, steps: list[InspectedStep]) -> None:
    """Where a step has come to rest, the guards asked last are asked again, of another machine that stands there."""
    watched, compared = iter(steps), 0
    with JournalReader(journal) as reader:
        for segment in reader.segments:
            for step in replay(reader, segment):
                trace = next(watched).trace
                assert trace is not None
                if step.result.intents or step.result.faults or step.machine.is_final:
                    continue  # what follows up after the guards may change their answers
                assert last_answers(trace) == answers_of(step.machine), step.sequence
                compared += len(last_answers(trace))
    assert compared > 1_000


def last_answers(trace: tuple[object, ...]) -> list[tuple[int, int, bool]]:
    taken = [place for place, entry in enumerate(trace) if isinstance(entry, EdgeTaken)]
    return [tuple(entry) for entry in trace[max(taken, default=-1) + 1 :] if isinstance(entry, GuardAnswer)]


def answers_of(machine: StrategyMachine) -> list[tuple[int, int, bool]]:
    """Every edge of the state in declared order, each up to the first guard that forbids it."""
    found = []
    for place, edge in enumerate(machine.definition.edges):
        if edge.source != machine.chart_state or edge.command:
            continue
        for at, guard in enumerate(edge.guards):
            answer = bool(getattr(machine, guard.name)())
            found.append((place, at, answer))
            if answer is not guard.expected:
                break
    return found


def test_the_edges_of_a_trace_are_the_transitions(steps: list[InspectedStep]) -> None:

    definition = definition_of(MarketMakingStateMachine)
    taken = 0
    for step in steps:
        found = [definition.edges[entry.edge] for entry in step.trace or () if isinstance(entry, EdgeTaken)]
        assert [(edge.source, edge.event) for edge in found] == [(t.source, t.event) for t in step.transitions]
        taken += len(found)
    assert taken > 100


def test_services_answers_stand_where_the_chart_declares_them(steps: list[InspectedStep]) -> None:
    """A step that passes CALCULATING_SPREADS has asked for quotes; the plan is named where it is used."""
    entered = [step for step in steps if any(t.target == "calculating_spreads" for t in step.transitions)]
    assert entered
    for step in entered:
        asked = [entry for entry in step.trace or () if isinstance(entry, ServiceAnswer)]
        methods = [entry.method for entry in asked]
        assert "spreads.price_quotes" in methods
        planned = next(entry for entry in asked if entry.method == "orders.plan_changes")
        assert planned.asked == "the answer of spreads.price_quotes"
        priced = next(entry for entry in asked if entry.method == "spreads.price_quotes")
        assert priced.answer.startswith("QuotePlan(priced_at ")


def test_trouble_is_told(tmp_path: Path) -> None:
    """Faults, unknown orders and the end of the run are in the steps of a run in trouble."""
    steps = steps_of(record_trouble(tmp_path / "run.journal"))
    assert {"kill_switch"} <= {code for step in steps for code, *_ in step.faults}
    assert "OutcomeUnknown" in {step.fact.kind for step in steps}
    assert any(value == "unknown" for step in steps for path, value in step.shown.items() if path[-1] == "status")
    assert {"error", "inventory_management"} <= {step.state for step in steps}


def test_where_this_version_decides_otherwise_the_record_is_shown_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was recorded stays what is shown; only guards and services are not known from there on."""
    path = record(tmp_path / "run.journal", segment_records=10_000)
    recorded = steps_of(path)
    monkeypatch.setattr(MarketMakingStateMachine, "quotes_stale", lambda _: False)
    track = track_of(path)
    steps = steps_of(path)
    assert [step.decision() for step in steps] == [step.decision() for step in recorded]
    strayed = next(step.sequence for step in steps if step.trace is None)
    assert f"from step {strayed} on as recorded" in track.segments[0].note
    assert all((step.trace is None) == (step.sequence >= strayed) for step in steps)
    assert 1 < strayed < len(steps)


class Renamed(MarketMakingStateMachine):
    """Another class with the same chart: what a user's next version may be."""


def test_a_segment_of_another_machine_is_shown_as_recorded(tmp_path: Path) -> None:
    """Its guards belong to another chart than the page's, which is that of the last segment."""
    path, world = tmp_path / "run.journal", World()
    for machine_class in (MarketMakingStateMachine, Renamed):
        run = begin(plan_for(path, machine_class=machine_class))
        world.run(run, 10)
        kill(run)
        world.pass_time(1)
    track, steps = track_of(path), steps_of(path)
    notes = [segment.note for segment in track.segments]
    assert notes[0].startswith("as recorded: written by mm_fsm.machine.market_making:MarketMakingStateMachine")
    assert notes[-1] == ""
    assert track.definition.name == "Renamed"
    assert {step.segment for step in steps if step.trace is None}.isdisjoint(
        step.segment for step in steps if step.trace is not None
    )
    assert steps[-1].trace is not None


def test_where_a_replay_breaks_off_the_record_is_shown_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = record(tmp_path / "run.journal", segment_records=10_000)
    recorded = steps_of(path)

    def refuse(*arguments: object, **keywords: object) -> Iterator[object]:
        for step in replay(*arguments, **keywords):  # type: ignore[arg-type]
            if step.sequence == 30:
                raise JournalError("run.journal", "step 30 is refused", "Use another version.")
            yield step

    monkeypatch.setattr(steps_module, "replay", refuse)
    steps = steps_of(path)
    assert [step.decision() for step in steps] == [step.decision() for step in recorded]
    assert next(step.sequence for step in steps if step.trace is None) == 30
    assert track_of(path).segments[0].note == "its replay ends before step 30: step 30 is refused"


def test_a_journal_that_was_altered_is_refused(tmp_path: Path) -> None:
    path = record(tmp_path / "run.journal")
    connection = sqlite3.connect(path)
    with connection:
        assert connection.execute("UPDATE records SET reasons = NULL WHERE reasons IS NOT NULL").rowcount > 0
    connection.close()
    with pytest.raises(JournalError, match="breaks the chain"):
        track_of(path)


def test_without_market_data_only_records_are_shown_and_it_is_said(tmp_path: Path) -> None:
    path = record(tmp_path / "run.journal", market_data=False)
    with JournalReader(path) as reader:
        segment = reader.segments[-1]
        found = SegmentSteps(reader, segment)
        steps = list(found)
        rows = [row for row in reader.rows(segment) if isinstance(row, RecordRow)]
    assert "without market data" in found.note
    assert [step.sequence for step in steps] == [row.sequence for row in rows]
    assert all(step.trace is None for step in steps)
    assert {path for step in steps for path in step.shown} <= {
        ("on record", name) for name in ("reference price", "position", "cash", "peak")
    }
