"""Runs ``mm-fsm`` in this process or in one of its own, and writes what it reads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from attrs import frozen
from typer.testing import CliRunner

from mm_fsm.books.facts import MarketBook, MarketTrade
from mm_fsm.cli.app import app
from mm_fsm.core.messages import Side
from mm_fsm.runtime.session import for_session
from mm_fsm.runtime.settings_file import read_preset
from mm_fsm.venues.base import MarketEvent
from mm_fsm.venues.paper import PaperPlan


@frozen
class Finished:
    """What a command left."""

    status: int
    output: str
    """Standard output."""
    messages: str
    """Standard error."""

    def json(self) -> Any:
        """The one object on standard output."""
        return json.loads(self.output)


def run(*arguments: object) -> Finished:
    """Run a command in this process; an error that is not told as one fails the test with its traceback."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="mm-fsm")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Finished(result.exit_code, result.stdout, result.stderr)


def command(*arguments: object) -> list[str]:
    """The command line of a process of its own, whatever is on PATH."""
    program = "from mm_fsm.cli import main; main()"
    return [sys.executable, "-c", program, *(str(argument) for argument in arguments)]


def run_process(*arguments: object, directory: Path, **environment: str) -> Finished:
    """Run a command in a process of its own, in ``directory``, without a terminal."""
    finished = subprocess.run(
        command(*arguments),
        cwd=directory,
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
        text=True,
    )
    return Finished(finished.returncode, finished.stdout, finished.stderr)


def write_settings(directory: Path, text: str, name: str = "settings.toml") -> Path:
    """A settings file."""
    path = directory / name
    path.write_text(text, encoding="utf-8")
    return path


QUOTE_HEADER = "exchange,symbol,timestamp,local_timestamp,ask_amount,ask_price,bid_price,bid_amount"
TRADE_HEADER = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount"


@frozen
class TardisFiles:
    """A recording in two files."""

    quotes: Path
    trades: Path

    @property
    def options(self) -> tuple[str, ...]:
        """How ``backtest`` is told."""
        return ("--quotes", str(self.quotes), "--trades", str(self.trades))


def write_tardis(directory: Path, seconds: float = 90, exchange: str = "gemini", symbol: str = "ETHUSD") -> TardisFiles:
    """A simulated market of the Gemini preset's rules, written as Tardis would."""
    plan = for_session(read_preset("gemini_ethusd"), duration_seconds=1, seed=5).venue
    assert isinstance(plan, PaperPlan)
    events = plan.market()
    end = plan.simulator.start_time + int(seconds * 1e9)
    taken: Iterable[MarketEvent] = [event for event in events if event.received_at <= end]
    quotes, trades = [QUOTE_HEADER], [TRADE_HEADER]
    for event in taken:
        stamp = f"{event.received_at // 1000},{event.received_at // 1000}"
        if isinstance(event, MarketBook):
            (ask, *_), (bid, *_) = event.asks, event.bids
            quotes.append(f"{exchange},{symbol},{stamp},{ask.size},{ask.price},{bid.price},{bid.size}")
        elif isinstance(event, MarketTrade):
            side = "buy" if event.taker_side is Side.BID else "sell"
            trades.append(f"{exchange},{symbol},{stamp},{event.trade_id},{side},{event.price},{event.size}")
    files = TardisFiles(directory / "quotes.csv", directory / "trades.csv")
    files.quotes.write_text("\n".join(quotes) + "\n", encoding="utf-8")
    files.trades.write_text("\n".join(trades) + "\n", encoding="utf-8")
    return files
