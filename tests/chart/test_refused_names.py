"""One name with two meanings is refused when the class is built."""

from __future__ import annotations

from typing import Any

import pytest

from mm_fsm.chart import State, definition_of
from mm_fsm.machine.market_making import MarketMakingStateMachine
from tests.chart.refused import Door, Methods, refusal

RENAME = "Choose another name for it."


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
@pytest.mark.parametrize("name", ["position", "knock", "colour"])
def test_a_guard_or_callback_that_overrides_something_used_otherwise_is_refused(name: str, use: str, kind: str) -> None:
    """A property, a method that takes arguments, and a plain attribute of a parent are no guards and no callbacks."""

    class Busy(Door):
        colour = "green"

        @property
        def position(self) -> int:
            return 0

        def knock(self, times: int) -> int:
            return times

    class Between(Busy):
        pass

    body = {"go": Between.opened.to.itself(command=True, **{use: name}), name: Methods.plain}
    assert refusal(lambda: type(Door)("Wrong", (Between,), body)) == (
        f"{name!r} is {kind}, but Busy uses the name for something else.",
        RENAME,
    )


@pytest.mark.parametrize("name", ["step", "observe", "context", "services", "desk", "now", "is_final"])
def test_a_market_maker_refuses_a_guard_named_like_its_own_parts(name: str) -> None:
    base = MarketMakingStateMachine
    body = {"pause": base.monitoring_orders.to(base.idle, cond=name), name: Methods.plain}
    problem, _ = refusal(lambda: type(base)("Wrong", (base,), body))
    assert problem.startswith(f"{name!r} is a guard, but ")
    assert problem.endswith("uses the name for something else.")


@pytest.mark.parametrize("name", ["equity", "orders", "draft", "gate", "withdraw_placements", "visits", "place"])
def test_names_of_a_market_makers_parts_are_free_for_its_chart(name: str) -> None:
    """Fields of the books, of the desk, of the stepper: the machine has these parts, so their names are not its own."""
    base = MarketMakingStateMachine
    body = {"pause": base.monitoring_orders.to(base.idle, cond=name), name: Methods.plain}
    machine = type(base)("Free", (base,), body)
    assert name in definition_of(machine).guard_names


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
            type(Door)("Wrong", (Door,), {"go": edges, name: Methods.plain} if use else {name: edges})

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
            body = {"go": Door.opened.to.itself(command=True, cond=name), name: Methods.plain}
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
    (name, group), body = next(iter(where.items())), {"on_exit_closed": Methods.plain}
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
    assert refusal(lambda: type(Door)("Wrong", (Door,), {hook: Methods.plain})) == (
        f"{hook!r} would run on every transition without being in the diagram.",
        "Watch transitions with an observer, or name a callback on the state or edge it belongs to.",
    )


@pytest.mark.parametrize(
    "hook", ["on_enter_clsoed", "on_exit_shut", "before_open", "after_closed", "on_ring", "on_invoke_closed"]
)
@pytest.mark.parametrize("value", [Methods.plain, "text"])
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
