"""What the books of a market put on record, how they are booked from it again, and what people see of them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from attrs import define

from mm_fsm.books.booking import book_again
from mm_fsm.books.context import MarketMakingContext
from mm_fsm.core.messages import SIDES, Fact, Intent, Side
from mm_fsm.machine.strategy import COUNTS, FILLS, LINES

RECORDED: Final = ("reference_price", "position", "cash", "peak")
"""What each record carries: the price at which the starting inventory is costed, the booked amounts, and the peak that
the kill switch measures from."""


def recorded_values(context: MarketMakingContext) -> tuple[str | None, ...]:
    """The amounts that ``RECORDED`` names, as texts."""
    ledger = context.ledger
    mid = ledger.reference_price
    return (
        None if mid is None else str(mid),
        str(context.base_position),
        str(ledger.cash),
        str(ledger.peak_net_pnl),
    )


@define
class MarketBooksOnRecord:
    """The books of a market, into which records are booked at the prices that they carry."""

    context: MarketMakingContext

    def book(self, fact: Fact, intents: tuple[Intent, ...], recorded: Mapping[str, str | None]) -> None:
        """Book one record as the machine booked it.

        Raises:
            FactRefusedError: the books that it is booked into are not those it was booked into before.
        """
        price, peak = recorded["reference_price"], recorded["peak"]
        book_again(
            self.context,
            fact,
            intents,
            reference_price=None if price is None else Decimal(price),
            peak=None if peak is None else Decimal(peak),
        )

    def amounts(self) -> Mapping[str, object]:
        """Position in base units, cash and fees in quote currency, and how often something was booked."""
        context = self.context
        return {
            "position": context.base_position,
            "cash": context.ledger.cash,
            "fees paid": context.fees_paid,
            "bookings": context.ledger.bookings,
        }


def shown(context: MarketMakingContext) -> dict[str, object]:
    """What people see of a market's books: prices, inventory, money, own orders."""
    orders = context.orders.unsettled_orders()
    return {
        LINES: {
            "mid": context.mid_price,
            "market bid": context.bid_price,
            "market ask": context.ask_price,
            **{f"own {side}": _best_quote(context, side) for side in SIDES},
        },
        "market": {
            "spread bps": context.market_spread_bps,
            "volatility": context.volatility,
        },
        "inventory": {
            "position": context.base_position,
            "target": context.target_base,
            "limit": context.position_limit,
            "skew": context.inventory_skew,
        },
        "money": {
            "cash": context.ledger.cash,
            "equity": context.equity,
            "net": context.net_pnl,
            "realized": context.realized_pnl,
            "unrealized": context.unrealized_pnl,
            "fees": context.fees_paid,
        },
        COUNTS: {
            FILLS: context.fill_count,
            "orders that traded": context.total_trades,
            "recoveries": context.session_recoveries,
            "facts refused": context.refused_facts,
        },
        "orders": {
            order.client_order_id: {
                "side": str(order.side),
                "price": order.price,
                "quantity": order.quantity,
                "filled": order.filled_quantity,
                "status": str(order.status),
                "purpose": str(order.purpose),
                "level": order.level,
            }
            for order in orders
        },
        "fault": None if context.fault is None else f"{context.fault.code}: {context.fault.reason}",
    }


def _best_quote(context: MarketMakingContext, side: Side) -> Decimal | None:
    prices = [order.price for order in context.live_quotes(side)]
    if not prices:
        return None
    return max(prices) if side is Side.BID else min(prices)


def describe_side(context: MarketMakingContext, side: Side) -> str:
    """Whether a side is quoted, and if not, why."""
    hold = context.sides[side].status
    if hold is None:
        return "live"
    reason = str(hold.reason).replace("_", " ")
    return f"held: {reason}, {hold.detail}" if hold.detail else f"held: {reason}"
