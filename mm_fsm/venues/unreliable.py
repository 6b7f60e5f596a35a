"""A venue that goes wrong on purpose: answers that get lost, facts that come twice, late, or not at all.

It wraps any simulated venue and is itself one, so that a machine can be tested against what real venues do to it.
Same seed, same faults.
"""

from __future__ import annotations

import math
from collections import Counter
from heapq import heappop, heappush
from random import Random
from typing import Final

from attrs import evolve, frozen

from mm_fsm.books.facts import (
    CancelRefused,
    OrderAcknowledged,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    OutcomeUnknown,
    QueryFailed,
)
from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.messages import (
    CancelOrder,
    Fact,
    Intent,
    PlaceOrder,
    QueryOrder,
    RequestKind,
)
from mm_fsm.errors import SettingsError
from mm_fsm.venues.base import MarketEvent, SimulatedVenue, time_of
from mm_fsm.venues.paper.deliveries import Deliveries

_REQUEST_FAULTS: Final = ("request_lost", "request_late", "answer_lost")
_PROBABILITIES: Final = (
    *_REQUEST_FAULTS,
    "query_lost",
    "fill_lost",
    "fact_duplicated",
    "fact_delayed",
    "market_delayed",
)


@frozen(kw_only=True)
class Faults:
    """How often what goes wrong: probabilities from 0 to 1, all 0 unless set.

    Raises:
        SettingsError: a probability is not from 0 to 1, or a duration negative or not finite.
    """

    request_lost: float = 0.0
    """A placement or cancel never reaches the venue; ``OutcomeUnknown`` comes after the time-out."""
    request_late: float = 0.0
    """A placement or cancel is held up and acts only after the time-out, when ``OutcomeUnknown`` has been sent."""
    answer_lost: float = 0.0
    """A placement or cancel acts, but its answer is lost; ``OutcomeUnknown`` comes after the time-out."""
    query_lost: float = 0.0
    """A query gets no answer; ``QueryFailed`` comes after the time-out."""
    fill_lost: float = 0.0
    """A fill is not reported. Asking for own trades still finds it."""
    fact_duplicated: float = 0.0
    """A fact comes once more, after a delay."""
    fact_delayed: float = 0.0
    """A fact about own orders or the account comes late, so that later ones overtake it."""
    market_delayed: float = 0.0
    """A book, a trade or a trading status comes late, so that later ones overtake it."""
    timeout_seconds: float = 1.0
    """How long the host waits before it gives a request up."""
    longest_delay_seconds: float = 1.0
    """Delays are uniform up to this."""
    seed: int = 0

    def __attrs_post_init__(self) -> None:
        for name in _PROBABILITIES:
            value = getattr(self, name)
            if not isinstance(value, int | float) or not 0 <= value <= 1:
                raise SettingsError(f"faults.{name}", "a probability from 0 to 1", value, "Correct the setting.")
        found = sum(getattr(self, name) for name in _REQUEST_FAULTS)
        if found > 1:
            raise SettingsError(
                "faults.request_lost", "at most 1 with request_late and answer_lost", found, "Lower it."
            )
        for name in ("timeout_seconds", "longest_delay_seconds"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
                raise SettingsError(f"faults.{name}", "at least 0 seconds", value, "Write a finite number.")


class UnreliableVenue:
    """A simulated venue between the host and another one, which loses, repeats and delays what passes.

    Args:
        venue: the one that works.
        faults: what goes wrong how often.
    """

    def __init__(self, venue: SimulatedVenue, faults: Faults) -> None:
        self.venue: Final = venue
        self.faults: Final = faults
        self.injected: Final[Counter[str]] = Counter()
        """How many faults of each kind there were, by the names of the fields of ``Faults``."""
        self._random = Random(faults.seed)  # noqa: S311 - simulates, keeps no secret
        self._timeout = nanoseconds(faults.timeout_seconds)
        self._longest_delay = nanoseconds(faults.longest_delay_seconds)
        self._deliveries = Deliveries()
        self._answers_to_lose: set[tuple[RequestKind, str]] = set()
        self._held_up: list[tuple[int, int, Intent]] = []

    def submit(self, intent: Intent, now: int) -> None:
        """Forward an intent, or lose it, or lose its answer."""
        if isinstance(intent, PlaceOrder | CancelOrder):
            self._submit_order_request(intent, now)
        elif self._strikes("query_lost"):
            self._fail_query(intent, now)
        else:
            self.venue.submit(intent, now)

    def on_market(self, event: MarketEvent) -> None:
        """Forward a market event, after the delayed requests that are due before it."""
        self._release(time_of(event) - 1)
        self.venue.on_market(event)

    def next_time(self) -> int | None:
        """When something scheduled happens next, nanoseconds; None when nothing is."""
        held = self._held_up[0][0] if self._held_up else None
        times = (self.venue.next_time(), self._deliveries.next_time, held)
        return min((time for time in times if time is not None), default=None)

    def advance(self, now: int) -> tuple[Fact, ...]:
        """Act on everything due and return the facts received by ``now``, in the order of ``received_at``."""
        self._release(now)
        for fact in self.venue.advance(now):
            self._pass_on(fact)
        return self._deliveries.receive(now)

    def _strikes(self, name: str) -> bool:
        probability: float = getattr(self.faults, name)
        struck = probability > 0 and self._random.random() < probability
        if struck:
            self.injected[name] += 1
        return struck

    def _submit_order_request(self, intent: PlaceOrder | CancelOrder, now: int) -> None:
        fault = self._request_fault()
        if fault is None:
            self.venue.submit(intent, now)
            return
        self.injected[fault] += 1
        request = RequestKind.PLACE if isinstance(intent, PlaceOrder) else RequestKind.CANCEL
        if fault == "answer_lost":
            self._answers_to_lose.add((request, intent.client_order_id))
            self.venue.submit(intent, now)
        elif fault == "request_late":
            heappush(self._held_up, (now + self._timeout + self._delay(), self.injected[fault], intent))
        self._deliveries.send(
            OutcomeUnknown(
                received_at=now + self._timeout,
                symbol=intent.symbol,
                client_order_id=intent.client_order_id,
                request=request,
                reason="no answer before the time-out",
            )
        )

    def _request_fault(self) -> str | None:
        draw = self._random.random()
        for name in _REQUEST_FAULTS:
            draw -= getattr(self.faults, name)
            if draw < 0:
                return name
        return None

    def _release(self, now: int) -> None:
        while self._held_up and self._held_up[0][0] <= now:
            time, _, intent = heappop(self._held_up)
            self.venue.submit(intent, time)

    def _fail_query(self, intent: Intent, now: int) -> None:
        self._deliveries.send(
            QueryFailed(
                received_at=now + self._timeout,
                symbol=intent.symbol,
                request=intent.request_kind,
                client_order_id=intent.client_order_id if isinstance(intent, QueryOrder) else None,
                reason="no answer before the time-out",
            )
        )

    def _pass_on(self, fact: Fact) -> None:
        if isinstance(fact, MarketEvent):
            self._deliveries.send(self._late(fact) if self._strikes("market_delayed") else fact)
            return
        if self._loses(fact):
            return
        if self._strikes("fact_duplicated"):
            self._deliveries.send(self._late(fact))
        self._deliveries.send(self._late(fact) if self._strikes("fact_delayed") else fact)

    def _loses(self, fact: Fact) -> bool:
        if isinstance(fact, OrderFilled):
            return self._strikes("fill_lost")
        answered = _request_answered(fact)
        if answered is None or answered not in self._answers_to_lose:
            return False
        self._answers_to_lose.discard(answered)
        return True

    def _late(self, fact: Fact) -> Fact:
        return evolve(fact, received_at=fact.received_at + self._delay())

    def _delay(self) -> int:
        return int(self._random.random() * self._longest_delay)


def _request_answered(fact: Fact) -> tuple[RequestKind, str] | None:
    match fact:
        case OrderAcknowledged() | OrderRejected():
            return RequestKind.PLACE, fact.client_order_id
        case OrderCanceled() | CancelRefused():
            return RequestKind.CANCEL, fact.client_order_id
        case _:
            return None
