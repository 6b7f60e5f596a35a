"""Raw answers of exchanges about a market, whole, written after their documentation: its book and its last price."""

from __future__ import annotations

from typing import Any, Final

T: Final = 1_700_000_000_000

BOOKS: Final[dict[str, Any]] = {
    "binance": {"lastUpdateId": 1, "bids": [["1999.01", "2.5"], ["1998", "1"]], "asks": [["2000.1", "1"]]},
    "okx": {
        "code": "0", "msg": "", "data": [{"asks": [["2000.1", "1", "0", "1"]], "bids": [["1999.01", "2.5", "0",
        "1"]], "ts": str(T)}],
    },
    "bybit": {
        "retCode": 0, "result": {"s": "ETHUSDT", "a": [["2000.1", "1"]], "b": [["1999.01", "2.5"]], "ts": T,
        "u": 1}, "time": T,
    },
    "kraken": {
        "error": [], "result": {"ETHUSDT": {"asks": [["2000.1", "1", T // 1000]], "bids": [["1999.01", "2.5", T
        // 1000]]}},
    },
    "coinbase": {
        "pricebook": {"product_id": "ETH-USDT", "bids": [{"price": "1999.01", "size": "2.5"}], "asks":
        [{"price": "2000.1", "size": "1"}], "time": "2023-11-14T22:13:20Z"},
    },
    "kucoin": {
        "code": "200000", "data": {"sequence": "1", "time": T, "bids": [["1999.01", "2.5"]], "asks": [["2000.1",
        "1"]]},
    },
    "gate": {"id": 1, "current": T, "update": T, "asks": [["2000.1", "1"]], "bids": [["1999.01", "2.5"]]},
    "bitget": {"code": "00000", "data": {"asks": [["2000.1", "1"]], "bids": [["1999.01", "2.5"]], "ts": str(T)}},
    "mexc": {"lastUpdateId": 1, "bids": [["1999.01", "2.5"]], "asks": [["2000.1", "1"]], "timestamp": T},
    "htx": {
        "ch": "market.ethusdt.depth.step0", "status": "ok", "ts": T, "tick": {"bids": [[1999.01, 2.5]], "asks":
        [[2000.1, 1.0]], "version": 1, "ts": T},
    },
    "cryptocom": {
        "code": 0, "result": {"depth": 10, "data": [{"asks": [["2000.1", "1", "1"]], "bids": [["1999.01", "2.5",
        "1"]], "t": T}], "instrument_name": "ETH_USDT"},
    },
    "gemini": {
        "bids": [{"price": "1999.01", "amount": "2.5", "timestamp": "1"}], "asks": [{"price": "2000.1",
        "amount": "1", "timestamp": "1"}],
    },
    "bingx": {"code": 0, "data": {"bids": [["1999.01", "2.5"]], "asks": [["2000.1", "1"]], "ts": T}},
    "bitstamp": {
        "timestamp": str(T // 1000), "microtimestamp": str(T * 1000), "bids": [["1999.01", "2.5"]], "asks":
        [["2000.1", "1"]],
    },
}  # fmt: skip
"""2.5 bid at 1999.01 and 1 offered at 2000.1."""
TICKERS: Final[dict[str, Any]] = {
    "binance": {
        "symbol": "ETHUSDT", "lastPrice": "2000.5", "bidPrice": "1999.01", "askPrice": "2000.1", "openPrice":
        "1990", "closeTime": T, "volume": "10",
    },
    "okx": {
        "code": "0", "data": [{"instType": "SPOT", "instId": "ETH-USDT", "last": "2000.5", "askPx": "2000.1",
        "bidPx": "1999.01", "open24h": "1990", "ts": str(T)}],
    },
    "bybit": {
        "retCode": 0, "result": {"category": "spot", "list": [{"symbol": "ETHUSDT", "lastPrice": "2000.5",
        "bid1Price": "1999.01", "ask1Price": "2000.1", "prevPrice24h": "1990"}]}, "time": T,
    },
    "kraken": {
        "error": [], "result": {"ETHUSDT": {"a": ["2000.1", "1", "1.0"], "b": ["1999.01", "1", "1.0"], "c":
        ["2000.5", "0.1"], "v": ["1", "2"], "p": ["1995", "1996"], "t": [1, 2], "l": ["1980", "1980"], "h":
        ["2010", "2010"], "o": "1990"}},
    },
    "coinbase": {
        "trades": [{"trade_id": "1", "product_id": "ETH-USDT", "price": "2000.5", "size": "1", "time":
        "2023-11-14T22:13:20Z", "side": "BUY"}], "best_bid": "1999.01", "best_ask": "2000.1",
    },
    "kucoin": {
        "code": "200000", "data": {"time": T, "symbol": "ETH-USDT", "buy": "1999.01", "sell": "2000.1", "last":
        "2000.5", "vol": "1", "volValue": "2", "high": "2010", "low": "1980"},
    },
    "gate": [
        {"currency_pair": "ETH_USDT", "last": "2000.5", "lowest_ask": "2000.1", "highest_bid": "1999.01",
        "base_volume": "1", "quote_volume": "2"},
    ],
    "bitget": {
        "code": "00000", "data": [{"symbol": "ETHUSDT", "lastPr": "2000.5", "bidPr": "1999.01", "askPr":
        "2000.1", "open": "1990", "ts": str(T)}],
    },
    "mexc": {
        "symbol": "ETHUSDT", "lastPrice": "2000.5", "bidPrice": "1999.01", "askPrice": "2000.1", "openPrice":
        "1990", "closeTime": T,
    },
    "htx": {
        "ch": "market.ethusdt.detail.merged", "status": "ok", "ts": T, "tick": {"close": 2000.5, "open": 1990,
        "bid": [1999.01, 1], "ask": [2000.1, 1], "amount": 1, "vol": 2},
    },
    "cryptocom": {
        "code": 0, "result": {"data": [{"i": "ETH_USDT", "a": "2000.5", "b": "1999.01", "k": "2000.1", "h":
        "2010", "l": "1980", "v": "1", "t": T}]},
    },
    "gemini": {
        "bid": "1999.01", "ask": "2000.1", "last": "2000.5", "volume": {"ETH": "1", "USDT": "2", "timestamp":
        T},
    },
    "bingx": {
        "code": 0, "data": [{"symbol": "ETH-USDT", "lastPrice": 2000.5, "openPrice": "1990", "bidPrice":
        1999.01, "askPrice": 2000.1, "closeTime": T}],
    },
    "bitstamp": {
        "last": "2000.5", "bid": "1999.01", "ask": "2000.1", "open": "1990", "timestamp": str(T // 1000),
        "volume": "1", "vwap": "1995",
    },
}  # fmt: skip
"""Traded at 2000.5 last."""
