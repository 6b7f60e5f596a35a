"""What a status says of a market besides its sides: market and quotes, limits, requests, feed, faults, latest news."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, Final

from attrs import define, field

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts import OrderFilled, OwnTradesReported
from mm_fsm.books.orders import OwnOrder
from mm_fsm.core.clock import nanoseconds, seconds
from mm_fsm.core.instrument import BASIS_POINTS
from mm_fsm.core.messages import SIDES, Side
from mm_fsm.machine.results import StepResult
from mm_fsm.report.exact import as_json
from mm_fsm.report.status_limits import Limit, limits_of
from mm_fsm.runtime.session import Session

_NEWS_KEPT: Final = 12
_TRADES_KEPT: Final = 1_000
"""Ids by which a fill that is told twice is known."""


def figures_of(session: Session) -> dict[str, Any]:
    """Everything that JSON can hold. Times are nanoseconds of the facts' clock. Changes nothing."""
    context = session.machine.context
    now = max(session.now, context.now)
    return {
        "market": _market(context),
        "quotes": {side.value: _orders(context, side) for side in SIDES},
        "profit": _profit(context),
        "inventory": _inventory(context),
        "limits": [_limit(each) for each in limits_of(session)],
        "requests": _requests(context, now),
        "feed": _feed(context, now),
        "faults": _faults(context, now),
        "unknown_orders": [_unknown(order) for order in context.orders.live() if order.is_unknown],
        "pause": context.operator_pause,
        "stopping": _stopping(context),
        "journal_failure": None if session.journal is None else session.journal.status.failure,
    }


def _market(context: MarketMakingContext) -> dict[str, Any]:
    plan, volatility = context.plan, context.volatility
    found = {
        "bid": context.bid_price,
        "ask": context.ask_price,
        "reference": context.mid_price,
        "spread_bps": context.market_spread_bps,
        "volatility_bps": None if volatility is None else float(BASIS_POINTS) * volatility,
        "quoted_bid_spread_bps": None if plan is None else plan.bid_spread_bps,
        "quoted_ask_spread_bps": None if plan is None else plan.ask_spread_bps,
        "is_trading": context.market.is_trading,
        "tick": context.instrument.tick_size,
        "base_currency": context.instrument.base_currency,
        "quote_currency": context.instrument.quote_currency,
    }
    return {name: as_json(value) for name, value in found.items()}


def _orders(context: MarketMakingContext, side: Side) -> list[dict[str, Any]]:
    """Own live orders, innermost first."""
    mid = context.mid_price
    orders = sorted(context.orders.live(side), key=lambda order: -side.sign * order.price)
    return [
        {
            "price": as_json(order.price),
            "remaining": as_json(order.remaining),
            "distance_bps": None if not mid else float((order.price - mid) / mid * BASIS_POINTS),
            "status": order.status.value,
            "is_resting": order.is_resting,
            "purpose": order.purpose.value,
        }
        for order in orders
    ]


def _profit(context: MarketMakingContext) -> dict[str, Any]:
    ledger = context.ledger
    found: dict[str, Any] = as_json(
        {
            "net_pnl": ledger.net_pnl,
            "spread_capture": ledger.spread_capture,
            "inventory_pnl": ledger.inventory_pnl,
            "fees": ledger.fees_paid,
            "funding": ledger.funding_received,
            "volume": ledger.volume_quote,
            "last_fill_at": context.last_fill_time,
        }
    )
    return found


def _inventory(context: MarketMakingContext) -> dict[str, Any]:
    standing = context.assess_inventory()
    found: dict[str, Any] = as_json(
        {
            "position": context.base_position,
            "offset": standing.offset,
            "limit": standing.limit,
            "use": standing.use,
            "skew": standing.skew,
        }
    )
    return found


def _limit(limit: Limit) -> dict[str, Any]:
    return {
        "setting": limit.setting,
        "name": limit.name,
        "used": as_json(limit.used),
        "allowed": as_json(limit.allowed),
        "unit": limit.unit,
        "share": limit.share,
        "worst_share": limit.worst_share,
        "then": limit.then,
    }


def _requests(context: MarketMakingContext, now: int) -> dict[str, Any]:
    is_suspended = now < context.requests_suspended_until
    return {
        "suspended_until": context.requests_suspended_until if is_suspended else None,
        "suspended_reason": context.requests_suspended_reason if is_suspended else "",
        "awaiting_answer": sum(order.is_request_outstanding for order in context.orders.live()),
    }


