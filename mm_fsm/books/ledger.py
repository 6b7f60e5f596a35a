"""The exact ledger: what one machine's money in one market did, to the last digit.

Amounts are base units and quote currency: decimals at the face, integers inside (``Sums``), so that every sum and
product is exact. Total cost is kept, never an average: the single division, the share of the cost that a reducing fill
takes out, is rounded to a fixed quantum, and what stays is the total minus that share.

With one reference price m in every term, both of these hold exactly after every call (``identity_gap`` is 0)::

    spread_capture + inventory_pnl - fees_paid + funding_received + external_flows = equity - starting_equity
    realized_pnl + unrealized_pnl - fees_paid + funding_received = equity - starting_equity - external_flows

    equity = cash + position * m - third_currency_fees

Three conventions make both sides agree:

- What is held before the first valid m is costed at it, and so are external flows of base that came before it.
- A fee in base currency is base sold at m whose proceeds pay the fee: the position falls by the fee, fee * m counts as
  fee, and what the base that left had gained moves from unrealised to realised. A rebate in base is bought at m.
- An external flow of base enters or leaves at m, so it is neither profit nor loss.

A fee in a third currency leaves an account that this ledger does not hold: ``third_currency_fees`` keeps its value, at
the conversion price of the fill.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, Final, Self, overload

from attrs import define, field

from mm_fsm.books.exact import AMOUNT_EXPECTED, EXACT, decimal_of, is_amount, units_of
from mm_fsm.books.field_roles import DERIVED
from mm_fsm.books.ledger_fill import FeeCurrency, LedgerFill, refuse_unless_amount, refuse_unless_positive
from mm_fsm.books.sums import Sums
from mm_fsm.core.instrument import BASIS_POINTS, ONE, ZERO
from mm_fsm.core.messages import Side
from mm_fsm.errors import LedgerError, SettingsError

__all__ = ["FeeCurrency", "Ledger", "LedgerFill"]

TRADES_REMEMBERED: Final = 20_000
"""How many trades are known by their ids, so that none is booked twice; then memory would grow with every fill."""


class FaceOnceKnown:
    """A sum of the ledger as an exact decimal; None until the sum is known.

    Args:
        name: of the integer in ``Sums``.
        unit: whose decimals it has: ``price``, ``base`` or ``money``.
    """

    def __init__(self, name: str, unit: str = "money") -> None:
        self.name = name
        self.read = attrgetter(name, f"{unit}_decimals")

    @overload
    def __get__(self, ledger: None, owner: type) -> Self: ...
    @overload
    def __get__(self, ledger: Ledger, owner: type) -> Decimal | None: ...
    def __get__(self, ledger: Ledger | None, owner: type) -> Self | Decimal | None:
        """The sum now: amounts are read many times a step, and most of them change with a booking only."""
        if ledger is None:
            return self
        made = ledger._faces
        return made[self.name] if self.name in made else ledger.face(self)


class Face(FaceOnceKnown):
    """A sum of the ledger, which is always known, as an exact decimal."""

    if TYPE_CHECKING:

        @overload
        def __get__(self, ledger: None, owner: type) -> Self: ...
        @overload
        def __get__(self, ledger: Ledger, owner: type) -> Decimal: ...
        def __get__(self, ledger: Ledger | None, owner: type) -> Self | Decimal: ...


@define(kw_only=True, eq=False)
class Ledger:
    """Position, cash and profit of one machine in one market.

    Attributes are for reading; only the methods change them. A method that raises has changed nothing. Ids of the
    latest ``TRADES_REMEMBERED`` trades are kept, those of funding payments and flows, which are rare, for its life.

    Args:
        base: position at the start, base units; negative for a short contract position.
        cash: quote currency at the start.
        contract_size: base units in one contract.
        carried_drawdown: drawdown at the end of an earlier session whose peak still counts, quote currency.

    Raises:
        SettingsError: an argument is not finite or too long, ``contract_size`` is not positive, or
            ``carried_drawdown`` is negative.
    """

    starting_base: Decimal = field(alias="base")
    starting_cash: Decimal = field(alias="cash")
    contract_size: Decimal = ONE
    carried_drawdown: Decimal = ZERO

    sums: Sums = field(init=False, factory=Sums)
    forgotten_until: int = field(init=False, default=-1)
    """Exchange time of the latest trade whose id was forgotten, nanoseconds; -1 before any was."""
    bookings: int = field(init=False, default=0)
    """Trades, funding payments and flows booked so far."""
    _trades: dict[tuple[str, str], tuple[int, str]] = field(init=False, factory=dict, repr=False)
    """Exchange time and terms by side and trade id."""
    _payments: set[tuple[str, str]] = field(init=False, factory=set, repr=False)
    _faces: dict[str, Decimal | None] = field(init=False, factory=dict, repr=False, metadata=DERIVED)
    """Decimals made of the sums since these last changed."""
    _marked: Decimal | None = field(init=False, default=None, repr=False, metadata=DERIVED)

    reference_price = FaceOnceKnown("reference_price", "price")
    """The last m, quote per base; None before the first."""
    starting_equity = FaceOnceKnown("starting_equity")
    """Starting cash and base at the first m, quote currency; None before it."""
    equity = FaceOnceKnown("equity")
    """Cash and position at m, less fees paid from elsewhere, quote currency; None before the first m."""
    position = Face("position", "base")
    """Base units, positive when long."""
    cash = Face("cash")
    """Quote currency, with fees in quote, funding and external flows."""
    cost = Face("cost")
    """Total cost of the position, quote currency, with the position's sign; 0 before the first m."""
    realized_pnl = Face("realized_pnl")
    """Quote currency, before fees."""
    unrealized_pnl = Face("unrealized_pnl")
    """Position at m less its cost, quote currency, before fees; 0 before the first m."""
    net_pnl = Face("net_pnl")
    """Realised + unrealised - fees + funding, quote currency. External flows are no profit and no loss."""
    fees_paid = Face("fees_paid")
    """All fees valued in quote currency; rebates lower it."""
    third_currency_fees = Face("third_currency_fees")
    """The part of ``fees_paid`` that was charged in third currencies."""
    funding_received = Face("funding_received")
    """Quote currency; negative when more was paid than received."""
    external_flows = Face("external_flows")
    """Deposits less withdrawals, quote currency, base valued at m; base from before the first m joins at it."""
    spread_capture = Face("spread_capture")
    """Sum of sign * quantity * (m at the fill - price), quote currency."""
    inventory_pnl = Face("inventory_pnl")
    """Sum of position * change of m, quote currency."""
    volume_quote = Face("volume_quote")
    """Sum of quantity * price, quote currency."""
    volume_reference = Face("volume_reference")
    """Sum of quantity * m at the fill, quote currency."""
    drawdown = Face("drawdown")
    """Peak of the net profit less the net profit now, quote currency, at least 0."""
    cash_change = Face("cash_change")
    """Change of cash since the start, quote currency."""
    peak_net_pnl = Face("peak_net_pnl")
    """Highest net profit so far, quote currency; the carried drawdown at the start."""

    def __attrs_post_init__(self) -> None:
        for name, value in (
            ("balances.base", self.starting_base),
            ("balances.quote", self.starting_cash),
            ("instrument.contract_size", self.contract_size),
            ("carried_drawdown", self.carried_drawdown),
        ):
            if not is_amount(value):
                raise SettingsError(name, f"a {AMOUNT_EXPECTED}", value, "Pass the venue's own figure.")
        if self.contract_size <= 0:
            raise SettingsError("instrument.contract_size", "above 0", self.contract_size, "Use 1 for spot.")
        if self.carried_drawdown < 0:
            raise SettingsError("carried_drawdown", "at least 0", self.carried_drawdown, "Use 0 for none.")
        sums = self.sums
        _, base, cash, peak = sums.read(ZERO, self.starting_base, self.starting_cash, self.carried_drawdown)
        sums.position = sums.starting_base = base
        sums.cash = sums.starting_cash = cash
        sums.peak_net_pnl = peak

    # -- reading ----------------------------------------------------------------------------------------------------

    def face(self, face: FaceOnceKnown) -> Decimal | None:
        """One sum as a decimal; equal sums look alike."""
        units, decimals = face.read(self.sums)
        self._faces[face.name] = value = None if units is None else decimal_of(units, decimals)
        return value

    @property
    def average_spread_captured_bps(self) -> float | None:
        """Spread capture over the volume at m, basis points; None before the first fill."""
        sums = self.sums
        return int(BASIS_POINTS) * sums.spread_capture / sums.volume_reference if sums.volume_reference else None

    def identity_gap(self) -> Decimal:
        """What the two identities of this module miss, added without sign, quote currency: exactly 0 in sound books.

        Before the first m the inventory has no value on either side.
        """
        return decimal_of(self.sums.identity_gap, self.sums.money_decimals)

    def snapshot(self) -> tuple[Decimal | int | None, ...]:
        """Every amount that changes, in a fixed order, and last the number of bookings: for digests."""
        return (*(self.face(each) for each in _SNAPSHOT), self.bookings)

    def is_booked(self, trade_id: str, side: Side) -> bool:
        """Whether this side of this trade is known to be booked. A trade of two own orders has both sides."""
        return (side.value, trade_id) in self._trades

    def known_trades(self) -> Iterator[tuple[str, str]]:
        """Side and id of each trade that is known to be booked, oldest first."""
        return iter(self._trades)

    def contradicts(self, fill: LedgerFill) -> bool:
        """Whether this side of this trade is booked with another order, price or quantity."""
        booked = self._trades.get((fill.side.value, fill.trade_id))
        return booked is not None and booked[1] != fill.terms

    def is_forgotten(self, exchange_time: int) -> bool:
        """Whether a trade is so old that its id may have been forgotten: nobody can tell whether it was booked."""
        return exchange_time <= self.forgotten_until

    def is_funding_booked(self, funding_id: str) -> bool:
        """Whether this funding payment was booked."""
        return ("funding", funding_id) in self._payments

    def is_flow_booked(self, flow_id: str) -> bool:
        """Whether this external flow was booked."""
        return ("flow", flow_id) in self._payments

    # -- booking ----------------------------------------------------------------------------------------------------

    def mark(self, m: Decimal) -> None:
        """Value the position at a new reference price, quote per base.

        Raises:
            FactRefusedError: ``m`` is not a positive finite decimal, or has too many digits.
        """
        if m is self._marked:
            return
        refuse_unless_positive("MarketBook", "reference_price", m)
        units = units_of(m, self.sums.price_decimals)
        if units is None:
            units = self.sums.read(m)[0]
        if units != self.sums.reference_price:
            self._forget_faces_at_m()
            self.sums.mark(units)
        self._marked = m

    def _forget_faces_at_m(self) -> None:
        if self.sums.reference_price is None:
            self._faces.clear()
            return
        for name in _AT_M:
            self._faces.pop(name, None)

    def restore_peak(self, peak: Decimal) -> None:
        """Go on with a peak of the net profit that is on record, quote currency."""
        self._faces.clear()
        self.sums.peak_net_pnl = self.sums.read(ZERO, ZERO, peak)[2]

    def book_fill(self, fill: LedgerFill) -> None:
        """Book a trade of an own order. Before the first m, its price becomes the first m.

        Raises:
            LedgerError: this side of the trade was booked before.
        """
        self._note_trade(fill)
        self._faces.clear()
        sums, fee = self.sums, fill.fee
        is_in_base = fill.fee_currency is FeeCurrency.BASE
        if fill.fee_currency is FeeCurrency.THIRD and fill.conversion_price is not None:
            fee = EXACT.multiply(fee, fill.conversion_price)
        if fee:  # the units become fine enough for it before anything is read in them
            sums.read(ZERO, *((fee,) if is_in_base else (ZERO, fee)))
        price, quantity = sums.read(fill.price, EXACT.multiply(fill.quantity, self.contract_size))
        if sums.reference_price is None:
            sums.start_valuation(price)
        m = price if sums.reference_price is None else sums.reference_price
        sums.trade(quantity * fill.side.sign, price, m)
        self._charge(fee, fill.fee_currency, m)
        sums.raise_peak()

    def book_fee(self, fee: Decimal, fee_currency: FeeCurrency, conversion_price: Decimal | None = None) -> None:
        """Book the fee of a fill that was booked without it, at the m of now; negative for a rebate.

        ``conversion_price`` is quote currency per unit of a third currency.

        Raises:
            FactRefusedError: the fee is not a finite decimal, or has too many digits.
        """
        refuse_unless_amount("OrderFilled", "fee", fee)
        if fee_currency is FeeCurrency.THIRD and conversion_price is not None:
            fee = EXACT.multiply(fee, conversion_price)
        self._faces.clear()
        self.sums.read(ZERO, *((fee,) if fee_currency is FeeCurrency.BASE else (ZERO, fee)))
        self._charge(fee, fee_currency, self.sums.reference_price or 0)
        self.bookings += 1
        self.sums.raise_peak()

    def _charge(self, fee: Decimal, fee_currency: FeeCurrency, m: int) -> None:
        sums = self.sums
        if fee_currency is FeeCurrency.BASE:
            base = sums.read(ZERO, fee)[1]
            sums.change_position(-base, m)
            money = sums.worth(base, m)
        else:
            money = sums.read(ZERO, ZERO, fee)[2]
            if fee_currency is FeeCurrency.QUOTE:
                sums.cash -= money
            else:
                sums.third_currency_fees += money
        sums.fees_paid += money

    def book_funding(self, amount: Decimal, funding_id: str) -> None:
        """Book a funding payment in quote currency, positive when received.

        Raises:
            FactRefusedError: the amount is not a finite decimal, or has too many digits.
            LedgerError: the payment was booked before.
        """
        refuse_unless_amount("FundingPaid", "amount", amount)
        self._note_payment("funding", funding_id)
        money = self.sums.read(ZERO, ZERO, amount)[2]
        self.sums.cash += money
        self.sums.funding_received += money
        self.sums.raise_peak()

    def book_external_flow(self, base: Decimal, quote: Decimal, flow_id: str) -> None:
        """Book a deposit (positive) or withdrawal (negative) of base units and of quote currency.

        Raises:
            FactRefusedError: an amount is not a finite decimal, or has too many digits.
            LedgerError: the flow was booked before.
        """
        refuse_unless_amount("ExternalFlow", "base", base)
        refuse_unless_amount("ExternalFlow", "quote", quote)
        self._note_payment("flow", flow_id)
        sums = self.sums
        _, moved, money = sums.read(ZERO, base, quote)
        sums.cash += money
        sums.external_flows += money
        if sums.reference_price is None:
            sums.position += moved
        else:
            sums.change_position(moved, sums.reference_price)
            sums.external_flows += sums.worth(moved, sums.reference_price)

    def _note_trade(self, fill: LedgerFill) -> None:
        entry = (fill.side.value, fill.trade_id)
        if entry in self._trades:
            raise _booked_before(*entry)
        self._trades[entry] = (fill.exchange_time, fill.terms)
        self.bookings += 1
        if len(self._trades) > TRADES_REMEMBERED:
            forgotten_at, _ = self._trades.pop(next(iter(self._trades)))
            self.forgotten_until = max(self.forgotten_until, forgotten_at)

    def _note_payment(self, kind: str, entry_id: str) -> None:
        if (kind, entry_id) in self._payments:
            raise _booked_before(kind, entry_id)
        self._payments.add((kind, entry_id))
        self._faces.clear()
        self.bookings += 1


_AT_M: Final = (
    "reference_price", "equity", "unrealized_pnl", "net_pnl", "drawdown", "inventory_pnl", "peak_net_pnl"
)  # fmt: skip
"""Sums that another m changes once there is one."""

_SNAPSHOT: Final[tuple[FaceOnceKnown, ...]] = (
    Ledger.reference_price,
    Ledger.starting_equity,
    Ledger.position,
    Ledger.cash,
    Ledger.cost,
    Ledger.realized_pnl,
    Ledger.fees_paid,
    Ledger.third_currency_fees,
    Ledger.funding_received,
    Ledger.external_flows,
    Ledger.spread_capture,
    Ledger.inventory_pnl,
    Ledger.volume_quote,
    Ledger.volume_reference,
    Ledger.peak_net_pnl,
)


def _booked_before(kind: str, entry_id: str) -> LedgerError:
    return LedgerError(
        f"{kind} {entry_id!r}: expected an id that is not booked, found it booked. "
        "Ask whether it is booked first, and drop what was seen before."
    )
