"""Facts for a market maker, drawn by hypothesis: aimed at the orders that it has when their turn comes.

Most make sense to the machine; others contradict what it was told, come late, or say what cannot be, and then the
machine refuses them. The account of the venue is the machine's own: balances that are reported are those it believes.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_DOWN, Decimal
from typing import Any, Final

from attrs import frozen
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from mm_fsm.books.facts import (
    AccountFeedLost,
    CancelRefused,
    ConnectionRestored,
    Heartbeat,
    OpenOrdersReported,
    OperatorPaused,
    OperatorResumed,
    OrderCanceled,
    OrderNotFound,
    OrderRejected,
    OrderStatusReported,
    OutcomeUnknown,
    OwnTradesReported,
    RequestsSuspended,
    StopRequested,
    Timer,
)
from mm_fsm.books.orders import OwnOrder
from mm_fsm.core.clock import NANOSECONDS_PER_MILLISECOND
from mm_fsm.core.messages import Fact, RejectionCode, ReportedOrder, ReportedStatus, RequestKind
from mm_fsm.machine.quoting import QuotingMachine
from mm_fsm.testing.market_maker.market import MIDDLE, acknowledgement, balances, book, fill

_WAITS: Final = (1, 1, 200, 200, 1_000, 1_000, 6_000, 40_000)
"""Milliseconds between one fact and the next."""


@frozen
class Aimed:
    """A fact that is made when its turn comes; called with the machine, it gives the fact, or None where none fits."""

    make: Callable[..., Fact | None]
    wait: int
    """Milliseconds since the machine's latest fact."""
    arguments: tuple[Any, ...] = ()

    def __call__(self, machine: QuotingMachine) -> Fact | None:
        """The fact."""
        return self.make(machine, machine.now + self.wait * NANOSECONDS_PER_MILLISECOND, *self.arguments)


def market_facts() -> SearchStrategy[Aimed]:
    """Whatever may be told to a market maker that ``model_test`` makes, in no particular order."""
    picks = st.integers(0, 3)
    requests = st.sampled_from([RequestKind.PLACE, RequestKind.CANCEL])
    kinds: list[tuple[int, Callable[..., Fact | None], tuple[SearchStrategy[Any], ...]]] = [
        (3, _timer, ()),
        (9, _book, (st.integers(-20, 20), st.sampled_from([1, 5, 40]))),
        (2, _heartbeat, ()),
        (9, _acknowledge, (picks,)),
        (5, _fill, (picks, st.sampled_from(["0.3", "1"]))),
        (5, _confirm_cancel, (picks,)),
        (1, _reject, (picks, st.sampled_from(RejectionCode))),
        (1, _refuse_cancel, (picks,)),
        (1, _lose, (picks, requests)),
        (2, _report, (picks, st.sampled_from([ReportedStatus.OPEN, ReportedStatus.CANCELED]))),
        (1, _not_found, (picks,)),
        (3, _report_trades, ()),
        (1, _report_open_orders, ()),
        (1, _report_balances, ()),
        (1, _lose_account_feed, ()),
        (1, _restore_connection, ()),
        (1, _suspend_requests, (st.sampled_from([500, 5_000, 60_000]),)),
        (1, _pause, ()),
        (2, _resume, ()),
        (2, _stop, (st.booleans(),)),
    ]
    waits = st.sampled_from(_WAITS)
    strategies = [st.builds(Aimed, st.just(make), waits, st.tuples(*drawn)) for _, make, drawn in kinds]
    chosen = [kind for kind, (weight, _, _) in enumerate(kinds) for _ in range(weight)]
    return st.sampled_from(chosen).flatmap(strategies.__getitem__)


def _pick(machine: QuotingMachine, number: int) -> OwnOrder | None:
    """One of the orders about which something is open, the newest first."""
    orders = list(machine.context.orders.unsettled_orders())
    return orders[-1 - number % len(orders)] if orders else None


def _about(kind: Callable[..., Fact], machine: QuotingMachine, time: int, number: int, **values: Any) -> Fact | None:
    order = _pick(machine, number)
    if order is None:
        return None
    return kind(
        received_at=time,
        symbol=machine.context.settings.symbol,
        client_order_id=order.client_order_id,
        **values,
    )


