"""Whatever raises, wherever it is called: the machine ends in ERROR with cancels in flight and its books intact.

A story that leads through the whole chart is told once to note every call of a service, a guard or an action, with the
state it came in. Then it is told again for each kind of call, which raises the first time, or every time. ``Watch``
looks at every step: nothing placed in a step with a fault, no order left alone in ERROR, books to the last digit.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from decimal import Decimal
from functools import cache, partial
from typing import Any

import pytest

from mm_fsm.chart import definition_of
from mm_fsm.core.messages import CancelOrder, PlaceOrder, RequestKind, Side
from mm_fsm.machine.market_making import MarketMakingStateMachine
from tests.machine.bench import Bench, settings_with
from tests.machine.scripted import ScriptedRisk, fault, services
from tests.strategies import EXACT_QUOTES

BID = Side.BID
SERVICES = {
    "spreads": ("hold_market", "price_quotes", "are_quotes_stale"),
    "orders": ("plan_changes",),
    "inventory": ("assess", "next_action", "is_reduced"),
    "risk": ("review", "check_cycle", "halt_cause"),
}
DEFINITION = definition_of(MarketMakingStateMachine)
METHODS = (*DEFINITION.guard_names, *DEFINITION.callback_names)

Call = tuple[str, str, str]
"""What is called, in which state, by whom."""


class SabotageError(Exception):
    """What the sabotaged call raises."""


class Saboteur:
    """Notes every call, and raises in the ones it was told to."""

    def __init__(
        self, target: Call | None = None, *, times: int = 0, after: int = 0, error: type[BaseException] = SabotageError
    ) -> None:
        self.target = target
        self.left = times
        self.after = after
        """How many such calls pass first."""
        self.error = error
        self.calls: dict[Call, int] = {}
        self.struck_in: list[str] = []
        self.machine: Any = None

    def note(self, name: str, caller: str) -> None:
        call = (name, self.machine.chart_state, caller)
        self.calls[call] = self.calls.get(call, 0) + 1
        if call == self.target and self.left and self.calls[call] > self.after:
            self.left -= 1
            self.struck_in.append(call[1])
            raise self.error(f"sabotaged {name}")


def sabotage(service: Any, role: str, saboteur: Saboteur) -> Any:
    """Let every method of a service's protocol go past the saboteur."""
    for name in SERVICES[role]:
        setattr(service, name, _wrapped(getattr(service, name), f"{role}.{name}", saboteur))
    return service


def _wrapped(real: Callable[..., Any], name: str, saboteur: Saboteur) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:
        saboteur.note(name, sys._getframe(1).f_code.co_name)
        return real(*arguments)

    return call


def sabotaged_class(saboteur: Saboteur) -> type[MarketMakingStateMachine]:
    """A subclass in which every guard and action goes past the saboteur."""
    body: dict[str, Any] = {}
    for name in METHODS:
        body[name] = _method(name, saboteur)
    return type("Sabotaged", (MarketMakingStateMachine,), body)


def _method(name: str, saboteur: Saboteur) -> Callable[..., Any]:
    real = getattr(MarketMakingStateMachine, name)

    def method(self: Any) -> Any:
        saboteur.note(name, "")
        return real(self)

    method.__name__ = name
    return method


def new_bench(saboteur: Saboteur, *, is_of_methods: bool, executor: str = "table", **changes: Any) -> Bench:
    chosen: Any = services(risk=ScriptedRisk())
    machine: Any = MarketMakingStateMachine
    if is_of_methods:
        machine = sabotaged_class(saboteur)
    else:
        chosen = services(risk=ScriptedRisk())
        for role in SERVICES:
            sabotage(getattr(chosen, role), role, saboteur)
    values = {**EXACT_QUOTES, "target_base": Decimal(99), "request_timeout_seconds": 3.0} | changes
    bench = Bench(settings_with(**values), services=chosen, machine=partial(machine, executor=executor))
    saboteur.machine = bench.machine
    return bench


# -- the story -----------------------------------------------------------------------------------------------------


def halt(bench: Bench, *, transient: bool = True) -> None:
    risk = bench.machine.services.risk
    risk.cause = fault(transient=transient)
    bench.beat()
    risk.cause = None


def begin(bench: Bench) -> None:
    """Through quoting, fills, requotes, an adjustment, old data, an order found again, and a recovery."""
    bench.run(6, step=1.5)
    if bench.live(BID):
        bench.fill(bench.live(BID)[0], "0.5")
    bench.run(2)
    bench.book("99.49", "99.51")
    if placed := bench.sent(PlaceOrder):
        bench.reject(placed[-1].client_order_id)
    bench.run(2)
    bench.deposit("50")
    bench.run(12, step=4)
    if bench.live(BID):
        bench.lose(bench.live(BID)[0], RequestKind.CANCEL)
    bench.wait(11)  # the data is old now: quotes go
    bench.run(6, step=2)
    halt(bench)
    bench.run(6, step=2)


def end_by_stop(bench: Bench) -> None:
    bench.stop()
    bench.run(90, step=10)


def end_by_fault(bench: Bench) -> None:
    halt(bench, transient=False)
    bench.run(90, step=10)


def end_after_all(bench: Bench) -> None:
    begin(bench)
    end_by_stop(bench)


ENDINGS: dict[str, tuple[Callable[[Bench], None], dict[str, Any]]] = {
    "stop": (end_by_stop, {}),
    "wind_down": (end_by_fault, {}),
    "give_up": (end_by_fault, {"wind_down_on_fault": False}),
}


