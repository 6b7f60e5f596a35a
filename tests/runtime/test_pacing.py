"""Event time against the clock on the wall."""

from __future__ import annotations

import pytest

from mm_fsm.errors import SettingsError
from mm_fsm.runtime.pacing import Pacer

SECOND = 1_000_000_000


class Wall:
    """A clock that only passes while somebody waits."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += seconds


def wait_for(pacer: Pacer, time: int) -> None:
    while not pacer.wait(time):
        pass


@pytest.mark.parametrize("speed", [0.5, 1.0, 60.0])
def test_event_time_passes_at_the_chosen_speed(speed: float) -> None:
    """Thirty seconds of event time take 30 / speed seconds; the first event comes at once."""
    wall = Wall()
    pacer = Pacer(speed, wall, wall.pause)
    wait_for(pacer, 5 * SECOND)
    assert wall.now == 100.0
    wait_for(pacer, 35 * SECOND)
    assert wall.now == pytest.approx(100.0 + 30 / speed)


def test_it_catches_up_when_it_has_fallen_behind() -> None:
    wall = Wall()
    pacer = Pacer(1.0, wall, wall.pause)
    wait_for(pacer, 0)
    wall.now += 10
    wait_for(pacer, 4 * SECOND)
    wait_for(pacer, 9 * SECOND)
    assert wall.now == 110.0
    wait_for(pacer, 12 * SECOND)
    assert wall.now == pytest.approx(112.0)


def test_it_never_sleeps_long() -> None:
    """So that a stop is noticed soon."""
    wall = Wall()
    pacer = Pacer(1.0, wall, wall.pause)
    pacer.wait(0)
    before = wall.now
    assert not pacer.wait(3600 * SECOND)
    assert wall.now - before <= 0.1


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan")])
def test_a_speed_that_is_not_above_zero_is_refused(speed: float) -> None:
    with pytest.raises(SettingsError, match="above 0"):
        Pacer(speed)
