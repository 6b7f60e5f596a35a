"""Markets on venues whose facts are pushed: opened together, so that those of one account share its connection."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from attrs import define, field, frozen
from loguru import logger

from mm_fsm.books.facts import Timer
from mm_fsm.core.clock import nanoseconds, seconds
from mm_fsm.core.messages import Intent, PlaceOrder
from mm_fsm.errors import SettingsError
from mm_fsm.machine.quoting import QuotingMachine
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.account.account_state import AccountState
from mm_fsm.runtime.account.books import AccountBooks
from mm_fsm.runtime.account.shared_account import SharedAccount
from mm_fsm.runtime.down_market import DownMarket
from mm_fsm.runtime.journal import Journal
from mm_fsm.runtime.pushed import PushedRunner
from mm_fsm.runtime.releasing import Release
from mm_fsm.runtime.restarting import Reopen, RestartPolicy
from mm_fsm.runtime.session import Session, watched
from mm_fsm.runtime.settings_file import MarketConfiguration
from mm_fsm.runtime.stepping import SteppedMachine
from mm_fsm.runtime.watchdog import MarketRescue, OrdersOfRun, orders_in_books
from mm_fsm.venues.port import PushedPlan, PushedVenue, VenueTerms


@define(kw_only=True, eq=False)
class PushedSession(Session):
    """A session in wall time."""

    runner: PushedRunner
    venue: PushedVenue
    on_result: Callable[[Session, StepResult], None]
    """Is told each step's result."""
    policy: RestartPolicy
    reopen: Reopen | None = None
    """Opens the machine anew after a bug; None where nothing is left of it, or no journal tells of it."""
    down: DownMarket | None = field(default=None, init=False)
    """Takes its orders out of the book from a bug on until it is restarted."""

    @property
    def has_ended(self) -> bool:
        """Whether nothing more comes of it: the machine is done, or a bug ended it, its book is empty and stays so."""
        if self.runner.failure is None or self.machine.is_final:
            return self.machine.is_final
        return self.policy.due is None and (self.down is None or self.down.rescue.is_confirmed)

    @property
    def now(self) -> int:
        """Host time, nanoseconds: it passes without facts, too."""
        return max(self.runner.now, self.venue.now())

    @property
    def why_down(self) -> str | None:
        """Why nobody makes the market although its machine has not ended; None while it is made."""
        if self.runner.failure is None or self.machine.is_final:
            return None
        further = "it stays down" if self.policy.due is None else "it is restarted from its journal"
        return f"{self.runner.failure!r} ended it; {further}, {self.policy.done} restarts so far"

    @property
    def account_state(self) -> AccountState | None:
        """Where the account stands against the limits over all its markets."""
        return self.venue.state() if isinstance(self.venue, SharedAccount) else None

    def note_down(self) -> None:
        """A bug has ended it, or its restart failed: say when it will be, or that it will not."""
        self.policy.note_failure(seconds(self.venue.now()))
        if self.policy.due is None:
            logger.bind(symbol=self.symbol, restarts=self.policy.done).error("session.stays_down")

    def cancel_all(self, never_sent: Collection[str]) -> None:
        """Take its orders out of the book, all but those that never left, until the venue confirms that none is there.

        The account's dead man's switch is not renewed before: should every cancel be refused, the venue helps itself.
        """
        context = self.machine.context
        try:
            orders = orders_in_books(context, prefix=context.order_prefix, never_sent=never_sent)
        except Exception as error:  # noqa: BLE001 - the bug may have damaged the books; the venue's list is left
            logger.bind(symbol=self.symbol, error=repr(error)).error("session.books_unreadable")
            orders = OrdersOfRun(symbol=self.symbol, prefix=context.order_prefix, known_ids={}, open_ids={})
        look_until = self.venue.now() + nanoseconds(self.configuration.strategy.validity_window_seconds)
        self.end_rescue()
        self.down = DownMarket(MarketRescue(orders, self.venue, look_until), self._note_book)
        self.down.begin()

    def end_rescue(self) -> None:
        """Look at the book of a market that is down no more."""
        if self.down is not None:
            self.down.end()
            self.down = None

    def _note_book(self, is_clean: bool) -> None:  # noqa: FBT001 - the one thing there is to say
        if isinstance(self.venue, SharedAccount):
            self.venue.note_book(self.symbol, is_confirmed=is_clean)

    def restart(self) -> None:
        """Go on from the journal with another machine.

        Raises:
            MarketMakerError: the journal cannot be read or written; the machine that failed stays.
        """
        if self.reopen is None:
            raise RuntimeError("expected a market whose journal can be opened again")
        self.policy.note_restart()
        opened, before = self.reopen(), self.runner
        self.restarts.append(repr(before.failure))
        self.machine, self.journal = opened.machine, opened.journal
        for observer in (self.stopwatch, *self.watchers):
            opened.machine.observe(observer)
        self.runner = runner_of(lambda: self, self.venue, opened.stepped, self.on_result, opened.release)
        self.runner.go_on_from(before)
        self.end_rescue()
        self._note_book(is_clean=True)
        self.begin()

    def begin(self) -> None:
        """Let facts come, and the machine ask its first questions."""
        if isinstance(self.venue, SharedAccount):
            self.venue.read_books(self.symbol, AccountBooks(self.machine.context))
        self.venue.attach(self.symbol, self.runner.take, self.machine.context.orders.venue_ids)
        self.runner.take(Timer(received_at=self.venue.now()))


