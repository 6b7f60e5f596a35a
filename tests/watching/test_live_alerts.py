"""At a rehearsal exchange: faults that it makes reach people through a target on loopback, with reason and end."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.watching_settings import AlertSettings
from mm_fsm.testing.rehearsal.fault_menu import Fault, FaultKind, Where
from mm_fsm.watching.alert_targets import read_targets
from mm_fsm.watching.run_alerts import RunAlerts
from tests.venues.ccxt_venue.live_stage import LiveMarketMaker, live, play
from tests.watching.http_target import HttpTarget, http_target

VARIABLE = "MM_FSM_TEST_TARGETS"


def session_of(maker: LiveMarketMaker) -> Any:
    """A session, as far as alerts look at it."""
    return SimpleNamespace(symbol=maker.symbol, machine=maker.machine, why_down=None)


def titles(target: HttpTarget) -> Callable[[], list[str]]:
    """Every title so far."""
    found: list[str] = []

    def told() -> list[str]:
        found.extend(each["title"] for each in target.all())
        return found

    return told


def test_a_lost_stream_and_an_order_without_an_answer_are_told_and_their_ends_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The exchange ends the stream of own orders, then leaves a placement without an answer."""
    faults = (
        Fault(kind=FaultKind.USER_STREAM_ENDED, where=Where.ORDERS, after=4),
        Fault(kind=FaultKind.HANG_BEFORE, where=Where.PLACE, after=12),
    )

    async def part(target: HttpTarget) -> None:
        async with live(*faults) as stage:
            maker = stage.maker
            settings = AlertSettings(targets_variable=VARIABLE, unconfirmed_seconds=0.2, summary_seconds=1.0)
            session, told = session_of(maker), titles(target)
            alerts = RunAlerts([session], settings, read_targets(settings))
            note = maker.runner._on_result

            def take(result: StepResult) -> None:
                note(result)
                alerts.take(session, result)

            maker.runner._on_result = take

            def has(*wanted: str) -> bool:
                alerts.tick()
                return all(any(each.startswith(f"mm-fsm: {words}") for each in told()) for words in wanted)

            await stage.until(lambda: has(f"Feed lost: {maker.symbol}", "Feed lost over"))
            await stage.until(lambda: has(f"Unconfirmed orders: {maker.symbol}", "Unconfirmed orders over"))
            await stage.stop()
            alerts.close()

    with http_target() as target:
        monkeypatch.setenv(VARIABLE, target.address)
        play(lambda: part(target))
