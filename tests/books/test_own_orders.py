"""The own-order book: what is known of every order, what it may still trade, and when an answer is overdue."""

from __future__ import annotations

from decimal import Decimal

import pytest
from attrs import fields

from mm_fsm.books import order_table
from mm_fsm.books.order_lifecycle import OrderStatus
from mm_fsm.books.orders import OwnOrder, OwnOrders
from mm_fsm.core.messages import OrderPurpose, Side, TimeInForce
from mm_fsm.errors import OrderLifecycleError
from tests.books.own_order_book import TIMEOUT, WINDOW, at, new_book, place, rest

HALF = Decimal("0.5")


def ids(orders: tuple[OwnOrder, ...]) -> list[str]:
    return [order.client_order_id for order in orders]


# -- the ordinary life ---------------------------------------------------------------------------------------------


def test_an_order_on_its_way_is_live_outstanding_and_known() -> None:
    book = new_book()
    order = place(book)
    assert order.status is OrderStatus.PENDING_NEW
    assert (order.is_live, order.is_request_outstanding, order.is_resting, order.is_unknown) == (
        True,
        True,
        False,
        False,
    )
    assert "mm-1" in book
    assert book.get("mm-1") is order
    assert book.get("mm-2") is None
    assert book.count == 1
    assert book.next_deadline == at(TIMEOUT)


def test_an_identity_is_never_used_twice_not_even_after_the_order_has_finished() -> None:
    book = new_book()
    order = rest(book)
    with pytest.raises(ValueError, match="never used before, found 'mm-1'"):
        place(book)
    book.confirm_cancel(order, None, at(1))
    with pytest.raises(ValueError, match="never used before, found 'mm-1'"):
        place(book)


def test_an_acknowledged_order_rests_and_awaits_nothing() -> None:
    book = new_book()
    order = rest(book)
    assert (order.status, order.venue_order_id, order.is_resting) == (OrderStatus.OPEN, "v-mm-1", True)
    assert not book.is_request_outstanding
    assert book.next_deadline is None


def test_fills_add_up_until_the_order_is_filled_and_finished() -> None:
    book = new_book()
    order = rest(book)
    book.fill(order, Decimal(1), at(1))
    assert (order.status, order.remaining, order.is_resting) == (OrderStatus.PARTIALLY_FILLED, 3, True)
    book.fill(order, Decimal(3), at(2))
    assert (order.status, order.remaining, order.is_live) == (OrderStatus.FILLED, 0, False)
    assert book.count == 0
    assert book.get("mm-1") is order


def test_a_fill_is_an_acknowledgement_too() -> None:
    book = new_book()
    order = place(book)
    book.fill(order, Decimal(1), at(1))
    assert order.acknowledged
    assert book.next_deadline is None


def test_a_cancel_awaits_its_answer() -> None:
    book = new_book()
    order = rest(book)
    book.request_cancel(order, at(3))
    assert order.status is OrderStatus.PENDING_CANCEL
    assert (order.cancel_in_flight, book.is_request_outstanding) == (True, True)
    assert book.next_deadline == at(3 + TIMEOUT)
    book.confirm_cancel(order, None, at(4))
    assert order.status is OrderStatus.CANCELED
    assert (order.cancel_in_flight, book.count, book.next_deadline) == (False, 0, None)


def test_an_acknowledgement_does_not_answer_a_cancel() -> None:
    book = new_book()
    order = place(book)
    book.request_cancel(order, at(1))
    book.acknowledge(order, "v", at(2))
    book.fill(order, Decimal(1), at(2))
    assert order.status is OrderStatus.PENDING_CANCEL
    assert book.next_deadline == at(1 + TIMEOUT)


def test_a_finished_order_cannot_be_cancelled() -> None:
    book = new_book()
    order = rest(book)
    book.confirm_cancel(order, None, at(1))
    with pytest.raises(OrderLifecycleError, match="'request_cancel' is not declared in status 'canceled'"):
        book.request_cancel(order, at(2))
    assert not order.cancel_in_flight
    assert order.status is OrderStatus.CANCELED


def test_a_rejected_order_is_finished() -> None:
    book = new_book()
    order = place(book)
    book.reject(order, at(1))
    assert (order.status, book.count) == (OrderStatus.REJECTED, 0)


def test_an_order_that_the_venue_took_out_is_finished() -> None:
    book = new_book()
    order = rest(book)
    book.expire(order, None, at(1))
    assert (order.status, book.count) == (OrderStatus.EXPIRED, 0)


