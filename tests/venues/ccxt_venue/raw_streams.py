"""Raw messages as exchanges stream them, written after their documentation.

An own bid of 0.5 at 1999.01 that has traded 0.2 as a maker; that trade; and a book: 2.5 bid at 1999.01, 1 at 1998, and
1 offered at 2000.1.
"""

from __future__ import annotations

from typing import Any, Final

from tests.venues.ccxt_venue.raw_samples import ORDERS
from tests.venues.ccxt_venue.raw_trades import TRADES

T: Final = 1_700_000_000_000
BIDS: Final = [["1999.01", "2.5"], ["1998", "1"]]
ASKS: Final = [["2000.1", "1"]]
WHEN: Final = "2023-11-14T22:13:20.000000Z"

_BINANCE: Final[dict[str, Any]] = {
    "subscriptionId": 0,
    "event": {
        "e": "executionReport", "E": T, "s": "ETHUSDT", "c": "mm-a", "S": "BUY", "o": "LIMIT_MAKER", "f": "GTC",
        "q": "0.5", "p": "1999.01", "P": "0", "F": "0", "g": -1, "C": "", "x": "TRADE", "X": "PARTIALLY_FILLED",
        "r": "NONE", "i": 28, "l": "0.2", "z": "0.2", "L": "1999.01", "n": "0.0002", "N": "ETH", "T": T, "t": 9,
        "w": True, "m": True, "M": False, "O": T, "Z": "399.802", "Y": "399.802", "Q": "0",
    },
}  # fmt: skip
_OKX: Final[dict[str, Any]] = {
    "arg": {"channel": "orders", "instType": "ANY", "uid": "1"},
    "data": [{
        **ORDERS["okx"], "tradeId": "9", "fillPx": "1999.01", "fillSz": "0.2", "fillTime": str(T), "fillFee": "-0.0002",
        "fillFeeCcy": "ETH", "execType": "M", "rebate": "0", "rebateCcy": "USDT",
    }],
}  # fmt: skip
_KUCOIN: Final[dict[str, Any]] = {
    "type": "message", "topic": "/spotMarket/tradeOrders", "subject": "orderChange", "channelType": "private",
    "data": {
        "symbol": "ETH-USDT", "orderType": "limit", "side": "buy", "orderId": "28", "liquidity": "maker",
        "type": "match", "feeType": "makerFee", "orderTime": T, "size": "0.5", "filledSize": "0.2",
        "price": "1999.01", "matchPrice": "1999.01", "matchSize": "0.2", "tradeId": "9", "clientOid": "mm-a",
        "remainSize": "0.3", "status": "match", "ts": T * 10**6,
    },
}  # fmt: skip

