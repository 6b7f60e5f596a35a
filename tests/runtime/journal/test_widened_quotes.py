"""What a quote owes to widening is known of it after a restart, too: its fills may be told only then."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from mm_fsm.runtime.recovery import OpenRun
from tests.runtime.journal.scenario import SECOND, World, begin, kill, plan_at, settings_with


def owed(run: OpenRun) -> Mapping[str, float]:
    orders = run.machine.machine.context.orders.live()
    return {order.client_order_id: order.widened_bps for order in orders}


@pytest.mark.parametrize("end", ["a crash", "an end with a snapshot"])
def test_what_live_quotes_owe_to_widening_survives_a_restart(tmp_path: Path, end: str) -> None:
    settings = settings_with(adverse_selection_minimum_fills=2, requote_tolerance_towards_share=0.0)
    world, plan = World(), plan_at(tmp_path / "run.journal", settings=settings)
    run = begin(plan)
    world.run(run, 20)
    edge = run.machine.machine.context.markouts.quote_edge
    for number in range(1, 41):
        edge.add(world.now + number * 120 * SECOND, -5.0 + (number % 2) / 100, 1e6)
    world.run(run, 60, until=lambda _: min(owed(run).values(), default=0.0) > 5)
    before = owed(run)
    assert min(before.values()) > 5
    kill(run) if end == "a crash" else run.close()
    run = begin(plan)
    assert before.items() <= owed(run).items()  # a crash forgets answers, so orders that were gone are back as UNKNOWN
    kill(run)
