"""A fill counts at once; what its report leaves open is told later, counted apart until then, and never taken for 0."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.books import incomplete_fills
from mm_fsm.books.facts import ConversionPriceReported, OrderFilled
from mm_fsm.core.messages import Liquidity, QueryOwnTrades, Side
from mm_fsm.runtime.account.books import AccountBooks
from tests.machine.bench import SYMBOL, Bench, settings_with

BID, ASK = Side.BID, Side.ASK
HALF = Decimal("0.5")


def price_bnb(bench: Bench, price: str) -> None:
    bench.tell(ConversionPriceReported(received_at=bench.now, symbol=SYMBOL, currency="BNB", price=Decimal(price)))


def filled(**changes: Any) -> tuple[Bench, OrderFilled]:
    """A machine whose bid has just traded a half, told as the venue first does; and the whole truth."""
    bench = Bench().start_quoting()
    told = bench.trade(bench.live(BID)[0], HALF)
    bench.tell(evolve(told, **changes))
    return bench, told


# -- fees without a price ------------------------------------------------------------------------------------------


def test_a_fill_whose_fee_has_no_price_is_booked_at_once_and_its_fee_once_it_has_one() -> None:
    bench, _ = filled(fee=Decimal("0.002"), fee_currency="BNB")
    context = bench.context
    assert context.base_position == Decimal("100.5")
    assert context.fees_paid == 0
    assert context.incomplete_fills.unpriced_fees == {"BNB": Decimal("0.002")}
    price_bnb(bench, "300")
    assert context.fees_paid == Decimal("0.6")  # 0.002 * 300
    assert context.ledger.third_currency_fees == Decimal("0.6")
    assert context.incomplete_fills.unpriced_fees == {}
    assert context.ledger.identity_gap() == 0
    price_bnb(bench, "400")
    assert context.fees_paid == Decimal("0.6"), "it is booked once, at the price that came first"


def test_nothing_is_asked_for_ever_and_a_stop_completes() -> None:
    """The venue never says what its own currency is worth; every question is answered truthfully."""
    bench = Bench(settings_with(wind_down_deadline_seconds=60.0)).start_quoting()
    bench.fill(bench.live(BID)[0], HALF, fee=Decimal("0.002"), fee_currency="BNB")
    bench.settle()
    begun = len(bench.results)
    bench.run(30)
    assert len(bench.sent(QueryOwnTrades, begun)) <= 2, "only the rounds of reconciliation ask"
    bench.stop()
    bench.run_until(lambda: bench.state == "completed", 120)
    result = bench.machine.result()
    assert result.success
    assert result.additional_data["inventory_offset"] == 0
    assert result.additional_data["unpriced_fees"] == {"BNB": Decimal("0.002")}


def test_the_kill_switch_sees_the_position_of_a_fill_whose_fee_has_no_price() -> None:
    """Half a unit falls by half: 25 are lost, and 20 may be."""
    bench = Bench(settings_with(max_drawdown=20, price_band_bps=9_000.0)).start_quoting()
    bench.fill(bench.live(BID)[0], HALF, fee=Decimal("0.002"), fee_currency="BNB")
    bench.settle()
    for _ in range(120):  # however long it takes until such a fall is believed
        bench.later(1)
        bench.book("49.99", "50.01")
        bench.settle()
    assert "kill_switch" in bench.context.latched


def test_a_rebate_without_a_price_takes_back_a_fee_without_one() -> None:
    bench, told = filled(fee=Decimal("0.002"), fee_currency="BNB")
    bench.fill(told.client_order_id, "0.25", fee=Decimal("-0.002"), fee_currency="BNB")
    assert bench.context.incomplete_fills.unpriced_fees == {}


# -- not told yet --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("currency", "fee", "base", "fees_paid"),
    [
        ("USD", "0.01", "100.5", "0.01"),
        ("BTC", "0.0005", "100.4995", "0.05"),  # at a middle of 100
        ("BTC", "-0.0005", "100.5005", "-0.05"),
    ],
)
@pytest.mark.parametrize("how", ["alone", "in a list"])
def test_a_fee_told_later_is_booked_then_and_once(currency: str, fee: str, base: str, fees_paid: str, how: str) -> None:
    bench = Bench().start_quoting()
    told = bench.trade(bench.live(BID)[0], HALF, fee=Decimal(fee), fee_currency=currency)
    watch, bench.watch = bench.watch, None  # it keeps an account of its own, and takes each trade once
    bench.tell(evolve(told, fee=None))
    context = bench.context
    assert (context.base_position, context.fees_paid) == (Decimal("100.5"), 0)
    assert context.incomplete_fills.without_fee == 1
    for _ in range(2):
        if how == "alone":
            bench.tell(told)
        else:
            bench.report_trades()
        assert context.base_position == Decimal(base)
        assert context.fees_paid == Decimal(fees_paid)
        assert context.incomplete_fills.without_fee == 0
        assert context.ledger.identity_gap() == 0
    assert watch is not None


def test_a_fee_of_some_amount_in_a_currency_that_is_not_told_is_not_booked() -> None:
    bench, told = filled(fee_currency=None)
    assert bench.context.fees_paid == 0
    assert bench.context.incomplete_fills.without_fee == 1
    assert bench.machine.result().additional_data["fills_without_fee"] == 1
    bench.watch = None
    bench.tell(told)
    assert bench.context.fees_paid == Decimal("0.01")


def test_a_fee_told_later_in_a_currency_without_a_price_waits_for_the_price() -> None:
    bench, told = filled(fee=None, fee_currency=None)
    for _ in range(2):
        bench.tell(evolve(told, fee=Decimal("0.002"), fee_currency="BNB"))
    assert bench.context.incomplete_fills.unpriced_fees == {"BNB": Decimal("0.002")}
    price_bnb(bench, "500")
    assert bench.context.fees_paid == 1


@pytest.mark.parametrize("is_priced_before", [True, False])
@pytest.mark.parametrize("is_told_late", [True, False])
def test_fees_in_a_third_currency_are_counted_once_in_its_own_units(is_priced_before: bool, is_told_late: bool) -> None:
    """The account shows them, so whoever trades that currency on the same account has to know them."""
    bench = Bench().start_quoting()
    bench.watch = None
    if is_priced_before:
        price_bnb(bench, "300")
    told = bench.trade(bench.live(BID)[0], HALF, fee=Decimal("0.002"), fee_currency="BNB")
    if is_told_late:
        bench.tell(evolve(told, fee=None, fee_currency=None))
        assert bench.context.third_currency_fees == {}
    for _ in range(2):
        bench.tell(told)
    price_bnb(bench, "400")
    assert bench.context.third_currency_fees == {"BNB": Decimal("0.002")}
    assert AccountBooks(bench.context).holdings == {
        "BTC": bench.context.base_position,
        "USD": bench.context.ledger.cash,
        "BNB": Decimal("-0.002"),
    }


def test_no_fee_at_all_is_complete_in_whatever_currency() -> None:
    bench, _ = filled(fee=Decimal(0), fee_currency=None)
    assert bench.context.incomplete_fills.without_fee == 0


def test_a_fill_of_unknown_liquidity_is_no_makers_until_it_is_told() -> None:
    bench, told = filled(liquidity=None)
    context = bench.context
    assert (context.fill_count, context.maker_fill_count, context.filled_maker_quantity) == (1, 0, 0)
    assert bench.machine.result().additional_data["fills_of_unknown_liquidity"] == 1
    for _ in range(2):
        bench.tell(told)
        assert (context.fill_count, context.maker_fill_count, context.filled_maker_quantity) == (1, 1, HALF)
    assert bench.machine.result().additional_data["fills_of_unknown_liquidity"] == 0


def test_a_maker_that_is_told_late_is_followed_up_from_the_time_of_the_fill() -> None:
    """Told after 2 s: the horizon of 1 s has passed, that of 5 s is measured from the fill."""
    bench, told = filled(liquidity=None)
    bench.later(2)
    bench.book()
    bench.tell(told)
    bench.later(4)
    bench.book()
    assert bench.context.markouts.unmeasured == 1
    assert bench.context.markouts.figures(5.0).count == 1


def test_a_taker_that_is_told_late_is_no_maker() -> None:
    bench, told = filled(liquidity=None)
    bench.tell(evolve(told, liquidity=Liquidity.TAKER))
    assert bench.context.maker_fill_count == 0
    assert bench.context.incomplete_fills.without_liquidity == 0


def test_fills_whose_fee_is_never_told_are_counted_for_ever_and_kept_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(incomplete_fills, "FILLS_WAITING", 2)
    bench = Bench().start_quoting()
    bid = bench.live(BID)[0]
    told = [bench.trade(bid, "0.1") for _ in range(3)]
    bench.watch = None
    for fill in told:
        bench.tell(evolve(fill, fee=None))
    for fill in told:
        bench.tell(fill)
    assert bench.context.fees_paid == Decimal("0.02")
    assert bench.context.incomplete_fills.without_fee == 1, "the oldest was forgotten, and says so"


# -- in any order --------------------------------------------------------------------------------------------------

_fees = st.sampled_from([("USD", "0.01"), ("BTC", "0.0003"), ("BNB", "0.002"), ("BNB", "-0.001"), ("USD", "0")])
_unsaid = st.sampled_from(
    [{}, {"fee": None}, {"fee_currency": None}, {"liquidity": None}, {"fee": None, "liquidity": None}]
)


@given(
    fills=st.lists(st.tuples(_fees, _unsaid), min_size=1, max_size=4),
    seed=st.randoms(use_true_random=False),
    priced_at=st.integers(0, 12),
)
def test_in_whatever_order_it_is_told_the_end_is_the_same(fills: list[Any], seed: Any, priced_at: int) -> None:
    """Each trade comes twice, the first time perhaps incomplete; the price of BNB comes somewhere in between."""
    bench = Bench(is_watched=False).start_quoting()
    bid = bench.live(BID)[0]
    trades = [
        (bench.trade(bid, "0.1", fee=Decimal(fee), fee_currency=currency), unsaid) for (currency, fee), unsaid in fills
    ]
    news = [evolve(trade, **unsaid) for trade, unsaid in trades] + [trade for trade, _ in trades]
    seed.shuffle(news)
    for number, fact in enumerate(news):
        if number == priced_at:
            price_bnb(bench, "300")
        bench.tell(fact)
        assert bench.context.ledger.identity_gap() == 0
    if priced_at >= len(news):
        price_bnb(bench, "300")
    expected = sum(Decimal(fee) * {"USD": 1, "BTC": 100, "BNB": 300}[currency] for (currency, fee), _ in fills)
    in_base = sum(Decimal(fee) for (currency, fee), _ in fills if currency == "BTC")
    context = bench.context
    assert context.base_position == 100 + Decimal("0.1") * len(fills) - in_base
    assert context.fees_paid == expected
    assert context.maker_fill_count == len(fills)
    assert context.incomplete_fills.snapshot() == (0, 0, 0)
