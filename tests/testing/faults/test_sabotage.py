"""A sabotaged call raises in the place it was told, and nowhere else; the chart is as it was afterwards."""

from __future__ import annotations

import pytest
from statemachine import State, StateMachine
from statemachine.callbacks import CallbackSpec

from mm_fsm.coverage.reading import read_engine
from mm_fsm.testing import forced
from mm_fsm.testing.faults.sabotage import (
    CallbackCall,
    GuardCall,
    Moment,
    SabotageError,
    Saboteur,
    ServiceCall,
    laid_out,
    wrapped,
)
from tests.machine.scripted import services


class Traced(StateMachine):
    """Three callbacks on one entry, two of them declared and one by convention, and a second way in."""

    out = State(initial=True)
    inside = State(enter=["first", "second"])

    enter = out.to(inside)
    sneak_in = out.to(inside)
    leave = inside.to(out)

    def __init__(self) -> None:
        self.trace: list[str] = []
        super().__init__()

    def first(self) -> None:
        self.trace.append("first")

    def second(self) -> None:
        self.trace.append("second")

    def on_enter_inside(self) -> None:
        self.trace.append("third")


def entry(name: str) -> CallbackSpec:
    """The entry of a callback in the engine's lists."""
    return next(spec for spec in Traced.inside.enter if spec.func == name)


@pytest.mark.parametrize(
    ("name", "moment", "ran"),
    [
        ("first", Moment.FIRST, []),
        ("first", Moment.LAST, ["first"]),
        ("second", Moment.FIRST, ["first"]),
        ("second", Moment.LAST, ["first", "second"]),
        ("on_enter_inside", Moment.FIRST, ["first", "second"]),
        ("on_enter_inside", Moment.LAST, ["first", "second", "third"]),
    ],
)
def test_a_callback_raises_before_or_after_it_has_run_and_those_before_it_have(
    name: str, moment: Moment, ran: list[str]
) -> None:
    saboteur = Saboteur(CallbackCall(entry(name), moment))
    with laid_out(read_engine(Traced), saboteur):
        driven = forced(Traced).start()
    saboteur.lie_in_wait(driven, 0)
    with pytest.raises(SabotageError):
        driven.send("enter")
    assert driven.machine.trace == ran
    assert driven.active == {"out"}


def test_it_raises_on_the_chosen_edge_only_and_once() -> None:
    """The third edge is the one: in and out pass, in by the other way raises, and again it does not."""
    saboteur = Saboteur(CallbackCall(entry("first"), Moment.FIRST))
    with laid_out(read_engine(Traced), saboteur):
        driven = forced(Traced).start()
    saboteur.lie_in_wait(driven, 2)
    driven.send("enter")
    driven.send("leave")
    with pytest.raises(SabotageError):
        driven.send("sneak_in")
    driven.send("sneak_in")
    assert driven.active == {"inside"}


def test_the_class_is_as_it_was_afterwards() -> None:
    before = list(Traced.inside.enter)
    with laid_out(read_engine(Traced), Saboteur(CallbackCall(entry("first"), Moment.FIRST))):
        assert len(list(Traced.inside.enter)) == len(before) + 1
    after = list(Traced.inside.enter)
    assert [id(spec) for spec in after] == [id(spec) for spec in before]


def test_a_guard_raises_once_and_no_other_does() -> None:
    driven = forced(Traced).start()
    saboteur = Saboteur(GuardCall("is_open"))
    saboteur.lie_in_wait(driven, 0)
    saboteur.guard_was_asked("is_shut")
    with pytest.raises(SabotageError):
        saboteur.guard_was_asked("is_open")
    saboteur.guard_was_asked("is_open")


def test_a_service_raises_by_the_name_of_its_role_and_method_and_is_itself_otherwise() -> None:
    real = services()
    saboteur = Saboteur(ServiceCall("orders.plan_changes"))
    found = wrapped(saboteur, "orders", real.orders)
    saboteur.lie_in_wait(forced(Traced).start(), 0)
    with pytest.raises(SabotageError):
        found.plan_changes(None, None)
    assert wrapped(saboteur, "risk", real.risk)._service is real.risk
