"""Charts whose guards are of every kind, and one of ours that fires by itself."""

from __future__ import annotations

from typing import Any

from statemachine import HistoryState, State, StateChart, StateMachine

from mm_fsm.chart import Chart
from mm_fsm.chart import State as OurState


class Light(StateMachine):
    """Four states, five edges, one guard that two edges ask for opposite answers."""

    green = State(initial=True)
    yellow = State()
    red = State()
    broken = State(final=True)

    slow = green.to(yellow, cond="has_traffic")
    stop = yellow.to(red)
    go = red.to(green, unless="has_traffic")
    smash = red.to(broken) | green.to(broken)

    def __init__(self) -> None:
        self.traffic = 0
        super().__init__()

    def has_traffic(self) -> bool:
        return self.traffic > 0


class Kinds(StateMachine):
    """A guard of each kind; none would let anything pass by itself, and two would raise."""

    start = State(initial=True)
    end = State()

    by_method = start.to(end, cond="is_method")
    by_attribute = start.to(end, cond="is_attribute")
    by_property = start.to(end, cond="is_property")
    by_lambda = start.to(end, cond=lambda: 1 / 0)
    by_expression = start.to(end, cond="is_attribute and not is_property")
    by_refusal = start.to(end, unless="is_unwanted")
    back = end.to(start)

    is_attribute = False
    is_unwanted = True

    def is_method(self) -> bool:
        raise AssertionError("a guard that is forced is not asked")

    @property
    def is_property(self) -> bool:
        return False

    @back.cond
    def may_go_back(self) -> bool:
        return False


class Choice(StateMachine):
    """One event with three candidates: the first whose guards hold is taken."""

    here = State(initial=True)
    left = State(final=True)
    right = State(final=True)
    nowhere = State(final=True)

    decide = here.to(left, cond=["is_left", "is_sure"]) | here.to(right, cond="is_right") | here.to(nowhere)

    is_left = is_sure = is_right = True


class Shadowed(StateMachine):
    """The second candidate can never be taken: the first has no guard."""

    here = State(initial=True)
    there = State(final=True)
    nowhere = State(final=True)

    go = here.to(there) | here.to(nowhere, cond="is_wanted")

    is_wanted = True


class Passing(StateChart[Any]):
    """An edge without an event, and without a guard: nothing can be sent in the state that it leaves."""

    here = State(initial=True)
    between = State()
    there = State()

    go = here.to(between)
    between.to(there)
    cancel = between.to(here)
    back = there.to(here)


class Beginning(StateChart[Any]):
    """Edges without an event out of the initial state: taken while the machine is made."""

    here = State(initial=True)
    there = State()
    beyond = State()

    here.to(there, cond="is_ready")
    there.to(beyond, cond="is_ready")
    go = here.to(beyond)
    back = beyond.to(here)

    is_ready = False


class Counting(StateMachine):
    """Callbacks that can be counted, and one that raises when it is told to."""

    here = State(initial=True)
    there = State()

    go = here.to(there)
    back = there.to(here)

    def __init__(self) -> None:
        self.entered: list[str] = []
        self.fails = False
        super().__init__()

    def on_enter_there(self) -> None:
        if self.fails:
            raise ArithmeticError("told to")
        self.entered.append("there")


class Leaky(StateMachine):
    """Notes every event that it is sent, whether it accepts it or not."""

    allow_event_without_transition = True

    here = State(initial=True)
    there = State()

    go = here.to(there)
    back = there.to(here)

    def __init__(self) -> None:
        self.seen: list[str] = []
        super().__init__()

    def send(self, event: str, *arguments: Any, **keywords: Any) -> Any:
        self.seen.append(event)
        return super().send(event, *arguments, **keywords)


class Kitchen(StateChart[Any]):
    """Compound states, two levels deep; nothing is parallel."""

    class opened(State.Compound):  # noqa: N801 - a state's name
        quiet = State(initial=True)

        class busy(State.Compound):  # noqa: N801
            cooking = State(initial=True)
            serving = State()
            serve = cooking.to(serving)

        fill = quiet.to(busy)
        calm = busy.to(quiet)

    closed = State()
    close = opened.to(closed)
    unlock = closed.to(opened)


class Remembering(StateChart[Any]):
    """A history state."""

    class on(State.Compound):  # noqa: N801
        low = State(initial=True)
        high = State()
        last = HistoryState()
        turn_up = low.to(high)

    off = State()
    switch_off = on.to(off)
    switch_on = off.to(on.last)


class Gauge(Chart):
    """One of ours that fires by itself: the first of three edges wins, and one is a command."""

    low = OurState(initial=True, enter="note_low")
    high = OurState()
    broken = OurState(final=True)

    burst = high.to(broken, cond="is_too_high")
    rise = low.to(high, cond="is_high")
    fall = high.to(low, unless="is_high")
    reset = low.from_(low, high, command=True)

    def __init__(self) -> None:
        self.level = 0
        self.notes = 0

    def is_high(self) -> bool:
        return self.level > 10

    def is_too_high(self) -> bool:
        return self.level > 100

    def note_low(self) -> None:
        self.notes += 1
