"""Answers that are late, come twice or in another order: each counts once, for its own question.

No order is ever forgotten, no side doubled, and no position adopted that the venue will correct by itself.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.books.facts import BalancesReported, OpenOrdersReported, OrderNotFound, OwnTradesReported, QueryFailed
from mm_fsm.books.order_lifecycle import OrderStatus
from mm_fsm.core.instrument import Fees
from mm_fsm.core.messages import (
    PlaceOrder,
    QueryBalances,
    QueryOpenOrders,
    QueryOrder,
    QueryOwnTrades,
    Question,
    RequestKind,
    Side,
    answering,
)
from mm_fsm.core.settings import PositionMismatchPolicy
from tests.machine.beginnings import placing
from tests.machine.bench import SECOND, SYMBOL, Bench, settings_with

BID, ASK = Side.BID, Side.ASK


def ahead(bench: Bench, seconds: float = 3) -> int:
    """The venue's clock is some seconds ahead of ours."""
    return bench.now + round(seconds * SECOND)


# -- questions and answers have an id ------------------------------------------------------------------------------


def test_every_question_has_an_id_of_its_own() -> None:
    bench = Bench().start_quoting()
    bench.lose(bench.live(BID)[0], RequestKind.PLACE)
    bench.run(130)
    asked = bench.sent(Question)
    assert {type(question) for question in asked} >= {QueryOpenOrders, QueryOwnTrades, QueryBalances}
    assert None not in {question.question_id for question in asked}
    assert len({question.question_id for question in asked}) == len(asked)


# -- an order that was acknowledged --------------------------------------------------------------------------------


@pytest.mark.parametrize("names_question", [True, False])
def test_late_looks_of_before_an_order_arrived_never_end_it(names_question: bool) -> None:
    """The placement hangs, two looks truthfully find nothing, it arrives and rests; then the answers come."""
    bench, bid, ask = placing(validity_window_seconds=30.0, request_timeout_seconds=5.0, query_interval_seconds=2.0)
    bench.acknowledge(ask)
    bench.wait(31)
    early = [query for query in bench.sent(QueryOrder) if query.client_order_id == bid]
    assert len(early) >= 2
    bench.acknowledge(bid)
    bench.outbox.clear()
    for query in early:
        bench.later(2.5)
        look = bench.about(OrderNotFound, bid, exchange_time=ahead(bench), question_id=None)
        bench.tell(answering(query, look) if names_question else look)
        assert bench.own(bid).is_live
    assert [placed.side for placed in bench.sent(PlaceOrder)] == [BID, ASK], "no second bid while the first may rest"
    bench.stop(flatten=False)
    bench.run(60)
    assert bench.state == "completed"
    assert not any(order.is_open for order in bench.orders.values())


def test_an_acknowledged_order_that_nobody_finds_any_more_is_gone_and_its_trades_are_looked_up() -> None:
    bench, bid, ask = placing(validity_window_seconds=6.0)
    bench.acknowledge(ask)
    bench.acknowledge(bid)
    bench.lose(bid, RequestKind.CANCEL)
    bench.orders[bid].is_known = bench.orders[bid].is_open = False  # the venue has lost it
    bench.stop(flatten=False)
    begun = len(bench.results)
    bench.run(60)
    assert bench.own(bid).status is not OrderStatus.REJECTED
    assert not bench.own(bid).is_live
    assert bench.sent(QueryOwnTrades, begun)
    assert bench.state == "completed"


# -- rounds of reconciliation --------------------------------------------------------------------------------------


def test_a_list_of_open_orders_that_comes_twice_is_read_once() -> None:
    """The second time it is old: the order that it shows has been cancelled since."""
    bench = Bench(settings_with(reconcile_interval_seconds=5.0)).start_quoting()
    bid = bench.live(BID)[0]
    bench.run_until(lambda: any(isinstance(r.fact, OpenOrdersReported) for r in bench.results[-3:]), 30)
    lists = [result.fact for result in bench.results if isinstance(result.fact, OpenOrdersReported)]
    bid = lists[-1].orders[0].client_order_id
    bench.stop(flatten=False)
    bench.settle()
    assert bench.own(bid).status is OrderStatus.CANCELED
    bench.tell(evolve(lists[-1], received_at=bench.now))
    assert bench.own(bid).status is OrderStatus.CANCELED
    assert not bench.context.orders.count


