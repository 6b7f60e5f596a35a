"""Feeds millions of facts through one machine with its journal on, and reports how memory and file size go on.

The slope is that of a straight line through the resident memory of the second half, when every bounded memory is full:
``python benchmarks/journal_soak.py --facts 10000000``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path

from mm_fsm.core.instrument import Balances, Fees, Instrument
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.runtime.journal import JournalSettings
from mm_fsm.runtime.recovery import RunPlan, open_run
from mm_fsm.runtime.runner import SessionRunner
from mm_fsm.venues.paper import PaperExchange, PaperSettings
from mm_fsm.venues.simulator import MarketSimulator, SimulatorSettings

SAMPLES = 100
INSTRUMENT = Instrument(
    symbol="ETH/USD",
    base_currency="ETH",
    quote_currency="USD",
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.0001"),
    minimum_notional=Decimal(5),
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


def main() -> int:
    """Run until enough facts were stepped."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--facts", type=int, default=100_000)
    parser.add_argument("--market-data", action="store_true")
    parser.add_argument("--megabytes", type=int, default=50)
    arguments = parser.parse_args()
    balances = Balances(base=Decimal(1000), quote=Decimal(2_000_000))
    with tempfile.TemporaryDirectory() as directory:
        plan = RunPlan(
            path=Path(directory) / "soak.journal",
            settings=MarketMakingSettings(symbol=INSTRUMENT.symbol, max_drawdown=Decimal(10) ** 9),
            instrument=INSTRUMENT,
            fees=Fees(maker_bps=Decimal(0), taker_bps=Decimal(5)),
            balances=balances,
            journal_settings=JournalSettings(
                record_market_data=arguments.market_data, max_megabytes=arguments.megabytes
            ),
        )
        market = MarketSimulator(
            SimulatorSettings(
                instrument=INSTRUMENT,
                seed=7,
                start_price=Decimal(2000),
                level_size=Decimal(1),
                taker_size=Decimal("0.3"),
                duration_seconds=1e9,
                volatility_bps_per_sqrt_second=0.2,
                impact_bps=0.0,
                bursts_per_hour=0.0,
            )
        )
        exchange = PaperExchange(INSTRUMENT, plan.fees, balances, PaperSettings(history_seconds=600))
        opened = open_run(plan)
        runner = SessionRunner(opened.machine, market, exchange)
        points: list[tuple[int, int]] = []
        began = time.perf_counter()
        for count, _ in enumerate(runner.run(), start=1):
            if count % (arguments.facts // SAMPLES) == 0:
                points.append((count, resident_bytes()))
            if count == arguments.facts:
                break
        seconds = time.perf_counter() - began
        status, context = opened.journal.status, opened.machine.machine.context
        opened.close()
    second_half = points[len(points) // 2 :]
    print(
        f"{count} facts in {seconds:.0f} s, state {context.current_state}, {context.fill_count} fills, "
        f"{context.next_order_number - 1} orders, {status.records} records\n"
        f"resident memory {points[0][1] / 1e6:.1f} MB at the start, {points[len(points) // 2][1] / 1e6:.1f} MB half "
        f"way, {points[-1][1] / 1e6:.1f} MB at the end\n"
        f"slope of the second half {slope(second_half):+.3f} bytes a fact\n"
        f"journal {status.size / 1e6:.1f} MB of {arguments.megabytes} MB allowed, {status.segments} segments begun"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
