"""A run dies with orders in the book; what its journal says is ours leaves, nothing else, however the venue behaves."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from time import time as wall_time

import pytest
from attrs import define, evolve, field

from mm_fsm.books.facts import CancelRefused, OpenOrdersReported, OrderCanceled
from mm_fsm.core.messages import (
    CancelOrder,
    Fact,
    Intent,
    PlaceOrder,
    QueryOpenOrders,
    ReportedOrder,
    Side,
)
from mm_fsm.errors import JournalError, VenueError
from mm_fsm.runtime.operations import ABOUT, HEARTBEAT, OperationsDirectory
from mm_fsm.runtime.watchdog import (
    MarketRescue,
    OrdersOfRun,
    SilenceWatch,
    journals_of,
    orders_in_journal,
    reach,
    rescue,
)
from mm_fsm.venues.port import VenueTerms
from tests.runtime.account.account_desk import SECOND, DeskVenue
from tests.runtime.journal.scenario import World, begin, is_quoting, kill, plan_at

SYMBOL = "ETH/USD"


def resting(name: str) -> ReportedOrder:
    return ReportedOrder(
        client_order_id=name,
        venue_order_id=f"v-{name}",
        side=Side.BID,
        price=Decimal(1),
        quantity=Decimal(1),
        filled_quantity=Decimal(0),
    )


@define(eq=False)
class BookVenue(DeskVenue):
    """A venue with a book; each question lets a second pass, and a call is at once."""

    book: dict[str, ReportedOrder] = field(factory=dict)
    arriving: list[tuple[int, ReportedOrder]] = field(factory=list)
    """Orders that were on their way, with the time at which they arrive."""
    refused: int = 0
    """Cancels that are refused before one succeeds."""
    deaf_looks: int = 0
    """Questions without an answer."""

    def submit(self, intents: object, now: int) -> None:
        super().submit(intents, now)  # type: ignore[arg-type]
        for intent in intents:  # type: ignore[attr-defined]
            self._answer(intent)

    def call_at(self, time: int, call: Callable[[], None]) -> Callable[[], None]:
        self.time = max(self.time, time)
        asyncio.get_running_loop().call_soon(call)
        return lambda: None

    def _answer(self, intent: Intent) -> None:
        for time, order in [*self.arriving]:
            if time <= self.time:
                self.arriving.remove((time, order))
                self.book[order.client_order_id] = order
        facts: list[Fact] = []
        if isinstance(intent, QueryOpenOrders):
            if self.deaf_looks:
                self.deaf_looks -= 1
                return
            shown = tuple(self.book.values())
            facts = [OpenOrdersReported(received_at=self.time, symbol=SYMBOL, orders=shown, exchange_time=self.time)]
        if isinstance(intent, CancelOrder):
            facts = [self._cancel(intent)]
        for fact in facts:
            self.takers[SYMBOL](fact)

    def _cancel(self, intent: CancelOrder) -> Fact:
        name = intent.client_order_id
        if self.refused or name not in self.book:
            self.refused = max(self.refused - 1, 0)
            return CancelRefused(received_at=self.time, symbol=SYMBOL, client_order_id=name)
        del self.book[name]
        return OrderCanceled(
            received_at=self.time, symbol=SYMBOL, client_order_id=name, exchange_time=0, filled_quantity=None
        )


@pytest.fixture
def orders(tmp_path: Path) -> OrdersOfRun:
    """Of a run that was killed while it quoted."""
    run, world = begin(plan_at(tmp_path / "run.journal")), World()
    world.run(run, 60, until=is_quoting)
    live = {order.client_order_id for order in run.machine.machine.context.orders.unsettled_orders()}
    assert live
    kill(run)
    found = orders_in_journal(tmp_path / "run.journal")
    assert set(found.open_ids) == live
    assert all(name.startswith(found.prefix) for name in live)
    assert live <= {each.client_order_id for each in world.placements if isinstance(each, PlaceOrder)}
    return found


def rescued(venue: BookVenue, orders: OrdersOfRun, *, most_seconds: float | None = 300) -> MarketRescue:
    (found,) = asyncio.run(rescue(venue, [orders], validity_seconds=30, most_seconds=most_seconds))
    return found


def book_of(orders: OrdersOfRun) -> dict[str, ReportedOrder]:
    return {name: resting(name) for name in orders.open_ids}


def test_every_order_of_the_journal_leaves_and_nothing_else(orders: OrdersOfRun) -> None:
    """Somebody else's order on the account stays, whatever it is called."""
    foreign = [resting("by-hand"), resting(""), resting(orders.prefix.rsplit("-", 2)[0] + "-another-run-1")]
    venue = BookVenue(book={**book_of(orders), **{each.client_order_id: each for each in foreign}})
    assert rescued(venue, orders).is_confirmed
    assert [*venue.book.values()] == foreign
    assert not [each for each, _ in venue.sent if isinstance(each, PlaceOrder)]


