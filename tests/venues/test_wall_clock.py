"""Host time never goes back, and calls come at their time."""

from __future__ import annotations

import asyncio

from mm_fsm.venues.wall_clock import WallClock
from tests.patience import PATIENCE

SECOND = 1_000_000_000


def test_an_adjustment_of_the_wall_does_not_move_it() -> None:
    """The wall is asked once; from then on only the monotonic clock counts."""
    wall, monotonic = [1_000 * SECOND], [5 * SECOND]
    clock = WallClock(lambda: wall[0], lambda: monotonic[0])
    assert clock.now() == 1_000 * SECOND
    wall[0] = 0
    monotonic[0] += 7
    assert clock.now() == 1_000 * SECOND + 7


def test_a_call_comes_at_once_when_its_time_is_over_and_never_when_it_is_called_off() -> None:
    came: list[str] = []

    async def play() -> None:
        clock = WallClock()
        done = asyncio.Event()
        clock.call_at(clock.now(), lambda: came.append("off"))()
        clock.call_at(clock.now() + 3600 * SECOND, lambda: came.append("late"))
        clock.call_at(0, lambda: (came.append("due"), done.set())[0])
        await asyncio.wait_for(done.wait(), PATIENCE)

    asyncio.run(play())
    assert came == ["due"]
