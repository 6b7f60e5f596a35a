"""The ledger against calculations by hand."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from attrs import evolve

from mm_fsm.books.ledger import FeeCurrency, Ledger, LedgerFill
from mm_fsm.core.messages import Side
from mm_fsm.errors import FactRefusedError, LedgerError, SettingsError

D = Decimal


def _ledger(base: str = "0", cash: str = "1000", contract_size: str = "1", carried: str = "0") -> Ledger:
    return Ledger(base=D(base), cash=D(cash), contract_size=D(contract_size), carried_drawdown=D(carried))


def _fill(
    trade_id: str,
    side: Side,
    quantity: str,
    price: str,
    *,
    fee: str = "0",
    fee_currency: FeeCurrency = FeeCurrency.QUOTE,
    conversion_price: str | None = None,
) -> LedgerFill:
    return LedgerFill(
        trade_id=trade_id,
        side=side,
        price=D(price),
        quantity=D(quantity),
        fee=D(fee),
        fee_currency=fee_currency,
        conversion_price=None if conversion_price is None else D(conversion_price),
    )


def _expect(ledger: Ledger, **amounts: str | None) -> None:
    """Every named amount is exactly what was calculated, and the books agree."""
    found = {name: getattr(ledger, name) for name in amounts}
    assert found == {name: None if amount is None else D(amount) for name, amount in amounts.items()}
    assert ledger.identity_gap() == 0


def test_opening_adding_reducing_flipping_and_closing_by_hand() -> None:
    ledger = _ledger()
    ledger.mark(D(100))
    ledger.book_fill(_fill("1", Side.BID, "2", "99", fee="0.1"))  # captures 2, costs 198
    ledger.book_fill(_fill("2", Side.BID, "1", "102"))  # captures -2, costs 102
    _expect(ledger, position="3", cash="699.9", cost="300")
    ledger.mark(D(110))  # 3 * 10 of inventory
    ledger.book_fill(_fill("3", Side.ASK, "1", "111"))  # captures 1, realises 111 - 300 / 3
    _expect(ledger, realized_pnl="11", cost="200", unrealized_pnl="20")
    ledger.book_fill(_fill("4", Side.ASK, "5", "108"))  # captures -10, realises 216 - 200, opens 3 short at 108
    _expect(ledger, position="-3", realized_pnl="27", cost="-324")
    ledger.mark(D(105))  # -3 * -5 of inventory
    _expect(
        ledger,
        unrealized_pnl="9",
        spread_capture="-9",
        inventory_pnl="45",
        net_pnl="35.9",
        equity="1035.9",
        starting_equity="1000",
    )
    ledger.book_fill(_fill("5", Side.BID, "3", "105"))
    _expect(
        ledger,
        position="0",
        cost="0",
        realized_pnl="36",
        unrealized_pnl="0",
        cash="1035.9",
        cash_change="35.9",
        fees_paid="0.1",
    )
    # 2 * 99 + 102 + 111 + 5 * 108 + 3 * 105 at prices, 2 * 100 + 100 + 110 + 5 * 110 + 3 * 105 at m.
    _expect(ledger, volume_quote="1266", volume_reference="1275")
    assert ledger.average_spread_captured_bps == pytest.approx(-9 / 1275 * 1e4)
    assert ledger.identity_gap() == 0


def test_a_cost_that_does_not_divide_loses_nothing() -> None:
    """Three units cost 100; thirds are rounded at the 20th decimal, and the three sales still realise 3 * 40 - 100."""
    ledger = _ledger()
    ledger.mark(D(33))
    for trade_id, price in (("1", "33.33"), ("2", "33.33"), ("3", "33.34")):
        ledger.book_fill(_fill(trade_id, Side.BID, "1", price))
    ledger.book_fill(_fill("4", Side.ASK, "1", "40"))
    _expect(ledger, cost="66.66666666666666666667", realized_pnl="6.66666666666666666667")
    ledger.book_fill(_fill("5", Side.ASK, "1", "40"))
    ledger.book_fill(_fill("6", Side.ASK, "1", "40"))
    _expect(ledger, cost="0", realized_pnl="20")


def test_closing_exactly_leaves_no_cost_behind_however_small_it_was() -> None:
    ledger = _ledger()
    ledger.mark(D("1E-12"))
    ledger.book_fill(_fill("1", Side.BID, "1E-12", "1E-12"))
    _expect(ledger, cost="1E-24")
    ledger.book_fill(_fill("2", Side.ASK, "1E-12", "3E-12"))
    _expect(ledger, cost="0", realized_pnl="2E-24")


def test_a_rebate_is_a_negative_fee() -> None:
    ledger = _ledger()
    ledger.mark(D(100))
    ledger.book_fill(_fill("1", Side.BID, "1", "100", fee="-0.05"))
    _expect(ledger, cash="900.05", fees_paid="-0.05", net_pnl="0.05")


def test_a_fee_in_base_leaves_the_position_and_counts_at_the_reference_price() -> None:
    # Bought 1 at 100 with m at 101, fee 0.001: 0.999 are left, which cost 99.9; the fee is worth 0.101, of which 0.001
    # was gained since the purchase.
    ledger = _ledger()
    ledger.mark(D(101))
    ledger.book_fill(_fill("1", Side.BID, "1", "100", fee="0.001", fee_currency=FeeCurrency.BASE))
    _expect(
        ledger,
        position="0.999",
        cash="900",
        cost="99.9",
        fees_paid="0.101",
        realized_pnl="0.001",
        unrealized_pnl="0.999",
        net_pnl="0.899",
        equity="1000.899",
        spread_capture="1",
    )


def test_a_rebate_in_base_is_base_bought_at_the_reference_price() -> None:
    # Sold 1 of a short account at 102 with m at 100, rebate 0.01: 0.99 are short. The rebate, worth 1, closes 0.01
    # short at 100 that was sold at 102: 0.02 realised.
    ledger = _ledger()
    ledger.mark(D(100))
    ledger.book_fill(_fill("1", Side.ASK, "1", "102", fee="-0.01", fee_currency=FeeCurrency.BASE))
    _expect(ledger, position="-0.99", cash="1102", cost="-100.98", fees_paid="-1", realized_pnl="0.02", net_pnl="3")


def test_a_fee_in_a_third_currency_is_valued_at_its_conversion_price() -> None:
    # 0.002 at 600 are 1.2, paid from elsewhere: cash only pays for the purchase, equity falls by the fee.
    ledger = _ledger()
    ledger.mark(D(100))
    ledger.book_fill(
        _fill("1", Side.BID, "1", "100", fee="0.002", fee_currency=FeeCurrency.THIRD, conversion_price="600")
    )
    _expect(ledger, cash="900", fees_paid="1.2", third_currency_fees="1.2", equity="998.8", net_pnl="-1.2")


def test_starting_inventory_is_costed_at_the_first_reference_price() -> None:
    ledger = _ledger(base="2", cash="10")
    _expect(ledger, reference_price=None, equity=None, starting_equity=None, unrealized_pnl="0")
    ledger.mark(D(50))
    _expect(ledger, starting_equity="110", equity="110", cost="100", net_pnl="0")
    ledger.book_fill(_fill("1", Side.ASK, "1", "52"))
    ledger.mark(D(55))
    _expect(ledger, realized_pnl="2", unrealized_pnl="5", equity="117")


def test_a_short_start_gains_when_the_price_falls() -> None:
    ledger = _ledger(base="-2", cash="500")
    ledger.mark(D(50))
    ledger.mark(D(40))
    _expect(ledger, cost="-100", unrealized_pnl="20", inventory_pnl="20", equity="420")
    ledger.book_fill(_fill("1", Side.BID, "0.5", "41"))  # 25 were received for what 20.5 buys back
    _expect(ledger, realized_pnl="4.5", cost="-75")


def test_a_fill_before_any_reference_price_is_the_first_one() -> None:
    ledger = _ledger(base="1")
    ledger.book_fill(_fill("1", Side.BID, "1", "80"))
    _expect(ledger, reference_price="80", starting_equity="1080", spread_capture="0", cost="160", net_pnl="0")


def test_quantities_are_contracts_and_positions_base_units() -> None:
    # 5 contracts of 0.001 base at 60,000 are worth 300.
    ledger = _ledger(contract_size="0.001")
    ledger.mark(D(60_100))
    ledger.book_fill(_fill("1", Side.BID, "5", "60000"))
    _expect(ledger, position="0.005", cash="700", volume_quote="300", spread_capture="0.5")


def test_funding_is_cash_and_profit() -> None:
    ledger = _ledger()
    ledger.book_funding(D("-3"), "before any price")
    _expect(ledger, net_pnl="-3", drawdown="3")
    ledger.mark(D(100))
    ledger.book_funding(D("4.5"), "after")
    _expect(ledger, cash="1001.5", funding_received="1.5", net_pnl="1.5")


def test_external_flows_change_equity_but_neither_profit_nor_drawdown() -> None:
    ledger = _ledger(base="1")
    ledger.book_external_flow(D(2), D(-100), "before any price")
    _expect(ledger, external_flows="-100")
    ledger.mark(D(50))  # the 2 that came before are worth 100
    _expect(ledger, starting_equity="1050", external_flows="0", equity="1050")
    ledger.mark(D(60))
    ledger.book_external_flow(D(-3), D(7), "withdrawal")  # 3 that cost 50 leave at 60
    _expect(ledger, position="0", cost="0", cash="907", external_flows="-173", equity="907", net_pnl="30", drawdown="0")


def test_drawdown_is_the_distance_from_the_best_net_profit_so_far() -> None:
    ledger = _ledger(base="1")
    peaks_and_drawdowns = {100: ("0", "0"), 90: ("0", "10"), 120: ("20", "0"), 105: ("20", "15"), 110: ("20", "10")}
    for price, (peak, drawdown) in peaks_and_drawdowns.items():
        ledger.mark(D(price))
        _expect(ledger, peak_net_pnl=peak, drawdown=drawdown)
    ledger.book_fill(_fill("1", Side.ASK, "1", "110", fee="2"))
    _expect(ledger, drawdown="12")


def test_a_drawdown_carried_from_an_earlier_session_is_counted_on() -> None:
    ledger = _ledger(base="1", carried="40")
    ledger.mark(D(100))
    _expect(ledger, drawdown="40")
    ledger.mark(D(110))
    _expect(ledger, drawdown="30", peak_net_pnl="40")
    ledger.mark(D(145))
    _expect(ledger, drawdown="0", peak_net_pnl="45")


def test_there_is_no_average_spread_before_the_first_fill() -> None:
    assert _ledger().average_spread_captured_bps is None


def test_each_booking_is_booked_once() -> None:
    ledger = _ledger()
    ledger.mark(D(100))
    ledger.book_fill(_fill("7", Side.BID, "1", "99"))
    ledger.book_funding(D(1), "7")
    ledger.book_external_flow(D(1), D(1), "7")
    before = ledger.snapshot()
    with pytest.raises(LedgerError, match="bid '7'"):
        ledger.book_fill(_fill("7", Side.BID, "1", "99"))
    with pytest.raises(LedgerError, match="funding '7'"):
        ledger.book_funding(D(1), "7")
    with pytest.raises(LedgerError, match="flow '7'"):
        ledger.book_external_flow(D(1), D(1), "7")
    assert ledger.snapshot() == before
    assert (ledger.is_booked("7", Side.BID), ledger.is_booked("8", Side.BID)) == (True, False)
    assert (ledger.is_funding_booked("7"), ledger.is_funding_booked("8")) == (True, False)
    assert (ledger.is_flow_booked("7"), ledger.is_flow_booked("8")) == (True, False)


@pytest.mark.parametrize(
    ("order", "quantity", "price", "expected"),
    [
        ("a", "1", "99", False),
        ("a", "1.0", "99.00", False),
        ("b", "1", "99", True),
        ("a", "2", "99", True),
        ("a", "1", "98", True),
    ],
)
def test_the_same_trade_told_in_other_terms_is_a_contradiction(
    order: str, quantity: str, price: str, expected: bool
) -> None:
    ledger = _ledger()
    ledger.mark(D(100))
    ledger.book_fill(evolve(_fill("7", Side.BID, "1", "99"), client_order_id="a"))
    assert ledger.contradicts(evolve(_fill("7", Side.BID, quantity, price), client_order_id=order)) is expected
    assert not ledger.contradicts(_fill("7", Side.ASK, quantity, price))
    assert not ledger.contradicts(_fill("8", Side.BID, quantity, price))


def test_a_trade_of_two_own_orders_with_each_other_is_booked_on_both_sides() -> None:
    ledger = _ledger()
    ledger.mark(D(100))
    ledger.book_fill(_fill("7", Side.BID, "1", "99"))
    assert not ledger.is_booked("7", Side.ASK)
    ledger.book_fill(_fill("7", Side.ASK, "1", "99"))
    _expect(ledger, position="0", cash="1000")


@pytest.mark.parametrize("wrong", ["NaN", "sNaN", "Infinity", "-Infinity", "0", "-1", "1E+24", "1E-25"])
def test_a_wrong_price_is_refused_and_changes_nothing(wrong: str) -> None:
    ledger = _ledger(base="1")
    ledger.mark(D(100))
    before = ledger.snapshot()
    with pytest.raises(FactRefusedError, match="reference_price"):
        ledger.mark(D(wrong))
    assert ledger.snapshot() == before
    with pytest.raises(FactRefusedError, match="price"):
        _fill("1", Side.BID, "1", wrong)
    with pytest.raises(FactRefusedError, match="quantity"):
        _fill("1", Side.BID, wrong, "1")
    with pytest.raises(FactRefusedError, match="ConversionPriceReported"):
        _fill("1", Side.BID, "1", "1", fee="1", fee_currency=FeeCurrency.THIRD, conversion_price=wrong)


@pytest.mark.parametrize("wrong", ["NaN", "sNaN", "Infinity", "-1E+24", "1E-25"])
def test_a_wrong_amount_is_refused_and_changes_nothing(wrong: str) -> None:
    ledger = _ledger()
    before = ledger.snapshot()
    with pytest.raises(FactRefusedError, match="fee"):
        _fill("1", Side.BID, "1", "1", fee=wrong)
    with pytest.raises(FactRefusedError, match="amount"):
        ledger.book_funding(D(wrong), "1")
    with pytest.raises(FactRefusedError, match="base"):
        ledger.book_external_flow(D(wrong), D(1), "1")
    with pytest.raises(FactRefusedError, match="quote"):
        ledger.book_external_flow(D(1), D(wrong), "1")
    assert ledger.snapshot() == before
    assert not ledger.is_funding_booked("1")
    assert not ledger.is_flow_booked("1")


def test_a_fee_in_a_third_currency_needs_its_price_before_anything_is_booked() -> None:
    with pytest.raises(FactRefusedError, match="fee_currency"):
        _fill("1", Side.BID, "1", "100", fee="0.002", fee_currency=FeeCurrency.THIRD)
    ledger = _ledger()
    ledger.book_fill(_fill("1", Side.BID, "1", "100", fee="0", fee_currency=FeeCurrency.THIRD))  # nothing to convert
    _expect(ledger, fees_paid="0")


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"base": "NaN"}, "balances.base"),
        ({"cash": "Infinity"}, "balances.quote"),
        ({"contract_size": "0"}, "instrument.contract_size"),
        ({"contract_size": "NaN"}, "instrument.contract_size"),
        ({"carried": "-1"}, "carried_drawdown"),
    ],
)
def test_a_wrong_start_is_refused_by_name(arguments: dict[str, str], name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        _ledger(**arguments)


@pytest.mark.parametrize(
    "amount",
    [
        "position",
        "cash",
        "cost",
        "realized_pnl",
        "fees_paid",
        "third_currency_fees",
        "funding_received",
        "external_flows",
        "spread_capture",
        "inventory_pnl",
    ],
)
def test_the_identity_shows_an_amount_that_is_wrong_in_its_last_digit(amount: str) -> None:
    ledger = _ledger()
    ledger.mark(D(100))
    ledger.book_fill(_fill("1", Side.BID, "2", "99", fee="0.1"))
    assert ledger.identity_gap() == 0
    setattr(ledger.sums, amount, getattr(ledger.sums, amount) + 1)
    assert ledger.identity_gap() > 0


def test_the_decimal_context_of_the_host_program_changes_nothing() -> None:
    def run() -> tuple[Decimal | int | None, ...]:
        ledger = _ledger(base="0.33333333", cash="1000.12345678")
        ledger.mark(D("2105.12345678"))
        ledger.book_fill(
            _fill("1", Side.BID, "0.12345678", "2104.98765432", fee="0.00012345", fee_currency=FeeCurrency.BASE)
        )
        ledger.book_fill(_fill("2", Side.ASK, "0.87654321", "2107.11111111", fee="0.98765432"))
        ledger.mark(D("2099.87654321"))
        assert ledger.identity_gap() == 0
        return ledger.snapshot()

    expected = run()
    with localcontext() as context:
        context.prec = 3
        assert repr(run()) == repr(expected)
