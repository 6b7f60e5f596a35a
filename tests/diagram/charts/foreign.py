"""Charts made with python-statemachine alone, as somebody else would have written them."""

from __future__ import annotations

from typing import Any

from statemachine import Event, HistoryState, State, StateChart, StateMachine


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


class Namesakes(StateChart[Any]):
    """Children of one name in two states, two lambdas on one line, and two actions without a name."""

    class day(State.Compound):  # noqa: N801 - a state's name
        a = State(initial=True, value="day.a")
        b = State(final=True, value="day.b")
        finish_day = a.to(b)

    class night(State.Compound):  # noqa: N801
        a = State(initial=True, value="night.a")
        b = State(final=True, value="night.b", enter=[lambda: None, lambda: None])
        finish_night = a.to(b)

    first, second = lambda: True, lambda: False
    advance = day.to(night, cond=first) | day.to(night, cond=second)


class Alike(StateChart[Any]):
    """Two edges between the same states for the same event, without guards."""

    here = State(initial=True)
    there = State(final=True)
    go = here.to(there, on="one") | here.to(there, on="other")

    def one(self) -> None: ...

    def other(self) -> None: ...


class ByName(StateChart[Any]):
    """The fault event by its name; an ordinary edge leads to the same state."""

    busy = State(initial=True)
    broken = State(final=True)
    smash = busy.to(broken)
    error_execution = busy.to(broken)


class ById(StateChart[Any]):
    """The fault event by its identifier."""

    busy = State(initial=True)
    broken = State(final=True)
    failed = Event(busy.to(broken), id="error.execution")


class Raising(StateMachine):
    """An event of the fault event's name, in a class that raises to its caller."""

    busy = State(initial=True)
    broken = State(final=True)
    error_execution = busy.to(broken)


class Kinds(StateChart[Any]):
    """An edge of each kind."""

    class work(State.Compound):  # noqa: N801
        doing = State(initial=True)
        done = State(final=True)
        go = doing.to(done)

    rest = State()
    over = State(final=True)
    done_state_work = work.to(rest)
    error_execution = work.to(over)
    rest.to(over, cond="tired")
    tired = False


class Deep(StateChart[Any]):
    """Three levels, a deep history, edges from a state into itself and between states of different parents."""

    class outer(State.Compound):  # noqa: N801
        class inner(State.Compound):  # noqa: N801
            one = State(initial=True)
            two = State()
            step = one.to(two)

        class sides(State.Parallel):  # noqa: N801
            class left(State.Compound):  # noqa: N801
                l1 = State(initial=True)
                l2 = State(final=True)
                go_left = l1.to(l2)

            class right(State.Compound):  # noqa: N801
                r1 = State(initial=True)
                r2 = State(final=True)
                go_right = r1.to(r2)

        split = inner.to(sides)
        done_state_sides = sides.to(inner)
        last = HistoryState(type="deep")

    away = State()
    leave = outer.to(away, on="note")
    again = outer.to.itself()
    back = away.to(outer.last)
    into = outer.to(outer.inner, internal=True)

    def note(self) -> None: ...


class Abstract(StateChart[Any]):
    """Declares no states."""


light = "not a class"
