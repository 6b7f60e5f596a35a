"""Own orders, trades and balances in Binance's words: what answers and user events say."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from mm_fsm.core.instrument import ZERO
from mm_fsm.core.messages import Liquidity, Side
from mm_fsm.testing.rehearsal.terms import DIGITS
from mm_fsm.testing.rehearsal.venue_orders import OrderType, OwnTrade, VenueOrder
from mm_fsm.testing.rehearsal.wallet import Wallet

Payload = dict[str, Any]
SIDES = {Side.BID: "BUY", Side.ASK: "SELL"}


def amount(value: Decimal | None) -> str:
    """Write an amount as the exchange does, with eight digits; a missing one is 0."""
    return f"{value or ZERO:.{DIGITS}f}"


def order_payload(order: VenueOrder) -> Payload:
    """An order in an answer to a question."""
    return {
        **_described(order),
        "time": order.time,
        "updateTime": order.updated,
        "isWorking": True,
        "workingTime": order.time,
        "origQuoteOrderQty": amount(order.request.quote_quantity),
    }


def placed_payload(order: VenueOrder, *, shows_fees: bool) -> Payload:
    """The answer to a placement, with the trades it made at once."""
    return {
        **_described(order),
        "transactTime": order.updated,
        "workingTime": order.time,
        "fills": [
            {
                "price": amount(trade.price),
                "qty": amount(trade.quantity),
                "commission": amount(trade.fee) if shows_fees else None,
                "commissionAsset": trade.fee_currency if shows_fees else None,
                "tradeId": trade.trade_id,
            }
            for trade in order.trades
        ],
    }


def canceled_payload(order: VenueOrder, cancel_id: str) -> Payload:
    """The answer to a cancel: the client id in it is the cancel's own."""
    return {
        **_described(order),
        "origClientOrderId": order.client_order_id,
        "clientOrderId": cancel_id,
        "transactTime": order.updated,
    }


def _described(order: VenueOrder) -> Payload:
    request = order.request
    return {
        "symbol": request.symbol,
        "orderId": order.order_id,
        "orderListId": -1,
        "clientOrderId": order.client_order_id,
        "price": amount(request.price),
        "origQty": amount(order.resting.quantity),
        "executedQty": amount(order.filled),
        "cummulativeQuoteQty": amount(order.quote_filled),
        "status": order.status,
        "timeInForce": request.in_force.value,
        "type": request.type.value,
        "side": SIDES[request.side],
        "stopPrice": amount(None),
        "icebergQty": amount(None),
        "selfTradePreventionMode": "EXPIRE_MAKER",
    }


def own_trade_payload(trade: OwnTrade, *, shows_fees: bool) -> Payload:
    """A trade in the answer to ``myTrades``."""
    return {
        "symbol": trade.market_id,
        "id": trade.trade_id,
        "orderId": trade.order_id,
        "orderListId": -1,
        "price": amount(trade.price),
        "qty": amount(trade.quantity),
        "quoteQty": amount(trade.quote_quantity),
        "commission": amount(trade.fee) if shows_fees else None,
        "commissionAsset": trade.fee_currency if shows_fees else None,
        "time": trade.time,
        "isBuyer": trade.side is Side.BID,
        "isMaker": trade.liquidity is Liquidity.MAKER,
        "isBestMatch": True,
    }


def execution_report(
    order: VenueOrder, execution: str, now: int, *, trade: OwnTrade | None = None, cancel_id: str = "", shows_fees: bool
) -> Payload:
    """A user event about an order.

    Args:
        order: as it is after what happened.
        execution: NEW, TRADE, CANCELED, EXPIRED or TRADE_PREVENTION.
        now: milliseconds.
        trade: for TRADE.
        cancel_id: the client id of the cancel.
        shows_fees: whether the fee is reported.
    """
    request = order.request
    return {
        "e": "executionReport",
        "E": now,
        "s": request.symbol,
        "c": cancel_id or order.client_order_id,
        "S": SIDES[request.side],
        "o": request.type.value,
        "f": request.in_force.value,
        "q": amount(order.resting.quantity),
        "p": amount(request.price),
        "P": amount(None),
        "F": amount(None),
        "g": -1,
        "C": order.client_order_id if cancel_id else "",
        "x": execution,
        "X": order.status,
        "r": "NONE",
        "i": order.order_id,
        "z": amount(order.filled),
        "T": order.updated,
        "I": order.order_id,
        "w": order.is_open and request.type is not OrderType.MARKET,
        "M": False,
        "O": order.time,
        "Z": amount(order.quote_filled),
        "Q": amount(request.quote_quantity),
        "W": order.time,
        "V": "EXPIRE_MAKER",
        **(_NO_TRADE if trade is None else _traded(trade, shows_fees=shows_fees)),
    }


def _traded(trade: OwnTrade, *, shows_fees: bool) -> Payload:
    """The fields of a report that tell a trade."""
    return {
        "l": amount(trade.quantity),
        "L": amount(trade.price),
        "Y": amount(trade.quote_quantity),
        "n": amount(trade.fee) if shows_fees else None,
        "N": trade.fee_currency if shows_fees else None,
        "t": trade.trade_id,
        "m": trade.liquidity is Liquidity.MAKER,
    }


_NO_TRADE: Final = {
    "l": amount(None),
    "L": amount(None),
    "Y": amount(None),
    "n": "0",
    "N": None,
    "t": -1,
    "m": False,
}


def account_position(wallet: Wallet, currencies: Iterable[str], now: int) -> Payload:
    """A user event about balances that changed."""
    return {
        "e": "outboundAccountPosition",
        "E": now,
        "u": now,
        "B": [
            {"a": currency, "f": amount(wallet.free(currency)), "l": amount(wallet.locked(currency))}
            for currency in currencies
        ],
    }
