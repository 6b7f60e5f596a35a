"""Mixes of faults drawn from seeds: machines trade at a rehearsal exchange through them, and its log judges.

The seed says how many markets share the account, whether fees are taken in BNB, and what goes wrong.

    python -m tests.venues.ccxt_venue.mixes --seeds 300
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from typing import Any, Final

from attrs import asdict, define, field
from loguru import logger

from mm_fsm.books.facts import OrderAcknowledged
from mm_fsm.testing.rehearsal.fault_menu import random_faults
from tests.patience import PATIENCE
from tests.venues.ccxt_venue.judging import assert_books_equal, assert_nothing_forbidden
from tests.venues.ccxt_venue.live_stage import LiveMarketMaker, Stage, live

SYMBOLS: Final = ("ETH/USDT", "SOL/USDT", "BTC/USDT")
QUICK: Final = {"validity_window_seconds": 6.0, "refresh_interval_seconds": 0.5}
"""Longer than the receive window, so that no order comes after it was given up."""
FAULTS_OF_A_MIX: Final = 6
STRIKES: Final = 4
"""How many of them must have struck: some wait for an occasion that never comes."""


@define
class Outcome:
    """What many mixes came to."""

    seeds: int = 0
    strikes: Counter[str] = field(factory=Counter)
    orders: int = 0
    fills: int = 0
    problems: list[str] = field(factory=list)


def is_calm(maker: LiveMarketMaker) -> bool:
    """Whether it quotes again and nothing is in question."""
    context = maker.machine.context
    return context.reconciliation.is_complete and not any(order.is_unknown for order in context.orders.live())


async def trade_through(seed: int, outcome: Outcome, patience: float = PATIENCE) -> None:
    """Trade through the mix of a seed, end, and judge.

    Raises:
        AssertionError: something happened that must never happen.
        TimeoutError: it never quoted again, or never ended.
    """
    symbols, bnb_fees = SYMBOLS[: 1 + seed % len(SYMBOLS)], seed % 4 == 3
    async with live(seed=seed, symbols=symbols, bnb_fees=bnb_fees, strategy=QUICK) as stage:
        stage.patience = patience
        makers, log = stage.makers.values(), stage.exchange.log
        await stage.until(lambda: all(len(maker.of(OrderAcknowledged)) >= STRIKES for maker in makers))
        stage.exchange.inject(*random_faults(seed, count=FAULTS_OF_A_MIX, within_seconds=4.0))
        await stage.until(lambda: len(log.faults()) >= STRIKES)
        taken = {maker.symbol: len(maker.of(OrderAcknowledged)) for maker in makers}
        await stage.until(
            lambda: all(
                len(maker.of(OrderAcknowledged)) > taken[maker.symbol] + 2 and is_calm(maker) for maker in makers
            )
        )
        await stage.stop()
        _note(stage, outcome)
        assert_nothing_forbidden(stage)
        assert_books_equal(stage)


def _note(stage: Stage, outcome: Outcome) -> None:
    outcome.seeds += 1
    outcome.strikes.update(strike.fault.kind.value for strike in stage.exchange.log.faults())
    outcome.orders += sum(len(maker.of(OrderAcknowledged)) for maker in stage.makers.values())
    outcome.fills += len(stage.exchange.log.fills())


async def run_seeds(seeds: range, at_once: int, outcome: Outcome, patience: float, *, quiet: bool) -> None:
    """Run many mixes, so many of them at a time."""
    room = asyncio.Semaphore(at_once)

    async def one(seed: int) -> None:
        async with room:
            try:
                await trade_through(seed, outcome, patience)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is a problem of that seed
                outcome.problems.append(f"seed {seed}: {type(error).__name__}: {error}".splitlines()[0])
                say(outcome.problems[-1])
            if not quiet and outcome.seeds % 20 == 0:
                say(f"{outcome.seeds} mixes, {outcome.strikes.total()} faults struck, {outcome.fills} fills")

    await asyncio.gather(*(one(seed) for seed in seeds))


def say(text: str) -> None:
    """One line for who watches."""
    sys.stderr.write(f"{text}\n")


def silence_ccxt(_loop: Any, _context: Any) -> None:
    """What poisoned a stream is raised in a task of ccxt's that nobody awaits; it is the fault's, not ours."""


def main() -> int:
    """Run what is asked for; 1 when there was a problem."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=300)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--at-once", type=int, default=3)
    parser.add_argument("--patience", type=float, default=PATIENCE, help="seconds to wait: more on a busy machine")
    parser.add_argument("--json", action="store_true", help="one object of JSON at the end")
    options = parser.parse_args()
    logger.remove()
    outcome, began = Outcome(), time.monotonic()

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(silence_ccxt)
        seeds = range(options.first, options.first + options.seeds)
        await run_seeds(seeds, options.at_once, outcome, options.patience, quiet=options.json)

    asyncio.run(run())
    if options.json:
        sys.stdout.write(json.dumps(asdict(outcome), indent=2) + "\n")
    else:
        kinds = len(outcome.strikes)
        sys.stdout.write(
            f"{outcome.seeds} mixes in {time.monotonic() - began:.0f} s: {outcome.strikes.total()} faults of {kinds} "
            f"kinds struck, {outcome.orders} orders, {outcome.fills} fills, {len(outcome.problems)} problems\n"
        )
    return 1 if outcome.problems else 0


if __name__ == "__main__":
    sys.exit(main())