@pytest.mark.parametrize("kind", [OpenOrdersReported, OwnTradesReported, BalancesReported])
def test_an_answer_to_a_question_that_was_never_asked_completes_no_round(kind: type) -> None:
    bench = Bench()
    bench.book()
    before = bench.context.reconciliation.stage
    facts: dict[type, Any] = {
        OpenOrdersReported: {"orders": (), "exchange_time": bench.now},
        OwnTradesReported: {"fills": (), "since": 0, "until": bench.now},
        BalancesReported: {name: Decimal(5) for name in ("base_total", "base_free", "quote_total", "quote_free")},
    }
    bench.tell(kind(received_at=bench.now, symbol=SYMBOL, question_id="q-other", **facts[kind]))
    assert bench.context.reconciliation.stage is before
    assert bench.context.balances_reported_at is None


def test_an_answer_after_its_time_out_still_counts_for_its_round() -> None:
    """A venue that takes longer than the time-out to answer would otherwise never be reconciled with."""
    bench = Bench(settings_with(request_timeout_seconds=5.0))
    bench.book()
    for _ in range(3):
        first = bench.outbox[0]
        bench.outbox.clear()
        bench.wait(7)
        bench.outbox.clear()
        bench.answer(first)
    assert bench.context.reconciliation.is_complete


def test_a_failure_that_is_told_twice_is_one() -> None:
    bench = Bench()
    bench.book()
    question = bench.outbox.popleft()
    failed = QueryFailed(received_at=bench.now, symbol=SYMBOL, request=RequestKind.QUERY_OPEN_ORDERS)
    bench.tell(answering(question, failed))
    due = bench.context.reconciliation.due
    bench.wait((due - bench.now) / SECOND)
    bench.tell(evolve(answering(question, failed), received_at=bench.now))
    assert bench.context.reconciliation.is_answer_awaited, "the question asked since is open"


# -- balances ------------------------------------------------------------------------------------------------------


class LaggingAccount(Bench):
    """The venue's balances are some seconds behind its trades."""

    lag = 3.0

    def report_balances(self, **changes: Any) -> Any:
        trades = {name: order.trades for name, order in self.orders.items()}
        for order in self.orders.values():
            order.trades = [trade for trade in order.trades if trade.exchange_time <= self.now - self.lag * SECOND]
        try:
            return super().report_balances(**changes)
        finally:
            for name, known in trades.items():
                self.orders[name].trades = known


@pytest.mark.parametrize("lag", [1.0, 3.0, 8.0])
def test_balances_that_are_behind_the_trades_are_never_adopted(lag: float) -> None:
    bench = LaggingAccount(
        settings_with(
            position_mismatch_policy=PositionMismatchPolicy.ADOPT, reconcile_interval_seconds=1.0, max_position_size=3
        )
    )
    bench.lag = lag
    bench.start_quoting()
    for _ in range(6):
        live = bench.live(BID)
        if live:
            bench.fill(live[0])
        bench.run(4, step=0.5)
        assert bench.context.ledger.external_flows == 0
    bench.run(30)
    assert bench.context.ledger.external_flows == 0
    assert bench.context.reconciliation.is_complete


def test_a_balance_answer_that_comes_twice_is_judged_once() -> None:
    """It was taken before a fill; the second time it comes after it."""
    bench = Bench(
        settings_with(position_mismatch_policy=PositionMismatchPolicy.ADOPT, reconcile_interval_seconds=1.0)
    ).start_quoting()
    bench.run_until(lambda: any(isinstance(result.fact, BalancesReported) for result in bench.results[-4:]), 10)
    old = [result.fact for result in bench.results if isinstance(result.fact, BalancesReported)][-1]
    bench.fill(bench.live(BID)[0])
    for _ in range(20):
        bench.later(0.5)
        bench.book()
        bench.tell(evolve(old, received_at=bench.now))
        assert bench.context.missing_base == 0
        bench.settle()
    assert bench.context.ledger.external_flows == 0


def test_a_balance_is_judged_against_the_books_of_the_time_it_was_asked_for() -> None:
    """A fill is booked while the answer is on its way, which does not know of it: nothing is missing."""
    bench = Bench(settings_with(balances_interval_seconds=5.0, reconcile_interval_seconds=3_600.0)).start_quoting()
    while not any(isinstance(intent, QueryBalances) for intent in bench.outbox):
        bench.later(0.5)
        bench.book()
        while bench.outbox and not isinstance(bench.outbox[0], QueryBalances):
            bench.answer(bench.outbox.popleft())
    question = next(intent for intent in bench.outbox if isinstance(intent, QueryBalances))
    context = bench.context
    before = {"base_total": context.base_position, "quote_total": context.ledger.cash}
    bench.fill(bench.live(BID)[0])
    bench.report_balances(question_id=question.question_id, **before)
    assert context.missing_base == 0


