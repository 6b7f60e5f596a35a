"""How many requests the venue takes, counted as the venue counts them: what would be refused is known beforehand.

Two kinds of rules, either or both: a count of orders in an interval, and a counter that each request raises and time
lowers. A counter of the second kind makes a cancel the dearer the younger its order is. Times are nanoseconds.
"""

from __future__ import annotations

from collections import deque

from attrs import define, field

from mm_fsm.core.clock import nanoseconds, seconds
from mm_fsm.core.rate_rules import DecayingCounter


@define(kw_only=True, eq=False)
class RequestRates:
    """What was sent lately, by the venue's rules.

    Args:
        most_orders: placements in an interval.
        interval: nanoseconds.
        counter: the venue's decaying counter; None where it has none.
        reserve_share: share of each allowance that quotes leave to orders that reduce the position, 0 to below 1.
    """

    most_orders: int
    interval: int
    counter: DecayingCounter | None = None
    reserve_share: float = 0.0

    _sent: deque[int] = field(init=False, factory=deque)
    _points: float = field(init=False, default=0.0)
    _counted_at: int = field(init=False, default=0)

    def points(self, now: int) -> float:
        """The counter as the venue has it; 0 without one."""
        if self.counter is None:
            return 0.0
        return max(self._points - seconds(max(now - self._counted_at, 0)) * self.counter.decay_per_second, 0.0)

    def orders_in_interval(self, now: int) -> int:
        """Placements in the interval that ends now."""
        while self._sent and self._sent[0] <= now - self.interval:
            self._sent.popleft()
        return len(self._sent)

    def why_not(self, now: int, *, is_quote: bool) -> str | None:
        """Why the venue, or the reserve, has no room for one more placement; None where it has."""
        share = 1.0 - self.reserve_share if is_quote else 1.0
        allowed = max(int(self.most_orders * share), 1)
        sent = self.orders_in_interval(now)
        if sent >= allowed:
            return f"{sent} orders in {seconds(self.interval):g} s, {allowed} are allowed"
        if self.counter is not None:
            points = self.points(now) + self.counter.points_per_order
            if points > self.counter.limit * share:
                return f"the venue's counter would be at {points:.1f} of {self.counter.limit * share:g} points"
        return None

    def room_at(self, now: int, *, is_quote: bool) -> int:
        """When there is room for one more placement if nothing else is sent; ``now`` where there is."""
        share = 1.0 - self.reserve_share if is_quote else 1.0
        at = now
        allowed = max(int(self.most_orders * share), 1)
        if self.orders_in_interval(now) >= allowed:
            at = self._sent[-allowed] + self.interval
        if self.counter is not None:
            over = self.points(now) + self.counter.points_per_order - self.counter.limit * share
            if over > 0:
                at = max(at, now + nanoseconds(over / self.counter.decay_per_second) + 1)
        return at

    def note_placement(self, now: int) -> None:
        """A placement leaves."""
        self.orders_in_interval(now)
        self._sent.append(now)
        if self.counter is not None:
            self._raise(now, self.counter.points_per_order)

    def note_cancel(self, now: int, age: int) -> None:
        """A cancel of an order of this age leaves. Cancels always leave; they only cost."""
        if self.counter is not None:
            self._raise(now, self.counter.cancel_points(age))

    def take_back_placement(self) -> None:
        """The latest placement never left."""
        if self._sent:
            self._sent.pop()
            if self.counter is not None:
                self._points = max(self._points - self.counter.points_per_order, 0.0)

    def snapshot(self) -> tuple[float, ...]:
        """Everything that later answers depend on, in a fixed order: for digests."""
        return (self._points, self._counted_at, *self._sent)

    def _raise(self, now: int, points: float) -> None:
        self._points = self.points(now) + points
        self._counted_at = max(now, self._counted_at)
