"""Add a state and its edges: pause around scheduled news.

One class body is enough. The parent's chart does not change, and edges from any state (``halt``, ``stop``, the fault
event) cover the new state too.
"""

from mm_fsm import MarketMakingStateMachine as Base
from mm_fsm import State, run_on_paper

SECOND = 1_000_000_000
NEWS = (range(280, 340), range(420, 480))
"""Seconds after the start in which news is due."""


class NewsAwareMaker(Base):
    """Leaves the market while news is due."""

    paused = State("PAUSED", enter="cancel_everything", purpose="out of the market while news is due")

    pause = Base.monitoring_orders.to(paused, cond="news_window", ahead_of="fills_arrived")
    resume = paused.to(Base.idle, cond="all_confirmed", unless="news_window")
    leftovers = paused.to.itself(internal=True, cond="has_strays", on="cancel_strays")

    def news_window(self) -> bool:
        """Whether news is due about now."""
        elapsed = (self.now - (self.began_at or self.now)) // SECOND
        return any(elapsed in window for window in NEWS)


if __name__ == "__main__":
    machine = run_on_paper(NewsAwareMaker, seconds=600)
    paused = machine.durations_until_now()["paused"] / SECOND
    print(f"paused for {paused:.0f} s; {machine.transition_counts['monitoring_orders.pause']} pauses")
