"""Begins the journal of any strategy. What a restart does with one that is there, is the strategy's own business."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from mm_fsm.errors import JournalError
from mm_fsm.machine.strategy import StrategyMachine
from mm_fsm.runtime.journal import database
from mm_fsm.runtime.journal.writer import Journal, JournalSettings
from mm_fsm.venues.tokens import random_token


def begin_journal(
    path: Path,
    machine: StrategyMachine,
    *,
    symbol: str,
    account: str = "paper",
    strategy_id: str = "strategy",
    run: str | None = None,
    session: str | None = None,
    settings: JournalSettings | None = None,
) -> Journal:
    """A new journal whose first segment holds all that ``machine`` remembers; close it when the run has ended.

    Args:
        path: where it goes. Its directory is made; a journal that is there is never replaced.
        machine: as it stands before its first step.
        symbol: the market, which records leave out of their messages; of several the one with the most messages.
        account: name of the account at the venue.
        strategy_id: what client order ids begin with.
        run: the run's token in client order ids; by default one that is never used again.
        session: this process's token in client order ids; by default one that is never used again.
        settings: what is recorded, and how much is kept.

    Raises:
        JournalError: a journal is there; it cannot be written; or the machine remembers something that a snapshot
            cannot hold.
    """
    if path.exists() and path.stat().st_size > 0:
        raise JournalError(path.name, "expected no journal yet, found one.", "Name another place, or move it away.")
    settings = settings or JournalSettings()
    run, session = run or random_token(), session or random_token()
    about = {"run": run, "version": version("mm-fsm"), "account": account, "symbol": symbol, "strategy_id": strategy_id}
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.new")
    connection = database.create(unfinished, about, machine.recorded, synchronise=settings.synchronise)
    with database.closed_on_failure(connection):
        journal = Journal(unfinished, connection, run=run, session=session, settings=settings)
        journal.begin_segment(machine, database.SegmentOrigin.STARTED)
    journal.file.move_to(path)
    return journal
