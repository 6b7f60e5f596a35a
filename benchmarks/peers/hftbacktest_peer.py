"""The same policy in a compiled loop over hftbacktest, on depth and trades. Its converters read the capture only."""

from __future__ import annotations

import contextlib
import os
import warnings
from math import ceil, exp, floor, log, sqrt
from typing import Any, NamedTuple

import numpy as np
from hftbacktest import BUY, GTX, LIMIT, BacktestAsset, ROIVectorMarketDepthBacktest
from hftbacktest.data.utils import binancefutures
from job import NANOSECONDS, Job, Stages, answer, job
from numba import njit

BUFFER_ROWS = 20_000_000
REGION = 0.06
"""Share of the first price on either side of it for which the depth is kept."""
END_OF_DATA = 1
WAIT, ANSWERS_TOO = False, True


class Policy(NamedTuple):
    """The policy's numbers, compiled in."""

    tick_size: float
    lot_size: float
    target_bps: float
    min_bps: float
    max_bps: float
    volatility_multiplier: float
    market_spread_share: float
    inventory_factor: float
    skew_factor: float
    refresh_seconds: float
    order_size: float
    level_decay: float
    level_multiplier: float
    max_exposure: float
    max_inventory_pct: float
    quote_balance: float
    base_balance: float
    min_quantity: float
    min_notional: float
    stale_move_share: float
    tolerance_towards: float
    tolerance_away: float
    size_tolerance: float
    half_life_seconds: float
    sample_seconds: float
    warm_up_samples: float


@njit
def wanted_levels(policy: Any, touch: tuple[float, float], sign: int, half: float, skew: float, room: float) -> Any:
    """Prices and sizes of three levels, innermost first; a size of 0 is no order."""
    prices, sizes = np.zeros(3), np.zeros(3)
    bid, ask = touch
    mid = (bid + ask) / 2.0
    tick, lot = policy.tick_size, policy.lot_size
    for level in range(3):
        price = mid * (1.0 - skew * policy.skew_factor) - sign * half * policy.level_multiplier**level
        if sign > 0:
            ticks = min(floor(price / tick), round(ask / tick) - 1)
        else:
            ticks = max(ceil(price / tick), round(bid / tick) + 1)
        prices[level] = ticks * tick
        size = policy.order_size * policy.level_decay**level * (1.0 - sign * skew / 2.0) / prices[level]
        size = floor(min(size, room) / lot + 1e-9) * lot
        if size < policy.min_quantity or size * prices[level] < policy.min_notional:
            break
        sizes[level] = size
        room -= size
    return prices, sizes


@njit
def replace(hbt: Any, policy: Any, mid: float, sign: int, prices: Any, sizes: Any, number: int) -> Any:
    """Bring one side's orders to what is wanted; one that is near enough stays."""
    placed = canceled = 0
    is_found = np.zeros(3, np.bool_)
    orders = hbt.orders(0).values()
    while orders.has_next():
        order = orders.get()
        if (sign > 0) != (order.side == BUY) or not order.cancellable:
            continue
        stays = False
        for level in range(3):
            if is_found[level] or sizes[level] == 0.0:
                continue
            move = prices[level] - order.price
            share = policy.tolerance_towards if move * sign > 0 else policy.tolerance_away
            least, most = sizes[level] * (1.0 - policy.size_tolerance), sizes[level] * (1.0 + policy.size_tolerance)
            if abs(move) <= abs(prices[level] - mid) * share and least <= order.leaves_qty <= most:
                stays = is_found[level] = True
                break
        if not stays:
            hbt.cancel(0, order.order_id, WAIT)
            canceled += 1
    for level in range(3):
        if is_found[level] or sizes[level] == 0.0:
            continue
        number += 1
        placed += 1
        if sign > 0:
            hbt.submit_buy_order(0, number, prices[level], sizes[level], GTX, LIMIT, WAIT)
        else:
            hbt.submit_sell_order(0, number, prices[level], sizes[level], GTX, LIMIT, WAIT)
    return placed, canceled, number


