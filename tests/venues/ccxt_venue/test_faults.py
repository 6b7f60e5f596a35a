"""Each fault of the menu alone: seen within its time, settled by looking, judged by the exchange's own log."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from mm_fsm.books.facts import AccountFeedLost, ConnectionRestored, OrderAcknowledged, OrderFilled
from mm_fsm.core.clock import nanoseconds
from mm_fsm.testing.rehearsal.fault_menu import Fault, FaultKind, Where
from tests.venues.ccxt_venue.judging import assert_books_equal, assert_nothing_forbidden
from tests.venues.ccxt_venue.live_stage import Stage, live, play
from tests.venues.ccxt_venue.mixes import QUICK, is_calm

REQUEST_FAULTS = [
    FaultKind.HANG_BEFORE,
    FaultKind.HANG_AFTER,
    FaultKind.DELAY_BEFORE,
    FaultKind.DELAY_AFTER,
    FaultKind.DROP_BEFORE,
    FaultKind.DROP_AFTER,
    FaultKind.TRUNCATE,
    FaultKind.SERVER_ERROR_BEFORE,
    FaultKind.SERVER_ERROR_AFTER,
    FaultKind.UNKNOWN_BEFORE,
    FaultKind.UNKNOWN_AFTER,
    FaultKind.RATE_LIMITED,
    FaultKind.BANNED,
    FaultKind.MAINTENANCE,
    FaultKind.CLOCK_SKEW,
]
ORDER_FAULTS = [
    FaultKind.POST_ONLY_REJECTED,
    FaultKind.FUNDS_REJECTED,
    FaultKind.VISIBLE_LATE,
    FaultKind.PARTIAL_FILL,
]


async def goes_through(stage: Stage, kinds: Sequence[FaultKind], where: Where) -> None:
    """One fault after the other, each once the one before is settled."""
    maker = stage.maker
    await stage.until(lambda: len(maker.of(OrderAcknowledged)) >= 4)
    for number, kind in enumerate(kinds, start=1):
        stage.exchange.inject(Fault(kind=kind, where=where, seconds=1.0, skew_seconds=8.0))
        await stage.until(lambda number=number: len(stage.exchange.log.faults()) >= number)  # type: ignore[misc]
        taken = len(maker.of(OrderAcknowledged))
        await stage.until(lambda taken=taken: len(maker.of(OrderAcknowledged)) > taken and is_calm(maker))  # type: ignore[misc]


async def ends_well(stage: Stage) -> None:
    await stage.stop()
    assert_nothing_forbidden(stage)
    assert_books_equal(stage)
    assert stage.maker.machine.context.refused_facts == 0


@pytest.mark.parametrize(
    ("where", "kinds"),
    [
        (Where.PLACE, REQUEST_FAULTS[:7]),
        (Where.PLACE, REQUEST_FAULTS[7:]),
        (Where.PLACE, ORDER_FAULTS),
        (Where.CANCEL, [*REQUEST_FAULTS[:8], FaultKind.FILL_RACES_CANCEL]),
        (Where.CANCEL, REQUEST_FAULTS[8:]),
    ],
    ids=["place", "place-refused", "place-orders", "cancel", "cancel-refused"],
)
def test_each_fault_of_a_request_is_settled_by_looking(where: Where, kinds: list[FaultKind]) -> None:
    async def part() -> None:
        async with live(seed=5, strategy=QUICK) as stage:
            await goes_through(stage, kinds, where)
            await ends_well(stage)

    play(part, 120)


def test_each_fault_of_a_question_leaves_it_open_until_it_is_answered() -> None:
    kinds = [
        FaultKind.HANG_BEFORE,
        FaultKind.DROP_BEFORE,
        FaultKind.TRUNCATE,
        FaultKind.SERVER_ERROR_BEFORE,
        FaultKind.BANNED,
        FaultKind.CLOCK_SKEW,
    ]

    async def part() -> None:
        async with live(seed=6, strategy={**QUICK, "reconcile_interval_seconds": 0.5}) as stage:
            await goes_through(stage, kinds, Where.QUERY)
            await ends_well(stage)

    play(part, 120)


@pytest.mark.parametrize("where", [Where.BOOK, Where.ORDERS])
@pytest.mark.parametrize(
    ("kind", "within_seconds"),
    [
        (FaultKind.STREAM_CLOSED, 1.0),
        (FaultKind.HALF_OPEN, 6.5),
        (FaultKind.POISONED, 5.0),
    ],
)
def test_a_dead_stream_is_seen_in_time_and_built_anew(kind: FaultKind, where: Where, within_seconds: float) -> None:
    play(lambda: _dies(kind, where, within_seconds))


@pytest.mark.parametrize("kind", [FaultKind.USER_STREAM_ENDED, FaultKind.USER_STREAM_SILENT])
def test_a_user_stream_that_says_nothing_is_seen_by_what_it_does_not_say(kind: FaultKind) -> None:
    play(lambda: _dies(kind, Where.ORDERS, 5.0))


async def _dies(kind: FaultKind, where: Where, within_seconds: float) -> None:
    async with live(seed=7, strategy=QUICK) as stage:
        maker, log = stage.maker, stage.exchange.log
        await stage.until(lambda: len(maker.of(OrderAcknowledged)) >= 4)
        stage.exchange.inject(Fault(kind=kind, where=where))
        await stage.until(lambda: bool(maker.of(AccountFeedLost)))
        lost = maker.of(AccountFeedLost)[0].received_at
        assert lost - log.faults()[0].time <= nanoseconds(within_seconds)
        await stage.until(lambda: bool(maker.of(ConnectionRestored)))
        back = maker.of(ConnectionRestored)[0].received_at
        accepted = [order for order in log.open_orders() if order.time > lost + nanoseconds(0.5)]
        assert [order for order in accepted if order.time < back] == []
        taken = len(maker.of(OrderAcknowledged))
        await stage.until(lambda: len(maker.of(OrderAcknowledged)) > taken)
        await ends_well(stage)


@pytest.mark.parametrize(
    ("kind", "where"),
    [
        (FaultKind.EVENT_LATE, Where.ORDERS),
        (FaultKind.EVENT_DUPLICATED, Where.ORDERS),
        (FaultKind.EVENT_REORDERED, Where.ORDERS),
        (FaultKind.EVENT_LOST, Where.ORDERS),
        (FaultKind.NULL_FEES, None),
        (FaultKind.BOOK_GAP, Where.BOOK),
        (FaultKind.EVENT_REORDERED, Where.BOOK),
    ],
)
def test_news_that_is_late_twice_lost_or_lacking_leaves_the_books_right(kind: FaultKind, where: Where | None) -> None:
    async def part() -> None:
        async with live(seed=8, strategy=QUICK) as stage:
            maker = stage.maker
            await stage.until(lambda: len(maker.of(OrderAcknowledged)) >= 4)
            stage.exchange.inject(Fault(kind=kind, where=where, times=3, seconds=1.0))
            await stage.until(lambda: len(stage.exchange.log.faults()) >= 1)
            fills = len(maker.of(OrderFilled))
            await stage.until(lambda: len(maker.of(OrderFilled)) >= fills + 2 and is_calm(maker))
            await ends_well(stage)

    play(part)
