"""Our machines driven as they run: by their steps, with the real gate, engine, books and services."""

from __future__ import annotations

from typing import Any

import pytest

from mm_fsm.books.facts import Timer
from mm_fsm.coverage.criteria import Criterion
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.testing import InfeasibleError, MachineDriver, StrayedError, UnsupportedChartError, forced, plan_paths, real
from mm_fsm.testing.paths.sneaks import plan_cells
from tests.coverage.recording import recording
from tests.coverage.test_machines import Pump
from tests.machine.bench import Bench
from tests.testing.by_hand import places


class Warm:
    """Makes market makers whose books are warm: reconciled, with a known volatility."""

    def make(self) -> MarketMakingStateMachine:
        self.bench = Bench(is_watched=False)
        return self.bench.machine

    def prepare(self, machine: MarketMakingStateMachine) -> None:
        """Facts that would make the machine quote, were its guards its own."""
        assert machine is self.bench.machine
        self.bench.tell(Timer(received_at=self.bench.now))
        self.bench.report_open_orders()
        self.bench.report_trades()
        self.bench.report_balances()
        for _ in range(6):
            self.bench.book()
            self.bench.later(1)


def market_makers() -> MachineDriver:
    warm = Warm()
    return MachineDriver(MarketMakingStateMachine, warm.make, prepare=warm.prepare)


def pump(**answers: bool) -> Pump:
    machine = Pump()
    machine.answers |= answers
    return machine


def test_guards_are_forced_whatever_the_machines_own_would_answer() -> None:
    """A machine of the class itself takes them, so gate and observers count for it."""
    with recording(Pump) as seen:
        driver = forced(Pump, pump)
        way = places(driver, "idle --begin [is_forced", "running --finish", "idle --begin [has_work", "running --error")
        driven = driver.start(*way)
    assert type(driven.machine) is Pump
    assert driven.taken == [*way]
    assert driven.machine.chart_state == "error"
    assert seen.edges == {"idle.begin": 1, "running.finish": 1, "running.error_execution": 1}
    assert sum(seen.chart.hits.edges.values()) == 4
    assert seen.answers["finish", "has_work", False] == 1


def test_commands_are_carried_by_facts() -> None:
    driver = forced(Pump, pump)
    driven: Any = driver.start(*places(driver, "idle --stop"))
    assert driven.machine.is_final
    assert type(driven.results[-1].fact).__name__ == "StopRequested"


def test_a_machine_that_has_stepped_or_is_of_another_class_is_refused() -> None:
    def stepped() -> Pump:
        machine = pump()
        machine.tick()
        return machine

    with pytest.raises(UnsupportedChartError, match=r"make\(\) gave Pump after 1 steps"):
        forced(Pump, stepped).start()

    class Other(Pump):
        pass

    with pytest.raises(UnsupportedChartError, match=r"make.. gave .*Other after 0 steps"):
        forced(Pump, Other).start()


def test_a_machine_that_leaves_its_initial_state_by_itself_begins_no_path() -> None:
    with pytest.raises(InfeasibleError, match="it left its initial state"):
        real(Pump, {}, lambda: pump(has_work=True)).start(0)


def set_answer(name: str, *, to: bool) -> Any:
    def set_it(machine: Pump) -> None:
        machine.answers[name] = to

    return set_it


def test_real_guards_of_a_machine_are_made_true_and_false() -> None:
    names = ("has_work", "is_paused", "is_forced", "may_stop")
    driver = real(Pump, {name: (set_answer(name, to=True), set_answer(name, to=False)) for name in names}, pump)
    way = places(driver, "idle --begin [has_work", "running --finish", "idle --begin [is_forced", "running --finish")
    driven = driver.start(*way, *places(driver, "idle --stop"))
    assert driven.machine.is_final


def test_what_real_guards_refuse_is_infeasible() -> None:
    """It has work, but is paused, and no condition is given for that."""
    conditions = {"has_work": (set_answer("has_work", to=True), set_answer("has_work", to=False))}
    driver = real(Pump, conditions, lambda: pump(is_paused=True))
    with pytest.raises(InfeasibleError, match=r"expected idle --begin .has_work and not is_paused.--> running"):
        driver.start(*places(driver, "idle --begin [has_work"))


# -- the market maker ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def driver() -> MachineDriver:
    return market_makers()


def test_what_a_state_passes_on_is_taken_in_one_step(driver: MachineDriver) -> None:
    """Quotes are priced and placed by the real services in one step."""
    driven = driver.start(
        *places(driver, "idle --ready", "calculating_spreads --spreads", "placing_orders --orders_placed")
    )
    assert driven.active == {"monitoring_orders"}
    assert [len(result.transitions) for result in driven.results] == [2, 1]
    assert driven.results[0].intents


def test_nothing_can_be_sent_by_a_step_where_the_machine_passes_through(driver: MachineDriver) -> None:
    left_out = plan_paths(driver, "transitions").left_out
    assert set(left_out) == {
        f"{state} --{event}"
        for state, event in (
            ("calculating_spreads", "error_execution--> error"),
            ("calculating_spreads", "stop--> inventory_management"),
            ("order_filled", "error_execution--> error"),
            ("order_filled", "stop--> inventory_management"),
        )
    }


def test_every_round_trip_is_really_gone(driver: MachineDriver) -> None:
    """But for those that stop twice: a machine that is stopping takes no second stop."""
    twice = {"*--stop-->*, then *--stop-->*": "it is stopping already"}
    with recording(MarketMakingStateMachine) as seen:
        plan = plan_paths(driver, "roundtrip", exclude=twice)
        for path in plan.paths:
            driver.start(*path)
    result = seen.criterion(Criterion.ROUNDTRIP)
    assert {one.key for one in result.missing} == set(plan.left_out)
    assert (result.covered, len(plan.left_out)) == (36, 5)


def test_nothing_sneaks_into_the_books(driver: MachineDriver) -> None:
    """Every cell, those of states that it only passes through too, between two transitions of one step."""
    with recording(MarketMakingStateMachine) as seen:
        cells, left_out = plan_cells(driver)
        for cell in cells:
            cell.run()
    assert left_out == {}
    assert (len(cells), seen.criterion(Criterion.SNEAK).covered) == (159, 159)


def test_a_change_of_the_books_is_found() -> None:
    """The event itself changes nothing here; what the test does meanwhile stands for a machine that does."""

    class Meddling(MachineDriver):
        def snapshot(self, driven: Any) -> Any:
            found = super().snapshot(driven)
            driven.machine.context.adjustment_count += 1
            return found

    warm = Warm()
    cells, _ = plan_cells(Meddling(MarketMakingStateMachine, warm.make, prepare=warm.prepare))
    with pytest.raises(AssertionError, match="context changed from"):
        cells[0].run()


def test_an_edge_that_a_machine_takes_by_itself_is_noticed(driver: MachineDriver) -> None:
    """A second stop is not taken by one that is stopping, so the path strays, and says where."""
    with pytest.raises(StrayedError, match="expected inventory_management --stop--> inventory_management") as caught:
        driver.start(*places(driver, "idle --stop", "inventory_management --stop"))
    assert caught.value.path == ("idle --stop--> inventory_management",)