def _feed(context: MarketMakingContext, now: int) -> dict[str, Any]:
    confirmed = context.market.confirmed_at
    return {
        "age_seconds": None if confirmed is None else max(seconds(now - confirmed), 0.0),
        "behind_seconds": seconds(context.market.feed_delay.behind),
        "stale_after_seconds": context.settings.stale_data_seconds,
        "account_feed_loss": context.account_feed_loss,
        "refused_facts": context.refused_facts,
    }


def _faults(context: MarketMakingContext, now: int) -> dict[str, Any]:
    fault = context.fault
    return {
        "noted": context.faults_noted,
        "now": None
        if fault is None
        else {
            "code": str(fault.code),
            "reason": fault.reason,
            "since": fault.at,
            "is_transient": fault.transient,
        },
        "latched": [{"code": str(code), "reason": each.reason} for code, each in context.latched.items()],
        "doing": "" if fault is None else _what_is_done(context, now),
    }


def _what_is_done(context: MarketMakingContext, now: int) -> str:
    """What follows a fault, as the chart's edges out of ERROR have it."""
    settings, fault, count = context.settings, context.fault, context.orders.count
    if not context.is_everything_confirmed:
        if count:
            return f"all orders are cancelled; {count} still to be confirmed gone"
        return "own trades are looked up before anything else is done"
    attempt = context.recovery_attempts + 1
    has_attempts = (
        attempt <= settings.max_recovery_attempts and context.session_recoveries < settings.max_session_recoveries
    )
    if fault is not None and fault.transient and not context.is_stopping and has_attempts:
        wait = max(seconds(context.recover_at - now), 0.0)
        return f"it recovers in {wait:.1f} s at the earliest, attempt {attempt} of {settings.max_recovery_attempts}"
    if settings.wind_down_on_fault and not context.keeps_position and context.may_trade:
        return "the position is reduced, then it ends"
    return "it ends, and keeps the position"


def _stopping(context: MarketMakingContext) -> dict[str, Any] | None:
    if not context.is_stopping:
        return None
    reduction = context.reduction
    deadline = None
    if reduction is not None:
        deadline = reduction.started_at + nanoseconds(context.settings.wind_down_deadline_seconds)
    return {
        "reason": context.stop_reason,
        "keeps_position": context.keeps_position,
        "deadline": deadline,
        "is_late": context.is_late,
    }


def _unknown(order: OwnOrder) -> dict[str, Any]:
    return {"order": order.client_order_id, "side": order.side.value, "since": order.changed_at}


@define(eq=False)
class News:
    """The latest fills and faults of a session, newest last."""

    items: deque[dict[str, Any]] = field(factory=lambda: deque(maxlen=_NEWS_KEPT), init=False)
    _fills: int | None = field(default=None, init=False)
    _seen: deque[str] = field(factory=lambda: deque(maxlen=_TRADES_KEPT), init=False)

    def follow(self, session: Session, result: StepResult) -> None:
        """Keep what one step brought."""
        context = session.machine.context
        fills, self._fills = self._fills, context.fill_count
        if fills is None or context.fill_count > fills:
            booked = context.fill_count - (fills or 0)
            fresh = [fill for fill in _fills_of(result) if fill.trade_id not in self._seen]
            for fill in fresh[-booked:] if booked else ():  # those of an earlier process come first
                self._seen.append(fill.trade_id)
                self._add(result, "fill", _fill_words(context, fill))
        for fault in result.faults:
            self._add(result, "fault", f"{fault.code.replace('_', ' ')}: {fault.reason}")

    def _add(self, result: StepResult, kind: str, words: str) -> None:
        self.items.append({"time": result.time, "kind": kind, "words": words})


def _fills_of(result: StepResult) -> Iterator[OrderFilled]:
    fact = result.fact
    if isinstance(fact, OrderFilled):
        yield fact
    elif isinstance(fact, OwnTradesReported):
        yield from fact.fills


def _fill_words(context: MarketMakingContext, fill: OrderFilled) -> str:
    order = context.orders.get(fill.client_order_id)
    side = fill.side if order is None else order.side
    did = "traded" if side is None else "bought" if side is Side.BID else "sold"
    quantity, price = as_json(context.instrument.base_quantity(fill.quantity)), as_json(fill.price)
    return f"{did} {quantity} {context.instrument.base_currency} at {price}"
