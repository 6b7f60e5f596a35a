"""Whatever is asked and heard, in whatever order: what always holds of the own-order book."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mm_fsm.books.order_lifecycle import OrderStatus
from mm_fsm.books.orders import OwnOrder
from mm_fsm.core.messages import OrderPurpose, Side
from tests.books.own_order_book import at, new_book, place

LIVE = {"pending_new", "open", "partially_filled", "pending_cancel", "unknown"}
QUANTITY = 4
numbers = st.integers(0, 5)
reported = st.none() | st.integers(0, QUANTITY).map(Decimal)


def is_cancelled_again(order: OwnOrder) -> bool:
    """Whether cancels were sent more than once in vain, so that the next one has a time of its own."""
    return order.status.value in LIVE and order.cancel_due and order.cancels_sent > 1


class AnyOrder(RuleBasedStateMachine):
    """Six orders of four contracts, and a venue that says anything about them."""

    @initialize()
    def begin(self) -> None:
        self.book = new_book()
        self.now = 0
        self.orders: list[OwnOrder] = []

    def of(self, number: int) -> OwnOrder | None:
        return self.orders[number] if number < len(self.orders) else None

    def hear(self, number: int, news: Callable[[OwnOrder, int], Any]) -> None:
        order = self.of(number)
        if order is None:
            return
        was_live = order.is_live
        news(order, at(self.now))
        if order.is_live and not was_live:
            assert order.cancel_due, "alive again: to be cancelled at once"

    @rule(side=st.sampled_from(Side), purpose=st.sampled_from(OrderPurpose))
    def send(self, side: Side, purpose: OrderPurpose) -> None:
        if len(self.orders) < 6:
            name = f"mm-{len(self.orders)}"
            self.orders.append(place(self.book, name, side, "100", str(QUANTITY), purpose=purpose, seconds=self.now))

    @rule(seconds=st.sampled_from([1, 2, 5, 40]))
    def wait(self, seconds: int) -> None:
        self.now += seconds
        self.book.expire_requests(at(self.now))

    @rule(number=numbers)
    def cancel(self, number: int) -> None:
        order = self.of(number)
        if order is not None and order.is_live:
            self.book.request_cancel(order, at(self.now))

    @rule()
    def ask(self) -> None:
        for order in self.book.queries_due(at(self.now)):
            self.book.note_query(order, at(self.now))

    @rule(number=numbers)
    def acknowledge(self, number: int) -> None:
        self.hear(number, lambda order, now: self.book.acknowledge(order, "v", now))

    @rule(number=numbers, quantity=st.integers(1, QUANTITY))
    def fill(self, number: int, quantity: int) -> None:
        order = self.of(number)
        if order is not None and quantity <= order.remaining:
            self.hear(number, lambda order, now: self.book.fill(order, Decimal(quantity), now))

    @rule(number=numbers, filled=reported)
    def confirm_cancel(self, number: int, filled: Decimal | None) -> None:
        self.hear(number, lambda order, now: self.book.confirm_cancel(order, filled, now))

    @rule(number=numbers, filled=reported)
    def expire(self, number: int, filled: Decimal | None) -> None:
        self.hear(number, lambda order, now: self.book.expire(order, filled, now))

    @rule(number=numbers)
    def reject(self, number: int) -> None:
        self.hear(number, self.book.reject)

    @rule(number=numbers)
    def refuse_cancel(self, number: int) -> None:
        self.hear(number, self.book.refuse_cancel)

    @rule(number=numbers)
    def cancel_in_vain(self, number: int) -> None:
        self.cancel(number)
        self.refuse_cancel(number)
        self.report_open(number, None)

    @rule(number=numbers)
    def lose_track(self, number: int) -> None:
        self.hear(number, self.book.lose_track)

    @rule(number=numbers, filled=reported)
    def report_open(self, number: int, filled: Decimal | None) -> None:
        self.hear(number, lambda order, now: self.book.report_open(order, filled, now))

    @rule(number=numbers)
    def report_filled(self, number: int) -> None:
        self.hear(number, lambda order, now: self.book.report_filled(order, None, now))

    @rule(number=numbers)
    def report_not_found(self, number: int) -> None:
        self.hear(number, lambda order, now: self.book.report_not_found(order, now, now))

    @rule()
    def take_everything_out(self) -> None:
        self.book.cancel_all_live()

    @rule(number=numbers, filled=st.integers(0, QUANTITY).map(Decimal))
    def correct(self, number: int, filled: Decimal) -> None:
        self.hear(number, lambda order, now: self.book.confirm_cancel(order, filled, now))
        order = self.of(number)
        if order is not None and not order.is_live:
            self.book.correct_reported(order, filled)

    @rule()
    def lose_track_of_all(self) -> None:
        self.book.lose_track_of_all(at(self.now))

    @rule(number=numbers)
    def query_failed(self, number: int) -> None:
        self.hear(number, self.book.query_failed)

    @invariant()
    def nothing_trades_more_than_was_ordered(self) -> None:
        for order in self.orders:
            assert 0 <= order.filled_quantity <= QUANTITY
            assert (order.status is OrderStatus.FILLED) == (order.remaining == 0)

    @invariant()
    def an_order_is_an_open_question_while_it_lives_or_fills_are_missing(self) -> None:
        questions = {order.client_order_id for order in self.book.unsettled_orders()}
        for order in self.orders:
            is_open = order.status.value in LIVE or order.reported_filled > order.filled_quantity
            assert (order.client_order_id in questions) == is_open
            assert self.book.get(order.client_order_id) is order

    @invariant()
    def the_worst_case_is_the_sum_over_the_orders(self) -> None:
        for side in Side:
            worst = Decimal(0)
            for order in self.orders:
                if order.side is side:
                    missing = max(order.reported_filled - order.filled_quantity, Decimal(0))
                    worst += order.quantity - order.filled_quantity if order.status.value in LIVE else missing
            assert self.book.exposure(side) == worst
            assert self.book.locked(side) == (100 * worst if side is Side.BID else worst)

    @invariant()
    def whatever_is_not_known_is_asked_about_or_waited_for(self) -> None:
        """No order is ever forgotten: each that is not known to rest, or whose fills are missing, has a deadline."""
        for order in self.orders:
            is_in_question = order.status.value in LIVE and not order.is_resting
            is_missing_fills = order.reported_filled > order.filled_quantity
            if is_in_question or is_missing_fills or order.cancel_in_flight:
                assert order.answer_due is not None or order.query_due is not None
            if order.cancel_in_flight:
                assert order.answer_due is not None

    @invariant()
    def what_is_derived_agrees_with_the_orders(self) -> None:
        due = [time for order in self.orders for time in (order.answer_due, order.query_due) if time is not None]
        due += [order.cancel_retry_at for order in self.orders if is_cancelled_again(order)]
        assert self.book.next_deadline == min(due, default=None)
        for side in Side:
            quotes = self.book.live(side, OrderPurpose.QUOTE)
            known = any(not (order.cancel_in_flight or order.cancel_due or order.is_unknown) for order in quotes)
            assert self.book.has_quote(side) == known
            assert quotes == tuple(
                order
                for order in self.book.unsettled_orders()
                if order.is_live and order.side is side and order.purpose is OrderPurpose.QUOTE
            )
            in_doubt = [o for o in self.book.unsettled_orders() if o.side is side and (o.is_unknown or not o.is_live)]
            assert self.book.has_unknown(side) == bool(in_doubt)

    @invariant()
    def what_is_due_agrees_with_the_orders(self) -> None:
        now = at(self.now)
        questions = list(self.book.unsettled_orders())
        to_cancel = [order for order in questions if order.is_live and order.cancel_due]
        assert self.book.cancels_due(now) == tuple(order for order in to_cancel if order.cancel_retry_at <= now)
        late = tuple(order for order in questions if order.answer_due is not None and order.answer_due <= now)
        assert self.book.answers_overdue(now) == late
        asked = tuple(order for order in questions if order.query_due is not None and order.query_due <= now)
        assert self.book.queries_due(now) == asked
        waiting = [order for order in questions if order.status.value in {"pending_new", "pending_cancel"}]
        assert self.book.is_request_outstanding == bool(waiting)
        left_alone = [
            order
            for order in questions
            if order.status.value in LIVE
            and not order.cancel_in_flight
            and not (order.status.value == "unknown" and order.query_due is not None)
            and not is_cancelled_again(order)
        ]
        assert self.book.strays() == tuple(left_alone)


TestAnyOrder = AnyOrder.TestCase
