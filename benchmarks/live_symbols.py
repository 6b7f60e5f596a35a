"""Many markets in one process, live: how long a book waits for its step, and what the loop, the limits and memory say.

A rehearsal exchange in a process of its own streams ten books a second for each market; one process makes all of them
through ccxt, account layer and journal, as ``mm-fsm run --live`` does. A book's wait is from the exchange's stamp to
the end of its step, both by this machine's clock; the stamp has whole milliseconds, so a wait is up to one too long.

On a machine whose cores the two share, the exchange's own work is part of every wait.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import define, field, frozen
from rehearsed_run import Exchange, live_run, quantile, rehearsal, resident_bytes, spread

from mm_fsm.books.facts import MarketBook
from mm_fsm.core.messages import Fact
from mm_fsm.runtime.pushed_supervisor import PushedSupervisor
from mm_fsm.testing.rehearsal.judge import OrderAccepted, RehearsalLog, RequestAnswered
from mm_fsm.testing.rehearsal.terms import RequestLimits

SYMBOLS = 100
SECONDS = 60.0
LONGEST_START_SECONDS = 300.0
LAG_SECONDS = 0.02
MINUTE = 60 * 10**9
DEFAULTS = """
[defaults.account]
max_requests = 3000

[defaults.strategy]
num_price_levels = 1
base_order_size = 50
target_spread_bps = 20
refresh_interval_seconds = 30
volatility_sample_seconds = 0.5
"""


@define
class Figures:
    """What is measured while the markets are made."""

    is_on: bool = False
    waits: defaultdict[str, list[float]] = field(factory=lambda: defaultdict(list))
    """Seconds from a book's stamp to the end of its step, by market."""
    steps: list[float] = field(factory=list)
    """Seconds of each step, its record and the handing over of its intents."""
    books: Counter[str] = field(factory=Counter)
    """By market."""
    lags: list[float] = field(factory=list)
    """Seconds by which the loop was late for a timer."""

    def timed(self, take: Callable[[Fact], None]) -> Callable[[Fact], None]:
        """The same, measured."""

        def take_timed(fact: Fact) -> None:
            began = time.perf_counter()
            take(fact)
            if self.is_on and isinstance(fact, MarketBook):
                self.books[fact.symbol] += 1
                if fact.exchange_time is not None:
                    self.waits[fact.symbol].append((time.time_ns() - fact.exchange_time) / 1e9)
            if self.is_on:
                self.steps.append(time.perf_counter() - began)

        return take_timed

    async def watch_lag(self) -> None:
        """Measure how late the loop is, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LAG_SECONDS
            await asyncio.sleep(LAG_SECONDS)
            if self.is_on:
                self.lags.append(loop.time() - due)


def measure(place: Path, symbols: list[str], seconds: float) -> dict[str, Any]:
    """Make the markets for so many seconds once all of them have books and are reconciled."""
    figures, began = Figures(), time.monotonic()
    with (
        rehearsal(place, symbols, "--seed", "7") as exchange,
        live_run(place, symbols, DEFAULTS, base=5, quote=900) as supervisor,
    ):
        opened = time.monotonic() - began
        for session in supervisor.sessions:
            session.runner.take = figures.timed(session.runner.take)  # type: ignore[method-assign]
        lag = supervisor._loop.create_task(figures.watch_lag())
        found = run(supervisor, exchange, figures, seconds)
        lag.cancel()
        log = exchange.log
    return {
        "symbols": len(symbols),
        "seconds_to_open": round(opened, 1),
        **found,
        **requests(log),
        "orders": sum(1 for _ in log.of(OrderAccepted)),
        "fills": len(log.fills()),
        "open_orders_at_the_end": len(log.open_orders()),
    }


@frozen
class Mark:
    """A moment: the clock's and the processors' seconds, and memory in bytes."""

    clock: float
    own: float
    exchange: float
    memory: int

    @classmethod
    def now(cls, exchange: Exchange) -> Mark:
        """This moment."""
        return cls(time.monotonic(), time.process_time(), exchange.processor_seconds(), resident_bytes())


def run(supervisor: PushedSupervisor, exchange: Exchange, figures: Figures, seconds: float) -> dict[str, Any]:
    """Run the sessions to their end, and tell what was measured."""
    opened = Mark.now(exchange)
    begun = ended = None
    made = 0
    for _ in supervisor.run():
        now = time.monotonic()
        if begun is None:
            made = sum(map(is_made, supervisor.sessions))
            if made == len(supervisor.sessions) or now > opened.clock + LONGEST_START_SECONDS:
                begun, figures.is_on = Mark.now(exchange), True
        elif ended is None and now > begun.clock + seconds:
            ended, figures.is_on = Mark.now(exchange), False
            supervisor.request_stop("measured")
    if begun is None or ended is None:
        raise RuntimeError("the sessions ended before anything was measured")
    return {
        "seconds_until_all_are_made": round(begun.clock - opened.clock, 1),
        "made": made,
        **told(figures, begun, ended),
        "sessions_ended": sum(session.machine.is_final for session in supervisor.sessions),
    }


def told(figures: Figures, begun: Mark, ended: Mark) -> dict[str, Any]:
    """What was measured between two moments."""
    elapsed = ended.clock - begun.clock
    medians = [quantile(waits, 0.5) for waits in figures.waits.values()]
    slowest, quickest, books = max(medians), min(medians), figures.books.total()
    return {
        "seconds": round(elapsed, 1),
        "books_a_second": round(books / elapsed, 1),
        "fewest_books_a_second_of_a_symbol": round(min(figures.books.values()) / elapsed, 2),
        "wait_ms_of_the_quickest_symbol": round(quickest * 1e3, 2),
        "wait_ms_of_the_slowest_symbol": round(slowest * 1e3, 2),
        "slowest_to_quickest": round(slowest / quickest, 2),
        "wait_ms": spread([wait for waits in figures.waits.values() for wait in waits]),
        "step_ms": spread(figures.steps),
        "loop_lag_ms": spread(figures.lags),
        "processor_share": round((ended.own - begun.own) / elapsed, 2),
        "processor_share_of_the_exchange": round((ended.exchange - begun.exchange) / elapsed, 2),
        "processor_ms_of_a_book": round((ended.own - begun.own) / books * 1e3, 3),
        "processor_ms_of_a_book_of_the_exchange": round((ended.exchange - begun.exchange) / books * 1e3, 3),
        "memory_mb": round(ended.memory / 2**20, 1),
        "memory_mb_at_the_start": round(begun.memory / 2**20, 1),
    }


def is_made(session: Any) -> bool:
    """Whether a market has books and its account is reconciled."""
    context = session.machine.context
    return context.mid_price is not None and context.reconciliation.is_complete


def requests(log: RehearsalLog) -> dict[str, Any]:
    """Request weight by minute of the exchange's clock, and what was refused."""
    minutes: Counter[int] = Counter()
    kinds: Counter[str] = Counter()
    refused = 0
    for request in log.of(RequestAnswered):
        minutes[request.time // MINUTE] += request.weight
        kinds[f"{request.method} {request.path.rpartition('/')[2]}"] += request.weight
        refused += request.status in {418, 429}
    return {
        "weight_by_minute": [weight for _, weight in sorted(minutes.items())],
        "weight_limit_a_minute": RequestLimits().weight_per_minute,
        "weight_by_request": dict(kinds.most_common()),
        "requests_refused": refused,
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--symbols", type=int, default=SYMBOLS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    options = parser.parse_args()
    symbols = [f"A{number:02}/USDT" for number in range(options.symbols)]
    with tempfile.TemporaryDirectory() as directory:
        found = measure(Path(directory), symbols, options.seconds)
    if options.json:
        print(json.dumps(found, indent=2))
        return 0
    for name, figure in found.items():
        shown = "  ".join(f"{key} {value}" for key, value in figure.items()) if isinstance(figure, dict) else figure
        print(f"{name.replace('_', ' '):40} {shown}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
