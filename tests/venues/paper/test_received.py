"""An event as the host gets it is the event that happened, but for the two fields that a delivery sets."""

from __future__ import annotations

from decimal import Decimal

import pytest
from attrs import asdict, evolve, fields

from mm_fsm.books.facts import MarketBook
from mm_fsm.core.messages import BookLevel
from mm_fsm.venues.paper.deliveries import as_received

BOOK = MarketBook(
    received_at=7,
    symbol="ETH/USD",
    bids=(BookLevel(Decimal("99.9"), Decimal(2)),),
    asks=(BookLevel(Decimal("100.1"), Decimal(3)),),
    exchange_time=5,
    includes_own_orders=True,
)


def test_no_field_of_a_book_has_its_default_so_that_a_lost_one_is_seen() -> None:
    """A field that is added to the fact must be added here, and to what is sent on."""
    sent_as_it_is = [each for each in fields(MarketBook) if each.name != "includes_own_orders"]
    assert all(getattr(BOOK, each.name) != each.default for each in sent_as_it_is)


@pytest.mark.parametrize("received_at", [7, 9])
def test_a_book_is_sent_on_with_its_receipt_and_without_own_orders(received_at: int) -> None:
    expected = {**asdict(BOOK, recurse=False), "received_at": received_at, "includes_own_orders": False}
    assert asdict(as_received(BOOK, received_at), recurse=False) == expected


def test_a_book_that_arrives_at_once_and_holds_no_own_orders_is_sent_on_itself() -> None:
    book = evolve(BOOK, includes_own_orders=False)
    assert as_received(book, 7) is book
    assert as_received(book, 8) is not book
