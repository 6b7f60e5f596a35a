"""Opens the sessions of a run: each alone in its directory, and with a journal there unless none is wanted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from attrs import frozen

from mm_fsm.chart import ExecutorKind
from mm_fsm.errors import OwnershipError
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.quoting import QuotingMachine
from mm_fsm.report.files import JOURNAL_FILE, symbol_directory
from mm_fsm.runtime.journaled_session import open_journaled_session
from mm_fsm.runtime.ownership import market_owned
from mm_fsm.runtime.recovery import set_aside
from mm_fsm.runtime.session import Session, open_session
from mm_fsm.runtime.settings_file import MarketConfiguration
from mm_fsm.venues.port import PulledVenue

Market = tuple[MarketConfiguration, PulledVenue]
"""A market, and where it is made."""


@frozen(kw_only=True)
class Opening:
    """How sessions are opened."""

    directory: Path
    has_journal: bool
    machine_class: type[QuotingMachine] = MarketMakingStateMachine
    executor: str = ExecutorKind.TABLE


@contextmanager
def opened(markets: Sequence[Market], opening: Opening) -> Iterator[list[Session]]:
    """The sessions, until the end of the ``with`` statement.

    Raises:
        OwnershipError: another process makes a market on the same account, or writes its results to the same place.
        MarketMakerError: settings contradict each other, or a journal cannot be written.
    """
    with ExitStack() as stack:
        yield [_open(configuration, venue, opening, stack) for configuration, venue in markets]


def _open(configuration: MarketConfiguration, venue: PulledVenue, opening: Opening, stack: ExitStack) -> Session:
    path = symbol_directory(opening.directory, configuration.symbol) / JOURNAL_FILE
    try:
        if opening.has_journal:
            session, run = open_journaled_session(
                configuration, path, venue, machine_class=opening.machine_class, executor=opening.executor
            )
            stack.enter_context(run)
            return session
        session = open_session(configuration, venue, opening.machine_class, opening.executor)
        stack.enter_context(market_owned(venue.terms, path.parent, "no journal"))
    except OwnershipError as error:
        if venue.terms.outlives_process:
            raise
        raise OwnershipError(f"{error} A run with another --out has an exchange of its own.") from error
    set_aside(path)  # it tells of another run than the files that are there soon
    return session
