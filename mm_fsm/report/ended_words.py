"""How a run and each of its markets were left, in words for people: the same in a terminal and in a browser.

Everything is what the run itself wrote last. A run whose process died wrote that a second before, at most: its orders
are told as of then, and never as confirmed gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from shlex import quote
from time import time as wall_time
from typing import Any, Final

from mm_fsm.report.run_condition import IN_WORDS, RunCondition
from mm_fsm.report.session_report import Outcome
from mm_fsm.report.status_words import Entry, StatusAnswer, Tone, fills_answers, printable, profit_words
from mm_fsm.report.table import clock_text, duration
from mm_fsm.runtime.operations import RescuedMarket

_IDS_SHOWN: Final = 3
_HOW: Final[Mapping[str, tuple[str, Tone]]] = {
    Outcome.COMPLETED: ("in order", Tone.GOOD),
    Outcome.LATE: ("late: its wind-down passed the deadline with a position left", Tone.WARNING),
    Outcome.FAULT: ("by a fault", Tone.BAD),
    Outcome.UNFINISHED: ("it was left before it had ended", Tone.BAD),
}


def run_left(status: Mapping[str, Any], condition: RunCondition) -> str:
    """What became of a run that nobody makes any more, when, and by what error if one broke it off: one clause.

    Raises:
        ValueError, TypeError: the status says so in no way that this version knows.
    """
    error = "" if status["error"] is None else f", by an error: {printable(status['error'])}"
    at = datetime.fromtimestamp(status["written_at"], UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    when = f"{at}, {duration(max(wall_time() - status['written_at'], 0.0))} ago"
    has_said = condition is RunCondition.ENDED and not status["is_running"]
    return f"process {status['process']} {IN_WORDS[condition]}{error}" + (
        f" at {when}" if has_said else f"; its last word is of {when}"
    )


def ended_answers(entry: Entry, condition: RunCondition, rescue: RescuedMarket | None = None) -> Iterator[StatusAnswer]:
    """What is asked of a market that nobody makes any more, what matters most first.

    Args:
        entry: what the status says of it.
        condition: what has become of the run; of a market that has ended while others go on, ``ENDED``.
        rescue: what a watchdog found of it.
    """
    yield _how(entry, condition)
    yield _book(entry, condition, rescue)
    yield _position(entry, condition)
    yield StatusAnswer("profit", profit_words(entry))
    yield from fills_answers(entry, is_over=True)


def _how(entry: Entry, condition: RunCondition) -> StatusAnswer:
    ending = entry["ending"]
    if not entry["has_ended"] and condition is RunCondition.GONE:
        return StatusAnswer("ended", "its process is gone, without a word about why", Tone.BAD)
    if not entry["has_ended"] and condition is RunCondition.ENDED:
        return StatusAnswer("ended", "in order; its last status could not be written", Tone.WARNING)
    words, tone = _HOW[ending["outcome"]]
    clock = "" if ending["at"] is None else f"at {clock_text(ending['at'])}, "
    reasons = dict.fromkeys(printable(each) for each in (ending["reason"], ending["error"]) if each)
    why = f": {'; '.join(reasons)}" if reasons else ""
    return StatusAnswer("ended", f"{clock}{words}{why}", tone)


def _book(entry: Entry, condition: RunCondition, rescue: RescuedMarket | None) -> StatusAnswer:
    orders = _orders(entry["ending"]["unconfirmed"])
    if _is_confirmed_empty(entry, condition):
        return StatusAnswer("orders", "none is open: the venue's book was confirmed empty", Tone.GOOD)
    if not entry["has_real_orders"] and not (entry["has_ended"] and condition is RunCondition.ENDED):
        return StatusAnswer("orders", "none is open: its orders were on paper, and are gone with the process")
    if rescue is not None and rescue.is_confirmed_empty:
        return StatusAnswer("orders", "none is open: a watchdog found the venue's book empty", Tone.GOOD)
    if not _is_known(entry, condition):
        there = orders or "none"
        return StatusAnswer(
            "orders", f"open when it last said something: {there}; nobody has confirmed any gone", Tone.BAD
        )
    words = f"may still be open: {orders}" if orders else "the venue has not said yet that none is open"
    return StatusAnswer("orders", words, Tone.BAD)


def _orders(ids: list[str]) -> str:
    """How many orders, and their first few ids; empty of none."""
    if not ids:
        return ""
    more = f" and {len(ids) - _IDS_SHOWN} more" if len(ids) > _IDS_SHOWN else ""
    return f"{len(ids)} ({', '.join(printable(each) for each in ids[:_IDS_SHOWN])}{more})"


def _position(entry: Entry, condition: RunCondition) -> StatusAnswer:
    ending = entry["ending"]
    as_of = "" if _is_known(entry, condition) else "when it last said something: "
    unit = printable(ending["base_currency"])
    offset = Decimal(ending["offset"])
    words = "at its target" if not offset else f"{'+' if offset > 0 else ''}{ending['offset']} off its target"
    rest = f", {ending['below_lot']} of it less than any order can trade" if Decimal(ending["below_lot"]) else ""
    words = f"{as_of}{ending['position']} {unit}, {words}{rest}"
    return StatusAnswer("position", words, Tone.PLAIN if _is_flat(entry) else Tone.WARNING)


def next_step(
    status: Mapping[str, Any], condition: RunCondition, directory: Path, rescues: Mapping[str, RescuedMarket]
) -> StatusAnswer:
    """What to do about a run that nobody makes any more.

    Args:
        status: what it wrote last.
        condition: what has become of it.
        directory: of the run, as it is to be named in a command.
        rescues: what a watchdog found of that run, by market.
    """
    live = [entry for entry in status["symbols"] if entry["has_real_orders"]]
    if not live:
        return StatusAnswer("next", "It traded on paper: nothing is left at any exchange.")
    words, tone = [], Tone.PLAIN
    far = [printable(entry["symbol"]) for entry in live if not _is_flat(entry)]
    if far:
        stays = f"The position in {', '.join(far)} stays on the account"
        words, tone = [f"{stays}: start the run again, which goes on with it, or reduce it at the venue."], Tone.WARNING
    rescued = {symbol for symbol, each in rescues.items() if each.is_confirmed_empty}
    if rescued.issuperset(entry["symbol"] for entry in live):
        return StatusAnswer("next", " ".join(("A watchdog has confirmed every book empty.", *words)), Tone.WARNING)
    if not all(_is_confirmed_empty(entry, condition) for entry in live):
        return StatusAnswer("next", " ".join((orders_may_be_open(directory), *words)), Tone.BAD)
    return StatusAnswer("next", " ".join(("No order is open.", *words)), tone)


def orders_may_be_open(directory: Path) -> str:
    """What to do about orders that nobody has confirmed gone."""
    remedy = f"run mm-fsm watchdog {quote(str(directory))}, which cancels them, or start the run again."
    return f"Orders may still be open: {remedy}"


def _is_known(entry: Entry, condition: RunCondition) -> bool:
    """Whether its last word is how it was left; a process that died may have done more since."""
    return entry["has_ended"] or condition is RunCondition.LEFT


def _is_confirmed_empty(entry: Entry, condition: RunCondition) -> bool:
    """Whether the venue has said that no own order is open, and the entry says so: nothing else is a confirmation."""
    return entry["ending"]["is_book_confirmed_empty"] and _is_known(entry, condition)


def _is_flat(entry: Entry) -> bool:
    """Whether no order could bring the position nearer to its target."""
    return Decimal(entry["ending"]["offset"]) == Decimal(entry["ending"]["below_lot"])
