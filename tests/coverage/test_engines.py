"""Somebody else's machines are watched however they are made, and are as they were when nobody watches any more."""

from __future__ import annotations

import copy
import pickle
from types import SimpleNamespace
from typing import Any, ClassVar
from unittest.mock import MagicMock, Mock

import pytest
from statemachine import Event, State, StateChart, StateMachine

from mm_fsm.coverage.criteria import Criterion
from mm_fsm.coverage.recorder import Recorder
from tests.coverage.charts import Door, Lamp, Player, Siblings
from tests.coverage.recording import nobody_watching, recording


class Remote(StateMachine):
    """Events that stand for many, and guards with the names that a listener might have."""

    off = State(initial=True)
    on = State()
    press = off.to(on, cond=["take", "start", "tally"]) | on.to(off)
    anything = on.to.itself(event="volume.*")

    take = start = tally = True


class Keeper:
    """A model that keeps its machine's state."""

    def __init__(self, state: str | None = None) -> None:
        self.state = state


def test_a_copied_machine_goes_on_being_watched() -> None:
    with recording(Door) as seen:
        door = Door()
        door.send("push")
        copied = copy.deepcopy(door)
        copied.send("pull")
        copied.blocked = True
        assert not copied.enabled_events()
        door.send("tear_off")
    assert seen.edges == {"shut.push": 1, "ajar.pull": 1, "ajar.tear_off": 1}
    assert seen.states == {"shut": 2, "ajar": 2, "gone": 1}  # the copy starts in ajar
    assert seen.pairs == {("push", "tear_off")}  # what the copy did before is not known
    assert seen.answers["push", "blocked", True] == 1


def test_a_machine_stored_while_it_was_watched_can_be_read_where_nobody_watches() -> None:
    with recording(Door) as seen:
        stored = pickle.dumps(Door())
    door = pickle.loads(stored)
    door.send("push")
    assert "ajar" in door.configuration_values
    assert seen.edges == {}


def test_a_machine_is_stored_and_copied_as_if_nobody_watched() -> None:
    """Not a byte differs, no listener is more, and a copy of a copy is watched once."""
    plain = Door()
    plain.send("push")
    with recording(Door) as seen:
        door = Door()
        door.send("push")
        assert pickle.dumps(door) == pickle.dumps(plain)
        copied = copy.deepcopy(copy.deepcopy(door))
        assert copied.active_listeners == []
        copied.send("pull")
    assert seen.edges == {"shut.push": 1, "ajar.pull": 1}


@pytest.mark.parametrize("chart", [Siblings, Player])
def test_listeners_are_those_that_were_given_in_their_order(chart: Any) -> None:
    """Asked afterwards, by a callback while the machine is put together, and after a late one has been added."""

    class Other:
        asked: ClassVar[list[list[object]]] = []

        def on_enter_state(self, machine: Any) -> None:
            self.asked.append(machine.active_listeners)

    first, second, late = Other(), Other(), Other()
    with recording(chart):
        machine = chart(listeners=[first, second])
        assert machine.active_listeners == [first, second]
        machine.add_listener(late)
        assert machine.active_listeners == [first, second, late]
    assert Other.asked
    assert all(seen == [first, second] for seen in Other.asked)


class Comparable(StateMachine):
    """Machines that are equal, and have no hash."""

    off = State(initial=True)
    on = State()
    press = off.to(on) | on.to(off)
    pull = on.to(off)

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


def test_machines_may_be_equal_and_have_no_hash() -> None:
    with recording(Comparable) as seen:
        one, other = Comparable(), Comparable()
        one.send("press")
        with pytest.raises(StateMachine.TransitionNotAllowed):
            other.send("pull")
    assert seen.sneaks == {("off", "pull")}


@pytest.mark.parametrize(
    "stand_in", [Mock(), SimpleNamespace(model=None), MagicMock()], ids=lambda one: type(one).__name__
)
def test_an_event_may_be_built_for_something_that_stands_in_for_a_machine(stand_in: Any) -> None:
    with recording(Door) as seen:
        assert Event("push", name="Push").build_trigger(machine=stand_in).event == "push"
        with pytest.raises(RuntimeError):
            Event("push").build_trigger(machine=None)
    assert seen.edges == {}


def test_a_machine_that_is_read_back_is_watched_again() -> None:
    stored = pickle.dumps(Door())
    with recording(Door) as seen:
        pickle.loads(stored).send("push")
    assert seen.edges == {"shut.push": 1}
    assert seen.answers == {("push", "unlocked", True): 1, ("push", "blocked", False): 1}


@pytest.mark.parametrize("arguments", [{"start_value": "ajar"}, {"model": Keeper("ajar")}], ids=["told", "restored"])
def test_a_machine_may_begin_elsewhere(arguments: dict[str, Any]) -> None:
    """The state it begins in counts as entered, and no path of the tree begins there."""
    with recording(Door) as seen:
        Door(**arguments).send("tear_off")
    assert seen.states == {"ajar": 1, "gone": 1}
    assert seen.paths == set()


