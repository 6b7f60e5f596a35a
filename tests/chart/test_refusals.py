"""Every mistake in a declaration is refused when its class is built, and the message says what to do about it."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import statemachine
from statemachine import Event
from statemachine.exceptions import InvalidDefinition
from statemachine.factory import StateMachineMetaclass
from statemachine.states import States

from mm_fsm.chart import Chart, Gate, State, definition_of
from mm_fsm.errors import ChartDefinitionError


def refusal(declare: Callable[[], object], chart: str = "Wrong") -> tuple[str, str]:
    """Problem and remedy with which the class that ``declare`` builds is refused."""
    with pytest.raises(ChartDefinitionError) as caught:
        declare()
    error = caught.value
    assert error.chart == chart
    assert str(error) == f"{chart}: {error.problem} {error.remedy}"
    assert isinstance(error, TypeError)
    return error.problem, error.remedy


class Door(Chart):
    """A correct chart, for subclasses to get wrong."""

    closed = State(initial=True)
    opened = State()
    open_up = closed.to(opened, cond="is_pushed")
    shut = opened.to(closed, unless="is_pushed")

    def is_pushed(self) -> bool:
        return True

    def is_locked(self) -> bool:
        return False

    def ring(self) -> None:
        pass


ADD_GUARD = "Add a guard to an earlier edge, or declare the later event with ahead_of=."
RENAME = "Choose another name for it."
NAME_EDGE = (
    "Assign it to the name of its event, event = source.to(target), joining several edges of one "
    "event with |; no later line of the class body may use that name again."
)
NAME_METHOD = (
    "Give the name of one method as a string; combine guards with a tuple of names and with unless=, "
    "so that each can be drawn, overridden and measured."
)
USE_OURS = "Declare states with mm_fsm.chart.State and events by assigning their edges: event = source.to(target)."


# Methods for the classes below: one that is right, and one for everything that can be wrong with one


class Methods:
    def plain(self) -> bool:
        return True

    async def asynchronous(self) -> bool:
        return True

    def generator(self) -> Iterator[bool]:
        yield True

    async def asynchronous_generator(self) -> AsyncIterator[bool]:
        yield True

    def one_parameter(self, event: str) -> bool:
        return bool(event)

    def one_default(self, limit: int = 3) -> bool:
        return bool(limit)

    def keywords_only(self, **details: object) -> bool:
        return bool(details)


plain = Methods.plain


@functools.wraps(Methods.asynchronous)
def hiding(self: Any) -> object:
    return self.anything()


@functools.wraps(plain)
def decorated(*args: Any, **keywords: Any) -> bool:
    return plain(*args, **keywords)


def forwarding(*args: Any, **keywords: Any) -> bool:
    return plain(*args, **keywords)


def no_parameter() -> bool:
    return True


# What a name in a class body is bound to


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("ajar", statemachine.State(), "statemachine.state.State"),
        ("_", States({"ajar": statemachine.State()}), "statemachine.states.States"),
        ("slam", Event(), "statemachine.event.Event"),
        ("slam", State().to(State())[0], "mm_fsm.chart.declaration.Edge"),
        ("ajar", statemachine.HistoryState(), "statemachine.state.HistoryState"),
    ],
)
def test_states_and_events_of_the_library_itself_are_refused(name: str, value: object, kind: str) -> None:
    assert refusal(lambda: type(Door)("Wrong", (Door,), {name: value})) == (f"{name!r} is a {kind}.", USE_OURS)


def test_compound_state_is_refused() -> None:
    def declare() -> None:
        class Wrong(Door):
            class ajar(statemachine.State.Compound):  # noqa: N801
                little = statemachine.State(initial=True)

    assert refusal(declare) == ("'ajar' is a statemachine.state.State.", USE_OURS)


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
        ("closed", plain, "'closed' is a state of the parent and cannot be a method or attribute too."),
        ("shut", State(), "'shut' is an event of the parent and cannot be a state too."),
        ("shut", plain, "'shut' is an event of the parent and cannot be a method or attribute too."),
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


# Edges that would be lost


def test_edge_without_a_name_is_refused() -> None:
    def declare() -> None:
        class Wrong(Door):
            ajar = State()
            Door.closed.to(ajar)
            slam = ajar.to(Door.closed)

    assert refusal(declare) == ("an edge from 'closed' to 'ajar' has no name.", NAME_EDGE)


def test_edge_without_a_name_is_refused_when_it_is_made_from_a_grandparent() -> None:
    class Gate(Door):
        pass

    def declare() -> None:
        class Wrong(Gate):
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


# Edges that say what an edge cannot


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


# Guards and callbacks that are no plain method


@pytest.mark.parametrize("group", ["cond", "unless", "before", "on", "after"])
@pytest.mark.parametrize(
    "given",
    [
        plain,
        "is_pushed and is_locked",
        "not is_pushed",
        "!is_pushed",
        "is_pushed or is_locked",
        "self.is_pushed",
        "",
        property(plain),
    ],
    ids=["function", "and", "not", "!", "or", "dotted", "empty", "property"],
)
def test_guard_or_callback_that_is_not_one_name_is_refused(group: str, given: Any) -> None:
    edges = Door.closed.to(Door.opened, **{group: (given,)})
    assert refusal(lambda: type(Door)("Wrong", (Door,), {"go": edges})) == (
        f"'go' uses {given!r} as a guard or callback.",
        NAME_METHOD,
    )


def test_lambda_on_entry_is_refused() -> None:
    ring: Any = print
    problem, remedy = refusal(lambda: type(Door)("Wrong", (Door,), {"closed": State(initial=True, enter=ring)}))
    assert (problem, remedy) == (f"'closed' uses {print!r} as a guard or callback.", NAME_METHOD)


def test_guard_given_as_a_decorator_is_refused() -> None:
    def declare() -> None:
        class Wrong(Door):
            go = Door.closed.to.itself()

            @go.cond
            def may_go(self) -> bool:
                return True

    problem, remedy = refusal(declare)
    assert problem.startswith("'go' uses <function ")
    assert remedy == NAME_METHOD


def declare_with(method: object, use: str) -> Callable[[], object]:
    return lambda: type(Door)(
        "Wrong",
        (Door,),
        {
            "method": method,
            "go": Door.closed.to(Door.opened, **{use: "method"}),
            "open_up": Door.closed.to(Door.opened, command=True),
        },
    )


@pytest.mark.parametrize("use", ["cond", "unless", "before", "on", "after"])
@pytest.mark.parametrize("method", [plain, decorated], ids=["plain", "decorated"])
def test_plain_method_is_accepted_as_guard_and_callback(method: object, use: str) -> None:
    declare_with(method, use)()


@pytest.mark.parametrize(
    ("method", "what"),
    [
        (True, "a bool"),
        (property(plain), "a property"),
        (functools.cached_property(plain), "a cached_property"),
        (staticmethod(plain), "a staticmethod"),
        (classmethod(plain), "a classmethod"),
        (functools.partialmethod(plain), "a partialmethod"),
    ],
)
def test_guard_that_is_no_plain_method_is_refused(method: object, what: str) -> None:
    assert refusal(declare_with(method, "cond")) == (
        f"'method', guard of 'go', is {what}, not a method.",
        "Define it: def method(self) -> ...; or remove it from the chart.",
    )


@pytest.mark.parametrize(("use", "called"), [("cond", "guard"), ("unless", "guard"), ("on", "callback")])
def test_name_that_is_not_defined_is_refused(use: str, called: str) -> None:
    edges = Door.closed.to(Door.opened, **{use: "is_opne"})
    assert refusal(lambda: type(Door)("Wrong", (Door,), {"go": edges, "open_up": None})) == (
        f"'is_opne', {called} of 'go', is not defined.",
        "Define it: def is_opne(self) -> ...; or remove it from the chart.",
    )


def test_undefined_callback_of_a_state_is_refused() -> None:
    state = State(initial=True, exit="rign")
    problem, _ = refusal(lambda: type(Door)("Wrong", (Door,), {"closed": state}))
    assert problem == "'rign', callback of state 'closed', is not defined."


@pytest.mark.parametrize(
    "method",
    [Methods.asynchronous, Methods.generator, Methods.asynchronous_generator, hiding],
    ids=["asynchronous", "generator", "asynchronous generator", "hidden by a decorator"],
)
@pytest.mark.parametrize(("use", "called"), [("cond", "guard"), ("after", "callback")])
def test_asynchronous_method_is_refused(method: object, use: str, called: str) -> None:
    assert refusal(declare_with(method, use)) == (
        f"'method', {called} of 'go', is asynchronous or a generator.",
        "The machine is synchronous and does no I/O: use a plain def that returns.",
    )


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        (Methods.one_parameter, ["self", "event: 'str'"]),
        (Methods.one_default, ["self", "limit: 'int' = 3"]),
        (Methods.keywords_only, ["self", "**details: 'object'"]),
        (forwarding, ["*args: 'Any'", "**keywords: 'Any'"]),
        (no_parameter, []),
    ],
)
def test_method_with_parameters_is_refused(method: object, parameters: list[str]) -> None:
    assert refusal(declare_with(method, "cond")) == (
        f"'method', guard of 'go', takes parameters {parameters}.",
        "Take only self: everything it needs is on the machine and its context. A decorator must use functools.wraps.",
    )


# One name with two meanings


@pytest.mark.parametrize(
    ("declaration", "kind"),
    [({"ring": State()}, "a state"), ({"ring": State("ring").to(State())}, "an event")],
)
def test_state_or_event_named_like_a_method_is_refused(declaration: dict[str, Any], kind: str) -> None:
    def declare() -> None:
        body = dict(declaration)
        if kind == "a state":
            body["go"] = Door.closed.to(body["ring"])
            body["back"] = body["ring"].to(Door.closed)
        else:
            body["ring"] = Door.closed.to.itself(cond="is_locked")
        type(Door)("Wrong", (Door,), body)

    assert refusal(declare) == (
        f"'ring' is {kind} and also an attribute of the class.",
        "Give the method or attribute another name.",
    )


def test_event_named_like_an_attribute_that_is_none_is_refused() -> None:
    class Painted(Door):
        colour: str | None = None

    problem, _ = refusal(
        lambda: type(Door)("Wrong", (Painted,), {"colour": Painted.closed.to.itself(cond="is_locked")})
    )
    assert problem == "'colour' is an event and also an attribute of the class."


def test_guard_named_like_its_event_is_refused() -> None:
    def declare() -> None:
        class Wrong(Door):
            is_locked = Door.closed.to.itself(cond="is_locked")

    assert refusal(declare)[0] == "'is_locked' is an event and also an attribute of the class."


@pytest.mark.parametrize(("use", "kind"), [("cond", "a guard"), ("on", "a callback")])
def test_reserved_name_is_refused_and_a_subclass_cannot_free_it(use: str, kind: str) -> None:
    class Reserving(Door):
        chart_reserved_names = frozenset({"ring", "position"})

    class Freeing(Reserving):
        chart_reserved_names = frozenset({"cash"})

    edges = Freeing.opened.to.itself(command=True, **{use: "ring"})
    assert refusal(lambda: type(Door)("Wrong", (Freeing,), {"go": edges})) == (
        f"'ring' is {kind}, but reserved on this machine.",
        RENAME,
    )
    for name in ("position", "cash"):
        body = {name: Freeing.opened.to.itself(command=True)}
        assert refusal(functools.partial(type(Door), "Wrong", (Freeing,), body))[0] == (
            f"{name!r} is an event, but reserved on this machine."
        )
    body = {"cash": (state := State()), "go": Freeing.opened.to(state, command=True), "back": state.to(Freeing.opened)}
    problem, _ = refusal(lambda: type(Door)("Wrong", (Freeing,), body))
    assert problem == "'cash' is a state, but reserved on this machine."


ENGINE_NAMES = [
    "send",
    "states",
    "model",
    "name",
    "id",
    "events",
    "configuration",
    "history_values",
    "allow_event_without_transition",
    "state_field",
    "is_terminated",
    "raise_",
    "prepare",
    "initial_state",
    "final_states",
    "states_map",
    "current_state",
    "start_configuration_values",
    "validate_trap_states",
    "mro",
]


@pytest.mark.parametrize("name", ENGINE_NAMES)
def test_state_named_like_an_attribute_of_the_engine_is_refused(name: str) -> None:
    state = State()
    body = {name: state, "go": Door.opened.to(state, command=True), "back": state.to(Door.opened)}
    problem, remedy = refusal(lambda: type(Door)("Wrong", (Door,), body))
    if name == "mro":
        assert problem == "'mro' is a state and also an attribute of the class."
        return
    assert problem == f"{name!r} is a state, but python-statemachine has an attribute of that name."
    assert remedy == RENAME


@pytest.mark.parametrize("name", [name for name in ENGINE_NAMES if name != "mro"])
def test_event_guard_or_callback_named_like_an_attribute_of_the_engine_is_refused(name: str) -> None:
    for kind in ("an event", "a guard", "a callback"):

        def declare(kind: str = kind) -> None:
            use = {"a guard": {"cond": name}, "a callback": {"on": name}}.get(kind, {})
            edges = Door.opened.to.itself(command=True, **use)
            type(Door)("Wrong", (Door,), {"go": edges, name: plain} if use else {name: edges})

        problem, remedy = refusal(declare)
        assert problem == f"{name!r} is {kind}, but python-statemachine has an attribute of that name."
        assert remedy == RENAME


@pytest.mark.parametrize("event", ["done_shutting", "error_seen", "done_state_closed", "error_execution"])
def test_event_with_a_prefix_of_the_library_is_refused(event: str) -> None:
    body = {event: Door.opened.to.itself(command=True)}
    assert refusal(lambda: type(Door)("Wrong", (Door,), body)) == (
        f"event {event!r} begins with a prefix to which python-statemachine gives a meaning of its own.",
        "Choose a name that does not begin with 'done_' or 'error_'; only the chart_fault_event may.",
    )


def test_fault_event_may_have_such_a_prefix_until_a_subclass_chooses_another() -> None:
    class Failing(Door):
        chart_fault_event = "error_execution"
        error_execution = Door.closed.from_.any(command=True)

    assert refusal(lambda: type(Door)("Wrong", (Failing,), {"chart_fault_event": None}))[0] == (
        "event 'error_execution' begins with a prefix to which python-statemachine gives a meaning of its own."
    )


@pytest.mark.parametrize(
    ("name", "hook", "owner", "other"),
    [
        ("enter_closed", "on_enter_closed", "event 'enter_closed'", "state 'closed'"),
        ("invoke_closed", "on_invoke_closed", "event 'invoke_closed'", "state 'closed'"),
        ("transition", "before_transition", "event 'transition'", "every transition"),
        ("exit_state", "on_exit_state", "event 'exit_state'", "every transition"),
    ],
)
def test_event_whose_hook_belongs_to_something_else_is_refused(name: str, hook: str, owner: str, other: str) -> None:
    body = {name: Door.opened.to.itself(command=True)}
    assert refusal(lambda: type(Door)("Wrong", (Door,), body)) == (
        f"a method {hook!r} would belong to {owner} and to {other}.",
        f"Rename {owner}.",
    )


def test_state_whose_hook_belongs_to_every_transition_is_refused() -> None:
    def declare() -> None:
        class Wrong(Door):
            state = State()
            go = Door.opened.to(state, command=True)
            back = state.to(Door.opened)

    assert refusal(declare) == (
        "a method 'on_enter_state' would belong to state 'state' and to every transition.",
        "Rename state 'state'.",
    )


@pytest.mark.parametrize(
    ("name", "kind"),
    [("on_shut", "an event"), ("before_shut", "an event"), ("on_enter_closed", "an event"), ("after_shut", "a guard")],
)
def test_state_event_or_guard_named_like_a_hook_is_refused(name: str, kind: str) -> None:
    def declare() -> None:
        if kind == "a guard":
            body = {"go": Door.opened.to.itself(command=True, cond=name), name: plain}
        else:
            body = {name: Door.opened.to.itself(command=True)}
        type(Door)("Wrong", (Door,), body)

    owner = "state 'closed'" if name == "on_enter_closed" else "event 'shut'"
    assert refusal(declare) == (
        f"{name!r} is {kind}, but python-statemachine runs it as a hook of {owner} too.",
        RENAME,
    )


def test_state_named_on_something_is_refused_only_when_that_is_an_event() -> None:
    class Held(Door):
        on_hold = State()
        wait = Door.opened.to(on_hold, command=True)
        resume = on_hold.to(Door.opened)

    def declare() -> None:
        class Wrong(Held):
            hold = Held.opened.to(Held.on_hold, command=True)

    assert refusal(declare)[0] == "'on_hold' is a state, but python-statemachine runs it as a hook of event 'hold' too."


@pytest.mark.parametrize(
    ("where", "place"),
    [({"go": "on"}, "event 'go'"), ({"closed": "enter"}, "state 'closed'")],
)
def test_hook_named_as_callback_of_another_place_is_refused(where: dict[str, str], place: str) -> None:
    (name, group), body = next(iter(where.items())), {"on_exit_closed": plain}
    keywords: dict[str, Any] = {group: "on_exit_closed"}
    body[name] = (
        State(initial=True, **keywords) if name == "closed" else Door.opened.to.itself(command=True, **keywords)
    )
    assert refusal(lambda: type(Door)("Wrong", (Door,), body)) == (
        f"'on_exit_closed' is a callback of {place}, but python-statemachine runs it as a hook of state 'closed' too.",
        "Give the method another name, and declare it wherever it should run.",
    )


def test_hook_named_where_it_belongs_is_there_once() -> None:
    class Named(Door):
        closed = State(initial=True, exit="on_exit_closed")

        def on_exit_closed(self) -> None:
            pass

    assert [callback.name for callback in definition_of(Named).state("closed").exit] == ["on_exit_closed"]


@pytest.mark.parametrize(
    "hook",
    [
        "on_enter_state",
        "on_exit_state",
        "before_transition",
        "on_transition",
        "after_transition",
        "prepare_event",
        "on_invoke_state",
    ],
)
def test_hook_of_every_transition_is_refused(hook: str) -> None:
    assert refusal(lambda: type(Door)("Wrong", (Door,), {hook: plain})) == (
        f"{hook!r} would run on every transition without being in the diagram.",
        "Watch transitions with an observer, or name a callback on the state or edge it belongs to.",
    )


@pytest.mark.parametrize(
    "hook", ["on_enter_clsoed", "on_exit_shut", "before_open", "after_closed", "on_ring", "on_invoke_closed"]
)
@pytest.mark.parametrize("value", [plain, "text"])
def test_name_like_a_hook_of_nothing_is_refused(hook: str, value: object) -> None:
    problem, remedy = refusal(lambda: type(Door)("Wrong", (Door,), {hook: value}))
    assert problem == f"{hook!r} is named like a hook, but is none of this chart."
    assert remedy == (
        "Correct the name to on_enter_ or on_exit_ and a state (closed, opened) or to before_, on_ or after_ and an "
        "event (open_up, shut), or begin it with another word."
    )


def test_misspelled_hook_in_a_mixin_is_refused() -> None:
    class Mixin:
        def on_enter_clsoed(self) -> None:
            pass

    assert "'on_enter_clsoed'" in refusal(lambda: type(Door)("Wrong", (Mixin, Door), {}))[0]


def test_hook_of_a_state_that_the_same_body_removes_is_refused() -> None:
    def declare() -> None:
        class Wrong(Door):
            opened = None
            knock = Door.closed.to.itself()

            def on_enter_opened(self) -> None:
                pass

    assert "'on_enter_opened' is named like a hook" in refusal(declare)[0]


def test_method_may_begin_like_a_hook_where_the_chart_names_it() -> None:
    class Named(Door):
        closed = State(initial=True, enter="on_arrival")

        def on_arrival(self) -> None:
            pass

    assert [callback.name for callback in definition_of(Named).state("closed").enter] == ["on_arrival"]


# Charts that cannot work


@pytest.mark.parametrize(("initial", "found"), [((False, False), "[]"), ((True, True), "['one', 'two']")])
def test_chart_needs_exactly_one_initial_state(initial: tuple[bool, bool], found: str) -> None:
    one, two = State(initial=initial[0]), State(initial=initial[1])
    body = {"one": one, "two": two, "go": one.to(two), "back": two.to(one)}
    assert refusal(lambda: type(Chart)("Wrong", (Chart,), body)) == (
        f"expected one initial state, found {found}.",
        "Mark exactly one: State(initial=True). A state that is declared again must say so again.",
    )


def test_initial_state_declared_again_without_saying_so_is_refused() -> None:
    assert refusal(lambda: type(Door)("Wrong", (Door,), {"closed": State()}))[0] == (
        "expected one initial state, found []."
    )


def test_edge_out_of_a_final_state_is_refused() -> None:
    assert refusal(lambda: type(Door)("Wrong", (Door,), {"opened": State(final=True)})) == (
        "event 'shut' leaves the final state 'opened'.",
        "Remove the edge, or the state's final=True.",
    )


def test_event_that_is_a_command_on_some_edges_only_is_refused() -> None:
    def declare() -> None:
        class Wrong(Door):
            go = Door.opened.to.itself(command=True) | Door.closed.to.itself(cond="is_locked")

    assert refusal(declare) == (
        "event 'go' is a command on some of its edges only.",
        "Give command=True to all of them or to none, or use two events.",
    )


def test_edge_behind_one_with_the_same_guards_is_refused() -> None:
    def declare() -> None:
        class Wrong(Door):
            wedge = Door.opened.to.itself(internal=True, unless=("is_locked", "is_pushed"))

    problem, remedy = refusal(declare)
    assert remedy == ADD_GUARD
    assert problem == (
        "in state 'opened' event 'wedge' to 'opened' can never be taken: whenever its guards hold, so do those of an "
        "edge before it: 'shut' to 'closed'."
    )


def test_edge_behind_two_that_together_leave_it_nothing_is_refused() -> None:
    def declare() -> None:
        class Wrong(Door):
            knock = Door.opened.to.itself(cond="is_locked")
            wedge = Door.opened.to.itself(cond="is_pushed")
            give_up = Door.opened.to(Door.closed)

    problem, remedy = refusal(declare)
    assert remedy == ADD_GUARD
    assert problem == (
        "in state 'opened' event 'give_up' to 'closed' can never be taken: whenever its guards hold, so do those of an "
        "edge before it: 'shut' to 'closed', 'wedge' to 'opened'."
    )


def test_second_edge_of_one_event_behind_an_unguarded_one_is_refused_for_commands_too() -> None:
    def declare() -> None:
        class Wrong(Door):
            kick = Door.closed.to(Door.opened, command=True) | Door.closed.to.itself(command=True, cond="is_locked")

    problem, remedy = refusal(declare)
    assert problem == (
        "in state 'closed' event 'kick' to 'closed' can never be taken: whenever its guards hold, so do those of an "
        "edge before it: 'kick' to 'opened'."
    )
    assert remedy == ADD_GUARD


def test_commands_neither_hide_nor_are_hidden_by_other_events() -> None:
    class Kicked(Door):
        kick = Door.closed.to(Door.opened, command=True, ahead_of="open_up")
        knock = Door.closed.to.itself(command=True, cond="is_pushed")

    assert definition_of(Kicked).events == ("kick", "open_up", "shut", "knock")


def test_where_the_host_sends_events_only_edges_of_one_event_hide_each_other() -> None:
    class Sent(Chart):
        chart_is_automatic = False
        one = State(initial=True)
        two = State()
        go = one.to(two)
        stay = one.to.itself()
        back = two.to(one)

    def declare() -> None:
        class Wrong(Sent):
            go = Sent.one.to(Sent.two) | Sent.one.to.itself()

    assert definition_of(Sent).events == ("go", "stay", "back")
    assert refusal(declare)[0] == (
        "in state 'one' event 'go' to 'one' can never be taken: whenever its guards hold, so do those of an edge "
        "before it: 'go' to 'two'."
    )


def test_state_without_an_edge_for_the_fault_event_is_refused() -> None:
    class Failing(Door):
        chart_fault_event = "fail"
        fail = Door.closed.from_(Door.closed, Door.opened, command=True)

    def declare() -> None:
        class Wrong(Failing):
            ajar = State()
            push = Failing.closed.to(ajar, command=True)
            pull = ajar.to(Failing.closed)

    assert refusal(declare) == (
        "state 'ajar' has no edge for the fault event 'fail'.",
        "Declare it for every state: fail = error.from_.any(command=True).",
    )


def test_fault_event_that_no_edge_has_is_refused() -> None:
    assert refusal(lambda: type(Door)("Wrong", (Door,), {"chart_fault_event": "fial"}))[0] == (
        "state 'closed' has no edge for the fault event 'fial'."
    )


@pytest.mark.parametrize("keywords", [{"command": True, "cond": "is_locked"}, {}])
def test_fault_event_with_a_guard_or_without_being_a_command_is_refused(keywords: dict[str, Any]) -> None:
    def declare() -> None:
        class Wrong(Door):
            chart_fault_event = "fail"
            open_up = Door.closed.to(Door.opened, command=True)
            fail = Door.opened.from_(Door.closed, **keywords)

    assert refusal(declare) == (
        "the fault event 'fail' has guards or is no command in state 'closed'.",
        "A fault must be accepted whatever the guards would say: use command=True and no guards.",
    )


def test_unreachable_states_are_refused() -> None:
    def declare() -> None:
        class Wrong(Door):
            ajar = State()
            hidden = State()
            push = ajar.to(hidden)
            pull = hidden.to(Door.closed)

    assert refusal(declare) == (
        "no edge leads to ['ajar', 'hidden'].",
        "Add an edge to each, or remove the state with None.",
    )


def test_removal_that_cuts_a_state_off_is_refused() -> None:
    assert refusal(lambda: type(Door)("Wrong", (Door,), {"open_up": None}))[0] == "no edge leads to ['opened']."


def test_state_without_a_way_out_is_refused() -> None:
    def declare() -> None:
        class Wrong(Door):
            stuck = State()
            jam = Door.opened.to(stuck, command=True)

    assert refusal(declare) == ("no edge leaves state 'stuck'.", "Add one, or mark the state final=True.")


def test_state_that_cannot_reach_what_the_machine_requires_is_refused() -> None:
    class Alarmed(Door):
        chart_must_reach = ("alarm",)
        alarm = State()
        trip = Door.opened.to(alarm, command=True)
        reset = alarm.to(Door.closed)

    def declare(required: tuple[str, ...]) -> None:
        class Wrong(Alarmed):
            chart_must_reach = required
            stuck = State()
            jam = Alarmed.opened.to(stuck, command=True)
            rattle = stuck.to.itself()

    led_on = "Add an edge that leads on: a machine that cannot fail or end safely is refused."
    assert refusal(lambda: declare(())) == ("state 'stuck' cannot reach ['alarm'].", led_on)
    assert refusal(lambda: declare(("opened",))) == ("state 'stuck' cannot reach ['alarm', 'opened'].", led_on)
    assert refusal(lambda: type(Door)("Wrong", (Door,), {"chart_must_reach": ("alram",)}))[0] == (
        "state 'closed' cannot reach ['alram']."
    )


def test_state_that_cannot_reach_an_end_is_refused_where_the_chart_has_one() -> None:
    def declare() -> None:
        class Wrong(Door):
            removed = State(final=True)
            stuck = State()
            remove = Door.opened.to(removed, command=True)
            jam = Door.opened.to(stuck, command=True)
            rattle = stuck.to.itself()

    assert refusal(declare)[0] == "state 'stuck' cannot reach ['a final state']."


@pytest.mark.parametrize("setting", ["chart_must_reach", "chart_reserved_names"])
def test_setting_that_is_one_string_is_refused(setting: str) -> None:
    assert refusal(lambda: type(Door)("Wrong", (Door,), {setting: "opened"})) == (
        f"{setting} is 'opened'.",
        "Write several names, or one with a comma: ('opened',).",
    )


def test_two_charts_as_parents_are_refused() -> None:
    class Window(Chart):
        pass

    def declare() -> None:
        class Wrong(Door, Window):
            pass

    assert refusal(declare) == (
        "it has 2 parents that are charts: ['Door', 'Window'].",
        "Inherit from one chart; share methods through plain mix-in classes.",
    )


def test_what_only_the_library_refuses_is_told_with_the_name_of_the_chart(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise InvalidDefinition("Door handles are not allowed.")

    monkeypatch.setattr(StateMachineMetaclass, "_check", refuse)
    assert refusal(lambda: type(Door)("Wrong", (Door,), {})) == (
        "python-statemachine refuses it: Door handles are not allowed.",
        "Change the declaration that it names.",
    )


@pytest.mark.parametrize("name", ["is_pushed", "ring_bell"])
def test_attribute_of_a_machine_that_hides_a_guard_or_callback_is_refused_by_its_gate(name: str) -> None:
    class Bell(Door):
        shut = Door.opened.to(Door.closed, unless="is_pushed", on="ring_bell")

        def ring_bell(self) -> None:
            pass

    machine = Bell()
    setattr(machine, name, False)
    assert refusal(lambda: Gate(definition_of(Bell), machine), chart="Bell") == (
        f"{name!r} is a guard or callback, but on this machine it is False.",
        "Give the attribute that was set on the machine another name.",
    )
