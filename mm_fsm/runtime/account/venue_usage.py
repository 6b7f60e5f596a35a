"""What the venue says that the account has used of its limits, and what that leaves.

A venue that tells its counters with its answers (``mm_fsm.venues.port.MeteredVenue``) knows more than our own count: it
also counts what other programs and the streams' own requests used. What has left since, or was still under way when
the answer was given, is added.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

from attrs import define, evolve, field

from mm_fsm.core.clock import nanoseconds, seconds
from mm_fsm.core.rate_rules import Allowance
from mm_fsm.venues.port import Counted, Usage

UNDER_WAY_SECONDS: Final = 0.5
"""So long before an answer a request may have left that its counters do not have yet."""
_REMEMBERED_SECONDS: Final = 10.0


@define(eq=False)
class VenueUsage:
    """The venue's counters.

    Args:
        reserve_share: share of each limit that quotes and questions leave to orders that reduce a position.
    """

    reserve_share: float
    _counters: dict[str, Usage] = field(factory=dict, init=False)
    _sent: deque[tuple[int, bool, bool]] = field(factory=deque, init=False)
    """When what left, whether it was a placement, and whether it was a question."""

    def note(self, usage: Usage) -> None:
        """An answer has told one of the counters.

        Answers overtake each other, and one comes after the interval in which the venue counted. So of what is told of
        one interval the highest count holds, and a count that may be of the interval before is taken to be.
        """
        if usage.interval is not None and usage.asked_at < usage.until - usage.interval:
            usage = evolve(usage, until=usage.until - usage.interval)
        before = self._counters.get(usage.name)
        if before is not None:
            later = usage.until - before.until
            is_same = abs(later) <= (nanoseconds(UNDER_WAY_SECONDS) if usage.interval is None else usage.interval // 2)
            if usage.used < before.used if is_same else later < 0:
                return
        self._counters[usage.name] = usage

    def note_sent(self, now: int, *, is_order: bool = False, is_question: bool = False) -> None:
        """A request leaves."""
        self._sent.append((now, is_order, is_question))
        while self._sent[0][0] < now - nanoseconds(_REMEMBERED_SECONDS):
            self._sent.popleft()

    def why_not(self, now: int, *, is_order: bool, is_quote: bool) -> str | None:
        """Why the venue, or the reserve, has no room for one more request; None where it has."""
        for usage, used, allowed in self._full(now, is_order=is_order, is_quote=is_quote):
            left = seconds(usage.until - now)
            return f"{usage.name} is at {used} of {usage.limit}, {allowed} are allowed, and begins anew in {left:.1f} s"
        return None

    def room_at(self, now: int, *, is_order: bool, is_quote: bool) -> int:
        """When there is room for one more request if nothing else is sent; ``now`` where there is."""
        full = self._full(now, is_order=is_order, is_quote=is_quote)
        return max((usage.until for usage, _, _ in full), default=now)

    def allowances(self, now: int) -> tuple[Allowance, ...]:
        """What is used of each counter that the venue has told. Changes nothing."""
        return tuple(
            Allowance(
                setting="account",
                rule=usage.name,
                used=usage.used + self._since(usage) if now < usage.until else 0,
                allowed=usage.limit,
            )
            for usage in self._counters.values()
        )

    def _full(self, now: int, *, is_order: bool, is_quote: bool) -> Iterator[tuple[Usage, int, int]]:
        """Counters without room: the counter, what is used of it, and what may be."""
        self._begin_anew(now)
        for usage in self._counters.values():
            if usage.counts in (Counted.ALL, Counted.ORDERS if is_order else Counted.QUESTIONS):
                allowed = max(int(usage.limit * (1.0 - self.reserve_share)), 1) if is_quote else usage.limit
                used = usage.used + self._since(usage)
                if used >= allowed:
                    yield usage, used, allowed

    def _begin_anew(self, now: int) -> None:
        """An interval that is over is followed by one of which nothing is used but what has left since."""
        for usage in [*self._counters.values()]:
            if now < usage.until:
                continue
            if usage.interval is None:
                del self._counters[usage.name]
            else:
                begin = now - (now - usage.until) % usage.interval
                anew = evolve(usage, used=0, asked_at=begin, read_at=begin, until=begin + usage.interval)
                self._counters[usage.name] = anew

    def _since(self, usage: Usage) -> int:
        begin = min(usage.read_at - nanoseconds(UNDER_WAY_SECONDS), usage.asked_at)
        others = 1 if usage.counts is Counted.ALL else 0
        cost = 0
        for time, is_order, is_question in reversed(self._sent):
            if time <= begin:
                break
            if usage.counts is Counted.ORDERS:
                cost += is_order
            else:
                cost += usage.question_cost if is_question else others
        return cost
