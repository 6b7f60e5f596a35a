"""Charts of other people whose figures are easily wrong: names that are shared, entries again, ends of states."""

from __future__ import annotations

from typing import Any

import pytest
from statemachine import HistoryState, State, StateChart, StateMachine

from mm_fsm.coverage.criteria import Criterion
from mm_fsm.coverage.mutation.making import model_of, mutated
from mm_fsm.coverage.mutation.mutants import DroppedStateAction, mutants_of
from mm_fsm.coverage.obligations import obligations_of
from mm_fsm.coverage.result import RunResult
from mm_fsm.coverage.run import Run
from tests.coverage.recording import recording
from tests.diagram.charts.foreign import Alike, Deep, Kinds, Namesakes


class Shift(StateChart[Any]):
    """Children of one name, told apart by their values."""

    class day(State.Compound):  # noqa: N801 - a state's name
        a = State(initial=True, value=1)
        b = State(final=True, value=2)
        finish_day = a.to(b)

    class night(State.Compound):  # noqa: N801
        a = State(initial=True, value=3)
        b = State(final=True, value=4)
        finish_night = a.to(b)

    advance = day.to(night)


def test_children_of_one_name_are_counted_apart() -> None:
    """By hand: day, its a and b, night and its a; five of six. advance follows what keeps day active, not its own b."""
    with recording(Shift) as seen:
        shift = Shift()
        shift.send("finish_day")
        shift.send("advance")
    assert seen.states == {"day": 1, "day.a": 1, "day.b": 1, "night": 1, "night.a": 1}
    assert [one.key for one in seen.criterion(Criterion.STATES).missing] == ["night.b"]
    assert {one.key: one.hits for one in seen.criterion(Criterion.PAIRS).asked} == {
        "day.a --finish_day--> day.b, then day --advance--> night": 1,
        "day --advance--> night, then night.a --finish_night--> night.b": 0,
    }


def test_states_that_share_a_value_are_a_problem_of_the_chart() -> None:
    """python-statemachine takes the one for the other, so that no figure of theirs can be right."""

    class Same(StateChart[Any]):
        class day(State.Compound):  # noqa: N801
            a = State(initial=True)
            b = State(final=True)
            finish = a.to(b)

        class night(State.Compound):  # noqa: N801
            a = State(initial=True)
            b = State(final=True)
            end = a.to(b)

        advance = day.to(night)

    with recording(Same) as seen:
        Same()
    problems = RunResult.of(Run({"a:Same": seen.chart}), [Criterion.STATES]).problems
    assert len(problems) == 2
    for problem, name in zip(problems, "ab", strict=True):
        assert f"day.{name}" in problem
        assert f"night.{name}" in problem
        assert "give each a value= of its own" in problem


@pytest.mark.parametrize("chart", [Shift, Namesakes, Alike, Kinds, Deep], ids=lambda chart: chart.__name__)
@pytest.mark.parametrize("criterion", list(Criterion))
def test_keys_are_never_shared(chart: type, criterion: Criterion) -> None:
    keys = [one.key for one in obligations_of(model_of(chart), criterion)]
    assert len(keys) == len(set(keys))


def test_two_lambdas_on_one_line_are_two_guards() -> None:
    """The first answers True, so that the second is never asked: 1 of 4 answers, 1 of 4 decisions."""
    one, other = lambda: True, lambda: False

    class Pair(StateMachine):
        here = State(initial=True)
        there = State(final=True)
        go = here.to(there, cond=one) | here.to(there, cond=other)

    with recording(Pair) as seen:
        Pair().send("go")
    guards, mcdc = seen.criterion(Criterion.GUARDS), seen.criterion(Criterion.MCDC)
    assert (guards.covered, guards.total) == (1, 4)
    assert (mcdc.covered, mcdc.total) == (1, 4)


def test_each_unnamed_action_is_dropped_by_a_mutant_of_its_own() -> None:
    log: list[str] = []

    class Alarm(StateMachine):
        off = State(initial=True)
        on = State(enter=[lambda: log.append("horn"), lambda: log.append("light")])
        go = off.to(on)
        stop = on.to(off)

    found = []
    for mutant in mutants_of(model_of(Alarm)):
        if isinstance(mutant, DroppedStateAction):
            log.clear()
            with mutated(Alarm, mutant):
                Alarm().send("go")
            found.append(list(log))
    assert found == [["light"], ["horn"]]
    log.clear()
    Alarm().send("go")
    assert log == ["horn", "light"]


