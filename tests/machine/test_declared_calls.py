"""The services that an action declares are those that it calls: recorded by stand-ins while the machine works."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import Any, get_type_hints

from attrs import evolve

from mm_fsm.chart import definition_of
from mm_fsm.core.decisions import Fault, FaultCode
from mm_fsm.core.messages import Side
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.services.protocols import Services
from mm_fsm.services.registry import default_services
from tests.machine.bench import Bench, settings_with
from tests.machine.scripted import ScriptedRisk

CAUSE = Fault(code=FaultCode.CUSTOM, reason="a test said so", transient=True)


class Recorder:
    """Notes each service's method under every action that is running when it is called."""

    def __init__(self) -> None:
        self.running: list[str] = []
        self.called: dict[str, set[str]] = defaultdict(set)

    def action(self, name: str) -> Callable[[Any], None]:
        """An action of the market maker that says when it begins and ends."""
        real = getattr(MarketMakingStateMachine, name)

        def run(machine: Any) -> None:
            self.called[name] |= set()
            self.running.append(name)
            try:
                real(machine)
            finally:
                self.running.pop()

        return run

    def note(self, call: str) -> None:
        """A service is called."""
        for name in self.running:
            self.called[name].add(call)

    def stand_in_for(self, services: Services) -> Services:
        """The same services, each behind a stand-in that notes its calls."""
        roles = get_type_hints(Services)
        return evolve(services, **{role: StandIn(self, role, getattr(services, role)) for role in roles})


class StandIn:
    """Passes every call on, and notes it."""

    def __init__(self, recorder: Recorder, role: str, service: Any) -> None:
        self._recorder, self._role, self._service = recorder, role, service

    def __getattr__(self, name: str) -> Any:
        self._recorder.note(f"{self._role}.{name}")
        return getattr(self._service, name)


def recorded() -> dict[str, set[str]]:
    """What every action called: in quoting, an adjustment, a halt, a failed check, a recovery and a late wind-down."""
    recorder, risk = Recorder(), ScriptedRisk()
    actions = {name: recorder.action(name) for name in definition_of(MarketMakingStateMachine).callback_names}
    machine = type(MarketMakingStateMachine)("Recorded", (MarketMakingStateMachine,), actions)
    services = recorder.stand_in_for(default_services(risk=risk))
    bench = Bench(
        settings_with(
            max_position_size=Decimal(5),
            recovery_backoff_seconds=0.1,
            wind_down_passive_seconds=5.0,
            wind_down_deadline_seconds=5.0,
        ),
        services=services,
        machine=machine,
    ).start_quoting()
    bench.later(0.1)
    bench.book("99.49", "99.51")
    bench.run(5)
    bench.fill(bench.live(Side.BID)[0])
    bench.run(5)
    bench.deposit("9")
    bench.run(60)
    risk.cause = CAUSE
    bench.run_until(lambda: bench.state == "error", 60)
    risk.cause, risk.failed_check = None, CAUSE
    bench.run_until(lambda: "note_failed_checks" in recorder.called, 60)
    risk.failed_check = None
    bench.run(10)
    bench.fills_reducing_orders = False
    bench.deposit("9")
    bench.stop()
    bench.run_until(lambda: bench.machine.is_final, 30)
    return recorder.called


def test_declared_calls_are_the_calls_made() -> None:
    definition = definition_of(MarketMakingStateMachine)
    actions = [*(a for state in definition.states for a in (*state.enter, *state.exit))]
    actions += [a for edge in definition.edges for a in (*edge.before, *edge.on, *edge.after)]
    declared = {action.name: set(action.calls) for action in actions}
    called = recorded()
    assert called == {name: calls for name, calls in declared.items() if name in called}
    assert {name for name, calls in declared.items() if calls} <= called.keys()


def test_every_declared_call_names_a_method_of_a_service() -> None:
    methods = {
        f"{role}.{name}"
        for role, protocol in get_type_hints(Services).items()
        for name in vars(protocol)
        if not name.startswith("_")
    }
    definition = definition_of(MarketMakingStateMachine)
    declared = {call for state in definition.states for action in state.enter for call in action.calls}
    declared |= {call for edge in definition.edges for action in edge.on for call in action.calls}
    assert declared <= methods
