"""Every fact: something that happened at the venue, at the clock, or by an operator's hand. All frozen.

Times are integer nanoseconds since the Unix epoch, prices quote currency per base unit, quantities contracts (base
units for spot). ``received_at`` is the time the host received the fact and drives every age and deadline.
``exchange_time`` is the venue's own stamp and orders events at the venue.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from attrs import frozen

from mm_fsm.core.instrument import Instrument
from mm_fsm.core.messages import (
    BookLevel,
    Fact,
    Liquidity,
    OrderFact,
    RejectionCode,
    ReportedOrder,
    ReportedStatus,
    RequestKind,
    Side,
    VenueFact,
)


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