ORDER_NEWS: Final[dict[str, dict[str, Any]]] = {
    "binance": _BINANCE,
    "okx": _OKX,
    "bybit": {"id": "1", "topic": "order", "creationTime": T, "data": [{**ORDERS["bybit"], "category": "spot"}]},
    "gate": {
        "time": T // 1000, "time_ms": T, "channel": "spot.orders", "event": "update", "result": [{
            **{name: value for name, value in ORDERS["gate"].items() if name != "status"},
            "event": "update", "finish_as": "open", "filled_amount": "0.2",
        }],
    },
    "bitget": {
        "action": "snapshot", "arg": {"instType": "SPOT", "channel": "orders", "instId": "ETHUSDT"}, "ts": T, "data": [{
            "instId": "ETHUSDT", "orderId": "28", "clientOid": "mm-a", "size": "0.5", "newSize": "0.5",
            "notional": "999.5", "orderType": "limit", "force": "post_only", "side": "buy", "fillPrice": "1999.01",
            "tradeId": "9", "baseVolume": "0.05", "accBaseVolume": "0.2", "fillTime": str(T), "fillFee": "-0.0002",
            "fillFeeCoin": "ETH", "tradeScope": "M", "priceAvg": "1999.01", "price": "1999.01",
            "status": "partially_filled", "cTime": str(T), "uTime": str(T),
            "feeDetail": [{"feeCoin": "ETH", "fee": "-0.0002"}],
        }],
    },
    "kucoin": _KUCOIN,
    "kraken": {
        "channel": "executions", "type": "update", "sequence": 2, "data": [{
            "order_id": "OABC", "cl_ord_id": "mm-a", "order_userref": 0, "symbol": "ETH/USDT", "order_qty": 0.5,
            "cum_qty": 0.2, "cum_cost": 399.802, "avg_price": 1999.01, "time_in_force": "GTC", "exec_type": "restated",
            "side": "buy", "order_type": "limit", "limit_price": 1999.01, "order_status": "partially_filled",
            "fee_usd_equiv": 0.4, "timestamp": WHEN,
        }],
    },
    "cryptocom": {
        "method": "subscribe", "code": 0, "result": {
            "instrument_name": "ETH_USDT", "subscription": "user.order.ETH_USDT", "channel": "user.order",
            "data": [ORDERS["cryptocom"]],
        },
    },
    "htx": {
        "action": "push", "ch": "orders#ethusdt", "data": {
            "eventType": "creation", "symbol": "ethusdt", "orderId": 28, "clientOrderId": "mm-a",
            "orderPrice": "1999.01", "orderSize": "0.5", "type": "buy-limit-maker", "orderStatus": "partial-filled",
            "execAmt": "0.2", "orderCreateTime": T, "lastActTime": T,
        },
    },
    "mexc": {
        "channel": "spot@private.orders.v3.api.pb", "symbol": "ETHUSDT", "sendTime": T, "privateOrders": {
            "id": "28", "clientId": "mma", "price": "1999.01", "quantity": "0.5", "amount": "0", "avgPrice": "1999.01",
            "orderType": 2, "tradeType": 1, "remainAmount": "599.703", "remainQuantity": "0.3",
            "lastDealQuantity": "0.2", "cumulativeQuantity": "0.2", "cumulativeAmount": "399.802", "status": 3,
            "createTime": str(T),
        },
    },
    "hyperliquid": {
        "channel": "orderUpdates", "data": [{
            "order": {
                "coin": "@1", "side": "B", "limitPx": "1999.01", "sz": "0.3", "oid": 28, "timestamp": T,
                "origSz": "0.5", "cloid": "mm-a",
            },
            "status": "open", "statusTimestamp": T,
        }],
    },
}  # fmt: skip
TRADE_NEWS: Final[dict[str, dict[str, Any]]] = {
    "binance": _BINANCE,
    "okx": _OKX,
    "bybit": {
        "id": "1", "topic": "execution", "creationTime": T,
        "data": [{**TRADES["bybit"], "category": "spot", "execType": "Trade"}],
    },
    "gate": {
        "time": T // 1000, "channel": "spot.usertrades", "event": "update", "result": [TRADES["gate"]],
    },
    "bitget": {
        "action": "snapshot", "arg": {"instType": "SPOT", "channel": "fill", "instId": "default"}, "ts": T, "data": [{
            "orderId": "28", "tradeId": "9", "symbol": "ETHUSDT", "orderType": "limit", "side": "buy",
            "priceAvg": "1999.01", "size": "0.2", "amount": "399.802", "tradeScope": "maker",
            "feeDetail": [{"feeCoin": "ETH", "deduction": "no", "totalDeductionFee": "0", "totalFee": "-0.0002"}],
            "cTime": str(T), "uTime": str(T),
        }],
    },
    "kucoin": _KUCOIN,
    "kraken": {
        "channel": "executions", "type": "update", "sequence": 3, "data": [{
            "order_id": "OABC", "exec_id": "TABC", "exec_type": "trade", "trade_id": 9, "symbol": "ETH/USDT",
            "side": "buy", "last_qty": 0.2, "last_price": 1999.01, "liquidity_ind": "m", "cost": 399.802,
            "order_status": "partially_filled", "order_type": "limit", "timestamp": WHEN, "fee_usd_equiv": 0.4,
            "fees": [{"asset": "USDT", "qty": 0.4}],
        }],
    },
    "cryptocom": {
        "method": "subscribe", "code": 0, "result": {
            "instrument_name": "ETH_USDT", "subscription": "user.trade.ETH_USDT", "channel": "user.trade",
            "data": [TRADES["cryptocom"]],
        },
    },
    "htx": {
        "action": "push", "ch": "trade.clearing#ethusdt#0", "data": {
            "eventType": "trade", "symbol": "ethusdt", "orderId": 28, "tradePrice": "1999.01", "tradeVolume": "0.2",
            "orderSide": "buy", "aggressor": False, "tradeId": 9, "tradeTime": T, "transactFee": "0.0002",
            "feeCurrency": "eth", "orderType": "buy-limit-maker", "clientOrderId": "mm-a",
        },
    },
    "mexc": {
        "channel": "spot@private.deals.v3.api.pb", "symbol": "ETHUSDT", "sendTime": T, "privateDeals": {
            "price": "1999.01", "quantity": "0.2", "amount": "399.802", "tradeType": 1, "isMaker": True,
            "tradeId": "9", "clientOrderId": "mma", "orderId": "28", "feeAmount": "0.0002", "feeCurrency": "ETH",
            "time": T,
        },
    },
    "hyperliquid": {
        "channel": "userFills", "data": {"user": "0x1", "fills": [{
            "coin": "@1", "px": "1999.01", "sz": "0.2", "side": "B", "time": T, "startPosition": "0", "dir": "Buy",
            "closedPnl": "0", "hash": "0x2", "oid": 28, "crossed": False, "fee": "0.0002", "tid": 9, "feeToken": "ETH",
        }]},
    },
}  # fmt: skip
BOOK_NEWS: Final[dict[str, list[dict[str, Any]]]] = {
    "binance": [
        {"result": None, "id": 1},
        {"e": "depthUpdate", "E": T, "s": "ETHUSDT", "U": 2, "u": 3, "b": BIDS, "a": ASKS},
    ],
    "okx": [{
        "arg": {"channel": "books", "instId": "ETH-USDT"}, "action": "snapshot", "data": [{
            "asks": [[*each, "0", "1"] for each in ASKS], "bids": [[*each, "0", "1"] for each in BIDS], "ts": str(T),
            "checksum": 0, "prevSeqId": -1, "seqId": 10,
        }],
    }],
    "bybit": [{
        "topic": "orderbook.50.ETHUSDT", "type": "snapshot", "ts": T,
        "data": {"s": "ETHUSDT", "b": BIDS, "a": ASKS, "u": 1, "seq": 1},
    }],
    "gate": [{
        "time_ms": T, "channel": "spot.obu", "event": "update",
        "result": {"t": T, "full": True, "s": "ob.ETH_USDT.50", "u": 10, "b": BIDS, "a": ASKS},
    }],
    "bitget": [{
        "action": "snapshot", "arg": {"instType": "SPOT", "channel": "books", "instId": "ETHUSDT"}, "ts": T,
        "data": [{"asks": ASKS, "bids": BIDS, "checksum": 0, "ts": str(T)}],
    }],
    "kraken": [{
        "channel": "book", "type": "snapshot", "data": [{
            "symbol": "ETH/USDT", "checksum": 1,
            "bids": [{"price": float(price), "qty": float(size)} for price, size in BIDS],
            "asks": [{"price": float(price), "qty": float(size)} for price, size in ASKS],
        }],
    }],
    "cryptocom": [{
        "method": "subscribe", "code": 0, "result": {
            "instrument_name": "ETH_USDT", "subscription": "book.ETH_USDT.50", "channel": "book", "depth": 50, "data": [
                {"bids": [[*each, "1"] for each in BIDS], "asks": [[*each, "1"] for each in ASKS], "t": T, "s": 1}
            ],
        },
    }],
    "kucoin": [
        {
            "type": "message", "topic": "/market/level2:ETH-USDT", "subject": "trade.l2update", "data": {
                "sequenceStart": number, "sequenceEnd": number, "symbol": "ETH-USDT", "time": T,
                "changes": {"asks": [["2000.1", "1", str(number)]], "bids": [["1998", "1", str(number)]]},
            },
        }
        for number in range(1, 9)
    ],
    "coinbase": [{
        "channel": "l2_data", "client_id": "", "timestamp": WHEN, "sequence_num": 0, "events": [{
            "type": "snapshot", "product_id": "ETH-USDT", "updates": [
                {"side": side, "event_time": WHEN, "price_level": price, "new_quantity": size}
                for side, levels in (("bid", BIDS), ("offer", ASKS)) for price, size in levels
            ],
        }],
    }],
    "gemini": [{
        "type": "l2_updates", "symbol": "ETHUSDT", "trades": [], "auction_events": [],
        "changes": [[side, *level] for side, levels in (("buy", BIDS), ("sell", ASKS)) for level in levels],
    }],
    "bingx": [{
        "code": 0, "dataType": "ETH-USDT@depth100", "success": True, "timestamp": T,
        "data": {"bids": BIDS, "asks": ASKS, "ts": T, "lastUpdateId": 1, "action": "all"},
    }],
}  # fmt: skip