def test_cancels_leave_before_anything_is_asked(orders: OrdersOfRun) -> None:
    venue = BookVenue(book=book_of(orders))
    rescued(venue, orders)
    first = [each for each, _ in venue.sent][: len(orders.open_ids)]
    assert all(isinstance(each, CancelOrder) for each in first)


def test_an_order_that_the_journal_lost_is_found_by_the_runs_prefix(orders: OrdersOfRun) -> None:
    unknown = resting(f"{orders.prefix}last-7")
    venue = BookVenue(book={**book_of(orders), unknown.client_order_id: unknown})
    assert rescued(venue, orders).is_confirmed
    assert venue.book == {}


def test_an_order_that_arrives_late_is_cancelled_too(orders: OrdersOfRun) -> None:
    """Twenty seconds after the death, while the book has looked empty all the time."""
    late = resting(f"{orders.prefix}last-8")
    venue = BookVenue(book=book_of(orders))
    venue.arriving = [(venue.time + 20 * SECOND, late)]
    assert rescued(venue, orders).is_confirmed
    assert venue.book == {}


def test_refused_cancels_are_repeated_while_the_order_rests(orders: OrdersOfRun) -> None:
    venue = BookVenue(book=book_of(orders), refused=3 * len(orders.open_ids))
    assert rescued(venue, orders).is_confirmed
    assert venue.book == {}


def test_a_venue_that_does_not_answer_never_confirms_a_book(orders: OrdersOfRun) -> None:
    venue = BookVenue(book=book_of(orders), deaf_looks=10_000)
    assert not rescued(venue, orders, most_seconds=60).is_confirmed


def test_answers_come_back_after_a_silence(orders: OrdersOfRun) -> None:
    venue = BookVenue(book=book_of(orders), deaf_looks=40, refused=len(orders.open_ids))
    assert rescued(venue, orders).is_confirmed
    assert venue.book == {}


def test_an_answer_that_nobody_asked_for_confirms_nothing(orders: OrdersOfRun) -> None:
    """One question, one answer: a duplicate of it is no second look."""
    venue = BookVenue()
    found = MarketRescue(orders, venue, look_until=0)
    found.begin()
    found.look()
    empty = OpenOrdersReported(received_at=1, symbol=SYMBOL, orders=(), exchange_time=1)
    venue.takers[SYMBOL](evolve(empty, received_at=2))
    assert found.clean_looks == 1


def test_a_damaged_journal_is_told_and_the_others_are_read(tmp_path: Path, orders: OrdersOfRun) -> None:
    (tmp_path / "torn.journal").write_text("no database")
    found, problems = journals_of([str(tmp_path / "torn.journal"), str(tmp_path / "run.journal")])
    assert found == [orders]
    assert "torn.journal" in problems[0]
    with pytest.raises(JournalError):
        orders_in_journal(tmp_path / "missing.journal")


@pytest.fixture
def operations(tmp_path: Path) -> OperationsDirectory:
    begun = OperationsDirectory(tmp_path)
    begun.begin(None, [])
    return begun


