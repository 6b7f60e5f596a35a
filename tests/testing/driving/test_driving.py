"""How tests drive a chart: exactly one chosen edge at a time, with guards that are forced or real."""

from __future__ import annotations

from typing import Any

import pytest
from statemachine import State, StateChart, StateMachine

from mm_fsm.books.order_lifecycle import OrderLifecycle
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.testing import (
    InfeasibleError,
    StrayedError,
    TableDriver,
    UnsupportedChartError,
    forced,
    real,
)
from tests.coverage.charts import Download, Lamp, Player
from tests.coverage.recording import recording
from tests.testing.by_hand import TRAFFIC, look_up, places, set_traffic
from tests.testing.charts import (
    Beginning,
    Choice,
    Counting,
    Gauge,
    Kinds,
    Light,
    Passing,
    Shadowed,
)

# -- forced ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", ["by_method", "by_attribute", "by_property", "by_lambda", "by_expression"])
def test_a_guard_of_every_kind_is_forced_without_being_asked(event: str) -> None:
    driver = forced(Kinds)
    driven = driver.start(*places(driver, f"start --{event} ", "end --back", "start --by_refusal"))
    assert driven.active == {"end"}


def test_the_class_is_as_it_was_after_a_machine_was_driven() -> None:
    forced(Kinds).start(0)
    machine = Kinds()
    with pytest.raises(StateMachine.TransitionNotAllowed):
        machine.by_attribute()
    with pytest.raises(ZeroDivisionError):
        machine.by_lambda()


def test_a_driven_machine_is_of_the_class_itself() -> None:
    """So that coverage counts it, with the answers that were forced."""
    with recording(Kinds) as seen:
        driver = forced(Kinds)
        driven = driver.start(*places(driver, "start --by_lambda"))
    assert type(driven.machine) is Kinds
    assert seen.edges == {"start.by_lambda": 1}
    (answer,) = seen.answers
    assert answer[0] == "by_lambda"
    assert answer[2]


@pytest.mark.parametrize(
    ("target", "answers"),
    [
        # The first candidate's guards both hold.
        ("left", {("is_left", True), ("is_sure", True)}),
        # The first is refused by the first of its guards, so that the second of them is not asked.
        ("right", {("is_left", False), ("is_right", True)}),
        ("nowhere", {("is_left", False), ("is_right", False)}),
    ],
)
def test_candidates_before_the_chosen_one_are_refused(target: str, answers: set[tuple[str, bool]]) -> None:
    with recording(Choice) as seen:
        driver = forced(Choice)
        (place,) = (place for place, edge in enumerate(driver.model.definition.edges) if edge.target == target)
        assert driver.start(place).active == {target}
    assert {(guard, answer) for _, guard, answer in seen.answers} == answers


def test_an_edge_behind_one_without_guards_is_found_out() -> None:
    driver = forced(Shadowed)
    with pytest.raises(
        StrayedError, match=r"expected here --go .is_wanted.--> nowhere; found an edge that is tried before"
    ):
        driver.start(1)


def test_an_edge_that_does_not_leave_the_state_names_the_path_tried() -> None:
    driver = forced(Light)
    with pytest.raises(StrayedError) as caught:
        driver.start(*places(driver, "green --slow", "green --smash"))
    assert caught.value.path == ("green --slow [has_traffic]--> yellow",)
    assert caught.value.wanted == ("green --smash--> broken",)
    assert "active: yellow" in caught.value.found


def test_a_callback_that_raises_is_found_with_its_error() -> None:
    def failing() -> Counting:
        machine = Counting()
        machine.fails = True
        return machine

    with pytest.raises(StrayedError, match="raised ArithmeticError: told to; active: here") as caught:
        forced(Counting, failing).start(0)
    assert isinstance(caught.value.__cause__, ArithmeticError)


def test_callbacks_run_unless_they_are_stubbed() -> None:
    assert forced(Counting).start(0, 1, 0).machine.entered == ["there", "there"]
    assert forced(Counting, stubbed=True).start(0, 1, 0).machine.entered == []


def test_asynchronous_machines_are_driven_from_plain_tests() -> None:
    """Its guard is a coroutine that would say no."""

    def offline() -> Download:
        machine = Download()
        machine.online = False
        return machine

    with recording(Download) as seen:
        assert forced(Download, offline).start(0, 1, 0).active == {"running"}
    assert seen.edges == {"idle.start": 2, "running.finish": 1}


def test_states_within_states_are_driven_too() -> None:
    driver = forced(Player)
    driven = driver.start(*places(driver, "slow --faster", "playing --stop", "stopped --play"))
    assert driven.active == {"playing", "slow"}


def test_edges_without_an_event_are_taken_with_the_one_before_them() -> None:
    driver = forced(Passing)
    way = places(driver, "here --go", "between --(no event)", "there --back")
    assert driver.start(*way).taken == [*way]
    assert driver.can_take(way[1])
    assert not driver.can_take(*places(driver, "between --cancel"))


def test_a_path_may_end_where_the_machine_does_not_rest() -> None:
    driver = forced(Passing)
    driven = driver.start(*places(driver, "here --go"))
    assert driven.active == {"there"}
    assert driven.taken == [*places(driver, "here --go", "between --(no event)")]


