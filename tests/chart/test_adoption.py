"""States of python-statemachine in a class body of ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import statemachine

from mm_fsm.chart import Chart, ChartDefinition, State, definition_of
from mm_fsm.errors import ChartDefinitionError

Body = Callable[[type], type]


class Guards:
    """Guards and actions of both doors."""

    def unlocked(self) -> bool:
        return True

    def blocked(self) -> bool:
        return False

    def creak(self) -> None: ...


def door(kind: Any) -> type[Chart]:
    """One class body, with states of one kind or the other."""

    class Door(Guards, Chart):
        shut = kind("Shut!", initial=True, enter="creak")
        ajar = kind(exit="creak")
        gone = kind(final=True)
        push = shut.to(ajar, cond="unlocked", unless="blocked", on="creak")
        look = ajar.to.itself(internal=True, cond="unlocked")
        pull = shut.from_(ajar, cond="blocked")
        tear_off = gone.from_.any(after="creak")

    return Door


def test_a_body_of_plain_states_is_the_chart_that_ours_would_be() -> None:
    plain, ours = definition_of(door(statemachine.State)), definition_of(door(State))
    assert plain == ours
    assert isinstance(plain, ChartDefinition)


def test_both_kinds_may_stand_in_one_body() -> None:
    class Mixed(Guards, Chart):
        shut = State(initial=True)
        ajar = statemachine.State()
        gone = State(final=True)
        push = shut.to(ajar)
        pull = ajar.to(shut, cond="unlocked") | shut.from_(ajar, cond="blocked")
        leave = gone.from_(ajar)

    assert [edge.id for edge in definition_of(Mixed).edges] == [
        "shut --push--> ajar",
        "ajar --pull [unlocked]--> shut",
        "ajar --pull [blocked]--> shut",
        "ajar --leave--> gone",
    ]


def test_a_subclass_may_add_one() -> None:
    class Narrow(Guards, Chart):
        shut = State(initial=True)
        ajar = State()
        push = shut.to(ajar)
        pull = ajar.to(shut, cond="unlocked")

    class Wide(Narrow):
        wide = statemachine.State()
        open_wide = Narrow.ajar.to(wide)
        narrow = wide.to(Narrow.ajar)

    assert [edge.id for edge in definition_of(Wide).edges] == [
        "shut --push--> ajar",
        "ajar --pull [unlocked]--> shut",
        "ajar --open_wide--> wide",
        "wide --narrow--> ajar",
    ]
    assert "wide" not in {state.id for state in definition_of(Narrow).states}


def compound() -> type:
    class Wrong(Chart):
        class outer(statemachine.State.Compound):  # noqa: N801
            inner = statemachine.State(initial=True)

    return Wrong


def valued() -> type:
    class Wrong(Chart):
        one = statemachine.State(initial=True, value=1)
        go = one.to.itself()

    return Wrong


def invoking() -> type:
    class Wrong(Chart):
        one = statemachine.State(initial=True, invoke="fetch")
        go = one.to.itself()

        def fetch(self) -> None: ...

    return Wrong


def lambda_guard() -> type:
    class Wrong(Chart):
        one = statemachine.State(initial=True)
        go = one.to.itself(cond=lambda: True)

    return Wrong


def validated() -> type:
    class Wrong(Chart):
        one = statemachine.State(initial=True)
        go = one.to.itself(validators="check")

    return Wrong


def unnamed() -> type:
    class Wrong(Chart):
        one = statemachine.State(initial=True)
        go = one.to.itself()
        one.to(one)

    return Wrong


@pytest.mark.parametrize(
    ("declare", "problem", "remedy"),
    [
        (compound, "'outer' is a state with others inside", "beside each other, each with mm_fsm.chart.State"),
        (valued, "'one' is declared with value=1", "write one = mm_fsm.chart.State(...) without a value"),
        (invoking, "state 'one' invokes something", "stage an intent"),
        (lambda_guard, "as a guard or callback", "the name of one method"),
        (validated, "declared with ['validators']", "use a guard"),
        (unnamed, "has no name", "event = source.to(target)"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_what_ours_cannot_say_is_refused_with_what_to_write(
    declare: Callable[[], type], problem: str, remedy: str
) -> None:
    with pytest.raises(ChartDefinitionError) as refused:
        declare()
    assert problem in str(refused.value)
    assert remedy in str(refused.value)
