"""The venue of a program that owns the connection itself: it says what happens, and carries out what is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mm_fsm.books.facts import OutcomeUnknown, QueryFailed
from mm_fsm.core.messages import (
    CancelOrder,
    Fact,
    Intent,
    PlaceOrder,
    QueryOrder,
    Question,
)
from mm_fsm.venues.port import TakeFact
from mm_fsm.venues.wall_clock import WallClock

CarryOut = Callable[[Intent], object]
"""Sends one intent on its way to the real venue and returns at once; its answer comes later, by ``HostVenue.give``."""


class HostVenue:
    """Stands for the host's own connection to one market.

    Whatever the host raises while it carries an intent out, the others of the step are carried out all the same, and
    the machine is told that the outcome of this one is not known: it may have been sent before the host failed.

    Args:
        carry_out: the host's function for one intent. It may call ``give`` before it returns.
        now: the host's clock, nanoseconds since the Unix epoch, never going back; the wall's by default.
    """

    def __init__(self, carry_out: CarryOut, now: Callable[[], int] | None = None) -> None:
        self._carry_out = carry_out
        self._clock = now or WallClock().now
        self._take: TakeFact | None = None
        self._call: tuple[int, Callable[[], None]] | None = None
        self._failures: list[Fact] = []

    def attach(self, take: TakeFact) -> None:
        """Give the host's facts to ``take``."""
        self._take = take

    def give(self, fact: Fact) -> None:
        """Something happened: the machine takes it, and what it asks for is carried out before this returns.

        Never raises: a fact that makes no sense is reported to the machine, which holds the side it is about.
        """
        if self._take is None:
            raise RuntimeError("give: expected a machine that takes facts, found none yet. Attach one first.")
        self._take(fact)

    @property
    def wake_at(self) -> int | None:
        """When to call ``wake`` if nothing happens before, nanoseconds; None when the machine waits for nothing."""
        return None if self._call is None else self._call[0]

    def wake(self) -> None:
        """Time has passed: call it at ``wake_at`` or later, or simply often. Before that time it does nothing."""
        self.report_failures()
        if self._call is not None and self.now() >= self._call[0]:
            _, call = self._call
            self._call = None
            call()

    def submit(self, intents: Sequence[Intent], now: int) -> None:
        """Have the host carry out one step's intents, one after the other."""
        for intent in intents:
            try:
                self._carry_out(intent)
            except Exception as error:  # noqa: BLE001 - whatever it is, the cancel that comes next must leave
                self._failures.append(_unknown(intent, max(now, self.now()), f"the host raised {type(error).__name__}"))

    def report_failures(self) -> None:
        """Say which intents the host failed to carry out when it was last called.

        Not at once: the machine asks and cancels again, and a host that keeps failing would never get its thread back.
        """
        failures, self._failures = self._failures, []
        for fact in failures:
            self.give(fact)

    def now(self) -> int:
        """The host's time, nanoseconds."""
        return self._clock()

    def call_at(self, time: int, call: Callable[[], None]) -> Callable[[], None]:
        """Have the host call back at ``time``, through ``wake``."""
        self._call = (time, call)
        return self._call_off

    def _call_off(self) -> None:
        self._call = None


def _unknown(intent: Intent, now: int, reason: str) -> Fact:
    """What is known of an intent that a host failed to carry out: nothing."""
    if isinstance(intent, PlaceOrder | CancelOrder):
        return OutcomeUnknown(
            received_at=now,
            symbol=intent.symbol,
            client_order_id=intent.client_order_id,
            request=intent.request_kind,
            reason=reason,
        )
    return QueryFailed(
        received_at=now,
        symbol=intent.symbol,
        request=intent.request_kind,
        client_order_id=intent.client_order_id if isinstance(intent, QueryOrder) else None,
        reason=reason,
        question_id=intent.question_id if isinstance(intent, Question) else None,
    )
