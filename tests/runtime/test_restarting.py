"""A bug in one market's machine ends that market only, and it is restarted from its journal, as its policy says."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any, ClassVar

import pytest
from loguru import logger
from rich.console import Console

from mm_fsm.books.facts import CancelRefused, MarketBook, OrderAcknowledged
from mm_fsm.cli.log_lines import LogLines
from mm_fsm.cli.opening import Opening, opened_in_wall_time
from mm_fsm.core.messages import CancelOrder, Fact, Intent, PlaceOrder, QueryOpenOrders
from mm_fsm.errors import JournalError
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.results import StepResult
from mm_fsm.report.recorder import SessionRecorder
from mm_fsm.report.session_report import make_report
from mm_fsm.report.status import SessionStatus
from mm_fsm.report.table import result_tables
from mm_fsm.runtime.journal import JournalReader
from mm_fsm.runtime.operations import OperationsDirectory
from mm_fsm.runtime.pushed_session import PushedSession
from mm_fsm.runtime.pushed_supervisor import PushedSupervisor
from mm_fsm.runtime.recovery import rebuilt_context
from mm_fsm.runtime.restarting import JournaledRuns, RestartPolicy
from mm_fsm.runtime.settings_file import parse_settings
from mm_fsm.runtime.watching_settings import AlertKind
from mm_fsm.watching.conditions import MarketConditions
from mm_fsm.watching.guard_counts import GuardCounts
from mm_fsm.watching.news import News
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
    place: Path,
    watch: Callable[[PushedSupervisor], None] = lambda _: None,
    live: str = LIVE,
    operations: OperationsDirectory | None = None,
) -> dict[str, PushedSession]:
    """Two markets of one account for two minutes of their time; ``watch`` looks after every step."""
    text = "".join(market_entry(symbol).partition("[market.simulator]")[0] + live for symbol in (FAILING, HEALTHY))
    opening = Opening(directory=place, has_journal=True, machine_class=Buggy, operations=operations)
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


def test_the_result_names_its_restarts_and_watchers_go_on_over_them(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It breaks in its first life once orders of it rest; time in states and answers of guards add up over both."""
    failed: list[Buggy] = []

    def breaks(machine: Buggy, fact: Fact) -> bool:
        if failed or not has_quoted(machine) or not isinstance(fact, MarketBook):
            return False
        failed.append(machine)
        return True

    breaking(monkeypatch, breaks)
    guards, at_the_bug, watched = GuardCounts(), Counter[str](), list[MarketConditions]()
    told: list[News] = []

    def watch(supervisor: PushedSupervisor) -> None:
        session = supervisor.sessions[0]
        if not watched:
            session.watch(guards)
            watched.append(MarketConditions(session, 10))
        if failed and not at_the_bug:
            at_the_bug.update({"computing": session.stopwatch.computing.total(), "asked": guards.answers.total()})
        told.extend(watched[0].look())

    sessions = run(place, watch)
    session = sessions[FAILING]
    report = make_report(SessionRecorder(session), 1.0)
    assert report.restarts == ("BugError('in the middle of a step')",)
    assert make_report(SessionRecorder(sessions[HEALTHY]), 1.0).restarts == ()
    entry = report.entry()
    shown = Console(width=200, record=True, file=StringIO())
    shown.print(result_tables([entry], 200, in_full=True))
    assert "after 1 restart" in shown.export_text()
    assert session.stopwatch.computing.total() > at_the_bug["computing"] > 0
    assert guards.answers.total() > at_the_bug["asked"] > 0
    down = [news for news in told if news.key == "down"]
    assert [(news.kind, news.place, news.begins) for news in down] == [
        (AlertKind.FAULT, FAILING, True), (AlertKind.FAULT, FAILING, False)
    ]  # fmt: skip
    assert down[0].reason.startswith("BugError('in the middle of a step') ended it; it is restarted from its journal")


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


def test_a_stop_restarts_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
    assert "BugError('in the middle of a step') ended it; it is restarted from its journal, 0 restarts so far" in told


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