def test_a_nested_machine_may_begin_inside() -> None:
    with recording(Player) as seen:
        Player(start_value="fast").send("stop")
    assert seen.states == {"playing": 1, "fast": 1, "stopped": 1}


def test_a_path_may_begin_whenever_the_machine_is_in_its_initial_state() -> None:
    with recording(Door) as seen:
        door = Door(start_value="ajar")
        for event in ("pull", "push", "tear_off"):
            door.send(event)
    assert seen.paths == {"ajar.tear_off"}


def test_events_that_stand_for_many_and_guards_named_like_our_own_code() -> None:
    with recording(Remote) as seen:
        remote = Remote()
        remote.send("press")
        remote.send("volume.up")
        remote.send("volume.down")
    assert seen.edges == {"off.press": 1, "on.volume.*": 2}
    assert [one.key for one in seen.criterion(Criterion.TRANSITIONS).missing] == [
        "on --press--> off",
        "on --anything--> on",
    ]
    assert seen.chart.hits.unmatched == 0


def test_an_instance_counts_for_its_own_class_only() -> None:
    class Heavy(Door):
        """Shares every state and edge with its parent."""

    with recording(Door) as seen:
        Heavy().send("push")
        Siblings().send("cross")
    assert seen.edges == {}


def test_transitions_that_a_subclass_adds_to_its_parent_later_are_told_apart() -> None:
    class Parent(StateMachine):
        first = State(initial=True)
        second = State()
        go = first.to(second)
        back = second.to(first)

    with recording(Parent) as seen:
        Parent().send("go")

        class Child(Parent):
            """python-statemachine adds this edge to the parent's own state."""

            skip = Parent.first.to(Parent.second)

        Parent().send("skip")
        assert Child.first is Parent.first
    assert seen.edges == {"first.go": 1}
    assert seen.chart.hits.unmatched == 1


def test_everything_is_as_it_was_when_nobody_watches_any_more() -> None:
    with nobody_watching():
        before = (StateChart.__init__, StateChart.__setstate__, Event.build_trigger)
        with recording(Door):
            assert StateChart.__init__ is not before[0]
            Door()
            Lamp()
            specs = list(Door.shut.transitions[0].cond)
            assert [spec.expected_value for spec in specs] == [True, False]
        assert (StateChart.__init__, StateChart.__setstate__, Event.build_trigger) == before
        assert Door().active_listeners == []


def test_a_machine_that_is_put_elsewhere_from_outside_begins_a_new_way() -> None:
    """Neither a pair nor a path leads across the jump: nobody took the way from shut to ajar."""
    with recording(Door) as seen:
        door = Door()
        door.send("push")
        door.send("pull")
        door.current_state_value = "ajar"
        door.send("tear_off")
    assert seen.edges == {"shut.push": 1, "ajar.pull": 1, "ajar.tear_off": 1}
    assert seen.pairs == {("push", "pull")}
    assert seen.paths == {"ajar.pull"}


def test_a_recorder_inside_another_records_alone_until_it_stops() -> None:
    with recording(Door) as outer:
        with recording(Door) as inner:
            Door().send("push")
        Door().send("push")
    assert inner.edges == {"shut.push": 1}
    assert outer.edges == {"shut.push": 1}


def test_a_machine_made_by_a_callback_of_another_is_watched() -> None:
    """Machines of one class are put together while one of them is still being put together."""

    class Nest(StateMachine):
        first = State(initial=True)
        second = State()
        go = first.to(second, cond="may")
        back = second.to(first)

        def __init__(self, depth: int) -> None:
            self.depth = depth
            self.inner: Nest | None = None
            super().__init__()

        def on_enter_first(self) -> None:
            self.inner = Nest(self.depth - 1) if self.depth else None

        def may(self) -> bool:
            return True

    with recording(Nest) as seen:
        nest: Nest | None = Nest(depth=3)
        while nest is not None:
            nest, _ = nest.inner, nest.send("go")
    assert seen.edges == {"first.go": 4}
    assert seen.answers == {("go", "may", True): 4}


def test_a_class_that_is_not_wanted_is_left_alone() -> None:
    recorder = Recorder([Siblings])
    recorder.start()
    try:
        Door().push()
        Siblings().cross()
    finally:
        recorder.stop()
    (siblings,) = recorder.run().charts.values()
    assert siblings.model.definition.name == "Siblings"
    assert sum(siblings.hits.edges.values()) == 1


def test_an_event_that_is_accepted_after_all_is_no_attempt_in_vain() -> None:
    """Sent where it is not accepted, from inside a transition, it is looked at when the machine is elsewhere."""

    class Eager(StateMachine):
        first = State(initial=True)
        second = State()
        third = State(final=True)
        go = first.to(second, on="hurry")
        on_ = second.to(third)

        def hurry(self) -> None:
            self.send("on_")

    with recording(Eager) as seen:
        Eager().send("go")
    assert seen.edges == {"first.go": 1, "second.on_": 1}
    assert seen.sneaks == set()
