"""Quoting interrupted from outside: the own-order feed is down, the venue takes no requests, an operator pauses."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mm_fsm.books.facts import (
    AccountFeedLost,
    CancelRefused,
    ConnectionRestored,
    OperatorPaused,
    OperatorResumed,
    RequestsSuspended,
)
from mm_fsm.core.messages import (
    CancelOrder,
    Intent,
    OrderPurpose,
    PlaceOrder,
    QueryOrder,
    RejectionCode,
    RequestKind,
    Side,
)
from tests.machine.bench import SECOND, SYMBOL, Bench, settings_with
from tests.machine.driver import reach

BID, ASK = Side.BID, Side.ASK
BOTH_LIVE = {"bid": None, "ask": None}


def lose_feed(bench: Bench) -> None:
    bench.tell(AccountFeedLost(received_at=bench.now, symbol=SYMBOL, reason="silent for 2 s"))


def suspend(bench: Bench, seconds: int, reason: str = "418") -> None:
    until = bench.now + seconds * SECOND
    bench.tell(RequestsSuspended(received_at=bench.now, symbol=SYMBOL, until=until, reason=reason))


def pause(bench: Bench) -> None:
    bench.tell(OperatorPaused(received_at=bench.now, reason="lunch"))


def restore(bench: Bench) -> None:
    bench.tell(ConnectionRestored(received_at=bench.now, symbol=SYMBOL))


def resume(bench: Bench) -> None:
    bench.tell(OperatorResumed(received_at=bench.now))


def questions(bench: Bench, since: int) -> list[Intent]:
    """Everything that was asked from result ``since`` on."""
    intents = [intent for result in bench.results[since:] for intent in result.intents]
    return [intent for intent in intents if not isinstance(intent, PlaceOrder | CancelOrder)]


# -- what all of them do -------------------------------------------------------------------------------------------

HELD_BY: dict[str, tuple[Callable[[Bench], None], Callable[[Bench], None]]] = {
    "account_feed_lost": (lose_feed, restore),
    "requests_suspended": (lambda bench: suspend(bench, 60), lambda bench: bench.wait(60)),
    "operator_paused": (pause, resume),
}


@pytest.mark.parametrize("reason", HELD_BY)
def test_both_sides_are_cancelled_and_held_until_it_is_over(reason: str) -> None:
    begin, end = HELD_BY[reason]
    bench = Bench().start_quoting()
    live = bench.live()
    begin(bench)
    assert bench.state == "idle"
    assert sorted(intent.client_order_id for intent in bench.last.intents) == sorted(live)
    assert all(isinstance(intent, CancelOrder) for intent in bench.last.intents)
    bench.settle()
    begun = len(bench.results)
    bench.run(30)
    assert bench.holds() == {"bid": reason, "ask": reason}
    assert bench.sent(PlaceOrder, begun) == []
    end(bench)
    bench.run_until(lambda: bench.holds() == BOTH_LIVE, 15)
    assert bench.context.faults_noted == 0


@pytest.mark.parametrize("reason", HELD_BY)
@pytest.mark.parametrize("state", ["placing_orders", "adjusting_spreads"])
def test_requests_under_way_are_taken_back_too(reason: str, state: str) -> None:
    bench = reach(state).bench
    HELD_BY[reason][0](bench)
    assert bench.state == "idle"
    assert all(order.cancel_in_flight for order in bench.context.orders.live())
    bench.settle()
    assert not any(order.is_open for order in bench.orders.values())


@pytest.mark.parametrize("reason", HELD_BY)
def test_told_twice_it_changes_nothing_more(reason: str) -> None:
    begin, end = HELD_BY[reason]
    bench = Bench().start_quoting()
    begin(bench)
    bench.settle()
    begun = len(bench.results)
    begin(bench)
    assert bench.taken(begun) == []
    assert bench.sent(CancelOrder, begun) == []
    end(bench)
    end(bench)
    bench.run_until(lambda: bench.holds() == BOTH_LIVE, 15)


@pytest.mark.parametrize("reason", HELD_BY)
def test_a_session_can_be_stopped_meanwhile_and_keeps_its_position(reason: str) -> None:
    bench = Bench().start_quoting()
    HELD_BY[reason][0](bench)
    bench.stop(flatten=False)
    bench.run(70)
    assert bench.state == "completed"
    assert bench.machine.result().success


# -- the feed of own orders ----------------------------------------------------------------------------------------


def test_a_reducing_order_is_cancelled_and_none_leaves_while_fills_happen_unseen() -> None:
    bench = Bench(settings_with(wind_down_deadline_seconds=600.0, wind_down_passive_seconds=300.0))
    bench.fills_reducing_orders = False
    bench.start_quoting()
    bench.fill(bench.live(BID)[0])
    bench.settle()
    bench.stop()
    bench.settle()
    bench.run_until(lambda: any(o.purpose is OrderPurpose.WIND_DOWN for o in bench.context.orders.live()), 30)
    reducing = bench.live()
    lose_feed(bench)
    assert [intent.client_order_id for intent in bench.sent(CancelOrder, len(bench.results) - 1)] == reducing
    bench.settle()
    begun = len(bench.results)
    bench.run(60)
    assert bench.sent(PlaceOrder, begun) == []
    restore(bench)
    bench.fills_reducing_orders = True
    bench.run_until(lambda: bench.state == "completed", 60)
    assert bench.context.inventory_offset == 0


def test_an_order_acknowledged_after_the_feed_was_lost_is_cancelled() -> None:
    """The placement was on its way: the cancel follows it at once, and is sent again when it is refused."""
    bench = reach("placing_orders").bench
    bid = bench.live(BID)[0]
    lose_feed(bench)
    bench.outbox.clear()
    bench.later(0.1)
    bench.tell(bench.about(CancelRefused, bid))
    bench.acknowledge(bid)
    bench.settle()
    assert not bench.orders[bid].is_open


# -- suspended requests --------------------------------------------------------------------------------------------


def test_before_the_end_of_a_suspension_nothing_is_asked_and_the_host_is_told_to_come_back_then() -> None:
    bench = Bench(settings_with(query_interval_seconds=2.0)).start_quoting()
    suspend(bench, 60)
    until = bench.now + 60 * SECOND
    for cancel in bench.sent(CancelOrder, len(bench.results) - 1):
        bench.lose(cancel.client_order_id, RequestKind.CANCEL)
    bench.outbox.clear()
    begun = len(bench.results)
    while bench.now + SECOND < until:
        bench.later(1)
        bench.book()
    assert questions(bench, begun) == []
    assert bench.last.wake_at == until
    bench.wake()
    asked = bench.sent(QueryOrder, len(bench.results) - 1)
    assert [intent.client_order_id for intent in asked] == bench.live() != []
    bench.run_until(lambda: bench.holds() == BOTH_LIVE, 30)


def test_a_shorter_suspension_never_replaces_a_longer_one_and_one_that_is_over_says_nothing() -> None:
    bench = Bench().start_quoting()
    suspend(bench, 60, "418")
    suspend(bench, 1, "429")
    assert bench.context.requests_suspended_until == bench.now + 60 * SECOND
    assert "418" in bench.context.sides[BID].status.detail
    bench.wait(60)
    bench.run_until(lambda: bench.holds() == BOTH_LIVE, 30)
    begun = len(bench.results)
    suspend(bench, 0)
    assert bench.taken(begun) == []


def test_after_the_end_an_order_of_unknown_outcome_is_asked_about_only_once_requests_are_taken() -> None:
    """A fill after COMPLETED contradicts a rejection: the order may rest, and the venue has just banned us."""
    bench = reach("placing_orders").bench
    bid = bench.live(BID)[0]
    bench.reject(bid, RejectionCode.POST_ONLY)
    bench.stop(flatten=False)
    bench.settle()
    assert bench.state == "completed"
    suspend(bench, 60)
    bench.fill(bid, "0.5")
    begun = len(bench.results)
    bench.wait(59)
    assert questions(bench, begun) == []
    bench.wait(1)
    bench.settle()
    assert not bench.context.orders.count


# -- an operator ---------------------------------------------------------------------------------------------------


def test_a_pause_takes_its_own_edge_and_names_its_reason() -> None:
    bench = Bench().start_quoting()
    pause(bench)
    assert bench.taken(len(bench.results) - 1) == [("monitoring_orders", "operator_paused")]
    assert bench.context.sides[BID].status.detail == "lunch"


def test_stale_data_comes_before_a_pause() -> None:
    bench = Bench().start_quoting()
    bench.later(bench.context.settings.stale_data_seconds)
    pause(bench)
    assert bench.taken(len(bench.results) - 1) == [("monitoring_orders", "quotes_withdrawn")]


def test_paused_before_the_first_cycle_the_machine_reconciles_and_waits() -> None:
    bench = Bench()
    pause(bench)
    bench.run(30)
    assert bench.sent(PlaceOrder) == []
    assert bench.context.reconciliation.is_complete
    assert bench.holds() == {"bid": "operator_paused", "ask": "operator_paused"}
    resume(bench)
    bench.run_until(lambda: bench.holds() == BOTH_LIVE, 15)


def test_an_adjustment_goes_on_during_a_pause_and_no_cycle_follows_it() -> None:
    bench = Bench().start_quoting()
    bench.deposit("50")
    bench.settle()
    pause(bench)
    bench.run_until(lambda: bench.state == "idle", 60)
    assert not bench.context.assess_inventory().is_over_limit
    begun = len(bench.results)
    bench.run(30)
    assert bench.sent(PlaceOrder, begun) == []


def test_a_position_is_wound_down_during_a_pause() -> None:
    bench = Bench().start_quoting()
    bench.fill(bench.live(BID)[0])
    bench.settle()
    pause(bench)
    bench.stop()
    bench.run_until(lambda: bench.state == "completed", 120)
    assert bench.context.inventory_offset == 0


@pytest.mark.parametrize(("takes_cancels", "taken"), [(True, "new orders"), (False, "requests")])
def test_a_suspension_without_words_says_what_the_venue_takes_no_more_of(takes_cancels: bool, taken: str) -> None:
    bench = Bench().start_quoting()
    until = bench.now + 60 * 10**9
    bench.tell(RequestsSuspended(received_at=bench.now, symbol=SYMBOL, until=until, takes_cancels=takes_cancels))
    status = bench.context.sides[Side.BID].status
    assert status is not None
    assert status.detail == f"the venue takes no {taken} for now; 60.0 s to go"
