"""Markets on venues whose facts are pushed: opened together, so that those of one account share its connection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from attrs import frozen
from loguru import logger

from mm_fsm.books.facts import Timer
from mm_fsm.core.messages import CancelOrder, Intent, PlaceOrder
from mm_fsm.errors import SettingsError
from mm_fsm.machine.quoting import QuotingMachine
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.account.books import AccountBooks
from mm_fsm.runtime.account.shared_account import SharedAccount
from mm_fsm.runtime.journal import Journal
from mm_fsm.runtime.pushed import PushedRunner
from mm_fsm.runtime.releasing import Release
from mm_fsm.runtime.session import Session, watched
from mm_fsm.runtime.settings_file import MarketConfiguration
from mm_fsm.runtime.stepping import SteppedMachine
from mm_fsm.venues.port import PushedPlan, PushedVenue, VenueTerms


@frozen(kw_only=True, eq=False)
class PushedSession(Session):
    """A session in wall time."""

    runner: PushedRunner
    venue: PushedVenue

    @property
    def has_ended(self) -> bool:
        """Whether nothing more comes of it: the machine is done, or a bug has ended its stepping."""
        return self.machine.is_final or self.runner.failure is not None

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
    live = [
        CancelOrder(symbol=session.symbol, client_order_id=order.client_order_id, venue_order_id=order.venue_order_id)
        for order in session.machine.context.orders.open_questions()
        if order.client_order_id not in never_sent
    ]
    if live:
        session.venue.submit(live, session.venue.now())
    for name in never_sent:
        logger.bind(symbol=session.symbol, order=name).warning("session.placement_dropped")
    if session.journal is not None:
        session.journal.note_failure(f"{error!r}; placements that waited and never left: {never_sent or 'none'}")


def pushed_session(
    market: ConnectedMarket,
    machine: QuotingMachine,
    stepped: SteppedMachine,
    on_result: Callable[[Session, StepResult], None],
    *,
    journal: Journal | None = None,
    release: Release | None = None,
) -> PushedSession:
    """A session of ``machine`` on a connected market; ``stepped`` is what takes the facts. ``begin`` starts it.

    ``release`` says when the intents of a step may leave; at once by default.
    """
    session: PushedSession
    runner = PushedRunner(
        stepped,
        market.venue,
        lambda result: on_result(session, result),
        release,
        lambda error, dropped: cancel_after_failure(session, error, dropped),
    )
    session = PushedSession(
        configuration=market.configuration,
        machine=machine,
        runner=runner,
        stopwatch=watched(machine),
        journal=journal,
        venue=market.venue,
    )
    return session
