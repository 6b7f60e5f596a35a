"""What a class body may not bind, and edges that would be lost or say what an edge cannot."""

from __future__ import annotations

from typing import Any

import pytest
import statemachine
from statemachine import Event
from statemachine.states import States

from mm_fsm.chart import Chart, State
from tests.chart.refused import Door, Methods, refusal

NAME_EDGE = (
    "Assign it to the name of its event, event = source.to(target), joining several edges of one "
    "event with |; no later line of the class body may use that name again."
)
USE_OURS = "Declare states with mm_fsm.chart.State and events by assigning their edges: event = source.to(target)."


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("_", States({"ajar": statemachine.State()}), "statemachine.states.States"),
        ("slam", Event(), "statemachine.event.Event"),
        ("slam", State().to(State())[0], "mm_fsm.chart.declaration.Edge"),
        ("ajar", statemachine.HistoryState(), "statemachine.state.HistoryState"),
    ],
    ids=["states", "event", "edge", "history"],  # an event's own id is drawn at random
)
def test_states_and_events_of_the_library_itself_are_refused(name: str, value: object, kind: str) -> None:
    assert refusal(lambda: type(Door)("Wrong", (Door,), {name: value})) == (f"{name!r} is a {kind}.", USE_OURS)


def test_compound_state_is_refused() -> None:
    def declare() -> None:
        class Wrong(Door):
            class ajar(statemachine.State.Compound):  # noqa: N801
                little = statemachine.State(initial=True)

    assert refusal(declare) == (
        "'ajar' is a state with others inside.",
        "A chart of mm_fsm is flat: declare these states beside each other, each with mm_fsm.chart.State.",
    )


@pytest.mark.parametrize("name", ["class", "None", "a b", "1st", "", "_private", "__mangled", "open-up"])
@pytest.mark.parametrize("kind", ["a state", "an event"])
def test_name_that_cannot_be_written_as_a_public_attribute_is_refused(name: str, kind: str) -> None:
    value = State() if kind == "a state" else Door.closed.to(Door.opened)
    assert refusal(lambda: type(Door)("Wrong", (Door,), {name: value})) == (
        f"{name!r} cannot be the name of {kind}.",
        "Use letters, digits and _, begin with a letter, and avoid Python's keywords.",
    )


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("closed", State().to(State()), "'closed' is a state of the parent and cannot be an event too."),
        ("closed", Methods.plain, "'closed' is a state of the parent and cannot be a method or attribute too."),
        ("shut", State(), "'shut' is an event of the parent and cannot be a state too."),
        ("shut", Methods.plain, "'shut' is an event of the parent and cannot be a method or attribute too."),
        ("shut", 7, "'shut' is an event of the parent and cannot be a method or attribute too."),
    ],
)
def test_name_of_the_parent_keeps_its_kind(name: str, value: object, problem: str) -> None:
    assert refusal(lambda: type(Door)("Wrong", (Door,), {name: value})) == (problem, "Choose another name here.")


def test_none_for_a_name_that_does_not_exist_is_refused() -> None:
    def declare() -> None:
        class Wrong(Door):
            shutt = None

    problem, remedy = refusal(declare)
    assert problem == "'shutt' is None, which removes a state or an event, but there is none of that name to remove."
    assert remedy == (
        "Correct the name (states: ['closed', 'opened']; events: ['open_up', 'shut']), "
        "or annotate it where it is an attribute: shutt: ... | None = None."
    )


@pytest.mark.parametrize("name", ["is_pushed", "ring_bell"])
def test_guard_or_callback_set_to_none_is_refused(name: str) -> None:
    class Bell(Door):
        shut = Door.opened.to(Door.closed, unless="is_pushed", on="ring_bell")

        def ring_bell(self) -> None:
            pass

    problem, remedy = refusal(lambda: type(Door)("Wrong", (Bell,), {name: None}))
    use = "guard" if name == "is_pushed" else "callback"
    assert problem == f"{name!r}, {use} of 'shut', was set to None."
    assert remedy == (
        "Only states and events are removed with None: declare again, without it, what uses it, "
        "or override it with a method."
    )


def test_hook_set_to_none_is_refused() -> None:
    class Bell(Door):
        def on_enter_closed(self) -> None:
            pass

    problem, _ = refusal(lambda: type(Door)("Wrong", (Bell,), {"on_enter_closed": None}))
    assert problem == "'on_enter_closed', callback of state 'closed', was set to None."


