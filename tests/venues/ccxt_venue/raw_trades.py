"""Raw own trades as exchanges send them, written after their documentation: a bid that has traded as a maker."""

from __future__ import annotations

from typing import Any, Final

T: Final = 1_700_000_000_000

TRADES: Final[dict[str, Any]] = {
    "binance": {
        "symbol": "ETHUSDT", "id": 9, "orderId": 28, "orderListId": -1, "price": "1999.01", "qty": "0.2",
        "quoteQty": "399.802", "commission": "0.0002", "commissionAsset": "ETH", "time": T, "isBuyer": True,
        "isMaker": True, "isBestMatch": True,
    },
    "okx": {
        "instType": "SPOT", "instId": "ETH-USDT", "tradeId": "9", "ordId": "28", "clOrdId": "mma", "billId":
        "1", "fillPx": "1999.01", "fillSz": "0.2", "side": "buy", "execType": "M", "feeCcy": "ETH", "fee":
        "-0.0002", "ts": str(T),
    },
    "bybit": {
        "symbol": "ETHUSDT", "execId": "9", "orderId": "28", "orderLinkId": "mm-a", "execPrice": "1999.01",
        "execQty": "0.2", "execValue": "399.802", "execFee": "0.0002", "feeCurrency": "ETH", "side": "Buy",
        "isMaker": True, "execTime": str(T), "orderType": "Limit",
    },
    "kraken": {
        "id": "TABC", "ordertxid": "OABC", "pair": "ETHUSDT", "time": T // 1000.0, "type": "buy", "ordertype":
        "limit", "price": "1999.01", "cost": "399.802", "fee": "0.4", "vol": "0.2", "maker": True,
    },
    "coinbase": {
        "entry_id": "e", "trade_id": "9", "order_id": "28", "trade_time": "2023-11-14T22:13:20Z", "trade_type":
        "FILL", "price": "1999.01", "size": "0.2", "commission": "0.4", "product_id": "ETH-USDT",
        "liquidity_indicator": "MAKER", "size_in_quote": False, "side": "BUY",
    },
    "kucoin": {
        "symbol": "ETH-USDT", "tradeId": "9", "orderId": "28", "side": "buy", "liquidity": "maker",
        "forceTaker": False, "price": "1999.01", "size": "0.2", "funds": "399.802", "fee": "0.4", "feeRate":
        "0.001", "feeCurrency": "USDT", "stop": "", "type": "limit", "createdAt": T, "tradeType": "TRADE",
    },
    "gate": {
        "id": "9", "create_time": str(T // 1000), "create_time_ms": "1700000000000.123", "currency_pair":
        "ETH_USDT", "side": "buy", "role": "maker", "amount": "0.2", "price": "1999.01", "order_id": "28",
        "fee": "0.0002", "fee_currency": "ETH", "point_fee": "0", "gt_fee": "0", "text": "t-mma",
    },
    "bitget": {
        "userId": "1", "symbol": "ETHUSDT", "orderId": "28", "tradeId": "9", "orderType": "limit", "side":
        "buy", "priceAvg": "1999.01", "size": "0.2", "amount": "399.802", "feeDetail": {"deduction": "no",
        "feeCoin": "ETH", "totalDeductionFee": "", "totalFee": "-0.0002"}, "tradeScope": "maker", "cTime":
        str(T), "uTime": str(T),
    },
    "mexc": {
        "symbol": "ETHUSDT", "id": "9", "orderId": "28", "orderListId": -1, "price": "1999.01", "qty": "0.2",
        "quoteQty": "399.802", "commission": "0.0002", "commissionAsset": "ETH", "time": T, "isBuyer": True,
        "isMaker": True, "isBestMatch": True, "isSelfTrade": False, "clientOrderId": None,
    },
    "htx": {
        "symbol": "ethusdt", "id": 1, "trade-id": 9, "order-id": 28, "match-id": 3, "price": "1999.01",
        "filled-amount": "0.2", "filled-fees": "0.0002", "fee-currency": "eth", "filled-points": "0",
        "fee-deduct-currency": "", "fee-deduct-state": "done", "role": "maker", "source": "spot-api", "type":
        "buy-limit-maker", "created-at": T,
    },
    "cryptocom": {
        "account_id": "1", "event_date": "2023-11-14", "journal_type": "TRADING", "traded_quantity": "0.2",
        "traded_price": "1999.01", "fees": "-0.0002", "order_id": "28", "trade_id": "9", "trade_match_id": "3",
        "client_oid": "mm-a", "taker_side": "MAKER", "side": "BUY", "instrument_name": "ETH_USDT",
        "fee_instrument_name": "ETH", "create_time": T,
    },
    "gemini": {
        "price": "1999.01", "amount": "0.2", "timestamp": T // 1000, "timestampms": T, "type": "Buy",
        "aggressor": False, "fee_currency": "USDT", "fee_amount": "0.4", "tid": 9, "order_id": "28", "exchange":
        "gemini", "is_auction_fill": False, "is_clearing_fill": False, "symbol": "ETHUSDT",
    },
    "bingx": {
        "symbol": "ETH-USDT", "id": 9, "orderId": 28, "price": "1999.01", "qty": "0.2", "quoteQty": "399.802",
        "commission": -0.0002, "commissionAsset": "ETH", "time": T, "isBuyer": True, "isMaker": True,
    },
    "bitstamp": {
        "id": 9, "datetime": "2023-11-14 22:13:20.000000", "type": "2", "fee": "0.4", "order_id": 28, "eth":
        "0.2", "usdt": "-399.802", "eth_usdt": 1999.01, "btc": 0, "usd": "0.0",
    },
}  # fmt: skip
"""By exchange."""
FEE_FIELDS: Final = {
    **dict.fromkeys(("binance", "mexc", "coinbase", "bingx"), "commission"),
    **dict.fromkeys(("okx", "kraken", "kucoin", "gate", "bitstamp"), "fee"),
    "bybit": "execFee",
    "bitget": "feeDetail",
    "htx": "filled-fees",
    "cryptocom": "fees",
    "gemini": "fee_amount",
}
"""Where each of them says the fee."""
