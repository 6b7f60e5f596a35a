"""Cancels and queries leave at once, placements when they are on record, and no cancel overtakes its placement."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from decimal import Decimal
from typing import Any

from attrs import define, field

from mm_fsm.books.facts import CancelRefused, JournalFailed, OrderRejected, Timer
from mm_fsm.core.messages import CancelOrder, Fact, Intent, OrderPurpose, PlaceOrder, QueryBalances, Side
from mm_fsm.errors import JournalError
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.releasing import LeavesAtOnce, PlacementsWait
from tests.patience import PATIENCE

SYMBOL = "ETH/USD"
QUERY = QueryBalances(symbol=SYMBOL)


def place(name: str) -> PlaceOrder:
    return PlaceOrder(
        symbol=SYMBOL,
        client_order_id=name,
        side=Side.BID,
        price=Decimal(1),
        quantity=Decimal(1),
        purpose=OrderPurpose.QUOTE,
        level=0,
    )


def cancel(name: str) -> CancelOrder:
    return CancelOrder(symbol=SYMBOL, client_order_id=name, venue_order_id=None)


def step(number: int, *intents: Intent) -> StepResult:
    return StepResult(sequence=number, time=number, fact=Timer(received_at=number), state="idle", intents=intents)


@define
class Journal:
    """Records that become durable, or fail, when a test says so."""

    records: list[asyncio.Future[None] | None] = field(factory=list)
    asked: list[int] = field(factory=list)
    left: list[tuple[Intent, int]] = field(factory=list)
    told: list[Fact] = field(factory=list)

    def durable(self, result: StepResult) -> Awaitable[None] | None:
        self.asked.append(result.sequence)
        return self.records.pop(0)

    def submit(self, intents: Any, now: int) -> None:
        self.left += [(intent, now) for intent in intents]

    @property
    def names(self) -> list[str]:
        return [f"{type(each).__name__} {getattr(each, 'client_order_id', '')}".strip() for each, _ in self.left]


def run(scenario: Callable[[Journal, PlacementsWait], Coroutine[Any, Any, None]]) -> Journal:
    """Play a scenario in a loop of its own; nothing may be left waiting."""
    journal = Journal()

    async def play() -> None:
        release = PlacementsWait(journal.durable)
        release.connect(journal.submit, journal.told.append, lambda: 77)
        await scenario(journal, release)
        await asyncio.wait_for(release.settle(), PATIENCE)

    asyncio.run(play())
    return journal


def record() -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()


def test_what_leaves_at_once_leaves_in_its_order() -> None:
    left: list[Intent] = []
    release = LeavesAtOnce()
    release.connect(lambda intents, _: left.extend(intents), lambda _: None, lambda: 0)
    release.leave(step(1, cancel("a"), place("b"), QUERY))
    assert left == [cancel("a"), place("b"), QUERY]


def test_cancels_and_queries_do_not_wait_for_the_record() -> None:
    async def scenario(journal: Journal, release: PlacementsWait) -> None:
        written = record()
        journal.records = [written]
        release.leave(step(1, cancel("old"), place("new"), QUERY))
        assert journal.names == ["CancelOrder old", "QueryBalances"]
        await asyncio.sleep(0)
        assert len(journal.left) == 2
        written.set_result(None)

    journal = run(scenario)
    assert journal.names == ["CancelOrder old", "QueryBalances", "PlaceOrder new"]
    assert journal.left[-1][1] == 1  # the time of its step


def test_a_record_that_is_durable_already_is_not_waited_for() -> None:
    async def scenario(journal: Journal, release: PlacementsWait) -> None:
        journal.records = [None]
        release.leave(step(1, place("a")))
        assert journal.names == ["PlaceOrder a"]

    run(scenario)


def test_a_step_without_placements_asks_for_no_record() -> None:
    async def scenario(_: Journal, release: PlacementsWait) -> None:
        release.leave(step(1, cancel("a"), QUERY))

    assert run(scenario).asked == []


def test_a_cancel_drops_its_placement_that_waits_and_the_machine_is_told() -> None:
    """Were it to leave first, the order would come after it and stay; were it to follow, that would rest a while."""

    async def scenario(journal: Journal, release: PlacementsWait) -> None:
        written = record()
        journal.records = [written]
        release.leave(step(1, place("a")))
        release.leave(step(2, cancel("a"), cancel("b")))
        assert journal.names == ["CancelOrder b"]
        written.set_result(None)

    journal = run(scenario)
    assert journal.names == ["CancelOrder b"]
    rejected, refused = journal.told
    assert isinstance(rejected, OrderRejected)
    assert isinstance(refused, CancelRefused)
    assert rejected.client_order_id == refused.client_order_id == "a"
    assert "waited for its record" in rejected.reason


def test_of_two_placements_that_wait_only_the_one_is_dropped_whose_cancel_came() -> None:
    async def scenario(journal: Journal, release: PlacementsWait) -> None:
        written = record()
        journal.records = [written]
        release.leave(step(1, place("a"), place("b")))
        release.leave(step(2, cancel("a")))
        release.leave(step(3, cancel("a")))  # the machine asks again: by now there is nothing to drop
        written.set_result(None)

    journal = run(scenario)
    assert journal.names == ["CancelOrder a", "PlaceOrder b"]
    assert len(journal.told) == 2


def test_placements_leave_in_the_order_of_their_steps() -> None:
    """The second record is durable first; the third was durable at once."""

    async def scenario(journal: Journal, release: PlacementsWait) -> None:
        first, second = record(), record()
        journal.records = [first, second, None]
        for number, name in enumerate("abc", start=1):
            release.leave(step(number, place(name)))
        second.set_result(None)
        await asyncio.sleep(0)
        assert journal.left == []
        first.set_result(None)

    assert run(scenario).names == ["PlaceOrder a", "PlaceOrder b", "PlaceOrder c"]


def test_a_placement_without_a_record_never_leaves_and_the_machine_is_told() -> None:
    """Nor does one whose cancel came before. What comes later waits for its own record."""

    async def scenario(journal: Journal, release: PlacementsWait) -> None:
        first, second = record(), record()
        journal.records = [first, second]
        release.leave(step(1, place("a"), place("b")))
        release.leave(step(2, cancel("a"), place("c")))
        first.set_exception(JournalError("run.journal", "expected to be written, found a full disk.", "Make room."))
        second.set_result(None)

    journal = run(scenario)
    assert journal.names == ["PlaceOrder c"]
    *_, told = journal.told
    assert isinstance(told, JournalFailed)
    assert told.withheld == ("b",)
    assert told.received_at == 77
    assert "full disk" in told.reason
