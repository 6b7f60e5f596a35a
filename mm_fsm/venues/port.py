"""The port: one shape for every place where orders go and facts come from. Signatures and values only.

A *kind* of venue is what settings name: ``[venue] kind = "paper"``. It reads its own tables and makes a *plan* without
any input or output. Opening the plan gives the *venue*, which says its *terms* and from then on does two things: it
takes the intents of one step, and it brings facts. Every intent is answered by exactly one fact.

Facts are *pulled* in event time (paper, recorded) or *pushed* as they happen (live, host-embedded). These are two ways
to the same step; a machine cannot tell which one it is on. Times are integer nanoseconds since the Unix epoch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from attrs import Factory, field, frozen

from mm_fsm.core.instrument import Balances, Fees, Instrument
from mm_fsm.core.messages import Fact, Intent
from mm_fsm.core.settings import MarketMakingSettings

TakeFact = Callable[[Fact], None]
"""Gives a fact to the machine. It never raises: a fact that the machine refuses is reported to the machine."""


@frozen(kw_only=True)
class Capabilities:
    """What a venue can do beyond placing, cancelling and answering. Nothing is assumed."""

    cancels_when_silent: bool = False
    """Whether it cancels by itself once the process has been silent for a while: a dead man's switch."""
    arrival_seconds: float = 0.0
    """How long after it has left a placement may still reach the book, what clocks may differ by included."""


@frozen(kw_only=True)
class VenueTerms:
    """On what terms one market is made at a venue."""

    instrument: Instrument
    fees: Fees
    balances: Balances
    """The part of the account that this market may use when its books begin."""
    account: str
    """Identity of the account, the venue's name in it and the venue's own number for it where there is one, such as
    ``binance-12345678``: the same for every key of the account. With the symbol it names lock and journal."""
    outlives_process: bool
    """Whether orders and positions stay when the process ends. Then its journal is continued, not begun anew, and lies
    with its lock in the user's state directory, so that a later process finds both wherever it writes its results."""
    make_token: Callable[[], str]
    """Makes the parts of client order ids that no earlier process on this account has used."""
    capabilities: Capabilities = Capabilities()


class PulledVenue(Protocol):
    """A venue in event time: the host asks it what happens next."""

    @property
    def terms(self) -> VenueTerms:
        """Its terms."""
        ...

    @property
    def progress(self) -> float | None:
        """How much of all it has to bring it has brought, 0 to 1; None when nobody knows."""
        ...

    def submit(self, intents: Sequence[Intent], now: int) -> None:
        """Take the intents of one step, which left the machine at ``now``. Never blocks, never raises."""
        ...

    def next_time(self) -> int | None:
        """When something happens next; None when nothing is on its way and nothing will be."""
        ...

    def receive(self, now: int) -> tuple[Fact, ...]:
        """Let everything due by ``now`` happen, and return the facts received by then, in order.

        ``now`` never goes back. A call may return nothing although something happened.

        Raises:
            RecordingError: what the venue reads from is malformed from here on.
        """
        ...


class PushedVenue(Protocol):
    """One account's connection in wall time, for one or several markets: it gives facts to whoever is attached."""

    async def open(self) -> Mapping[str, VenueTerms]:
        """Connect and say the terms of every market, by symbol. No fact comes before ``attach``.

        Raises:
            SettingsError: the venue's rules and the settings disagree, or an account cannot be used as they say.
            VenueError: the venue cannot be reached.
        """
        ...

    def attach(self, symbol: str, take: TakeFact, known_ids: Mapping[str, str]) -> None:
        """Begin to give the facts of one market to ``take``, directly from the task that received them.

        ``known_ids`` has the client order id of every own order that the books know, finished ones included, by its
        venue order id: reports of trades often name only the latter. The venue learns later ones by itself.
        """
        ...

    def submit(self, intents: Sequence[Intent], now: int) -> None:
        """Take the intents of one step, which left the machine at ``now``. Never blocks, never raises."""
        ...

    def now(self) -> int:
        """Host time; never goes back."""
        ...

    def call_at(self, time: int, call: Callable[[], None]) -> Callable[[], None]:
        """Call back once host time has reached ``time``, at once when it has; what is returned calls it off."""
        ...

    async def drain(self, seconds: float) -> tuple[Intent, ...]:
        """Let what was submitted leave, cancels first, for so long; return what never left. Never raises."""
        ...

    async def close(self) -> None:
        """Disconnect. No fact comes afterwards. Never raises."""
        ...


@runtime_checkable
class SwitchedVenue(Protocol):
    """A pushed venue with a dead man's switch (``Capabilities.cancels_when_silent``), which is account-wide."""

    async def arm_switch(self, seconds: float) -> None:
        """Have the venue cancel every order of the account unless this is called again in time; 0 disarms it.

        Raises:
            VenueError: the venue has not confirmed it.
        """
        ...

    async def foreign_order(self) -> str | None:
        """Where an order rests that this connection's markets did not send, in any market; None where none rests.

        Raises:
            VenueError: the venue does not answer, or what it answers may not be all.
        """
        ...


