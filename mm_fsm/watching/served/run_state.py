"""What the directory of a run says now, in JSON and in words: for a browser that shows it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from time import time as wall_time
from typing import Any, Final

from mm_fsm.core.plurals import counted
from mm_fsm.errors import FileError, SettingsError
from mm_fsm.report.ended_words import ended_answers, next_step, run_left
from mm_fsm.report.run_condition import LISTENING, RunCondition, condition_of, silence_told
from mm_fsm.report.silence_words import silences
from mm_fsm.report.status import STATUS_FILE, read_status
from mm_fsm.report.status_words import (
    StatusAnswer,
    Tone,
    amount,
    answers,
    glance_tone,
    headline,
    limit_tone,
    limit_words,
    percent,
    price,
    printable,
)
from mm_fsm.report.table import clock_text
from mm_fsm.runtime.operations import OperationsDirectory, RescuedMarket

PAGES: Final = ("report.html", "inspect.html")
"""What a run's directory may have besides, by the name of its file."""


def run_state(directory: Path, *, may_control: bool) -> dict[str, Any]:
    """Everything that the page shows. Never raises for what a directory holds: it says what is wrong with it."""
    common = {
        "directory": str(directory),
        "may_control": may_control,
        "pages": [name for name in PAGES if (directory / name).is_file()],
    }
    try:
        status = read_status(directory)
        return {**common, **_read(directory, status)}
    except FileError as error:
        has_begun = (directory / STATUS_FILE).exists()
        words = str(error) if has_begun else "No run has written to this directory yet."
        return {**common, **_unreadable(printable(words))}


def _unreadable(words: str) -> dict[str, Any]:
    unknown = dict.fromkeys(("run", "process", "age_seconds", "next"))
    return {"condition": RunCondition.UNREADABLE, "words": words, **unknown, "markets": []}


def _read(directory: Path, status: Mapping[str, Any]) -> dict[str, Any]:
    age = max(wall_time() - status["written_at"], 0.0)
    operations = OperationsDirectory(directory)
    condition = condition_of(operations, status)
    wishes, rescues = operations.wishes(), _rescues(status, operations)
    step = None if condition in LISTENING else next_step(status, condition, directory, rescues)
    return {
        "condition": condition,
        "words": _words(status, condition, operations),
        "next": None if step is None else {"words": step.words, "tone": step.tone},
        "run": status["run"],
        "process": status["process"],
        "age_seconds": age,
        "pause": None if wishes.pause is None else printable(wishes.pause),
        "stop": None if wishes.stop is None else printable(wishes.stop),
        "rescues": [
            f"{printable(symbol)}: a watchdog sent {counted(each.cancels, 'cancel')} and "
            + ("found the book empty" if each.is_confirmed_empty else "COULD NOT CONFIRM THE BOOK EMPTY")
            for symbol, each in rescues.items()
        ],
        "markets": [_market(entry, condition, rescues.get(entry["symbol"])) for entry in status["symbols"]],
    }


def _rescues(status: Mapping[str, Any], operations: OperationsDirectory) -> Mapping[str, RescuedMarket]:
    """What a watchdog found of the run that the status is of, by market."""
    try:
        return operations.rescues() if operations.read().run == status["run"] else {}
    except SettingsError:
        return {}


def _words(status: Mapping[str, Any], condition: RunCondition, operations: OperationsDirectory) -> str:
    process = f"Process {status['process']}"
    if condition is RunCondition.RUNNING:
        return f"{process} runs."
    if condition is RunCondition.SILENT:
        return f"{process} {silence_told(operations, status)}: it may hang. Look at it, and at the account."
    left = run_left(status, condition)
    return f"{left[0].upper()}{left[1:]}."


def _market(entry: Mapping[str, Any], condition: RunCondition, rescue: RescuedMarket | None) -> dict[str, Any]:
    """One market, in words and in the figures that are drawn; of one that nobody makes, how it was left."""
    is_over = entry["has_ended"] or condition not in LISTENING
    words, tone, told = _glance(entry, condition, rescue)
    return {
        "symbol": printable(entry["symbol"]),
        "state": entry["state"],
        "headline": words,
        "tone": tone,
        "answers": [_answer(each) for each in told],
        "silences": [
            {"side": side, "answers": [_answer(each) for each in about]}
            for side, about in (() if is_over or entry["why_down"] else silences(entry))
        ],
        "is_over": is_over,
        "ladder": [] if is_over else _ladder(entry),
        "limits": [
            {
                "name": limit["name"],
                "setting": limit["setting"],
                "words": limit_words(limit),
                "share": limit["share"],
                "percent": percent(limit["share"]),
                "tone": limit_tone(limit),
                "then": limit["then"],
            }
            for limit in (() if is_over else entry["limits"])
        ],
        "news": [
            {"clock": clock_text(each["time"]), "kind": each["kind"], "words": printable(each["words"])}
            for each in reversed(entry["news"])
        ],
    }


def _answer(answer: StatusAnswer) -> dict[str, str]:
    return {"question": answer.question, "words": answer.words, "tone": answer.tone}


def _glance(
    entry: Mapping[str, Any], condition: RunCondition, rescue: RescuedMarket | None
) -> tuple[str, Tone, Iterable[StatusAnswer]]:
    """One clause about a market, how it is to be taken, and what there is to answer."""
    if entry["has_ended"]:
        return headline(entry), glance_tone(entry), ended_answers(entry, condition, rescue)
    if condition not in LISTENING:
        return "was left before it ended", Tone.BAD, ended_answers(entry, condition, rescue)
    if entry["why_down"]:
        return "down: nobody quotes it", Tone.BAD, [StatusAnswer("down", printable(entry["why_down"]), Tone.BAD)]
    told = [each for each in answers(entry) if each.question != "limits"]
    return headline(entry), glance_tone(entry), told


def _ladder(entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Own orders around the market's best prices, the highest price on top."""
    quotes, market = entry["quotes"], entry["market"]
    rows = [_rung(entry, "ask", order) for order in reversed(quotes["ask"])]
    rows += [
        {
            "kind": "market",
            "side": side,
            "price": price(entry, market[side]),
            "quantity": "",
            "far": "",
            "is_resting": True,
        }
        for side in ("ask", "bid")
    ]
    return rows + [_rung(entry, "bid", order) for order in quotes["bid"]]


def _rung(entry: Mapping[str, Any], side: str, order: Mapping[str, Any]) -> dict[str, Any]:
    far = order["distance_bps"]
    return {
        "kind": "own",
        "side": side,
        "price": price(entry, order["price"]),
        "quantity": amount(order["remaining"]),
        "far": "" if far is None else f"{far:+.1f}",
        "is_resting": order["is_resting"],
    }