@njit
def reprice(hbt: Any, policy: Any, bid: float, ask: float, variance: float, number: int) -> Any:
    """Both sides; what was placed and canceled, the last number, and the move that is tolerated from now on."""
    hbt.clear_inactive_orders(0)
    mid, position = (bid + ask) / 2.0, hbt.position(0)
    limit = (
        min(policy.max_exposure, policy.max_inventory_pct * (policy.quote_balance + policy.base_balance * mid)) / mid
    )
    skew = min(1.0, max(-1.0, position / limit))
    spread = policy.target_bps + 1e4 * sqrt(variance * policy.refresh_seconds) * policy.volatility_multiplier
    spread += policy.market_spread_share * (ask - bid) / mid * 1e4
    narrowest, placed, canceled = 1e18, 0, 0
    for sign in (1, -1):
        bps = spread + 100.0 * policy.inventory_factor * max(sign * skew, 0.0)
        half = mid * min(max(bps, policy.min_bps), policy.max_bps) / 2e4
        narrowest = min(narrowest, half)
        prices, sizes = wanted_levels(policy, (bid, ask), sign, half, skew, limit - position * sign)
        more, gone, number = replace(hbt, policy, mid, sign, prices, sizes, number)
        placed += more
        canceled += gone
    return placed, canceled, number, max(narrowest * policy.stale_move_share, policy.tick_size)


@njit
def run(hbt: Any, policy: Any) -> Any:
    """The whole session: events seen, orders placed and canceled, the last mid."""
    seen = placed = canceled = number = samples = 0
    reference = mid = tolerated = squares = seconds = sampled_mid = last_position = 0.0
    priced_at = sampled_at = next_sample = 0
    every = int(policy.sample_seconds * NANOSECONDS)
    while hbt.wait_next_feed(ANSWERS_TOO, 60 * NANOSECONDS) != END_OF_DATA:
        seen += 1
        depth = hbt.depth(0)
        bid, ask = depth.best_bid, depth.best_ask
        if not bid < ask:
            continue
        now, mid = hbt.current_timestamp, (bid + ask) / 2.0
        if now >= next_sample:
            if sampled_mid > 0.0:
                elapsed = (now - sampled_at) / NANOSECONDS
                kept = exp(-elapsed * log(2.0) / policy.half_life_seconds)
                squares = squares * kept + log(mid / sampled_mid) ** 2
                seconds = seconds * kept + elapsed
                samples += 1
            sampled_mid, sampled_at, next_sample = mid, now, now - now % every + every
        if samples < policy.warm_up_samples:
            continue
        is_old = now >= priced_at + policy.refresh_seconds * NANOSECONDS
        if reference == 0.0 or is_old or abs(mid - reference) > tolerated or hbt.position(0) != last_position:
            more, gone, number, tolerated = reprice(hbt, policy, bid, ask, squares / seconds, number)
            placed += more
            canceled += gone
            reference, priced_at, last_position = mid, now, hbt.position(0)
    return seen, placed, canceled, mid


def converted(task: Job) -> list[Any]:
    """The capture as the library's arrays, cut at the job's end."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):  # noqa: PTH123
        arrays = [
            binancefutures.convert(str(file), buffer_size=BUFFER_ROWS, combined_stream=True) for file in task.files
        ]
    return [array[array["exch_ts"] <= task.end] for array in arrays]


def backtest(task: Job, arrays: list[Any]) -> Any:
    """The library's exchange on the arrays."""
    policy, latency = task.policy, int(task.policy["latency_seconds"] * NANOSECONDS)
    prices = arrays[0]["px"]
    middle = float(np.median(prices[prices > 0]))
    asset = (
        BacktestAsset()
        .data([array for array in arrays if len(array)])
        .linear_asset(1.0)
        .constant_order_latency(latency, latency)
        .risk_adverse_queue_model()
        .partial_fill_exchange()
        .trading_value_fee_model(float(policy["maker_bps"]) / 1e4, float(policy["taker_bps"]) / 1e4)
        .tick_size(float(policy["tick_size"]))
        .lot_size(float(policy["lot_size"]))
        .roi_lb(floor(middle * (1 - REGION)))
        .roi_ub(ceil(middle * (1 + REGION)))
        .last_trades_capacity(0)
    )
    return ROIVectorMarketDepthBacktest([asset])


def main() -> None:
    """Run twice, the first time to compile, and print what the second took and what came of it."""
    stages = Stages()
    warnings.simplefilter("ignore")
    task = job()
    arrays = converted(task)
    stages.end("read")
    policy = Policy(**{name: float(task.policy[name]) for name in Policy._fields})
    compiling = backtest(task, arrays)
    run(compiling, policy)
    compiling.close()
    hbt = backtest(task, arrays)
    stages.end("compiling")
    seen, placed, canceled, mid = run(hbt, policy)
    stages.end("run")
    state = hbt.state_values(0)
    answer(
        stages,
        events=sum(map(len, arrays)),
        seen=seen,
        placed=placed,
        canceled=canceled,
        fills=int(state.num_trades),
        pnl=float(state.balance + state.position * mid - state.fee),
    )
    hbt.close()


if __name__ == "__main__":
    main()