def test_a_run_is_silent_once_its_loop_turns_no_more(operations: OperationsDirectory) -> None:
    watch = SilenceWatch(operations, 10)
    assert watch.look() is None
    (operations.directory / HEARTBEAT).write_text("0")
    silence = watch.look()
    assert silence is not None
    assert f"process {os.getpid()} has been silent for" in silence.reason
    operations.end()
    assert watch.look() is None


@pytest.mark.parametrize("lost", [(HEARTBEAT,), (HEARTBEAT, ABOUT)])
def test_a_live_run_whose_files_are_gone_is_watched_on_and_silent_after_a_while(
    operations: OperationsDirectory, lost: tuple[str, ...]
) -> None:
    """Neither an end, which would leave its orders to nobody, nor silence at once, which would take them."""
    now = [0.0]
    watch = SilenceWatch(operations, 10, lambda: now[0])
    for name in lost:
        (operations.directory / name).unlink()
    assert watch.look() is None
    assert not operations.has_ended()
    now[0] = 10.0
    assert watch.look() is None
    now[0] = 10.5
    silence = watch.look()
    assert silence is not None
    assert "silent for 10.5 s" in silence.reason


def test_a_heartbeat_that_comes_back_ends_the_wait(operations: OperationsDirectory) -> None:
    now = [0.0]
    watch = SilenceWatch(operations, 10, lambda: now[0])
    (operations.directory / HEARTBEAT).unlink()
    assert watch.look() is None
    now[0] = 9.0
    (operations.directory / HEARTBEAT).write_text(str(wall_time()))
    assert watch.look() is None
    (operations.directory / HEARTBEAT).unlink()
    now[0] = 12.0
    assert watch.look() is None


@pytest.mark.parametrize("lost", [(), (HEARTBEAT,)])
def test_a_process_that_is_gone_is_noticed_at_once(tmp_path: Path, lost: tuple[str, ...]) -> None:
    program = (
        "import sys; from pathlib import Path; from mm_fsm.runtime.operations import OperationsDirectory;"
        "OperationsDirectory(Path(sys.argv[1])).begin(None, [])"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True)
    for name in lost:
        (tmp_path / name).unlink()
    silence = SilenceWatch(OperationsDirectory(tmp_path), 1e6).look()
    assert silence is not None
    assert "is gone" in silence.reason


@define(eq=False)
class DownVenue(BookVenue):
    """It cannot be reached for a while."""

    failures: int = 0
    attempts: list[int] = field(factory=list)

    async def open(self) -> Mapping[str, VenueTerms]:
        self.attempts.append(self.time)
        if len(self.attempts) <= self.failures:
            raise VenueError("somewhere: expected an answer, found none.")
        return {}


def test_a_venue_that_is_down_is_tried_until_it_answers_and_each_failure_is_said() -> None:
    """Pauses of 1, 2, 4, 8, 16 seconds, then half a minute each."""
    venue, said = DownVenue(failures=8), list[tuple[str, float]]()
    began = venue.time
    assert asyncio.run(reach(venue, on_failure=lambda *each: said.append(each)))
    assert [round((each - began) / SECOND) for each in venue.attempts] == [0, 1, 3, 7, 15, 31, 61, 91, 121]
    assert [pause for _, pause in said] == [1, 2, 4, 8, 16, 30, 30, 30]
    assert all("expected an answer" in problem for problem, _ in said)


def test_a_venue_that_stays_down_is_given_up_only_where_that_is_asked_for() -> None:
    venue = DownVenue(failures=1_000)
    assert not asyncio.run(reach(venue, on_failure=lambda *_: None, most_seconds=60))
    assert len(venue.attempts) == 6


def test_a_venue_that_can_do_without_streams_is_opened_without_them() -> None:
    class Rescued(DownVenue):
        is_bare = False

        async def open_for_requests(self) -> None:
            self.is_bare = True

    venue = Rescued(failures=1_000)
    assert asyncio.run(reach(venue, on_failure=lambda *_: None))
    assert venue.is_bare
    assert venue.attempts == []
