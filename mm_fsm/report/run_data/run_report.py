"""The report of a run: its followers while it runs, its files once it is over. No failure here touches the run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from attrs import define, field

from mm_fsm.core.programme import ProgrammeRule
from mm_fsm.report.figures import MarketFigures, RunFigures
from mm_fsm.report.files import symbol_directory
from mm_fsm.report.run_data.figures_file import PAGE_FILE, replace_text, write_figures
from mm_fsm.report.run_data.market_figures import MarketFacts, market_figures
from mm_fsm.report.run_data.market_follower import MarketFollower
from mm_fsm.report.run_data.market_tables import MarketTables
from mm_fsm.report.run_data.run_origin import MarketOrigin, RecordedData, RunOrigin, notes_on, origin_of, write_origin
from mm_fsm.report.session_report import SessionReport
from mm_fsm.runtime.session import Session


@define(eq=False)
class _Market:
    session: Session
    follower: MarketFollower
    tables: MarketTables


@define(eq=False)
class RunReport:
    """Follows the sessions of a run.

    Args:
        directory: of the run.
        sessions: that are open and have not begun.
        command: how the run was started.
        recorded: what a market's venue plays, where its settings do not name it.
    """

    directory: Path
    sessions: Sequence[Session]
    command: Sequence[str] = ()
    recorded: Mapping[str, RecordedData] = field(factory=dict)
    problems: list[str] = field(init=False, factory=list)
    _origin: RunOrigin | None = field(init=False, default=None)
    _markets: list[_Market] = field(init=False, factory=list)

    def __attrs_post_init__(self) -> None:
        try:
            self._begin()
        except Exception as error:  # noqa: BLE001 - the run goes on without its report
            self.problems.append(f"report: expected to begin with the run, found {error!r}. The journal has the run.")

    def _begin(self) -> None:
        origin, settings = origin_of([each.configuration for each in self.sessions], self.command, self.recorded)
        try:
            write_origin(self.directory, origin, settings)
        except OSError as error:
            self.problems.append(_unwritten(self.directory, error))
        self._markets = [self._follow(session, origin.markets[session.symbol].programme) for session in self.sessions]
        self._origin = origin

    def _follow(self, session: Session, rule: ProgrammeRule) -> _Market:
        tables = MarketTables(symbol_directory(self.directory, session.symbol))
        follower = MarketFollower(lambda: session.machine, rule, tables.rows)
        session.watch(follower)
        return _Market(session, follower, tables)

    def finish(self, reports: Mapping[str, SessionReport]) -> list[str]:
        """Write everything; what could not be written. Never raises.

        Args:
            reports: each session's, by symbol.
        """
        if self._origin is None:
            return self.problems
        try:
            self._finish(reports, self._origin)
        except Exception as error:  # noqa: BLE001 - the run is over, and its outcome stands
            self.problems.append(f"report: expected figures of the run, found {error!r}. The journal has the run.")
        return self.problems

    def _finish(self, reports: Mapping[str, SessionReport], origin: RunOrigin) -> None:
        markets: list[MarketFigures] = []
        places: dict[str, str] = {}
        for market in self._markets:
            market.follower.end()
            if market.follower.failure is not None:
                symbol = market.session.symbol
                self.problems.append(f"report of {symbol}: gathering ended early, at {market.follower.failure}")
            places.update(self._finished_tables(market))
            symbol = market.session.symbol
            markets.append(_figures(market, reports[symbol], origin.markets[symbol]))
        journals = {each.symbol: str(each.journal.status.path) for each in self.sessions if each.journal is not None}
        figures = RunFigures(
            name=self.directory.resolve().name,
            markets=tuple(markets),
            reproduction=origin.reproduction(journals=journals, made_by="run"),
            tables=places,
            notes=notes_on(origin),
        )
        try:
            write_report(self.directory, figures)
        except OSError as error:
            self.problems.append(_unwritten(self.directory, error))

    def _finished_tables(self, market: _Market) -> Iterator[tuple[str, str]]:
        for name, path, failure in market.tables.finish(market.follower):
            if path is not None:
                yield f"{path.parent.name}/{name}", path.relative_to(self.directory).as_posix()
            if failure is not None:
                self.problems.append(f"{market.tables.directory / name}: not all could be written: {failure}")


def _figures(market: _Market, report: SessionReport, origin: MarketOrigin) -> MarketFigures:
    session = market.session
    facts = MarketFacts(
        outcome=report.outcome.value,
        error=report.error,
        market_events=report.events,
        fill_model=origin.fill_model,
        settings=origin.settings,
        computing=session.stopwatch.computing,
        computing_breaches=session.stopwatch.breaches,
        notes=tuple(f"restarted: {reason}" for reason in session.restarts),
    )
    return market_figures(market.follower, session.machine, facts)


def write_report(directory: Path, figures: RunFigures) -> None:
    """Write ``report.json`` and the page.

    Raises:
        OSError: one of them cannot be written.
    """
    write_figures(directory, figures)
    from mm_fsm.report.run_page import report_page  # noqa: PLC0415 - templates and pictures, needed at the end only

    replace_text(directory / PAGE_FILE, report_page(figures, str(directory)))


def _unwritten(directory: Path, error: OSError) -> str:
    return f"report in {directory}: expected to be written, found {error.strerror or error}. Make room or access."
