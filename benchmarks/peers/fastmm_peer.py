"""The same policy as a compiled strategy of FastMM, on depth and trades."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import fastmm
import numba
from fastmm import Param, State
from job import GEMINI, Job, Stages, answer, binance_messages, gemini_rows, job

HEADER = "ts_ns,type,inst,side,price,qty,seq\n"
SNAPSHOT_LEVELS = 250


@numba.njit
def requote(self: Any, ctx: Any, book: Any) -> None:
    """Set the wanted quotes; the engine keeps orders that are near enough."""
    ctx.clear()
    mid = book.mid
    spread = self.target_bps + self.volatility_multiplier * math.sqrt(self.variance * self.refresh_seconds) * 1e4
    spread += self.market_spread_share * (book.ask_px[0] - book.bid_px[0]) / mid * 1e4
    limit = min(self.max_exposure, self.max_inventory_pct * (self.quote_balance + self.base_balance * mid)) / mid
    skew = min(max(ctx.position / limit, -1.0), 1.0)
    wide = 100.0 * self.inventory_factor
    half_bid = mid * min(max(spread + wide * max(skew, 0.0), self.min_bps), self.max_bps) * 0.5e-4
    half_ask = mid * min(max(spread + wide * max(-skew, 0.0), self.min_bps), self.max_bps) * 0.5e-4
    centre = mid * (1.0 - skew * self.skew_factor)
    room_bid = limit - ctx.position
    room_ask = limit + ctx.position
    size = self.order_size
    out = 1.0
    for _ in range(3):
        bid = centre - half_bid * out
        ask = centre + half_ask * out
        bid_size = min(size * (1.0 - 0.5 * skew) / bid, room_bid)
        ask_size = min(size * (1.0 + 0.5 * skew) / ask, room_ask)
        if bid_size >= self.min_quantity and bid_size * bid >= self.min_notional:
            ctx.bid(bid, bid_size)
            room_bid -= bid_size
        if ask_size >= self.min_quantity and ask_size * ask >= self.min_notional:
            ctx.ask(ask, ask_size)
            room_ask -= ask_size
        size *= self.level_decay
        out *= self.level_multiplier
    ctx.keep_passive()
    self.last_half = min(half_bid, half_ask)
    self.last_mid = mid if ctx.quoting_enabled else 0.0
    self.last_ns = ctx.now_ns


class Ladder(fastmm.Strategy):
    """The policy: the event decides whether the quotes are priced again."""

    target_bps = Param(20.0)
    min_bps = Param(21.0)
    max_bps = Param(80.0)
    volatility_multiplier = Param(2.0)
    market_spread_share = Param(0.5)
    inventory_factor = Param(0.5)
    skew_factor = Param(0.001)
    refresh_seconds = Param(5.0)
    order_size = Param(400.0)
    level_decay = Param(0.7)
    level_multiplier = Param(1.5)
    max_exposure = Param(2500.0)
    max_inventory_pct = Param(0.1)
    quote_balance = Param(11000.0)
    base_balance = Param(5.0)
    min_quantity = Param(0.001)
    min_notional = Param(0.0)
    stale_move_share = Param(0.25)
    half_life_seconds = Param(300.0)
    sample_seconds = Param(5.0)
    warm_up_samples = Param(12.0)
    last_mid = State(0.0)
    last_half = State(0.0)
    last_ns = State(0)
    variance = State(0.0)
    sampled_mid = State(0.0)
    samples = State(0.0)

    @fastmm.hot
    def on_book(self, ctx: Any, book: Any) -> None:
        """Reprice when it is time or the mid has moved."""
        if not book.valid:
            ctx.pull()
            self.last_mid = 0.0
            return
        if self.samples < self.warm_up_samples:
            return
        is_near = self.last_mid > 0.0 and abs(book.mid - self.last_mid) <= self.stale_move_share * self.last_half
        if is_near and ctx.now_ns - self.last_ns < self.refresh_seconds * 1e9:
            return
        requote(self, ctx, book)

    @fastmm.hot(every="5s")
    def sample(self, ctx: Any, book: Any) -> None:
        """The estimator of volatility, and the refresh of quotes."""
        if not book.valid:
            return
        mid = book.mid
        if self.sampled_mid > 0.0:
            squared = math.log(mid / self.sampled_mid) ** 2 / self.sample_seconds
            weight = 1.0 - math.exp(-math.log(2.0) * self.sample_seconds / self.half_life_seconds)
            weight = max(weight, 1.0 / (self.samples + 1.0))
            self.variance = self.variance + weight * (squared - self.variance)
            self.samples += 1.0
        self.sampled_mid = mid
        if self.samples >= self.warm_up_samples:
            requote(self, ctx, book)

    @fastmm.hot
    def on_fill(self, ctx: Any, book: Any) -> None:
        """Price anew after a fill."""
        if book.valid and self.samples >= self.warm_up_samples:
            requote(self, ctx, book)


def config_text(task: Job) -> str:
    """The engine's settings."""
    policy, micro = task.policy, 1_000_000
    latency, jitter = int(policy["latency_seconds"] * micro), int(policy["jitter_seconds"] * micro)
    return f"""
[engine]
name = "peer"
journal = false
rng_seed = 1
min_requote_ticks = {policy["fixed_tolerance_ticks"]}
min_requote_interval_ms = 50
post_only = true
supports_replace = false
[venues.sim]
kind = "sim"
[venues.sim.fees]
maker_bps = {float(policy["maker_bps"])}
taker_bps = {float(policy["taker_bps"])}
[[instruments]]
venue = "sim"
symbol = "MARKET"
base = "BASE"
quote = "QUOTE"
asset_class = "{"spot" if task.recording == GEMINI else "perpetual"}"
tick = "{policy["tick_size"]}"
lot = "{policy["lot_size"]}"
min_qty = "{policy["min_quantity"]}"
min_notional = "{policy["min_notional"]}"
[strategy]
name = "fastmm_peer:Ladder"
[risk]
price_collar_bps = 200
max_open_orders = 20
max_loss = "{policy["max_drawdown"]}"
stp = true
[logging]
level = "warn"
[backtest]
fill_model = "l2_queue"
queue_conservatism = 1.0
latency_fixed_us = {latency}
latency_jitter_us = {jitter}
latency_md_us = {latency}
latency_md_jitter_us = {jitter}
equity_bar_s = 1
initial_capital = {policy["quote_balance"]}
markout_horizons_s = "1,5,30,60,300"
output_dir = "{task.scratch}"
"""