def test_a_placement_that_was_never_sent_is_forgotten() -> None:
    book = new_book()
    place(book)
    book.withdraw("mm-1")
    assert "mm-1" not in book
    assert (book.count, book.next_deadline, book.exposure(Side.BID)) == (0, None, 0)
    place(book)


# -- overdue answers -----------------------------------------------------------------------------------------------


def test_a_placement_without_an_answer_has_an_unknown_outcome_and_is_asked_about_at_once() -> None:
    book = new_book()
    order = place(book)
    assert book.expire_requests(at(TIMEOUT - 0.001)) == ()
    assert book.expire_requests(at(TIMEOUT)) == (order,)
    assert (order.status, order.is_live, order.is_request_outstanding) == (OrderStatus.UNKNOWN, True, False)
    assert book.queries_due(at(TIMEOUT)) == (order,)
    assert book.expire_requests(at(TIMEOUT + 100)) == ()


def test_a_cancel_without_an_answer_has_an_unknown_outcome() -> None:
    book = new_book()
    order = rest(book)
    book.request_cancel(order, at(1))
    book.expire_requests(at(1 + TIMEOUT))
    assert (order.status, order.cancel_in_flight) == (OrderStatus.UNKNOWN, False)


def test_a_refused_cancel_is_no_rejection_the_order_may_have_filled() -> None:
    book = new_book()
    order = rest(book)
    book.request_cancel(order, at(1))
    book.refuse_cancel(order, at(2))
    assert (order.status, order.cancel_in_flight) == (OrderStatus.UNKNOWN, False)
    assert book.queries_due(at(2)) == (order,)


def test_a_cancel_that_went_astray_is_sent_again_when_the_order_turns_out_to_be_open() -> None:
    book = new_book()
    order = rest(book)
    book.request_cancel(order, at(1))
    book.expire_requests(at(1 + TIMEOUT))
    book.report_open(order, None, at(8))
    assert order.status is OrderStatus.OPEN
    assert book.cancels_due(at(8)) == (order,)
    book.request_cancel(order, at(8))
    assert book.cancels_due(at(8)) == ()


def test_an_order_of_unknown_outcome_that_is_found_open_and_wanted_goes_on_resting() -> None:
    book = new_book()
    order = place(book)
    book.expire_requests(at(TIMEOUT))
    book.report_open(order, None, at(6))
    assert (order.status, order.is_resting) == (OrderStatus.OPEN, True)
    assert book.cancels_due(at(8)) == ()
    assert book.next_deadline is None


def test_an_order_of_unknown_outcome_can_be_cancelled_and_that_cancel_has_a_deadline() -> None:
    book = new_book()
    order = place(book)
    book.expire_requests(at(TIMEOUT))
    book.request_cancel(order, at(6))
    assert (order.status, order.cancel_in_flight) == (OrderStatus.UNKNOWN, True)
    book.note_query(order, at(6))
    assert book.next_deadline == at(6 + TIMEOUT)
    assert book.expire_requests(at(6 + TIMEOUT)) == (order,)
    assert not order.cancel_in_flight


@pytest.mark.parametrize("news", ["acknowledge", "fill", "report_open"])
def test_no_late_news_takes_the_deadline_from_a_cancel_in_flight(news: str) -> None:
    """The order was lost, cancelled, and found open: if the cancel's answer is lost, somebody must notice."""
    book = new_book()
    order = place(book)
    book.expire_requests(at(5))
    book.request_cancel(order, at(6))
    book.report_open(order, None, at(7))
    if news == "acknowledge":
        book.acknowledge(order, "v", at(8))
    elif news == "fill":
        book.fill(order, Decimal(1), at(8))
    else:
        book.report_open(order, None, at(8))
    assert order.cancel_in_flight
    assert book.next_deadline is not None
    assert book.expire_requests(at(20)) == (order,)
    assert order.is_unknown
    assert not order.cancel_in_flight


def test_a_late_acknowledgement_says_nothing_of_an_order_of_unknown_outcome() -> None:
    book = new_book()
    order = rest(book)
    book.lose_track(order, at(1))
    book.acknowledge(order, "v", at(2))
    assert order.is_unknown


# -- orders that trade at once or not at all ---------------------------------------------------------------------------


def immediate(book: OwnOrders) -> OwnOrder:
    order = place(book, purpose=OrderPurpose.ADJUSTMENT, time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL)
    book.acknowledge(order, "v-mm-1", at(1))
    return order


