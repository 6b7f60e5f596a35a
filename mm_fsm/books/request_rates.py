"""How many requests the venue takes, counted as the venue counts them: what would be refused is known beforehand.

Three kinds of rules, any of them together: a count of orders in an interval, a counter that each request raises and
time lowers, and a bound on orders for each fill. A counter makes a cancel the dearer the younger its order is. The
bound holds back quotes alone: a venue that counts so charges or slows down, and to reduce the position is worth more.

Cancels always leave and may cost much, so a quote needs room for the cancels of all that rests and for an order that
reduces the position after them: an ending never waits for the counter. Times are nanoseconds.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from typing import Protocol

from attrs import define, field

from mm_fsm.core.clock import NEVER, nanoseconds, seconds
from mm_fsm.core.rate_rules import Allowance, DecayingCounter, OrdersPerFill


class SentOrder(Protocol):
    """What of an order decides what its cancel costs."""

    placed_at: int
    cancel_in_flight: bool


@define(kw_only=True, eq=False)
class RequestRates:
    """What was sent lately, by the venue's rules.

    Args:
        most_orders: placements in an interval.
        interval: nanoseconds.
        counter: the venue's decaying counter; None where it has none.
        per_fill: the venue's bound on orders for each fill; None where it has none.
        reserve_share: share of each allowance that quotes leave to orders that reduce the position, 0 to below 1.
    """

    most_orders: int
    interval: int
    counter: DecayingCounter | None = None
    per_fill: OrdersPerFill | None = None
    reserve_share: float = 0.0

    _sent: deque[int] = field(init=False, factory=deque)
    _points: float = field(init=False, default=0.0)
    _counted_at: int = field(init=False, default=0)
    _window: int = field(init=False, default=0)
    """Number of the window in which orders are compared with fills."""
    _window_orders: int = field(init=False, default=0)
    _window_fills: int = field(init=False, default=0)

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

    def allowances(self, now: int) -> tuple[Allowance, ...]:
        """What is used of each rule. Changes nothing, not even what has become too old to count."""
        sent = sum(each > now - self.interval for each in self._sent)
        rule = f"orders in {seconds(self.interval):g} s"
        found = [Allowance(setting="max_orders_per_interval", rule=rule, used=sent, allowed=self.most_orders)]
        if self.counter is not None:
            points = self.points(now)
            rule, limit = "points of the venue's counter", self.counter.limit
            found.append(Allowance(setting="rate_counter_limit", rule=rule, used=points, allowed=limit))
        if self.per_fill is not None:
            is_current = now // self.per_fill.window <= self._window
            orders, fills = (self._window_orders, self._window_fills) if is_current else (0, 0)
            allowed = self.per_fill.allowed(fills)
            rule = f"orders for {fills} {'fill' if fills == 1 else 'fills'}"
            found.append(Allowance(setting="max_orders_per_fill", rule=rule, used=orders, allowed=allowed))
        return tuple(found)

    def cost_of_ending(self, now: int, orders: Iterable[SentOrder]) -> float:
        """Points to cancel these orders and one that is sent now, and to reduce the position; 0 without a counter."""
        counter = self.counter
        if counter is None:
            return 0.0
        cancels = [counter.cancel_points(now - each.placed_at) for each in orders if not each.cancel_in_flight]
        return math.fsum(cancels) + counter.cancel_points(0) + counter.points_per_order

    def why_not(
        self, now: int, *, is_quote: bool, ending: float = 0.0, orders: int = 0, points: float = 0.0
    ) -> str | None:
        """Why the venue, or the reserve, has no room for one more placement; None where it has.

        ``ending``: what is left room for, the cost of an ending after this placement. ``orders``, ``points``: what is
        to be sent before it, and is not counted yet.
        """
        sent, allowed = self.orders_in_interval(now) + orders, self._orders_allowed(is_quote=is_quote)
        if sent >= allowed:
            return f"{sent} orders in {seconds(self.interval):g} s, {allowed} are allowed"
        if self.counter is not None:
            raised = self.points(now) + points + self.counter.points_per_order
            most = self._points_allowed(ending, is_quote=is_quote)
            if raised > most:
                return self._over(raised, most)
        return self._too_many_for_the_fills(now, orders) if is_quote else None

    def scarcity(self, now: int, *, ending: float = 0.0) -> float:
        """How dear a request of a quote is: the share of the counter's allowance that is used; 1 without any room."""
        if self.why_not(now, is_quote=True, ending=ending) is not None:
            return 1.0
        if self.counter is None:
            return 0.0
        allowed = self._points_allowed(ending, is_quote=True)
        return self.points(now) / allowed if allowed > 0 else 1.0

    def room_at(self, now: int, *, is_quote: bool, orders: Iterable[SentOrder] | None = None) -> int:
        """When there is room for one more placement if nothing else is sent; ``now`` where there is.

        ``orders``: what rests then, where room is left for an ending. ``NEVER`` where time alone makes no room.
        """
        at, allowed = now, self._orders_allowed(is_quote=is_quote)
        if self.orders_in_interval(now) >= allowed:
            at = self._sent[-allowed] + self.interval
        if is_quote and self.per_fill is not None and self._too_many_for_the_fills(now) is not None:
            at = max(at, (self._window + 1) * self.per_fill.window)
        resting = None if orders is None else tuple(orders)
        return max(at, self._counter_has_room_at(now, is_quote=is_quote, orders=resting))

    def _counter_has_room_at(self, now: int, *, is_quote: bool, orders: tuple[SentOrder, ...] | None) -> int:
        """Time lowers the counter, and makes the cancels of what rests cheaper: at some ages, by steps."""
        counter = self.counter
        if counter is None:
            return now
        ages = [nanoseconds(age) for age, _ in counter.points_per_cancel]
        steps = {now, *(time for each in orders or () for age in ages if (time := each.placed_at + age) > now)}
        rooms = []
        for step in steps:
            ending = 0.0 if orders is None else self.cost_of_ending(step, orders)
            most = self._points_allowed(ending, is_quote=is_quote) - counter.points_per_order
            if most >= 0:
                over = max(self.points(step) - most, 0.0)
                rooms.append(step + (nanoseconds(over / counter.decay_per_second) + 1 if over else 0))
        return min(rooms, default=NEVER)

    def _orders_allowed(self, *, is_quote: bool) -> int:
        return max(int(self.most_orders * (1.0 - self.reserve_share if is_quote else 1.0)), 1)

    def _points_allowed(self, ending: float, *, is_quote: bool) -> float:
        """To where the counter may come: for quotes less the reserve, and less what an ending would add to it."""
        if self.counter is None:
            return math.inf
        share = 1.0 - self.reserve_share if is_quote else 1.0
        return min(self.counter.limit * share, self.counter.limit - ending)

    def _over(self, raised: float, most: float) -> str:
        """Why the counter has no room: what is kept free for an ending may be all that there is."""
        limit = math.inf if self.counter is None else self.counter.limit
        if most <= 0:
            return f"an ending takes all {limit:g} points of the venue's counter"
        kept = f", {limit - most:g} of {limit:g} are kept for an ending" if most < limit else ""
        return f"the venue's counter would be at {raised:.1f} of {most:g} points{kept}"

    def note_placement(self, now: int) -> None:
        """A placement leaves."""
        self.orders_in_interval(now)
        self._sent.append(now)
        self._enter_window(now)
        self._window_orders += 1
        if self.counter is not None:
            self._raise(now, self.counter.points_per_order)

    def note_fill(self, now: int) -> None:
        """An own order traded."""
        self._enter_window(now)
        self._window_fills += 1

    def note_cancel(self, now: int, age: int) -> None:
        """A cancel of an order of this age leaves. Cancels always leave; they only cost."""
        if self.counter is not None:
            self._raise(now, self.counter.cancel_points(age))

    def take_back_placement(self) -> None:
        """The latest placement never left."""
        if self._sent:
            self._sent.pop()
            self._window_orders = max(self._window_orders - 1, 0)
            if self.counter is not None:
                self._points = max(self._points - self.counter.points_per_order, 0.0)

    def take_over(self, before: RequestRates) -> None:
        """Go on from what an earlier process sent: the venue counts the account's requests, not the process's.

        Rules are this object's own, where settings have changed meanwhile.
        """
        self._sent = deque(before._sent)
        self._points, self._counted_at = before._points, before._counted_at
        if self.per_fill == before.per_fill:  # else its windows are numbered otherwise
            self._window, self._window_orders = before._window, before._window_orders
            self._window_fills = before._window_fills

    def snapshot(self) -> tuple[float, ...]:
        """Everything that later answers depend on, in a fixed order: for digests."""
        window = (self._window, self._window_orders, self._window_fills)
        return (self._points, self._counted_at, *window, *self._sent)

    def _enter_window(self, now: int) -> None:
        if self.per_fill is not None and now // self.per_fill.window > self._window:
            self._window = now // self.per_fill.window
            self._window_orders = self._window_fills = 0

    def _too_many_for_the_fills(self, now: int, orders: int = 0) -> str | None:
        if self.per_fill is None:
            return None
        self._enter_window(now)
        allowed = self.per_fill.allowed(self._window_fills) * (1.0 - self.reserve_share)
        placed = self._window_orders + orders
        if placed + 1 <= allowed:
            return None
        return f"{placed} orders for {self._window_fills} fills, {allowed:g} are allowed"

    def _raise(self, now: int, points: float) -> None:
        self._points = self.points(now) + points
        self._counted_at = max(now, self._counted_at)
