"""What a venue lets one trade: grid, minimums, contract, fees. Exact decimals throughout."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Context, Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

from attrs import Attribute, field, frozen
from attrs.validators import optional

from mm_fsm.core.validation import LATER, decimal_of
from mm_fsm.errors import SettingsError

ZERO = Decimal(0)
ONE = Decimal(1)
BASIS_POINTS = Decimal(10_000)
_RATES: Final = Context(prec=28)
"""What is computed once and kept must not depend on the decimal context of the host program."""
_DOWN: Final = Context(prec=28, rounding=ROUND_DOWN)


class InstrumentKind(StrEnum):
    """How a position is held."""

    SPOT = "spot"
    LINEAR = "linear"
    """A contract quoted and settled in the quote currency; it may be short and carries funding."""


_RULES = "Take it from the venue's instrument rules"
_POSITIVE = decimal_of("instrument", "a positive finite decimal", lambda value: value > 0, f"{_RULES}.")
_NOT_NEGATIVE = decimal_of(
    "instrument",
    "a finite decimal of at least 0",
    lambda value: value >= 0,
    f"{_RULES}; 0 where the venue has no such rule.",
)
_MAXIMUM = optional(
    decimal_of(
        "instrument",
        "a positive finite decimal",
        lambda value: value > 0,
        f"{_RULES}; leave it out where it is not known.",
    )
)
_LATER: Final = {LATER: True}
_ANY_AMOUNT = decimal_of("balances", "a finite decimal", lambda _: True, "Write the amount as a number.")
_FEE = decimal_of(
    "fees",
    "a finite decimal in basis points",
    lambda _: True,
    "Look it up in the venue's fee schedule; a missing fee is never taken as zero.",
)


def _name(_: Any, attribute: Attribute[Any], value: Any) -> None:
    if not isinstance(value, str) or not value.strip():
        raise SettingsError(f"instrument.{attribute.name}", "a name", value, "Write it as the venue does.")


def _kind(value: object) -> InstrumentKind:
    try:
        return InstrumentKind(value)  # type: ignore[arg-type]
    except ValueError:
        raise SettingsError(
            "instrument.kind",
            "'spot' or 'linear'",
            value,
            "Inverse contracts and hedge mode are not supported: choose a linear instrument in one-way mode.",
        ) from None


@frozen(kw_only=True)
class Instrument:
    """One market's trading rules.

    Prices are in quote currency per base unit. Quantities are in contracts, which for spot are base units; one
    contract is ``contract_size`` base units.

    Raises:
        SettingsError: a rule is missing, not finite, or not positive where it must be.
    """

    symbol: str = field(validator=_name)
    base_currency: str = field(validator=_name)
    quote_currency: str = field(validator=_name)
    tick_size: Decimal = field(validator=_POSITIVE)
    """Smallest step of a price, quote per base."""
    lot_size: Decimal = field(validator=_POSITIVE)
    """Smallest step of a quantity, contracts."""
    minimum_quantity: Decimal = field(default=ZERO, validator=_NOT_NEGATIVE)
    """Smallest quantity of one order, contracts."""
    minimum_notional: Decimal = field(default=ZERO, validator=_NOT_NEGATIVE)
    """Smallest price * quantity * contract size of one order, quote currency."""
    maximum_quantity: Decimal | None = field(default=None, validator=_MAXIMUM, metadata=_LATER)
    """Largest quantity of one order, contracts; None where it is not known."""
    maximum_notional: Decimal | None = field(default=None, validator=_MAXIMUM, metadata=_LATER)
    """Largest price * quantity * contract size of one order, quote currency; None where it is not known."""
    contract_size: Decimal = field(default=ONE, validator=_POSITIVE)
    """Base units in one contract."""
    kind: InstrumentKind = field(default=InstrumentKind.SPOT, converter=_kind)

    def __attrs_post_init__(self) -> None:
        if self.kind is InstrumentKind.SPOT and self.contract_size != 1:
            raise SettingsError("instrument.contract_size", "1 for spot", self.contract_size, "Remove the setting.")
        smallest = {"quantity": max(self.minimum_quantity, self.lot_size), "notional": self.minimum_notional}
        for name, least in smallest.items():
            most = getattr(self, f"maximum_{name}")
            if most is not None and most < least:
                raise SettingsError(f"instrument.maximum_{name}", f"at least {least}, the smallest", most, f"{_RULES}.")

    @cached_property
    def float_tick(self) -> float:
        """``tick_size`` as a float."""
        return float(self.tick_size)

    @cached_property
    def float_value_step(self) -> float:
        """Worth of one lot at a price of one tick as a float, quote currency."""
        return float(self.tick_size) * float(self.lot_size) * float(self.contract_size)

    @property
    def may_be_short(self) -> bool:
        """Whether a position below zero can be held. A spot account never goes short."""
        return self.kind is InstrumentKind.LINEAR

    def floor_price(self, price: Decimal) -> Decimal:
        """The highest grid price at or below ``price``."""
        return (price / self.tick_size).to_integral_value(ROUND_FLOOR) * self.tick_size

    def ceil_price(self, price: Decimal) -> Decimal:
        """The lowest grid price at or above ``price``."""
        return (price / self.tick_size).to_integral_value(ROUND_CEILING) * self.tick_size

    def floor_quantity(self, quantity: Decimal) -> Decimal:
        """The largest grid quantity at or below ``quantity``, contracts."""
        return (quantity / self.lot_size).to_integral_value(ROUND_FLOOR) * self.lot_size

    def ticks(self, price: Decimal, *, up: bool) -> int:
        """``price`` in whole ticks, rounded up or down."""
        return int((price / self.tick_size).to_integral_value(ROUND_CEILING if up else ROUND_FLOOR))

    def lots(self, quantity: Decimal) -> int:
        """``quantity`` contracts in whole lots, rounded down."""
        return int((quantity / self.lot_size).to_integral_value(ROUND_FLOOR))

    def price_of(self, ticks: int) -> Decimal:
        """So many ticks as a price, quote per base."""
        return ticks * self.tick_size

    def is_on_price_grid(self, price: Decimal) -> bool:
        """Whether ``price`` is a whole number of ticks."""
        return price % self.tick_size == 0

    def is_on_quantity_grid(self, quantity: Decimal) -> bool:
        """Whether ``quantity`` is a whole number of lots."""
        return quantity % self.lot_size == 0

    def notional(self, price: Decimal, quantity: Decimal) -> Decimal:
        """Value of ``quantity`` contracts at ``price``, quote currency."""
        return price * quantity * self.contract_size

    def base_quantity(self, quantity: Decimal) -> Decimal:
        """``quantity`` contracts in base units."""
        return quantity * self.contract_size

    def smallest_quantity(self, price: Decimal) -> Decimal:
        """The smallest grid quantity, contracts, that is large enough for the venue at ``price``."""
        needed = max(self.minimum_quantity, self.minimum_notional / price / self.contract_size, self.lot_size)
        return (needed / self.lot_size).to_integral_value(ROUND_CEILING) * self.lot_size

    def meets_minimums(self, price: Decimal, quantity: Decimal) -> bool:
        """Whether an order of ``quantity`` at ``price`` is large enough for the venue."""
        if quantity <= 0 or quantity < self.minimum_quantity:
            return False
        return price * quantity * self.contract_size >= self.minimum_notional  # notional(), without the call

    def largest_quantity(self, price: Decimal) -> Decimal | None:
        """The largest grid quantity, contracts, that the venue takes in one order at ``price``; None: not known."""
        bounds = [] if self.maximum_quantity is None else [self.maximum_quantity]
        if self.maximum_notional is not None:
            bounds.append(_DOWN.divide(self.maximum_notional, price * self.contract_size))
        return self.floor_quantity(min(bounds)) if bounds else None

    def within_maximums(self, price: Decimal, quantity: Decimal) -> Decimal:
        """As much of ``quantity``, contracts, as the venue takes in one order at ``price``."""
        if self.maximum_quantity is None and self.maximum_notional is None:
            return quantity
        largest = self.largest_quantity(price)
        return quantity if largest is None or quantity <= largest else largest

    def meets_maximums(self, price: Decimal, quantity: Decimal) -> bool:
        """Whether an order of ``quantity`` at ``price`` is small enough for the venue, as far as that is known."""
        return (self.maximum_quantity is None or quantity <= self.maximum_quantity) and (
            self.maximum_notional is None or self.notional(price, quantity) <= self.maximum_notional
        )


@frozen(kw_only=True)
class Fees:
    """What the venue charges, in basis points of the notional. A rebate is negative. There is no default."""

    maker_bps: Decimal = field(validator=_FEE)
    taker_bps: Decimal = field(validator=_FEE)

    def rate(self, *, maker: bool) -> Decimal:
        """The fee as a fraction of the notional."""
        return (self.maker_bps if maker else self.taker_bps) / BASIS_POINTS

    @cached_property
    def highest_rate(self) -> Decimal:
        """The dearest fee as a fraction of the notional, at least 0."""
        return _RATES.divide(max(self.maker_bps, self.taker_bps, ZERO), BASIS_POINTS)

    @cached_property
    def highest_rebate_rate(self) -> Decimal:
        """The best rebate as a fraction of the notional, at least 0."""
        return _RATES.divide(max(self.maker_bps.copy_negate(), self.taker_bps.copy_negate(), ZERO), BASIS_POINTS)


@frozen(kw_only=True)
class Balances:
    """The part of the account that one machine may use.

    ``base`` is in base units: what a spot account holds, or the open position of a contract (it may be negative
    there). ``quote`` is cash in quote currency: a spot account's money, or a contract's margin.
    """

    base: Decimal = field(validator=_ANY_AMOUNT)
    quote: Decimal = field(validator=_ANY_AMOUNT)
    leverage: Decimal = field(default=ONE, validator=_ANY_AMOUNT)
    """Notional a unit of quote margin may carry; only for contracts."""

    def __attrs_post_init__(self) -> None:
        if self.quote < 0:
            raise SettingsError("balances.quote", "at least 0", self.quote, "Borrowed cash is not supported.")
        if self.leverage < 1:
            raise SettingsError("balances.leverage", "at least 1", self.leverage, "Use 1 for no leverage.")

    def refuse_short_spot(self, instrument: Instrument) -> None:
        """Refuse what no account of the instrument's kind can hold.

        Raises:
            SettingsError: a spot account would start short.
        """
        if instrument.kind is InstrumentKind.SPOT and self.base < 0:
            raise SettingsError("balances.base", "at least 0 for spot", self.base, "A spot account is never short.")
