"""Which journals a command is about, and which of a settings file's strategies goes with one."""

from __future__ import annotations

from pathlib import Path

from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.errors import JournalError, OptionError
from mm_fsm.runtime.operations import ABOUT, OperationsDirectory
from mm_fsm.runtime.settings_file import read_settings


def journals_of(place: Path) -> list[Path]:
    """A journal, or those below a directory, and those that its run keeps elsewhere: where orders outlive a process.

    Raises:
        JournalError: a directory has none.
    """
    if not place.is_dir():
        return [place]
    paths = {path.resolve(): path for path in sorted(place.rglob("*.journal"))}
    if (place / ABOUT).exists():
        elsewhere = (Path(market.journal) for market in OperationsDirectory(place).read().markets if market.journal)
        paths = {**{path.resolve(): path for path in elsewhere}, **paths}
    if not paths:
        remedy = "Name a journal, or a directory that a run with a journal has written."
        raise JournalError(str(place), "expected journals below it, found none.", remedy)
    return list(paths.values())


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
