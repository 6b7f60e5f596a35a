"""``status``: what a run is doing now, from another process."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from time import time as wall_time
from typing import Any

from attrs import asdict
from rich.text import Text

from mm_fsm.cli.consoles import print_message, result_console
from mm_fsm.cli.exit_codes import ExitCode
from mm_fsm.cli.operator_files import what_helps
from mm_fsm.cli.wrapping import STYLES, answered, wrapped
from mm_fsm.errors import SettingsError
from mm_fsm.report.run_condition import IN_WORDS, LISTENING, ORDERS_MAY_BE_OPEN, Condition, condition_of
from mm_fsm.report.status import read_status
from mm_fsm.report.status_words import (
    Answer,
    Tone,
    answers,
    fills_answers,
    glance_tone,
    headline,
    printable,
    profit_words,
)
from mm_fsm.report.table import duration, money
from mm_fsm.runtime.operations import OperationsDirectory, RescuedMarket


def print_status(directory: Path, *, as_json: bool) -> int:
    """Print what the run in ``directory`` said last; the exit status.

    Raises:
        FileError: there is no run, or another version made it.
    """
    status = read_status(directory)
    operations = OperationsDirectory(directory)
    condition, rescues = condition_of(operations, status), operations.rescues()
    if status["run"] != _run_of(operations):
        rescues = {}  # of another run
    console = result_console()
    if as_json:
        found = {symbol: asdict(each) for symbol, each in rescues.items()}
        console.out(json.dumps({**status, "condition": condition, "watchdog": found}, indent=2), highlight=False)
    else:
        for line in _lines(status, directory, rescues, console.width, condition):
            console.print(line, soft_wrap=True)
    if condition in ORDERS_MAY_BE_OPEN:
        is_empty = bool(rescues) and all(
            entry["symbol"] in rescues and rescues[entry["symbol"]].is_confirmed_empty for entry in status["symbols"]
        )
        remedy = "A watchdog has confirmed every book empty." if is_empty else what_helps(directory)
        style = "yellow" if is_empty else "red"
        print_message(f"mm-fsm: process {status['process']} {IN_WORDS[condition]}. {remedy}", style=style)
    elif condition is Condition.SILENT:
        print_message(
            f"mm-fsm: process {status['process']} has said nothing for {_age(status)}: it may hang. Look at it, and at "
            "the account.",
            style="red",
        )
    return ExitCode.SUCCESS if condition in {Condition.RUNNING, Condition.ENDED} else ExitCode.FAILURE


def _run_of(operations: OperationsDirectory) -> str | None:
    try:
        return operations.read().run
    except SettingsError:
        return None


def _age(status: Mapping[str, Any]) -> str:
    return duration(max(wall_time() - status["written_at"], 0.0))


def _lines(
    status: dict[str, Any], directory: Path, rescues: Mapping[str, RescuedMarket], width: int, condition: Condition
) -> Iterator[Text]:
    """Everything, in lines no wider than ``width``."""
    yield from wrapped(Text(_run_line(status, directory, condition), style="dim"), width)
    for entry in status["symbols"]:
        yield from _market(entry, width, is_over=condition not in LISTENING)
    for symbol, each in rescues.items():
        yield from wrapped(Text(_rescue_line(symbol, each)), width)


def _run_line(status: dict[str, Any], directory: Path, condition: Condition) -> str:
    return f"{directory}: process {status['process']} {IN_WORDS[condition]}; this is from {_age(status)} ago"


def _rescue_line(symbol: str, found: RescuedMarket) -> str:
    book = "found the book empty" if found.is_confirmed_empty else "COULD NOT CONFIRM THE BOOK EMPTY"
    age = duration(max(wall_time() - found.at, 0.0))
    return f"{symbol}: a watchdog {book} {age} ago, after {found.cancels} cancels"


def _market(entry: dict[str, Any], width: int, *, is_over: bool) -> Iterator[Text]:
    """A market in lines no wider than ``width``."""
    words = headline(entry)
    if is_over and not entry["has_ended"]:
        words = "was left before it ended"
    elif entry["why_down"]:
        words = "down: nobody quotes it"
    tone = Tone.WARNING if is_over and not entry["has_ended"] else glance_tone(entry)
    yield from wrapped(
        Text.assemble(
            (printable(entry["symbol"]), "bold"),
            f" {entry['state'].upper()}: ",
            (words, STYLES[tone]),
            f"; net PnL {money(entry['net_pnl'])}, {entry['fills']:,} fills",
        ),
        width,
    )
    if entry["why_down"] and not is_over:
        yield from answered(Answer("down", printable(entry["why_down"]), Tone.BAD), width, indent=2)
    elif is_over or entry["has_ended"]:
        yield from answered(Answer("profit", profit_words(entry)), width, indent=2)
        for answer in fills_answers(entry):
            yield from answered(answer, width, indent=2)
    else:
        for answer in answers(entry):
            yield from answered(answer, width, indent=2)
