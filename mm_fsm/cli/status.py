"""``status``: what a run is doing now, from another process."""

from __future__ import annotations

import json
from pathlib import Path
from time import time as wall_time
from typing import Any

from attrs import asdict
from rich.text import Text

from mm_fsm.cli.consoles import print_message, result_console
from mm_fsm.cli.exit_codes import ExitCode
from mm_fsm.cli.operator_files import what_helps
from mm_fsm.report.status import headline, is_gone, read_status, side_lines
from mm_fsm.report.table import duration, money, with_interval
from mm_fsm.runtime.operations import OperationsDirectory, RescuedMarket


def print_status(directory: Path, *, as_json: bool) -> int:
    """Print what the run in ``directory`` said last; the exit status.

    Raises:
        FileError: there is no run, or another version made it.
    """
    status = read_status(directory)
    gone = is_gone(status)
    rescues = OperationsDirectory(directory).rescues()
    console = result_console()
    if as_json:
        found = {symbol: asdict(each) for symbol, each in rescues.items()}
        console.out(json.dumps({**status, "is_process_gone": gone, "watchdog": found}, indent=2), highlight=False)
    else:
        console.print(Text(_run_line(status, directory, gone=gone), style="dim"), soft_wrap=True)
        for entry in status["symbols"]:
            console.print(_market(entry, is_over=gone or not status["is_running"]), soft_wrap=True)
        for symbol, each in rescues.items():
            console.print(Text(_rescue_line(symbol, each)), soft_wrap=True)
    if gone:
        is_empty = bool(rescues) and all(
            entry["symbol"] in rescues and rescues[entry["symbol"]].is_confirmed_empty for entry in status["symbols"]
        )
        remedy = "A watchdog has confirmed every book empty." if is_empty else what_helps(directory)
        style = "yellow" if is_empty else "red"
        print_message(f"mm-fsm: process {status['process']} is gone and has not ended in order. {remedy}", style=style)
    return ExitCode.FAILURE if gone else ExitCode.SUCCESS


def _run_line(status: dict[str, Any], directory: Path, *, gone: bool) -> str:
    age = duration(max(wall_time() - status["written_at"], 0.0))
    doing = "is gone" if gone else "runs" if status["is_running"] else "has ended"
    return f"{directory}: process {status['process']} {doing}; this is from {age} ago"


def _rescue_line(symbol: str, found: RescuedMarket) -> str:
    book = "found the book empty" if found.is_confirmed_empty else "COULD NOT CONFIRM THE BOOK EMPTY"
    age = duration(max(wall_time() - found.at, 0.0))
    return f"{symbol}: a watchdog {book} {age} ago, after {found.cancels} cancels"


def _market(entry: dict[str, Any], *, is_over: bool) -> Text:
    words = headline(entry)
    if is_over and not entry["has_ended"]:
        words = "was left before it ended"
    elif entry.get("why_down"):
        words = "down: nobody quotes it"
    is_quoted = not is_over and all(side["is_live"] for side in entry["sides"].values())
    text = Text.assemble(
        (entry["symbol"], "bold"),
        f" {entry['state'].upper()}: ",
        (words, "green" if is_quoted else "yellow"),
        f"; net PnL {money(entry['net_pnl'])}, {entry['fills']:,} fills",
    )
    edge = entry.get("quote_edge", {})
    if edge.get("fills"):
        text.append(f"\n  fills judged so far: {edge['fills']:,}; {_what_fills_earn(edge)}")
    if entry.get("why_down") and not is_over:
        text.append(f"\n  down: {entry['why_down']}", "red")
    elif not (is_over or entry["has_ended"]):
        for name, is_live, rest in side_lines(entry, duration):
            text.append("\n").append(f"  {name} ").append(rest, "green" if is_live else "yellow")
        for doing in dict.fromkeys(filter(None, (side.get("doing") for side in entry["sides"].values()))):
            text.append(f"\n  what is done: {doing}")
    return text


def _what_fills_earn(edge: dict[str, Any]) -> str:
    """What adverse selection is judged by, once there are as many fills as that needs."""
    if edge["net_interval_bps"] is None or edge["fills"] < edge.get("minimum_fills", 0):
        return "too few to say"
    widened = f", widened by {edge['widening_bps']:.1f} bps" if edge["widening_bps"] else ""
    figure = with_interval(edge["net_bps"], edge["net_interval_bps"])
    return f"net of fees after {edge['horizon_seconds']:g} s, bps: {figure}{widened}"
