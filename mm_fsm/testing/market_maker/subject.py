"""The market maker as a subject of generated tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, get_type_hints

from attrs import evolve, fields

from mm_fsm.books.order_lifecycle import OrderStatus
from mm_fsm.core.messages import CancelOrder
from mm_fsm.machine.quoting import QuotingMachine
from mm_fsm.machine.results import StepResult
from mm_fsm.services.protocols import Services
from mm_fsm.testing.market_maker.market import (
    MARKET_INVARIANTS,
    answers_of_the_venue,
    make_market_maker,
    nothing_is_open_at_the_end,
    opening,
)
from mm_fsm.testing.problems import require
from mm_fsm.testing.subjects.subject import ServicesFactory, Situation

QUOTING: Final = Situation(opening=opening, answers=answers_of_the_venue, by_way_of="monitoring_orders")
"""Orders rest at the venue, one has traded in part, and others are on their way."""


class MarketMakerSubject:
    """Every machine that quotes, made on the paper exchange's instrument."""

    situation = QUOTING
    invariants = MARKET_INVARIANTS
    invariants_of_own_guards = (nothing_is_open_at_the_end,)

    @property
    def service_methods(self) -> tuple[str, ...]:
        """Every method of every service's protocol."""
        return tuple(
            f"{role}.{name}"
            for role, protocol in get_type_hints(Services).items()
            for name in vars(protocol)
            if not name.startswith("_")
        )

    def make(self, chart: type[QuotingMachine], services: ServicesFactory | None) -> QuotingMachine:
        """A market maker in its initial state that has been told nothing yet."""
        return make_market_maker(chart, services)

    def wrap_services(self, machine: QuotingMachine, wrap: Callable[[str, Any], Any]) -> None:
        """Put in place of each service what ``wrap`` makes of its role and itself."""
        services = machine.services
        roles = [field.name for field in fields(type(services))]
        machine.services = evolve(services, **{role: wrap(role, getattr(services, role)) for role in roles})

    def live_orders(self, machine: QuotingMachine) -> frozenset[str]:
        """Orders that are, or may be, at the venue."""
        return frozenset(order.client_order_id for order in machine.context.orders.live())

    def books(self, machine: QuotingMachine, live: frozenset[str]) -> Mapping[str, object]:
        """Ledger, position, and what each order has traded."""
        context = machine.context
        orders = {name: context.orders.get(name) for name in sorted(live)}
        return {
            "position": context.base_position,
            "cash": context.ledger.cash,
            "fills": context.fill_count,
            **{f"filled of {name}": order.filled_quantity for name, order in orders.items() if order is not None},
            "ledger": context.ledger.snapshot(),
        }

    def judge_books(self, machine: QuotingMachine, live: frozenset[str], results: Iterable[StepResult]) -> None:
        """Profit adds up, and every live order is leaving or is asked about.

        Raises:
            BrokenPromiseError: something does not hold.
        """
        gap = machine.context.ledger.identity_gap()
        require(gap == 0, "profit adds up to the last digit", gap)
        intents = [intent for result in results for intent in result.intents]
        cancelled = {intent.client_order_id for intent in intents if isinstance(intent, CancelOrder)}
        for order in machine.context.orders.live():
            name = order.client_order_id
            require(name in live, "no order is left over from the failure", name)
            is_asked_about = order.status is OrderStatus.UNKNOWN and order.query_due is not None
            is_leaving = (order.cancel_in_flight or order.is_cancel_paced) and name in cancelled
            require(is_leaving or is_asked_about, "every live order has a cancel in flight", f"{name}: {order.status}")

    def digest(self, machine: QuotingMachine) -> object:
        """The digest of the books."""
        return machine.context.digest()
