"""One market made on the paper exchange: from validated settings and a market source to a machine that can be run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from attrs import evolve, frozen

from mm_fsm.chart import ExecutorKind
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.quoting import QuotingMachine
from mm_fsm.runtime.journal import Journal
from mm_fsm.runtime.runner import SessionRunner, SteppedMachine
from mm_fsm.runtime.settings_file import MarketConfiguration
from mm_fsm.runtime.stopwatch import StateStopwatch
from mm_fsm.venues.base import MarketEvent
from mm_fsm.venues.paper import PaperExchange
from mm_fsm.venues.simulator import MarketSimulator

DEFAULT_DURATION_SECONDS: Final = 3600.0
"""Length of a simulated session whose settings say nothing about it."""
_AFTER_THE_DEADLINE_SECONDS: Final = 60.0
"""How long a simulated market goes on after the last moment of a wind-down."""


@frozen(eq=False)
class Session:
    """A machine with its market and its paper exchange, what watches it, and its journal if it has one."""

    configuration: MarketConfiguration
    machine: QuotingMachine
    runner: SessionRunner
    stopwatch: StateStopwatch
    journal: Journal | None = None

    @property
    def symbol(self) -> str:
        """The market's name."""
        return self.configuration.symbol


def open_session(
    configuration: MarketConfiguration,
    market: Iterable[MarketEvent],
    machine_class: type[QuotingMachine] = MarketMakingStateMachine,
    executor: str = ExecutorKind.TABLE,
) -> Session:
    """A session on the events of ``market``, which name it as the configuration does.

    ``executor`` says what runs the machine's chart: ``"table"`` or ``"engine"``.

    Raises:
        SettingsError: settings contradict each other.
        PluginError: a service that the settings name is not there.
        RecordingError: the market's first event is malformed.
    """
    machine = machine_class(
        configuration.strategy,
        configuration.instrument,
        configuration.fees,
        configuration.balances,
        executor=executor,
    )
    return session_around(configuration, market, machine, machine)


def session_around(
    configuration: MarketConfiguration,
    market: Iterable[MarketEvent],
    machine: QuotingMachine,
    stepped: SteppedMachine,
    journal: Journal | None = None,
) -> Session:
    """A session of ``machine`` on a paper exchange of its own; ``stepped`` is what takes the facts.

    Raises:
        RecordingError: the market's first event is malformed.
    """
    venue = PaperExchange(configuration.instrument, configuration.fees, configuration.balances, configuration.paper)
    stopwatch = StateStopwatch(machine.definition)
    machine.observe(stopwatch)
    return Session(configuration, machine, SessionRunner(stepped, market, venue), stopwatch, journal)


def open_simulated_session(configuration: MarketConfiguration) -> Session:
    """A session on the configuration's own simulated market.

    Raises:
        SettingsError: settings contradict each other.
        PluginError: a service that the settings name is not there.
    """
    return open_session(configuration, MarketSimulator(configuration.simulator))


def for_simulation(
    configuration: MarketConfiguration, *, duration_seconds: float | None = None, seed: int | None = None
) -> MarketConfiguration:
    """The configuration with a simulated market that lasts as long as its session, wind-down included.

    The session's length is ``duration_seconds``, else what the strategy says; else the simulated market ends it, after
    an hour if nothing says when. ``seed`` replaces the seeds of market and exchange.
    """
    strategy, simulator, paper = configuration.strategy, configuration.simulator, configuration.paper
    if duration_seconds is None and strategy.session_seconds is None and not configuration.has_duration:
        duration_seconds = DEFAULT_DURATION_SECONDS
    if duration_seconds is not None:
        strategy = evolve(strategy, session_seconds=duration_seconds)
    if strategy.session_seconds is not None and (duration_seconds is not None or not configuration.has_duration):
        afterwards = strategy.wind_down_deadline_seconds + _AFTER_THE_DEADLINE_SECONDS
        simulator = evolve(simulator, duration_seconds=strategy.session_seconds + afterwards)
    if seed is not None:
        simulator, paper = evolve(simulator, seed=seed), evolve(paper, seed=seed)
    return evolve(configuration, strategy=strategy, simulator=simulator, paper=paper)
