"""Applies admitted facts to the books: market, orders, ledger, figures. In whatever state the lifecycle is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from mm_fsm.books.context import RECENT_FILL_RATE_WEIGHT, MarketMakingContext
from mm_fsm.books.facts import (
    BalancesReported,
    CancelRefused,
    ConnectionRestored,
    ConversionPriceReported,
    ExternalFlow,
    FundingPaid,
    Heartbeat,
    InstrumentUpdated,
    JournalFailed,
    MarketBook,
    MarketTrade,
    MessageRefused,
    OpenOrdersReported,
    OrderAcknowledged,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderNotFound,
    OrderRejected,
    OrderStatusReported,
    OutcomeUnknown,
    OwnTradesReported,
    QueryFailed,
    StopRequested,
    Timer,
    TradingStatusChanged,
)
from mm_fsm.books.order_lifecycle import OrderStatus
from mm_fsm.books.orders import OwnOrder
from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.decisions import Fault, FaultCode, Hold, HoldReason
from mm_fsm.core.instrument import ZERO, InstrumentKind
from mm_fsm.core.messages import (
    SIDES,
    Fact,
    Liquidity,
    OrderFact,
    OrderPurpose,
    RejectionCode,
    ReportedStatus,
    RequestKind,
    Side,
)
from mm_fsm.machine import reconciliation
from mm_fsm.machine.admission import is_own_fill, to_ledger_fill

LATE_BOOKS_BELIEVED: Final = 5
"""Books in a row with older stamps than the newest, after which it is the newest stamp that is not believed."""


def book(context: MarketMakingContext, fact: Fact) -> None:
    """Apply one admitted fact."""
    if fact.received_at < context.now:
        context.clock_regressions += 1
        context.market.note_clock_back_at(fact.received_at)
    else:
        context.now = fact.received_at
    if isinstance(fact, OrderFact):
        context.orders.venue_time = max(context.orders.venue_time, getattr(fact, "exchange_time", 0))
    _BOOKINGS[type(fact)](context, fact)


def _book_nothing(_context: MarketMakingContext, _fact: Any) -> None:
    """Nothing but its time."""


# -- market --------------------------------------------------------------------------------------------------------


def _book_market(context: MarketMakingContext, fact: MarketBook) -> None:
    market = context.market
    if fact.exchange_time < market.exchange_time:
        if market.late_books_in_a_row < LATE_BOOKS_BELIEVED:
            context.late_books += 1
            market.late_books_in_a_row += 1
            return
        market.disbelieve_stamp()
    market.late_books_in_a_row = 0
    own_bids = context.active_bid_orders if fact.includes_own_orders else ()
    own_asks = context.active_ask_orders if fact.includes_own_orders else ()
    if not market.take(fact, own_bids, own_asks):
        return
    mid = market.mid_price
    if mid is None:
        return
    as_float = float(mid)
    context.markouts.observe(context.now, as_float)
    context.volatility_estimator.observe(context.now, as_float)
    context.ledger.mark(mid)
    if context.first_mid_price is None:
        context.first_mid_price = mid
    if context.was_over_limit and not context.assess_inventory().is_over_limit:
        context.was_over_limit = False


def _book_heartbeat(context: MarketMakingContext, fact: Heartbeat) -> None:
    """A live feed confirms the last book; it cannot stand in for one."""
    if context.market.has_book and not context.market.late_books_in_a_row:
        context.market.confirm(fact.received_at)


def _book_trading_status(context: MarketMakingContext, fact: TradingStatusChanged) -> None:
    context.market.is_trading = fact.trading


def _book_instrument(context: MarketMakingContext, fact: InstrumentUpdated) -> None:
    """New rules: every order goes, and quotes are priced and rounded again."""
    if fact.instrument == context.instrument:
        return
    context.instrument = fact.instrument
    context.plan = None
    for order in context.orders.live():
        order.cancel_due = not order.cancel_in_flight


def _book_conversion_price(context: MarketMakingContext, fact: ConversionPriceReported) -> None:
    context.conversion_prices[fact.currency] = fact.price


# -- account -------------------------------------------------------------------------------------------------------


def _book_balances(context: MarketMakingContext, fact: BalancesReported) -> None:
    """Never quote with what the venue does not have: the ledger stays as it is, the difference is not free."""
    context.balances_reported_at = context.now
    context.missing_base = max(context.base_position - fact.base_total, ZERO)
    expected = context.ledger.cash if context.instrument.kind is InstrumentKind.SPOT else context.equity
    context.missing_quote = ZERO if expected is None else max(expected - fact.quote_total, ZERO)
    reconciliation.take_balances(context, fact)


def _book_funding(context: MarketMakingContext, fact: FundingPaid) -> None:
    if not context.ledger.is_funding_booked(fact.funding_id):
        context.ledger.book_funding(fact.amount, fact.funding_id)


def _book_flow(context: MarketMakingContext, fact: ExternalFlow) -> None:
    if not context.ledger.is_flow_booked(fact.flow_id):
        context.ledger.book_external_flow(fact.base, fact.quote, fact.flow_id)


# -- orders --------------------------------------------------------------------------------------------------------


def _known(context: MarketMakingContext, client_order_id: str) -> OwnOrder:
    order = context.orders.get(client_order_id)
    if order is None:  # admission has looked
        raise KeyError(client_order_id)
    return order


def _note_taken(context: MarketMakingContext, order: OwnOrder) -> None:
    """The venue took an order: count its quantity once, and end the run of rejections."""
    if not order.acknowledged and order.purpose is OrderPurpose.QUOTE:
        context.acknowledged_maker_quantity += order.quantity
        context.sides[order.side].post_only_rejections = 0
    context.rejections_in_a_row = 0


def _note_finished(context: MarketMakingContext, order: OwnOrder) -> None:
    """A quote left the book: its filled share feeds the recent fill rate."""
    if order.is_live or order.purpose is not OrderPurpose.QUOTE or not order.acknowledged:
        return
    share = float(order.filled_quantity / order.quantity)
    context.recent_fill_rate += RECENT_FILL_RATE_WEIGHT * (share - context.recent_fill_rate)


def _note_left_book(context: MarketMakingContext, order: OwnOrder) -> None:
    """An order is out: there is more to place when nobody asked for that, or when something waited for it."""
    _note_finished(context, order)
    is_waited_for = any(side.refusal is not None for side in context.sides.values())
    context.needs_requote = context.needs_requote or is_waited_for or not order.cancel_wanted


def _book_acknowledged(context: MarketMakingContext, fact: OrderAcknowledged) -> None:
    order = _known(context, fact.client_order_id)
    _note_taken(context, order)
    context.orders.acknowledge(order, fact.venue_order_id, context.now)


def _book_rejected(context: MarketMakingContext, fact: OrderRejected) -> None:
    order = _known(context, fact.client_order_id)
    context.needs_requote = True
    if fact.code is RejectionCode.DUPLICATE:
        context.orders.lose_track(order, context.now)
        return
    was_live = order.is_live
    context.orders.reject(order, context.now)
    if was_live and not order.is_live:
        _hold_after_rejection(context, order, fact)


def _hold_after_rejection(context: MarketMakingContext, order: OwnOrder, fact: OrderRejected) -> None:
    """A post-only rejection is ordinary: reprice, a few times; the others hold the side for a while."""
    settings, side = context.settings, context.sides[order.side]
    if fact.code is RejectionCode.POST_ONLY:
        side.post_only_rejections += 1
        if side.post_only_rejections > settings.post_only_retries:
            side.post_only_rejections = 0
            _hold(context, order.side, HoldReason.POST_ONLY_REJECTIONS, fact.reason, settings.post_only_hold_seconds)
    elif fact.code is RejectionCode.INSUFFICIENT_FUNDS:
        context.balances_query_due = context.now
        _hold(context, order.side, HoldReason.FUNDS, fact.reason, settings.funds_hold_seconds)
    else:
        if fact.code in (RejectionCode.FILTER, RejectionCode.OTHER):
            context.rejections_in_a_row += 1
        reason = f"{fact.code}: {fact.reason}"
        _hold(context, order.side, HoldReason.REJECTED_BY_VENUE, reason, settings.rejection_hold_seconds)
    if order.purpose is not OrderPurpose.QUOTE and context.reduction is not None:
        context.reduction.retry_at = context.now + nanoseconds(settings.adjustment_retry_seconds)


def _hold(context: MarketMakingContext, side: Side, reason: HoldReason, detail: str, seconds: float) -> None:
    context.sides[side].take_hold(Hold(reason, detail, context.now + nanoseconds(seconds)))


def _book_fill(context: MarketMakingContext, fact: OrderFilled) -> None:
    order = context.orders.get(fact.client_order_id)
    side = order.side if order is not None else fact.side
    if side is None:
        return
    entry = to_ledger_fill(context, fact, side)
    if context.ledger.is_booked(fact.trade_id, side):
        if context.ledger.contradicts(entry):  # in a list of trades; the balances will tell
            context.remarks.append(f"passed over trade {fact.trade_id!r} of {entry.terms}: booked with other terms")
        return
    context.ledger.book_fill(entry)
    if order is not None:
        _note_taken(context, order)
        context.total_trades += order.filled_quantity == 0
        context.orders.fill(order, fact.quantity, context.now)
        _note_finished(context, order)
    else:
        booked = context.unattributed.get(fact.client_order_id, ZERO)
        context.unattributed[fact.client_order_id] = booked + fact.quantity
    _note_fill(context, fact, side)


def _note_fill(context: MarketMakingContext, fact: OrderFilled, side: Side) -> None:
    context.fill_count += 1
    context.last_fill_time = context.now
    context.unhandled_fills.append(fact)
    mid = context.mid_price if context.mid_price is not None else fact.price
    if fact.liquidity is Liquidity.MAKER:
        context.maker_fill_count += 1
        context.filled_maker_quantity += fact.quantity
        context.markouts.record_fill(context.now, side, float(fact.price), float(fact.quantity), float(mid))
    gap = context.ledger.identity_gap()
    if gap != 0:
        reason = f"the ledger's identity misses {gap} after trade {fact.trade_id}"
        context.pending_fault = Fault(code=FaultCode.LEDGER, reason=reason, transient=False)


def _says_too_little(context: MarketMakingContext, order: OwnOrder, fact: OrderCanceled | OrderExpired) -> bool:
    """Out of the book, but what had traded is not said: fills may be missing, so the venue is asked first."""
    if fact.filled_quantity is not None or not order.is_live:
        return False
    context.orders.lose_track(order, context.now)
    context.needs_requote = True
    return True


def _book_canceled(context: MarketMakingContext, fact: OrderCanceled) -> None:
    order = _known(context, fact.client_order_id)
    if _says_too_little(context, order, fact):
        return
    context.orders.confirm_cancel(order, fact.filled_quantity, context.now)
    _note_left_book(context, order)


def _book_expired(context: MarketMakingContext, fact: OrderExpired) -> None:
    order = _known(context, fact.client_order_id)
    if _says_too_little(context, order, fact):
        return
    context.orders.expire(order, fact.filled_quantity, context.now)
    _note_left_book(context, order)


def _book_cancel_refused(context: MarketMakingContext, fact: CancelRefused) -> None:
    context.orders.refuse_cancel(_known(context, fact.client_order_id), context.now)
    context.needs_requote = True


def _book_outcome_unknown(context: MarketMakingContext, fact: OutcomeUnknown) -> None:
    """Only news about a request that still waits for its answer says anything."""
    order = _known(context, fact.client_order_id)
    if fact.request is RequestKind.CANCEL:
        is_news = order.cancel_in_flight
    else:
        is_news = fact.request is RequestKind.PLACE and not order.acknowledged
    if is_news:
        context.orders.lose_track(order, context.now)
        context.needs_requote = True


def _book_status(context: MarketMakingContext, fact: OrderStatusReported) -> None:
    order, orders = _known(context, fact.client_order_id), context.orders
    was_unknown = order.is_unknown
    is_open = fact.status in (ReportedStatus.OPEN, ReportedStatus.PARTIALLY_FILLED)
    if is_open and not order.is_live and fact.exchange_time < order.closed_at:
        return  # an older look, overtaken by the news that the order had left
    if is_open:
        _note_taken(context, order)
        order.acknowledged = True
        orders.report_open(order, fact.filled_quantity, context.now)
    elif fact.status is ReportedStatus.REJECTED:
        orders.reject(order, context.now)
    elif fact.status is ReportedStatus.EXPIRED:
        orders.expire(order, fact.filled_quantity, context.now)
    elif fact.status is ReportedStatus.FILLED:
        orders.report_filled(order, fact.filled_quantity, context.now)
    else:
        orders.confirm_cancel(order, fact.filled_quantity, context.now)
    order.query_in_flight = False
    if not order.is_live and fact.filled_quantity is not None:
        orders.correct_reported(order, fact.filled_quantity)
    context.needs_requote = context.needs_requote or was_unknown or order.status is OrderStatus.CANCELED


def _book_not_found(context: MarketMakingContext, fact: OrderNotFound) -> None:
    order = _known(context, fact.client_order_id)
    context.orders.report_not_found(order, fact.exchange_time, context.now)
    context.needs_requote = context.needs_requote or not order.is_live


def _book_own_trades(context: MarketMakingContext, fact: OwnTradesReported) -> None:
    for fill in fact.fills:
        if is_own_fill(context, fill):
            _book_fill(context, fill)
    context.orders.confirm_trades(fact.since, fact.until)
    is_settled = context.orders.unconfirmed_since is None
    context.trades_query_due = context.now + (0 if is_settled else nanoseconds(context.settings.query_interval_seconds))
    reconciliation.take_trades(context, fact)


def _book_open_orders(context: MarketMakingContext, fact: OpenOrdersReported) -> None:
    for reported in fact.orders:
        order = context.orders.get(reported.client_order_id)
        if order is not None and order.is_live:
            _note_taken(context, order)
            order.acknowledged = True
    reconciliation.take_open_orders(context, fact)
    context.needs_requote = True


def _book_connection_restored(context: MarketMakingContext, fact: ConnectionRestored) -> None:
    """Nothing that was known of market and account can be trusted until it has been asked for again."""
    context.market.forget()
    context.reconciliation.begin_anew(context.now, f"the connection was lost: {fact.reason}")


def _book_journal_failed(context: MarketMakingContext, fact: JournalFailed) -> None:
    """What was never sent is taken out of the books again, and everything stops."""
    for client_order_id in fact.withheld:
        context.orders.withdraw(client_order_id)
        context.sent_orders.pop()
    context.pending_fault = Fault(code=FaultCode.JOURNAL, reason=fact.reason, transient=False)


def _book_query_failed(context: MarketMakingContext, fact: QueryFailed) -> None:
    retry_at = context.now + nanoseconds(context.settings.query_interval_seconds)
    if fact.request is RequestKind.QUERY_BALANCES:
        context.balances_query_due = retry_at
    elif fact.request is RequestKind.QUERY_OWN_TRADES:
        context.trades_query_due = retry_at
    if fact.request is not RequestKind.QUERY_ORDER:
        reconciliation.no_answer(context)
    order = None if fact.client_order_id is None else context.orders.get(fact.client_order_id)
    if order is not None:
        context.orders.query_failed(order, context.now)


def _book_message_refused(context: MarketMakingContext, fact: MessageRefused) -> None:
    """Hold the side the message was about, or both, and ask the venue how things stand."""
    context.refused_facts += 1
    order = None if fact.client_order_id is None else context.orders.get(fact.client_order_id)
    side = fact.side if order is None else order.side
    for held in [side] if side is not None else list(SIDES):
        _hold(context, held, HoldReason.BAD_MESSAGE, fact.reason, context.settings.rejection_hold_seconds)
    if order is not None and order.is_live:
        context.orders.lose_track(order, context.now)
    soon = context.now + nanoseconds(context.settings.query_interval_seconds)
    context.balances_query_due = soon
    context.reconciliation.due = min(context.reconciliation.due, soon)
    context.plan = None


def _book_stop(context: MarketMakingContext, fact: StopRequested) -> None:
    context.keeps_position = context.keeps_position or not fact.flatten
    if not context.stop_reason:
        context.stop_reason = fact.reason or "stop was asked for"


_BOOKINGS: Final[Mapping[type[Fact], Callable[[MarketMakingContext, Any], None]]] = {
    MarketBook: _book_market,
    MarketTrade: _book_nothing,
    Heartbeat: _book_heartbeat,
    Timer: _book_nothing,
    StopRequested: _book_stop,
    MessageRefused: _book_message_refused,
    TradingStatusChanged: _book_trading_status,
    InstrumentUpdated: _book_instrument,
    BalancesReported: _book_balances,
    ConversionPriceReported: _book_conversion_price,
    FundingPaid: _book_funding,
    ExternalFlow: _book_flow,
    OrderAcknowledged: _book_acknowledged,
    OrderRejected: _book_rejected,
    OrderFilled: _book_fill,
    OrderCanceled: _book_canceled,
    OrderExpired: _book_expired,
    CancelRefused: _book_cancel_refused,
    OutcomeUnknown: _book_outcome_unknown,
    OrderStatusReported: _book_status,
    OrderNotFound: _book_not_found,
    OwnTradesReported: _book_own_trades,
    OpenOrdersReported: _book_open_orders,
    ConnectionRestored: _book_connection_restored,
    JournalFailed: _book_journal_failed,
    QueryFailed: _book_query_failed,
}
