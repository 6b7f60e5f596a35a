"""What goes in and what comes out: facts and intents, all frozen.

A *fact* is something that happened: at the venue, at the clock, or by an operator's hand. An *intent* is something
the machine wants done; its outcome comes back later as a fact. Times are integer nanoseconds since the Unix epoch,
prices quote currency per base unit, quantities contracts (base units for spot).

``received_at`` is the time the host received the fact and drives every age and deadline. ``exchange_time`` is the
venue's own stamp and orders events at the venue.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from attrs import frozen

from mm_fsm.core.instrument import Instrument


class Side(StrEnum):
    """Which side of the book an order rests on or a taker hits from."""

    BID = "bid"
    ASK = "ask"

    @property
    def sign(self) -> int:
        """+1 for a bid (it buys), -1 for an ask (it sells)."""
        return 1 if self is Side.BID else -1

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
    NOT_TRADING = "not_trading"
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
    """Something that happened. ``received_at``: nanoseconds, when the host received it."""

    received_at: int


@frozen(kw_only=True)
class Timer(Fact):
    """Time has passed; sent by the host at or after ``StepResult.wake_at``."""


@frozen(kw_only=True)
class StopRequested(Fact):
    """An operator's command to end the session.

    ``flatten`` True reduces the position to the target first; False cancels, confirms and keeps it.
    """

    flatten: bool = True
    reason: str = "stop was asked for"


@frozen(kw_only=True)
class MessageRefused(Fact):
    """A message arrived that made no sense and was dropped: its side is held and the books are synchronised again."""

    reason: str
    client_order_id: str | None = None
    side: Side | None = None


@frozen(kw_only=True)
class JournalFailed(Fact):
    """The journal cannot be written. The placements named in ``withheld`` were never sent, and none will be."""

    reason: str
    withheld: tuple[str, ...] = ()


@frozen(kw_only=True)
class VenueFact(Fact):
    """A fact about one market."""

    symbol: str


@frozen(kw_only=True)
class ConnectionRestored(VenueFact):
    """The connection to the venue was lost and is back: what happened meanwhile is not known."""

    reason: str = ""


@frozen(kw_only=True)
class MarketBook(VenueFact):
    """The visible book, best level first. An empty side means that nobody quotes there.

    ``includes_own_orders`` says whether the sizes contain this account's own resting orders, as they do at any real
    venue; then they are taken out. Own quotes taken for the market would draw the reference price after them.
    """

    bids: tuple[BookLevel, ...]
    asks: tuple[BookLevel, ...]
    exchange_time: int
    includes_own_orders: bool = True


@frozen(kw_only=True)
class MarketTrade(VenueFact):
    """Somebody traded. ``taker_side`` is BID when the taker bought."""

    price: Decimal
    size: Decimal
    taker_side: Side
    trade_id: str
    exchange_time: int


@frozen(kw_only=True)
class Heartbeat(VenueFact):
    """The feed is alive and the last book still stands: a quiet market, not a dead feed."""


STREAMING: Final = (MarketBook, MarketTrade, Heartbeat, Timer)
"""Facts that arrive all the time and say nothing about own orders: by themselves they change no side's status while
there is a plan, and the journal keeps those that move nothing together."""


@frozen(kw_only=True)
class TradingStatusChanged(VenueFact):
    """The venue opened or halted this market."""

    trading: bool
    reason: str = ""


@frozen(kw_only=True)
class InstrumentUpdated(VenueFact):
    """The venue changed this market's rules."""

    instrument: Instrument


@frozen(kw_only=True)
class BalancesReported(VenueFact):
    """The account as the venue sees it; free amounts exclude what own orders lock. Base units and quote currency."""

    base_total: Decimal
    base_free: Decimal
    quote_total: Decimal
    quote_free: Decimal


@frozen(kw_only=True)
class ConversionPriceReported(VenueFact):
    """Price of one unit of a third currency in quote currency, for fees charged in it."""

    currency: str
    price: Decimal


@frozen(kw_only=True)
class FundingPaid(VenueFact):
    """A funding payment on an open contract position; positive when it was received. Quote currency."""

    amount: Decimal
    funding_id: str


