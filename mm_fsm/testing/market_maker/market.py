"""A market maker to test, what it is told, and what must be true of its books: where the user says nothing else.

Everything is made up and the same in every run: the instrument, fees and balances of the paper exchange, one level a
side, a volatility that is known after three seconds. Times are nanoseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_DOWN, Decimal
from typing import Final

from mm_fsm.books.facts import (
    BalancesReported,
    MarketBook,
    OpenOrdersReported,
    OrderAcknowledged,
    OrderCanceled,
    OrderFilled,
    OwnTradesReported,
)
from mm_fsm.books.order_lifecycle import OrderStatus
from mm_fsm.core.clock import NANOSECONDS_PER_SECOND
from mm_fsm.core.messages import SIDES, BookLevel, CancelOrder, Fact, Liquidity, PlaceOrder
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.machine.quoting import QuotingMachine
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.paper_run import PAPER_BALANCES, PAPER_FEES, PAPER_INSTRUMENT
from mm_fsm.testing.problems import require
from mm_fsm.testing.subjects.subject import ServicesFactory

START: Final = 1_700_000_000 * NANOSECONDS_PER_SECOND
MIDDLE: Final = Decimal(2000)
"""The price around which the made-up market moves, quote per base."""


def make_market_maker(chart: type[QuotingMachine], services: ServicesFactory | None = None) -> QuotingMachine:
    """A market maker in its initial state that has been told nothing yet."""
    settings = MarketMakingSettings(
        symbol=PAPER_INSTRUMENT.symbol, num_price_levels=1, volatility_sample_seconds=1.0, warm_up_samples=2
    )
    chosen = services() if services is not None else None
    return chart(settings, PAPER_INSTRUMENT, PAPER_FEES, PAPER_BALANCES, chosen, run_id="test")


def opening(machine: QuotingMachine) -> Iterator[Fact]:
    """What a market maker is told first: that it has no past, and a book a second until it knows the volatility."""
    symbol, until = machine.context.settings.symbol, START + 5 * NANOSECONDS_PER_SECOND
    yield book(machine, START)
    yield OpenOrdersReported(received_at=START, symbol=symbol, orders=(), exchange_time=START)
    yield OwnTradesReported(received_at=START, symbol=symbol, fills=(), since=0, until=until)
    yield balances(machine, START)
    for second in range(1, 6):
        yield book(machine, START + second * NANOSECONDS_PER_SECOND, MIDDLE + Decimal(second % 2) / 10)


def book(
    machine: QuotingMachine, time: int, middle: Decimal = MIDDLE, half_spread: Decimal = Decimal("0.05")
) -> MarketBook:
    """A book of one level a side, five contracts each."""
    bids, asks = (((BookLevel(middle - side.sign * half_spread, Decimal(5)),)) for side in SIDES)
    return MarketBook(
        received_at=time, symbol=machine.context.settings.symbol, bids=bids, asks=asks, exchange_time=time
    )


def balances(machine: QuotingMachine, time: int) -> BalancesReported:
    """The account as the machine believes it to be, all of it free."""
    context = machine.context
    base, quote = context.base_position, context.ledger.cash
    return BalancesReported(
        received_at=time,
        symbol=context.settings.symbol,
        base_total=base,
        base_free=base,
        quote_total=quote,
        quote_free=quote,
    )


def answers_of_the_venue(machine: QuotingMachine, result: StepResult) -> Iterator[Fact]:
    """Placements are taken, a quarter of the first one trades, cancels are confirmed: there are books to lose."""
    for intent in result.intents:
        if isinstance(intent, CancelOrder):
            yield cancellation(machine, intent.client_order_id)
        if isinstance(intent, PlaceOrder):
            yield acknowledgement(machine, intent.client_order_id)
            if not machine.context.fill_count:
                quantity = (intent.quantity / 4).quantize(PAPER_INSTRUMENT.lot_size, ROUND_DOWN)
                yield fill(machine, intent.client_order_id, quantity)


def acknowledgement(machine: QuotingMachine, client_order_id: str) -> OrderAcknowledged:
    """The venue took an order, now."""
    return OrderAcknowledged(
        received_at=machine.now,
        symbol=machine.context.settings.symbol,
        client_order_id=client_order_id,
        venue_order_id=f"venue-{client_order_id}",
        exchange_time=machine.now,
    )


def cancellation(machine: QuotingMachine, client_order_id: str) -> OrderCanceled:
    """An order is out of the venue's book, now, with what the machine knows of its trades."""
    order = machine.context.orders.get(client_order_id)
    return OrderCanceled(
        received_at=machine.now,
        symbol=machine.context.settings.symbol,
        client_order_id=client_order_id,
        exchange_time=machine.now,
        filled_quantity=None if order is None else order.filled_quantity,
    )


def fill(machine: QuotingMachine, client_order_id: str, quantity: Decimal) -> OrderFilled:
    """An order has traded at its price, now, for a fee of 0.01 in quote currency."""
    context = machine.context
    order = context.orders.get(client_order_id)
    return OrderFilled(
        received_at=machine.now,
        symbol=context.settings.symbol,
        client_order_id=client_order_id,
        trade_id=f"trade-{context.fill_count + 1}",
        price=MIDDLE if order is None else order.price,
        quantity=quantity,
        fee=Decimal("0.01"),
        fee_currency=context.instrument.quote_currency,
        liquidity=Liquidity.MAKER,
        exchange_time=machine.now,
    )


# -- what must be true ------------------------------------------------------------------------------------------------


def profit_adds_up(machine: QuotingMachine) -> None:
    """The PnL identity holds to the last digit."""
    require(machine.context.ledger.identity_gap() == 0, "profit adds up", machine.context.ledger.identity_gap())


def no_order_is_left_alone(machine: QuotingMachine) -> None:
    """In a fault state every live order has a cancel in flight or timed, or is UNKNOWN and asked about."""
    definition = machine.definition
    if machine.chart_state not in {e.target for e in definition.edges if e.event == definition.fault_event}:
        return
    for order in machine.context.orders.live():
        is_looked_for = order.status is OrderStatus.UNKNOWN and order.query_due is not None
        found = f"{order.client_order_id!r} is {order.status} in {machine.chart_state!r}"
        is_leaving = order.cancel_in_flight or order.is_cancel_paced
        require(is_leaving or is_looked_for, "every live order has a cancel in flight", found)


def nothing_is_open_at_the_end(machine: QuotingMachine) -> None:
    """A final state is reached only with no own order live or UNKNOWN. One that comes alive later is cancelled."""
    if not machine.is_final or machine.context.late_facts:
        return
    for order in machine.context.orders.live():
        is_leaving = order.cancel_in_flight or order.is_cancel_paced
        require(is_leaving, "no order is live at the end", f"{order.client_order_id!r} is {order.status}")


MARKET_INVARIANTS: Final = (profit_adds_up, no_order_is_left_alone)
"""Hold after every step of a market maker, whatever it is told and whatever its guards answer."""
