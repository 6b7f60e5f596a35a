"""``why``: why a side of the book was empty, and which setting would have quoted it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import Any, Final

from attrs import frozen
from rich.console import Console
from rich.text import Text

from mm_fsm.cli.consoles import print_message, result_console
from mm_fsm.cli.exit_codes import ExitCode
from mm_fsm.cli.long_work import long_work
from mm_fsm.cli.moments import moment, parse_moment
from mm_fsm.cli.run_journals import journals_by_symbol, say_whose_steps
from mm_fsm.cli.user_code import find_modules_here
from mm_fsm.core.clock import NANOSECONDS_PER_SECOND
from mm_fsm.core.decisions import HoldReason
from mm_fsm.core.messages import SIDES, Side
from mm_fsm.core.plurals import counted
from mm_fsm.errors import OptionError
from mm_fsm.report.plain_words import what_is_done
from mm_fsm.report.stretches import Stretch, StretchKind
from mm_fsm.report.why.accounts import FORGOTTEN, Account, first_time, last_time, read_account
from mm_fsm.report.why.answers import Answer, answerer_for, silent_first
from mm_fsm.report.why.printed import account_text, answer_text, clock, lasting, stretch_text, stretches_text
from mm_fsm.runtime.journal import JournalReader

_LINES: Final = 10
"""Held stretches that are listed of a whole run."""
_NO_SETTING_HELPS: Final = frozenset(
    {
        HoldReason.NOT_STARTED,
        HoldReason.WARMING_UP,
        HoldReason.WAITING_FOR_BALANCES,
        HoldReason.RECONCILING,
        HoldReason.NO_MARKET_DATA,
        HoldReason.OPERATOR_PAUSED,
        HoldReason.STOPPING,
        HoldReason.COMPLETED,
    }
)
"""Holds of a run's beginning and end, and those that somebody asked for: no setting would have quoted."""
_BLOCKS: Final = 12
"""Held stretches that are told in full of a window."""


@frozen(kw_only=True)
class WhyOptions:
    """What is asked. Times are as they were written."""

    at: str | None = None
    begin: str | None = None
    end: str | None = None
    symbol: str | None = None
    side: Side | None = None
    as_json: bool = False
    quiet: bool = False


@frozen(kw_only=True)
class _Told:
    """One market: its account, and answers where a time was named."""

    journal: Path
    account: Account
    answers: tuple[Answer, ...] = ()


def run_why(place: Path, options: WhyOptions) -> int:
    """Explain the journals of a run, and print it; the exit status.

    Raises:
        JournalError: there is no sound journal, or it does not replay.
        OptionError: a time or a symbol is not in the run.
    """
    find_modules_here()
    if options.at is not None and (options.begin is not None or options.end is not None):
        raise OptionError("--at", "either a time or a window", "both", "Leave out --at, or --from and --to.")
    journals = journals_by_symbol(place, options.symbol)
    say_whose_steps(place, journals)
    told = [_explain(path, options) for path in journals.values()]
    if options.as_json:
        result_console().out(json.dumps(_entry(place, told, options), indent=2), highlight=False)
    else:
        _print(told, place, options)
    return _status(told)


def _explain(path: Path, options: WhyOptions) -> _Told:
    with JournalReader(path) as reader:
        began_at, ended_at = first_time(reader), last_time(reader)
        at, begin, end = (
            None if text is None else parse_moment(name, text, began_at)
            for name, text in (("--at", options.at), ("--from", options.begin), ("--to", options.end))
        )
        if begin is not None and end is not None and begin >= end:
            raise OptionError("--to", f"a time after --from, {options.begin}", options.end, "Correct one of them.")
        _require_begun("--to", end, began_at)
        if begin is not None and begin > ended_at:
            raise OptionError("--from", f"a time up to {clock(ended_at)}", clock(begin), "The record ends there.")
        if at is not None:
            at = _on_record(at, options.at, began_at, ended_at)
        account = _read(reader, (at, at) if at is not None else (begin, end), options)
        if at is None:
            return _Told(journal=path, account=_within(account, begin, end))
        return _Told(journal=path, account=account, answers=_answers(reader, account, at, options))


def _read(reader: JournalReader, window: tuple[int | None, int | None], options: WhyOptions) -> Account:
    last = max(reader.last_sequence, 1)
    with long_work("why", str(reader.path), quiet=options.quiet) as tell:
        return read_account(reader, *window, lambda sequence: tell(sequence / last))


def _answers(reader: JournalReader, account: Account, at: int, options: WhyOptions) -> tuple[Answer, ...]:
    found = [account.at(side, at) for side in SIDES if options.side in {None, side}]
    stretches = [stretch for stretch in found if stretch is not None]
    if not stretches:
        remedy = "The record accounts for no time there: name another."
        raise OptionError("--at", "a time between two steps on record", clock(at), remedy)
    with long_work("why", f"{account.symbol}, settings tried at that step", quiet=options.quiet) as tell:
        answers = answerer_for(reader, account, tell)
        return tuple(map(answers.answer, stretches))


def _on_record(at: int, written: str | None, began_at: int, ended_at: int) -> int:
    """The moment that is asked for; the last one where it is that but for the rounding with which it is printed.

    Raises:
        OptionError: it is not on record.
    """
    _require_begun("--at", at, began_at)
    if at > ended_at and clock(at) != clock(ended_at):
        expected = f"a time from {clock(began_at)} to {clock(ended_at)}"
        raise OptionError("--at", expected, written, "The record ends there: name one of them.")
    return min(at, ended_at)


