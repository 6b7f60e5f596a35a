"""Opens the sessions of a run: each alone in its directory, and with a journal there unless none is wanted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from attrs import frozen

from mm_fsm.chart import ExecutorKind
from mm_fsm.errors import OwnershipError
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.quoting import QuotingMachine
from mm_fsm.report.files import JOURNAL_FILE, symbol_directory
from mm_fsm.runtime.journaled_session import open_journaled_session
from mm_fsm.runtime.ownership import Ownership
from mm_fsm.runtime.recovery import set_aside
from mm_fsm.runtime.session import Session, open_session
from mm_fsm.runtime.settings_file import MarketConfiguration
from mm_fsm.venues.base import MarketEvent

_ACCOUNT: Final = "paper"

Market = tuple[MarketConfiguration, Iterable[MarketEvent]]


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

    The account is the embedded exchange's, which is this process's own: nobody else can trade on it. What two processes
    could share is the directory, so the right to make a market is the right to write there.

    Raises:
        OwnershipError: another process writes there; the message says which.
        MarketMakerError: settings contradict each other, or a journal cannot be written.
    """
    with ExitStack() as stack:
        try:
            sessions = [_open(configuration, market, opening, stack) for configuration, market in markets]
        except OwnershipError as error:
            raise OwnershipError(f"{error} A run with another --out has an exchange of its own.") from error
        yield sessions


def _open(
    configuration: MarketConfiguration, market: Iterable[MarketEvent], opening: Opening, stack: ExitStack
) -> Session:
    directory = symbol_directory(opening.directory, configuration.symbol)
    if not opening.has_journal:
        session = open_session(configuration, market, opening.machine_class, opening.executor)
        stack.enter_context(Ownership(directory, _ACCOUNT, configuration.symbol, "no journal"))
        set_aside(directory / JOURNAL_FILE)  # it tells of another run than the files that are there soon
        return session
    session, run = open_journaled_session(
        configuration,
        market,
        directory / JOURNAL_FILE,
        machine_class=opening.machine_class,
        executor=opening.executor,
    )
    stack.enter_context(run)
    return session
