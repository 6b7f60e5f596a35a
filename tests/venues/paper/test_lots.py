"""Own orders trade in whole lots, however finely the market's sizes are cut; and no trade shortens a queue twice."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.books.facts import MarketTrade
from mm_fsm.core.messages import Side
from tests.venues.paper.scenario import MILLISECOND, SYMBOL, Scenario, instrument

LOT = Decimal("0.001")
FINE = st.integers(1, 5000).map(lambda millionths: Decimal(millionths).scaleb(-6))


@pytest.mark.parametrize(
    ("size", "filled"), [("0.00037", None), ("0.001", "0.001"), ("0.00237", "0.002"), ("0.0999", "0.004")]
)
def test_a_trade_fills_the_whole_lots_that_are_in_it(size: str, filled: str | None) -> None:
    venue = Scenario(instrument(lot="0.001"))
    venue.book(0, "99x5", "101x5")
    order = venue.place(10, Side.BID, "100", "0.004")
    venue.book(20, "99x5", "101x5")
    venue.sell(30, "100", size)
    venue.settle()
    assert venue.fills() == ([] if filled is None else [(order, "100", filled)])


def test_a_displayed_size_fills_the_whole_lots_that_are_in_it() -> None:
    """A taker of 0.004 meets 0.00237 at 101 and 0.00099 at 102: two lots, and nothing of less than one.

    What is left rests at 103, where the next book reaches it.
    """
    venue = Scenario(instrument(lot="0.001"))
    venue.book(0, "99x5", "101x0.00237 102x0.00099")
    order = venue.place(10, Side.BID, "103", "0.004", post_only=False)
    venue.settle(40)
    assert venue.fills() == [(order, "101", "0.002")]
    venue.book(60, "99x5", "101x0.0005 102x0.0025")
    venue.settle()
    assert venue.fills() == [(order, "101", "0.002"), (order, "103", "0.002")]


@given(
    sizes=st.lists(st.tuples(FINE, FINE, FINE), min_size=1, max_size=12),
    quantities=st.lists(st.integers(1, 20), min_size=1, max_size=3),
)
def test_every_fill_is_a_whole_number_of_lots_and_no_more_than_was_traded(
    sizes: list[tuple[Decimal, Decimal, Decimal]], quantities: list[int]
) -> None:
    venue = Scenario(instrument(lot="0.001"))
    venue.book(0, "98x5", "101x5")
    for place, lots in enumerate(quantities):
        venue.place(5 + place, Side.BID, "100", str(lots * LOT))
    traded, at = Decimal(0), 20.0
    for bid, ask, size in sizes:
        venue.book(at, f"98x{bid}", f"101x{ask}")
        venue.sell(at + 1, "100", str(size))
        traded, at = traded + size, at + 10
    venue.settle()
    filled = [Decimal(quantity) for _, _, quantity in venue.fills()]
    assert all(quantity > 0 and quantity % LOT == 0 for quantity in filled)
    assert sum(filled) <= traded


def late_sell(venue: Scenario, at: float, sent: float, size: str) -> None:
    """A sell at 100 that is shown at one time and happened at another."""
    time = round(at * MILLISECOND)
    venue.settle(at - 1)
    venue.exchange.on_market(
        MarketTrade(
            received_at=time,
            symbol=SYMBOL,
            price=Decimal(100),
            size=Decimal(size),
            taker_side=Side.ASK,
            trade_id=f"late-{at}",
            exchange_time=round(sent * MILLISECOND),
        )
    )


def test_a_trade_that_the_displayed_book_left_behind_does_not_shorten_the_queue_again() -> None:
    """Five ahead; a sell of three is first seen in the book, which shows two, then as a trade: two are ahead still."""
    venue = Scenario()
    venue.book(0, "100x5", "102x5")
    order = venue.place(10, Side.BID, "100", "1")
    venue.book(20, "100x2", "102x5")
    late_sell(venue, at=25, sent=19, size="3")
    venue.settle(30)
    assert venue.fills() == []
    venue.sell(40, "100", "2")
    venue.settle(45)
    assert venue.fills() == []
    venue.sell(50, "100", "1")
    venue.settle()
    assert venue.fills() == [(order, "100", "1")]


def test_a_late_trade_below_the_order_fills_it() -> None:
    venue = Scenario()
    venue.book(0, "100x5", "102x5")
    order = venue.place(10, Side.BID, "101", "1")
    venue.book(20, "100x2", "102x5")
    late_sell(venue, at=25, sent=19, size="3")
    venue.settle()
    assert venue.fills() == [(order, "101", "1")]
