"""Once the venue answers honestly again, the machine quotes again or has ended for a reason that it names."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.machine.bench import SECOND, Bench
from tests.machine.storm import Operation, Storm, operations, sessions
from tests.machine.test_random_facts import Session

ORDINARY_HOLDS = {None, "inventory_limit", "funds", "below_minimum", "adverse_selection"}
"""What may keep a side out of a sound market for ever: no room, no money, or orders too small."""

PATIENCE = 240.0
"""Seconds of fact time: recoveries back off for up to 1 + 2 + 4 s, unknown orders take 8 s and two looks, books that
differ are looked at again every 10 s, and a fault that is not retried winds down for up to 120 s."""


def is_well(bench: Bench) -> bool:
    if bench.state == "completed":
        return bool(bench.context.latched) or bool(bench.context.stop_reason) or bench.context.fault is not None
    return bench.state == "monitoring_orders" and set(bench.holds().values()) <= ORDINARY_HOLDS


@settings(max_examples=60)
@given(session=sessions(), story=st.lists(operations(), min_size=5, max_size=40))
def test_the_machine_returns_to_quoting_or_names_why_it_ended(session: Session, story: list[Operation]) -> None:
    storm = Storm(session)
    bench = storm.play(story)
    storm.calm()
    bench.run_until(lambda: is_well(bench), PATIENCE, step=2.0)


@settings(max_examples=60)
@given(session=sessions(), story=st.lists(operations(), min_size=5, max_size=40), flatten=st.booleans())
def test_a_stop_always_ends_the_session_soon_after_the_wind_downs_deadline(
    session: Session, story: list[Operation], flatten: bool
) -> None:
    storm = Storm(session)
    bench = storm.play(story)
    storm.calm()
    had_ended = bench.machine.is_final
    asked_at = bench.now
    bench.stop(flatten=flatten)
    slack = 60.0
    deadline = session[0].wind_down_deadline_seconds
    bench.run_until(lambda: bench.machine.is_final, deadline + slack, step=2.0)
    assert bench.now <= asked_at + (deadline + slack) * SECOND
    result = bench.machine.result()
    assert result.success is (result.error is None)
    if result.success and not bench.context.keeps_position and not had_ended:
        is_flat = bench.machine.services.inventory.is_reduced(bench.context)
        assert is_flat, "a success that left the position where it was"
