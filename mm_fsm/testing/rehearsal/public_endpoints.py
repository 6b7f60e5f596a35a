"""Answers to public questions: markets, prices, books, trades."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from attrs import define

from mm_fsm.core.instrument import ZERO, Instrument
from mm_fsm.core.messages import Side
from mm_fsm.testing.rehearsal.filters import MOST_STEPS, largest_quantity
from mm_fsm.testing.rehearsal.order_payloads import Payload, amount
from mm_fsm.testing.rehearsal.parameters import Parameters
from mm_fsm.testing.rehearsal.terms import DIGITS, RequestLimits
from mm_fsm.testing.rehearsal.venue_market import PublicTrade, VenueMarket

_DEFAULT_DEPTH: Final = 100
_DEEPEST: Final = 5000
_DEFAULT_TRADES: Final = 500
_DAY_MILLISECONDS: Final = 86_400_000

FindMarket = Callable[[str], VenueMarket]


def public_trade_payload(trade: PublicTrade) -> Payload:
    """A trade in an answer to ``trades``."""
    return {
        "id": trade.trade_id,
        "price": amount(trade.price),
        "qty": amount(trade.quantity),
        "quoteQty": amount(trade.price * trade.quantity),
        "time": trade.time,
        "isBuyerMaker": trade.taker_side is Side.ASK,
        "isBestMatch": True,
    }


@define(eq=False)
class PublicEndpoints:
    """What anybody may ask.

    Args:
        markets: all of them.
        find: one of them by the exchange's own name; raises RefusedError.
        limits: as ``exchangeInfo`` tells them.
        now: the exchange's clock, milliseconds.
    """

    markets: tuple[VenueMarket, ...]
    find: FindMarket
    limits: RequestLimits
    now: Callable[[], int]

    def exchange_info(self, _: Parameters) -> Payload:
        """The markets' rules, and the limits."""
        return {
            "timezone": "UTC",
            "serverTime": self.now(),
            "rateLimits": [
                _limit("REQUEST_WEIGHT", "MINUTE", 1, self.limits.weight_per_minute),
                _limit("ORDERS", "SECOND", 10, self.limits.orders_per_ten_seconds),
                _limit("ORDERS", "DAY", 1, self.limits.orders_per_day),
            ],
            "exchangeFilters": [],
            "symbols": [_rules(market) for market in self.markets],
        }

    def no_markets(self, _: Parameters) -> Payload:
        """The rules of futures: there are none here."""
        return {"timezone": "UTC", "serverTime": self.now(), "rateLimits": [], "symbols": []}

    def time(self, _: Parameters) -> Payload:
        """The exchange's clock."""
        return {"serverTime": self.now()}

    def ping(self, _: Parameters) -> Payload:
        """Nothing."""
        return {}

    def depth(self, parameters: Parameters) -> Payload:
        """The book."""
        market = self.find(parameters.text("symbol"))
        limit = min(parameters.integer("limit") or _DEFAULT_DEPTH, _DEEPEST)
        market.refresh()
        return {
            "lastUpdateId": market.depth.last_update,
            "bids": [[amount(price), amount(size)] for price, size in market.depth.top(Side.BID, limit)],
            "asks": [[amount(price), amount(size)] for price, size in market.depth.top(Side.ASK, limit)],
        }

    def trades(self, parameters: Parameters) -> list[Payload]:
        """Recent trades."""
        return [public_trade_payload(trade) for trade in self._recent(parameters)]

    def aggregate_trades(self, parameters: Parameters) -> list[Payload]:
        """Recent trades, each an aggregate of one."""
        return [
            {
                "a": trade.trade_id,
                "p": amount(trade.price),
                "q": amount(trade.quantity),
                "f": trade.trade_id,
                "l": trade.trade_id,
                "T": trade.time,
                "m": trade.taker_side is Side.ASK,
                "M": True,
            }
            for trade in self._recent(parameters)
        ]

    def _recent(self, parameters: Parameters) -> list[PublicTrade]:
        market = self.find(parameters.text("symbol"))
        return list(market.trades)[-(parameters.integer("limit") or _DEFAULT_TRADES) :]

    def day_ticker(self, parameters: Parameters) -> Any:
        """The last day of one market or of all."""
        return self._each(parameters, self._day_ticker)

    def book_ticker(self, parameters: Parameters) -> Any:
        """Best prices of one market or of all."""
        return self._each(parameters, book_ticker)

    def price_ticker(self, parameters: Parameters) -> Any:
        """The last price of one market or of all."""
        return self._each(parameters, lambda market: {"symbol": market.market_id, "price": amount(market.last_price())})

    def _each(self, parameters: Parameters, told: Callable[[VenueMarket], Payload]) -> Any:
        if "symbol" in parameters.values:
            return told(self.find(parameters.text("symbol")))
        return [told(market) for market in self.markets]

    def _day_ticker(self, market: VenueMarket) -> Payload:
        now, trades, last = self.now(), market.trades, market.last_price()
        prices = [trade.price for trade in trades] or [last or ZERO]
        volume = sum((trade.quantity for trade in trades), ZERO)
        turnover = sum((trade.quantity * trade.price for trade in trades), ZERO)
        best = book_ticker(market)
        return {
            **best,
            "priceChange": amount((last or ZERO) - prices[0]),
            "priceChangePercent": f"{((last or ZERO) - prices[0]) / (prices[0] or 1) * 100:.3f}",
            "weightedAvgPrice": amount(turnover / volume if volume else last),
            "prevClosePrice": amount(prices[0]),
            "lastPrice": amount(last),
            "lastQty": amount(trades[-1].quantity if trades else None),
            "openPrice": amount(prices[0]),
            "highPrice": amount(max(prices)),
            "lowPrice": amount(min(prices)),
            "volume": amount(volume),
            "quoteVolume": amount(turnover),
            "openTime": now - _DAY_MILLISECONDS,
            "closeTime": now,
            "firstId": trades[0].trade_id if trades else -1,
            "lastId": trades[-1].trade_id if trades else -1,
            "count": len(trades),
        }


