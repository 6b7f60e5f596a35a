"""Override a callback by name: do something of your own when fills are handled.

Call ``super()`` to keep what the market maker does. A callback calls services and stages intents; it returns nothing
and raises no event.
"""

from decimal import Decimal

from mm_fsm import MarketMakingStateMachine, run_on_paper


class FillCountingMaker(MarketMakingStateMachine):
    """Remembers its largest fill."""

    largest_fill = Decimal(0)

    def handle_fills(self) -> None:
        """Note the largest fill before the fills are handled."""
        sizes = [fill.quantity for fill in self.context.unhandled_fills]
        self.largest_fill = max([self.largest_fill, *sizes])
        super().handle_fills()


if __name__ == "__main__":
    machine = run_on_paper(FillCountingMaker, seconds=900)
    print(f"{machine.context.fill_count} fills, the largest {machine.largest_fill} ETH")