def test_a_difference_that_stays_is_adopted_once_all_news_is_in() -> None:
    """A deposit that no fact spoke of: taken over after every order is out and ten seconds of the same difference."""
    bench = Bench(
        settings_with(position_mismatch_policy=PositionMismatchPolicy.ADOPT, reconcile_interval_seconds=2.0)
    ).start_quoting()
    bench.deposits["base"] += 2
    watch, bench.watch = bench.watch, None  # it knows of no deposit
    begun = bench.now
    bench.run_until(lambda: bench.context.base_position == 102, 60)
    assert watch is not None
    assert bench.now >= begun + 10 * SECOND
    bench.run_until(lambda: bench.holds() == {"bid": None, "ask": None}, 30)


# -- fees in the worst case ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("side", "fee_bps"), [(ASK, 10), (BID, -5)])
def test_the_worst_case_counts_fees_in_base_currency(side: Side, fee_bps: int) -> None:
    """A limit of 3: whatever trades, its fee or rebate in base included, the position stays within it."""
    bench = Bench(
        settings_with(max_position_size=3, base_order_size=250, min_edge_bps=0.0, max_inventory_pct=0.9),
        fees=Fees(maker_bps=Decimal(fee_bps), taker_bps=Decimal(fee_bps)),
    ).start_quoting()
    for _ in range(12):
        for name in bench.live(side):
            amount = bench.orders[name].remaining
            bench.fill(name, fee=amount * fee_bps / 10_000, fee_currency="BTC")
            assert abs(bench.context.inventory_offset) <= 3
        bench.run(6)
    assert abs(bench.context.inventory_offset) > Decimal("2.9"), "and it may be used up to it"


# -- in any order --------------------------------------------------------------------------------------------------

_moves = st.lists(
    st.tuples(st.sampled_from(["answer", "late", "twice", "drop", "time", "fill"]), st.integers(0, 9)), max_size=40
)


@given(moves=_moves, lag=st.sampled_from([0.0, 3.0]))
def test_answers_in_any_order_late_or_twice_double_no_side_and_lose_no_order(moves: list[Any], lag: float) -> None:
    """At the venue, as it really is, what rests and may trade never passes the limit; at the end nothing rests."""
    bench = LaggingAccount(
        settings_with(
            max_position_size=2,
            position_mismatch_policy=PositionMismatchPolicy.ADOPT,
            validity_window_seconds=6.0,
            reconcile_interval_seconds=5.0,
        )
    )
    bench.lag = lag
    bench.start_quoting()
    told: list[Any] = []
    for move, pick in moves:
        _play(bench, move, pick, told)
        for side in Side:
            resting = sum(o.remaining for o in bench.orders.values() if o.is_open and o.intent.side is side)
            assert _offset(bench) * side.sign + resting <= 2, "exposure at the venue passes the limit"
        assert bench.context.ledger.external_flows == 0
    bench.stop(flatten=False)
    bench.run(120)
    assert bench.state == "completed"
    assert not any(order.is_open for order in bench.orders.values()), "an order was forgotten"
    assert bench.context.inventory_offset == _offset(bench)


def _offset(bench: Bench) -> Decimal:
    bought = (trade.quantity * o.intent.side.sign for o in bench.orders.values() for trade in o.trades)
    return sum(bought, Decimal(0))


def _play(bench: Bench, move: str, pick: int, told: list[Any]) -> None:
    if move == "time" or not bench.outbox:
        bench.later((0.5, 2, 6)[pick % 3])
        bench.book()
    elif move == "drop":
        intent = bench.outbox[pick % len(bench.outbox)]
        if isinstance(intent, Question):  # a placement or a cancel that is never carried out is another story
            bench.outbox.remove(intent)
    elif move == "fill":
        resting = [name for name, order in bench.orders.items() if order.is_open]
        if resting:
            bench.fill(resting[pick % len(resting)], "0.1")
    elif move == "twice" and told:
        bench.refuses(evolve(told[pick % len(told)], received_at=bench.now))
    else:
        intent = bench.outbox[pick % len(bench.outbox)] if move == "late" else bench.outbox[0]
        bench.outbox.remove(intent)
        known = len(bench.results)
        bench.answer(intent)
        told.extend(result.fact for result in bench.results[known:])