def book_ticker(market: VenueMarket) -> Payload:
    """Best prices of a market, as questions about them are answered."""
    bid, ask = market.depth.best(Side.BID), market.depth.best(Side.ASK)
    return {
        "symbol": market.market_id,
        "bidPrice": amount(bid[0] if bid else None),
        "bidQty": amount(bid[1] if bid else None),
        "askPrice": amount(ask[0] if ask else None),
        "askQty": amount(ask[1] if ask else None),
    }


def _limit(kind: str, interval: str, number: int, most: int) -> Payload:
    return {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": most}


def _rules(market: VenueMarket) -> Payload:
    instrument = market.instrument
    tick, lot = instrument.tick_size, instrument.lot_size
    quantities = (max(instrument.minimum_quantity, lot), largest_quantity(instrument), lot)
    return {
        "symbol": market.market_id,
        "status": "TRADING" if market.is_trading else "BREAK",
        "baseAsset": instrument.base_currency,
        "baseAssetPrecision": DIGITS,
        "quoteAsset": instrument.quote_currency,
        "quotePrecision": DIGITS,
        "quoteAssetPrecision": DIGITS,
        "baseCommissionPrecision": DIGITS,
        "quoteCommissionPrecision": DIGITS,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"],
        "icebergAllowed": False,
        "ocoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": True,
        "amendAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            _steps("PRICE_FILTER", ("minPrice", "maxPrice", "tickSize"), (tick, tick * MOST_STEPS, tick)),
            *(_steps(kind, ("minQty", "maxQty", "stepSize"), quantities) for kind in ("LOT_SIZE", "MARKET_LOT_SIZE")),
            _notional(instrument),
            {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": market.market.most_open_orders},
        ],
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_MAKER"],
    }


def _notional(instrument: Instrument) -> Payload:
    told = {
        "filterType": "NOTIONAL",
        "minNotional": amount(instrument.minimum_notional),
        "applyMinToMarket": True,
        "avgPriceMins": 0,
    }
    if instrument.maximum_notional is None:
        return told
    return {**told, "maxNotional": amount(instrument.maximum_notional), "applyMaxToMarket": True}


def _steps(kind: str, names: tuple[str, str, str], values: tuple[Decimal, Decimal, Decimal]) -> Payload:
    return {"filterType": kind, **{name: amount(value) for name, value in zip(names, values, strict=True)}}
