"""Opens the sessions of a run: each alone on its account, and with a journal unless none is wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from attrs import frozen
from loguru import logger

from mm_fsm.chart import ExecutorKind
from mm_fsm.errors import OptionError, OwnershipError
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.quoting import QuotingMachine
from mm_fsm.report.files import JOURNAL_FILE, symbol_directory
from mm_fsm.runtime.account.shared_account import SharedAccount
from mm_fsm.runtime.journal.group_commit import GroupCommit
from mm_fsm.runtime.journaled_session import open_journaled_session, plan_of
from mm_fsm.runtime.operations import OperationsDirectory, RunningMarket
from mm_fsm.runtime.operator_desk import OperatorDesk
from mm_fsm.runtime.ownership import market_directory, market_owned
from mm_fsm.runtime.pacing import Pacer
from mm_fsm.runtime.pushed_session import (
    ConnectedMarket,
    PushedSession,
    connect,
    connections,
    pushed_session,
)
from mm_fsm.runtime.pushed_supervisor import PushedSupervisor
from mm_fsm.runtime.recovery import set_aside
from mm_fsm.runtime.restarting import JournaledRuns
from mm_fsm.runtime.session import PulledSession, Session, open_session
from mm_fsm.runtime.settings_file import MarketConfiguration
from mm_fsm.runtime.shutdown import ending_of
from mm_fsm.runtime.supervisor import Supervisor
from mm_fsm.venues.port import PulledVenue, PushedVenue, VenueTerms

Market = tuple[MarketConfiguration, PulledVenue]
"""A market, and where it is made."""


@frozen(kw_only=True)
class Opening:
    """How sessions are opened."""

    directory: Path
    has_journal: bool
    machine_class: type[QuotingMachine] = MarketMakingStateMachine
    executor: str = ExecutorKind.TABLE
    operations: OperationsDirectory | None = None
    """Where people and a watchdog reach the run; None where nobody does."""
    settings: Path | None = None
    """The settings file; None for shipped presets."""


@contextmanager
def opened(
    markets: Sequence[Market], opening: Opening, pacer: Pacer | None = None, *, flatten: bool | None = None
) -> Iterator[Supervisor]:
    """Sessions in event time and what runs them, until the end of the ``with`` statement.

    ``pacer`` holds event time back; ``flatten`` says whether a signal winds positions down, None that each session's
    settings say.

    Raises:
        OwnershipError: another process makes a market on the same account, or writes its results to the same place.
        MarketMakerError: settings contradict each other, or a journal cannot be written.
    """
    with ExitStack() as stack:
        sessions = [_open(configuration, venue, opening, stack) for configuration, venue in markets]
        _begin(opening, [(configuration, venue.terms) for configuration, venue in markets])
        _note_ending(opening, sessions, stack)
        yield Supervisor(sessions, pacer, flatten=flatten, operator=_operator(opening))


@contextmanager
def opened_in_wall_time(
    configurations: Sequence[MarketConfiguration], opening: Opening, *, flatten: bool | None = None
) -> Iterator[PushedSupervisor]:
    """Sessions on venues that push their facts and what runs them, until the end of the ``with`` statement.

    Raises:
        OwnershipError: another process makes a market on the same account.
        VenueError: a venue cannot be reached.
        MarketMakerError: settings contradict each other or a venue's terms, or a journal cannot be written.
    """
    with ExitStack() as stack:
        loop = stack.enter_context(closing(asyncio.new_event_loop()))
        loop.set_exception_handler(_note_unawaited)
        venues = [(SharedAccount(venue, markets[0].account), markets) for venue, markets in connections(configurations)]
        for venue, _ in venues:
            stack.callback(_close, loop, venue)
        commits = stack.enter_context(GroupCommit(loop))
        connected = [loop.run_until_complete(connect(venue, markets)) for venue, markets in venues]
        supervisor = PushedSupervisor(
            loop, [venue for venue, _ in venues], flatten=flatten, operator=_operator(opening)
        )
        for venue, _ in venues:
            venue.limits.on_loss = partial(supervisor.halt, venue)
        supervisor.sessions = [
            _open_pushed(market, opening, supervisor, commits, stack) for markets in connected for market in markets
        ]
        _begin(opening, [(market.configuration, market.terms) for markets in connected for market in markets])
        _note_ending(opening, supervisor.sessions, stack)
        yield supervisor


def _note_unawaited(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What went wrong in a task that nobody waits for, in one line: a venue's library has such tasks.

    Their failures reach the streams' watch by other ways. A foreign error's words may hold a request: its kind must do.
    """
    error = context.get("exception")
    logger.bind(error=type(error).__name__, what=context.get("message", "")).debug("loop.unawaited_failure")


