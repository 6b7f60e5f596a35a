"""Starting up and recovering, which are one: open a run's journal, rebuild what is on record, begin to reconcile.

What survives a restart is what happened: money, orders and their fills, the peak that the kill switch measures from,
what is known of prices and own fills. What does not is the lifecycle's own state: the machine begins in its initial
state, every order that was live is UNKNOWN until the venue says otherwise, and nothing is placed before the books have
been compared with the venue's. Faults are not carried over either: a cause that is still there is found again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Self

from attrs import field, frozen

from mm_fsm.books.context import SURVIVING, MarketMakingContext
from mm_fsm.chart import ExecutorKind
from mm_fsm.core.instrument import Balances, Fees, Instrument
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.errors import JournalError
from mm_fsm.machine.books_on_record import MarketBooksOnRecord
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.quoting import QuotingMachine
from mm_fsm.runtime.journal import database
from mm_fsm.runtime.journal.beginning import begin_journal
from mm_fsm.runtime.journal.database import QuietRow
from mm_fsm.runtime.journal.machine import JournaledMachine
from mm_fsm.runtime.journal.reader import JournalReader
from mm_fsm.runtime.journal.writer import Journal, JournalSettings
from mm_fsm.runtime.ownership import Ownership
from mm_fsm.services.protocols import Services
from mm_fsm.venues.tokens import random_token


@frozen(kw_only=True)
class RunPlan:
    """Everything a run is started with; the same again to continue it.

    Args:
        path: the journal's file; a run is begun where there is none, continued where there is one.
        settings: of the market maker. A target of None stays what it was when the run began.
        instrument: the venue's rules.
        fees: what the venue charges.
        balances: what a new run may use; a run that continues has its own books.
        account: name of the account at the venue, for the lock.
        machine_class: the machine to run.
        executor: what runs its chart: ``"table"`` or ``"engine"``.
        services: its services; by default those that the settings name.
        journal_settings: what to record and keep.
        locks: directory of the locks; by default the journal's own.
        make_token: makes the parts of client order ids; never the same twice.
        is_continued: whether a journal that is there is continued. Otherwise it is kept at ``earlier_path``, and a run
            is begun: for an exchange that begins anew with its process.
    """

    path: Path
    settings: MarketMakingSettings
    instrument: Instrument
    fees: Fees
    balances: Balances
    account: str = "paper"
    machine_class: type[QuotingMachine] = MarketMakingStateMachine
    executor: str = ExecutorKind.TABLE
    services: Services | None = None
    journal_settings: JournalSettings = field(factory=JournalSettings)
    locks: Path | None = None
    make_token: Callable[[], str] = random_token
    is_continued: bool = True


@frozen
class OpenRun:
    """A run that is open: its machine with the journal around it, and the right to make its market."""

    machine: JournaledMachine[QuotingMachine]
    journal: Journal
    ownership: Ownership

    def abandon(self) -> Ownership:
        """Let go of the journal as it is, without a word of a machine that a bug has broken; keep the market.

        Never raises. The journal says what happened until then, as after a crash of the process.
        """
        self.journal.close()
        return self.ownership

    def close(self) -> None:
        """Write a last snapshot, let go of the journal and of the market. Never raises."""
        try:
            self.journal.close(self.machine.machine)
        finally:
            self.ownership.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_run(plan: RunPlan, ownership: Ownership | None = None) -> OpenRun:
    """Begin a run, or continue the one whose journal is there. Nothing has been asked or sent when it returns.

    ``ownership`` is the right to make the market where the process has it already; it is let go on an error.

    Raises:
        JournalError: the journal is damaged, of a newer version, cannot be written, or belongs to another market.
        OwnershipError: another process makes this market on this account.
        SettingsError: settings contradict each other.
        PluginError: a service that the settings name is not there.
    """
    if ownership is None:
        ownership = Ownership(plan.locks or plan.path.parent, plan.account, plan.settings.symbol, plan.path.name)
    try:
        if not plan.is_continued:
            set_aside(plan.path)
        exists = plan.path.exists() and plan.path.stat().st_size > 0
        machine, journal = _continue(plan) if exists else _begin(plan)
    except BaseException:
        ownership.release()
        raise
    return OpenRun(JournaledMachine(machine, journal), journal, ownership)


def earlier_path(path: Path) -> Path:
    """Where the journal is that was at ``path`` before: one is kept, under a name that is no ``.journal``'s."""
    return path.with_name(f"{path.name}.earlier")


