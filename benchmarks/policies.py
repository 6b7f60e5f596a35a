"""Policies on the recorded markets, on the same fill model: what each earned, and how many requests it took.

``default``, ``avellaneda_stoikov``, ``glft`` and ``fixed`` are the shipped services; ``refresher`` is a plain bot: a
fixed spread, all quotes replaced every 15 seconds. Bounds, sizes, limits, fees and latencies are the preset's, alike
for all, and so are the rules about requests that the presets carry, of which only ``refresher`` knows nothing. Net
profit has a block-bootstrap interval (blocks of 30 minutes of the Gemini day, of 30 seconds of the Binance capture).
"refused" is the share of placements for which Kraken's counter at the intermediate tier had no room.

    python benchmarks/policies.py --only gemini --policies default fixed --json
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, Final

from attrs import asdict, evolve

from mm_fsm import DefaultOrderService, MarketMakingContext
from mm_fsm.core.decisions import OrderChanges, OrderDraft, QuotePlan
from mm_fsm.core.messages import SIDES, OrderPurpose
from mm_fsm.core.settings import ServiceNames
from mm_fsm.estimators.bootstrap import block_bootstrap
from mm_fsm.runtime.settings_file import read_preset
from mm_fsm.search.trading import between, trade
from mm_fsm.services.registry import load_services
from mm_fsm.venues.base import time_of
from mm_fsm.venues.recorded import open_recording

DATA = Path(os.environ.get("MM_FSM_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
RECORDINGS: Final = {
    # preset, directory, files, seconds of a figure, figures of a block
    "gemini": ("gemini_ethusd", "gemini_ethusd", "*.csv.gz", 60.0, 30),
    "binance": ("binance_usdm_btcusdt", "binance_usdm_btcusdt", "*.gz", 1.0, 30),
}
PARAMETERS: Final[dict[str, dict[str, Any]]] = {
    "gemini": {"risk_aversion": 0.05, "decay_per_bps": "estimated", "intensity_per_second": "estimated"},
    "binance": {"risk_aversion": 0.001, "decay_per_bps": 1.8, "intensity_per_second": 2.5},
}
"""Of the models. Risk aversion moves quotes at the position limit by some ten basis points; nothing was searched for.
The Binance capture of eight minutes is too short for an estimate at the distances that are quoted: there A and k are
fitted to all of it, from half a basis point on, which flatters."""
POLICIES: Final = ("default", "avellaneda_stoikov", "glft", "fixed", "refresher")
REFRESH_SECONDS: Final = 15
_FOR_EVER: Final = 1 << 62


class ReplaceAll(DefaultOrderService):
    """Cancels every quote when it is old, and places all anew: no order keeps its place."""

    def __init__(self) -> None:
        self._replaced_at = -_FOR_EVER

    def plan_changes(self, context: MarketMakingContext, plan: QuotePlan) -> OrderChanges:
        """Replace all that rests every so often; between, place what a fill has taken."""
        cancels: tuple[str, ...] = ()
        live = [order for side in SIDES for order in context.live_quotes(side)]
        if context.now >= self._replaced_at + REFRESH_SECONDS * 1_000_000_000:
            self._replaced_at = context.now
            cancels = tuple(order.client_order_id for order in live if order.is_staying)
            live = [order for order in live if not order.is_staying]
        resting = {(order.side, order.level) for order in live}
        placements = tuple(
            OrderDraft(
                side=quote.side,
                price=quote.price,
                quantity=quote.quantity,
                purpose=OrderPurpose.QUOTE,
                level=quote.level,
            )
            for side in SIDES
            for quote in plan.quotes(side)
            if (side, quote.level) not in resting
        )
        return OrderChanges(cancels=cancels, placements=placements)


def strategy_of(policy: str, strategy: Any, parameters: dict[str, Any]) -> Any:
    """The preset's settings with what makes the policy."""
    options: dict[str, Any] = {}
    if policy in {"avellaneda_stoikov", "glft"}:
        options = {key: value for key, value in parameters.items() if policy == "glft" or key[0] != "i"}
    name = "fixed" if policy == "refresher" else policy
    changes: dict[str, Any] = {"services": ServiceNames(spreads=name), "service_options": {name: options}}
    if policy == "refresher":
        changes |= {"refresh_interval_seconds": REFRESH_SECONDS, "stale_move_share": 1e6, "rate_counter_limit": None}
    return evolve(strategy, **changes)


def run(name: str, policy: str, hours: float | None) -> dict[str, Any]:
    """The row of one policy on one recording."""
    preset, directory, files, step, block = RECORDINGS[name]
    configuration = read_preset(preset)
    strategy = strategy_of(policy, configuration.strategy, PARAMETERS[name])
    configuration = evolve(configuration, strategy=strategy)
    recording = open_recording(sorted((DATA / directory).glob(files)), symbol=configuration.symbol)
    market = iter(recording)
    first = next(market)
    end = _FOR_EVER if hours is None else time_of(first) + round(hours * 3600e9)
    services = load_services(strategy.services, strategy.service_options)
    if policy == "refresher":
        services = evolve(services, orders=ReplaceAll())
    figures = trade(configuration, between(recording, 0, end), step_seconds=step, services=services)
    interval = block_bootstrap(figures.profits, block=min(block, len(figures.profits)))
    return {
        "recording": name,
        "policy": policy,
        "net": interval.value,
        "net_interval": [interval.lower, interval.upper],
        "net_bps_of_volume": 1e4 * interval.value / figures.volume if figures.volume else None,
        "fills": figures.fills,
        "orders": figures.orders,
        "orders_per_fill": figures.orders_per_fill,
        "refused_share": figures.refused_share,
        "success": figures.success,
        "counts": {key: value for key, value in asdict(figures).items() if key in {"cancels", "refused", "volume"}},
    }


def main() -> int:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=RECORDINGS, default=list(RECORDINGS))
    parser.add_argument("--policies", nargs="+", choices=POLICIES, default=list(POLICIES))
    parser.add_argument("--hours", type=float, help="of each recording, from its beginning")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="one object a line")
    given = parser.parse_args()
    missing = [name for name in given.only if not (DATA / RECORDINGS[name][1]).is_dir()]
    if missing:
        print(f"no recordings of {', '.join(missing)} under {DATA}: name their directory in MM_FSM_DATA.")
        return 2
    wanted = [(name, policy, given.hours) for name in given.only for policy in given.policies]
    if not given.json:
        print(
            f"{'recording':10}{'policy':20}{'net':>9}{'95 % interval':>22}{'fills':>7}{'orders/fill':>12}{'refused':>9}"
        )
    with ProcessPoolExecutor(given.processes) as pool:
        for row in pool.map(run, *zip(*wanted, strict=True)):
            lower, upper = row["net_interval"]
            per_fill = "-" if row["orders_per_fill"] is None else f"{row['orders_per_fill']:.1f}"
            text = f"{row['recording']:10}{row['policy']:20}{row['net']:9.2f}{f'{lower:.2f} to {upper:.2f}':>22}"
            text += f"{row['fills']:7}{per_fill:>12}{row['refused_share']:9.1%}"
            print(json.dumps(row) if given.json else text, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
