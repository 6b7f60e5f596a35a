"""A bug in one market's machine ends that market only, and it is begun again from its journal, as its policy says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from loguru import logger

from mm_fsm.books.facts import MarketBook, OrderAcknowledged
from mm_fsm.cli.opening import Opening, opened_in_wall_time
from mm_fsm.core.messages import CancelOrder, Fact, PlaceOrder, QueryOpenOrders
from mm_fsm.errors import JournalError
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.results import StepResult
from mm_fsm.report.status import SessionStatus
from mm_fsm.runtime.journal import JournalReader
from mm_fsm.runtime.pushed_session import PushedSession
from mm_fsm.runtime.pushed_supervisor import PushedSupervisor
from mm_fsm.runtime.recovery import rebuilt_context
from mm_fsm.runtime.restarting import JournaledRuns, RestartPolicy
from mm_fsm.runtime.settings_file import parse_settings
from tests.runtime.settings_texts import market_entry
from tests.venues.played_kind import Played, installed

LIVE = """
[market.account]
longest_wait_seconds = 25
restarts = 2
restart_seconds = 5
[market.venue]
kind = "played"
live = true
account = "7"
seconds = 120
[market.journal]
synchronise = false
"""
LENGTH = 100 * 10**9
"""Of a test, in the venue's own time."""
FAILING, HEALTHY = "A/USD", "B/USD"


class BugError(Exception):
    """Nobody expected it."""


class Buggy(MarketMakingStateMachine):
    """Its market ``FAILING`` raises on facts that a test chooses."""

    breaks: ClassVar[Callable[[Buggy, Fact], bool]] = lambda *_: False
    made: ClassVar[list[Buggy]] = []

    def step(self, fact: Fact) -> StepResult:
        if self not in self.made:
            self.made.append(self)
        if self.context.settings.symbol == FAILING and type(self).breaks(self, fact):
            raise BugError("in the middle of a step")
        return super().step(fact)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory with the kind installed and the user's state in it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(Buggy, "made", [])
    # records are durable at once: the venue's own time passes as fast as the computer lets it, the disk's does not
    monkeypatch.setattr("mm_fsm.cli.opening.JournaledRuns", lambda plan, _: JournaledRuns(plan, None))
    with installed(tmp_path / "packages", monkeypatch):
        yield tmp_path


def breaking(monkeypatch: pytest.MonkeyPatch, breaks: Callable[[Buggy, Fact], bool]) -> None:
    monkeypatch.setattr(Buggy, "breaks", staticmethod(breaks))


def run(
    place: Path, watch: Callable[[PushedSupervisor], None] = lambda _: None, live: str = LIVE
) -> dict[str, PushedSession]:
    """Two markets of one account for two minutes of their time; ``watch`` looks after every step."""
    text = "".join(market_entry(symbol).partition("[market.simulator]")[0] + live for symbol in (FAILING, HEALTHY))
    opening = Opening(directory=place, has_journal=True, machine_class=Buggy)
    with opened_in_wall_time(parse_settings(text), opening) as supervisor:
        for _ in supervisor.run():
            watch(supervisor)
            healthy = supervisor.sessions[1]
            if healthy.venue.now() > (healthy.machine.began_at or healthy.venue.now()) + LENGTH:
                supervisor.request_stop("the test ends")
        return {session.symbol: session for session in supervisor.sessions}


def has_quoted(machine: Buggy) -> bool:
    return len(resting_of(machine)) >= 2


def resting_of(machine: Buggy) -> set[str]:
    return {order.client_order_id for order in machine.context.orders.live() if order.acknowledged}


def machines_of(symbol: str) -> list[Buggy]:
    return [each for each in Buggy.made if each.context.settings.symbol == symbol]


