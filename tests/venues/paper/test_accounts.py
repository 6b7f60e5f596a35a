"""What the account holds, locks, pays and refuses, in exact amounts calculated by hand."""

from decimal import Decimal, getcontext, localcontext

import pytest

from mm_fsm.books.facts import OrderAcknowledged, OrderFilled, OrderRejected
from mm_fsm.core.instrument import InstrumentKind
from mm_fsm.core.messages import RejectionCode, Side
from mm_fsm.errors import SettingsError
from mm_fsm.venues.paper import QueueModel
from tests.venues.paper.scenario import Scenario, instrument

BID, ASK = Side.BID, Side.ASK


def is_refused_for_funds(scenario: Scenario) -> bool:
    last = scenario.own()[-1]
    assert isinstance(last, OrderAcknowledged | OrderRejected)
    return isinstance(last, OrderRejected) and last.code is RejectionCode.INSUFFICIENT_FUNDS


@pytest.mark.parametrize(("quantity", "refused"), [("9.99", False), ("10", True)])
def test_a_spot_bid_needs_its_notional_and_the_dearer_fee(quantity: str, *, refused: bool) -> None:
    # 100 * 9.99 * 1.001 = 999.999 of 1000; 100 * 10 * 1.001 = 1001.
    scenario = Scenario(instrument(lot="0.01"), quote="1000", maker_bps="-2", taker_bps="10")
    scenario.book(0, "100x5", "102x4")
    scenario.place(1, BID, "100", quantity)
    assert is_refused_for_funds(scenario) is refused


def test_open_orders_leave_less_for_the_next_and_a_cancel_frees_what_it_locked() -> None:
    scenario = Scenario(base="10", quote="1000")
    scenario.book(0, "100x5", "102x4")
    bid = scenario.place(1, BID, "100", "6")
    ask = scenario.place(2, ASK, "102", "7")
    scenario.place(3, BID, "99", "5")  # 600 + 495 > 1000
    scenario.place(4, ASK, "103", "4")  # 7 + 4 > 10
    scenario.settle(10)
    assert list(scenario.open()) == [bid, ask]
    balances = scenario.exchange.balances
    assert (balances.quote_free, balances.base_free) == (Decimal(400), Decimal(3))
    scenario.cancel(20, bid)
    scenario.cancel(21, ask)
    scenario.settle(30)
    balances = scenario.exchange.balances
    assert (balances.quote_free, balances.base_free) == (Decimal(1000), Decimal(10))


def test_a_spot_account_never_goes_short() -> None:
    scenario = Scenario(base="2")
    scenario.book(0, "100x5", "102x4")
    scenario.place(1, ASK, "102", "3")
    assert is_refused_for_funds(scenario)


def test_maker_and_taker_fees_are_exact_and_a_rebate_is_negative() -> None:
    scenario = Scenario(
        instrument(tick="0.01", lot="0.00000001"), base="1", quote="1000", maker_bps="-0.25", taker_bps="7.5"
    )
    scenario.book(0, "100.01x5", "102.03x4")
    scenario.place(1, BID, "102.03", "0.12345678", post_only=False)
    scenario.place(2, ASK, "102.02", "0.5")
    scenario.buy(10, "102.02", "3")
    fees = [fact.fee for fact in scenario.own() if isinstance(fact, OrderFilled)]
    # 102.03 * 0.12345678 = 12.5962952634; * 0.00075 = 0.00944722144755. 102.02 * 0.5 = 51.01; * -0.000025.
    assert fees == [Decimal("0.00944722144755"), Decimal("-0.00127525")]
    balances = scenario.exchange.balances
    assert balances.base_total == Decimal("0.62345678")
    assert balances.quote_total == Decimal(1000) - Decimal("12.60574248484755") + Decimal("51.01127525")
    fills = [fact for fact in scenario.facts if isinstance(fact, OrderFilled)]
    assert {fill.fee_currency for fill in fills} == {"USD"}


def test_amounts_do_not_depend_on_the_host_programs_decimal_context() -> None:
    def quote_total() -> Decimal:
        scenario = Scenario(instrument(tick="0.01", lot="0.0001"), maker_bps="0.7", queue=QueueModel.FRONT)
        scenario.book(0, "10000.01x5", "10002.03x4")
        scenario.place(1, BID, "10000.01", "1.2345")
        scenario.sell(10, "10000.01", "0.1234")
        scenario.settle(20)
        return scenario.exchange.balances.quote_total

    # 0.1234 * 10000.01 = 1234.001234; the fee is 0.00007 of it.
    expected = Decimal(1_000_000) - Decimal("1234.001234") - Decimal("0.08638008638")
    assert quote_total() == expected
    with localcontext() as context:
        context.prec = 6
        assert quote_total() == expected
        assert getcontext().prec == 6


