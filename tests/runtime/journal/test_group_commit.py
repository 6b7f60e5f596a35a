"""Records become durable in a thread: nothing urgent waits, no placement precedes its record, failures are told."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from attrs import define, field

from mm_fsm.core.messages import CancelOrder, Intent, PlaceOrder
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.journal import JournalSettings, verify_run
from mm_fsm.runtime.journal.group_commit import GroupCommit
from mm_fsm.runtime.journal.journal_file import JournalFile
from mm_fsm.runtime.recovery import OpenRun
from mm_fsm.runtime.releasing import PlacementsWait
from tests.patience import PATIENCE
from tests.runtime.journal.scenario import World, begin, is_quoting, plan_at


@define
class Disk:
    """Lets each write through only when a test says so."""

    run: OpenRun
    is_open: Event = field(factory=Event)
    fails: bool = False
    begun: int = 0

    def write(self, write: Any, file: JournalFile, rows: Any) -> None:
        self.begun += 1
        assert self.is_open.wait(PATIENCE)
        if self.fails:
            raise file.failed(sqlite3.OperationalError("disk I/O error"))
        write(file, rows)


@define
class Stage:
    """A quoting machine whose journal has been handed over, and a disk that waits."""

    run: OpenRun
    world: World
    disk: Disk
    sent: list[Intent] = field(factory=list)
    told: list[Any] = field(factory=list)

    def quotes(self, release: PlacementsWait) -> StepResult:
        """Step the machine until it wants to place; only then is the disk shut."""
        found: list[StepResult] = []

        def has_placements(result: StepResult) -> bool:
            if any(isinstance(each, PlaceOrder) for each in result.intents):
                found.append(result)
            return bool(found)

        self.world.run(self.run, 60, until=has_placements)
        release.leave(found[0])
        return found[0]


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    run = begin(plan_at(tmp_path / "run.journal"))
    made = Stage(run, World(), Disk(run))
    write = JournalFile.write
    monkeypatch.setattr(JournalFile, "write", lambda file, rows: made.disk.write(write, file, rows))
    yield made
    made.disk.is_open.set()
    run.close()


def play(stage: Stage, scenario: Any) -> None:
    async def inside() -> None:
        with closing(GroupCommit(asyncio.get_running_loop())) as commits:
            release = PlacementsWait(commits.join(stage.run.journal))
            release.connect(lambda intents, _: stage.sent.extend(intents), stage.told.append, lambda: stage.world.now)
            try:
                await asyncio.wait_for(scenario(release), PATIENCE)
            finally:
                stage.disk.is_open.set()

    asyncio.run(inside())


def test_steps_and_cancels_do_not_wait_for_a_disk_that_hangs(stage: Stage) -> None:
    """The machine goes on stepping; placements stay until their record is in the file."""

    async def scenario(release: PlacementsWait) -> None:
        result = stage.quotes(release)
        placed = [each for each in result.intents if isinstance(each, PlaceOrder)]
        await asyncio.sleep(0)
        assert stage.sent == [each for each in result.intents if not isinstance(each, PlaceOrder)]
        stage.disk.is_open.set()
        assert await release.settle() == ()
        assert [each for each in stage.sent if isinstance(each, PlaceOrder)] == placed
        reader = sqlite3.connect(f"file:{stage.run.journal.path}?mode=ro", uri=True)
        (last,) = reader.execute("SELECT max(sequence) FROM records").fetchone()
        reader.close()
        assert last >= result.sequence

    play(stage, scenario)


def test_what_comes_together_while_the_disk_is_busy_is_one_transaction(stage: Stage) -> None:
    """Twenty seconds of steps behind one hanging write need two more at most."""

    async def scenario(release: PlacementsWait) -> None:
        stage.world.run(stage.run, 20)
        assert stage.run.journal.rows_recorded > 20
        begun = stage.disk.begun
        record = release.durable(stage.quotes(release))
        stage.disk.is_open.set()
        assert record is not None
        await record
        assert begun <= 4  # one hangs in each thread at most
        assert stage.disk.begun <= begun + 2

    play(stage, scenario)


def test_placements_whose_record_cannot_be_written_never_leave(stage: Stage) -> None:
    """The machine is told which, cancels everything, and the order that never left is out of its books."""

    async def scenario(release: PlacementsWait) -> None:
        result = stage.quotes(release)
        stage.disk.fails = True
        stage.disk.is_open.set()
        await release.settle()
        placed = {each.client_order_id for each in result.intents if isinstance(each, PlaceOrder)}
        assert not [each for each in stage.sent if isinstance(each, PlaceOrder)]
        (failed,) = stage.told
        assert set(failed.withheld) == placed
        told = stage.run.machine.step(failed)
        assert not [each for each in told.intents if isinstance(each, PlaceOrder)]
        assert not placed & {order.client_order_id for order in stage.run.machine.machine.context.orders.live()}

    play(stage, scenario)


def test_what_is_held_back_when_time_is_up_is_named_and_never_leaves(stage: Stage) -> None:
    async def scenario(release: PlacementsWait) -> None:
        result = stage.quotes(release)
        unsent = await release.settle(0)
        assert [each for each in unsent if isinstance(each, PlaceOrder)] == [
            each for each in result.intents if isinstance(each, PlaceOrder)
        ]
        record = release.durable(result)
        assert record is not None
        stage.disk.is_open.set()
        await record
        assert not [each for each in stage.sent if isinstance(each, PlaceOrder)]

    play(stage, scenario)


def test_a_journal_that_was_written_by_threads_is_sound(tmp_path: Path) -> None:
    """Segments begun and forgotten on the way, closed in the middle of everything, replayed bit for bit."""
    settings = JournalSettings(record_market_data=True, segment_records=20, max_megabytes=1)
    run, world = begin(plan_at(tmp_path / "run.journal", journal_settings=settings)), World()

    async def live() -> None:
        with GroupCommit(asyncio.get_running_loop()) as commits:
            release = PlacementsWait(commits.join(run.journal))
            sent: list[Intent] = []
            release.connect(lambda intents, _: sent.extend(intents), lambda _: None, lambda: world.now)
            world.run(run, 30)
            assert world.placements
            assert any(isinstance(each, CancelOrder) for each in world.sent)
            run.close()

    asyncio.run(live())
    report = verify_run(run.journal.path)
    assert report.is_clean, str(report)
    again = begin(plan_at(run.journal.path))
    World().run(again, 1, until=is_quoting)
    again.close()
