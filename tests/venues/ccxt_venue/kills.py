"""Kills a live market maker with SIGKILL while faults strike, restarts it, and lets the exchange's log judge.

The rehearsal exchange lives in this process and survives. Each life of the market maker is a process: the whole run as
``mm-fsm run`` has it, journal, group commit and account layer included. Most lives are killed at a random moment, or
just after a fault has struck; then one may come to rest, ends clean, and is judged. All lives share one journal.

    python -m tests.venues.ccxt_venue.kills --kills 200 --seed 7
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import AsyncExitStack
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any, Final

from attrs import asdict, define, field

from mm_fsm.testing.rehearsal.fault_menu import random_faults
from mm_fsm.testing.rehearsal.judge import OrderAccepted, RehearsalLog
from mm_fsm.testing.rehearsal.server import RehearsalExchange
from tests.runtime.journal.crash_harness import placed_but_not_on_record
from tests.venues.ccxt_venue.judging import assert_log_shows_nothing_forbidden, flow_at_exchange
from tests.venues.ccxt_venue.live_stage import QUOTE, base_of, rehearsal_terms
from tests.venues.ccxt_venue.lives import COULD_NOT_OPEN, MOST_LIVE_ORDERS, SYMBOLS, Books, Place, lead_life

PROCESSES: Final = multiprocessing.get_context("forkserver")
LONGEST_LIFE_SECONDS: Final = 5.0
"""Before it is killed."""
PATIENCE: Final = 120.0
"""Seconds that a life may take to come to rest and end."""
SHARE_AFTER_A_FAULT: Final = 0.5
SHARE_ONCE_TRADING: Final = 0.75
"""Of lives whose faults and whose end come only after their first order; the others may not even open."""
LONGEST_OPENING_SECONDS: Final = 15.0
FAULTS_OF_A_LIFE: Final = 3
MOST_KILLS_IN_A_ROW: Final = 3


@define
class Outcome:
    """What many lives came to."""

    seed: int
    kills: int = 0
    judged: int = 0
    could_not_open: int = 0
    """Lives that a fault kept from opening: they placed nothing, and the next one tries again."""
    strikes: Counter[str] = field(factory=Counter)
    killed_with_open_orders: int = 0
    fills: int = 0
    placed: int = 0
    slowest_end_seconds: float = 0.0
    """Of the lives that ended clean, from their start."""
    problems: list[str] = field(factory=list)


# -- the harness -----------------------------------------------------------------------------------------------------


@define
class Harness:
    """One exchange, and the lives of one market maker on it."""

    place: Place
    exchange: RehearsalExchange
    random: Random
    outcome: Outcome

    async def run(self, kills: int, *, quiet: bool = True) -> None:
        """Kill so often, and judge after each few kills."""
        left = kills
        while left > 0 and not self.outcome.problems:
            for _ in range(min(self.random.randint(1, MOST_KILLS_IN_A_ROW), left)):
                left -= await self._killed_life()
            await self._ending_life()
            if not quiet:
                sys.stderr.write(f"{self.outcome.kills} kills, {self.outcome.judged} judged\n")
        log = self.exchange.log
        self.outcome.strikes.update(strike.fault.kind.value for strike in log.faults())
        self.outcome.fills += len(log.fills())
        self.outcome.placed += _count(log)

    async def _killed_life(self) -> bool:
        """Whether it was killed: some do not even open."""
        child, reports = self._start(ends=False)
        log = self.exchange.log
        if self.random.random() < SHARE_ONCE_TRADING:
            placed = _count(log)
            await _until(lambda: _count(log) > placed or not child.is_alive(), LONGEST_OPENING_SECONDS)
        struck = len(log.faults())
        self._inject()
        if self.random.random() < SHARE_AFTER_A_FAULT:
            await _until(lambda: len(log.faults()) > struck or not child.is_alive(), LONGEST_LIFE_SECONDS)
            await asyncio.sleep(self.random.random() * 0.2)
        else:
            await asyncio.sleep(self.random.random() ** 2 * LONGEST_LIFE_SECONDS)
        if child.is_alive():
            child.kill()
        await _until(lambda: not child.is_alive(), PATIENCE)
        reports.close()
        is_killed: bool = child.exitcode == -signal.SIGKILL
        if is_killed:
            self.outcome.kills += 1
            self.outcome.killed_with_open_orders += bool(log.open_orders())
        elif child.exitcode == COULD_NOT_OPEN:
            self.outcome.could_not_open += 1
        else:
            self.outcome.problems.append(f"after {self.outcome.kills} kills: a life ended with {child.exitcode}")
        return is_killed

    async def _ending_life(self) -> None:
        began = time.monotonic()
        while True:
            child, reports = self._start(ends=True)
            await _until(lambda: not child.is_alive(), PATIENCE)  # noqa: B023 - awaited at once
            if child.exitcode != COULD_NOT_OPEN:
                break
            self.outcome.could_not_open += 1
        if child.exitcode != 0:
            child.kill()
            self.outcome.problems.append(f"after {self.outcome.kills} kills: no clean end, but {child.exitcode}")
            return
        self.outcome.slowest_end_seconds = max(self.outcome.slowest_end_seconds, time.monotonic() - began)
        books = reports.recv()
        try:
            self._judge(books)
        except AssertionError as error:
            self.outcome.problems.append(f"after {self.outcome.kills} kills: {error!r}")
        self.outcome.judged += 1

    def _judge(self, books: dict[str, Books]) -> None:
        log = self.exchange.log
        assert_log_shows_nothing_forbidden(log, dict.fromkeys(SYMBOLS, MOST_LIVE_ORDERS))
        for symbol, found in books.items():
            flow = flow_at_exchange(log, symbol)
            position, cash = found.position - base_of(symbol), found.cash - QUOTE
            assert (position, cash, found.fills) == (flow.base, flow.quote, flow.count), symbol
            assert found.refused_facts == 0, symbol
            assert [order for order in log.orders_after(found.ended_at) if order.symbol == symbol] == [], symbol
            placed = [order.client_order_id for order in log.of(OrderAccepted) if order.symbol == symbol]
            assert placed_but_not_on_record(self.place.journal(symbol), placed, symbol) == set(), symbol

    def _start(self, *, ends: bool) -> tuple[Any, Connection]:
        reports, report_end = PROCESSES.Pipe(duplex=False)
        child = PROCESSES.Process(target=lead_life, args=(self.place, report_end), kwargs={"ends": ends}, daemon=True)
        child.start()
        report_end.close()
        return child, reports

    def _inject(self) -> None:
        seed = self.random.randrange(2**31)
        self.exchange.inject(*random_faults(seed, count=FAULTS_OF_A_LIFE, within_seconds=0.0))


def _count(log: RehearsalLog) -> int:
    return sum(1 for _ in log.of(OrderAccepted))


async def _until(condition: Any, seconds: float) -> None:
    """Wait until something is true, for so long at most."""
    ends = time.monotonic() + seconds
    while not condition() and time.monotonic() < ends:  # noqa: ASYNC110 - of another process
        await asyncio.sleep(0.01)


async def run_harness(kills: int, seed: int, directory: Path, outcome: Outcome, *, quiet: bool = True) -> None:
    """Open an exchange, and kill a market maker on it so often."""
    PROCESSES.set_forkserver_preload(["tests.venues.ccxt_venue.lives", "ccxt.pro"])
    async with AsyncExitStack() as stack:
        exchange = await stack.enter_async_context(RehearsalExchange(rehearsal_terms(SYMBOLS, seed)))
        place = Place(directory)
        place.write(exchange)
        await Harness(place, exchange, Random(seed), outcome).run(kills, quiet=quiet)


async def run_many(kills: int, seed: int, at_once: int, outcome: Outcome, *, quiet: bool) -> None:
    """Share the kills out to so many exchanges, each with a market maker of its own."""
    with tempfile.TemporaryDirectory() as directory:
        shares = [kills // at_once + (number < kills % at_once) for number in range(at_once)]
        places = [Path(directory) / str(number) for number in range(at_once)]
        for place in places:
            place.mkdir()
        await asyncio.gather(
            *(
                run_harness(share, seed + number, places[number], outcome, quiet=quiet)
                for number, share in enumerate(shares)
            )
        )


def main() -> int:
    """Run what is asked for; 1 when there was a problem."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="one object of JSON at the end")
    options = parser.parse_args()
    outcome, began = Outcome(options.seed), time.monotonic()
    asyncio.run(run_many(options.kills, options.seed, options.at_once, outcome, quiet=options.json))
    if options.json:
        sys.stdout.write(json.dumps(asdict(outcome), indent=2) + "\n")
    else:
        sys.stdout.write(
            f"seed {outcome.seed}: {outcome.kills} kills ({outcome.killed_with_open_orders} with orders in the book), "
            f"{outcome.judged} clean ends judged, {outcome.strikes.total()} faults of {len(outcome.strikes)} kinds, "
            f"{outcome.placed} orders, {outcome.fills} fills; {outcome.could_not_open} lives could not open; "
            f"slowest clean end {outcome.slowest_end_seconds:.1f} s; {time.monotonic() - began:.0f} s\n"
        )
        sys.stdout.write("\n".join(outcome.problems) + "\n" if outcome.problems else "no problem\n")
    return 1 if outcome.problems else 0


if __name__ == "__main__":
    sys.exit(main())