@frozen(kw_only=True)
class ExternalFlow(VenueFact):
    """A deposit (positive) or withdrawal (negative) that is no trade. Base units and quote currency."""

    base: Decimal
    quote: Decimal
    flow_id: str


@frozen(kw_only=True)
class OrderFact(VenueFact):
    """A fact about one own order."""

    client_order_id: str


@frozen(kw_only=True)
class OrderAcknowledged(OrderFact):
    """The venue took the order."""

    venue_order_id: str
    exchange_time: int


@frozen(kw_only=True)
class OrderRejected(OrderFact):
    """The venue refused the order; it never was in the book."""

    code: RejectionCode
    reason: str = ""


@frozen(kw_only=True)
class OrderFilled(OrderFact):
    """A trade of an own order, as the venue reported it: price, quantity and fee are taken as they are.

    ``fee`` is positive when paid and negative for a rebate, in ``fee_currency``.
    """

    trade_id: str
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_currency: str
    liquidity: Liquidity
    exchange_time: int
    side: Side | None = None
    """The side as the venue reports it; None when it does not say. A contradiction with the order is refused."""


@frozen(kw_only=True)
class OrderCanceled(OrderFact):
    """The venue confirmed that the order is out of the book.

    ``filled_quantity`` is what the venue says had traded before, None when it does not say: then the order stays
    UNKNOWN until a query tells.
    """

    exchange_time: int
    filled_quantity: Decimal | None = None


@frozen(kw_only=True)
class OrderExpired(OrderFact):
    """The venue took the order out by itself (an immediate-or-cancel remainder, an expiry)."""

    exchange_time: int
    filled_quantity: Decimal | None = None


@frozen(kw_only=True)
class CancelRefused(OrderFact):
    """The venue refused a cancel. What became of the order is not known: it may have filled."""

    reason: str = ""


@frozen(kw_only=True)
class OutcomeUnknown(OrderFact):
    """A request about this order got no usable answer: a time-out, a dropped connection, a truncated body."""

    request: RequestKind
    reason: str = ""


@frozen(kw_only=True)
class OrderStatusReported(OrderFact):
    """Answer to a query. ``filled_quantity`` is cumulative, None when the venue does not say."""

    status: ReportedStatus
    filled_quantity: Decimal | None
    exchange_time: int


@frozen(kw_only=True)
class OrderNotFound(OrderFact):
    """A clean look found nothing: not by id, not among the open orders, and not in the account's trades."""

    exchange_time: int


@frozen(kw_only=True)
class OwnTradesReported(VenueFact):
    """Every own trade the venue knows with an exchange time in [``since``, ``until``]."""

    fills: tuple[OrderFilled, ...]
    since: int
    until: int


@frozen(kw_only=True)
class ReportedOrder:
    """One order that rests in the venue's book. Price quote per base, quantities contracts, filled cumulative."""

    client_order_id: str
    venue_order_id: str
    side: Side
    price: Decimal
    quantity: Decimal
    filled_quantity: Decimal


@frozen(kw_only=True)
class OpenOrdersReported(VenueFact):
    """Every order of the account that rests in this market's book, whoever sent it."""

    orders: tuple[ReportedOrder, ...]
    exchange_time: int


@frozen(kw_only=True)
class QueryFailed(VenueFact):
    """A query got no answer."""

    request: RequestKind
    client_order_id: str | None = None
    reason: str = ""


@frozen(kw_only=True)
class Intent:
    """Something the machine wants done at the venue."""

    symbol: str


@frozen(kw_only=True)
class PlaceOrder(Intent):
    """Send a limit order. ``reduce_only``: it may only bring the position closer to the target."""

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


@frozen(kw_only=True)
class CancelOrder(Intent):
    """Take an own order out of the book."""

    client_order_id: str
    venue_order_id: str | None


@frozen(kw_only=True)
class QueryOrder(Intent):
    """Ask what became of one order: by id, among open orders, and in the account's trades."""

    client_order_id: str
    venue_order_id: str | None


@frozen(kw_only=True)
class QueryOwnTrades(Intent):
    """Ask for every own trade with an exchange time at or after ``since``."""

    since: int


@frozen(kw_only=True)
class QueryBalances(Intent):
    """Ask for the account's balances."""


@frozen(kw_only=True)
class QueryOpenOrders(Intent):
    """Ask for every order of the account that rests in this market's book."""
