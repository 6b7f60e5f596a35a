"""Which journals a command is about, and which of a settings file's strategies goes with one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from mm_fsm.cli.consoles import print_message
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.core.suggestions import did_you_mean
from mm_fsm.errors import JournalError, OptionError
from mm_fsm.report.files import missing_run
from mm_fsm.report.run_places import refuse_directory_of_runs
from mm_fsm.runtime.journal import JournalReader
from mm_fsm.runtime.operations import ABOUT, OperationsDirectory
from mm_fsm.runtime.settings_file import read_settings


def journals_by_symbol(place: Path, symbol: str | None = None) -> dict[str, Path]:
    """The journals that a command is about, by market, in the order of their paths.

    Args:
        place: a journal, or a run's directory.
        symbol: the market that is asked for; None for all.

    Raises:
        JournalError: there is none, one is damaged, or two are of one market.
        OptionError: the run has no such market.
    """
    found = own_journals(place)
    if not found:
        missing = ", ".join(_named_by_run(place).values())
        where = f"below it, found none, and none at {missing}." if missing else "below it, found none."
        remedy = "Name a journal, or a directory that a run with a journal has written."
        raise JournalError(str(place), f"expected journals {where}", remedy)
    if symbol is None:
        return found
    if symbol not in found:
        remedy = did_you_mean(symbol, list(found), "Leave it out for all.")
        raise OptionError("--symbol", f"one of {', '.join(found)}", symbol, remedy)
    return {symbol: found[symbol]}


def own_journals(place: Path) -> dict[str, Path]:
    """The same, with nothing where the run kept no journal.

    Those below the run's directory come first. A run whose orders outlive its process keeps its journal elsewhere, and
    says where. A copy of a run says so too, of the run that it was copied from, and a run that was moved of a place
    that is no more: neither is followed.

    Raises:
        FileError: nothing is there, or a directory of runs.
        JournalError: one is damaged, or two are of one market.
    """
    if not place.exists():
        raise missing_run(place)
    refuse_directory_of_runs(place)
    if not place.is_dir():
        return _by_symbol([place], place)
    found = _by_symbol(sorted(place.rglob("*.journal")), place)
    elsewhere = [Path(journal) for symbol, journal in _named_by_run(place).items() if symbol not in found]
    return {**found, **_by_symbol([path for path in elsewhere if path.is_file()], place)}


def say_whose_steps(place: Path, journals: Mapping[str, Path]) -> None:
    """Say of a run whose journal is its account's, where the steps of others are in it too.

    Args:
        place: what the command was given: a run's directory, or a journal.
        journals: of the run, by market.
    """
    for symbol, path in journals.items():
        if not place.is_dir() or path.resolve().is_relative_to(place.resolve()):
            continue
        with JournalReader(path) as reader:
            beginnings = len({segment.session for segment in reader.segments})
        if beginnings > 1:
            words = f"the journal of this account holds {beginnings:,} runs and restarts"
            print_message(f"{symbol}: {words}; these steps are of all of them", style="yellow")


def _named_by_run(place: Path) -> dict[str, str]:
    """Where the run said that it keeps its journals, by market."""
    if not (place / ABOUT).exists():
        return {}
    return {market.symbol: market.journal for market in OperationsDirectory(place).read().markets if market.journal}


def _by_symbol(paths: Sequence[Path], place: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in paths:
        try:
            with JournalReader(path) as reader:
                symbol = reader.about["symbol"]
        except JournalError as error:  # of several journals with one name, which?
            raise JournalError(str(path), error.problem, error.remedy) from error
        if symbol in found:
            problem = f"expected one journal of {symbol}, found {found[symbol]} and {path}."
            raise JournalError(str(place), problem, "Name the directory of one run, or one of these journals.")
        found[symbol] = path
    return found


def strategy_of(symbol: str, settings: Path) -> MarketMakingSettings:
    """The strategy that a settings file has for a market.

    Raises:
        SettingsError: the file is refused.
        OptionError: it has no such market.
    """
    markets = read_settings(settings)
    for market in markets:
        if market.symbol == symbol:
            return market.strategy
    found = ", ".join(market.symbol for market in markets)
    raise OptionError("--settings", f"a market {symbol}, the journal's", found, "Name a file that has it.")
