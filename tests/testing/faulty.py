"""Machines and charts that break a promise when something raises, and others that keep all of them."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Any

from statemachine import HistoryState, State, StateChart, StateMachine

from mm_fsm.books.facts import StopRequested
from mm_fsm.chart import Chart
from mm_fsm.chart import State as OurState
from mm_fsm.core.decisions import Fault
from mm_fsm.core.messages import Fact
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.strategy import StrategyMachine


class Forgetful(MarketMakingStateMachine):
    """After a failure it cancels no order of the ask side, and does not look again."""

    def cancel_everything(self) -> None:
        for order in self.context.active_bid_orders:
            if not order.cancel_in_flight:
                self.cancel(order)

    def secure(self) -> None:
        """Trusts the entry action."""


class Greedy(MarketMakingStateMachine):
    """What it was placing when it failed leaves all the same."""

    def withdraw_placements(self) -> None:
        """Keeps them."""


class Creative(MarketMakingStateMachine):
    """Writes off a cent with every failure."""

    def note_fault(self, fault: Fault) -> None:
        super().note_fault(fault)
        self.context.ledger.book_external_flow(Decimal(0), Decimal("-0.01"), f"write-off {self.context.faults_noted}")


class Swallowing(MarketMakingStateMachine):
    """Goes on without its order service when that fails."""

    def place_orders(self) -> None:
        with suppress(Exception):
            super().place_orders()


class Thermostat(StrategyMachine):
    """A machine that trades nothing: it heats, and stops heating when something fails."""

    off = OurState(initial=True)
    on = OurState(enter="heat", exit="cool")
    broken = OurState(enter="cool")

    too_cold = off.to(on, cond="is_cold")
    too_warm = on.to(off, unless="is_cold")
    error_execution = broken.from_.any(but=(broken,), command=True) | broken.to.itself(internal=True, command=True)

    def __init__(self) -> None:
        super().__init__()
        self.is_heating = False
        self._now = 0

    def is_cold(self) -> bool:
        return False

    def heat(self) -> None:
        self.is_heating = True

    def cool(self) -> None:
        self.is_heating = False

    @property
    def now(self) -> int:
        return self._now

    def admit(self, fact: Fact) -> None:
        """Everything is admitted."""

    def book(self, fact: Fact, admitted: object) -> str | None:
        self._now = max(self._now, fact.received_at)
        return None

    def keep_house(self) -> None:
        """There is nothing to do."""

    def find_wake_time(self) -> None:
        """Never."""

    def withdraw_placements(self) -> None:
        """There are none."""

    def note_fault(self, fault: Fault) -> None:
        """It is in the result."""

    def secure(self) -> None:
        self.is_heating = False


class Pausable(Thermostat):
    """Stops heating when it is told to."""

    pause = Thermostat.on.to(Thermostat.off, command=True, on="cool")

    def book(self, fact: Fact, admitted: object) -> str | None:
        super().book(fact, admitted)
        return "pause" if isinstance(fact, StopRequested) else None


def ask_for_a_pause(machine: Pausable) -> Fact:
    """The fact that carries the command."""
    return StopRequested(received_at=machine.now + 1)


def was_never_paused(machine: Pausable) -> bool:
    """Broken on purpose: by hand, after one step with is_cold, and pause."""
    return not machine.transition_counts["on.pause"]


class Lamp(Chart):
    """Ours, without a machine: everything that can be declared on an edge is."""

    chart_is_automatic = False

    dark = OurState(initial=True, exit="warm_up")
    lit = OurState(enter="shine")

    switch = dark.to(lit, cond="has_power", before="check", on="click", after="count") | lit.to(dark)

    def __init__(self) -> None:
        self.counted = 0

    def has_power(self) -> bool:
        return True

    def check(self) -> None: ...
    def click(self) -> None: ...
    def warm_up(self) -> None: ...
    def shine(self) -> None: ...

    def count(self) -> None:
        self.counted += 1


class Careless(StateChart[Any]):
    """Errors become events that nobody takes: after a failed entry it is in the state all the same."""

    away = State(initial=True)
    here = State()

    arrive = away.to(here, cond="is_welcome")
    leave = here.to(away, before="say_goodbye")

    is_welcome = True

    def on_enter_here(self) -> None: ...
    def say_goodbye(self) -> None: ...


class Guest(StateChart[Any]):
    """Errors lead to a state of their own from wherever they happen."""

    away = State(initial=True)
    here = State()
    lost = State()

    arrive = away.to(here, cond="is_welcome") | lost.to(here)
    leave = here.to(away, before="say_goodbye", on="pack", after="write_home")
    error_execution = away.to(lost) | here.to(lost) | lost.to(lost)

    is_welcome = True

    def on_enter_here(self) -> None: ...
    def on_exit_here(self) -> None: ...
    def say_goodbye(self) -> None: ...
    def pack(self) -> None: ...
    def write_home(self) -> None: ...


class Porter(StateMachine):
    """Errors reach who sent the event; the state is restored."""

    idle = State(initial=True)
    carrying = State()

    lift = idle.to(carrying, cond="is_strong", validators="check")
    drop = carrying.to(idle)

    is_strong = True

    def check(self) -> None: ...
    def before_lift(self) -> None: ...
    def on_lift(self) -> None: ...
    def on_enter_carrying(self) -> None: ...
    def on_exit_idle(self) -> None: ...
    def after_lift(self) -> None: ...


class AsyncPorter(StateMachine):
    """The same with coroutines."""

    idle = State(initial=True)
    carrying = State()

    lift = idle.to(carrying, cond="is_strong")
    drop = carrying.to(idle)

    async def is_strong(self) -> bool:
        return True

    async def on_lift(self) -> None: ...
    async def on_enter_carrying(self) -> None: ...
    async def after_lift(self) -> None: ...


class Nested(StateChart[Any]):
    """States within states, and one that remembers."""

    class playing(State.Compound):  # noqa: N801 - a state's name
        slow = State(initial=True)
        fast = State()
        last = HistoryState()
        faster = slow.to(fast, on="shift")

    paused = State()
    pause = playing.to(paused)
    resume = paused.to(playing.last)

    def shift(self) -> None: ...
