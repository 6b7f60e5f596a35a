"""How each side's time was spent, by reason: in all, in bins of time, and the longest stretches."""

from __future__ import annotations

import heapq
from collections import Counter
from typing import Any, Final

from attrs import define, field

from mm_fsm.core.clock import NANOSECONDS_PER_MILLISECOND, NANOSECONDS_PER_SECOND, seconds
from mm_fsm.core.decisions import HoldReason
from mm_fsm.core.messages import SIDES
from mm_fsm.report.figures import Holds, HoldsOverTime, HoldTotal, Stretches
from mm_fsm.report.figures.quoting import STRETCHES_SHOWN
from mm_fsm.report.plain_words import why_held
from mm_fsm.report.stretches import Stretch, StretchKind

FIRST_BIN: Final = 15 * NANOSECONDS_PER_SECOND
"""Length of a bin as a run begins, nanoseconds."""
MOST_BINS: Final = 360
"""Beyond it, two neighbouring bins become one."""
STRETCH_COLUMNS: Final = ("side", "reason", "kind", "detail", "begin", "end", "step", "state", "edges", "guard", "service", "ending")  # fmt: skip  # noqa: E501
_WEIGHTS: Final = {StretchKind.LIVE: 0, StretchKind.ON_ITS_WAY: 1}
"""Where not all are kept, those without a quote for a reason stay longest, live ones go first."""
_Spent = Counter[tuple[str, str]]
"""Nanoseconds by side and reason."""


def stretch_values(stretch: Stretch) -> tuple[object, ...]:
    """In the order of ``STRETCH_COLUMNS``; times are nanoseconds."""
    decision = stretch.decision
    return (
        stretch.side.value,
        stretch.reason,
        stretch.kind.value,
        stretch.detail,
        stretch.begin,
        stretch.end,
        None if stretch.began is None else stretch.began.step,
        stretch.state,
        " then ".join(decision.edges),
        decision.guard,
        decision.service,
        stretch.followed_by,
    )


@define(eq=False)
class HoldBins:
    """Takes each stretch of a side once it has ended.

    Args:
        width: length of a bin as the run begins, nanoseconds.
        most: bins beyond which neighbours are joined.
    """

    width: int = FIRST_BIN
    most: int = MOST_BINS
    count: int = field(init=False, default=0)
    totals: _Spent = field(init=False, factory=Counter)
    bins: dict[int, _Spent] = field(init=False, factory=dict)
    """By the number of the bin: its beginning over its length."""
    _longest: list[tuple[int, int, int, Stretch]] = field(init=False, factory=list)
    """How much it asks for a reason, length, a number that settles ties for the earlier one, stretch: a heap."""

    def take(self, stretch: Stretch) -> None:
        """Add a stretch."""
        self.count += 1
        place = stretch.side.value, stretch.reason
        self.totals[place] += stretch.duration
        self._spread(place, stretch.begin, stretch.end)
        entry = (_WEIGHTS.get(stretch.kind, 2), stretch.duration, -self.count, stretch)
        if len(self._longest) < STRETCHES_SHOWN:
            heapq.heappush(self._longest, entry)
        else:
            heapq.heappushpop(self._longest, entry)

    def _spread(self, place: tuple[str, str], begin: int, end: int) -> None:
        """Count a stretch to the bins that it touches, to each as much as it lies in it."""
        while end // self.width - begin // self.width >= self.most:
            self._join()
        for number in range(begin // self.width, (end - 1) // self.width + 1):
            first, last = max(begin, number * self.width), min(end, (number + 1) * self.width)
            self.bins.setdefault(number, Counter())[place] += last - first
        while len(self.bins) > self.most:
            self._join()

    def _join(self) -> None:
        self.width *= 2
        joined: dict[int, _Spent] = {}
        for number, spent in self.bins.items():
            joined.setdefault(number // 2, Counter()).update(spent)
        self.bins = joined

    def figures(self) -> Holds:
        """Totals, bins and the longest stretches."""
        whole = {side: sum(spent for (of, _), spent in self.totals.items() if of == side.value) for side in SIDES}
        totals = [
            HoldTotal(
                side=side.value,
                reason=reason,
                seconds=seconds(spent),
                share=spent / whole[side] if whole[side] else 0.0,
                why=words_of(reason),
            )
            for side in SIDES
            for (of, reason), spent in self.totals.items()
            if of == side.value
        ]
        totals.sort(key=lambda total: (-total.seconds, total.side, total.reason))
        return Holds(totals=tuple(totals), over_time=self._over_time(), stretches=self._stretches())

    def _over_time(self) -> HoldsOverTime:
        numbers = sorted(self.bins)
        spent: dict[str, dict[str, tuple[float, ...]]] = {side.value: {} for side in SIDES}
        for side, reason in sorted(self.totals, key=lambda place: -self.totals[place]):
            spent[side][reason] = tuple(round(seconds(self.bins[number][side, reason]), 3) for number in numbers)
        times = tuple(number * self.width // NANOSECONDS_PER_MILLISECOND for number in numbers)
        return HoldsOverTime(bin_seconds=seconds(self.width), time_ms=times, seconds=spent)

    def _stretches(self) -> Stretches:
        shown = sorted((stretch for *_, stretch in self._longest), key=lambda each: (each.begin, each.side.value))
        columns: dict[str, Any] = {
            "side": [each.side.value for each in shown],
            "reason": [each.reason for each in shown],
            "detail": [each.detail for each in shown],
            "begin_ms": [each.begin // NANOSECONDS_PER_MILLISECOND for each in shown],
            "end_ms": [each.end // NANOSECONDS_PER_MILLISECOND for each in shown],
            "step": [None if each.began is None else each.began.step for each in shown],
            "edge": [each.decision.edges[-1] if each.decision.edges else "" for each in shown],
            "ending": [each.followed_by for each in shown],
        }
        return Stretches(total=self.count, **{name: tuple(column) for name, column in columns.items()})


def words_of(reason: str) -> str:
    """A reason in words; what is no hold reason is a kind of stretch, and named."""
    if reason in HoldReason.__members__.values():
        return why_held(HoldReason(reason))
    return reason.replace("_", " ")
