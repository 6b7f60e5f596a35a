"""How often each threshold that guards money acted on the recorded markets: the default policy, the shipped presets.

One that never acted has not been seen to cost anything there, nor to help: its tests under ``tests/money`` say what it
is for. Counts are of beginnings: a doubt that lasts is one. "steps" counts facts that the machine took meanwhile.

    python benchmarks/thresholds.py --only gemini --json
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

from attrs import define, field

from mm_fsm.books.facts import MarketTrade
from mm_fsm.books.reference_price import DoubtKind
from mm_fsm.core.decisions import FaultCode
from mm_fsm.core.messages import SIDES, Side
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.runner import SessionRunner
from mm_fsm.runtime.settings_file import read_preset
from mm_fsm.search.trading import between
from mm_fsm.venues.base import time_of
from mm_fsm.venues.paper import PaperAccount
from mm_fsm.venues.recorded import open_recording

DATA = Path(os.environ.get("MM_FSM_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
RECORDINGS: Final = {
    "gemini": ("gemini_ethusd", "gemini_ethusd", "*.csv.gz"),
    "binance": ("binance_usdm_btcusdt", "binance_usdm_btcusdt", "*.gz"),
}
_BPS: Final = 10_000.0
_FOR_EVER: Final = 1 << 62
WHAT: Final = {
    "max_market_spread_bps": "a book was doubted for its spread",
    "max_jump_bps": "a book was doubted for a touch far from its slow mean",
    "max_jump_bps (print)": "a print so far outside the book that it was passed over",
    "trade_beyond_book_bps": "a book was doubted for a trade beyond it",
    "unsound_book_seconds": "a doubted level was believed because it had lasted",
    "confirming_trades": "a doubted level was believed because trades confirmed it",
    "confirming_depth": "a doubted level was believed because depth stood there",
    "slow price as a bound": "a reducing order was priced while the book lay apart",
    "touch_size_share": "dust stood before a touch",
    "thin_touch_seconds": "a side showed nothing but dust, and its touch was kept",
    "odd stamps": "a stamp far ahead of all before was not taken",
    "late books": "a book older than the newest was passed over",
    "max_drawdown": "the kill switch",
    "max_missing_equity_share": "equity that the venue does not report",
    "adverse_selection_bps": "quotes began to be widened for what fills lost",
    "adverse_selection hold": "quoting was held because the widest spread was not enough",
    "unmeasured markouts": "a horizon was dropped",
    "rate_counter_limit": "an order was held back by the venue's rules",
}


@define
class Watch:
    """Looks at a machine after every step, and counts what began since the last look."""

    machine: MarketMakingStateMachine
    counts: Counter[str] = field(factory=Counter)
    steps: Counter[str] = field(factory=Counter)
    _was: dict[str, Any] = field(factory=dict)

    def look(self, result: StepResult) -> None:
        """After one step."""
        context = self.machine.context
        reference, market = context.reference, context.market
        kind = None if reference.doubt is None else reference.doubt.kind
        self._begins("max_market_spread_bps", kind is DoubtKind.WIDE)
        self._begins("max_jump_bps", kind is DoubtKind.JUMP)
        self._begins("trade_beyond_book_bps", kind is DoubtKind.CONTRADICTED)
        self._begins("touch_size_share", market.bid_touch != market.bid_price or market.ask_touch != market.ask_price)
        for side in SIDES:
            self._begins("thin_touch_seconds", side in market.thin_since, place=side)
        self._begins("adverse_selection_bps", context.is_widened_for_adverse_selection)
        self._begins("adverse_selection hold", self._is_held("adverse_selection"))
        self._rises("odd stamps", market.odd_stamps_in_a_row)
        self._rises("late books", context.late_books)
        self._rises("unmeasured markouts", context.markouts.unmeasured)
        self._believes()
        self._look_at_trade(result)
        self.counts["rate_counter_limit"] += sum("order_rate" in reason for reason in result.reasons)
        if reference.is_apart and any(getattr(i, "reduce_only", False) or _reduces(i) for i in result.intents):
            self.counts["slow price as a bound"] += 1

    def finish(self) -> None:
        """After the last step."""
        latched = self.machine.context.latched
        self.counts["max_drawdown"] = FaultCode.KILL_SWITCH in latched
        self.counts["max_missing_equity_share"] = FaultCode.EQUITY in latched

    def _begins(self, name: str, holds: bool, place: object = None) -> None:  # noqa: FBT001 - asked one after another
        key = f"{name} {place}"
        self.counts[name] += holds and not self._was.get(key, False)
        self.steps[name] += holds
        self._was[key] = holds

    def _rises(self, name: str, value: int) -> None:
        self.counts[name] += max(value - self._was.get(name, 0), 0)
        self._was[name] = value

    def _believes(self) -> None:
        """By what a doubt ended that was believed: depth and trades leave the level apart, time begins anew."""
        reference = self.machine.context.reference
        if reference.believed > self._was.get("believed", 0):
            by_trades = self._was.get("confirming", 0) >= self.machine.context.settings.confirming_trades
            name = "confirming_trades" if by_trades else "confirming_depth"
            self.counts[name if reference.is_apart else "unsound_book_seconds"] += 1
        self._was["believed"], self._was["confirming"] = reference.believed, reference._confirming_trades

    def _look_at_trade(self, result: StepResult) -> None:
        fact, context = result.fact, self.machine.context
        bid, ask = context.reference._bid, context.reference._ask
        if not isinstance(fact, MarketTrade) or not bid or not ask or context.reference.doubt is not None:
            return
        price = float(fact.price)
        beyond = (bid - price) / bid if fact.taker_side is Side.ASK else (price - ask) / ask
        self.counts["max_jump_bps (print)"] += beyond * _BPS > context.settings.max_jump_bps

    def _is_held(self, reason: str) -> bool:
        statuses = (state.status for state in self.machine.context.sides.values())
        return any(status is not None and status.reason == reason for status in statuses)


def _reduces(intent: object) -> bool:
    return getattr(intent, "purpose", None) in {"adjustment", "wind_down"}


def run(name: str, hours: float | None) -> dict[str, Any]:
    """The counts on one recording, and what came of the run."""
    preset, directory, files = RECORDINGS[name]
    configuration = read_preset(preset)
    account = configuration.venue
    if not isinstance(account, PaperAccount):
        raise TypeError(f"venue: expected the paper exchange in preset {preset!r}, found {type(account).__name__}.")
    recording = open_recording(sorted((DATA / directory).glob(files)), symbol=configuration.symbol)
    market = iter(recording)
    begin = time_of(next(market))
    end = _FOR_EVER if hours is None else begin + round(hours * 3600e9)
    machine = MarketMakingStateMachine(configuration.strategy, account.instrument, account.fees, account.balances)
    watch, orders = Watch(machine), 0
    for result in SessionRunner(machine, account.on(between(recording, 0, end))).run():
        watch.look(result)
        orders += sum(type(intent).__name__ == "PlaceOrder" for intent in result.intents)
    watch.finish()
    context, uptime = machine.context, machine.uptime
    return {
        "recording": name,
        "net": float(context.net_pnl),
        "fills": context.fill_count,
        "orders": orders,
        "both_sides_live_share": uptime.both_live_share,
        "both_sides_resting_share": uptime.both_resting_share,
        "acted": {threshold: int(watch.counts[threshold]) for threshold in WHAT},
        "steps": {threshold: watch.steps[threshold] for threshold in WHAT if threshold in watch.steps},
        "skipped_rows": dict(recording.skipped),
    }


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=RECORDINGS, default=list(RECORDINGS))
    parser.add_argument("--hours", type=float, help="of each recording, from its beginning")
    parser.add_argument("--json", action="store_true", help="one object a line")
    given = parser.parse_args()
    missing = [name for name in given.only if not (DATA / RECORDINGS[name][1]).is_dir()]
    if missing:
        print(f"no recordings of {', '.join(missing)} under {DATA}: name their directory in MM_FSM_DATA.")
        return 2
    rows = [run(name, given.hours) for name in given.only]
    if given.json:
        for row in rows:
            print(json.dumps(row))
        return 0
    print(f"{'threshold':28}" + "".join(f"{row['recording']:>10}" for row in rows) + "  what acted")
    for threshold, what in WHAT.items():
        print(f"{threshold:28}" + "".join(f"{row['acted'][threshold]:10,}" for row in rows) + f"  {what}")
    for row in rows:
        print(f"{row['recording']}: net {row['net']:.2f}, {row['fills']} fills, {row['orders']:,} orders", end=", ")
        print(f"both sides live {row['both_sides_live_share']:.1%}, at the venue {row['both_sides_resting_share']:.1%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
