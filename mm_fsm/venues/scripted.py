"""Venues in memory, for tests and for hosts: one that takes every order and never trades, and one that pushes.

They are product code: a host can try its own driver on them, and the package's own tests do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from heapq import heappop, heappush
from typing import Final

from mm_fsm.books.facts import (
    BalancesReported,
    CancelRefused,
    OpenOrdersReported,
    OrderAcknowledged,
    OrderCanceled,
    OrderNotFound,
    OrderStatusReported,
    OwnTradesReported,
)
from mm_fsm.core.instrument import Balances
from mm_fsm.core.messages import (
    CancelOrder,
    Fact,
    Intent,
    PlaceOrder,
    QueryBalances,
    QueryOpenOrders,
    QueryOrder,
    QueryOwnTrades,
    ReportedOrder,
    ReportedStatus,
    answering,
)
from mm_fsm.venues.port import PulledVenue, TakeFact, VenueTerms

_NOTHING: Final = Decimal(0)


class AcceptingBook:
    """A venue's book that takes every order at once and in which nothing ever trades.

    Args:
        balances: what every question for balances is answered with; nothing is locked.
    """

    def __init__(self, balances: Balances) -> None:
        self.balances: Final = balances
        self.orders: Final[dict[str, PlaceOrder]] = {}
        """Orders that rest, by client order id."""
        self._finished: set[str] = set()

    def answer(self, intent: Intent, now: int) -> Fact:
        """Carry out an intent at ``now``, nanoseconds; returns the fact that answers it."""
        return answering(intent, self._carry_out(intent, now))

    def _carry_out(self, intent: Intent, now: int) -> Fact:
        match intent:
            case PlaceOrder():
                self.orders[intent.client_order_id] = intent
                return OrderAcknowledged(
                    received_at=now,
                    symbol=intent.symbol,
                    client_order_id=intent.client_order_id,
                    venue_order_id=intent.client_order_id,
                    exchange_time=now,
                )
            case CancelOrder():
                return self._canceled(intent, now)
            case QueryOrder():
                return self._status(intent, now)
            case QueryOwnTrades():
                return OwnTradesReported(received_at=now, symbol=intent.symbol, fills=(), since=intent.since, until=now)
            case QueryOpenOrders():
                resting = tuple(map(_reported, self.orders.values()))
                return OpenOrdersReported(received_at=now, symbol=intent.symbol, orders=resting, exchange_time=now)
            case QueryBalances():
                return self._balances(intent, now)
            case _:
                raise TypeError(f"intent: expected one of mm_fsm.core.messages, found {type(intent).__name__}.")

    def _canceled(self, intent: CancelOrder, now: int) -> Fact:
        identity = intent.client_order_id
        if self.orders.pop(identity, None) is None:
            return CancelRefused(
                received_at=now, symbol=intent.symbol, client_order_id=identity, reason="no such order"
            )
        self._finished.add(identity)
        return OrderCanceled(
            received_at=now,
            symbol=intent.symbol,
            client_order_id=identity,
            exchange_time=now,
            filled_quantity=_NOTHING,
        )

    def _status(self, intent: QueryOrder, now: int) -> Fact:
        identity = intent.client_order_id
        if identity not in self.orders and identity not in self._finished:
            return OrderNotFound(received_at=now, symbol=intent.symbol, client_order_id=identity, exchange_time=now)
        return OrderStatusReported(
            received_at=now,
            symbol=intent.symbol,
            client_order_id=identity,
            status=ReportedStatus.OPEN if identity in self.orders else ReportedStatus.CANCELED,
            filled_quantity=_NOTHING,
            exchange_time=now,
        )

    def _balances(self, intent: QueryBalances, now: int) -> Fact:
        base, quote = self.balances.base, self.balances.quote
        return BalancesReported(
            received_at=now, symbol=intent.symbol, base_total=base, base_free=base, quote_total=quote, quote_free=quote
        )


def _reported(order: PlaceOrder) -> ReportedOrder:
    return ReportedOrder(
        client_order_id=order.client_order_id,
        venue_order_id=order.client_order_id,
        side=order.side,
        price=order.price,
        quantity=order.quantity,
        filled_quantity=_NOTHING,
    )


class PlayedVenue:
    """Pushes the facts of pulled venues, in virtual time: time passes as fast as facts are taken.

    With it the pushed driver can be held against the pulled one: the same facts at the same times.

    Args:
        venues: one for each market.
    """

    def __init__(self, *venues: PulledVenue) -> None:
        self._venues: Final = {venue.terms.instrument.symbol: venue for venue in venues}
        self._takers: dict[str, TakeFact] = {}
        first = [time for venue in venues if (time := venue.next_time()) is not None]
        self._now = min(first, default=0)
        self._calls: list[tuple[int, int, Callable[[], None]]] = []
        self._called_off: set[int] = set()
        self._count = 0
        self._playing: asyncio.Task[None] | None = None
        self.drained = False
        """Whether the host has waited for what was submitted."""
        self.closed = False
        """Whether the host has closed it: no fact comes any more."""

    async def open(self) -> Mapping[str, VenueTerms]:
        """The terms of every market; from now on facts come while the loop runs."""
        self._playing = asyncio.get_running_loop().create_task(self._play())
        return {symbol: venue.terms for symbol, venue in self._venues.items()}

    def attach(self, symbol: str, take: TakeFact, known_ids: Mapping[str, str]) -> None:
        """From now on pass one market's facts to ``take``."""
        del known_ids
        self._takers[symbol] = take

    def submit(self, intents: Sequence[Intent], now: int) -> None:
        """Hand intents to the venue of their market."""
        if intents:
            self._venues[intents[0].symbol].submit(intents, now)

    def now(self) -> int:
        """Virtual time, nanoseconds."""
        return self._now

    def call_at(self, time: int, call: Callable[[], None]) -> Callable[[], None]:
        """Call back once virtual time reaches ``time``; the returned function cancels the call."""
        self._count += 1
        number = self._count
        heappush(self._calls, (time, number, call))
        return lambda: self._called_off.add(number)

    def go_on(self) -> bool:
        """Do the next thing, a venue's fact before a call of the same time. Returns whether there was one."""
        self._forget_called_off()
        times = [(time, symbol) for symbol in self._takers if (time := self._venues[symbol].next_time()) is not None]
        due = min(times, default=None)
        if due is None and not self._calls:
            return False
        if due is not None and (not self._calls or max(due[0], self._now) <= self._calls[0][0]):
            self._now = max(self._now, due[0])
            for fact in self._venues[due[1]].receive(self._now):
                self._takers[due[1]](fact)
            return True
        time, _, call = heappop(self._calls)
        self._now = max(self._now, time)
        call()
        return True

    async def drain(self, seconds: float) -> tuple[Intent, ...]:
        """Nothing waits here."""
        del seconds
        self.drained = True
        return ()

    async def close(self) -> None:
        """Deliver no further fact."""
        self.closed = True
        if self._playing is not None:
            self._playing.cancel()

    def _forget_called_off(self) -> None:
        while self._calls and self._calls[0][1] in self._called_off:
            self._called_off.discard(heappop(self._calls)[1])

    async def _play(self) -> None:
        while not self.closed:
            await asyncio.sleep(0)
            self.go_on()