class Counted(StrEnum):
    """Requests that one of the venue's counters counts, and so may hold back."""

    ORDERS = "orders"
    QUESTIONS = "questions"
    ALL = "all"


@frozen(kw_only=True)
class Usage:
    """One of the venue's own counters of requests, as an answer told it. Times are host time, nanoseconds."""

    name: str
    used: int
    limit: int
    read_at: int
    until: int
    """When it begins anew."""
    interval: int | None = None
    """How long each of its intervals is, where one follows the other; None where nobody knows when the next begins."""
    counts: Counted = Counted.ALL
    question_cost: int = 1
    """What a question adds to it, at most."""
    asked_at: int = field(default=Factory(lambda usage: usage.read_at, takes_self=True))
    """When the request left whose answer told it: the venue counted between this and the answer."""


@runtime_checkable
class MeteredVenue(Protocol):
    """A pushed venue that tells how much of its limits the account has used."""

    def report_usage(self, take: Callable[[Usage], None]) -> None:
        """Give each counter to ``take`` whenever an answer tells it. Called before ``open``."""
        ...


@runtime_checkable
class PunctualVenue(Protocol):
    """A pushed venue that drops placements which have become old on their way through it."""

    def drop_after(self, seconds: float) -> None:
        """Never send a placement whose step is longer ago. Called before ``open``."""
        ...


@runtime_checkable
class RescuedVenue(Protocol):
    """A pushed venue whose orders can be cancelled and listed while everything else of it fails."""

    async def open_for_requests(self) -> None:
        """Connect for cancels and questions alone, without whatever else ``open`` needs; again, once it has failed.

        Raises:
            VenueError: the venue cannot be reached.
        """
        ...


@frozen(kw_only=True)
class MarketRequest:
    """What settings say about one market, as a kind of venue gets it."""

    strategy: MarketMakingSettings
    instrument: Instrument | None
    """As written; None when it is left to the venue."""
    fees: Fees | None
    """As written; None when they are left to the venue."""
    balances: Balances
    tables: Mapping[str, Mapping[str, Any]]
    """``venue``, without the keys that all kinds share, and the kind's other tables; those that are written."""
    place: str
    """Dotted name of the table that the market's tables stand in; empty at the top level. For errors."""


class VenuePlan(Protocol):
    """One market at one venue as settings describe it: validated, nothing opened yet."""

    @property
    def is_live(self) -> bool:
        """Whether orders would be real ones."""
        ...

    @property
    def journal_defaults(self) -> Mapping[str, Any]:
        """What the journal does unless ``[journal]`` says otherwise, by its keys."""
        ...

    @property
    def reference_price(self) -> Decimal | None:
        """A price at which settings can be checked, quote per base; None when only the venue knows."""
        ...

    def for_session(
        self, strategy: MarketMakingSettings, *, duration_seconds: float | None, seed: int | None
    ) -> tuple[MarketMakingSettings, VenuePlan]:
        """Strategy and plan for one session: so long, and with that seed for whatever is drawn at random.

        Raises:
            SettingsError: it has no use for one of them.
        """
        ...


@runtime_checkable
class PulledPlan(VenuePlan, Protocol):
    """A plan whose venue is pulled."""

    def open(self) -> PulledVenue:
        """The venue, with its market from the beginning.

        Raises:
            SettingsError: what it says cannot be.
            RecordingError: what the venue reads from is malformed.
        """
        ...


@runtime_checkable
class PushedPlan(VenuePlan, Protocol):
    """A plan whose venue is pushed."""

    @property
    def connection(self) -> str:
        """Plans with the same one share a venue: one account, one budget of requests."""
        ...

    def connect(self, plans: Sequence[PushedPlan]) -> PushedVenue:
        """The venue for these plans, all of one connection; nothing is sent before ``PushedVenue.open``."""
        ...


@runtime_checkable
class PlacedPlan(Protocol):
    """A plan that can say where its orders go."""

    @property
    def place_name(self) -> str:
        """Exchange, account as far as settings name it, and whether it is only a test; no secret."""
        ...


class VenueKind(Protocol):
    """A kind of venue, as ``[venue] kind`` names it. Third parties register theirs under ``mm_fsm.venues``."""

    @property
    def tables(self) -> Mapping[str, type]:
        """The tables it reads besides the common ones, ``venue`` among them, with the attrs class of their keys."""
        ...

    def plan(self, market: MarketRequest) -> VenuePlan:
        """Read the market's tables.

        Raises:
            SettingsError: a table is missing or wrong.
        """
        ...
