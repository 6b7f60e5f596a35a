"""The ledger against an independent one: sums of fractions and the exact average cost, as in a textbook."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

from attrs import define, field
from hypothesis import given, settings
from hypothesis import strategies as st

from mm_fsm.books.ledger import FeeCurrency, Ledger, LedgerFill
from mm_fsm.core.messages import Side

D = Decimal


@define
class FractionLedger:
    base: Fraction
    cash: Fraction
    contract_size: Fraction
    m: Fraction | None = None
    start: Fraction = Fraction(0)
    flows: Fraction = Fraction(0)
    unpriced: Fraction = Fraction(0)
    fees: Fraction = Fraction(0)
    elsewhere: Fraction = Fraction(0)
    funding: Fraction = Fraction(0)
    capture: Fraction = Fraction(0)
    inventory: Fraction = Fraction(0)
    average: Fraction = Fraction(0)
    realized: Fraction = Fraction(0)
    reductions: int = 0
    peaks: list[Fraction] = field(factory=lambda: [Fraction(0)])

    def price(self, m: Fraction) -> None:
        if self.m is None:
            self.start = self.cash - self.funding - self.flows + (self.base - self.unpriced) * m
            self.flows += self.unpriced * m
            self.average = m
        else:
            self.inventory += self.base * (m - self.m)
        self.m = m
        self.note_peak()

    def note_peak(self) -> None:
        self.peaks.append(self.capture + self.inventory - self.fees + self.funding)

    def equity(self) -> Fraction:
        assert self.m is not None
        return self.cash + self.base * self.m - self.elsewhere

    def exchange(self, change: Fraction, price: Fraction) -> None:
        after = self.base + change
        if self.base * change >= 0:
            if after:
                self.average = (self.average * self.base + price * change) / after
        else:
            closed = min(abs(change), abs(self.base))
            self.realized += closed * (price - self.average) * (1 if self.base > 0 else -1)
            self.reductions += 1
            if after * self.base < 0:
                self.average = price
        self.base = after

    def fill(self, fill: LedgerFill) -> None:
        price = Fraction(fill.price)
        if self.m is None:
            self.price(price)
        assert self.m is not None
        change = fill.side.sign * Fraction(fill.quantity) * self.contract_size
        self.exchange(change, price)
        self.cash -= change * price
        self.capture += change * (self.m - price)
        fee = Fraction(fill.fee)
        match fill.fee_currency:
            case FeeCurrency.QUOTE:
                self.cash -= fee
            case FeeCurrency.BASE:
                self.exchange(-fee, self.m)
                fee *= self.m
            case FeeCurrency.THIRD:
                fee *= Fraction(fill.conversion_price or 0)
                self.elsewhere += fee
        self.fees += fee
        self.note_peak()

    def pay_funding(self, amount: Fraction) -> None:
        self.cash += amount
        self.funding += amount
        self.note_peak()

    def flow(self, base: Fraction, quote: Fraction) -> None:
        self.cash += quote
        self.flows += quote
        if self.m is None:
            self.unpriced += base
            self.base += base
        else:
            self.exchange(base, self.m)
            self.flows += base * self.m


Operation = Callable[[Ledger, FractionLedger, str], None]


def _amounts(low: str, high: str, places: int = 8) -> st.SearchStrategy[Decimal]:
    return st.decimals(low, high, places=places, allow_nan=False, allow_infinity=False)


def _mark_operation(m: Decimal) -> Operation:
    def operate(ledger: Ledger, fractions: FractionLedger, _: str) -> None:
        ledger.mark(m)
        fractions.price(Fraction(m))

    return operate


def _fill_operation(side: Side, price: Decimal, quantity: Decimal, fee: Decimal, currency: FeeCurrency) -> Operation:
    def operate(ledger: Ledger, fractions: FractionLedger, trade_id: str) -> None:
        fill = LedgerFill(
            trade_id=trade_id,
            side=side,
            price=price,
            quantity=quantity,
            fee=fee,
            fee_currency=currency,
            conversion_price=D("612.34567891") if currency is FeeCurrency.THIRD else None,
        )
        ledger.book_fill(fill)
        fractions.fill(fill)

    return operate


def _closing_operation(price: Decimal, times: int) -> Operation:
    """Close the position exactly, or turn it round exactly."""

    def operate(ledger: Ledger, fractions: FractionLedger, trade_id: str) -> None:
        quantity = abs(ledger.position) * times / ledger.contract_size
        if quantity:
            side = Side.ASK if ledger.position > 0 else Side.BID
            _fill_operation(side, price, quantity, D(0), FeeCurrency.QUOTE)(ledger, fractions, trade_id)

    return operate


def _funding_operation(amount: Decimal) -> Operation:
    def operate(ledger: Ledger, fractions: FractionLedger, funding_id: str) -> None:
        ledger.book_funding(amount, funding_id)
        fractions.pay_funding(Fraction(amount))

    return operate


def _flow_operation(base: Decimal, quote: Decimal) -> Operation:
    def operate(ledger: Ledger, fractions: FractionLedger, flow_id: str) -> None:
        ledger.book_external_flow(base, quote, flow_id)
        fractions.flow(Fraction(base), Fraction(quote))

    return operate


PRICES = _amounts("0.00000001", "99999.99999999")
QUANTITIES = _amounts("0.00000001", "999.99999999")
CHANGES = _amounts("-999.99999999", "999.99999999")
FEES = _amounts("-0.99999999", "0.99999999")
OPERATIONS = st.one_of(
    st.builds(_mark_operation, PRICES),
    st.builds(_fill_operation, st.sampled_from(Side), PRICES, QUANTITIES, FEES, st.sampled_from(FeeCurrency)),
    st.builds(_closing_operation, PRICES, st.sampled_from((1, 2))),
    st.builds(_funding_operation, CHANGES),
    st.builds(_flow_operation, CHANGES, CHANGES),
)


def _assert_agreement(ledger: Ledger, fractions: FractionLedger) -> None:
    assert ledger.identity_gap() == 0
    for exact, expected in (
        (ledger.position, fractions.base),
        (ledger.cash, fractions.cash),
        (ledger.fees_paid, fractions.fees),
        (ledger.third_currency_fees, fractions.elsewhere),
        (ledger.funding_received, fractions.funding),
        (ledger.external_flows, fractions.flows),
        (ledger.spread_capture, fractions.capture),
        (ledger.inventory_pnl, fractions.inventory),
        (ledger.drawdown, max(fractions.peaks) - fractions.peaks[-1]),
    ):
        assert Fraction(exact) == expected
    profit = Fraction(ledger.realized_pnl) + Fraction(ledger.unrealized_pnl) - fractions.fees + fractions.funding
    assert profit == fractions.capture + fractions.inventory - fractions.fees + fractions.funding
    if fractions.m is not None:
        assert ledger.equity is not None
        assert Fraction(ledger.equity) == fractions.equity()
        assert profit == fractions.equity() - fractions.start - fractions.flows
    # A reduction rounds once, by at most half a quantum of 1E-20; the exact average is the limit.
    assert abs(Fraction(ledger.realized_pnl) - fractions.realized) <= Fraction(fractions.reductions, 2 * 10**20)


@settings(max_examples=150)
@given(
    base=CHANGES,
    cash=_amounts("0", "99999.99999999"),
    contract_size=st.sampled_from(("1", "0.001", "0.1", "10")),
    operations=st.lists(OPERATIONS, min_size=1, max_size=25),
)
def test_both_identities_hold_to_the_last_digit_after_every_operation(
    base: Decimal, cash: Decimal, contract_size: str, operations: list[Operation]
) -> None:
    ledger = Ledger(base=base, cash=cash, contract_size=D(contract_size))
    fractions = FractionLedger(Fraction(base), Fraction(cash), Fraction(contract_size))
    for number, operate in enumerate(operations):
        operate(ledger, fractions, str(number))
        _assert_agreement(ledger, fractions)


LONGEST = st.builds(lambda digits, places: D(digits).scaleb(-places), st.integers(1, 10**24 - 1), st.integers(0, 24))


@settings(max_examples=50)
@given(
    contract_size=LONGEST,
    steps=st.lists(
        st.tuples(st.sampled_from(Side), LONGEST, LONGEST, LONGEST, LONGEST, st.sampled_from(FeeCurrency)),
        min_size=1,
        max_size=15,
    ),
)
def test_the_longest_amounts_that_are_taken_are_booked_exactly(
    contract_size: Decimal,
    steps: list[tuple[Side, Decimal, Decimal, Decimal, Decimal, FeeCurrency]],
) -> None:
    """No amount within the bounds runs out of digits, whatever comes together."""
    ledger = Ledger(base=D(1), cash=D(1), contract_size=contract_size)
    for number, (side, m, price, quantity, fee, currency) in enumerate(steps):
        ledger.mark(m)
        ledger.book_fill(
            LedgerFill(
                trade_id=str(number),
                side=side,
                price=price,
                quantity=quantity,
                fee=fee,
                fee_currency=currency,
                conversion_price=m,
            )
        )
        assert ledger.identity_gap() == 0