@frozen(kw_only=True, eq=False)
class ConnectedMarket:
    """A market whose venue has said its terms."""

    configuration: MarketConfiguration
    venue: PushedVenue
    terms: VenueTerms


def connections(configurations: Iterable[MarketConfiguration]) -> list[tuple[PushedVenue, list[MarketConfiguration]]]:
    """A venue for each connection that the configurations name, with the markets that share it. Nothing is sent.

    Raises:
        SettingsError: a configuration's venue is no pushed one.
    """
    shared: dict[str, list[tuple[PushedPlan, MarketConfiguration]]] = {}
    for configuration in configurations:
        plan = configuration.venue
        if not isinstance(plan, PushedPlan):
            remedy = "Write markets of other kinds into a file of their own: event time and wall time do not mix."
            raise SettingsError("venue.kind", "a kind whose facts are pushed", configuration.venue_kind, remedy)
        shared.setdefault(plan.connection, []).append((plan, configuration))
    for markets in shared.values():
        _refuse_different_accounts([configuration for _, configuration in markets])
    return [
        (markets[0][0].connect([plan for plan, _ in markets]), [configuration for _, configuration in markets])
        for markets in shared.values()
    ]


def _refuse_different_accounts(configurations: Sequence[MarketConfiguration]) -> None:
    """One account has one set of limits."""
    first = configurations[0]
    for each in configurations[1:]:
        if each.account != first.account:
            remedy = "Write [defaults.account] once for all markets of the account."
            raise SettingsError("account", f"the same for {first.symbol} and {each.symbol}", "two", remedy)


async def connect(venue: PushedVenue, configurations: Sequence[MarketConfiguration]) -> list[ConnectedMarket]:
    """Open one venue, and match its terms with what the settings say.

    Raises:
        SettingsError: it has not said its terms for a market, or no quote would pay at its fees.
        VenueError: it cannot be reached.
    """
    terms = await venue.open()
    markets = []
    for configuration in configurations:
        if configuration.symbol not in terms:
            found = ", ".join(sorted(terms)) or "none"
            raise SettingsError(
                "strategy.symbol", f"one of {found}", configuration.symbol, "Name it as the venue does."
            )
        configuration.strategy.spread_floor_bps(terms[configuration.symbol].fees)
        refuse_short_validity(configuration, terms[configuration.symbol])
        markets.append(ConnectedMarket(configuration=configuration, venue=venue, terms=terms[configuration.symbol]))
    return markets


def refuse_short_validity(configuration: MarketConfiguration, terms: VenueTerms) -> None:
    """Refuse to give an order up before it can no longer reach the book.

    Raises:
        SettingsError: a placement may wait, and then be under way, for longer than it counts as valid.
    """
    validity = configuration.strategy.validity_window_seconds
    latest = configuration.account.longest_wait_seconds + terms.capabilities.arrival_seconds
    if terms.outlives_process and validity < latest:
        expected = f"at least {latest:g}: [account] lets a placement wait, and it may be under way"
        raise SettingsError("strategy.validity_window_seconds", expected, validity, "Write more, or let it wait less.")


def cancel_after_failure(session: PushedSession, error: Exception, dropped: Sequence[Intent] = ()) -> None:
    """A bug has ended a market's stepping: its orders leave the book, the other markets go on.

    ``dropped`` never left, and never will: of these placements there is nothing to cancel, and the journal names them.
    """
    logger.bind(symbol=session.symbol, error=repr(error)).opt(exception=error).error("session.failed")
    never_sent = sorted(each.client_order_id for each in dropped if isinstance(each, PlaceOrder))
    session.cancel_all(never_sent)
    for name in never_sent:
        logger.bind(symbol=session.symbol, order=name).warning("session.placement_dropped")
    if session.journal is not None:
        session.journal.note_failure(f"{error!r}; placements that waited and never left: {never_sent or 'none'}")
    session.note_down()


def runner_of(
    session: Callable[[], PushedSession],
    venue: PushedVenue,
    stepped: SteppedMachine,
    on_result: Callable[[Session, StepResult], None],
    release: Release | None,
) -> PushedRunner:
    """What drives a session's machine; a bug in it ends this market only."""
    return PushedRunner(
        stepped,
        venue,
        lambda result: on_result(session(), result),
        release,
        lambda error, dropped: cancel_after_failure(session(), error, dropped),
    )


def pushed_session(
    market: ConnectedMarket,
    machine: QuotingMachine,
    stepped: SteppedMachine,
    on_result: Callable[[Session, StepResult], None],
    *,
    journal: Journal | None = None,
    release: Release | None = None,
    reopen: Reopen | None = None,
) -> PushedSession:
    """A session of ``machine`` on a connected market; ``stepped`` is what takes the facts. ``begin`` starts it.

    ``release`` says when the intents of a step may leave; at once by default. ``reopen`` opens the machine anew once a
    bug has ended it; without it the market stays down then.
    """
    session: PushedSession
    account = market.configuration.account
    session = PushedSession(
        configuration=market.configuration,
        machine=machine,
        runner=runner_of(lambda: session, market.venue, stepped, on_result, release),
        stopwatch=watched(machine),
        journal=journal,
        venue=market.venue,
        on_result=on_result,
        policy=RestartPolicy(most=0 if reopen is None else account.restarts, first_pause=account.restart_seconds),
        reopen=reopen,
    )
    return session
