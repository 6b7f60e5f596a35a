"""How near a run came to each rule of the venue about requests."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from attrs import define, field

from mm_fsm.books.request_rates import RequestRates
from mm_fsm.core.clock import NANOSECONDS_PER_MILLISECOND, seconds
from mm_fsm.core.rate_rules import OrdersPerFill
from mm_fsm.report.figures import RequestBudgetFigures


@define
class _Peak:
    """The moment at which most of an allowance was used."""

    used: float = 0.0
    limit: float = 0.0
    share: float = -1.0
    at: int | None = None

    def note(self, used: float, limit: float, now: int) -> None:
        share = used / limit if limit > 0 else float(used > 0)
        if share > self.share:
            self.used, self.limit, self.share, self.at = used, limit, share, now


@define(eq=False)
class RequestPeaks:
    """Counts the placements of each step as the machine's own rates do, without touching those."""

    _sent: deque[int] = field(init=False, factory=deque)
    _window: int = field(init=False, default=-1)
    _window_orders: int = field(init=False, default=0)
    _window_fills: int = field(init=False, default=0)
    _interval: _Peak = field(init=False, factory=_Peak)
    _counter: _Peak = field(init=False, factory=_Peak)
    _per_fill: _Peak = field(init=False, factory=_Peak)

    def note(self, now: int, placements: int, rates: RequestRates) -> None:
        """A step with requests has left, so many of them placements."""
        sent = self._sent
        sent.extend([now] * placements)
        while sent and sent[0] <= now - rates.interval:
            sent.popleft()
        self._interval.note(len(sent), rates.most_orders, now)
        if rates.counter is not None:
            self._counter.note(rates.points(now), rates.counter.limit, now)
        if rates.per_fill is not None:
            self._enter_window(now, rates.per_fill)
            self._window_orders += placements
            self._per_fill.note(self._window_orders, rates.per_fill.allowed(self._window_fills), now)

    def note_fills(self, now: int, fills: int, rates: RequestRates) -> None:
        """So many own orders traded."""
        if rates.per_fill is not None:
            self._enter_window(now, rates.per_fill)
            self._window_fills += fills

    def _enter_window(self, now: int, rule: OrdersPerFill) -> None:
        if now // rule.window != self._window:
            self._window, self._window_orders, self._window_fills = now // rule.window, 0, 0

    def figures(self, rates: RequestRates) -> Iterator[RequestBudgetFigures]:
        """One for each rule that the settings have."""
        yield _figures("orders_in_interval", f"orders in {seconds(rates.interval):g} s", self._interval)
        if rates.counter is not None:
            yield _figures("counter", "points", self._counter)
        if rates.per_fill is not None:
            window = f"orders in {seconds(rates.per_fill.window):g} s, with the fills so far"
            yield _figures("orders_per_fill", window, self._per_fill)


def _figures(rule: str, unit: str, peak: _Peak) -> RequestBudgetFigures:
    return RequestBudgetFigures(
        rule=rule,
        limit=float(peak.limit),
        unit=unit,
        most_used=float(peak.used),
        used_share=max(peak.share, 0.0),
        at_ms=None if peak.at is None else peak.at // NANOSECONDS_PER_MILLISECOND,
    )
