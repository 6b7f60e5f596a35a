"""A venue that refuses cancels at once must not be asked without end, and the order stays what it is: open.

The waits are those of the rule, by hand: the second cancel follows the look that finds the order open, the third two
seconds after the second, which is the time between two questions; then four, eight, sixteen, and sixteen for ever.
"""

from __future__ import annotations

from collections import deque
from itertools import pairwise

import pytest

from mm_fsm.books.facts import CancelRefused, RequestsSuspended
from mm_fsm.core.messages import CancelOrder, Intent, PlaceOrder, QueryOrder, RequestKind, Side
from tests.machine.bench import SECOND, SYMBOL, Bench, settings_with
from tests.machine.scripted import ScriptedRisk, fault, services
from tests.strategies import EXACT_QUOTES

BID, ASK = Side.BID, Side.ASK
WAITS = [0, 2, 4, 8, 16, 16]


class Stubborn(Bench):
    """A bench whose venue refuses, or loses, the cancels of one order, and answers everything else."""

    stuck = ""
    loses = False

    def answer(self, intent: Intent) -> None:
        if not (isinstance(intent, CancelOrder) and intent.client_order_id == self.stuck):
            super().answer(intent)
        elif self.loses:
            self.lose(self.stuck, RequestKind.CANCEL)
        else:
            self.tell(self.about(CancelRefused, self.stuck, reason="try again"))


def stuck_bid(risk: ScriptedRisk | None = None, *, loses: bool = False) -> Stubborn:
    """A machine with quotes that rest; the bid's cancels are refused from now on."""
    chosen = services() if risk is None else services(risk=risk)
    bench = Stubborn(settings_with(**EXACT_QUOTES, query_interval_seconds=2.0), services=chosen)
    bench.start_quoting()
    bench.stuck, bench.loses = bench.live(BID)[0], loses
    return bench


def cancels(bench: Bench, name: str) -> list[int]:
    """When cancels of an order left, nanoseconds."""
    return [
        result.time
        for result in bench.results
        for intent in result.intents
        if isinstance(intent, CancelOrder) and intent.client_order_id == name
    ]


@pytest.mark.parametrize("loses", [False, True])
def test_the_cancel_of_a_quote_that_must_move_is_repeated_at_a_bounded_pace(loses: bool) -> None:
    bench = stuck_bid(loses=loses)
    bench.later(1)
    bench.book("98.99", "99.01")
    bench.run(60)
    sent = cancels(bench, bench.stuck)
    waits = [(after - before) / SECOND for before, after in pairwise(sent)]
    assert waits == pytest.approx(WAITS, abs=0.01)
    asked = [intent for intent in bench.sent(QueryOrder) if intent.client_order_id == bench.stuck]
    assert len(asked) == len(sent), "each refusal is looked into"


def test_meanwhile_the_order_counts_as_open_and_one_bid_at_most_joins_it() -> None:
    """The replacement left with the first cancel, as the worst case allows both; none does with a repeated one."""
    bench = stuck_bid()
    begun = len(bench.results)
    bench.later(1)
    bench.book("98.99", "99.01")
    bench.run(60)
    assert [intent.side for intent in bench.sent(PlaceOrder, begun)].count(BID) <= 1
    assert bench.stuck in bench.live(BID)
    assert bench.context.orders.exposure(BID) == sum(order.remaining for order in bench.context.active_bid_orders)
    assert bench.hold(BID) is None, "the bid rests: that is what the status says"


def test_once_the_cancel_is_taken_the_bid_is_where_it_should_be() -> None:
    bench = stuck_bid()
    bench.later(1)
    bench.book("98.99", "99.01")
    bench.run(10)
    old, bench.stuck = bench.stuck, ""
    bench.run_until(lambda: bench.holds() == {"bid": None, "ask": None} and not bench.orders[old].is_open, 30)
    assert bench.context.active_bid_orders[0].price < 99


def test_a_fill_of_such_an_order_is_booked_and_ends_the_cancels() -> None:
    bench = stuck_bid()
    bench.later(1)
    bench.book("98.99", "99.01")
    bench.run(4)
    bench.fill(bench.stuck)
    begun = len(cancels(bench, bench.stuck))
    bench.run(40)
    assert len(cancels(bench, bench.stuck)) == begun
    assert bench.context.fill_count == 1


HAPPENINGS = {
    "a stop": lambda bench: bench.stop(flatten=False),
    "a passed limit": lambda bench: bench.deposit("50"),
    "a ban": lambda bench: bench.tell(
        RequestsSuspended(received_at=bench.now, symbol=SYMBOL, until=bench.now + 30 * SECOND)
    ),
}


@pytest.mark.parametrize("happening", HAPPENINGS)
def test_whatever_wants_the_order_gone_keeps_that_pace_and_comes_to_rest(happening: str) -> None:
    """Each way to cancel: what no state, service or follow-up may do is to ask in a circle."""
    bench = stuck_bid()
    HAPPENINGS[happening](bench)
    bench.run(60)
    assert 5 <= len(cancels(bench, bench.stuck)) <= 8
    assert bench.context.faults_noted == 0
    bench.stuck = ""
    bench.run(30)
    assert not bench.orders[bench.sent(PlaceOrder)[0].client_order_id].is_open


def test_what_happens_anew_is_not_paced_by_an_older_refusal() -> None:
    """The kill switch, say: an order that was refused to go is asked to go once more, at once."""
    risk = ScriptedRisk()
    bench = stuck_bid(risk)
    bench.later(1)
    bench.book("98.99", "99.01")
    bench.run(10)
    begun = len(cancels(bench, bench.stuck))
    risk.cause = fault(transient=False)
    bench.beat()
    assert bench.state == "error"
    assert len(cancels(bench, bench.stuck)) == begun + 1


def test_a_refusal_that_comes_twice_counts_once() -> None:
    bench = stuck_bid()
    bench.later(1)
    bench.book("98.99", "99.01")
    bench.outbox = deque()
    for _ in range(3):
        bench.tell(bench.about(CancelRefused, bench.stuck))
    bench.report(bench.stuck)
    assert len(cancels(bench, bench.stuck)) == 2
