"""Each fault of the menu alone, and one after the other at cancels and questions; the exchange's own log judges."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from mm_fsm.books.facts import AccountFeedLost, MarketBook, OrderAcknowledged, RequestsSuspended
from mm_fsm.testing.rehearsal.fault_menu import Fault, FaultKind, Where
from tests.venues.ccxt_venue.fault_cases import CASES, LOAD_SECONDS, Case, go_through
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


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_fault_shows_within_its_time_and_is_settled(case: Case) -> None:
    seen = play(lambda: go_through(case))
    if case.within is not None:
        assert seen.shown_after <= case.within + LOAD_SECONDS


def test_every_fault_of_the_menu_is_a_case() -> None:
    assert {case.kind for case in CASES} == {*FaultKind}


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
        (Where.CANCEL, [*REQUEST_FAULTS[:8], FaultKind.FILL_RACES_CANCEL]),
        (Where.CANCEL, REQUEST_FAULTS[8:]),
    ],
    ids=["cancel", "cancel-refused"],
)
def test_each_fault_of_a_request_is_settled_by_looking(where: Where, kinds: list[FaultKind]) -> None:
    async def part() -> None:
        async with live(seed=5, strategy=QUICK) as stage:
            await goes_through(stage, kinds, where)
            await ends_well(stage)

    play(part)


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

    play(part)


def test_a_snapshot_that_is_turned_away_is_asked_for_again_and_the_streams_stay() -> None:
    """Were they thrown away, every market's snapshot would be asked for once more, and turned away like this one."""

    async def part() -> None:
        async with live(seed=12, strategy=QUICK, symbols=("ETH/USDT", "SOL/USDT")) as stage:
            first, second = stage.makers.values()
            await stage.until(lambda: all(maker.of(OrderAcknowledged) for maker in (first, second)))
            stage.exchange.inject(
                Fault(kind=FaultKind.RATE_LIMITED, where=Where.MARKET, seconds=4.0),
                Fault(kind=FaultKind.BOOK_GAP, symbol=first.symbol),
            )
            await stage.until(lambda: bool(first.of(RequestsSuspended)) and bool(second.of(RequestsSuspended)))
            suspended = stage.exchange.log.faults()[-1].time
            await stage.until(lambda: any(book.received_at > suspended + 4 * 10**9 for book in first.of(MarketBook)))
            for maker in (first, second):
                assert maker.of(AccountFeedLost) == []
            assert stage.exchange.log.asked_while_refused() == ()
            await stage.stop()
            assert_nothing_forbidden(stage)
            assert_books_equal(stage)

    play(part)