def test_edges_without_an_event_may_begin_a_path() -> None:
    driver = forced(Beginning)
    both = places(driver, "here --(no event)", "there --(no event)")
    assert driver.start(*both).active == {"beyond"}
    assert driver.start(*both, *places(driver, "beyond --back")).active == {"here"}
    assert driver.start().active == {"here"}
    assert driver.start(*places(driver, "here --go")).active == {"beyond"}


def test_our_charts_run_by_gate_and_engine_without_an_instance() -> None:
    with recording(Gauge) as seen:
        driver = forced(Gauge)
        driven = driver.start(*places(driver, "low --rise", "high --reset", "low --rise", "high --burst"))
    assert driven.active == {"broken"}
    assert driven.calls == ["note_low", "note_low"]
    assert seen.edges == {"low.rise": 2, "high.reset": 1, "high.burst": 1}


def test_our_charts_run_with_the_callbacks_of_an_instance() -> None:
    driver = forced(Gauge, Gauge)
    driven = driver.start(*places(driver, "low --rise", "high --fall"))
    assert driven.machine.notes == 2
    assert driven.machine.level == 0


def test_an_excluded_edge_can_be_forced_all_the_same() -> None:
    """Nothing in the structure prevents it; it is only left out of plans."""
    driver = forced(Lamp)
    assert driver.start(*places(driver, "dark --explode")).active == {"burnt"}


@pytest.mark.parametrize("chart", [int, StateChart, "light"], ids=repr)
def test_what_is_no_chart_is_refused(chart: Any) -> None:
    with pytest.raises(UnsupportedChartError, match="no chart with states"):
        forced(chart)


def test_a_guard_that_only_the_model_has_is_forced_too() -> None:
    class Shelf:
        in_stock = False

    class Order(StateMachine):
        placed = State(initial=True)
        packed = State(final=True)
        pack = placed.to(packed, cond="in_stock")

    assert forced(Order, lambda: Order(Shelf())).start(0).active == {"packed"}


def test_a_machine_of_a_subclass_is_refused() -> None:
    """Coverage would count it for the subclass."""

    class Brighter(Light):
        pass

    with pytest.raises(UnsupportedChartError, match=r"make\(\) gave .*Brighter, whose chart is its own"):
        forced(Light, Brighter).start()


# -- real ------------------------------------------------------------------------------------------------------------


def test_real_guards_are_made_true_and_false_by_the_users_conditions() -> None:
    driver = real(Light, TRAFFIC)
    round_trip = places(driver, "green --slow", "yellow --stop", "red --go")
    driven = driver.start(*round_trip, *round_trip)
    assert driven.active == {"green"}
    assert driven.machine.traffic == 0


def test_what_conditions_cannot_reach_is_infeasible_with_the_path_tried() -> None:
    driver = real(Light, {"has_traffic": (set_traffic(3), set_traffic(1))})
    with pytest.raises(
        InfeasibleError, match=r"expected red --go .not has_traffic.--> green; found that it took nothing"
    ) as caught:
        driver.start(*places(driver, "green --slow", "yellow --stop", "red --go"))
    assert caught.value.path == ("green --slow [has_traffic]--> yellow", "yellow --stop--> red")


def test_a_guard_without_a_condition_is_left_as_it_is() -> None:
    with pytest.raises(InfeasibleError, match="green --slow"):
        real(Light, {}).start(0)


def test_a_condition_for_no_guard_is_refused() -> None:
    with pytest.raises(
        UnsupportedChartError, match=r"conditions are given for \['has_trafic'\].*guards are \['has_traffic'\]"
    ):
        real(Light, {"has_trafic": TRAFFIC["has_traffic"]})


def test_real_guards_of_our_own_charts() -> None:
    """The level that makes one guard true makes the other false as well: candidates ahead are refused by conditions."""

    def level(number: int) -> Any:
        def set_it(gauge: Gauge) -> None:
            gauge.level = number

        return set_it

    driver = real(Gauge, {"is_high": (level(11), level(0)), "is_too_high": (level(101), level(11))})
    driven = driver.start(*places(driver, "low --rise", "high --burst"))
    assert driven.machine.level == 101


# -- tables ----------------------------------------------------------------------------------------------------------


def test_a_compiled_chart_is_driven_by_its_table() -> None:
    with recording(OrderLifecycle) as seen:
        driver = TableDriver(OrderLifecycle, look_up)
        way = places(driver, "pending_new --acknowledge", "open --fill_partly", "partially_filled --fill_fully")
        assert driver.start(*way).active == {"filled"}
        assert driver.start(*way[:1]).active == {"open"}
    assert seen.edges == {"pending_new.acknowledge": 2, "open.fill_partly": 1, "partially_filled.fill_fully": 1}
    assert seen.pairs == {("acknowledge", "fill_partly"), ("fill_partly", "fill_fully")}


def test_a_table_that_is_wrong_is_found_out() -> None:
    driver = TableDriver(OrderLifecycle, lambda _subject, _state, _event: "canceled")
    with pytest.raises(StrayedError, match="expected pending_new --acknowledge--> open"):
        driver.start(0)


def test_a_chart_with_guards_has_no_table() -> None:
    with pytest.raises(UnsupportedChartError, match="it has guards"):
        TableDriver(MarketMakingStateMachine, look_up)
