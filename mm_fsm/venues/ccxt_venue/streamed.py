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
READ_TRADES: Final = ExchangeNames(
    {"binance", "bitget", "bybit", "cryptocom", "gate", "htx", "hyperliquid", "kraken", "kucoin", "mexc", "okx"}
)
"""Exchanges whose streamed own trades a test has shown to be read as they are. Those of others are asked for: ccxt's
parsers of streams take the whole order for a trade of it, or another currency for the fee's, without a word."""
READ_ORDERS: Final = ExchangeNames({*READ_TRADES, "coinbase"})
"""The same of streamed own orders."""
STREAMS_EXECUTIONS: Final = ExchangeNames({"kraken"})
"""Exchanges that stream own orders and own trades in one."""
_LIQUIDITY: Final = MappingProxyType({"m": "maker", "t": "taker", "maker": "maker", "taker": "taker"})

Correct = Callable[[Any], Mapping[str, Any]]
"""Takes the exchange's own message; gives what of ccxt's structure is otherwise."""


def set_stream_numbers(exchange: Any) -> None:
    """Have an exchange object that streams make numbers that its books can be sorted by."""
    if getattr(exchange, "id", None) in FLOAT_BOOKS:
        exchange.number = float


def pass_executions(exchange: Any, take: Callable[[Any], object]) -> None:
    """Have each execution that an exchange object streams given to ``take`` as the exchange wrote it, and not to ccxt.

    An execution is an order's change or a trade, several in a message. ccxt takes all of a message for what its first
    one is, keeps the last one of each order alone, and breaks on one that names no market, as most of Kraken's do.
    """
    handle_as_ccxt = exchange.handle_message

    def handle(client: Any, message: Any) -> Any:
        if entry(message, "channel") != "executions":
            return handle_as_ccxt(client, message)
        executions = entry(message, "data")
        for each in executions if isinstance(executions, list) else ():
            take(each)
        return None

    exchange.handle_message = handle


def told_apart(exchange: Any, execution: Any) -> tuple[list[Any], list[Any]]:
    """The order or the trade, each in a list, that an execution is; read by ccxt, and put right."""
    if not isinstance(execution, dict):
        return [], []
    if execution.get("exec_type") == "trade":
        return [], corrected_trades(exchange.id, [exchange.parse_ws_trade(execution)])
    return corrected_orders(exchange.id, [exchange.parse_ws_order(execution)]), []


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
    """A fee is in the currency that the trade says, which for what is bought is not always USDC; who crossed, took."""
    has_crossed = entry(info, "crossed")
    liquidity = ("taker" if has_crossed else "maker") if isinstance(has_crossed, bool) else None
    fee = {"cost": entry(info, "fee"), "currency": entry(info, "feeToken")}
    return {"fee": fee, "fees": None, "takerOrMaker": liquidity}


def _mexc_order(info: Any) -> Mapping[str, Any]:
    """A part traded and the rest was cancelled: that is no filled order. What is no purchase is not yet a sale."""
    side = {"1": "buy", "2": "sell"}.get(str(entry(info, "tradeType")))
    return {"side": side, **({"status": "canceled"} if str(entry(info, "status")) == "5" else {})}


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
    {"bitget": _bitget_order, "coinbase": _coinbase_order, "kraken": _kraken_order, "mexc": _mexc_order}
)
CORRECTED: Final = ExchangeNames({*_TRADES, *_ORDERS})
"""Exchanges of which something is put right."""
