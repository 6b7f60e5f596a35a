"""What a journal costs: journalled steps against plain ones on the same simulated hour, and the durable write alone.

Steps that hand on intents wait for one durable write; others wait when they carry fills or balances, and else not. The
ratios are of the steps' own time, the exchange and the market left out: by the clock, which waits for the disk and for
whoever else uses it, and of the processor, which does not. Compare the rows of one run, not runs.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path

from mm_fsm.core.instrument import Balances, Fees, Instrument
from mm_fsm.core.messages import Fact
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.journal import JournalSettings
from mm_fsm.runtime.recovery import RunPlan, open_run
from mm_fsm.runtime.runner import SessionRunner
from mm_fsm.runtime.stepping import SteppedMachine
from mm_fsm.venues.paper import PaperAccount
from mm_fsm.venues.simulator import MarketSimulator, SimulatorSettings

INSTRUMENT = Instrument(
    symbol="ETH/USD",
    base_currency="ETH",
    quote_currency="USD",
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.0001"),
    minimum_notional=Decimal(5),
)
FEES = Fees(maker_bps=Decimal(1), taker_bps=Decimal(5))
BALANCES = Balances(base=Decimal(10), quote=Decimal(20_000))
ACCOUNT = PaperAccount(instrument=INSTRUMENT, fees=FEES, balances=BALANCES)
SETTINGS = MarketMakingSettings(symbol=INSTRUMENT.symbol)


class Timed:
    """Times every step of a machine, by whether intents came out."""

    def __init__(self, machine: SteppedMachine) -> None:
        self.machine = machine
        self.with_intents: list[float] = []
        self.without: list[float] = []
        self.processor = 0.0

    @property
    def is_final(self) -> bool:
        """Whether the machine has ended."""
        return self.machine.is_final

    def step(self, fact: Fact) -> StepResult:
        """One step, timed."""
        worked, began = time.process_time(), time.perf_counter()
        result = self.machine.step(fact)
        self.processor += time.process_time() - worked
        (self.with_intents if result.intents else self.without).append(time.perf_counter() - began)
        return result


def run(machine: SteppedMachine, seconds: float) -> Timed:
    """One simulated session."""
    market = MarketSimulator(
        SimulatorSettings(
            instrument=INSTRUMENT,
            seed=7,
            start_price=Decimal(2000),
            level_size=Decimal(1),
            taker_size=Decimal("0.3"),
            duration_seconds=seconds,
        )
    )
    timed = Timed(machine)
    for _ in SessionRunner(timed, ACCOUNT.on(market)).run():
        pass
    return timed


def report(name: str, timed: Timed, plain: Timed) -> None:
    """One row: total and ratio, and the extra of steps with intents."""
    total, base = (sum(each.with_intents) + sum(each.without) for each in (timed, plain))
    steps = len(timed.with_intents) + len(timed.without)
    extra = statistics.median(timed.with_intents) - statistics.median(plain.with_intents)
    ordered = sorted(timed.with_intents)
    print(
        f"{name:24} {total / steps * 1e6:7.0f} us a step, ratio {total / base:4.2f}; of the processor "
        f"{timed.processor / steps * 1e6:4.0f} us, ratio {timed.processor / plain.processor:4.2f}; with intents: "
        f"median {statistics.median(ordered) * 1e6:6.0f} us, 99 % {ordered[len(ordered) * 99 // 100] * 1e6:6.0f} us, "
        f"extra {extra * 1e6:5.0f} us; without: median {statistics.median(timed.without) * 1e6:4.0f} us"
    )


def main() -> int:
    """Run all three, the plain one first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1800, help="simulated")
    seconds = parser.parse_args().seconds
    plain = run(MarketMakingStateMachine(SETTINGS, INSTRUMENT, FEES, BALANCES), seconds)
    report("no journal", plain, plain)
    for market_data in (False, True):
        with tempfile.TemporaryDirectory() as directory:
            plan = RunPlan(
                path=Path(directory) / "cost.journal",
                settings=SETTINGS,
                instrument=INSTRUMENT,
                fees=FEES,
                balances=BALANCES,
                journal_settings=JournalSettings(record_market_data=market_data),
            )
            opened = open_run(plan)
            timed = run(opened.machine, seconds)
            records = opened.journal.records
            opened.close()
            size = plan.path.stat().st_size
        report(f"journal{', market data' if market_data else ''}", timed, plain)
        steps = len(timed.with_intents) + len(timed.without)
        print(f"{'':24} {size / steps:7.0f} bytes a step, {size / records:.0f} a record, {records} of {steps} recorded")
    return 0


if __name__ == "__main__":
    sys.exit(main())