def test_edge_without_a_name_is_refused() -> None:
    def declare() -> None:
        class Wrong(Door):
            ajar = State()
            Door.closed.to(ajar)
            slam = ajar.to(Door.closed)

    assert refusal(declare) == ("an edge from 'closed' to 'ajar' has no name.", NAME_EDGE)


def test_edge_without_a_name_is_refused_when_it_is_made_from_a_grandparent() -> None:
    class Portal(Door):
        pass

    def declare() -> None:
        class Wrong(Portal):
            Door.opened.to(Door.opened)

    assert refusal(declare) == ("an edge from 'opened' to 'opened' has no name.", NAME_EDGE)


def test_edge_from_any_state_without_a_name_is_refused() -> None:
    def declare() -> None:
        class Wrong(Door):
            Door.closed.from_.any()

    assert refusal(declare) == ("an edge from 'any' to 'closed' has no name.", NAME_EDGE)


def test_event_named_twice_in_one_body_is_refused() -> None:
    def declare() -> None:
        class Wrong(Chart):
            one = State(initial=True)
            two = State()
            go = one.to(two)
            go = two.to(one)  # noqa: PIE794

    assert refusal(declare) == ("an edge from 'one' to 'two' has no name.", NAME_EDGE)


def test_state_named_twice_in_one_body_is_refused() -> None:
    def declare() -> None:
        class Wrong(Chart):
            one = State("First", initial=True)
            go = one.to.itself()
            one = State("Second", initial=True)  # noqa: PIE794

    assert refusal(declare)[0] == "event 'go' uses a state that this class does not have: 'First'."


def test_event_overwritten_by_a_method_is_refused() -> None:
    def declare() -> None:
        class Wrong(Chart):
            one = State(initial=True)
            go = one.to.itself()

            def go(self) -> None:  # noqa: F811
                pass

    assert refusal(declare)[1] == NAME_EDGE


def test_event_declared_by_decorating_a_method_is_refused() -> None:
    def declare() -> None:
        class Wrong(Chart):
            one = State(initial=True)

            @one.to.itself()
            def go(self) -> None:
                pass

    assert refusal(declare)[1] == NAME_EDGE


def test_event_without_edges_is_refused() -> None:
    def declare() -> None:
        class Wrong(Door):
            slam = Door.opened.to()

    assert refusal(declare) == ("event 'slam' has no edges.", "Name a state: source.to(target).")


def test_callback_added_to_an_inherited_state_is_refused() -> None:
    def declare() -> None:
        class Wrong(Door):
            @Door.closed.enter
            def lock(self) -> None:
                pass

    assert refusal(declare) == (
        "a callback is added to the inherited state 'closed'.",
        "Define on_enter_closed, or declare the state again with enter= and exit=.",
    )


def test_state_with_two_names_is_refused() -> None:
    def declare() -> None:
        class Wrong(Door):
            ajar = half_open = State()
            slam = ajar.to(Door.closed)

    problem, remedy = refusal(declare)
    assert problem == "state 'half_open' is the same object as state 'ajar'."
    assert remedy == "Make a new State(...) for each name; a parent's state keeps the name it has there."


def test_alias_of_an_inherited_state_is_refused() -> None:
    problem, _ = refusal(lambda: type(Door)("Wrong", (Door,), {"start": Door.closed}))
    assert problem == "state 'start' is the same object as state 'closed'."


def test_state_that_invokes_is_refused() -> None:
    def declare() -> None:
        class Wrong(Chart):
            one = State(initial=True)
            go = one.to.itself()

            @one.invoke
            def download(self) -> None:
                pass

    assert refusal(declare) == (
        "state 'one' invokes something.",
        "The machine does no I/O of its own: stage an intent in a callback named in enter=.",
    )


@pytest.mark.parametrize(
    ("target", "described"),
    [
        (State("Nowhere"), "'Nowhere'"),
        (State(), "'one without a name'"),
        ("opened", "'opened'"),
        (None, "[]"),
    ],
)
def test_edge_to_what_is_no_state_of_the_class_is_refused(target: Any, described: str) -> None:
    assert refusal(lambda: type(Door)("Wrong", (Door,), {"go": Door.closed.to(target)})) == (
        f"event 'go' uses a state that this class does not have: {described}.",
        "Give the state a name in this class body, or take it from a parent class: Parent.state_name.",
    )


def test_edge_to_several_states_at_once_is_refused() -> None:
    problem, _ = refusal(lambda: type(Door)("Wrong", (Door,), {"go": Door.closed.to([Door.closed, Door.opened])}))
    assert problem.startswith("event 'go' uses a state that this class does not have: [State(")


