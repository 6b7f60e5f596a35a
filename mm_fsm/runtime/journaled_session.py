"""A session on the paper exchange with a journal around its machine."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import cast

from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.runtime.journal import JournalSettings
from mm_fsm.runtime.recovery import OpenRun, RunPlan, open_run
from mm_fsm.runtime.runner import SessionRunner
from mm_fsm.runtime.session import Session
from mm_fsm.runtime.settings_file import MarketConfiguration
from mm_fsm.runtime.stopwatch import StateStopwatch
from mm_fsm.venues.base import MarketEvent
from mm_fsm.venues.paper import PaperExchange


def open_journaled_session(
    configuration: MarketConfiguration,
    market: Iterable[MarketEvent],
    path: Path,
    journal_settings: JournalSettings | None = None,
) -> tuple[Session, OpenRun]:
    """A session whose every step is on record in the journal at ``path``; close the run when it has ended.

    A paper exchange begins anew with every process, so that the journal of an earlier run differs from its account:
    give each run a journal of its own.

    Raises:
        JournalError: the journal cannot be written, or is damaged.
        OwnershipError: another process makes this market with a journal in the same directory.
        SettingsError: settings contradict each other.
        PluginError: a service that the settings name is not there.
        RecordingError: the market's first event is malformed.
    """
    run = open_run(
        RunPlan(
            path=path,
            settings=configuration.strategy,
            instrument=configuration.instrument,
            fees=configuration.fees,
            balances=configuration.balances,
            journal_settings=journal_settings or JournalSettings(),
        )
    )
    machine = cast("MarketMakingStateMachine", run.machine.machine)  # the plan's default class
    venue = PaperExchange(configuration.instrument, configuration.fees, configuration.balances, configuration.paper)
    stopwatch = StateStopwatch(machine.definition)
    machine.observe(stopwatch)
    return Session(configuration, machine, SessionRunner(run.machine, market, venue), stopwatch), run