def test_an_immediate_order_that_was_taken_and_has_not_ended_is_asked_about_soon_and_again() -> None:
    """It cannot rest, so its end went unheard: nobody waits for the next comparison of books."""
    book = new_book()
    order = immediate(book)
    assert book.queries_due(at(2.9)) == ()
    assert book.next_deadline == at(3)
    assert book.queries_due(at(3)) == (order,)
    book.note_query(order, at(3), "q1")
    book.report_open(order, None, at(4))  # an old look
    assert book.queries_due(at(5.9)) == ()
    assert book.queries_due(at(6)) == (order,)
    book.note_query(order, at(6), "q2")
    book.query_failed(order, at(7))
    assert book.queries_due(at(9)) == (order,)


@pytest.mark.parametrize("part", ["1", "0"])
def test_a_part_of_an_immediate_order_that_traded_puts_the_question_off_and_no_more(part: str) -> None:
    book = new_book()
    order = immediate(book)
    if part != "0":
        book.fill(order, Decimal(part), at(2))
    assert book.queries_due(at(4)) == (order,)


@pytest.mark.parametrize("end", ["fill", "expire", "confirm_cancel"])
def test_an_immediate_order_that_has_ended_is_not_asked_about(end: str) -> None:
    book = new_book()
    order = immediate(book)
    if end == "fill":
        book.fill(order, order.quantity, at(1))
    else:
        getattr(book, end)(order, Decimal(0), at(1))
    assert book.next_deadline is None
    assert book.queries_due(at(100)) == ()


def test_an_immediate_order_that_nobody_finds_is_of_unknown_outcome_until_clean_looks_settle_it() -> None:
    """A venue that forgets orders that met nobody: it was taken, so it is gone, and its trades are looked up."""
    book = new_book()
    order = immediate(book)
    book.note_query(order, at(3), "q1")
    book.report_not_found(order, at(3), at(4))
    assert order.is_unknown
    for seconds in (1 + WINDOW, 3 + WINDOW):
        assert order.is_live
        assert book.queries_due(at(seconds)) == (order,)
        book.note_query(order, at(seconds), "q")
        book.report_not_found(order, at(seconds), at(seconds))
    assert order.status is OrderStatus.CANCELED
    assert book.unconfirmed_since == 0


def test_an_order_that_may_rest_has_the_digest_that_it_had_before_others_could_not() -> None:
    """Journals that were written before the books knew of immediate orders verify: their quotes are as they were."""
    resting, other = rest(new_book()).snapshot(), immediate(new_book()).snapshot()
    assert len(resting) == len(fields(OwnOrder)) - 1
    assert other[-1] == "is_immediate"
    assert len(other) == len(resting) + 1


def test_an_order_that_may_rest_is_not_asked_about_for_being_open() -> None:
    book = new_book()
    order = rest(book)
    assert book.next_deadline is None
    book.report_not_found(order, at(3), at(4))
    assert order.is_resting


def test_all_orders_can_be_lost_at_once() -> None:
    book = new_book()
    bid, ask = rest(book, "mm-1"), place(book, "mm-2", Side.ASK)
    book.note_query(bid, at(1))
    book.lose_track_of_all(at(2))
    assert bid.is_unknown
    assert ask.is_unknown
    assert book.queries_due(at(2)) == (bid, ask)


# -- sides ---------------------------------------------------------------------------------------------------------


def test_a_side_has_a_quote_while_one_is_known_to_be_there_and_stays() -> None:
    book = new_book()
    assert not book.has_quote(Side.BID)
    order = place(book)
    assert book.has_quote(Side.BID)
    assert not book.has_quote(Side.ASK)
    book.acknowledge(order, "v", at(1))
    assert book.has_quote(Side.BID)
    book.request_cancel(order, at(2))
    assert not book.has_quote(Side.BID)


def test_an_adjustment_is_no_quote() -> None:
    book = new_book()
    place(book, purpose=OrderPurpose.ADJUSTMENT)
    assert not book.has_quote(Side.BID)


def test_live_orders_are_told_by_side_and_purpose_in_the_order_they_were_placed() -> None:
    book = new_book()
    rest(book, "mm-1")
    rest(book, "mm-2", Side.ASK)
    place(book, "mm-3", purpose=OrderPurpose.ADJUSTMENT)
    assert ids(book.live()) == ["mm-1", "mm-2", "mm-3"]
    assert ids(book.live(Side.BID)) == ["mm-1", "mm-3"]
    assert ids(book.live(Side.BID, OrderPurpose.QUOTE)) == ["mm-1"]
    assert ids(book.live(purpose=OrderPurpose.ADJUSTMENT)) == ["mm-3"]


def test_only_the_side_of_an_unknown_order_has_one() -> None:
    book = new_book()
    order = rest(book)
    rest(book, "mm-2", Side.ASK)
    book.lose_track(order, at(1))
    assert (book.has_unknown(), book.has_unknown(Side.BID), book.has_unknown(Side.ASK)) == (True, True, False)


