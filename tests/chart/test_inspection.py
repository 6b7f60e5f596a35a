"""The services that a callback calls are read from its code, whatever way it takes to them."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mm_fsm.chart import Chart, State, definition_of
from mm_fsm.chart.inspection import find_function, service_calls


def noted(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    @functools.wraps(function)
    def wrapper(self: Any) -> Any:
        return function(self)

    return wrapper


class Machine:
    """Every method reaches its services in one way; what it calls stands beside it in CALLS."""

    services: Any
    context: Any

    def straight(self) -> None:
        self.services.risk.review(self.context)

    def in_order_and_once(self) -> None:
        self.services.spreads.price_quotes(self.context)
        self.services.orders.plan(self.context)
        self.services.spreads.price_quotes(self.context)

    def as_arguments(self) -> None:
        self.services.orders.plan(self.services.spreads.price_quotes(self.context), limit=self.services.risk.limit())

    def with_star_arguments(self, *given: Any, **keywords: Any) -> None:
        self.services.orders.plan(*given, **keywords)

    def through_helper(self) -> None:
        self.prepare_quotes()
        self.services.orders.plan(self.context)

    def prepare_quotes(self) -> None:
        self.services.spreads.price_quotes(self.context)

    def through_two_helpers(self) -> None:
        if self.context:
            self.through_helper()

    def through_itself(self) -> None:
        self.services.risk.review(self.context)
        self.through_itself()

    def services_by_local_name(self) -> None:
        services = self.services
        services.risk.review(self.context)
        services.orders.plan(self.context)

    def role_by_local_name(self) -> None:
        risk = self.services.risk
        if self.context:
            risk.review(self.context)

    def role_by_two_local_names(self) -> None:
        services = self.services
        risk = services.risk
        risk.review(self.context)

    def method_by_local_name(self) -> None:
        review = self.services.risk.review
        review(self.context)

    def roles_in_one_line(self) -> None:
        risk, orders = self.services.risk, self.services.orders
        orders.plan(risk)

    def name_in_an_expression(self) -> None:
        if (verdict := self.services.risk).review(self.context):
            verdict.note(self.context)

    def name_given_to_something_else(self) -> None:
        risk = self.services.risk
        risk = self.context
        risk.review()

    def name_in_a_loop(self) -> None:
        orders = self.services.orders
        for quote in self.context:
            orders.place(quote)

    def in_comprehensions(self) -> None:
        risk = self.services.risk
        _ = [self.services.orders.place(quote) for quote in self.context]
        _ = {risk.review(quote) for quote in self.context}
        _ = {quote: self.services.spreads.price(quote) for quote in self.context if self.is_wanted(quote)}
        _ = any(self.services.inventory.assess(quote) for quote in self.context)

    def is_wanted(self, quote: Any) -> bool:
        return bool(self.services.inventory.wants(quote))

    def in_nested_functions(self) -> None:
        def place(quote: Any) -> None:
            self.services.orders.place(quote)

        later = lambda: self.services.risk.review(place)  # noqa: E731
        later()

    def parameter_of_a_nested_function_is_not_the_machine(self) -> None:
        def place(self: Any) -> None:
            self.services.orders.place(self)

        place(self.context)

    def with_a_context_manager(self) -> None:
        with contextlib.suppress(ValueError):
            self.services.risk.review(self.context)

    def when_it_fails(self) -> None:
        try:
            self.services.risk.review(self.context)
        except ValueError:
            self.services.orders.cancel_all()
        finally:
            self.services.inventory.assess()

    def through_property(self) -> None:
        if self.is_risky:
            self.services.orders.cancel_all()

    @property
    def is_risky(self) -> bool:
        return bool(self.services.risk.review(self.context))

    @functools.cached_property
    def first_price(self) -> Any:
        return self.services.spreads.price(self.context)

    def through_cached_property(self) -> None:
        _ = self.first_price

    @property
    def orders(self) -> Any:
        return self.services.orders

    def through_property_that_is_a_service(self) -> None:
        self.orders.plan(self.context)

    @noted
    def decorated(self) -> None:
        self.services.risk.review(self.context)

    def through_generator(self) -> None:
        list(self.quotes())

    def quotes(self) -> Iterator[Any]:
        yield self.services.spreads.price(self.context)

    def names_its_machine_otherwise(machine: Any) -> None:  # noqa: N805
        machine.services.risk.review(machine.context)

    def calls_none(self) -> None:
        self.context.services.risk.review()
        self.context.update()
        services = self.context
        services.risk.review()

    def update(self) -> None:
        self.services.risk.review(self.context)

    def condition_chooses(self) -> None:
        service = self.services.risk if self.context else self.services.orders
        service.review(self.context)

    def while_it_lasts(self) -> None:
        while self.services.inventory.assess():
            _ = [self.services.orders.place(quote) for quote in self.services.spreads.price(self.context)]

    def over_several_lines(self) -> None:
        (
            self.services.risk.review(
                self.context,
            )
            and self.services
            .orders
            .plan(self.context)
        )  # fmt: skip

    @staticmethod
    def without_machine(services: Any) -> None:
        services.risk.review()


CALLS = {
    "straight": ["risk.review"],
    "in_order_and_once": ["spreads.price_quotes", "orders.plan"],
    "as_arguments": ["orders.plan", "spreads.price_quotes", "risk.limit"],
    "with_star_arguments": ["orders.plan"],
    "through_helper": ["spreads.price_quotes", "orders.plan"],
    "through_two_helpers": ["spreads.price_quotes", "orders.plan"],
    "through_itself": ["risk.review"],
    "services_by_local_name": ["risk.review", "orders.plan"],
    "role_by_local_name": ["risk.review"],
    "role_by_two_local_names": ["risk.review"],
    "method_by_local_name": ["risk.review"],
    "roles_in_one_line": ["orders.plan"],
    "name_in_an_expression": ["risk.review", "risk.note"],
    "name_given_to_something_else": [],
    "name_in_a_loop": ["orders.place"],
    "in_comprehensions": [
        "orders.place",
        "risk.review",
        "spreads.price",
        "inventory.wants",
        "inventory.assess",
    ],
    "in_nested_functions": ["orders.place", "risk.review"],
    "parameter_of_a_nested_function_is_not_the_machine": [],
    "with_a_context_manager": ["risk.review"],
    "when_it_fails": ["risk.review", "orders.cancel_all", "inventory.assess"],
    "through_property": ["risk.review", "orders.cancel_all"],
    "through_cached_property": ["spreads.price"],
    "through_property_that_is_a_service": ["orders.plan"],
    "decorated": ["risk.review"],
    "through_generator": ["spreads.price"],
    "names_its_machine_otherwise": ["risk.review"],
    "calls_none": [],
    "condition_chooses": [],
    "while_it_lasts": ["inventory.assess", "orders.place", "spreads.price"],
    "over_several_lines": ["risk.review", "orders.plan"],
    "without_machine": [],
    "no_such_method": [],
}


@pytest.mark.parametrize("method", CALLS)
def test_services_are_found_however_they_are_reached(method: str) -> None:
    assert list(service_calls(Machine, method)) == CALLS[method]


class Derived(Machine):
    def prepare_quotes(self) -> None:
        self.services.spreads.price_wide(self.context)
        super().prepare_quotes()

    def straight(self) -> None:
        super().straight()
        self.services.orders.plan(self.context)

    @property
    def is_risky(self) -> bool:
        return bool(self.services.inventory.assess() or super().is_risky)


class Mixin(Machine):
    def straight(self) -> None:
        self.services.inventory.assess()
        super(Mixin, self).straight()  # noqa: UP008


class Mixed(Derived, Mixin):
    def straight(self) -> None:
        super().straight()


def test_override_in_a_subclass_is_what_a_helper_call_reaches() -> None:
    assert service_calls(Derived, "through_helper") == (
        "spreads.price_wide",
        "spreads.price_quotes",
        "orders.plan",
    )
    assert service_calls(Machine, "through_helper") == ("spreads.price_quotes", "orders.plan")


def test_super_is_followed_to_the_parent() -> None:
    assert service_calls(Derived, "straight") == ("risk.review", "orders.plan")
    assert service_calls(Derived, "through_property") == ("inventory.assess", "risk.review", "orders.cancel_all")


def test_super_is_followed_in_the_order_of_inheritance_of_the_class_itself() -> None:
    # Mixed -> Derived -> Mixin -> Machine: the parent of Derived is Mixin here.
    assert service_calls(Mixed, "straight") == ("inventory.assess", "risk.review", "orders.plan")


def test_definition_shows_the_services_of_named_callbacks_and_hooks() -> None:
    class Lamp(Machine, Chart):
        dark = State(initial=True, exit="straight")
        bright = State(enter="through_helper")
        turn_on = dark.to(bright, on="role_by_local_name")
        turn_off = bright.to(dark)

        def on_enter_bright(self) -> None:
            self.services.inventory.assess()

        def after_turn_off(self) -> None:
            self.calls_none()

    class Darker(Lamp):
        def prepare_quotes(self) -> None:
            pass

    lamp, darker = definition_of(Lamp), definition_of(Darker)
    assert [(item.name, item.calls) for item in lamp.state("bright").enter] == [
        ("through_helper", ("spreads.price_quotes", "orders.plan")),
        ("on_enter_bright", ("inventory.assess",)),
    ]
    assert [item.calls for item in darker.state("bright").enter] == [("orders.plan",), ("inventory.assess",)]
    assert [item.calls for edge in lamp.edges for item in (*edge.on, *edge.after)] == [("risk.review",), ()]
    assert lamp.state("dark").exit[0].calls == ("risk.review",)


def test_only_plain_methods_are_functions() -> None:
    assert find_function(Machine, "straight") is vars(Machine)["straight"]
    assert find_function(Derived, "through_helper") is vars(Machine)["through_helper"]
    assert find_function(Machine, "orders") is None
    assert find_function(Machine, "without_machine") is None
    assert find_function(Machine, "no_such_method") is None
