"""A session on the paper exchange with a journal around its machine."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from pathlib import Path

from mm_fsm.chart import ExecutorKind
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.quoting import QuotingMachine
from mm_fsm.runtime.journal import JournalSettings
from mm_fsm.runtime.recovery import OpenRun, RunPlan, open_run
from mm_fsm.runtime.session import Session, session_around
from mm_fsm.runtime.settings_file import MarketConfiguration
from mm_fsm.services.registry import load_services
from mm_fsm.venues.base import MarketEvent


def open_journaled_session(
    configuration: MarketConfiguration,
    market: Iterable[MarketEvent],
    path: Path,
    journal_settings: JournalSettings | None = None,
    machine_class: type[QuotingMachine] = MarketMakingStateMachine,
    *,
    executor: str = ExecutorKind.TABLE,
) -> tuple[Session, OpenRun]:
    """A session whose every step is on record in the journal at ``path``; close the run when it has ended.

    A paper exchange begins anew with every process and knows nothing of an earlier one's orders. So each run has a
    journal of its own: one that is there is kept as ``mm_fsm.runtime.recovery.earlier_path`` says, never continued.

    Args:
        configuration: the market.
        market: its events.
        path: where the journal goes.
        journal_settings: by default those of the configuration.
        machine_class: the machine to run.
        executor: what runs its chart: ``"table"`` or ``"engine"``.

    Raises:
        JournalError: the journal cannot be written.
        OwnershipError: another process makes this market with a journal in the same directory.
        SettingsError: settings contradict each other.
        PluginError: a service that the settings name is not there.
        RecordingError: the market's first event is malformed.
    """
    tokens = count(1)
    run = open_run(
        RunPlan(
            path=path,
            settings=configuration.strategy,
            instrument=configuration.instrument,
            fees=configuration.fees,
            balances=configuration.balances,
            machine_class=machine_class,
            executor=executor,
            services=load_services(configuration.strategy.services),  # refused before anything is written
            journal_settings=journal_settings or configuration.journal,
            # The exchange has seen no earlier id, and with these the same seed is the same run to the last character.
            make_token=lambda: f"{next(tokens):06}",
            is_continued=False,
        )
    )
    try:
        return session_around(configuration, market, run.machine.machine, run.machine, run.journal), run
    except BaseException:
        run.close()
        raise
