"""Feeds millions of facts through one machine with its journal on, and reports how memory and file size go on.

The market is as cheap as one can be, so that the time goes to the machine and its journal: a mid that walks between two
bounds, one level a side, a taker now and then who reaches the quotes. Orders, answers, fills and timers come from the
paper exchange. The slope is that of a straight line through the resident memory of the second half, when every memory
that is bounded is full: ``python benchmarks/journal_soak.py --facts 10000000``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from random import Random

from attrs import define, field

from mm_fsm.books.facts import MarketBook, MarketTrade
from mm_fsm.core.instrument import Balances, Fees, Instrument
from mm_fsm.core.messages import BookLevel, Side
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.runtime.journal import JournalSettings, verify_run
from mm_fsm.runtime.recovery import OpenRun, RunPlan, open_run
from mm_fsm.runtime.runner import SessionRunner
from mm_fsm.venues.base import MarketEvent
from mm_fsm.venues.paper import PaperExchange, PaperSettings, PaperVenue, paper_terms

SAMPLES = 100
LINES = 20
"""How many of the samples are printed as they come."""
SYMBOL = "ETH/USD"
INSTRUMENT = Instrument(
    symbol=SYMBOL,
    base_currency="ETH",
    quote_currency="USD",
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.0001"),
    minimum_notional=Decimal(5),
)
FEES = Fees(maker_bps=Decimal(1), taker_bps=Decimal(5))
BALANCES = Balances(base=Decimal(1000), quote=Decimal(2_000_000))
SETTINGS = MarketMakingSettings(symbol=SYMBOL, num_price_levels=1, max_drawdown=Decimal(10) ** 9)

EVENT_NANOSECONDS = 200_000_000
STEP = Decimal("0.05")
STEPS = 400
"""The mid stays within so many steps of 2000."""
TAKER_EVERY = 40
"""Events to one taker."""
TAKER_REACH = Decimal("1.5")
"""How far from the mid a taker goes, quote currency: beyond the innermost quotes."""


@define
class Walk:
    """A market without end whose prices come back: books, and takers of either side in turn by chance."""

    random: Random
    levels: list[tuple[tuple[BookLevel], tuple[BookLevel]]] = field(init=False)
    """Bids and asks for each place of the mid."""

    def __attrs_post_init__(self) -> None:
        mids = [2000 + STEP * number for number in range(-STEPS, STEPS + 1)]
        size = Decimal(3)
        self.levels = [((BookLevel(mid - STEP, size),), (BookLevel(mid + STEP, size),)) for mid in mids]

    def __iter__(self) -> Iterator[MarketEvent]:
        """Yield books, and a trade in place of every ``TAKER_EVERY``-th."""
        place, last, time_now = STEPS, 2 * STEPS, 0
        while True:
            for _ in range(TAKER_EVERY - 1):
                place = min(max(place + (1 if self.random.random() < 0.5 else -1), 0), last)  # noqa: PLR2004 - a coin
                bids, asks = self.levels[place]
                yield MarketBook(received_at=time_now, symbol=SYMBOL, bids=bids, asks=asks, exchange_time=time_now)
                time_now += EVENT_NANOSECONDS
            yield self._taker(bids[0].price + STEP, time_now)
            time_now += EVENT_NANOSECONDS

    def _taker(self, mid: Decimal, time_now: int) -> MarketTrade:
        side = Side.BID if self.random.random() < 0.5 else Side.ASK  # noqa: PLR2004 - a coin
        return MarketTrade(
            received_at=time_now,
            symbol=SYMBOL,
            price=mid + side.sign * TAKER_REACH,
            size=Decimal("0.03") + Decimal("0.001") * self.random.randrange(50),
            taker_side=side,
            trade_id=f"taker-{time_now}",
            exchange_time=time_now,
        )


def resident_bytes() -> int:
    """Resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096


def slope(points: list[tuple[int, int]]) -> float:
    """Least squares: bytes a fact."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)


@define
class Soak:
    """One run of so many facts, and what was seen of it."""

    facts: int
    points: list[tuple[int, int]] = field(factory=list)
    """Facts so far and resident bytes."""
    largest_file: int = 0
    kinds: Counter[str] = field(factory=Counter)
    seconds: float = 0.0

    def run(self, opened: OpenRun, seed: int) -> None:
        """Step until there were enough facts, or the machine has ended."""
        exchange = PaperExchange(
            INSTRUMENT, FEES, BALANCES, PaperSettings(market_data_latency_seconds=0, history_seconds=600)
        )
        walk = Walk(Random(seed))  # noqa: S311 - simulates
        runner = SessionRunner(opened.machine, PaperVenue(paper_terms(INSTRUMENT, FEES, BALANCES), walk, exchange))
        began = time.perf_counter()
        every = max(self.facts // SAMPLES, 1)
        for count, result in enumerate(runner.run(), start=1):
            self.kinds[type(result.fact).__name__] += 1
            if count % every == 0:
                self._sample(opened, count, time.perf_counter() - began)
            if count == self.facts:
                break
        self.seconds = time.perf_counter() - began

    def _sample(self, opened: OpenRun, count: int, seconds: float) -> None:
        resident, size = resident_bytes(), opened.journal.status.size
        self.points.append((count, resident))
        self.largest_file = max(self.largest_file, size)
        if len(self.points) % (SAMPLES // LINES) == 0:
            print(
                f"{count:>10} facts, {seconds:6.0f} s, {seconds / count * 1e6:4.0f} us a fact, "
                f"{opened.machine.machine.context.fill_count} fills, resident {resident / 1e6:.1f} MB, "
                f"journal {size / 1e6:.1f} MB",
                flush=True,
            )

    def report(self, opened: OpenRun) -> str:
        """The figures, as text."""
        context, status, points = opened.machine.machine.context, opened.journal.status, self.points
        middle = len(points) // 2
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.kinds.most_common())
        return (
            f"{points[-1][0]} facts in {self.seconds:.0f} s, state {context.current_state}: {kinds}\n"
            f"{context.fill_count} fills, {context.next_order_number - 1} orders, {status.records} records, "
            f"{status.segments} segments begun\n"
            f"resident memory {points[0][1] / 1e6:.1f} MB at the first sample, {points[middle][1] / 1e6:.1f} MB half "
            f"way, {points[-1][1] / 1e6:.1f} MB at the end\n"
            f"slope of the second half {slope(points[middle:]):+.4f} bytes a fact\n"
            f"journal {status.size / 1e6:.1f} MB, {self.largest_file / 1e6:.1f} MB at most"
        )


def main() -> int:
    """Run, and say what was seen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--facts", type=int, default=100_000)
    parser.add_argument("--market-data", action="store_true", help="record books, trades and timers too")
    parser.add_argument("--megabytes", type=int, default=50, help="the journal's allowed size")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}, journal of {arguments.megabytes} MB allowed", flush=True)
    with tempfile.TemporaryDirectory() as directory:
        plan = RunPlan(
            path=Path(directory) / "soak.journal",
            settings=SETTINGS,
            instrument=INSTRUMENT,
            fees=FEES,
            balances=BALANCES,
            journal_settings=JournalSettings(
                record_market_data=arguments.market_data, max_megabytes=arguments.megabytes
            ),
        )
        soak = Soak(arguments.facts)
        with open_run(plan) as opened:
            soak.run(opened, arguments.seed)
            print(soak.report(opened), flush=True)
        print(verify_run(plan.path))
    return 0


if __name__ == "__main__":
    sys.exit(main())
