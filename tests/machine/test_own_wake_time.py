"""A machine may name a time of its own at which it wants to be woken: ``find_wake_time``."""

from __future__ import annotations

from typing import Any

import pytest

from mm_fsm.books.facts import Timer
from mm_fsm.core.decisions import FaultCode
from mm_fsm.core.messages import CancelOrder, PlaceOrder
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.testing.driving.machines import timer
from tests.machine.bench import Bench
from tests.testing.faulty import Thermostat


class Waking(Thermostat):
    """Wants to be woken a while after now; a bare machine has no other deadline."""

    after: int | None = None

    def find_wake_time(self) -> int | None:
        return None if self.after is None else self.now + self.after


@pytest.mark.parametrize(("after", "expected"), [(None, None), (5, 6), (0, None), (-3, None)])
def test_a_time_after_now_is_told_to_the_host_and_no_other(after: int | None, expected: int | None) -> None:
    """The first timer comes at 1; a host that were told 1 or less would call at once, for ever."""
    machine = Waking()
    machine.after = after
    assert machine.step(timer(machine)).wake_at == expected


class Restless(MarketMakingStateMachine):
    """A market maker that wants to be woken at a time of its own, or fails to say when."""

    own: Any = None

    def find_wake_time(self) -> int | None:
        if isinstance(self.own, Exception):
            raise self.own
        return self.own  # type: ignore[no-any-return]


def test_the_earlier_of_both_times_counts() -> None:
    bench = Bench(machine=Restless)
    bench.run(6)
    books = bench.tell(timer_at(bench)).wake_at
    assert books is not None
    for own, expected in ((bench.now + 1, bench.now + 1), (books + 1, books), (None, books)):
        bench.machine.own = own  # type: ignore[attr-defined]
        assert bench.tell(timer_at(bench)).wake_at == expected


def timer_at(bench: Bench) -> Timer:
    """A timer at the bench's own time."""
    return Timer(received_at=bench.now)


@pytest.mark.parametrize("own", [LookupError("no calendar"), "noon"])
def test_a_time_that_cannot_be_found_is_a_fault_and_takes_every_order_out(own: object) -> None:
    """The fact is booked by then: the step returns, and what it was about to place does not leave later either."""
    bench = Bench(machine=Restless)
    bench.run(6)
    assert bench.live()
    bench.machine.own = own  # type: ignore[attr-defined]
    result = bench.tell(timer_at(bench))
    assert [fault.code for fault in result.faults] == [FaultCode.CALLBACK]
    assert "finding the wake time" in result.faults[0].reason
    assert result.state == "error"
    assert {intent.client_order_id for intent in result.intents if isinstance(intent, CancelOrder)} == set(bench.live())
    assert not [intent for intent in result.intents if isinstance(intent, PlaceOrder)]
    bench.machine.own = None  # type: ignore[attr-defined]
    bench.run(10)
    assert not [fault for later in bench.results[-5:] for fault in later.faults]


def test_what_was_about_to_be_placed_is_withdrawn_when_the_time_cannot_be_found() -> None:
    """It fails from the first step on: nothing is ever placed."""
    bench = Bench(machine=Restless)
    bench.machine.own = LookupError("no calendar")  # type: ignore[attr-defined]
    bench.run(8)
    assert bench.sent(PlaceOrder) == []
    assert bench.context.orders.count == 0
