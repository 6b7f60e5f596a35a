"""Trading figures are the session's own: profits add up to its net profit, requests to its intents."""

from __future__ import annotations

from collections import Counter

import pytest

from mm_fsm.core.messages import CancelOrder, PlaceOrder
from mm_fsm.core.rate_rules import DecayingCounter
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.session import for_session
from mm_fsm.runtime.settings_file import read_preset
from mm_fsm.search.trading import between, trade
from mm_fsm.venues.base import time_of
from mm_fsm.venues.paper import PaperPlan

CONFIGURATION = for_session(read_preset("paper_ethusd"), duration_seconds=300, seed=4)


def market() -> list[object]:
    plan = CONFIGURATION.venue
    assert isinstance(plan, PaperPlan)
    return list(plan.market())


def test_profits_add_up_and_requests_are_counted() -> None:
    sent: Counter[type] = Counter()

    def count(result: StepResult) -> None:
        sent.update(type(intent) for intent in result.intents)

    events = market()
    found = trade(CONFIGURATION, events, step_seconds=10, on_result=count)  # type: ignore[arg-type]
    assert (found.orders, found.cancels) == (sent[PlaceOrder], sent[CancelOrder])
    assert found.fills > 0
    whole = trade(CONFIGURATION, events, step_seconds=1e6)  # type: ignore[arg-type]
    assert len(whole.profits) == 1
    assert found.net == pytest.approx(whole.net)
    assert 30 <= len(found.profits) <= 45


def test_a_counter_without_room_refuses_what_it_sees() -> None:
    """A limit that one order passes refuses all of them; one that nothing reaches refuses none."""
    events = market()
    tight = trade(CONFIGURATION, events, counter=DecayingCounter(limit=0.5, decay_per_second=1))  # type: ignore[arg-type]
    wide = trade(CONFIGURATION, events, counter=DecayingCounter(limit=1e9, decay_per_second=1))  # type: ignore[arg-type]
    assert tight.refused_share == 1.0
    assert wide.refused_share == 0.0
    assert tight.orders == wide.orders


def test_a_stretch_begins_and_ends_where_it_says() -> None:
    events = market()
    times = [time_of(event) for event in events]  # type: ignore[arg-type]
    begin, end = times[10], times[-10]
    found = [time_of(event) for event in between(events, begin, end)]  # type: ignore[arg-type]
    assert found == [time for time in times if begin <= time < end]
