"""What driving relies on in python-statemachine: each behaviour by name, so that a release that changes it is told.

What relies on it are mm_fsm/testing/driving/engines.py, and sabotage.py and places.py in mm_fsm/testing/faults.
"""

from __future__ import annotations

from typing import Any

from statemachine import State, StateMachine
from statemachine.callbacks import CallbackGroup, CallbackSpec


class Gated(StateMachine):
    """One edge with a guard, and one callback by convention."""

    shut = State(initial=True)
    ajar = State(final=True)

    push = shut.to(ajar, cond="is_open")

    is_open = False

    def on_enter_ajar(self) -> None:
        self.was_entered = True


class Standing:
    """What stands in."""

    def yes(self) -> bool:
        return True

    def note(self, event_data: Any) -> None:
        self.noted = event_data.transition


def guard_of(machine: type[StateMachine]) -> CallbackSpec:
    (spec,) = machine.shut.transitions[0].cond
    return spec


def test_an_entry_can_be_given_what_another_holds_and_be_given_its_own_back() -> None:
    """Machines that are made meanwhile ask the stand-in, and go on asking it; those made later ask the guard."""
    spec = guard_of(Gated)
    content = dict(vars(spec))
    vars(spec).update(vars(CallbackSpec(Standing().yes, CallbackGroup.COND, expected_value=spec.expected_value)))
    meanwhile = Gated()
    vars(spec).clear()
    vars(spec).update(content)
    later = Gated()
    meanwhile.push()
    assert meanwhile.ajar.is_active
    later.allow_event_without_transition = True
    later.send("push")
    assert later.shut.is_active


def test_the_name_of_an_entry_for_a_bound_method_decides_nothing() -> None:
    """It may be any text, such as the guard's own name, which coverage reads."""
    spec = guard_of(Gated)
    content = dict(vars(spec))
    stand_in = CallbackSpec(Standing().yes, CallbackGroup.COND, expected_value=True)
    vars(spec).update({**vars(stand_in), "attr_name": "not a name"})
    machine = Gated()
    vars(spec).clear()
    vars(spec).update(content)
    machine.push()
    assert machine.ajar.is_active


def test_a_callback_added_to_an_edge_is_the_last_of_its_list_and_runs_after_the_transition() -> None:
    transition, standing = Gated.shut.transitions[0], Standing()
    before = list(transition.after.list.items)
    transition.after.add(standing.note)
    assert transition.after.list.items[:-1] == before
    machine = Gated()
    transition.after.list.items = [spec for spec in transition.after.list.items if spec in before]
    machine.is_open = True
    machine.push()
    assert standing.noted is transition


def test_an_entry_by_convention_for_a_method_that_is_not_there_is_no_callback() -> None:
    (spec,) = (spec for spec in Gated.ajar.enter.list if spec.func == "on_enter_ajar")
    content = dict(vars(spec))
    vars(spec).update(vars(CallbackSpec("_no_such_method", spec.group, is_convention=True)))
    machine = Gated()
    vars(spec).clear()
    vars(spec).update(content)
    machine.is_open = True
    machine.push()
    assert not hasattr(machine, "was_entered")


def test_lists_of_states_and_edges_hold_every_entry_also_those_by_convention() -> None:
    groups = {spec.func: spec.group for spec in Gated.ajar.enter.list}
    assert groups["on_enter_ajar"] is CallbackGroup.ENTER
    assert {spec.group for spec in Gated.shut.transitions[0].cond.list} >= {CallbackGroup.COND, CallbackGroup.AFTER}
