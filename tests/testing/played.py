"""Charts with planted defects, and clean ones, for generated model tests; what must be found stands beside each."""

from __future__ import annotations

from mm_fsm.chart import Chart
from mm_fsm.chart import State as OurState


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
    return not vault.is_open
