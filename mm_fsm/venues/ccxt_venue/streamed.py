"""What ccxt's parsers of streamed messages say otherwise than its parsers of answers do: read from the message itself.

ccxt keeps each exchange's own message as ``info``. Where its parser of a stream turns a sign round, takes one field for
another, or fills in what is missing, the unified structure is put right from there; what the message does not say stays
not known, so that it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from mm_fsm.venues.ccxt_venue.amounts import amount, entry
from mm_fsm.venues.ccxt_venue.by_exchange import ByExchange, ExchangeNames

FLOAT_BOOKS: Final = ExchangeNames({"coinbase", "gemini", "kraken"})
"""Exchanges whose streamed books ccxt can sort as floats alone, whatever kind of number it is told to make."""
_LIQUIDITY: Final = MappingProxyType({"m": "maker", "t": "taker", "maker": "maker", "taker": "taker"})

Correct = Callable[[Any], Mapping[str, Any]]
"""Takes the exchange's own message; gives what of ccxt's structure is otherwise."""


def set_stream_numbers(exchange: Any) -> None:
    """Have an exchange object that streams make numbers that its books can be sorted by."""
    if getattr(exchange, "id", None) in FLOAT_BOOKS:
        exchange.number = float


def told_apart(exchange: Any, payload: list[Any], *, are_trades: bool) -> tuple[list[Any], list[Any]]:
    """Orders and trades among what a stream of ccxt's gives, each put right.

    Kraken streams both as executions, several in a message, and ccxt takes all of them for what the first one is.

    Args:
        exchange: the object that streams.
        payload: what ``watch_my_trades`` or ``watch_orders`` has given.
        are_trades: whether it was the former.
    """
    orders, trades = ([], payload) if are_trades else (payload, [])
    if exchange.id == "kraken":
        executions = [info for each in payload if isinstance(info := entry(each, "info"), dict)]
        mine = [info for info in executions if (entry(info, "exec_type") == "trade") is not are_trades]
        if are_trades:
            orders = [exchange.parse_ws_order(info) for info in mine]
            trades = [each for each in payload if entry(each, "info") not in mine]
        else:
            trades = [exchange.parse_ws_trade(info) for info in mine]
    return corrected_orders(exchange.id, orders), corrected_trades(exchange.id, trades)


def corrected_orders(exchange: str, payload: list[Any]) -> list[Any]:
    """Own orders as the exchange streamed them."""
    return _corrected(_ORDERS.get(exchange), payload)


def corrected_trades(exchange: str, payload: list[Any]) -> list[Any]:
    """Own trades as the exchange streamed them."""
    return _corrected(_TRADES.get(exchange), payload)


def _corrected(correct: Correct | None, payload: list[Any]) -> list[Any]:
    if correct is None:
        return payload
    return [{**each, **correct(entry(each, "info"))} if isinstance(each, dict) else each for each in payload]


def _binance_trade(info: Any) -> Mapping[str, Any]:
    """Neither true nor false is no taker."""
    is_maker = entry(info, "m")
    return {"takerOrMaker": ("maker" if is_maker else "taker") if isinstance(is_maker, bool) else None}


def _okx_trade(info: Any) -> Mapping[str, Any]:
    """OKX counts a fee that is charged as negative, as it does in answers, where ccxt turns the sign round."""
    charged = amount(entry(info, "fillFee"))
    cost = None if charged is None else str(charged.copy_negate())
    return {"fee": {"cost": cost, "currency": entry(info, "fillFeeCcy")}, "fees": None, **_said(info, "execType")}


def _kraken_trade(info: Any) -> Mapping[str, Any]:
    """A trade without a word of its liquidity is no maker's, and a second fee is a fee."""
    fees = entry(info, "fees")
    told = [{"cost": entry(each, "qty"), "currency": entry(each, "asset")} for each in fees or ()]
    return {"fee": None, "fees": told if isinstance(fees, list) else None, **_said(info, "liquidity_ind")}


def _bitget_trade(info: Any) -> Mapping[str, Any]:
    """The first of several fees is not all of them."""
    fees = entry(info, "feeDetail")
    return {} if isinstance(fees, list) and len(fees) == 1 else {"fee": None, "fees": None}


def _mexc_trade(info: Any) -> Mapping[str, Any]:
    """Letters of another protocol are looked for there, and what is not found is taken for a sale by a taker."""
    is_maker = entry(info, "isMaker")
    side = {"1": "buy", "2": "sell"}.get(str(entry(info, "tradeType") or entry(info, "S")))
    return {"side": side, "takerOrMaker": ("maker" if is_maker else "taker") if isinstance(is_maker, bool) else None}


def _hyperliquid_trade(info: Any) -> Mapping[str, Any]:
    """A fee is in the currency that the trade says, which for what is bought is not always USDC."""
    return {"fee": {"cost": entry(info, "fee"), "currency": entry(info, "feeToken")}, "fees": None}


def _coinbase_order(info: Any) -> Mapping[str, Any]:
    """What has traded is not the whole order: what is left belongs to it."""
    traded, left = amount(entry(info, "cumulative_quantity")), amount(entry(info, "leaves_quantity"))
    return {"amount": None if traded is None or left is None else traded + left}


def _kraken_order(info: Any) -> Mapping[str, Any]:
    """``order_userref`` is another name than the one we give, and ``cum_qty`` is no order's size."""
    return {
        "clientOrderId": entry(info, "cl_ord_id"),
        "amount": entry(info, "order_qty"),
        "filled": entry(info, "cum_qty"),
    }


def _bitget_order(info: Any) -> Mapping[str, Any]:
    """``baseVolume`` is what traded last; what traded together is ``accBaseVolume``."""
    return {"filled": entry(info, "accBaseVolume")}


def _said(info: Any, name: str) -> Mapping[str, Any]:
    return {"takerOrMaker": _LIQUIDITY.get(str(entry(info, name)).lower())}


_TRADES: Final[ByExchange[Correct]] = ByExchange(
    {
        "binance": _binance_trade,
        "bitget": _bitget_trade,
        "hyperliquid": _hyperliquid_trade,
        "kraken": _kraken_trade,
        "mexc": _mexc_trade,
        "okx": _okx_trade,
    }
)
_ORDERS: Final[ByExchange[Correct]] = ByExchange(
    {"bitget": _bitget_order, "coinbase": _coinbase_order, "kraken": _kraken_order}
)
CORRECTED: Final = ExchangeNames({*_TRADES, *_ORDERS})
"""Exchanges of which something is put right."""
