"""What a venue can say about an account before anything is traded on it. Looking changes nothing.

A venue that is reached through a client offers it beside the port; whoever runs it asks before the first order.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Protocol, runtime_checkable

from attrs import frozen

from mm_fsm.core.instrument import Fees, Instrument
from mm_fsm.core.messages import ReportedOrder


@frozen(kw_only=True)
class Permissions:
    """What the keys may do; None where the venue does not say."""

    trade: bool | None = None
    withdraw: bool | None = None


@frozen(kw_only=True)
class CurrencyBalance:
    """An amount of the account, in units of the currency."""

    total: Decimal
    free: Decimal


@frozen(kw_only=True)
class InspectedMarket:
    """One market of the account."""

    instrument: Instrument
    fees: Fees
    """As the account pays them."""
    own_orders: tuple[ReportedOrder, ...]
    """Open orders that bear the prefix of the market's strategy."""
    foreign_orders: tuple[ReportedOrder, ...]
    """Everybody else's: an operator's, another program's."""
    undescribed_orders: int = 0
    """Open orders whose side, price or quantity the venue does not say, such as stop orders."""


@frozen(kw_only=True)
class AccountInspection:
    """An account as it is now."""

    account: str
    permissions: Permissions
    balances: Mapping[str, CurrencyBalance]
    """By currency; those of the markets, also when there is nothing of them."""
    clock_offset_seconds: float | None
    """The venue's clock less the host's; None when it is not known."""
    markets: Mapping[str, InspectedMarket]


@runtime_checkable
class InspectedVenue(Protocol):
    """A venue, open, that can be looked at."""

    async def permissions(self) -> Permissions:
        """What the keys may do. Never raises: what cannot be found out is not known."""
        ...

    async def inspect(self) -> AccountInspection:
        """The account as it is now.

        Raises:
            VenueError: the venue does not answer.
        """
        ...
