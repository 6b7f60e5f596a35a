"""Metrics of a market maker: sides and why they are held, orders, fills, money, faults."""

from __future__ import annotations

from typing import Final

from mm_fsm.core.clock import seconds
from mm_fsm.core.decisions import FaultCode, HoldReason
from mm_fsm.core.messages import SIDES, RejectionCode
from mm_fsm.report.status_limits import limits_of
from mm_fsm.watching.metric_families import Samples, WatchedMarket, counter, gauge, one


def _read_live(market: WatchedMarket) -> Samples:
    return (((side.value,), float(market.context.sides[side].status is None)) for side in SIDES)


def _read_live_time(market: WatchedMarket) -> Samples:
    uptime = market.session.machine.uptime
    return (((side.value,), seconds(uptime.live[side])) for side in SIDES)


def _read_presence(market: WatchedMarket) -> Samples:
    uptime = market.session.machine.uptime
    return (((side.value,), seconds(uptime.resting[side])) for side in SIDES)


def _read_held_time(market: WatchedMarket) -> Samples:
    uptime = market.session.machine.uptime
    for side in SIDES:
        for reason in HoldReason:
            yield (side.value, reason.value), seconds(uptime.held[side][reason.value])


def _read_live_orders(market: WatchedMarket) -> Samples:
    return (((side.value,), float(len(market.context.orders.live(side)))) for side in SIDES)


def _read_rejections(market: WatchedMarket) -> Samples:
    return (((code.value,), float(market.recorder.rejected[code.value])) for code in RejectionCode)


def _read_faults(market: WatchedMarket) -> Samples:
    return (((code.value,), float(market.recorder.faults[code.value])) for code in FaultCode)


def _read_market(market: WatchedMarket) -> Samples:
    machine, instrument = market.session.machine, market.context.instrument
    kind = market.session.configuration.venue_kind
    yield (type(machine).__name__, kind, instrument.base_currency, instrument.quote_currency), 1.0


def _read_limits(market: WatchedMarket) -> Samples:
    """By the setting that sets it. What bounds the position changes with the price, so that one goes by its own name.

    Allowances of the account and its venue are named by texts, which no label may hold.
    """
    for limit in limits_of(market.session):
        if limit.setting != "account" and limit.share is not None:
            yield ("position" if limit.name == "position" else limit.setting,), limit.share


def _data_age(market: WatchedMarket) -> float | None:
    confirmed, now = market.context.market.confirmed_at, max(market.session.runner.now, market.context.now)
    return None if confirmed is None else max(seconds(now - confirmed), 0.0)


def _unknown_orders(market: WatchedMarket) -> float:
    return float(sum(order.is_unknown for order in market.context.orders.live()))


def _journal_bytes(market: WatchedMarket) -> float | None:
    journal = market.session.journal
    return None if journal is None else float(journal.status.size)


MARKET_FAMILIES: Final = (
    gauge(
        "mm_fsm_market_info",
        "Always 1: which machine makes the market, at which kind of venue, in which currencies.",
        _read_market,
        "machine",
        "venue",
        "base_currency",
        "quote_currency",
    ),
    gauge(
        "mm_fsm_side_live",
        "1 while the side has a live quote, 0 while it is held.",
        _read_live,
        "side",
    ),
    counter(
        "mm_fsm_side_live_seconds_total",
        "Time with a live quote.",
        _read_live_time,
        "side",
    ),
    counter(
        "mm_fsm_side_presence_seconds_total",
        "Time in which the venue had a quote of ours in its book.",
        _read_presence,
        "side",
    ),
    counter(
        "mm_fsm_side_held_seconds_total",
        "Time without a live quote, by the reason.",
        _read_held_time,
        "side",
        "reason",
    ),
    gauge(
        "mm_fsm_live_orders",
        "Own orders that are live, or whose outcome is not known.",
        _read_live_orders,
        "side",
    ),
    gauge(
        "mm_fsm_unknown_orders",
        "Own orders whose outcome is not known.",
        one(_unknown_orders),
    ),
    counter(
        "mm_fsm_orders_placed_total",
        "Orders sent by this process.",
        one(lambda market: market.recorder.placed),
    ),
    counter(
        "mm_fsm_order_cancels_total",
        "Cancels sent by this process.",
        one(lambda market: market.recorder.cancels),
    ),
    counter(
        "mm_fsm_order_rejections_total",
        "Placements that the venue refused, by the reason.",
        _read_rejections,
        "code",
    ),
    counter(
        "mm_fsm_fills_total",
        "Fills booked.",
        one(lambda market: market.context.fill_count),
    ),
    counter(
        "mm_fsm_traded_quote_total",
        "Traded notional, quote currency.",
        one(lambda market: market.context.total_volume),
    ),
    gauge(
        "mm_fsm_net_pnl_quote",
        "Realised and unrealised profit less fees, with funding; quote currency.",
        one(lambda market: market.context.net_pnl),
    ),
    gauge(
        "mm_fsm_fees_quote",
        "Fees paid; negative when rebates exceed them; quote currency.",
        one(lambda market: market.context.fees_paid),
    ),
    gauge(
        "mm_fsm_equity_quote",
        "Worth of the part of the account that the market may use, quote currency.",
        one(lambda market: market.context.equity),
    ),
    gauge(
        "mm_fsm_drawdown_quote",
        "Loss from the best profit so far, quote currency.",
        one(lambda market: market.context.ledger.drawdown),
    ),
    gauge(
        "mm_fsm_drawdown_limit_quote",
        "The drawdown at which the kill switch stops the market, quote currency.",
        one(lambda market: market.context.settings.max_drawdown),
    ),
    gauge(
        "mm_fsm_position_base",
        "Position held, base units.",
        one(lambda market: market.context.base_position),
    ),
    gauge(
        "mm_fsm_inventory_offset_base",
        "Position less its target, base units.",
        one(lambda market: market.context.inventory_offset),
    ),
    gauge(
        "mm_fsm_limit_use_ratio",
        "How much of each limit is used, by the setting that sets it; above 1 it is passed.",
        _read_limits,
        "limit",
    ),
    gauge(
        "mm_fsm_mid_price_quote",
        "Reference price, quote currency per base unit.",
        one(lambda market: market.context.mid_price),
    ),
    gauge(
        "mm_fsm_market_data_age_seconds",
        "Age of the newest market data.",
        one(_data_age),
    ),
    counter(
        "mm_fsm_faults_total",
        "Faults, by what kind.",
        _read_faults,
        "code",
    ),
    counter(
        "mm_fsm_refused_facts_total",
        "Messages of the venue that made no sense.",
        one(lambda market: market.session.runner.refused_facts),
    ),
    gauge(
        "mm_fsm_market_down",
        "1 while a bug has ended the market's machine and nobody makes the market.",
        one(lambda market: float(market.session.why_down is not None)),
    ),
    counter(
        "mm_fsm_market_restarts_total",
        "Restarts of the market from its journal.",
        one(lambda market: len(market.session.restarts)),
    ),
    gauge(
        "mm_fsm_quoting_paused",
        "1 while an operator has paused quoting.",
        one(lambda market: float(market.context.operator_pause is not None)),
    ),
    gauge(
        "mm_fsm_journal_bytes",
        "Size of the market's journal.",
        one(_journal_bytes),
    ),
)
