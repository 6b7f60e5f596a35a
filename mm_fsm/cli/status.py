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
from mm_fsm.cli.wrapping import STYLES, answered, wrapped
from mm_fsm.core.plurals import counted
from mm_fsm.errors import SettingsError
from mm_fsm.report.ended_words import ended_answers, next_step, run_left
from mm_fsm.report.run_condition import IN_WORDS, LISTENING, RunCondition, condition_of, silence_told
from mm_fsm.report.status import read_status
from mm_fsm.report.status_words import (
    StatusAnswer,
    Tone,
    answers,
    glance_tone,
    headline,
    printable,
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
    if condition not in LISTENING:
        _say_what_helps(status, condition, directory, rescues)
    elif condition is RunCondition.SILENT:
        print_message(
            f"mm-fsm: process {status['process']} {silence_told(operations, status)}: it may hang. Look at it, and at "
            "the account.",
            style="red",
        )
    return ExitCode.SUCCESS if condition in {RunCondition.RUNNING, RunCondition.ENDED} else ExitCode.FAILURE


def _say_what_helps(
    status: Mapping[str, Any], condition: RunCondition, directory: Path, rescues: Mapping[str, RescuedMarket]
) -> None:
    """What became of a run that nobody makes any more, and what to do next."""
    step = next_step(status, condition, directory, rescues)
    words = f"process {status['process']} {IN_WORDS[condition]}. {step.words}"
    style = STYLES[step.tone] or ("dim" if condition is RunCondition.ENDED else "yellow")
    print_message(words if condition is RunCondition.ENDED else f"mm-fsm: {words}", style=style)


def _run_of(operations: OperationsDirectory) -> str | None:
    try:
        return operations.read().run
    except SettingsError:
        return None


def _age(status: Mapping[str, Any]) -> str:
    return duration(max(wall_time() - status["written_at"], 0.0))


def _lines(
    status: dict[str, Any], directory: Path, rescues: Mapping[str, RescuedMarket], width: int, condition: RunCondition
) -> Iterator[Text]:
    """Everything, in lines no wider than ``width``."""
    yield from wrapped(Text(_run_line(status, directory, condition), style="dim"), width)
    for entry in status["symbols"]:
        yield from _market(entry, width, condition, rescues.get(entry["symbol"]))
    for symbol, each in rescues.items():
        yield from wrapped(Text(_rescue_line(symbol, each)), width)


def _run_line(status: dict[str, Any], directory: Path, condition: RunCondition) -> str:
    if condition not in LISTENING:
        return f"{directory}: {run_left(status, condition)}"
    return f"{directory}: process {status['process']} {IN_WORDS[condition]}; this is from {_age(status)} ago"


def _rescue_line(symbol: str, found: RescuedMarket) -> str:
    book = "found the book empty" if found.is_confirmed_empty else "COULD NOT CONFIRM THE BOOK EMPTY"
    age = duration(max(wall_time() - found.at, 0.0))
    return f"{symbol}: a watchdog {book} {age} ago, after {counted(found.cancels, 'cancel')}"


def _market(entry: dict[str, Any], width: int, condition: RunCondition, rescue: RescuedMarket | None) -> Iterator[Text]:
    """A market in lines no wider than ``width``."""
    is_over = condition not in LISTENING
    words, tone = headline(entry), glance_tone(entry)
    if is_over and not entry["has_ended"]:
        words, tone = "was left before it ended", Tone.BAD
    elif entry["why_down"]:
        words = "down: nobody quotes it"
    yield from wrapped(
        Text.assemble(
            (printable(entry["symbol"]), "bold"),
            f" {entry['state'].upper()}: ",
            (words, STYLES[tone]),
            f"; net PnL {money(entry['net_pnl'])}, {counted(entry['fills'], 'fill')}",
        ),
        width,
    )
    for answer in _answers(entry, condition, rescue):
        yield from answered(answer, width, indent=2)


def _answers(entry: dict[str, Any], condition: RunCondition, rescue: RescuedMarket | None) -> Iterator[StatusAnswer]:
    """What is asked of a market: as it is made, or as it was left."""
    if entry["has_ended"] or condition not in LISTENING:
        yield from ended_answers(entry, condition, rescue)
    elif entry["why_down"]:
        yield StatusAnswer("down", printable(entry["why_down"]), Tone.BAD)
    else:
        yield from answers(entry)