def _timer(_machine: QuotingMachine, time: int) -> Fact:
    return Timer(received_at=time)


def _book(machine: QuotingMachine, time: int, move: int, width: int) -> Fact:
    return book(machine, time, MIDDLE + Decimal(move) / 10, Decimal(width) / 100)


def _heartbeat(machine: QuotingMachine, time: int) -> Fact:
    return Heartbeat(received_at=time, symbol=machine.context.settings.symbol)


def _acknowledge(machine: QuotingMachine, _time: int, number: int) -> Fact | None:
    order = _pick(machine, number)
    return None if order is None else acknowledgement(machine, order.client_order_id)


def _fill(machine: QuotingMachine, _time: int, number: int, share: str) -> Fact | None:
    order = _pick(machine, number)
    if order is None:
        return None
    lot = machine.context.instrument.lot_size
    quantity = (order.remaining * Decimal(share) / lot).to_integral_value(ROUND_DOWN) * lot
    return fill(machine, order.client_order_id, quantity) if quantity > 0 else None


def _confirm_cancel(machine: QuotingMachine, time: int, number: int) -> Fact | None:
    order = _pick(machine, number)
    filled = None if order is None else order.filled_quantity
    return _about(OrderCanceled, machine, time, number, exchange_time=time, filled_quantity=filled)


def _reject(machine: QuotingMachine, time: int, number: int, code: RejectionCode) -> Fact | None:
    return _about(OrderRejected, machine, time, number, code=code)


def _refuse_cancel(machine: QuotingMachine, time: int, number: int) -> Fact | None:
    return _about(CancelRefused, machine, time, number)


def _lose(machine: QuotingMachine, time: int, number: int, request: RequestKind) -> Fact | None:
    return _about(OutcomeUnknown, machine, time, number, request=request)


def _report(machine: QuotingMachine, time: int, number: int, status: ReportedStatus) -> Fact | None:
    order = _pick(machine, number)
    filled = None if order is None else order.filled_quantity
    return _about(OrderStatusReported, machine, time, number, status=status, filled_quantity=filled, exchange_time=time)


def _not_found(machine: QuotingMachine, time: int, number: int) -> Fact | None:
    order = _pick(machine, number)
    question_id = None if order is None else order.question_id
    return _about(OrderNotFound, machine, time, number, exchange_time=time, question_id=question_id)


def _report_trades(machine: QuotingMachine, time: int) -> Fact:
    return OwnTradesReported(received_at=time, symbol=machine.context.settings.symbol, fills=(), since=0, until=time)


def _report_open_orders(machine: QuotingMachine, time: int) -> Fact:
    """Every order that the machine takes for open is."""
    orders = tuple(
        ReportedOrder(
            client_order_id=order.client_order_id,
            venue_order_id=order.venue_order_id or f"venue-{order.client_order_id}",
            side=order.side,
            price=order.price,
            quantity=order.quantity,
            filled_quantity=order.filled_quantity,
        )
        for order in machine.context.orders.live()
    )
    return OpenOrdersReported(
        received_at=time, symbol=machine.context.settings.symbol, orders=orders, exchange_time=time
    )


def _report_balances(machine: QuotingMachine, time: int) -> Fact:
    return balances(machine, time)


def _lose_account_feed(machine: QuotingMachine, time: int) -> Fact:
    return AccountFeedLost(received_at=time, symbol=machine.context.settings.symbol, reason="a generated test says so")


def _restore_connection(machine: QuotingMachine, time: int) -> Fact:
    return ConnectionRestored(received_at=time, symbol=machine.context.settings.symbol)


def _suspend_requests(machine: QuotingMachine, time: int, milliseconds: int) -> Fact:
    until = time + milliseconds * NANOSECONDS_PER_MILLISECOND
    return RequestsSuspended(received_at=time, symbol=machine.context.settings.symbol, until=until)


def _pause(_machine: QuotingMachine, time: int) -> Fact:
    return OperatorPaused(received_at=time)


def _resume(_machine: QuotingMachine, time: int) -> Fact:
    return OperatorResumed(received_at=time)


def _stop(_machine: QuotingMachine, time: int, flatten: bool) -> Fact:  # noqa: FBT001 - drawn with the others
    return StopRequested(received_at=time, flatten=flatten, reason="a generated test asks for it")