def test_account_value_is_cash_and_base_at_the_price() -> None:
    scenario = Scenario(base="10", quote="1000", queue=QueueModel.FRONT)
    scenario.book(0, "100x5", "102x4")
    scenario.place(1, BID, "100", "2")
    scenario.sell(5, "100", "2")
    scenario.settle(10)
    assert scenario.exchange.account_value(Decimal(105)) == 800 + 12 * 105


def test_a_contract_goes_short_and_keeps_its_margin_balance() -> None:
    scenario = Scenario(
        instrument(InstrumentKind.LINEAR, contract_size="0.1"), base="0", quote="100", leverage="5", maker_bps="10"
    )
    scenario.book(0, "99x50", "101x40")
    scenario.place(1, ASK, "101", "20")  # 2 base units, 202 of notional
    scenario.buy(5, "102", "20")
    scenario.settle(10)
    balances = scenario.exchange.balances
    assert balances.base_total == -2
    # Sold 2 at 101 and paid 0.202: at the mid of 100 that is 100 + 2 - 0.202.
    assert balances.quote_total == Decimal("101.798")
    # The position is worth 200 and needs 40 of margin at leverage 5.
    assert balances.quote_free == Decimal("61.798")
    assert scenario.exchange.account_value(Decimal(110)) == Decimal("81.798")


@pytest.mark.parametrize(("quantity", "refused"), [("5", False), ("6", True)])
def test_a_contract_needs_margin_for_the_worse_side_only(quantity: str, *, refused: bool) -> None:
    # 100 of margin at leverage 10 carry 1000 of notional; 5 bids at 99 need 495 and leave room for 5 more at 98, which
    # makes 985, not for 6, which makes 1083. The asks do not add to it.
    scenario = Scenario(instrument(InstrumentKind.LINEAR), base="0", quote="100", leverage="10")
    scenario.book(0, "99x50", "101x40")
    scenario.place(1, ASK, "101", "9")
    scenario.place(2, BID, "99", "5")
    scenario.place(3, BID, "98", quantity)
    assert is_refused_for_funds(scenario) is refused


def test_a_reduce_only_order_needs_no_margin() -> None:
    # 100 of margin at leverage 10 carry 1000 of notional. Long 5 at 100, 14 asks at 101 lead to a short of 914.
    scenario = Scenario(instrument(InstrumentKind.LINEAR), base="5", quote="100", leverage="10")
    scenario.book(0, "99x50", "101x40")
    scenario.place(1, ASK, "101", "14")
    reduction = scenario.place(2, ASK, "102", "5", reduce_only=True)
    scenario.place(3, ASK, "102", "5")  # another 510 are too much
    assert is_refused_for_funds(scenario)
    assert len(scenario.open()) == 2
    assert reduction in scenario.open()


def test_a_contract_without_margin_left_may_still_reduce() -> None:
    scenario = Scenario(instrument(InstrumentKind.LINEAR), base="9", quote="100", leverage="10")
    scenario.book(0, "99x50", "101x40")
    scenario.book(5, "90x50", "92x40")  # 9 lost 9 each: 19 of margin carry 190, the position is worth 819
    assert scenario.exchange.balances.quote_free == 0
    scenario.place(6, BID, "90", "1")
    assert is_refused_for_funds(scenario)
    scenario.place(10_000_001, ASK, "92", "9")
    scenario.settle(10_000_010)
    assert len(scenario.open()) == 1


def test_a_contract_position_held_at_the_start_was_entered_at_the_first_mid() -> None:
    scenario = Scenario(instrument(InstrumentKind.LINEAR), base="-2", quote="500")
    assert scenario.exchange.account_value(Decimal(70)) == 500
    scenario.book(0, "99x50", "101x40")
    assert scenario.exchange.balances.quote_total == 500
    scenario.book(5, "89x50", "91x40")
    assert scenario.exchange.balances.quote_total == 520


def test_a_spot_account_that_would_start_short_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"balances\.base"):
        Scenario(base="-1")
