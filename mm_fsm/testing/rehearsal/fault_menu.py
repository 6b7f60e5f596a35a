"""What can go wrong at a rehearsal exchange, and how it is ordered: one ``Fault`` each.

A fault waits for an *occasion* that fits it: a request, or a message about to leave on a stream. ``where`` narrows the
occasions, ``after`` lets some of them pass first, ``at`` keeps it waiting for a time, ``times`` repeats it.
"""

from __future__ import annotations

import math
from enum import StrEnum
from random import Random
from typing import Final

from attrs import field, frozen

from mm_fsm.errors import SettingsError


class Where(StrEnum):
    """An occasion: a kind of request, or a kind of message on a stream."""

    PLACE = "place"
    """A new order."""
    CANCEL = "cancel"
    """A cancel, of one order or of all of a market."""
    REPLACE = "replace"
    """A cancel and a new order in one request."""
    QUERY = "query"
    """A question about orders or own trades."""
    ACCOUNT = "account"
    """A question about balances, fees or permissions."""
    MARKET = "market"
    """A public request."""
    BOOK = "book"
    """A change of depth, on a market stream."""
    TICKER = "ticker"
    """A new best price, on a market stream."""
    TRADES = "trades"
    """A public trade, on a market stream."""
    ORDERS = "orders"
    """A report on an own order, on the user stream."""
    BALANCES = "balances"
    """A report on balances, on the user stream."""


REQUESTS: Final = (Where.PLACE, Where.CANCEL, Where.REPLACE, Where.QUERY, Where.ACCOUNT, Where.MARKET)
STREAMS: Final = (Where.BOOK, Where.TICKER, Where.TRADES, Where.ORDERS, Where.BALANCES)
_USER: Final = (Where.ORDERS, Where.BALANCES)


class FaultKind(StrEnum):
    """The menu."""

    HANG_BEFORE = "hang_before"
    """The request has no effect and is never answered."""
    HANG_AFTER = "hang_after"
    """The request takes effect and is never answered."""
    DELAY_BEFORE = "delay_before"
    """The request reaches the exchange only after ``seconds``; its receive window counts until then."""
    DELAY_AFTER = "delay_after"
    """The request takes effect at once and is answered after ``seconds``."""
    DROP_BEFORE = "drop_before"
    """The connection breaks before the request takes effect."""
    DROP_AFTER = "drop_after"
    """The connection breaks after the request has taken effect, before the answer."""
    TRUNCATE = "truncate"
    """The request takes effect; the connection breaks in the middle of the answer's body."""
    SERVER_ERROR_BEFORE = "server_error_before"
    """HTTP 503, and no JSON in its body, without effect."""
    SERVER_ERROR_AFTER = "server_error_after"
    """HTTP 503 although the request has taken effect."""
    UNKNOWN_BEFORE = "unknown_before"
    """Code -1006, "execution status unknown", without effect."""
    UNKNOWN_AFTER = "unknown_after"
    """Code -1007, "execution status unknown", although the request has taken effect."""
    RATE_LIMITED = "rate_limited"
    """HTTP 429 with Retry-After, for ``seconds``."""
    BANNED = "banned"
    """HTTP 418 with Retry-After, for ``seconds``, whatever is asked."""
    MAINTENANCE = "maintenance"
    """Every request is refused as under maintenance, for ``seconds``."""
    CLOCK_SKEW = "clock_skew"
    """The exchange's clock is ahead by ``skew_seconds`` (behind where negative), for ``seconds``."""
    POST_ONLY_REJECTED = "post_only_rejected"
    """A post-only order is refused as one that would take."""
    FUNDS_REJECTED = "funds_rejected"
    """An order is refused for lack of funds."""
    VISIBLE_LATE = "visible_late"
    """A new order is in no answer to a question until ``seconds`` have passed."""
    PARTIAL_FILL = "partial_fill"
    """A new order that rests trades in part at once."""
    FILL_RACES_CANCEL = "fill_races_cancel"
    """The order that is to be cancelled trades in full just before."""
    NULL_FEES = "null_fees"
    """Fees of own trades are reported as null, for ``seconds``; they are charged all the same."""
    EVENT_LATE = "event_late"
    """A message leaves ``seconds`` later; the next ones do not wait for it."""
    EVENT_DUPLICATED = "event_duplicated"
    """A message leaves twice."""
    EVENT_REORDERED = "event_reordered"
    """A message leaves right after the next one."""
    EVENT_LOST = "event_lost"
    """A message never leaves."""
    STREAM_CLOSED = "stream_closed"
    """The exchange closes the connection in place of the message."""
    HALF_OPEN = "half_open"
    """The connection stays, and nothing leaves or is read any more: no message, no pong."""
    USER_STREAM_ENDED = "user_stream_ended"
    """The exchange says ``eventStreamTerminated`` and sends no own events on that connection any more."""
    USER_STREAM_SILENT = "user_stream_silent"
    """The exchange sends no own events on that connection any more and says nothing; pongs still come."""
    POISONED = "poisoned"
    """A message that is no JSON, in place of the message."""
    BOOK_GAP = "book_gap"
    """A change of depth is lost: the next one does not follow on the last one."""


