"""The simulation table of Avellaneda and Stoikov (Quantitative Finance 8, 2008, p. 217-224) through the whole machine.

s = 100, T = 1 s, sigma = 2 per square-root second, dt = 0.005 s, k = 1.5, A = 140, orders of 1, at most one taker
a side and step. The shipped service ``avellaneda_stoikov`` prices, the machine places on the paper exchange; fees,
latency, queue, floors, clamps, limits and tolerances are off. Published for gamma 0.1 and 1000 paths:

    strategy    profit  deviation  final inventory  deviation
    inventory     65.0        6.6             0.08        2.9
    symmetric     68.4       12.7             0.26        8.4

    python benchmarks/avellaneda_stoikov.py --gamma 0.1 --strategy inventory --paths 100 --json
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from decimal import Decimal
from functools import partial
from typing import Any, Final

from mm_fsm import MarketMakingStateMachine
from mm_fsm.books.facts import MarketBook
from mm_fsm.core.instrument import Balances, Fees, Instrument, InstrumentKind
from mm_fsm.core.messages import BookLevel
from mm_fsm.core.settings import MarketMakingSettings, ServiceNames
from mm_fsm.runtime.runner import SessionRunner
from mm_fsm.venues.base import MarketEvent
from mm_fsm.venues.paper import PaperAccount, PaperSettings, QueueModel
from mm_fsm.venues.simulator import MarketSimulator, PriceProcess, SimulatorSettings, TakerArrivals

SECOND: Final = 1_000_000_000
START_PRICE, SIGMA, DECAY, INTENSITY, HORIZON, STEP = 100, 2.0, 1.5, 140.0, 1.0, 0.005
WARM_UP_STEPS: Final = 20
"""Books of a market that stands still before the first step, until the machine quotes."""
STARTS_AT: Final = 1_000 * SECOND

INSTRUMENT: Final = Instrument(
    symbol="AS",
    base_currency="A",
    quote_currency="S",
    tick_size=Decimal("0.0001"),
    lot_size=Decimal(1),
    kind=InstrumentKind.LINEAR,
)
FREE: Final[dict[str, Any]] = {
    "min_spread_bps": 0.001,
    "min_edge_bps": 0,
    "max_spread_bps": 5_000,
    "max_market_spread_bps": 5_000,
    "price_band_bps": 9_000,
    "max_jump_bps": 5_000,
    "touch_size_share": 0,
    "trade_beyond_book_bps": 5_000,
    "adverse_selection_bps": 5_000,
    "num_price_levels": 1,
    "base_order_size": 150,  # quote currency: one lot, wherever the price goes
    "max_position_size": 1_000_000,
    "max_quote_exposure": 1_000_000_000,
    "max_inventory_pct": 1_000_000,
    "min_liquidation_distance": 0,
    "max_drawdown": 1_000_000_000,
    "max_orders_per_interval": 1_000_000,
    "refresh_interval_seconds": 0.001,
    "stale_move_share": 1e-9,
    "requote_tolerance_away_share": 0,
    "requote_tolerance_towards_share": 0,
    "volatility_sample_seconds": STEP,
    "warm_up_samples": 2,
}
"""Bounds, limits and tolerances that never act."""


def settings(gamma: float, strategy: str) -> MarketMakingSettings:
    """What the machine is given."""
    options = {
        "risk_aversion": gamma,
        "decay_per_price": DECAY,
        "volatility_price_per_sqrt_s": SIGMA,
        "horizon_seconds": HORIZON,
        "symmetric": strategy == "symmetric",
    }
    return MarketMakingSettings(
        symbol=INSTRUMENT.symbol,
        session_seconds=HORIZON + WARM_UP_STEPS * STEP,
        services=ServiceNames(spreads="avellaneda_stoikov"),
        service_options={"avellaneda_stoikov": options},
        **FREE,
    )


def market(seed: int) -> Iterator[MarketEvent]:
    """One path of the paper's market, after a market that stands still."""
    half = Decimal(START_PRICE) / 20
    for number in range(-WARM_UP_STEPS, 0):
        time = STARTS_AT + round(number * STEP * SECOND)
        yield MarketBook(
            received_at=time,
            symbol=INSTRUMENT.symbol,
            bids=(BookLevel(START_PRICE - half, Decimal(10)),),
            asks=(BookLevel(START_PRICE + half, Decimal(10)),),
            exchange_time=time,
            includes_own_orders=False,
        )
    yield from MarketSimulator(
        SimulatorSettings(
            instrument=INSTRUMENT,
            seed=seed,
            start_time=STARTS_AT,
            start_price=Decimal(START_PRICE),
            level_size=Decimal(10),
            taker_size=Decimal(1),
            duration_seconds=HORIZON + 2 * STEP,
            step_seconds=STEP,
            price_process=PriceProcess.ARITHMETIC,
            volatility_bps_per_sqrt_second=SIGMA / START_PRICE * 1e4,
            spread_bps=1_000.0,
            levels=1,
            taker_arrivals=TakerArrivals.AT_MOST_ONE,
            takers_per_second=INTENSITY,
            taker_depth_bps=1e4 / START_PRICE / DECAY,
            taker_size_dispersion=0.0,
            impact_bps=0.0,
            bursts_per_hour=0.0,
        )
    )


def run_path(gamma: float, strategy: str, seed: int) -> tuple[float, float]:
    """Profit in quote currency and final position of one path."""
    account = PaperAccount(
        instrument=INSTRUMENT,
        fees=Fees(maker_bps=Decimal(0), taker_bps=Decimal(0)),
        balances=Balances(base=Decimal(0), quote=Decimal(1_000_000)),
        exchange=PaperSettings(
            order_latency_seconds=0, response_latency_seconds=0, market_data_latency_seconds=0, queue=QueueModel.FRONT
        ),
    )
    machine = MarketMakingStateMachine(settings(gamma, strategy), account.instrument, account.fees, account.balances)
    runner = SessionRunner(machine, account.on(market(seed)))
    while runner.now < STARTS_AT + HORIZON * SECOND:
        for result in runner.advance():
            if result.faults:
                raise RuntimeError(f"seed {seed}: {result.faults}")
    return float(machine.context.net_pnl), float(machine.context.base_position)


def table(gamma: float, strategy: str, paths: int, processes: int = 1) -> dict[str, float]:
    """Means and deviations over paths."""
    run = partial(run_path, gamma, strategy)
    with ProcessPoolExecutor(processes) if processes > 1 else nullcontext() as pool:
        found = list(pool.map(run, range(paths), chunksize=10) if pool else map(run, range(paths)))
    profits, inventories = zip(*found, strict=True)
    return {
        "profit": statistics.fmean(profits),
        "profit_deviation": statistics.stdev(profits),
        "inventory": statistics.fmean(inventories),
        "inventory_deviation": statistics.stdev(inventories),
    }


def main() -> int:
    """Print the table's row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gamma", type=float, default=0.1, help="risk aversion, 1/quote currency")
    parser.add_argument("--strategy", choices=("inventory", "symmetric"), default="inventory")
    parser.add_argument("--paths", type=int, default=1_000)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.paths < 2 or given.processes < 1:  # noqa: PLR2004 - a deviation
        parser.error("expected at least 2 paths and 1 process")
    row = table(given.gamma, given.strategy, given.paths, given.processes)
    if given.json:
        print(json.dumps(row | {"gamma": given.gamma, "strategy": given.strategy, "paths": given.paths}))
    else:
        print(f"gamma {given.gamma:g}, {given.strategy}, {given.paths} paths")
        for name, value in row.items():
            print(f"{name:20} {value:8.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
