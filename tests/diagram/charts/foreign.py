"""Charts made with python-statemachine alone, as somebody else would have written them."""

from __future__ import annotations

from typing import Any

from statemachine import State, StateChart, StateMachine


class TrafficLight(StateMachine):
    """A flat machine with callbacks bound by name, by convention and as functions."""

    green = State(initial=True, enter="count")
    red = State("Red!")
    off = State(final=True)

    cycle = green.to(red, cond="powered and not broken", unless="held") | red.to(
        green, cond=lambda: True, after="count"
    )
    look = green.to.itself(internal=True, on="count")
    shut_down = red.to(off, validators="check_key", event="shut_down lights_out")

    def on_enter_red(self) -> None: ...

    def before_lights_out(self) -> None: ...

    def count(self) -> None: ...

    def check_key(self) -> None: ...

    def powered(self) -> bool:
        return True

    broken = False
    held = False


class Restless(StateChart[Any]):
    """Work in the background, an edge without an event, and the event sent when a callback raises."""

    awake = State(initial=True, invoke="fetch")
    asleep = State(final=True)
    awake.to(asleep, cond="tired")
    error_execution = awake.to(asleep)
    tired = False

    def fetch(self) -> None: ...

    def on_invoke_awake(self) -> None: ...


class Compound(StateChart[Any]):
    """A state within a state."""

    class outer(State.Compound):  # noqa: N801 - a state's name
        first = State(initial=True)
        second = State(final=True)
        step = first.to(second)

    over = State(final=True)
    end_it = outer.to(over)


class Parallel(StateChart[Any]):
    """Two regions at once."""

    class both(State.Parallel):  # noqa: N801 - a state's name
        class left(State.Compound):  # noqa: N801
            one = State(initial=True)
            two = State(final=True)
            go = one.to(two)

        class right(State.Compound):  # noqa: N801
            three = State(initial=True)
            four = State(final=True)
            run = three.to(four)


class Abstract(StateChart[Any]):
    """Declares no states."""


light = "not a class"
