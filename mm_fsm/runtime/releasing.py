"""When the intents of a step may leave: what takes risk away at once, what adds risk once it is on record.

Cancels and queries never wait. A placement waits for whatever makes its record durable. A cancel of an order whose
placement still waits drops both: were the cancel to leave first, the order would come after it and stay; were it to
follow, an order that nobody wants any more would rest meanwhile. The machine is told.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from attrs import define, field, frozen

from mm_fsm.books.facts import CancelRefused, JournalFailed, OrderRejected
from mm_fsm.core.messages import CancelOrder, Intent, PlaceOrder, RejectionCode
from mm_fsm.errors import JournalError
from mm_fsm.machine.results import StepResult
from mm_fsm.venues.port import TakeFact

Submit = Callable[[Sequence[Intent], int], None]
"""Hands a step's intents to the venue, with the time of the step."""
Durable = Callable[[StepResult], Awaitable[None] | None]
"""What the placements of a step that has some wait for; None when its record is durable already.

It raises ``JournalError`` when the record could not be written: those placements never leave.
"""


class Release(Protocol):
    """Lets the intents of each step go to the venue."""

    def connect(self, submit: Submit, take: TakeFact, now: Callable[[], int]) -> None:
        """Say where intents go, who is told that placements were withheld, and whose clock it is."""
        ...

    def leave(self, result: StepResult) -> None:
        """Let the intents of a step go, now or later. Never blocks, never raises."""
        ...

    async def settle(self, seconds: float | None = None) -> tuple[Intent, ...]:
        """Wait until nothing is held back, for so long at most; what is held back even then never leaves."""
        ...

    def drop(self) -> tuple[Intent, ...]:
        """Let nothing leave that is held back: nobody looks after it any more. What is dropped."""
        ...


class LeavesAtOnce:
    """Nothing waits: the record is durable when the step returns, or there is none."""

    def connect(self, submit: Submit, take: TakeFact, now: Callable[[], int]) -> None:
        """Say where intents go."""
        del take, now
        self._submit = submit

    def leave(self, result: StepResult) -> None:
        """Let everything go."""
        self._submit(result.intents, result.time)

    async def settle(self, seconds: float | None = None) -> tuple[Intent, ...]:
        """Nothing is held back."""
        del seconds
        return ()

    def drop(self) -> tuple[Intent, ...]:
        """Nothing is held back."""
        return ()


@frozen
class _Held:
    """The placements that one step holds back."""

    record: Awaitable[None]
    time: int
    intents: list[PlaceOrder]


@define(eq=False)
class PlacementsWait:
    """Placements leave in the order of their steps, each once its record is durable. For an asyncio host.

    Args:
        durable: what the placements of a step wait for.
    """

    durable: Durable
    _submit: Submit = field(init=False)
    _take: TakeFact = field(init=False)
    _now: Callable[[], int] = field(init=False)
    _held: deque[_Held] = field(factory=deque, init=False)
    _releasing: asyncio.Task[None] | None = field(default=None, init=False)

    def connect(self, submit: Submit, take: TakeFact, now: Callable[[], int]) -> None:
        """Say where intents go, who is told that placements were withheld, and whose clock it is."""
        self._submit, self._take, self._now = submit, take, now

    def leave(self, result: StepResult) -> None:
        """Let cancels and queries go, and placements as soon as they may."""
        placements = [each for each in result.intents if isinstance(each, PlaceOrder)]
        record = self.durable(result) if placements else None
        waits = record is not None or (placements and self._held)
        at_once: list[Intent] = []
        overtaken: list[CancelOrder] = []
        for intent in result.intents:
            if isinstance(intent, CancelOrder) and self._withdraw(intent.client_order_id):
                overtaken.append(intent)
            elif not (waits and isinstance(intent, PlaceOrder)):
                at_once.append(intent)
        if at_once:
            self._submit(at_once, result.time)
        if waits:
            self._held.append(_Held(record or _nothing(), result.time, [*placements]))
            if self._releasing is None or self._releasing.done():
                self._releasing = asyncio.get_running_loop().create_task(self._release_held())
        for cancel in overtaken:
            self._tell_of_withdrawn(cancel)

    async def settle(self, seconds: float | None = None) -> tuple[Intent, ...]:
        """Wait until nothing is held back, for so long at most; what is held back even then never leaves."""
        if self._releasing is not None and not self._releasing.done():
            await asyncio.wait((self._releasing,), timeout=seconds)
        return self.drop()

    def drop(self) -> tuple[Intent, ...]:
        """Let nothing leave that is held back."""
        if self._releasing is not None:
            self._releasing.cancel()
        dropped = tuple(intent for held in self._held for intent in held.intents)
        self._held.clear()
        return dropped

    def _withdraw(self, client_order_id: str) -> bool:
        """Let a placement that is held back never leave; whether there was one."""
        for held in self._held:
            for placement in held.intents:
                if placement.client_order_id == client_order_id:
                    held.intents.remove(placement)
                    return True
        return False

    def _tell_of_withdrawn(self, cancel: CancelOrder) -> None:
        """An answer to the placement and one to its cancel, of which neither left."""
        reason = "not sent: its cancel came while it waited for its record"
        now, symbol, name = self._now(), cancel.symbol, cancel.client_order_id
        code = RejectionCode.RATE_LIMIT
        self._take(OrderRejected(received_at=now, symbol=symbol, client_order_id=name, code=code, reason=reason))
        self._take(CancelRefused(received_at=now, symbol=symbol, client_order_id=name, reason=reason))

    async def _release_held(self) -> None:
        while self._held:
            held = self._held[0]
            try:
                await held.record
            except JournalError as error:
                self._held.popleft()
                self._withhold(held, error)
            else:
                self._held.popleft()
                if held.intents:
                    self._submit(held.intents, held.time)

    def _withhold(self, held: _Held, error: JournalError) -> None:
        """None of these placements was ever sent."""
        withheld = tuple(each.client_order_id for each in held.intents)
        self._take(JournalFailed(received_at=self._now(), reason=str(error), withheld=withheld))


async def _nothing() -> None:
    """The record is durable already; only earlier ones are waited for."""
