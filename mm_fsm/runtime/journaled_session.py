"""A session with a journal around its machine."""

from __future__ import annotations

from pathlib import Path

from mm_fsm.chart import ExecutorKind
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.quoting import QuotingMachine
from mm_fsm.runtime.journal import JournalSettings
from mm_fsm.runtime.ownership import market_directory
from mm_fsm.runtime.recovery import OpenRun, RunPlan, open_run
from mm_fsm.runtime.session import PulledSession, open_venue, session_around
from mm_fsm.runtime.settings_file import MarketConfiguration
from mm_fsm.services.registry import load_services
from mm_fsm.venues.port import PulledVenue, VenueTerms


def open_journaled_session(
    configuration: MarketConfiguration,
    path: Path,
    venue: PulledVenue | None = None,
    journal_settings: JournalSettings | None = None,
    machine_class: type[QuotingMachine] = MarketMakingStateMachine,
    *,
    executor: str = ExecutorKind.TABLE,
) -> tuple[PulledSession, OpenRun]:
    """A session whose every step is on record in the journal at ``path``; close the run when it has ended.

    Args:
        configuration: the market.
        path: where the journal goes.
        venue: where orders go and facts come from; by default the venue that the configuration names.
        journal_settings: by default those of the configuration.
        machine_class: the machine to run.
        executor: what runs its chart: ``"table"`` or ``"engine"``.

    Raises:
        JournalError: the journal cannot be written.
        OwnershipError: another process makes this market on this account.
        SettingsError: settings contradict each other, or the venue that they name is no pulled one.
        PluginError: a service that the settings name is not there.
        RecordingError: what the venue reads from is malformed.
    """
    venue = venue or open_venue(configuration)
    run = open_run(plan_of(configuration, venue.terms, path, journal_settings, machine_class, executor=executor))
    try:
        return session_around(configuration, venue, run.machine.machine, run.machine, run.journal), run
    except BaseException:
        run.close()
        raise


def plan_of(
    configuration: MarketConfiguration,
    terms: VenueTerms,
    path: Path,
    journal_settings: JournalSettings | None = None,
    machine_class: type[QuotingMachine] = MarketMakingStateMachine,
    *,
    executor: str = ExecutorKind.TABLE,
) -> RunPlan:
    """How a market's run is begun or continued on a venue of these terms.

    A venue that ends with its process knows nothing of an earlier one's orders. So there each run has a journal of its
    own: one that is there is kept as ``mm_fsm.runtime.recovery.earlier_path`` says, never continued.

    Raises:
        PluginError: a service that the settings name is not there; nothing has been written.
    """
    return RunPlan(
        path=path,
        settings=configuration.strategy,
        instrument=terms.instrument,
        fees=terms.fees,
        balances=terms.balances,
        account=terms.account,
        machine_class=machine_class,
        executor=executor,
        services=load_services(configuration.strategy.services, configuration.strategy.service_options),
        journal_settings=journal_settings or configuration.journal,
        locks=market_directory(terms, path.parent),
        make_token=terms.make_token,
        is_continued=terms.outlives_process,
    )