@pytest.mark.parametrize(("base", "entries"), [(StateChart, 3), (StateMachine, 1)])
def test_an_internal_edge_enters_as_often_as_the_engine_does(base: Any, entries: int) -> None:
    class Lift(base):  # type: ignore[misc]
        waiting = State(initial=True)
        moving = State()
        ring = waiting.to.itself(internal=True)
        go = waiting.to(moving)
        stop = moving.to(waiting)
        entered = 0

        def on_enter_waiting(self) -> None:
            self.entered += 1

    with recording(Lift) as seen:
        lift = Lift()
        lift.ring()
        lift.ring()
    assert lift.entered == entries
    assert seen.states == {"waiting": entries}
    assert seen.edges == {"waiting.ring": 2}


class Ending(StateChart[Any]):
    """A state that ends, and is begun again."""

    class work(State.Compound):  # noqa: N801
        doing = State(initial=True)
        done = State(final=True)
        go = doing.to(done)

    rest = State()
    done_state_work = work.to(rest)
    again = rest.to(work)


class EndingTogether(StateChart[Any]):
    """A state that ends when both of its regions have."""

    class both(State.Parallel):  # noqa: N801
        class left(State.Compound):  # noqa: N801
            l1 = State(initial=True)
            l2 = State(final=True)
            go_left = l1.to(l2)

        class right(State.Compound):  # noqa: N801
            r1 = State(initial=True)
            r2 = State(final=True)
            go_right = r1.to(r2)

    over = State()
    done_state_both = both.to(over)
    back = over.to(both)


PAIRS = {
    # The edge that enters work does not end it, so done_state_work never comes right after it.
    Ending: (["go", "again", "go"], {("go", "done_state_work"), ("done_state_work", "again"), ("again", "go")}),
    # Either region may be the last to end; entering both ends neither.
    EndingTogether: (
        ["go_left", "go_right", "back", "go_right", "go_left"],
        {
            ("go_left", "done_state_both"),
            ("go_right", "done_state_both"),
            ("done_state_both", "back"),
            ("back", "go_left"),
            ("back", "go_right"),
        },
    ),
}


@pytest.mark.parametrize("chart", PAIRS, ids=lambda chart: chart.__name__)
def test_only_possible_pairs_around_the_end_of_a_state_are_asked_for(chart: Any) -> None:
    """Counted by hand; the walk takes each of them, so that none is missing."""
    events, expected = PAIRS[chart]
    with recording(chart) as seen:
        machine = chart()
        for event in events:
            machine.send(event)
    pairs = seen.criterion(Criterion.PAIRS)
    edges = seen.chart.model.definition.edges
    assert {(edges[one.edges[0]].event, edges[one.edges[1]].event) for one in pairs.asked} == expected
    assert pairs.missing == ()


class Restless(StateChart[Any]):
    """Every way to leave a state and enter it again: from inside, from outside, by a history, across regions."""

    class outer(State.Compound):  # noqa: N801
        one = State(initial=True)
        two = State()
        last = HistoryState()
        step = one.to(two)
        same = two.to.itself()

    away = State()
    whole = outer.to.itself()
    inner = outer.to(outer.two)
    leave = outer.to(away)
    back = away.to(outer.last)
    renew = outer.to(outer.last)


def test_what_is_left_and_entered_again_is_counted_by_hand() -> None:
    with recording(Restless) as seen:
        machine = Restless()  # outer, one
        for event, entered in (
            ("step", ["two"]),
            ("same", ["two"]),
            ("whole", ["outer", "one"]),
            ("inner", ["outer", "two"]),
            ("leave", ["away"]),
            ("back", ["outer", "two"]),
        ):
            machine.send(event)
            assert set(entered) <= set(machine.configuration_values)
    assert seen.states == {"outer": 4, "one": 2, "two": 4, "away": 1}


@pytest.mark.parametrize("nested", [False, True])
def test_a_machine_that_could_not_be_made_has_entered_nothing(nested: bool) -> None:
    class Failing(Restless if nested else StateMachine):  # type: ignore[misc]
        if not nested:
            first = State(initial=True)
            second = State()
            go = first.to(second)
            back = second.to(first)

        catch_errors_as_events = False

        def on_enter_state(self) -> None:
            raise RuntimeError

    with recording(Failing) as seen, pytest.raises(RuntimeError):
        Failing()
    assert seen.states == {}
    assert seen.criterion(Criterion.STATES).covered == 0
