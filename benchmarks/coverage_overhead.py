"""What recording coverage adds to the time of the machines it watches: ratios of one run, watched and not in turns.

The market maker takes the facts of a simulated session once more, so that nothing but its own steps is measured. The
charts of python-statemachine are what somebody else would write: one with guards and callbacks on its transitions, one
with states within states. No process does anything else meanwhile, or the ratios mean little.
"""

from __future__ import annotations

import gc
import statistics
import sys
import time
from collections.abc import Callable

from statemachine import State, StateChart, StateMachine

from mm_fsm import Fact, MachineObserver, MarketMakingSettings, MarketMakingStateMachine, OrderLifecycle, run_on_paper
from mm_fsm.coverage.recorder import Recorder
from mm_fsm.runtime.paper_run import PAPER_BALANCES, PAPER_FEES, PAPER_INSTRUMENT

LIMIT = 0.15
"""What the recorder may add, as a share of the machine's own time."""
ROUNDS = 150
"""Many and short, watched and not in turns, so that a slow moment of the computer falls on both alike."""
SECONDS = 30
"""Length of the simulated session."""
LAPS = 20
"""How often a chart goes round in one round of measuring."""


class Turnstile(StateMachine):
    """Two guards and two callbacks on each transition."""

    locked = State(initial=True, enter="count")
    unlocked = State(enter="count")
    coin = locked.to(unlocked, cond="paid", unless="jammed", on="turn")
    push = unlocked.to(locked, cond="pushed", unless="jammed", on="turn")

    turns = 0

    def paid(self) -> bool:
        """The guard of coin."""
        return True

    def pushed(self) -> bool:
        """The guard of push."""
        return True

    def jammed(self) -> bool:
        """The guard of both."""
        return self.turns < 0

    def count(self) -> None:
        """On entry."""
        self.turns += 1

    def turn(self) -> None:
        """On the way."""
        self.turns += 1


class Player(StateChart):
    """States within states, with a guard or an action here and there."""

    class playing(State.Compound):  # noqa: N801 - a state's name
        """Two speeds."""

        slow = State(initial=True, enter="count")
        fast = State(enter="count")
        faster = slow.to(fast, cond="loaded")

    stopped = State(enter="count")
    stop = playing.to(stopped)
    play = stopped.to(playing, cond="loaded")

    changes = 0

    def loaded(self) -> bool:
        """The guard of faster and play."""
        return True

    def count(self) -> None:
        """On entry."""
        self.changes += 1


class Facts(MachineObserver):
    """Keeps every fact of a session."""

    def __init__(self) -> None:
        self.kept: list[Fact] = []

    def step_began(self, state: str, fact: Fact) -> None:
        """Keep one."""
        self.kept.append(fact)


def session_again() -> Callable[[], None]:
    """A new market maker that takes the facts of one simulated session; its steps give what they gave then."""
    facts = Facts()
    settings = MarketMakingSettings(symbol=PAPER_INSTRUMENT.symbol, session_seconds=SECONDS)
    run_on_paper(MarketMakingStateMachine, settings, observers=(facts,))

    def take_all() -> None:
        machine = MarketMakingStateMachine(settings, PAPER_INSTRUMENT, PAPER_FEES, PAPER_BALANCES)
        for fact in facts.kept:
            machine.step(fact)
        if not machine.is_final:
            raise RuntimeError("the session did not end as it did when its facts were kept")

    return take_all


def laps(chart: type[StateChart], *events: str) -> Callable[[], None]:
    """A new machine that goes round."""

    def go_round() -> None:
        machine = chart()
        for _ in range(LAPS):
            for event in events:
                machine.send(event)

    return go_round


def milliseconds(action: Callable[[], None]) -> float:
    """Processor time of one call."""
    started = time.process_time_ns()
    action()
    return (time.process_time_ns() - started) / 1e6


def added_by_watching(action: Callable[[], None], recorder: Recorder) -> tuple[float, float]:
    """Median processor time of an action that nobody watches, in milliseconds, and the share that watching adds."""
    plain, watched = [], []
    for turn in range(ROUNDS):
        for is_watched in (turn % 2, not turn % 2):
            if is_watched:
                recorder.start()
            (watched if is_watched else plain).append(milliseconds(action))
            recorder.stop()
    return statistics.median(plain), statistics.median(watched) / statistics.median(plain) - 1


def main() -> int:
    """Measure, print, and answer whether every share is within the limit."""
    actions = {
        "market maker, a simulated session": session_again(),
        "flat chart of python-statemachine": laps(Turnstile, "coin", "push"),
        "nested chart of python-statemachine": laps(Player, "faster", "stop", "play"),
    }
    recorder = Recorder((MarketMakingStateMachine, OrderLifecycle, Turnstile, Player))
    gc.disable()
    worst = 0.0
    for name, action in actions.items():
        plain, added = added_by_watching(action, recorder)
        worst = max(worst, added)
        print(f"{name:<40}{plain:9.2f} ms  {added:+7.1%}")
    print(f"limit {LIMIT:+.0%}: {'kept' if worst <= LIMIT else 'BROKEN'}")
    return int(worst > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