_OCCASIONS: Final[dict[FaultKind, tuple[Where, ...]]] = {
    FaultKind.POST_ONLY_REJECTED: (Where.PLACE,),
    FaultKind.FUNDS_REJECTED: (Where.PLACE,),
    FaultKind.VISIBLE_LATE: (Where.PLACE,),
    FaultKind.PARTIAL_FILL: (Where.PLACE,),
    FaultKind.FILL_RACES_CANCEL: (Where.CANCEL,),
    FaultKind.NULL_FEES: (Where.ORDERS,),
    FaultKind.EVENT_LATE: STREAMS,
    FaultKind.EVENT_DUPLICATED: STREAMS,
    FaultKind.EVENT_REORDERED: STREAMS,
    FaultKind.EVENT_LOST: STREAMS,
    FaultKind.STREAM_CLOSED: STREAMS,
    FaultKind.HALF_OPEN: STREAMS,
    FaultKind.POISONED: STREAMS,
    FaultKind.USER_STREAM_ENDED: _USER,
    FaultKind.USER_STREAM_SILENT: _USER,
    FaultKind.BOOK_GAP: (Where.BOOK,),
}


def occasions_of(kind: FaultKind) -> tuple[Where, ...]:
    """The occasions that ``kind`` can strike; any request for one that is not about streams or orders."""
    return _OCCASIONS.get(kind, REQUESTS)


def _where(value: str | None) -> Where | None:
    return None if value is None else Where(value)


@frozen(kw_only=True)
class Fault:
    """One fault: what, where and when.

    Raises:
        SettingsError: the kind cannot strike there, or a number is out of its range.
    """

    kind: FaultKind = field(converter=FaultKind)
    where: Where | None = field(default=None, converter=_where)
    """The only occasion that it strikes; None for every one that the kind can."""
    symbol: str | None = None
    """The only market that it strikes, such as ``BTC/USDT``; None for all, and for occasions without a market."""
    after: int = 0
    """Fitting occasions that pass unharmed first."""
    at: float = 0.0
    """Seconds after the exchange opened before which it waits."""
    times: int = 1
    """How many occasions it strikes; a fault that lasts is begun so often."""
    seconds: float = 1.0
    """How long a delay is, or how long a fault that lasts goes on; see the kind."""
    skew_seconds: float = 5.0
    """For ``clock_skew``."""

    def __attrs_post_init__(self) -> None:
        fitting = occasions_of(self.kind)
        if self.where is not None and self.where not in fitting:
            expected = "one of " + ", ".join(fitting)
            raise SettingsError("fault.where", expected, str(self.where), f"{self.kind} cannot strike there.")
        for name, smallest in (("after", 0), ("at", 0), ("times", 1), ("seconds", 0)):
            value = getattr(self, name)
            if not math.isfinite(value) or value < smallest:
                raise SettingsError(f"fault.{name}", f"a finite number of at least {smallest}", value, "Correct it.")
        if not math.isfinite(self.skew_seconds):
            raise SettingsError("fault.skew_seconds", "a finite number", self.skew_seconds, "Correct it.")

    def fits(self, where: Where, symbol: str | None) -> bool:
        """Whether it can strike such an occasion."""
        if where not in occasions_of(self.kind) or self.where not in {None, where}:
            return False
        return self.symbol is None or self.symbol == symbol


def random_faults(
    seed: int, *, count: int, within_seconds: float, kinds: tuple[FaultKind, ...] = tuple(FaultKind)
) -> tuple[Fault, ...]:
    """A mix of faults drawn from a seed, each of them due at some time within ``within_seconds``.

    One seed gives one mix in every process. Delays and lasting faults take from half a second to three seconds.
    """
    stream = Random(f"{seed}-faults")  # noqa: S311 - no secret
    faults = [
        Fault(
            kind=kinds[int(stream.random() * len(kinds))],
            at=stream.random() * within_seconds,
            after=int(stream.random() * 3),
            seconds=0.5 + 2.5 * stream.random(),
            skew_seconds=4 * stream.random() - 2,
        )
        for _ in range(count)
    ]
    return tuple(sorted(faults, key=lambda fault: fault.at))