def set_aside(path: Path) -> None:
    """Keep a journal that is at ``path`` under its other name, with the log that its process may have left beside it.

    Raises:
        JournalError: it cannot be moved.
    """
    earlier = earlier_path(path)
    if not path.exists():
        return
    try:
        for suffix in ("-shm", "-wal", ""):  # its log goes before it: were it to stay, a new journal would take it
            source, target = (each.with_name(f"{each.name}{suffix}") for each in (path, earlier))
            target.unlink(missing_ok=True)
            if source.exists():
                source.rename(target)
    except OSError as error:
        raise JournalError(
            path.name, f"expected to be kept as {earlier.name}, found {error}.", "Make access, or name another place."
        ) from error


def _begin(plan: RunPlan) -> tuple[QuotingMachine, Journal]:
    run, session = plan.make_token(), plan.make_token()
    machine = _machine(plan, plan.balances, run, session)
    journal = begin_journal(
        plan.path, machine, **_market_of(plan), run=run, session=session, settings=plan.journal_settings
    )
    return machine, journal


def _continue(plan: RunPlan) -> tuple[QuotingMachine, Journal]:
    with JournalReader(plan.path) as reader:
        run = reader.about["run"]
        _check_same_market(plan, reader)
        context = rebuilt_context(reader)
        sequence, last = _end_of(reader)
    session = plan.make_token()
    machine = _machine(plan, context.balances, run, session)
    _carry_over(machine, context, sequence)
    connection = database.open_to_write(plan.path, synchronise=plan.journal_settings.synchronise)
    with database.closed_on_failure(connection):
        journal = Journal(plan.path, connection, run=run, session=session, settings=plan.journal_settings, last=last)
        journal.begin_segment(machine, database.SegmentOrigin.RECOVERED)
    return machine, journal


def _machine(plan: RunPlan, balances: Balances, run: str, session: str) -> QuotingMachine:
    return plan.machine_class(
        plan.settings,
        plan.instrument,
        plan.fees,
        balances,
        plan.services,
        run_id=run,
        session_id=session,
        executor=plan.executor,
    )


def _market_of(plan: RunPlan) -> dict[str, str]:
    return {"account": plan.account, "symbol": plan.settings.symbol, "strategy_id": plan.settings.strategy_id}


def _check_same_market(plan: RunPlan, reader: JournalReader) -> None:
    for name, wanted in _market_of(plan).items():
        if reader.about[name] != wanted:
            raise JournalError(
                plan.path.name,
                f"expected {name} {wanted!r}, found that it was written for {reader.about[name]!r}.",
                "Name the journal of this market, or a new file.",
            )


def rebuilt_context(reader: JournalReader) -> MarketMakingContext:
    """Context and books at the end of a journal: the last snapshot, and what was booked after it.

    Raises:
        JournalError: the journal is damaged.
    """
    segment = reader.segments[-1]
    books = MarketBooksOnRecord(reader.books(segment))
    for row in reader.rows(segment):
        if not isinstance(row, QuietRow):
            reader.book_again(books, row)
    return books.context


def _end_of(reader: JournalReader) -> tuple[int, tuple[int, bytes]]:
    """The last sequence number, and the last segment's number and the chain's last value."""
    segment = reader.segments[-1]
    sequence, chain = segment.first_sequence - 1, segment.chain
    for row in reader.rows(segment):
        sequence = row.last_sequence if isinstance(row, QuietRow) else row.sequence
        chain = row.chain
    return sequence, (segment.number, chain)


def _estimator_settings(settings: MarketMakingSettings) -> tuple[object, ...]:
    return (
        settings.volatility_kind,
        settings.volatility_scale,
        settings.volatility_half_life_seconds,
        settings.volatility_sample_seconds,
        settings.warm_up_samples,
    )


def _carry_over(machine: QuotingMachine, before: MarketMakingContext, sequence: int) -> None:
    context, settings = machine.context, machine.context.settings
    if settings.target_base is not None and settings.target_base != before.target_base:
        raise JournalError(
            "of this run",
            f"expected target_base {before.target_base}, which profit is measured against, "
            f"found {settings.target_base}.",
            "Leave the setting as it was, or begin a new journal.",
        )
    times, estimator, rates = context.orders.times, context.volatility_estimator, context.request_rates
    for name in SURVIVING:
        setattr(context, name, getattr(before, name))
    context.orders.times = times
    rates.take_over(before.request_rates)
    context.request_rates = rates
    if _estimator_settings(settings) != _estimator_settings(before.settings):
        context.volatility_estimator = estimator
    context.orders.lose_track_of_all(context.now)
    context.reconciliation.begin_anew(context.now, "the venue has not been asked yet")
    machine.stepper.visits.sequence = sequence
