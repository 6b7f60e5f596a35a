"""Charts small enough to be counted by hand; the totals stand beside each in test_counts.py."""

from __future__ import annotations

from typing import Any

from statemachine import HistoryState, State, StateChart, StateMachine

from mm_fsm.chart import Chart
from mm_fsm.chart import State as OurState


class Door(StateMachine):
    """Flat: two states and an end, one edge with two guards."""

    shut = State(initial=True)
    ajar = State()
    gone = State(final=True)

    push = shut.to(ajar, cond="unlocked", unless="blocked")
    pull = ajar.to(shut)
    tear_off = ajar.to(gone)

    unlocked = True
    blocked = False


class Siblings(StateMachine):
    """A guard shared by two edges, and one event on both."""

    left = State(initial=True)
    right = State()

    cross = left.to(right, cond="is_free") | right.to(left, cond="is_free")

    is_free = True


class Loops(StateMachine):
    """An internal transition, a self transition that leaves and enters, and one between states."""

    here = State(initial=True)
    there = State()

    note = here.to.itself(internal=True)
    again = here.to.itself()
    move = here.to(there)
    back = there.to(here)


class Twice(StateMachine):
    """Two events on one edge, which has a guard."""

    closed = State(initial=True)
    opened = State(final=True)

    enter = closed.to(opened, cond="may", event="enter break_in")

    may = True


class Melting(StateChart[Any]):
    """An edge without an event."""

    solid = State(initial=True)
    liquid = State()

    liquid.to(solid, cond="is_cold")
    heat = solid.to(liquid)

    is_cold = False


class Player(StateChart[Any]):
    """Compound: one state with two inside."""

    class playing(State.Compound):  # noqa: N801 - a state's name
        slow = State(initial=True)
        fast = State()
        faster = slow.to(fast)

    stopped = State()
    stop = playing.to(stopped)
    play = stopped.to(playing)


class Regions(StateChart[Any]):
    """Parallel: two regions of two states each, and an edge out of both."""

    class both(State.Parallel):  # noqa: N801 - a state's name
        class left(State.Compound):  # noqa: N801
            l1 = State(initial=True)
            l2 = State()
            go = l1.to(l2)
            return_left = l2.to(l1)

        class right(State.Compound):  # noqa: N801
            r1 = State(initial=True)
            r2 = State()
            go_right = r1.to(r2)
            return_right = r2.to(r1)

    over = State(final=True)
    finish = both.to(over)


class Pausing(StateChart[Any]):
    """History: what was playing goes on after a pause."""

    class playing(State.Compound):  # noqa: N801 - a state's name
        slow = State(initial=True)
        fast = State()
        last = HistoryState()
        faster = slow.to(fast)

    paused = State()
    pause = playing.to(paused)
    resume = paused.to(playing.last)


class Download(StateMachine):
    """Asynchronous: guards and callbacks are coroutines."""

    idle = State(initial=True)
    running = State()

    start = idle.to(running, cond="is_online")
    finish = running.to(idle)

    online = True

    async def is_online(self) -> bool:
        return self.online

    async def on_enter_running(self) -> None: ...


class Lamp(Chart):
    """One of our own charts, sent every event by its host; one edge can never be taken."""

    chart_is_automatic = False

    dark = OurState(initial=True)
    lit = OurState()
    burnt = OurState(final=True)

    switch = dark.to(lit, cond="has_power") | lit.to(dark)
    burn = lit.to(burnt)
    explode = dark.to(burnt, excluded="a dark lamp is cold")

    def __init__(self) -> None:
        self.power = True

    def has_power(self) -> bool:
        return self.power