def tell(saboteur: Saboteur, ending: str, *, is_of_methods: bool, executor: str = "table") -> Bench:
    """The whole story; a machine that has ended hears no more of it."""
    end, changes = ENDINGS[ending]
    bench = new_bench(saboteur, is_of_methods=is_of_methods, executor=executor, **changes)
    begin(bench)
    end(bench)
    return bench


@cache
def calls(*, is_of_methods: bool) -> dict[Call, str]:
    """Every kind of call, with the first ending in which it comes."""
    found: dict[Call, str] = {}
    for ending in ENDINGS:
        saboteur = Saboteur()
        bench = tell(saboteur, ending, is_of_methods=is_of_methods)
        assert bench.state == "completed"
        assert bench.machine.result().success is (ending == "stop")
        for call in saboteur.calls:
            found.setdefault(call, ending)
    return found


def cases(*, is_of_methods: bool) -> list[Any]:
    found = calls(is_of_methods=is_of_methods)
    return [pytest.param(call, ending, id="-".join(filter(None, call))) for call, ending in found.items()]


def judge(bench: Bench, saboteur: Saboteur) -> None:
    """What must be true of every run in which something raised. ``Watch`` has looked at every step before."""
    assert saboteur.struck_in, "the call that was to raise never came"
    failed = [result for result in bench.results if any("sabotaged" in found.reason for found in result.faults)]
    assert len(failed) >= 1
    for result in failed:
        assert result.state in {"error", "completed"}
        assert not [intent for intent in result.intents if isinstance(intent, PlaceOrder)]
    assert bench.context.ledger.identity_gap() == 0
    assert bench.context.orders.strays() == ()


def test_the_story_calls_every_service_guard_and_action() -> None:
    of_services = {call[0] for call in calls(is_of_methods=False)}
    assert of_services == {f"{role}.{name}" for role, names in SERVICES.items() for name in names}
    of_methods = {call[0] for call in calls(is_of_methods=True)}
    assert set(METHODS) - of_methods <= {"cancel_strays", "note_failed_checks", "checks_fail"}


@pytest.mark.parametrize("times", [1, 10_000], ids=["once", "always"])
@pytest.mark.parametrize(("call", "ending"), cases(is_of_methods=False))
def test_a_service_that_raises_ends_in_error_with_the_books_intact(call: Call, ending: str, times: int) -> None:
    saboteur = Saboteur(call, times=times)
    bench = tell(saboteur, ending, is_of_methods=False)
    judge(bench, saboteur)
    assert times > 1 or bench.state == "completed"


@pytest.mark.parametrize("call", [call for call in calls(is_of_methods=True) if call[0] in DEFINITION.guard_names])
def test_a_guard_that_raises_when_the_engine_asks_it_again_is_a_fault_too(call: Call) -> None:
    """The gate has asked before, and was answered; a table does not ask again."""
    saboteur = Saboteur(call, times=1, after=1)
    bench = tell(saboteur, calls(is_of_methods=True)[call], is_of_methods=True, executor="engine")
    if saboteur.struck_in:
        judge(bench, saboteur)
    assert bench.state == "completed"


@pytest.mark.parametrize("times", [1, 10_000], ids=["once", "always"])
@pytest.mark.parametrize(("call", "ending"), cases(is_of_methods=True))
def test_a_guard_or_an_action_that_raises_ends_in_error_with_the_books_intact(
    call: Call, ending: str, times: int
) -> None:
    saboteur = Saboteur(call, times=times)
    bench = tell(saboteur, ending, is_of_methods=True)
    judge(bench, saboteur)
    assert times > 1 or bench.state == "completed"


@pytest.mark.parametrize(
    ("call", "is_of_methods"),
    [
        (("spreads.price_quotes", "calculating_spreads", "calculate_spreads"), False),
        (("risk.review", "placing_orders", "place_orders"), False),
        (("risk.review", "inventory_management", "manage_inventory"), False),
        (("risk.halt_cause", "monitoring_orders", "find_halt"), False),
        (("spreads.hold_market", "idle", "_read_sides"), False),
        (("begin_cycle", "idle", ""), True),
        (("manage_inventory", "inventory_management", ""), True),
        (("cancel_everything", "error", ""), True),
        (("worth_retrying", "error", ""), True),
    ],
)
def test_an_interruption_goes_to_the_host_and_the_machine_can_be_stopped_afterwards(
    call: Call, is_of_methods: bool
) -> None:
    """It is no fault of the machine's: it propagates, what was being placed is withdrawn, and facts go on as before."""
    saboteur = Saboteur(call, times=1, error=KeyboardInterrupt)
    bench = new_bench(saboteur, is_of_methods=is_of_methods)
    with pytest.raises(KeyboardInterrupt):
        end_after_all(bench)
    assert not [intent for intent in bench.machine.desk._draft.intents if isinstance(intent, PlaceOrder)]
    assert bench.context.ledger.identity_gap() == 0
    begun = len(bench.results)
    bench.stop(flatten=False)
    placed = [intent for result in bench.results[begun:] for intent in result.intents if isinstance(intent, PlaceOrder)]
    assert placed == []
    bench.run_until(lambda: bench.machine.is_final, 60)
    assert not bench.live()


def test_the_second_placement_that_risk_fails_on_takes_the_first_back() -> None:
    """The bid was approved and staged before the review of the ask raised."""
    call = ("risk.review", "placing_orders", "place_orders")
    saboteur = Saboteur(call, times=1, after=1)
    bench = new_bench(saboteur, is_of_methods=False)
    while not saboteur.struck_in:
        bench.settle()
        bench.later(1)
        bench.book()
    assert bench.state == "error"
    assert bench.sent(PlaceOrder) == []
    assert bench.sent(CancelOrder) == []
    assert bench.context.orders.count == 0
    assert bench.context.request_rates.orders_in_interval(bench.context.now) == 0
