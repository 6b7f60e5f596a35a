"""Of two edges that may both be taken the one that the lifecycle names first is; and what ERROR does on entry.

The order is that of the lifecycle's table of edges: whatever must halt comes first, then data that went stale.
"""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

import pytest

from mm_fsm.books.facts import OperatorPaused, Timer
from mm_fsm.core.instrument import Balances
from mm_fsm.core.messages import CancelOrder, PlaceOrder, RejectionCode, Side
from mm_fsm.machine.results import StepResult
from tests.machine.bench import Bench, settings_with
from tests.machine.scripted import ScriptedRisk, fault, services
from tests.strategies import EXACT_QUOTES

BID, ASK = Side.BID, Side.ASK
NOTHING = Balances(base=Decimal(0), quote=Decimal(0))


def placing() -> Bench:
    """A machine whose first bid and ask have just been sent and not been answered."""
    bench = Bench(settings_with(), services=services(risk=ScriptedRisk()))
    for _ in range(5):  # it is warm after three seconds
        if bench.sent(PlaceOrder):
            break
        bench.settle()
        bench.later(1)
        bench.book()
    bench.outbox.clear()
    assert bench.state == "placing_orders"
    return bench


def adjusting() -> Bench:
    """A machine that follows a price: the cancels of its two orders have just been sent and not been answered."""
    bench = Bench(settings_with(), services=services(risk=ScriptedRisk())).start_quoting()
    bench.later(1)
    bench.book("101.99", "102.01")
    bench.outbox.clear()
    assert bench.state == "adjusting_spreads"
    return bench


STARTS = {"placing_orders": placing, "adjusting_spreads": adjusting}


def halt(bench: Bench) -> None:
    """From now on the risk service names a cause."""
    bench.machine.services.risk.cause = fault(transient=True)  # type: ignore[attr-defined]


def first_taken(bench: Bench) -> tuple[str, str]:
    """Source and event of the first transition of the last step."""
    return bench.taken(len(bench.results) - 1)[0]


def test_a_halt_comes_before_a_failed_check() -> None:
    """Neither side can afford anything, which is a fault of its own, and it is not the one that is noted."""
    bench = Bench(balances=NOTHING, services=services(risk=ScriptedRisk()))
    halt(bench)
    bench.book()
    assert first_taken(bench) == ("idle", "halt")
    assert [found.code for found in bench.last.faults] == ["custom"]


@pytest.mark.parametrize("state", STARTS)
def test_a_halt_comes_before_stale_data(state: str) -> None:
    bench = STARTS[state]()
    halt(bench)
    bench.later(10)  # the age at which data is stale
    bench.tell(Timer(received_at=bench.now))
    assert bench.taken(len(bench.results) - 1) == [(state, "halt")]


def test_stale_data_comes_before_what_is_left_to_place() -> None:
    """A rejection after which the side would be priced again arrives when there is no price to trust."""
    bench = placing()
    bid = bench.live(BID)[0]
    bench.later(10)
    result = bench.reject(bid, RejectionCode.POST_ONLY)
    assert first_taken(bench) == ("placing_orders", "quotes_withdrawn")
    assert not [intent for intent in result.intents if isinstance(intent, PlaceOrder)]


def test_stale_data_comes_before_what_is_left_to_adjust() -> None:
    """The cancel that made room for the new quote is confirmed when there is no price to trust."""
    bench = adjusting()
    (cancel, *_) = bench.sent(CancelOrder, len(bench.results) - 1)
    bench.later(10)
    result = bench.confirm_cancel(cancel.client_order_id)
    assert first_taken(bench) == ("adjusting_spreads", "quotes_withdrawn")
    assert not [intent for intent in result.intents if isinstance(intent, PlaceOrder)]


# -- a pause -------------------------------------------------------------------------------------------------------


def monitoring() -> Bench:
    """A machine with a bid and an ask resting."""
    bench = Bench(settings_with(**EXACT_QUOTES), services=services(risk=ScriptedRisk())).start_quoting()
    bench.outbox.clear()
    return bench


def pause(bench: Bench) -> StepResult:
    return bench.tell(OperatorPaused(received_at=bench.now, reason="lunch"))


@pytest.mark.parametrize("state", [*STARTS, "monitoring_orders"])
def test_stale_data_comes_before_a_pause(state: str) -> None:
    """Both lead to IDLE; the edge that is taken says which it was."""
    bench = (STARTS | {"monitoring_orders": monitoring})[state]()
    bench.later(10)  # the age at which data is stale
    pause(bench)
    assert first_taken(bench) == (state, "quotes_withdrawn")


@pytest.mark.parametrize("state", STARTS)
def test_a_pause_comes_before_what_is_left_to_send(state: str) -> None:
    """The pause comes when the quotes are due to be priced again."""
    bench = STARTS[state]()
    bench.later(5)  # the refresh interval
    result = pause(bench)
    assert first_taken(bench) == (state, "operator_paused")
    assert not [intent for intent in result.intents if isinstance(intent, PlaceOrder)]


@pytest.mark.parametrize("left", ["a fill", "old quotes"])
def test_a_pause_comes_before_what_quoting_would_do_next(left: str) -> None:
    """A fill was booked in a step that was interrupted; or the quotes have reached their age."""
    bench = monitoring()
    if left == "a fill":
        bench.machine.services.risk.when_asked = interrupt  # type: ignore[attr-defined]
        with suppress(KeyboardInterrupt):
            bench.fill(bench.live(BID)[0], "0.5")
        bench.machine.services.risk.when_asked = lambda: None  # type: ignore[attr-defined]
        assert bench.context.unhandled_fills
    else:
        bench.later(5)
    result = pause(bench)
    assert first_taken(bench) == ("monitoring_orders", "operator_paused")
    assert not [intent for intent in result.intents if isinstance(intent, PlaceOrder)]


def interrupt() -> None:
    raise KeyboardInterrupt


def test_entering_error_cancels_an_order_of_unknown_outcome_too() -> None:
    """A query is under way for it, which is no reason to leave it alone."""
    bench = placing()
    bid = bench.live(BID)[0]
    bench.lose(bid)
    assert bench.own(bid).is_unknown
    halt(bench)
    result = bench.beat()
    assert first_taken(bench)[1] == "halt"
    assert bid in [intent.client_order_id for intent in result.intents if isinstance(intent, CancelOrder)]
