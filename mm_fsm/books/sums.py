"""What the ledger sums up, in integers: prices, base units and money, each at so many decimals.

The units are fine enough for every amount so far; an amount that needs finer ones makes them finer, which changes no
value. Tick and lot of the instrument therefore need not be known, and a fill, a fee or a balance off their grid is held
exactly.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from attrs import define

from mm_fsm.books.exact import decimals_of, divide_half_even, units_of
from mm_fsm.core.instrument import ZERO

COST_DECIMALS: Final = 20
"""Decimals of quote currency to which the cost of a partial reduction is rounded; the rest keeps what was rounded
away."""

_BASE: Final = ("position", "starting_base")
_MONEY: Final = (
    "starting_equity", "cash", "starting_cash", "cost", "realized_pnl", "fees_paid", "third_currency_fees",
    "funding_received", "external_flows", "spread_capture", "inventory_pnl", "volume_quote", "volume_reference",
    "peak_net_pnl",
)  # fmt: skip


@define(kw_only=True, eq=False)
class Sums:
    """Integers; see ``Ledger`` for what each of them is."""

    price_decimals: int = 0
    base_decimals: int = 0
    money_decimals: int = COST_DECIMALS
    """At least those of prices and base together."""
    _factor: int = 10**COST_DECIMALS
    """Units of money in one unit of base at one unit of price."""

    reference_price: int | None = None
    position: int = 0
    starting_base: int = 0
    starting_equity: int | None = None
    cash: int = 0
    starting_cash: int = 0
    cost: int = 0
    realized_pnl: int = 0
    fees_paid: int = 0
    third_currency_fees: int = 0
    funding_received: int = 0
    external_flows: int = 0
    spread_capture: int = 0
    inventory_pnl: int = 0
    volume_quote: int = 0
    volume_reference: int = 0
    peak_net_pnl: int = 0

    # -- units ------------------------------------------------------------------------------------------------------

    def read(self, price: Decimal = ZERO, base: Decimal = ZERO, *money: Decimal) -> tuple[int, ...]:
        """A price, base units and any amounts of money as integers; the units become finer where one needs it."""
        while True:
            found = (
                units_of(price, self.price_decimals),
                units_of(base, self.base_decimals),
                *(units_of(amount, self.money_decimals) for amount in money),
            )
            if None not in found:
                return found  # type: ignore[return-value]  # none of them is None
            self._refine(
                max(self.price_decimals, decimals_of(price)),
                max(self.base_decimals, decimals_of(base)),
                max(self.money_decimals, *map(decimals_of, money), 0),
            )

    def worth(self, base: int, price: int) -> int:
        """Base units at a price, as money."""
        return base * price * self._factor

    def _refine(self, price_decimals: int, base_decimals: int, money_decimals: int) -> None:
        money_decimals = max(money_decimals, price_decimals + base_decimals)
        finer_base = 10 ** (base_decimals - self.base_decimals)
        finer_money = 10 ** (money_decimals - self.money_decimals)
        if self.reference_price is not None:
            self.reference_price *= 10 ** (price_decimals - self.price_decimals)
        for name in _BASE:
            setattr(self, name, getattr(self, name) * finer_base)
        for name in _MONEY:
            value = getattr(self, name)
            if value is not None:
                setattr(self, name, value * finer_money)
        self.price_decimals, self.base_decimals, self.money_decimals = price_decimals, base_decimals, money_decimals
        self._factor = 10 ** (money_decimals - price_decimals - base_decimals)

    # -- values -----------------------------------------------------------------------------------------------------

    @property
    def unrealized_pnl(self) -> int:
        """Position at m less its cost; 0 before the first m."""
        return 0 if self.reference_price is None else self.worth(self.position, self.reference_price) - self.cost

    @property
    def net_pnl(self) -> int:
        """Realised + unrealised - fees + funding."""
        booked = self.realized_pnl - self.fees_paid + self.funding_received
        if self.reference_price is None:
            return booked
        return booked + self.position * self.reference_price * self._factor - self.cost  # worth(), without the calls

    @property
    def drawdown(self) -> int:
        """Peak of the net profit less the net profit now, at least 0."""
        return self.peak_net_pnl - self.net_pnl

    @property
    def cash_change(self) -> int:
        """Change of cash since the start."""
        return self.cash - self.starting_cash

    @property
    def equity(self) -> int | None:
        """Cash and position at m, less fees paid from elsewhere; None before the first m."""
        if self.reference_price is None:
            return None
        return self.cash + self.worth(self.position, self.reference_price) - self.third_currency_fees

    @property
    def identity_gap(self) -> int:
        """What the ledger's two identities miss, added without sign."""
        equity, started_with = self.equity, self.starting_equity
        change = self.cash_change if equity is None or started_with is None else equity - started_with
        gain = change - self.external_flows
        by_source = self.spread_capture + self.inventory_pnl - self.fees_paid + self.funding_received
        return abs(by_source - gain) + abs(self.net_pnl - gain)

    # -- bookings ---------------------------------------------------------------------------------------------------

    def start_valuation(self, m: int) -> None:
        """Take the first m: cost what is held, and value the flows of base that came before."""
        self.external_flows += self.worth(self.position - self.starting_base, m)
        self.starting_equity = self.starting_cash + self.worth(self.starting_base, m)
        self.cost = self.worth(self.position, m)
        self.reference_price = m

    def mark(self, m: int) -> None:
        """Value the position at the next m."""
        if self.reference_price is None:
            self.start_valuation(m)
            return
        self.inventory_pnl += self.worth(self.position, m - self.reference_price)
        self.reference_price = m
        self.raise_peak()

    def raise_peak(self) -> None:
        """Keep the highest net profit."""
        self.peak_net_pnl = max(self.peak_net_pnl, self.net_pnl)

    def trade(self, bought: int, price: int, m: int) -> None:
        """Exchange base units, negative when sold, for money at a price, with m beside it."""
        self.change_position(bought, price)
        paid = self.worth(bought, price)
        self.cash -= paid
        self.spread_capture += self.worth(bought, m) - paid
        self.volume_quote += abs(paid)
        self.volume_reference += abs(self.worth(bought, m))

    def change_position(self, change: int, price: int) -> None:
        """Move position, cost and realised profit for ``change`` base units at ``price``; cash is the caller's."""
        held, opened = self.position, change
        if held and change and (held > 0) is not (change > 0):
            reduces = abs(change) < abs(held)
            closed = change if reduces else -held
            opened = change - closed
            removed = self._cost_of(closed) if reduces else self.cost
            self.cost -= removed
            self.realized_pnl += self.worth(-closed, price) - removed
        self.cost += self.worth(opened, price)
        self.position = held + change

    def _cost_of(self, closed: int) -> int:
        """Share of the total cost that ``closed`` base units take out of the position; the one rounded amount."""
        quantum = 10 ** (self.money_decimals - COST_DECIMALS)
        return int(divide_half_even(-self.cost * closed, self.position * quantum) * quantum)
