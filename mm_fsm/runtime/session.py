"""One market on a venue: from validated settings to a machine that can be run."""

from __future__ import annotations

from abc import ABC, abstractmethod

from attrs import define, evolve, field

from mm_fsm.chart import ExecutorKind
from mm_fsm.core.clock import nanoseconds
from mm_fsm.errors import SettingsError
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.observers import MachineObserver
from mm_fsm.machine.quoting import QuotingMachine
from mm_fsm.machine.strategy import StrategyMachine
from mm_fsm.runtime.account.account_state import AccountState
from mm_fsm.runtime.journal import Journal
from mm_fsm.runtime.runner import SessionRunner
from mm_fsm.runtime.settings_file import MarketConfiguration
from mm_fsm.runtime.stepping import SessionSteps, SteppedMachine
from mm_fsm.runtime.stopwatch import StateStopwatch
from mm_fsm.venues.port import PulledPlan, PulledVenue


@define(kw_only=True, eq=False)
class Session(ABC):
    """A machine on its venue, what watches it, and its journal if it has one."""

    configuration: MarketConfiguration
    machine: QuotingMachine
    stopwatch: StateStopwatch
    journal: Journal | None = None
    restarts: list[str] = field(factory=list, init=False)
    """Why the machine was replaced, once for each restart."""
    watchers: list[MachineObserver] = field(factory=list, init=False)
    """What watches whichever machine makes the market, besides the stopwatch."""

    def watch(self, observer: MachineObserver) -> None:
        """Tell ``observer`` everything from now on, over restarts too."""
        self.watchers.append(observer)
        self.machine.observe(observer)

    @property
    @abstractmethod
    def runner(self) -> SessionSteps:
        """What steps the machine."""

    @property
    def symbol(self) -> str:
        """The market's name."""
        return self.configuration.symbol

    @property
    def now(self) -> int:
        """Its time, nanoseconds, of which the machine may not have been told yet."""
        return self.runner.now

    @property
    def why_down(self) -> str | None:
        """Why nobody makes the market although its machine has not ended; None while it is made."""
        return None

    @property
    def account_state(self) -> AccountState | None:
        """Where the account stands against the limits over all its markets; None where there are none of these."""
        return None

    @property
    def progress(self) -> float:
        """How much of the session is over, 0 to 1, its wind-down not counted; 0 while nobody can say."""
        if self.machine.is_final:
            return 1.0
        length, began_at = self.configuration.strategy.session_seconds, self.machine.began_at
        if length is None:
            return self.runner.progress or 0.0
        passed = 0 if began_at is None else self.runner.now - began_at
        return min(max(passed / max(nanoseconds(length), 1), self.runner.progress or 0.0), 1.0)


@define(kw_only=True, eq=False)
class PulledSession(Session):
    """A session in event time."""

    runner: SessionRunner


def open_session(
    configuration: MarketConfiguration,
    venue: PulledVenue | None = None,
    machine_class: type[QuotingMachine] = MarketMakingStateMachine,
    executor: str = ExecutorKind.TABLE,
) -> PulledSession:
    """A session on a venue, by default the one that the configuration names.

    ``executor`` says what runs the machine's chart: ``"table"`` or ``"engine"``.

    Raises:
        SettingsError: settings contradict each other, or the venue that they name is no pulled one.
        PluginError: a service that the settings name is not there.
        RecordingError: what the venue reads from is malformed.
    """
    venue = venue or open_venue(configuration)
    terms = venue.terms
    machine = machine_class(configuration.strategy, terms.instrument, terms.fees, terms.balances, executor=executor)
    return session_around(configuration, venue, machine, machine)


def open_venue(configuration: MarketConfiguration) -> PulledVenue:
    """The venue that the configuration names, which must be one that is pulled.

    Raises:
        SettingsError: it is none.
        RecordingError: what the venue reads from is malformed.
    """
    plan = configuration.venue
    if isinstance(plan, PulledPlan):
        return plan.open()
    remedy = "Name one, such as 'paper'."
    raise SettingsError("venue.kind", "a kind whose facts are pulled in event time", configuration.venue_kind, remedy)


def session_around(
    configuration: MarketConfiguration,
    venue: PulledVenue,
    machine: QuotingMachine,
    stepped: SteppedMachine,
    journal: Journal | None = None,
) -> PulledSession:
    """A session of ``machine`` on ``venue``; ``stepped`` is what takes the facts."""
    return PulledSession(
        configuration=configuration,
        machine=machine,
        runner=SessionRunner(stepped, venue),
        stopwatch=watched(machine),
        journal=journal,
    )


def watched(machine: StrategyMachine) -> StateStopwatch:
    """A stopwatch that the machine reports to."""
    stopwatch = StateStopwatch(machine.definition)
    machine.observe(stopwatch)
    return stopwatch


def for_session(
    configuration: MarketConfiguration, *, duration_seconds: float | None = None, seed: int | None = None
) -> MarketConfiguration:
    """The configuration for a session of so many seconds, with that seed for whatever its venue draws at random.

    Raises:
        SettingsError: its venue has no use for one of them.
    """
    strategy, venue = configuration.venue.for_session(
        configuration.strategy, duration_seconds=duration_seconds, seed=seed
    )
    return evolve(configuration, strategy=strategy, venue=venue)