def test_strays_are_live_orders_that_nobody_is_taking_out_or_asking_about() -> None:
    book = new_book()
    stray, leaving, lost = rest(book, "mm-1"), rest(book, "mm-2"), rest(book, "mm-3")
    book.request_cancel(leaving, at(1))
    book.lose_track(lost, at(1))
    assert book.strays() == (stray,)


# -- exposure and locks --------------------------------------------------------------------------------------------


def test_the_worst_case_counts_whatever_may_still_trade() -> None:
    """4 on its way, 3 left of 4, 4 leaving, 4 of unknown outcome, and 1 of fills that have not arrived: 16."""
    book = new_book()
    place(book, "mm-1", price="100")
    book.fill(rest(book, "mm-2", price="99"), Decimal(1), at(1))
    book.request_cancel(rest(book, "mm-3", price="98"), at(1))
    book.lose_track(rest(book, "mm-4", price="97"), at(1))
    book.confirm_cancel(rest(book, "mm-5", price="96"), Decimal(1), at(1))
    rest(book, "mm-6", Side.ASK)
    assert book.exposure(Side.BID) == 16
    assert book.exposure(Side.ASK) == 4


def test_bids_lock_money_and_asks_lock_contracts() -> None:
    """100 * 4 + 99 * 3 = 697 in quote currency."""
    book = new_book()
    place(book, "mm-1", price="100")
    book.fill(rest(book, "mm-2", price="99"), Decimal(1), at(1))
    rest(book, "mm-3", Side.ASK, "101")
    rest(book, "mm-4", Side.ASK, "102", "2")
    assert book.locked(Side.BID) == 697
    assert book.locked(Side.ASK) == 6


def test_locks_of_live_orders_can_be_left_out_but_not_what_has_traded_already() -> None:
    """Cancelled after half a contract at 96 that has not arrived: 48."""
    book = new_book()
    rest(book, "mm-1", price="100")
    book.confirm_cancel(rest(book, "mm-2", price="96"), HALF, at(1))
    assert book.locked(Side.BID) == 448
    assert book.locked(Side.BID, besides_live=True) == 48


# -- own trades to look up -----------------------------------------------------------------------------------------


def test_an_order_that_left_without_having_filled_leaves_trades_to_look_up() -> None:
    book = new_book()
    first, second = place(book, "mm-1", seconds=1), place(book, "mm-2", seconds=3)
    assert book.unconfirmed_since is None
    book.confirm_cancel(second, None, at(5))
    assert book.unconfirmed_since == at(3)
    book.confirm_cancel(first, None, at(6))
    assert book.unconfirmed_since == at(1)
    book.confirm_cancel(place(book, "mm-3", seconds=7), None, at(8))
    assert book.unconfirmed_since == at(1)


def test_an_order_that_filled_leaves_none() -> None:
    book = new_book()
    book.fill(rest(book), Decimal(4), at(1))
    assert book.unconfirmed_since is None


def test_only_a_look_at_trades_over_the_whole_time_confirms_them() -> None:
    book = new_book()
    order = place(book, seconds=3)
    book.venue_time = at(5)
    book.confirm_cancel(order, None, at(5))
    book.confirm_trades(at(4), at(9))  # begins too late
    assert book.unconfirmed_since is not None
    book.confirm_trades(at(2), at(4.9))  # ends too early
    assert book.unconfirmed_since is not None
    book.confirm_trades(at(3), at(5))
    assert book.unconfirmed_since is None


# -- memory --------------------------------------------------------------------------------------------------------


def test_the_oldest_finished_orders_are_forgotten_and_live_ones_never(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_table, "FINISHED_ORDERS_KEPT", 3)
    book = new_book()
    rest(book, "resting")
    for number in range(5):
        book.confirm_cancel(rest(book, f"mm-{number}"), None, at(number))
    assert [f"mm-{number}" in book for number in range(5)] == [False, False, True, True, True]
    assert "resting" in book


def test_late_news_keeps_an_order_in_memory_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_table, "FINISHED_ORDERS_KEPT", 2)
    book = new_book()
    first, second = rest(book, "mm-1"), rest(book, "mm-2")
    book.confirm_cancel(first, None, at(1))
    book.confirm_cancel(second, None, at(2))
    book.fill(first, Decimal(1), at(3))
    book.confirm_cancel(rest(book, "mm-3"), None, at(4))
    assert ["mm-1" in book, "mm-2" in book] == [True, False]
