"""Limits over all markets act on every order, fill and mark; what is not known counts as past them.

Each market's mid is 100 unless a test moves it; positions are distances from the target.
"""

from __future__ import annotations

from decimal import Decimal

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.books.facts import Heartbeat
from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.messages import CancelOrder, OrderPurpose, PlaceOrder, Side
from mm_fsm.errors import SettingsError
from mm_fsm.runtime.account.books import AccountBooks
from mm_fsm.runtime.account.limits import CANCEL_AGAIN_SECONDS, AccountLimits
from mm_fsm.runtime.account.settings import AccountSettings
from mm_fsm.runtime.account.shared_account import check_one_quote_currency
from mm_fsm.venues.port import VenueTerms
from tests.runtime.account.account_desk import Desk
from tests.services.situation import Situation, rules

NOW = 1_000


def limits(*markets: Situation, exposure: int | None = None, loss: int | None = None) -> AccountLimits:
    """Of markets that are called A, B and so on."""
    kept = AccountLimits(AccountSettings(max_exposure=exposure, max_loss=loss))
    for name, market in zip("ABC", markets, strict=False):
        kept.read(name, AccountBooks(market.context))
    return kept


def placed(market: Situation, side: Side, quantity: str, name: str = "A", price: str = "100") -> PlaceOrder:
    """An order on its way: in the books, and about to be judged."""
    order = market.send(side, price, quantity)
    return PlaceOrder(
        symbol=name,
        client_order_id=order.client_order_id,
        side=side,
        price=order.price,
        quantity=order.quantity,
        purpose=OrderPurpose.QUOTE,
        level=0,
    )


def names(cancels: tuple[CancelOrder, ...]) -> list[tuple[str, str]]:
    return [(each.symbol, each.client_order_id) for each in cancels]


@pytest.mark.parametrize(
    ("offset", "bids", "asks", "worst"),
    [
        ("0", "0", "0", 0),
        ("3", "0", "0", 300),
        ("-3", "0", "0", 300),
        ("3", "2", "2", 500),  # all bids fill: five too many
        ("3", "0", "7", 400),  # all asks fill: four too few
        ("-3", "1", "2", 500),
    ],
)
def test_the_worst_case_is_the_worse_of_both_sides(offset: str, bids: str, asks: str, worst: int) -> None:
    market = Situation(offset=offset)
    for side, quantity in ((Side.BID, bids), (Side.ASK, asks)):
        if Decimal(quantity):
            market.rest(side, "100", quantity)
    assert AccountBooks(market.context).exposure == worst


def test_without_a_mid_the_highest_known_price_counts() -> None:
    """Three coins and one on its way, at the 120 of an order, though the last mark was 100."""
    market = Situation(offset="3")
    market.rest(Side.BID, "120", "1")
    market.context.market.mid_price = None
    assert AccountBooks(market.context).exposure == 4 * 120


def test_a_position_without_any_price_is_not_known_and_no_quote_is_placed_anywhere() -> None:
    first, second = Situation(), Situation(offset="1")
    second.context.market.mid_price = None
    second.context.ledger.sums.reference_price = None
    second.context.ledger._faces.clear()
    assert AccountBooks(second.context).exposure is None
    why = limits(first, second, exposure=1_000_000).why_refused(placed(first, Side.BID, "1"))
    assert why == "account.max_exposure: the worst case of B is not known, as there is no price"


def test_nothing_without_a_price_is_nothing() -> None:
    market = Situation()
    market.context.market.mid_price = None
    market.context.ledger.sums.reference_price = None
    market.context.ledger._faces.clear()
    assert AccountBooks(market.context).exposure == 0


def test_a_quote_that_makes_the_worst_case_no_worse_is_placed_past_the_limit() -> None:
    """Six too many in one market, five allowed in all: it may sell, and nobody may buy."""
    first, second = Situation(offset="6"), Situation()
    kept = limits(first, second, exposure=500)
    assert kept.why_refused(placed(first, Side.ASK, "6")) is None
    assert "could reach 700, 500 is allowed" in str(kept.why_refused(placed(first, Side.BID, "1")))
    assert kept.why_refused(placed(second, Side.BID, "1", "B")) is not None


