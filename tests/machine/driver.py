"""Drives a market maker into any state and through any edge of its chart: by facts, and by what services answer.

No guard is replaced. A machine that has just taken an edge mostly goes on in the same step, so the risk service, which
every state but ERROR asks before anything else, interrupts the step there, as Ctrl-C would. The machine then stands
right behind the edge, and the next fact decides what comes next.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any, Final

from mm_fsm.books.facts import JournalFailed, OperatorPaused, OperatorResumed, Timer
from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.messages import OrderPurpose, PlaceOrder, Side
from mm_fsm.machine.observers import MachineObserver
from mm_fsm.machine.results import TransitionRecord
from mm_fsm.machine.stepper import TRANSITION_LIMIT
from tests.machine.bench import Bench, VenueOrder, settings_with
from tests.machine.scripted import ScriptedInventory, ScriptedRisk, fault, services
from tests.strategies import EXACT_QUOTES

Edge = tuple[str, str]
"""Source and event: the chart has no two edges that share both."""


class Way(MachineObserver):
    """Every edge taken, in order, and where it led."""

    def __init__(self) -> None:
        self.edges: list[Edge] = []
        self.targets: list[str] = []

    def transition_was_taken(self, transition: TransitionRecord, time: int) -> None:
        self.edges.append((transition.source, transition.event))
        self.targets.append(transition.target)


class Driver:
    """A bench whose risk and inventory services do what they are told.

    Args:
        changes: settings other than the bench's.
    """

    def __init__(self, **changes: Any) -> None:
        self.risk = ScriptedRisk()
        self.inventory = ScriptedInventory()
        values = {**EXACT_QUOTES, "validity_window_seconds": 3_600.0} | changes
        self.bench = Bench(settings_with(**values), services=services(risk=self.risk, inventory=self.inventory))
        self.way = Way()
        self.bench.machine.observe(self.way)
        self.strangers = count(1)

    def take(self, edge: Edge, by: Callable[[Driver], None] | None = None) -> None:
        """Make the machine take an edge from the state it is in, and stay behind it where it would go on.

        ``by`` is what happens, if not what ``HAPPENINGS`` has for the event.
        """
        before = self.way.edges.count(edge)

        def interrupt() -> None:
            if self.way.edges.count(edge) > before:
                raise KeyboardInterrupt

        self.risk.when_asked = interrupt
        with suppress(KeyboardInterrupt):
            (by or HAPPENINGS[edge[1]])(self)
        self.risk.when_asked = lambda: None
        self.risk.cause = self.risk.failed_check = None
        self.inventory.finds, self.inventory.error = "", None


# -- into a state --------------------------------------------------------------------------------------------------


def reach(state: str, **changes: Any) -> Driver:
    """A new machine, by an ordinary way in the state, with its first requests there not answered yet."""
    driver = Driver(**changes)
    driver.bench.book()
    WAYS[state](driver)
    assert driver.bench.state == state
    return driver


def _begin_placing(driver: Driver) -> None:
    bench = driver.bench
    for _ in range(30):  # seconds: a machine that is wrong on purpose may never get there
        if bench.state == "placing_orders":
            return
        bench.settle()
        bench.later(1)
        bench.book()


def _begin_adjusting(driver: Driver) -> None:
    driver.bench.start_quoting().later(0.1)
    driver.bench.book("99.49", "99.51")


def _begin_reducing(driver: Driver) -> None:
    pass_limit(_quoting(driver))


def _complete(driver: Driver) -> None:
    driver.bench.start_quoting().stop(flatten=False)
    driver.bench.settle()


def _quoting(driver: Driver) -> Driver:
    driver.bench.start_quoting()
    return driver


WAYS: Final[dict[str, Callable[[Driver], object]]] = {
    "idle": lambda driver: None,
    "calculating_spreads": lambda driver: driver.take(("idle", "ready")),
    "placing_orders": _begin_placing,
    "monitoring_orders": _quoting,
    "adjusting_spreads": _begin_adjusting,
    "order_filled": lambda driver: _quoting(driver).take(("monitoring_orders", "fills_arrived")),
    "inventory_management": _begin_reducing,
    "completed": _complete,
    "error": lambda driver: _quoting(driver).take(("monitoring_orders", "halt")),
}


# -- through an edge -----------------------------------------------------------------------------------------------


def halt(driver: Driver) -> None:
    """Risk names a cause. While the position is being wound down none counts, so there the journal fails."""
    bench = driver.bench
    if bench.context.is_stopping:
        bench.tell(JournalFailed(received_at=bench.now, reason="the disk is full"))
        return
    driver.risk.cause = fault(transient=True)
    bench.beat()


def halt_without_rest(driver: Driver) -> None:
    """Inventory never has enough, and risk names a cause when as many edges were taken as one step may take."""
    asked = count(1)

    def name_cause_at_last() -> None:
        if next(asked) == TRANSITION_LIMIT:
            driver.risk.cause = fault(transient=True)

    driver.risk.when_asked = name_cause_at_last
    driver.inventory.finds = "work"
    driver.bench.beat()


def let_data_grow_old(driver: Driver) -> None:
    bench = driver.bench
    bench.now += nanoseconds(bench.context.settings.stale_data_seconds)
    bench.tell(Timer(received_at=bench.now))


def fail_a_check(driver: Driver) -> None:
    driver.risk.failed_check = fault(transient=True)
    driver.bench.beat()


def pause(driver: Driver) -> None:
    driver.bench.tell(OperatorPaused(received_at=driver.bench.now, reason="lunch"))


def let_time_pass(driver: Driver) -> None:
    """An operator who paused quoting resumes it."""
    driver.bench.tell(OperatorResumed(received_at=driver.bench.now))
    driver.bench.book()
    driver.bench.run(8)


def beat(driver: Driver) -> None:
    driver.bench.beat()


def report_open_orders(driver: Driver) -> None:
    """After such a report there may be more to send."""
    driver.bench.report_open_orders()


def settle(driver: Driver) -> None:
    driver.bench.beat()
    driver.bench.settle()


def fill(driver: Driver) -> None:
    driver.bench.fill(driver.bench.live(Side.BID)[0], "0.5")


def pass_limit(driver: Driver) -> None:
    """50 units arrive from outside; the limit is about 20."""
    driver.bench.deposit("50")


def let_quotes_grow_old(driver: Driver) -> None:
    """Their prices are still right."""
    driver.bench.later(driver.bench.context.settings.refresh_interval_seconds)
    driver.bench.book()


def find_nothing_to_do(driver: Driver) -> None:
    driver.inventory.finds = "nothing to do"
    driver.bench.beat()


def let_it_end(driver: Driver) -> None:
    if not driver.bench.context.is_stopping:
        driver.bench.stop()
    driver.inventory.finds = "nothing to do"
    driver.bench.run(4)


def find_work(driver: Driver) -> None:
    driver.inventory.finds = "work"
    driver.bench.beat()


def find_stray(driver: Driver) -> None:
    """An order of this strategy that an earlier process left behind is found open, while the data is old."""
    bench, name = driver.bench, f"{driver.bench.context.settings.strategy_id}-earlier-{next(driver.strangers)}"
    bench.later(bench.context.settings.stale_data_seconds)
    order = PlaceOrder(
        symbol=bench.context.settings.symbol,
        client_order_id=name,
        side=Side.BID,
        price=bench.best[Side.BID],
        quantity=bench.context.instrument.minimum_quantity,
        purpose=OrderPurpose.QUOTE,
        level=0,
    )
    bench.orders[name] = VenueOrder(order, is_known=True, is_open=True)
    assert bench.watch is not None
    bench.watch.sent[name] = order
    bench.report_open_orders()


def break_a_service(driver: Driver) -> None:
    """Risk, which every other state asks first; in ERROR inventory, which a command to stop leads to."""
    if driver.bench.state == "error":
        driver.inventory.error = RuntimeError
        driver.bench.stop()
        return
    driver.risk.when_asked = lambda: 1 / 0
    driver.bench.beat()


def stop(driver: Driver) -> None:
    driver.bench.stop()


HAPPENINGS: Final[dict[str, Callable[[Driver], None]]] = {
    "halt": halt,
    "quotes_withdrawn": let_data_grow_old,
    "operator_paused": pause,
    "checks_failed": fail_a_check,
    "ready": let_time_pass,
    "spreads_calculated": beat,
    "placing_continued": report_open_orders,
    "orders_placed": settle,
    "adjusting_continued": report_open_orders,
    "spreads_adjusted": settle,
    "fills_arrived": fill,
    "limit_passed": pass_limit,
    "quotes_went_stale": let_quotes_grow_old,
    "fills_handled": beat,
    "wound_down": let_it_end,
    "manage_again": find_work,
    "next_cycle": find_nothing_to_do,
    "recover": let_time_pass,
    "wind_down": let_time_pass,
    "give_up": let_time_pass,
    "strays_found": find_stray,
    "error_execution": break_a_service,
    "stop": stop,
}
"""What makes each edge the next one that is taken, wherever it leads from."""

SETTINGS: Final[dict[str, dict[str, Any]]] = {
    "wind_down": {"max_recovery_attempts": 0},
    "give_up": {"max_recovery_attempts": 0, "wind_down_on_fault": False},
}
"""Settings with which a fault leads where it does not lead by default."""