def test_state_of_an_unrelated_chart_is_refused_even_when_the_name_is_the_same() -> None:
    class Window(Chart):
        closed = State(initial=True)
        opened = State()
        open_up = closed.to(opened)
        shut = opened.to(closed)

    problem, _ = refusal(lambda: type(Door)("Wrong", (Door,), {"go": Window.closed.to(Door.opened)}))
    assert problem == "event 'go' uses a state that this class does not have: Window.closed."


def test_removed_state_is_refused_as_end_of_an_edge() -> None:
    def declare() -> None:
        class Wrong(Door):
            opened = None
            go = Door.closed.to(Door.opened)

    assert refusal(declare)[0] == "event 'go' uses a state that this class does not have: Door.opened."


def test_state_excepted_that_the_class_does_not_have_is_refused() -> None:
    def declare() -> None:
        class Wrong(Door):
            slam = Door.closed.from_.any(but=State("Elsewhere"))

    assert refusal(declare)[0] == "event 'slam' uses a state that this class does not have: 'Elsewhere'."


def test_plain_transition_is_refused() -> None:
    one, two = statemachine.State("one"), statemachine.State("two")
    assert refusal(lambda: type(Door)("Wrong", (Door,), {"go": one.to(two)})) == (
        "event 'go' holds a plain transition.",
        "Make it with .to() or .from_() of mm_fsm.chart.State.",
    )


@pytest.mark.parametrize("keyword", ["validators", "event", "initial", "guard"])
def test_keyword_that_an_edge_does_not_have_is_refused(keyword: str) -> None:
    edges = Door.closed.to(Door.opened, **{keyword: "is_pushed"})
    problem, remedy = refusal(lambda: type(Door)("Wrong", (Door,), {"go": edges}))
    assert problem == f"event 'go' is declared with [{keyword!r}]."
    assert remedy == (
        "Use cond, unless, before, on, after, internal, command, but, ahead_of, note and excluded. In place of a "
        "validator use a guard: a validator's error goes past the chart."
    )


def test_validator_given_as_a_decorator_is_refused() -> None:
    def declare() -> None:
        class Wrong(Door):
            go = Door.closed.to.itself()

            @go.validators
            def check(self) -> None:
                pass

    assert refusal(declare)[0] == "event 'go' is declared with ['validators']."


def test_exception_on_an_edge_from_one_state_is_refused() -> None:
    def declare() -> None:
        class Wrong(Door):
            go = Door.closed.to(Door.opened, but=[Door.closed])

    assert refusal(declare) == (
        "event 'go' has but= on an edge from one state.",
        "Use it with from_.any(but=...).",
    )


def test_guard_that_is_wanted_and_forbidden_is_refused() -> None:
    def declare() -> None:
        class Wrong(Door):
            go = Door.closed.to(Door.opened, cond=("is_locked", "is_pushed"), unless="is_pushed")

    assert refusal(declare) == (
        "event 'go' has ['is_pushed'] in cond and in unless, so it can never be taken.",
        "Keep one of the two.",
    )


@pytest.mark.parametrize("source", ["'closed'", "'any state'"])
def test_internal_edge_that_leaves_its_state_is_refused(source: str) -> None:
    edges = (
        Door.opened.from_.any(internal=True) if source == "'any state'" else Door.closed.to(Door.opened, internal=True)
    )
    assert refusal(lambda: type(Door)("Wrong", (Door,), {"go": edges})) == (
        f"event 'go' is internal, but leads from {source} to 'opened'.",
        "An internal edge stays in its state: use state.to.itself(internal=True).",
    )


@pytest.mark.parametrize("ahead_of", ["knock", "go"])
def test_precedence_over_an_event_that_is_not_declared_is_refused(ahead_of: str) -> None:
    edges = Door.closed.to(Door.opened, ahead_of=ahead_of)
    assert refusal(lambda: type(Door)("Wrong", (Door,), {"go": edges})) == (
        f"event 'go' is declared ahead of ['{ahead_of}'].",
        "Name one other event that is declared so far: ['open_up', 'shut'].",
    )


def test_precedence_over_two_events_is_refused() -> None:
    edges = Door.closed.to.itself(ahead_of="shut") | Door.opened.to.itself(ahead_of="open_up")
    problem, _ = refusal(lambda: type(Door)("Wrong", (Door,), {"go": edges}))
    assert problem == "event 'go' is declared ahead of ['open_up', 'shut']."
