"""Markets that share a currency: the venue's totals less what the others hold neither hide nor invent a difference."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.books.facts import BalancesReported, OrderRejected
from mm_fsm.core.instrument import Instrument
from mm_fsm.core.messages import OrderPurpose, PlaceOrder, QueryBalances, RejectionCode
from mm_fsm.runtime.account.books import AccountBooks, less_what_others_hold
from mm_fsm.runtime.account.settings import AccountSettings
from tests.runtime.account.account_desk import Desk, place

MARKETS = (("ETH", "USD"), ("BTC", "USD"), ("ETH", "BTC"), ("XRP", "EUR"))
"""Quotes are shared, a base is, and one market's base is another's quote; the last shares nothing."""


def instrument(base: str, quote: str) -> Instrument:
    return Instrument(
        symbol=f"{base}/{quote}",
        base_currency=base,
        quote_currency=quote,
        tick_size=Decimal("0.01"),
        lot_size=Decimal("0.0001"),
        minimum_notional=Decimal(1),
    )


INSTRUMENTS = [instrument(*market) for market in MARKETS]
amounts = st.integers(-10_000, 10_000).map(lambda number: Decimal(number) / 100)
trades = st.lists(st.tuples(st.integers(0, len(MARKETS) - 1), amounts, amounts), max_size=30)


def reported(market: Instrument, account: Counter[str], locked: Decimal = Decimal(0)) -> BalancesReported:
    """What the venue says of its account when it is asked for one market."""
    base, quote = Decimal(account[market.base_currency]), Decimal(account[market.quote_currency])
    return BalancesReported(
        received_at=1,
        symbol=market.symbol,
        base_total=base,
        base_free=max(base - locked, Decimal(0)),
        quote_total=quote,
        quote_free=max(quote - locked, Decimal(0)),
    )


@given(trades=trades, differences=st.dictionaries(st.sampled_from(("ETH", "BTC", "USD", "EUR", "XRP")), amounts))
def test_a_difference_shows_in_full_wherever_the_currency_is_held_and_nowhere_else(
    trades: list[tuple[int, Decimal, Decimal]], differences: dict[str, Decimal]
) -> None:
    """Whatever the markets trade, each sees exactly what the account and all books together differ by."""
    held = [dict.fromkeys(market, Decimal(1_000_000)) for market in MARKETS]
    account: Counter[str] = Counter()
    for each in held:
        account.update(each)  # type: ignore[arg-type]
    for index, base, quote in trades:
        for currency, amount in zip(MARKETS[index], (base, quote), strict=True):
            held[index][currency] += amount
            account[currency] += amount  # type: ignore[assignment]
    for currency, amount in differences.items():
        account[currency] += amount  # type: ignore[assignment]
    for index, market in enumerate(INSTRUMENTS):
        others = [each for other, each in enumerate(held) if other != index]
        seen = less_what_others_hold(reported(market, account), market, others)
        for currency, total in ((market.base_currency, seen.base_total), (market.quote_currency, seen.quote_total)):
            assert total - held[index][currency] == differences.get(currency, 0)


@given(theirs=amounts.map(abs), locked=amounts.map(abs))
def test_what_is_free_is_never_more_than_the_market_s_own_total(theirs: Decimal, locked: Decimal) -> None:
    """And what the others hold beyond the account is not a negative balance."""
    market = INSTRUMENTS[0]
    account: Counter[str] = Counter({"ETH": 50, "USD": 50})
    seen = less_what_others_hold(reported(market, account, locked), market, [{"ETH": theirs, "USD": theirs}])
    assert 0 <= seen.base_free <= seen.base_total == max(50 - theirs, 0)
    assert 0 <= seen.quote_free <= seen.quote_total


@define
class Books:
    """Books as the account layer reads them."""

    instrument: Instrument
    holdings: dict[str, Decimal]
    exposure: Decimal = Decimal(0)
    net_pnl: Decimal = Decimal(0)
    adding_quotes: tuple[Any, ...] = ()
    context: Any = field(factory=lambda: SimpleNamespace(fill_count=0))

    def adds(self, order: PlaceOrder) -> bool:
        del order
        return True


@pytest.fixture
def shared() -> tuple[Desk, Books, Books]:
    """Two markets that share dollars: 10,000 of 30,000 and 20,000 of them."""
    desk = Desk(AccountSettings())
    first = Books(instrument("A", "USD"), {"A": Decimal(1), "USD": Decimal(10_000)})
    second = Books(instrument("B", "USD"), {"B": Decimal(2), "USD": Decimal(20_000)})
    desk.account.read_books("A/USD", cast("AccountBooks", first))
    desk.account.read_books("B/USD", cast("AccountBooks", second))
    return desk, first, second


def answer(desk: Desk, usd: int = 30_000) -> None:
    market = instrument("A", "USD")
    desk.venue.takers["A/USD"](reported(market, Counter({"A": 1, "B": 2, "USD": usd})))


def test_a_machine_is_told_its_own_part(shared: tuple[Desk, Books, Books]) -> None:
    desk, *_ = shared
    desk.submit(QueryBalances(symbol="A/USD"))
    answer(desk)
    (fact,) = desk.told
    assert isinstance(fact, BalancesReported)
    assert (fact.base_total, fact.quote_total) == (1, 10_000)


def test_balances_are_asked_for_again_while_the_other_market_trades(shared: tuple[Desk, Books, Books]) -> None:
    """Its trade may or may not be in the answer. The third answer stands, so that a busy neighbour starves nobody."""
    desk, _, second = shared
    desk.submit(QueryBalances(symbol="A/USD"))
    for asked in (1, 2):
        assert len(desk.venue.sent) == asked
        second.context.fill_count += 1
        answer(desk, 29_000)
        assert desk.told == []
    second.context.fill_count += 1
    second.holdings["USD"] = Decimal(19_000)
    answer(desk, 29_000)
    assert len(desk.venue.sent) == 3
    (fact,) = desk.told
    assert isinstance(fact, BalancesReported)
    assert fact.quote_total == 10_000


def test_balances_are_asked_for_again_when_the_other_market_pays_a_fee_in_a_shared_currency(
    shared: tuple[Desk, Books, Books],
) -> None:
    """In BNB, say, which the first market trades: it may or may not be in the answer."""
    desk, _, second = shared
    desk.submit(QueryBalances(symbol="A/USD"))
    second.holdings["A"] = Decimal("-0.01")  # a fee that was told after its fill
    answer(desk)
    assert desk.told == []
    assert len(desk.venue.sent) == 2


def test_a_trade_in_a_market_that_shares_nothing_is_none_of_its_business(shared: tuple[Desk, Books, Books]) -> None:
    desk, *_ = shared
    third = Books(instrument("X", "EUR"), {"X": Decimal(1), "EUR": Decimal(5)})
    desk.account.read_books("X/EUR", cast("AccountBooks", third))
    desk.submit(QueryBalances(symbol="A/USD"))
    third.context.fill_count += 1
    answer(desk)
    assert len(desk.told) == 1


def test_limits_over_all_markets_withhold_placements_with_their_reason(shared: tuple[Desk, Books, Books]) -> None:
    desk, first, second = shared
    desk.account.limits.settings = AccountSettings(max_exposure=Decimal(1_000), max_loss=Decimal(100))
    first.exposure, second.exposure = Decimal(600), Decimal("400.01")
    for symbol, books in (("A/USD", first), ("B/USD", second)):
        desk.account.limits.read(symbol, cast("AccountBooks", books))
    desk.submit(place("too-much"))
    desk.submit(place("reducing", purpose=OrderPurpose.WIND_DOWN))
    first.exposure = Decimal("599.99")
    desk.submit(place("fits"))
    first.net_pnl = Decimal(-100)
    desk.submit(place("late"))
    assert desk.venue.names == ["PlaceOrder reducing", "PlaceOrder fits"]
    rejections = [fact for fact in desk.told if isinstance(fact, OrderRejected)]
    assert {each.code for each in rejections} == {RejectionCode.ACCOUNT_LIMIT}
    assert [each.reason for each in rejections] == [
        "account.max_exposure: all markets together could reach 1000.01, 1000 is allowed",
        "account.max_loss: all markets together lost 100, 100 is allowed",
    ]
    assert desk.losses == [rejections[-1].reason]