def test_it_goes_on_from_its_journal_and_compares_its_books_before_it_quotes(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It breaks once, while orders of it rest; five seconds later it is another machine with the same past."""
    failed_at: list[int] = []

    def breaks(machine: Buggy, fact: Fact) -> bool:
        if failed_at or not has_quoted(machine) or not isinstance(fact, MarketBook):
            return False
        failed_at.append(fact.received_at)
        return True

    breaking(monkeypatch, breaks)
    sessions = run(place)
    first, second = machines_of(FAILING)
    assert sessions[FAILING].machine is second
    assert sessions[FAILING].policy.done == 1
    assert second.began_at is not None
    assert second.began_at >= failed_at[0] + 5 * 10**9
    assert second.context.order_prefix == first.context.order_prefix
    assert second.context.fill_count >= first.context.fill_count
    (venue,) = Played.made
    of_market = [each for each in venue.sent if each.symbol == FAILING]
    resting = resting_of(first)
    assert resting
    cancelled = {each.client_order_id for each in of_market if isinstance(each, CancelOrder)}
    assert resting <= cancelled
    placed = [
        number
        for number, each in enumerate(of_market)
        if isinstance(each, PlaceOrder) and each.client_order_id in resting
    ]
    kinds = [type(each) for each in of_market[placed[-1] + 1 :]]
    assert kinds.index(QueryOpenOrders) < kinds.index(PlaceOrder)
    assert len(machines_of(HEALTHY)) == 1
    assert all(session.machine.is_final for session in sessions.values())
    assert venue.exchange_of(FAILING).open_orders == ()


def test_the_others_go_on_and_one_that_keeps_failing_stays_down(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It breaks in every life, as soon as an order of it rests: two restarts, after 5 and 10 seconds."""
    breaking(monkeypatch, lambda _, fact: isinstance(fact, OrderAcknowledged))
    healthy_fills: list[int] = []

    def watch(supervisor: PushedSupervisor) -> None:
        healthy_fills.append(supervisor.sessions[1].machine.context.fill_count)

    lines: list[str] = []
    sink = logger.add(lambda line: lines.append(line.record["message"]), level="INFO")
    try:
        sessions = run(place, watch)
    finally:
        logger.remove(sink)
    failing, healthy = sessions[FAILING], sessions[HEALTHY]
    assert len(machines_of(FAILING)) == 3
    assert isinstance(failing.runner.failure, BugError)
    assert failing.has_ended
    assert failing.why_down == ("BugError('in the middle of a step') ended it; it stays down, 2 restarts so far")
    assert [lines.count(name) for name in ("session.failed", "session.restarted", "session.stays_down")] == [3, 2, 1]
    assert healthy.machine.is_final
    assert healthy_fills[-1] > 0
    (venue,) = Played.made
    assert venue.exchange_of(FAILING).open_orders == ()
    assert venue.exchange_of(HEALTHY).open_orders == ()


def test_what_a_broken_machine_believes_is_not_written_down(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its books are damaged before it raises; the journal that is left is the one from before."""

    def breaks(machine: Buggy, fact: Fact) -> bool:
        if has_quoted(machine) and isinstance(fact, MarketBook):
            machine.context.fill_count = 777
            return True
        return False

    breaking(monkeypatch, breaks)
    sessions = run(place, live=LIVE.replace("restarts = 2", "restarts = 0"))
    journal = sessions[FAILING].journal
    assert journal is not None
    assert sessions[FAILING].machine.context.fill_count == 777
    with JournalReader(journal.path) as reader:
        assert rebuilt_context(reader).fill_count != 777
        assert [segment.origin for segment in reader.segments] == ["started"]


def test_a_stop_begins_nothing_again(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    breaking(monkeypatch, lambda _, fact: isinstance(fact, OrderAcknowledged))

    def watch(supervisor: PushedSupervisor) -> None:
        if supervisor.sessions[0].policy.due is not None:
            supervisor.request_stop("the operator")

    sessions = run(place, watch)
    assert len(machines_of(FAILING)) == 1
    assert sessions[FAILING].policy.done == 0
    assert sessions[HEALTHY].machine.is_final


def test_a_market_that_is_down_says_so_in_the_status(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    breaking(monkeypatch, lambda _, fact: isinstance(fact, OrderAcknowledged))
    told: set[str | None] = set()

    def watch(supervisor: PushedSupervisor) -> None:
        entry = SessionStatus(supervisor.sessions[0]).entry()
        told.add(json.loads(json.dumps(entry))["why_down"])

    run(place, watch)
    assert None in told
    assert "BugError('in the middle of a step') ended it; it is begun again from its journal, 0 restarts so far" in told


def test_a_journal_that_cannot_be_opened_again_counts_as_a_failure(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaking(monkeypatch, lambda _, fact: isinstance(fact, OrderAcknowledged))

    def refuse(*_: object) -> None:
        raise JournalError("run.journal", "expected a disk, found none.", "Make room.")

    def watch(_: PushedSupervisor) -> None:
        if machines_of(FAILING):
            monkeypatch.setattr("mm_fsm.runtime.restarting.open_run", refuse)

    sessions = run(place, watch)
    assert len(machines_of(FAILING)) == 1
    assert sessions[FAILING].policy.done == 2
    assert sessions[FAILING].has_ended


def test_each_pause_is_twice_as_long_and_the_last_failure_is_the_last() -> None:
    policy = RestartPolicy(most=3, first_pause=10)
    due = []
    for now in (100.0, 200.0, 300.0, 400.0):
        policy.note_failure(now)
        due.append(policy.due)
        if policy.due is not None:
            policy.note_restart()
    assert due == [110, 220, 340, None]
