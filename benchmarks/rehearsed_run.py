"""What the benchmarks of the live path share: an exchange in a process of its own, and a run of the product on it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from loguru import logger

from mm_fsm.cli.opening import Opening, opened_in_wall_time
from mm_fsm.runtime.pushed_supervisor import PushedSupervisor
from mm_fsm.runtime.session import for_session
from mm_fsm.runtime.settings_file import read_settings
from mm_fsm.testing.rehearsal.judge import RehearsalLog
from mm_fsm.testing.rehearsal.log_file import read_log

PROGRAM = "from mm_fsm.cli import main; main()"
OPENING_SECONDS = 60.0
FACTORY = "mm_fsm.testing.rehearsal.client:binance_from_environment"
MARKET = """
[[market]]
[market.venue]
kind = "ccxt"
exchange = "binance"
factory = "{factory}"
live = true
[market.strategy]
symbol = "{symbol}"
[market.balances]
base = {base}
quote = {quote}
"""


class Exchange:
    """A rehearsal exchange in a process of its own."""

    def __init__(self, place: Path, process: subprocess.Popen[str]) -> None:
        self._place, self._process = place, process

    @property
    def log(self) -> RehearsalLog:
        """Everything that it did so far."""
        return read_log(self._place / "log.jsonl")

    def processor_seconds(self) -> float:
        """Of its process so far; 0 where the system does not say."""
        stat = Path(f"/proc/{self._process.pid}/stat")
        if not stat.exists():
            return 0.0
        user, system = stat.read_text(encoding="utf-8").rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def rehearsal(place: Path, symbols: Sequence[str], *options: str) -> Iterator[Exchange]:
    """Open an exchange with these markets, and let clients of this process find it."""
    command = [sys.executable, "-c", PROGRAM, "rehearse", *symbols, "--out", str(place), *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True)
    try:
        endpoint, ends = place / "endpoint.json", time.monotonic() + OPENING_SECONDS
        while not endpoint.exists():
            if process.poll() is not None or time.monotonic() > ends:
                raise RuntimeError("the rehearsal exchange did not open: run mm-fsm rehearse to see why")
            time.sleep(0.05)
        os.environ["MM_FSM_REHEARSAL"] = str(endpoint)
        os.environ["XDG_STATE_HOME"] = str(place / "state")
        yield Exchange(place, process)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=OPENING_SECONDS)


@contextmanager
def live_run(
    place: Path, symbols: Sequence[str], defaults: str, *, base: float, quote: float, factory: str = FACTORY
) -> Iterator[PushedSupervisor]:
    """A run as ``mm-fsm run --live`` opens it, journal and account layer included; ``run`` it to its end."""
    logger.remove()
    logger.add(sys.stderr, level="ERROR")
    settings = place / "live.toml"
    markets = (MARKET.format(symbol=symbol, base=base, quote=quote, factory=factory) for symbol in symbols)
    settings.write_text(defaults + "".join(markets), encoding="utf-8")
    configurations = [for_session(each) for each in read_settings(settings)]
    with opened_in_wall_time(configurations, Opening(directory=place / "out", has_journal=True)) as supervisor:
        yield supervisor


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which that share of the values lies."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def resident_bytes() -> int:
    """Memory of this process; 0 where the system does not say."""
    status = Path("/proc/self/statm")
    return int(status.read_text(encoding="utf-8").split()[1]) * os.sysconf("SC_PAGE_SIZE") if status.exists() else 0


def spread(values: Sequence[float], scale: float = 1e3) -> dict[str, Any]:
    """Median, 99th percentile and largest of some seconds, in milliseconds by default."""
    return {
        "median": round(quantile(values, 0.5) * scale, 3),
        "p99": round(quantile(values, 0.99) * scale, 3),
        "largest": round(max(values) * scale, 3),
        "count": len(values),
    }
