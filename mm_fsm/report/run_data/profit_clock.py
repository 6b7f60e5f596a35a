"""Profit and its parts at the end of equally long steps of time: what intervals and comparisons are made of."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from attrs import define, field

from mm_fsm.books.exact import EXACT
from mm_fsm.books.ledger import Ledger
from mm_fsm.core.clock import NANOSECONDS_PER_MILLISECOND, NANOSECONDS_PER_SECOND, seconds
from mm_fsm.report.figures import ProfitSteps

FIRST_STEP: Final = 10 * NANOSECONDS_PER_SECOND
"""Length of a step as a run begins, nanoseconds."""
MOST_STEPS: Final = 4_096
"""Beyond it, two neighbouring steps become one."""


class Amounts(NamedTuple):
    """The profit and its parts, quote currency; ``net = spread_capture + inventory - fees + funding``."""

    net: Decimal
    spread_capture: Decimal
    inventory: Decimal
    fees: Decimal

    @classmethod
    def of(cls, ledger: Ledger) -> Amounts:
        """As the ledger stands."""
        return cls(ledger.net_pnl, ledger.spread_capture, ledger.inventory_pnl, ledger.fees_paid)

    def since(self, begin: Amounts) -> Amounts:
        """What came to it since ``begin``."""
        return Amounts(*(EXACT.subtract(now, then) for now, then in zip(self, begin, strict=True)))


@define(eq=False)
class ProfitClock:
    """Keeps the amounts at each end of a step that a run has come past; ends are whole multiples of the length.

    Args:
        length: of a step as the run begins, nanoseconds.
        most: steps beyond which neighbours are joined.
    """

    length: int = FIRST_STEP
    most: int = MOST_STEPS
    ends: dict[int, Amounts] = field(init=False, factory=dict)
    """By the number of the step: its end over the length of steps."""
    _last: tuple[int, Amounts] | None = field(init=False, default=None)

    def next_end(self, now: int) -> int:
        """The first end after ``now``, nanoseconds."""
        return (now // self.length + 1) * self.length

    def pass_until(self, since: int, now: int, amounts: Amounts) -> None:
        """Time went from ``since`` to ``now`` with these amounts: keep them for each end in between, ``now`` included.

        What the step at ``now`` books belongs to the step of time that begins there.
        """
        number = since // self.length + 1
        while number <= now // self.length:
            self.ends[number] = amounts
            number += 1
            if len(self.ends) > self.most:
                self._join()
                number = (number + 1) // 2

    def finish(self, now: int, amounts: Amounts) -> None:
        """The run ends at ``now`` with these amounts: its last step is shorter than the others."""
        self._last = (now, amounts)

    def _join(self) -> None:
        self.length *= 2
        self.ends = {number // 2: amounts for number, amounts in self.ends.items() if number % 2 == 0}

    def all_ends(self) -> list[tuple[int, Amounts]]:
        """Every end with the amounts then, nanoseconds; the last one is the run's end."""
        ends = [(number * self.length, amounts) for number, amounts in self.ends.items()]
        if self._last is None:
            return ends
        if (
            ends and ends[-1][0] >= self._last[0]
        ):  # the run ended with the step: what was booked just then belongs to it
            ends.pop()
        return [*ends, self._last]

    def figures(self) -> ProfitSteps:
        """The steps as columns."""
        ends = self.all_ends()
        return ProfitSteps(
            step_seconds=seconds(self.length),
            end_ms=tuple(end // NANOSECONDS_PER_MILLISECOND for end, _ in ends),
            net=_column(ends, 0),
            spread_capture=_column(ends, 1),
            inventory=_column(ends, 2),
            fees=_column(ends, 3),
        )


def _column(ends: Sequence[tuple[int, Amounts]], place: int) -> tuple[float, ...]:
    return tuple(float(amounts[place]) for _, amounts in ends)