@pytest.mark.parametrize("kind", [OSError, BugError])
def test_whatever_goes_wrong_in_a_restart_the_others_go_on(
    place: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    """A disk that is full, or a class of the user's that raises in its constructor."""
    breaking(monkeypatch, lambda _, fact: isinstance(fact, OrderAcknowledged))
    made: list[str] = []
    construct = MarketMakingStateMachine.__init__

    def __init__(machine: Buggy, settings: Any, *rest: Any, **named: Any) -> None:  # noqa: N807 - it stands in for it
        made.append(settings.symbol)
        if made.count(FAILING) == 2:
            raise kind("no machine today")
        construct(machine, settings, *rest, **named)

    monkeypatch.setattr(Buggy, "__init__", __init__)
    sessions = run(place)
    assert made.count(FAILING) == 3
    assert sessions[FAILING].policy.done == 2
    assert sessions[HEALTHY].runner.failure is None
    assert sessions[HEALTHY].machine.is_final
    assert len(machines_of(HEALTHY)) == 1


def refusing_cancels(monkeypatch: pytest.MonkeyPatch, refused: list[str], most: int) -> None:
    """The venue refuses the first cancels of the failing market's orders."""
    submit = Played.submit

    def submitted(venue: Played, intents: Sequence[Intent], now: int) -> None:
        for intent in intents:
            if isinstance(intent, CancelOrder) and intent.symbol == FAILING and len(refused) < most:
                refused.append(intent.client_order_id)
                fact = CancelRefused(
                    received_at=venue.now(), symbol=FAILING, client_order_id=intent.client_order_id, reason="not today"
                )
                venue.call_at(venue.now(), partial(venue._takers[FAILING], fact))
            else:
                submit(venue, [intent], now)

    monkeypatch.setattr(Played, "submit", submitted)


@pytest.mark.parametrize("restarts", [0, 1])
def test_a_cancel_that_is_refused_is_repeated_while_nobody_makes_the_market(
    place: Path, monkeypatch: pytest.MonkeyPatch, restarts: int
) -> None:
    """Whether it stays down or waits, here for a minute, to be restarted; the other market goes on."""
    refused: list[str] = []
    failed_at: list[int] = []

    def breaks(machine: Buggy, fact: Fact) -> bool:
        if not failed_at and has_quoted(machine) and isinstance(fact, MarketBook):
            failed_at.append(fact.received_at)
            refusing_cancels(monkeypatch, refused, most=6)
            return True
        return False

    empty_after: list[float] = []

    def watch(supervisor: PushedSupervisor) -> None:
        (venue,) = Played.made
        if failed_at and not empty_after and venue.exchange_of(FAILING).open_orders == ():
            empty_after.append((venue.now() - failed_at[0]) / 10**9)
            assert supervisor.sessions[0].runner.failure is not None

    breaking(monkeypatch, breaks)
    live = LIVE.replace("restarts = 2", f"restarts = {restarts}").replace("restart_seconds = 5", "restart_seconds = 60")
    sessions = run(place, watch, live=live)
    assert len(refused) == 6
    assert 0 < empty_after[0] < 30
    assert sessions[HEALTHY].machine.is_final
    assert len(machines_of(FAILING)) == 1 + restarts


def test_a_bug_that_damages_the_books_leaves_no_order_either(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the books no longer say, the venue's list does: orders of this run begin with its prefix."""
    resting: set[str] = set()

    def breaks(machine: Buggy, fact: Fact) -> bool:
        if resting or not has_quoted(machine) or not isinstance(fact, MarketBook):
            return False
        resting.update(resting_of(machine))
        monkeypatch.setattr(machine.context.orders, "unsettled_orders", lambda: 1 / 0)
        return True

    empty: list[bool] = []

    def watch(supervisor: PushedSupervisor) -> None:
        if supervisor.sessions[0].has_ended and not empty:
            (venue,) = Played.made
            empty.append(venue.exchange_of(FAILING).open_orders == ())

    breaking(monkeypatch, breaks)
    run(place, watch, live=LIVE.replace("restarts = 2", "restarts = 0"))
    assert empty == [True]
    (venue,) = Played.made
    assert resting
    assert resting <= {each.client_order_id for each in venue.sent if isinstance(each, CancelOrder)}


def test_a_market_that_stays_down_has_ended_once_the_venue_has_confirmed_its_book(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A placement may arrive for as long as it is valid: 30 seconds after the bug."""
    failed_at: list[int] = []
    ended_after: list[float] = []

    def breaks(machine: Buggy, fact: Fact) -> bool:
        if has_quoted(machine) and isinstance(fact, MarketBook):
            failed_at.append(fact.received_at)
            return True
        return False

    def watch(supervisor: PushedSupervisor) -> None:
        failing = supervisor.sessions[0]
        if failing.has_ended and not ended_after:
            ended_after.append((failing.venue.now() - failed_at[0]) / 10**9)

    breaking(monkeypatch, breaks)
    run(place, watch, live=LIVE.replace("restarts = 2", "restarts = 0"))
    assert 30 <= ended_after[0] < 33


@pytest.mark.parametrize("asked", ["pause", "resume"])
def test_an_operator_is_heard_while_a_market_is_down(place: Path, monkeypatch: pytest.MonkeyPatch, asked: str) -> None:
    """One that is restarted into a pause places nothing; one that is resumed while it is down quotes again."""
    failed: list[Fact] = []
    placed_before: list[int] = []

    def breaks(machine: Buggy, fact: Fact) -> bool:
        is_ready = has_quoted(machine) if asked == "pause" else machine.context.operator_pause is not None
        if failed or not is_ready or not isinstance(fact, MarketBook):
            return False
        failed.append(fact)
        return True

    def placements() -> list[str]:
        (venue,) = Played.made
        return [each.client_order_id for each in venue.sent if isinstance(each, PlaceOrder) and each.symbol == FAILING]

    def watch(supervisor: PushedSupervisor) -> None:
        failing = supervisor.sessions[0]
        if failed and failing.runner.failure is not None:
            (supervisor.pause if asked == "pause" else lambda _: supervisor.resume())("the operator")
            placed_before[:] = [len(placements())]
        elif asked == "resume" and not failed and has_quoted(machines_of(FAILING)[0]):
            supervisor.pause("the operator")

    breaking(monkeypatch, breaks)
    sessions = run(place, watch, operations=OperationsDirectory(place))
    assert sessions[FAILING].policy.done == 1
    is_paused = sessions[FAILING].machine.context.operator_pause is not None
    assert is_paused == (asked == "pause")
    assert (len(placements()) > placed_before[0]) == (asked == "resume")


def test_the_log_follows_the_machine_that_goes_on(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is paused after the restart: the machine that failed quoted both sides, and knows of no pause."""
    failed: list[Fact] = []

    def breaks(machine: Buggy, fact: Fact) -> bool:
        if failed or not has_quoted(machine) or not isinstance(fact, MarketBook):
            return False
        failed.append(fact)
        return True

    lines: list[LogLines] = []

    def watch(supervisor: PushedSupervisor) -> None:
        machines = machines_of(FAILING)
        if not lines:
            lines.append(LogLines(supervisor.sessions))
            note = supervisor.note
            for session in supervisor.sessions:
                session.on_result = lambda session, result: (lines[0].take(session, result), note(session, result))
        if len(machines) == 2 and has_quoted(machines[1]):
            supervisor.pause("the operator")

    told: list[tuple[str, str, str]] = []

    def note_line(message: Any) -> None:
        extra = message.record["extra"]
        told.append((message.record["message"], extra.get("symbol", ""), extra.get("why", "")))

    sink = logger.add(note_line, level="INFO")
    breaking(monkeypatch, breaks)
    try:
        run(place, watch, operations=OperationsDirectory(place))
    finally:
        logger.remove(sink)
    paused = ("side.held", FAILING, "an operator paused quoting")
    assert paused in told[told.index(("session.restarted", FAILING, "")) :]


def test_each_pause_is_twice_as_long_and_the_last_failure_is_the_last() -> None:
    policy = RestartPolicy(most=3, first_pause=10)
    due = []
    for now in (100.0, 200.0, 300.0, 400.0):
        policy.note_failure(now)
        due.append(policy.due)
        if policy.due is not None:
            policy.note_restart()
    assert due == [110, 220, 340, None]
