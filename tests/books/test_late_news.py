"""The own-order book and news that is late, missing or contradictory: nothing is guessed, and nothing is forgotten."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mm_fsm.books.order_lifecycle import OrderStatus
from mm_fsm.books.orders import OwnOrder, OwnOrders
from mm_fsm.core.messages import Side
from tests.books.own_order_book import INTERVAL, TIMEOUT, WINDOW, at, new_book, place, rest

HALF = Decimal("0.5")

# -- fills that have not arrived -----------------------------------------------------------------------------------


def test_a_finished_order_with_fills_missing_stays_an_open_question_until_they_arrive() -> None:
    book = new_book()
    order = rest(book)
    book.confirm_cancel(order, HALF, at(1))
    assert (order.status, order.is_live) == (OrderStatus.CANCELED, False)
    assert order.missing_fills == HALF
    assert (book.count, book.has_unknown(Side.BID)) == (1, True)
    assert book.queries_due(at(1)) == (order,)
    book.fill(order, HALF, at(2))
    assert (book.count, book.has_unknown(), book.next_deadline) == (0, False, None)
    assert order.status is OrderStatus.CANCELED


def test_a_resting_order_with_fills_missing_is_asked_about() -> None:
    book = new_book()
    order = rest(book)
    book.report_open(order, Decimal(1), at(1))
    assert order.missing_fills == 1
    assert book.queries_due(at(1)) == (order,)
    book.fill(order, Decimal(1), at(2))
    assert book.queries_due(at(100)) == ()


def test_an_order_that_is_reported_filled_has_all_its_trades_still_to_come() -> None:
    book = new_book()
    order = rest(book)
    book.lose_track(order, at(1))
    book.report_filled(order, None, at(2))
    assert (order.is_live, order.missing_fills, book.exposure(Side.BID)) == (False, 4, 4)
    book.fill(order, Decimal(4), at(3))
    assert (order.status, book.count) == (OrderStatus.FILLED, 0)


def test_what_the_venue_says_of_fills_never_goes_back() -> None:
    book = new_book()
    order = rest(book)
    book.report_open(order, Decimal(2), at(1))
    book.report_open(order, Decimal(1), at(2))
    assert order.missing_fills == 2


def test_an_order_that_finished_is_an_open_question_again_when_the_venue_speaks_of_more_fills() -> None:
    book = new_book()
    order = rest(book)
    book.confirm_cancel(order, None, at(1))
    assert book.count == 0
    book.confirm_cancel(order, HALF, at(2))
    assert (book.count, book.exposure(Side.BID), book.has_unknown(Side.BID)) == (1, HALF, True)
    assert book.queries_due(at(2)) == (order,)
    book.fill(order, HALF, at(3))
    assert book.count == 0


# -- late news and contradictions ----------------------------------------------------------------------------------


def test_a_fill_after_a_confirmed_cancel_is_booked() -> None:
    book = new_book()
    order = rest(book)
    book.confirm_cancel(order, None, at(1))
    book.fill(order, Decimal(1), at(2))
    assert (order.status, order.filled_quantity, book.count) == (OrderStatus.CANCELED, 1, 0)
    book.fill(order, Decimal(3), at(3))
    assert order.status is OrderStatus.FILLED


@pytest.mark.parametrize("end", ["cancel", "expire", "reject"])
def test_an_order_alive_again_after_its_end_is_to_be_cancelled_at_once(end: str) -> None:
    book = new_book()
    order = place(book)
    if end == "cancel":
        book.confirm_cancel(order, None, at(1))
    elif end == "expire":
        book.expire(order, None, at(1))
    else:
        book.reject(order, at(1))
    assert book.count == 0
    book.report_open(order, None, at(2))
    assert (order.is_unknown, book.count) == (True, 1)
    assert book.cancels_due(at(2)) == (order,)


def test_an_order_alive_again_while_its_fills_are_missing_is_to_be_cancelled_too() -> None:
    """The venue took it out after half a contract that never arrived, and then says that it rests."""
    book = new_book()
    order = rest(book)
    book.expire(order, HALF, at(1))
    book.report_open(order, HALF, at(2))
    assert order.is_unknown
    assert book.cancels_due(at(2)) == (order,)


def test_a_fill_of_a_rejected_order_is_a_contradiction_that_is_looked_into() -> None:
    book = new_book()
    order = place(book)
    book.reject(order, at(1))
    book.fill(order, Decimal(1), at(2))
    assert (order.is_unknown, order.filled_quantity, order.cancel_due) == (True, 1, True)
    assert book.queries_due(at(2)) == (order,)


@pytest.mark.parametrize("leaving", [False, True])
def test_a_rejection_of_an_order_that_has_traded_is_a_contradiction_too(leaving: bool) -> None:
    book = new_book()
    order = rest(book)
    book.fill(order, Decimal(1), at(1))
    if leaving:
        book.request_cancel(order, at(2))
    book.reject(order, at(3))
    assert order.is_unknown


def test_news_of_an_order_that_filled_changes_nothing() -> None:
    book = new_book()
    order = rest(book)
    book.fill(order, Decimal(4), at(1))
    book.acknowledge(order, "v", at(2))
    book.confirm_cancel(order, Decimal(4), at(2))
    book.refuse_cancel(order, at(2))
    book.report_open(order, None, at(2))
    book.expire(order, None, at(2))
    assert (order.status, book.count, book.next_deadline) == (OrderStatus.FILLED, 0, None)


# -- questions and clean looks -------------------------------------------------------------------------------------


def lost(book: OwnOrders) -> OwnOrder:
    """A placement whose answer did not come."""
    order = place(book)
    book.expire_requests(at(TIMEOUT))
    return order


def look(book: OwnOrders, order: OwnOrder, seconds: float) -> None:
    """Ask, and find nothing a tenth of a second later."""
    book.note_query(order, at(seconds))
    book.report_not_found(order, at(seconds), at(seconds + 0.1))


def test_a_question_is_not_repeated_while_its_answer_may_come() -> None:
    book = new_book()
    order = lost(book)
    book.note_query(order, at(6))
    assert book.queries_due(at(6 + INTERVAL)) == ()
    assert book.queries_due(at(6 + TIMEOUT)) == (order,)


def test_a_question_that_failed_is_asked_again_after_a_while() -> None:
    book = new_book()
    order = lost(book)
    book.note_query(order, at(6))
    book.query_failed(order, at(7))
    assert not order.query_in_flight
    assert book.queries_due(at(7 + INTERVAL - 0.1)) == ()
    assert book.queries_due(at(7 + INTERVAL)) == (order,)


def test_two_clean_looks_after_the_validity_window_end_an_order_that_was_never_placed() -> None:
    book = new_book()
    order = lost(book)
    look(book, order, 30)
    assert order.is_unknown
    look(book, order, 33)
    assert (order.status, book.count, book.next_deadline) == (OrderStatus.REJECTED, 0, None)


def test_looks_within_the_validity_window_say_nothing_the_placement_may_still_arrive() -> None:
    """The last of them was asked at 29.9 s, although its answer came after 30 s."""
    book = new_book()
    order = lost(book)
    for seconds in (10, 20, 29.9):
        look(book, order, seconds)
    assert (order.is_unknown, order.clean_looks) == (True, 0)


def test_a_late_answer_to_a_question_of_the_validity_window_says_nothing() -> None:
    """Other questions have been asked since; the answers are those to one of 29 s."""
    book = new_book()
    order = lost(book)
    for seconds in (30, 33, 36):
        book.note_query(order, at(seconds))
        book.report_not_found(order, at(29), at(seconds + 0.1))
    assert order.is_unknown


def test_a_look_that_finds_the_order_starts_the_count_again() -> None:
    book = new_book()
    order = lost(book)
    look(book, order, 30)
    book.report_open(order, None, at(32))
    book.lose_track(order, at(33))
    look(book, order, 32 + WINDOW)
    assert order.is_unknown
    look(book, order, 35 + WINDOW)
    assert not order.is_live


def test_an_order_that_was_heard_of_is_never_one_that_was_never_placed() -> None:
    """It rested, nobody finds it any more, nothing traded: it is gone, and its trades are looked up."""
    book = new_book()
    order = rest(book)
    book.lose_track(order, at(2))
    look(book, order, 35)
    look(book, order, 38)
    assert order.status is OrderStatus.CANCELED
    assert book.unconfirmed_since is not None


@pytest.mark.parametrize("heard_by", ["acknowledgement", "list"])
def test_looks_asked_before_the_order_was_heard_of_say_nothing_however_late_the_answers(heard_by: str) -> None:
    book = new_book()
    order = lost(book)
    look(book, order, 30)
    if heard_by == "acknowledgement":
        book.acknowledge(order, "venue", at(31))
    else:
        book.note_shown(order, at(31))
    for seconds in (31.5, 33, 35, 31 + WINDOW - 0.1):
        look(book, order, seconds)
    assert (order.is_unknown, order.clean_looks) == (True, 0)


def test_a_fill_between_two_looks_starts_the_count_again() -> None:
    """The first look found no trade, and there was one: it cannot be trusted."""
    book = new_book()
    order = lost(book)
    look(book, order, 30)
    book.fill(order, Decimal(1), at(31))
    look(book, order, 31 + WINDOW)
    assert order.is_unknown
    look(book, order, 34 + WINDOW)
    assert order.status is OrderStatus.CANCELED


def test_an_order_that_has_traded_is_gone_and_not_rejected() -> None:
    book = new_book()
    order = rest(book)
    book.fill(order, Decimal(1), at(1))
    book.lose_track(order, at(2))
    look(book, order, 31)
    look(book, order, 34)
    assert order.status is OrderStatus.CANCELED


def test_an_order_of_which_the_venue_spoke_of_fills_is_gone_with_its_fills_still_wanted() -> None:
    book = new_book()
    order = rest(book)
    book.report_open(order, Decimal(1), at(1))
    book.lose_track(order, at(2))
    look(book, order, 31)
    look(book, order, 34)
    assert (order.status, order.missing_fills, book.count) == (OrderStatus.CANCELED, 1, 1)


def test_an_answer_to_no_question_says_nothing() -> None:
    book = new_book()
    order = lost(book)
    for seconds in (40, 41, 42):
        book.report_not_found(order, None, at(seconds))
    assert (order.is_unknown, order.clean_looks) == (True, 0)


def test_an_order_that_is_known_to_rest_is_not_ended_by_a_look_that_misses_it() -> None:
    book = new_book()
    order = rest(book)
    look(book, order, 40)
    look(book, order, 43)
    assert order.status is OrderStatus.OPEN
