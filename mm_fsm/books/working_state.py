"""Parts of a market maker's working state: its sides, a reduction under way, and what is said of a fill."""

from __future__ import annotations

from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, Generic, Protocol, Self, TypeVar, overload

from attrs import define, field, frozen

from mm_fsm.core.decisions import Hold, HoldReason
from mm_fsm.core.instrument import ZERO
from mm_fsm.core.messages import Liquidity, Side

T = TypeVar("T")


class Fill(Protocol):
    """What is said of a fill once it is booked. Price quote per base, quantity contracts."""

    @property
    def client_order_id(self) -> str:
        """Of the order that traded."""
        ...

    @property
    def side(self) -> Side | None:
        """As the venue reported it; None when it did not say."""
        ...

    @property
    def price(self) -> Decimal:
        """As the venue reported it."""
        ...

    @property
    def quantity(self) -> Decimal:
        """As the venue reported it."""
        ...

    @property
    def liquidity(self) -> Liquidity | None:
        """Whether it added or removed liquidity; None when it is not known."""
        ...


@define(kw_only=True)
class SideState:
    """What is remembered about one side of the book."""

    status: Hold | None = field(factory=lambda: Hold(HoldReason.NOT_STARTED))
    """None while a quote of ours rests there; else why none does."""
    hold: Hold | None = None
    """A hold with an end of its own, set by what the venue answered."""
    refusal: Hold | None = None
    """Why the last attempt to bring this side to its plan fell short; cleared when prices are calculated."""
    widening_bps: float = 0.0
    """By how much the losses of own fills widen this side's quotes, both sides' spread together."""
    post_only_rejections: int = 0
    """In a row, since the last order of this side that rested."""

    def take_hold(self, hold: Hold) -> None:
        """Hold the side. A shorter hold never replaces a longer one."""
        current = self.hold
        lasts_longer = current is not None and (
            current.until is None or (hold.until is not None and current.until > hold.until)
        )
        if not lasts_longer:
            self.hold = hold


@define(kw_only=True)
class Reduction:
    """An inventory adjustment under way, or a wind-down: bring |offset| down to ``goal``, base units."""

    goal: Decimal
    started_at: int
    retry_at: int = 0


@frozen
class Funds:
    """Money, quote currency, and base units beside it: what orders of one side may be paid with."""

    money: Decimal
    base: Decimal

    def at(self, price: Decimal) -> Decimal:
        """Base units that may be traded at a price."""
        return self.money / price + self.base

    def cover(self, spent: Decimal, used: Decimal, highest_price: Decimal, side: Side) -> bool:
        """Whether all of one side's orders can surely be paid: ``spent`` at their prices, ``used`` base units in all.

        ``highest_price`` is that of the dearest. False says only that each of them has to be looked at.
        """
        if side is Side.BID:
            return spent + max(-self.base, ZERO) * highest_price <= self.money
        return self.money >= 0 and used <= self.money / highest_price + self.base

    def after(self, spent: Decimal, used: Decimal, side: Side) -> Funds:
        """What is left once a bid has taken ``spent`` of the money, or an ask ``used`` of the base."""
        return Funds(self.money - spent, self.base) if side is Side.BID else Funds(self.money, self.base - used)


class ReadFrom(property, Generic[T]):
    """An attribute that is read from a part of its owner: under one name there, and under another in the part.

    A property whose getter is no Python function: such attributes are read some hundred times in a step.

    Args:
        path: attribute names, joined by dots.
    """

    def __init__(self, path: str) -> None:
        super().__init__(attrgetter(path))

    if TYPE_CHECKING:

        @overload
        def __get__(self, owner: None, kind: type | None = None, /) -> Self: ...
        @overload
        def __get__(self, owner: object, kind: type | None = None, /) -> T: ...
        def __get__(self, owner: object, kind: type | None = None, /) -> Self | T: ...

    def __set__(self, owner: object, value: object) -> None:
        """Refuse: it is written where it is kept."""
        raise AttributeError("expected to be read only, found an assignment. Assign to the part that keeps it.")