def convert(task: Job) -> tuple[Path, int]:
    """The recording as the engine's CSV, and how many messages are in it."""
    path = task.scratch / f"{task.recording}.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADER)
        messages = sum(write(file, rows) for rows in (gemini(task) if task.recording == GEMINI else binance(task)))
    return path, messages


Row = tuple[int, str, str, Any, Any, int]


def write(file: TextIO, rows: list[Row]) -> int:
    """Write one message; 0 if it has nothing."""
    file.writelines(",".join(map(str, (time, kind, 0, *rest))) + "\n" for time, kind, *rest in rows)
    return bool(rows)


def gemini(task: Job) -> Iterator[list[Row]]:
    """Best quotes as changes of a book of one level a side, and trades."""
    last: dict[str, tuple[str, str]] = {}
    for number, (time, is_trade, row) in enumerate(sorted(gemini_rows(task), key=lambda each: each[:2]), start=1):
        if is_trade:
            side = "B" if row["side"] == "buy" else "A"
            yield [(time, "T", side, row["price"], row["amount"], number)]
            continue
        new = {"B": (row["bid_price"], row["bid_amount"]), "A": (row["ask_price"], row["ask_amount"])}
        kind = "D" if last else "S"
        gone = [(side, last[side][0], "0") for side in new if last and last[side][0] != new[side][0]]
        come = [(side, *new[side]) for side in new if last.get(side) != new[side]]
        yield [(time, kind, *change, number) for change in gone + come]
        last = new


def binance(task: Job) -> Iterator[list[Row]]:
    """The depth snapshot, then changes of depth, and trades, in order of exchange time."""
    found = list(binance_messages(task, ("snapshot", "depthUpdate", "trade")))
    snapshot = next((data for _, kind, data in found if kind == "snapshot"), None)
    if snapshot is None:
        raise SystemExit("the first events hold no depth snapshot: take more of them")
    has_begun = False
    number = 0
    for time, kind, data in sorted(found, key=lambda each: (each[0], each[1] == "depthUpdate")):
        if kind == "depthUpdate" and data["u"] >= snapshot["lastUpdateId"]:
            if not has_begun:
                has_begun = True
                number += 1
                sides = (("B", snapshot["bids"]), ("A", snapshot["asks"]))
                yield [(time, "S", side, *level, number) for side, each in sides for level in each[:SNAPSHOT_LEVELS]]
            number += 1
            yield [(time, "D", side, *level, number) for side, name in (("B", "b"), ("A", "a")) for level in data[name]]
        elif kind == "trade" and has_begun:
            number += 1
            yield [(time, "T", "A" if data["m"] else "B", data["p"], data["q"], number)]


def main() -> None:
    """Run twice, the first time to compile, and print what the second took and what came of it."""
    stages = Stages()
    task = job()
    path, messages = convert(task)
    stages.end("read")
    text = config_text(task)
    names = [name for name in dir(Ladder) if isinstance(task.policy.get(name), (int, float))]
    parameters = {name: float(task.policy[name]) for name in names}
    for stage in ("compiling", "run"):
        config = fastmm.BacktestConfig.from_toml_string(text)
        result = fastmm.run_backtest(config, data=str(path), strategy=Ladder, params=parameters)
        stages.end(stage)
    found = result.stats()
    answer(
        stages,
        events=messages,
        seen=int(result.md_events),
        placed=int(found["orders"]),
        canceled=int(found["cancels"]),
        fills=int(found["fills"]),
        pnl=float(found["net_pnl"]),
    )


if __name__ == "__main__":
    main()
