"""A venue's countdown is renewed while the process lives, and never counts down over anybody else's order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from attrs import define, field

from mm_fsm.errors import VenueError
from mm_fsm.runtime.account.dead_mans_switch import DeadMansSwitch
from mm_fsm.runtime.account.settings import AccountSettings
from mm_fsm.runtime.account.shared_account import SharedAccount
from tests.runtime.account.account_desk import SECOND, DeskVenue


@define(eq=False)
class Countdown(DeskVenue):
    """A venue with a switch: what it was told, and when."""

    told: list[tuple[float, int]] = field(factory=list)
    foreign: str | None = None
    """Where an order of somebody else rests, as a look at the whole account shows it."""
    looks: int = 0
    is_deaf: bool = False
    """Whether looking at the account fails."""
    is_down: bool = False
    answers: asyncio.Event = field(factory=asyncio.Event)
    """Requests are answered once it is set."""

    def __attrs_post_init__(self) -> None:
        self.answers.set()

    async def arm_switch(self, seconds: float) -> None:
        await self.answers.wait()
        if self.is_down:
            raise VenueError("no answer")
        self.told.append((seconds, self.time))

    async def foreign_order(self) -> str | None:
        self.looks += 1
        if self.is_deaf:
            raise VenueError("no answer")
        return self.foreign


def play(scenario: Callable[[Countdown, DeadMansSwitch], Coroutine[Any, Any, None]]) -> Countdown:
    venue = Countdown()

    async def inside() -> None:
        switch = DeadMansSwitch(venue, 30, ("A/USD", "B/USD"), venue.call_at, venue.now)
        await scenario(venue, switch)

    asyncio.run(inside())
    return venue


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_it_is_armed_once_every_market_is_known_to_be_ours_alone() -> None:
    async def scenario(venue: Countdown, switch: DeadMansSwitch) -> None:
        switch.note_open_orders("A/USD", has_foreign=False)
        await settled()
        assert venue.told == []
        switch.note_open_orders("B/USD", has_foreign=False)
        await settled()
        assert venue.told == [(30, venue.time)]
        assert switch.is_armed

    play(scenario)


def test_it_is_renewed_three_times_before_it_would_fire() -> None:
    """Every ten of thirty seconds."""

    async def scenario(venue: Countdown, switch: DeadMansSwitch) -> None:
        start = venue.time
        for symbol in ("A/USD", "B/USD"):
            switch.note_open_orders(symbol, has_foreign=False)
        for _ in range(60):
            venue.pass_time(0.5)
            await settled()
        assert [(time - start) // SECOND for _, time in venue.told] == [0, 10, 20, 30]

    play(scenario)


def test_somebody_elses_order_disarms_it_for_good() -> None:
    async def scenario(venue: Countdown, switch: DeadMansSwitch) -> None:
        for symbol in ("A/USD", "B/USD"):
            switch.note_open_orders(symbol, has_foreign=False)
        await settled()
        switch.note_open_orders("A/USD", has_foreign=True)
        await settled()
        switch.note_open_orders("A/USD", has_foreign=False)
        venue.pass_time(120)
        await settled()
        assert [seconds for seconds, _ in venue.told] == [30, 0]
        assert not switch.is_armed

    play(scenario)


@pytest.mark.parametrize("is_lost", [False, True])
def test_an_order_that_appears_while_the_switch_is_being_armed_disarms_it_too(is_lost: bool) -> None:
    """Also where the answer to the arming is an error: the venue may have taken it."""

    async def scenario(venue: Countdown, switch: DeadMansSwitch) -> None:
        venue.answers.clear()
        for symbol in ("A/USD", "B/USD"):
            switch.note_open_orders(symbol, has_foreign=False)
        await settled()
        switch.note_open_orders("A/USD", has_foreign=True)
        venue.is_down = is_lost
        venue.answers.set()
        await settled()
        venue.is_down = False
        venue.pass_time(2)
        await settled()
        assert venue.told[-1][0] == 0
        assert not switch.is_armed
        assert venue.calls == []

    play(scenario)


def test_one_that_appears_before_the_request_has_left_keeps_it_from_leaving() -> None:
    async def scenario(venue: Countdown, switch: DeadMansSwitch) -> None:
        for symbol in ("A/USD", "B/USD"):
            switch.note_open_orders(symbol, has_foreign=False)
        switch.note_open_orders("A/USD", has_foreign=True)
        await settled()
        assert venue.told == []

    play(scenario)


def test_a_foreign_order_from_the_beginning_never_lets_it_count_down() -> None:
    async def scenario(venue: Countdown, switch: DeadMansSwitch) -> None:
        switch.note_open_orders("A/USD", has_foreign=True)
        switch.note_open_orders("B/USD", has_foreign=False)
        await settled()
        assert all(seconds == 0 for seconds, _ in venue.told)

    play(scenario)


def test_a_renewal_that_fails_is_tried_again() -> None:
    async def scenario(venue: Countdown, switch: DeadMansSwitch) -> None:
        venue.is_down = True
        for symbol in ("A/USD", "B/USD"):
            switch.note_open_orders(symbol, has_foreign=False)
        await settled()
        assert not switch.is_armed
        venue.is_down = False
        venue.pass_time(10)
        await settled()
        assert switch.is_armed

    play(scenario)


def test_what_fails_is_repeated_soon_until_it_is_confirmed() -> None:
    """After 1, 2, 4 and 8 seconds, while a renewal is due every ten."""

    async def scenario(venue: Countdown, switch: DeadMansSwitch) -> None:
        venue.is_down = True
        start = venue.time
        for symbol in ("A/USD", "B/USD"):
            switch.note_open_orders(symbol, has_foreign=False)
        for _ in range(12):
            await settled()
            venue.pass_time(0.5)
        venue.is_down = False
        for _ in range(4):
            venue.pass_time(0.5)
            await settled()
        assert [(seconds, (time - start) // SECOND) for seconds, time in venue.told] == [(30, 7)]

    play(scenario)


def test_a_foreign_order_is_protected_although_disarming_fails_at_first() -> None:
    """The countdown that may be on its way at the venue is stopped before it ends."""

    async def scenario(venue: Countdown, switch: DeadMansSwitch) -> None:
        for symbol in ("A/USD", "B/USD"):
            switch.note_open_orders(symbol, has_foreign=False)
        await settled()
        venue.is_down = True
        switch.note_open_orders("A/USD", has_foreign=True)
        await settled()
        assert switch.is_armed
        venue.is_down = False
        venue.pass_time(1)
        await settled()
        assert [seconds for seconds, _ in venue.told] == [30, 0]
        assert not switch.is_armed
        venue.pass_time(120)
        await settled()
        assert len(venue.told) == 2

    play(scenario)


def test_an_ordinary_end_tries_to_disarm_more_than_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mm_fsm.runtime.account.dead_mans_switch.RETRY_SECONDS", 0.0)

    class FailsOnce(Countdown):
        async def arm_switch(self, seconds: float) -> None:
            if seconds == 0 and not self.is_down:
                self.is_down = True
                raise VenueError("no answer")
            self.told.append((seconds, self.time))

    async def inside() -> list[float]:
        venue = FailsOnce()
        switch = DeadMansSwitch(venue, 30, ("A/USD",), venue.call_at, venue.now)
        switch.note_open_orders("A/USD", has_foreign=False)
        await settled()
        await switch.disarm()
        return [seconds for seconds, _ in venue.told]

    assert asyncio.run(inside()) == [30, 0]


def test_an_ordinary_end_disarms_and_one_with_unsent_requests_does_not() -> None:
    async def ordinary(venue: Countdown, switch: DeadMansSwitch) -> None:
        for symbol in ("A/USD", "B/USD"):
            switch.note_open_orders(symbol, has_foreign=False)
        await settled()
        await switch.disarm()
        assert venue.calls == []

    async def cut_short(venue: Countdown, switch: DeadMansSwitch) -> None:
        for symbol in ("A/USD", "B/USD"):
            switch.note_open_orders(symbol, has_foreign=False)
        await settled()
        switch.stop()
        assert venue.calls == []

    assert [seconds for seconds, _ in play(ordinary).told] == [30, 0]
    assert [seconds for seconds, _ in play(cut_short).told] == [30]


def test_it_is_not_renewed_while_a_market_that_nobody_makes_may_have_orders() -> None:
    """The venue's own rescue is the last one; once the book is confirmed the countdown begins anew at once."""

    async def scenario(venue: Countdown, switch: DeadMansSwitch) -> None:
        start = venue.time
        for symbol in ("A/USD", "B/USD"):
            switch.note_open_orders(symbol, has_foreign=False)
        await settled()
        venue.pass_time(5)
        switch.note_book("A/USD", is_confirmed=False)
        for _ in range(37):
            venue.pass_time(1)
            switch.note_book("A/USD", is_confirmed=False)
            await settled()
        assert [(time - start) // SECOND for _, time in venue.told] == [0]
        switch.note_book("A/USD", is_confirmed=True)
        await settled()
        venue.pass_time(10)
        await settled()
        assert [(time - start) // SECOND for _, time in venue.told] == [0, 42, 52]

    play(scenario)


@pytest.mark.parametrize("is_under_way", [False, True])
def test_a_renewal_that_failed_is_not_repeated_while_it_is_held(is_under_way: bool) -> None:
    """Whether it has failed by then, or is still on its way."""

    async def scenario(venue: Countdown, switch: DeadMansSwitch) -> None:
        for symbol in ("A/USD", "B/USD"):
            switch.note_open_orders(symbol, has_foreign=False)
        await settled()
        venue.is_down = True
        if is_under_way:
            venue.answers.clear()
        venue.pass_time(10)
        await settled()
        switch.note_book("B/USD", is_confirmed=False)
        venue.answers.set()
        await settled()
        venue.is_down = False
        venue.pass_time(60)
        await settled()
        assert [seconds for seconds, _ in venue.told] == [30]

    play(scenario)


@pytest.mark.parametrize("is_confirmed", [False, True])
def test_an_end_disarms_it_only_where_the_book_of_a_market_that_is_down_is_confirmed(is_confirmed: bool) -> None:
    async def inside() -> list[float]:
        venue = Countdown()
        account = SharedAccount(venue, AccountSettings(is_exclusive=True))
        account.switch = DeadMansSwitch(venue, 30, ("A/USD",), venue.call_at, venue.now)
        account.switch.note_open_orders("A/USD", has_foreign=False)
        await settled()
        account.note_book("A/USD", is_confirmed=False)
        account.note_book("A/USD", is_confirmed=is_confirmed)
        await settled()
        await account.drain(1)
        return [seconds for seconds, _ in venue.told]

    assert (asyncio.run(inside())[-1] == 0) == is_confirmed


# -- the account as a whole: markets that nobody makes here are listed nowhere else ------------------------------------


def seen_alone(switch: DeadMansSwitch) -> None:
    for symbol in ("A/USD", "B/USD"):
        switch.note_open_orders(symbol, has_foreign=False)


def test_an_order_in_a_market_that_is_not_made_here_never_lets_it_count_down() -> None:
    async def scenario(venue: Countdown, switch: DeadMansSwitch) -> None:
        venue.foreign = "C/USD"
        seen_alone(switch)
        await settled()
        venue.foreign = None
        venue.pass_time(120)
        await settled()
        assert venue.told == []
        assert switch.forbidden_because == "an order of somebody else rests in C/USD"

    play(scenario)


def test_one_that_appears_there_later_disarms_it_within_the_time_between_looks() -> None:
    """Renewed every ten seconds, looked every thirty: at 0 and at 30."""

    async def scenario(venue: Countdown, switch: DeadMansSwitch) -> None:
        start = venue.time
        seen_alone(switch)
        await settled()
        venue.foreign = "C/USD"
        for _ in range(120):
            venue.pass_time(0.5)
            await settled()
        assert [(seconds, (time - start) // SECOND) for seconds, time in venue.told] == [
            (30, 0), (30, 10), (30, 20), (0, 30),
        ]  # fmt: skip
        assert not switch.is_armed
        assert venue.looks == 2

    play(scenario)


def test_it_is_not_armed_before_the_account_could_be_looked_at() -> None:
    async def scenario(venue: Countdown, switch: DeadMansSwitch) -> None:
        venue.is_deaf = True
        seen_alone(switch)
        await settled()
        assert venue.told == []
        venue.is_deaf = False
        venue.pass_time(1)
        await settled()
        assert [seconds for seconds, _ in venue.told] == [30]

    play(scenario)


def test_an_end_while_the_account_is_looked_at_leaves_no_countdown_behind() -> None:
    looked = asyncio.Event()

    class LooksForLong(Countdown):
        async def foreign_order(self) -> str | None:
            await looked.wait()
            return None

    async def inside() -> list[float]:
        venue = LooksForLong()
        switch = DeadMansSwitch(venue, 30, ("A/USD",), venue.call_at, venue.now)
        switch.note_open_orders("A/USD", has_foreign=False)
        await settled()
        ending = asyncio.create_task(switch.disarm())
        await settled()
        looked.set()
        await ending
        return [seconds for seconds, _ in venue.told]

    assert asyncio.run(inside()) == []
