"""A promise holds for one method and whatever it says it calls; an override does not inherit it."""

from __future__ import annotations

from mm_fsm.chart import Chart, Gate, State, definition_of, settled
from mm_fsm.chart.settled_methods import is_settled


class Service:
    """Behind a guard."""

    @settled("mood")
    def answer(self) -> bool:
        return self.mood()

    @settled()
    def mood(self) -> bool:
        return False


class MoodyService(Service):
    """Replaces what the answer depends on."""

    def mood(self) -> bool:
        return True


class Door(Chart):
    """Opens when its service says so, or when it was knocked at."""

    shut = State(initial=True)
    open = State(final=True)
    opens = shut.to(open, cond="is_wanted")
    is_knocked_open = shut.to(open, cond="is_knocked_at")

    def __init__(self, service: Service) -> None:
        self.service = service
        self.asked: list[str] = []
        self.is_knocking = False

    @settled("service.answer")
    def is_wanted(self) -> bool:
        self.asked.append("is_wanted")
        return self.service.answer()

    def is_knocked_at(self) -> bool:
        self.asked.append("is_knocked_at")
        return self.is_knocking


class Portal(Door):
    """Overrides a guard without promising again."""

    def is_wanted(self) -> bool:
        return super().is_wanted()


def asked_at_rest(door: Door) -> list[str]:
    """Which guards a gate asks of a machine that is told nothing new."""
    gate = Gate(definition_of(type(door)), door)
    assert gate.first_enabled("shut", rests=True) is None
    return door.asked


def test_a_machine_at_rest_is_asked_only_what_is_not_settled() -> None:
    assert asked_at_rest(Door(Service())) == ["is_knocked_at"]


def test_a_machine_that_does_not_rest_is_asked_everything() -> None:
    door = Door(Service())
    assert Gate(definition_of(Door), door).first_enabled("shut") is None
    assert door.asked == ["is_wanted", "is_knocked_at"]


def test_a_guard_that_is_not_settled_opens_at_rest_too() -> None:
    door = Door(Service())
    door.is_knocking = True
    edge = Gate(definition_of(Door), door).first_enabled("shut", rests=True)
    assert edge is not None
    assert edge.event == "is_knocked_open"


def test_a_promise_fails_with_a_replaced_method_that_it_goes_through() -> None:
    assert is_settled(Service().answer)
    assert not is_settled(MoodyService().answer)
    door = Door(MoodyService())
    edge = Gate(definition_of(Door), door).first_enabled("shut", rests=True)
    assert edge is not None
    assert edge.event == "opens"


def test_an_override_promises_nothing_by_itself() -> None:
    assert asked_at_rest(Portal(Service())) == ["is_wanted", "is_knocked_at"]


def test_a_promise_through_something_that_is_not_there_does_not_hold() -> None:
    door = Door(Service())
    del door.service
    assert not is_settled(door.is_wanted)
