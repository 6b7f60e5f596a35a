"""The account at the exchange: what it holds, what open orders lock, and whether it can afford one more order.

Amounts are base units and quote currency, exact. Locks are not stored: they are summed over the open orders whenever
they are needed, so they cannot drift away from them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from decimal import ROUND_CEILING, Decimal
from typing import Final

from attrs import define, field

from mm_fsm.books.exact import EXACT
from mm_fsm.core.instrument import ONE, ZERO, Balances, Fees, Instrument, InstrumentKind
from mm_fsm.core.messages import Liquidity, Side
from mm_fsm.venues.paper.orders import PaperOrder

_MARGIN_QUANTUM: Final = Decimal("1E-10")
"""Quote currency to which a margin is rounded up."""


@define
class Account(ABC):
    """Base and quote at the exchange. ``mid`` is the market's last mid price, quote per base; None before the first."""

    instrument: Instrument
    fees: Fees
    base_total: Decimal
    """Base units held, or the open position of a contract, negative when short."""
    cash: Decimal
    """Quote currency with every trade settled in full: what bids lock included, fees taken off."""

    @abstractmethod
    def quote_total(self, mid: Decimal | None) -> Decimal:
        """Quote currency as the exchange reports it, what orders lock included."""

    @abstractmethod
    def base_free(self, orders: Iterable[PaperOrder]) -> Decimal:
        """Base units that no open order locks."""

    @abstractmethod
    def quote_free(self, orders: Iterable[PaperOrder], mid: Decimal | None) -> Decimal:
        """Quote currency that no open order locks."""

    @abstractmethod
    def affords(self, order: PaperOrder, orders: Iterable[PaperOrder], mid: Decimal | None) -> bool:
        """Whether ``order`` may join the open ``orders``."""

    def note_mid(self, mid: Decimal) -> None:  # noqa: B027 - a spot account needs no price
        """Take note of the market's mid price, quote per base."""

    def value(self, mid: Decimal) -> Decimal:
        """What everything is worth at ``mid``, quote currency."""
        return EXACT.fma(self.base_total, mid, self.cash)

    def trade(self, side: Side, price: Decimal, quantity: Decimal, liquidity: Liquidity) -> Decimal:
        """Book a trade of ``quantity`` contracts and return its fee, quote currency; negative for a rebate."""
        bought = EXACT.multiply(EXACT.multiply(quantity, self.instrument.contract_size), side.sign)
        notional = EXACT.multiply(bought, price)
        fee = EXACT.multiply(abs(notional), self.fees.rate(maker=liquidity is Liquidity.MAKER))
        self.cash = EXACT.subtract(EXACT.subtract(self.cash, notional), fee)
        self.base_total = EXACT.add(self.base_total, bought)
        return fee


@define
class SpotAccount(Account):
    """Base and quote owned outright. Bids lock their notional and the dearer fee, asks lock their base; no shorts."""

    def quote_total(self, mid: Decimal | None) -> Decimal:
        """Quote currency, what bids lock included."""
        return self.cash

    def base_free(self, orders: Iterable[PaperOrder]) -> Decimal:
        """Base units that no ask locks."""
        asks = (order.remaining for order in orders if order.side is Side.ASK)
        return self.base_total - self.instrument.base_quantity(sum(asks, ZERO))

    def quote_free(self, orders: Iterable[PaperOrder], mid: Decimal | None) -> Decimal:
        """Quote currency that no bid locks."""
        dearer = max(self.fees.rate(maker=True), self.fees.rate(maker=False), ZERO)
        bids = (self.instrument.notional(o.price, o.remaining) for o in orders if o.side is Side.BID)
        return self.cash - sum(bids, ZERO) * (ONE + dearer)

    def affords(self, order: PaperOrder, orders: Iterable[PaperOrder], mid: Decimal | None) -> bool:
        """Whether what ``order`` locks is free."""
        together = (*orders, order)
        if order.side is Side.ASK:
            return self.base_free(together) >= 0
        return self.quote_free(together, mid) >= 0


@define
class ContractAccount(Account):
    """A linear contract on margin, in one-way mode.

    A position held at the start was entered at the first mid the market shows. The quote balance is the margin balance:
    the deposit, all profit and loss marked at the last mid, less fees. Open orders and position together need the
    notional of the worst case (every order on one side fills) over the leverage. Nothing is ever liquidated and no
    funding is paid: a value below zero says that a real account would have been closed before.
    """

    leverage: Decimal
    _is_entered: bool = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._is_entered = not self.base_total

    def note_mid(self, mid: Decimal) -> None:
        """Take the first mid as the entry price of a position held at the start."""
        if not self._is_entered:
            self._is_entered = True
            self.cash = EXACT.subtract(self.cash, EXACT.multiply(self.base_total, mid))

    def quote_total(self, mid: Decimal | None) -> Decimal:
        """The margin balance, quote currency."""
        return self.cash if mid is None else self.value(mid)

    def base_free(self, orders: Iterable[PaperOrder]) -> Decimal:
        """The position: nothing locks it."""
        return self.base_total

    def quote_free(self, orders: Iterable[PaperOrder], mid: Decimal | None) -> Decimal:
        """The margin balance that position and orders do not need, quote currency; 0 when they need more."""
        if mid is None:
            return self.cash
        needed = (self._worst_notional(orders, mid) / self.leverage).quantize(_MARGIN_QUANTUM, rounding=ROUND_CEILING)
        return max(self.value(mid) - needed, ZERO)

    def affords(self, order: PaperOrder, orders: Iterable[PaperOrder], mid: Decimal | None) -> bool:
        """Whether the margin balance carries the worst case with ``order``, or ``order`` makes it no worse."""
        if mid is None:
            return False
        before = tuple(orders)
        worst = self._worst_notional((*before, order), mid)
        return worst <= self.value(mid) * self.leverage or worst <= self._worst_notional(before, mid)

    def value(self, mid: Decimal) -> Decimal:
        """The margin balance at ``mid``, quote currency."""
        return Account.value(self, mid) if self._is_entered else self.cash

    def _worst_notional(self, orders: Iterable[PaperOrder], mid: Decimal) -> Decimal:
        """Notional of the larger position that the orders of one side can lead to; reduce-only ones lead to none."""
        position = self.base_total * mid
        long, short = position, -position
        for order in orders:
            if order.is_reduce_only:
                continue
            notional = self.instrument.notional(order.price, order.remaining)
            if order.side is Side.BID:
                long += notional
            else:
                short += notional
        return max(long, short)


def open_account(instrument: Instrument, fees: Fees, balances: Balances) -> Account:
    """The account that goes with an instrument.

    Raises:
        SettingsError: a spot account would start short.
    """
    if instrument.kind is InstrumentKind.LINEAR:
        return ContractAccount(instrument, fees, balances.base, balances.quote, balances.leverage)
    balances.refuse_short_spot(instrument)
    return SpotAccount(instrument, fees, balances.base, balances.quote)