def _operator(opening: Opening) -> OperatorDesk | None:
    """Who listens in the run's directory, once the run turns."""
    return None if opening.operations is None else OperatorDesk(opening.operations)


def _begin(opening: Opening, markets: Sequence[tuple[MarketConfiguration, VenueTerms]]) -> None:
    """Say in the run's directory what runs: only once every market is ours, for another run may have the directory."""
    if opening.operations is None:
        return
    opening.operations.begin(
        opening.settings,
        [
            RunningMarket(
                symbol=configuration.symbol,
                account=terms.account,
                strategy_id=configuration.strategy.strategy_id,
                journal=str(_journal_path(terms, opening).resolve()) if opening.has_journal else "",
            )
            for configuration, terms in markets
        ],
    )


def _note_ending(opening: Opening, sessions: Sequence[Session], stack: ExitStack) -> None:
    """A run that ends with every book confirmed empty says so; any other falls silent, for a watchdog to look after."""

    def note(kind: type[BaseException] | None, *_: object) -> None:
        if opening.operations is not None and kind is None and all(map(_is_left_empty, sessions)):
            opening.operations.end()

    stack.push(note)


def _is_left_empty(session: Session) -> bool:
    return session.machine.is_final and ending_of(session.machine.context).is_book_confirmed_empty


def _close(loop: asyncio.AbstractEventLoop, venue: PushedVenue) -> None:
    loop.run_until_complete(venue.close())


def _open_pushed(
    market: ConnectedMarket, opening: Opening, supervisor: PushedSupervisor, commits: GroupCommit, stack: ExitStack
) -> PushedSession:
    configuration, terms = market.configuration, market.terms
    path = _journal_path(terms, opening)
    if opening.has_journal:
        plan = plan_of(configuration, terms, path, None, opening.machine_class, executor=opening.executor)
        runs = JournaledRuns(plan, commits if terms.outlives_process else None)
        opened = runs.open()
        session = pushed_session(
            market,
            opened.machine,
            opened.stepped,
            supervisor.note,
            journal=opened.journal,
            release=opened.release,
            reopen=runs.reopen,
        )
        stack.callback(lambda: runs.close(is_sound=session.runner.failure is None))
        return session
    _own_without_journal(terms, path, stack)
    machine = opening.machine_class(
        configuration.strategy, terms.instrument, terms.fees, terms.balances, executor=opening.executor
    )
    return pushed_session(market, machine, machine, supervisor.note)


def _open(configuration: MarketConfiguration, venue: PulledVenue, opening: Opening, stack: ExitStack) -> PulledSession:
    path = _journal_path(venue.terms, opening)
    try:
        if opening.has_journal:
            session, run = open_journaled_session(
                configuration, path, venue, machine_class=opening.machine_class, executor=opening.executor
            )
            stack.enter_context(run)
            return session
        session = open_session(configuration, venue, opening.machine_class, opening.executor)
        _own_without_journal(venue.terms, path, stack)
    except OwnershipError as error:
        if venue.terms.outlives_process:
            raise
        raise OwnershipError(f"{error} A run with another --out has an exchange of its own.") from error
    return session


def _journal_path(terms: VenueTerms, opening: Opening) -> Path:
    return market_directory(terms, symbol_directory(opening.directory, terms.instrument.symbol)) / JOURNAL_FILE


def _own_without_journal(terms: VenueTerms, path: Path, stack: ExitStack) -> None:
    """The right to make a market of which nothing is kept: only where nothing outlives the process.

    Raises:
        OwnershipError: another process makes it.
        SettingsError: orders and positions outlive the process.
    """
    if terms.outlives_process:
        expected = f"a journal for account {terms.account!r}, whose orders and position stay when the process ends"
        raise OptionError("--no-journal", expected, "none", "Leave --no-journal out.")
    stack.enter_context(market_owned(terms, path.parent, "no journal"))
    set_aside(path)  # it tells of another run than the files that are there soon
