"""Raw orders as exchanges send them, written after their documentation: a resting one that has traded in part."""

from __future__ import annotations

from typing import Any, Final

T: Final = 1_700_000_000_000

ORDERS: Final[dict[str, dict[str, Any]]] = {
    "binance": {
        "symbol": "ETHUSDT", "orderId": 28, "orderListId": -1, "clientOrderId": "mm-a", "price": "1999.01",
        "origQty": "0.5", "executedQty": "0.2", "cummulativeQuoteQty": "399.802", "status": "PARTIALLY_FILLED",
        "timeInForce": "GTC", "type": "LIMIT_MAKER", "side": "BUY", "time": T, "updateTime": T, "isWorking": True,
    },
    "okx": {
        "instId": "ETH-USDT", "ordId": "28", "clOrdId": "mma", "px": "1999.01", "sz": "0.5", "accFillSz": "0.2",
        "avgPx": "1999.01", "state": "partially_filled", "side": "buy", "ordType": "post_only", "fee": "-0.0002",
        "feeCcy": "ETH", "cTime": str(T), "uTime": str(T), "fillSz": "0.2", "instType": "SPOT", "tdMode": "cash",
    },
    "bybit": {
        "symbol": "ETHUSDT", "orderId": "28", "orderLinkId": "mm-a", "price": "1999.01", "qty": "0.5",
        "cumExecQty": "0.2", "leavesQty": "0.3", "cumExecValue": "399.802", "cumExecFee": "0.0002",
        "orderStatus": "PartiallyFilled", "side": "Buy", "orderType": "Limit", "timeInForce": "PostOnly",
        "createdTime": str(T), "updatedTime": str(T), "avgPrice": "1999.01",
    },
    "kraken": {
        "id": "OABC", "cl_ord_id": "ff", "status": "open", "opentm": T / 1000, "vol": "0.5", "vol_exec": "0.2",
        "cost": "399.8", "fee": "0.1", "price": "1999.01", "oflags": "post",
        "descr": {"pair": "ETHUSDT", "type": "buy", "ordertype": "limit", "price": "1999.01", "price2": "0"},
    },
    "coinbase": {
        "order_id": "28", "client_order_id": "mm-a", "product_id": "ETH-USDT", "side": "BUY", "status": "OPEN",
        "filled_size": "0.2", "average_filled_price": "1999.01", "total_fees": "0.1", "filled_value": "399.8",
        "created_time": "2023-11-14T22:13:20Z", "order_type": "LIMIT", "time_in_force": "GOOD_UNTIL_CANCELLED",
        "order_configuration": {
            "limit_limit_gtc": {"base_size": "0.5", "limit_price": "1999.01", "post_only": True}
        },
    },
    "kucoin": {
        "id": "28", "clientOid": "mm-a", "symbol": "ETH-USDT", "type": "limit", "side": "buy", "price": "1999.01",
        "size": "0.5", "dealSize": "0.2", "dealFunds": "399.8", "fee": "0.1", "feeCurrency": "USDT",
        "isActive": True, "cancelExist": False, "createdAt": T, "postOnly": True, "timeInForce": "GTC",
    },
    "gate": {
        "id": "28", "text": "t-mma", "currency_pair": "ETH_USDT", "side": "buy", "status": "open",
        "amount": "0.5", "left": "0.3", "filled_total": "399.8", "price": "1999.01", "fee": "0.0002",
        "fee_currency": "ETH", "create_time_ms": T, "update_time_ms": T, "type": "limit", "time_in_force": "poc",
    },
    "bitget": {
        "symbol": "ETHUSDT", "orderId": "28", "clientOid": "mm-a", "price": "1999.01", "size": "0.5",
        "orderType": "limit", "side": "buy", "status": "partially_filled", "priceAvg": "1999.01",
        "baseVolume": "0.2", "quoteVolume": "399.8", "cTime": str(T), "uTime": str(T), "force": "post_only",
    },
    "mexc": {
        "symbol": "ETHUSDT", "orderId": "28", "clientOrderId": "mma", "price": "1999.01", "origQty": "0.5",
        "executedQty": "0.2", "cummulativeQuoteQty": "399.8", "status": "PARTIALLY_FILLED", "type": "LIMIT_MAKER",
        "side": "BUY", "time": T, "updateTime": T,
    },
    "htx": {
        "id": 28, "client-order-id": "mm-a", "symbol": "ethusdt", "price": "1999.01", "amount": "0.5",
        "field-amount": "0.2", "field-cash-amount": "399.8", "field-fees": "0.0002", "state": "partial-filled",
        "type": "buy-limit-maker", "created-at": T, "filled-amount": "0.2", "filled-cash-amount": "399.8",
    },
    "cryptocom": {
        "order_id": "28", "client_oid": "mm-a", "instrument_name": "ETH_USDT", "side": "BUY", "status": "ACTIVE",
        "limit_price": "1999.01", "quantity": "0.5", "cumulative_quantity": "0.2", "cumulative_value": "399.8",
        "avg_price": "1999.01", "create_time": T, "update_time": T, "order_type": "LIMIT",
        "exec_inst": ["POST_ONLY"], "fee_instrument_name": "USDT", "cumulative_fee": "0.1",
    },
    "gemini": {
        "order_id": "28", "client_order_id": "mm-a", "symbol": "ethusdt", "side": "buy", "type": "exchange limit",
        "price": "1999.01", "original_amount": "0.5", "executed_amount": "0.2", "remaining_amount": "0.3",
        "avg_execution_price": "1999.01", "is_live": True, "is_cancelled": False, "timestampms": T,
        "options": ["maker-or-cancel"],
    },
    "bingx": {
        "symbol": "ETH-USDT", "orderId": 28, "clientOrderID": "mm-a", "price": "1999.01", "origQty": "0.5",
        "executedQty": "0.2", "cummulativeQuoteQty": "399.8", "status": "PARTIALLY_FILLED", "type": "LIMIT",
        "side": "BUY", "time": T, "updateTime": T, "fee": "0.0002",
    },
    "bitstamp": {
        "id": "28", "client_order_id": "mm-a", "currency_pair": "ETH/USDT", "type": "0", "status": "Open",
        "price": "1999.01", "amount": "0.3", "amount_at_create": "0.5", "datetime": "2023-11-14 22:13:20",
        "transactions": [],
    },
}  # fmt: skip
