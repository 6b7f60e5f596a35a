"""What a step's changes of quotes may cost, added up before any of them is decided.

A replacement costs its cancel and its placement, and what it leaves in the book has to be cancelled some day. So one is
paid for as a whole, or not begun: a cancel without its placement would leave a side empty.
"""

from __future__ import annotations

from attrs import define, field

from mm_fsm.books.request_rates import RequestRates, SentOrder


@define(kw_only=True)
class RequestBudget:
    """Room for quotes, of which each cancel and each placement takes its part. Nothing is sent here.

    Args:
        rates: what was sent so far.
        now: nanoseconds.
        ending: what it costs to end with the orders that are in the book now (``RequestRates.cost_of_ending``).
    """

    rates: RequestRates
    now: int
    _ending: float
    _orders: int = field(init=False, default=0)
    _points: float = field(init=False, default=0.0)

    def cancel(self, order: SentOrder) -> None:
        """An order goes, whatever that costs."""
        cost = self._cost_of(order)
        self._points += cost
        self._ending -= cost

    def place(self, replaced: SentOrder | None = None) -> bool:
        """Take one placement, and the cancel of the order that it replaces; whether there was room for both."""
        cancel = 0.0 if replaced is None else self._cost_of(replaced)
        why_not = self.rates.why_not(
            self.now,
            is_quote=True,
            ending=self._ending - cancel + (0.0 if replaced is None else self._spare),
            orders=self._orders,
            points=self._points + cancel,
        )
        if why_not is not None:
            return False
        if replaced is not None:
            self.cancel(replaced)
        counter = self.rates.counter
        self._orders += 1
        if counter is not None:
            self._points += counter.points_per_order
            self._ending += counter.cancel_points(0)
        return True

    @property
    def _spare(self) -> float:
        """What an improvement leaves free: one order, and its cancel some day, to fill a gap."""
        counter = self.rates.counter
        return 0.0 if counter is None else counter.points_per_order + counter.cancel_points(0)

    def _cost_of(self, order: SentOrder) -> float:
        counter = self.rates.counter
        return 0.0 if counter is None else counter.cancel_points(self.now - order.placed_at)
