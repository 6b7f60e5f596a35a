"""Parts of a market maker's working state: its sides, a reduction under way, and what is said of a fill."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

from attrs import define, field

from mm_fsm.core.decisions import Hold, HoldReason
from mm_fsm.core.messages import Liquidity


class Fill(Protocol):
    """What is said of a fill once it is booked. Price quote per base, quantity contracts."""

    @property
    def price(self) -> Decimal:
        """As the venue reported it."""
        ...

    @property
    def quantity(self) -> Decimal:
        """As the venue reported it."""
        ...

    @property
    def liquidity(self) -> Liquidity:
        """Whether it added or removed liquidity."""
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
    post_only_rejections: int = 0
    """In a row, since the last order of this side that rested."""

    def take_hold(self, hold: Hold) -> None:
        """Hold the side, unless it is held longer already: whatever comes in between ends no hold early."""
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
