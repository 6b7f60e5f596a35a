"""Guards and callbacks that are no plain method are refused when the class is built."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

from mm_fsm.chart import State
from tests.chart.refused import Door, Methods, refusal

NAME_METHOD = (
    "Give the name of one method as a string; combine guards with a tuple of names and with unless=, "
    "so that each can be drawn, overridden and measured."
)


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
