"""What settings say of an account and its markets, once they have been read."""

from __future__ import annotations

from attrs import frozen

from mm_fsm.core.instrument import Balances, Fees, Instrument
from mm_fsm.venues.ccxt_venue.keys import Keys
from mm_fsm.venues.ccxt_venue.library import MakeExchange
from mm_fsm.venues.ccxt_venue.patience import OPENING_SECONDS


@frozen(kw_only=True)
class WantedMarket:
    """What settings say of one market."""

    symbol: str
    strategy_id: str
    most_orders: int
    """Own orders that may rest at once."""
    instrument: Instrument | None
    fees: Fees | None
    balances: Balances

    @property
    def depth(self) -> int:
        """Levels a side that the machine is shown: one more than there may be own orders."""
        return self.most_orders + 1


@frozen(kw_only=True)
class WantedAccount:
    """What settings say of the account."""

    exchange: str
    """As ccxt names it."""
    make: MakeExchange
    keys: Keys
    sandbox: bool = False
    account: str | None = None
    opening_seconds: float = OPENING_SECONDS
    """How long opening is tried again where what is wrong may pass."""
