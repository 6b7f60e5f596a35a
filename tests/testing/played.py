"""Charts with planted defects, and clean ones, for generated model tests; what must be found stands beside each."""

from __future__ import annotations

from typing import Any

from statemachine import State, StateChart, StateMachine

from mm_fsm.chart import Chart
from mm_fsm.chart import State as OurState
from mm_fsm.core.messages import Fact
from mm_fsm.machine.market_making import MarketMakingStateMachine


class Vault(Chart):
    """Opens after four events in a row: the shortest way to an open vault, by hand, is wake, dial, dial_again, pull."""

    chart_is_automatic = False

    asleep = OurState(initial=True)
    awake = OurState()
    half = OurState()
    unlocked = OurState()
    opened = OurState(enter="open_door")

    wake = asleep.to(awake)
    dial = awake.to(half, cond="knows_first")
    dial_again = half.to(unlocked, cond="knows_second")
    pull = unlocked.to(opened)
    rest = asleep.from_(awake, half, unlocked, opened)

    def __init__(self) -> None:
        self.is_open = False

    def knows_first(self) -> bool:
        return False

    def knows_second(self) -> bool:
        return False

    def open_door(self) -> None:
        self.is_open = True


def stays_shut(vault: Vault) -> bool:
    """Broken on purpose, after four events."""
    return not vault.is_open


class Lift(StateMachine):
    """Goes up and down; on the second floor a callback takes it back to the ground behind the engine's back.

    By hand: up, up is the shortest way to see that the machine is not where its definition says.
    """

    ground = State(initial=True)
    first = State()
    second = State()

    up = ground.to(first) | first.to(second)
    down = second.to(first) | first.to(ground)

    def after_up(self) -> None:
        if self.current_state_value == "second":
            self.current_state_value = "ground"


class Relay(StateMachine):
    """Clean: a callback sends the next event, and an edge without an event follows while nothing stops it."""

    off = State(initial=True)
    warming = State()
    ready = State()
    tired = State()

    start = off.to(warming)
    warm = warming.to(ready)
    stop = warming.to(off) | ready.to(off) | tired.to(off)
    tire = ready.to(tired, cond="is_worn", unless="is_new")

    is_worn = False
    is_new = False

    def on_enter_warming(self) -> None:
        self.send("warm")


class Melting(StateChart[Any]):
    """Clean: an edge without an event."""

    solid = State(initial=True)
    liquid = State()

    liquid.to(solid, cond="is_cold")
    heat = solid.to(liquid, cond=lambda: True)

    is_cold = False


class Download(StateMachine):
    """Clean and asynchronous."""

    idle = State(initial=True)
    running = State()
    done = State(final=True)

    start = idle.to(running, cond="is_online")
    finish = running.to(done)
    cancel = running.to(idle)

    async def is_online(self) -> bool:
        return True

    async def on_enter_running(self) -> None: ...


class Guarded(StateChart[Any]):
    """Clean: a callback refuses by raising, and the error leads to a state of its own."""

    open = State(initial=True)
    closed = State()
    failed = State()

    close = open.to(closed, before="refuse")
    again = failed.to(open) | closed.to(open)
    error_execution = open.to(failed)

    def refuse(self) -> None:
        raise OSError("it jams")


class Crashing(StateMachine):
    """Its callback raises when it is entered for the second time: by hand, go, back, go."""

    here = State(initial=True)
    there = State()

    go = here.to(there)
    back = there.to(here)

    def __init__(self) -> None:
        self.visits = 0
        super().__init__()

    def on_enter_there(self) -> None:
        self.visits += 1
        if self.visits == 2:
            raise OSError("no room for a second visit")


class Moody(StateMachine):
    """Fails once in a process, and never again."""

    calm = State(initial=True)
    poke = calm.to.itself()

    pokes = 0

    def on_poke(self) -> None:
        type(self).pokes += 1
        if type(self).pokes == 3:
            raise OSError("only this time")


def is_not_stopping(machine: MarketMakingStateMachine) -> bool:
    """Broken on purpose, by the event stop."""
    return not machine.context.is_stopping


def holds_no_more_than_it_began_with(machine: MarketMakingStateMachine) -> bool:
    """Broken on purpose, by the first bid that trades."""
    return machine.context.base_position <= machine.context.balances.base


class Lazy(MarketMakingStateMachine):
    """Takes one edge in a step and rests, though another is due: by hand, one step with ready_to_quote shows it."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        stepper = self.stepper

        def take_one_edge(_limit: int) -> bool:
            edge = stepper.gate.first_enabled(self.chart_state)
            if edge is not None:
                stepper._fire(edge)
            return True

        stepper._come_to_rest = take_one_edge  # type: ignore[method-assign]


class Restless(MarketMakingStateMachine):
    """Goes elsewhere than its definition says when it has handled fills."""

    def handle_fills(self) -> None:
        super().handle_fills()
        self.chart_state = "idle"


class Sloppy(MarketMakingStateMachine):
    """Counts a fact before it looks whether it is to be refused."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        admit = self.stepper.bookkeeper.admit

        def count_and_admit(fact: Fact) -> object:
            self.context.late_books += 1
            return admit(fact)

        self.stepper.bookkeeper.admit = count_and_admit  # type: ignore[method-assign]
