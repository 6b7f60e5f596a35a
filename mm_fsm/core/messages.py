"""What goes in and what comes out, all frozen: what every fact has, what facts are made of, and the intents.

A *fact* is something that happened: at the venue, at the clock, or by an operator's hand. An *intent* is something
the machine wants done; its outcome comes back later as a fact. Times are integer nanoseconds since the Unix epoch,
prices quote currency per base unit, quantities contracts (base units for spot).

``received_at`` is the time the host received the fact and drives every age and deadline. ``exchange_time`` is the
venue's own stamp and orders events at the venue.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Final, NamedTuple, TypeVar, cast

from attrs import evolve, frozen

F = TypeVar("F")


class Side(StrEnum):
    """Which side of the book an order rests on or a taker hits from."""

    sign: int
    """+1 for a bid (it buys), -1 for an ask (it sells)."""

    BID = "bid"
    ASK = "ask"

    def __init__(self, value: str) -> None:
        self.sign = 1 if value == "bid" else -1

    @property
    def opposite(self) -> Side:
        """The other side."""
        return Side.ASK if self is Side.BID else Side.BID


SIDES: Final = (Side.BID, Side.ASK)
"""Both sides; going through a tuple is several times as fast as going through an enumeration."""


class Liquidity(StrEnum):
    """Whether a fill added or removed liquidity."""

    MAKER = "maker"
    TAKER = "taker"


class TimeInForce(StrEnum):
    """How long an order may stay."""

    GOOD_TILL_CANCELLED = "good_till_cancelled"
    IMMEDIATE_OR_CANCEL = "immediate_or_cancel"


class OrderPurpose(StrEnum):
    """Why an order was sent."""

    QUOTE = "quote"
    ADJUSTMENT = "adjustment"
    WIND_DOWN = "wind_down"


class RejectionCode(StrEnum):
    """Why a venue refused a placement."""

    POST_ONLY = "post_only"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    RATE_LIMIT = "rate_limit"
    FILTER = "filter"
    DUPLICATE = "duplicate"
    ACCOUNT_LIMIT = "account_limit"
    """A limit over all markets of the account; the order never left."""
    NOT_TRADING = "not_trading"
    NOT_PERMITTED = "not_permitted"
    """The key, the account or the place may not trade: no later attempt would succeed."""
    NOT_FILLED = "not_filled"
    """An order that was to take at once met nobody: nothing traded, and it says nothing against the next one."""
    CLOCK = "clock"
    """The venue's clock and ours differ by more than it allows: it says nothing about the order."""
    OTHER = "other"


class RequestKind(StrEnum):
    """Which request a fact is about."""

    PLACE = "place"
    CANCEL = "cancel"
    QUERY_ORDER = "query_order"
    QUERY_OWN_TRADES = "query_own_trades"
    QUERY_BALANCES = "query_balances"
    QUERY_OPEN_ORDERS = "query_open_orders"


class ReportedStatus(StrEnum):
    """What a venue answers when it is asked about one order. A venue that does not say is not in this list."""

    OPEN = "open"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    REJECTED = "rejected"
    EXPIRED = "expired"


class BookLevel(NamedTuple):
    """One price level: quote per base, and the total size resting there in contracts."""

    price: Decimal
    size: Decimal


@frozen(kw_only=True)
class Fact:
    """Something that happened. ``received_at``: nanoseconds, when the host received it.

    The books are a ``MarketMakingContext``, which this layer does not know.
    """

    streams: ClassVar[bool] = False
    """Whether facts of this kind arrive all the time and say nothing about own orders."""
    concerns_money: ClassVar[bool] = False
    """Whether the journal writes facts of this kind at once."""

    received_at: int

    def admit(self, books: Any) -> Any:
        """Check the fact against the books, before anything changes; each field by itself is sound already.

        What it returns is handed to ``book``.

        Raises:
            FactRefusedError: the fact is impossible.
        """

    def book(self, books: Any, admitted: Any) -> bool | None:
        """Apply the fact, which has been admitted, to the books. Its time has been taken already.

        True says that nothing changed but times, counts and estimates: what rested on the books before still does.
        """


@frozen(kw_only=True)
class VenueFact(Fact):
    """A fact about one market."""

    symbol: str


@frozen(kw_only=True)
class OrderFact(VenueFact):
    """A fact about one own order."""

    client_order_id: str


@frozen(kw_only=True)
class ReportedOrder:
    """One order that rests in the venue's book. Price quote per base, quantities contracts, filled cumulative."""

    client_order_id: str
    venue_order_id: str
    side: Side
    price: Decimal
    quantity: Decimal
    filled_quantity: Decimal

    def is_of(self, strategy_id: str) -> bool:
        """Whether a strategy of this name sent it, in whatever run: its name begins the ids of all its orders."""
        return self.client_order_id.startswith(f"{strategy_id}-")


@frozen(kw_only=True)
class Intent:
    """Something the machine wants done at the venue."""

    request_kind: ClassVar[RequestKind]
    """Which request it is, as facts about it say."""

    symbol: str


@frozen(kw_only=True)
class PlaceOrder(Intent):
    """Send a limit order. ``reduce_only``: it may only bring the position closer to the target."""

    request_kind: ClassVar[RequestKind] = RequestKind.PLACE

    client_order_id: str
    side: Side
    price: Decimal
    quantity: Decimal
    purpose: OrderPurpose
    level: int
    """0 is the innermost quote."""
    post_only: bool = True
    time_in_force: TimeInForce = TimeInForce.GOOD_TILL_CANCELLED
    reduce_only: bool = False
    widened_bps: float = 0.0
    """How much further from the mid it lies for the losses of earlier fills. Nothing for a venue: its fills are judged
    without it."""


@frozen(kw_only=True)
class CancelOrder(Intent):
    """Take an own order out of the book."""

    request_kind: ClassVar[RequestKind] = RequestKind.CANCEL

    client_order_id: str
    venue_order_id: str | None


@frozen(kw_only=True)
class Question(Intent):
    """Something to ask the venue. The answer repeats ``question_id``, and so counts for this question alone."""

    question_id: str | None = None


@frozen(kw_only=True)
class QueryOrder(Question):
    """Ask what became of one order: by id, among open orders, and in the account's trades."""

    request_kind: ClassVar[RequestKind] = RequestKind.QUERY_ORDER

    client_order_id: str
    venue_order_id: str | None


@frozen(kw_only=True)
class QueryOwnTrades(Question):
    """Ask for every own trade with an exchange time at or after ``since``."""

    request_kind: ClassVar[RequestKind] = RequestKind.QUERY_OWN_TRADES

    since: int


@frozen(kw_only=True)
class QueryBalances(Question):
    """Ask for the account's balances."""

    request_kind: ClassVar[RequestKind] = RequestKind.QUERY_BALANCES


@frozen(kw_only=True)
class QueryOpenOrders(Question):
    """Ask for every order of the account that rests in this market's book."""

    request_kind: ClassVar[RequestKind] = RequestKind.QUERY_OPEN_ORDERS


def answering(question: Intent, fact: F) -> F:
    """The fact as the answer to a question, which it names; what answers another intent stays as it is."""
    if not isinstance(question, Question):
        return fact
    answer: Any = fact
    return cast("F", evolve(answer, question_id=question.question_id))
