"""A stamp that lies in the future must not blind the machine: every book after it would look older than it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mm_fsm.core.messages import CancelOrder, PlaceOrder, Side
from tests.machine.bench import SECOND, Bench, settings_with
from tests.strategies import EXACT_QUOTES


def quoting() -> Bench:
    """Quotes rest; the feed's stamps are those of the receipt."""
    return Bench(settings_with(**EXACT_QUOTES)).start_quoting()


def follow(bench: Bench, prices: list[Decimal], *, ahead: float = 0.0) -> None:
    """A book a second; after each, once all is answered, no bid that stays is above the middle of the market."""
    for price in prices:
        bench.later(1)
        stamp = bench.now + round(ahead * SECOND)
        bench.book(price - Decimal("0.01"), price + Decimal("0.01"), exchange_time=stamp)
        bench.settle()
        assert bench.context.mid_price == price
        bids = [order.price for order in bench.context.active_bid_orders if not order.cancel_in_flight]
        assert all(bid < price for bid in bids)


FALL = [Decimal(100) - Decimal(number) / 10 for number in range(1, 8)]
"""70 bps in seven seconds."""


@pytest.mark.parametrize("ahead", [0.5, 5.1, 50, 59])
def test_after_one_book_stamped_in_the_future_the_quotes_follow_the_market(ahead: float) -> None:
    """50 s ahead: the next five books were passed over, and the own bid stood 70 bps above the market."""
    bench = quoting()
    follow(bench, [Decimal(100)], ahead=ahead)
    begun = len(bench.results)
    follow(bench, FALL)
    assert bench.context.late_books == 0
    assert len(bench.sent(CancelOrder, begun)) >= len(FALL) - 1
    assert len(bench.sent(PlaceOrder, begun)) >= len(FALL) - 1


def test_the_odd_book_itself_is_taken_by_its_receipt() -> None:
    bench = quoting()
    follow(bench, FALL[:1], ahead=50)
    assert bench.hold(Side.BID) is None


def test_every_second_stamp_is_odd_and_nothing_is_passed_over() -> None:
    bench = quoting()
    for number, price in enumerate(FALL * 3):
        follow(bench, [price], ahead=50.0 if number % 2 else 0.0)
    assert bench.context.late_books == 0


def test_odd_stamps_that_differ_from_each_other_are_never_believed() -> None:
    """20, 27, 34 ... seconds ahead, and then sound ones again."""
    bench = quoting()
    for number, price in enumerate(FALL[:5]):
        follow(bench, [price], ahead=20.0 + 7 * number)
    follow(bench, FALL)
    assert bench.context.late_books == 0


def test_a_clock_that_has_changed_is_believed_after_five_stamps_and_data_ages_by_it() -> None:
    """The venue's clock is put 40 s ahead. By the fifth book that is known: a book 3 s late is 3 s old."""
    bench = quoting()
    follow(bench, FALL[:5], ahead=40)
    assert bench.context.market.exchange_time > bench.now + 39 * SECOND
    follow(bench, FALL, ahead=40)
    assert bench.context.late_books == 0
    assert bench.context.market.feed_delay.behind == 0
    bench.later(5)
    bench.book(exchange_time=bench.now + 37 * SECOND)
    assert (bench.now - bench.context.market.confirmed_at) / SECOND == pytest.approx(3, abs=0.01)


def test_a_clock_that_was_believed_wrongly_blinds_for_five_books_at_most() -> None:
    bench = quoting()
    follow(bench, FALL[:5], ahead=40)
    for price in FALL[:5]:
        bench.later(1)
        bench.book(price - Decimal("0.01"), price + Decimal("0.01"))
        bench.settle()
    follow(bench, FALL)


def test_a_hosts_clock_that_goes_back_makes_no_stamp_odd() -> None:
    """Ten seconds back: the stamps go on as they did, and each book is taken."""
    bench = quoting()
    for number, price in enumerate(FALL):
        true = bench.now + SECOND * (number + 1)
        bench.book(price - Decimal("0.01"), price + Decimal("0.01"), exchange_time=true, received_at=true - 10 * SECOND)
        assert bench.context.mid_price == price
    assert bench.context.late_books == 0


def test_an_odd_book_does_not_make_old_data_young() -> None:
    """It confirms the market at its receipt, as a book without a stamp does, and no later."""
    bench = quoting()
    follow(bench, [Decimal(100)], ahead=50)
    bench.wait(bench.context.settings.stale_data_seconds)
    assert bench.hold(Side.BID) == "stale_data"
