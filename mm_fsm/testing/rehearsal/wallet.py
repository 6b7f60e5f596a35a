"""The account's money: free and locked, by currency, exact."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from attrs import define, field

from mm_fsm.core.instrument import ZERO
from mm_fsm.testing.rehearsal.judge import BalanceChanged, RehearsalLog
from mm_fsm.testing.rehearsal.refusals import insufficient_funds


@define
class Wallet:
    """Balances. No amount ever goes below zero: what would is refused or is a fault of the exchange."""

    log: RehearsalLog
    _free: dict[str, Decimal] = field(factory=dict, init=False)
    _locked: dict[str, Decimal] = field(factory=dict, init=False)

    def deposit(self, currency: str, amount: Decimal) -> None:
        """Add to what is free."""
        self._change(currency, amount, ZERO)

    def free(self, currency: str) -> Decimal:
        """What can be spent."""
        return self._free.get(currency, ZERO)

    def locked(self, currency: str) -> Decimal:
        """What open orders hold."""
        return self._locked.get(currency, ZERO)

    def lock(self, currency: str, amount: Decimal) -> None:
        """Hold an amount for an order.

        Raises:
            RefusedError: not so much is free.
        """
        if amount > self.free(currency):
            raise insufficient_funds()
        self._change(currency, -amount, amount)

    def release(self, currency: str, amount: Decimal) -> None:
        """Give back what an order held."""
        self._change(currency, amount, -amount)

    def spend_locked(self, currency: str, amount: Decimal) -> None:
        """Pay out of what an order holds."""
        self._change(currency, ZERO, -amount)

    def spend(self, currency: str, amount: Decimal) -> None:
        """Pay out of what is free."""
        self._change(currency, -amount, ZERO)

    @property
    def currencies(self) -> tuple[str, ...]:
        """Every currency that there has ever been some of."""
        return tuple(self._free)

    def totals(self) -> Mapping[str, Decimal]:
        """Free and locked together, by currency."""
        return {currency: self.free(currency) + self.locked(currency) for currency in self._free}

    def _change(self, currency: str, free: Decimal, locked: Decimal) -> None:
        new_free, new_locked = self.free(currency) + free, self.locked(currency) + locked
        if new_free < 0 or new_locked < 0:
            raise AssertionError(f"{currency}: free {new_free}, locked {new_locked}: expected neither below 0")
        self._free[currency], self._locked[currency] = new_free, new_locked
        self.log.write(BalanceChanged(time=self.log.now(), currency=currency, free=new_free, locked=new_locked))
