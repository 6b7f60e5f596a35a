"""What a rehearsal exchange is made of: its markets, the account's money and fees, the key, the limits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from attrs import field, frozen

from mm_fsm.core.instrument import Fees, Instrument, InstrumentKind
from mm_fsm.errors import SettingsError
from mm_fsm.testing.rehearsal.fault_menu import Fault
from mm_fsm.venues.base import MarketEvent

BNB: Final = "BNB"
DIGITS: Final = 8
"""Binance keeps every amount to this many digits after the point."""


@frozen(kw_only=True)
class KeyPermissions:
    """What the account's key may do."""

    trading: bool = True
    withdrawals: bool = False
    ip_restricted: bool = True


@frozen(kw_only=True)
class RequestLimits:
    """How much one client may ask for. Past a limit the exchange answers 429, and bans who goes on."""

    weight_per_minute: int = 6000
    orders_per_ten_seconds: int = 100
    orders_per_day: int = 200_000
    warnings_before_ban: int = 10
    """Requests answered with 429 within one minute before the ban begins."""
    ban_seconds: float = 120.0


@frozen(kw_only=True)
class RehearsalMarket:
    """One spot market: its rules, and where its books and trades come from.

    Event times only pace the market: the first event happens when the exchange opens. Every event names
    ``instrument.symbol``.

    Raises:
        SettingsError: the instrument is no spot instrument, or an amount of it needs more than eight digits.
    """

    instrument: Instrument
    events: Iterable[MarketEvent] = ()
    most_open_orders: int = 200
    """The filter MAX_NUM_ORDERS."""

    def __attrs_post_init__(self) -> None:
        instrument = self.instrument
        if instrument.kind is not InstrumentKind.SPOT:
            raise SettingsError("instrument.kind", "'spot'", str(instrument.kind), "Rehearse a spot market.")
        step = (instrument.tick_size * instrument.lot_size).normalize()
        if -int(step.as_tuple().exponent) > DIGITS:
            raise SettingsError(
                "instrument.tick_size",
                f"tick times lot within {DIGITS} digits",
                str(step),
                "The exchange could not keep such amounts exactly: use a coarser tick or lot.",
            )

    @property
    def market_id(self) -> str:
        """The exchange's own name, such as ``BTCUSDT``."""
        return f"{self.instrument.base_currency}{self.instrument.quote_currency}"


@frozen(kw_only=True)
class RehearsalTerms:
    """Everything a rehearsal exchange is told before it opens.

    Raises:
        SettingsError: no market or two of one name, a balance or the speed that cannot be, or fees in BNB without a
            market that prices BNB in each quote currency.
    """

    markets: tuple[RehearsalMarket, ...]
    balances: Mapping[str, Decimal]
    """What the account has at the start, by currency."""
    fees: Fees
    """The account's fee tier."""
    pays_fees_in_bnb: bool = False
    """Fees are taken in BNB while there is enough of it."""
    bnb_discount: Decimal = Decimal("0.25")
    """What fraction of a fee is saved when it is paid in BNB."""
    permissions: KeyPermissions = KeyPermissions()
    limits: RequestLimits = RequestLimits()
    faults: tuple[Fault, ...] = ()
    api_key: str = "rehearsal-key"
    secret: str = field(default="rehearsal-secret", repr=False)
    speed: float = 1.0
    """Market time against the clock."""
    port: int = 0
    """On 127.0.0.1; 0 for any free one."""

    def __attrs_post_init__(self) -> None:
        names = [market.market_id for market in self.markets]
        if not names or len({*names}) != len(names):
            raise SettingsError("rehearsal.markets", "at least one market, each once", names, "Name them.")
        for currency, amount in self.balances.items():
            if not amount.is_finite() or amount < 0:
                raise SettingsError(f"balances.{currency}", "a finite decimal of at least 0", amount, "Correct it.")
        if not (math.isfinite(self.speed) and self.speed > 0):
            raise SettingsError("rehearsal.speed", "a finite number above 0", self.speed, "1 is real time.")
        for quote in {market.instrument.quote_currency for market in self.markets} if self.pays_fees_in_bnb else ():
            if quote != BNB and f"{BNB}{quote}" not in names:
                raise SettingsError(
                    "rehearsal.markets", f"a market {BNB}/{quote}", names, "Fees in BNB need a price of BNB: add it."
                )
