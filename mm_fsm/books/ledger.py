"""The exact ledger: what one machine's money in one market did, to the last digit.

Amounts are base units and quote currency. Every sum and product is exact. Total cost is kept, never an average: the
single division, the share of the cost that a reducing fill takes out, is rounded to a fixed quantum, and what stays is
the total minus that share.

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

from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact, InvalidOperation, Overflow
from enum import StrEnum
from operator import attrgetter
from typing import Final

from attrs import define, field, frozen

from mm_fsm.core.instrument import BASIS_POINTS, ONE, ZERO
from mm_fsm.core.messages import Side
from mm_fsm.errors import FactRefusedError, LedgerError, SettingsError

EXACT: Final = Context(prec=200, rounding=ROUND_HALF_EVEN, traps=[Inexact, InvalidOperation, Overflow])
"""Raises rather than lose a digit, and does not depend on the decimal context of the host program.

Amounts of 24 digits on either side of the point, three to a product, leave room for more than 1e50 bookings.
"""

_add: Final = EXACT.add
_subtract: Final = EXACT.subtract
_multiply: Final = EXACT.multiply

_ROUNDING: Final = Context(prec=200, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, Overflow])
_COST_QUANTUM: Final = Decimal("1E-20")
"""Quote currency to which the cost of a partial reduction is rounded; the rest keeps what was rounded away."""

TRADES_REMEMBERED: Final = 20_000
"""How many trades are known by their ids, so that none is booked twice; then memory would grow with every fill."""

_AMOUNT_CONTEXT: Final = Context(prec=48, traps=[Inexact, InvalidOperation])
_AMOUNT_QUANTUM: Final = Decimal("1E-24")
AMOUNT_EXPECTED: Final = "finite decimal below 1E+24 with at most 24 decimals"


class FeeCurrency(StrEnum):
    """Which currency a fee was charged in."""

    QUOTE = "quote"
    BASE = "base"
    THIRD = "third"


def is_amount(value: object) -> bool:
    """Whether a value is a finite decimal that every sum and product here can hold exactly."""
    if not isinstance(value, Decimal) or not value.is_finite():
        return False
    try:
        value.quantize(_AMOUNT_QUANTUM, context=_AMOUNT_CONTEXT)
    except (Inexact, InvalidOperation):
        return False
    return True


def _refuse_unless_amount(fact: str, name: str, value: Decimal) -> None:
    if not is_amount(value):
        raise FactRefusedError(fact, name, f"a {AMOUNT_EXPECTED}", value)


def _refuse_unless_positive(fact: str, name: str, value: Decimal) -> None:
    if not is_amount(value) or value <= 0:
        raise FactRefusedError(fact, name, f"a positive {AMOUNT_EXPECTED}", value)


@frozen(kw_only=True)
class LedgerFill:
    """A fill as the ledger books it, valid by construction: make one to check a fill before anything changes.

    Args:
        trade_id: the venue's id of the trade.
        side: side of the own order; BID bought.
        price: quote per base.
        quantity: contracts, positive.
        fee: in ``fee_currency`` (base units for BASE); positive when paid, negative for a rebate.
        fee_currency: what the fee was charged in.
        conversion_price: quote currency per unit of a third currency; needed for a THIRD fee that is not zero.
        exchange_time: the venue's stamp, nanoseconds; -1 when there is none, and then its id is never missed.
        client_order_id: the own order that traded; with price and quantity it tells one trade from another.

    Raises:
        FactRefusedError: an amount is not finite, too long, or not positive where it must be, or a conversion price is
            missing.
    """

    trade_id: str
    side: Side
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_currency: FeeCurrency
    conversion_price: Decimal | None = None
    exchange_time: int = -1
    client_order_id: str = ""

    @property
    def terms(self) -> str:
        """What every report of this trade must agree in."""
        return f"{self.client_order_id} {EXACT.normalize(self.quantity)} {EXACT.normalize(self.price)}"

    def __attrs_post_init__(self) -> None:
        _refuse_unless_positive("OrderFilled", "price", self.price)
        _refuse_unless_positive("OrderFilled", "quantity", self.quantity)
        _refuse_unless_amount("OrderFilled", "fee", self.fee)
        if self.conversion_price is not None:
            _refuse_unless_positive("ConversionPriceReported", "price", self.conversion_price)
        elif self.fee_currency is FeeCurrency.THIRD and self.fee:
            raise FactRefusedError(
                "OrderFilled",
                "fee_currency",
                "the base or quote currency, or one whose conversion price is known",
                self.fee_currency.value,
                "Report the price of the fee's currency in quote currency, then this fill again.",
            )


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

    position: Decimal = field(init=False)
    """Base units, positive when long."""
    cash: Decimal = field(init=False)
    """Quote currency, with fees in quote, funding and external flows."""
    reference_price: Decimal | None = field(init=False, default=None)
    """The last m, quote per base; None before the first."""
    starting_equity: Decimal | None = field(init=False, default=None)
    """Starting cash and base at the first m, quote currency; None before it."""
    cost: Decimal = field(init=False, default=ZERO)
    """Total cost of the position, quote currency, with the position's sign; 0 before the first m."""
    realized_pnl: Decimal = field(init=False, default=ZERO)
    """Quote currency, before fees."""
    fees_paid: Decimal = field(init=False, default=ZERO)
    """All fees valued in quote currency; rebates lower it."""
    third_currency_fees: Decimal = field(init=False, default=ZERO)
    """The part of ``fees_paid`` that was charged in third currencies."""
    funding_received: Decimal = field(init=False, default=ZERO)
    """Quote currency; negative when more was paid than received."""
    external_flows: Decimal = field(init=False, default=ZERO)
    """Deposits less withdrawals, quote currency, base valued at m; base from before the first m joins at it."""
    spread_capture: Decimal = field(init=False, default=ZERO)
    """Sum of sign * quantity * (m at the fill - price), quote currency."""
    inventory_pnl: Decimal = field(init=False, default=ZERO)
    """Sum of position * change of m, quote currency."""
    volume_quote: Decimal = field(init=False, default=ZERO)
    """Sum of quantity * price, quote currency."""
    volume_reference: Decimal = field(init=False, default=ZERO)
    """Sum of quantity * m at the fill, quote currency."""
    peak_net_pnl: Decimal = field(init=False)
    """Highest net profit so far, quote currency; the carried drawdown at the start."""
    forgotten_until: int = field(init=False, default=-1)
    """Exchange time of the latest trade whose id was forgotten, nanoseconds; -1 before any was."""
    bookings: int = field(init=False, default=0)
    """Trades, funding payments and flows booked so far."""
    _trades: dict[tuple[str, str], tuple[int, str]] = field(init=False, factory=dict, repr=False)
    """Exchange time and terms by side and trade id."""
    _payments: set[tuple[str, str]] = field(init=False, factory=set, repr=False)

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
        self.position = self.starting_base
        self.cash = self.starting_cash
        self.peak_net_pnl = self.carried_drawdown

    def mark(self, m: Decimal) -> None:
        """Value the position at a new reference price, quote per base.

        Raises:
            FactRefusedError: ``m`` is not a positive finite decimal, or has too many digits.
        """
        _refuse_unless_positive("MarketBook", "reference_price", m)
        before = self.reference_price
        if before is None:
            self._start_valuation(m)
            return
        if m == before:
            return
        change = _multiply(self.position, _subtract(m, before))
        self.inventory_pnl = _add(self.inventory_pnl, change)
        self.reference_price = m
        self._raise_peak()

    def is_booked(self, trade_id: str, side: Side) -> bool:
        """Whether this side of this trade is known to be booked. A trade of two own orders has both sides."""
        return (side.value, trade_id) in self._trades

    def contradicts(self, fill: LedgerFill) -> bool:
        """Whether this side of this trade is booked with another order, price or quantity."""
        booked = self._trades.get((fill.side.value, fill.trade_id))
        return booked is not None and booked[1] != fill.terms

    def is_forgotten(self, exchange_time: int) -> bool:
        """Whether a trade is so old that its id may have been forgotten: nobody can tell whether it was booked."""
        return exchange_time <= self.forgotten_until

    def book_fill(self, fill: LedgerFill) -> None:
        """Book a trade of an own order. Before the first m, its price becomes the first m.

        Raises:
            LedgerError: this side of the trade was booked before.
        """
        self._note_trade(fill)
        m = self.reference_price
        if m is None:
            m = self._start_valuation(fill.price)
        quantity = _multiply(fill.quantity, self.contract_size)
        bought = quantity if fill.side is Side.BID else quantity.copy_negate()
        self._change_position(bought, fill.price)
        self.cash = _subtract(self.cash, _multiply(bought, fill.price))
        captured = _multiply(bought, _subtract(m, fill.price))
        self.spread_capture = _add(self.spread_capture, captured)
        self.volume_quote = _add(self.volume_quote, _multiply(quantity, fill.price))
        self.volume_reference = _add(self.volume_reference, _multiply(quantity, m))
        self._charge(fill, m)
        self._raise_peak()

    def is_funding_booked(self, funding_id: str) -> bool:
        """Whether this funding payment was booked."""
        return ("funding", funding_id) in self._payments

    def book_funding(self, amount: Decimal, funding_id: str) -> None:
        """Book a funding payment in quote currency, positive when received.

        Raises:
            FactRefusedError: the amount is not a finite decimal, or has too many digits.
            LedgerError: the payment was booked before.
        """
        _refuse_unless_amount("FundingPaid", "amount", amount)
        self._note_payment("funding", funding_id)
        self.cash = _add(self.cash, amount)
        self.funding_received = _add(self.funding_received, amount)
        self._raise_peak()

    def is_flow_booked(self, flow_id: str) -> bool:
        """Whether this external flow was booked."""
        return ("flow", flow_id) in self._payments

    def book_external_flow(self, base: Decimal, quote: Decimal, flow_id: str) -> None:
        """Book a deposit (positive) or withdrawal (negative) of base units and of quote currency.

        Raises:
            FactRefusedError: an amount is not a finite decimal, or has too many digits.
            LedgerError: the flow was booked before.
        """
        _refuse_unless_amount("ExternalFlow", "base", base)
        _refuse_unless_amount("ExternalFlow", "quote", quote)
        self._note_payment("flow", flow_id)
        self.cash = _add(self.cash, quote)
        self.external_flows = _add(self.external_flows, quote)
        if self.reference_price is None:
            self.position = _add(self.position, base)
        else:
            self._change_position(base, self.reference_price)
            self.external_flows = _add(self.external_flows, _multiply(base, self.reference_price))

    @property
    def equity(self) -> Decimal | None:
        """Cash and position at m, less fees paid from elsewhere, quote currency; None before the first m."""
        if self.reference_price is None:
            return None
        held = _add(self.cash, _multiply(self.position, self.reference_price))
        return _subtract(held, self.third_currency_fees)

    @property
    def unrealized_pnl(self) -> Decimal:
        """Position at m less its cost, quote currency, before fees; 0 before the first m."""
        if self.reference_price is None:
            return ZERO
        return _subtract(_multiply(self.position, self.reference_price), self.cost)

    @property
    def net_pnl(self) -> Decimal:
        """Realised + unrealised - fees + funding, quote currency. External flows are no profit and no loss."""
        gross = _add(self.realized_pnl, self.unrealized_pnl)
        return _add(_subtract(gross, self.fees_paid), self.funding_received)

    @property
    def drawdown(self) -> Decimal:
        """Peak of the net profit less the net profit now, quote currency, at least 0."""
        return _subtract(self.peak_net_pnl, self.net_pnl)

    @property
    def cash_change(self) -> Decimal:
        """Change of cash since the start, quote currency."""
        return _subtract(self.cash, self.starting_cash)

    @property
    def average_spread_captured_bps(self) -> float | None:
        """Spread capture over the volume at m, basis points; None before the first fill."""
        if not self.volume_reference:
            return None
        return float(_ROUNDING.divide(_ROUNDING.multiply(BASIS_POINTS, self.spread_capture), self.volume_reference))

    def identity_gap(self) -> Decimal:
        """What the two identities of this module miss, added without sign, quote currency: exactly 0 in sound books.

        Before the first m the inventory has no value on either side.
        """
        equity = self.equity
        if equity is None or self.starting_equity is None:
            change = self.cash_change
        else:
            change = _subtract(equity, self.starting_equity)
        gain = _subtract(change, self.external_flows)
        trading = _add(self.spread_capture, self.inventory_pnl)
        by_source = _add(_subtract(trading, self.fees_paid), self.funding_received)
        source_gap = _subtract(by_source, gain)
        realization_gap = _subtract(self.net_pnl, gain)
        return _add(source_gap.copy_abs(), realization_gap.copy_abs())

    def snapshot(self) -> tuple[Decimal | int | None, ...]:
        """Every amount that changes, in a fixed order, and last the number of bookings: for digests."""
        return (*_read_amounts(self), self.bookings)

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
        self.bookings += 1

    def _charge(self, fill: LedgerFill, m: Decimal) -> None:
        value = fill.fee
        if fill.fee_currency is FeeCurrency.QUOTE:
            self.cash = _subtract(self.cash, value)
        elif fill.fee_currency is FeeCurrency.BASE:
            value = _multiply(value, m)
            self._change_position(fill.fee.copy_negate(), m)
        elif fill.conversion_price is not None:
            value = _multiply(value, fill.conversion_price)
            self.third_currency_fees = _add(self.third_currency_fees, value)
        self.fees_paid = _add(self.fees_paid, value)

    def _change_position(self, change: Decimal, price: Decimal) -> None:
        """Move position, cost and realised profit for ``change`` base units at ``price``; cash is the caller's."""
        held = self.position
        opened = change
        if held and change and (held > 0) is not (change > 0):
            reduces = change.copy_abs() < held.copy_abs()
            closed = change if reduces else held.copy_negate()
            opened = _subtract(change, closed)
            removed = self._cost_of(closed) if reduces else self.cost
            self.cost = _subtract(self.cost, removed)
            proceeds = _multiply(closed.copy_negate(), price)
            self.realized_pnl = _add(self.realized_pnl, _subtract(proceeds, removed))
        self.cost = _add(self.cost, _multiply(opened, price))
        self.position = _add(held, change)

    def _cost_of(self, closed: Decimal) -> Decimal:
        """Share of the total cost that ``closed`` base units take out of the position; the one rounded amount."""
        share = _ROUNDING.divide(_ROUNDING.multiply(self.cost, closed.copy_negate()), self.position)
        return share.quantize(_COST_QUANTUM, context=_ROUNDING)

    def _start_valuation(self, m: Decimal) -> Decimal:
        """Take the first m: cost what is held, and value the flows of base that came before."""
        deposited = _subtract(self.position, self.starting_base)
        self.external_flows = _add(self.external_flows, _multiply(deposited, m))
        self.starting_equity = _add(self.starting_cash, _multiply(self.starting_base, m))
        self.cost = _multiply(self.position, m)
        self.reference_price = m
        return m

    def _raise_peak(self) -> None:
        self.peak_net_pnl = max(self.peak_net_pnl, self.net_pnl)


def _booked_before(kind: str, entry_id: str) -> LedgerError:
    return LedgerError(
        f"{kind} {entry_id!r}: expected an id that is not booked, found it booked. "
        "Ask whether it is booked first, and drop what was seen before."
    )


_read_amounts = attrgetter(
    "position",
    "cash",
    "reference_price",
    "starting_equity",
    "cost",
    "realized_pnl",
    "fees_paid",
    "third_currency_fees",
    "funding_received",
    "external_flows",
    "spread_capture",
    "inventory_pnl",
    "volume_quote",
    "volume_reference",
    "peak_net_pnl",
)
