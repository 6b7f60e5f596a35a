"""Machines and charts that break a promise when something raises, and others that keep all of them."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Any, ClassVar

from statemachine import HistoryState, State, StateChart, StateMachine

from mm_fsm.books.facts import StopRequested
from mm_fsm.chart import Chart
from mm_fsm.chart import State as OurState
from mm_fsm.core.decisions import Fault
from mm_fsm.core.messages import Fact
from mm_fsm.machine.bookkeeper import Bookkeeper
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.strategy import StrategyMachine


class Forgetful(MarketMakingStateMachine):
    """After a failure it cancels no order of the ask side, and does not look again."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.stepper.bookkeeper.cancel_all_live = _trust_the_entry_action  # type: ignore[method-assign]

    def cancel_everything(self) -> None:
        for order in self.context.active_bid_orders:
            if not order.cancel_in_flight:
                self.desk.cancel(order)


def _trust_the_entry_action(*, is_final: bool) -> None:
    """Looks at no order again."""


class Greedy(MarketMakingStateMachine):
    """What it was placing when it failed leaves all the same."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.stepper.bookkeeper.withdraw_placements = _keep_them  # type: ignore[method-assign]


def _keep_them() -> None:
    """Withdraws no placement."""


class Creative(MarketMakingStateMachine):
    """Writes off a cent with every failure."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        note_fault = self.stepper.bookkeeper.note_fault

        def note_and_write_off(fault: Fault) -> None:
            note_fault(fault)
            name = f"write-off {self.context.faults_noted}"
            self.context.ledger.book_external_flow(Decimal(0), Decimal("-0.01"), name)

        self.stepper.bookkeeper.note_fault = note_and_write_off  # type: ignore[method-assign]


class Swallowing(MarketMakingStateMachine):
    """Goes on without its order service when that fails."""

    def place_orders(self) -> None:
        with suppress(Exception):
            super().place_orders()


class Heating(Bookkeeper):
    """Trades nothing: after a failure it is off, and a request to stop carries its command."""

    def __init__(self, command: str | None) -> None:
        super().__init__()
        self.is_heating = False
        self._command = command

    def book(self, fact: Fact, admitted: object, *, is_final: bool) -> str | None:
        super().book(fact, admitted, is_final=is_final)
        return self._command if isinstance(fact, StopRequested) else None

    def cancel_all_live(self, *, is_final: bool) -> None:
        self.is_heating = False


class Thermostat(StrategyMachine):
    """A machine that trades nothing: it heats, and stops heating when something fails."""

    off = OurState(initial=True)
    on = OurState(enter="heat", exit="cool")
    broken = OurState(enter="cool")

    too_cold = off.to(on, cond="is_cold")
    too_warm = on.to(off, unless="is_cold")
    error_execution = broken.from_.any(but=(broken,), command=True) | broken.to.itself(internal=True, command=True)

    command: ClassVar[str | None] = None

    def __init__(self, *, executor: str = "table") -> None:
        self.heating = Heating(self.command)
        super().__init__(self.heating, executor=executor)

    def is_cold(self) -> bool:
        return False

    def heat(self) -> None:
        self.heating.is_heating = True

    def cool(self) -> None:
        self.heating.is_heating = False


class Pausable(Thermostat):
    """Stops heating when it is told to."""

    command = "pause"

    pause = Thermostat.on.to(Thermostat.off, command=True, on="cool")


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
