"""Override a guard by name: quote only in the first half of every minute.

The edge stays where it is in the chart and in the diagram; only the answer changes.
"""

from mm_fsm import MarketMakingStateMachine, run_on_paper

SECOND = 1_000_000_000
SECOND_HALF = range(30, 60)


class HalfTimeMaker(MarketMakingStateMachine):
    """Begins no cycle in the second half of a minute, and goes back to IDLE, cancelling, when it begins."""

    def is_second_half(self) -> bool:
        """Whether the clock of the facts shows second 30 to 59."""
        return self.now // SECOND % 60 in SECOND_HALF

    def ready_to_quote(self) -> bool:
        """What the market maker asks for, and the first half of a minute."""
        return super().ready_to_quote() and not self.is_second_half()

    def must_withdraw(self) -> bool:
        """What the market maker withdraws for, and the second half of a minute: IDLE cancels."""
        return super().must_withdraw() or self.is_second_half()


if __name__ == "__main__":
    machine = run_on_paper(HalfTimeMaker, seconds=600)
    idle = machine.durations_until_now()["idle"] / SECOND
    print(f"idle {idle:.0f} s of 600 s, {machine.result().orders_executed} orders traded")
