"""Watch a machine: an observer is told everything and can influence nothing."""

from mm_fsm import MachineObserver, MarketMakingStateMachine, TransitionRecord, run_on_paper


class Printer(MachineObserver):
    """Prints the first few transitions."""

    def __init__(self, limit: int) -> None:
        self.left = limit

    def transition_was_taken(self, transition: TransitionRecord, time: int) -> None:
        """One line a transition."""
        if self.left > 0:
            self.left -= 1
            print(f"{time / 1e9:8.2f} s  {transition.source} --{transition.event}--> {transition.target}")


if __name__ == "__main__":
    run_on_paper(MarketMakingStateMachine, observers=(Printer(limit=12),), seconds=120)
