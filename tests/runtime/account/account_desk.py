"""A venue in a test's hand: its clock, what it was sent and when, and what it brings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from attrs import define, field

from mm_fsm.core.messages import CancelOrder, Fact, Intent, OrderPurpose, PlaceOrder, Side
from mm_fsm.runtime.account.settings import AccountSettings
from mm_fsm.runtime.account.shared_account import SharedAccount
from mm_fsm.venues.port import TakeFact, VenueTerms

SECOND = 1_000_000_000


def place(name: str, symbol: str = "A/USD", purpose: OrderPurpose = OrderPurpose.QUOTE) -> PlaceOrder:
    return PlaceOrder(
        symbol=symbol,
        client_order_id=name,
        side=Side.BID,
        price=Decimal(100),
        quantity=Decimal(1),
        purpose=purpose,
        level=0,
    )


def cancel(name: str, symbol: str = "A/USD") -> CancelOrder:
    return CancelOrder(symbol=symbol, client_order_id=name, venue_order_id=None)


@define(eq=False)
class DeskVenue:
    """A pushed venue whose time passes when a test says so."""

    time: int = 1_000 * SECOND
    sent: list[tuple[Intent, int]] = field(factory=list)
    """Intents with the host time at which they left."""
    takers: dict[str, TakeFact] = field(factory=dict)
    calls: list[list[Any]] = field(factory=list)

    async def open(self) -> Mapping[str, VenueTerms]:
        return {}

    def attach(self, symbol: str, take: TakeFact, known_ids: Mapping[str, str]) -> None:
        del known_ids
        self.takers[symbol] = take

    def submit(self, intents: Sequence[Intent], now: int) -> None:
        assert now <= self.time
        self.sent += [(each, self.time) for each in intents]

    def now(self) -> int:
        return self.time

    def call_at(self, time: int, call: Callable[[], None]) -> Callable[[], None]:
        entry = [time, call]
        self.calls.append(entry)
        return lambda: self.calls.remove(entry) if entry in self.calls else None

    async def drain(self, seconds: float) -> tuple[Intent, ...]:
        del seconds
        return ()

    async def close(self) -> None:
        self.calls.clear()

    def pass_time(self, seconds: float) -> None:
        """Let time pass, calling back at each call's very time."""
        end = self.time + round(seconds * SECOND)
        while due := [entry for entry in self.calls if entry[0] <= end]:
            first = min(due, key=lambda entry: entry[0])
            self.calls.remove(first)
            assert first[0] > self.time - 1
            self.time = max(self.time, first[0])
            first[1]()
        self.time = end

    def time_of(self, name: str) -> int:
        """When the intent about this order left."""
        return next(time for each, time in self.sent if getattr(each, "client_order_id", "") == name)

    @property
    def names(self) -> list[str]:
        return [
            f"{type(each).__name__} {getattr(each, 'client_order_id', None) or each.symbol}" for each, _ in self.sent
        ]


@define(eq=False)
class Desk:
    """The account layer on such a venue, with what each market was told."""

    settings: AccountSettings = field(factory=AccountSettings)
    venue: DeskVenue = field(factory=DeskVenue)
    told: list[Fact] = field(factory=list)
    losses: list[str] = field(factory=list)
    account: SharedAccount = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.account = SharedAccount(self.venue, self.settings, self.losses.append)
        for symbol in ("A/USD", "B/USD"):
            self.account.attach(symbol, self.told.append, {})

    def submit(self, *intents: Intent) -> None:
        self.account.submit(intents, self.venue.time)