@given(
    offset=st.integers(-9, 9),
    orders=st.lists(st.tuples(st.sampled_from([*Side]), st.integers(1, 5)), min_size=1, max_size=5),
)
def test_an_order_adds_exactly_when_the_worst_case_is_the_worse_for_it(
    offset: int, orders: list[tuple[Side, int]]
) -> None:
    market = Situation(offset=str(offset))
    books = AccountBooks(market.context)
    for side, quantity in orders:
        before = books.exposure
        order = placed(market, side, str(quantity))
        assert before is not None
        assert books.exposure is not None
        assert books.adds(order) == (books.exposure > before)


def test_a_mark_that_lifts_the_worst_case_past_the_limit_takes_adding_quotes_out_of_every_market() -> None:
    """Five coins here and two elsewhere at 100: 700, and 760 once the first are worth 112."""
    first, second = Situation(offset="3"), Situation(offset="-1")
    adding = first.rest(Side.BID, "99.90", "2")
    first.rest(Side.ASK, "100.10", "2")
    elsewhere = second.rest(Side.ASK, "100.10", "1")
    kept = limits(first, second, exposure=750)
    assert kept.note_fact("A", NOW) == ()
    first.book("111.95", "112.05")
    assert names(kept.note_fact("A", NOW)) == [("A", adding.client_order_id), ("B", elsewhere.client_order_id)]
    assert kept.note_fact("A", NOW + 1) == ()
    again = kept.note_fact("A", NOW + nanoseconds(CANCEL_AGAIN_SECONDS))
    assert names(again) == [("A", adding.client_order_id)]
    first.cancel(adding)
    second.cancel(elsewhere)
    kept.note_fact("B", NOW)
    assert kept.note_fact("A", NOW) == ()
    assert not kept.is_over


def test_an_order_whose_placement_may_not_have_left_is_not_cancelled_before_it() -> None:
    first = Situation(offset="3")
    order = first.send(Side.BID, "99.90", "2")
    kept = limits(first, exposure=100)
    assert kept.note_fact("A", NOW) == ()
    order.acknowledged = True
    assert names(kept.note_fact("A", NOW)) == [("A", order.client_order_id)]


def test_a_mark_alone_is_enough_for_the_loss_and_it_is_told_once() -> None:
    """Ten coins lose a dollar each: 4 and 6 in two markets."""
    told: list[str] = []
    first, second = Situation(offset="4"), Situation(offset="6")
    kept = limits(first, second, loss=10)
    kept.on_loss = told.append
    first.book("98.95", "99.05")
    kept.note_fact("A", NOW)
    assert told == []
    second.book("98.95", "99.05")
    kept.note_fact("B", NOW)
    kept.note_fact("A", NOW)
    assert told == ["account.max_loss: all markets together lost 10, 10 is allowed"]
    assert kept.why_refused(placed(first, Side.ASK, "1")) == told[0]
    winding_down = evolve(placed(first, Side.ASK, "1"), purpose=OrderPurpose.WIND_DOWN)
    assert kept.why_refused(winding_down) is None


def test_the_account_cancels_as_a_fact_goes_by() -> None:
    market = Situation(offset="3")
    order = market.rest(Side.BID, "99.90", "2")
    desk = Desk(AccountSettings(max_exposure=Decimal(400)))
    desk.account.read_books("A/USD", AccountBooks(market.context))
    desk.venue.takers["A/USD"](Heartbeat(received_at=desk.venue.time, symbol="A/USD"))
    assert desk.venue.names == [f"CancelOrder {order.client_order_id}"]


def test_limits_over_amounts_of_two_currencies_are_refused() -> None:
    def terms(quote: str) -> VenueTerms:
        situation = Situation().context
        return VenueTerms(
            instrument=evolve(rules(), symbol=f"BTC/{quote}", quote_currency=quote),
            fees=situation.fees,
            balances=situation.balances,
            account="x",
            outlives_process=False,
            make_token=str,
        )

    check_one_quote_currency([terms("USD"), terms("EUR")], AccountSettings())
    check_one_quote_currency([terms("USD"), terms("USD")], AccountSettings(max_loss=1))
    for settings in (AccountSettings(max_loss=1), AccountSettings(max_exposure=1)):
        with pytest.raises(SettingsError, match="EUR, USD"):
            check_one_quote_currency([terms("USD"), terms("EUR")], settings)
