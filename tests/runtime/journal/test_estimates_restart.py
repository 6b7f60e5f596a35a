"""A restart begins estimates anew: trades that were not booked again would read as a quiet market."""

from __future__ import annotations

from pathlib import Path

from mm_fsm.books.signals import Signal
from mm_fsm.core.settings import MarketMakingSettings, ServiceNames
from mm_fsm.services.permission import WARMING_UP, first_hold
from mm_fsm.services.registry import load_services
from tests.runtime.journal.scenario import World, begin, kill, plan_at, settings_with


def settings() -> MarketMakingSettings:
    options = {"risk_aversion": 1e-4, "decay_per_bps": "estimated", "intensity_per_second": "estimated"}
    return settings_with(
        services=ServiceNames(spreads="glft"),
        service_options={"glft": options},
    )


def test_a_restart_holds_until_its_estimates_are_warm_again(tmp_path: Path) -> None:
    world, chosen = World(), settings()
    services = load_services(chosen.services, chosen.service_options)
    run = begin(plan_at(tmp_path / "run.journal", settings=chosen, services=services))
    world.run(run, 60)
    before = run.machine.machine.context.signals
    assert before.running == (Signal.INTENSITY,)
    assert before.intensity is not None
    kill(run)
    run = begin(plan_at(tmp_path / "run.journal", settings=chosen, services=services))
    after = run.machine.machine.context
    assert after.signals.running == (Signal.INTENSITY,)
    assert all(takers.snapshot()[3] < 10 for takers in after.signals.takers.values())
    assert after.signals.cold is Signal.INTENSITY
    hold = first_hold(WARMING_UP, after)
    assert hold is not None
    kill(run)