def _require_begun(option: str, time: int | None, began_at: int) -> None:
    if time is not None and time < began_at:
        raise OptionError(option, f"a time from {clock(began_at)} on", clock(time), "The run had not begun: name one.")


def _within(account: Account, begin: int | None, end: int | None) -> Account:
    """The window of an account, as far as the record goes.

    Raises:
        OptionError: the window lies after the record.
    """
    begins = account.begin if begin is None else max(begin, account.begin)
    ends = account.end if end is None else min(end, account.end)
    if begins > ends:
        raise OptionError("--from", f"a time up to {clock(account.end)}", clock(begins), "The record ends there.")
    return account.clipped(begins, ends)


# -- what is printed ---------------------------------------------------------------------------------------------------


def _entry(place: Path, told: Sequence[_Told], options: WhyOptions) -> dict[str, Any]:
    markets, stretches, answers, unexplained = [], [], [], 0.0
    for each in told:
        own = _asked(each, options)
        entry = each.account.entry()
        if each.answers:
            lengths = [stretch.duration for stretch in own if not stretch.is_explained]
            entry = {
                "symbol": entry["symbol"],
                "run_began": entry["run_began"],
                "unexplained_seconds": sum(lengths) / NANOSECONDS_PER_SECOND,
            }
        markets.append({**entry, "journal": str(each.journal)})
        stretches += [{"symbol": each.account.symbol, **stretch.entry()} for stretch in own]
        answers += [answer.entry() for answer in each.answers]
        unexplained += entry["unexplained_seconds"]
    found = {"run": str(place), "markets": markets, "stretches": stretches, "unexplained_seconds": unexplained}
    return {**found, "answers": answers} if options.at is not None else found


def _asked(told: _Told, options: WhyOptions) -> list[Stretch]:
    if told.answers:
        return [answer.stretch for answer in told.answers]
    return [each for each in told.account.stretches if options.side in {None, each.side}]


def _print(told: Sequence[_Told], place: Path, options: WhyOptions) -> None:
    console = result_console()
    for number, each in enumerate(told):
        if number:
            console.print()
        if options.at is not None:
            console.print(
                Text.assemble((each.account.symbol, "bold"), f"  {moment(each.account.began_at):%Y-%m-%d} UTC")
            )
            for answer in each.answers:
                console.print(answer_text(answer))
        else:
            console.print(account_text(each.account))
            _print_silences(console, each, place, options)


def _print_silences(console: Console, told: _Told, place: Path, options: WhyOptions) -> None:
    silent = silent_first(told.account, options.side)
    held = [stretch for stretch in silent if stretch.kind is StretchKind.HELD]
    waiting = silent[len(held) :]
    if all(stretch.kind is StretchKind.NOT_RECORDED for stretch in told.account.stretches):
        return  # of such time nobody can say that nothing was held
    console.print()
    if waiting:
        longest = clock(waiting[0].begin)
        times = counted(len(waiting), "time")
        console.print(Text(f"waiting for the venue's answer {times}, the longest at {longest}"), soft_wrap=False)
    if not held:
        console.print("held: never")
    elif options.begin is None and options.end is None:
        console.print(f"held {counted(len(held), 'time')}, the longest:")
        console.print(stretches_text(held, most=_LINES))
    else:
        console.print(f"held {counted(len(held), 'time')}:")
        for stretch in sorted(held[:_BLOCKS], key=lambda each: (each.begin, each.side)):
            console.print(stretch_text(stretch))
        if len(held) > _BLOCKS:
            console.print(Text(f"and {len(held) - _BLOCKS:,} shorter ones: narrow the window, or take --json"))
    asked = [each for each in held if HoldReason(each.reason) not in _NO_SETTING_HELPS]
    if asked:
        wrong = [each for each in asked if what_is_done(HoldReason(each.reason))]
        at = clock((wrong or asked)[0].begin)
        symbol = f" --symbol {told.account.symbol}"
        console.print(Text("Who decided, and which setting would have quoted it:", style="dim"))
        command = f"mm-fsm why {quote(str(place))}{symbol} --at {at}"
        console.print(Text(command, style="dim"), soft_wrap=True)  # one line, so that it can be copied


def _status(told: Sequence[_Told]) -> ExitCode:
    """Failure where time is not explained, with the reason on standard error."""
    lacking = [each for each in told if _unexplained(each)]
    for each in lacking:
        seconds = _unexplained(each) / NANOSECONDS_PER_SECOND
        remedy = _remedy(each)
        print_message(f"mm-fsm: {each.account.symbol}: {seconds:,.1f} s are not explained. {remedy}", style="red")
    return ExitCode.FAILURE if lacking else ExitCode.SUCCESS


def _remedy(told: _Told) -> str:
    lacking = [each.stretch for each in told.answers] or told.account.stretches
    lacking = [each for each in lacking if not each.is_explained]
    if any(each.kind is StretchKind.UNEXPLAINED for each in lacking):
        return "That is a defect: please report it with the journal."
    if all(each.detail == FORGOTTEN for each in lacking):
        length = lasting(told.account.forgotten)
        return f"Its journal has forgotten the first {length} of each side: raise max_megabytes below [journal]."
    return "Its journal has no market data: run with record_market_data = true below [journal]."


def _unexplained(told: _Told) -> int:
    if told.answers:
        return sum(each.stretch.duration for each in told.answers if not each.stretch.is_explained)
    return told.account.unexplained
