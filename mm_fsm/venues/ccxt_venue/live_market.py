"""One market of the account, as far as the venue's parts share it, and the exchange's clock as it is heard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from attrs import define, field

from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.instrument import Instrument
from mm_fsm.core.messages import Fact
from mm_fsm.venues.port import TakeFact

_TOLERANCE: Final = nanoseconds(60)


@define(eq=False)
class VenueClock:
    """What time it is at the exchange: by the stamps that have been heard, and by asking.

    Both are from below: nothing claims that the exchange was asked later than it was.
    """

    now: Callable[[], int]
    """Host time, nanoseconds."""
    latest: int = 0
    """The latest stamp of the exchange's that has been received, nanoseconds."""
    _offset: int | None = field(default=None, init=False)

    def hear(self, stamp: int | None) -> None:
        """A message bears this stamp. One far ahead of the host is no time that anything happened at."""
        if stamp is not None and self.latest < stamp <= self.now() + _TOLERANCE:
            self.latest = stamp

    def measure(self, server_time: int, answered_at: int) -> None:
        """The exchange said ``server_time`` in an answer that came at ``answered_at``, host time."""
        self._offset = server_time - answered_at
        self.hear(server_time)

    def asked(self) -> int:
        """The exchange's time now, or a little before."""
        return self.latest if self._offset is None else max(self.now() + self._offset, 0)


class RecentIds:
    """Client order ids, the oldest forgotten after so many: a process that trades for months does not grow.

    Args:
        most: how many are kept; far more than can be open at once.
    """

    def __init__(self, most: int = 50_000) -> None:
        self._most = most
        self._ids: dict[str, None] = {}

    def add(self, client_order_id: str) -> None:
        """Remember an id, as the newest."""
        self._ids.pop(client_order_id, None)
        self._ids[client_order_id] = None
        if len(self._ids) > self._most:
            del self._ids[next(iter(self._ids))]

    def __contains__(self, client_order_id: object) -> bool:
        return client_order_id in self._ids


@define(eq=False)
class LiveMarket:
    """One market of the account."""

    instrument: Instrument
    depth: int
    """Levels a side that the machine is shown."""
    known: RecentIds = field(factory=RecentIds)
    """Client order ids that the machine knows: fills of others would make no sense to it."""
    heard_at: int | None = None
    """Host time of the last message of the book's own subscription, nanoseconds; None while it is synchronised."""
    best: tuple[object, ...] = ()
    """The best levels of the last book, to tell a quiet market from a dead stream."""
    take: TakeFact | None = None

    @property
    def symbol(self) -> str:
        """The market's name."""
        return self.instrument.symbol

    def tell(self, fact: Fact) -> None:
        """Give a fact to the machine; before it is attached nobody hears it."""
        if self.take is not None:
            self.take(fact)
